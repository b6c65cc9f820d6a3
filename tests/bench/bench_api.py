"""The API on a park of many points: start-up, memory, answers, and the way from a commit to the page's event.

```
python tests/bench/bench_api.py [--points 150] [--days 35] [--streams 50]
```

A commit raises its notification at most every 1.2 s here, so no event waits for the end of a second.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from deploy.local.stack import free_port  # noqa: E402
from ingest.migrate import migrate  # noqa: E402
from parkcarbon.kit.db import Database, DatabaseError  # noqa: E402
from tests.fakes.api_park import PARK, ROLLUPS, write_park  # noqa: E402

BASE = f"/api/v1/parks/{PARK}"
HEADERS = {"Authorization": "Bearer viewer-token-01"}
MORE = """
with made as (
    insert into device (park_id, device, profile, tenant, source, name_zh, name_en, bus, position)
    select 'demo', 'x' || n, 'bench', 'cold', 'edge-1', 'x' || n, 'x' || n, 'bus-2', 100 + n
    from generate_series(1, $1::int) n returning device_id, device
), counters as (
    insert into point (park_id, device_id, point, quantity, kind, unit, carrier, flow, tenant, period_ms)
    select 'demo', device_id, device || '/active_energy_import', 'active_energy_import', 'counter', 'kWh',
           'electricity', 'sub_meter', 'cold', 5000 from made
)
insert into point (park_id, device_id, point, quantity, kind, unit, carrier, tenant, period_ms)
select 'demo', device_id, device || '/active_power', 'active_power', 'gauge', 'kW', 'electricity', 'cold', 5000
from made
"""
PARTITIONS = """
select ensure_partition(t, t || to_char(m, '_YYYY_MM'), m, m + interval '1 month')
from unnest(array['interval_15min', 'reading', 'rollup_hour']) t,
     generate_series(date_trunc('month', now() - make_interval(days => $1::int)), now(), '1 month') m
"""
INTERVALS = """
insert into interval_15min (point_id, start, amount_micro, coverage, method, measured_ms, co2e_nano_kg)
select point_id, s, 1000000 + point_id, 1, 0, 900000, 582700000
from point, generate_series(date_bin('15 min', now(), 'epoch') - make_interval(days => $1::int),
                            date_bin('15 min', now(), 'epoch') - interval '15 min', '15 min') s
where kind <> 'gauge'
"""
STATES = """
insert into point_state (point_id, last_time, last_value, last_quality)
select point_id, now(), 10, 0 from point
on conflict (point_id) do update set last_time = now(), last_value = point_state.last_value + 0.25
"""


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """An embedded server of its own."""
    port = free_port()
    command = [sys.executable, "-m", "deploy.local.postgres", "--data", str(folder / "pg"), "--port", str(port)]
    with (folder / "pg.log").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(30)


async def prepare(url: str, points: int, days: int) -> None:
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
        await database.execute(MORE, max(0, (points - 17) // 2))
        await database.fetch(PARTITIONS, days)
        await database.execute(INTERVALS, days)
        await database.execute(STATES)
        await database.execute(ROLLUPS)
        await database.execute("analyze")


def start_api(url: str, folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the API as a process."""
    env = os.environ | {
        "PARKCARBON_DATABASE_URL": url,
        "PARKCARBON_API_PORT": str(port),
        "PARKCARBON_WEB_DIST": str(folder),
    }
    with (folder / "api.log").open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "api", "run"], stdout=out, stderr=out, cwd=ROOT, env=env)


@asynccontextmanager
async def api(url: str, folder: Path) -> AsyncIterator[tuple[str, psutil.Process, float]]:
    """The API as a process: address, process, seconds until it was ready."""
    port = free_port()
    started_s = time.perf_counter()
    process = start_api(url, folder, port)
    base = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{base}/readyz")).status_code == 200:
                        break
                await asyncio.sleep(0.005)
        yield base, psutil.Process(process.pid), time.perf_counter() - started_s
    finally:
        process.terminate()
        process.wait(10)


