"""Group commit: what waits is one pool, bounded; a pool that fails is tried again, then batch by batch."""

import asyncio
import datetime as dt
import random
from collections.abc import Callable, Sequence
from typing import cast

from ingest.group import POOL_READINGS, WAITING_READINGS, Group
from ingest.pool import Batch, Outcome, Verdict, Writer
from parkcarbon.kit.backoff import Backoff
from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.db import RejectedError, UnavailableError
from parkcarbon.wire.errors import Reason
from tests.fakes.ingest_park import METER, NOW_MS, Sender, counter_rows

SENDER = Sender()


def batch(readings: int) -> Batch:
    return SENDER.batch(counter_rows(f"m0/{METER}", NOW_MS, [1.0] * readings))


class FakeWriter:
    """Commits in memory; `fail` may raise for a pool."""

    def __init__(self, fail: Callable[[Sequence[Batch]], None] = lambda _: None) -> None:
        self.pools: list[list[int]] = []
        self.fail = fail
        self.gate = asyncio.Event()
        self.gate.set()

    async def commit(self, batches: Sequence[Batch], now: dt.datetime, *, backlog: bool = False) -> list[Outcome]:
        await self.gate.wait()
        self.pools.append([one.topic.seq for one in batches])
        self.fail(batches)
        return [Outcome(Verdict.COMMITTED, readings=one.header.n) for one in batches]


class Told:
    """Collects what is delivered."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[int, Outcome]] = []

    async def deliver(self, outcomes: Sequence[tuple[Batch, Outcome]]) -> None:
        self.outcomes += [(one.topic.seq, outcome) for one, outcome in outcomes]


def group(writer: FakeWriter, told: Told, clock: ManualClock | None = None) -> Group:
    backoff = Backoff(first_s=1, ceiling_s=1, rng=random.Random(0))
    return Group(cast("Writer", writer), clock or ManualClock(), backoff, told.deliver, lambda _: False)


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_an_idle_system_commits_each_batch_at_once() -> None:
    writer, told = FakeWriter(), Told()
    one = group(writer, told)
    running = asyncio.create_task(one.run())
    for number in range(3):
        await one.put(batch(1))
        await settle()
        assert len(writer.pools) == number + 1
    running.cancel()


async def test_what_waits_is_one_pool_of_bounded_size() -> None:
    writer, told = FakeWriter(), Told()
    one = group(writer, told)
    writer.gate.clear()
    running = asyncio.create_task(one.run())
    await one.put(batch(1))
    await settle()
    batches = [batch(4000) for _ in range(7)]
    for each in batches:
        await one.put(each)
    writer.gate.set()
    await settle()
    assert [len(pool) for pool in writer.pools] == [1, 5, 2]
    assert POOL_READINGS == 5 * 4000
    assert [seq for seq, _ in told.outcomes][1:] == [each.topic.seq for each in batches]
    running.cancel()


async def test_too_much_waiting_holds_the_reader_back() -> None:
    writer, told = FakeWriter(), Told()
    one = group(writer, told)
    for _ in range(WAITING_READINGS // 4000):
        await one.put(batch(4000))
    blocked = asyncio.create_task(one.put(batch(1)))
    await settle()
    assert not blocked.done()
    running = asyncio.create_task(one.run())
    await settle()
    assert blocked.done()
    running.cancel()


async def test_a_database_that_is_away_is_tried_again_and_nothing_is_refused() -> None:
    fails = [UnavailableError("away"), UnavailableError("away"), RejectedError("42P01 no such table", "42P01")]

    def fail(_: Sequence[Batch]) -> None:
        if fails:
            raise fails.pop(0)

    writer, told, clock = FakeWriter(fail), Told(), ManualClock()
    running = asyncio.create_task(group(writer, told, clock).commit([batch(1), batch(1)]))
    for _ in range(3):
        await settle()
        assert not running.done()
        clock.advance(1)
    outcomes = await running
    assert [outcome.verdict for outcome in outcomes] == [Verdict.COMMITTED] * 2
    assert len(writer.pools) == 4


async def test_only_the_batch_that_fails_alone_is_refused() -> None:
    good, bad, other = batch(1), batch(1), batch(1)

    def fail(batches: Sequence[Batch]) -> None:
        if bad in batches:
            raise RejectedError("22003 out of range", "22003")

    writer, told = FakeWriter(fail), Told()
    outcomes = await group(writer, told).commit([good, bad, other])
    assert [outcome.verdict for outcome in outcomes] == [Verdict.COMMITTED, Verdict.REFUSED, Verdict.COMMITTED]
    assert outcomes[1].reason is Reason.UNDECODABLE
    assert "22003" in outcomes[1].detail
