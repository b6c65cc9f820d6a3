"""The outbox: numbers without gaps, bytes frozen once, a cap that still lets go, a damaged file, a killed process."""

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.outbox import HEADROOM_PAGES, PAGE_BYTES, Build, Outbox, OutboxError, OutboxFullError, Thin

DAY_MS = 86_400_000


def entry(size: int = 100, items: int = 1) -> Build:
    def build(boot: str, seq: int, prev: str) -> tuple[bytes, str, int]:
        frame = f"{boot} {seq} {prev} ".encode()
        frame += random.Random(seq).randbytes(max(0, size - len(frame)))
        return frame, hashlib.sha256(frame).hexdigest(), items

    return build


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def outbox(tmp_path: Path, clock: ManualClock) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "outbox.db", clock=clock)
    yield box
    box.close()


def small(tmp_path: Path, clock: ManualClock, thin: Thin | None = None) -> Outbox:
    """Room for about 4 · 128 - 128 pages."""
    return Outbox(tmp_path / "small.db", clock=clock, max_bytes=4 * HEADROOM_PAGES * PAGE_BYTES, thin=thin)


def fill(box: Outbox, size: int = 20_000) -> int:
    for count in range(10_000):
        try:
            box.append(entry(size))
        except OutboxFullError:
            return count
    raise AssertionError("never full")


def test_entries_are_numbered_and_linked_and_their_bytes_never_change(outbox: Outbox) -> None:
    assert [outbox.append(entry()) for _ in range(3)] == [1, 2, 3]
    frames = [outbox.frame(seq) for seq in (1, 2, 3)]
    link = ""
    for seq, frame in enumerate(frames, 1):
        assert frame is not None
        assert frame.startswith(f"{outbox.boot} {seq} {link} ".encode())
        link = hashlib.sha256(frame).hexdigest()
    assert [outbox.frame(seq) for seq in (1, 2, 3)] == frames


def test_a_builder_that_fails_leaves_no_gap(outbox: Outbox) -> None:
    def broken(boot: str, seq: int, prev: str) -> tuple[bytes, str, int]:
        raise ValueError("no")

    outbox.append(entry())
    with pytest.raises(ValueError, match="no"):
        outbox.append(broken)
    assert outbox.append(entry()) == 2


def test_numbers_go_on_after_everything_was_delivered_and_pruned(tmp_path: Path, clock: ManualClock) -> None:
    box = Outbox(tmp_path / "o.db", clock=clock, keep_ms=DAY_MS)
    boot = box.boot
    box.append(entry())
    box.mark(committed=[1])
    clock.advance(2 * 86_400)
    assert box.prune() == 1
    box.close()
    again = Outbox(tmp_path / "o.db", clock=clock)
    assert (again.boot, again.append(entry())) == (boot, 2)
    first = again.frame(2)
    assert first is not None
    assert first.split(b" ")[2] != b""  # the link outlives the entry it names
    again.close()


def test_boots_are_sixteen_hex_digits_and_differ(tmp_path: Path, clock: ManualClock) -> None:
    boots = set()
    for name in ("a", "b"):
        box = Outbox(tmp_path / name, clock=clock)
        boots.add(box.boot)
        box.close()
    assert len(boots) == 2
    assert all(len(boot) == 16 and int(boot, 16) >= 0 for boot in boots)


def test_only_committed_ends_the_waiting(outbox: Outbox) -> None:
    for _ in range(4):
        outbox.append(entry(), live=False)
    outbox.append(entry())
    outbox.mark(stored=[1, 2])
    assert outbox.waiting() == [
        (1, True, False),
        (2, True, False),
        (3, False, False),
        (4, False, False),
        (5, False, True),
    ]
    assert outbox.mark(committed=[1, 3], refused=[(4, "signature")]) == [4]
    assert [seq for seq, _, _ in outbox.waiting()] == [2, 5]
    assert outbox.frame(1) is None
    outbox.mark(stored=[1])  # late and out of order
    assert [seq for seq, _, _ in outbox.waiting()] == [2, 5]
    assert outbox.stats().refused == 1


