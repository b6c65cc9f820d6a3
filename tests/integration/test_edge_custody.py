"""Readings on their way into the outbox: batches, doubtful clock, no room, history, and kill -9 in the middle."""

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import structlog.testing
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.backfill import BATCH_READINGS, Backfill
from edge.collector import Author, Collector, Store
from edge.errors import BackfillError
from parkcarbon.domain.reading import Quality
from parkcarbon.kit.clock import Stamp, SystemClock
from parkcarbon.kit.outbox import Outbox, OutboxFullError
from parkcarbon.wire.body import Draft, Row
from parkcarbon.wire.frame import Header, link, open_frame, split

ROOT = Path(__file__).resolve().parents[2]
T0 = 1_790_000_000_000
CLOCK = SystemClock()


def store_at(folder: Path, key: Ed25519PrivateKey | None = None, max_bytes: int = 64 << 20) -> Store:
    outbox = Outbox(folder / "outbox.db", clock=CLOCK, journal=folder / "journal.jsonl", max_bytes=max_bytes)
    return Store(outbox, Author("park", "edge-1", ("a" * 64,), key), CLOCK, journal=True)


def batches(store: Store) -> list[tuple[Header, list[Row], int | None]]:
    found = []
    for seq, _, _ in store.outbox.waiting():
        frame = store.outbox.frame(seq)
        assert frame is not None
        header, body = open_frame(frame)
        found.append((header, body.rows(), body.offset_ms))
    return found


def rows_in(store: Store) -> list[Row]:
    return [row for _, rows, _ in batches(store) for row in rows]


def journal(folder: Path) -> list[Row]:
    path = folder / "journal.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [Row(*json.loads(line)) for line in lines]


def row(number: int, value: float | None = 1.0, quality: int = 0) -> Row:
    return Row(f"m{number % 3}/active_power", T0 + number, value, quality)


