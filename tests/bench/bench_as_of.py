"""A month of 1,000 points as known on a past date: seconds, by how much has been learned since.

Commits a month of 15-minute registers of every point, notes the date, and asks for the month's amounts as known then:
with nothing learned since, after late readings of a tenth of the points, after a new factor, and after a new limit of
every point, which makes all of them run over their readings again. Each answer is compared with the amounts of then.

```
python tests/bench/bench_as_of.py [--points 1000] [--days 31] [--json]
```
"""

import argparse
import asyncio
import datetime as dt
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable

import numpy as np

from parkcarbon.books.amounts import point_amounts
from parkcarbon.books.derive.as_of import point_amounts_as_of
from parkcarbon.books.facts import load_facts
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.kit.db import from_ms
from parkcarbon.kit.log import configure
from parkcarbon.wire.body import Row
from tests.bench.bench_ingest import server_of
from tests.fakes.ingest_park import METER, PARK, QUARTER_MS, Ingest, Sender, open_ingest, park_text, utc
from tests.integration.test_derive_reprice import factor, learn, settle

FROM = utc("2026-09-30T16:00:00+00:00")
START = FROM - 86_400_000
STEPS = 20


class Month:
    """A park whose points have a month of registers, with the two days around it."""

    def __init__(self, ingest: Ingest, points: int, days: int) -> None:
        self.ingest = ingest
        self.points = points
        self.steps = (days + 2) * 96
        self.to_ms = FROM + days * 86_400_000
        self.sender = Sender()
        self.late: list[Row] = []

    async def fill(self) -> None:
        """Commit everything but some readings of a tenth of the points."""
        names = [f"m{at}/{METER}" for at in range(self.points)]
        load = 5 + np.arange(self.points) / 100
        for first in range(0, self.steps, STEPS):
            batches = []
            for at in range(first, min(first + STEPS, self.steps)):
                time_ms, values = START + at * QUARTER_MS, np.round(load * at, 2).tolist()
                rows = [Row(name, time_ms, value) for name, value in zip(names, values, strict=True)]
                if 1000 <= at < 1010:
                    self.late += rows[::10]
                    rows = [row for number, row in enumerate(rows) if number % 10]
                batches.append(self.sender.batch(rows))
            await self.ingest.commit(*batches)

    async def then(self, at: dt.datetime) -> tuple[float, list[PointAmount]]:
        """Seconds to compute the month as known at a moment, and its amounts."""
        async with self.ingest.database.transaction() as session:
            facts = await load_facts(session, PARK, at)
            begun = time.perf_counter()
            found = await point_amounts_as_of(session, facts, FROM, self.to_ms)
            return time.perf_counter() - begun, found

    async def stored(self, at: dt.datetime) -> tuple[float, list[PointAmount]]:
        """Seconds to read the stored month, and its amounts."""
        async with self.ingest.database.transaction() as session:
            facts = await load_facts(session, PARK, at)
            begun = time.perf_counter()
            found = await point_amounts(session, facts, FROM, self.to_ms)
            return time.perf_counter() - begun, found


async def measure(url: str, points: int, days: int) -> dict[str, float]:
    """Tell the story and ask at each step."""
    ingest = await open_ingest(url)
    text = park_text(points, point=", limit_per_h: 100000")
    await ingest.apply(text)
    month = Month(ingest, points, days)
    await month.fill()
    await settle(ingest)
    at = await ingest.database.fetchval("select clock_timestamp()")
    stored_s, wanted = await month.stored(at)
    found = {"stored_s": stored_s}

    async def bring_late() -> None:
        for first in range(0, len(month.late), 1000):
            await ingest.commit(month.sender.batch(month.late[first : first + 1000]))

    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "nothing_since": lambda: asyncio.sleep(0),
        "late_readings_of_a_tenth": bring_late,
        "new_factor": lambda: learn(ingest, factor("of-2026", 0.61)),
        "new_limit_of_all": lambda: ingest.apply(text.replace("100000", "90000")),
    }
    for name, step in steps.items():
        await step()
        await settle(ingest)
        seconds, amounts = await month.then(at)
        if amounts != wanted:
            raise RuntimeError(f"{name}: not what was known then")
        found[f"{name}_s"] = seconds
    await ingest.database.close()
    return {name: round(seconds, 2) for name, seconds in found.items()}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--store", choices=("postgres", "timescale"), default="postgres")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    configure(level="error")
    with server_of(options.store) as server:
        url = server.clone()
        found = asyncio.run(measure(url, options.points, options.days))
        server.drop(url)
    found["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    if options.json:
        print(json.dumps({"store": options.store, "points": options.points, "days": options.days, **found}))
    else:
        month = f"{from_ms(FROM):%Y-%m-%d} + {options.days} days of {options.points:,} points"
        print(f"{options.store}: {month}: " + ", ".join(f"{name} {value}" for name, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