def test_a_committed_one_cannot_be_refused_and_a_refused_one_can_still_be_committed(outbox: Outbox) -> None:
    outbox.append(entry())
    outbox.append(entry())
    outbox.mark(committed=[1])
    assert outbox.mark(refused=[(1, "x"), (2, "x"), (99, "x")]) == [2]
    outbox.mark(committed=[2])
    assert outbox.stats().refused == 0


def test_what_was_delivered_can_be_sent_again_while_it_is_kept(outbox: Outbox, clock: ManualClock) -> None:
    frames = [outbox.frame(outbox.append(entry())) for _ in range(5)]
    outbox.mark(committed=[1, 2, 3, 4, 5])
    assert outbox.requeue(2, 3) == [2, 3]
    assert outbox.waiting() == [(2, False, False), (3, False, False)]
    assert outbox.frame(3) == frames[2]
    clock.advance(4 * 86_400)
    assert outbox.prune() == 3
    assert outbox.requeue(1, 99) == []


def test_depth_bytes_and_hours_left(outbox: Outbox, clock: ManualClock) -> None:
    assert outbox.stats().hours_left is None
    for _ in range(10):
        outbox.append(entry(10_000, items=7))
        clock.advance(360)
    stats = outbox.stats()
    assert (stats.depth, stats.items, stats.bytes, stats.alarm) == (10, 70, 100_000, 0)
    capacity = (512 << 20) - HEADROOM_PAGES * PAGE_BYTES
    assert stats.hours_left == pytest.approx((capacity - 100_000) / 100_000, rel=0.01)


def test_a_full_outbox_says_so_warns_before_and_can_still_let_go(tmp_path: Path, clock: ManualClock) -> None:
    box = small(tmp_path, clock)
    levels = []

    def watched(boot: str, seq: int, prev: str) -> tuple[bytes, str, int]:
        levels.append(box.stats().alarm)
        return entry(20_000)(boot, seq, prev)

    with pytest.raises(OutboxFullError):
        fill_forever(box, watched)
    count = len(levels)
    assert levels == sorted(levels)
    assert set(levels) == {0, 70, 90}
    assert box.stats().depth == count
    box.mark(committed=range(1, 11))
    assert box.append(entry(20_000)) == count + 1  # what was delivered makes room
    assert next(seq for seq, _, _ in box.waiting()) == 11
    box.close()
    assert (tmp_path / "small.db").stat().st_size <= 4 * HEADROOM_PAGES * PAGE_BYTES


def test_delivered_entries_go_before_refused_ones_and_waiting_ones_stay(tmp_path: Path, clock: ManualClock) -> None:
    box = small(tmp_path, clock)
    count = fill(box)
    box.mark(committed=[5], refused=[(6, "identity")])
    box.append(entry(20_000))
    assert box.stats().refused == 1
    box.append(entry(20_000))
    assert box.stats().refused == 0
    with pytest.raises(OutboxFullError):
        box.append(entry(20_000))
    assert box.stats().depth == count
    box.close()


def test_a_full_outbox_is_thinned_by_the_policy_in_one_transaction(tmp_path: Path, clock: ManualClock) -> None:
    offered: list[list[int]] = []

    def thin(entries: Sequence[tuple[int, bytes]]) -> tuple[list[int], Build] | None:
        offered.append([seq for seq, _ in entries])
        assert all(frame.split(b" ")[1] == str(seq).encode() for seq, frame in entries)
        return [seq for seq, _ in entries[:4]], entry(1000)

    box = small(tmp_path, clock, thin)
    for _ in range(100):
        box.append(entry(20_000))
    assert offered
    seqs = [seq for seq, _, _ in box.waiting()]
    assert len(seqs) == 100 - 3 * len(offered)
    assert max(seqs) == 100 + len(offered)
    box.close()


