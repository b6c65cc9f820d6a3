"""From a frozen batch to the page: ingest commits, the API tells, on both stores."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from api.app import create_app
from ingest.recompute import Recomputer
from tests.fakes.api_client import SceneClock, listening, serving, settings_for
from tests.fakes.api_park import TOKENS
from tests.fakes.ingest_park import NOW_MS, PARK, QUARTER_MS, Ingest, Sender, counter_rows, open_ingest

TOKEN = "admin-token-0001"
BASE = f"/api/v1/parks/{PARK}"
DAY_MS = 86_400_000
DOCUMENT = f"""
park: {PARK}
name: {{zh: 试验园区, en: Test park}}
timezone: Asia/Shanghai
currency: CNY
electricity_price_per_kwh: 0.5
contract_demand_kw: 500
method: {{electricity_region: China/JS, fuel_region: China, heat_region: China}}
tenants:
  - {{tenant: shop, name: {{zh: 车间, en: Shop}}}}
sources:
  - {{source: agent}}
devices:
  - device: gate
    name: {{zh: 关口表, en: Gate}}
    profile: generic
    source: agent
    points:
      - {{quantity: active_energy_import, kind: counter, period_s: 900, flow: import,
          episodes: [{{at: 2020-01-01T00:00:00Z, ct: 10, pt: 2}}]}}
      - {{quantity: active_energy_export, kind: counter, period_s: 900, flow: export,
          episodes: [{{at: 2020-01-01T00:00:00Z, ct: 10, pt: 2}}]}}
      - {{quantity: active_power, kind: gauge, period_s: 5, episodes: [{{at: 2020-01-01T00:00:00Z, ct: 10, pt: 2}}]}}
  - device: m1
    name: {{zh: 一号表, en: Meter 1}}
    profile: generic
    source: agent
    tenant: shop
    points:
      - {{quantity: active_energy_import, kind: counter, period_s: 900, flow: sub_meter}}
      - {{quantity: active_power, kind: gauge, period_s: 5}}
  - device: boiler
    name: {{zh: 锅炉, en: Boiler}}
    profile: generic
    source: agent
    points:
      - {{quantity: gas_volume_base, kind: counter, period_s: 900, flow: fuel}}
