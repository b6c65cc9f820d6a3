"""What the API says of a park whose every figure can be worked out by hand."""

import asyncio
from typing import Any

import httpx
import pytest

from api.schemas import Devices, Now, Parks, Series, Working
from api.schemas_inventory import Inventory
from tests.fakes import api_park as park

pytestmark = pytest.mark.postgres
BASE = "/api/v1/parks/demo"
QUARTER_H = 0.25
TODAY_FROM = park.NOW_MS - (14 * 3600 + 32 * 60 + 5) * 1000
BALANCE = {
    "gate/active_energy_import": 1,
    "gate/active_energy_export": -1,
    "pv-1/active_energy_yield": 1,
    "battery/active_energy_import": -1,
    "battery/active_energy_export": 1,
}


def micro(point: str, from_ms: int, to_ms: int = park.RUNNING_MS + 1) -> int:
    """Amount of a point over whole intervals, as its intervals hold it [1e-6 unit]."""
    device, _, quantity = point.partition("/")
    return sum(
        round(park.amount(device, quantity, start) * park.coverage(device, start) * QUARTER_H * 1e6)
        for start in park.starts()
        if from_ms <= start < to_ms
    )


def load_kwh(from_ms: int, to_ms: int = park.RUNNING_MS + 1) -> float:
    return sum(sign * micro(point, from_ms, to_ms) for point, sign in BALANCE.items()) / 1e6


async def get(client: httpx.AsyncClient, path: str, **params: str) -> Any:
    response = await client.get(path, params=params)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.fixture
async def now(park_client: httpx.AsyncClient) -> Now:
    return Now.model_validate(await get(park_client, f"{BASE}/now"))


async def test_parks(park_client: httpx.AsyncClient) -> None:
    found = Parks.model_validate(await get(park_client, "/api/v1/parks")).parks
    assert [item.park for item in found] == ["demo"]
    assert not found[0].empty
    assert found[0].contract_demand_kw == 1250
    assert [tenant.tenant for tenant in found[0].tenants] == ["machining", "cold"]


def test_live_figures(now: Now) -> None:
    gate, solar = park.power_kw("gate", park.RUNNING_MS), park.power_kw("pv-1", park.RUNNING_MS)
    figures = now.figures
    assert figures.load.value == pytest.approx(gate + solar)
    assert figures.pv.generation_kw == solar
    parts = figures.emission_rate.parts
    assert parts.electricity == pytest.approx(gate * 0.5827)
    assert parts.heat == pytest.approx(150 * 0.0036 * 110)
    gas = park.factor_of("gas", "Nm3").co2e
    assert parts.gas == pytest.approx(40 * gas)
    assert gas == pytest.approx(2.16219, rel=1e-2)
    assert figures.emission_rate.averaged == ["gas"]
    assert figures.emission_rate.value == pytest.approx(sum(filter(None, [parts.electricity, parts.gas, parts.heat])))


def test_times(now: Now) -> None:
    assert now.local_time == "2026-11-21T14:32:05+08:00"
    assert now.data_as_of is not None
    assert (now.at - now.data_as_of).total_seconds() == 1


def test_sums_of_today_are_exact(now: Now) -> None:
    figures = now.figures
    assert figures.energy_today.value == load_kwh(TODAY_FROM)
    assert figures.energy_today.cost == pytest.approx(micro("gate/active_energy_import", TODAY_FROM) / 1e6 * park.PRICE)
    assert figures.pv.generation_today_kwh == micro("pv-1/active_energy_yield", TODAY_FROM) / 1e6
    assert figures.pv.self_sufficiency == pytest.approx(
        100 * micro("pv-1/active_energy_yield", TODAY_FROM) / 1e6 / load_kwh(TODAY_FROM)
    )