def summary(name: str, times_s: list[float]) -> None:
    """Print median, 99th percentile and largest."""
    ordered = sorted(times_s)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(
        f"{name:<44} p50 {statistics.median(ordered) * 1e3:7.1f} ms   p99 {p99 * 1e3:7.1f} ms"
        f"   max {ordered[-1] * 1e3:7.1f} ms   n {len(ordered)}"
    )


async def answers(client: httpx.AsyncClient) -> None:
    """Time each kind of answer."""
    now_s = time.time()

    def iso(days_ago: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s - days_ago * 86_400))

    month = time.strftime("%Y-%m", time.gmtime(now_s))
    asked = {
        "/now (kept for a second)": ("/now", {}, 50),
        "/series load_kw 24 h, 15m": ("/series", {"metric": "load_kw", "from": iso(1), "to": iso(0)}, 20),
        "/series energy_kwh 31 d, 1d, by tenant": (
            "/series",
            {"metric": "energy_kwh", "from": iso(31), "to": iso(0), "step": "1d", "group_by": "tenant"},
            20,
        ),
        "/series load_kw 31 d, 15m": ("/series", {"metric": "load_kw", "from": iso(31), "to": iso(0)}, 10),
        "/inventory of a month": ("/inventory", {"month": month}, 5),
        "/devices": ("/devices", {}, 20),
        "/working emissions_today": ("/working", {"figure": "emissions_today"}, 20),
    }
    for name, (path, params, repeat) in asked.items():
        times = []
        for _ in range(repeat):
            started_s = time.perf_counter()
            response = await client.get(BASE + path, params=params)
            times.append(time.perf_counter() - started_s)
            assert response.status_code == 200, response.text
        summary(name, times)


async def watch(base: str, arrivals: asyncio.Queue[tuple[float, float]]) -> None:
    """Note when each event arrives and the power it tells."""
    async with (
        httpx.AsyncClient(base_url=base, headers=HEADERS, timeout=60, trust_env=False) as client,
        client.stream("GET", f"{BASE}/live") as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith('data: {"park"'):
                arrived_s = time.perf_counter()
                arrivals.put_nowait((arrived_s, json.loads(line[6:])["figures"]["pv"]["generation_kw"]))


async def events(base: str, url: str, streams: int, commits: int) -> None:
    """Time from just before a commit to its event at every client."""
    arrivals: asyncio.Queue[tuple[float, float]] = asyncio.Queue()
    tasks = [asyncio.create_task(watch(base, arrivals)) for _ in range(streams)]
    for _ in range(streams):
        await arrivals.get()
    times = []
    async with await Database.connect(url, max_size=1) as database:
        for _ in range(commits):
            await asyncio.sleep(1.2)
            while not arrivals.empty():
                arrivals.get_nowait()
            started_s = time.perf_counter()
            async with database.transaction() as session:
                await session.execute(STATES)
                await session.execute("select pg_notify('parkcarbon_live', 'demo')")
            times += [(await arrivals.get())[0] - started_s for _ in range(streams)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    summary(f"commit begun to event, {streams} streams", times)


async def bench(points: int, days: int, streams: int) -> None:
    """Run everything and print the table."""
    with tempfile.TemporaryDirectory() as name, postgres(Path(name)) as url:
        await prepare(url, points, days)
        async with api(url, Path(name)) as (base, process, seconds):
            print(f"{points} points, {days} days of intervals; ready in {seconds:.2f} s")
            async with httpx.AsyncClient(base_url=base, headers=HEADERS, timeout=60, trust_env=False) as client:
                await answers(client)
                await events(base, url, 1, 12)
                await events(base, url, streams, 6)
                text = (await client.get("/metrics")).text
            sums = {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if not line.startswith("#")}
            for name_ in ("now", "notify_to_event"):
                stem = f"parkcarbon_api_{name_}_seconds"
                print(f"mean of {stem}: {sums[stem + '_sum'] / sums[stem + '_count'] * 1e3:.1f} ms")
            print(f"memory {process.memory_info().rss / 1e6:.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=150)
    parser.add_argument("--days", type=int, default=35)
    parser.add_argument("--streams", type=int, default=50)
    given = parser.parse_args()
    asyncio.run(bench(given.points, given.days, given.streams))
