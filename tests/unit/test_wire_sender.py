"""The sender against an unreliable broker in memory and a clock that is moved by hand."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import UNSET

from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.outbox import Outbox
from parkcarbon.wire.body import Row, draft
from parkcarbon.wire.errors import RefusedError
from parkcarbon.wire.frame import builder
from parkcarbon.wire.messages import (
    Command,
    DeviceStatus,
    QuarantinedIn,
    Receipt,
    RefusedBatch,
    Reply,
    Status,
    decode,
    encode,
)
from parkcarbon.wire.sender import Description, Sender, SenderSettings, offline_status
from parkcarbon.wire.topics import Address
from parkcarbon.wire.window import WindowSettings

ADDRESS = Address("park", "edge-1")


class FakePublisher:
    """A connection that can be cut and can lose what it was given."""

    def __init__(self) -> None:
        self.number = 0
        self.up = asyncio.Event()
        self.lossy = False
        self.sent: list[tuple[str, bytes, bool]] = []

    def connect(self) -> None:
        self.number += 1
        self.up.set()

    def cut(self) -> None:
        self.up.clear()

    async def connected(self) -> int:
        await self.up.wait()
        return self.number

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        await asyncio.sleep(0)
        if not self.up.is_set():
            raise ConnectionError("cut")
        if not self.lossy:
            self.sent.append((topic, payload, retain))

    def seqs(self) -> list[int]:
        return [int(topic.rpartition("/")[2]) for topic, _, _ in self.sent if "/readings/" in topic]


class Bench:
    def __init__(self, folder: Path, settings: SenderSettings | None = None) -> None:
        self.clock = ManualClock()
        self.outbox = Outbox(folder / "o.db", clock=self.clock)
        self.publisher = FakePublisher()
        self.devices: tuple[DeviceStatus, ...] = ()
        self.sender = Sender(
            outbox=self.outbox,
            publisher=self.publisher,
            address=ADDRESS,
            clock=self.clock,
            rng=random.Random(5),
            settings=settings,
            describe=lambda: Description("uncertain", self.devices),
        )

    def append(self, count: int = 1, *, live: bool = True) -> None:
        for _ in range(count):
            part = draft([Row("m/active_power", self.clock.now_ms(), 1.0)])
            self.outbox.append(builder(part, park="park", source="edge-1", made=0), live=live)
        self.sender.wake()

    async def settle(self, seconds: float = 0.0) -> None:
        """Let everything happen that can, then move the clock in small steps."""
        for _ in range(max(1, round(seconds / 0.25))):
            for _ in range(40):
                await asyncio.sleep(0)
            if seconds:
                self.clock.advance(0.25)
        for _ in range(40):
            await asyncio.sleep(0)

    def answer(self, **what: tuple[int | QuarantinedIn, ...]) -> None:
        self.sender.on_receipt(encode(Receipt(boot=self.outbox.boot, **what)))  # type: ignore[arg-type]

    def status(self) -> Status:
        return decode([payload for topic, payload, _ in self.publisher.sent if topic == ADDRESS.status][-1], Status)


@contextlib.asynccontextmanager
async def running(folder: Path, settings: SenderSettings | None = None, *, before: int = 0) -> AsyncIterator[Bench]:
    bench = Bench(folder, settings)
    if before:
        bench.append(before)
    task = asyncio.ensure_future(bench.sender.run())
    await bench.settle()
    try:
        yield bench
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        bench.outbox.close()


async def test_nothing_is_deleted_before_it_is_committed(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        bench.publisher.connect()
        bench.append(3)
        await bench.settle()
        assert bench.publisher.seqs() == [1, 2, 3]
        frames = [payload for topic, payload, _ in bench.publisher.sent if "/readings/" in topic]
        assert frames == [bench.outbox.frame(seq) for seq in (1, 2, 3)]
        bench.answer(stored=(1,))
        assert bench.outbox.stats().depth == 3
        bench.answer(committed=(1, 2))
        assert bench.outbox.stats().depth == 1
        await bench.settle(4)
        assert bench.publisher.seqs() == [1, 2, 3, 3]


async def test_a_broker_that_loses_everything_only_delays(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        bench.publisher.connect()
        bench.publisher.lossy = True
        bench.append(5)
        await bench.settle(60)
        assert bench.publisher.sent == []
        bench.publisher.lossy = False
        await bench.settle(40)
        assert set(bench.publisher.seqs()) == {1, 2, 3, 4, 5}


async def test_at_most_so_many_without_an_answer(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        bench.publisher.connect()
        bench.append(100)
        await bench.settle(1)
        assert bench.publisher.seqs() == list(range(1, 33))
        bench.answer(committed=tuple(range(1, 11)))
        await bench.settle(1)
        assert bench.publisher.seqs() == list(range(1, 43))


async def test_after_an_outage_live_goes_first_and_the_backlog_is_told(tmp_path: Path) -> None:
    patient = SenderSettings(window=WindowSettings(retry_s=30.0))
    async with running(tmp_path, patient, before=40) as bench:
        await bench.settle(100)
        bench.append()
        bench.publisher.connect()
        await bench.settle()
        assert bench.publisher.seqs()[0] == 41
        assert bench.status().backlog
        await bench.settle(7)  # paced: one with each step of this clock
        assert bench.publisher.seqs() == [41, *range(1, 24)]  # 24 places, one of them taken
        while bench.outbox.stats().depth:
            bench.answer(committed=tuple(bench.publisher.seqs()))
            await bench.settle(2)
        bench.sender.report()
        await bench.settle()
        assert not bench.status().backlog
        assert bench.status().depth == 0


async def test_a_reconnect_sends_again_what_was_not_answered(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        bench.publisher.connect()
        bench.append(2)
        await bench.settle()
        bench.publisher.cut()
        bench.append()
        await bench.settle(1)
        bench.publisher.connect()
        await bench.settle(1)
        assert sorted(bench.publisher.seqs()) == [1, 1, 2, 2, 3]


async def test_refused_batches_are_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        bench.publisher.connect()
        bench.append(3)
        await bench.settle()
        receipt = Receipt(boot=bench.outbox.boot, committed=(1, 3), refused=(RefusedBatch(seq=2, reason="signature"),))
        bench.sender.on_receipt(encode(receipt))
        stats = bench.outbox.stats()
        assert (stats.depth, stats.refused) == (0, 1)
        await bench.settle(60)
        assert bench.publisher.seqs() == [1, 2, 3]


async def test_the_status_says_how_many_readings_are_in_quarantine(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        bench.publisher.connect()
        bench.append(3)
        await bench.settle()
        assert bench.status().quarantined is UNSET
        aside = (QuarantinedIn(seq=1, n=4), QuarantinedIn(seq=2, n=1))
        for _ in range(2):  # a receipt that comes twice counts once
            bench.answer(committed=(1, 2, 3), quarantined=aside)
        bench.sender.report()
        await bench.settle()
        assert bench.status().quarantined == 5


async def test_receipts_of_another_boot_and_nonsense_change_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        bench.append()
        await bench.sender.handle(ADDRESS.receipt, encode(Receipt(boot="0" * 16, committed=(1,))))
        for payload in (b"", b"\xff", b'{"v":2}', b"[" * 1000):
            await bench.sender.handle(ADDRESS.receipt, payload)
            await bench.sender.handle(ADDRESS.command, payload)
            with pytest.raises(RefusedError):
                bench.sender.on_receipt(payload)
        await bench.sender.handle("parkcarbon/v1/park/other/receipt", b"x")
        assert bench.outbox.stats().depth == 1


async def test_resend_puts_delivered_batches_on_the_way_again(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        bench.publisher.connect()
        bench.append(5)
        await bench.settle()
        bench.answer(committed=(1, 2, 3, 4, 5))
        command = Command(id="x", kind="resend", boot=bench.outbox.boot, from_seq=2, to_seq=3)
        await bench.sender.handle(ADDRESS.command, encode(command))
        await bench.settle(1)
        assert bench.publisher.seqs() == [1, 2, 3, 4, 5, 2, 3]
        replies = [decode(payload, Reply) for topic, payload, _ in bench.publisher.sent if topic == ADDRESS.reply]
        assert replies == [Reply(id="x", ok=True, detail="2 batches")]
        other = bench.sender.on_command(Command(id="y", kind="resend", boot="0" * 16))
        assert not other.ok
        assert bench.sender.on_command(Command(id="z", kind="ping")) == Reply(id="z", ok=True, detail=bench.outbox.boot)


async def test_the_status_is_retained_regular_and_carries_what_the_process_says(tmp_path: Path) -> None:
    async with running(tmp_path, SenderSettings(status_every_s=30)) as bench:
        bench.publisher.connect()
        bench.devices = (DeviceStatus(device="m", state="silent"),)
        await bench.settle(95)
        told = [(retain, decode(payload, Status)) for topic, payload, retain in bench.publisher.sent]
        assert len(told) == 4
        assert all(retain for retain, _ in told)
        last = told[-1][1]
        assert (last.online, last.clock, last.devices) == (True, "uncertain", bench.devices)
        bench.sender.report()
        await bench.settle()
        assert len(bench.publisher.sent) == 5
    assert not decode(offline_status("edge-1", 7), Status).online


async def test_a_batch_that_was_thinned_away_is_not_sent_and_its_successor_is(tmp_path: Path) -> None:
    async with running(tmp_path, SenderSettings(window=WindowSettings(size=9, live_places=0))) as bench:
        bench.append(3)
        await bench.settle()
        bench.outbox._replace([1, 2], builder(draft([]), park="park", source="edge-1", made=0))
        bench.sender.wake()
        bench.publisher.connect()
        await bench.settle(1)
        assert bench.publisher.seqs() == [3, 4]
