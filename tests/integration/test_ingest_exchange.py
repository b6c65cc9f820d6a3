"""Meters whose serial number changed: boundaries declared by the source, in any order, any number of times."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from ingest.absorb import Absorber
from ingest.pool import Verdict
from ingest.recompute import Recomputer, check_point
from ingest.replay import replay
from parkcarbon.books.derive.model import load_model
from parkcarbon.kit.clock import ManualClock, SystemClock
from parkcarbon.kit.db import DatabaseError, from_ms
from parkcarbon.wire.body import Row, SerialChange
from tests.fakes.ingest_park import METER, NOW_MS, QUARTER_MS, Ingest, Sender, counter_rows, open_ingest, park_text

M0, M1 = f"m0/{METER}", f"m1/{METER}"
START = NOW_MS - 10 * 86_400_000
AT = START + 100 * QUARTER_MS - 60_000
CHANGE = SerialChange(device="m0", t=AT, serial="B", was="A")
OLD = counter_rows(M0, START, [5000 + 2.0 * at for at in range(100)])
NEW = counter_rows(M0, START + 100 * QUARTER_MS, [7 + 3.0 * at for at in range(60)])
ENERGY = 99 * 2_000_000 + 59 * 3_000_000


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    await opened.apply(park_text(2, point=", limit_per_h: 100"))
    yield opened
    await opened.database.close()


async def settle(ingest: Ingest) -> None:
    later = ManualClock(max(NOW_MS, SystemClock().now_ms()) + 86_400_000)  # facts are due by the database's time
    recomputer = Recomputer(ingest.writer, later)
    while await recomputer.step():
        pass
    async with ingest.database.transaction() as session:
        model = await load_model(session)
        book = Absorber(model, ingest.writer.partitions).book
        for point in model.by_id.values():
            assert await check_point(session, point, model, book) == []


async def outcome(ingest: Ingest) -> tuple[int, list[str], int]:
    """Energy [1e-6 kWh], kinds of boundaries, number of questions of the first meter."""
    every = await ingest.everything()
    energy = sum(int(str(row[2])) for row in every["interval"] if row[0] == M0)
    return energy, [str(row[2]) for row in every["boundary"]], len(every["question"])


async def facts(ingest: Ingest) -> list[tuple[object, ...]]:
    rows = await ingest.database.fetch(
        "select p.point, c.kind, c.from_time, c.author, c.reason from correction c join point p using (point_id)"
    )
    return [tuple(row.values()) for row in rows]


async def test_an_exchange_to_a_lower_register_is_old_part_plus_new_part(ingest: Ingest) -> None:
    sender = Sender()
    await ingest.commit(sender.batch(OLD))
    version = await ingest.database.fetchval("select version from config_version")
    change, new = sender.batch([], serials=[CHANGE]), sender.batch(NEW)
    assert [one.verdict for one in await ingest.commit(change, new)] == [Verdict.COMMITTED] * 2
    wanted = [(M0, "boundary", from_ms(AT), "agent", "serial number changed from A to B")]
    assert await facts(ingest) == wanted
    assert await outcome(ingest) == (ENERGY, ["declared"], 0)  # at once, before anything is computed again
    await settle(ingest)
    assert await outcome(ingest) == (ENERGY, ["declared"], 0)
    again = await ingest.commit(change)
    other = await ingest.commit(sender.batch(NEW[:1], serials=[CHANGE, CHANGE]))
    assert (again[0].verdict, other[0].verdict) == (Verdict.AGAIN, Verdict.COMMITTED)
    assert await facts(ingest) == wanted
    assert await ingest.database.fetchval("select version from config_version") == version + 1


async def test_without_the_serial_number_a_person_is_asked(ingest: Ingest) -> None:
    """What the declared boundary spares: proves that the register alone does not tell."""
    await ingest.commit(Sender().batch(OLD + NEW))
    await settle(ingest)
    assert await outcome(ingest) != (ENERGY, ["declared"], 0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_the_order_of_arrival_does_not_matter(ingest: Ingest, order: tuple[int, ...]) -> None:
    sender = Sender()
    batches = [
        sender.batch(OLD),
        sender.batch([], serials=[CHANGE]),
        sender.batch(NEW[:20]),
        sender.batch(NEW[20:], serials=[CHANGE]),
    ]
    for at in order:
        await ingest.commit(batches[at], batches[order[0]])
    await settle(ingest)
    assert await outcome(ingest) == (ENERGY, ["declared"], 0)
    assert len(await facts(ingest)) == 1


async def test_workers_side_by_side_enter_it_once(ingest: Ingest, database_url: str) -> None:
    second = await open_ingest(database_url)
    sender = Sender()
    batches = [sender.batch(OLD)]
    for at in range(20):
        other = [Row(M1, row.t, row.x) for row in OLD[at * 5 : at * 5 + 5]]
        batches.append(sender.batch(NEW[at * 3 : at * 3 + 3] + other, serials=[CHANGE] if at % 3 == 0 else []))

    async def work(one: Ingest, mine: list[int]) -> None:
        for at in mine:
            await one.commit(batches[at])
            await Recomputer(one.writer, one.clock).step()

    async with asyncio.timeout(60):
        await asyncio.gather(
            work(ingest, [0, *range(1, 21, 2)]), work(second, list(range(2, 21, 2))), work(second, [5, 8, 1])
        )
    await second.database.close()
    await settle(ingest)
    assert await outcome(ingest) == (ENERGY, ["declared"], 0)
    assert len(await facts(ingest)) == 1


async def test_nothing_of_an_exchange_stays_where_nothing_was_committed(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender()
    await ingest.commit(sender.batch(OLD))
    batch = sender.batch(NEW, serials=[CHANGE])
    await ingest.database.execute("alter table point_state add constraint broken check (last_value > 1000) not valid")
    with pytest.raises(DatabaseError):
        await ingest.commit(batch)
    assert ingest.writer.model.version == 0
    assert await facts(ingest) == []
    await ingest.database.execute("alter table point_state drop constraint broken")
    await ingest.commit(batch)
    assert await outcome(ingest) == (ENERGY, ["declared"], 0)


async def test_a_person_has_the_last_word(ingest: Ingest) -> None:
    """An episode of the same serial number, with its registers, takes the place of what the source found."""
    await ingest.commit(Sender().batch(OLD + NEW, serials=[CHANGE]))
    at = from_ms(AT - 120_000).strftime("%Y-%m-%dT%H:%M:%SZ")
    episode = f", limit_per_h: 100, episodes: [{{at: {at}, serial: B, end_reading: 5199, start_reading: 5}}]"
    applied = await ingest.apply(park_text(2, point=episode))
    assert applied.queued == 1
    await settle(ingest)
    assert await outcome(ingest) == (ENERGY + 1_000_000 + 2_000_000, ["declared"], 0)


async def test_what_is_out_of_time_or_unknown_declares_nothing(ingest: Ingest) -> None:
    sender = Sender()
    odd = [
        SerialChange(device="m0", t=NOW_MS + 4000 * 86_400_000, serial="B", was="A"),
        SerialChange(device="m0", t=-(2**61), serial="B", was="A"),
        SerialChange(device="m7", t=AT, serial="B", was="A"),
    ]
    assert [one.verdict for one in await ingest.commit(sender.batch(OLD, serials=odd))] == [Verdict.COMMITTED]
    assert await facts(ingest) == []
    await ingest.apply(park_text(8, point=", limit_per_h: 100"))
    await replay(ingest.writer, "testpark", from_ms(NOW_MS))  # the device is registered now
    assert [row[:3] for row in await facts(ingest)] == [(f"m7/{METER}", "boundary", from_ms(AT))]
