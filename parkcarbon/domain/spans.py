"""The energy of a period as register differences: from which register to which, and what lies between.

The scan believes some readings and not others; `register_spans` follows its accepted line and puts together what
telescopes, so that a year of readings becomes a few spans, each with a register at both ends. The amounts of the spans
are exactly what the intervals of the period sum up to.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from .lifelines import Lifelines, corrected, lifelines
from .reading import Method
from .readings import Readings
from .scan import accepted_pairs
from .scan_types import Boundary, Correction, Episode, Limits, ScanState
from .segments import Pairs

SpanKind = Literal["run", "rollover", "estimated", "other", "missing"]

_MISSING: Final = int(Method.MISSING)


class Register(NamedTuple):
    """What a meter showed at a time; `micro` is that as an integer [1e-6 of the unit], after ratio and sign."""

    time_ms: int
    value: float
    micro: int


class Mark(NamedTuple):
    """The register at one end of a span: shown at that time, or on the straight line between two that were shown.

    Attributes:
        time_ms: where the span begins or ends [ms UTC].
        micro: register there [1e-6 of the unit], after ratio and sign.
        before: register that was shown then, or last before.
        after: first one after; None: `before` counts as it is.
    """

    time_ms: int
    micro: int
    before: Register
    after: Register | None = None

    @property
    def share(self) -> float:
        """Part of the way from `before` to `after` [1]."""
        if self.after is None:
            return 0.0
        return (self.time_ms - self.before.time_ms) / (self.after.time_ms - self.before.time_ms)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the accepted line within a period.

    Attributes:
        kind: `run`: the difference of two registers; `rollover`: the pair that rolled over; `estimated`: across an
            inferred boundary, counted from zero; `other`: a step that no register explains; `missing`: nothing known.
        start: register at its begin.
        end: register at its end.
        amount_micro: energy [1e-6 of the unit]; 0 where missing, which means not known.
        life: position among the lives of the point: ratio and sign.
        whole_micro: energy of the whole pair, where a rollover or an estimate reaches out of the period.
    """

    kind: SpanKind
    start: Mark
    end: Mark
    amount_micro: int
    life: int
    whole_micro: int = 0


def register_spans(
    readings: Readings,
    episodes: Sequence[Episode],
    corrections: Sequence[Correction],
    limits: Limits,
    *,
    from_ms: int,
    to_ms: int,
    state: ScanState | None = None,
) -> list[Span]:
    """Follow the accepted line of a counter through a period.

    Args:
        readings: from before the period to the first accepted one after it.
        episodes: dated facts about the meters of the point.
        corrections: a person's decisions about its readings.
        limits: what is plausible where the episode does not say.
        from_ms: begin of the period, a multiple of 15 min [ms UTC].
        to_ms: its end, likewise.
        state: of the scan up to the first reading; None: from nothing.

    Returns:
        Spans in order of time.
    """
    pairs, boundaries = accepted_pairs(readings, episodes, corrections, limits, state)
    shown = corrected(readings, corrections).for_energy()
    registers = dict(zip(shown.time_ms.tolist(), shown.value.tolist(), strict=True))
    if state is not None and state.time_ms is not None and state.value is not None:
        registers[state.time_ms] = state.value
    for pending in () if state is None else state.pending:
        registers[pending.time_ms] = pending.value
    lives = lifelines(episodes, corrections, limits)
    return _Follower(lives, registers, _Jumps.of(boundaries, lives), from_ms, to_ms).follow(pairs)


@dataclass(frozen=True)
class _Jumps:
    """Where the line does not simply go on: registers on either side of declared boundaries, and steps between."""

    ends: Mapping[int, float] = field(default_factory=dict)
    starts: Mapping[int, float] = field(default_factory=dict)
    steps: Mapping[int, SpanKind] = field(default_factory=dict)

    @classmethod
    def of(cls, boundaries: Sequence[Boundary], lives: Lifelines) -> "_Jumps":
        starts = {life.at_ms: life.start_reading for life in lives.lives if life.start_reading is not None}
        ends: dict[int, float] = {}
        steps: dict[int, SpanKind] = {}
        for boundary in boundaries:
            if boundary.kind == "declared":
                if boundary.old_value is not None:
                    ends[boundary.at_ms] = boundary.old_value
                if boundary.new_value is not None:
                    starts[boundary.at_ms] = boundary.new_value
            elif boundary.kind == "rollover":
                steps[boundary.at_ms] = "rollover"
            elif boundary.kind == "inferred":
                steps[boundary.at_ms] = "estimated"
        return cls(ends, starts, steps)


