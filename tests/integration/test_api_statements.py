"""Every statement of the API prepares on both stores, and only reads."""

import pytest

from api.settings import Settings
from api.store import QUERIES
from parkcarbon.kit.db import Database, RejectedError


@pytest.mark.parametrize("name", sorted(QUERIES))
async def test_statement_prepares(database_url: str, name: str) -> None:
    async with await Database.connect(database_url, max_size=1) as database, database.session() as session:
        await session.prepare(QUERIES[name])


def test_the_statements_of_history_differ_in_table_and_column_alone() -> None:
    tables = {
        "15m": ("interval_15min", "start", "timestamptz"),
        "1h": ("rollup_hour", "start", "timestamptz"),
        "1d": ("rollup_day", "day", "date"),
        "1mo": ("rollup_month", "month", "date"),
    }
    found = set()
    for step, (table, column, kind) in tables.items():
        text = QUERIES[f"history_{step}"]
        assert text.count(f"join {table} i") == 1
        found.add(text.replace(f"join {table} i", "join t i").replace(f"i.{column}", "i.start").replace(kind, "time"))
    assert len(found) == 1


async def test_the_pool_of_the_api_cannot_write(postgres_url: str) -> None:
    url = Settings(database_url=postgres_url).read_url
    async with await Database.connect(url, max_size=1) as database:
        with pytest.raises(RejectedError, match="read-only"):
            await database.execute("delete from api_token")


async def test_a_statement_has_a_time_limit(postgres_url: str) -> None:
    url = Settings(database_url=postgres_url, statement_timeout_ms=100).read_url
    async with await Database.connect(url, max_size=1) as database:
        with pytest.raises(Exception, match="statement timeout"):
            await database.fetchval("select pg_sleep(5)")
