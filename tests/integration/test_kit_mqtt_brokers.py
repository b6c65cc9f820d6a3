"""The MQTT door against real brokers: both protocols, reconnect after a kill, refusals, back-pressure."""

import asyncio
import contextlib
import random
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.mqtt import Broker, Mqtt, NotConnectedError, Will
from tests.fakes.brokers import BrokerProcess, has_mosquitto

KINDS = [pytest.param("mosquitto", marks=pytest.mark.mosquitto), "amqtt"]


def start(kind: str, folder: Path, conf: str = "") -> BrokerProcess:
    if kind == "mosquitto" and not has_mosquitto():
        pytest.skip("no mosquitto on this machine")
    broker = BrokerProcess(kind, folder, conf=conf)
    broker.start()
    return broker


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    process = start(request.param, tmp_path)
    yield process
    process.kill()


@contextlib.asynccontextmanager
async def client(
    broker: BrokerProcess, name: str, *, will: Will | None = None, url: str | None = None, keepalive_s: int = 20
) -> AsyncIterator[Mqtt]:
    mqtt = Mqtt(
        Broker.from_url(url or broker.url),
        client_id=name,
        clock=SystemClock(),
        rng=random.Random(1),
        will=None if will is None else lambda: will,
        keepalive_s=keepalive_s,
    )
    running = asyncio.create_task(mqtt.run())
    try:
        yield mqtt
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def receive(mqtt: Mqtt, count: int, within_s: float = 20) -> list[tuple[str, bytes]]:
    got: list[tuple[str, bytes]] = []
    async with asyncio.timeout(within_s):
        async for message in mqtt.messages():
            got.append((message.topic, message.payload))
            if len(got) == count:
                break
    return got


async def test_speaks_the_newest_protocol_the_broker_knows(broker: BrokerProcess) -> None:
    begun = time.monotonic()
    async with client(broker, "a", will=Will("state/a", b"gone")) as mqtt:  # amqtt never answers version 5 with a will
        async with asyncio.timeout(20):
            assert await mqtt.connected() == 1
        assert time.monotonic() - begun < 3
        assert mqtt.protocol == (5 if broker.kind == "mosquitto" else 4)


async def test_messages_arrive_in_order_and_whole(broker: BrokerProcess) -> None:
    async with client(broker, "a") as sender, client(broker, "b") as reader:
        await reader.subscribe("x/#")
        await reader.connected()
        await sender.connected()
        sent = [(f"x/{i}", bytes([i % 256]) * 50_000) for i in range(60)]
        got = asyncio.create_task(receive(reader, len(sent)))
        for topic, payload in sent:
            await sender.publish(topic, payload)
        assert sorted(await got) == sorted(sent)


async def test_subscriptions_are_made_again_after_the_broker_was_killed(broker: BrokerProcess) -> None:
    async with client(broker, "a") as sender, client(broker, "b") as reader:
        await reader.subscribe("x")
        await asyncio.gather(sender.connected(), reader.connected())
        broker.kill()
        async with asyncio.timeout(15):
            with pytest.raises(NotConnectedError):
                await publish_until_it_fails(sender)
        broker.start()
        async with asyncio.timeout(40):
            while await sender.connected() < 2 or await reader.connected() < 2:
                await asyncio.sleep(0.05)
        got = asyncio.create_task(receive(reader, 1))
        await sender.publish("x", b"back")
        assert await got == [("x", b"back")]


async def publish_until_it_fails(mqtt: Mqtt) -> None:
    while True:
        await mqtt.publish("x", b"into the void")
        await asyncio.sleep(0.01)


async def test_a_publish_under_way_when_the_broker_dies_ends_at_once(tmp_path: Path) -> None:
    silent = await asyncio.start_server(_accept_and_say_nothing_more, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    mqtt = Mqtt(
        Broker("127.0.0.1", port),
        client_id="a",
        clock=SystemClock(),
        rng=random.Random(1),
        timeout_s=30,
        keepalive_s=60,
    )
    running = asyncio.create_task(mqtt.run())
    await mqtt.connected()
    begun = time.monotonic()
    with pytest.raises(NotConnectedError):
        await mqtt.publish("x", b"die")
    assert time.monotonic() - begun < 10
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    silent.close()
    await silent.wait_closed()


async def _accept_and_say_nothing_more(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """CONNACK of version 5, then hang up on the first PUBLISH without a word."""
    await reader.read(1000)
    writer.write(bytes([0x20, 3, 0, 0, 0]))
    await writer.drain()
    while (data := await reader.read(1000)) and data[0] >> 4 != 3:
        pass
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def test_nobody_there_then_somebody(tmp_path: Path) -> None:
    broker = BrokerProcess("amqtt", tmp_path)
    async with client(broker, "a") as mqtt:
        with pytest.raises(NotConnectedError):
            await mqtt.publish("x", b"")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(mqtt.connected(), 0.5)
        broker.start()
        try:
            await asyncio.wait_for(mqtt.connected(), 30)
        finally:
            broker.kill()


async def test_the_will_is_said_when_we_leave_and_when_we_are_torn_away(broker: BrokerProcess) -> None:
    async with client(broker, "reader") as reader:
        await reader.subscribe("state/+")
        await reader.connected()
        async with client(broker, "polite", will=Will("state/polite", b"gone")) as polite:
            await polite.connected()
        assert await receive(reader, 1) == [("state/polite", b"gone")]
        async with client(broker, "torn", will=Will("state/torn", b"gone"), keepalive_s=2) as torn:
            await torn.connected()
            assert torn._session is not None
            torn._session.client._client.socket().shutdown(2)  # type: ignore[union-attr]
            assert await receive(reader, 1) == [("state/torn", b"gone")]


async def test_shared_subscriptions_are_found_by_a_message_to_itself(broker: BrokerProcess) -> None:
    async with client(broker, "a") as mqtt:
        assert await mqtt.probe_shared("probe/1", wait_s=3) is (broker.kind == "mosquitto")


async def test_a_slow_consumer_slows_the_broker_down(broker: BrokerProcess) -> None:
    """Mosquitto sends no more than its in-flight limit ahead of what was consumed."""
    if broker.kind != "mosquitto":
        pytest.skip("amqtt has no limit of messages in flight; the inbox is bounded instead")
    async with client(broker, "a") as sender, client(broker, "b") as reader:
        await reader.subscribe("x/#")
        await asyncio.gather(sender.connected(), reader.connected())
        for number in range(200):
            await sender.publish(f"x/{number}", b"")
        assert reader._inbox.qsize() <= 25
        assert [topic for topic, _ in await receive(reader, 200)] == [f"x/{n}" for n in range(200)]


@pytest.mark.mosquitto
async def test_user_and_password_come_from_the_address(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("")
    if not has_mosquitto():
        pytest.skip("no mosquitto on this machine")
    await asyncio.to_thread(
        subprocess.run, ["mosquitto_passwd", "-b", str(users), "edge", "s@cret/1"], check=True, capture_output=True
    )
    broker = start("mosquitto", tmp_path, f"user root\nallow_anonymous false\npassword_file {users}")
    try:
        async with client(broker, "a", url=f"mqtt://edge:s%40cret%2F1@127.0.0.1:{broker.port}") as mqtt:
            await asyncio.wait_for(mqtt.connected(), 20)
        async with client(broker, "b", url=f"mqtt://edge:wrong@127.0.0.1:{broker.port}") as refused:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(refused.connected(), 1.5)
    finally:
        broker.kill()
