"""The scan of many counters at once, where nothing is in doubt.

A pool of batches brings a few readings of each of a thousand points. Most of them simply go on: the line stands on an
accepted register, no boundary is declared in between, every reading rises within the limit. Such points are laid end
to end on one time axis, each shifted by a multiple of a day, and all their pairs are cut at the interval boundaries in
one pass. The result is bit for bit that of `scan`; points that are not so simple are left to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .acceptance import measured_within_ms
from .intervals import Intervals
from .lifelines import Lifelines
from .reading import DAY_MS, INTERVAL_MS, Method, Quality
from .readings import BoolArray, FloatArray, Int64Array, enters_energy, imposed_method
from .scan_types import NO_PARTIAL, Limits, Partial, ScanState
from .segments import Pairs, Parts, cut_pairs


@dataclass(frozen=True, slots=True)
class Track:
    """One point: its meters, what is plausible, and where its scan stands."""

    lifelines: Lifelines
    limits: Limits
    state: ScanState


@dataclass(frozen=True, slots=True)
class ManyResult:
    """What came of it.

    Attributes:
        taken: True for the tracks that were scanned here; the others are left to `scan`.
        owner: position of the track that each interval belongs to, ascending.
        intervals: of all taken tracks, ascending within each.
        states: new states, by position of the track.
        checkpoints: `(position, midnight_ms, state)`.
    """

    taken: BoolArray
    owner: Int64Array
    intervals: Intervals
    states: dict[int, ScanState]
    checkpoints: list[tuple[int, int, ScanState]]


@dataclass(frozen=True, slots=True)
class _Steps:
    """Each reading with the one before it, the first of a track with its state."""

    owner: Int64Array
    t0: Int64Array
    t1: Int64Array
    old: FloatArray
    new: FloatArray
    method0: NDArray[np.int8]
    method1: NDArray[np.int8]
    suspect0: BoolArray
    suspect1: BoolArray

    def take(self, which: BoolArray) -> "_Steps":
        return _Steps(
            self.owner[which],
            self.t0[which],
            self.t1[which],
            self.old[which],
            self.new[which],
            self.method0[which],
            self.method1[which],
            self.suspect0[which],
            self.suspect1[which],
        )


@dataclass(frozen=True, slots=True)
class ManyReadings:
    """Readings of many tracks as columns, ascending in time within each track.

    Attributes:
        owner: position of the track, ascending.
        time_ms: time stamps [ms UTC].
        value: registers; NaN means "no value".
        quality: codes of `Quality`.
    """

    owner: Int64Array
    time_ms: Int64Array
    value: FloatArray
    quality: NDArray[np.int8]


def scan_many(tracks: Sequence[Track], readings: ManyReadings) -> ManyResult:
    """Extend many counters by readings that are newer than their states.

    Args:
        tracks: the points.
        readings: of all of them.

    Returns:
        Results of the tracks that are simple enough, and which those are.
    """
    allowed = enters_energy(readings.value, readings.quality)
    owner = readings.owner[allowed]
    simple = np.array([_stands(track.state) for track in tracks], dtype=bool)
    steps = _steps(tracks, owner, readings, allowed)
    last = np.zeros(len(tracks), np.int64)
    last[owner] = steps.t1
    lives = [track.lifelines.at(track.state.seen_ms) for track in tracks]
    ends = [_end_of(track.lifelines, life) for track, life in zip(tracks, lives, strict=True)]
    simple &= last < np.array(ends, np.int64)
    chosen = [track.lifelines.lives[life] for track, life in zip(tracks, lives, strict=True)]
    limit = np.array([np.inf if life.limit_per_ms is None else life.limit_per_ms for life in chosen])
    resolution = np.array([track.limits.resolution for track in tracks])
    rise, elapsed = steps.new - steps.old, steps.t1 - steps.t0
    plausible = (elapsed > 0) & (rise >= 0) & (rise <= limit[owner] * elapsed + resolution[owner])
    simple[owner[~plausible]] = False
    steps = steps.take(simple[owner])
    micro = np.array([life.micro for life in chosen])
    measured = np.array([measured_within_ms(track.limits) for track in tracks], np.int64)
    return _spread(tracks, simple, steps, micro[steps.owner], measured[steps.owner])


def _stands(state: ScanState) -> bool:
    return state.time_ms is not None and state.value is not None and not state.pending and state.dropped == 0


def _end_of(lifelines: Lifelines, life: int) -> int:
    return lifelines.begins[life + 1] if life + 1 < len(lifelines.begins) else 2**62


def _steps(tracks: Sequence[Track], owner: Int64Array, readings: ManyReadings, allowed: BoolArray) -> _Steps:
    states = [track.state for track in tracks]
    first = np.ones(len(owner), bool)
    first[1:] = owner[1:] != owner[:-1]
    of_first = owner[first]
    t1, new = readings.time_ms[allowed], readings.value[allowed]
    quality = readings.quality[allowed]
    method1, suspect1 = imposed_method(quality), quality == Quality.SUSPECT
    t0, old, method0, suspect0 = t1.copy(), new.copy(), method1.copy(), suspect1.copy()
    for before, after in ((t0, t1), (old, new), (method0, method1), (suspect0, suspect1)):
        before[1:] = after[:-1]
    t0[first] = np.array([state.time_ms or 0 for state in states], np.int64)[of_first]
    old[first] = np.array([np.nan if state.value is None else state.value for state in states])[of_first]
    method0[first] = np.array([state.method for state in states], np.int8)[of_first]
    suspect0[first] = np.array([state.suspect for state in states], bool)[of_first]
    return _Steps(owner, t0, t1, old, new, method0, method1, suspect0, suspect1)


def _spread(
    tracks: Sequence[Track], taken: BoolArray, steps: _Steps, micro: FloatArray, measured_ms: Int64Array
) -> ManyResult:
    if not len(steps.owner):
        return ManyResult(taken, steps.owner, Intervals.empty(), {}, [])
    origin = int(steps.t0.min()) // DAY_MS * DAY_MS
    width = (int(steps.t1.max()) - origin) // DAY_MS * DAY_MS + 2 * DAY_MS
    shift = steps.owner * width - origin
    elapsed = steps.t1 - steps.t0
    span = np.where(elapsed <= measured_ms, Method.MEASURED, Method.INTERPOLATED).astype(np.int8)
    delta = np.rint(micro * steps.new).astype(np.int64) - np.rint(micro * steps.old).astype(np.int64)
    method = np.maximum(span, np.maximum(steps.method0, steps.method1))
    pairs = Pairs(steps.t0 + shift, steps.t1 + shift, delta, method, steps.suspect0 | steps.suspect1)
    parts = cut_pairs(pairs)
    starts = np.flatnonzero(np.concatenate(([True], parts.index[1:] != parts.index[:-1])))
    amount = np.add.reduceat(parts.amount, starts)
    known = np.add.reduceat(parts.known, starts)
    measured = np.add.reduceat(parts.measured, starts)
    worst = np.maximum.reduceat(parts.method, starts)
    suspect = np.logical_or.reduceat(parts.suspect, starts)
    begin_ms = parts.index[starts] * INTERVAL_MS
    owner = begin_ms // width
    opening = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1])))
    partials = np.array([tracks[at].state.partial for at in owner[opening].tolist()], np.int64)
    amount[opening] += partials[:, 0]
    known[opening] += partials[:, 1]
    measured[opening] += partials[:, 2]
    worst[opening] = np.maximum(worst[opening], partials[:, 3])
    suspect[opening] |= partials[:, 4].astype(bool)
    coverage = (known / INTERVAL_MS).astype(np.float32)
    start_ms = begin_ms - owner * width + origin
    closing = np.append(opening[1:], len(owner)) - 1
    ends = zip(*(column[closing].tolist() for column in (amount, known, measured, worst, suspect)), strict=True)
    states = _states(steps, start_ms[closing], [Partial(*end) for end in ends])
    return ManyResult(
        taken,
        owner,
        Intervals(start_ms, amount, coverage, worst, measured, suspect),
        states,
        _checkpoints(tracks, steps, parts),
    )


def _states(steps: _Steps, open_ms: Int64Array, partials: list[Partial]) -> dict[int, ScanState]:
    """The states on the last reading of each track; `open_ms` and `partials` are of its last interval."""
    last = np.flatnonzero(np.append(steps.owner[1:] != steps.owner[:-1], [True]))
    columns = (steps.owner, steps.t1, steps.new, steps.method1, steps.suspect1)
    rows = zip(*(column[last].tolist() for column in columns), open_ms.tolist(), partials, strict=True)
    return {
        owner: ScanState(time, value, method, suspect, (), partial if time < opened + INTERVAL_MS else NO_PARTIAL)
        for owner, time, value, method, suspect, opened, partial in rows
    }


def _checkpoints(tracks: Sequence[Track], steps: _Steps, parts: Parts) -> list[tuple[int, int, ScanState]]:
    """The states before the first reading of each UTC day."""
    found = []
    for at in np.flatnonzero(steps.t1 // DAY_MS != steps.t0 // DAY_MS).tolist():
        owner, time = int(steps.owner[at]), int(steps.t0[at])
        midnight_ms = (time // DAY_MS + 1) * DAY_MS
        track = tracks[owner]
        if at == 0 or steps.owner[at - 1] != owner:
            found.append((owner, midnight_ms, track.state))
            continue
        begin = int(np.searchsorted(steps.owner, owner))
        partial = _partial_before(parts, at, begin, time, track.state)
        state = ScanState(time, float(steps.old[at]), int(steps.method0[at]), bool(steps.suspect0[at]), (), partial)
        found.append((owner, midnight_ms, state))
    return found


def _partial_before(parts: Parts, at: int, begin: int, time_ms: int, state: ScanState) -> Partial:
    """Accumulators of the interval that holds `time_ms`, over the steps `[begin, at)` of its track."""
    if time_ms % INTERVAL_MS == 0:
        return NO_PARTIAL
    high, low = int(parts.first[at]), int(parts.first[begin])
    low += int(np.searchsorted(parts.index[low:high], parts.index[high - 1]))
    inside = parts.accumulate(low, high)
    if state.time_ms is None or state.time_ms // INTERVAL_MS != time_ms // INTERVAL_MS:
        return inside
    return Partial(
        inside.amount_micro + state.partial.amount_micro,
        inside.known_ms + state.partial.known_ms,
        inside.measured_ms + state.partial.measured_ms,
        max(inside.method, state.partial.method),
        inside.suspect or state.partial.suspect,
    )
