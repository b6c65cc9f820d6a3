"""Live power of each flow: from the gauge of its device, else the newest interval of a slow meter.

A device's `active_power` is positive in the direction of its import register, an inverter's in the direction of its
yield; an export register of the same device shows the other direction. What comes from files is marked: the live
figures leave it out where live meters show the same flow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from parkcarbon.domain.emissions import CarrierFactor
from parkcarbon.domain.live import Carrier, LivePower, left_out
from parkcarbon.domain.reading import INTERVAL_MS, OUTSIDE_ENERGY, Quality
from parkcarbon.kit.db import Row, to_ms

from .model import HOUR_MS, ParkModel, PointInfo

FRESH_MS = 30_000
"""A live value is as old as this, or three periods of its point, at most [ms]."""
SLOW_MS = 2 * INTERVAL_MS
"""The newest interval of a slow meter ended at most this long ago, or two periods of its point [ms]."""
GJ_PER_KWH = 0.0036

LOAD_FLOWS = ("import", "export", "generation", "discharge", "charge")
"""Flows of electricity that the load is made of."""
RATE_FLOWS = ("import", "fuel", "heat")
"""Flows that the emission rate is made of."""

GAUGES = {"electricity": "active_power", "gas": "gas_flow_base", "heat": "heat_power"}
_NODES = {
    "import": "grid",
    "export": "grid",
    "generation": "pv",
    "charge": "battery",
    "discharge": "battery",
    "fuel": "gas",
    "heat": "heat",
}
_GAUGE_UNITS = {"electricity": {"kWh": 1.0}, "gas": {"Nm3": 1.0}, "heat": {"GJ": GJ_PER_KWH, "kWh": 1.0}}
_KW_PER_UNIT_H = {"kWh": 1.0, "MWh": 1000.0, "GJ": 1 / GJ_PER_KWH}
_CARRIERS: Mapping[str, Carrier] = {"electricity": "electricity", "gas": "gas", "heat": "heat"}


@dataclass(frozen=True, slots=True)
class Newest:
    """What the database last saw of a point.

    Attributes:
        time_ms: time of the newest reading [ms UTC], or None.
        value: the register as shown.
        quality: of that reading.
        day_micro: amount of the local day [1e-6 unit], or None.
        day_nano_kg: location-based emission of the local day [1e-9 kg], or None.
        day_measured_ms: measured time of the local day [ms].
        slow_start_ms: start of the newest finished interval with an amount [ms UTC], or None.
        slow_per_h: mean rate of its known part [unit/h].
    """

    time_ms: int | None = None
    value: float | None = None
    quality: int | None = None
    day_micro: int | None = None
    day_nano_kg: int | None = None
    day_measured_ms: int = 0
    slow_start_ms: int | None = None
    slow_per_h: float = 0.0


@dataclass(frozen=True, slots=True)
class PointPower:
    """The power of one metered point and where it comes from.

    Attributes:
        point: the metered point.
        power: as the figures and the flow picture take it; `rate` is in kgCO2e/h already, see `emission`.
        per_h: amount an hour [unit of the point], or None.
        source: the point that was read: a gauge, or the metered point itself.
        time_ms: time of that reading or start of that interval [ms UTC].
        shown: the gauge as the register shows it; None for an interval.
        quality: of that reading.
    """

    point: PointInfo
    power: LivePower
    per_h: float | None
    source: PointInfo
    time_ms: int | None
    shown: float | None
    quality: int | None


def newest_of(rows: Sequence[Row]) -> dict[int, Newest]:
    """Rows of the statement `live` by point."""
    return {row["point_id"]: _newest(row) for row in rows}


def live_powers(model: ParkModel, newest: Mapping[int, Newest], now_ms: int) -> list[PointPower]:
    """Return the power of every point with a flow.

    Args:
        model: the park.
        newest: what the database last saw of each point.
        now_ms: time of now [ms UTC].
    """
    found = []
    for point in model.metered():
        carrier = _CARRIERS.get(point.carrier)
        known_flow = point.flow in _NODES or point.flow == "sub_meter"
        gives_back = point.flow == "sub_meter" and point.quantity.endswith("_export")
        if carrier is not None and known_flow and not gives_back:
            found.append(_power(model, newest, point, carrier, now_ms=now_ms))
    return _without_inner(found)


def _without_inner(powers: list[PointPower]) -> list[PointPower]:
    """Of one user's sub-meters only the outermost, less what others use below them; shown, never below zero."""
    meters = {item.point.point: item for item in powers if item.power.flow == "sub_meter"}
    inside: set[str] = set()
    taken: dict[str, list[float | None]] = {}
    for name, item in meters.items():
        above = meters.get(item.point.below or "")
        if above is not None and _user(above) == _user(item):
            inside.add(name)
        elif above is not None:
            while (further := meters.get(above.point.below or "")) is not None and _user(further) == _user(above):
                above = further
            taken.setdefault(above.point.point, []).append(item.power.kw)
    return [
        replace(item, power=replace(item.power, kw=_less(item.power.kw, taken.get(item.point.point, []))))
        for item in powers
        if item.point.point not in inside
    ]


