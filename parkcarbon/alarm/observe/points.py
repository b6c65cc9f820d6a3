"""Points as rules look at them: gauges by their readings, counters by the power of their intervals."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from parkcarbon.domain.reading import INTERVAL_MS, OUTSIDE_ENERGY
from parkcarbon.domain.readings import FloatArray, Int64Array
from parkcarbon.kit.db import Session, from_ms, load_queries, to_ms
from parkcarbon.kit.pgcopy import PgType
from parkcarbon.live.model import PointInfo
from parkcarbon.live.power import FRESH_MS, SLOW_MS, Newest

QUERIES = load_queries("parkcarbon.alarm")
_RATES: Final = {"kWh": "kW", "kvarh": "kvar", "kVAh": "kVA"}
_NOT_TRUSTED: Final = frozenset(int(quality) for quality in OUTSIDE_ENERGY)
_OUTSIDE: Final = np.array(sorted(_NOT_TRUSTED))
_TYPES: Final[Mapping[str, PgType]] = {"time": "timestamptz", "value": "float8", "quality": "int2"}


def rate_unit(point: PointInfo) -> str:
    """Unit in which a point is judged: a gauge in its own, a counter by what it counts in an hour.

    A counter in kWh is judged in kW, one in Nm3 in Nm3/h.
    """
    return _RATES.get(point.unit, f"{point.unit}/h") if point.metered else point.unit


def stale_ms(point: PointInfo) -> int:
    """How long the newest reading of a gauge, or the newest interval of a counter, speaks for now [ms]."""
    if point.metered:
        return INTERVAL_MS + max(SLOW_MS, 2 * point.period_ms)
    return max(FRESH_MS, 3 * point.period_ms)


def gauge_value(point: PointInfo, seen: Newest, now_ms: int) -> float | None:
    """The value of a gauge after its ratio, as the live page takes it; None when it is old or not trusted."""
    if seen.time_ms is None or seen.value is None or seen.quality is None:
        return None
    if seen.quality in _NOT_TRUSTED or now_ms - seen.time_ms > stale_ms(point):
        return None
    return seen.value * point.ratio


def unknown_at_ms(time_ms: int | None, stale: int, now_ms: int) -> int:
    """Moment for which it is known that there is no value: after the newest, and before what may still be on its way.

    Args:
        time_ms: of the newest value [ms UTC], or None.
        stale: how long a value speaks for [ms].
        now_ms: time of now [ms UTC].
    """
    return now_ms - stale if time_ms is None else max(time_ms, now_ms - stale)


async def read_gauge(session: Session, point: PointInfo, begin_ms: int, end_ms: int) -> tuple[Int64Array, FloatArray]:
    """Readings of a gauge in `[begin_ms, end_ms)` after its ratio; NaN where a reading is not trusted.

    Args:
        session: a connection.
        point: a gauge.
        begin_ms: begin [ms UTC].
        end_ms: end [ms UTC].
    """
    found = await session.fetch_columns(
        QUERIES["observe_readings"], point.point_id, from_ms(begin_ms), from_ms(end_ms), types=_TYPES
    )
    values: FloatArray = np.where(np.isin(found["quality"], _OUTSIDE), np.nan, found["value"] * point.ratio)
    times: Int64Array = found["time"]
    return times, values


async def load_gauges(session: Session, points: Sequence[PointInfo]) -> dict[int, Newest]:
    """The newest reading of each point, by point_id."""
    ids = [point.point_id for point in points]
    rows = await session.fetch(QUERIES["observe_newest"], ids) if ids else []
    return {row["point_id"]: Newest(to_ms(row["last_time"]), row["last_value"], row["last_quality"]) for row in rows}
