"""Statements of many parks in one run: prepared, approved by two persons, signed, drawn in every format, archived.

Each park has 20 points with a month of 15-minute intervals. Two workers, one a processor, take the tasks as the
statements process does.

python -m tests.bench.bench_statement_many [--parks 500] [--points 20] [--workers 2]

Bar: 500 parks within 10 minutes.
"""

import argparse
import asyncio
import datetime as dt
import resource
import sys
import tempfile
import time
from pathlib import Path

from parkcarbon.kit.db import Database, from_ms
from parkcarbon.kit.log import configure
from parkcarbon.statement.lifecycle import store, tasks
from parkcarbon.statement.lifecycle.acts import act
from parkcarbon.statement.lifecycle.due import Due
from parkcarbon.statement.lifecycle.signer import KeySigner
from parkcarbon.statement.sign.keys import load_key, make_key, write_key
from tests.fakes.ingest_park import PARK, open_ingest
from tests.fakes.postgres import run_postgres

from .bench_balance import DAYS, START_MS, document, fill
from .bench_statement import DAYS_OF_HOURS, SETTLED_S

PERIOD = "2026-10"
NOW = from_ms(START_MS + (DAYS + 14) * 86_400_000)


def now() -> dt.datetime:
    """In the middle of the month after, or now where that is later."""
    return max(NOW, dt.datetime.now(dt.UTC))


async def work(url: str, key: Path) -> None:
    """Take tasks until none is left."""
    async with await Database.connect(url, max_size=4) as database:
        tools = tasks.Tools(database, KeySigner(load_key(key)), now)
        while (done := await tasks.take_one(database, tools)) is not None:
            if " failed: " in done:
                raise SystemExit(done)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


async def run_workers(url: str, key: Path, workers: int) -> tuple[float, int]:
    """Seconds until every task is done, and the largest worker [MB]."""
    command = [sys.executable, "-m", "tests.bench.bench_statement_many", "--work", url, "--key", str(key)]
    begun = time.perf_counter()
    processes = [await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE) for _ in range(workers)]
    told = [(await process.communicate())[0] for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit("a worker failed")
    return time.perf_counter() - begun, max(int(text.split()[-1]) for text in told)


async def make(url: str, parks: int, points: int) -> list[str]:
    """Enter the parks and a month of each."""
    ingest = await open_ingest(url)
    names = [f"{PARK}-{at:03d}" for at in range(parks)]
    for name in names:
        await ingest.apply(document(points).replace(f"park: {PARK}", f"park: {name}"))
    ids = [row["point_id"] for row in await ingest.database.fetch("select point_id from point order by point_id")]
    await fill(ingest.database, ids)
    await ingest.database.execute(DAYS_OF_HOURS)
    await ingest.database.execute("analyze")
    await ingest.database.close()
    return names


async def enter(database: Database, names: list[str], action: str, keys: list[str]) -> None:
    """Make a task for each park."""
    async with database.transaction() as session:
        for name, key in zip(names, keys, strict=True):
            await tasks.enter(session, name, [Due(action, PERIOD, now().date(), key)], now=now())  # type: ignore[arg-type]


async def approve(database: Database, names: list[str]) -> list[str]:
    """Two persons answer for each statement; return their ids."""
    ids = []
    async with database.transaction() as session:
        for name in names:
            [found] = await store.listed(session, name, period=PERIOD, kind="statement")
            for verb, person in (("review", "carbon accountant"), ("approve", "managing director")):
                found = await act(session, found, verb, person=person)  # type: ignore[arg-type]
            ids.append(str(found.statement_id))
    return ids


async def main(parks: int, points: int, workers: int) -> None:
    """Measure."""
    with run_postgres() as server, tempfile.TemporaryDirectory() as folder:
        key = write_key(make_key("Bench Park Ltd", now=dt.datetime.now(dt.UTC)), Path(folder) / "key")
        url = server.clone()
        begun = time.monotonic()
        names = await make(url, parks, points)
        print(f"{parks} parks x {points} points made in {time.monotonic() - begun:.0f} s")
        await asyncio.sleep(SETTLED_S)
        async with await Database.connect(url, max_size=1) as database:
            await enter(database, names, "prepare", [""] * parks)
            prepared_s, prepare_mb = await run_workers(url, key, workers)
            ids = await approve(database, names)
            await enter(database, names, "issue", ids)
            issued_s, issue_mb = await run_workers(url, key, workers)
            files = await database.fetchval("select count(*) from statement_file")
            size_mb = await database.fetchval("select sum(octet_length(body)) from statement_file") / 1e6
        each_s = (prepared_s + issued_s) / parks * workers
        print(f"{parks} statements in {prepared_s + issued_s:.1f} s (bar 600), {each_s:.2f} s of a processor each")
        print(f"figures {prepared_s:.1f} s, signed and drawn {issued_s:.1f} s; {files} files, {size_mb:.0f} MB")
        print(f"largest worker {max(prepare_mb, issue_mb)} MB")


if __name__ == "__main__":
    configure(level="warning")
    parser = argparse.ArgumentParser()
    parser.add_argument("--parks", type=int, default=500)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--key", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        asyncio.run(work(options.work, options.key))
    else:
        asyncio.run(main(options.parks, options.points, options.workers))
