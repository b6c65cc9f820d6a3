"""The live stream on a real server: what is committed comes out soon, computed once, and streams end with it."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from api import auth, hub, route_stream
from api.app import create_app
from parkcarbon.kit.db import Database
from tests.fakes import api_park as park
from tests.fakes.api_client import VIEWER, SceneClock, listening, settings_for

pytestmark = pytest.mark.postgres
LIVE = "/api/v1/parks/demo/live"


@pytest.fixture
async def writable(postgres_url: str) -> AsyncIterator[tuple[str, Database]]:
    await park.write_park(postgres_url)
    async with await Database.connect(postgres_url, max_size=1) as database:
        yield postgres_url, database


async def commit(database: Database, solar_kw: float) -> None:
    """What a pool of ingest does last."""
    async with database.transaction() as session:
        await session.execute(
            "update point_state s set last_value = $1 from point p where p.point_id = s.point_id and p.point = $2",
            solar_kw,
            "pv-1/active_power",
        )
        await session.execute("select pg_notify('parkcarbon_live', 'demo')")


class Events:
    """Events of a stream, as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self, kind: str = "now") -> dict[str, Any]:
        """The next event of a kind: its id and data."""
        async with asyncio.timeout(15):
            event: dict[str, str] = {}
            async for line in self._lines:
                if line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                elif event.get("event") == kind:
                    return {"id": event.get("id"), "data": json.loads(event["data"])}
                else:
                    event = {}
        raise AssertionError("the stream ended")

    async def end(self) -> None:
        """Read until the server closes the stream."""
        async with asyncio.timeout(15):
            async for _ in self._lines:
                pass


@asynccontextmanager
async def stream(
    base: str, token: str = VIEWER, headers: dict[str, str] | None = None
) -> AsyncIterator[tuple[httpx.Response, Events]]:
    send = {"Authorization": f"Bearer {token}", **(headers or {})}
    async with (
        httpx.AsyncClient(base_url=base, timeout=20, trust_env=False) as client,
        client.stream("GET", LIVE, headers=send) as response,
    ):
        yield response, Events(response)


async def test_state_at_once_then_each_change(writable: tuple[str, Database]) -> None:
    url, database = writable
    async with listening(create_app(settings_for(url), SceneClock())) as base, stream(base) as (response, events):
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        first = await events.next()
        assert first["data"]["figures"]["pv"]["generation_kw"] == 100
        await asyncio.sleep(1.1)  # the second of the first event is over
        started_s = time.perf_counter()
        await commit(database, 87.5)
        second = await events.next()
        assert time.perf_counter() - started_s < 0.7
        assert second["data"]["figures"]["pv"]["generation_kw"] == 87.5
        assert second["data"]["figures"]["load"]["value"] == pytest.approx(
            park.power_kw("gate", park.RUNNING_MS) + 87.5
        )
        assert second["id"] != first["id"]


async def test_at_most_one_event_a_second(writable: tuple[str, Database]) -> None:
    url, database = writable
    async with listening(create_app(settings_for(url), SceneClock())) as base, stream(base) as (_, events):
        await events.next()
        await asyncio.sleep(1.1)
        times = []
        for burst in range(3):
            for part in range(10):
                await commit(database, 50.0 + burst + part / 100)
            while True:
                event = await events.next()
                if event["data"]["figures"]["pv"]["generation_kw"] == 50.09 + burst:
                    times.append(time.perf_counter())
                    break
        assert times[-1] - times[0] > 1.8


async def test_clients_share_one_computation(writable: tuple[str, Database]) -> None:
    url, database = writable
    app = create_app(settings_for(url), SceneClock())
    async with listening(app) as base:
        streams = [stream(base) for _ in range(15)]
        opened = [await item.__aenter__() for item in streams]
        for _, events in opened:
            await events.next()
        await asyncio.sleep(1.1)
        before = app.state.core.hub.channel("demo").latest.number
        computed = _count(app)
        await commit(database, 66.0)
        bodies = [await events.next() for _, events in opened]
        assert {body["data"]["figures"]["pv"]["generation_kw"] for body in bodies} == {66.0}
        assert app.state.core.hub.channel("demo").latest.number == before + 1
        assert _count(app) - computed <= 2
        for item in streams:
            await item.__aexit__(None, None, None)
        async with asyncio.timeout(5):
            while app.state.core.metrics.streams._value.get():
                await asyncio.sleep(0.02)


