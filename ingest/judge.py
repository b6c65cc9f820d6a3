"""Which readings of a batch may be stored, and why the others may not: pure, one pass over arrays."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parkcarbon.books.derive.model import Point, Source
from parkcarbon.domain.reading import DAY_MS, OUTSIDE_ENERGY, Kind
from parkcarbon.wire.body import Body
from parkcarbon.wire.errors import Flaw

AHEAD_MS = 5 * 60_000
BEHIND_MS = 400 * DAY_MS

_LOOKUPS = 1000
_OUTSIDE = np.array(sorted(OUTSIDE_ENERGY), dtype=np.int8)
_FLAWS = (None, Flaw.FUTURE, Flaw.TOO_OLD, Flaw.UNKNOWN_POINT, Flaw.BAD_SPAN, Flaw.BAD_QUALITY, Flaw.NEGATIVE)


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings on their way into the store, as parallel arrays in order of arrival.

    `span_ms` is the length of a delta reading, 0 for other kinds; `value` is NaN where the device had none.
    """

    point_id: npt.NDArray[np.int32]
    time_ms: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.int8]
    span_ms: npt.NDArray[np.int32]
    batch_id: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.point_id)

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> "Rows":
        """The rows chosen by a mask, indices or a slice."""
        return Rows(
            self.point_id[which],
            self.time_ms[which],
            self.value[which],
            self.quality[which],
            self.span_ms[which],
            self.batch_id[which],
        )

    @staticmethod
    def concatenate(parts: "list[Rows]") -> "Rows":
        """Join in order."""
        if not parts:
            return NO_ROWS
        return Rows(
            np.concatenate([part.point_id for part in parts]),
            np.concatenate([part.time_ms for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.quality for part in parts]),
            np.concatenate([part.span_ms for part in parts]),
            np.concatenate([part.batch_id for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One reading that is kept aside."""

    row: int
    point: str
    time_ms: int | None
    value_text: str
    quality: int | None
    span_ms: int | None
    reason: Flaw


@dataclass(frozen=True, slots=True)
class Names:
    """What the names of a batch stand for; -1 for a point that is not known.

    `known` are the points themselves; `stays_positive` is true for amounts that may not be below zero.
    """

    known: tuple[Point | None, ...]
    point_id: npt.NDArray[np.int32]
    is_delta: npt.NDArray[np.bool_]
    period_ms: npt.NDArray[np.int32]
    stays_positive: npt.NDArray[np.bool_]


class Lookup:
    """Names to points; a source sends the same names again and again.

    Args:
        points: of a park, by name.
        below_zero: ids of the points whose amounts may be negative.
    """

    def __init__(self, points: Mapping[str, Point], below_zero: Collection[int] = ()) -> None:
        self._points = points
        self._below_zero = below_zero
        self._known: dict[tuple[str, ...], Names] = {}

    def __call__(self, names: tuple[str, ...]) -> Names:
        """Look up all names of a batch."""
        found = self._known.get(names)
        if found is None:
            found = self._find(names)
            if len(self._known) < _LOOKUPS:
                self._known[names] = found
        return found

    def _find(self, names: tuple[str, ...]) -> Names:
        known = [self._points.get(name) for name in names]
        positive = [stays_positive(point, self._below_zero) for point in known]
        return Names(
            tuple(known),
            np.array([-1 if point is None else point.point_id for point in known] or [-1], dtype=np.int32),
            np.array([point is not None and point.kind is Kind.DELTA for point in known] or [False]),
            np.array([0 if point is None else point.limits.period_ms for point in known] or [0], dtype=np.int32),
            np.array(positive or [False]),
        )


def stays_positive(point: Point | None, below_zero: Collection[int]) -> bool:
    """Whether the amounts of a point may not be negative."""
    return point is not None and point.kind is Kind.DELTA and point.point_id not in below_zero


def judge(body: Body, source: Source, lookup: Lookup, batch_id: int, now_ms: int) -> tuple[Rows, list[Quarantined]]:
    """Split the readings of one batch into those to store and those to quarantine.

    Args:
        body: decoded batch.
        source: who sent it; an import brings its own time window.
        lookup: points of the park by name.
        batch_id: database id of the batch.
        now_ms: time of reception [ms UTC].
    """
    names = lookup(body.points)
    point_id, is_delta = names.point_id[body.p], names.is_delta[body.p]
    span = np.where(is_delta & (body.d == 0), names.period_ms[body.p], body.d).astype(np.int32)
    flaw = np.zeros(len(body.t), dtype=np.int8)
    flaw[_negative(body, names)] = 6
    flaw[np.isnan(body.x) & ~np.isin(body.q, _OUTSIDE)] = 5
    flaw[(body.d != 0) & ~is_delta] = 4
    flaw[point_id < 0] = 3
    low, high = window(source, now_ms)
    flaw[body.t < low] = 2
    flaw[body.t > high] = 1
    rows = Rows(point_id, body.t, body.x, body.q, span, np.full(len(body.t), batch_id, dtype=np.int64))
    quarantined = [
        Quarantined(reject.row, reject.point, reject.time_ms, reject.value_text, reject.quality, None, reject.flaw)
        for reject in body.rejects
    ]
    bad = np.flatnonzero(flaw)
    if not len(bad):
        return rows, quarantined
    quarantined += [_quarantined(body, int(at), int(flaw[at])) for at in bad]
    return rows.take(flaw == 0), quarantined


def _negative(body: Body, names: Names) -> npt.NDArray[np.int64]:
    """Positions of the amounts that would lower a total and are not declared to: value times sign is below zero."""
    counts = names.stays_positive[body.p] & ~np.isin(body.q, _OUTSIDE) & (body.x != 0) & ~np.isnan(body.x)
    if not counts.any():
        return np.zeros(0, np.int64)
    below = counts & (body.x < 0)
    for number in np.unique(body.p[counts]).tolist():
        point = names.known[number]
        if point is not None and any(episode.sign < 0 for episode in point.episodes):
            mine = counts & (body.p == number)
            below[mine] = body.x[mine] * signs(point, body.t[mine]) < 0
    return np.flatnonzero(below)


def signs(point: Point, time_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Sign of a point at each time [1]."""
    episodes = sorted(point.episodes, key=lambda episode: episode.at_ms)
    sign = np.array([1.0, *(episode.sign for episode in episodes)])
    starts = np.array([episode.at_ms for episode in episodes], dtype=np.int64)
    found: npt.NDArray[np.float64] = sign[np.searchsorted(starts, time_ms, side="right")]
    return found


def window(source: Source, now_ms: int) -> tuple[int, int]:
    """Return the first and last time that a source may speak of at a time of reception [ms UTC]."""
    low = now_ms - BEHIND_MS if source.window_from_ms is None else source.window_from_ms
    high = now_ms + AHEAD_MS if source.window_to_ms is None else source.window_to_ms
    return low, high


def _quarantined(body: Body, at: int, code: int) -> Quarantined:
    value = float(body.x[at])
    return Quarantined(
        row=int(body.row[at]),
        point=body.points[body.p[at]],
        time_ms=int(body.t[at]),
        value_text="null" if np.isnan(value) else repr(value),
        quality=int(body.q[at]),
        span_ms=int(body.d[at]),
        reason=_FLAWS[code] or Flaw.WRONG_TYPE,
    )


NO_ROWS = Rows(
    np.zeros(0, np.int32),
    np.zeros(0, np.int64),
    np.zeros(0, np.float64),
    np.zeros(0, np.int8),
    np.zeros(0, np.int32),
    np.zeros(0, np.int64),
)
