"""Which readings are believed: the accepted line of a register, reading by reading.

A reading that neither rises within the limit, nor is held by one register step, nor rolls over plausibly is *pending*;
so is all energy after the last accepted reading. It ends in one of three ways:

* a reading comes back on the accepted line: the pending ones were glitches and are ignored;
* three or more pending readings follow one another plausibly over at least 60 s: an inferred boundary at the first;
* a reading fits neither the line nor the pending ones: the pending ones are dropped, it takes their place.

On the way back to the line the allowance grows with time only up to the first pending reading plus two periods while
the pending ones may still be a new line: waiting never makes a jump plausible. A reading that contradicts them cannot
be part of their line, so for it all the time since the accepted reading counts: an outage after a glitch loses nothing.

References:
    reliability 5.3, counter state machine: a rollover is told from a reset by the rate test, never without it.
"""

from typing import Final

from .lifelines import Life
from .reading import INTERVAL_MS, Method
from .scan_types import Boundary, Candidate, Limits, Question, ScanState, Step
from .segments import PairLog, Pairs

JITTER_MS: Final = 30_000
"""A poll that comes up to this much late is still measured [ms]."""

NEW_LINE_MS: Final = 60_000
"""Pending readings must agree at least this long before a boundary is inferred [ms]."""

NEW_LINE_READINGS: Final = 3

ASK_AFTER_DROPS: Final = 3
"""So many pending readings in a row contradicted one another: the limit or the meter is wrong, ask."""

START_REACH_MS: Final = 400 * 86_400_000
"""A declared start reading with nothing before it counts if the first reading comes within this time [ms]."""

_MEASURED: Final = int(Method.MEASURED)
_INTERPOLATED: Final = int(Method.INTERPOLATED)
_ESTIMATED: Final = int(Method.ESTIMATED)
_MISSING: Final = int(Method.MISSING)


def measured_within_ms(limits: Limits) -> int:
    """Longest pair that counts as measured [ms]: max(period, 15 min), plus the jitter of a poll."""
    return max(limits.period_ms, INTERVAL_MS) + JITTER_MS


