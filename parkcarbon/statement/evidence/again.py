"""The intervals of a period computed again from readings, by the scan that made them first, as they were known.

Each counter is taken up from the newest checkpoint at least a day before the period that nothing learned later touches.
From there the scan runs over readings; stored intervals and roll-ups are not looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

import numpy as np
from numpy.typing import NDArray

from parkcarbon.books.amounts import Period
from parkcarbon.books.derive.carbon import CarbonBook
from parkcarbon.books.derive.deltas import longest_of, respread
from parkcarbon.books.derive.energy import rerun_known
from parkcarbon.books.derive.model import Model, Point
from parkcarbon.books.derive.past import load_past
from parkcarbon.books.derive.queries import QUERIES
from parkcarbon.books.derive.stored import BEGIN_MS, Known, moment
from parkcarbon.books.facts import Facts
from parkcarbon.domain.intervals import Intervals
from parkcarbon.domain.reading import DAY_MS, Kind
from parkcarbon.domain.readings import BoolArray, Int64Array
from parkcarbon.domain.scan_types import ScanState
from parkcarbon.kit.db import Row, Session, to_ms
from parkcarbon.kit.pgcopy import Array, PgType

from .tape import Passing

WARM_UP_MS: Final = DAY_MS
"""How long before a period the scan is taken up, at least [ms]: a checkpoint alone decides no interval of it."""


@dataclass(frozen=True)
class Starts:
    """What the scan is taken up from.

    Attributes:
        known: which readings count.
        checkpoints: by counter: midnight [ms UTC] and state of the scan; absent: from nothing.
        longest_ms: by delta point: no delta is longer [ms].
    """

    known: Known
    checkpoints: Mapping[int, tuple[int, bytes]]
    longest_ms: Mapping[int, int]


@dataclass(frozen=True)
class Derived:
    """The intervals of all metered points of a park over a period, ascending by point id and start, with their CO2e.

    Attributes:
        from_ms: begin of the period [ms UTC].
        to_ms: its end, exclusive [ms UTC].
        rows: by point id, which rows are its own.
        point_id: of each row.
        intervals: amounts.
        nano_kg: CO2e [1e-9 kg].
        priced: False where no factor applies.
    """

    from_ms: int
    to_ms: int
    rows: Mapping[int, slice]
    point_id: NDArray[np.int32]
    intervals: Intervals
    nano_kg: Int64Array
    priced: BoolArray

    def select(self, point_ids: Sequence[int], from_ms: int, to_ms: int) -> Int64Array:
        """Positions of the rows of some points that start in `[from_ms, to_ms)`, by point id and start."""
        start = self.intervals.start_ms
        found = []
        for point_id in sorted(set(point_ids)):
            mine = self.rows.get(point_id)
            if mine is not None:
                low, high = np.searchsorted(start[mine], (from_ms, to_ms))
                found.append(np.arange(mine.start + low, mine.start + high, dtype=np.int64))
        return np.concatenate(found) if found else np.zeros(0, np.int64)


async def starts_of(session: Session, facts: Facts, period: Period) -> Starts:
    """Find in the database what the scans of a period are taken up from.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        facts: the park as known.
        period: whose intervals are wanted.
    """
    past = await load_past(session, facts, period.to_ms + DAY_MS)
    counters = [point_id for point_id, point in past.model.by_id.items() if point.kind is Kind.COUNTER]
    before = [min(past.same_until_ms[point_id], period.from_ms - WARM_UP_MS) for point_id in counters]
    rows = await session.fetch(QUERIES["past_checkpoints"], counters, [moment(at) for at in before])
    deltas = [point_id for point_id, point in past.model.by_id.items() if point.kind is Kind.DELTA]
    spans = await session.fetch(QUERIES["past_delta_states"], deltas) if deltas else []
    return Starts(
        past.known,
        {row["point_id"]: (to_ms(row["at"]), row["state"]) for row in rows},
        {row["point_id"]: longest_of(row["state"]) for row in spans},
    )


async def computed_again(session: Session, model: Model, period: Period, starts: Starts) -> Derived:
    """Compute the intervals of a period from readings.

    Args:
        session: answers questions about readings: a database, or what a pack holds.
        model: the configuration as it was known, of `past_model`.
        period: whose intervals are wanted.
        starts: what the scans are taken up from.
    """
    points = [model.by_id[point_id] for point_id in sorted(model.by_id)]
    metered = [point for point in points if point.kind is not Kind.GAUGE]
    sizes: list[int] = []
    columns: tuple[list[Array], ...] = tuple([] for _ in range(6))
    for point in metered:
        one = await _one(session, point, period, starts)
        sizes.append(len(one))
        parts: tuple[Array, ...] = (
            one.start_ms,
            one.amount_micro,
            one.coverage,
            one.method,
            one.measured_ms,
            one.suspect,
        )
        for column, part in zip(columns, parts, strict=True):
            column.append(part)
    point_id = np.repeat(np.array([point.point_id for point in metered], dtype=np.int32), sizes)
    intervals = _joined(columns)
    carbon = CarbonBook(model).price(point_id, intervals.start_ms, intervals.amount_micro) if len(intervals) else None
    ends = np.cumsum([0, *sizes]).tolist()
    return Derived(
        period.from_ms,
        period.to_ms,
        {point.point_id: slice(ends[at], ends[at + 1]) for at, point in enumerate(metered)},
        point_id,
        intervals,
        np.zeros(0, np.int64) if carbon is None else carbon.nano_kg,
        np.zeros(0, np.bool_) if carbon is None else carbon.known,
    )


async def _one(session: Session, point: Point, period: Period, starts: Starts) -> Intervals:
    if point.kind is Kind.DELTA:
        longest_ms = max(starts.longest_ms.get(point.point_id, 0), point.limits.period_ms)
        again = await respread(session, point, period.from_ms, period.to_ms, longest_ms, known=starts.known)
        return again.intervals.between(period.from_ms, period.to_ms)
    at_ms, state = starts.checkpoints.get(point.point_id, (BEGIN_MS, b""))
    start = (at_ms, ScanState.from_bytes(state) if state else ScanState())
    again_ = await rerun_known(session, point, start, period.to_ms, starts.known)
    return again_.between(period.from_ms, period.to_ms)


def _joined(columns: Sequence[list[Array]]) -> Intervals:
    """Intervals of several points one after the other; the parts are let go of column by column."""
    if not columns[0]:
        return Intervals.empty()
    whole: list[Array] = []
    for column in columns:
        whole.append(np.concatenate(column))
        column.clear()
    return Intervals(*whole)


class NotingSession(Passing):
    """Notes which readings a computation looks at, and what it is told of how far neighbours reach.

    Attributes:
        spans: by point, time of the first and the last reading that was given [ms UTC].
        reach: questions `delta_bounds` with their answers.
    """

    def __init__(self, inner: Session) -> None:
        super().__init__(inner)
        self.spans: dict[int, tuple[int, int]] = {}
        self.reach: list[tuple[Sequence[object], Row | None]] = []

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        """Return the result of a query as numpy columns."""
        columns = await self.inner.fetch_columns(query, *args, types=types)
        if query == QUERIES["readings_between"] and len(columns["time"]):
            point_id = args[0]
            assert isinstance(point_id, int)  # noqa: S101 - for the type checker
            low, high = int(columns["time"][0]), int(columns["time"][-1])
            before = self.spans.get(point_id, (low, high))
            self.spans[point_id] = (min(before[0], low), max(before[1], high))
        return columns

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """Return the first row, or None."""
        row = await self.inner.fetchrow(query, *args)
        if query == QUERIES["delta_bounds"]:
            self.reach.append((args[:4], row))
        return row
