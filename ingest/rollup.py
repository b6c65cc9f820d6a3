"""Which hours, local days and local months a set of intervals belongs to."""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from parkcarbon.domain.reading import DAY_MS
from parkcarbon.kit.db import to_ms

HOUR_MS = 3_600_000
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Keys:
    """Rows of one roll-up table to be made again.

    Attributes:
        point_id: whose.
        label: start of the hour [ms UTC], or the (first) day of a day or month [days since 1970].
        from_ms: begin [ms UTC]; for months the first day [days since 1970].
        to_ms: end, likewise.
        length_ms: length of the period [ms].
    """

    point_id: npt.NDArray[np.int32]
    label: Int64
    from_ms: Int64
    to_ms: Int64
    length_ms: Int64

    def __len__(self) -> int:
        return len(self.label)

    def take(self, which: npt.NDArray[np.bool_]) -> "Keys":
        """The rows chosen by a mask."""
        return Keys(
            self.point_id[which], self.label[which], self.from_ms[which], self.to_ms[which], self.length_ms[which]
        )

    def arguments(self) -> tuple[list[int], list[int], list[int], list[int], list[int]]:
        """The columns as query arguments."""
        return (
            self.point_id.tolist(),
            self.label.tolist(),
            self.from_ms.tolist(),
            self.to_ms.tolist(),
            self.length_ms.tolist(),
        )


def hours_of(point_id: npt.NDArray[np.int32], start_ms: Int64) -> Keys:
    """Return the hours that hold these interval starts, each once."""
    points, hours = _distinct(point_id, start_ms // HOUR_MS)
    begin = hours * HOUR_MS
    return Keys(points, begin, begin, begin + HOUR_MS, np.full(len(begin), HOUR_MS))


def stretches(hours: Keys) -> tuple[list[int], list[int], list[int]]:
    """Join hours (by point, ascending) that are at most a day apart: points, begins and ends [ms UTC]."""
    apart = np.ones(len(hours) + 1, dtype=bool)
    near = hours.from_ms[1:] - hours.to_ms[:-1] <= DAY_MS
    apart[1:-1] = (hours.point_id[1:] != hours.point_id[:-1]) | ~near
    first, last = np.flatnonzero(apart[:-1]), np.flatnonzero(apart[1:])
    return hours.point_id[first].tolist(), hours.from_ms[first].tolist(), hours.to_ms[last].tolist()


def days_of(point_id: npt.NDArray[np.int32], start_ms: Int64, zone: ZoneInfo) -> Keys:
    """Return the local days that hold these interval starts, each once."""
    if not len(start_ms):
        return hours_of(point_id, start_ms)
    first, starts = _day_starts(zone, int(start_ms.min()) // DAY_MS - 2, int(start_ms.max()) // DAY_MS + 4)
    local = np.searchsorted(starts, start_ms, side="right") - 1
    points, at = _distinct(point_id, local)
    return Keys(points, first + at, starts[at], starts[at + 1], starts[at + 1] - starts[at])


def months_of_days(days: Keys, zone: ZoneInfo) -> Keys:
    """Return the local months that hold these days, each once."""
    months = days.label.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    points, months = _distinct(days.point_id, months)
    begin = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    end = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    lengths = {
        (low, high): _midnight_ms(zone, high) - _midnight_ms(zone, low)
        for low, high in set(zip(begin.tolist(), end.tolist(), strict=True))
    }
    length = [lengths[key] for key in zip(begin.tolist(), end.tolist(), strict=True)]
    return Keys(points, begin, begin, end, np.array(length, dtype=np.int64))


def _distinct(point_id: npt.NDArray[np.int32], label: Int64) -> tuple[npt.NDArray[np.int32], Int64]:
    if not len(label):
        return point_id, label
    low = int(label.min())
    width = int(label.max()) - low + 1
    keys = np.unique(point_id.astype(np.int64) * width + (label - low))
    return (keys // width).astype(np.int32), keys % width + low


@lru_cache(maxsize=64)
def _day_starts(zone: ZoneInfo, first: int, last: int) -> tuple[int, Int64]:
    """Return `first` and the starts [ms UTC] of the local days first … last [days since 1970]."""
    return first, np.array([_midnight_ms(zone, day) for day in range(first, last + 1)], dtype=np.int64)


@lru_cache(maxsize=65536)
def _midnight_ms(zone: ZoneInfo, day: int) -> int:
    """Begin of a local day [ms UTC]: the first instant whose local date is that day."""
    date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
    return to_ms(dt.datetime.combine(date, dt.time(), zone))
