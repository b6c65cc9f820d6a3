"""From readings committed to a message handed over, by the alerts process as it is run, on its own PostgreSQL.

```
python tests/bench/bench_alerts.py [--rules 1000] [--points 10000] [--seconds 60] [--flood 500]
```

Every second a fifth of the points has a new reading in one commit, as with a period of 5 s; ten of them pass their
limit or come back. A web hook on this machine takes the messages. Times are from before the commit until the web hook
has the message, so that they hold the commit itself.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ingest.migrate import migrate  # noqa: E402
from parkcarbon.alarm.rules.document import Alarms, Receiver, Rule  # noqa: E402
from parkcarbon.alarm.rules.store import apply_rules  # noqa: E402
from parkcarbon.catalog.terms import Name  # noqa: E402
from parkcarbon.kit.db import Database, DatabaseError, from_ms  # noqa: E402
from tests.bench.bench_api import MORE, postgres  # noqa: E402
from tests.fakes.api_park import write_park  # noqa: E402

UPDATE = """
insert into point_state (point_id, last_time, last_value, last_quality)
select t.point_id, $3, t.value, 0 from unnest($1::int[], $2::float8[]) as t (point_id, value)
on conflict (point_id) do update set last_time = excluded.last_time, last_value = excluded.last_value,
    last_quality = 0, updated_at = now()
