"""How long a statement of a month of 1,000 points takes to compose from a database, and how large the process gets.

python -m tests.bench.bench_statement [--points 1000] [--before 11] [--by-point] [--profile]

The months before (measured throughout, none of them closed) are those that the trend shows.

Bars: figures within 2 s, 300 MB.
"""

import argparse
import asyncio
import cProfile
import datetime as dt
import os
import pstats
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

from parkcarbon.kit.db import Database, Row, Session, from_ms
from parkcarbon.kit.pgcopy import Array, PgType
from parkcarbon.statement.compose import Order, compose
from parkcarbon.statement.lifecycle.store import QUERIES
from parkcarbon.statement.record import Record, encode
from tests.fakes.ingest_park import PARK, open_ingest
from tests.fakes.postgres import run_postgres

from .bench_balance import DAYS, START_MS, document, fill

SETTLED_S = 62.0
DAYS_OF_HOURS: LiteralString = """
insert into rollup_day (point_id, day, amount_micro, coverage, method, known_ms, measured_ms, suspect_ms)
select point_id, (start at time zone 'UTC' + interval '8 hours')::date, sum(amount_micro), 1, 0, sum(known_ms),
       sum(measured_ms), sum(suspect_ms)
from rollup_hour group by 1, 2"""


def peak_mb() -> float:
    """Largest size of this process so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def processor_s(process: int) -> float:
    """Processor time of another process so far, without those that help it [s]."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


DAYS_BEFORE: LiteralString = """
insert into rollup_day (point_id, day, amount_micro, coverage, method, known_ms, measured_ms, suspect_ms)
select p.point_id, d::date, 480000000, 1, 0, 86400000, 86400000, 0
from point p, generate_series(date '2026-10-01' - make_interval(months => $1::int), date '2026-09-30', '1 day') as d"""


class Timed(Session):
    """Adds up what each query takes, answer included."""

    def __init__(self, session: Session) -> None:
        super().__init__(None)
        self._session = session
        self.took: dict[str, list[float]] = {}

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """As the session beneath."""
        with self._watch(query):
            return await self._session.fetch(query, *args)

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """As the session beneath."""
        with self._watch(query):
            return await self._session.fetchrow(query, *args)

    async def fetchval(self, query: LiteralString, *args: object) -> Any:
        """As the session beneath."""
        with self._watch(query):
            return await self._session.fetchval(query, *args)

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        """As the session beneath."""
        with self._watch(query):
            return await self._session.fetch_columns(query, *args, types=types)

    @contextmanager
    def _watch(self, query: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.took.setdefault(query, []).append(time.perf_counter() - begun)

    def report(self) -> None:
        """Print the slowest."""
        for query, times in sorted(self.took.items(), key=lambda item: -sum(item[1]))[:10]:
            print(f"{sum(times):>8.3f} s {len(times):>4} x  {' '.join(query.split())[:110]}")


async def composed(database: Database, order: Order, *, queries: bool = False) -> tuple[Record, float]:
    """A statement and the seconds it took."""
    async with database.transaction() as session:
        await session.fetchval(QUERIES["room_for_groups"])
        timed = Timed(session)
        begun = time.perf_counter()
        backend = await session.fetchval("select pg_backend_pid()")
        used, served = time.process_time(), processor_s(backend)
        record = await compose(timed if queries else session, order)
        took_s, used_s = time.perf_counter() - begun, time.process_time() - used
        timed.report()
        served_s = processor_s(backend) - served
        print(f"{'processor time of this process, of the database':<52}{used_s:>8.3f} s{served_s:>8.3f} s")
        return record, took_s


async def main(points: int, before: int, *, by_point: bool, profile: bool) -> None:
    """Measure."""
    with run_postgres() as server:
        url = server.clone()
        ingest = await open_ingest(url)
        await ingest.apply(
            document(points).replace(
                "China/JS}", "China/JS, reporting_entity: {zh: 甲, en: A}, absent_scopes: [{scope: 1, reason: none}]}"
            )
        )
        begun = time.monotonic()
        ids = [row["point_id"] for row in await ingest.database.fetch("select point_id from point order by point")]
        await fill(ingest.database, ids, by_point=by_point)
        await ingest.database.execute(DAYS_OF_HOURS)
        await ingest.database.execute(DAYS_BEFORE, before)
        await ingest.database.execute("vacuum analyze")  # as autovacuum does while a month fills
        await ingest.database.close()
        await asyncio.sleep(max(0.0, SETTLED_S - (time.monotonic() - begun)))
        before_mb = peak_mb()
        now = max(from_ms(START_MS + (DAYS + 9) * 86_400_000), dt.datetime.now(dt.UTC))
        order = Order(park=PARK, period="2026-10", kind="statement", as_of=now - dt.timedelta(seconds=61), now=now)
        async with await Database.connect(url, max_size=1) as database:
            for _ in range(3):
                record, took_s = await composed(database, order)
                print(f"{'figures of a statement, ' + str(points) + ' points x a month':<52}{took_s:>8.3f} s")
            await composed(database, order, queries=True)
            if profile:
                watched = cProfile.Profile()
                watched.enable()
                await composed(database, order)
                watched.disable()
                pstats.Stats(watched).sort_stats("cumulative").print_stats(45)
        print(f"{'largest size: filled, composed':<52}{before_mb:>6.0f} MB{peak_mb():>6.0f} MB")
        size = len(encode(record)) / 1e6
        print(
            f"{len(record.figures)} figures, {len(record.missing)} missing, {size:.2f} MB; {record.verdict.sentence.en}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--before", type=int, default=11)
    parser.add_argument("--by-point", action="store_true", help="tables as an import of files leaves them")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    asyncio.run(main(options.points, options.before, by_point=options.by_point, profile=options.profile))
