"""What a fact does to the intervals of a point, computed before it is entered: the fact itself can say it."""

from dataclasses import dataclass, replace

import numpy as np

from parkcarbon.domain.intervals import Intervals
from parkcarbon.domain.lifelines import lifelines
from parkcarbon.domain.reading import Kind
from parkcarbon.domain.scan_types import Correction
from parkcarbon.domain.substitution import Substitution
from parkcarbon.kit.db import Session
from parkcarbon.kit.pgcopy import PgType

from .carbon import CarbonBook
from .deltas import longest_of, respread
from .energy import rerun
from .model import Model, Point
from .queries import QUERIES
from .stored import BEGIN_MS, END_MS, moment

_ALL = 2**62
TYPES: dict[str, PgType] = {
    "point_id": "int4",
    "start": "timestamptz",
    "amount_micro": "int8",
    "coverage": "float4",
    "method": "int2",
    "measured_ms": "int4",
    "suspect": "bool",
}


@dataclass(frozen=True, slots=True)
class Effect:
    """Sums over the intervals that a fact changes, before and after it.

    Attributes:
        intervals: how many they are.
        before_micro: what is stored [1e-6 unit].
        after_micro: what comes of the fact.
        before_nano_kg: CO2e of what is stored [1e-9 kg]; None where an interval has no factor.
        after_nano_kg: CO2e of what comes of the fact.
    """

    intervals: int
    before_micro: int
    after_micro: int
    before_nano_kg: int | None
    after_nano_kg: int | None

    @property
    def amount_micro(self) -> int:
        """What the fact adds [1e-6 unit]."""
        return self.after_micro - self.before_micro

    @property
    def nano_kg(self) -> int | None:
        """CO2e that the fact adds [1e-9 kg]; None where it is not known."""
        if self.before_nano_kg is None or self.after_nano_kg is None:
            return None
        return self.after_nano_kg - self.before_nano_kg

    def columns(self) -> tuple[int, int, int | None, int | None]:
        """As the tables of facts keep it."""
        return self.before_micro, self.after_micro, self.before_nano_kg, self.after_nano_kg


def with_corrections(point: Point, corrections: tuple[Correction, ...]) -> Point:
    """A point as it were with these corrections."""
    ordered = tuple(sorted(corrections, key=lambda correction: correction.from_ms))
    return replace(point, corrections=ordered, lives=lifelines(point.episodes, ordered, point.limits))


def with_substitutions(point: Point, substitutions: tuple[Substitution, ...]) -> Point:
    """A point as it were with these substitutions."""
    return replace(point, substitutions=tuple(sorted(substitutions, key=lambda one: one.from_ms)))


async def effect_of(session: Session, model: Model, changed: Point, from_ms: int, to_ms: int) -> Effect:
    """Compute a point as it is and as it would be, and compare; nothing is written.

    What is stored may wait for an earlier change to be worked in, so both are computed around the stretch; where one
    of the two runs ends sooner, what is stored there is what it would give.

    Args:
        session: connection inside a transaction, `config_version` locked FOR UPDATE: nobody writes meanwhile.
        model: the configuration in force, for the prices.
        changed: the point with the fact that is to be entered, or without the one that is to be withdrawn.
        from_ms: begin of the stretch that the fact touches [ms UTC].
        to_ms: its end [ms UTC].
    """
    before = await computed(session, model.by_id[changed.point_id], from_ms, to_ms)
    after = await computed(session, changed, from_ms, to_ms)
    low_ms, high_ms = min(before[0], after[0]), max(before[1], after[1])
    stored = await stored_intervals(session, changed.point_id, low_ms, high_ms)
    versions = [_outside(stored, low, high).replaced_by(run) for low, high, run in (before, after)]
    return _difference(CarbonBook(model), changed.point_id, *versions)


def _outside(intervals: Intervals, low_ms: int, high_ms: int) -> Intervals:
    return intervals.take((intervals.start_ms < low_ms) | (intervals.start_ms >= high_ms))


async def computed(session: Session, changed: Point, from_ms: int, to_ms: int) -> tuple[int, int, Intervals]:
    """Compute a point as it would be, around a stretch.

    Returns:
        Begin and end [ms UTC] of what was computed, and all intervals that start in it.
    """
    if changed.kind is Kind.DELTA:
        state = await session.fetchval(QUERIES["past_state"], changed.point_id)
        longest_ms = max(changed.limits.period_ms, 0 if state is None else longest_of(state))
        result = await respread(session, changed, from_ms, to_ms, longest_ms)
    else:
        result = await rerun(session, changed, from_ms, to_ms, most=_ALL)
    low_ms, high_ms = max(result.from_ms, BEGIN_MS), min(result.to_ms, END_MS)
    return low_ms, high_ms, result.intervals.between(low_ms, high_ms)


async def stored_intervals(session: Session, point_id: int, from_ms: int, to_ms: int) -> Intervals:
    """Read the stored intervals of a point that start in `[from, to)` [ms UTC]."""
    span = moment(from_ms), moment(to_ms)
    columns = await session.fetch_columns(QUERIES["past_intervals"], [point_id], *span, types=TYPES)
    return Intervals(
        columns["start"],
        columns["amount_micro"],
        columns["coverage"],
        columns["method"].astype(np.int8),
        columns["measured_ms"].astype(np.int64),
        columns["suspect"],
    )


def _difference(book: CarbonBook, point_id: int, before: Intervals, after: Intervals) -> Effect:
    """Compare two versions, interval by interval."""
    common, mine, its = np.intersect1d(before.start_ms, after.start_ms, assume_unique=True, return_indices=True)
    same = np.ones(len(common), np.bool_)
    for left, right in (
        (before.amount_micro, after.amount_micro),
        (before.coverage, after.coverage),
        (before.method, after.method),
        (before.measured_ms, after.measured_ms),
    ):
        same &= left[mine] == right[its]
    old = before.take(~np.isin(before.start_ms, common[same]))
    new = after.take(~np.isin(after.start_ms, common[same]))
    return Effect(
        len(np.union1d(old.start_ms, new.start_ms)),
        old.total_micro,
        new.total_micro,
        _priced(book, point_id, old),
        _priced(book, point_id, new),
    )


def _priced(book: CarbonBook, point_id: int, intervals: Intervals) -> int | None:
    owner = np.full(len(intervals), point_id, np.int32)
    if not len(intervals):
        return 0
    carbon = book.price(owner, intervals.start_ms, intervals.amount_micro)
    return int(carbon.nano_kg.sum()) if bool(carbon.known.all()) else None
