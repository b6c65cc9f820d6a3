"""Power factor of a device, its size without sign.

    λ = P / √(P² + Q²)

From the energies of the window (an hour where the rule says none) where a device counts active and reactive energy, as
it is settled: both directions of reactive energy add up. Else from its gauge of the power factor, else from its gauges
of active and reactive power. Where next to nothing is used a power factor says nothing, and none is taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from parkcarbon.alarm.observe.intervals import Grid, load_grid, mean_before, within
from parkcarbon.alarm.observe.judge import judge
from parkcarbon.alarm.observe.points import gauge_value, load_gauges, read_gauge, stale_ms, unknown_at_ms
from parkcarbon.alarm.observe.series import observations_of, with_silences
from parkcarbon.domain.alarm.types import Observation, Said
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.domain.readings import FloatArray, Int64Array
from parkcarbon.kit.db import Session
from parkcarbon.live.model import HOUR_MS, ParkModel, PointInfo, interval_floor_ms
from parkcarbon.live.power import Newest

from .base import Compiled, Kind, Scene

EVERY_MS: Final = 5_000
LEAST_KW: Final = 1.0
"""Below this power a power factor says nothing [kW]."""
_GAUGES: Final = ("power_factor", "active_power", "reactive_power")
_COUNTERS: Final = ("active_energy_import", "reactive_energy_import", "reactive_energy_export")
_WHAT: Final = Said("功率因数", "power factor")


@dataclass(frozen=True)
class Read:
    """What power factors need.

    Attributes:
        grid: intervals of the energies.
        gauges: newest readings, by point_id.
    """

    grid: Grid | None = None
    gauges: Mapping[int, Newest] = field(default_factory=dict)


@dataclass(frozen=True)
class Meter:
    """The points of a device that tell its power factor."""

    counters: Mapping[str, PointInfo]
    gauges: Mapping[str, PointInfo]

    @property
    def by_energy(self) -> bool:
        """Whether it counts active and reactive energy."""
        return {"active_energy_import", "reactive_energy_import"} <= self.counters.keys()

    @property
    def by_gauge(self) -> bool:
        """Whether it shows a power factor, or what follows to one."""
        return "power_factor" in self.gauges or {"active_power", "reactive_power"} <= self.gauges.keys()


def meter_of(model: ParkModel, subject: str) -> Meter | None:
    """The points of a subject `device:…`; None: nothing tells its power factor."""
    name = subject.partition(":")[2]
    device = next((item for item in model.devices if item.device == name), None)
    mine = [] if device is None else [point for point in model.points if point.device_id == device.device_id]
    meter = Meter(
        {point.quantity: point for point in mine if point.metered and point.quantity in _COUNTERS},
        {point.quantity: point for point in mine if not point.metered and point.quantity in _GAUGES},
    )
    return meter if meter.by_energy or meter.by_gauge else None


def factor_of(active: float | None, reactive: float | None) -> float | None:
    """Power factor of active [kW] and reactive power [kvar]; None where next to nothing is used.

    >>> factor_of(30.0, -40.0)
    0.6
    """
    if active is None or reactive is None or abs(active) < LEAST_KW:
        return None
    return abs(active) / float(np.hypot(active, reactive))


async def load(session: Session, model: ParkModel, rules: Sequence[Compiled], now_ms: int) -> Read:
    """Read the energies of the longest window, and the gauges of devices that count none."""
    longest_ms = max((rule.window_ms for rule in rules), default=HOUR_MS)
    meters = [meter for subject in _subjects(rules) if (meter := meter_of(model, subject)) is not None]
    counters = [point for meter in meters if meter.by_energy for point in meter.counters.values()]
    gauges = [point for meter in meters if not meter.by_energy for point in meter.gauges.values()]
    return Read(await load_grid(session, counters, now_ms - longest_ms, now_ms), await load_gauges(session, gauges))


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """Judge every device whose power factor can be told."""
    read: Read | None = scene.read.get("power_factor")
    if read is None:
        return []
    found = []
    for subject in rule.subjects:
        meter = meter_of(scene.model, subject)
        if meter is not None:
            by_energy = meter.by_energy and read.grid is not None and bool(read.grid.amount.shape[1])
            at_ms, value = _by_energy(rule, scene, meter, read.grid) if by_energy else _by_gauge(scene, meter, read)
            found.append(judge(rule, scene.model, subject, at_ms, value, what=_WHAT, committed_ms=scene.committed_ms))
    return found


async def history(session: Session, model: ParkModel, rule: Compiled, begin_ms: int, end_ms: int) -> list[Observation]:
    """Every interval, or every reading, of `[begin_ms, end_ms)` [ms UTC]."""
    found: list[Observation] = []
    for subject in rule.subjects:
        meter = meter_of(model, subject)
        if meter is None:
            continue
        if meter.by_energy:
            first_ms = begin_ms - rule.window_ms - INTERVAL_MS
            grid = await load_grid(session, meter.counters.values(), first_ms, end_ms)
            series = within(grid.ends_ms, _of_energies(rule, meter, grid), begin_ms, end_ms)
        else:
            series = await _past_gauges(session, meter, begin_ms, end_ms)
        found += observations_of(rule, model, subject, series, _WHAT)
    return found


def _subjects(rules: Sequence[Compiled]) -> list[str]:
    return list(dict.fromkeys(subject for rule in rules for subject in rule.subjects))


def _by_energy(rule: Compiled, scene: Scene, meter: Meter, grid: Grid | None) -> tuple[int, float | None]:
    at_ms = interval_floor_ms(scene.now_ms)
    return at_ms, None if grid is None else float(_of_energies(rule, meter, grid)[-1])


def _of_energies(rule: Compiled, meter: Meter, grid: Grid) -> FloatArray:
    """Power factor of the window up to each interval."""
    count = max(1, rule.window_ms // INTERVAL_MS)
    active = mean_before(grid.per_h(meter.counters["active_energy_import"]), count)
    reactive = [grid.per_h(point) for name, point in meter.counters.items() if name.startswith("reactive")]
    total = mean_before(np.sum(np.abs(reactive), axis=0), count)
    found: FloatArray = np.full(len(active), np.nan)
    np.divide(active, np.hypot(active, total), out=found, where=active >= LEAST_KW)
    return found


def _by_gauge(scene: Scene, meter: Meter, read: Read) -> tuple[int, float | None]:
    now = {
        name: gauge_value(point, read.gauges.get(point.point_id, Newest()), scene.now_ms)
        for name, point in meter.gauges.items()
    }
    times = [
        seen.time_ms
        for point in meter.gauges.values()
        if (seen := read.gauges.get(point.point_id)) is not None and seen.time_ms is not None
    ]
    newest = max(times, default=None)
    stale = max(stale_ms(point) for point in meter.gauges.values())
    if newest is None or scene.now_ms - newest > stale:
        return unknown_at_ms(newest, stale, scene.now_ms), None
    if now.get("power_factor") is None or "power_factor" not in meter.gauges:
        return newest, factor_of(now.get("active_power"), now.get("reactive_power"))
    idle = "active_power" in now and abs(now["active_power"] or 0.0) < LEAST_KW
    return newest, None if idle else abs(now["power_factor"] or 0.0)


async def _past_gauges(session: Session, meter: Meter, begin_ms: int, end_ms: int) -> tuple[Int64Array, FloatArray]:
    """Power factor at each reading; active and reactive power are taken as they stood then."""
    read = {name: await read_gauge(session, point, begin_ms, end_ms) for name, point in meter.gauges.items()}
    leading = "power_factor" if "power_factor" in read else "active_power"
    times, values = read[leading]
    active = values if leading == "active_power" else _as_of(times, read.get("active_power"))
    if leading == "power_factor":
        found = np.abs(values)
    else:
        found = np.abs(active) / np.hypot(active, _as_of(times, read.get("reactive_power")))
    found = np.where(np.abs(active) < LEAST_KW, np.nan, found) if "active_power" in read else found
    return with_silences(times, found, stale_ms(meter.gauges[leading]), end_ms)


def _as_of(times_ms: Int64Array, series: tuple[Int64Array, FloatArray] | None) -> FloatArray:
    """A series as it stood at these moments; NaN before its first value."""
    if series is None or not len(series[0]):
        return np.full(len(times_ms), np.nan)
    at = np.searchsorted(series[0], times_ms, side="right") - 1
    found: FloatArray = np.where(at < 0, np.nan, series[1][np.maximum(at, 0)])
    return found


POWER_FACTOR: Final = Kind(
    name="power_factor",
    watches="devices",
    unit="1",
    direction="below",
    default_on=0.9,
    default_off=0.92,
    every_ms=EVERY_MS,
    observe=observe,
    load=load,
    history=history,
    default_window_ms=HOUR_MS,
)
