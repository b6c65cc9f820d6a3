"""Every figure of a statement comes out again from registers, and what was altered is named."""

import datetime as dt
from typing import LiteralString

import pytest

from parkcarbon.books import inventory
from parkcarbon.statement.evidence.rederive import rederive_from
from parkcarbon.statement.record import Record
from parkcarbon.wire.body import Row
from tests.fakes.evidence_park import EvidencePark, bring, compose_now, counter, evidence_park, snapshot
from tests.fakes.ingest_park import METER, QUARTER_MS
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
