"""How much of a window a meter measured: the measured share of the time in which it could have.

Only finished intervals count, and those whose readings can be here by now; what was interpolated or substituted is not
measured. Before its first reading nothing is expected of a meter. Devices whose readings an import brings are left out.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from parkcarbon.alarm.observe.intervals import load_grid
from parkcarbon.alarm.observe.judge import judge
from parkcarbon.alarm.observe.operations import Measured, load_measured
from parkcarbon.domain.alarm.types import Observation, Said
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel, PointInfo, interval_floor_ms

from .base import Compiled, Kind, Scene
from .spans import DAY_MS, span

GRACE_MS: Final = 120_000
"""An interval can be judged so long after its end, or a period of its point [ms]."""
_STEP: Final = 4  # intervals between two observations of the past

Key = tuple[int, int]
"""Begin and end of a window [ms UTC]."""


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """Measured share of each point's window that ends now."""
    read: Mapping[Key, Mapping[int, Measured]] = scene.read.get("completeness", {})
    found = []
    for point in _watched(rule, scene.model):
        begin_ms, end_ms = _window(rule, point, scene.now_ms)
        measured = read.get((begin_ms, end_ms), {}).get(point.point_id)
        value, length_ms = None, end_ms - begin_ms
        if measured is not None:
            length_ms = end_ms - (begin_ms if measured.first_ms is None else max(begin_ms, measured.first_ms))
            value = min(100.0, 100 * measured.measured_ms / length_ms)
        at_ms = interval_floor_ms(scene.now_ms)
        found.append(judge(rule, scene.model, f"point:{point.point}", at_ms, value, what=_what(length_ms)))
    return found


async def load(
    session: Session, model: ParkModel, rules: Sequence[Compiled], now_ms: int
) -> dict[Key, dict[int, Measured]]:
    """Reads the measured time of every window that a rule looks at."""
    wanted: dict[Key, set[int]] = {}
    for rule in rules:
        for point in _watched(rule, model):
            wanted.setdefault(_window(rule, point, now_ms), set()).add(point.point_id)
    return {key: await load_measured(session, sorted(points), *key) for key, points in wanted.items()}


async def history(session: Session, model: ParkModel, rule: Compiled, from_ms: int, to_ms: int) -> list[Observation]:
    """The measured share at every hour of [from, to), as it is known today."""
    points = _watched(rule, model)
    if not points:
        return []
    width = max(1, rule.window_ms // INTERVAL_MS)
    grid = await load_grid(session, points, from_ms - width * INTERVAL_MS, to_ms)
    found = []
    for point in points:
        row = grid.rows[point.point_id]
        sums = np.concatenate([[0.0], np.cumsum(grid.measured_ms[row])])
        known = np.flatnonzero(grid.coverage[row] > 0)
        if known.size == 0:
            continue
        for end in range(width, sums.size, _STEP):
            begin = max(end - width, int(known[0]))
            if begin < end:
                value = min(100.0, 100 * (sums[end] - sums[begin]) / ((end - begin) * INTERVAL_MS))
                at_ms = grid.from_ms + end * INTERVAL_MS
                what = _what((end - begin) * INTERVAL_MS)
                found.append(judge(rule, model, f"point:{point.point}", at_ms, float(value), what=what))
    return sorted(found, key=lambda observation: observation.at_ms)


def _watched(rule: Compiled, model: ParkModel) -> list[PointInfo]:
    imported = {device.device_id for device in model.devices if device.from_files}
    points = {f"point:{point.point}": point for point in model.points}
    found = [points[subject] for subject in rule.subjects if subject in points]
    return [point for point in found if point.metered and point.device_id not in imported]


def _window(rule: Compiled, point: PointInfo, now_ms: int) -> Key:
    end_ms = interval_floor_ms(now_ms - max(GRACE_MS, point.period_ms))
    return end_ms - max(INTERVAL_MS, rule.window_ms), end_ms


def _what(length_ms: int) -> Said:
    window = span(length_ms)
    return Said(f"最近 {window.zh} 实测时间占比", f"measured share of the last {window.en}")


COMPLETENESS = Kind(
    name="completeness",
    watches="points",
    unit="%",
    direction="below",
    default_on=95.0,
    default_off=98.0,
    every_ms=INTERVAL_MS,
    observe=observe,
    load=load,
    history=history,
    late=False,
    fits=lambda point: point.metered,
    default_window_ms=DAY_MS,
)
