"""Readings to results: what a scan of one counter replaces in the database.

Readings newer than the state of their point extend it. Anything else (late readings, changed facts) is run again from
the daily checkpoint before it, until a later checkpoint comes out as it was: from there on nothing changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from parkcarbon.domain.intervals import Intervals, interval_start
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.domain.readings import Readings
from parkcarbon.domain.scan import Boundary, Question, ScanState, scan
from parkcarbon.domain.scan_many import ManyReadings, Track, scan_many
from parkcarbon.domain.substitution import applied
from parkcarbon.kit.db import Session

from .model import Point
from .stored import BEGIN_MS, END_MS, Known, checkpoint_before, checkpoints_between, chunk_of

_FIRST_CHUNK = 4_000
_CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is to be stored for one point. Times [ms UTC].

    Attributes:
        point: whose.
        intervals: the new ones.
        from_ms: stored intervals that start in `[from_ms, to_ms)` are superseded.
        to_ms: end of that range.
        boundaries: the new ones; None: stored boundaries and questions stay.
        questions: the new ones.
        facts_from_ms: stored boundaries and questions at `[facts_from_ms, facts_to_ms)` are superseded.
        facts_to_ms: end of that range.
        checkpoints: the new ones.
        checkpoints_from_ms: stored checkpoints in `(from, checkpoints_to_ms]` are superseded; None: none is.
        checkpoints_to_ms: end of that range.
        state: where the scan stands; None: as before.
        rest_ms: run again from here, there is more than fits one transaction; None: all done.
        forward: only the interval that was open can be there already.
        readings: how many were run over.
    """

    point: Point
    intervals: Intervals
    from_ms: int
    to_ms: int
    boundaries: tuple[Boundary, ...] | None = None
    questions: tuple[Question, ...] = ()
    facts_from_ms: int = BEGIN_MS
    facts_to_ms: int = END_MS
    checkpoints: tuple[tuple[int, ScanState], ...] = ()
    checkpoints_from_ms: int | None = None
    checkpoints_to_ms: int = END_MS
    state: ScanState | None = None
    rest_ms: int | None = None
    forward: bool = False
    readings: int = 0


@dataclass(frozen=True, slots=True)
class Extension:
    """What is to be stored for many counters that simply went on.

    Attributes:
        point_id: point of each interval.
        intervals: ascending within each point; the first of a point is the one that was open.
        open_points: points whose open interval is superseded.
        open_starts: its start [ms UTC].
        states: where the scans stand, by point.
        checkpoints: point, midnight [ms UTC], state.
    """

    point_id: npt.NDArray[np.int32]
    intervals: Intervals
    open_points: npt.NDArray[np.int32]
    open_starts: npt.NDArray[np.int64]
    states: dict[int, ScanState]
    checkpoints: list[tuple[int, int, ScanState]]


def extend_many(
    points: Sequence[Point], states: Sequence[ScanState], readings: ManyReadings
) -> tuple[Extension | None, npt.NDArray[np.bool_]]:
    """Carry on the scans of counters where nothing is in doubt; return also which points those are."""
    tracks = [Track(point.lives, point.limits, state) for point, state in zip(points, states, strict=True)]
    found = scan_many(tracks, readings)
    if not found.states:
        return None, found.taken
    ids = np.array([point.point_id for point in points], dtype=np.int32)
    scanned = sorted(found.states)
    opened = [states[at].interval_start_ms or 0 for at in scanned]
    extension = Extension(
        ids[found.owner],
        found.intervals,
        open_points=ids[scanned],
        open_starts=np.array(opened, dtype=np.int64),
        states={points[at].point_id: state for at, state in found.states.items()},
        checkpoints=[(points[at].point_id, midnight, state) for at, midnight, state in found.checkpoints],
    )
    return extension, found.taken


