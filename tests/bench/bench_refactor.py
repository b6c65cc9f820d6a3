"""One year of 1,000 flows priced anew while 5,000 readings a second arrive: seconds, longest wait, memory.

Makes 35 million rows of `interval_15min` with their roll-ups, starts one `python -m ingest run` behind a Mosquitto
broker, sends it five batches of 1,000 readings a second, enters a factor that changes every price of the year, and
waits until nothing is queued. The wait of a batch is the time from handing it to the broker until its receipt is back.
Afterwards every row is compared with what numpy gives, and every roll-up with the sum of its parts.

```
python tests/bench/bench_refactor.py [--months 12] [--points 1000] [--readings-per-s 5000] [--store postgres] [--json]
```
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit

import numpy as np
import psutil

from ingest.factors import sync_factors
from ingest.parks import apply_park
from ingest.partitions import HOUR, INTERVAL, Partitions, first_day, partition_name
from parkcarbon.books.derive.announce import announce
from parkcarbon.books.derive.carbon import CarbonBook
from parkcarbon.books.derive.model import load_model
from parkcarbon.catalog.park import decode_park
from parkcarbon.domain.emissions import nano_kg
from parkcarbon.domain.factors import Factor
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import Database, Session, from_ms, to_ms
from parkcarbon.kit.log import configure
from parkcarbon.kit.mqtt import Broker, Mqtt
from parkcarbon.kit.pgcopy import PgType
from parkcarbon.wire.body import Row, draft
from parkcarbon.wire.frame import freeze
from parkcarbon.wire.messages import Receipt, decode
from parkcarbon.wire.topics import Address
from tests.bench.bench_ingest import BOOT, ROOT, server_of
from tests.fakes.brokers import BrokerProcess
from tests.fakes.ingest_park import METER, PARK, park_text
from tests.fakes.postgres import Server

BATCH = 1000
STEP_MS = 15_000
BACK_MS = 8 * 3_600_000
"""Arriving readings are so old: what they say runs ahead of the clock but not past it."""

MOST_S = 120.0
MOST_WAIT_S = 10.0

FILL: LiteralString = """
insert into filling
select p, t, (1e6 * (20 + p % 97) / 4)::bigint
       + (p * 7919::bigint + extract(epoch from t)::bigint / 900 * 104729) % 1000003,
       1, 0, 900000, false, null, null, null
from generate_series($1::timestamptz, $2::timestamptz - interval '15 minutes', interval '15 minutes') t
cross join unnest($3::int[]) p
"""
PRICE: LiteralString = """
insert into priced
select point_id, start, amount_micro, coverage, method, measured_ms, suspect,
       round(amount_micro::float8 * $1::float8 * 1e3)::bigint, $2::int, $3::smallint from filling
