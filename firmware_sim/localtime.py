"""Local time of the park for arrays of UTC times."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from .noise import Floats, Ints

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
MINUTE_MS = 60_000
_THURSDAY = 3  # 1970-01-01


def utc_offset_ms(zone: ZoneInfo, time_ms: int) -> int:
    """Offset of local time from UTC [ms] at a UTC time [ms]."""
    offset = dt.datetime.fromtimestamp(time_ms / 1000, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class LocalTime:
    """Local time of some moments.

    Attributes:
        time_ms: UTC [ms], ascending.
        minute: minutes since local midnight, 0 … 1439.
        weekday: 0 = Monday … 6 = Sunday.
        day: local days since 1970-01-01.
    """

    time_ms: Ints
    minute: npt.NDArray[np.int64]
    weekday: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]

    @classmethod
    def of(cls, zone: ZoneInfo, time_ms: Ints) -> "LocalTime":
        """Local time in `zone`; the offset is looked up for each UTC hour."""
        hours = time_ms // HOUR_MS
        first = int(hours[0])
        offsets = np.array(
            [utc_offset_ms(zone, hour * HOUR_MS) for hour in range(first, int(hours[-1]) + 1)], dtype=np.int64
        )
        local = time_ms + offsets[hours - first]
        day = local // DAY_MS
        return cls(time_ms, local % DAY_MS // MINUTE_MS, (day + _THURSDAY) % 7, day)

    def weekend(self, ramp_min: int = 30) -> Floats:
        """Weight of the weekend, 0 on working days, 1 at weekends, changing over the first minutes of a day."""
        today = (self.weekday >= 5).astype(np.float64)
        before = ((self.weekday + 6) % 7 >= 5).astype(np.float64)
        share = np.minimum(self.minute / ramp_min, 1.0)
        return before + (today - before) * share


def local_midnight_ms(zone: ZoneInfo, day: dt.date) -> int:
    """UTC time [ms] of the first moment of a local day."""
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def history_start_ms(zone: ZoneInfo, now_ms: int) -> int:
    """One day before the first local day of the month before the month of `now` [ms UTC]."""
    today = dt.datetime.fromtimestamp(now_ms / 1000, zone).date()
    last_of_previous = today.replace(day=1) - dt.timedelta(days=1)
    return local_midnight_ms(zone, last_of_previous.replace(day=1) - dt.timedelta(days=1))
