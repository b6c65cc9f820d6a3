"""Every statement of every deployable is prepared on both stores, so that none is wrong unseen."""

import importlib.util
from pathlib import Path

import pytest

from parkcarbon.kit.db import Database, RejectedError, load_queries

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(
    {
        ".".join(path.relative_to(ROOT).parts[:-2])
        for top in ("parkcarbon", "ingest", "api", "alerts", "statements", "gateway", "edge", "deploy")
        for path in (ROOT / top).rglob("sql/queries*.sql")
    }
)
SCRIPTS = {"make_staging"}  # several statements, run once on each connection


def test_there_are_statements_to_prepare() -> None:
    assert "ingest" in PACKAGES
    assert all(importlib.util.find_spec(package) for package in PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
async def test_every_statement_can_be_prepared(package: str, database_url: str) -> None:
    staging = load_queries("ingest")["make_staging"]
    async with (
        await Database.connect(database_url, max_size=1, setup=staging) as database,
        database.session() as session,
    ):
        for name, statement in load_queries(package).items():
            if name in SCRIPTS:
                continue
            try:
                await session.prepare(statement)
            except RejectedError as error:
                pytest.fail(f"{package}: {name}: {error}")