"""


@dataclass
class Year:
    """What was made: months since 1970, and the points."""

    months: list[int]
    points: list[int]
    rows: int = 0


class Maker:
    """Fills the months before a time with intervals of every point, priced as the catalog has it, and rolls them up."""

    def __init__(self, database: Database, book: CarbonBook, points: list[int], end_ms: int) -> None:
        self._database = database
        self._partitions = Partitions(database)
        self._book = book
        self._points = points
        self._end_ms = end_ms

    async def make(self, months: list[int]) -> Year:
        """Make everything."""
        halves = await asyncio.gather(self._fill(months[::2]), self._fill(months[1::2]))
        for statement in _ROLL_UP:
            await self._database.execute(statement)
        await self._database.execute("analyze")
        await self._database.execute("checkpoint")
        return Year(months, self._points, sum(halves))

    async def _fill(self, months: list[int]) -> int:
        return sum([await self._month(month) for month in months])

    async def _month(self, month: int) -> int:
        """Fill the partitions of a month, without their keys while it lasts."""
        low, high = first_day(month), first_day(month + 1)
        await self._partitions.ensure({(INTERVAL, month), (HOUR, month)})
        names = {INTERVAL: partition_name(INTERVAL, month), HOUR: partition_name(HOUR, month)}
        async with self._database.transaction() as session:
            if self._database.timescale:
                return await self._rows(session, {INTERVAL: INTERVAL, HOUR: HOUR}, low, high)
            for parent, name in names.items():
                await session.execute(f"alter table {parent} detach partition {name}")
                await session.execute(f"alter table {name} drop constraint {name}_pkey")
            made = await self._rows(session, names, low, high)
            bounds = f"for values from ('{low.isoformat()}') to ('{high.isoformat()}')"
            for parent, name in names.items():
                await session.execute(f"alter table {name} add primary key (point_id, start)")
                await session.execute(f"alter table {parent} attach partition {name} {bounds}")
        return made

    async def _rows(self, session: Session, names: dict[str, str], low: dt.datetime, high: dt.datetime) -> int:
        made = 0
        point = self._book.model.by_id[self._points[0]]
        for span in self._book.priced_spans(point, to_ms(low), min(to_ms(high), self._end_ms)):
            if span.price is None:
                raise RuntimeError("the catalog has no factor for the bench")
            price = span.price
            await session.execute("create temporary table filling (like interval_15min) on commit drop")
            made += await session.execute(FILL, from_ms(span.from_ms), from_ms(span.to_ms), self._points)
            statement = PRICE.replace("priced", names[INTERVAL])
            await session.execute(statement, price.factor.co2e, price.factor_id, price.match)
            await session.execute("drop table filling")
        await session.execute(HOURS.format(hours=names[HOUR], part=names[INTERVAL]), low, high)
        return made


HOURS: LiteralString = """
insert into {hours} select point_id, date_bin('1 hour', start, timestamptz 'epoch'), sum(amount_micro)::bigint,
 sum(co2e_nano_kg)::bigint, (count(*) / 4.0)::real, 0, count(*) * 900000, count(*) * 900000, 0
from {part} where start >= $1 and start < $2 group by 1, 2"""
_ROLL_UP: tuple[LiteralString, ...] = (
    """insert into rollup_day select point_id, (start at time zone 'Asia/Shanghai')::date, sum(amount_micro)::bigint,
    sum(co2e_nano_kg)::bigint, (sum(known_ms)::double precision / 86400000)::real, 0, sum(known_ms)::bigint,
    sum(measured_ms)::bigint, 0 from rollup_hour group by 1, 2""",
    """insert into rollup_month select point_id, date_trunc('month', day)::date, sum(amount_micro)::bigint,
    sum(co2e_nano_kg)::bigint, 1, 0, sum(known_ms)::bigint, sum(measured_ms)::bigint, 0
    from rollup_day group by 1, 2""",
)


async def make_year(database: Database, months: int, points: int, end_ms: int) -> Year:
    """Make so many months of so many points, up to a time [ms UTC]."""
    last = int(np.datetime64(end_ms, "ms").astype("datetime64[M]").astype(np.int64))
    rows = await database.fetch("select point_id from point order by point_id limit $1", points)
    async with database.session() as session:
        model = await load_model(session)
    maker = Maker(database, CarbonBook(model), [row["point_id"] for row in rows], end_ms)
    return await maker.make(list(range(last - months + 1, last + 1)))


@dataclass
class Traffic:
    """Sends batches at a steady rate and hears when each is committed."""

    mqtt: Mqtt
    frames: list[bytes]
    per_s: float
    handed: dict[int, float] = field(default_factory=dict)
    waits: dict[int, float] = field(default_factory=dict)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    address: Address = field(default_factory=lambda: Address(PARK, "agent"))

    async def listen(self) -> None:
        await self.mqtt.subscribe(self.address.receipt)
        async for message in self.mqtt.messages():
            receipt = decode(message.payload, Receipt)
            if receipt.refused:
                raise RuntimeError(f"refused: {receipt.refused}")
            now = time.perf_counter()
            for seq in receipt.committed:
                self.waits.setdefault(seq, now - self.handed[seq])

    async def send(self) -> int:
        """Send until told to stop, without waiting for answers; return how many batches were sent."""
        begun = time.perf_counter()
        sending: set[asyncio.Task[None]] = set()
        for at, frame in enumerate(self.frames):
            await asyncio.sleep(max(0.0, begun + at / self.per_s - time.perf_counter()))
            if self.stop.is_set():
                break
            seq = at + 1
            self.handed[seq] = time.perf_counter()
            task = asyncio.create_task(self.mqtt.publish(self.address.readings(BOOT, seq), frame))
            sending.add(task)
            task.add_done_callback(sending.discard)
        else:
            raise RuntimeError("not enough batches were made: the machine is too slow for this bench")
        await asyncio.gather(*sending)
        while len(self.waits) < len(self.handed):
            await asyncio.sleep(0.05)
        return len(self.handed)


def make_frames(count: int, points: int, begin_ms: int) -> list[bytes]:
    """Batches of one reading of each point, 15 s apart."""
    frames = []
    names = [f"m{at}/{METER}" for at in range(points)]
    load_kw = 20 + np.arange(points) / 10
    for at in range(count):
        time_ms = begin_ms + at * STEP_MS
        values = np.round(load_kw * (at * STEP_MS / 3_600_000), 2).tolist()
        rows = [Row(name, time_ms, value) for name, value in zip(names, values, strict=True)]
        frames.append(freeze(draft(rows), park=PARK, source="agent", boot=BOOT, seq=at + 1, prev="", made=time_ms))
    return frames


class Memory(threading.Thread):
    """Samples the memory of the server's and the worker's processes: private pages, and a share of shared ones."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._port = str(urlsplit(url).port)
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.5):
            total = 0
            for process in self._processes():
                with contextlib.suppress(psutil.Error):
                    total += process.memory_full_info().pss
            self.most = max(self.most, total)

    def _processes(self) -> list[psutil.Process]:
        """The postmaster that listens on our port, its children, and the worker that this process started."""
        found = [child for child in psutil.Process().children() if "ingest" in child.cmdline()]
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if self._port in words and any(word.endswith("postgres") for word in words[:1]):
                found += [process, *process.children()]
        return found

    def stop(self) -> float:
        """Return the most [MiB]."""
        self._done.set()
        self.join()
        return self.most / 2**20


