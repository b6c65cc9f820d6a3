"""Figures of a park for rules: those of now as the live page shows them, those of the past from intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from parkcarbon.alarm.observe.intervals import SIGNS, Grid, flow_points, load_grid, within
from parkcarbon.domain.alarm.types import Said
from parkcarbon.domain.emissions import unit_scale
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.domain.readings import FloatArray, Int64Array
from parkcarbon.kit.db import Session, from_ms, load_queries
from parkcarbon.live.figures import figures_at
from parkcarbon.live.load import SLOW_LOOK_BACK_MS
from parkcarbon.live.model import ParkModel, PointInfo, interval_floor_ms
from parkcarbon.live.power import FRESH_MS, GAUGES, newest_of
from parkcarbon.live.uses import emitting_points

QUERIES = load_queries("parkcarbon.alarm")
NAMES: Final[Mapping[str, Said]] = {
    "load": Said("负荷", "load"),
    "import": Said("下网功率", "grid import"),
    "export": Said("上网功率", "grid export"),
    "generation": Said("发电功率", "generation"),
    "emission_rate": Said("碳排放率", "emission rate"),
    "self_consumption": Said("光伏自用率", "self-consumption rate"),
    "self_sufficiency": Said("自给率", "self-sufficiency rate"),
    "completeness": Said("数据完整率", "data completeness"),
    "energy_today": Said("今日用电", "energy today"),
    "emissions_today": Said("今日碳排放", "emissions today"),
}
_OF_THE_DAY: Final = frozenset(
    {"self_consumption", "self_sufficiency", "completeness", "energy_today", "emissions_today"}
)


@dataclass(frozen=True)
class FiguresNow:
    """Figures and the moment they speak of.

    Attributes:
        at_ms: time of the newest reading in them, and never older than a live value may be [ms UTC].
        values: by name; None is unknown.
    """

    at_ms: int
    values: Mapping[str, float | None]


async def load_figures(session: Session, model: ParkModel, now_ms: int) -> FiguresNow:
    """Read the park as it is now and work out its figures, as the API does.

    Args:
        session: a connection.
        model: the park.
        now_ms: time of now [ms UTC].
    """
    floor_ms = interval_floor_ms(now_ms)
    rows = await session.fetch(
        QUERIES["observe_live"],
        figure_points(model),
        model.local(now_ms).date(),
        from_ms(floor_ms - SLOW_LOOK_BACK_MS),
        from_ms(floor_ms),
    )
    newest = newest_of(rows)
    grid = await load_grid_factor(session, model, now_ms)
    seen = [item.time_ms for item in newest.values() if item.time_ms is not None and item.time_ms <= now_ms]
    return FiguresNow(max([*seen, now_ms - FRESH_MS]), figures_at(model, newest, now_ms, grid_kg_per_kwh=grid))


def figure_points(model: ParkModel) -> list[int]:
    """The points that figures are made of: meters with a flow, and the gauges of their devices."""
    devices = {point.device_id for point in model.points if point.metered and point.flow is not None}
    return [
        point.point_id
        for point in model.points
        if (point.metered and point.flow is not None)
        or (not point.metered and point.device_id in devices and point.quantity in GAUGES.values())
    ]


async def load_grid_factor(session: Session, model: ParkModel, now_ms: int) -> float | None:
    """Location-based factor of electricity now where it is a series [kgCO2e/kWh]; None: the model knows it."""
    factor = model.factor("electricity", "kWh", model.local(now_ms).year)
    if factor is None or not factor.is_series:
        return None
    record = factor.leading.factor
    value = await session.fetchval(QUERIES["observe_factor_value_at"], model.factor_id(record), from_ms(now_ms))
    return None if value is None else float(value) * unit_scale(record, factor.unit)


async def past_figure(
    session: Session, model: ParkModel, name: str, begin_ms: int, end_ms: int
) -> tuple[Int64Array, FloatArray]:
    """A figure at the end of each interval that ends in `[begin_ms, end_ms)`; NaN is unknown.

    Args:
        session: a connection.
        model: the park.
        name: of `FIGURES`.
        begin_ms: begin [ms UTC].
        end_ms: end [ms UTC].
    """
    midnight_ms = model.midnight_ms(model.local(begin_ms).date())
    first_ms = midnight_ms if name in _OF_THE_DAY else begin_ms - INTERVAL_MS
    points = [*flow_points(model), *emitting_points(model)]
    if name == "completeness":
        points = [point for point in model.metered() if point.flow is not None]
    grid = await load_grid(session, points, first_ms, end_ms)
    return within(grid.ends_ms, _values(model, grid, name), begin_ms, end_ms)


def _values(model: ParkModel, grid: Grid, name: str) -> FloatArray:
    if name in ("import", "export", "generation"):
        return _or_unknown(grid, grid.flow_per_h(model, name))
    if name == "load":
        return _or_unknown(grid, grid.load_kw(model))
    if name == "emission_rate":
        return _or_unknown(grid, emission_rate(model, grid))
    day = _Days(model, grid)
    if name == "completeness":
        return day.completeness_pct()
    if name == "emissions_today":
        return day.co2e_kg()
    return day.electricity(name)


def emission_rate(model: ParkModel, grid: Grid) -> FloatArray | None:
    """Emission of each interval as a rate [kgCO2e/h]; what has no factor stays outside; None: nothing has one."""
    rates = [grid.co2e_per_h(point) for point in counted_points(model, grid)]
    return np.sum(rates, axis=0) if rates else None


def counted_points(model: ParkModel, grid: Grid) -> list[PointInfo]:
    """Points whose emissions count."""
    year = model.local(grid.from_ms).year
    return [point for point in emitting_points(model) if model.factor(point.carrier, point.unit, year) is not None]


def _or_unknown(grid: Grid, values: FloatArray | None) -> FloatArray:
    return np.full(grid.amount.shape[1], np.nan) if values is None else values


class _Days:
    """Sums of each local day up to the end of each interval: what is known, as the live page has it."""

    def __init__(self, model: ParkModel, grid: Grid) -> None:
        self._model = model
        self._grid = grid
        starts = grid.ends_ms - INTERVAL_MS
        days = [model.local(int(start)).date() for start in starts]
        first = [at for at, day in enumerate(days) if at == 0 or day != days[at - 1]]
        self._day = np.cumsum(np.isin(np.arange(len(days)), first)) - 1
        self._first = np.array(first, dtype=np.int64)

    def _so_far(self, values: FloatArray) -> FloatArray:
        """Sum since local midnight; what is not known counts nothing."""
        total = np.concatenate(([0.0], np.cumsum(np.nan_to_num(values))))
        found: FloatArray = total[1:] - total[self._first[self._day]] if len(values) else total[1:]
        return found

    def _flow(self, flow: str) -> FloatArray | None:
        points = self._model.metered("electricity", flow)
        if not points:
            return None
        known = self._so_far(np.sum([self._grid.coverage[self._grid.rows[p.point_id]] for p in points], axis=0)) > 0
        total = self._so_far(np.sum([self._grid.amounts(point) for point in points], axis=0))
        return np.where(known, total, np.nan)

    def electricity(self, name: str) -> FloatArray:
        flows = {flow: amount for flow in SIGNS if (amount := self._flow(flow)) is not None}
        nothing = np.full(self._grid.amount.shape[1], np.nan)
        if "import" not in flows and name != "self_consumption":
            return nothing
        load = np.sum([SIGNS[flow] * amount for flow, amount in flows.items()], axis=0) if flows else nothing
        if name == "energy_today":
            return load
        generation = flows.get("generation", nothing)
        used = np.maximum(generation - flows.get("export", 0.0), 0.0)
        return _percent(used, generation if name == "self_consumption" else load)

    def co2e_kg(self) -> FloatArray:
        points = counted_points(self._model, self._grid)
        if not points:
            return np.full(self._grid.amount.shape[1], np.nan)
        return self._so_far(
            np.nansum([self._grid.co2e_kg[self._grid.rows[point.point_id]] for point in points], axis=0)
        )

    def completeness_pct(self) -> FloatArray:
        span = np.full(self._grid.amount.shape[1], float(INTERVAL_MS))
        elapsed = self._so_far(span)
        measured, expected = np.zeros_like(span), np.zeros_like(span)
        for point in self._model.metered():
            if point.flow is not None:
                due = np.maximum(0.0, elapsed - point.period_ms)
                expected += due
                measured += np.minimum(self._so_far(self._grid.measured_ms[self._grid.rows[point.point_id]]), due)
        return _percent(measured, expected)


def _percent(part: FloatArray, whole: FloatArray) -> FloatArray:
    found: FloatArray = np.full(whole.shape, np.nan)
    np.divide(100 * part, whole, out=found, where=whole > 0)
    capped: FloatArray = np.minimum(found, 100.0)
    return capped
