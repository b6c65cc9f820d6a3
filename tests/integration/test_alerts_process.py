"""The alerts process as it is run: killed, stopped, two at a time, with channels that are slow or dead."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import free_port
from tests.fakes.alarm_park import POINT, RULES, AlarmPark, open_park
from tests.fakes.alarm_receivers import HttpReceiver, http_receiver
from tests.fakes.postgres import ROOT

pytestmark = pytest.mark.postgres
EPISODES = "select count(*) from alarm_episode"
SENT = "select count(*) from alarm_message where state = 'sent'"


@pytest.fixture
async def park(postgres_url: str) -> AsyncIterator[AlarmPark]:
    park = await open_park(postgres_url)
    async with park.database:
        await park.rules()
        yield park


@pytest.fixture
def desk() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@dataclass
class Process:
    """A running alerts process."""

    popen: subprocess.Popen[bytes]
    log: Path

    def send(self, number: int) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait(30)


class Processes:
    """Starts processes and ends those that still run, cleanly."""

    def __init__(self, park: AlarmPark, folder: Path) -> None:
        self._park = park
        self._folder = folder
        self._all: list[Process] = []

    def start(self, desk: HttpReceiver | None, **more: str) -> Process:
        env = {name: value for name, value in os.environ.items() if not name.startswith("PARKCARBON_")}
        env |= {"PARKCARBON_DATABASE_URL": self._park.url, "PARKCARBON_ALERTS_LEASE_S": "1"}
        env |= {"PARKCARBON_ALERTS_TICK_S": "0.3", "PARKCARBON_ALERTS_SEND_S": "1"}
        if desk is not None:
            env["PARKCARBON_ALARM_CHANNEL_DESK"] = f"json://{desk.host}/desk"
        log = self._folder / f"{len(self._all)}.log"
        with log.open("wb") as out:
            popen = subprocess.Popen(
                [sys.executable, "-m", "alerts", "run"], cwd=ROOT, env=env | more, stdout=out, stderr=out
            )
        self._all.append(Process(popen, log))
        return self._all[-1]

    def end(self) -> None:
        for process in self._all:
            if process.popen.poll() is None:
                process.send(signal.SIGCONT)
                process.send(signal.SIGTERM)
        for process in self._all:
            code = process.popen.wait(30)
            assert code in (0, -signal.SIGKILL), process.log.read_text()
            assert "Traceback" not in process.log.read_text(), process.log.read_text()


@pytest.fixture
def processes(park: AlarmPark, tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(park, tmp_path)
    try:
        yield processes
    finally:
        processes.end()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def until(park: AlarmPark, query: str, wanted: object) -> None:
    async with asyncio.timeout(60):
        while await park.database.fetchval(query) != wanted:
            await asyncio.sleep(0.05)


async def led(park: AlarmPark, epoch: int = 1) -> None:
    await until(park, "select epoch from alarm_lease", epoch)
    await asyncio.sleep(0.5)


def keys(desk: HttpReceiver) -> set[str]:
    return {taken.body["key"] for taken in desk.taken}


async def test_an_alarm_reaches_the_desk_and_the_metrics_say_how_fast(
    park: AlarmPark, desk: HttpReceiver, processes: Processes
) -> None:
    port = free_port()
    processes.start(desk, PARKCARBON_ALERTS_METRICS_PORT=str(port))
    await led(park)
    await park.read((POINT, now_ms(), 120.0))
    await until(park, SENT, 1)
    await park.read((POINT, now_ms(), 80.0))
    await until(park, SENT, 2)
    async with httpx.AsyncClient(trust_env=False) as client:
        metrics = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    assert len(desk.taken) == len(keys(desk)) == 2
    assert 'parkcarbon_alerts_handover_seconds_count{channel="desk"} 2.0' in metrics
    assert 'parkcarbon_alerts_handover_seconds_bucket{channel="desk",le="2.0"} 2.0' in metrics
    assert "parkcarbon_alerts_epoch 1.0" in metrics
    assert "parkcarbon_alerts_evaluation_lag_seconds_count" in metrics
    assert 'parkcarbon_alerts_rules{park="demo",state="judged"} 1.0' in metrics


async def test_killed_between_decision_and_handover(park: AlarmPark, desk: HttpReceiver, processes: Processes) -> None:
    first = processes.start(None)  # it has no address: it decides and cannot hand over
    await led(park)
    await park.read((POINT, now_ms(), 120.0))
    await until(park, "select count(*) from alarm_message where state = 'waiting'", 1)
    first.kill()
    assert desk.taken == []
    processes.start(desk)
    await until(park, SENT, 1)
    await park.read((POINT, now_ms(), 121.0))
    await led(park, 2)
    assert len(desk.taken) == 1
    assert await park.database.fetchval(EPISODES) == 1


async def test_killed_while_handing_over_the_same_message_goes_out_again(
    park: AlarmPark, desk: HttpReceiver, processes: Processes
) -> None:
    desk.hold = True
    first = processes.start(desk, PARKCARBON_ALERTS_SEND_S="3")
    await led(park)
    await park.read((POINT, now_ms(), 120.0))
    async with asyncio.timeout(30):
        while not desk.taken:
            await asyncio.sleep(0.02)
    first.kill()  # the desk has it; nobody noted that
    desk.hold = False
    processes.start(desk)
    await until(park, SENT, 1)
    assert len(keys(desk)) == 1, "by its key it is one message"
    assert len(desk.taken) == 2


async def test_killed_at_any_moment(park: AlarmPark, desk: HttpReceiver, processes: Processes) -> None:
    for at, pause_s in enumerate((0.0, 0.02, 0.05, 0.1, 0.2)):
        process = processes.start(desk)
        await led(park, at + 1)
        await park.read((POINT, now_ms(), 120.0 if at % 2 == 0 else 80.0))
        await asyncio.sleep(pause_s)
        process.kill()
    processes.start(desk)
    await led(park, 6)
    await until(park, "select count(*) from alarm_episode where resolved_at is null", 1)
    await until(park, "select count(*) from alarm_message where state <> 'sent'", 0)
    rows = await park.messages()
    told = [(tuple(row["episodes"]), row["why"]) for row in rows]
    assert len(told) == len(set(told)), "each alarm began once and ended once"
    over = await park.database.fetchval("select count(*) from alarm_episode where resolved_at is not null")
    standing = await park.database.fetchval("select count(*) from alarm_episode where not historical")
    assert len([row for row in rows if row["why"] == "recovered"]) <= over
    assert len([row for row in rows if row["why"] == "first"]) == standing
    assert keys(desk) == {row["key"] for row in rows}


async def test_of_two_one_decides_and_a_stalled_one_that_wakes_late_is_refused(
    park: AlarmPark, desk: HttpReceiver, processes: Processes
) -> None:
    first = processes.start(desk)
    await led(park)
    second = processes.start(desk)
    await asyncio.sleep(2)
    assert await park.database.fetchval("select epoch from alarm_lease") == 1
    first.send(signal.SIGSTOP)
    await led(park, 2)
    await park.read((POINT, now_ms(), 120.0))
    await until(park, SENT, 1)
    first.send(signal.SIGCONT)
    await asyncio.sleep(2)
    await park.read((POINT, now_ms(), 80.0))
    await until(park, SENT, 2)
    assert await park.database.fetchval("select epoch from alarm_lease") == 2
    assert [row["why"] for row in await park.messages()] == ["first", "recovered"]
    assert len(desk.taken) == 2
    assert "lease.lost" in first.log.read_text()
    assert "lease.lost" not in second.log.read_text()


TWO = RULES.replace(
    "receivers:\n  - {receiver: desk, channel: desk, language: en}",
    "receivers:\n  - {receiver: desk, channel: desk, language: en}\n  - {receiver: slow, channel: slow, language: en}\n"
    "  - {receiver: dead, channel: dead, language: en}\n  - {receiver: none, channel: none, language: en}",
).replace("receivers: [desk]", "receivers: [slow, dead, none, desk]")


async def test_a_slow_a_dead_and_an_unknown_channel_delay_nobody_else(
    park: AlarmPark, desk: HttpReceiver, processes: Processes
) -> None:
    await park.rules(TWO)
    dead = f"json://127.0.0.1:{free_port()}/dead"
    with http_receiver() as slow:
        slow.hold = True
        processes.start(
            desk,
            PARKCARBON_ALARM_CHANNEL_SLOW=f"json://{slow.host}/slow",
            PARKCARBON_ALARM_CHANNEL_DEAD=dead,
            PARKCARBON_ALERTS_SEND_S="5",
        )
        await led(park)
        took: list[float] = []
        for at in range(6):
            begun = time.monotonic()
            await park.read((POINT, now_ms(), 80.0 if at % 2 else 120.0))
            await until(park, "select count(*) from alarm_message where receiver = 'desk' and state = 'sent'", at + 1)
            took.append(time.monotonic() - begun)
        assert max(took) < 2.0, took
        waiting = await park.database.fetch("select * from alarm_message where receiver <> 'desk'")
        assert {row["state"] for row in waiting} == {"waiting"}
        assert {row["channel"] for row in waiting} == {"slow", "dead", "none"}
        unknown = next(row for row in waiting if row["channel"] == "none" and row["attempts"])
        assert "no address" in unknown["last_error"]
