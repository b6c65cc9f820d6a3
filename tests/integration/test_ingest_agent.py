"""A running ingest worker between a real broker and a real database."""

import asyncio
import base64
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingest.agent import Agent
from ingest.config import Config
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import from_ms
from parkcarbon.kit.mqtt import Broker, Mqtt
from parkcarbon.wire.body import BODY_MAX_BYTES, Row, draft
from parkcarbon.wire.frame import freeze
from parkcarbon.wire.messages import Receipt, Status, decode, encode
from parkcarbon.wire.sender import offline_status
from parkcarbon.wire.topics import Address, parse
from tests.fakes.brokers import BrokerProcess, broker_kinds, has_mosquitto
from tests.fakes.ingest_park import BOOT, METER, PARK, Ingest, open_ingest, park_text

ROOT = Path(__file__).resolve().parents[2]
M0 = f"m0/{METER}"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
SOURCES = f"""
  - {{source: signer, public_key: {PUBLIC}}}
  - {{source: gate, kind: gateway}}
  - {{source: behind, via: gate}}"""


@pytest.fixture(params=broker_kinds())
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    if request.param == "mosquitto" and not has_mosquitto():
        if os.environ.get("CI") == "true":
            pytest.fail("Mosquitto is not installed")
        pytest.skip("Mosquitto is not installed")
    with BrokerProcess(request.param, tmp_path) as process:
        yield process


class Field:
    """The other end of the custody protocol: sends frames and collects receipts."""

    def __init__(self, url: str) -> None:
        clock = SystemClock()
        self.mqtt = Mqtt(Broker.from_url(url), client_id="field", clock=clock, rng=random.Random(1))
        self.now_ms = clock.now_ms()
        self.committed: set[tuple[str, int]] = set()
        self.refused: dict[tuple[str, int], str] = {}
        self.aside: dict[int, list[int]] = {}
        self.news = asyncio.Event()

    async def run(self) -> None:
        await self.mqtt.subscribe(f"parkcarbon/v1/{PARK}/+/receipt")
        await self.mqtt.subscribe(f"parkcarbon/v1/{PARK}/+/from/+/receipt")
        async for message in self.mqtt.messages():
            topic = parse(message.topic)
            assert topic is not None
            receipt = decode(message.payload, Receipt)
            source = topic.address.source
            self.committed |= {(source, seq) for seq in receipt.committed}
            self.refused |= {(source, one.seq): one.reason for one in receipt.refused}
            for seq in receipt.committed:
                self.aside.setdefault(seq, []).append(receipt.in_quarantine().get(seq, 0))
            self.news.set()

    def frame(self, seq: int, rows: list[Row], *, source: str = "agent", key: Ed25519PrivateKey | None = None) -> bytes:
        return freeze(
            draft(rows),
            park=PARK,
            source=source,
            boot=BOOT,
            seq=seq,
            prev="",
            made=self.now_ms,
            key=key,
            compress=False,
        )

    async def send(self, seq: int, payload: bytes, *, source: str = "agent", via: str | None = None) -> None:
        await self.mqtt.connected()
        await self.mqtt.publish(Address(PARK, source, via).readings(BOOT, seq), payload)

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not done():
                self.news.clear()
                await self.news.wait()

    def rows(self, count: int, *, start: int = 0) -> list[Row]:
        begin = self.now_ms - 86_400_000
        return [Row(M0, begin + at * 900_000, float(at)) for at in range(start, start + count)]


@pytest.fixture
async def field(broker: BrokerProcess, postgres_url: str) -> AsyncIterator[tuple[Field, Ingest]]:
    """A field side, a running worker, and the database behind it."""
    ingest = await open_ingest(postgres_url)
    await ingest.apply(park_text(sources=SOURCES))
    config = Config(database_url=postgres_url, broker_url=broker.url)
    field = Field(broker.url)
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(field.mqtt.run()),
            tasks.create_task(field.run()),
            tasks.create_task(Agent(config, SystemClock(), random.Random(2)).run()),
        ]
        await field.mqtt.connected()
        probe = field.frame(1, field.rows(1))
        while ("agent", 1) not in field.committed:
            await field.send(1, probe)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await field.until(lambda: ("agent", 1) in field.committed)
        yield field, ingest
        for task in running:
            task.cancel()
    await ingest.database.close()


async def test_what_is_committed_is_told(field: tuple[Field, Ingest]) -> None:
    side, ingest = field
    for seq in range(2, 12):
        await side.send(seq, side.frame(seq, side.rows(4, start=seq * 4)))
    await side.until(lambda: len(side.committed) == 11)
    assert await ingest.count("reading") == 41
    side.committed.clear()
    await side.send(5, side.frame(5, side.rows(4, start=20)))
    await side.until(lambda: ("agent", 5) in side.committed)
    assert await ingest.count("reading") == 41


async def test_a_receipt_says_how_many_readings_were_put_aside_and_says_it_again(field: tuple[Field, Ingest]) -> None:
    side, ingest = field
    strange = [Row("nobody/active_power", side.now_ms, 1.0), Row(M0, side.now_ms + 3_600_000, 1.0)]
    payload = side.frame(30, [*side.rows(3, start=4), *strange])
    await side.send(30, payload)
    await side.until(lambda: 30 in side.aside)
    await side.send(30, payload)  # its receipt was lost
    await side.until(lambda: len(side.aside[30]) == 2)
    await side.send(31, side.frame(31, side.rows(3, start=8)))
    await side.until(lambda: 31 in side.aside)
    assert side.aside[30] == [2, 2]
    assert side.aside[31] == [0]
    assert await ingest.count("quarantine") == 2


