"""Observations of the past from a series of values, for dry runs and for readings that came late."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from parkcarbon.alarm.observe.judge import counts, judge
from parkcarbon.domain.alarm.types import Level, Observation, Said
from parkcarbon.domain.readings import FloatArray, Int64Array
from parkcarbon.live.model import ParkModel

if TYPE_CHECKING:  # the kinds import this
    from parkcarbon.alarm.kinds.base import Compiled, Limit

THIN_MS: Final = 60_000
"""While nothing changes, one observation of so long a time is enough [ms]."""
_LEVELS: Final = (Level.CLEAR, Level.BETWEEN, Level.BEYOND, Level.UNKNOWN)
_UNKNOWN: Final = 3


def levels_of(limit: "Limit", values: FloatArray) -> Int64Array:
    """Level of each value as `Limit.level` says: 0 clear, 1 between, 2 beyond, 3 unknown (NaN)."""
    sign = 1 if limit.direction == "above" else -1
    found: Int64Array = np.where(sign * values > sign * limit.on, 2, np.where(sign * values <= sign * limit.off, 0, 1))
    found[np.isnan(values)] = _UNKNOWN
    return found


def observations_of(
    rule: "Compiled",
    model: ParkModel,
    subject: str,
    series: tuple[Int64Array, FloatArray],
    what: Said,
    *,
    thin_ms: int = THIN_MS,
    detail: Callable[[int], Said] | None = None,
    span_ms: int = 0,
) -> list[Observation]:
    """Judge a series of values; where the level stays, one observation each `thin_ms`, and each new extreme.

    Args:
        rule: compiled, with a limit.
        model: the park.
        subject: of the observations.
        series: moments, ascending [ms UTC], and values in the unit of the limit; NaN: unknown.
        what: what the values are of.
        thin_ms: see above [ms].
        detail: more for the sentence of the value at this place in the series.
        span_ms: the values are of so long before their moments: hours of a rule are held against its begin [ms].
    """
    times_ms, values = series
    if rule.limit is None or not len(times_ms):
        return []
    levels = levels_of(rule.limit, values)
    if rule.hours is not None:
        levels[[not counts(rule.hours, model, at_ms - span_ms) for at_ms in times_ms.tolist()]] = 0
    found = []
    for at in _kept(levels, values * (1 if rule.limit.direction == "above" else -1), times_ms, thin_ms):
        value = None if np.isnan(values[at]) else float(values[at])
        more = Said("", "") if detail is None else detail(at)
        at_ms = int(times_ms[at])
        found.append(judge(rule, model, subject, at_ms, value, what=what, detail=more, of_ms=at_ms - span_ms))
    return found


def _kept(levels: Int64Array, severity: FloatArray, times_ms: Int64Array, thin_ms: int) -> list[int]:
    """Places of the series that say something new."""
    kept: list[int] = []
    last_ms, level, worst = -(1 << 62), -1, -np.inf
    for at, (time_ms, now, size) in enumerate(zip(times_ms.tolist(), levels.tolist(), severity.tolist(), strict=True)):
        if now != level:
            worst = -np.inf
            if kept and kept[-1] != at - 1:
                kept.append(at - 1)  # how long the level before was seen counts
        elif time_ms - last_ms < thin_ms and not (now == len(_LEVELS) - 2 and size > worst):
            continue
        worst = max(worst, size)
        last_ms, level = time_ms, now
        kept.append(at)
    if len(times_ms) and (not kept or kept[-1] != len(times_ms) - 1):
        kept.append(len(times_ms) - 1)
    return kept


def with_silences(times_ms: Int64Array, values: FloatArray, stale_ms: int, to_ms: int) -> tuple[Int64Array, FloatArray]:
    """Put an unknown value where readings stay away longer than `stale_ms`, also after the last one.

    Args:
        times_ms: of the readings, ascending [ms UTC].
        values: of the readings.
        stale_ms: a reading speaks for so long [ms].
        to_ms: end of the time that is looked at [ms UTC].
    """
    ends = np.append(times_ms[1:], to_ms)
    gaps = np.flatnonzero(ends - times_ms > stale_ms)
    order = np.insert(times_ms, gaps + 1, times_ms[gaps] + stale_ms)
    return order, np.insert(values, gaps + 1, np.nan)
