"""Intensity: emission of each kWh that the park uses, or electricity for each unit of what it makes.

The unit of the limit says which: `kgCO2e/kWh` is held against the emissions over the load of the window (a day where
the rule says none), `kWh/<unit>` against the load of the days of the newest production entry in that unit. A window
takes all such entries that ended within it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from parkcarbon.alarm.observe.figures import emission_rate
from parkcarbon.alarm.observe.intervals import PER_HOUR, Grid, flow_points, load_grid, mean_before, within
from parkcarbon.alarm.observe.judge import judge, midnights, number
from parkcarbon.alarm.observe.series import observations_of
from parkcarbon.alarm.rules.document import Rule
from parkcarbon.books.facts import Entry, load_current
from parkcarbon.catalog.entries.management import Production
from parkcarbon.domain.alarm.types import Observation, Said
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.domain.readings import FloatArray
from parkcarbon.kit.db import Session, from_ms
from parkcarbon.live.model import ParkModel, interval_floor_ms
from parkcarbon.live.uses import emitting_points

from .base import Compiled, Kind, Scene

EVERY_MS: Final = 900_000
DAY_MS: Final = 86_400_000
CARBON: Final = "kgCO2e/kWh"
KNOWN: Final = 0.9
"""Part of the days of a production entry for which the load must be known [1]."""
_PER_KWH: Final = Said("用电碳强度", "emission of a kWh used")


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, and the electricity used meanwhile.

    Attributes:
        end_ms: end of the newest days [ms UTC].
        unit: of what was made.
        amount: made.
        load_kwh: used [kWh]; None: not known well enough.
        days: first and last day, as written.
    """

    end_ms: int
    unit: str
    amount: float
    load_kwh: float | None
    days: str


@dataclass(frozen=True)
class Read:
    """What intensities need.

    Attributes:
        grid: intervals up to now; None: no rule asks for emissions.
        made: production, by rule.
    """

    grid: Grid | None = None
    made: dict[str, Made | None] = field(default_factory=dict)


def unit_of(rule: Rule, _model: ParkModel) -> str:
    """Electricity for each unit of what is made, where the rule's own limit says so; else emission of a kWh."""
    above, _, below = (rule.on or "").rpartition(" ")[2].lstrip("0123456789.-").partition("/")
    return f"kWh/{below}" if below and above in ("kWh", "MWh", "Wh") else CARBON


async def load(session: Session, model: ParkModel, rules: Sequence[Compiled], now_ms: int) -> Read:
    """Read intervals of the longest window, and production with the load of its days."""
    carbon = [rule.window_ms for rule in rules if _unit(rule) == CARBON]
    grid = await _grid(session, model, now_ms - max(carbon), now_ms) if carbon else None
    per_unit = [rule for rule in rules if _unit(rule) != CARBON]
    entries = await _production(session, model, now_ms) if per_unit else ()
    made = {rule.policy.rule: await _made(session, model, rule, entries, now_ms=now_ms) for rule in per_unit}
    return Read(grid, made)


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """Judge the window up to now, or the newest production."""
    read: Read | None = scene.read.get("intensity")
    if read is None:
        return []
    if _unit(rule) != CARBON:
        return [_production_observation(rule, scene.model, scene.now_ms, read.made.get(rule.policy.rule))]
    if read.grid is None or not read.grid.amount.shape[1]:
        return []
    values = _intensity(scene.model, read.grid, rule.window_ms)
    at_ms = interval_floor_ms(scene.now_ms)
    return [judge(rule, scene.model, rule.subjects[0], at_ms, float(values[-1]), what=_PER_KWH)]


async def history(session: Session, model: ParkModel, rule: Compiled, begin_ms: int, end_ms: int) -> list[Observation]:
    """Every interval, or each local day with the newest production then, of `[begin_ms, end_ms)` [ms UTC]."""
    if _unit(rule) == CARBON:
        grid = await _grid(session, model, begin_ms - rule.window_ms - INTERVAL_MS, end_ms)
        series = within(grid.ends_ms, _intensity(model, grid, rule.window_ms), begin_ms, end_ms)
        return observations_of(rule, model, rule.subjects[0], series, _PER_KWH)
    entries = await _production(session, model, end_ms)
    known: dict[tuple[int, ...], Made | None] = {}
    found = []
    for at_ms in midnights(model, begin_ms, end_ms):
        mine = tuple(entry.entry_id for entry in chosen(rule, entries, model.local(at_ms).date()))
        if mine not in known:
            known[mine] = await _made(session, model, rule, entries, now_ms=at_ms)
        found.append(_production_observation(rule, model, at_ms, known[mine]))
    return found


