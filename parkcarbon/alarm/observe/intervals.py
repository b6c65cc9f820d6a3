"""Intervals of many points as one table of numbers, and the power and flows that follow from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.domain.readings import BoolArray, FloatArray, Int64Array
from parkcarbon.kit.db import Session, load_queries, to_ms
from parkcarbon.kit.db import from_ms as moment_of
from parkcarbon.kit.pgcopy import PgType
from parkcarbon.live.model import HOUR_MS, ParkModel, PointInfo, interval_floor_ms
from parkcarbon.live.power import SLOW_MS

QUERIES = load_queries("parkcarbon.alarm")
PER_HOUR: Final = HOUR_MS / INTERVAL_MS
NO_EMISSION: Final = np.iinfo(np.int64).min
KNOWN: Final = 0.5
"""Part of an interval that must be known for its power to be [1]."""
_LOOK_BACK_MS: Final = 86_400_000
_TYPES: Final[Mapping[str, PgType]] = {
    "point_id": "int4",
    "start": "timestamptz",
    "amount_micro": "int8",
    "coverage": "float4",
    "measured_ms": "int4",
    "co2e_nano_kg": "int8",
}
SIGNS: Final = {"import": 1, "export": -1, "generation": 1, "charge": -1, "discharge": 1}
"""What each flow of electricity is in the load."""


@dataclass(frozen=True)
class Grid:
    """Intervals of some points, one row each.

    Attributes:
        from_ms: start of the first interval [ms UTC].
        rows: row by point_id.
        amount: known amount [unit of the point].
        coverage: known part of each interval [1]; 0: nothing.
        measured_ms: measured time [ms].
        co2e_kg: location-based emission of the known part [kg]; NaN: none is known.
    """

    from_ms: int
    rows: Mapping[int, int]
    amount: FloatArray
    coverage: FloatArray
    measured_ms: FloatArray
    co2e_kg: FloatArray

    @property
    def ends_ms(self) -> Int64Array:
        """End of each interval [ms UTC]."""
        ends: Int64Array = self.from_ms + INTERVAL_MS * np.arange(1, self.amount.shape[1] + 1, dtype=np.int64)
        return ends

    def per_h(self, point: PointInfo) -> FloatArray:
        """Mean rate of each interval [unit/h]; NaN where less than half of it is known."""
        return self._rate(self.amount[self.rows[point.point_id]], self.coverage[self.rows[point.point_id]])

    def co2e_per_h(self, point: PointInfo) -> FloatArray:
        """Mean emission of each interval [kgCO2e/h]."""
        return self._rate(self.co2e_kg[self.rows[point.point_id]], self.coverage[self.rows[point.point_id]])

    def amounts(self, point: PointInfo) -> FloatArray:
        """Known amount of each interval [unit]; 0 where nothing is known."""
        found: FloatArray = self.amount[self.rows[point.point_id]]
        return found

    def flow_per_h(self, model: ParkModel, flow: str) -> FloatArray | None:
        """Power of a flow of electricity [kW]; None where the park has none."""
        points = model.metered("electricity", flow)
        return np.sum([self.per_h(point) for point in points], axis=0) if points else None

    def load_kw(self, model: ParkModel) -> FloatArray | None:
        """Mean load of each interval [kW]; None without a gate meter."""
        flows = {flow: power for flow in SIGNS if (power := self.flow_per_h(model, flow)) is not None}
        if "import" not in flows:
            return None
        load: FloatArray = np.sum([SIGNS[flow] * power for flow, power in flows.items()], axis=0)
        return load

    @staticmethod
    def _rate(amount: FloatArray, coverage: FloatArray) -> FloatArray:
        known: BoolArray = coverage >= KNOWN
        rate: FloatArray = np.full(amount.shape, np.nan)
        np.divide(amount * PER_HOUR, coverage, out=rate, where=known)
        return rate


def mean_before(values: FloatArray, count: int) -> FloatArray:
    """Mean of each value and those before it, `count` in all; NaN where fewer than half of them are known.

    >>> mean_before(np.array([1.0, 3.0, np.nan, np.nan, 5.0]), 2).tolist()
    [1.0, 2.0, 3.0, nan, 5.0]
    """
    known = np.isfinite(values)
    total = np.concatenate((np.zeros(1), np.cumsum(np.where(known, values, 0.0))))
    many = np.concatenate((np.zeros(1), np.cumsum(known)))
    low = np.maximum(np.arange(len(values)) + 1 - count, 0)
    sums, counts = total[1:] - total[low], many[1:] - many[low]
    found: FloatArray = np.full(len(values), np.nan)
    np.divide(sums, counts, out=found, where=(counts > 0) & (2 * counts >= count))
    return found


def within(times_ms: Int64Array, values: FloatArray, begin_ms: int, end_ms: int) -> tuple[Int64Array, FloatArray]:
    """The part of a series that lies in `[begin_ms, end_ms)` [ms UTC]."""
    inside: BoolArray = (times_ms >= begin_ms) & (times_ms < end_ms)
    return times_ms[inside], values[inside]


def flow_points(model: ParkModel) -> list[PointInfo]:
    """Points of electricity that the load is made of."""
    return [point for point in model.metered("electricity") if point.flow in SIGNS]


async def load_grid(session: Session, points: Iterable[PointInfo], from_ms: int, to_ms: int) -> Grid:
    """Read the intervals of points that start in `[from_ms, to_ms)`, both rounded down to an interval.

    Args:
        session: a connection.
        points: counters and deltas.
        from_ms: begin [ms UTC].
        to_ms: end [ms UTC].
    """
    first, last = interval_floor_ms(from_ms), interval_floor_ms(to_ms)
    ids = sorted({point.point_id for point in points})
    rows = {point_id: row for row, point_id in enumerate(ids)}
    shape = (len(ids), max(0, (last - first) // INTERVAL_MS))
    amount, coverage, measured, co2e = (np.zeros(shape) for _ in range(4))
    co2e[:] = np.nan
    if ids and shape[1]:
        found = await session.fetch_columns(
            QUERIES["observe_intervals"], ids, moment_of(first), moment_of(last), types=_TYPES
        )
        at = (np.searchsorted(ids, found["point_id"]), (found["start"] - first) // INTERVAL_MS)
        amount[at] = found["amount_micro"] / 1e6
        coverage[at] = np.minimum(found["coverage"], 1.0)
        measured[at] = found["measured_ms"]
        nano = found["co2e_nano_kg"]
        co2e[at] = np.where(nano == NO_EMISSION, np.nan, nano / 1e9)
    return Grid(first, rows, amount, coverage, measured, co2e)


@dataclass(frozen=True, slots=True)
class Newest15:
    """The newest finished interval of a counter.

    Attributes:
        end_ms: its end [ms UTC].
        per_h: mean rate [unit/h].
    """

    end_ms: int
    per_h: float


async def load_newest_intervals(session: Session, points: Sequence[PointInfo], now_ms: int) -> dict[int, Newest15]:
    """The newest finished interval of each counter that is not too old to speak of now."""
    if not points:
        return {}
    longest = max(SLOW_MS, *(2 * point.period_ms for point in points))
    floor_ms = interval_floor_ms(now_ms)
    since_ms = floor_ms - min(_LOOK_BACK_MS, longest + INTERVAL_MS)
    ids = [point.point_id for point in points]
    rows = await session.fetch(QUERIES["observe_newest_intervals"], ids, moment_of(since_ms), moment_of(floor_ms))
    return {
        row["point_id"]: Newest15(
            to_ms(row["start"]) + INTERVAL_MS, row["amount_micro"] / 1e6 / row["coverage"] * PER_HOUR
        )
        for row in rows
    }