def test_emissions_of_today(now: Now) -> None:
    bought, gas = micro("gate/active_energy_import", TODAY_FROM), micro("boiler-gas/gas_volume_base", TODAY_FROM)
    heat = micro("heat-main/heat_energy", TODAY_FROM)
    rest = gas / 1e6 * park.factor_of("gas", "Nm3").co2e + heat / 1e6 * park.factor_of("heat", "GJ").co2e
    market = park.factor_of("electricity", "kWh", "market").co2e
    assert now.figures.emissions_today.value == pytest.approx(bought / 1e6 * 0.5827 + rest, abs=1e-6)
    assert now.figures.emissions_today.market == pytest.approx(bought / 1e6 * market + rest, abs=1e-6)


def test_same_time_last_week(now: Now) -> None:
    week_ms = 7 * 86_400_000
    whole = load_kwh(TODAY_FROM - week_ms, park.RUNNING_MS - week_ms)
    share = (park.NOW_MS - park.RUNNING_MS) / park.QUARTER_MS
    part = load_kwh(park.RUNNING_MS - week_ms, park.RUNNING_MS - week_ms + 1) * share
    assert now.figures.energy_today.last_week == pytest.approx(whole + part)
    assert now.figures.load.last_week == pytest.approx(now.figures.load.value)
    assert now.figures.completeness.last_week == pytest.approx(100)
    assert now.figures.pv.last_week == pytest.approx(100)


def test_sparks_hold_a_day(now: Now) -> None:
    load = now.figures.load.spark
    expected = [
        park.power_kw("gate", start) + park.power_kw("pv-1", start) - park.power_kw("battery", start)
        for start in park.starts()[-96:]
    ]
    assert load == pytest.approx(expected, rel=1e-6)
    assert now.figures.load.peak_today_kw == pytest.approx(max(expected[-58:]))
    # the slow gas meter has not read yet: the running step of the emission is a gap, not a smaller number
    assert now.figures.emission_rate.spark[-1] is None
    assert None not in now.figures.emission_rate.spark[:-1]


def test_completeness(now: Now) -> None:
    figure = now.figures.completeness
    assert figure.expected_hours == pytest.approx(10 * 14.5333 + 0.0, abs=1.5)
    assert figure.value == pytest.approx(100, abs=0.1)


def test_flow_balances(now: Now) -> None:
    flow = now.flow
    for node in flow.nodes:
        into = sum(edge.kw for edge in flow.edges if edge.to == node.node)
        out = sum(edge.kw for edge in flow.edges if edge.from_ == node.node)
        assert node.kw == pytest.approx(max(into, out))
        if node.kind == "bus":
            assert into == pytest.approx(out)
    by_name = {node.node: node for node in flow.nodes}
    assert by_name["grid"].kw == pytest.approx(park.power_kw("gate", park.RUNNING_MS))
    assert {"tenant-machining", "tenant-cold", "unmetered", "gas", "heat", "pv", "battery"} <= set(by_name)
    assert by_name["tenant-cold"].name.zh == "冷链"
    assert flow.imbalance_kw == 0
    heat_users = {edge.to for edge in flow.edges if edge.from_ == "heat"}
    assert heat_users == {"tenant-cold"}


def test_tenants(now: Now) -> None:
    machining = now.tenants[0]
    assert machining.tenant == "machining"
    assert machining.power_kw == park.power_kw("m1", park.RUNNING_MS) + park.power_kw("m2", park.RUNNING_MS)
    amount = micro("m1/active_energy_import", TODAY_FROM) + micro("m2/active_energy_import", TODAY_FROM)
    assert machining.energy_today_kwh == amount / 1e6
    assert machining.co2e_today_kg == pytest.approx(amount / 1e6 * 0.5827, abs=1e-6)
    assert machining.last_week_kwh is not None


@pytest.mark.parametrize(("metric", "figure"), [("energy_kwh", "energy_today"), ("co2e_kg", "emissions_today")])
async def test_series_of_the_day_is_the_figure_of_the_page(
    park_client: httpx.AsyncClient, now: Now, metric: str, figure: str
) -> None:
    body = await get(
        park_client,
        f"{BASE}/series",
        metric=metric,
        step="1d",
        **{"from": "2026-11-20T16:00:00Z", "to": "2026-11-21T06:32:05Z"},
    )
    series = Series.model_validate(body)
    assert series.starts == [series.from_]
    assert series.groups[0].values[0] == getattr(now.figures, figure).value


