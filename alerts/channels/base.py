"""What goes out, and what takes it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from parkcarbon.domain.alarm.types import Priority

HEARTBEAT: Final = "heartbeat"
"""`why` of a message of the dead man's switch."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one receiver, as it stands in the outbox.

    Attributes:
        key: the same decision makes the same; it goes out with the message, so that what was sent twice is seen to be.
        why: `first`, `repeat`, `escalation`, `recovered` or `heartbeat`.
        priority: of the gravest alarm in it.
        subject: one line.
        body: plain text.
        details: what a machine reads, `parkcarbon.alarm.templates.details_of`.
    """

    key: str
    why: str
    priority: Priority
    subject: str
    body: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The key as a short name that any channel can carry.

        >>> Message("7-first-0-desk", "first", "low", "", "").fingerprint
        '3ae9850202b96d2e'
        """
        return hashlib.sha256(self.key.encode()).hexdigest()[:16]


class ChannelError(OSError):
    """A message was not taken; the text says why and never holds a secret.

    Attributes:
        retryable: a later try may succeed; False: it never will as it stands (address refused, channel unknown).
        after_s: the receiver asks not to try again before so long [s]; None: it did not say.
    """

    def __init__(self, reason: str, *, retryable: bool, after_s: float | None = None) -> None:
        self.retryable = retryable
        self.after_s = after_s
        super().__init__(reason)


class Channel(Protocol):
    """Takes messages. It holds no state of a message, so any number may be under way."""

    async def send(self, message: Message) -> None:
        """Hand a message over; it returns once the receiver has taken it.

        Raises:
            ChannelError: it was not taken.
        """
