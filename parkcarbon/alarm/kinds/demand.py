"""Demand of 15 minutes: what the running interval will have taken from the grid if power stays as it is.

    demand = (energy so far + power now × what is left of the interval) / 15 min                              [kW]

Held against the contracted demand of the park document in per cent of it, or against a limit in kW where the rule's
own is one. In the first five minutes of an interval, and without live power, the demand of the one before stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parkcarbon.alarm.observe.figures import FiguresNow, load_figures, past_figure
from parkcarbon.alarm.observe.intervals import PER_HOUR, Grid, load_grid
from parkcarbon.alarm.observe.judge import figure, judge
from parkcarbon.alarm.observe.series import observations_of
from parkcarbon.alarm.rules.document import Rule
from parkcarbon.domain.alarm.types import Observation, Said
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel, interval_floor_ms

from .base import Compiled, Kind, Scene

EVERY_MS: Final = 5_000
EARLY: Final = 1 / 3
"""Part of an interval that must be known before it is projected [1]."""
_DEMAND: Final = Said("15 分钟需量", "demand of 15 minutes")


@dataclass(frozen=True, slots=True)
class Running:
    """What is known of two intervals of the grid meters.

    Attributes:
        at_ms: newest reading [ms UTC].
        before_kw: demand of the interval that is over [kW]; None: unknown.
        so_far_kwh: energy of the running interval [kWh].
        known: part of the running interval that it is known for [1].
        power_kw: power now [kW]; None: unknown.
    """

    at_ms: int
    before_kw: float | None
    so_far_kwh: float
    known: float
    power_kw: float | None

    @property
    def projected(self) -> bool:
        """Whether the running interval says enough to be projected."""
        return self.known >= EARLY and self.power_kw is not None

    @property
    def demand_kw(self) -> float | None:
        """Demand at the end of the running interval, or of the one before [kW].

        >>> Running(0, 900.0, 125.0, 0.5, 1100.0).demand_kw
        1050.0
        """
        if self.known >= EARLY and self.power_kw is not None:
            return self.so_far_kwh * PER_HOUR + self.power_kw * (1 - self.known)
        return self.before_kw


def unit_of(rule: Rule, _model: ParkModel) -> str:
    """A limit in watts is one; any other is a share of the contract."""
    return "kW" if (rule.on or "").endswith("W") else "%"


async def load(session: Session, model: ParkModel, _rules: Sequence[Compiled], now_ms: int) -> Running:
    """Read the running interval of the grid meters, the one before, and power now."""
    points = model.metered("electricity", "import")
    floor_ms = interval_floor_ms(now_ms)
    grid = await load_grid(session, points, floor_ms - INTERVAL_MS, floor_ms + INTERVAL_MS)
    return running_of(model, grid, await load_figures(session, model, now_ms))


def running_of(model: ParkModel, grid: Grid, figures: FiguresNow) -> Running:
    """From a grid of two intervals and the figures of now."""
    points = model.metered("electricity", "import")
    import_kw = grid.flow_per_h(model, "import")
    before = None if import_kw is None or import_kw[0] != import_kw[0] else float(import_kw[0])
    known = min((float(grid.coverage[grid.rows[point.point_id]][1]) for point in points), default=0.0)
    so_far = sum(float(grid.amounts(point)[1]) for point in points)
    return Running(figures.at_ms, before, so_far, known, figures.values.get("import"))


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """Judge the demand that is coming."""
    running: Running | None = scene.read.get("demand_peak")
    if running is None or rule.limit is None:
        return []
    demand = running.demand_kw
    value = _in_unit(rule, scene.model, demand)
    said = Said(
        *(
            ("本时段预计", "projected for the running interval")
            if running.projected
            else ("上一时段", "of the last interval")
        )
    )
    return [
        judge(
            rule,
            scene.model,
            rule.subjects[0],
            running.at_ms,
            value,
            what=_DEMAND,
            detail=_detail(scene.model, demand, said),
            committed_ms=scene.committed_ms,
        )
    ]


async def history(session: Session, model: ParkModel, rule: Compiled, begin_ms: int, end_ms: int) -> list[Observation]:
    """The demand of each interval that ends in `[begin_ms, end_ms)` [ms UTC]."""
    times, demand = await past_figure(session, model, "import", begin_ms, end_ms)
    scale = _in_unit(rule, model, 1.0)
    if scale is None:
        return []
    return observations_of(rule, model, rule.subjects[0], (times, demand * scale), _DEMAND, span_ms=INTERVAL_MS)


def _in_unit(rule: Compiled, model: ParkModel, demand_kw: float | None) -> float | None:
    if demand_kw is None or rule.limit is None or rule.limit.unit == "kW":
        return demand_kw
    contract = model.contract_demand_kw
    return None if not contract else 100 * demand_kw / contract


def _detail(model: ParkModel, demand_kw: float | None, which: Said) -> Said:
    contract = model.contract_demand_kw
    if demand_kw is None:
        return Said("", "")
    shown = figure(demand_kw, "kW")
    if contract is None:
        return Said(
            f"{which.zh} {shown}，园区文件未写合同需量",
            f"{shown} {which.en}, the park document says no contracted demand",
        )
    signed = figure(contract, "kW")
    return Said(f"{which.zh} {shown}，合同需量 {signed}", f"{shown} {which.en}, {signed} contracted")


DEMAND_PEAK: Final = Kind(
    name="demand_peak",
    watches="park",
    unit=None,
    direction="above",
    default_on=100.0,
    default_off=95.0,
    every_ms=EVERY_MS,
    observe=observe,
    load=load,
    history=history,
    unit_of=unit_of,
)
