"""Kill -9 each process of a running park, with both brokers; then nothing is missing and nothing counts twice."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.broker import mosquitto_path
from parkcarbon.kit.db import Database, UnavailableError
from tests.chaos.oracle import Verdict, check
from tests.fakes.demo_process import DemoProcess

SCENARIO = Path(__file__).with_name("scenario.yaml")
VICTIMS = ("edge-gate", "edge-workshop", "gateway-gw-1", "broker", "park_broker", "ingest", "postgres")
ROUNDS = 3
BACK_WITHIN_S = 90.0
BROKERS = (
    pytest.param("mosquitto", marks=pytest.mark.mosquitto),
    pytest.param("amqtt"),
)


@pytest.fixture(params=BROKERS)
def park(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DemoProcess]:
    if request.param == "mosquitto" and mosquitto_path() is None:
        pytest.skip("no mosquitto is installed")
    args = ("--scenario", str(SCENARIO), "--broker", request.param, "--no-history", "--journal", "--seed", "3")
    with DemoProcess(tmp_path / "park", *args) as demo:
        yield demo


async def _connected(url: str) -> Database:
    """The database once it is back: the last victim may still be recovering."""
    async with asyncio.timeout(BACK_WITHIN_S):
        while True:
            try:
                return await Database.connect(url, min_size=1, max_size=1)
            except UnavailableError:
                await asyncio.sleep(0.2)


async def _verdict(park: DemoProcess) -> Verdict:
    async with await _connected(park.env["PARKCARBON_DATABASE_URL"]) as database:
        return await check(database, park.data)


@pytest.mark.timeout(600)
async def test_every_process_may_be_killed_at_any_moment(park: DemoProcess, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(20261121)
    kills = dict.fromkeys(VICTIMS, 0)
    for _ in range(ROUNDS):
        for victim in rng.sample(VICTIMS, len(VICTIMS)):
            kills[victim] += park.kill(victim)
            time.sleep(rng.uniform(0.3, 3.0))  # noqa: ASYNC251 - a real park lives in real time
    assert all(kills.values()), f"not everything was killed: {kills}"
    verdict = await _verdict(park)
    answer = park.command("ingest", "recompute", "--park", "chaos", "--check")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    with capsys.disabled():
        print(f"\nkills {kills}; {verdict}; recompute: {answer.stdout.strip()}")
