"""Equal steps of time: 15 minutes and hours of UTC, days and months local to the park."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from parkcarbon.domain.readings import Int64Array
from parkcarbon.live.model import HOUR_MS, local_ms

from .problems import ProblemError
from .schemas import Step

MAX_VALUES = 20_000
"""Most values in one answer: buckets x groups."""

EARLIEST_MS = 0
LATEST_MS = 4_102_444_800_000  # 2100-01-01
DAY_MS = 24 * HOUR_MS
STEP_MS: dict[Step, int] = {"15m": HOUR_MS // 4, "1h": HOUR_MS, "1d": DAY_MS, "1mo": 30 * DAY_MS}
_EPOCH_DAY = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Buckets:
    """Consecutive half-open steps.

    Attributes:
        step: their kind.
        edges_ms: n + 1 boundaries [ms UTC].
        keys: what the rows of the database carry: ms UTC for `15m` and `1h`, days since 1970 for `1d` and `1mo`.
        days: first local day of each bucket and the day after the last one; empty for `15m` and `1h`.
    """

    step: Step
    edges_ms: Int64Array
    keys: Int64Array
    days: tuple[dt.date, ...] = ()

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def local(self) -> bool:
        """True for local days and months."""
        return bool(self.days)

    @property
    def span_ms(self) -> Int64Array:
        """Length of each bucket [ms]; 23 h and 25 h days are what they are."""
        return np.diff(self.edges_ms)


def make_buckets(step: Step, from_ms: int, to_ms: int, zone: ZoneInfo) -> Buckets:
    """Cover `[from_ms, to_ms)` with whole buckets.

    Raises:
        ProblemError: 422, the range is empty, outside 1970..2100 or would make more than `MAX_VALUES` buckets.
    """
    if from_ms >= to_ms:
        raise ProblemError(422, "`from` must be before `to`")
    if from_ms < EARLIEST_MS or to_ms > LATEST_MS:
        raise ProblemError(422, "`from` and `to` must be between 1970 and 2100")
    refuse_too_many((to_ms - from_ms) // STEP_MS[step])
    if step in ("15m", "1h"):
        size = STEP_MS[step]
        edges = np.arange(from_ms - from_ms % size, to_ms + (-to_ms) % size + 1, size, dtype=np.int64)
        return Buckets(step, edges, edges[:-1])
    days = _local_days(step, from_ms, to_ms, zone)
    edges = np.array([local_ms(zone, dt.datetime.combine(day, dt.time())) for day in days], dtype=np.int64)
    keys = np.array([(day - _EPOCH_DAY).days for day in days[:-1]], dtype=np.int64)
    return Buckets(step, edges, keys, tuple(days))


def refuse_too_many(values: int) -> None:
    """Refuse an answer that would be too large.

    Raises:
        ProblemError: 422 above `MAX_VALUES`.
    """
    if values > MAX_VALUES:
        raise ProblemError(
            422, f"{values} values are more than {MAX_VALUES}: ask for a shorter range, a longer step or fewer groups"
        )


def next_month(day: dt.date) -> dt.date:
    """First day of the month after the one that holds `day`."""
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def _local_days(step: Step, from_ms: int, to_ms: int, zone: ZoneInfo) -> list[dt.date]:
    day = dt.datetime.fromtimestamp(from_ms / 1000, zone).date()
    if step == "1mo":
        day = day.replace(day=1)
    days = [day]
    while local_ms(zone, dt.datetime.combine(day, dt.time())) < to_ms:
        day = next_month(day) if step == "1mo" else day + dt.timedelta(days=1)
        days.append(day)
    return days
