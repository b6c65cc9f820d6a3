"""`Now` as the contract has it, from everything known about a moment."""

import datetime as dt

from parkcarbon.kit.db import from_ms
from parkcarbon.live.model import Name
from parkcarbon.live.power import LOAD_FLOWS, RATE_FLOWS, not_live

from .devicestate import count_states
from .moment import Moment
from .schemas import (
    CARRIERS,
    CarrierParts,
    Completeness,
    EmissionRate,
    EmissionsToday,
    EnergyToday,
    Figures,
    Flow,
    FlowEdge,
    FlowNode,
    Load,
    Now,
    Pv,
    TenantNow,
)

_NODE_NAMES = {
    "grid": Name(zh="电网", en="Grid"),
    "pv": Name(zh="光伏", en="Solar PV"),
    "battery": Name(zh="储能", en="Battery"),
    "gas": Name(zh="天然气", en="Natural gas"),
    "heat": Name(zh="外购热力", en="Purchased heat"),
    "unmetered": Name(zh="未计量及损耗", en="Unmetered and losses"),
    "unmetered-heat": Name(zh="园区用热", en="Heat used by the park"),
    "bus-electricity": Name(zh="电力", en="Electricity"),
    "bus-heat": Name(zh="热力", en="Heat"),
}


def describe(moment: Moment) -> Now:
    """Return `Now` as the contract has it."""
    model, now_ms = moment.model, moment.now_ms
    seen = [item.time_ms for item in moment.newest.values() if item.time_ms is not None]
    return Now(
        park=model.park,
        at=from_ms(now_ms),
        data_as_of=from_ms(max(seen)) if seen else None,
        local_time=dt.datetime.fromtimestamp(now_ms // 1000, model.zone).isoformat(),
        figures=_figures(moment),
        flow=_flow(moment),
        tenants=_tenants(moment),
        devices=count_states(moment.states),
    )


def _figures(moment: Moment) -> Figures:
    model, live, today, past = moment.model, moment.figures, moment.today, moment.past
    return Figures(
        emission_rate=EmissionRate(
            value=live.emission_rate_kgco2e_h,
            unit="kgCO2e/h",
            spark=past.spark("emission_rate_kgco2e_h"),
            last_week=past.mean_last_week("emission_rate_kgco2e_h"),
            parts=CarrierParts(**live.parts_kgco2e_h),
            averaged=[carrier for carrier in CARRIERS if carrier in live.averaged],
            from_files=[item.point.point for item in not_live(moment.powers) if item.power.flow in RATE_FLOWS],
        ),
        load=Load(
            value=live.load_kw,
            unit="kW",
            spark=past.spark("load_kw"),
            last_week=past.mean_last_week("load_kw"),
            peak_today_kw=past.peak_today_kw(moment.midnight_ms),
            contract_demand_kw=model.contract_demand_kw,
            from_files=[item.point.point for item in not_live(moment.powers) if item.power.flow in LOAD_FLOWS],
        ),
        energy_today=EnergyToday(
            value=today.load_kwh,
            unit="kWh",
            spark=past.spark("energy_kwh"),
            last_week=past.total_last_week("energy_kwh"),
            cost=today.cost,
            currency=model.currency,
        ),
        emissions_today=EmissionsToday(
            value=today.location_kg,
            unit="kgCO2e",
            spark=past.spark("co2e_kg"),
            last_week=past.total_last_week("co2e_kg"),
            market=today.market_kg,
        ),
        pv=Pv(
            value=today.self_consumption_pct,
            unit="%",
            spark=past.spark("self_consumption_pct"),
            last_week=past.self_consumption_last_week(),
            self_sufficiency=today.self_sufficiency_pct,
            generation_kw=live.generation_kw,
            generation_today_kwh=today.flow_kwh.get("generation"),
        ),
        completeness=Completeness(
            value=today.completeness_pct,
            unit="%",
            spark=past.spark("completeness_pct"),
            last_week=past.completeness_last_week(),
            measured_hours=today.measured_h,
            expected_hours=today.expected_h,
        ),
    )


def _flow(moment: Moment) -> Flow:
    graph = moment.graph
    names = dict(_NODE_NAMES)
    names |= {f"tenant-{device.device}": device.name for device in moment.model.devices}
    names |= {f"tenant-{tenant.tenant}": tenant.name for tenant in moment.model.tenants}
    times = [item.time_ms for item in moment.powers if item.power.kw is not None and item.time_ms is not None]
    return Flow(
        at=from_ms(max(times)) if times else None,
        nodes=[FlowNode(node=node.node, kind=node.kind, name=names[node.node], kw=node.kw) for node in graph.nodes],
        edges=[FlowEdge(from_=edge.origin, to=edge.target, kw=edge.kw) for edge in graph.edges],
        imbalance_kw=graph.imbalance_kw,
    )


def _tenants(moment: Moment) -> list[TenantNow]:
    return [
        TenantNow(
            tenant=tenant.tenant,
            name=tenant.name,
            power_kw=moment.figures.tenants_kw.get(tenant.tenant),
            energy_today_kwh=moment.today.tenant_kwh[tenant.tenant],
            co2e_today_kg=moment.today.tenant_kg[tenant.tenant],
            last_week_kwh=moment.past.tenant_last_week_kwh(tenant.tenant),
        )
        for tenant in moment.model.tenants
    ]
