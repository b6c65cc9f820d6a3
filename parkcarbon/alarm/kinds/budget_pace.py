"""Budgets of energy and of emissions: what is used against what should be used by now.

    pace = used / (budget × share of the period that has passed)                                              [%]

The share that has passed follows the shape of the use (weekdays, last year), as on the page. Of several budgets that
hold today the one farthest ahead counts. While less than a twentieth of a period has passed nothing is said of it.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from parkcarbon.alarm.observe.judge import figure, judge, midnights, number
from parkcarbon.books.facts import Facts, load_current
from parkcarbon.books.indicators.budgets import PARK, UNITS, budgets_of, daily_of, load_daily
from parkcarbon.books.indicators.entered_days import entered_days
from parkcarbon.catalog.entries.management import Budget
from parkcarbon.domain.alarm.types import Level, Observation, Said
from parkcarbon.domain.indicators.budget import BudgetState, forecast_period
from parkcarbon.kit.db import Session, from_ms
from parkcarbon.live.model import ParkModel

from .base import Compiled, Kind, Scene

EVERY_MS: Final = 900_000
EARLY: Final = 0.05
"""Share of a period from which on its pace is judged [1]."""
_LAST_YEAR: Final = dt.timedelta(days=366 + 7)
_ENERGY: Final = frozenset({"electricity", "gas", "heat"})
_EMISSION: Final = frozenset({"co2e_location"})
_NAMES: Final = {
    "electricity": Said("用电预算进度", "pace of the electricity budget"),
    "gas": Said("燃气预算进度", "pace of the gas budget"),
    "heat": Said("热力预算进度", "pace of the heat budget"),
    "co2e_location": Said("碳排放预算进度", "pace of the emission budget"),
}
_NONE: Final = Said("未录入预算", "no budget is entered")
_TOO_EARLY: Final = Said("预算期刚开始，尚不判断", "the period has just begun, nothing is said of it yet")


def pace_pct(state: BudgetState) -> float | None:
    """Used against what should be used by now [%]; None: no budget, or nothing is known."""
    line = state.pace_line
    return None if not line or not state.forecast.known_days else 100 * state.forecast.used / line


def ahead(states: Iterable[BudgetState], whats: frozenset[str]) -> tuple[BudgetState, float] | None:
    """The park's budget that is farthest ahead of its pace, with the pace [%]."""
    judged = [
        (state, pace)
        for state in states
        if state.name == PARK
        and state.what in whats
        and state.forecast.pace >= EARLY
        and (pace := pace_pct(state)) is not None
    ]
    return max(judged, key=lambda pair: pair[1], default=None)


def budget_observation(
    rule: Compiled, model: ParkModel, at_ms: int, states: Sequence[BudgetState], *, whats: frozenset[str]
) -> Observation:
    """What is known of the park's budgets at a moment."""
    subject = rule.subjects[0]
    worst = ahead(states, whats)
    if worst is not None:
        state, pace = worst
        return judge(rule, model, subject, at_ms, pace, what=_NAMES[state.what], detail=_working(state))
    entered = any(state.budget is not None and state.name == PARK and state.what in whats for state in states)
    early = entered and all(state.forecast.pace < EARLY for state in states if state.budget is not None)
    level, reason = (Level.CLEAR, _TOO_EARLY) if early else (Level.UNKNOWN, _NONE)
    limit = None if rule.limit is None else rule.limit.on
    return Observation(subject, at_ms, level, None, limit, reason)


def _working(state: BudgetState) -> Said:
    forecast, unit = state.forecast, state.unit
    days = f"{state.from_day.isoformat()}–{(state.to_day - dt.timedelta(days=1)).isoformat()}"
    used, line, budget = (figure(value or 0.0, unit) for value in (forecast.used, state.pace_line, state.budget))
    zh = f"{days} 已用 {used}，按进度应为 {line}，预算 {budget}"
    en = f"{days}: {used} used, {line} at pace, budget {budget}"
    if forecast.expected is not None:
        band = f"{number(forecast.low or 0.0)}–{number(forecast.high or 0.0)}"
        expected = figure(forecast.expected, unit)
        zh, en = f"{zh}，按当前进度期末 {expected}（{band}）", f"{en}, at today's pace {expected} ({band}) at the end"
    if forecast.unknown_days:
        zh, en = f"{zh}，{forecast.unknown_days} 天无数据", f"{en}, {forecast.unknown_days} days without data"
    return Said(zh, en)


async def load(session: Session, model: ParkModel, _rules: Sequence[Compiled], now_ms: int) -> Sequence[BudgetState]:
    """Read every budget that holds today and what is used of it."""
    facts = await load_current(session, model.park, from_ms(now_ms))
    return await budgets_of(session, facts, model.local(now_ms).date())


def _observe(rule: Compiled, scene: Scene, *, kind: str, whats: frozenset[str]) -> list[Observation]:
    states: Sequence[BudgetState] | None = scene.read.get(kind)
    return [] if states is None else [budget_observation(rule, scene.model, scene.now_ms, states, whats=whats)]


async def _history(
    session: Session, model: ParkModel, rule: Compiled, begin_ms: int, end_ms: int, *, whats: frozenset[str]
) -> list[Observation]:
    """At each local midnight of the time asked for; budgets and entries as they are known now."""
    moments = midnights(model, begin_ms, end_ms)
    if not moments:
        return []
    facts = await load_current(session, model.park, from_ms(end_ms))
    days = [model.local(at_ms).date() for at_ms in moments]
    states = await _past_states(session, facts, days, whats)
    return [
        budget_observation(rule, model, at_ms, found, whats=whats) for at_ms, found in zip(moments, states, strict=True)
    ]


async def _past_states(
    session: Session, facts: Facts, days: Sequence[dt.date], whats: frozenset[str]
) -> list[list[BudgetState]]:
    """The park's budgets as they stood on some days, ascending: totals are read once for all of them."""
    budgets = [
        (entry.from_day, entry.to_day, entry.content)
        for entry in facts.entries
        if isinstance(entry.content, Budget)
        and entry.tenant is None
        and entry.content.what in whats
        and entry.from_day <= days[-1]
        and days[0] < entry.to_day
    ]
    first = min([dt.date(days[0].year, 1, 1), *(from_day for from_day, _, _ in budgets)])
    daily = await load_daily(session, facts, first - _LAST_YEAR, days[-1])
    entered = entered_days(facts, None, first, days[-1])
    totals = {what: daily_of(facts, daily, entered, what, None) for what in {budget.what for _, _, budget in budgets}}
    return [
        [
            BudgetState(
                PARK,
                budget.what,
                UNITS[budget.what],
                from_day,
                to_day,
                budget.amount,
                forecast_period(totals[budget.what], from_day, to_day, day),
            )
            for from_day, to_day, budget in budgets
            if from_day <= day < to_day
        ]
        for day in days
    ]


def _kind(name: str, whats: frozenset[str]) -> Kind:
    return Kind(
        name=name,
        watches="park",
        unit="%",
        direction="above",
        default_on=110.0,
        default_off=105.0,
        every_ms=EVERY_MS,
        observe=partial(_observe, kind=name, whats=whats),
        load=load,
        history=partial(_history, whats=whats),
        late=False,
    )


ENERGY_BUDGET: Final = _kind("energy_budget_pace", _ENERGY)
EMISSION_BUDGET: Final = _kind("emission_budget_pace", _EMISSION)
