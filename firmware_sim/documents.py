"""The files that `prepare` writes for the other processes: park document, agents' and gateway's configurations."""

import datetime as dt
from pathlib import Path
from typing import Any

from parkcarbon.domain.quantities import QUANTITIES

from .meters import Fitting, Meter
from .park import SimulatedPark
from .scenario import Bus, SourceSpec

Document = dict[str, Any]
HOST = "127.0.0.1"


def park_document(park: SimulatedPark) -> Document:
    """The park as one document in the catalog's form; devices in bus order."""
    scenario = park.scenario
    gateway = [{"source": scenario.gateway, "kind": "gateway"}] if scenario.gateway else []
    return {
        "park": scenario.scenario,
        "name": _name(scenario.name.zh, scenario.name.en),
        "timezone": scenario.timezone,
        "currency": scenario.currency,
        **_given(electricity_price_per_kwh=scenario.electricity_price_per_kwh),
        **_given(contract_demand_kw=scenario.contract_demand_kw),
        "latitude": scenario.latitude,
        "longitude": scenario.longitude,
        "method": {
            "electricity_region": scenario.method.electricity_region,
            "fuel_region": scenario.method.fuel_region,
            "heat_region": scenario.method.heat_region,
            "gwp_set": scenario.method.gwp_set,
            **_organisation(park),
        },
        "statement": {
            "intended_users": _name("园区管理方与租户（演示）", "park management and tenants (demonstration)"),
            "recalculation_policy": _name(
                "边界或方法使总量变化 5 % 及以上时重算",
                "recalculated when the boundary or a method changes the total by 5 % or more",
            ),
        },
        **_ownership(park),
        "tenants": [{"tenant": t.tenant, "name": _name(t.name.zh, t.name.en)} for t in scenario.tenants],
        "sources": [*gateway, *({"source": s.source, "kind": "edge", **_given(via=s.via)} for s in scenario.sources)],
        "devices": [_device(meter, park) for meter in park.meters],
        "notes": {"simulated": f"scenario {scenario.scenario}, seed {park.state.seed}"},
    }


def _organisation(park: SimulatedPark) -> Document:
    """Who reports, and what belongs to it."""
    name = park.scenario.name
    return {
        "reporting_entity": _name(f"{name.zh}运营方", f"{name.en} operator"),
        "boundary": _name("全园区", "the whole park"),
        "base_year": 2025,
    }


def _ownership(park: SimulatedPark) -> Document:
    """Every tenant a legal entity of its own, one connection point, the battery as storage."""
    scenario = park.scenario
    operator = {"entity": "operator", "name": _name("园区运营方", "Park operator"), "operator": True}
    tenants = [
        {"entity": tenant.tenant, "name": _name(tenant.name.zh, tenant.name.en), "tenants": [tenant.tenant]}
        for tenant in scenario.tenants
    ]
    weights = {
        "from_day": "2020-01-01",
        "weights": [{"tenant": tenant.tenant, "weight": tenant.peak_kw} for tenant in scenario.tenants],
    }
    found: Document = {
        "entities": [operator, *tenants],
        # losses are behind every source, so the band is of the whole supply: on sunny days little is imported
        "connections": [{"connection": "substation", "name": _name("总进线", "Main supply"), "band_of": "supply"}],
        "allocation": [
            {"rule": "metered", "from_day": "2020-01-01"},
            *(
                {"rule": f"{carrier}-by-area", "carrier": carrier, "by": "area"} | weights
                for carrier in ("gas", "heat")
            ),
        ],
    }
    if scenario.battery is not None:
        device = scenario.battery.device
        found["storage"] = [
            {
                "storage": device,
                "name": _name(scenario.battery.name.zh, scenario.battery.name.en),
                "charge": f"{device}/active_energy_import",
                "discharge": f"{device}/active_energy_export",
                "capacity_kwh": 8 * scenario.battery.charge_kw,
            }
        ]
    return found


def edge_config(
    park: SimulatedPark, source: SourceSpec, folder: Path, *, broker: str, journal: bool, backfill: Path | None
) -> Document:
    """The configuration of one agent."""
    return {
        "park": park.scenario.scenario,
        "source": source.source,
        "broker": broker,
        "data": str(folder / source.source),
        "journal": str(folder / f"journal-{source.source}.jsonl") if journal else None,
        "buses": [_bus(park, bus, folder) for bus in park.scenario.buses if bus.bus in source.buses],
        "backfill": str(backfill) if backfill else None,
        "keep_days": 7,
        "max_outbox_mb": 512,
        "key_file": None,
    }


