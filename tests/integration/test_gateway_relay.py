"""The relay as a process between two real brokers: stored, committed, killed, repeated, contradicted."""

import asyncio
import contextlib
import json
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.mqtt import Broker, Mqtt, Will
from parkcarbon.kit.outbox import Outbox
from parkcarbon.wire.body import Row, draft
from parkcarbon.wire.errors import Reason
from parkcarbon.wire.frame import FRAME_MAX_BYTES, builder
from parkcarbon.wire.messages import Command, Receipt, Reply, Status, decode, encode
from parkcarbon.wire.sender import Sender, SenderSettings, offline_status
from parkcarbon.wire.topics import Address
from parkcarbon.wire.window import WindowSettings
from tests.fakes.brokers import BrokerProcess, has_mosquitto
from tests.fakes.receiver import FakeReceiver

KINDS = [pytest.param("mosquitto", marks=pytest.mark.mosquitto), "amqtt"]
FAST = SenderSettings(window=WindowSettings(retry_s=1.0, retry_ceiling_s=2.0, stored_retry_s=4.0), status_every_s=1.0)
CLOCK = SystemClock()


class GatewayProcess:
    """`python -m gateway run` that can be killed and started again."""

    def __init__(self, folder: Path, local: BrokerProcess, cloud: BrokerProcess) -> None:
        self.conf = folder / "gateway.yaml"
        self.conf.write_text(
            json.dumps(
                {
                    "park": "park",
                    "gateway": "gw",
                    "local_broker": local.url,
                    "uplink_broker": cloud.url,
                    "data": str(folder / "gw"),
                    "sources": ["edge-1", "edge-2"],
                    "status_s": 1,
                }
            )
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "gateway", "run", str(self.conf)])

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=15)


class Source:
    """An agent without meters: outbox, sender and connection."""

    def __init__(self, folder: Path, url: str, name: str = "edge-1") -> None:
        self.address = Address("park", name)
        self.outbox = Outbox(folder / f"{name}.db", clock=CLOCK)
        rng = random.Random(3)
        will = Will(self.address.status, offline_status(name, CLOCK.now_ms()))
        self.mqtt = Mqtt(Broker.from_url(url), client_id=name, clock=CLOCK, rng=rng, will=lambda: will, keepalive_s=5)
        self.sender = Sender(
            outbox=self.outbox, publisher=self.mqtt, address=self.address, clock=CLOCK, rng=rng, settings=FAST
        )
        self.receipts: list[Receipt] = []

    def append(self, count: int = 1) -> None:
        for _ in range(count):
            now_ms = CLOCK.now_ms()
            rows = [Row(f"m{i}/active_power", now_ms + i, i * 0.1) for i in range(50)]
            build = builder(draft(rows), park="park", source=self.address.source, made=now_ms)
            self.outbox.append(build)
        self.sender.wake()

    async def listen(self) -> None:
        async for message in self.mqtt.messages():
            if message.topic == self.address.receipt:
                self.receipts.append(decode(message.payload, Receipt))
            await self.sender.handle(message.topic, message.payload)

    def told(self, standing: str) -> set[int]:
        return {seq for receipt in self.receipts for seq in getattr(receipt, standing)}


@contextlib.asynccontextmanager
async def running(*works: Callable[[], Awaitable[Any]]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work()) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