class Line:
    """The accepted line of one point while readings are fed to it in order of time."""

    __slots__ = (
        "_measured_ms",
        "_period_ms",
        "_resolution",
        "boundaries",
        "dropped",
        "life",
        "method",
        "pairs",
        "pending",
        "questions",
        "suspect",
        "time",
        "value",
    )

    def __init__(self, limits: Limits, life: Life, state: ScanState) -> None:
        self._period_ms = limits.period_ms
        self._resolution = limits.resolution
        self._measured_ms = measured_within_ms(limits)
        self.life = life
        self.time = state.time_ms
        self.value = state.value
        self.method = state.method
        self.suspect = state.suspect
        self.pending = list(state.pending)
        self.dropped = state.dropped
        self.pairs = PairLog()
        self.boundaries: list[Boundary] = []
        self.questions: list[Question] = []

    def step(self, old: float, new: float, elapsed_ms: int) -> Step:
        """How `new` follows `old` after `elapsed_ms`."""
        life = self.life
        rise = new - old
        if rise >= 0:
            if life.limit_per_ms is None or rise <= life.limit_per_ms * elapsed_ms + self._resolution:
                return Step.RISE
            return Step.ANOMALY
        if -rise <= self._resolution:
            return Step.HOLD
        if life.modulus is None or life.limit_per_ms is None or old > life.modulus:
            return Step.ANOMALY
        if 0 <= rise + life.modulus <= life.limit_per_ms * elapsed_ms + self._resolution:
            return Step.ROLLOVER
        return Step.ANOMALY

    def feed(self, reading: Candidate) -> None:
        """Take the next reading."""
        if self.time is None or self.value is None:
            self._begin(reading)
        elif self.pending:
            self._judge(reading, self.time, self.value)
        else:
            step = self.step(self.value, reading.value, reading.time_ms - self.time)
            if reading.time_ms == self.time:
                self._compare(reading, step)
            elif step is Step.ANOMALY:
                self.pending.append(reading)
            else:
                self._accept(reading, step)

    def accept_block(self, pairs: Pairs, last: Candidate) -> None:
        """Move on over readings that follow one another by rises; the line stands on the one before them."""
        self.pairs.add_block(pairs)
        self._stand_on(last.time_ms, last.value, last.method, suspect=last.suspect)

    def cross(self, life: Life, following: Candidate, *, last: bool) -> None:
        """Pass a declared boundary; `following` is the first reading after it, `last` if no other boundary is between.

        The old meter ends at the declared end reading. Without one, the time from its last reading is missing: never a
        silent zero. Likewise on the new side: it begins at the start reading, else with the first reading. Where
        neither is declared and the register simply goes on (a changed ratio), it is interpolated at the boundary.
        """
        before, pairs_before = self.value, self.pairs.count
        joint = None
        if life.end_reading is not None:
            self._end_at(life.at_ms, life.end_reading)
        elif last and life.start_reading is None:
            joint = self._continue_to(life, following)
        known_past = self.time is not None
        self._close_at(life.at_ms)
        if known_past:
            amount = self._amount_since(pairs_before)
            new = life.start_reading if life.start_reading is not None else joint
            old = life.end_reading if life.end_reading is not None else joint
            self.boundaries.append(
                Boundary(
                    life.at_ms,
                    "declared",
                    before if old is None else old,
                    following.value if new is None else new,
                    amount,
                )
            )
        self.life = life
        self._start_at(life, following.time_ms, joint)

    def _begin(self, reading: Candidate) -> None:
        if self.time is not None:
            self.pairs.add(self.time, reading.time_ms, 0, _MISSING)
        self._stand_on(reading.time_ms, reading.value, reading.method, suspect=reading.suspect)

    def _compare(self, reading: Candidate, step: Step) -> None:
        """Take a reading at the very time of a declared register: that one stays, the reading only qualifies it."""
        if step is Step.ANOMALY:
            self.boundaries.append(Boundary(reading.time_ms, "glitch", self.value, reading.value, 0))
            document = {"declared_value": self.value, "value": reading.value}
            self.questions.append(Question(reading.time_ms, "declared_reading", document))
        else:
            self.method = max(self.method, reading.method)
            self.suspect = self.suspect or reading.suspect

    def _stand_on(self, time: int, value: float | None, method: int, *, suspect: bool = False) -> None:
        self.time, self.value, self.method, self.suspect = time, value, method, suspect
        self.dropped = 0

    def _accept(self, reading: Candidate, step: Step) -> None:
        """Move the line on to a reading that follows it by `step`."""
        time, value, method, suspect = reading
        old_time, old = self.time, self.value
        if old_time is None or old is None:
            raise AssertionError("a line without a register has nothing to follow")
        delta = self.life.register(value) - self.life.register(old)
        if step is Step.HOLD:
            value, delta = old, 0
        elif step is Step.ROLLOVER and self.life.modulus is not None:
            delta += self.life.register(self.life.modulus)
            self.boundaries.append(Boundary(time, "rollover", old, value, delta))
        how = max(self.method, method, _MEASURED if time - old_time <= self._measured_ms else _INTERPOLATED)
        self.pairs.add(old_time, time, delta, how, suspect=suspect or self.suspect)
        self._stand_on(time, value, method, suspect=suspect)

    def _judge(self, reading: Candidate, time: int, value: float) -> None:
        """Take a reading while others are pending."""
        first, newest = self.pending[0], self.pending[-1]
        onward = self.step(newest.value, reading.value, reading.time_ms - newest.time_ms)
        waited = reading.time_ms - first.time_ms
        if onward is not Step.ANOMALY:
            waited = min(waited, 2 * self._period_ms)
        back = self.step(value, reading.value, first.time_ms - time + waited)
        if back is not Step.ANOMALY:
            self._drop_pending()
            self._accept(reading, back)
            return
        if onward is Step.ANOMALY:
            self._drop_pending()
            self._count_drop(first, reading)
        held = newest.value if onward is Step.HOLD else reading.value
        self.pending.append(reading._replace(value=held))
        agreed = reading.time_ms - self.pending[0].time_ms
        if len(self.pending) >= NEW_LINE_READINGS and agreed >= NEW_LINE_MS:
            self._infer(time, value)

    def _drop_pending(self) -> None:
        for glitch in self.pending:
            self.boundaries.append(Boundary(glitch.time_ms, "glitch", self.value, glitch.value, 0))
        self.pending.clear()

    def _count_drop(self, dropped: Candidate, reading: Candidate) -> None:
        """Ask once where one pending reading after the other is contradicted."""
        self.dropped += 1
        if self.dropped == ASK_AFTER_DROPS:
            document = {"accepted_time_ms": self.time, "accepted_value": self.value, "value": reading.value}
            self.questions.append(Question(dropped.time_ms, "implausible", document))

    def _infer(self, time: int, value: float) -> None:
        """End the line at the accepted reading and begin a new one at the first pending reading."""
        first, *others = self.pending
        elapsed = first.time_ms - time
        allowed = None if self.life.limit_per_ms is None else self.life.limit_per_ms * elapsed + self._resolution
        amount: int | None = None
        if allowed is not None and 0 <= first.value <= allowed:
            amount = self.life.register(first.value)
            self.pairs.add(time, first.time_ms, amount, _ESTIMATED, suspect=first.suspect or self.suspect)
        else:
            self.pairs.add(time, first.time_ms, 0, _MISSING)
        self.boundaries.append(Boundary(first.time_ms, "inferred", value, first.value, amount))
        document = {
            "amount_micro": amount,
            "energy": "missing" if amount is None else "estimated",
            "new_value": first.value,
            "old_time_ms": time,
            "old_value": value,
        }
        self.questions.append(Question(first.time_ms, "inferred_boundary", document))
        self.pending.clear()
        self._stand_on(first.time_ms, first.value, first.method, suspect=first.suspect)
        for reading in others:
            self.feed(reading)

    def _end_at(self, at_ms: int, end_reading: float) -> None:
        """Feed the declared end reading to the old line; one that does not fit is left out and asked about."""
        if self.time is None or self.value is None:
            return
        self.feed(Candidate(at_ms, end_reading, _MEASURED, suspect=False))
        if self.pending:
            self.pending = [candidate for candidate in self.pending if candidate.time_ms < at_ms]
            document = {"accepted_time_ms": self.time, "accepted_value": self.value, "end_reading": end_reading}
            self.questions.append(Question(at_ms, "declared_reading", document))

    def _continue_to(self, life: Life, following: Candidate) -> float | None:
        """Interpolate the register at a boundary without readings, if the following reading simply goes on."""
        if self.time is None or self.value is None or self.pending:
            return None
        rise = following.value - self.value
        allowed = _allowance(self.life, life.at_ms - self.time, life, following.time_ms - life.at_ms)
        if rise < 0 or (allowed is not None and rise > allowed + self._resolution):
            return None
        part = (life.at_ms - self.time) / (following.time_ms - self.time)
        joint = self.value + rise * part
        method = _MEASURED if part == 1 else _INTERPOLATED
        self._accept(Candidate(life.at_ms, joint, method, suspect=following.suspect), Step.RISE)
        return joint

    def _close_at(self, at_ms: int) -> None:
        """Leave the old line: what is pending was nothing, the time without a register is missing."""
        self._drop_pending()
        if self.time is not None:
            self.pairs.add(self.time, at_ms, 0, _MISSING)
            self._stand_on(at_ms, None, _MEASURED)

    def _start_at(self, life: Life, following_ms: int, joint: float | None) -> None:
        """Stand on the start reading, or on the interpolated register."""
        if joint is not None:
            self._stand_on(life.at_ms, joint, _MEASURED if following_ms == life.at_ms else _INTERPOLATED)
        elif life.start_reading is not None and (self.time is not None or following_ms - life.at_ms <= START_REACH_MS):
            self._stand_on(life.at_ms, life.start_reading, _MEASURED)

    def _amount_since(self, pairs_before: int) -> int | None:
        """Energy of the pairs added since [1e-6 unit]; None where any of it is missing."""
        added = self.pairs.newest(self.pairs.count - pairs_before)
        if any(row[3] == _MISSING for row in added):
            return None
        return sum(row[2] for row in added)


def _allowance(old: Life, old_ms: int, new: Life, new_ms: int) -> float | None:
    """Most that can flow over both sides of a boundary [register unit]; None: no limit."""
    if old.limit_per_ms is None or new.limit_per_ms is None:
        return None
    return old.limit_per_ms * old_ms + new.limit_per_ms * new_ms