def extend(point: Point, readings: Readings, state: ScanState) -> Replacement:
    """Carry the scan of a counter on with readings that are all newer than its state."""
    found = scan(readings, point.episodes, point.corrections, point.limits, state)
    start, open_ms = state.interval_start_ms, state.open_ms
    speaks = bool(found.boundaries or found.questions or state.pending) or _has_dated(point, state.seen_ms)
    from_ms = BEGIN_MS if start is None else start
    extended = Replacement(
        point,
        found.intervals,
        from_ms=from_ms,
        to_ms=from_ms if start is None else start + INTERVAL_MS,
        boundaries=found.boundaries if speaks else None,
        questions=found.questions,
        facts_from_ms=BEGIN_MS if open_ms is None else open_ms,
        checkpoints=found.checkpoints,
        state=found.state,
        forward=True,
    )
    return substituted(extended)


def substituted(result: Replacement) -> Replacement:
    """A result with what the point's substitutions put where nothing, or not everything, is measured."""
    intervals, point = result.intervals, result.point
    to_ms = result.to_ms
    if result.forward and len(intervals):
        to_ms = max(to_ms, int(intervals.start_ms[-1]) + INTERVAL_MS)
    chosen = [one for one in point.substitutions if one.from_ms < to_ms and one.to_ms > result.from_ms]
    if not chosen:
        return result
    filled = applied(intervals, chosen, (result.from_ms, to_ms))
    return replace(result, intervals=filled, to_ms=to_ms, forward=False)


def _has_dated(point: Point, after_ms: int | None) -> bool:
    """True when a declared boundary lies after a time, so that a scan beyond it may speak of it again."""
    if after_ms is None:
        return False
    return any(episode.at_ms > after_ms for episode in point.episodes) or any(
        correction.kind == "boundary" and correction.from_ms > after_ms for correction in point.corrections
    )


async def rerun(session: Session, point: Point, from_ms: int, to_ms: int, *, most: int) -> Replacement:
    """Run the scan of a counter again over stored readings.

    Args:
        session: connection inside the transaction; the point's state is locked.
        point: a counter.
        from_ms: the first reading or fact that changed [ms UTC].
        to_ms: the last one [ms UTC]; after it the run ends where a checkpoint comes out unchanged.
        most: readings to run over in this transaction, at least one day's.
    """
    begin_ms, before = await checkpoint_before(session, point, from_ms)
    run = _Run(point, before, begin_ms)
    at_ms: int | None = begin_ms
    limit = _FIRST_CHUNK
    while at_ms is not None:
        chunk = await chunk_of(session, point, at_ms, limit)
        run.feed(chunk.readings)
        at_ms, limit = chunk.next_ms, _CHUNK
        stored = await checkpoints_between(session, point, to_ms, END_MS if at_ms is None else at_ms)
        if (same := run.first_unchanged(stored, to_ms)) is not None:
            return substituted(run.upto(same, rest=False))
        if at_ms is not None and run.fed >= most and run.checkpoints:
            return substituted(run.upto(len(run.checkpoints) - 1, rest=True))
    return substituted(run.whole())


async def rerun_known(
    session: Session, point: Point, start: tuple[int, ScanState], to_ms: int, known: Known
) -> Intervals:
    """Run the scan of a counter over what was known, until nothing before a time can change any more.

    Args:
        session: any connection; nothing is stored.
        point: a counter as it was known.
        start: a checkpoint that holds for what was known: its midnight [ms UTC] and its state.
        to_ms: end of the intervals that are wanted [ms UTC].
        known: what counts.
    """
    run = _Run(point, start[1], start[0])
    at_ms: int | None = start[0]
    limit = _FIRST_CHUNK
    while at_ms is not None and run.settled_ms < to_ms:
        chunk = await chunk_of(session, point, at_ms, limit, known)
        run.feed(chunk.readings)
        at_ms, limit = chunk.next_ms, _CHUNK
    return substituted(run.whole()).intervals


