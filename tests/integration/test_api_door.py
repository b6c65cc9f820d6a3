"""Who gets in: everything is closed by default, by bearer token or cookie, and a revoked token is refused soon."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute

from api import auth
from api.app import create_app
from api.auth import is_open
from parkcarbon.kit.db import Database
from tests.fakes.api_client import SceneClock, serving, settings_for
from tests.fakes.api_park import write_park

pytestmark = pytest.mark.postgres
NOW = "/api/v1/parks/demo/now"
SESSION = "/api/v1/session"
OPEN = {("GET", "/healthz"), ("GET", "/readyz"), ("POST", SESSION), ("DELETE", SESSION)}


@pytest.fixture
def app(park_url: str) -> FastAPI:
    return create_app(settings_for(park_url), SceneClock())


@pytest.fixture
async def nobody(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(app, token=None) as client:
        yield client


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    found = []
    for route in app.openapi()["paths"].items():
        path, methods = route
        found += [(method.upper(), path.replace("{park}", "demo")) for method in methods]
    return found


async def test_every_route_but_the_open_ones_is_closed(app: FastAPI, nobody: httpx.AsyncClient) -> None:
    routes = routes_of(app)
    assert len(routes) >= 12
    for method, path in routes:
        response = await nobody.request(method, path, json={} if method == "POST" else None)
        if (method, path) in OPEN:
            assert response.status_code != 401, path
        else:
            assert response.status_code == 401, (method, path)
            assert response.headers["www-authenticate"].startswith("Bearer")
            assert response.headers["content-type"] == "application/problem+json"


def leaves(routes: Sequence[BaseRoute]) -> Iterator[BaseRoute]:
    """Every route, those of included routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from leaves(inner.routes)


def test_no_route_hides_from_the_list(app: FastAPI) -> None:
    """Routes outside OpenAPI are the web app's files and the document itself, and only GET and HEAD."""
    listed = {path for _, path in routes_of(app)}
    found = list(leaves(app.routes))
    assert len(found) >= 14
    hidden = [route for route in found if str(getattr(route, "path", "")).replace("{park}", "demo") not in listed]
    assert {getattr(route, "path", None) for route in hidden} == {"/{path:path}", "/api/v1/openapi.json"}
    for route in hidden:
        assert set(getattr(route, "methods", None) or ()) == {"GET", "HEAD"}


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/v1/nothing", "/api", "/api/", "/metrics"])
async def test_unknown_and_hidden_paths_below_api_are_closed(nobody: httpx.AsyncClient, path: str) -> None:
    assert (await nobody.get(path)).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", True),
        ("GET", "/assets/app.js", True),
        ("POST", "/", False),
        ("PUT", "/api/v1/session", False),
        ("GET", "/api/v1/session", False),
        ("GET", "/metrics", False),
        ("GET", "/healthz", True),
        ("GET", "/api/v1/parks", False),
    ],
)
def test_open_list(method: str, path: str, *, expected: bool) -> None:
    assert is_open(method, path) is expected


async def test_metrics_are_open_to_this_machine_only(app: FastAPI) -> None:
    async with app.router.lifespan_context(app):
        near = httpx.ASGITransport(app=app, client=("127.0.0.1", 4000))
        async with httpx.AsyncClient(transport=near, base_url="http://park.test") as client:
            response = await client.get("/metrics")
            assert response.status_code == 200
            assert "parkcarbon_api_database_up 1.0" in response.text
            proxied = await client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
            assert proxied.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong-token-123"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic dmlld2VyLXRva2VuLTAx"},
        {"Authorization": "viewer-token-01"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Authorization": "Bearer tök\xe9n-\xff-123456"},
        {"Cookie": "parkcarbon_session=wrong-token-123"},
        {"Cookie": "parkcarbon_session="},
    ],
)
async def test_bad_credentials(nobody: httpx.AsyncClient, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    response = await nobody.get(NOW, headers=raw)
    assert response.status_code == 401


async def test_a_token_in_the_address_opens_nothing(nobody: httpx.AsyncClient) -> None:
    for name in ("token", "access_token", "parkcarbon_session"):
        assert (await nobody.get(NOW, params={name: "viewer-token-01"})).status_code == 401


async def test_a_token_buys_a_cookie(nobody: httpx.AsyncClient) -> None:
    response = await nobody.post(SESSION, json={"token": "walled-token-01"})
    assert response.status_code == 200
    assert response.json() == {"label": "wall of the tests", "role": "wall", "person": "", "park": "demo"}
    cookie = response.headers["set-cookie"]
    assert {"httponly", "samesite=strict", "path=/api"} <= {part.strip().lower() for part in cookie.split(";")}
    assert "secure" not in cookie.lower()  # plain HTTP; see below
    assert (await nobody.get(NOW)).status_code == 200
    assert (await nobody.get(SESSION)).json()["role"] == "wall"
    assert (await nobody.delete(SESSION, headers={"Sec-Fetch-Site": "same-origin"})).status_code == 204
    assert (await nobody.get(NOW)).status_code == 401


async def test_the_cookie_is_secure_over_tls(app: FastAPI) -> None:
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="https://park.test") as client:
            response = await client.post(SESSION, json={"token": "viewer-token-01"})
            assert "secure" in response.headers["set-cookie"].lower()


async def test_an_unknown_token_buys_nothing(nobody: httpx.AsyncClient) -> None:
    response = await nobody.post(SESSION, json={"token": "no-such-token"})
    assert response.status_code == 401
    assert "set-cookie" not in response.headers
    assert "no-such-token" not in response.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Sec-Fetch-Site": "none"}, 204),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://park.test"}, 204),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://park.test", "Sec-Fetch-Site": "cross-site"}, 403),
        ({}, 403),
    ],
)
async def test_another_site_cannot_use_the_cookie(
    nobody: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    cookie = {"Cookie": "parkcarbon_session=viewer-token-01"}
    assert (await nobody.delete(SESSION, headers=headers | cookie)).status_code == status


async def test_a_token_of_one_park_opens_no_other(postgres_url: str) -> None:
    await write_park(postgres_url, data=False)
    await write_park(postgres_url, park="other", data=False)
    app = create_app(settings_for(postgres_url), SceneClock())
    async with serving(app, token="walled-token-01") as client:
        assert [item["park"] for item in (await client.get("/api/v1/parks")).json()["parks"]] == ["demo"]
        for path in ("now", "devices", "live", "working?figure=load", "inventory?month=2026-01"):
            for name in ("other", "absent"):
                assert (await client.get(f"/api/v1/parks/{name}/{path}")).status_code == 403, path
        series = "series?metric=load_kw&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"
        assert (await client.get(f"/api/v1/parks/other/{series}")).status_code == 403
    async with serving(app) as client:
        assert (await client.get("/api/v1/parks/absent/now")).status_code == 404
        assert (await client.get("/api/v1/parks/other/now")).status_code == 200


async def test_a_revoked_token_is_refused(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "CACHE_S", 0.2)
    await write_park(postgres_url, data=False)
    async with serving(create_app(settings_for(postgres_url), SceneClock())) as client:
        assert (await client.get(NOW)).status_code == 200
        async with await Database.connect(postgres_url, max_size=1) as database:
            await database.execute(
                "update api_token set revoked_at = now() where digest = $1", hashlib.sha256(b"viewer-token-01").digest()
            )
        async with asyncio.timeout(5):
            while (await client.get(NOW)).status_code != 401:
                await asyncio.sleep(0.02)


def test_revocation_takes_seconds() -> None:
    assert auth.CACHE_S <= 2
