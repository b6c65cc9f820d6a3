"""An inverter that produces less than the sun and its neighbours let expect: dirt, a string that is off, shade.

The value is produced over expected, the median of its last three sunny days [%]; see `parkcarbon.domain.pv`. Three
weeks of readings are needed to learn from, and the park document must say where the park is. Nothing is judged on
cloudy days, while power is curtailed, or where readings are missing: the alarm then stays as it is.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from parkcarbon.alarm.observe.generation import Plants, day_ends_ms, load_plants
from parkcarbon.domain.alarm.types import Level, Observation, Said
from parkcarbon.domain.pv.performance import Verdict
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel, interval_floor_ms

from .base import Compiled, Kind, Limit, Scene
from .spans import DAY_MS, HOUR_MS

DEFAULT: Final = Limit(90.0, 95.0, "below", "%")
DEFAULT_WINDOW_MS: Final = 120 * DAY_MS
LEAST_WINDOW_MS: Final = 60 * DAY_MS
_NOWHERE: Final = Said("园区文件未给出经纬度", "the park document does not say where the park is")
_LEARNING: Final = Said("近期晴天不足，尚无法判断", "too few sunny days of late to judge by")


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """How each inverter did until last night."""
    plants: Plants | None = scene.read.get("pv_underperformance")
    if plants is None:
        return []
    column = -1 if plants.found is None else plants.found.days.size - 1
    return _at(rule, plants, column, interval_floor_ms(scene.now_ms))


async def load(session: Session, model: ParkModel, rules: Sequence[Compiled], now_ms: int) -> Plants:
    """Reads what all inverters produced, and judges it."""
    return await load_plants(session, model, now_ms - max(map(_window_ms, rules)), now_ms)


async def history(session: Session, model: ParkModel, rule: Compiled, from_ms: int, to_ms: int) -> list[Observation]:
    """What was to be said at the end of each local day in [from, to)."""
    plants = await load_plants(session, model, from_ms - _window_ms(rule), to_ms)
    if plants.found is None:
        return _at(rule, plants, -1, from_ms)
    ends_ms = day_ends_ms(model, plants.found.days.tolist())
    return [
        observation
        for column, at_ms in enumerate(ends_ms)
        if from_ms <= at_ms < to_ms
        for observation in _at(rule, plants, column, at_ms)
    ]


def _window_ms(rule: Compiled) -> int:
    return max(rule.window_ms or DEFAULT_WINDOW_MS, LEAST_WINDOW_MS)


def _at(rule: Compiled, plants: Plants, column: int, at_ms: int) -> list[Observation]:
    limit = rule.limit or DEFAULT
    rows = {f"device:{device}": row for row, device in enumerate(plants.devices)}
    found = []
    for subject in rule.subjects:
        if subject not in rows:
            continue  # no inverter
        verdict = None if plants.found is None else plants.found.verdict(rows[subject], column, limit.on / 100)
        if verdict is None:
            reason = _LEARNING if plants.placed else _NOWHERE
            found.append(Observation(subject, at_ms, Level.UNKNOWN, None, limit.on, reason))
        else:
            found.append(_said(subject, at_ms, limit, verdict))
    return found


def _said(subject: str, at_ms: int, limit: Limit, verdict: Verdict) -> Observation:
    value = round(100 * verdict.index, 1)
    level = Level.BEYOND if verdict.low else limit.level(value)
    if level is Level.BEYOND and not verdict.low:
        level = Level.BETWEEN  # the sun does not agree
    days = ", ".join(f"{dt.date.fromordinal(day):%m-%d}" for day in verdict.days)
    sun = "" if verdict.sun is None else f"{100 * verdict.sun:.0f} %"
    by = Said("相邻逆变器", "its neighbours") if verdict.by_neighbours else Said("日照", "the sun")
    reason = Said(
        f"发电为按{by.zh}推算值的 {value:.0f} %，限值 {limit.on:g} %（晴天 {days}）{f'；按日照 {sun}' if sun else ''}",
        f"produced {value:.0f} % of what {by.en} let expect, the limit is {limit.on:g} % (sunny days {days})"
        f"{f'; by the sun {sun}' if sun else ''}",
    )
    return Observation(subject, at_ms, level, value, limit.on, reason)


PV_UNDERPERFORMANCE = Kind(
    name="pv_underperformance",
    watches="devices",
    unit=DEFAULT.unit,
    direction=DEFAULT.direction,
    default_on=DEFAULT.on,
    default_off=DEFAULT.off,
    every_ms=6 * HOUR_MS,
    observe=observe,
    load=load,
    history=history,
    late=False,
    default_window_ms=DEFAULT_WINDOW_MS,
)
