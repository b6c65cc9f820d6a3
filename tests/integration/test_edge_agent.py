"""The agent as a process, against simulated meters and real brokers: polls, sends, is killed, loses nothing."""

import asyncio
import contextlib
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from firmware_sim.answers import logged_values
from firmware_sim.prepare import Order, prepare
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.mqtt import Broker, Mqtt
from parkcarbon.kit.outbox import Outbox
from parkcarbon.wire.body import Row
from parkcarbon.wire.frame import open_frame
from parkcarbon.wire.messages import Command, Receipt, Reply, Status, decode, encode
from parkcarbon.wire.topics import Address, parse
from tests.fakes.brokers import BrokerProcess, has_mosquitto

ROOT = Path(__file__).resolve().parents[2]
KINDS = [pytest.param("mosquitto", marks=pytest.mark.mosquitto), "amqtt"]
ME = Address("tiny", "edge-tiny")
CONFIG = "edge-tiny.yaml"


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    if request.param == "mosquitto" and not has_mosquitto():
        pytest.skip("no mosquitto on this machine")
    with BrokerProcess(request.param, tmp_path) as process:
        yield process


@pytest.fixture
def meters(tmp_path: Path) -> Iterator[Path]:
    """Three simulated meters and an agent's configuration for them; the folder."""
    folder = tmp_path / "park"
    url = "mqtt://127.0.0.1:1"
    prepare(Order("tiny", 1, folder, int(time.time() * 1000), url, url, history=True, journal=True))
    process = start("firmware_sim", "run", "--dir", str(folder), stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["ready"]
    yield folder
    process.terminate()
    process.wait(20)
    process.stdout.close()


def start(
    module: str, *arguments: str, stdout: int = subprocess.DEVNULL, stderr: Any = None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=stdout, stderr=stderr)


def configure(folder: Path, **changes: Any) -> Path:
    path = folder / CONFIG
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))
    return path


