"""Real database servers for tests: one of each kind a session, a migrated template, a clone for each test.

A URL in PARKCARBON_TEST_POSTGRES_URL or PARKCARBON_TEST_TIMESCALE_URL names a server to use (its user may create
databases); without one the embedded PostgreSQL and `deploy.local.timescale` are started. What cannot run is skipped
saying why, and fails under CI=true.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, LiteralString, TypeVar, cast
from urllib.parse import urlsplit, urlunsplit

import pytest

from deploy.local.stack import free_port
from deploy.local.timescale import NoTimescaleError, start_timescale
from ingest.migrate import migrate
from parkcarbon.kit.db import Database, DatabaseError

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end from synchronous code, whether or not a loop runs in this thread."""
    box: list[T] = []
    failed: list[BaseException] = []

    def target() -> None:
        try:
            box.append(asyncio.run(work()))
        except BaseException as error:  # noqa: BLE001 - handed to the caller
            failed.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return box[0]


def with_database(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, parts.fragment))


class NoServerError(Exception):
    """A server could not be run; the message says why."""


class Server:
    """A server with a migrated template database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._template: str | None = None

    async def _execute(self, *statements: LiteralString) -> None:
        async with await Database.connect(self.url, max_size=1) as database:
            for statement in statements:
                await database.execute(statement)

    def empty(self) -> str:
        """Create an empty database and return its URL."""
        name = f"test_{secrets.token_hex(6)}"
        run(lambda: self._execute(f"create database {name} template template0"))
        return with_database(self.url, name)

    def clone(self) -> str:
        """Create a migrated database and return its URL."""
        if self._template is None:
            url = self.empty()
            run(lambda: _migrate(url))
            self._template = urlsplit(url).path[1:]
        name = f"test_{secrets.token_hex(6)}"
        template = self._template
        run(lambda: self._execute(f"create database {name} template {template}"))
        return with_database(self.url, name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever still uses it."""
        name = urlsplit(url).path[1:]
        run(lambda: self._execute(f"drop database if exists {name} with (force)"))


async def _migrate(url: str) -> None:
    async with await Database.connect(url, max_size=1) as database:
        await migrate(database)


async def _answers(url: str) -> None:
    async with await Database.connect(url, max_size=1):
        pass


@contextmanager
def run_postgres() -> Iterator[Server]:
    """Run an embedded PostgreSQL, or use the one that is given.

    Raises:
        NoServerError: it does not come up.
    """
    if url := os.environ.get("PARKCARBON_TEST_POSTGRES_URL"):
        yield Server(url)
        return
    folder = Path(tempfile.mkdtemp(prefix="parkcarbon-pg-"))
    port = free_port()
    command = [sys.executable, "-m", "deploy.local.postgres", "--data", str(folder / "data"), "--port", str(port)]
    with (folder / "log").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                run(lambda: _answers(url))
                break
            except DatabaseError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    text = (folder / "log").read_text(errors="replace")
                    raise NoServerError(f"no embedded PostgreSQL: {error}\n{text[-2000:]}") from error
                time.sleep(0.1)
        yield Server(url)
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def run_timescale() -> Iterator[Server]:
    """Run a TimescaleDB, or use the one that is given.

    Raises:
        NoServerError: there is no way to run one here.
    """
    if url := os.environ.get("PARKCARBON_TEST_TIMESCALE_URL"):
        yield Server(url)
        return
    try:
        with start_timescale(ROOT / ".servers" / "timescale") as url:
            yield Server(url)
    except NoTimescaleError as error:
        raise NoServerError(f"no TimescaleDB: {error}") from error


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Plain PostgreSQL."""
    with _or_unavailable(run_postgres()) as server:
        yield server


@pytest.fixture(scope="session")
def timescale_server() -> Iterator[Server]:
    """PostgreSQL with TimescaleDB."""
    with _or_unavailable(run_timescale()) as server:
        yield server


@contextmanager
def _or_unavailable(running: AbstractContextManager[Server]) -> Iterator[Server]:
    """Skip, or fail under CI, where a server does not come up."""
    try:
        server = running.__enter__()
    except NoServerError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
    try:
        yield server
    finally:
        running.__exit__(None, None, None)


@pytest.fixture(
    params=[
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("timescale", marks=pytest.mark.timescale),
    ]
)
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two stores in turn."""
    return cast("Server", request.getfixturevalue(f"{request.param}_server"))


@pytest.fixture
def database_url(server: Server) -> Iterator[str]:
    """A migrated database of its own on each of the two stores."""
    url = server.clone()
    yield url
    server.drop(url)


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """A migrated database of its own on plain PostgreSQL, for tests that need only one store."""
    url = postgres_server.clone()
    yield url
    postgres_server.drop(url)
