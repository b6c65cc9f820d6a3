"""Use at night: the mean power of the last finished intervals that lie in the night.

The night is the rule's hours, 22:00 to 06:00 local time where it says none; by day the rule is clear. Points are
sub-meters and gate meters; the figures `load` and `import` are the park's.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from parkcarbon.alarm.observe.figures import NAMES
from parkcarbon.alarm.observe.intervals import Grid, flow_points, load_grid, mean_before, within
from parkcarbon.alarm.observe.judge import clock_hours, counts, judge
from parkcarbon.alarm.observe.series import observations_of
from parkcarbon.alarm.rules.document import Rule
from parkcarbon.alarm.subjects import subject_name
from parkcarbon.domain.alarm.types import Observation, Said
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.domain.readings import FloatArray
from parkcarbon.kit.db import Session
from parkcarbon.live.model import HOUR_MS, ParkModel, PointInfo, interval_floor_ms

from .base import Compiled, Kind, Scene
from .threshold import POINT

NIGHT: Final = (22 * 60, 6 * 60)
EVERY_MS: Final = 60_000
_FIGURES: Final = frozenset({"load", "import"})


def fits(point: PointInfo) -> bool:
    """Meters of electricity that somebody uses power through."""
    return point.metered and point.carrier == "electricity" and point.flow in ("import", "sub_meter")


def unit_of(rule: Rule, _model: ParkModel) -> str | None:
    """Power of a point or of the park; None: a figure that is no use."""
    return "kW" if all("/" in name or name in _FIGURES for name in rule.of) else None


async def load(session: Session, model: ParkModel, rules: Sequence[Compiled], now_ms: int) -> Grid:
    """Read the intervals of the longest window."""
    longest_ms = max((rule.window_ms for rule in rules), default=HOUR_MS)
    return await load_grid(session, _points(model, rules), now_ms - longest_ms, now_ms)


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """Judge the newest finished interval, with those of the window before it."""
    grid: Grid | None = scene.read.get("night_consumption")
    end_ms = interval_floor_ms(scene.now_ms)
    if grid is None or not grid.amount.shape[1]:
        return []
    found = []
    for subject in rule.subjects:
        power = _power(rule, scene.model, subject, grid)
        if power is not None:
            values = _nightly(rule, scene.model, grid, power)
            what, value = _what(rule, scene.model, subject), float(values[-1])
            of_ms = end_ms - INTERVAL_MS
            found.append(
                judge(
                    rule, scene.model, subject, end_ms, value, what=what, of_ms=of_ms, committed_ms=scene.committed_ms
                )
            )
    return found


async def history(session: Session, model: ParkModel, rule: Compiled, begin_ms: int, end_ms: int) -> list[Observation]:
    """Every interval that ends in `[begin_ms, end_ms)` [ms UTC]."""
    grid = await load_grid(session, _points(model, [rule]), begin_ms - rule.window_ms - INTERVAL_MS, end_ms)
    found: list[Observation] = []
    for subject in rule.subjects:
        power = _power(rule, model, subject, grid)
        if power is not None:
            series = within(grid.ends_ms, _nightly(rule, model, grid, power), begin_ms, end_ms)
            found += observations_of(rule, model, subject, series, _what(rule, model, subject), span_ms=INTERVAL_MS)
    return found


def _points(model: ParkModel, rules: Sequence[Compiled]) -> list[PointInfo]:
    watched = {subject for rule in rules for subject in rule.subjects}
    points = [point for point in model.points if point.metered and POINT + point.point in watched]
    return points + (flow_points(model) if "park" in watched else [])


def _power(rule: Compiled, model: ParkModel, subject: str, grid: Grid) -> FloatArray | None:
    """Power of a subject in each interval [kW]; None: the park has no such meter."""
    if subject.startswith(POINT):
        point = next((item for item in model.points if POINT + item.point == subject), None)
        return None if point is None or point.point_id not in grid.rows else grid.per_h(point)
    return grid.flow_per_h(model, "import") if rule.rule.of == ("import",) else grid.load_kw(model)


def _nightly(rule: Compiled, model: ParkModel, grid: Grid, power: FloatArray) -> FloatArray:
    """Mean power of the window up to each interval; what lies by day does not count."""
    starts = (grid.ends_ms - INTERVAL_MS).tolist()
    night = np.array([counts(rule.hours, model, start) for start in starts], dtype=np.bool_)
    means: FloatArray = np.full(len(power), np.nan)
    count = max(1, rule.window_ms // INTERVAL_MS)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], night.astype(np.int8), [0]))))
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        part = power[first:last]
        lengths = np.minimum(np.arange(len(part)) + 1, count)
        means[first:last] = _means(part, lengths)
    return means


def _means(part: FloatArray, lengths: FloatArray) -> FloatArray:
    """Mean of the last so many values at each place; the window grows from the begin of the night."""
    longest = int(lengths.max()) if len(lengths) else 1
    found = mean_before(part, longest)
    for at in range(min(longest - 1, len(part))):
        found[at] = mean_before(part[: at + 1], at + 1)[-1]
    return found


def _what(rule: Compiled, model: ParkModel, subject: str) -> Said:
    hours = clock_hours(rule.hours or NIGHT)
    name = NAMES[rule.rule.of[0] if rule.rule.of and rule.rule.of[0] in _FIGURES else "load"]
    base = subject_name(model, subject) if subject.startswith(POINT) else name
    return Said(f"{base.zh} 夜间（{hours}）平均功率", f"{base.en}, mean power at night ({hours})")


NIGHT_CONSUMPTION: Final = Kind(
    name="night_consumption",
    watches="figure",
    unit=None,
    direction="above",
    default_on=None,
    default_off=None,
    every_ms=EVERY_MS,
    observe=observe,
    load=load,
    history=history,
    unit_of=unit_of,
    fits=fits,
    default_window_ms=HOUR_MS,
    default_hours=NIGHT,
)
