"""What a statement rests on follows from its moment of knowledge alone."""

import datetime as dt

import msgspec
import pytest

from parkcarbon.books import inventory
from parkcarbon.books.amounts import parse_period
from parkcarbon.books.facts import load_facts
from parkcarbon.kit.db import Database, from_ms
from parkcarbon.statement.evidence.members import evidence_of
from parkcarbon.statement.log.seal import seal
from parkcarbon.statement.record import Evidence
from parkcarbon.wire.body import Loss, Row, Tombstone
from tests.fakes.ingest_park import METER, PARK, QUARTER_MS, Sender, open_ingest, park_text, utc

POINT = f"m0/{METER}"
FROM = utc("2026-09-30T16:00:00+00:00")


async def evidence(database: Database, as_of: dt.datetime, *used: str) -> Evidence:
    async with database.transaction() as session:
        await session.execute("set transaction isolation level repeatable read")
        facts = await load_facts(session, PARK, as_of)
        return await evidence_of(session, facts, parse_period("2026-10", facts.zone), as_of=as_of, used=used)


async def test_the_same_moment_gives_the_same_bytes_whatever_is_learned_later(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "SETTLED_AFTER", dt.timedelta(0))
    ingest = await open_ingest(database_url)
    async with ingest.database as database:
        await ingest.apply(park_text())
        sender = Sender()
        before = sender.batch([Row(POINT, FROM - QUARTER_MS, 1.0)])
        lost = sender.batch([Row(POINT, FROM + QUARTER_MS, 2.0)])
        loss = Loss(point=POINT, t_from=FROM + QUARTER_MS, t_to=FROM + QUARTER_MS, n=1, reason="full")
        stone = Tombstone(header=lost.line.decode(), loss=(loss,))
        await ingest.commit(before, sender.batch([Row(POINT, FROM + 2 * QUARTER_MS, 3.0)], tombstones=[stone]))
        as_of = await database.fetchval("select clock_timestamp()")
        first = await evidence(database, as_of)
        await ingest.commit(lost, sender.batch([Row(POINT, FROM + 3 * QUARTER_MS, 4.0)]))
        await seal(database)
        later = await evidence(database, await database.fetchval("select clock_timestamp()"))
        again = await evidence(database, as_of)
    assert (first.log_size, first.batches) == (3, 1)
    assert [(one.point, one.readings, one.reason) for one in first.losses] == [(POINT, 1, "full")]
    assert first.losses[0].from_time == "2026-10-01T00:15:00+08:00"
    assert msgspec.json.encode(again) == msgspec.json.encode(first)
    assert (later.log_size, later.batches, later.losses) == (5, 3, ())
    assert later.log_root != first.log_root


async def test_factors_are_named_as_they_were_used(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "SETTLED_AFTER", dt.timedelta(0))
    ingest = await open_ingest(postgres_url)
    async with ingest.database as database:
        await ingest.apply(park_text())
        as_of = await database.fetchval("select clock_timestamp()")
        async with database.session() as session:
            factors = [factor for _, factor in (await load_facts(session, PARK, as_of)).factors]
        chosen = next(factor for factor in factors if factor.value is not None)
        found = await evidence(database, as_of, chosen.factor)
    assert [record.factor for record in found.factors] == [chosen.factor]
    assert float(found.factors[0].value or "nan") == chosen.value
    assert found.factors[0].verified is not chosen.unverified
    assert (found.log_size, found.log_root) == (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    assert found.park_revision == 1
    assert from_ms(FROM) > dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
