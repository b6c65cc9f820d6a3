"""A database restored to an earlier state gets what it lost from what the senders kept."""

import argparse
import asyncio
import contextlib
import os
import random
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.agent import Agent
from ingest.config import Config
from ingest.recompute import Recomputer
from ingest.resend import ResendError, add_resend, resend
from parkcarbon.kit.clock import ManualClock, SystemClock
from parkcarbon.kit.mqtt import Broker, Mqtt
from parkcarbon.kit.outbox import Outbox
from parkcarbon.wire.body import Row, draft
from parkcarbon.wire.frame import builder
from parkcarbon.wire.messages import Command, Reply, decode, encode
from parkcarbon.wire.sender import Sender
from parkcarbon.wire.topics import Address
from tests.fakes.brokers import BrokerProcess, broker_kinds, has_mosquitto
from tests.fakes.ingest_park import METER, PARK, Ingest, open_ingest, park_text
from tests.fakes.postgres import Server

ROOT = Path(__file__).resolve().parents[2]
M0 = f"m0/{METER}"
CLOCK = SystemClock()
HERE = Address(PARK, "agent")
RELAYED = """
  - {source: gate, kind: gateway}
  - {source: behind, via: gate}"""


@pytest.fixture(params=broker_kinds())
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    if request.param == "mosquitto" and not has_mosquitto():
        pytest.skip("Mosquitto is not installed")
    with BrokerProcess(request.param, tmp_path) as process:
        yield process


@contextlib.asynccontextmanager
async def beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run coroutines for as long as the block lasts."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


@contextlib.asynccontextmanager
async def sending(broker: BrokerProcess, outbox: Outbox) -> AsyncIterator[Sender]:
    mqtt = Mqtt(Broker.from_url(broker.url), client_id="agent", clock=CLOCK, rng=random.Random(1))
    sender = Sender(outbox=outbox, publisher=mqtt, address=HERE, clock=CLOCK, rng=random.Random(2))

    async def listen() -> None:
        async for message in mqtt.messages():
            await sender.handle(message.topic, message.payload)

    for topic_filter in sender.filters:
        await mqtt.subscribe(topic_filter)
    async with beside(mqtt.run(), sender.run(), listen()):
        yield sender


def append(outbox: Outbox, start: int, count: int) -> None:
    """Store batches of four registers each."""
    begin_ms = CLOCK.now_ms() // 900_000 * 900_000 - 86_400_000
    for batch in range(start, start + count):
        rows = [Row(M0, begin_ms + at * 900_000, float(at)) for at in range(batch * 4, batch * 4 + 4)]
        outbox.append(builder(draft(rows), park=PARK, source="agent", made=CLOCK.now_ms()))


async def drained(outbox: Outbox) -> None:
    async with asyncio.timeout(60):
        while outbox.stats().depth:
            await asyncio.sleep(0.05)


async def settle(ingest: Ingest) -> None:
    """Compute what waits: a receipt says that a batch is kept, not that late readings in it are worked in."""
    recomputer = Recomputer(ingest.writer, ManualClock(CLOCK.now_ms() + 86_400_000))
    while await recomputer.step():
        pass


async def cli(url: str, broker: str, *arguments: str) -> tuple[int | None, str]:
    environment = {**os.environ, "PARKCARBON_DATABASE_URL": url, "PARKCARBON_BROKER_URL": broker}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "parkcarbon", *arguments),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_a_restored_database_gets_back_what_was_committed_since(
    broker: BrokerProcess, postgres_server: Server, postgres_url: str, tmp_path: Path
) -> None:
    backup = postgres_server.clone()
    for url in (postgres_url, backup):
        ingest = await open_ingest(url)
        await ingest.apply(park_text(1))
        await ingest.database.close()
    outbox = Outbox(tmp_path / "outbox.db", clock=CLOCK)
    append(outbox, 0, 3)
    async with sending(broker, outbox), beside(Agent(_config(backup, broker), CLOCK, random.Random(3)).run()):
        await drained(outbox)
    outbox.requeue(1, 3)  # the other database is the same so far: it gets all, and this one stays where it is
    append(outbox, 3, 5)
    async with sending(broker, outbox), beside(Agent(_config(postgres_url, broker), CLOCK, random.Random(4)).run()):
        await drained(outbox)
    async with sending(broker, outbox), beside(Agent(_config(backup, broker), CLOCK, random.Random(5)).run()):
        arguments = ("resend", "--park", PARK, "--source", "agent", "--boot")
        code, text = await cli(backup, broker.url, *arguments, outbox.boot, "--from", "3")
        assert (code, text) == (0, "agent: agreed: 6 batches\n")
        await drained(outbox)
        code, text = await cli(backup, broker.url, *arguments, "0" * 16, "--from", "3")
        assert (code, text) == (1, f"agent: refused: boot is {outbox.boot}\n")
    outbox.close()
    code, text = await cli(backup, broker.url, *arguments, "0" * 16, "--from", "1", "--wait", "3")
    assert (code, text) == (1, "agent: no reply within 3 s\n")
    whole, restored = await open_ingest(postgres_url), await open_ingest(backup)
    for one in (whole, restored):
        await settle(one)
    assert await restored.count("batch") == 8
    assert await restored.count("reading") == 32
    assert await restored.everything() == await whole.everything()
    for one in (whole, restored):
        await one.database.close()
    code, text = await cli(backup, broker.url, "recompute", "--park", PARK, "--check")
    assert (code, text) == (0, f"{PARK}: 1 points, 31 intervals checked, 0 differ\n")
    postgres_server.drop(backup)


def _options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_resend(parser.add_subparsers())
    return parser.parse_args(["resend", "--park", PARK, *arguments])


def _config(url: str, broker: BrokerProcess) -> Config:
    return Config(database_url=url, broker_url=broker.url)


async def test_a_relayed_source_is_asked_through_its_gateway(broker: BrokerProcess, postgres_url: str) -> None:
    ingest = await open_ingest(postgres_url)
    await ingest.apply(park_text(1, sources=RELAYED))
    await ingest.database.close()
    address = Address(PARK, "behind", "gate")
    mqtt = Mqtt(Broker.from_url(broker.url), client_id="gate", clock=CLOCK, rng=random.Random(1))
    heard: list[Command] = []

    async def answer() -> None:
        async for message in mqtt.messages():
            command = decode(message.payload, Command)
            heard.append(command)
            await mqtt.publish(address.reply, b"nonsense")
            await mqtt.publish(address.reply, encode(Reply(id="another", ok=False)))
            await mqtt.publish(address.reply, encode(Reply(id=command.id, ok=True, detail="3 batches")))

    await mqtt.subscribe(address.command)
    said: list[str] = []
    async with beside(mqtt.run(), answer()):
        await mqtt.connected()
        options = _options("--source", "behind", "--boot", "ab" * 8, "--from", "2", "--to", "4")
        assert await resend(options, _config(postgres_url, broker), said.append) == 0
    assert said == ["behind: agreed: 3 batches"]
    assert [(one.kind, one.boot, one.from_seq, one.to_seq) for one in heard] == [("resend", "ab" * 8, 2, 4)]
    options = _options("--source", "nobody", "--boot", "ab" * 8, "--from", "2")
    with pytest.raises(ResendError, match="no source 'nobody'"):
        await resend(options, _config(postgres_url, broker), said.append)
