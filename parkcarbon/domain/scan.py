"""Registers to energy: the one scan.

`scan` turns what the meters showed into 15-minute intervals and owns every rule about it: rollover, reset, exchange,
gaps, glitches. It is a pure function of readings, episodes, corrections and limits; the state only saves it from
reading the past again. For any split of the readings in time order

    scan(A + B) == scan(A), then scan(B, state of A)

bit for bit, where the later result for an interval start replaces the earlier one. So intervals are replaced, never
added to, and what is computed while the park runs equals what is computed from the stored readings years later.

Late readings: a reading at or before `state.seen_ms` cannot be added to a state (`LateReadingError`). Take the newest
checkpoint with midnight <= its time (none: start from nothing), and scan all stored readings from that midnight on
with the checkpoint's state. Before storing the result delete what it supersedes: intervals from the checkpoint's
`interval_start_ms` on, boundaries and questions from its `open_ms` on, and the checkpoints after it; the result gives
all of them again, the interval that was open at the checkpoint included. The same after a change of episodes,
corrections or limits that is dated before `state.seen_ms` (a `retime` correction: the earlier of old and new times).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .acceptance import Line, measured_within_ms
from .lifelines import Life, Lifelines, corrected, lifelines
from .reading import DAY_MS, Method, Quality
from .readings import BoolArray, FloatArray, Int64Array, Readings, imposed_method
from .scan_types import (
    Boundary,
    Candidate,
    Correction,
    Episode,
    Limits,
    Partial,
    Question,
    ScanResult,
    ScanState,
    Step,
)
from .segments import Cut, PairLog, Pairs, split_log

__all__ = [
    "Boundary",
    "Candidate",
    "Correction",
    "Episode",
    "LateReadingError",
    "Limits",
    "Partial",
    "Question",
    "ScanResult",
    "ScanState",
    "Step",
    "accepted_pairs",
    "scan",
]

FEW_READINGS = 24
"""Up to this many readings are fed one by one: numpy would spend its time on calls."""

RUN_READINGS = 6
"""A run of plausible readings shorter than this is not worth a block."""


class LateReadingError(ValueError):
    """A reading is not newer than the state: restart from a checkpoint before it."""


def scan(
    readings: Readings,
    episodes: Sequence[Episode],
    corrections: Sequence[Correction],
    limits: Limits,
    state: ScanState | None = None,
) -> ScanResult:
    """Turn register readings of one counter into 15-minute intervals.

    The amount of an interval is q(end) - q(start) with q = rint(1e6 x ratio x sign x register) at each reading,
    linearly interpolated and rounded at interval boundaries between two readings. A pair of readings is measured when
    they are at most max(period, 15 min) apart, else interpolated; the energy of a gap is known, only its time is not.
    The interval that holds the last accepted reading is given with the energy so far and coverage < 1.

    Args:
        readings: of one point, ascending; those of quality outside energy or without a value are passed over.
        episodes: dated facts about the meters of the point, any order.
        corrections: a person's decisions about its readings, any order.
        limits: what is plausible where the episode does not say.
        state: of the scan that saw all earlier readings; None: from nothing.

    Returns:
        Intervals, boundaries and questions that replace stored ones, the new state, and the state at UTC midnights.

    Raises:
        LateReadingError: when a reading that counts is not newer than the state.
    """
    before = ScanState() if state is None else state
    kept = (corrected(readings, corrections) if corrections else readings).for_energy()
    if len(kept) == 0:
        open_interval, _ = split_log(PairLog(), before.time_ms, before.partial, ())
        return ScanResult(open_interval, state=before)
    seen = before.seen_ms
    if seen is not None and int(kept.time_ms[0]) <= seen:
        raise LateReadingError(f"reading at {int(kept.time_ms[0])} ms is not after {seen} ms")
    walk = _Walk(kept, lifelines(episodes, corrections, limits), limits, before)
    walk.run()
    line = walk.line
    marks = [*walk.marks, _Mark(0, line.pairs.count, _state_of(line))]
    cuts = [Cut(mark.pairs, mark.state.time_ms) for mark in marks if mark.state.time_ms is not None]
    intervals, partials = split_log(line.pairs, before.time_ms, before.partial, cuts)
    *checkpoints, (_, final) = [
        (mark.midnight_ms, mark.state.with_partial(partial)) for mark, partial in zip(marks, partials, strict=True)
    ]
    return ScanResult(intervals, tuple(line.boundaries), tuple(line.questions), final, tuple(checkpoints))


def accepted_pairs(
    readings: Readings,
    episodes: Sequence[Episode],
    corrections: Sequence[Correction],
    limits: Limits,
    state: ScanState | None = None,
) -> tuple[Pairs, tuple[Boundary, ...]]:
    """The accepted line itself: what `scan` cuts into intervals, before it is cut.

    Args:
        readings: as for `scan`.
        episodes: likewise.
        corrections: likewise.
        limits: likewise.
        state: likewise.

    Returns:
        Every pair of registers in order of time, and the boundaries between them.
    """
    kept = (corrected(readings, corrections) if corrections else readings).for_energy()
    if len(kept) == 0:
        return Pairs.of_rows(()), ()
    walk = _Walk(kept, lifelines(episodes, corrections, limits), limits, ScanState() if state is None else state)
    walk.run()
    return walk.line.pairs.columns(), tuple(walk.line.boundaries)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A state to be kept, its partial still to be worked out after `pairs` pairs."""

    midnight_ms: int
    pairs: int
    state: ScanState