async def from_scratch(session: Session, point: Point) -> Replacement:
    """Run the scan of a counter over everything stored, as if nothing had been computed before."""
    run = _Run(point, ScanState(), BEGIN_MS)
    at_ms: int | None = BEGIN_MS
    while at_ms is not None:
        chunk = await chunk_of(session, point, at_ms, _CHUNK)
        run.feed(chunk.readings)
        at_ms = chunk.next_ms
    return substituted(run.whole())


class _Run:
    """A scan over stored readings in chunks."""

    def __init__(self, point: Point, before: ScanState, begin_ms: int) -> None:
        self._point = point
        self._before = before
        self._begin_ms = begin_ms
        self._corrections = [c for c in point.corrections if c.kind == "boundary"]
        self._state = before
        self._intervals: list[Intervals] = []
        self._boundaries: list[Boundary] = []
        self._questions: list[Question] = []
        self.checkpoints: list[tuple[int, ScanState]] = []
        self.fed = 0

    def feed(self, readings: Readings) -> None:
        """Scan the next readings; exclusions and re-timing are already applied."""
        open_ms = BEGIN_MS if self._state.open_ms is None else self._state.open_ms
        found = scan(readings, self._point.episodes, self._corrections, self._point.limits, self._state)
        self._state = found.state
        self._intervals.append(found.intervals)
        self._boundaries = [*(fact for fact in self._boundaries if fact.at_ms < open_ms), *found.boundaries]
        self._questions = [*(fact for fact in self._questions if fact.at_ms < open_ms), *found.questions]
        self.checkpoints += found.checkpoints
        self.fed += len(readings)

    @property
    def settled_ms(self) -> int:
        """No later reading changes an interval that starts before this time [ms UTC]."""
        start_ms = self._state.interval_start_ms
        return BEGIN_MS if start_ms is None else start_ms

    def first_unchanged(self, stored: dict[int, bytes], to_ms: int) -> int | None:
        """Position of the first checkpoint that equals the stored one, None if there is none yet.

        Its result must reach to `to_ms`: a change that leaves the states alone may end in a gap after a checkpoint.
        """
        reach_ms = interval_start(to_ms)
        for position, (at_ms, state) in enumerate(self.checkpoints):
            far = state.interval_start_ms is not None and state.interval_start_ms >= reach_ms
            if far and at_ms in stored and state.to_bytes() == stored[at_ms]:
                return position
        return None

    def whole(self) -> Replacement:
        """The result when everything stored was run over."""
        before = self._before
        return Replacement(
            self._point,
            Intervals.merge(self._intervals),
            from_ms=BEGIN_MS if before.interval_start_ms is None else before.interval_start_ms,
            to_ms=END_MS,
            boundaries=tuple(self._boundaries),
            questions=tuple(self._questions),
            facts_from_ms=BEGIN_MS if before.open_ms is None else before.open_ms,
            checkpoints=tuple(self.checkpoints),
            checkpoints_from_ms=self._begin_ms,
            state=self._state,
            readings=self.fed,
        )

    def upto(self, position: int, *, rest: bool) -> Replacement:
        """The result up to one of the checkpoints; `rest`: what follows it is still to be run again."""
        whole = self.whole()
        at_ms, state = self.checkpoints[position]
        interval_ms = BEGIN_MS if state.interval_start_ms is None else state.interval_start_ms
        facts_ms = BEGIN_MS if state.open_ms is None else state.open_ms
        return replace(
            whole,
            intervals=whole.intervals.between(BEGIN_MS, interval_ms),
            to_ms=max(interval_ms, whole.from_ms),
            boundaries=tuple(b for b in whole.boundaries or () if b.at_ms < facts_ms),
            questions=tuple(q for q in whole.questions if q.at_ms < facts_ms),
            facts_to_ms=max(facts_ms, whole.facts_from_ms),
            checkpoints=whole.checkpoints[: position + 1],
            checkpoints_to_ms=at_ms,
            state=None,
            rest_ms=at_ms if rest else None,
        )