"""
# 2026-11-21T00:00:00Z is 08:00 local: 32 quarters since midnight.
FIRST_MS = NOW_MS - 2 * DAY_MS


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    await opened.apply(DOCUMENT)
    await opened.database.execute(
        "insert into api_token (digest, label, role) values (sha256($1), 'test', 'admin')", TOKEN.encode()
    )
    yield opened
    await opened.database.close()


async def fill(ingest: Ingest, sender: Sender) -> None:
    """Two days of registers: gate 2 kWh (x 20) a quarter, meter 39 kWh, gas 1 Nm3; then live power."""
    count = 2 * 96 + 1
    rows = counter_rows("gate/active_energy_import", FIRST_MS, [100 + 2 * n for n in range(count)])
    rows += counter_rows("gate/active_energy_export", FIRST_MS, [7.0] * count)
    rows += counter_rows("m1/active_energy_import", FIRST_MS, [39 * n for n in range(count)])
    rows += counter_rows("boiler/gas_volume_base", FIRST_MS, [5 + n for n in range(count)])
    rows += counter_rows("gate/active_power", NOW_MS - 1000, [8.0])
    rows += counter_rows("m1/active_power", NOW_MS - 1000, [156.0])
    await ingest.commit(sender.batch(rows))
    recomputer = Recomputer(ingest.writer, ingest.clock)
    while await recomputer.step():
        pass


async def test_registers_come_out_as_figures(ingest: Ingest, database_url: str) -> None:
    assert TOKEN in TOKENS
    await fill(ingest, Sender())
    app = create_app(settings_for(database_url), SceneClock(NOW_MS))
    async with serving(app, token=TOKEN) as client:
        now = (await client.get(f"{BASE}/now")).json()
        figures = now["figures"]
        assert figures["load"]["value"] == 8 * 20
        assert figures["load"]["peak_today_kw"] == pytest.approx(160)
        assert figures["energy_today"]["value"] == 32 * 40
        assert figures["energy_today"]["cost"] == 32 * 40 * 0.5
        assert figures["emission_rate"]["parts"]["electricity"] == pytest.approx(160 * 0.5827)
        assert figures["emission_rate"]["parts"]["gas"] == pytest.approx(4 * 2.1621, rel=0.01)
        assert figures["emission_rate"]["averaged"] == ["gas"]
        assert figures["completeness"]["value"] == 100
        assert now["tenants"][0]["power_kw"] == 156
        assert now["tenants"][0]["energy_today_kwh"] == 32 * 39
        assert now["devices"] == {"ok": 3, "silent": 0, "error": 0, "files": 0}
        await _agrees_to_the_last_digit(client, figures["emissions_today"]["value"])


async def _agrees_to_the_last_digit(client: httpx.AsyncClient, today_kg: float) -> None:
    """Page, series in every step and inventory read the same intervals."""
    span = {"metric": "co2e_kg", "from": "2026-11-19T00:00:00Z", "to": "2026-11-21T00:00:00Z"}
    totals = {}
    for step in ("15m", "1h", "1d", "1mo"):
        body = (await client.get(f"{BASE}/series", params=span | {"step": step})).json()
        values = [value for value in body["groups"][0]["values"] if value is not None]
        totals[step] = round(sum(values), 9)
        if step == "1d":
            assert values[-1] == today_kg
    assert len(set(totals.values())) == 1, totals
    inventory = (await client.get(f"{BASE}/inventory", params={"month": "2026-11"})).json()
    scope1, location = inventory["scopes"][0]["co2e_kg"], inventory["scopes"][1]["co2e_kg"]
    assert round(scope1 + location, 9) == totals["1mo"]
    assert inventory["energy"]["grid_import_kwh"] == 2 * 96 * 40
    assert not any("another factor" in warning for warning in inventory["warnings"])


async def test_a_commit_is_an_event(ingest: Ingest, database_url: str) -> None:
    sender = Sender()
    await fill(ingest, sender)
    app = create_app(settings_for(database_url), SceneClock(NOW_MS + 5000))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        listening(app) as base,
        httpx.AsyncClient(base_url=base, headers=headers, timeout=20, trust_env=False) as client,
        client.stream("GET", f"{BASE}/live") as response,
    ):
        lines = response.aiter_lines()

        async def load() -> float | None:
            async with asyncio.timeout(15):
                async for line in lines:
                    if line.startswith('data: {"park"'):
                        return float(json.loads(line.removeprefix("data: "))["figures"]["load"]["value"])
            return None

        assert await load() == 160
        await ingest.commit(sender.batch(counter_rows("gate/active_power", NOW_MS + 4000, [9.5])))
        assert await load() == 190


async def test_a_late_register_changes_the_past(ingest: Ingest, database_url: str) -> None:
    """A gap is not zero: it is known once the next register is, and shown as interpolated."""
    sender = Sender()
    rows = counter_rows("gate/active_energy_import", FIRST_MS, [0.0, 2.0])
    await ingest.commit(sender.batch(rows))
    app = create_app(settings_for(database_url), SceneClock(NOW_MS))
    params = {"metric": "grid_import_kw", "from": "2026-11-19T00:00:00Z", "to": "2026-11-19T02:00:00Z"}
    async with serving(app, token=TOKEN) as client:
        before = (await client.get(f"{BASE}/series", params=params)).json()["groups"][0]
        assert before["values"] == [160.0] + [None] * 7
        await ingest.commit(sender.batch(counter_rows("gate/active_energy_import", FIRST_MS + 8 * QUARTER_MS, [9.0])))
        recomputer = Recomputer(ingest.writer, ingest.clock)
        while await recomputer.step():
            pass
        after = (await client.get(f"{BASE}/series", params=params)).json()["groups"][0]
        assert after["values"] == pytest.approx([160.0] + [80.0] * 7)
        assert after["method"] == ["measured"] + ["interpolated"] * 7
