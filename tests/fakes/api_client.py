"""Clients of the API in this process, on a database with the park of `api_park`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from parkcarbon.kit.clock import SystemClock

from .api_park import NOW_MS, write_park
from .postgres import Server, run

if TYPE_CHECKING:  # this file is a plugin of every test session: the API is loaded by those that use it
    import httpx
    from fastapi import FastAPI

    from api.settings import Settings

VIEWER = "viewer-token-01"
EDITOR = "editor-token-01"  # the energy manager
APPROVER = "approver-token-1"  # the reviewer
SECOND_APPROVER = "approver-token-2"  # the second reviewer
AUDITOR = "auditor-token-01"
WALL = "walled-token-01"


class SceneClock(SystemClock):
    """The wall clock of the scene; it stands until it is moved. Monotonic time runs."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.wall_ms = now_ms

    def now_ms(self) -> int:
        """Return wall time [ms UTC]."""
        return self.wall_ms


def settings_for(url: str, web_dist: Path = Path("/nonexistent")) -> "Settings":
    """Settings of an API on this database."""
    from api.settings import Settings

    return Settings(database_url=url, port=0, web_dist=web_dist)


@asynccontextmanager
async def serving(app: "FastAPI", token: str | None = VIEWER) -> AsyncIterator["httpx.AsyncClient"]:
    """A client of a started application, in this process."""
    import httpx

    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=("192.0.2.7", 5000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://park.test", headers=headers) as client,
    ):
        yield client


@asynccontextmanager
async def listening(app: "FastAPI") -> AsyncIterator[str]:
    """Serve an application on a free port of this machine; yields its address."""
    import uvicorn

    from api.commands import Server as ApiServer

    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False, ws="none")
    server = ApiServer(config, app.state.core)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(20):
            while not server.started:
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@pytest.fixture(scope="session")
def park_url(postgres_server: Server) -> Iterator[str]:
    """A database with the park, for tests that only read."""
    url = postgres_server.clone()
    run(lambda: write_park(url))
    yield url
    postgres_server.drop(url)


@pytest.fixture
async def park_client(park_url: str) -> AsyncIterator["httpx.AsyncClient"]:
    """A signed-in client of the API at the moment of the scene."""
    from api.app import create_app

    async with serving(create_app(settings_for(park_url), SceneClock())) as client:
        yield client