def _count(app: Any) -> float:
    text = app.state.core.metrics.text().decode()
    return float(next(line.split()[1] for line in text.splitlines() if "now_seconds_count" in line))


async def test_ping(writable: tuple[str, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    assert route_stream.PING_S == 10
    monkeypatch.setattr(route_stream, "PING_S", 0.2)
    url, _ = writable
    async with listening(create_app(settings_for(url), SceneClock())) as base, stream(base) as (_, events):
        await events.next("ping")
        await events.next("ping")


async def test_a_reconnecting_client_is_not_told_twice(writable: tuple[str, Database]) -> None:
    url, database = writable
    async with listening(create_app(settings_for(url), SceneClock())) as base:
        async with stream(base) as (_, events):
            last = await events.next()
        async with stream(base, headers={"Last-Event-ID": last["id"]}) as (_, events):
            await asyncio.sleep(1.1)
            await commit(database, 12.25)
            assert (await events.next())["data"]["figures"]["pv"]["generation_kw"] == 12.25
        async with stream(base, headers={"Last-Event-ID": "of-another-process"}) as (_, events):
            assert (await events.next())["data"]["figures"]["pv"]["generation_kw"] == 12.25


async def test_a_revoked_token_ends_its_stream(writable: tuple[str, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "CACHE_S", 0.1)
    monkeypatch.setattr(route_stream, "CHECK_S", 0.2)
    url, database = writable
    async with listening(create_app(settings_for(url), SceneClock())) as base, stream(base) as (_, events):
        await events.next()
        digest = hashlib.sha256(VIEWER.encode()).digest()
        await database.execute("update api_token set revoked_at = now() where digest = $1", digest)
        await events.end()


async def test_streams_are_bounded(writable: tuple[str, Database]) -> None:
    url, _ = writable
    app = create_app(settings_for(url), SceneClock())
    app.state.core.hub._max_streams = 1
    async with listening(app) as base, stream(base) as (_, events):
        await events.next()
        async with stream(base) as (response, _):
            assert response.status_code == 503
            assert response.headers["retry-after"] == "10"


async def test_stopping_ends_every_stream_quickly(writable: tuple[str, Database]) -> None:
    url, _ = writable
    started_s = 0.0
    async with stream_until_closed(url) as events:
        await events.next()
        started_s = time.perf_counter()
    assert time.perf_counter() - started_s < 4


@asynccontextmanager
async def stream_until_closed(url: str) -> AsyncIterator[Events]:
    """A stream whose server stops while it is open."""
    serving = listening(create_app(settings_for(url), SceneClock()))
    base = await serving.__aenter__()
    async with stream(base) as (_, events):
        yield events
        await serving.__aexit__(None, None, None)
        await events.end()


async def test_meters_fall_silent_without_a_notification(
    writable: tuple[str, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "IDLE_PERIOD_S", 1.2)
    url, _ = writable
    clock = SceneClock()
    async with listening(create_app(settings_for(url), clock)) as base, stream(base) as (_, events):
        first = await events.next()
        assert first["data"]["devices"] == {"ok": 8, "silent": 0, "error": 0, "files": 0}
        clock.wall_ms += 45_000
        after = await events.next()
        assert after["data"]["devices"] == {"ok": 1, "silent": 7, "error": 0, "files": 0}  # gas reads every 15 min
        assert after["data"]["figures"]["load"]["value"] is None
        assert after["data"]["figures"]["energy_today"]["value"] == first["data"]["figures"]["energy_today"]["value"]


async def test_a_change_of_the_park_is_seen(writable: tuple[str, Database]) -> None:
    url, database = writable
    async with listening(create_app(settings_for(url), SceneClock())) as base, stream(base) as (_, events):
        await events.next()
        await asyncio.sleep(1.1)
        await database.execute("update tenant set name_en = 'Renamed' where tenant = 'cold'")
        await database.execute("select pg_notify('parkcarbon_config', 'demo')")
        assert (await events.next())["data"]["tenants"][1]["name"]["en"] == "Renamed"