def test_a_policy_is_offered_later_entries_where_it_takes_none_of_the_oldest(
    tmp_path: Path, clock: ManualClock
) -> None:
    def thin(entries: Sequence[tuple[int, bytes]]) -> tuple[list[int], Build] | None:
        later = [seq for seq, _ in entries if 70 <= seq < 75]
        return (later, entry(100)) if later else None

    box = small(tmp_path, clock, thin)
    with pytest.raises(OutboxFullError):
        fill_forever(box)
    seqs = {seq for seq, _, _ in box.waiting()}
    assert seqs == set(range(1, max(seqs) + 1)) - {70, 71, 72, 73, 74}
    box.close()


def fill_forever(box: Outbox, build: Build | None = None) -> None:
    while True:
        box.append(build or entry(20_000))


def test_a_damaged_file_is_set_aside_and_a_new_boot_begins(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "outbox.db"
    box = Outbox(path, clock=clock)
    for _ in range(50):
        box.append(entry(5000))
    boot = box.boot
    box.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 4)
        file.write(os.urandom(size // 2))
    after = Outbox(path, clock=clock)
    assert after.boot != boot
    assert after.set_aside is not None
    assert after.set_aside.stat().st_size == size
    assert after.append(entry()) == 1
    after.close()


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"not a database " * 1000)
    box = Outbox(path, clock=clock)
    assert box.set_aside is not None
    box.close()


def test_two_senders_cannot_share_an_outbox(tmp_path: Path, clock: ManualClock, outbox: Outbox) -> None:
    outbox.append(entry())
    with pytest.raises(OutboxError):
        Outbox(tmp_path / "outbox.db", clock=clock, wait_s=0.05)


def test_the_journal_has_every_entry_after_its_commit(tmp_path: Path, clock: ManualClock) -> None:
    journal = tmp_path / "journal.jsonl"
    box = Outbox(tmp_path / "o.db", clock=clock, journal=journal)
    for number in range(3):
        box.append(entry(), journal=json.dumps([number]).encode() + b"\n")
    assert [json.loads(line) for line in journal.read_text().splitlines()] == [[0], [1], [2]]
    box.close()


APPEND_FOREVER = """
import hashlib, sys
from pathlib import Path
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.outbox import Outbox
box = Outbox(Path(sys.argv[1]), clock=SystemClock())
while True:
    print(box.append(lambda boot, seq, prev: (prev.encode() + b"%d" % seq, hashlib.sha256(b"%d" % seq).hexdigest(), 1)),
          flush=True)
"""


def test_everything_reported_as_appended_survives_a_kill(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "o.db"
    reported = 0
    for round_ in range(5):
        child = subprocess.Popen([sys.executable, "-c", APPEND_FOREVER, str(path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        for _ in range(20 + 13 * round_):
            reported = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split(b"\n")
        reported = max([reported, *(int(line) for line in rest[:-1])])
        child.stdout.close()
        child.wait()
    box = Outbox(path, clock=clock)
    seqs = [seq for seq, _, _ in box.waiting()]
    assert box.set_aside is None
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) >= reported >= 200
    for seq in seqs[1:]:
        assert box.frame(seq) == hashlib.sha256(b"%d" % (seq - 1)).hexdigest().encode() + b"%d" % seq
    box.close()


def test_a_full_disk_blocks_appends_but_never_receipts(tmp_path: Path, clock: ManualClock) -> None:
    """A file system of its own, filled to the last block by somebody else."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount: {mounted.stderr.decode().strip()}")
    try:
        box = Outbox(place / "o.db", clock=clock)
        for _ in range(20):
            box.append(entry(20_000))
        with (place / "hog").open("wb", buffering=0) as hog:
            try:
                while hog.write(bytes(65536)):
                    pass
            except OSError:
                pass
        with pytest.raises(OutboxFullError):
            fill_forever(box)
        depth = box.stats().depth
        box.mark(committed=[1, 2, 3])
        assert box.stats().depth == depth - 3
        assert box.append(entry(20_000)) > 20
        (place / "hog").unlink()
        box.prune()
        assert (place / "o.db.ballast").exists()
        box.close()
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_the_file_is_durable_by_its_settings(outbox: Outbox) -> None:
    db: sqlite3.Connection = outbox._db
    assert db.execute("pragma journal_mode").fetchone()[0] == "wal"
    assert db.execute("pragma synchronous").fetchone()[0] == 2
