"""Sealing: leaves a second of a backlog, and milliseconds of a run that finds nothing, by the number of parks.

```
python tests/bench/bench_log.py [--batches 200000] [--parks 500] [--json]
```
"""

import argparse
import asyncio
import datetime as dt
import json
import resource
import sys
import time

from parkcarbon.kit.db import Database
from parkcarbon.kit.log import configure
from parkcarbon.statement.log.roots import root_at
from parkcarbon.statement.log.seal import seal
from tests.bench.bench_ingest import server_of


async def measure(url: str, batches: int, parks: int) -> dict[str, float]:
    """Fill the custody table with batches of two days, and seal them."""
    async with await Database.connect(url, max_size=2) as database:
        await database.execute(
            "insert into park (park_id, name_zh, name_en, timezone, document, revision)"
            " select 'p' || n, 'p', 'p', 'UTC', '{}', 1 from generate_series(1, $1::int) n",
            parks,
        )
        await database.execute("insert into source (park_id, source, kind) select park_id, 'a', 'edge' from park")
        begin = dt.datetime.now(dt.UTC) - dt.timedelta(days=3)
        await database.execute(
            "insert into batch (source_id, boot, seq, state, digest, header, made, n, t_min, t_max, recorded_at)"
            " select s.source_id, 'b', n, 'committed', sha256(n::text::bytea), 'h', $2::timestamptz, 1,"
            " $2::timestamptz, $2::timestamptz,"
            " $2::timestamptz + n * interval '2 days' / $1::int"
            " from generate_series(1, $1::int) n join (select source_id, row_number() over () as at from source) s"
            " on s.at = n % $3::int + 1",
            batches,
            begin,
            parks,
        )
        await database.execute("analyze batch")
        begun = time.perf_counter()
        sealed = await seal(database)
        seconds = time.perf_counter() - begun
        begun = time.perf_counter()
        for _ in range(20):
            await seal(database)
        idle_ms = (time.perf_counter() - begun) * 50
        async with database.session() as session:
            size = await database.fetchval("select max(size) from log_head")
            park = await database.fetchval("select park_id from log_head order by size desc limit 1")
            begun = time.perf_counter()
            await root_at(session, park, size)
            root_ms = (time.perf_counter() - begun) * 1000
    return {
        "leaves": sealed.leaves,
        "roots": sealed.roots,
        "seconds": seconds,
        "per_s": sealed.leaves / seconds,
        "idle_ms": idle_ms,
        "root_ms": root_ms,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=200_000)
    parser.add_argument("--parks", type=int, default=500)
    parser.add_argument("--store", choices=("postgres", "timescale"), default="postgres")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    configure(level="error")
    with server_of(options.store) as server:
        url = server.clone()
        found = asyncio.run(measure(url, options.batches, options.parks))
        server.drop(url)
    told = {"store": options.store, "parks": options.parks} | {name: round(one, 1) for name, one in found.items()}
    print(json.dumps(told) if options.json else ", ".join(f"{name} {value}" for name, value in told.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
