"""What the data loggers kept before the park went live: every register at every quarter of an hour."""

from pathlib import Path

import numpy as np

from .faults import answers
from .localtime import DAY_MS
from .meters import Meter
from .noise import Floats, Ints
from .park import SimulatedPark

Columns = tuple[Ints, Ints, Floats, Ints]
"""Index of the point, time [ms UTC], decoded value, quality code."""


def write_histories(park: SimulatedPark, until_ms: int, paths: dict[str, Path]) -> dict[str, int]:
    """Write the readings of each source's devices from the start of the history to `until_ms` [ms UTC].

    A file holds `points` (names), and `p` (index into them), `t` [ms UTC], `x` (decoded value), `q` (quality code),
    sorted by time. The values are what a reader would have decoded from the registers at those times.

    Args:
        park: the park.
        until_ms: last moment [ms UTC].
        paths: where the readings of each source go.

    Returns:
        The number of readings of each source.
    """
    meters = {spec.source: [m for m in park.meters if m.plan.bus in spec.buses] for spec in park.scenario.sources}
    columns: dict[str, list[Columns]] = {source: [] for source in paths}
    for times in _days(park, until_ms):  # the ledger keeps few days: all devices of a day together
        for source in paths:
            first = 0
            for meter in meters[source]:
                columns[source] += _readings(meter, times, first)
                first += len(meter.plan.quantities)
    return {source: _write(path, _names(meters[source]), columns[source]) for source, path in paths.items()}


def _names(meters: list[Meter]) -> list[str]:
    return [f"{meter.plan.device}/{quantity}" for meter in meters for quantity in meter.plan.quantities]


def _readings(meter: Meter, times: Ints, first: int) -> list[Columns]:
    kept = times[answers(meter.faults, times)]
    if not len(kept):
        return []
    found = []
    for index, quantity in enumerate(meter.plan.quantities, first):
        value, quality = meter.decoded(quantity, kept)
        found.append((np.full(len(kept), index, dtype=np.int64), kept, value, quality.astype(np.int64)))
    return found


def _write(path: Path, names: list[str], columns: list[Columns]) -> int:
    p, t, x, q = (np.concatenate([column[k] for column in columns]) if columns else np.empty(0) for k in range(4))
    order = np.lexsort((p, t))
    temporary = path.with_name(f".{path.name}")
    np.savez(
        temporary,
        points=np.array(names, dtype=np.str_),
        p=p[order].astype(np.int32),
        t=t[order].astype(np.int64),
        x=x[order].astype(np.float64),
        q=q[order].astype(np.int8),
    )
    temporary.replace(path)
    return len(order)


def _days(park: SimulatedPark, until_ms: int) -> list[Ints]:
    """The times of the history by UTC day."""
    period = park.scenario.history_period_s * 1000
    first = -(-park.state.history_start_ms // period) * period
    times = np.arange(first, until_ms + 1, period, dtype=np.int64)
    return [part for part in np.split(times, np.flatnonzero(np.diff(times // DAY_MS)) + 1) if len(part)]
