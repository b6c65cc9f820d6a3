"""A factor in use that is older than allowed, or that a newer publication has overtaken.

Grids and heat networks change from year to year: of their factors the value is the age of the data year [a]. Whatever
the age, a newer data year of the same kind and region that is published and not used is beyond any limit. Factors of
fuels do not age. A factor that was in use in the last years and is no longer is clear.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from parkcarbon.alarm.observe.judge import judge
from parkcarbon.domain.alarm.types import Level, Observation, Said
from parkcarbon.domain.emissions import Basis
from parkcarbon.domain.factor_rules import newer_available
from parkcarbon.domain.factors import Factor
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel
from parkcarbon.live.uses import emitting_points

from .base import Compiled, Kind, Scene
from .spans import HOUR_MS

AGEING: Final = frozenset({"grid_average", "grid_remainder", "heat_purchased", "cooling_purchased"})
_YEARS_BACK: Final = 3


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """What is to be said of each factor today."""
    return _at(rule, scene.model, scene.now_ms)


async def history(_session: Session, model: ParkModel, rule: Compiled, from_ms: int, to_ms: int) -> list[Observation]:
    """The same at the begin of each local month in [from, to), by what is known today."""
    day = model.local(from_ms).date().replace(day=1)
    found: list[Observation] = []
    while (at_ms := model.midnight_ms(day)) < to_ms:
        found += _at(rule, model, at_ms) if at_ms >= from_ms else []
        day = (day + dt.timedelta(days=32)).replace(day=1)
    return found


def in_use(model: ParkModel, year: int) -> list[Factor]:
    """Leading factors that the park's metered emissions of a year are computed with."""
    bases: tuple[Basis, ...] = ("location", "market")
    wanted = {(point.carrier, point.unit) for point in emitting_points(model)}
    found = [
        factor.matches[0].factor
        for carrier, unit in sorted(wanted)
        for basis in (bases if carrier == "electricity" else bases[:1])
        if (factor := model.factor(carrier, unit, year, basis)) is not None and factor.matches
    ]
    return list({factor.factor: factor for factor in found}.values())


def _at(rule: Compiled, model: ParkModel, at_ms: int) -> list[Observation]:
    today = model.local(at_ms).date()
    used = {factor.factor: factor for factor in in_use(model, today.year)}
    before = {
        factor.factor: factor
        for back in range(1, _YEARS_BACK + 1)
        for factor in in_use(model, today.year - back)
        if factor.factor not in used
    }
    newer = _newer(model, used.values(), today)
    found = []
    for subject in rule.subjects:
        name = subject.partition(":")[2]
        if name in used:
            found.append(_overtaken(_judged(rule, model, subject, at_ms, used[name]), name, newer))
        elif name in before:
            gone = Said(f"{name} 已不再使用", f"{name} is no longer in use")
            limit = None if rule.limit is None else rule.limit.on
            found.append(Observation(subject, at_ms, Level.CLEAR, None, limit, gone))
    return found


def _newer(model: ParkModel, used: Iterable[Factor], today: dt.date) -> dict[str, str]:
    records = [record.factor for record in model.factors]
    return {
        found.used.factor: f"{found.newer.factor} ({found.newer.data_year})"
        for found in newer_available(records, used, today, up_to_year=today.year)
    }


def _judged(rule: Compiled, model: ParkModel, subject: str, at_ms: int, factor: Factor) -> Observation:
    year, this_year = factor.data_year, model.local(at_ms).year
    ages = year is not None and factor.purpose in AGEING
    age = float(this_year - year) if year is not None else None
    what = Said(f"因子 {factor.factor}（{year} 年数据）距今", f"age of factor {factor.factor}, data of {year},")
    if ages:
        return judge(rule, model, subject, at_ms, age, what=what)
    limit = None if rule.limit is None else rule.limit.on
    steady = Said(f"因子 {factor.factor} 不随年份老化", f"factor {factor.factor} does not age")
    return Observation(subject, at_ms, Level.CLEAR, age, limit, steady)


def _overtaken(judged: Observation, name: str, newer: Mapping[str, str]) -> Observation:
    if name not in newer:
        return judged
    reason = Said(f"因子 {name} 已有更新的发布：{newer[name]}", f"a newer one than factor {name} is out: {newer[name]}")
    return replace(judged, level=Level.BEYOND, reason=reason)


STALE_FACTOR = Kind(
    name="stale_factor",
    watches="factors",
    unit="a",
    direction="above",
    default_on=3.0,
    default_off=3.0,
    every_ms=HOUR_MS,
    observe=observe,
    history=history,
    late=False,
)
