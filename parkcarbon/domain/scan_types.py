"""What the scan takes and gives, as plain data."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, NamedTuple

from .intervals import Intervals, interval_start
from .reading import Method

CorrectionKind = Literal["exclude", "boundary", "retime"]
BoundaryKind = Literal["declared", "rollover", "inferred", "glitch"]
QuestionKind = Literal["inferred_boundary", "declared_reading", "implausible", "overlap", "negative"]

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Episode:
    """A dated fact: from `at_ms` on this physical meter, with this ratio and sign.

    Before the first episode a point counts with ratio 1 and sign +1. A reading stamped exactly `at_ms` belongs to the
    new episode.

    Attributes:
        at_ms: begin [ms UTC].
        ratio: CT ratio times PT ratio [1].
        sign: +1, or -1 for a meter that is wired the other way round.
        modulus: the register rolls over at this value [register unit]; None: as in `Limits`.
        limit_per_h: most that can flow in an hour [register unit/h]; None: as in `Limits`.
        end_reading: last register of the meter before this one, at `at_ms` [register unit of that meter].
        start_reading: first register of this meter, at `at_ms` [register unit].
    """

    at_ms: int
    ratio: float = 1.0
    sign: int = 1
    modulus: float | None = None
    limit_per_h: float | None = None
    end_reading: float | None = None
    start_reading: float | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's decision about readings of one point.

    `exclude` drops the readings in `[from_ms, to_ms]`. `boundary` ends one register line at `from_ms` and begins the
    next with the same ratio, like an episode. `retime` adds `offset_ms` to the stamps of the readings of quality
    `clock_uncertain` in `[from_ms, to_ms]` and lets them into energy.
    """

    kind: CorrectionKind
    from_ms: int
    to_ms: int
    end_reading: float | None = None
    start_reading: float | None = None
    offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What is plausible for a point where its episode does not say otherwise.

    Attributes:
        period_ms: expected time between readings [ms].
        limit_per_h: most that can flow in an hour [register unit/h]; None: only a drop is an anomaly.
        resolution: one register step [register unit]; a drop by at most one step is noise and held.
        modulus: the register rolls over at this value [register unit]; None: it never does.
    """

    period_ms: int
    limit_per_h: float | None = None
    resolution: float = 0.0
    modulus: float | None = None


class Boundary(NamedTuple):
    """Where one register line ends and the next begins, or a reading that was ignored (`glitch`).

    `amount_micro` is the energy given to the step [1e-6 of the unit]: of the pair that rolled over, across an inferred
    boundary, from the last reading to a declared one; 0 for a glitch, None where it is missing.
    """

    at_ms: int
    kind: BoundaryKind
    old_value: float | None
    new_value: float | None
    amount_micro: int | None


class Question(NamedTuple):
    """What a person should look at; `document` is plain JSON."""

    at_ms: int
    kind: QuestionKind
    document: Mapping[str, object]


class Candidate(NamedTuple):
    """A reading that is pending: not on the accepted line, not yet a new line."""

    time_ms: int
    value: float
    method: int
    suspect: bool


class Step(IntEnum):
    """How one reading follows another."""

    RISE = 0
    HOLD = 1  # dropped by no more than one register step: noise, the register is held
    ROLLOVER = 2
    ANOMALY = 3


class Partial(NamedTuple):
    """What is known of the interval that holds the last accepted reading, up to that reading."""

    amount_micro: int = 0
    known_ms: int = 0
    measured_ms: int = 0
    method: int = int(Method.MEASURED)
    suspect: bool = False


NO_PARTIAL = Partial()


@dataclass(frozen=True, slots=True)
class ScanState:
    """Where the scan of a point stands; all that a later scan needs of the past.

    Attributes:
        time_ms: last accepted reading [ms UTC]; None: nothing accepted yet.
        value: its register [register unit]; None: the register is not known from `time_ms` on (a declared boundary
            without a start reading), so the time up to the next reading will be missing.
        method: `Method` that the quality of that reading imposes on both its sides.
        suspect: True when that reading is of quality `suspect`.
        pending: candidates after it, oldest first.
        partial: accumulators of the interval that holds `time_ms`.
        dropped: candidates since `time_ms` that the next reading contradicted.
    """

    time_ms: int | None = None
    value: float | None = None
    method: int = int(Method.MEASURED)
    suspect: bool = False
    pending: tuple[Candidate, ...] = ()
    partial: Partial = NO_PARTIAL
    dropped: int = 0

    @property
    def seen_ms(self) -> int | None:
        """Time of the newest reading this state knows; a reading at or before it is late [ms UTC]."""
        return self.pending[-1].time_ms if self.pending else self.time_ms

    @property
    def interval_start_ms(self) -> int | None:
        """First interval that a scan from here can replace [ms UTC]; None: any."""
        return None if self.time_ms is None else interval_start(self.time_ms)

    @property
    def open_ms(self) -> int | None:
        """Boundaries and questions from this time on are the result of scans from here [ms UTC]; None: all."""
        if self.pending:
            return self.pending[0].time_ms
        return None if self.time_ms is None else self.time_ms + 1

    def with_partial(self, partial: Partial) -> "ScanState":
        """This state with the accumulators of its open interval."""
        return ScanState(self.time_ms, self.value, self.method, self.suspect, self.pending, partial, self.dropped)

    def to_bytes(self) -> bytes:
        """Canonical JSON; floats are written so that they read back bit-equal."""
        if not self.pending and self.value is not None and math.isfinite(self.value):  # as below, several times quicker
            amount, known, measured, method, suspect = self.partial
            text = (
                f'{{"d":{self.dropped},"i":[{amount},{known},{measured},{method},{suspect:d}],"m":{self.method},"p":[],'
                f'"s":{self.suspect:d},"t":{self.time_ms},"v":1,"x":{float.__repr__(self.value)}}}'
            )
            return text.encode()
        document = {
            "d": self.dropped,
            "i": [*self.partial[:4], int(self.partial.suspect)],
            "m": self.method,
            "p": [[c.time_ms, c.value, c.method, int(c.suspect)] for c in self.pending],
            "s": int(self.suspect),
            "t": self.time_ms,
            "v": 1,
            "x": self.value,
        }
        return _encode(document).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "ScanState":
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when the bytes are of another version; rebuild the state from the readings then.
        """
        document = json.loads(data)
        if document["v"] != 1:
            raise ValueError(f"scan state of version {document['v']!r}")
        amount, known, measured, method, suspect = document["i"]
        return cls(
            document["t"],
            document["x"],
            document["m"],
            bool(document["s"]),
            tuple(Candidate(t, x, m, bool(s)) for t, x, m, s in document["p"]),
            Partial(amount, known, measured, method, bool(suspect)),
            document["d"],
        )


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan found.

    Attributes:
        intervals: replace the stored ones with the same start.
        boundaries: unique by (at, kind); replace the stored ones.
        questions: unique by (at, kind); replace the stored ones.
        state: to be passed to the next scan.
        checkpoints: `(midnight_ms, state)` pairs: the state after all readings with time < midnight, at the first UTC
            midnight after each run of readings.
    """

    intervals: Intervals
    boundaries: tuple[Boundary, ...] = ()
    questions: tuple[Question, ...] = ()
    state: ScanState = field(default_factory=ScanState)
    checkpoints: tuple[tuple[int, ScanState], ...] = ()
