"""Where amounts come from: stored intervals now; on a past date what was known by then, computed from readings.

One place to ask, so that the balance, both tenant views and reconciliations of a past date rest on the same amounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from parkcarbon.books.amounts import AT_ONCE, Hourly, hourly_amounts, point_amounts
from parkcarbon.books.derive.as_of import hourly_as_of, intervals_as_of, point_amounts_as_of
from parkcarbon.books.facts import QUERIES, Facts
from parkcarbon.domain.intervals import Intervals
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.reading import INTERVAL_MS, Method
from parkcarbon.kit.db import Session
from parkcarbon.kit.db import from_ms as time_of
from parkcarbon.kit.pgcopy import PgType

WHOLE: Final = 0.9999
"""An hour or interval is whole from this coverage on: it is stored in single precision."""

COLUMNS: Final[dict[str, PgType]] = {
    "point_id": "int4",
    "start": "timestamptz",
    "amount_micro": "int8",
    "coverage": "float4",
    "method": "int2",
}
"""Result columns of `hourly_amounts` and `quarter_amounts`."""


class SeriesSource(Protocol):
    """Amounts by point over spans of equal length."""

    async def __call__(self, session: Session, facts: Facts, points: Sequence[str], from_ms: int, to_ms: int) -> Hourly:
        """Amounts and where they are known."""


class TotalSource(Protocol):
    """Amounts by point over a period."""

    async def __call__(self, session: Session, facts: Facts, from_ms: int, to_ms: int) -> list[PointAmount]:
        """Amounts with their data states."""


@dataclass(frozen=True, slots=True)
class StateSum:
    """What one point amounts to in one data state."""

    point_id: int
    method: Method
    amount_micro: int
    known_ms: int
    measured_ms: int
    suspect_ms: int


class StateSource(Protocol):
    """Sums by point and data state over a period."""

    async def __call__(
        self, session: Session, facts: Facts, point_ids: Sequence[int], from_ms: int, to_ms: int
    ) -> list[StateSum]:
        """Sums, of the points that have any interval."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The ways to ask for amounts: of a period, by the hour, by the quarter of an hour, by point and data state."""

    totals: TotalSource
    hours: SeriesSource
    quarters: SeriesSource
    states: StateSource


def sources_of(facts: Facts) -> Sources:
    """The sources that fit a moment of knowledge: a past one has no time of asking."""
    if facts.now is None:
        return Sources(point_amounts_as_of, hourly_as_of, quarters_as_of, states_as_of)
    return Sources(point_amounts, hourly_amounts, quarter_amounts, stored_states)


async def quarter_amounts(session: Session, facts: Facts, points: Sequence[str], from_ms: int, to_ms: int) -> Hourly:
    """Amounts by the quarter of an hour from stored intervals, in the shape of `Hourly`.

    Args:
        session: a connection.
        facts: the park as known.
        points: names.
        from_ms: start, on an interval boundary [ms UTC].
        to_ms: end, exclusive [ms UTC].
    """
    ids = [facts.point_ids[point] for point in points]
    start = np.arange(from_ms, to_ms - INTERVAL_MS + 1, INTERVAL_MS, dtype=np.int64)
    span = time_of(from_ms), time_of(from_ms + len(start) * INTERVAL_MS)
    amount = np.zeros((len(points), len(start)), dtype=np.int64)
    known = np.zeros((len(points), len(start)), dtype=np.bool_)
    lookup = np.zeros(max(ids, default=0) + 1, dtype=np.int64)
    lookup[ids] = np.arange(len(ids))
    for at in range(0, len(ids), AT_ONCE):
        rows = await session.fetch_columns(QUERIES["quarter_amounts"], ids[at : at + AT_ONCE], *span, types=COLUMNS)
        line, column = lookup[rows["point_id"]], (rows["start"] - from_ms) // INTERVAL_MS
        amount[line, column] = rows["amount_micro"]
        known[line, column] = (rows["coverage"] >= WHOLE) & (rows["method"] != Method.MISSING)
    return Hourly(tuple(points), start, amount, known)


async def quarters_as_of(session: Session, facts: Facts, points: Sequence[str], from_ms: int, to_ms: int) -> Hourly:
    """As `quarter_amounts`, from what was recorded by `facts.as_of`."""
    start = np.arange(from_ms, to_ms - INTERVAL_MS + 1, INTERVAL_MS, dtype=np.int64)
    amount = np.zeros((len(points), len(start)), dtype=np.int64)
    known = np.zeros((len(points), len(start)), dtype=np.bool_)
    rows = {facts.point_ids[point]: row for row, point in enumerate(points)}
    async for part in intervals_as_of(session, facts, sorted(rows), from_ms, from_ms + len(start) * INTERVAL_MS):
        found = part.intervals
        column = (found.start_ms - from_ms) // INTERVAL_MS
        row = rows[part.point.point_id]
        amount[row, column] = found.amount_micro
        known[row, column] = (found.coverage >= WHOLE) & (found.method != Method.MISSING)
    return Hourly(tuple(points), start, amount, known)


async def stored_states(
    session: Session,
    facts: Facts,  # noqa: ARG001 - what is stored is what is known now
    point_ids: Sequence[int],
    from_ms: int,
    to_ms: int,
) -> list[StateSum]:
    """Sums by data state from stored intervals."""
    rows = await session.fetch(QUERIES["amounts_by_state"], list(point_ids), time_of(from_ms), time_of(to_ms))
    return [
        StateSum(
            row["point_id"],
            Method(row["method"]),
            row["amount_micro"],
            row["known_ms"],
            row["measured_ms"],
            row["suspect_ms"],
        )
        for row in rows
    ]


async def states_as_of(
    session: Session, facts: Facts, point_ids: Sequence[int], from_ms: int, to_ms: int
) -> list[StateSum]:
    """As `stored_states`, from what was recorded by `facts.as_of`."""
    found: list[StateSum] = []
    async for part in intervals_as_of(session, facts, sorted(point_ids), from_ms, to_ms):
        found += [_sum(part.point.point_id, part.intervals, method) for method in _methods(part.intervals)]
    return found


def _methods(intervals: Intervals) -> list[Method]:
    return [Method(method) for method in np.unique(intervals.method).tolist()]


def _sum(point_id: int, intervals: Intervals, method: Method) -> StateSum:
    mine = intervals.take(intervals.method == method)
    known_ms = np.rint(mine.coverage.astype(np.float64) * INTERVAL_MS)
    suspect_ms = int(mine.suspect.sum()) * INTERVAL_MS
    return StateSum(point_id, method, mine.total_micro, int(known_ms.sum()), int(mine.measured_ms.sum()), suspect_ms)
