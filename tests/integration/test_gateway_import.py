"""`python -m gateway import`: files through real brokers until every batch is committed, whatever is killed."""

import asyncio
import base64
import contextlib
import json
import math
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.csvcells import Naming
from gateway.csvfile import Layout, merge, read_table
from gateway.delivery import Delivery, Order
from gateway.importing import to_drafts
from parkcarbon.domain.reading import Quality
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.mqtt import Broker, Mqtt
from parkcarbon.kit.outbox import Outbox
from parkcarbon.wire.body import Body
from parkcarbon.wire.errors import Reason
from parkcarbon.wire.frame import Header, open_frame
from parkcarbon.wire.messages import encode, receipts
from parkcarbon.wire.topics import Address, filters, parse
from tests.fakes.brokers import BrokerProcess, has_mosquitto

CAMPUS = Path(__file__).resolve().parents[3] / "shared" / "data" / "campus_2022"
T0 = 1_640_995_200_000  # 2022-01-01T00:00:00Z
MINUTE = 60_000
BATCH = 4000

Readings = dict[tuple[str, int], tuple[float, int]]
COMMIT = "commit"


class Cloud:
    """The other end of custody: keeps what arrives and says of each number what `verdict` says.

    `verdict` gets the number of a batch and returns COMMIT, a reason to refuse it, or None to keep silent.
    """

    def __init__(self, url: str) -> None:
        self.mqtt = Mqtt(Broker.from_url(url), client_id="cloud", clock=SystemClock(), rng=random.Random(0))
        self.verdict: Callable[[int], str | None] = lambda _: COMMIT
        self.frames: dict[tuple[str, int], bytes] = {}
        self.arrivals: Counter[tuple[str, int]] = Counter()
        self.committed: set[tuple[str, int]] = set()
        self.public_key: bytes | None = None
        self.quarantined: dict[int, int] = {}

    async def run(self) -> None:
        for topic_filter in filters("readings"):
            await self.mqtt.subscribe(topic_filter)
        async for message in self.mqtt.messages():
            await self._take(message.topic, message.payload)

    async def _take(self, name: str, frame: bytes) -> None:
        topic = parse(name)
        assert topic is not None
        open_frame(frame, topic=topic, public_key=self.public_key)
        key = (topic.boot, topic.seq)
        assert self.frames.setdefault(key, frame) == frame, "the same number with other bytes"
        self.arrivals[key] += 1
        said = COMMIT if key in self.committed else self.verdict(topic.seq)
        if said is None:
            return
        if said == COMMIT:
            self.committed.add(key)
        done, refused = ((topic.seq,), ()) if said == COMMIT else ((), ((topic.seq, said),))
        for receipt in receipts(topic.boot, committed=done, refused=refused, quarantined=self.quarantined):
            with contextlib.suppress(ConnectionError):
                await self.mqtt.publish(topic.address.receipt, encode(receipt))

    def bodies(self) -> list[tuple[Header, Body]]:
        """What is committed, in order of numbers."""
        return [open_frame(self.frames[key]) for key in sorted(self.committed)]

    def readings(self) -> Readings:
        """Every committed reading; none may be there twice."""
        found: Readings = {}
        for _, body in self.bodies():
            assert not body.rejects
            for row in body.rows():
                assert row.x is not None
                assert (row.point, row.t) not in found
                found[row.point, row.t] = (row.x, row.d)
        return found


@contextlib.asynccontextmanager
async def cloud(broker: BrokerProcess) -> AsyncIterator[Cloud]:
    receiver = Cloud(broker.url)
    tasks = [asyncio.ensure_future(receiver.mqtt.run()), asyncio.ensure_future(receiver.run())]
    try:
        async with asyncio.timeout(30):
            await receiver.mqtt.connected()
        yield receiver
        assert not tasks[1].done(), tasks[1].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def running(kind: str, folder: Path) -> AsyncIterator[BrokerProcess]:
    process = BrokerProcess(kind, folder)
    await asyncio.to_thread(process.start)
    try:
        yield process
    finally:
        process.kill()


@pytest.fixture(params=[pytest.param("mosquitto", marks=pytest.mark.mosquitto), "amqtt"])
async def each_broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BrokerProcess]:
    if request.param == "mosquitto" and not has_mosquitto():
        pytest.skip("no mosquitto on this machine")
    async with running(request.param, tmp_path) as process:
        yield process


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[BrokerProcess]:
    """Mosquitto where it is installed: clients are let in there at once."""
    async with running("mosquitto" if has_mosquitto() else "amqtt", tmp_path) as process:
        yield process


