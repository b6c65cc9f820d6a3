"""What can be wrong with a message, as a closed list.

```
WireError            a programming or data error on the sending side
└── RefusedError          a received message that cannot be accepted, with the reason that travels in the receipt
```
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a whole batch is refused; the text is sent in receipts and stored in `dead_letter`."""

    UNDECODABLE = "undecodable"
    OVERSIZE = "oversize"
    VERSION = "version"
    IDENTITY = "identity"
    IDENTITY_CONFLICT = "identity-conflict"
    SIGNATURE = "signature"


class Flaw(StrEnum):
    """Why a single reading is quarantined; the text is stored in `quarantine`."""

    UNKNOWN_POINT = "unknown-point"
    FUTURE = "future"
    TOO_OLD = "too-old"
    NON_FINITE = "non-finite"
    WRONG_TYPE = "wrong-type"
    BAD_QUALITY = "bad-quality"
    BAD_SPAN = "bad-span"
    NEGATIVE = "negative-amount"


class WireError(ValueError):
    """A message cannot be built from what was given."""


class RefusedError(WireError):
    """A received message is not acceptable and never will be.

    Attributes:
        reason: member of the closed list.
        detail: one line for people.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
