"""A root on its way out of the house, and the line that stands for it everywhere."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from parkcarbon.statement.log.roots import DailyRoot, root_line


class AnchorError(Exception):
    """A place did not take a root; the message says why."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The log of a park had this size and root when a day was over.

    Attributes:
        anchor_id: row of `log_anchor`.
        park: id.
        day: UTC.
        size: batches in the log.
        root: over them.
        attempt: which one this is, from 1.
    """

    anchor_id: int
    park: str
    day: dt.date
    size: int
    root: bytes
    attempt: int = 1

    def line(self) -> bytes:
        """Canonical JSON without a newline: what is sent, stamped and stored; `statement verify --roots` reads it."""
        return root_line(self.park, DailyRoot(self.day, self.size, self.root, ()))

    def digest(self) -> bytes:
        """Sha256 of the line."""
        return hashlib.sha256(self.line()).digest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a place said to a claim: its receipt, or why it did not take it."""

    claim: Claim
    receipt: bytes = b""
    error: str = ""


class Anchor(Protocol):
    """A place outside."""

    @property
    def kind(self) -> str:
        """`mail`, `rfc3161` or `object_lock`."""

    @property
    def destination(self) -> str:
        """Address, URL or folder."""

    async def send(self, claims: Sequence[Claim]) -> list[Answer]:
        """Take claims there.

        Raises:
            AnchorError: the place took none of them.
        """
