"""Every figure of a statement comes out again from registers, and what was altered is named."""

import datetime as dt
from pathlib import Path
from typing import LiteralString

import pytest

from parkcarbon.books import inventory
from parkcarbon.books.derive.past import past_model
from parkcarbon.books.facts import QUERIES as BOOKS
from parkcarbon.kit.db import from_ms
from parkcarbon.statement.evidence.again import computed_again, starts_of
from parkcarbon.statement.evidence.answers import Answers
from parkcarbon.statement.evidence.check import check_pack
from parkcarbon.statement.evidence.export import export_pack
from parkcarbon.statement.evidence.pack import open_pack
from parkcarbon.statement.evidence.questions import UnknownQuestionError
from parkcarbon.statement.evidence.rederive import asked_of, rederive, rederive_from
from parkcarbon.statement.evidence.session import RederivingSession
from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.lifecycle.store import QUERIES as LIFECYCLE
from parkcarbon.statement.record import Record
from parkcarbon.wire.body import Row
from tests.fakes.evidence_park import EvidencePark, bring, compose_now, counter, evidence_park, snapshot
from tests.fakes.ingest_park import METER, PARK, QUARTER_MS, open_ingest, park_text
from tests.integration.test_derive_reprice import settle

POINT = f"m0/{METER}"


@pytest.fixture(autouse=True)
def unsettled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "SETTLED_AFTER", dt.timedelta(0))


async def again(park: EvidencePark, record: Record | None = None, before: Record | None = None) -> list[str]:
    async with park.database.transaction() as session:
        await snapshot(session)
        return [str(one) for one in await rederive_from(session, record or park.record, before)]


@pytest.mark.parametrize("timezone", ["Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin"])
async def test_a_record_comes_out_byte_for_byte(database_url: str, timezone: str) -> None:
    park = await evidence_park(database_url, timezone=timezone)
    async with park.database:
        assert park.record.evidence.log_size > 3
        assert await again(park) == []


ALTERED: tuple[LiteralString, ...] = (
    "update interval_15min set amount_micro = amount_micro + 4000000 where point_id = $1 and start = '2026-10-10'",
    "update rollup_hour set amount_micro = amount_micro + 4000000 where point_id = $1 and start = '2026-10-10'",
    "update rollup_day set amount_micro = amount_micro + 4000000 where point_id = $1 and day = '2026-10-10'",
)


async def test_altered_results_are_found_where_they_are_printed(postgres_url: str) -> None:
    """Stored intervals and roll-ups that registers do not give: the statement made from them does not come out."""
    park = await evidence_park(postgres_url)
    async with park.database as database:
        point_id = await database.fetchval("select point_id from point where point = $1", POINT)
        for statement in ALTERED:
            assert await database.execute(statement, point_id) == 1
        record = await compose_now(database)
        found = await again(park, record)
    assert found[0].startswith("figure ")
    assert any(one.startswith("figure energy.import") for one in found)


async def test_what_is_learned_later_changes_nothing(postgres_url: str) -> None:
    park = await evidence_park(postgres_url)
    async with park.database as database:
        moved = [Row(row.point, row.t + QUARTER_MS // 3, row.x, row.q, row.d) for row in counter(1)[1000:1100]]
        await bring(park.ingest, park.sender, moved)
        await settle(park.ingest)
        newer = await compose_now(database)
        assert await again(park) == []
        assert await again(park, newer) == []
    assert newer.evidence.log_size > park.record.evidence.log_size


async def test_a_year_a_flash_and_a_re_issue_come_out_too(database_url: str) -> None:
    park = await evidence_park(database_url, counters=2)
    async with park.database as database:
        flash = await compose_now(database, kind="flash")
        year = await compose_now(database, kind="annual", period="2026")
        async with database.transaction() as session:
            at = dt.datetime.fromisoformat(park.record.known_on)
            await store.insert(session, park.record, as_of=at, person="first", supersedes=None)
        moved = [Row(row.point, row.t + QUARTER_MS // 3, row.x) for row in counter(0)[1000:1100]]
        await bring(park.ingest, park.sender, moved)
        await settle(park.ingest)
        second = await compose_now(database, version=2, predecessor=park.record, reason="late readings")
        for record in (flash, year, second):
            async with database.transaction() as session:
                await snapshot(session)
                assert [str(one) for one in await rederive(session, record)] == []
    assert second.supersedes is not None


async def test_a_month_without_any_reading_comes_out(postgres_url: str, tmp_path: Path) -> None:
    ingest = await open_ingest(postgres_url)
    target = tmp_path / "pack.zip"
    async with ingest.database as database:
        await ingest.apply(park_text(2))
        record = await compose_now(database)
        async with database.transaction() as session:
            await snapshot(session)
            assert [str(one) for one in await rederive(session, record)] == []
            await export_pack(session, record, target)
    with open_pack(target) as pack:
        found = await check_pack(pack, record)
    assert [str(one) for one in found.differences] == []
    assert (found.leaves, found.batches, found.readings) == (0, 0, 0)


async def test_an_unknown_question_on_derived_tables_is_an_error(postgres_url: str) -> None:
    park = await evidence_park(postgres_url, counters=1)
    async with park.database as database, database.session() as session:
        facts, period = await asked_of(session, park.record)
        starts = await starts_of(session, facts, period)
        derived = await computed_again(session, await past_model(session, facts), period, starts)
        asking = RederivingSession(session, Answers(derived, period, facts.zone))
        with pytest.raises(UnknownQuestionError, match="has no counterpart"):
            await asking.fetch(LIFECYCLE["statement_unsettled"], PARK, None, None, None)
        with pytest.raises(UnknownQuestionError, match="without a name"):
            await asking.fetch("select 1 from interval_15min")
        span = from_ms(period.from_ms), from_ms(period.to_ms)
        with pytest.raises(UnknownQuestionError, match="evidence knows"):
            await asking.fetch_columns(BOOKS["quarter_amounts"], [1], *span, types={"point_id": "int4"})
