"""Readings per second of the scan: `python tests/bench/bench_scan.py`.

Recomputing a month, the same with one anomaly a day per point, the hot path of ingest (each pool brings one or a few
readings of each of many points, states stored as bytes in between), and delta readings.
"""

import time
from collections.abc import Callable

import numpy as np

from parkcarbon.domain.delta import spread
from parkcarbon.domain.reading import DAY_MS, INTERVAL_MS
from parkcarbon.domain.readings import Readings
from parkcarbon.domain.scan import Episode, Limits, ScanState, scan

POINTS = 100
DAYS = 30
T0 = 20_000 * DAY_MS
LIMITS = Limits(INTERVAL_MS, 1000.0, 0.01, 1e6)
EPISODES = (Episode(T0 - DAY_MS, ratio=40.0),)


def month(point: int, *, glitches: int = 0) -> Readings:
    """A month of quarter-hourly registers of one point."""
    rng = np.random.default_rng(point)
    n = DAYS * 96
    times = T0 + INTERVAL_MS * np.arange(n) + int(rng.integers(0, 60_000))
    value = np.asarray(np.round(np.cumsum(rng.random(n) * 100), 2), np.float64)
    value[rng.integers(5, n - 5, glitches)] = 0.0
    return Readings.of(times, value)


def timed(work: Callable[[], int], repeat: int = 3) -> tuple[float, int]:
    """Best time of a few runs [s], and how many readings one run takes."""
    best, count = float("inf"), 0
    for _ in range(repeat):
        begin = time.perf_counter()
        count = work()
        best = min(best, time.perf_counter() - begin)
    return best, count


def whole(points: list[Readings]) -> int:
    """Scan every point from nothing."""
    return sum(len(point) for point in points if scan(point, EPISODES, (), LIMITS).state.time_ms is not None)


def pools(points: list[Readings], per_pool: int, n_pools: int = 10) -> int:
    """Scan a few readings of every point at a time, as ingest does."""
    states = [scan(point.take(slice(0, 7)), EPISODES, (), LIMITS).state.to_bytes() for point in points]
    count = 0
    for pool in range(n_pools):
        low = 7 + pool * per_pool
        for at, point in enumerate(points):
            new = point.take(slice(low, low + per_pool))
            result = scan(new, EPISODES, (), LIMITS, ScanState.from_bytes(states[at]))
            states[at] = result.state.to_bytes()
            count += len(new)
    return count


def deltas() -> int:
    """Spread a year of hours of twelve buildings."""
    rng = np.random.default_rng(0)
    times = T0 + 3_600_000 * np.arange(8760)
    for _ in range(12):
        spread(Readings.of(times, rng.random(8760) * 100), 3_600_000)
    return 12 * 8760


def main() -> None:
    """Print the table."""
    clean = [month(point) for point in range(POINTS)]
    rough = [month(point, glitches=DAYS) for point in range(POINTS)]
    rows: list[tuple[str, float, int]] = [
        ("month, 100 points x 15 min", *timed(lambda: whole(clean))),
        ("the same with a glitch a day", *timed(lambda: whole(rough))),
        ("pools of 1 reading a point", *timed(lambda: pools(clean, 1))),
        ("pools of 8 readings a point", *timed(lambda: pools(clean, 8))),
        ("deltas, 12 x 8760 h", *timed(deltas)),
    ]
    print(f"{'what':32} {'readings':>9} {'s':>8} {'readings/s':>12} {'us/reading':>11}")
    for what, seconds, count in rows:
        print(f"{what:32} {count:9,} {seconds:8.3f} {count / seconds:12,.0f} {seconds / count * 1e6:11.2f}")


if __name__ == "__main__":
    main()