class _Follower:
    """Walks over the pairs and closes a span wherever the line jumps."""

    def __init__(
        self, lives: Lifelines, registers: Mapping[int, float], jumps: _Jumps, from_ms: int, to_ms: int
    ) -> None:
        self._lives = lives
        self._registers = registers
        self._jumps = jumps
        self._from_ms = from_ms
        self._to_ms = to_ms
        self._spans: list[Span] = []
        self._life = 0
        self._line: Register | None = None
        self._begun: Mark | None = None

    def follow(self, pairs: Pairs) -> list[Span]:
        """Take every pair that touches the period."""
        columns = (pairs.t0, pairs.t1, pairs.delta_micro, pairs.method)
        for t0, t1, delta, method in zip(*(column.tolist() for column in columns), strict=True):
            if t1 <= self._from_ms and t1 not in self._jumps.ends:
                self._pass(t0, t1, delta, method)
            elif t0 < self._to_ms:
                self._take(t0, t1, delta, method)
        self._close()
        return self._spans

    def _pass(self, t0: int, t1: int, delta: int, method: int) -> None:
        """Before the period only the held register matters."""
        self._stand(t0)
        held = delta == 0 and method != _MISSING and t1 not in self._jumps.steps
        if self._line is None or not held:
            self._line = self._shown(t1)

    def _take(self, t0: int, t1: int, delta: int, method: int) -> None:
        self._stand(t0)
        line = self._line
        if line is None or method == _MISSING:
            self._close()
            self._step("missing", t0, t1, 0)
            return
        end = self._shown(t1)
        if end.micro - line.micro == delta and (t1 not in self._jumps.steps or end.micro >= line.micro):
            self._run(line, t0, t1, end)
        elif t1 in self._jumps.steps:
            self._close()
            self._step(self._jumps.steps[t1], t0, t1, delta)
        elif delta == 0:
            self._run(line, t0, t1, line)
        else:
            self._close()
            self._step("other", t0, t1, delta)

    def _stand(self, t0: int) -> None:
        """Take up the line where a pair begins."""
        life = bisect_right(self._lives.begins, t0) - 1
        if self._line is None or t0 in self._jumps.starts or life != self._life:
            self._close()
            self._life = life
            value = self._jumps.starts.get(t0, self._registers.get(t0))
            self._line = None if value is None else self._register(t0, value)

    def _shown(self, t1: int) -> Register:
        value = self._jumps.ends.get(t1)
        if value is None:
            value = self._registers.get(t1)
        if value is None:  # the end of what is known: the line stands where it stood
            return self._line or Register(t1, 0.0, 0)
        return self._register(t1, value)

    def _register(self, time_ms: int, value: float) -> Register:
        return Register(time_ms, value, self._lives.lives[self._life].register(value))

    def _run(self, line: Register, t0: int, t1: int, end: Register) -> None:
        """Go on; a run begins and ends at the period's ends, on the straight line of its pair."""
        if self._begun is None:
            self._begun = self._mark(line, t0, t1, end, max(t0, self._from_ms))
        self._line = end
        self._ended = self._mark(line, t0, t1, end, min(t1, self._to_ms))

    def _mark(self, line: Register, t0: int, t1: int, end: Register, at: int) -> Mark:
        if at == t0 or end is line:
            return Mark(at, line.micro, line)
        if at == t1:
            return Mark(at, end.micro, end)
        delta = end.micro - line.micro
        part = round(delta * ((at - t0) / (t1 - t0)))
        return Mark(at, line.micro + part, line._replace(time_ms=t0), end)

    def _step(self, kind: SpanKind, t0: int, t1: int, delta: int) -> None:
        """A pair that stands alone."""
        line = self._line or Register(t0, 0.0, 0)
        end = self._shown(t1)
        low, high = max(t0, self._from_ms), min(t1, self._to_ms)
        reached = [round(delta * ((at - t0) / (t1 - t0))) if at < t1 else delta for at in (low, high)]
        start = Mark(low, line.micro, line, end if low > t0 else None)
        mark = Mark(high, end.micro, end) if high == t1 else Mark(high, line.micro, line, end)
        if high > low:
            self._spans.append(Span(kind, start, mark, reached[1] - reached[0], self._life, delta))
        self._line = end

    def _close(self) -> None:
        """End the run that is open."""
        if self._begun is not None and self._ended.time_ms > self._begun.time_ms:
            amount = self._ended.micro - self._begun.micro
            self._spans.append(Span("run", self._begun, self._ended, amount, self._life, amount))
        self._begun = None