def _user(item: PointPower) -> str:
    return item.power.tenant or item.power.node


def _less(kw: float | None, taken: Sequence[float | None]) -> float | None:
    known = [part for part in taken if part is not None]
    return None if kw is None or len(known) < len(taken) else max(0.0, kw - sum(known))


def not_live(powers: Sequence[PointPower]) -> list[PointPower]:
    """Those that the live figures leave out, because they come from files beside live meters of the same flow."""
    out = left_out([item.power for item in powers])
    return [item for item, left in zip(powers, out, strict=True) if left]


def _power(
    model: ParkModel, newest: Mapping[int, Newest], point: PointInfo, carrier: Carrier, *, now_ms: int
) -> PointPower:
    gauge = model.gauge(point.device_id, GAUGES[carrier])
    averaged = False
    source, time_ms, shown, quality = point, None, None, None
    per_h: float | None = None
    if gauge is not None and point.unit in _GAUGE_UNITS[carrier]:
        seen = newest.get(gauge.point_id, Newest())
        source, time_ms, shown, quality = gauge, seen.time_ms, seen.value, seen.quality
        value = _fresh_value(gauge, seen, now_ms)
        if value is not None:
            per_h = max(0.0, value * _direction(point)) * _GAUGE_UNITS[carrier][point.unit]
    else:
        seen = newest.get(point.point_id, Newest())
        averaged = True
        time_ms = seen.slow_start_ms
        limit_ms = INTERVAL_MS + max(SLOW_MS, 2 * point.period_ms)
        if time_ms is not None and now_ms - time_ms <= limit_ms:
            per_h = max(0.0, seen.slow_per_h)
    factor = model.factor_at(carrier, point.unit, now_ms) if carrier != "electricity" else None
    emission = None if per_h is None or factor is None or factor.is_series else per_h * factor.co2e
    power = LivePower(
        node=_NODES.get(point.flow or "", point.point.partition("/")[0]),
        flow=point.flow or "",
        carrier=carrier,
        kw=None if per_h is None else _kw(point, per_h, factor),
        rate=emission,
        tenant=point.tenant if point.flow in ("sub_meter", "fuel", "heat") else None,
        averaged=averaged,
        from_files=model.from_files(point.device_id),
    )
    return PointPower(point, power, per_h, source, time_ms, shown, quality)


def _fresh_value(gauge: PointInfo, seen: Newest, now_ms: int) -> float | None:
    """The value of a gauge after its ratio; None when it is old or not trusted."""
    if seen.time_ms is None or seen.value is None or seen.quality is None:
        return None
    if Quality(seen.quality) in OUTSIDE_ENERGY or now_ms - seen.time_ms > max(FRESH_MS, 3 * gauge.period_ms):
        return None
    return seen.value * gauge.ratio


def _direction(point: PointInfo) -> float:
    return -1.0 if point.quantity.endswith("_export") else 1.0


def _kw(point: PointInfo, per_h: float, factor: CarrierFactor | None) -> float | None:
    """Power of an hourly amount [kW]; gas by volume needs a calorific value."""
    if point.unit in _KW_PER_UNIT_H:
        return per_h * _KW_PER_UNIT_H[point.unit]
    if factor is None or factor.gj is None:
        return None
    return per_h * factor.gj / GJ_PER_KWH


def _newest(row: Row) -> Newest:
    start, coverage = row["slow_start"], row["slow_coverage"]
    slow = 0.0 if start is None else row["slow_micro"] / 1e6 / coverage * (HOUR_MS / INTERVAL_MS)
    return Newest(
        time_ms=None if row["last_time"] is None else to_ms(row["last_time"]),
        value=row["last_value"],
        quality=row["last_quality"],
        day_micro=row["day_micro"],
        day_nano_kg=row["day_nano_kg"],
        day_measured_ms=row["day_measured_ms"] or 0,
        slow_start_ms=None if start is None else to_ms(start),
        slow_per_h=slow,
    )