@pytest.mark.parametrize("step", ["15m", "1h", "1d", "1mo"])
async def test_energy_adds_up_in_every_step(park_client: httpx.AsyncClient, step: str) -> None:
    body = await get(
        park_client,
        f"{BASE}/series",
        metric="energy_kwh",
        step=step,
        **{"from": "2026-11-11T16:00:00Z", "to": "2026-11-21T06:32:05Z"},
    )
    series = Series.model_validate(body)
    values = [value for value in series.groups[0].values if value is not None]
    assert sum(values) == pytest.approx(load_kwh(park.FIRST_MS), rel=1e-12)


async def test_missing_buckets_are_null_with_coverage_0(park_client: httpx.AsyncClient) -> None:
    body = await get(
        park_client,
        f"{BASE}/series",
        metric="load_kw",
        step="1h",
        **{"from": "2026-11-11T14:00:00Z", "to": "2026-11-11T18:00:00Z"},
    )
    group = Series.model_validate(body).groups[0]
    assert group.values[:2] == [None, None]
    assert group.coverage == [0, 0, 1, 1]
    assert group.method == ["missing", "missing", "measured", "measured"]
    assert None not in group.values[2:]


@pytest.mark.parametrize(
    ("metric", "group_by", "keys"),
    [
        ("energy_kwh", "tenant", ["machining", "cold"]),
        ("energy_kwh", "device", ["m1", "m2", "c1"]),
        ("energy_kwh", "flow", ["import", "export", "generation", "charge", "discharge"]),
        ("grid_import_kw", "none", ["total"]),
        ("co2e_kg", "flow", ["import", "fuel", "heat"]),
        ("co2e_kg", "tenant", ["machining", "cold"]),
        ("gas_m3", "none", ["total"]),
        ("heat_gj", "tenant", ["cold"]),
        ("completeness_pct", "device", ["gate", "pv-1", "battery", "boiler-gas", "heat-main", "m1", "m2", "c1"]),
        ("emission_rate_kgco2e_h", "none", ["total"]),
        ("self_consumption_pct", "none", ["total"]),
        ("unmetered_kw", "none", ["total"]),
    ],
)
async def test_groups(park_client: httpx.AsyncClient, metric: str, group_by: str, keys: list[str]) -> None:
    body = await get(
        park_client,
        f"{BASE}/series",
        metric=metric,
        group_by=group_by,
        step="1d",
        **{"from": "2026-11-18T16:00:00Z", "to": "2026-11-20T16:00:00Z"},
    )
    series = Series.model_validate(body)
    assert sorted(group.key for group in series.groups) == sorted(keys)
    assert all(group.values[0] is not None for group in series.groups)


async def test_unmetered_is_what_the_sub_meters_do_not_show(park_client: httpx.AsyncClient) -> None:
    body = await get(
        park_client,
        f"{BASE}/series",
        metric="unmetered_kw",
        step="15m",
        **{"from": "2026-11-20T04:00:00Z", "to": "2026-11-20T04:15:00Z"},
    )
    loads = sum(park.power_kw(device, 1_795_148_400_000) for device in ("m1", "m2", "c1"))
    assert Series.model_validate(body).groups[0].values[0] == pytest.approx(loads * 0.02, rel=1e-5)


async def test_devices(park_client: httpx.AsyncClient) -> None:
    devices = Devices.model_validate(await get(park_client, f"{BASE}/devices")).devices
    assert [device.device for device in devices] == [name for name, _, _ in park.DEVICES]
    gate = devices[0]
    assert gate.state == "ok"
    assert [point.point for point in gate.points] == [
        "gate/active_energy_import",
        "gate/active_energy_export",
        "gate/active_power",
    ]
    assert gate.points[2].quality == "good"


