"""Bad input: refused with a problem that says what is wrong, never with a fault."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.settings import Settings
from tests.fakes.api_client import SceneClock, serving, settings_for
from tests.fakes.api_park import write_park

pytestmark = pytest.mark.postgres
BASE = "/api/v1/parks/demo"
GOOD = {"metric": "load_kw", "from": "2026-11-20T00:00:00Z", "to": "2026-11-20T06:00:00Z", "step": "15m"}


def is_problem(response: httpx.Response, status: int) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["title"]
    assert "Traceback" not in response.text
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "watts"},
        {"metric": ""},
        {"step": "5m"},
        {"step": "1w"},
        {"group_by": "colour"},
        {"from": "yesterday"},
        {"from": "2026-11-20T00:00:00"},  # no offset
        {"from": "2026-11-20"},
        {"from": "1969-12-31T23:59:59Z"},
        {"to": "2100-01-02T00:00:00Z"},
        {"from": "9999-12-31T23:59:59Z"},
        {"from": "0001-01-01T00:00:00Z"},
        {"from": "1e400"},
        {"from": "NaN"},
        {"from": "-99999999999999"},
        {"from": "2026-11-20T06:00:00Z"},  # equal to `to`
        {"from": "2026-11-21T06:00:00Z"},  # after `to`
        {"from": "2026-01-01T00:00:00Z"},  # 15m over 400 days: too many
        {"from": "2026-04-20T00:00:00Z", "group_by": "device", "metric": "completeness_pct"},
        {"metric": "unmetered_kw", "group_by": "tenant"},
        {"metric": "self_consumption_pct", "group_by": "flow"},
        {"stepp": "1h"},
        {"token": "viewer-token-01"},
    ],
)
async def test_series_out_of_bounds(park_client: httpx.AsyncClient, change: dict[str, str]) -> None:
    response = await park_client.get(f"{BASE}/series", params=GOOD | change)
    body = is_problem(response, 422)
    assert body.get("detail")


@pytest.mark.parametrize("name", ["metric", "from", "to"])
async def test_series_needs_its_parameters(park_client: httpx.AsyncClient, name: str) -> None:
    params = {key: value for key, value in GOOD.items() if key != name}
    body = is_problem(await park_client.get(f"{BASE}/series", params=params), 422)
    assert name in str(body["errors"])


@pytest.mark.parametrize("step", ["15m", "1h", "1d", "1mo"])
async def test_the_longest_ranges_are_answered_or_refused(park_client: httpx.AsyncClient, step: str) -> None:
    params = GOOD | {"step": step, "from": "1970-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    response = await park_client.get(f"{BASE}/series", params=params)
    assert response.status_code in (200, 422)
    if response.status_code == 200:
        assert len(response.json()["starts"]) <= 20_000


@pytest.mark.parametrize(
    "month",
    [
        "2026-13",
        "2026-00",
        "2026",
        "2026-1",
        "26-01",
        "2026-11-01",
        "",
        "1969-12",
        "2100-01",
        "２０２６-01",
        "2026-11 ",
    ],
)
async def test_not_a_month(park_client: httpx.AsyncClient, month: str) -> None:
    is_problem(await park_client.get(f"{BASE}/inventory", params={"month": month}), 422)


async def test_a_month_to_come(park_client: httpx.AsyncClient) -> None:
    body = is_problem(await park_client.get(f"{BASE}/inventory", params={"month": "2026-12"}), 422)
    assert "had not begun" in str(body["detail"])


@pytest.mark.parametrize("figure", ["", "rate", "load; drop table park", "🌡"])
async def test_not_a_figure(park_client: httpx.AsyncClient, figure: str) -> None:
    is_problem(await park_client.get(f"{BASE}/working", params={"figure": figure}), 422)


@pytest.mark.parametrize("park", ["DEMO", "..", "a" * 64, "demo'--", "%00", "演示", "demo "])
async def test_not_a_park_name(park_client: httpx.AsyncClient, park: str) -> None:
    response = await park_client.get(f"/api/v1/parks/{park}/now")
    assert response.status_code in (404, 422)
    is_problem(response, response.status_code)


async def test_unknown_park(park_client: httpx.AsyncClient) -> None:
    for path in ("now", "devices", "live", "inventory?month=2026-01", "working?figure=load"):
        is_problem(await park_client.get(f"/api/v1/parks/absent/{path}"), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", f"{BASE}/now"), ("DELETE", f"{BASE}/series"), ("PUT", "/api/v1/parks"), ("PATCH", "/api/v1/session")],
)
async def test_wrong_method(park_client: httpx.AsyncClient, method: str, path: str) -> None:
    is_problem(await park_client.request(method, path), 405)


async def test_unknown_route(park_client: httpx.AsyncClient) -> None:
    is_problem(await park_client.get("/api/v1/nothing"), 404)
    is_problem(await park_client.get("/api/v2/parks"), 404)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'"token"', b'{"token": 1}', b'{"token": "short"}', b'{"token": "%s"}' % (b"x" * 201)],
)
async def test_bad_sign_in(park_client: httpx.AsyncClient, body: bytes) -> None:
    response = await park_client.post("/api/v1/session", content=body, headers={"Content-Type": "application/json"})
    is_problem(response, 422)


async def test_unexpected_member_in_sign_in(park_client: httpx.AsyncClient) -> None:
    is_problem(await park_client.post("/api/v1/session", json={"token": "viewer-token-01", "admin": True}), 422)


async def test_a_large_body_is_refused(park_client: httpx.AsyncClient) -> None:
    big = b'{"token": "' + b"x" * 100_000 + b'"}'
    is_problem(await park_client.post("/api/v1/session", content=big), 413)

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1000

    headers = {"Content-Type": "application/json"}
    is_problem(await park_client.post("/api/v1/session", content=drip(), headers=headers), 413)


async def test_security_headers(park_client: httpx.AsyncClient) -> None:
    for path in ("/", f"{BASE}/now", "/healthz", "/api/v1/nothing"):
        headers = (await park_client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "connect-src 'self'" in policy
        assert "http:" not in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers
    assert (await park_client.get(f"{BASE}/now")).headers["cache-control"] == "no-store"


async def test_without_a_database_it_lives_and_says_so(tmp_path: Path) -> None:
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/none", port=0, web_dist=tmp_path)
    async with serving(create_app(settings, SceneClock())) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["database"] is False
        response = await client.get(f"{BASE}/now")
        is_problem(response, 503)
        assert response.headers["retry-after"]


async def test_without_a_schema_it_is_not_ready(postgres_server: object, tmp_path: Path) -> None:
    from tests.fakes.postgres import Server

    assert isinstance(postgres_server, Server)
    url = postgres_server.empty()
    try:
        async with serving(create_app(settings_for(url, tmp_path), SceneClock())) as client:
            ready = await client.get("/readyz")
            assert ready.status_code == 503
            assert ready.json() == {
                "ready": False,
                "database": True,
                "schema_present": False,
                "data_age_s": None,
                "detail": "the schema is not there yet: run `python -m ingest migrate`",
            }
    finally:
        postgres_server.drop(url)


async def test_an_empty_park_has_no_numbers(postgres_url: str) -> None:
    await write_park(postgres_url, data=False)
    async with serving(create_app(settings_for(postgres_url), SceneClock())) as client:
        assert (await client.get("/api/v1/parks")).json()["parks"][0]["empty"] is True
        now = (await client.get(f"{BASE}/now")).json()
        assert now["data_as_of"] is None
        figures = now["figures"]
        for name in ("emission_rate", "load", "energy_today", "emissions_today", "pv"):
            assert figures[name]["value"] is None, name
            assert set(figures[name]["spark"]) == {None}
        assert figures["completeness"]["value"] == 0
        assert now["flow"]["edges"] == []
        assert now["devices"] == {"ok": 0, "silent": 8, "error": 0, "files": 0}
        devices = (await client.get(f"{BASE}/devices")).json()["devices"]
        assert {device["state"] for device in devices} == {"never"}
        series = await client.get(f"{BASE}/series", params=GOOD)
        assert set(series.json()["groups"][0]["values"]) == {None}
        assert (await client.get(f"{BASE}/inventory?month=2026-11")).status_code == 200


async def test_the_api_comes_back_with_its_database(postgres_server: object, tmp_path: Path) -> None:
    """Connections that the server ends are replaced; nothing needs a restart."""
    from parkcarbon.kit.db import Database
    from tests.fakes.postgres import Server

    assert isinstance(postgres_server, Server)
    url = postgres_server.clone()
    await write_park(url, data=False)
    try:
        async with serving(create_app(settings_for(url, tmp_path), SceneClock())) as client:
            assert (await client.get(f"{BASE}/now")).status_code == 200
            async with await Database.connect(postgres_server.url, max_size=1) as database:
                await database.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1",
                    "parkcarbon-api",
                )
            async with asyncio.timeout(10):
                while (await client.get(f"{BASE}/devices")).status_code != 200:
                    await asyncio.sleep(0.05)
    finally:
        postgres_server.drop(url)


async def test_random_input_is_answered_or_refused(park_client: httpx.AsyncClient) -> None:
    """Whatever comes in, no fault comes out."""
    rng = random.Random(7)
    words = [
        "load_kw",
        "1h",
        "2026-11",
        "2026-11-20T00:00:00Z",
        "",
        "\x00",
        "0",
        "-1",
        "1e309",
        "%",
        "'",
        "演示",
        "a" * 3000,
    ]
    names = ["metric", "from", "to", "step", "group_by", "month", "figure", "at", "x", "\x00"]
    paths = ["series", "inventory", "working", "now", "devices"]
    seen = set()
    for _ in range(400):
        params = {rng.choice(names): rng.choice(words) for _ in range(rng.randrange(6))}
        path = f"/api/v1/parks/{rng.choice(['demo', 'demo', 'demo', rng.choice(words) or 'x'])}/{rng.choice(paths)}"
        try:
            response = await park_client.get(path, params=params)
        except httpx.InvalidURL:
            continue
        seen.add(response.status_code)
        assert response.status_code in (200, 404, 422), (path, params, response.text)
    assert {200, 422} <= seen