class Bench:
    """Both brokers, the gateway, a source and the cloud's receiver."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.local = BrokerProcess(kind, folder)
        self.cloud = BrokerProcess(kind, folder)
        self.local.start()
        self.cloud.start()
        self.gateway = GatewayProcess(folder, self.local, self.cloud)
        self.gateway.start()
        self.folder = folder

    @contextlib.asynccontextmanager
    async def source(self, name: str = "edge-1") -> AsyncIterator[Source]:
        source = Source(self.folder, self.local.url, name)
        for topic_filter in source.sender.filters:
            await source.mqtt.subscribe(topic_filter)
        async with running(source.mqtt.run, source.sender.run, source.listen):
            yield source
        source.outbox.close()

    @contextlib.asynccontextmanager
    async def receiver(self, *, silent: bool = False) -> AsyncIterator[FakeReceiver]:
        receiver = FakeReceiver(self.cloud.url, silent=silent)
        async with running(receiver.mqtt.run, receiver.run):
            yield receiver


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "mosquitto" and not has_mosquitto():
        pytest.skip("no mosquitto on this machine")
    made = Bench(tmp_path, request.param)
    yield made
    made.gateway.kill()
    made.local.kill()
    made.cloud.kill()


async def until(condition: Callable[[], bool], within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.02)


def frames_of(source: Source, count: int) -> dict[str, bytes]:
    relayed = source.address.relayed_by("gw")
    frames = {relayed.readings(source.outbox.boot, seq): source.outbox.frame(seq) for seq in range(1, count + 1)}
    return {name: frame for name, frame in frames.items() if frame is not None}


async def test_batches_travel_byte_for_byte_and_end_with_the_clouds_word(bench: Bench) -> None:
    async with bench.receiver() as receiver, bench.source() as source:
        source.append(20)
        sent = frames_of(source, 20)
        assert len(sent) == 20
        await until(lambda: source.outbox.stats().depth == 0)
        assert receiver.frames == sent
        assert source.told("committed") == set(range(1, 21))
        await until(lambda: any(name.endswith("gw/from/edge-1/status") for name, _ in receiver.others))
        await until(lambda: any(name == "parkcarbon/v1/park/gw/status" for name, _ in receiver.others))
        payload = next(payload for name, payload in receiver.others if name == "parkcarbon/v1/park/gw/status")
        assert decode(payload, Status).source == "gw"
    assert await asyncio.to_thread(bench.gateway.stop) == 0


async def test_a_killed_gateway_loses_nothing_it_said_it_stored(bench: Bench) -> None:
    async with bench.source() as source:
        async with bench.receiver(silent=True):
            source.append(30)
            sent = frames_of(source, 30)
            await until(lambda: source.told("stored") == set(range(1, 31)))
            bench.gateway.kill()
        assert source.outbox.stats().depth == 30  # stored is not committed
        async with bench.receiver() as receiver:
            bench.gateway.start()
            await until(lambda: source.outbox.stats().depth == 0)
            assert receiver.frames == sent


async def test_kills_of_gateway_and_brokers_under_load(bench: Bench) -> None:
    async with bench.receiver() as receiver, bench.source() as source:
        total = 0
        sent: dict[str, bytes] = {}
        for victim in (bench.gateway, bench.cloud, bench.local, bench.gateway):
            source.append(15)
            total += 15
            sent |= frames_of(source, total)
            await until(lambda: len(receiver.frames) > total - 12)  # noqa: B023 - awaited at once
            await asyncio.to_thread(victim.kill)
            source.append(5)
            total += 5
            sent |= frames_of(source, total)
            await asyncio.to_thread(victim.start)
        await until(lambda: source.outbox.stats().depth == 0, within_s=120)
        assert len(sent) == total
        assert receiver.frames == sent


async def test_what_the_cloud_refuses_is_refused_to_the_source(bench: Bench) -> None:
    async with bench.receiver() as receiver, bench.source() as source:
        receiver.refuse[2] = Reason.SIGNATURE
        source.append(3)
        await until(lambda: source.outbox.stats().depth == 0)
        assert source.outbox.stats().refused == 1
        assert [(r.seq, r.reason) for receipt in source.receipts for r in receipt.refused][:1] == [(2, "signature")]


async def test_repetitions_are_answered_and_contradictions_refused(bench: Bench) -> None:
    async with bench.receiver() as receiver, bench.source() as source:
        source.append(1)
        topic = source.address.readings(source.outbox.boot, 1)
        frame = source.outbox.frame(1)
        assert frame is not None
        await until(lambda: source.told("committed") == {1})
        await until(lambda: len(receiver.arrivals) == 1)
        arrived = dict(receiver.arrivals)
        source.receipts.clear()
        await source.mqtt.publish(topic, frame)
        await until(lambda: bool(source.receipts))
        assert source.receipts[0].committed == (1,)
        assert dict(receiver.arrivals) == arrived  # answered from memory, not sent again
        source.receipts.clear()
        await source.mqtt.publish(topic, frame + b" ")
        await until(lambda: bool(source.receipts))
        assert [(r.seq, r.reason) for r in source.receipts[0].refused] == [(1, "identity-conflict")]


async def test_what_is_too_large_is_refused_and_strangers_are_ignored(bench: Bench) -> None:
    async with bench.receiver() as receiver, bench.source() as source:
        await source.mqtt.connected()
        await until(lambda: any(name == "parkcarbon/v1/park/gw/status" for name, _ in receiver.others))
        await source.mqtt.publish(source.address.readings("f" * 16, 9), bytes(FRAME_MAX_BYTES + 1))
        await until(lambda: bool(source.receipts))
        assert [(r.seq, r.reason) for r in source.receipts[0].refused] == [(9, "oversize")]
        await source.mqtt.publish(Address("park", "stranger").readings("f" * 16, 1), b"x")
        await source.mqtt.publish(Address("other", "edge-1").readings("f" * 16, 1), b"x")
        source.append(1)
        await until(lambda: source.outbox.stats().depth == 0)
        assert list(receiver.arrivals) == [source.address.relayed_by("gw").readings(source.outbox.boot, 1)]


async def test_a_restored_cloud_gets_again_what_it_lost(bench: Bench) -> None:
    async with bench.receiver() as receiver, bench.source() as source:
        source.append(4)
        await until(lambda: source.outbox.stats().depth == 0)
        kept = dict(receiver.frames)
        receiver.frames.clear()  # the database was restored from a copy
        command = Command(id="again", kind="resend", boot=source.outbox.boot, from_seq=2, to_seq=3)
        relayed = source.address.relayed_by("gw")
        await receiver.mqtt.publish(relayed.command, encode(command))
        await until(lambda: len(receiver.frames) == 2)
        assert receiver.frames.items() <= kept.items()
        await until(lambda: any(name == relayed.reply for name, _ in receiver.others))
        reply = next(decode(payload, Reply) for name, payload in receiver.others if name == relayed.reply)
        assert (reply.id, reply.ok) == ("again", True)
        await receiver.mqtt.publish(Address("park", "gw").command, encode(Command(id="p", kind="ping")))
        await until(lambda: any(name == "parkcarbon/v1/park/gw/reply" for name, _ in receiver.others))