"""
GAUGES = """
select p.point_id, p.point from point p join device d using (device_id)
where p.kind = 'gauge' and d.bus = 'bus-2' order by p.point_id
"""
BEYOND, BELOW = 120.0, 50.0


@dataclass
class Desk:
    """When each alarm came."""

    came: dict[tuple[str, str], float] = field(default_factory=dict)
    port: int = 0

    def take(self, raw: bytes) -> None:
        at = time.perf_counter()
        for alarm in msgspec.json.decode(raw)["details"]["alarms"]:
            self.came[alarm["subject"], "over" if alarm["resolved_ms"] else "on"] = at


@contextmanager
def webhook() -> Iterator[Desk]:
    """Takes messages."""
    desk = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            desk.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    desk.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield desk
    finally:
        server.shutdown()


def document(points: Sequence[str], rules: int) -> Alarms:
    """So many rules, that share the points."""
    each = len(points) // rules
    name = Name(zh="过高", en="high")
    return Alarms(
        park="demo",
        receivers=(Receiver(receiver="desk", channel="desk", language="both"),),
        rules=tuple(
            Rule(
                rule=f"r{at}",
                kind="threshold",
                name=name,
                of=tuple(points[at * each : (at + 1) * each]),
                on="100 kW",
                off="90 kW",
                receivers=("desk",),
            )
            for at in range(rules)
        ),
    )


class Meters:
    """Commits readings."""

    def __init__(self, database: Database, points: dict[str, int]) -> None:
        self._database = database
        self._points = points
        self.high: set[str] = set()

    async def commit(self, names: Sequence[str]) -> float:
        """Commit a reading of each; return the time before it [s]."""
        ids = [self._points[name] for name in names]
        values = [BEYOND if name in self.high else BELOW for name in names]
        begun = time.perf_counter()
        async with self._database.transaction() as session:
            await session.execute(UPDATE, ids, values, from_ms(time.time_ns() // 1_000_000))
            await session.execute("select pg_notify('parkcarbon_live', 'demo')")
        return begun


async def steady(meters: Meters, desk: Desk, names: Sequence[str], seconds: int, rng: random.Random) -> list[float]:
    """Readings each second; return the times of the alarms that began or ended [s]."""
    expected: dict[tuple[str, str], float] = {}
    took: list[float] = []
    for at in range(seconds):
        due = time.perf_counter() + 1
        mine = names[at % 5 :: 5]
        flipped = rng.sample(mine, 10)
        for name in flipped:
            meters.high ^= {name}
        begun = await meters.commit(mine)
        for name in flipped:
            expected[f"point:{name}", "on" if name in meters.high else "over"] = begun
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        took += collect(expected, desk)
    await asyncio.sleep(3)
    took += collect(expected, desk)
    print(f"alarms without a message: {len(expected)}")
    return took


def collect(expected: dict[tuple[str, str], float], desk: Desk) -> list[float]:
    """Take what came out of what is expected."""
    took = []
    for key in list(expected):
        came = desk.came.get(key)
        if came is not None and came >= expected[key]:
            took.append(came - expected.pop(key))
    return took


def say(name: str, times_s: Sequence[float]) -> None:
    """Print median, 99th percentile and largest."""
    ordered = sorted(times_s)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    middle = statistics.median(ordered)
    print(f"{name:<36} p50 {middle:6.3f} s   p99 {p99:6.3f} s   max {ordered[-1]:6.3f} s   n {len(ordered)}")


async def prepare(url: str) -> None:
    """Wait for the server, then write the park."""
    async with asyncio.timeout(60):
        while True:
            try:
                database = await Database.connect(url, max_size=1)
                break
            except DatabaseError:
                await asyncio.sleep(0.1)
    async with database:
        await migrate(database)
        await write_park(url, data=False)


def start(url: str, desk: Desk, log: Path) -> subprocess.Popen[bytes]:
    """Start the process."""
    env = os.environ | {
        "PARKCARBON_DATABASE_URL": url,
        "PARKCARBON_ALARM_CHANNEL_DESK": f"json://127.0.0.1:{desk.port}/",
    }
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "alerts", "run"], cwd=ROOT, env=env, stdout=out, stderr=out)


async def measure(url: str, desk: Desk, options: argparse.Namespace, log: Path) -> None:
    """Prepare, start the process, measure."""
    await prepare(url)
    rng = random.Random(7)
    async with await Database.connect(url, max_size=3) as database:
        await database.execute(MORE, options.points)
        await database.execute("delete from point_state")
        points = {row["point"]: row["point_id"] for row in await database.fetch(GAUGES)}
        names = list(points)
        async with database.transaction() as session:
            await apply_rules(session, document(names, options.rules), "bench", "bench")
        meters = Meters(database, points)
        await meters.commit(names)
        process = start(url, desk, log)
        try:
            await warm(meters, desk, names)
            watch = psutil.Process(process.pid)
            before = sum(watch.cpu_times()[:2])
            took = await steady(meters, desk, names, options.seconds, rng)
            cpu = (sum(watch.cpu_times()[:2]) - before) / (options.seconds + 3)
            say(f"{options.rules} rules x {len(names)} points", took)
            print(f"process: {100 * cpu:.0f} % of a core, {watch.memory_info().rss / 2**20:.0f} MiB")
            await flood(meters, desk, names, options.flood)
        finally:
            process.terminate()
            process.wait(30)


async def warm(meters: Meters, desk: Desk, names: Sequence[str]) -> None:
    """Until the first alarm came and the process has read everything."""
    meters.high = {names[0]}
    async with asyncio.timeout(120):
        while (f"point:{names[0]}", "on") not in desk.came:
            await meters.commit(names[:1])
            await asyncio.sleep(0.5)
    meters.high = set()
    await meters.commit(names)
    await asyncio.sleep(5)


async def flood(meters: Meters, desk: Desk, names: Sequence[str], count: int) -> None:
    """So many alarms in one commit."""
    chosen = [name for name in names if name not in meters.high][:count]
    desk.came.clear()
    meters.high |= set(chosen)
    begun = await meters.commit(chosen)
    expected = {(f"point:{name}", "on"): begun for name in chosen}
    took: list[float] = []
    async with asyncio.timeout(300):
        while expected:
            await asyncio.sleep(0.2)
            took += collect(expected, desk)
    say(f"flood: {count} alarms in one commit", took)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--flood", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as url, webhook() as desk:
        log = Path(folder) / "alerts.log"
        try:
            asyncio.run(measure(url, desk, options, log))
        except BaseException:
            print(log.read_text()[-3000:] if log.exists() else "")
            raise
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