async def test_what_cannot_be_accepted_is_buried_then_refused(field: tuple[Field, Ingest]) -> None:
    side, ingest = field
    good = side.frame(20, side.rows(2, start=4))
    bad = {
        30: (b"not a frame", "undecodable"),
        31: (good, "identity"),
        32: (side.frame(32, side.rows(1)).replace(b'"v":1', b'"v":2', 1), "version"),
        33: (b"{" + b" " * (BODY_MAX_BYTES + 40_000), "oversize"),
        34: (side.frame(34, side.rows(1))[:-1], "undecodable"),
    }
    for seq, (payload, _) in bad.items():
        await side.send(seq, payload)
    await side.send(1, side.frame(1, side.rows(2)))
    await side.send(20, good)
    await side.until(lambda: len(side.refused) == 6 and ("agent", 20) in side.committed)
    wanted = {("agent", seq): reason for seq, (_, reason) in bad.items()} | {("agent", 1): "identity-conflict"}
    assert side.refused == wanted
    letters = await ingest.database.fetch("select topic, reason, payload, payload_bytes from dead_letter")
    assert {(int(row["topic"].rsplit("/", 1)[1]), row["reason"]) for row in letters} == {
        (seq, reason) for (_, seq), reason in wanted.items()
    }
    assert {bytes(row["payload"]) for row in letters} >= {payload for payload, _ in bad.values()}
    assert await ingest.count("reading") == 3


async def test_a_source_with_a_key_must_sign(field: tuple[Field, Ingest]) -> None:
    side, _ = field
    other = Ed25519PrivateKey.generate()
    await side.send(1, side.frame(1, side.rows(1), source="signer"), source="signer")
    await side.send(2, side.frame(2, side.rows(1), source="signer", key=other), source="signer")
    await side.send(3, side.frame(3, side.rows(1), source="signer", key=KEY), source="signer")
    await side.until(lambda: ("signer", 3) in side.committed and len(side.refused) == 2)
    assert set(side.refused.values()) == {"signature"}


async def test_a_relayed_batch_is_answered_through_its_gateway(field: tuple[Field, Ingest]) -> None:
    side, ingest = field
    await side.send(1, side.frame(1, side.rows(3, start=8), source="behind"), source="behind", via="gate")
    await side.until(lambda: ("behind", 1) in side.committed)
    assert await ingest.database.fetchval("select via from batch where seq = 1 and via is not null") == "gate"


async def test_the_status_of_a_source_is_kept(field: tuple[Field, Ingest]) -> None:
    side, ingest = field
    status = Status(source="agent", at=side.now_ms, online=True, depth=7, backlog=True)
    await side.mqtt.publish(Address(PARK, "agent").status, encode(status), retain=True)
    await side.mqtt.publish(Address(PARK, "agent").status, b"nonsense", retain=True)
    async with asyncio.timeout(20):
        while (kept := await ingest.database.fetchval("select status from source where source = 'agent'")) is None:
            await asyncio.sleep(0.05)
    assert json.loads(kept)["depth"] == 7


async def test_a_last_will_is_older_than_what_was_told_since_and_still_counts(
    field: tuple[Field, Ingest],
) -> None:
    side, ingest = field
    topic = Address(PARK, "agent").status
    told = Status(source="agent", at=side.now_ms, online=True, depth=7)
    await side.mqtt.publish(topic, encode(told), retain=True)
    await side.mqtt.publish(topic, offline_status("agent", side.now_ms - 60_000), retain=True)
    async with asyncio.timeout(20):
        while True:
            row = await ingest.database.fetchrow("select status, status_at from source where source = 'agent'")
            kept = json.loads(row["status"]) if row and row["status"] else {}
            if kept.get("online") is False:
                break
            await asyncio.sleep(0.05)
    assert row is not None
    assert (kept["depth"], row["status_at"]) == (7, from_ms(side.now_ms)), "what it told is left"


async def test_a_point_registered_later_gets_what_waited(field: tuple[Field, Ingest]) -> None:
    side, ingest = field
    late = [Row(f"m7/{METER}", row.t, row.x) for row in side.rows(5)]
    await side.send(40, side.frame(40, late))
    await side.until(lambda: ("agent", 40) in side.committed)
    assert await ingest.count("quarantine") == 5
    await ingest.apply(park_text(8, sources=SOURCES))
    async with asyncio.timeout(20):
        while await ingest.count("quarantine"):
            await asyncio.sleep(0.05)
    intervals = await ingest.intervals(f"m7/{METER}")
    assert sum(int(str(row[1])) for row in intervals) == 4_000_000


def cli(url: str, *arguments: str, broker: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PARKCARBON_DATABASE_URL": url, "PARKCARBON_BROKER_URL": broker}
    command = [sys.executable, "-m", "ingest", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=check)


def test_the_process_ends_cleanly_on_sigterm(tmp_path: Path, postgres_url: str) -> None:
    if not has_mosquitto():
        pytest.skip("Mosquitto is not installed")
    with BrokerProcess("mosquitto", tmp_path) as broker:
        environment = {**os.environ, "PARKCARBON_DATABASE_URL": postgres_url, "PARKCARBON_BROKER_URL": broker.url}
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest", "run"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        for line in process.stderr:
            if "receiver.subscribed" in line:
                break
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        process.stderr.close()


def test_settings_that_are_missing_are_named(postgres_url: str) -> None:
    done = cli(postgres_url, "run", check=False)
    assert done.returncode == 1
    assert "PARKCARBON_BROKER_URL" in done.stderr