def gateway_config(park: SimulatedPark, folder: Path, *, cloud_broker: str, park_broker: str) -> Document:
    """The configuration of the gateway."""
    gateway = park.scenario.gateway
    return {
        "park": park.scenario.scenario,
        "gateway": gateway,
        "local_broker": park_broker,
        "uplink_broker": cloud_broker,
        "data": str(folder / str(gateway)),
        "sources": [source.source for source in park.scenario.sources if source.via == gateway],
    }


def line_path(folder: Path, bus: str) -> Path:
    """Where a serial line appears."""
    return folder / f"line-{bus}"


def _bus(park: SimulatedPark, bus: Bus, folder: Path) -> Document:
    place: Document = {"host": HOST, "port": park.state.ports.get(bus.bus, 0)}
    if bus.kind == "rtu":
        place = {"path": str(line_path(folder, bus.bus)), "baud": bus.baud}
    period_s = park.scenario.period_s
    devices = [
        {
            "device": meter.plan.device,
            "profile": meter.plan.profile,
            "unit": meter.plan.unit,
            "points": [{"quantity": quantity, "period_s": period_s} for quantity in meter.plan.quantities],
        }
        for meter in park.on_bus(bus.bus)
    ]
    return {"bus": bus.bus, "kind": bus.kind, **place, "devices": devices}


def _device(meter: Meter, park: SimulatedPark) -> Document:
    plan = meter.plan
    source = next(spec.source for spec in park.scenario.sources if plan.bus in spec.buses)
    return {
        "device": plan.device,
        "name": _name(plan.name.zh, plan.name.en),
        "profile": plan.profile,
        **_given(tenant=plan.tenant),
        "source": source,
        "bus": plan.bus,
        "points": [_point(meter, quantity, park.scenario.period_s) for quantity in plan.quantities],
    }


def _point(meter: Meter, quantity: str, period_s: float) -> Document:
    definition = meter.profile.point(quantity)
    cumulative = QUANTITIES[quantity].cumulative
    point: Document = {"quantity": quantity, "kind": "counter" if cumulative else "gauge", "period_s": period_s}
    point |= _given(flow=meter.plan.flows.get(quantity))
    if cumulative:
        point["limit_per_h"] = meter.limit_per_h(quantity, meter.plan.fittings[0])
        point |= _given(resolution=definition.resolution or None, modulus=definition.modulus)
    point["episodes"] = [
        _episode(meter, quantity, index, cumulative=cumulative) for index in range(len(meter.plan.fittings))
    ]
    return point


def _episode(meter: Meter, quantity: str, index: int, *, cumulative: bool) -> Document:
    fitting = meter.plan.fittings[index]
    ratio = meter.profile.point(quantity).ratio
    episode: Document = {"at": _utc(fitting.from_ms), "serial": fitting.serial}
    if ratio in ("ct", "ct_pt"):
        episode["ct"] = fitting.ct
    if ratio in ("pt", "ct_pt"):
        episode["pt"] = fitting.pt
    if cumulative:
        episode |= _classes(meter, quantity, ct=fitting.ct)
    if index and cumulative:
        before: Fitting = meter.plan.fittings[index - 1]
        episode["limit_per_h"] = meter.limit_per_h(quantity, fitting)
        episode["end_reading"] = meter.before_fault(quantity, before, fitting.from_ms)
        episode["start_reading"] = meter.before_fault(quantity, fitting, fitting.from_ms)
    return episode


def _classes(meter: Meter, quantity: str, *, ct: float) -> Document:
    """Accuracy classes as such meters have them; the gate's is the better one."""
    carrier = QUANTITIES[quantity].carrier
    if carrier == "electricity":
        gate = "import" in meter.plan.flows.values() and "export" in meter.plan.flows.values()
        transformer = {"ct_class": "0.5S" if gate else "0.5"} if ct != 1 or gate else {}
        return {"accuracy_class": "0.5S" if gate else "1", **transformer}
    return {"accuracy_class": "1.0" if carrier == "gas" else "2"}


def _utc(time_ms: int) -> str:
    return dt.datetime.fromtimestamp(time_ms / 1000, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _name(zh: str, en: str) -> Document:
    return {"zh": zh, "en": en}


def _given(**members: object) -> Document:
    """Members that are not None."""
    return {key: value for key, value in members.items() if value is not None}