@contextlib.contextmanager
def agent(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The agent as a child; its log is in agent.log beside the configuration."""
    with config.with_name("agent.log").open("ab") as log:
        process = start("edge", "run", str(config), stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def events(config: Path) -> list[str]:
    lines = config.with_name("agent.log").read_text().splitlines()
    return [json.loads(line)["event"] for line in lines if line.startswith("{") and line.endswith("}")]


@dataclass
class Cloud:
    """Takes batches and says `committed`, as ingest would."""

    mqtt: Mqtt
    frames: dict[tuple[str, int], bytes] = field(default_factory=dict)
    order: list[tuple[str, int]] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    conflicts: int = 0
    commit: bool = True

    async def listen(self) -> None:
        async for message in self.mqtt.messages():
            topic = parse(message.topic)
            assert topic is not None
            if topic.kind == "status":
                self.statuses.append(decode(message.payload, Status))
            elif topic.kind == "reply":
                self.replies.append(decode(message.payload, Reply))
            elif topic.kind == "readings":
                open_frame(message.payload, topic=topic)
                key = (topic.boot, topic.seq)
                self.conflicts += self.frames.get(key, message.payload) != message.payload
                self.frames[key] = message.payload
                self.order.append(key)
                if self.commit:
                    receipt = encode(Receipt(boot=topic.boot, committed=(topic.seq,)))
                    with contextlib.suppress(ConnectionError):
                        await self.mqtt.publish(ME.receipt, receipt)

    def rows(self) -> list[Row]:
        return [row for frame in self.frames.values() for row in open_frame(frame)[1].rows()]


@contextlib.asynccontextmanager
async def cloud(broker: BrokerProcess) -> AsyncIterator[Cloud]:
    mqtt = Mqtt(Broker.from_url(broker.url), client_id="cloud", clock=SystemClock(), rng=random.Random(1))
    one = Cloud(mqtt)
    for topic_filter in (f"{ME.prefix}/readings/+/+", ME.status, ME.reply):
        await mqtt.subscribe(topic_filter)
    tasks = [asyncio.ensure_future(mqtt.run()), asyncio.ensure_future(one.listen())]
    try:
        yield one
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(what: Any, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.05)


def journal(folder: Path) -> set[Row]:
    path = folder / "journal-edge-tiny.jsonl"
    # the last line of a killed agent may be cut short: what is not synced was not promised
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return {Row(*json.loads(line)) for line in lines}


def kept(folder: Path) -> set[Row]:
    """What the outbox still has."""
    outbox = Outbox(folder / "edge-tiny" / "outbox.db", clock=SystemClock())
    frames = [outbox.frame(seq) for seq, _, _ in outbox.waiting()]
    outbox.close()
    return {row for frame in frames if frame is not None for row in open_frame(frame)[1].rows()}


async def test_readings_arrive_as_the_registers_showed_them(broker: BrokerProcess, meters: Path) -> None:
    config = configure(meters, broker=broker.url, flush_s=0.2, status_s=1)
    async with cloud(broker) as seen:
        with agent(config) as process:
            await until(lambda: len([row for row in seen.rows() if row.t > time.time() * 1000 - 60_000]) > 30)
            await until(lambda: any(not one.backlog and one.depth <= 3 for one in seen.statuses))
            status = seen.statuses[-1]
            assert {one.device: one.state for one in status.devices} == dict.fromkeys(
                ("gate", "workshop-1", "workshop-2"), "ok"
            )
            assert status.clock == "synced"
            assert all(abs(one.last_seen - status.at) < 5000 for one in status.devices if one.last_seen is not None)
            assert next(one.detail for one in status.devices if one.device == "workshop-2").startswith("serial ")
            await seen.mqtt.publish(ME.command, encode(Command(id="c1", kind="ping")))
            await until(lambda: seen.replies)
            process.terminate()
            assert process.wait(15) == 0
            await until(lambda: not seen.statuses[-1].online)
        assert set(seen.rows()) | kept(meters) == journal(meters)
        assert_shown(meters, seen.rows())


def assert_shown(folder: Path, rows: list[Row]) -> None:
    shown = logged_values(folder)
    assert rows
    assert [row for row in rows if row.x is not None and row.x not in shown[row.point]] == []


async def test_agent_killed_again_and_again_loses_nothing_it_promised(broker: BrokerProcess, meters: Path) -> None:
    """Journal ⊆ received ∪ outbox, nothing made up, the same bytes under the same number."""
    config = configure(meters, broker=broker.url, flush_s=0.1, keep_days=0)
    rng = random.Random(5)
    async with cloud(broker) as seen:
        for number in range(12 if broker.kind == "mosquitto" else 6):
            seen.commit = number % 3 > 0
            with agent(config) as process:
                if number % 4 == 1:
                    broker.kill()
                await asyncio.sleep(rng.uniform(0.3, 2.5))
                process.kill()
            if number % 4 == 1:
                broker.start()
        assert journal(meters) <= set(seen.rows()) | kept(meters)
        seen.commit = True
        starts = events(config).count("started")
        with agent(config) as process:
            await until(lambda: events(config).count("started") > starts and journal(meters) <= set(seen.rows()), 60)
            process.terminate()
            assert process.wait(15) == 0
        rows = seen.rows()
        assert journal(meters) <= set(rows) | kept(meters)
        assert seen.conflicts == 0
        live = [row for row in rows if row.t > 1000 * config.stat().st_mtime]
        assert len({(row.point, row.t) for row in rows}) == len(rows), "a reading is in two batches"
        assert len(live) > 20
        assert_shown(meters, rows)
    assert "backfill_done" in events(config)


async def test_a_broker_that_is_away_is_told_once_and_everything_arrives_later(
    broker: BrokerProcess, meters: Path
) -> None:
    config = configure(meters, broker=broker.url, flush_s=0.1, backfill=None)
    broker.kill()
    with agent(config) as process:
        await until(lambda: len(journal(meters)) > 30)
        broker.start()
        async with cloud(broker) as seen:
            before = journal(meters)
            await until(lambda: before <= set(seen.rows()))
            process.terminate()
            assert process.wait(15) == 0
    told = [event for event in events(config) if event.startswith("broker_")]
    assert told == ["broker_lost", "broker_back"]


def test_a_configuration_error_is_told_with_exit_code_2(tmp_path: Path) -> None:
    path = tmp_path / "edge.yaml"
    path.write_text("park: A B\n")
    for verb in ("run", "check-config", "probe"):
        done = subprocess.run(
            [sys.executable, "-m", "edge", verb, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr.startswith(f"{path}: ")
        assert "Traceback" not in done.stderr


def test_probe_shows_what_the_registers_hold(meters: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edge", "probe", str(meters / CONFIG)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"^OK   ", done.stdout, re.MULTILINE)) == 3
    shown = logged_values(meters)
    seen = re.findall(r"^     (active_energy_import) +(\S+)  kWh", done.stdout, re.MULTILINE)
    assert len(seen) == 3
    every = {f"{value:.10g}" for name, values in shown.items() if name.endswith("import") for value in values}
    assert {value for _, value in seen} <= every


def test_probe_says_what_to_look_at(meters: Path) -> None:
    document = yaml.safe_load((meters / CONFIG).read_text())
    substation, workshop = document["buses"]
    substation["devices"][0]["unit"] = 77
    substation["devices"][0]["timeout_s"] = 0.2
    workshop["devices"][0]["profile"] = "huawei-sun2000"
    workshop["devices"][0]["points"] = [{"quantity": "active_power"}, {"quantity": "frequency"}]
    gone = {
        "bus": "gone",
        "kind": "tcp",
        "host": "127.0.0.1",
        "port": 1,
        "devices": [dict(workshop["devices"][1], device="x")],
    }
    (meters / CONFIG).write_text(yaml.safe_dump(document | {"buses": [substation, workshop, gone]}))
    done = subprocess.run(
        [sys.executable, "-m", "edge", "probe", str(meters / CONFIG)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    blocks = re.split(r"^(?=OK|LOOK)", done.stdout, flags=re.MULTILINE)[1:]
    gate, wrong, well, missing = blocks
    assert "check the unit" in gate
    assert wrong.count("no such register; is it another model or firmware?") == 2
    assert well.startswith("OK   workshop-2")
    assert "Is the address right" in missing
