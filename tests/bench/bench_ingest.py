"""End-to-end ingest against a bare staged COPY of the same rows, interleaved in one run.

End to end is: frozen batches handed to a Mosquitto broker, received, validated, committed with intervals, emissions and
roll-ups by one `python -m ingest run`, until the last receipt is back. The yardstick is one connection that copies the
same rows in the same order and transactions of 20,000 rows into a staging table and inserts them with ON CONFLICT DO
NOTHING into a table like `reading`. Rounds go A B A B …; the ratio is the median of the rounds' ratios.

```
python tests/bench/bench_ingest.py [--rounds 7] [--store postgres|timescale] [--json]
```
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import LiteralString

import numpy as np

from ingest.parks import apply_park
from parkcarbon.catalog.park import decode_park
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import Database
from parkcarbon.kit.log import configure
from parkcarbon.kit.mqtt import Broker, Mqtt
from parkcarbon.kit.pgcopy import Column
from parkcarbon.wire.body import Row, draft
from parkcarbon.wire.frame import freeze
from parkcarbon.wire.messages import Receipt, decode
from parkcarbon.wire.topics import Address
from tests.fakes.brokers import BrokerProcess
from tests.fakes.ingest_park import METER, PARK, park_text
from tests.fakes.postgres import Server

ROOT = Path(__file__).resolve().parents[2]
POINTS = 1000
POOL = 20_000
UNACKNOWLEDGED = 32
BOOT = "00000000000000bb"
BARE: LiteralString = """
create temporary table bare_staging (
    point_id int not null, time timestamptz not null, value double precision, quality smallint not null,
    span_ms int not null, batch_id bigint not null
) on commit delete rows"""
INSERT: LiteralString = "insert into bare select * from bare_staging order by point_id, time on conflict do nothing"


@dataclass(frozen=True)
class Workload:
    """What one round sends: `steps` readings of each point, one batch a step."""

    name: str
    period_ms: int
    steps: int
    bar: float


WORKLOADS = (
    Workload("1,000 points x 15 s backlog", 15_000, 120, 0.5),
    Workload("1,000 points x 15 min", 900_000, 120, 0.25),
)


@dataclass
class Part:
    """The rows and frames of one round."""

    frames: list[bytes]
    time_ms: np.ndarray
    value: np.ndarray


def make_part(work: Workload, number: int, begin_ms: int) -> Part:
    """Registers of all points at `steps` times, and the batches that carry them."""
    rng = np.random.default_rng(number)
    at = np.arange(number * work.steps, (number + 1) * work.steps)
    time_ms = begin_ms + at * work.period_ms
    load_kw = 20 + np.arange(POINTS) / 10
    hours = at[:, None] * work.period_ms / 3_600_000
    value = np.round(hours * load_kw[None, :] + rng.random((work.steps, POINTS)) * 0.01, 2)
    frames = []
    for step in range(work.steps):
        rows = [Row(f"m{p}/{METER}", int(time_ms[step]), float(value[step, p])) for p in range(POINTS)]
        seq = int(at[step]) + 1
        frames.append(
            freeze(draft(rows), park=PARK, source="agent", boot=BOOT, seq=seq, prev="", made=int(time_ms[step]))
        )
    return Part(frames, time_ms, value)


async def bare_copy(database: Database, part: Part) -> float:
    """Copy the rows through staging; return the seconds."""
    points = np.arange(1, POINTS + 1, dtype=np.int32)
    steps = POOL // POINTS
    async with database.session() as session:
        begun = time.perf_counter()
        for first in range(0, len(part.time_ms), steps):
            times, value = part.time_ms[first : first + steps], part.value[first : first + steps]
            n = value.size
            columns = [
                Column("point_id", "int4", np.tile(points, len(times))),
                Column("time", "timestamptz", np.repeat(times, POINTS)),
                Column("value", "float8", value.reshape(n)),
                Column("quality", "int2", np.zeros(n, np.int16)),
                Column("span_ms", "int4", np.zeros(n, np.int32)),
                Column("batch_id", "int8", np.ones(n, np.int64)),
            ]
            async with session.transaction():
                await session.copy("bare_staging", columns)
                await session.execute(INSERT)
        return time.perf_counter() - begun


class EndToEnd:
    """A sender that keeps at most so many batches unacknowledged, and hears the receipts."""

    def __init__(self, url: str) -> None:
        self.mqtt = Mqtt(Broker.from_url(url), client_id="bench", clock=SystemClock(), rng=random.Random(1))
        self._committed: set[int] = set()
        self._news = asyncio.Event()
        self._address = Address(PARK, "agent")

    async def listen(self) -> None:
        await self.mqtt.subscribe(self._address.receipt)
        async for message in self.mqtt.messages():
            receipt = decode(message.payload, Receipt)
            if receipt.refused:
                raise RuntimeError(f"refused: {receipt.refused}")
            self._committed |= set(receipt.committed)
            self._news.set()

    async def send(self, frames: list[bytes], first_seq: int) -> float:
        """Send batches and wait until the last is committed; return the seconds."""
        begun = time.perf_counter()
        pending: set[asyncio.Task[None]] = set()
        for seq, frame in enumerate(frames, start=first_seq):
            await self._until(partial(self._has_room, seq, first_seq))
            task = asyncio.create_task(self.mqtt.publish(self._address.readings(BOOT, seq), frame))
            pending.add(task)
            task.add_done_callback(pending.discard)
        await self._until(lambda: self._done(first_seq) == len(frames))
        seconds = time.perf_counter() - begun
        await asyncio.gather(*pending)
        return seconds

    def _has_room(self, seq: int, first_seq: int) -> bool:
        return seq - first_seq - self._done(first_seq) < UNACKNOWLEDGED

    def _done(self, first_seq: int) -> int:
        return sum(seq >= first_seq for seq in self._committed)

    async def _until(self, done: Callable[[], bool]) -> None:
        while not done():
            self._news.clear()
            await self._news.wait()


@contextmanager
def ingest_process(url: str, broker: str) -> Iterator[None]:
    """Run the worker until the block ends."""
    environment = {**os.environ, "PARKCARBON_DATABASE_URL": url, "PARKCARBON_BROKER_URL": broker}
    command = [sys.executable, "-m", "ingest", "run"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr or ():
            if "receiver.subscribed" in line:
                break
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)


async def measure(server: Server, work: Workload, rounds: int, folder: Path) -> dict[str, object]:
    """Run the rounds of one workload on a fresh database."""
    url = server.clone()
    begin_ms = SystemClock().now_ms() // 86_400_000 * 86_400_000 - (rounds + 2) * work.steps * work.period_ms
    ratios, rates, bare_rates = [], [], []
    async with await Database.connect(url, min_size=1, max_size=1, setup=BARE) as database:
        park = decode_park(park_text(POINTS, period_s=work.period_ms / 1000, point=", limit_per_h: 100000"))
        await apply_park(database, park, folder, author="bench", reason="bench")
        if database.timescale:
            await database.execute("create table bare (like reading including all)")
            await database.execute(
                "select create_hypertable('bare', 'time', chunk_time_interval => interval '30 days')"
            )
        else:
            await database.execute("create table bare (like reading including all)")
        with BrokerProcess("mosquitto", folder) as broker, ingest_process(url, broker.url):
            sender = EndToEnd(broker.url)
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(sender.mqtt.run()), tasks.create_task(sender.listen())]
                await sender.mqtt.connected()
                for number in range(rounds + 1):
                    part = make_part(work, number, begin_ms)
                    readings = part.value.size
                    ours = await sender.send(part.frames, number * work.steps + 1)
                    bare = await bare_copy(database, part)
                    if number:  # the first round warms up
                        ratios.append(bare / ours)
                        rates.append(readings / ours)
                        bare_rates.append(readings / bare)
                for task in running:
                    task.cancel()
        stored = await database.fetchval("select count(*) from reading")
        if stored != (rounds + 1) * work.steps * POINTS:
            raise RuntimeError(f"{stored} readings stored")
    server.drop(url)
    return {
        "workload": work.name,
        "ratio": round(statistics.median(ratios), 3),
        "least": round(min(ratios), 3),
        "most": round(max(ratios), 3),
        "readings_per_s": round(statistics.median(rates)),
        "bare_rows_per_s": round(statistics.median(bare_rates)),
        "bar": work.bar,
    }


@contextmanager
def server_of(store: str) -> Iterator[Server]:
    """The embedded PostgreSQL, or TimescaleDB."""
    from tests.fakes.postgres import run_postgres, run_timescale

    with run_postgres() if store == "postgres" else run_timescale() as server:
        yield server


def main() -> int:
    """Measure, print, and fail below the bars."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--store", choices=("postgres", "timescale"), default="postgres")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    configure(level="error")
    below = 0
    with server_of(options.store) as server, tempfile.TemporaryDirectory() as folder:
        for work in WORKLOADS:
            found = asyncio.run(measure(server, work, options.rounds, Path(folder)))
            if options.json:
                print(json.dumps({"store": options.store, **found}))
            else:
                print(
                    f"{options.store}: {work.name}: end to end {found['readings_per_s']:,} readings/s, bare staged COPY"
                    f" {found['bare_rows_per_s']:,} rows/s, ratio {found['ratio']} ({found['least']}–{found['most']}),"
                    f" bar {work.bar}"
                )
            below += float(str(found["ratio"])) < work.bar
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
