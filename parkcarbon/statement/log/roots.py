"""Roots of the log of a park: at any size, by day, and how far it reached at a moment."""

import datetime as dt
from dataclasses import dataclass

import msgspec

from parkcarbon.domain.merkle import Edge
from parkcarbon.kit.db import Session

from . import QUERIES
from .leaf import Leaf
from .seal import leaf_of


@dataclass(frozen=True, slots=True)
class DailyRoot:
    """Root over everything that was committed before the end of a day UTC.

    Attributes:
        day: that is over.
        size: number of leaves.
        root: over them.
        sent: places outside that it had reached: `mail:auditor@example.org`.
    """

    day: dt.date
    size: int
    root: bytes
    sent: tuple[str, ...]


async def size_at(session: Session, park: str, as_of: dt.datetime) -> int:
    """How many batches of a park were known at a moment that is sealed."""
    return int(await session.fetchval(QUERIES["log_size_at"], park, as_of))


async def root_at(session: Session, park: str, size: int) -> bytes:
    """Root over the first `size` leaves of a park's log.

    Raises:
        LookupError: there are not so many.
    """
    row = await session.fetchrow(QUERIES["log_edge_before"], park, size)
    edge = Edge() if row is None else Edge(row["size"], list(row["peaks"]))
    edge.extend(one["hash"] for one in await session.fetch(QUERIES["log_hashes"], park, edge.size, size))
    if edge.size != size:
        raise LookupError(f"the log of {park} has {edge.size} leaves, not {size}")
    return edge.root()


async def roots_between(
    session: Session, park: str, from_day: dt.date, to_day: dt.date, *, as_of: dt.datetime
) -> list[DailyRoot]:
    """Daily roots of the days in `[from_day, to_day)`, and where each had been sent by a moment."""
    rows = await session.fetch(QUERIES["log_roots"], park, from_day, to_day, as_of)
    return [DailyRoot(row["day"], row["size"], row["root"], tuple(row["sent"])) for row in rows]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a place outside answered to a root: a time-stamp token (DER), a message id (JSON), a path."""

    day: dt.date
    kind: str
    destination: str
    receipt: bytes


async def receipts_of(session: Session, park: str, from_day: dt.date, to_day: dt.date) -> list[Receipt]:
    """What places answered to the roots of the days in `[from_day, to_day)`, by day and place."""
    rows = await session.fetch(QUERIES["anchor_states"], park, from_day, to_day)
    return [
        Receipt(row["day"], row["kind"], row["destination"], row["receipt"]) for row in rows if row["state"] == "sent"
    ]


def root_line(park: str, root: DailyRoot) -> bytes:
    """Canonical JSON of a root: what is sent, stamped and stored outside, and what `statement verify --roots` reads."""
    said = {"day": root.day.isoformat(), "park": park, "root": root.root.hex(), "size": root.size}
    return msgspec.json.encode(said, order="sorted")


async def leaves_of(session: Session, park: str, low: int, high: int) -> list[Leaf]:
    """Leaves at `[low, high)` of a park's log."""
    return [leaf_of(row, park) for row in await session.fetch(QUERIES["log_leaves"], park, low, high)]