@contextlib.contextmanager
def worker(url: str, broker: str, log: Path) -> Iterator[None]:
    """Run one worker until the block ends; what it says goes to a file, and its lines on months to ours."""
    environment = {**os.environ, "PARKCARBON_DATABASE_URL": url, "PARKCARBON_BROKER_URL": broker}
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "ingest", "run"], cwd=ROOT, env=environment, stderr=out)
    try:
        while "receiver.subscribed" not in log.read_text():
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(30)
        for line in log.read_text().splitlines():
            if "reprice." in line or "failed" in line:
                print(line, file=sys.stderr)


def new_factor() -> Factor:
    """A record that goes before every published one, for the years of the bench."""
    return Factor(
        factor="BENCH", purpose="grid_average", carrier="electricity", region="China/JS", gas="CO2", unit="kgCO2/kWh",
        value=0.543217, data_year=2000, publisher="bench", edition="bench", title="bench",
    )  # fmt: skip


async def price_anew(database: Database) -> tuple[float, float, float]:
    """Enter factors and wait until nothing is queued: seconds to announce, to price anew, and the new value."""
    now_year = int(np.datetime64(SystemClock().now_ms(), "ms").astype("datetime64[Y]").astype(np.int64)) + 1970
    factors = [
        Factor(**{**{name: getattr(new_factor(), name) for name in new_factor().__slots__}, "factor": f"BENCH-{year}",
                  "data_year": year})
        for year in (now_year - 2, now_year - 1, now_year)
    ]  # fmt: skip
    begun = time.perf_counter()
    async with database.transaction() as session:
        await session.fetchval("select version from config_version for update")
        before = await load_model(session)
        await sync_factors(session, factors, None)
        await announce(session, before, PARK)
    announced = time.perf_counter()
    while await database.fetchval("select count(*) from reprice"):
        await asyncio.sleep(0.1)
    return announced - begun, time.perf_counter() - begun, float(factors[0].value or 0)


