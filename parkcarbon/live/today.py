"""Sums of the local day so far, from the roll-ups of intervals: what the accumulated figures of the live page show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from parkcarbon.domain.inventory import times

from .model import HOUR_MS, ParkModel, PointInfo
from .power import Newest
from .uses import direction, emitting_points, use_of

_SIGNS = {"import": 1, "export": -1, "generation": 1, "charge": -1, "discharge": 1}


@dataclass(frozen=True, slots=True)
class Today:
    """Figures of the local day; None is unknown.

    Attributes:
        flow_kwh: electricity by flow [kWh]; a flow that the park does not have is absent.
        load_kwh: electricity used [kWh].
        location_kg: location-based emission, scopes 1 and 2 [kgCO2e].
        market_kg: with market-based electricity [kgCO2e].
        cost: of the electricity taken from the grid [currency].
        measured_h: measured meter-hours [h].
        expected_h: meter-hours that could have been measured by now [h].
        tenant_kwh: electricity of each tenant [kWh].
        tenant_kg: its location-based emission [kgCO2e].
    """

    flow_kwh: Mapping[str, float | None]
    load_kwh: float | None
    location_kg: float | None
    market_kg: float | None
    cost: float | None
    measured_h: float
    expected_h: float
    tenant_kwh: Mapping[str, float | None]
    tenant_kg: Mapping[str, float | None]

    @property
    def self_consumption_pct(self) -> float | None:
        """Self-used share of the generation [%]; None where nothing was generated."""
        return _percent(self._self_used_kwh, self.flow_kwh.get("generation"))

    @property
    def self_sufficiency_pct(self) -> float | None:
        """Share of the load covered by own generation [%]."""
        return _percent(self._self_used_kwh, self.load_kwh)

    @property
    def _self_used_kwh(self) -> float | None:
        generation, export = self.flow_kwh.get("generation"), self.flow_kwh.get("export", 0.0)
        return None if generation is None or export is None else max(generation - export, 0.0)

    @property
    def completeness_pct(self) -> float | None:
        """Measured share of the expected meter-hours [%]."""
        return _percent(self.measured_h, self.expected_h)


def sum_today(model: ParkModel, newest: Mapping[int, Newest], now_ms: int, midnight_ms: int) -> Today:
    """Sum the local day of a park.

    Args:
        model: the park.
        newest: rows of today by point.
        now_ms: time of now [ms UTC].
        midnight_ms: start of the local day [ms UTC].
    """
    micro = {flow: micro_of(points, newest) for flow in _SIGNS if (points := model.metered("electricity", flow))}
    flows = {flow: None if amount is None else amount / 1e6 for flow, amount in micro.items()}
    location, market = _emissions(model, newest, model.local(now_ms).year)
    bought, price = flows.get("import"), model.price_per_kwh
    measured, expected = _hours(model, newest, now_ms, midnight_ms)
    mine = {tenant.tenant: use_of(model, tenant.tenant) for tenant in model.tenants}
    return Today(
        flow_kwh=flows,
        load_kwh=_load_kwh(micro),
        location_kg=location,
        market_kg=market,
        cost=None if bought is None or price is None else bought * price,
        measured_h=measured,
        expected_h=expected,
        tenant_kwh={tenant: _sum_of(use, newest, "day_micro", 1e6) for tenant, use in mine.items()},
        tenant_kg={tenant: _sum_of(use, newest, "day_nano_kg", 1e9) for tenant, use in mine.items()},
    )


def _load_kwh(micro: Mapping[str, int | None]) -> float | None:
    """Load from exact sums [kWh]; None without a gate meter or while a flow is unknown."""
    known = [_SIGNS[flow] * amount for flow, amount in micro.items() if amount is not None]
    return sum(known) / 1e6 if "import" in micro and len(known) == len(micro) else None


def _sum_of(
    use: list[tuple[PointInfo, int]],
    newest: Mapping[int, Newest],
    name: Literal["day_micro", "day_nano_kg"],
    unit: float,
) -> float | None:
    """What is known of a tenant's day; None while nothing is, or while something below his meters is not."""
    values = [(sign, point, getattr(newest.get(point.point_id, Newest()), name)) for point, sign in use]
    if any(value is None and sign != direction(point) for sign, point, value in values):
        return None  # another's meter: without it the sum would hold his part, too
    known = [sign * value for sign, _, value in values if value is not None]
    return sum(known) / unit if known else None


def micro_of(points: list[PointInfo], newest: Mapping[int, Newest]) -> int | None:
    """Energy of the day [1e-6 kWh]; None while nothing is known."""
    known = [
        direction(point) * seen.day_micro
        for point in points
        if (seen := newest.get(point.point_id)) is not None and seen.day_micro is not None
    ]
    return sum(known) if known else None


def _nano_of(points: list[PointInfo], newest: Mapping[int, Newest]) -> int | None:
    known = [
        direction(point) * seen.day_nano_kg
        for point in points
        if (seen := newest.get(point.point_id)) is not None and seen.day_nano_kg is not None
    ]
    return sum(known) if known else None


def _emissions(model: ParkModel, newest: Mapping[int, Newest], year: int) -> tuple[float | None, float | None]:
    """Location- and market-based total [kgCO2e]; amounts without a factor stay outside, as in the inventory."""
    location = market = 0
    counted = False
    for carrier in ("electricity", "gas", "heat"):
        points = [point for point in emitting_points(model) if point.carrier == carrier]
        priced = [point for point in points if model.factor(carrier, point.unit, year) is not None]
        if not priced:
            continue
        nano = _nano_of(priced, newest)
        if nano is None:
            return None, None
        counted = True
        location += nano
        market += nano if carrier != "electricity" else _market_nano(model, priced, newest, year)
    return (location / 1e9, market / 1e9) if counted else (None, None)


def _market_nano(model: ParkModel, points: list[PointInfo], newest: Mapping[int, Newest], year: int) -> int:
    total = 0
    for point in points:
        seen = newest.get(point.point_id, Newest())
        factor = model.factor("electricity", point.unit, year, "market")
        if factor is None or factor.is_series:
            total += seen.day_nano_kg or 0
        else:
            total += times(seen.day_micro or 0, factor.co2e)
    return total


def _hours(model: ParkModel, newest: Mapping[int, Newest], now_ms: int, midnight_ms: int) -> tuple[float, float]:
    """Measured and expected meter-hours since midnight [h]; a reading is due once its period is over."""
    measured = expected = 0
    for point in model.metered():
        if point.flow is None:
            continue
        due_ms = max(0, now_ms - midnight_ms - point.period_ms)
        expected += due_ms
        measured += min(newest.get(point.point_id, Newest()).day_measured_ms, due_ms)
    return measured / HOUR_MS, expected / HOUR_MS


def _percent(part: float | None, whole: float | None) -> float | None:
    if part is None or whole is None or whole <= 0:
        return None
    return 100 * min(part / whole, 1.0)