async def test_inventory(park_client: httpx.AsyncClient) -> None:
    inventory = Inventory.model_validate(await get(park_client, f"{BASE}/inventory", month="2026-11"))
    assert not inventory.final
    assert [(scope.scope, scope.basis) for scope in inventory.scopes] == [(1, None), (2, "location"), (2, "market")]
    assert inventory.energy.load_kwh == load_kwh(park.FIRST_MS)
    assert list(inventory.energy.gas) == ["Nm3"]
    bought = micro("gate/active_energy_import", park.FIRST_MS) / 1e6
    electricity = inventory.scopes[1].lines[0]
    assert electricity.activity == bought
    assert electricity.co2e_kg == pytest.approx(bought * 0.5827, abs=1e-5)
    assert electricity.factors[0].factor == "CN-2023-JS"
    assert sum(inventory.states.values()) == pytest.approx(1)
    assert inventory.completeness_pct is not None
    assert 40 < inventory.completeness_pct < 50  # the park began on the 12th; the days before are missing, not zero
    total = sum(scope.co2e_kg or 0 for scope in inventory.scopes[:2])
    body = await get(
        park_client,
        f"{BASE}/series",
        metric="co2e_kg",
        step="1mo",
        **{"from": "2026-11-01T00:00:00+08:00", "to": "2026-11-02T00:00:00Z"},
    )
    assert Series.model_validate(body).groups[0].values == [pytest.approx(total, rel=1e-12)]


async def test_month_without_data_has_no_totals(park_client: httpx.AsyncClient) -> None:
    inventory = Inventory.model_validate(await get(park_client, f"{BASE}/inventory", month="2026-03"))
    assert not inventory.final  # it is over, and nobody closed it
    assert inventory.completeness_pct == 0
    assert inventory.states["missing"] == 1


@pytest.mark.parametrize("figure", ["emission_rate", "load", "energy_today", "emissions_today", "pv", "completeness"])
async def test_working_gives_the_number_of_the_page(park_client: httpx.AsyncClient, figure: str) -> None:
    now = Now.model_validate(await get(park_client, f"{BASE}/now"))
    at = now.at.isoformat()
    working = Working.model_validate(await get(park_client, f"{BASE}/working", figure=figure, at=at))
    assert working.value == getattr(now.figures, figure).value
    assert working.at == now.at
    assert working.terms
    if figure in ("emission_rate", "emissions_today"):
        assert {"CN-2023-JS", "CNDRC-NCV-natural-gas"} <= {factor.factor for factor in working.factors}


async def test_working_of_the_past(park_client: httpx.AsyncClient) -> None:
    """Long after the page has shown it, the sums of a day come from its intervals."""
    working = Working.model_validate(
        await get(park_client, f"{BASE}/working", figure="energy_today", at="2026-11-19T15:59:59Z")
    )
    midnight = TODAY_FROM - 2 * 86_400_000
    assert working.value == load_kwh(midnight, midnight + 86_400_000)


async def test_etags(park_client: httpx.AsyncClient) -> None:
    for path in (
        "/api/v1/parks",
        f"{BASE}/inventory?month=2026-11",
        f"{BASE}/series?metric=load_kw&from=2026-11-20T00:00:00Z&to=2026-11-20T01:00:00Z",
    ):
        first = await park_client.get(path)
        again = await park_client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304, path
        assert again.content == b""


async def test_answers_are_computed_once_for_many_callers(park_client: httpx.AsyncClient) -> None:
    bodies = await asyncio.gather(*(park_client.get(f"{BASE}/now") for _ in range(20)))
    assert {response.status_code for response in bodies} == {200}
    text = (await park_client.get("/metrics")).text
    computed = next(line for line in text.splitlines() if line.startswith("parkcarbon_api_now_seconds_count"))
    assert float(computed.split()[1]) <= 3
