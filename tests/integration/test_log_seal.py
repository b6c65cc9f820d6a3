"""The log of committed batches: order, gapless places, daily roots, many workers, slow writers."""

import asyncio
import datetime as dt
import hashlib
import random

import pytest

from parkcarbon.books import inventory
from parkcarbon.domain.merkle import EMPTY, consistency_proof, root_of, verify_consistency
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Database, RejectedError, Session, UnavailableError
from parkcarbon.statement.log import QUERIES
from parkcarbon.statement.log.leaf import Leaf, micro, parse_micro
from parkcarbon.statement.log.roots import leaves_of, root_at, roots_between, size_at
from parkcarbon.statement.log.seal import Sealed, ensure_sealed, seal
from parkcarbon.wire.body import Loss, Row, Tombstone
from tests.fakes.ingest_park import METER, NOW_MS, PARK, Ingest, Sender, open_ingest, park_text

POINT = f"m0/{METER}"
INSERT = (
    "insert into batch (source_id, boot, seq, state, digest, header, made, n, t_min, t_max, recorded_at)"
    " values ($1, $2, $3, 'committed', $4, 'h', now(), 1, now(), now(), coalesce($5::timestamptz, now()))"
)


@pytest.fixture
def unsettled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seal what was recorded before this very moment."""
    monkeypatch.setattr(inventory, "SETTLED_AFTER", dt.timedelta(0))


async def sources(database: Database) -> dict[str, int]:
    rows = await database.fetch("select source, source_id from source order by source")
    return {row["source"]: row["source_id"] for row in rows}


async def put(session: Session | Database, source: int, boot: str, seq: int, at: dt.datetime | None = None) -> None:
    await session.execute(INSERT, source, boot, seq, hashlib.sha256(f"{boot}{seq}".encode()).digest(), at)


async def log_of(database: Database, park: str = PARK) -> list[Leaf]:
    async with database.session() as session:
        return await leaves_of(session, park, 0, 2**60)


async def opened(url: str) -> Ingest:
    ingest = await open_ingest(url)
    await ingest.apply(park_text())
    return ingest


def keys(leaves: list[Leaf]) -> list[tuple[dt.datetime, bytes, bytes, int, str]]:
    return [(leaf.at, leaf.source.encode(), leaf.boot.encode(), leaf.seq, leaf.kind) for leaf in leaves]


def test_a_leaf_is_these_bytes() -> None:
    at = dt.datetime(2026, 11, 21, 8, 0, 0, 5, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    leaf = Leaf("p", at, "committed", "s", "b", 7, b"\x01" * 32, at, None)
    assert leaf.to_bytes() == (
        b'{"at":"2026-11-21T00:00:00.000005Z","boot":"b","digest":"' + b"01" * 32 + b'","kind":"committed","park":"p",'
        b'"seq":7,"source":"s","t_max":null,"t_min":"2026-11-21T00:00:00.000005Z"}'
    )
    assert leaf.hash() == hashlib.sha256(b"\0" + leaf.to_bytes()).digest()
    assert parse_micro(micro(at)) == at


async def test_batches_are_sealed_in_order_and_once(database_url: str, unsettled: None) -> None:
    ingest = await opened(database_url)
    async with ingest.database as database:
        empty = await seal(database)
        sender, other = Sender(), Sender(source="old", boot="00000000000000bb")
        rows = [Row(POINT, NOW_MS - at * 900_000, 1.0 * at) for at in range(8, 0, -1)]
        await ingest.commit(other.batch(rows[:2]), sender.batch(rows[2:4]), sender.batch(rows[4:6]))
        await ingest.commit(other.batch(rows[6:]))
        first = await seal(database)
        again = await seal(database)
        leaves = await log_of(database)
        stored = await database.fetch("select digest, recorded_at from batch order by recorded_at, seq")
    assert (empty.leaves, first.leaves, again.leaves) == (0, 4, 0)
    assert [(leaf.source, leaf.seq) for leaf in leaves] == [("agent", 1), ("agent", 2), ("old", 1), ("old", 2)]
    assert {leaf.digest for leaf in leaves} == {row["digest"] for row in stored}
    assert keys(leaves) == sorted(keys(leaves))
    assert all(leaf.kind == "committed" and leaf.t_min and leaf.t_max for leaf in leaves)


async def test_what_is_younger_than_a_minute_waits(postgres_url: str) -> None:
    ingest = await opened(postgres_url)
    async with ingest.database as database:
        await ingest.commit(Sender().batch([Row(POINT, NOW_MS, 1.0)]))
        sealed = await seal(database)
        now = await database.fetchval("select clock_timestamp()")
        async with database.session() as session:
            with pytest.raises(RefusedError, match="the log is sealed until"):
                await ensure_sealed(session, now)
    assert sealed.leaves == 0
    assert dt.timedelta(seconds=60) <= now - sealed.until < dt.timedelta(seconds=65)


async def test_given_up_then_come_after_all(database_url: str, unsettled: None) -> None:
    """A tombstone stays in the log as it was; the revival is another leaf, at its own time."""
    ingest = await opened(database_url)
    async with ingest.database as database:
        sender = Sender()
        lost = sender.batch([Row(POINT, NOW_MS - 900_000, 5.0)])
        loss = Loss(point=POINT, t_from=NOW_MS - 900_000, t_to=NOW_MS - 900_000, n=1, reason="full")
        stone = Tombstone(header=lost.line.decode(), loss=(loss,))
        await ingest.commit(sender.batch([Row(POINT, NOW_MS, 6.0)], tombstones=[stone]))
        await seal(database)
        async with database.session() as session:
            before = await root_at(session, PARK, 2)
        await ingest.commit(lost)
        await seal(database)
        leaves = await log_of(database)
        async with database.session() as session:
            root = await root_at(session, PARK, 3)
    hashes = [leaf.hash() for leaf in leaves]
    assert [(leaf.seq, leaf.kind) for leaf in leaves] == [(1, "tombstone"), (2, "committed"), (1, "revived")]
    assert leaves[0].digest == hashlib.sha256(lost.line).digest()
    assert leaves[2].digest == lost.digest
    assert verify_consistency(2, before, 3, root, consistency_proof(hashes, 2))


async def test_both_leaves_of_one_revived_before_it_was_sealed(postgres_url: str, unsettled: None) -> None:
    ingest = await opened(postgres_url)
    async with ingest.database as database:
        sender = Sender()
        lost = sender.batch([Row(POINT, NOW_MS - 900_000, 5.0)])
        await ingest.commit(sender.batch([], tombstones=[Tombstone(header=lost.line.decode(), loss=())]))
        await ingest.commit(lost)
        await seal(database)
        leaves = await log_of(database)
    assert [(leaf.seq, leaf.kind) for leaf in leaves] == [(1, "tombstone"), (2, "committed"), (1, "revived")]
    assert leaves[0].digest == hashlib.sha256(lost.line).digest()


async def test_a_day_ends_with_a_root_that_stays(database_url: str, unsettled: None) -> None:
    """Days without batches have one too; an event at midnight belongs to the day that begins."""
    ingest = await opened(database_url)
    async with ingest.database as database:
        source = (await sources(database))["agent"]
        begin = dt.datetime(2026, 3, 1, 22, tzinfo=dt.UTC)
        midnight = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
        for seq, at in enumerate([begin, begin + dt.timedelta(hours=1), midnight, midnight + dt.timedelta(days=2)], 1):
            await put(database, source, "b", seq, at)
        async with database.session() as session:
            await seal(database, at_once=2)
            roots = await roots_between(session, PARK, dt.date(2026, 3, 1), dt.date(2026, 3, 6), as_of=midnight)
            sizes = [await size_at(session, PARK, midnight + dt.timedelta(hours=hours)) for hours in (-3, -1, 0, 60)]
            roots_at = [await root_at(session, PARK, size) for size in range(5)]
        hashes = [leaf.hash() for leaf in await log_of(database)]
        days = await database.fetchval("select count(*) from log_root")
        today = await database.fetchval("select (now() at time zone 'UTC')::date")
        for statement in (
            "update log_root set size = 9",
            "delete from log_root",
            "truncate log_root cascade",
            "update log_leaf set seq = 9",
            "delete from log_leaf",
            "truncate log_leaf",
        ):
            with pytest.raises(RejectedError, match="PR001"):
                await database.execute(statement)
    assert [(root.day.day, root.size) for root in roots] == [(1, 2), (2, 3), (3, 3), (4, 4), (5, 4)]
    assert [root.root for root in roots] == [root_of(hashes[: root.size]) for root in roots]
    assert days == (today - dt.date(2026, 3, 1)).days
    assert sizes == [0, 2, 3, 4]
    assert roots_at == [EMPTY, *(root_of(hashes[:size]) for size in range(1, 5))]


async def test_leaves_and_roots_out_of_order_are_refused(postgres_url: str, unsettled: None) -> None:
    ingest = await opened(postgres_url)
    async with ingest.database as database:
        source = (await sources(database))["agent"]
        yesterday = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
        await put(database, source, "b", 1, yesterday)
        await seal(database)
        again = (
            "insert into log_leaf select park_id, {}, at, kind, source, boot, seq, digest, t_min, t_max, hash"
            " from log_leaf"
        )
        for position in ("1", "2"):
            with pytest.raises(RejectedError, match="does not follow the one before it"):
                await database.execute(again.replace("{}", position))
        with pytest.raises(RejectedError, match="does not follow that of"):
            await database.execute(
                "insert into log_root select park_id, day + 2, size, root, peaks, now() from log_root"
                " order by day desc limit 1"
            )
        with pytest.raises(LookupError, match="has 1 leaves, not 5"):
            async with database.session() as session:
                await root_at(session, PARK, 5)


async def test_of_many_workers_one_acts_and_nothing_is_sealed_twice(database_url: str, unsettled: None) -> None:
    ingest = await opened(database_url)
    async with ingest.database as database, await Database.connect(database_url, max_size=8) as many:
        source = (await sources(database))["agent"]
        begin = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
        for seq in range(1, 301):
            await put(database, source, "b", seq, begin + dt.timedelta(minutes=seq))
        found: list[Sealed] = await asyncio.gather(*(seal(many, at_once=20) for _ in range(6)))
        leaves = await log_of(database)
    assert sum(one.leaves for one in found) == 300
    assert any(not one.acted for one in found)
    assert [leaf.seq for leaf in leaves] == list(range(1, 301))


async def test_concurrent_commits_never_come_behind_the_head(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writers that live up to three times as long as it takes to settle: the log keeps its order and misses nobody."""
    monkeypatch.setattr(inventory, "SETTLED_AFTER", dt.timedelta(milliseconds=50))
    ingest = await opened(database_url)
    rng = random.Random(5)
    stopping = asyncio.Event()
    sizes: list[tuple[int, bytes]] = []

    async def write(database: Database, source: int, boot: str) -> None:
        for seq in range(1, 26):
            async with database.transaction() as session:
                await put(session, source, boot, seq)
                await asyncio.sleep(rng.choice((0, 0, 0.02, 0.15)))

    async def keep_sealing(database: Database) -> None:
        while not stopping.is_set():
            sealed = await seal(database, at_once=7)
            async with database.session() as session:
                size = await size_at(session, PARK, sealed.until)
                sizes.append((size, await root_at(session, PARK, size)))
            await asyncio.sleep(0.005)

    async with ingest.database as database, await Database.connect(database_url, max_size=8) as many:
        ids = list((await sources(database)).values())
        sealing = asyncio.create_task(keep_sealing(database))
        await asyncio.gather(*(write(many, ids[at % 2], f"boot{at}") for at in range(6)))
        await asyncio.sleep(0.1)
        stopping.set()
        await sealing
        await seal(database)
        leaves = await log_of(database)
    hashes = [leaf.hash() for leaf in leaves]
    assert len(leaves) == 150 == len({(leaf.source, leaf.boot, leaf.seq) for leaf in leaves})
    assert keys(leaves) == sorted(keys(leaves))
    assert len({size for size, _ in sizes}) > 5
    assert all(root_of(hashes[:size]) == root for size, root in sizes)


async def test_a_writer_that_the_log_has_passed_is_refused_and_may_come_again(
    database_url: str, unsettled: None
) -> None:
    ingest = await opened(database_url)
    async with ingest.database as database:
        source = (await sources(database))["agent"]
        sealed = await seal(database)
        with pytest.raises(UnavailableError, match="the log is sealed until"):
            await put(database, source, "b", 1, sealed.until - dt.timedelta(seconds=90))
        await put(database, source, "b", 1)
        assert (await seal(database)).leaves == 1


async def test_what_a_statement_needs_is_sealed_at_once(postgres_url: str, unsettled: None) -> None:
    ingest = await opened(postgres_url)
    async with ingest.database as database:
        await ingest.commit(Sender().batch([Row(POINT, NOW_MS, 1.0)]))
        as_of = await database.fetchval("select clock_timestamp()")
        async with database.transaction() as session:
            await session.execute("set transaction isolation level repeatable read")
            await ensure_sealed(session, as_of)
            await ensure_sealed(session, as_of)
            assert await size_at(session, PARK, as_of) == 1
        assert await database.fetchval(QUERIES["log_state"]) >= as_of
