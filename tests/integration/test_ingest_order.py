"""Results do not depend on the order, repetition or pooling of batches, and equal their recomputation."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import LiteralString

import pytest

from ingest.absorb import Absorber, lock_points
from ingest.pool import Batch
from ingest.recompute import Recomputer, check_point
from parkcarbon.books.derive.model import load_model
from parkcarbon.kit.db import Row as DbRow
from parkcarbon.kit.db import Session
from parkcarbon.wire.body import Row
from tests.fakes.ingest_park import METER, NOW_MS, QUARTER_MS, Ingest, Sender, counter_rows, open_ingest, park_text
from tests.fakes.postgres import Server

M0, M1 = f"m0/{METER}", f"m1/{METER}"
DAYS = 4
START = NOW_MS - DAYS * 86_400_000 - 7 * 60_000
HOUR_MS = 3_600_000


def history(seed: int) -> list[Row]:
    """Registers of two meters with a gap, a glitch, a reset, a suspect reading and a missing value."""
    rng = random.Random(seed)
    rows: list[Row] = []
    for point in (M0, M1):
        register = rng.uniform(0, 1000)
        for at in range(DAYS * 96):
            time_ms = START + at * QUARTER_MS + rng.randrange(0, 2000)
            register += rng.uniform(0, 20)
            if at == 200 and point == M0:
                register = 3.25  # exchanged, nobody said so
            if 96 <= at < 120 and point == M1:
                continue
            value: float | None = round(register, 2)
            quality = 0
            if at in (50, 51) and point == M0:
                value = round(register + 90_000, 2)  # glitch
            if at == 300:
                value, quality = None, 2
            if at == 310:
                quality = 1
            rows.append(Row(point, time_ms, value, quality))
    return rows


def delta_history(seed: int) -> list[Row]:
    rng = random.Random(seed)
    rows = []
    for point in (M0, M1):
        for at in range(DAYS * 24):
            value = 0.0 if 30 <= at < 34 else round(rng.uniform(0, 400), 1)
            rows.append(Row(point, NOW_MS - (DAYS * 24 - at) * HOUR_MS, value))
    return rows


async def settle(ingest: Ingest) -> None:
    """Work off everything queued, held or not."""
    ingest.clock._wall_ms += 10 * 60_000
    recomputer = Recomputer(ingest.writer, ingest.clock)
    while await recomputer.step():
        pass
    assert await ingest.count("recompute") == 0


async def assert_recomputed_equal(ingest: Ingest) -> None:
    async with ingest.database.transaction() as session:
        model = await load_model(session)
        book = Absorber(model, ingest.writer.partitions).book
        for point in model.by_id.values():
            assert await check_point(session, point, model, book) == []


async def result_of(
    server: Server, text: str, pools: Sequence[Sequence[Batch]], *, backlog: bool = False
) -> dict[str, list[tuple[object, ...]]]:
    url = server.clone()
    ingest = await open_ingest(url)
    try:
        await ingest.apply(text)
        for pool in pools:
            await ingest.commit(*pool, backlog=backlog)
        await settle(ingest)
        await assert_recomputed_equal(ingest)
        return await ingest.everything()
    finally:
        await ingest.database.close()
        server.drop(url)


def cut(rows: Sequence[Row], rng: random.Random) -> list[Batch]:
    """Cut rows into batches of random size, in time order."""
    sender = Sender()
    ordered = sorted(rows, key=lambda row: (row.t, row.point))
    batches, at = [], 0
    while at < len(ordered):
        size = rng.randrange(1, 120)
        batches.append(sender.batch(ordered[at : at + size]))
        at += size
    return batches


@pytest.mark.parametrize("kind", ["counter", "delta"])
async def test_any_order_repetition_and_pooling_gives_the_same_bytes(kind: str, server: Server) -> None:
    text = park_text(kind=kind, period_s=900 if kind == "counter" else 3600, point=", limit_per_h: 400")
    rows = history(1) if kind == "counter" else delta_history(1)
    rng = random.Random(5)
    whole = await result_of(server, text, [cut(rows, rng)])
    assert len(whole["interval"]) > DAYS * 96
    for seed in range(3):
        rng = random.Random(seed)
        batches = cut(rows, rng)
        batches += rng.sample(batches, len(batches) // 3)
        rng.shuffle(batches)
        pools, at = [], 0
        while at < len(batches):
            size = rng.randrange(1, 4)
            pools.append(batches[at : at + size])
            at += size
        assert await result_of(server, text, pools, backlog=seed == 1) == whole


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    await opened.apply(park_text())
    yield opened
    await opened.database.close()


async def test_a_late_reading_within_two_hours_is_worked_in_at_once(ingest: Ingest) -> None:
    sender = Sender()
    rows = counter_rows(M0, START, [float(value) for value in range(100)])
    await ingest.commit(sender.batch(rows[:95] + rows[96:]))
    (gap,) = [row for row in await ingest.intervals() if row[3] == 1][:1]
    assert gap
    await ingest.commit(sender.batch(rows[95:96]))
    assert await ingest.count("recompute") == 0
    assert {row[3] for row in await ingest.intervals()} == {0}
    await assert_recomputed_equal(ingest)


async def test_an_older_one_is_queued_and_held_while_its_source_is_behind(ingest: Ingest) -> None:
    sender = Sender()
    rows = counter_rows(M0, START, [float(value) for value in range(300)])
    await ingest.commit(sender.batch(rows[:50] + rows[60:]))
    before = await ingest.intervals()
    await ingest.commit(sender.batch(rows[50:55]), backlog=True)
    await ingest.commit(sender.batch(rows[55:60]), backlog=True)
    assert await ingest.intervals() == before
    assert await ingest.count("recompute") == 1
    recomputer = Recomputer(ingest.writer, ingest.clock)
    assert await recomputer.step() == 0
    ingest.clock._wall_ms += 5 * 60_000
    assert await recomputer.step() == 1
    assert await ingest.count("recompute") == 0
    assert {row[3] for row in await ingest.intervals()} == {0}
    await assert_recomputed_equal(ingest)


async def test_a_recomputation_stops_where_a_checkpoint_comes_out_as_it_was(ingest: Ingest) -> None:
    sender = Sender()
    rows = counter_rows(M0, NOW_MS - 60 * 86_400_000, [float(value) for value in range(60 * 96)])
    late = rows.pop(96 + 30)
    await ingest.commit(sender.batch(rows[:3000]), sender.batch(rows[3000:]))
    xmin = "select i.start, i.xmin::text from interval_15min i order by i.start"
    before = {row["start"]: row["xmin"] for row in await ingest.database.fetch(xmin)}
    await ingest.commit(sender.batch([late]))
    await settle(ingest)
    after = {row["start"]: row["xmin"] for row in await ingest.database.fetch(xmin)}
    changed = [start for start in after if after[start] != before.get(start)]
    assert 0 < len(changed) <= 2 * 96
    await assert_recomputed_equal(ingest)


async def test_the_newest_made_delta_counts_whatever_arrived_first(server: Server) -> None:
    text = park_text(kind="delta", period_s=3600)
    rows = delta_history(2)
    other = [Row(row.point, row.t, (row.x or 0) + 1) if at % 3 == 0 else row for at, row in enumerate(rows)]
    final = [Row(row.point, row.t, (row.x or 0) + 2) if at % 2 == 0 else row for at, row in enumerate(rows)]
    sender = Sender()
    versions = [sender.batch(part, made_ms=NOW_MS + at) for at, part in enumerate((rows, other, rows, final))]
    wanted = await result_of(server, text, [[Sender().batch(final)]])
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)):
        result = await result_of(server, text, [[versions[at]] for at in order])
        assert result["interval"] == wanted["interval"]
        assert result["month"] == wanted["month"]
    back = [sender.batch(part, made_ms=NOW_MS + 10 + at) for at, part in enumerate((rows, other, rows))]
    wanted = await result_of(server, text, [[Sender().batch(rows)]])
    for other_order in ((0, 1, 2), (0, 2, 1), (2, 0, 1), (1, 2, 0)):
        assert (await result_of(server, text, [[back[at]] for at in other_order]))["interval"] == wanted["interval"]
    assert (await result_of(server, text, [back]))["interval"] == wanted["interval"]


class Stepwise(Session):
    """Stops after each statement until it may go on."""

    def __init__(self, session: Session) -> None:
        super().__init__(session._connection)
        self.stopped, self.go = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def _stop(self) -> None:
        self.stopped.release()
        await self.go.acquire()

    async def fetch(self, query: LiteralString, *args: object) -> list[DbRow]:
        found = await super().fetch(query, *args)
        await self._stop()
        return found

    async def execute(self, query: LiteralString, *args: object) -> int:
        touched = await super().execute(query, *args)
        await self._stop()
        return touched


async def test_workers_that_meet_at_new_points_never_lock_one_another(database_url: str) -> None:
    """A slow worker has seen neither point; one of them gets its state meanwhile, and another worker wants both."""
    ingest = await open_ingest(database_url)
    await ingest.apply(park_text(2))
    async with ingest.database.session() as plain:
        model = await load_model(plain)
    both = sorted(model.by_id)

    async def lock(points: list[int]) -> int:
        async with ingest.database.transaction() as session:
            return len(await lock_points(session, points, model))

    async with asyncio.timeout(30), ingest.database.transaction() as session:
        slow = Stepwise(session)
        locking = asyncio.ensure_future(lock_points(slow, both, model))
        others = []
        for points in (both[:1], both):
            await slow.stopped.acquire()
            others.append(asyncio.ensure_future(lock(points)))
            await asyncio.wait(others, timeout=0.3)  # until they are done or wait for the slow one
            slow.go.release()
        slow.go.release()
        assert len(await locking) == 2
    assert await asyncio.gather(*others) == [1, 2]
    await ingest.database.close()


async def test_workers_side_by_side_give_the_same_and_never_lock_one_another(server: Server) -> None:
    rng = random.Random(9)
    rows = history(3)
    text = park_text(point=", limit_per_h: 400")
    wanted = await result_of(server, text, [cut(rows, rng)])
    url = server.clone()
    workers = [await open_ingest(url) for _ in range(3)]
    await workers[0].apply(text)
    batches = cut(rows, random.Random(10))

    async def work(ingest: Ingest, seed: int) -> None:
        mine = random.Random(seed).sample(batches, len(batches) * 2 // 3)
        for at in range(0, len(mine), 2):
            await ingest.commit(*mine[at : at + 2])

    await asyncio.gather(*(work(ingest, seed) for seed, ingest in enumerate(workers)))
    await workers[0].commit(*batches)
    await settle(workers[0])
    await assert_recomputed_equal(workers[0])
    assert await workers[0].everything() == wanted
    assert await workers[0].count("reading_conflict") == 0
    for ingest in workers:
        await ingest.database.close()
    server.drop(url)
