"""What inverters produced, held against the sun over the park and against one another."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from parkcarbon.alarm.observe.intervals import load_grid
from parkcarbon.domain.pv.performance import Performance, performance
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel, PointInfo

_WHOLE = 0.99  # part of an interval that must be known


@dataclass(frozen=True, slots=True)
class Plants:
    """How the inverters of a park do.

    Attributes:
        devices: ids, in the order of the rows.
        found: None where the park document does not say where the park is, or nothing is known yet.
        placed: False: the document does not say where the park is.
    """

    devices: tuple[str, ...]
    found: Performance | None
    placed: bool = True


def inverters(model: ParkModel) -> dict[str, list[PointInfo]]:
    """Counters of generation by device."""
    found: dict[str, list[PointInfo]] = {}
    for point in model.metered("electricity", "generation"):
        found.setdefault(point.point.partition("/")[0], []).append(point)
    return found


async def load_plants(session: Session, model: ParkModel, from_ms: int, to_ms: int) -> Plants:
    """Judge the finished local days of [from, to) [ms UTC]; the reckoning runs in a thread of its own."""
    plants = inverters(model)
    latitude, longitude = model.document.get("latitude"), model.document.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return Plants(tuple(plants), None, placed=False)
    first = model.local(from_ms).date() + dt.timedelta(days=1)
    days = [first + dt.timedelta(days=one) for one in range((model.local(to_ms).date() - first).days + 1)]
    if not plants or len(days) < 2:
        return Plants(tuple(plants), None)
    midnights = [model.midnight_ms(day) for day in days]
    grid = await load_grid(
        session, [point for points in plants.values() for point in points], midnights[0], midnights[-1]
    )
    rows = [[grid.rows[point.point_id] for point in points] for points in plants.values()]
    known = np.where(grid.coverage > _WHOLE, grid.amount, np.nan)
    energy = np.stack([known[each].sum(axis=0) for each in rows])
    start_ms = grid.ends_ms - INTERVAL_MS
    day = np.searchsorted(midnights, start_ms, side="right") - 1 + first.toordinal()
    found = await asyncio.to_thread(
        performance, energy, start_ms, day.astype(np.int64), latitude=float(latitude), longitude=float(longitude)
    )
    return Plants(tuple(plants), found)


def day_ends_ms(model: ParkModel, days: Sequence[int]) -> list[int]:
    """When each local day, given by its number, was over [ms UTC]."""
    return [model.midnight_ms(dt.date.fromordinal(int(day) + 1)) for day in days]
