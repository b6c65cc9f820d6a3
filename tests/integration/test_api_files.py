"""A meter that comes from files beside live ones: a state of its own, and no live figure waits for it."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from parkcarbon.kit.db import Database
from tests.fakes import api_park as park
from tests.fakes.api_client import SceneClock, serving, settings_for

pytestmark = pytest.mark.postgres
BASE = "/api/v1/parks/demo"
LATE = "canteen/active_energy_import"
LAST = dt.datetime(2026, 10, 31, 16, tzinfo=dt.UTC)


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    await park.write_park(database_url)
    async with await Database.connect(database_url, max_size=1) as database, database.transaction() as session:
        await session.execute("insert into source (park_id, source, kind) values ('demo', 'import-1', 'import')")
        device_id = await session.fetchval(
            "insert into device (park_id, device, profile, source, name_zh, name_en, bus, position)"
            " values ('demo', 'canteen', 'interval-file', 'import-1', '食堂', 'Canteen', '', 99) returning device_id"
        )
        point_id = await session.fetchval(
            "insert into point (park_id, device_id, point, quantity, kind, unit, carrier, flow, period_ms)"
            " values ('demo', $1, $2, 'active_energy_import', 'counter', 'kWh', 'electricity', 'import', 900000)"
            " returning point_id",
            device_id,
            LATE,
        )
        await session.execute(
            "insert into point_state (point_id, last_time, last_value, last_quality) values ($1, $2, 88120, 6)",
            point_id,
            LAST,
        )
    async with serving(create_app(settings_for(database_url), SceneClock())) as found:
        yield found


async def get(client: httpx.AsyncClient, path: str) -> Any:
    response = await client.get(f"{BASE}{path}")
    assert response.status_code == 200, response.text
    return response.json()


async def test_live_figures_do_not_wait_for_files(client: httpx.AsyncClient) -> None:
    now = await get(client, "/now")
    expected = park.power_kw("gate", park.RUNNING_MS) + park.power_kw("pv-1", park.RUNNING_MS)
    assert now["figures"]["load"]["value"] == pytest.approx(expected)
    assert now["figures"]["load"]["from_files"] == now["figures"]["emission_rate"]["from_files"] == [LATE]
    assert now["figures"]["emission_rate"]["value"] is not None
    assert now["devices"] == {"ok": 8, "silent": 0, "error": 0, "files": 1}


@pytest.mark.parametrize("figure", ["load", "emission_rate"])
async def test_the_working_names_what_is_not_in_the_figure(client: httpx.AsyncClient, figure: str) -> None:
    working = await get(client, f"/working?figure={figure}")
    assert f"{LATE} comes from files: it is not in this live figure" in working["notes"]
    assert LATE not in {term["point"] for term in working["terms"]}


async def test_its_device_tells_when_the_newest_file_ends(client: httpx.AsyncClient) -> None:
    devices = {device["device"]: device for device in (await get(client, "/devices"))["devices"]}
    assert (devices["canteen"]["state"], devices["canteen"]["last_seen"]) == ("files", "2026-10-31T16:00:00Z")
    assert devices["gate"]["state"] == "ok"