def _unit(rule: Compiled) -> str:
    return CARBON if rule.limit is None else rule.limit.unit


async def _grid(session: Session, model: ParkModel, begin_ms: int, end_ms: int) -> Grid:
    return await load_grid(session, [*flow_points(model), *emitting_points(model)], begin_ms, end_ms)


def _intensity(model: ParkModel, grid: Grid, window_ms: int) -> FloatArray:
    """Emissions over load of the window up to each interval [kgCO2e/kWh]; of intervals for which both are known."""
    nothing: FloatArray = np.full(grid.amount.shape[1], np.nan)
    rate, load = emission_rate(model, grid), grid.load_kw(model)
    if rate is None or load is None:
        return nothing
    both = np.isfinite(rate) & np.isfinite(load)
    count = max(1, window_ms // INTERVAL_MS)
    emitted = mean_before(np.where(both, rate, np.nan), count)
    used = mean_before(np.where(both, load, np.nan), count)
    np.divide(emitted, used, out=nothing, where=used > 0)
    return nothing


async def _production(session: Session, model: ParkModel, now_ms: int) -> tuple[Entry, ...]:
    """The park's own production entries."""
    facts = await load_current(session, model.park, from_ms(now_ms))
    return tuple(entry for entry in facts.entries if isinstance(entry.content, Production) and entry.tenant is None)


def chosen(rule: Compiled, entries: Sequence[Entry], today: dt.date) -> list[Entry]:
    """Entries of the rule's unit that are over: those of the window, or all that ended on the newest day."""
    unit = _unit(rule).removeprefix("kWh/")
    over = [
        entry
        for entry in entries
        if isinstance(entry.content, Production) and entry.content.unit == unit and entry.to_day <= today
    ]
    if rule.rule.window is not None:
        first = today - dt.timedelta(milliseconds=rule.window_ms)
        return [entry for entry in over if entry.from_day >= first]
    newest = max((entry.to_day for entry in over), default=today)
    last = [entry for entry in over if entry.to_day == newest]
    begin = min((entry.from_day for entry in last), default=today)
    return [entry for entry in over if entry.from_day >= begin]


async def _made(
    session: Session, model: ParkModel, rule: Compiled, entries: Sequence[Entry], *, now_ms: int
) -> Made | None:
    mine = chosen(rule, entries, model.local(now_ms).date())
    amount = sum(entry.content.amount for entry in mine if isinstance(entry.content, Production))
    if not mine or amount <= 0:
        return None
    begin, end = min(entry.from_day for entry in mine), max(entry.to_day for entry in mine)
    begin_ms, end_ms = model.midnight_ms(begin), model.midnight_ms(end)
    load = (await load_grid(session, flow_points(model), begin_ms, end_ms)).load_kw(model)
    last = end - dt.timedelta(days=1)
    unit = _unit(rule).removeprefix("kWh/")
    return Made(end_ms, unit, amount, _total_kwh(load), f"{begin.isoformat()}–{last.isoformat()}")


def _total_kwh(load: FloatArray | None) -> float | None:
    """Energy of all intervals [kWh]; what is not known is taken at the mean of the rest, if that is nearly all."""
    if load is None or not len(load) or np.isfinite(load).mean() < KNOWN:
        return None
    return float(np.nanmean(load)) * len(load) / PER_HOUR


def _production_observation(rule: Compiled, model: ParkModel, at_ms: int, made: Made | None) -> Observation:
    unit = _unit(rule).removeprefix("kWh/")
    what = Said("单位产量用电", "electricity for each unit made")
    if made is None:
        detail = Said(f"未录入以 {unit} 计的产量", f"no production in {unit} is entered")
        return judge(rule, model, rule.subjects[0], at_ms, None, what=what, detail=detail)
    value = None if made.load_kwh is None else made.load_kwh / made.amount
    detail = Said(f"{made.days} 产量 {number(made.amount)} {unit}", f"{number(made.amount)} {unit} made {made.days}")
    return judge(rule, model, rule.subjects[0], at_ms, value, what=what, detail=detail)


INTENSITY: Final = Kind(
    name="intensity",
    watches="park",
    unit=None,
    direction="above",
    default_on=None,
    default_off=None,
    every_ms=EVERY_MS,
    observe=observe,
    load=load,
    history=history,
    unit_of=unit_of,
    default_window_ms=DAY_MS,
)
