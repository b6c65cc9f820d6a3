"""Which points make up which metric: sums of flows with signs, by park, tenant, device or flow."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from parkcarbon.domain.submeters import outermost
from parkcarbon.live.model import Name, ParkModel, PointInfo
from parkcarbon.live.uses import direction, emitting_points, use_of

from .problems import ProblemError
from .schemas import GroupBy, Metric

Measure = Literal["power", "amount", "co2e", "co2e_rate", "self_consumption", "completeness"]
TOTAL = "total"

_TO_KWH = {"kWh": 1.0, "MWh": 1000.0}
_TO_M3 = {"m3": 1.0, "Nm3": 1.0}
_TO_GJ = {"GJ": 1.0, "kWh": 0.0036, "MWh": 3.6}
_BALANCE = {"import": 1.0, "export": -1.0, "generation": 1.0, "discharge": 1.0, "charge": -1.0}


@dataclass(frozen=True, slots=True)
class Component:
    """Points that are added up and enter a formula together.

    Attributes:
        role: flow, or what else the component is in the formula.
        points: the points.
        scale: factor from the unit of the points to the unit of the metric, with its sign.
    """

    role: str
    points: tuple[PointInfo, ...]
    scale: float


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """One line of the answer."""

    key: str
    name: Name | None
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """How a metric is made of flows.

    Attributes:
        unit: unit of the values.
        measure: which column of the history it uses.
        carrier: carrier of its points; None: all.
        flows: flow and sign; None: every metered point.
        units: accepted units of the points with their factor.
    """

    unit: str
    measure: Measure
    carrier: str | None
    flows: dict[str, float] | None
    units: dict[str, float]


METRICS: dict[Metric, MetricSpec] = {
    "load_kw": MetricSpec("kW", "power", "electricity", _BALANCE, _TO_KWH),
    "grid_import_kw": MetricSpec("kW", "power", "electricity", {"import": 1.0}, _TO_KWH),
    "grid_export_kw": MetricSpec("kW", "power", "electricity", {"export": 1.0}, _TO_KWH),
    "generation_kw": MetricSpec("kW", "power", "electricity", {"generation": 1.0}, _TO_KWH),
    "charge_kw": MetricSpec("kW", "power", "electricity", {"charge": 1.0}, _TO_KWH),
    "discharge_kw": MetricSpec("kW", "power", "electricity", {"discharge": 1.0}, _TO_KWH),
    "unmetered_kw": MetricSpec("kW", "power", "electricity", {**_BALANCE, "sub_meter": -1.0}, _TO_KWH),
    "energy_kwh": MetricSpec("kWh", "amount", "electricity", _BALANCE, _TO_KWH),
    "gas_m3": MetricSpec("m3", "amount", "gas", {"fuel": 1.0}, _TO_M3),
    "heat_gj": MetricSpec("GJ", "amount", "heat", {"heat": 1.0}, _TO_GJ),
    "co2e_kg": MetricSpec("kgCO2e", "co2e", None, None, {}),
    "emission_rate_kgco2e_h": MetricSpec("kgCO2e/h", "co2e_rate", None, None, {}),
    "self_consumption_pct": MetricSpec(
        "%", "self_consumption", "electricity", {"generation": 1.0, "export": -1.0}, _TO_KWH
    ),
    "completeness_pct": MetricSpec("%", "completeness", None, None, {}),
}
_WHOLE_PARK_ONLY = frozenset({"unmetered_kw", "self_consumption_pct"})
_USE = frozenset({"load_kw", "energy_kwh"})


def plan_series(model: ParkModel, metric: Metric, group_by: GroupBy) -> list[GroupPlan]:
    """Return the groups of an answer and the points behind each.

    Raises:
        ProblemError: 422, the metric has no such grouping.
    """
    if metric in _WHOLE_PARK_ONLY and group_by != "none":
        raise ProblemError(422, f"{metric} exists for the whole park only: group_by=none")
    spec = METRICS[metric]
    if spec.measure in ("co2e", "co2e_rate"):
        found = _entries(emitting_points(model), group_by)
        if group_by == "tenant":
            found = [entry for entry in found if entry.point.carrier != "electricity"] + _use_of_tenants(model)
        return _group(model, found, group_by)
    if spec.measure == "completeness":
        counted = [point for point in model.metered() if point.flow is not None]
        return _group(model, _entries(counted, group_by), group_by, one_component=True)
    if metric in _USE and group_by == "tenant":
        use = _use_of_tenants(model)
        return _group(model, [replace(e, scale=e.scale * _TO_KWH.get(e.point.unit, 0.0)) for e in use], group_by)
    if metric in _USE and group_by == "device":
        meters = model.metered("electricity", "sub_meter")
        scaled = [Entry(p, _key(p, group_by), _TO_KWH.get(p.unit, 0.0) * direction(p)) for p in meters]
        return _group(model, scaled, group_by)
    flows = spec.flows or {}
    if len(flows) > 1 and group_by == "none" and not model.metered(spec.carrier, "import"):
        return []  # without a gate meter the park's own use is not known
    points = [point for point in model.metered(spec.carrier) if point.flow in flows and point.unit in spec.units]
    inner = {point.point for point in points if point.flow == "sub_meter"}
    inner -= {point.point for point in outermost([point for point in points if point.flow == "sub_meter"])}
    signs = dict.fromkeys(flows, 1.0) if group_by == "flow" else flows
    return _group(
        model,
        [
            Entry(p, _key(p, group_by), spec.units[p.unit] * signs[p.flow or ""] * direction(p))
            for p in points
            if p.point not in inner
        ],
        group_by,
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """A point in the group of a key; None: in no group."""

    point: PointInfo
    key: str | None
    scale: float = 1.0


def _entries(points: Iterable[PointInfo], group_by: GroupBy) -> list[Entry]:
    return [Entry(point, _key(point, group_by)) for point in points]


def _use_of_tenants(model: ParkModel) -> list[Entry]:
    return [
        Entry(point, tenant.tenant, float(sign))
        for tenant in model.tenants
        for point, sign in use_of(model, tenant.tenant)
    ]


def _group(
    model: ParkModel, entries: Iterable[Entry], group_by: GroupBy, *, one_component: bool = False
) -> list[GroupPlan]:
    grouped: dict[str, dict[tuple[str, float], list[PointInfo]]] = {}
    for entry in entries:
        if entry.key is not None:
            role = "all" if one_component else entry.point.flow or ""
            grouped.setdefault(entry.key, {}).setdefault((role, entry.scale), []).append(entry.point)
    names = _names(model, group_by)
    order = [key for key in names if key in grouped] + [key for key in grouped if key not in names]
    return [
        GroupPlan(
            key,
            names.get(key),
            tuple(Component(role, tuple(members), factor) for (role, factor), members in grouped[key].items()),
        )
        for key in order
    ]


def _key(point: PointInfo, group_by: GroupBy) -> str | None:
    if group_by == "none":
        return TOTAL
    if group_by == "tenant":
        return point.tenant
    if group_by == "device":
        return point.point.partition("/")[0]
    return point.flow


def _names(model: ParkModel, group_by: GroupBy) -> dict[str, Name]:
    if group_by == "tenant":
        return {tenant.tenant: tenant.name for tenant in model.tenants}
    if group_by == "device":
        return {device.device: device.name for device in model.devices}
    return {}
