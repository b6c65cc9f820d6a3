"""Tombstones: what a source had to give up is recorded, unless it arrived after all."""

from collections.abc import AsyncIterator

import pytest

from ingest.pool import Verdict
from parkcarbon.wire.body import Loss, Tombstone
from tests.fakes.ingest_park import METER, NOW_MS, QUARTER_MS, Ingest, Sender, counter_rows, open_ingest, park_text

M0 = f"m0/{METER}"
START = NOW_MS - 86_400_000


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    await opened.apply(park_text())
    yield opened
    await opened.database.close()


def stone(line: bytes) -> Tombstone:
    loss = Loss(point=M0, t_from=START, t_to=START + 3 * QUARTER_MS, n=2, reason="full")
    return Tombstone(header=line.decode(), loss=(loss,))


async def test_a_thinned_batch_is_recorded_with_its_loss(ingest: Ingest) -> None:
    sender = Sender()
    thinned = sender.batch(counter_rows(M0, START, [1, 2, 3, 4]))
    kept = sender.batch(counter_rows(M0, START + 3 * QUARTER_MS, [4]), tombstones=[stone(thinned.line)])
    await ingest.commit(kept)
    row = await ingest.database.fetchrow("select state, raw, n from batch where seq = 1")
    assert row is not None
    assert tuple(row.values()) == ("tombstone", None, 4)
    loss = await ingest.database.fetchrow("select seq, point, n, reason from loss_record")
    assert loss is not None
    assert tuple(loss.values()) == (1, M0, 2, "full")
    await ingest.commit(kept)
    assert await ingest.count("loss_record") == 1


async def test_a_thinned_batch_that_arrives_after_all_is_committed(ingest: Ingest) -> None:
    sender = Sender()
    thinned = sender.batch(counter_rows(M0, START, [1, 2, 3, 4]))
    await ingest.commit(sender.batch(counter_rows(M0, START + 3 * QUARTER_MS, [4]), tombstones=[stone(thinned.line)]))
    outcomes = await ingest.commit(thinned, thinned)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.COMMITTED, Verdict.AGAIN]
    assert await ingest.database.fetchval("select state from batch where seq = 1") == "committed"
    assert await ingest.count("reading") == 4
    (again,) = await ingest.commit(thinned)
    assert again.verdict is Verdict.AGAIN


async def test_a_batch_that_was_committed_in_time_is_no_loss(ingest: Ingest) -> None:
    sender = Sender()
    first = sender.batch(counter_rows(M0, START, [1, 2, 3, 4]))
    await ingest.commit(first)
    await ingest.commit(sender.batch(counter_rows(M0, START + 4 * QUARTER_MS, [5]), tombstones=[stone(first.line)]))
    assert await ingest.count("loss_record") == 0
    assert await ingest.database.fetchval("select state from batch where seq = 1") == "committed"


async def test_a_tombstone_that_is_no_header_costs_nothing_else(ingest: Ingest) -> None:
    batch = Sender().batch(counter_rows(M0, START, [1]), tombstones=[Tombstone(header="nonsense", loss=())])
    (outcome,) = await ingest.commit(batch)
    assert outcome.verdict is Verdict.COMMITTED
