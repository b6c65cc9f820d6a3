"""The role of the dashboards reads schema `report` and can do nothing else."""

import secrets
import sys
from collections.abc import AsyncIterator
from typing import LiteralString
from urllib.parse import urlsplit, urlunsplit

import pytest

from dashboards.grafana import commands
from dashboards.grafana.role import make_role
from ingest.localdays import write_all_local_days
from parkcarbon.kit.db import Database, RejectedError
from tests.fakes.api_park import PARK, write_park


@pytest.fixture
async def role(database_url: str) -> AsyncIterator[str]:
    """Name of the role in this test: roles belong to the whole server."""
    name = f"report_{secrets.token_hex(4)}"
    await write_park(database_url)
    async with await Database.connect(database_url, max_size=1) as database:
        async with database.transaction() as session:
            await write_all_local_days(session)
        await make_role(database, name, "read only")
        yield name
        await database.execute("drop owned by " + name)
        await database.execute("drop role " + name)


def as_role(url: str, role: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{role}:read%20only@{parts.hostname}:{parts.port}"))


async def test_it_reads_the_views(database_url: str, role: str) -> None:
    async with await Database.connect(as_role(database_url, role), max_size=1) as reader:
        assert await reader.fetchval("select current_user") == role
        assert await reader.fetchval("select count(*) from report.balance_day where park = $1", PARK) == 10
        assert await reader.fetchval("select count(*) from report.health") == 1
        assert await reader.fetchval("show default_transaction_read_only") == "on"
        assert await reader.fetchval("show statement_timeout") == "30s"


@pytest.mark.parametrize(
    "statement",
    [
        "select * from public.api_token",
        "select * from reading limit 1",
        "select document from park",
        "delete from report.park",
        "insert into report.tenant values ('x', 'x', 'x', 'x', 1)",
        "update park set name_en = 'x'",
        "create table mine (x int)",
        "create table report.mine (x int)",
        "set session default_transaction_read_only = off; delete from park",
        "set session default_transaction_read_only = off; create table public.mine (x int)",
        "set session authorization postgres",
        "drop view report.park",
        "alter role current_user superuser",
    ],
)
async def test_everything_else_is_refused(database_url: str, role: str, statement: LiteralString) -> None:
    async with await Database.connect(as_role(database_url, role), max_size=1) as reader:
        with pytest.raises(RejectedError):
            await reader.execute(statement)


async def test_making_it_again_keeps_its_password(database_url: str, role: str) -> None:
    async with await Database.connect(database_url, max_size=1) as database:
        await make_role(database, role)
    async with await Database.connect(as_role(database_url, role), max_size=1) as reader:
        assert await reader.fetchval("select 1") == 1


async def test_the_command_makes_it_and_queries_run_as_it(
    database_url: str, role: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.fakes.postgres import run

    def call(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["parkcarbon dashboards", *arguments])

        async def work() -> int:
            import asyncio

            return await asyncio.to_thread(commands.main)

        return run(work)

    monkeypatch.setenv("PARKCARBON_REPORT_ROLE", role)
    monkeypatch.setenv("PARKCARBON_DATABASE_URL", database_url)
    assert call("role") == 0
    assert f"role {role} reads schema report, its password as it was" in capsys.readouterr().out
    monkeypatch.setenv("PARKCARBON_DATABASE_URL", as_role(database_url, role))
    assert call("queries", "--park", PARK) == 0
    out = capsys.readouterr().out
    assert "overview_power (15min)" in out
    assert "rule_no_readings" in out
