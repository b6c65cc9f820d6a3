"""Appends what was committed to the log of its park, once it is settled, and takes the root of each day that is over.

All parks are sealed together, in the order in which batches became known. One transaction appends some thousands and
moves `sealed_until`; a worker that dies leaves nothing half done, and of several workers one acts. What may be sealed:
everything older than a minute of which no transaction is still under way.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from parkcarbon.books import inventory
from parkcarbon.domain.merkle import Edge
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Database, Row, Session

from . import QUERIES
from .leaf import Leaf

AT_ONCE: Final = 5_000
"""Leaves in one transaction, about."""

_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a run did.

    Attributes:
        leaves: that were appended.
        roots: of days that were over.
        until: everything known by then is in the logs.
        acted: False where another worker is at it.
    """

    leaves: int
    roots: int
    until: dt.datetime
    acted: bool = True


async def seal(database: Database, *, at_once: int = AT_ONCE, wait: bool = False) -> Sealed:
    """Seal all that is settled, of every park.

    Args:
        database: pool.
        at_once: leaves in one transaction.
        wait: True waits for a worker that is at it, and goes on where it ended.
    """
    leaves = roots = 0
    while True:
        async with database.transaction() as session:
            if wait:
                await session.execute(QUERIES["log_lock"])
            elif not await session.fetchval(QUERIES["log_try_lock"]):
                return Sealed(leaves, roots, await session.fetchval(QUERIES["log_state"]), acted=False)
            part, more = await _seal_some(session, at_once)
        leaves, roots = leaves + part.leaves, roots + part.roots
        if not more:
            return Sealed(leaves, roots, part.until)


async def ensure_sealed(session: Session, as_of: dt.datetime) -> None:
    """Seal what was known at a moment, where the sealer has not come to it yet.

    Args:
        session: a connection; in a transaction the lock of the sealer is held to its end.
        as_of: moment of knowledge.

    Raises:
        RefusedError: a fact recorded by then may not be visible yet.
    """
    while await session.fetchval(QUERIES["log_state"]) < as_of:
        async with session.transaction():
            await session.execute(QUERIES["log_lock"])
            part, more = await _seal_some(session, AT_ONCE)
        if not more and part.until < as_of:
            raise RefusedError(
                "6.9", f"the log is sealed until {part.until.isoformat()}: what was known at {as_of.isoformat()} is not"
            )


async def _seal_some(session: Session, at_once: int) -> tuple[Sealed, bool]:
    """Seal the next leaves under the lock; say whether there are more."""
    since = await session.fetchval(QUERIES["log_state"])
    horizon = await session.fetchval(QUERIES["log_horizon"], inventory.SETTLED_AFTER)
    if horizon <= since:
        return Sealed(0, 0, since), False
    bound = await session.fetchrow(QUERIES["log_bound"], since, horizon, at_once)
    more = bound is not None and bound["n"] >= at_once
    until = bound["until"] if more and bound is not None else horizon
    rows = await session.fetch(QUERIES["log_events"], since, until)
    heads = {row["park_id"]: Edge(row["size"], list(row["peaks"])) for row in await _heads(session, rows, since, until)}
    run = _Run(session, heads, since)
    await run.take(rows, until)
    await session.execute(QUERIES["log_seal_until"], until)
    return Sealed(len(rows), run.roots, until), more


async def _heads(session: Session, rows: Sequence[Row], since: dt.datetime, until: dt.datetime) -> list[Row]:
    """Where the logs end: of the parks that are appended to, of all when a day ends."""
    parks = None if _midnight_after(since) <= until else sorted({row["park_id"] for row in rows})
    return await session.fetch(QUERIES["log_heads"], parks)


class _Run:
    """Appends rows in order and stops at each midnight UTC for the roots of the day."""

    def __init__(self, session: Session, heads: dict[str, Edge], since: dt.datetime) -> None:
        self._session = session
        self._heads = heads
        self._midnight = _midnight_after(since)
        self.roots = 0

    async def take(self, rows: Sequence[Row], until: dt.datetime) -> None:
        """Append rows, ascending, and end every day that is over by `until`."""
        low = 0
        while low < len(rows):
            if not self._heads:  # no log yet, so no day without a root
                self._midnight = _midnight_after(rows[low]["at"])
            high = low
            while high < len(rows) and rows[high]["at"] < self._midnight:
                high += 1
            await self._append(rows[low:high])
            low = high
            if low < len(rows):
                await self._end_day()
        while self._heads and self._midnight <= until:
            await self._end_day()

    async def _append(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        columns: list[tuple[object, ...]] = []
        changed: set[str] = set()
        for row in rows:
            edge = self._heads.setdefault(row["park_id"], Edge())
            hashed = leaf_of(row).hash()
            columns.append((row["park_id"], edge.size, *_stored(row), hashed))
            edge.append(hashed)
            changed.add(row["park_id"])
        await self._session.execute(QUERIES["log_append"], *(list(column) for column in zip(*columns, strict=True)))
        heads = [(park, self._heads[park].size, self._heads[park].peaks) for park in sorted(changed)]
        await self._session.executemany(QUERIES["log_set_head"], heads)

    async def _end_day(self) -> None:
        day = (self._midnight - _DAY).date()
        roots = [(park, day, edge.size, edge.root(), edge.peaks) for park, edge in sorted(self._heads.items())]
        await self._session.executemany(QUERIES["log_add_root"], roots)
        self.roots += len(roots)
        self._midnight += _DAY


def leaf_of(row: Row, park: str | None = None) -> Leaf:
    """The leaf that a row of `log_events` or `log_leaves` stands for."""
    return Leaf(
        park=row["park_id"] if park is None else park,
        at=row["at"],
        kind=row["kind"],
        source=row["source"],
        boot=row["boot"],
        seq=row["seq"],
        digest=row["digest"],
        t_min=row["t_min"],
        t_max=row["t_max"],
    )


def _stored(row: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(row[name] for name in ("at", "kind", "source", "boot", "seq", "digest", "t_min", "t_max"))


def _midnight_after(moment: dt.datetime) -> dt.datetime:
    """The first midnight UTC after a moment; at midnight a new day has begun."""
    day = moment.astimezone(dt.UTC).date() + _DAY
    return dt.datetime.combine(day, dt.time(), dt.UTC)
