"""One grammar for topic names, both directions: build from an address, parse back to it.

```
parkcarbon/v1/{park}/{source}/readings/{boot}/{seq}            direct
parkcarbon/v1/{park}/{gateway}/from/{source}/readings/…        relayed by a gateway
```
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from .errors import WireError

PREFIX = "parkcarbon/v1"

Kind = Literal["readings", "receipt", "status", "command", "reply"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SLUG = r"[a-z0-9][a-z0-9_-]{0,62}"
BOOT = r"[0-9a-f]{16}"
SEQ_MAX = 2**63 - 1

_slug = re.compile(SLUG)
_boot = re.compile(BOOT)
_topic = re.compile(
    rf"parkcarbon/v1/(?P<park>{SLUG})/(?:(?P<via>{SLUG})/from/)?(?P<source>{SLUG})/"
    rf"(?:readings/(?P<boot>{BOOT})/(?P<seq>[1-9][0-9]{{0,18}})|(?P<kind>receipt|status|command|reply))"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Who sends, and through which gateway.

    Raises:
        WireError: a name does not fit the grammar.
    """

    park: str
    source: str
    via: str | None = None

    def __post_init__(self) -> None:
        for name in (self.park, self.source, self.via or self.source):
            if not _slug.fullmatch(name):
                raise WireError(f"not a topic name: {name!r}")

    @property
    def prefix(self) -> str:
        """Topic of this source without its last part."""
        middle = f"{self.via}/from/{self.source}" if self.via else self.source
        return f"{PREFIX}/{self.park}/{middle}"

    def readings(self, boot: str, seq: int) -> str:
        """Topic of one batch."""
        if not _boot.fullmatch(boot) or not 1 <= seq <= SEQ_MAX:
            raise WireError(f"not a batch: boot {boot!r}, seq {seq!r}")
        return f"{self.prefix}/readings/{boot}/{seq}"

    @property
    def receipt(self) -> str:
        """Topic of the receipts for this source."""
        return f"{self.prefix}/receipt"

    @property
    def status(self) -> str:
        """Topic of the retained status."""
        return f"{self.prefix}/status"

    @property
    def command(self) -> str:
        """Topic of the commands to this source."""
        return f"{self.prefix}/command"

    @property
    def reply(self) -> str:
        """Topic of the replies of this source."""
        return f"{self.prefix}/reply"

    def relayed_by(self, gateway: str) -> "Address":
        """Return the same source as the cloud sees it behind a gateway."""
        return Address(self.park, self.source, gateway)

    def direct(self) -> "Address":
        """Return the same source as its own broker sees it."""
        return Address(self.park, self.source)


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic name; `boot` and `seq` are set for readings only (else "" and 0)."""

    address: Address
    kind: Kind
    boot: str = ""
    seq: int = 0


def parse(name: str) -> Topic | None:
    """Parse a topic name; None where it is outside the grammar.

    Args:
        name: topic as the broker delivered it.
    """
    match = _topic.fullmatch(name)
    if match is None:
        return None
    address = Address(match["park"], match["source"], match["via"])
    if match["kind"] is not None:
        kind = next(kind for kind in KINDS if kind == match["kind"])
        return Topic(address, kind)
    seq = int(match["seq"])
    return Topic(address, "readings", match["boot"], seq) if seq <= SEQ_MAX else None


def filters(kind: Kind, park: str = "+", gateway: str = "") -> tuple[str, ...]:
    """Return subscription filters for one kind of message.

    Args:
        kind: which of the five.
        park: a park, or `+` for all.
        gateway: only what this gateway relays; "" for direct and every relayed topic.
    """
    tail = "readings/+/+" if kind == "readings" else kind
    relayed = f"{PREFIX}/{park}/{gateway or '+'}/from/+/{tail}"
    return (relayed,) if gateway else (f"{PREFIX}/{park}/+/{tail}", relayed)
