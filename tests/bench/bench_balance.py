"""How long the balance and the sharing of a roof take for a month of 1,000 points: pure, and from a database.

python -m tests.bench.bench_balance [--points 1000] [--database]
"""

import argparse
import asyncio
import resource
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ingest.partitions import Partitions
from parkcarbon.books.amounts import parse_period
from parkcarbon.books.facts import load_current
from parkcarbon.books.quality.balance import balances
from parkcarbon.books.tenants.views import power_of
from parkcarbon.domain.balance.hourly import Balance, Band, Channel, of_channels, suspects
from parkcarbon.domain.balance.runs import Watched, find_runs
from parkcarbon.domain.readings import Int64Array
from parkcarbon.domain.tenancy.allocation import Rule
from parkcarbon.domain.tenancy.power import Behind, Plant, power_use
from parkcarbon.kit.db import Database, from_ms
from parkcarbon.kit.pgcopy import Column
from tests.fakes.ingest_park import PARK, open_ingest, utc
from tests.fakes.postgres import run_postgres

START_MS = utc("2026-09-30T16:00:00+00:00")  # October in Shanghai
DAYS = 31
HOURS, QUARTERS = DAYS * 24, DAYS * 96
TENANTS, PLANTS = 40, 10
KWH = 1_000_000


def measured(name: str, work: Callable[[], object]) -> None:
    """Print seconds of the second run and the memory of a third."""
    work()
    begun = time.perf_counter()
    work()
    took_s = time.perf_counter() - begun
    tracemalloc.start()
    work()
    peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(f"{name:<44}{took_s:>9.3f} s{peak_mb:>10.0f} MB")


def amounts(points: int, columns: int) -> Int64Array:
    """Loads, then plants, then the import that they leave."""
    rng = np.random.default_rng(5)
    loads = rng.integers(KWH, 9 * KWH, (points - PLANTS - 1, columns))
    sun = np.clip(np.sin(np.arange(columns) / columns * DAYS * 2 * np.pi), 0, None)
    plants = np.rint(sun * 8 * KWH)[None, :] * np.ones((PLANTS, 1))
    supply = loads.sum(axis=0) * 1.01
    gate = np.clip(supply - plants.sum(axis=0), 0, None)[None, :]
    found: Int64Array = np.rint(np.vstack([loads, plants, gate])).astype(np.int64)
    return found


def hourly(points: int) -> Balance:
    """A balance of so many points."""
    values = amounts(points, HOURS)
    channels = [Channel(f"load-{at}", "load", f"load-{at}", 0.02) for at in range(points - PLANTS - 1)]
    channels += [Channel(f"pv-{at}", "generation", f"pv-{at}", 0.01) for at in range(PLANTS)]
    channels.append(Channel("gate", "import", "gate", 0.005))
    start = START_MS + np.arange(HOURS, dtype=np.int64) * 3_600_000
    rows = {channel.point: values[at] for at, channel in enumerate(channels)}
    known = {channel.point: np.ones(HOURS, dtype=np.bool_) for channel in channels}
    return of_channels("grid", channels, start, rows, known, band=Band())


def roof(users: int) -> Behind:
    """A roof shared by so many users."""
    values = amounts(users + PLANTS + 1, QUARTERS)
    nothing = np.zeros(QUARTERS, dtype=np.int64)
    return Behind(
        "grid",
        tuple(f"tenant-{at}" for at in range(users)),
        values[:users],
        nothing,
        tuple(Plant(f"pv-{at}", f"tenant-{at}", "op") for at in range(PLANTS)),
        values[users:-1],
        values[-1],
        nothing,
        nothing,
        nothing,
        np.ones(QUARTERS, dtype=np.bool_),
    )


def pure(points: int) -> None:
    """Without a database."""
    measured(f"hourly balance, {points} points x {HOURS} h", lambda: hourly(points).states())
    turned = hourly(points)
    turned.amount_micro[0] *= points  # far beyond the error of all of them
    measured("suspects among as many devices", lambda: suspects(turned))
    many, few = roof(points - PLANTS - 1), roof(TENANTS)
    measured(f"shared PV, {points - PLANTS - 1} users x {QUARTERS} intervals", lambda: power_use(many))
    measured(f"shared PV, {TENANTS} tenants x {QUARTERS} intervals", lambda: power_use(few))
    values = amounts(points, HOURS)
    watched = [Watched(f"p{at}", "electricity", "sub_meter") for at in range(points)]
    start, whole = turned.start_ms, np.ones(values.shape, dtype=np.bool_)
    measured(f"runs, {points} points x {HOURS} h", lambda: find_runs(watched, start, values, whole))


