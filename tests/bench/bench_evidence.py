"""An evidence pack of a month of 1,000 points: seconds to seal, compose, export and check it, and peak memory.

Commits 15-minute registers of every point through ingest, seals them, composes the statement of the month and exports
its pack; then a process of its own checks the pack: hashes, log, batches, readings, registers to every figure.

```
python tests/bench/bench_evidence.py [--points 1000] [--days 31] [--json] [--keep FILE.zip]
python tests/bench/bench_evidence.py --check FILE.zip
```
"""

import argparse
import asyncio
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from parkcarbon.books import inventory
from parkcarbon.kit.log import configure
from parkcarbon.statement.compose import Order, compose
from parkcarbon.statement.evidence.check import check_pack
from parkcarbon.statement.evidence.export import export_pack
from parkcarbon.statement.evidence.pack import open_pack
from parkcarbon.statement.log.seal import seal
from tests.bench.bench_as_of import Month
from tests.bench.bench_ingest import server_of
from tests.fakes.ingest_park import PARK, open_ingest, park_text
from tests.integration.test_derive_reprice import settle


def peak_mib() -> int:
    """Most memory of this process so far [MiB]."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


async def make(url: str, points: int, days: int, target: Path) -> dict[str, float]:
    """Fill the month, compose and export."""
    inventory.SETTLED_AFTER = dt.timedelta(0)  # type: ignore[misc]  # a bench does not wait for a minute
    ingest = await open_ingest(url)
    await ingest.apply(park_text(points, point=", limit_per_h: 100000"))
    month = Month(ingest, points, days)
    await month.fill()
    await settle(ingest)
    found: dict[str, float] = {"filled_mib": peak_mib()}
    async with ingest.database as database:
        begun = time.perf_counter()
        sealed = await seal(database)
        found |= {"leaves": sealed.leaves, "seal_s": time.perf_counter() - begun}
        as_of = await database.fetchval("select clock_timestamp()")
        async with database.transaction() as session:
            await session.execute("set transaction isolation level repeatable read")
            begun = time.perf_counter()
            record = await compose(
                session, Order(park=PARK, period="2026-10", kind="statement", as_of=as_of, now=as_of)
            )
            found["compose_s"] = time.perf_counter() - begun
            begun = time.perf_counter()
            done = await export_pack(session, record, target)
            found |= {"export_s": time.perf_counter() - begun, "readings": done.manifest.readings}
    if done.differences:
        raise RuntimeError(f"does not come out: {done.differences[0]}")
    return found | {"pack_mib": target.stat().st_size / 2**20, "make_peak_mib": peak_mib()}


def check(path: Path) -> dict[str, float]:
    """Check a pack in this process."""
    begun = time.perf_counter()
    with open_pack(path) as pack:
        found = asyncio.run(check_pack(pack))
    if found.differences:
        raise RuntimeError(f"{len(found.differences)} differences: {found.differences[0]}")
    seconds = time.perf_counter() - begun
    return {"check_s": seconds, "checked_readings": found.readings, "figures": found.figures, "check_mib": peak_mib()}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--store", choices=("postgres", "timescale"), default="postgres")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", type=Path, help="leave the pack here")
    parser.add_argument("--check", type=Path, help="only check this pack")
    options = parser.parse_args()
    configure(level="error")
    if options.check is not None:
        print(json.dumps(check(options.check)))
        return 0
    with tempfile.TemporaryDirectory() as folder, server_of(options.store) as server:
        target = options.keep or Path(folder) / "pack.zip"
        url = server.clone()
        found = asyncio.run(make(url, options.points, options.days, target))
        server.drop(url)
        command = [sys.executable, __file__, "--check", str(target)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        found |= json.loads(answer.stdout.splitlines()[-1])
    told = {"store": options.store, "points": options.points} | {name: round(one, 2) for name, one in found.items()}
    print(json.dumps(told) if options.json else ", ".join(f"{name} {value}" for name, value in told.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
