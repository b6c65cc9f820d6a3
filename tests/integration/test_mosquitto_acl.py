"""The generated access list on a real Mosquitto: what was received decides, not what the broker acknowledged."""

import asyncio
import contextlib
import os
import random
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.mosquitto.acl import render
from parkcarbon.catalog.park import decode_park
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.mqtt import Broker, Mqtt
from tests.fakes.brokers import BrokerProcess, has_mosquitto

PARK = """
park: suzhou
name: {zh: 苏州, en: Suzhou}
timezone: Asia/Shanghai
method: {electricity_region: China/JS}
sources:
  - {source: gw-1, kind: gateway}
  - {source: edge-a}
  - {source: edge-b, via: gw-1}
"""
USERS = ("ingest", "suzhou/gw-1", "suzhou/edge-a", "suzhou/edge-b")
BOOT = "0123456789abcdef"
pytestmark = pytest.mark.mosquitto


@pytest.fixture
def broker_port(tmp_path: Path) -> Iterator[int]:
    """A Mosquitto with the generated list and one password for everybody."""
    if not has_mosquitto():
        pytest.skip("no mosquitto is installed")
    (tmp_path / "acl").write_text(render([decode_park(PARK)]))
    (tmp_path / "passwd").write_text("")
    for user in USERS:
        subprocess.run(["mosquitto_passwd", "-b", str(tmp_path / "passwd"), user, "secret"], check=True)
    for name in ("acl", "passwd"):
        (tmp_path / name).chmod(0o600)
    files = f"password_file {tmp_path / 'passwd'}\nacl_file {tmp_path / 'acl'}\n"
    owner = "user root\n" if os.geteuid() == 0 else ""
    with BrokerProcess("mosquitto", tmp_path, conf=f"allow_anonymous false\n{files}{owner}") as broker:
        yield broker.port


@contextlib.asynccontextmanager
async def client(port: int, user: str) -> AsyncIterator[Mqtt]:
    broker = Broker("127.0.0.1", port, username=user, password="secret")
    mqtt = Mqtt(broker, client_id=user.replace("/", "-"), clock=SystemClock(), rng=random.Random(1))
    task = asyncio.create_task(mqtt.run())
    try:
        async with asyncio.timeout(20):
            await mqtt.connected()
        yield mqtt
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def heard_until(mqtt: Mqtt, last: str) -> list[str]:
    """Topics that arrive up to and with `last`."""
    topics = []
    async with asyncio.timeout(20):
        async for message in mqtt.messages():
            topics.append(message.topic)
            if message.topic == last:
                break
    return topics


async def test_a_source_speaks_below_its_own_name_only(broker_port: int) -> None:
    base = "parkcarbon/v1/suzhou"
    async with client(broker_port, "ingest") as ingest, client(broker_port, "suzhou/edge-a") as edge:
        await ingest.subscribe("parkcarbon/v1/#")
        for topic in (
            f"{base}/edge-b/readings/{BOOT}/1",
            f"{base}/gw-1/from/edge-b/readings/{BOOT}/1",
            "parkcarbon/v1/other/edge-a/readings/{BOOT}/1",
            f"{base}/edge-a/receipt",
            f"{base}/edge-a/readings/{BOOT}/1",
        ):
            with contextlib.suppress(ConnectionError):
                await edge.publish(topic, b"x")
        assert await heard_until(ingest, f"{base}/edge-a/readings/{BOOT}/1") == [f"{base}/edge-a/readings/{BOOT}/1"]


async def test_a_gateway_speaks_for_those_behind_it(broker_port: int) -> None:
    base = "parkcarbon/v1/suzhou"
    async with client(broker_port, "ingest") as ingest, client(broker_port, "suzhou/gw-1") as gateway:
        await ingest.subscribe("parkcarbon/v1/#")
        with contextlib.suppress(ConnectionError):
            await gateway.publish(f"{base}/gw-1/from/edge-a/readings/{BOOT}/1", b"x")
        await gateway.publish(f"{base}/gw-1/from/edge-b/readings/{BOOT}/1", b"x")
        topic = f"{base}/gw-1/from/edge-b/readings/{BOOT}/1"
        assert await heard_until(ingest, topic) == [topic]


async def test_a_source_hears_its_own_receipts_only(broker_port: int) -> None:
    base = "parkcarbon/v1/suzhou"
    async with client(broker_port, "suzhou/edge-a") as edge, client(broker_port, "ingest") as ingest:
        await edge.subscribe("#")
        await ingest.publish(f"{base}/gw-1/receipt", b"x")
        await ingest.publish(f"{base}/edge-a/receipt", b"x")
        assert await heard_until(edge, f"{base}/edge-a/receipt") == [f"{base}/edge-a/receipt"]