async def start_import(broker: BrokerProcess, data: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway", "import", "--park", "campus", "--source", "import-test"),
        *("--broker", broker.url, "--data", str(data), "--map", "a=a/gas_energy", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def end_of(process: asyncio.subprocess.Process) -> tuple[int, dict[str, Any], str]:
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out.splitlines()[-1]) if out else {}, err.decode()


async def run_import(broker: BrokerProcess, data: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    return await end_of(await start_import(broker, data, *arguments))


def value(number: int) -> float:
    return math.sqrt(number)


def write(path: Path, count: int, *, first: int = 0) -> Readings:
    """Write a file of minutes and return what must arrive of it."""
    rows = [f"{stamp(first + number)},{value(first + number)!r}\n" for number in range(count)]
    path.write_text("time,a\n" + "".join(rows))
    return {("a/gas_energy", T0 + (first + number) * MINUTE): (value(first + number), 0) for number in range(count)}


def stamp(number: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime(T0 / 1000 + number * 60))


# ── what arrives ─────────────────────────────────────────────────────────────────────────────────


async def test_a_small_file_arrives_to_the_last_bit_and_signed(each_broker: BrokerProcess, tmp_path: Path) -> None:
    file, key_file, map_file = tmp_path / "a.csv", tmp_path / "key", tmp_path / "map.yaml"
    file.write_text("time;A 1;B;Sum\n2022-01-01 00:00;0.1;;1\n2022-01-01 01:00;x;3e2;2\n2022-13-01 02:00;1;2;3\n")
    map_file.write_text("B: meter-b/heat_energy\nSum: null\n")
    key = Ed25519PrivateKey.generate()
    key_file.write_bytes(base64.b64encode(key.private_bytes_raw()))
    async with cloud(each_broker) as receiver:
        receiver.public_key = key.public_key().public_bytes_raw()
        code, summary, err = await run_import(
            each_broker,
            tmp_path / "data",
            *("--file", str(file), "--point", "{column}-gas/gas_energy", "--map", str(map_file), "--period", "3600"),
            *("--timezone", "Asia/Shanghai", "--quality", "manual", "--key-file", str(key_file)),
        )
        (header, body), *more = receiver.bodies()
    assert code == 3, err
    assert not more
    assert "3 readings were rejected in a.csv: A 1 (1), a.csv: time (2); 0 are in quarantine" in err
    assert receiver.readings() == {
        ("a-1-gas/gas_energy", T0 - 8 * 60 * MINUTE): (0.1, 3_600_000),
        ("meter-b/heat_energy", T0 - 7 * 60 * MINUTE): (300.0, 3_600_000),
    }
    assert set(body.q.tolist()) == {Quality.MANUAL}
    assert (header.n, header.park, header.source) == (2, "campus", "import-test")
    assert abs(header.made - time.time() * 1000) < 600_000
    problems = summary.pop("problems")
    assert [problem.split(":")[:2] for problem in problems] == [["a.csv", "3"], ["a.csv", "4"]]
    assert summary.pop("seconds") > 0
    assert summary == {
        "readings": 2,
        "missing": 1,
        "duplicates": 0,
        "rejected": 3,
        "rejected_in": {"a.csv: A 1": 1, "a.csv: time": 2},
        "resumed": 0,
        "batches": 1,
        "committed": 1,
        "refused": 0,
        "quarantined": 0,
    }


@pytest.mark.shared
async def test_a_year_of_a_campus_arrives_within_seconds(broker: BrokerProcess, tmp_path: Path) -> None:
    file = CAMPUS / "electricity_kwh.csv"
    if not file.exists():
        pytest.skip("no shared data folder")
    async with cloud(broker) as receiver:
        code, summary, err = await run_import(
            broker,
            tmp_path / "data",
            *("--file", str(file), "--time-column", "hour_start_utc", "--timezone", "UTC", "--kind", "delta"),
            *("--point", "{column}-electricity/active_energy_import", "--period", "3600.0"),
        )
    assert code == 0, err
    readings = receiver.readings()
    assert len(readings) == summary["readings"] == 12 * 8760 - summary["missing"]
    assert math.fsum(amount for amount, _ in readings.values()) == pytest.approx(46_473_894.4, rel=1e-12)
    assert summary["rejected"] == 0
    assert summary["seconds"] < 60


async def test_the_same_file_again_is_new_batches_of_the_same_readings(broker: BrokerProcess, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", 2 * BATCH)
    async with cloud(broker) as receiver:
        for turn in (1, 2):
            code, summary, err = await run_import(broker, tmp_path / "data", "--file", str(tmp_path / "a.csv"))
            assert (code, summary["batches"], summary["committed"], summary["resumed"]) == (0, 2, 2, 0), err
            assert sorted(seq for _, seq in receiver.committed) == list(range(1, 2 * turn + 1))
        headers = [header for header, _ in receiver.bodies()]
    assert [header.body for header in headers[:2]] == [header.body for header in headers[2:]]
    assert headers[1].made < headers[2].made


# ── refused, killed, silent ──────────────────────────────────────────────────────────────────────


async def test_a_refused_batch_fails_the_import_and_not_the_other_batches(
    broker: BrokerProcess, tmp_path: Path
) -> None:
    expected = write(tmp_path / "a.csv", 3 * BATCH)
    async with cloud(broker) as receiver:
        receiver.verdict = lambda seq: Reason.SIGNATURE if seq == 2 else COMMIT
        code, summary, err = await run_import(broker, tmp_path / "data", "--file", str(tmp_path / "a.csv"))
        assert (code, summary["batches"], summary["committed"], summary["refused"]) == (1, 3, 2, 1), err
        (problem,) = summary["problems"]
        assert problem.startswith("batch 2 was refused: signature (the park document has another public key")
        assert len(receiver.readings()) == 2 * BATCH
        receiver.committed.clear()
        code, summary, err = await run_import(broker, tmp_path / "data", "--file", str(tmp_path / "a.csv"))
        assert (code, summary["batches"], summary["committed"], summary["refused"]) == (0, 3, 3, 0), err
        assert receiver.readings() == expected


async def test_what_the_receiver_put_aside_is_told(broker: BrokerProcess, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", 2 * BATCH)
    async with cloud(broker) as receiver:
        receiver.quarantined = {2: 17}
        code, summary, err = await run_import(broker, tmp_path / "data", "--file", str(tmp_path / "a.csv"))
    assert (code, summary["committed"], summary["rejected"], summary["quarantined"]) == (3, 2, 0, 17), err
    assert summary["problems"] == ["batch 2: 17 readings are in quarantine (parkcarbon quarantine list says why)"]
    assert "0 readings were rejected; 17 are in quarantine" in err


async def test_killed_half_way_and_called_again_every_reading_arrives_and_none_is_invented(
    each_broker: BrokerProcess, tmp_path: Path
) -> None:
    count = 15
    expected = write(tmp_path / "a.csv", count * BATCH - 1)
    arguments = (tmp_path / "data", "--file", str(tmp_path / "a.csv"))
    async with cloud(each_broker) as receiver:
        receiver.verdict = lambda _: COMMIT if len(receiver.committed) < 4 else None
        process = await start_import(each_broker, *arguments)
        async with asyncio.timeout(60):
            while len(receiver.arrivals) < 8:
                await asyncio.sleep(0.01)
        process.kill()
        assert (await end_of(process))[0] == -signal.SIGKILL
        assert len(receiver.committed) == 4
        receiver.verdict = lambda _: COMMIT
        code, summary, err = await run_import(each_broker, *arguments)
    assert code == 0, err
    assert 1 <= summary["resumed"] <= summary["batches"] <= count
    assert summary["committed"] == summary["batches"]
    assert sorted(seq for _, seq in receiver.committed) == list(range(1, count + 1))
    assert receiver.readings() == expected


async def test_killed_while_freezing_the_rest_is_frozen_by_the_next_run(broker: BrokerProcess, tmp_path: Path) -> None:
    expected = write(tmp_path / "a.csv", 5 * BATCH)
    order = Order(
        address=Address("campus", "import-test"),
        broker=Broker.from_url(broker.url),
        data=tmp_path / "data",
        quality=Quality.GOOD,
        span_ms=0,
        timeout_s=1,
    )
    naming = Naming(None, {"a": "a/gas_energy"})
    table = read_table((tmp_path / "a.csv").read_text(), file="a.csv", layout=Layout(), naming=naming)
    outbox = Outbox(order.data / "campus.import-test.db", clock=SystemClock())
    delivery = Delivery(outbox, order, to_drafts(merge([table]), order), clock=SystemClock(), rng=random.Random(0))
    for _ in range(3):
        delivery._append()
    outbox.close()
    async with cloud(broker) as receiver:
        code, summary, err = await run_import(broker, order.data, "--file", str(tmp_path / "a.csv"))
    assert (code, summary["resumed"], summary["batches"], summary["committed"]) == (0, 3, 5, 5), err
    assert receiver.readings() == expected


async def test_what_was_not_committed_goes_with_the_next_import_of_anything(
    broker: BrokerProcess, tmp_path: Path
) -> None:
    expected = write(tmp_path / "a.csv", 10) | write(tmp_path / "b.csv", 10, first=10)
    async with cloud(broker) as receiver:
        receiver.verdict = lambda _: None
        arguments = ("--file", str(tmp_path / "a.csv"), "--timeout", "2")
        code, summary, err = await run_import(broker, tmp_path / "data", *arguments)
        assert (code, summary["batches"], summary["committed"]) == (1, 1, 0), err
        assert summary["problems"] == ["no receipt for 2 s"]
        receiver.verdict = lambda _: COMMIT
        code, summary, err = await run_import(broker, tmp_path / "data", "--file", str(tmp_path / "b.csv"))
    assert (code, summary["resumed"], summary["batches"], summary["committed"]) == (0, 1, 2, 2), err
    assert receiver.readings() == expected


async def test_a_signal_ends_it_in_order_with_its_summary(broker: BrokerProcess, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", 10)
    async with cloud(broker) as receiver:
        receiver.verdict = lambda _: None
        process = await start_import(broker, tmp_path / "data", "--file", str(tmp_path / "a.csv"))
        async with asyncio.timeout(60):
            while not receiver.arrivals:
                await asyncio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        code, summary, _ = await end_of(process)
    assert (code, summary["batches"], summary["committed"]) == (1, 1, 0)
    assert summary["problems"] == ["interrupted"]


async def test_an_import_outlives_the_death_of_the_broker(each_broker: BrokerProcess, tmp_path: Path) -> None:
    expected = write(tmp_path / "a.csv", 12 * BATCH)
    async with cloud(each_broker) as receiver:
        receiver.verdict = lambda seq: COMMIT if seq < 6 else None
        process = await start_import(each_broker, tmp_path / "data", "--file", str(tmp_path / "a.csv"))
        async with asyncio.timeout(60):
            while len(receiver.arrivals) < 8:
                await asyncio.sleep(0.01)
        each_broker.kill()
        receiver.verdict = lambda _: COMMIT
        await asyncio.to_thread(each_broker.start)
        code, summary, err = await end_of(process)
    assert (code, summary["batches"], summary["committed"]) == (0, 12, 12), err
    assert receiver.readings() == expected


# ── nothing sent ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--file", "good.csv", "--file", "none.csv"), "none.csv"),
        (("--file", "good.csv", "--time-column", "stamp"), "good.csv: no column 'stamp'; the headings are 'time', 'a'"),
        (("--file", "good.csv", "--file", "empty.csv"), "empty.csv: there is no column of data beside the times"),
        (("--file", "good.csv", "--file", "gbk.csv"), "is not utf-8-sig; name its --encoding"),
        (("--file", "good.csv", "--timezone", "Mars/Olympus"), "no time zone 'Mars/Olympus'"),
        (("--file", "good.csv", "--kind", "counter", "--period", "60"), "--period: only a delta has a length"),
        (("--file", "good.csv", "--period", "1e9"), "--period: want 0.001"),
        (("--file", "good.csv", "--map", "none.yaml"), "none.yaml"),
        (("--file", "good.csv", "--source", "Not a name"), "not a topic name"),
        (("--file", "good.csv", "--delimiter", ",,"), "--delimiter"),
    ],
)
async def test_what_cannot_be_done_is_said_and_nothing_is_sent(
    arguments: tuple[str, ...], what: str, tmp_path: Path
) -> None:
    write(tmp_path / "good.csv", 1)
    (tmp_path / "empty.csv").write_text("time\n")
    (tmp_path / "gbk.csv").write_bytes("时间,a\n".encode("gbk"))
    given = [str(tmp_path / text) if text.endswith(".csv") else text for text in arguments]
    code, summary, err = await run_import(BrokerProcess("amqtt", tmp_path), tmp_path / "data", *given)
    assert (code, summary) == (2, {})
    assert what in err
    assert not (tmp_path / "data").exists()


async def test_two_imports_do_not_share_an_outbox(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", 1)
    outbox = Outbox(tmp_path / "data" / "campus.import-test.db", clock=SystemClock())
    try:
        arguments = (tmp_path / "data", "--file", str(tmp_path / "a.csv"))
        code, summary, err = await run_import(BrokerProcess("amqtt", tmp_path), *arguments)
    finally:
        outbox.close()
    assert (code, summary) == (1, {})
    assert "cannot open" in err