def _state_of(line: Line) -> ScanState:
    return ScanState(line.time, line.value, line.method, line.suspect, tuple(line.pending), dropped=line.dropped)


class _Walk:
    """Feeds readings to the line: in blocks where they are plausible, one by one where they are not."""

    def __init__(self, readings: Readings, lifelines_: Lifelines, limits: Limits, state: ScanState) -> None:
        self._lives = lifelines_.lives
        self._next_life = lifelines_.at(state.seen_ms) + 1
        self._limits = limits
        self.line = Line(limits, self._lives[self._next_life - 1], state)
        self.marks: list[_Mark] = []
        self._columns = _Columns(readings)
        self._rows = self._columns.rows()
        self._seen = state.seen_ms

    def run(self) -> None:
        """Feed everything."""
        n = len(self._rows)
        if n <= FEW_READINGS:
            self._feed_each(0, n)
            return
        at = 0
        while at < n:
            self._pass_boundaries(at)
            upcoming = self._lives[self._next_life :]
            end = int(np.searchsorted(self._columns.time, upcoming[0].at_ms)) if upcoming else n
            self._feed_life(at, end)
            at = end

    def _feed_each(self, start: int, end: int) -> None:
        for at in range(start, end):
            self._feed(at)

    def _feed(self, at: int) -> None:
        self._pass_boundaries(at)
        reading = self._rows[at]
        self._mark_midnight(reading.time_ms)
        self.line.feed(reading)
        self._seen = reading.time_ms

    def _mark_midnight(self, time_ms: int) -> None:
        """Keep the state before the first reading of another UTC day."""
        if self._seen is not None and time_ms // DAY_MS != self._seen // DAY_MS:
            midnight = (self._seen // DAY_MS + 1) * DAY_MS
            self.marks.append(_Mark(midnight, self.line.pairs.count, _state_of(self.line)))

    def _pass_boundaries(self, at: int) -> None:
        """Cross the declared boundaries up to reading `at`."""
        reading = self._rows[at]
        lives = self._lives
        if self._next_life >= len(lives) or lives[self._next_life].at_ms > reading.time_ms:
            return
        self._mark_midnight(reading.time_ms)
        self._seen = reading.time_ms
        while self._next_life < len(lives) and lives[self._next_life].at_ms <= reading.time_ms:
            life = lives[self._next_life]
            self._next_life += 1
            more = self._next_life < len(lives) and lives[self._next_life].at_ms <= reading.time_ms
            self.line.cross(life, reading, last=not more)

    def _feed_life(self, start: int, end: int) -> None:
        """Feed readings `[start, end)`, all of one life."""
        life = self.line.life
        anomalies = start + 1 + np.flatnonzero(~self._columns.plausible(start, end, life, self._limits))
        register = self._columns.registers(start, end, life)
        at = start
        while at < end:
            self._feed(at)
            at += 1
            if not self._stands_on(at - 1):
                continue
            position = int(np.searchsorted(anomalies, at))
            stop = int(anomalies[position]) if position < len(anomalies) else end
            if stop - at >= RUN_READINGS:
                self._feed_block(at, stop, register[at - 1 - start : stop - start])
                at = stop

    def _stands_on(self, at: int) -> bool:
        """True when the line stands on reading `at` itself: neither pending, held nor declared."""
        line = self.line
        return (line.time, line.value, line.method, line.suspect) == self._rows[at]

    def _feed_block(self, start: int, stop: int, register: Int64Array) -> None:
        """Accept readings `[start, stop)`; the line stands on reading `start - 1`."""
        columns = self._columns
        for day in columns.new_days(start, stop):
            last = self._rows[day - 1]
            midnight = (last.time_ms // DAY_MS + 1) * DAY_MS
            pairs = self.line.pairs.count + day - start
            self.marks.append(_Mark(midnight, pairs, ScanState(last.time_ms, last.value, last.method, last.suspect)))
        self.line.accept_block(
            columns.pairs(start, stop, register, measured_within_ms(self._limits)), self._rows[stop - 1]
        )
        self._seen = self._rows[stop - 1].time_ms


class _Columns:
    """The readings of a walk as columns, and what can be worked out for all of them at once."""

    def __init__(self, readings: Readings) -> None:
        self.time: Int64Array = readings.time_ms
        self._value: FloatArray = readings.value
        self._method: NDArray[np.int8] = imposed_method(readings.quality)
        self._suspect: BoolArray = readings.quality == Quality.SUSPECT
        self._new_day: Int64Array | None = None

    def rows(self) -> list[Candidate]:
        """The readings one by one."""
        columns = (self.time, self._value, self._method, self._suspect)
        return list(map(Candidate, *(column.tolist() for column in columns)))

    def plausible(self, start: int, end: int, life: Life, limits: Limits) -> BoolArray:
        """For each reading in `[start + 1, end)`: does it rise from the one before within the limit."""
        rise = np.diff(self._value[start:end])
        if life.limit_per_ms is None:
            return np.asarray(rise >= 0)
        allowed = life.limit_per_ms * np.diff(self.time[start:end]) + limits.resolution
        return np.asarray((rise >= 0) & (rise <= allowed))

    def registers(self, start: int, end: int, life: Life) -> Int64Array:
        """Registers as integers [1e-6 of the unit]."""
        return np.rint(life.micro * self._value[start:end]).astype(np.int64)

    def new_days(self, start: int, stop: int) -> list[int]:
        """Positions in `[start, stop)` where a reading is of another UTC day than the one before it."""
        if self._new_day is None:
            day = self.time // DAY_MS
            self._new_day = 1 + np.flatnonzero(day[1:] != day[:-1])
        low, high = np.searchsorted(self._new_day, (start, stop))
        found: list[int] = self._new_day[low:high].tolist()
        return found

    def pairs(self, start: int, stop: int, register: Int64Array, measured_ms: int) -> Pairs:
        """Pairs that end on the readings `[start, stop)`; `register` begins with reading `start - 1`."""
        t0, t1 = self.time[start - 1 : stop - 1], self.time[start:stop]
        span = np.where(t1 - t0 <= measured_ms, Method.MEASURED, Method.INTERPOLATED).astype(np.int8)
        imposed = np.maximum(self._method[start - 1 : stop - 1], self._method[start:stop])
        suspect = self._suspect[start - 1 : stop - 1] | self._suspect[start:stop]
        return Pairs(t0, t1, np.diff(register), np.maximum(span, imposed), suspect)