def document(points: int) -> str:
    """A park with a gate, a roof and sub-meters of some tenants."""
    tenants = "".join(f"\n  - {{tenant: t{at}, name: {{zh: 户, en: T}}}}" for at in range(TENANTS))
    meters = "".join(
        f"\n  - {{device: m{at}, name: {{zh: 表, en: M}}, profile: interval-file, tenant: t{at % TENANTS},"
        " points: [{quantity: active_energy_import, kind: counter, flow: sub_meter}]}"
        for at in range(points - 2)
    )
    return f"""
park: {PARK}
name: {{zh: 大园区, en: Large park}}
timezone: Asia/Shanghai
method: {{electricity_region: China/JS}}
tenants:{tenants}
devices:
  - {{device: gate, name: {{zh: 表, en: G}}, profile: interval-file,
     points: [{{quantity: active_energy_import, kind: counter, flow: import}}]}}
  - {{device: roof, name: {{zh: 表, en: R}}, profile: interval-file,
     points: [{{quantity: active_energy_yield, kind: counter, flow: generation}}]}}{meters}
"""


async def stored(points: int) -> None:
    """From intervals and hours of a database."""
    with run_postgres() as server:
        url = server.clone()
        ingest = await open_ingest(url)
        await ingest.apply(document(points))
        database = ingest.database
        ids = [row["point_id"] for row in await database.fetch("select point_id from point order by point")]
        await fill(database, ids)
        await database.execute("analyze")
        now = from_ms(START_MS + DAYS * 86_400_000)
        async with database.transaction() as session:
            facts = await load_current(session, PARK, now)
            period = parse_period("2026-10", facts.zone)
            begun = time.perf_counter()
            (found,) = await balances(session, facts, period.from_ms, period.to_ms)
            states = found.states()
            took_s = time.perf_counter() - begun
            print(f"{'hourly balance from the database':<44}{took_s:>9.3f} s  {states['unknown']} unknown")
            begun = time.perf_counter()
            (part,) = await power_of(session, facts, period, Rule())
            print(f"{'shared PV of it, at 15 min':<44}{time.perf_counter() - begun:>9.3f} s  {part.use.known} known")
        await database.close()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'largest size of this process':<44}{peak_mb:>21.0f} MB")


async def fill(database: Database, ids: list[int], *, by_point: bool = False) -> None:
    """Write a month of intervals and hours for every point.

    Args:
        database: pool.
        ids: points.
        by_point: each point's whole month behind the other's, as files of meters are imported; else quarter by
            quarter, as a park that runs fills its tables.
    """
    months = {(table, month) for table in ("interval_15min", "rollup_hour") for month in range(680, 684)}
    await Partitions(database).ensure(months)
    print(f"writing a month of {len(ids)} points")
    points = np.array(ids, dtype=np.int32)
    for table, span_ms, count in (("interval_15min", 900_000, QUARTERS), ("rollup_hour", 3_600_000, HOURS)):
        start = START_MS + np.arange(count, dtype=np.int64) * span_ms
        if by_point:
            for at in range(0, len(points), 50):
                some = points[at : at + 50]
                await _copy(database, table, np.repeat(some, count), np.tile(start, len(some)), span_ms)
            continue
        for day in np.array_split(start, DAYS):
            await _copy(database, table, np.tile(points, len(day)), np.repeat(day, len(points)), span_ms)


async def _copy(database: Database, table: str, ids: NDArray[np.int32], start: Int64Array, span_ms: int) -> None:
    size = len(start)
    columns = [
        Column("point_id", "int4", ids),
        Column("start", "timestamptz", start),
        Column("amount_micro", "int8", np.full(size, 5 * KWH * (span_ms // 900_000), dtype=np.int64)),
        Column("coverage", "float4", np.ones(size, dtype=np.float32)),
        Column("method", "int2", np.zeros(size, dtype=np.int16)),
    ]
    if table == "rollup_hour":
        columns += [
            Column("known_ms", "int8", np.full(size, span_ms, dtype=np.int64)),
            Column("measured_ms", "int8", np.full(size, span_ms, dtype=np.int64)),
            Column("suspect_ms", "int8", np.zeros(size, dtype=np.int64)),
        ]
    else:
        columns.append(Column("measured_ms", "int4", np.full(size, span_ms, dtype=np.int32)))
    await database.copy(table, columns)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--database", action="store_true")
    options = parser.parse_args()
    pure(options.points)
    if options.database:
        asyncio.run(stored(options.points))


if __name__ == "__main__":
    main()
