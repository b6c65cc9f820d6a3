"""Replaying the migrations gives the files of ingest/sql/schema, on both stores."""

import importlib.resources
from typing import LiteralString

import pytest

from ingest.migrate import Migration, MigrationError, load_migrations, migrate
from parkcarbon.kit.db import Database
from tests.fakes.postgres import Server

DESCRIBE: dict[str, LiteralString] = {
    "columns": """
        select table_name, column_name, data_type, column_default, is_nullable, is_identity
        from information_schema.columns where table_schema = 'public' and table_name <> 'schema_migration'
        order by table_name, ordinal_position""",
    "constraints": """
        select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'public'::regnamespace and conrelid::regclass::text <> 'schema_migration'
        order by 1, 2""",
    "indexes": """
        select indexdef from pg_indexes
        where schemaname = 'public' and tablename <> 'schema_migration' order by 1""",
    "partitioning": """
        select relname, relkind::text, reloptions, pg_get_partkeydef(oid) from pg_class
        where relnamespace = 'public'::regnamespace and relname not like 'schema_migration%' order by 1""",
    "functions": """
        select proname, prosrc from pg_proc
        where pronamespace = 'public'::regnamespace and probin is null order by 1, 2""",
    "triggers": "select tgrelid::regclass::text, tgname from pg_trigger where not tgisinternal order by 1, 2",
    "rows": "select only_row, version from config_version",
}


async def describe(url: str) -> dict[str, list[tuple[object, ...]]]:
    async with await Database.connect(url, max_size=1) as database:
        shape = {name: [tuple(row.values()) for row in await database.fetch(query)] for name, query in DESCRIBE.items()}
        if database.timescale:
            rows = await database.fetch(
                "select hypertable_name, column_name, time_interval from timescaledb_information.dimensions order by 1"
            )
            shape["hypertables"] = [tuple(row.values()) for row in rows]
    return shape


async def test_replaying_the_migrations_gives_the_schema_files(server: Server) -> None:
    migrated, direct = server.clone(), server.empty()
    folder = importlib.resources.files("ingest").joinpath("sql/schema")
    files = sorted(folder.iterdir(), key=lambda entry: entry.name)
    schema: list[LiteralString] = [entry.read_text(encoding="utf-8") for entry in files]
    async with await Database.connect(migrated, max_size=1) as database:
        timescale = database.timescale
    async with await Database.connect(direct, max_size=1) as database:
        if timescale:
            await database.execute("create extension timescaledb")
        for statements in schema:
            await database.execute(statements)
    assert await describe(migrated) == await describe(direct)
    server.drop(migrated)
    server.drop(direct)


async def test_the_store_is_what_the_server_offers(database_url: str, request: pytest.FixtureRequest) -> None:
    expected = "timescale" in request.node.callspec.id
    async with await Database.connect(database_url) as database:
        assert database.timescale == expected
        kind = await database.fetchval("select relkind::text from pg_class where relname = 'reading'")
    assert kind == ("r" if expected else "p")


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    before = await describe(database_url)
    async with await Database.connect(database_url) as database:
        assert await migrate(database) == []
    assert await describe(database_url) == before


async def test_a_migration_edited_after_it_ran_is_refused(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = [Migration(m.number, m.name, "select 1") for m in load_migrations()]
    monkeypatch.setattr("ingest.migrate.load_migrations", lambda: edited)
    async with await Database.connect(postgres_url) as database:
        with pytest.raises(MigrationError, match="was changed after it ran"):
            await migrate(database)


async def test_a_database_of_a_newer_version_is_refused(postgres_url: str) -> None:
    async with await Database.connect(postgres_url) as database:
        await database.execute(
            "insert into schema_migration (number, name, digest) values (9999, '9999_future.sql', '')"
        )
        with pytest.raises(MigrationError, match="9999"):
            await migrate(database)


async def test_a_failing_migration_leaves_nothing_behind(
    postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.empty()
    broken = [Migration(1, "0001_broken.sql", "create table half_done (x int); select 1 / 0")]
    monkeypatch.setattr("ingest.migrate.load_migrations", lambda: broken)
    async with await Database.connect(url) as database:
        with pytest.raises(Exception, match="division by zero"):
            await migrate(database)
        assert await database.fetchval("select to_regclass('half_done')") is None
    postgres_server.drop(url)