async def collected(collector: Collector, work: float) -> None:
    task = asyncio.ensure_future(collector.run())
    await asyncio.sleep(work)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_readings_of_a_second_become_one_batch_and_are_journalled(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    calls: list[int] = []
    collector = Collector(store, clock=CLOCK, flush_s=0.1, appended=lambda: calls.append(1))
    rows = [row(n, None if n % 5 == 0 else n / 7, 2 if n % 5 == 0 else 0) for n in range(50)]
    for one in rows:
        collector.take(one, Stamp(one.t, certain=True, offset_ms=0))
    await collected(collector, 0.4)
    assert rows_in(store) == rows
    assert journal(tmp_path) == rows
    ((header, _, offset),) = batches(store)
    assert (header.park, header.source, header.n, header.profile, offset) == ("park", "edge-1", 50, ("a" * 64,), None)
    assert calls == [1]
    store.outbox.close()


async def test_many_readings_do_not_wait(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    collector = Collector(store, clock=CLOCK, flush_s=60, flush_readings=10)
    task = asyncio.ensure_future(collector.run())
    for n in range(10):
        collector.take(row(n), Stamp(T0, certain=True, offset_ms=0))
    for _ in range(200):
        if store.outbox.stats().depth:
            break
        await asyncio.sleep(0.02)
    assert len(rows_in(store)) == 10
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    store.outbox.close()


async def test_what_is_held_is_stored_at_the_end(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    collector = Collector(store, clock=CLOCK, flush_s=60)
    collector.take(row(1), Stamp(T0, certain=True, offset_ms=0))
    await collected(collector, 0.01)
    assert rows_in(store) == [row(1)]
    store.outbox.close()


async def test_a_doubtful_clock_goes_into_a_batch_of_its_own_with_its_offset(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    collector = Collector(store, clock=CLOCK, flush_s=0.05)
    collector.take(row(1), Stamp(T0, certain=True, offset_ms=0))
    collector.take(row(2, quality=4), Stamp(T0, certain=False, offset_ms=-7000))
    collector.take(row(3), Stamp(T0, certain=True, offset_ms=0))
    await collected(collector, 0.2)
    assert [(rows, offset) for _, rows, offset in batches(store)] == [
        ([row(1), row(3)], None),
        ([row(2, quality=4)], -7000),
    ]
    store.outbox.close()


async def test_batches_are_signed_and_chained(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    store = store_at(tmp_path, key)
    collector = Collector(store, clock=CLOCK, flush_s=0.01)
    for n in range(3):
        collector.take(row(n), Stamp(T0, certain=True, offset_ms=0))
        await collected(collector, 0.05)
    before = ""
    for seq, _, _ in store.outbox.waiting():
        frame = store.outbox.frame(seq)
        assert frame is not None
        header, _ = open_frame(frame, public_key=public)
        assert header.prev == before
        before = link(split(frame)[0])
    assert before
    store.outbox.close()


async def test_without_room_readings_are_held_and_stored_when_there_is_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_at(tmp_path)
    real, full = store.append, True

    def append(draft: Draft, rows: list[Row]) -> int:
        if full:
            raise OutboxFullError("full")
        return real(draft, rows)

    monkeypatch.setattr(store, "append", append)
    collector = Collector(store, clock=CLOCK, flush_s=0.02)
    with structlog.testing.capture_logs() as logs:
        task = asyncio.ensure_future(collector.run())
        for n in range(20):
            collector.take(row(n), Stamp(T0, certain=True, offset_ms=0))
            await asyncio.sleep(0.01)
        assert rows_in(store) == []
        full = False
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert rows_in(store) == [row(n) for n in range(20)]
    assert [log["event"] for log in logs] == ["outbox_room_lost", "outbox_room_back"]
    store.outbox.close()


# ── history ──────────────────────────────────────────────────────────────────────────────────────


def history(path: Path, n: int = 10_000) -> list[Row]:
    """Write a logger's file; return what is in it."""
    rng = np.random.default_rng(7)
    t = np.sort(rng.integers(T0, T0 + 10**9, n))
    x = rng.normal(size=n).cumsum()
    x[::50] = np.nan
    points = [f"m{i}/active_energy_import" for i in range(12)]
    p = rng.integers(0, len(points), n)
    q = np.where(np.isnan(x), 2, 0)
    np.savez(
        path,
        points=np.array(points),
        p=p.astype(np.int32),
        t=t.astype(np.int64),
        x=x,
        q=q.astype(np.int8),
    )
    return [
        Row(points[i], time_ms, None if np.isnan(value) else value, quality)
        for i, time_ms, value, quality in zip(p.tolist(), t.tolist(), x.tolist(), q.tolist(), strict=True)
    ]


async def test_history_is_stored_once_behind_what_is_live(tmp_path: Path) -> None:
    rows = history(tmp_path / "h.npz")
    store = store_at(tmp_path)
    assert await Backfill(tmp_path / "h.npz", store, clock=CLOCK).run() == 10_000
    assert rows_in(store) == rows
    assert journal(tmp_path) == rows
    assert not any(live for _, _, live in store.outbox.waiting())
    assert max(header.n for header, _, _ in batches(store)) == BATCH_READINGS
    assert await Backfill(tmp_path / "h.npz", store, clock=CLOCK).run() == 0
    history(tmp_path / "other.npz", 10)
    assert await Backfill(tmp_path / "other.npz", store, clock=CLOCK).run() == 10
    store.outbox.close()


async def test_a_journal_is_history_too(tmp_path: Path) -> None:
    rows = history(tmp_path / "h.npz", 5000)
    (tmp_path / "a").mkdir()
    first = store_at(tmp_path / "a")
    await Backfill(tmp_path / "h.npz", first, clock=CLOCK).run()
    first.outbox.close()
    (tmp_path / "b").mkdir()
    second = store_at(tmp_path / "b")
    await Backfill(tmp_path / "a" / "journal.jsonl", second, clock=CLOCK).run()
    assert rows_in(second) == rows
    second.outbox.close()


async def test_values_that_are_none_are_said_to_be_missing(tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text(
        '["m/active_power",1,null,0]\n["m/active_power",2,null,3]\n["m/active_power",3,5,0,9]\n'
    )
    store = store_at(tmp_path)
    await Backfill(tmp_path / "h.jsonl", store, clock=CLOCK).run()
    name = "m/active_power"
    assert rows_in(store) == [
        Row(name, 1, None, Quality.NOT_AVAILABLE),
        Row(name, 2, None, Quality.OUT_OF_RANGE),
        Row(name, 3, 5.0, 0, 9),
    ]
    store.outbox.close()


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("missing.npz", None, "No such file"),
        ("h.csv", b"a,b\n", r"neither \.npz nor \.jsonl"),
        ("h.npz", b"not a zip", r"h\.npz"),
        ("h.jsonl", b'["m/x",1,2,0]\nrubbish\n', r"h\.jsonl:2: "),
        ("h.jsonl", b'["m/x",1,"two",0]\n', r"h\.jsonl:1: Expected `float \| null`"),
    ],
)
async def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes | None, complaint: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    store = store_at(tmp_path)
    with pytest.raises(BackfillError, match=complaint):
        await Backfill(tmp_path / name, store, clock=CLOCK).run()
    store.outbox.close()


@pytest.mark.parametrize("change", [{"p": [0, 7]}, {"p": [-1, 0]}, {"t": [1]}])
async def test_arrays_that_contradict_each_other(tmp_path: Path, change: dict[str, list[int]]) -> None:
    arrays: dict[str, list[int] | list[str]] = {"points": ["m/x"], "p": [0, 0], "t": [1, 2], "x": [1, 2], "q": [0, 0]}
    np.savez(
        tmp_path / "h.npz", allow_pickle=False, **{key: np.array(value) for key, value in (arrays | change).items()}
    )
    store = store_at(tmp_path)
    with pytest.raises(BackfillError, match=r"h\.npz"):
        await Backfill(tmp_path / "h.npz", store, clock=CLOCK).run()
    assert rows_in(store) == []
    store.outbox.close()


async def test_history_leaves_room_for_what_happens_now(tmp_path: Path) -> None:
    history(tmp_path / "h.npz", 60_000)
    store = store_at(tmp_path, max_bytes=1 << 20)
    task = asyncio.ensure_future(Backfill(tmp_path / "h.npz", store, clock=CLOCK).run())
    await asyncio.sleep(1.0)
    assert not task.done()
    used = store.outbox.stats().used
    assert 0.3 < used < 0.8
    store.append(Draft(b'{"points":[],"p":[],"t":[],"x":[],"q":[]}', 0, 0, 0), [])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    store.outbox.close()


FILL = """
import asyncio, sys
from pathlib import Path
from edge.backfill import Backfill
from tests.integration import test_edge_custody as here
folder = Path(sys.argv[1])
store = here.store_at(folder)
print("begin", flush=True)
asyncio.run(Backfill(folder / "h.npz", store, clock=here.CLOCK).run())
print("done", flush=True)
"""


def test_history_survives_kill_in_the_middle_without_loss_or_repetition(tmp_path: Path) -> None:
    rows = history(tmp_path / "h.npz", 60_000)
    rng = random.Random(3)
    kills = 0
    for _ in range(60):
        process = subprocess.Popen(
            [sys.executable, "-c", FILL, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        time.sleep(rng.uniform(0.0, 0.08))
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
        process.stdout.close()
        process.wait()
        if "done" in rest:
            break
        kills += 1
    else:
        pytest.fail("never finished")
    store = store_at(tmp_path)
    assert rows_in(store) == rows
    store.outbox.close()
    counted = Counter(journal(tmp_path))
    assert counted <= Counter(rows), "something was journalled that is not in the outbox, or twice"
    assert kills >= 2
