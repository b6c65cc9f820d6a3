"""The pool transaction on both stores."""

from collections.abc import AsyncIterator

import pytest

from ingest.pool import Verdict
from ingest.release import release
from parkcarbon.kit.db import from_ms
from parkcarbon.wire.body import Row
from parkcarbon.wire.errors import Reason
from tests.fakes.ingest_park import (
    METER,
    NOW_MS,
    PARK,
    QUARTER_MS,
    Ingest,
    Sender,
    counter_rows,
    open_ingest,
    park_text,
    utc,
)

M0 = f"m0/{METER}"
START = NOW_MS - 10 * 86_400_000


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    await opened.apply(park_text())
    yield opened
    await opened.database.close()


async def test_registers_become_intervals_with_emissions(ingest: Ingest) -> None:
    outcomes = await ingest.commit(Sender().batch(counter_rows(M0, START, [100, 101, 103, 103.5])))
    assert [outcome.verdict for outcome in outcomes] == [Verdict.COMMITTED]
    rows = await ingest.intervals()
    assert [row[1] for row in rows] == [1_000_000, 2_000_000, 500_000]
    assert [row[2] for row in rows] == [1.0, 1.0, 1.0]
    factor = await ingest.database.fetchval("select value from factor where factor = $1", rows[0][7])
    assert [row[6] for row in rows] == [round(amount * factor * 1e9) for amount in (1, 2, 0.5)]
    month = await ingest.database.fetchrow("select month::text, amount_micro, co2e_nano_kg from rollup_month")
    assert month is not None
    assert month["amount_micro"] == 3_500_000
    assert month["co2e_nano_kg"] == sum(int(str(row[6])) for row in rows)


async def test_the_same_batch_again_is_acknowledged_and_does_nothing(ingest: Ingest) -> None:
    batch = Sender().batch(counter_rows(M0, START, [1, 2, 3]))
    await ingest.commit(batch)
    before = await ingest.everything()
    outcomes = await ingest.commit(batch, batch)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.AGAIN, Verdict.AGAIN]
    assert await ingest.everything() == before
    assert await ingest.count("batch") == 1


async def test_a_batch_twice_in_one_pool_counts_once(ingest: Ingest) -> None:
    batch = Sender().batch(counter_rows(M0, START, [1, 2, 3]))
    outcomes = await ingest.commit(batch, batch)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.COMMITTED, Verdict.AGAIN]
    assert await ingest.count("reading") == 3


async def test_other_bytes_under_the_same_number_are_refused(ingest: Ingest) -> None:
    first, other = Sender().batch(counter_rows(M0, START, [1, 2])), Sender().batch(counter_rows(M0, START, [5, 6]))
    await ingest.commit(first)
    (outcome,) = await ingest.commit(other)
    assert (outcome.verdict, outcome.reason) == (Verdict.REFUSED, Reason.IDENTITY_CONFLICT)
    assert await ingest.database.fetchval("select sum(value) from reading") == 3


async def test_an_unregistered_source_is_refused_and_the_rest_commits(ingest: Ingest) -> None:
    stranger = Sender(source="stranger").batch(counter_rows(M0, START, [7]))
    known = Sender().batch(counter_rows(M0, START, [1, 2]))
    outcomes = await ingest.commit(stranger, known)
    assert [outcome.reason for outcome in outcomes] == [Reason.IDENTITY, None]
    assert await ingest.count("reading") == 2


async def test_a_gateway_that_is_not_the_sources_is_refused(ingest: Ingest) -> None:
    (outcome,) = await ingest.commit(Sender(via="gateway").batch(counter_rows(M0, START, [7])))
    assert outcome.reason == Reason.IDENTITY


async def test_single_readings_are_quarantined_and_the_rest_commits(ingest: Ingest) -> None:
    rows = [
        Row(M0, START, 1.0),
        Row("nobody/active_power", START, 2.0),
        Row(M0, NOW_MS + 300_001, 3.0),
        Row(M0, NOW_MS - 400 * 86_400_000 - 1, 4.0),
        Row(M0, START + 1, 5.0, 0, 900_000),
        Row(M0, START + 2, None, 0),
        Row(M0, START + QUARTER_MS, 2.0),
    ]
    (outcome,) = await ingest.commit(Sender().batch(rows))
    assert (outcome.readings, outcome.quarantined) == (2, 5)
    found = await ingest.database.fetch("select row, reason, value_text from quarantine order by row")
    assert [tuple(row.values()) for row in found] == [
        (1, "unknown-point", "2.0"),
        (2, "future", "3.0"),
        (3, "too-old", "4.0"),
        (4, "bad-span", "5.0"),
        (5, "bad-quality", "null"),
    ]