async def verify(database: Database, year: Year, value: float) -> None:
    """Compare every row with numpy's result, and roll-ups with their sums."""
    types: dict[str, PgType] = {"amount": "int8", "nano": "int8"}
    rows = 0
    for month in year.months:
        columns = await database.fetch_columns(
            "select amount_micro, coalesce(co2e_nano_kg, -1) from interval_15min where start >= $1 and start < $2",
            first_day(month),
            first_day(month + 1),
            types=types,
        )
        rows += len(columns["amount"])
        if not np.array_equal(nano_kg(columns["amount"], value), columns["nano"]):
            raise RuntimeError(f"a row of {first_day(month):%Y-%m} is not what numpy gives")
    if rows < year.rows:
        raise RuntimeError(f"{year.rows - rows} rows are gone")
    sums = await database.fetch(
        "select sum(amount_micro) as a, sum(co2e_nano_kg) as c from interval_15min union all"
        " select sum(amount_micro), sum(co2e_nano_kg) from rollup_hour union all"
        " select sum(amount_micro), sum(co2e_nano_kg) from rollup_day union all"
        " select sum(amount_micro), sum(co2e_nano_kg) from rollup_month"
    )
    if len({(row["a"], row["c"]) for row in sums}) != 1:
        raise RuntimeError(f"roll-ups are not the sums of their parts: {sums}")


async def measure(server: Server, options: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Make the year, price it anew under traffic, compare."""
    url = server.clone()
    end_ms = (SystemClock().now_ms() - BACK_MS) // 900_000 * 900_000
    begun = time.perf_counter()
    async with await Database.connect(url, max_size=4) as database:
        park = decode_park(park_text(options.points, period_s=15, point=", limit_per_h: 100000"))
        await apply_park(database, park, folder, author="bench", reason="bench")
        year = await make_year(database, options.months, options.points, end_ms)
        frames = make_frames(round(options.readings_per_s / options.points * 400), options.points, end_ms)
        print(f"{year.rows:,} intervals made in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        with BrokerProcess("mosquitto", folder) as broker, worker(url, broker.url, folder / "worker.log"):
            clock = SystemClock()
            mqtt = Mqtt(Broker.from_url(broker.url), client_id="bench", clock=clock, rng=random.Random(1))
            traffic = Traffic(mqtt, frames, options.readings_per_s / options.points)
            memory = Memory(url)
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(mqtt.run()), tasks.create_task(traffic.listen())]
                await mqtt.connected()
                sending = tasks.create_task(traffic.send())
                await asyncio.sleep(10)
                quiet = len(traffic.waits)
                memory.start()
                announce_s, seconds, value = await price_anew(database)
                peak_mib = memory.stop()
                traffic.stop.set()
                sent = await sending
                for task in running:
                    task.cancel()
        stored = await database.fetchval("select count(*) from reading")
        if stored != sent * options.points:
            raise RuntimeError(f"{sent * options.points} readings sent, {stored} stored")
        await verify(database, year, value)
    server.drop(url)
    waits: Sequence[float] = [traffic.waits[seq] for seq in sorted(traffic.waits)]
    during = waits[quiet:]
    return {
        "store": options.store,
        "intervals": year.rows,
        "seconds": round(seconds, 1),
        "announce_s": round(announce_s, 2),
        "readings_per_s": options.readings_per_s,
        "readings": stored,
        "longest_wait_s": round(max(waits), 2),
        "p99_wait_s": round(float(np.quantile(during, 0.99)), 2),
        "median_wait_s": round(float(np.median(during)), 2),
        "quiet_median_wait_s": round(float(np.median(waits[:quiet])), 2),
        "memory_mib": round(peak_mib),
    }


def main() -> int:
    """Measure, print, and fail beyond the bars."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--readings-per-s", type=int, default=5000)
    parser.add_argument("--store", choices=("postgres", "timescale"), default="postgres")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    configure(level="error")
    with server_of(options.store) as server, tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(server, options, Path(folder)))
    if options.json:
        print(json.dumps(found))
    else:
        print(
            f"{found['store']}: {found['intervals']:,} intervals priced anew in {found['seconds']} s (bar {MOST_S:g})"
            f" while {found['readings_per_s']:,} readings/s came: longest wait {found['longest_wait_s']} s"
            f" (bar {MOST_WAIT_S:g}), p99 {found['p99_wait_s']} s, median {found['median_wait_s']} s"
            f" ({found['quiet_median_wait_s']} s before); memory {found['memory_mib']} MiB"
        )
    slow = float(str(found["seconds"])) > MOST_S or float(str(found["longest_wait_s"])) > MOST_WAIT_S
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
