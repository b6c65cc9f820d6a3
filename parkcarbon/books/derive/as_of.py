"""Amounts as known on a past date, computed from what was recorded by then, byte for byte what was computed then.

Stored intervals are those of then up to the first reading, correction or other fact that was learned later; up to there
they are read. From the newest checkpoint before that on, the readings whose batches were recorded by then are run over
again, under the facts of then, as far as the period needs. CO2e is priced anew with the factors that were known.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parkcarbon.books.amounts import HOUR_MS, WHOLE, Hourly, merge_states
from parkcarbon.books.facts import Facts
from parkcarbon.books.library.calorific import by_volume, calorific_series, with_means
from parkcarbon.domain.calorific import CalorificMean, mean_calorific
from parkcarbon.domain.intervals import Intervals
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.reading import DAY_MS, INTERVAL_MS, Kind, Method
from parkcarbon.domain.readings import BoolArray, Int64Array
from parkcarbon.domain.scan_types import ScanState
from parkcarbon.kit.db import Session, to_ms
from parkcarbon.kit.pgcopy import PgType

from .carbon import Carbon, CarbonBook
from .deltas import longest_of, respread
from .energy import rerun_known
from .model import Point
from .past import Past, load_past
from .queries import QUERIES
from .stored import BEGIN_MS, moment

POINTS_AT_ONCE = 100
"""Points whose intervals are held in memory together: a year of them is 3.5 million."""

_TYPES: dict[str, PgType] = {
    "point_id": "int4",
    "start": "timestamptz",
    "amount_micro": "int8",
    "coverage": "float4",
    "method": "int2",
    "measured_ms": "int4",
    "suspect": "bool",
}


@dataclass(frozen=True, slots=True)
class PastIntervals:
    """Intervals of one point as known on a past date, with the CO2e that they had then."""

    point: Point
    intervals: Intervals
    carbon: Carbon


async def point_amounts_as_of(session: Session, facts: Facts, from_ms: int, to_ms: int) -> list[PointAmount]:
    """As `parkcarbon.books.amounts.point_amounts`, from what was recorded by `facts.as_of`.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        facts: the park as known then.
        from_ms: start, on an interval boundary [ms UTC].
        to_ms: end, exclusive [ms UTC].
    """
    points = facts.metered()
    rows: list[Mapping[str, int]] = []
    ids = [point.point_id for point in points]
    series = calorific_series(facts, from_ms)
    gas = {point.point_id for point in points if by_volume(point)} if series is not None else set()
    means: dict[str, CalorificMean] = {}
    async for part in intervals_as_of(session, facts, ids, from_ms, to_ms):
        rows += _by_state(part)
        if series is not None and part.point.point_id in gas:
            mean = mean_calorific(series, part.intervals.start_ms, part.intervals.amount_micro)
            means |= {} if mean is None else {part.point.name: mean}
    return with_means(merge_states(facts, points, rows, from_ms, to_ms), means)


async def hourly_as_of(session: Session, facts: Facts, points: Sequence[str], from_ms: int, to_ms: int) -> Hourly:
    """As `parkcarbon.books.amounts.hourly_amounts`, from what was recorded by `facts.as_of`.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        facts: the park as known then.
        points: names.
        from_ms: start, a local hour [ms UTC].
        to_ms: end, exclusive [ms UTC].

    Raises:
        LookupError: a point is not known.
    """
    unknown = [name for name in points if name not in facts.point_ids]
    if unknown:
        raise LookupError(f"there is no point {unknown[0]} in {facts.park}")
    start_ms = np.arange(from_ms, to_ms, HOUR_MS, dtype=np.int64)
    amount = np.zeros((len(points), len(start_ms)), dtype=np.int64)
    known = np.zeros((len(points), len(start_ms)), dtype=bool)
    ids = [facts.point_ids[name] for name in points]
    async for part in intervals_as_of(session, facts, sorted(set(ids)), from_ms, to_ms):
        hours, sums, whole = _by_hour(part.intervals, from_ms)
        for line, point_id in enumerate(ids):
            if point_id == part.point.point_id:
                amount[line, hours], known[line, hours] = sums, whole
    return Hourly(tuple(points), start_ms, amount, known)


async def intervals_as_of(
    session: Session, facts: Facts, point_ids: Sequence[int], from_ms: int, to_ms: int
) -> AsyncIterator[PastIntervals]:
    """Yield the intervals of points over `[from_ms, to_ms)` as known at `facts.as_of`, point by point.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        facts: the park as known then.
        point_ids: which; gauges and points unknown then are passed over.
        from_ms: start, on an interval boundary [ms UTC].
        to_ms: end, exclusive [ms UTC].
    """
    past = await load_past(session, facts, to_ms + DAY_MS)
    book = CarbonBook(past.model)
    known = [past.model.by_id[one] for one in point_ids if one in past.model.by_id]
    metered = [point for point in known if point.kind is not Kind.GAUGE]
    for first in range(0, len(metered), POINTS_AT_ONCE):
        chosen = metered[first : first + POINTS_AT_ONCE]
        found = await _Reading(session, past, from_ms, to_ms).read(chosen)
        for part in _priced(chosen, found, book):
            yield part


def _priced(points: Sequence[Point], found: Sequence[Intervals], book: CarbonBook) -> Iterator[PastIntervals]:
    """Price the intervals of some points together, as is done when they are stored."""
    sizes = [len(intervals) for intervals in found]
    point_id = np.repeat(np.array([point.point_id for point in points], dtype=np.int32), sizes)
    start_ms = np.concatenate([intervals.start_ms for intervals in found])
    amount = np.concatenate([intervals.amount_micro for intervals in found])
    carbon = book.price(point_id, start_ms, amount) if len(amount) else None
    low = 0
    for point, intervals, size in zip(points, found, sizes, strict=True):
        part = slice(low, low + size)
        low += size
        if carbon is not None:
            mine = Carbon(carbon.nano_kg[part], carbon.known[part], carbon.factor_id[part], carbon.match[part])
            yield PastIntervals(point, intervals, mine)


class _Reading:
    """Reads, or computes again, the intervals of a span."""

    def __init__(self, session: Session, past: Past, from_ms: int, to_ms: int) -> None:
        self._session = session
        self._past = past
        self._from_ms = from_ms
        self._to_ms = to_ms

    async def read(self, points: Sequence[Point]) -> list[Intervals]:
        """Return the intervals of each point."""
        stored = await self._stored(points)
        counters = [point for point in points if point.kind is Kind.COUNTER]
        states = await self._checkpoints(counters)
        longest = await self._longest([point for point in points if point.kind is Kind.DELTA])
        found = []
        for point in points:
            mine = stored.get(point.point_id, Intervals.empty())
            if point.kind is Kind.DELTA:
                found.append(await self._delta(point, mine, longest.get(point.point_id, 0)))
            else:
                found.append(await self._counter(point, mine, states.get(point.point_id)))
        return found

    async def _counter(self, point: Point, stored: Intervals, start: tuple[int, ScanState] | None) -> Intervals:
        at_ms, state = (BEGIN_MS, ScanState()) if start is None else start
        settled_ms = BEGIN_MS if state.interval_start_ms is None else state.interval_start_ms
        if settled_ms >= self._to_ms:
            return stored
        again = await rerun_known(self._session, point, (at_ms, state), self._to_ms, self._past.known)
        later = again.between(max(self._from_ms, settled_ms), self._to_ms)
        return Intervals.merge((stored.between(self._from_ms, max(settled_ms, self._from_ms)), later))

    async def _delta(self, point: Point, stored: Intervals, longest_ms: int) -> Intervals:
        longest_ms = max(longest_ms, point.limits.period_ms)
        reach_ms = 4 * longest_ms  # a run of zeros is judged by two readings on each side
        if reach_ms <= DAY_MS and self._past.same_until_ms[point.point_id] >= self._to_ms + reach_ms:
            return stored
        again = await respread(self._session, point, self._from_ms, self._to_ms, longest_ms, known=self._past.known)
        return again.intervals.between(self._from_ms, self._to_ms)

    async def _stored(self, points: Sequence[Point]) -> dict[int, Intervals]:
        ids = [point.point_id for point in points]
        columns = await self._session.fetch_columns(
            QUERIES["past_intervals"], ids, moment(self._from_ms), moment(self._to_ms), types=_TYPES
        )
        owners, starts = np.unique(columns["point_id"], return_index=True)
        whole = Intervals(
            columns["start"],
            columns["amount_micro"],
            columns["coverage"],
            columns["method"].astype(np.int8),
            columns["measured_ms"].astype(np.int64),
            columns["suspect"],
        )
        ends = [*starts[1:].tolist(), len(whole)]
        bounds = zip(owners.tolist(), starts.tolist(), ends, strict=True)
        return {owner: whole.take(slice(low, high)) for owner, low, high in bounds}

    async def _checkpoints(self, points: Sequence[Point]) -> dict[int, tuple[int, ScanState]]:
        """Of each point the newest checkpoint before anything that was learned later."""
        ids = [point.point_id for point in points]
        upto = [moment(self._past.same_until_ms[point_id]) for point_id in ids]
        rows = await self._session.fetch(QUERIES["past_checkpoints"], ids, upto)
        return {row["point_id"]: (to_ms(row["at"]), ScanState.from_bytes(row["state"])) for row in rows}

    async def _longest(self, points: Sequence[Point]) -> dict[int, int]:
        ids = [point.point_id for point in points]
        rows = await self._session.fetch(QUERIES["past_delta_states"], ids) if ids else []
        return {row["point_id"]: longest_of(row["state"]) for row in rows}


def _by_state(part: PastIntervals) -> Iterator[Mapping[str, int]]:
    """Sums of a point by data state, as the query `amounts_by_state` gives them."""
    intervals, carbon = part.intervals, part.carbon
    known_ms = _known_ms(intervals)
    for method in np.unique(intervals.method).tolist():
        rows: BoolArray = intervals.method == method
        yield {
            "point_id": part.point.point_id,
            "method": method,
            "intervals": int(rows.sum()),
            "amount_micro": int(intervals.amount_micro[rows].sum()),
            "co2e_nano_kg": int(carbon.nano_kg[rows & carbon.known].sum()),
            "with_co2e": int((rows & carbon.known).sum()),
            "known_ms": int(known_ms[rows].sum()),
            "measured_ms": int(intervals.measured_ms[rows].sum()),
            "suspect_ms": int((rows & intervals.suspect).sum()) * INTERVAL_MS,
        }


def _by_hour(intervals: Intervals, from_ms: int) -> tuple[Int64Array, Int64Array, BoolArray]:
    """Hours since `from_ms` that hold intervals, the amount of each, and whether all of it is known."""
    if not len(intervals):
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, np.zeros(0, bool)
    hour = (intervals.start_ms - from_ms) // HOUR_MS
    hours, first = np.unique(hour, return_index=True)
    amount: Int64Array = np.add.reduceat(intervals.amount_micro, first)
    known_ms = np.add.reduceat(_known_ms(intervals), first)
    method = np.maximum.reduceat(intervals.method, first)
    coverage = (known_ms / HOUR_MS).astype(np.float32)
    return hours, amount, np.asarray((coverage >= WHOLE) & (method != Method.MISSING))


def _known_ms(intervals: Intervals) -> Int64Array:
    known: Int64Array = np.rint(intervals.coverage.astype(np.float64) * INTERVAL_MS).astype(np.int64)
    return known
