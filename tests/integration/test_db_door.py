"""The database door against real servers: COPY, transactions, errors, LISTEN, refusal of unsafe servers."""

import asyncio
import math
from collections.abc import AsyncIterator

import numpy as np
import pytest

from parkcarbon.kit.db import Database, NotDurableError, RejectedError, UnavailableError, from_ms, load_queries, to_ms
from parkcarbon.kit.pgcopy import Column, PgType
from tests.fakes.postgres import with_database

TABLE = """
create table every (
    i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, b boolean, t timestamptz, d date
)"""
TYPES: dict[str, PgType] = {
    "i2": "int2",
    "i4": "int4",
    "i8": "int8",
    "f4": "float4",
    "f8": "float8",
    "b": "bool",
    "t": "timestamptz",
    "d": "date",
}
TIMES = np.array([-(10**13), -1, 0, 1, 946_684_800_000, 1_795_219_200_123], np.int64)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with await Database.connect(database_url, max_size=3) as opened:
        yield opened


def columns(null: np.ndarray | None = None) -> list[Column]:
    n = len(TIMES)
    values: dict[str, np.ndarray] = {
        "i2": np.arange(n, dtype=np.int16) - 3,
        "i4": np.arange(n, dtype=np.int32) * -100_000,
        "i8": np.arange(n, dtype=np.int64) * 10**15,
        "f4": np.linspace(-1, 1, n, dtype=np.float32),
        "f8": np.array([0.1, -0.0, 1e-300, 1e300, math.pi, 2**53 + 0.0]),
        "b": np.arange(n) % 2 == 0,
        "t": TIMES,
        "d": np.array([-20_000, -1, 0, 1, 10_957, 20_778]),
    }
    return [Column(name, TYPES[name], value, null) for name, value in values.items()]


async def test_columns_come_back_as_they_went(database: Database) -> None:
    await database.execute(TABLE)
    await database.copy("every", columns())
    back = await database.fetch_columns("select i2, i4, i8, f4, f8, b, t, d from every where i2 >= $1", -3, types=TYPES)
    for column in columns():
        assert back[column.name].tobytes() == column.values.astype(back[column.name].dtype).tobytes(), column.name
    stamps = [row["t"] for row in await database.fetch("select t from every order by t")]
    assert [to_ms(stamp) for stamp in stamps] == TIMES.tolist()
    assert from_ms(-1).isoformat() == "1969-12-31T23:59:59.999000+00:00"


async def test_null_is_null_in_any_column(database: Database) -> None:
    await database.execute(TABLE)
    null = np.array([True, False, False, True, False, True])
    await database.copy("every", columns(null))
    rows = await database.fetch("select * from every order by i2 nulls last")
    assert [row["i2"] for row in rows] == [-2, -1, 1, None, None, None]
    assert all(set(row.values()) == {None} for row in rows[3:])
    with pytest.raises(ValueError, match="NULL"):
        await database.fetch_columns("select i2 from every", types={"i2": "int2"})


async def test_nothing_to_copy_is_nothing(database: Database) -> None:
    await database.execute(TABLE)
    await database.copy("every", [Column("i4", "int4", np.zeros(0, np.int32))])
    assert await database.fetchval("select count(*) from every") == 0
    assert len((await database.fetch_columns("select i4 from every", types={"i4": "int4"}))["i4"]) == 0


async def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    await database.execute(TABLE)

    async def half() -> None:
        async with database.transaction() as session:
            await session.execute("insert into every (i4) values (1)")
            await session.execute("insert into every (i2) values (100000)")

    with pytest.raises(RejectedError) as caught:
        await half()
    assert caught.value.by_data
    assert not caught.value.retryable
    assert await database.fetchval("select count(*) from every") == 0
    with pytest.raises(RejectedError) as caught:
        await database.fetch("select * from no_such_table")
    assert not caught.value.by_data


async def test_a_deadlock_may_be_tried_again(database: Database) -> None:
    await database.execute("create table pair (k int primary key, n int); insert into pair values (1, 0), (2, 0)")
    locked = asyncio.Barrier(2)

    async def cross(first: int, second: int) -> None:
        async with database.transaction() as session:
            await session.execute("set local deadlock_timeout = '10ms'")
            await session.execute("update pair set n = n + 1 where k = $1", first)
            await locked.wait()
            await session.execute("update pair set n = n + 1 where k = $1", second)

    failed = [one for one in await asyncio.gather(cross(1, 2), cross(2, 1), return_exceptions=True) if one]
    assert len(failed) == 1
    assert isinstance(failed[0], UnavailableError)
    assert failed[0].retryable


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(UnavailableError):
        await Database.connect("postgresql://nobody@127.0.0.1:1/none")


async def test_a_server_that_may_lose_commits_is_refused(database: Database, database_url: str) -> None:
    name = database_url.rsplit("/", 1)[1]
    await database.execute(f"alter database {name} set synchronous_commit = off")
    with pytest.raises(NotDurableError, match="synchronous_commit"):
        await Database.connect(database_url)
    await database.execute(f"alter database {name} set synchronous_commit = remote_apply")
    async with await Database.connect(database_url):
        pass


async def test_notifications_arrive_and_survive_a_lost_connection(database: Database) -> None:
    heard = database.listen("news", retry_s=0.05)
    first = await anext(heard)
    assert (first.channel, first.payload) == ("news", "")
    await database.execute("notify news, 'one'")
    assert (await anext(heard)).payload == "one"
    await database.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and query ilike 'listen%'"
    )
    assert (await anext(heard)).payload == ""
    await database.execute("notify news, 'two'")
    assert (await anext(heard)).payload == "two"
    await heard.aclose()  # type: ignore[attr-defined]


async def test_each_connection_is_set_up(database_url: str) -> None:
    async with await Database.connect(database_url, max_size=2, setup="create temp table mine (x int)") as database:
        async with database.session() as one, database.session() as other:
            for session in (one, other):
                await session.execute("insert into mine values (1)")
        async with database.session() as again:
            assert await again.fetchval("select count(*) from mine") == 1


async def test_closing_does_not_wait_for_ever(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that never ends, or a connection that nobody gave back, is cut off."""
    monkeypatch.setattr("parkcarbon.kit.db._CLOSE_WITHIN_S", 0.2)
    database = await Database.connect(database_url)
    asleep = asyncio.ensure_future(database.execute("select pg_sleep(600)"))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        await database.close()
        with pytest.raises(UnavailableError):
            await asleep


def test_a_url_names_another_database() -> None:
    assert with_database("postgresql://u:p@h:1/a?x=1", "b") == "postgresql://u:p@h:1/b?x=1"


def test_statements_lose_their_comments_and_semicolons() -> None:
    queries = load_queries("parkcarbon.books.derive")
    assert queries["version"] == "select version, changed_at from config_version"
    assert not any(query.endswith((";", "--")) or query.splitlines()[-1].startswith("--") for query in queries.values())