@pytest.mark.rule("6.10")
async def test_an_amount_below_zero_waits_until_its_point_allows_it(ingest: Ingest) -> None:
    await ingest.apply(park_text(1, kind="delta"))
    rows = [*counter_rows(M0, START, [4.0, -1.0, 3.0]), *counter_rows("m7/heat_energy", START, [-2.0, 2.0])]
    (outcome,) = await ingest.commit(Sender().batch(rows))
    assert (outcome.readings, outcome.quarantined) == (2, 3)
    found = await ingest.database.fetch("select reason, value_text from quarantine order by row")
    assert [tuple(row.values()) for row in found] == [
        ("negative-amount", "-1.0"),
        ("unknown-point", "-2.0"),
        ("unknown-point", "2.0"),
    ]
    assert [row[1] for row in await ingest.intervals()] == [4_000_000, 3_000_000]
    now = from_ms(NOW_MS)
    more = """
  - device: m7
    name: {zh: 热, en: Heat}
    profile: generic-delta
    source: agent
    points: [{quantity: heat_energy, kind: delta, period_s: 900, flow: heat}]"""
    await ingest.apply(park_text(1, kind="delta", more=more))
    assert await release(ingest.writer, PARK, now) == 1  # the point is known now, its amount below zero is still none
    assert await ingest.count("quarantine") == 2
    await ingest.apply(park_text(1, kind="delta", point=", may_be_negative: true", more=more))
    assert await release(ingest.writer, PARK, now) == 1
    assert [row[1] for row in await ingest.intervals()] == [4_000_000, -1_000_000, 3_000_000]
    (outcome,) = await ingest.commit(
        Sender(boot="00000000000000bb").batch(counter_rows(M0, START + 16 * QUARTER_MS, [-7.0]))
    )
    assert (outcome.readings, outcome.quarantined) == (1, 0)
    assert not any(row[5] for row in await ingest.intervals())  # declared, so not suspect
    assert await ingest.database.fetchval("select count(*) from question") == 0


@pytest.mark.parametrize(
    "start", ["1970-01-01T00:00:00+00:00", "2022-03-27T00:00:00+00:00", "2026-12-30T22:00:00+00:00"]
)
async def test_data_of_any_time_finds_its_partition(ingest: Ingest, start: str) -> None:
    rows = counter_rows(M0, utc(start), [float(value) for value in range(20)])
    (outcome,) = await ingest.commit(Sender(source="old").batch(rows))
    assert (outcome.readings, outcome.quarantined) == (20, 0)
    assert len(await ingest.intervals()) == 19


async def test_a_contradicting_register_is_kept_out_and_shown(ingest: Ingest) -> None:
    sender = Sender()
    await ingest.commit(sender.batch(counter_rows(M0, START, [1, 2, 3])))
    before = await ingest.everything()
    await ingest.commit(sender.batch(counter_rows(M0, START, [1, 2.5, 3])))
    assert await ingest.everything() == before
    conflict = await ingest.database.fetchrow("select kept, other from reading_conflict")
    assert conflict is not None
    assert tuple(conflict.values()) == (2, 2.5)


async def test_contradictions_inside_one_pool_and_one_batch_are_shown(ingest: Ingest) -> None:
    sender = Sender()
    first = sender.batch([Row(M0, START, 1.0), Row(M0, START, 1.5)])
    await ingest.commit(first, sender.batch([Row(M0, START, 2.0), Row(M0, START + 1, 2.0)]))
    assert await ingest.count("reading") == 2
    found = await ingest.database.fetch("select kept, other from reading_conflict order by other")
    assert [tuple(row.values()) for row in found] == [(1, 1.5), (1, 2)]


async def test_the_raw_batch_is_kept_as_it_came(ingest: Ingest) -> None:
    import zstandard

    batch = Sender().batch(counter_rows(M0, START, [1, 2]))
    await ingest.commit(batch)
    raw = await ingest.database.fetchval("select raw from batch")
    assert zstandard.ZstdDecompressor().decompress(raw, max_output_size=1 << 20) == batch.frame


async def test_no_value_shows_as_the_newest_but_gives_no_energy(ingest: Ingest) -> None:
    await ingest.commit(Sender().batch(counter_rows(M0, START, [1, 2, None])))
    row = await ingest.database.fetchrow("select last_value, last_quality from point_state")
    assert row is not None
    assert tuple(row.values()) == (None, 2)
    assert len(await ingest.intervals()) == 1


async def test_an_empty_batch_is_committed(ingest: Ingest) -> None:
    (outcome,) = await ingest.commit(Sender().batch([]))
    assert (outcome.verdict, outcome.readings) == (Verdict.COMMITTED, 0)
    assert await ingest.count("batch") == 1


async def test_a_source_that_left_the_document_is_refused(ingest: Ingest) -> None:
    sender = Sender()
    await ingest.commit(sender.batch(counter_rows(M0, START, [1, 2])))
    await ingest.apply(park_text().replace("  - {source: agent}\n", "").replace("source: agent", "source: old"))
    (outcome,) = await ingest.commit(sender.batch(counter_rows(M0, START, [1, 2])))
    assert outcome.reason is Reason.IDENTITY


async def test_a_live_commit_tells_who_listens(ingest: Ingest) -> None:
    heard = ingest.database.listen("parkcarbon_live")
    await anext(heard)
    await ingest.commit(Sender().batch(counter_rows(M0, START, [1, 2])))
    assert (await anext(heard)).payload == "testpark"
    await heard.aclose()  # type: ignore[attr-defined]
