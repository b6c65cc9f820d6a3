"""Budgets that were entered for the month or the year: what is used of them by the end of the period."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from parkcarbon.books.facts import Entry
from parkcarbon.books.indicators.power import consumption_micro
from parkcarbon.books.inventory import Inputs
from parkcarbon.catalog.entries.management import Budget
from parkcarbon.domain.inventory import electricity_micro_kwh
from parkcarbon.statement.compose.context import Context
from parkcarbon.statement.compose.wording.blocks import decimal, fresh, left, line, plain_cell, right, say, table
from parkcarbon.statement.record import Basis, Block, Formula, Line, Text
from parkcarbon.statement.sheet import units, words

from .trend import Month

_WHAT: Final = {
    "co2e_location": Text("排放（基于位置）", "emissions, location-based"),
    "electricity": Text("电量", "electricity"),
    "gas": Text("燃气", "gas"),
    "heat": Text("热力", "heat"),
}
_PLACES: Final = {"t": 1, "kWh": 0, "Nm3": 0, "GJ": 1}
_FLOWS: Final = {"gas": "fuel", "heat": "heat"}


async def budgets(context: Context, trend: Sequence[Month]) -> list[Block]:
    """What was used of each budget that holds in the period."""
    period = context.period
    found = [
        entry
        for entry in context.facts.entries
        if isinstance(entry.content, Budget) and entry.from_day < period.to_day and entry.to_day > period.from_day
    ]
    if not found:
        return [say("本期未录入预算。", "No budget was entered for this period.", "note")]
    lines = [await _line(context, entry, trend) for entry in found]
    columns = (
        left("对象", "whose", 1.1),
        left("内容", "what", 1.5),
        left("单位", "unit", 0.6),
        left("期间", "days", 1.9),
        right("预算", "budget"),
        right("截至期末已用", "used by the end of the period", "", 1.2),
        right("已用占比", "share used", "%", 0.8),
        right("时间占比", "share of the days", "%", 0.8),
    )
    note = say(
        "按租户的全年排放预算此处不计算，见实时页面。",
        "What a tenant used of a year's budget of emissions is not computed here; the live page has it.",
        "note",
    )
    told = any(_untold(context, entry) for entry in found)
    return [table("charts.budget", ("预算", "Budget"), columns, lines), *([note] if told else [])]


def _untold(context: Context, entry: Entry) -> bool:
    """True for a tenant's emissions of more than the period."""
    content = entry.content
    long = _months(context, entry) != [context.period.label]
    return long and isinstance(content, Budget) and content.what == "co2e_location" and entry.tenant is not None


async def _line(context: Context, entry: Entry, trend: Sequence[Month]) -> Line:
    content = entry.content
    assert isinstance(content, Budget)  # noqa: S101 - chosen by kind
    sheet, unit = context.sheet, content.unit
    places = _PLACES[unit]
    whose = entry.tenant or "park"
    name = fresh(sheet, f"budget.{whose}.{content.what}", ("amount", "used", "share", "days"))
    amount = sheet.put(f"{name}.amount", decimal(content.amount), unit, places, basis="entered")
    basis: Basis = "computed" if _months(context, entry) == [context.period.label] else "context"
    used = sheet.put(f"{name}.used", await _used(context, entry, content, trend), unit, places, basis=basis)
    share = sheet.follow(f"{name}.share", Formula("quotient", (f"{name}.used", f"{name}.amount"), "100"), "%", 1)
    upto = min(context.period.to_day, entry.to_day)
    passed = Decimal(100 * (upto - entry.from_day).days) / Decimal((entry.to_day - entry.from_day).days)
    days = sheet.put(f"{name}.days", passed.quantize(Decimal("1e-9")), "%", 1, basis="entered")
    what = _WHAT[content.what]
    who = words("园区", "park") if entry.tenant is None else plain_cell(entry.tenant)
    last = entry.to_day - dt.timedelta(days=1)
    days_of = plain_cell(f"{entry.from_day} – {last}")
    return line(who, words(what.zh, what.en), plain_cell(unit), days_of, amount, used, share, days)


async def _used(context: Context, entry: Entry, content: Budget, trend: Sequence[Month]) -> Decimal | None:
    """What was used from the begin of the budget to the end of the period [unit of the budget]; None: not known."""
    labels = _months(context, entry)
    if content.what == "co2e_location":
        if entry.tenant is not None:
            return _of_tenant(context, entry.tenant) if labels == [context.period.label] else None
        known = {month.label: month.tonnes["location"] for month in trend}
        return _sum([known.get(label) for label in labels])
    amounts = []
    for label in labels:
        inputs = await context.months.inputs(label)
        amounts.append(units(_amount(inputs, content.what, content.unit, entry.tenant)))
    return _sum(amounts)


def _months(context: Context, entry: Entry) -> list[str]:
    """Months from the begin of a budget to the end of the period."""
    period = context.period
    first, last = entry.from_day, min(entry.to_day, period.to_day)
    if not period.is_month and first <= period.from_day and last >= period.to_day:
        first = period.from_day
    count = (last.year - first.year) * 12 + last.month - first.month
    numbers = (first.year * 12 + first.month - 1 + at for at in range(count))
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in numbers]


def _sum(parts: Sequence[Decimal | None]) -> Decimal | None:
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if parts and len(known) == len(parts) else None


def _of_tenant(context: Context, tenant: str) -> Decimal | None:
    """A tenant's part of scopes 1 and 2 of the period, as page 7 has it."""
    figures = context.sheet.figures
    names = [f"tenant.{tenant}.{total}" for total in ("scope1", "scope2_location")]
    values = [figures[name].value if name in figures else None for name in names]
    return _sum([None if value is None else Decimal(value) for value in values])


def _amount(inputs: Inputs, what: str, unit: str, tenant: str | None) -> int | None:
    """Metered or entered amount of a month, in micro-units."""
    if what == "electricity":
        if tenant is not None:
            return consumption_micro(inputs.points, tenant)
        flows = electricity_micro_kwh(inputs.points, inputs.activities, inputs.period.label)
        if flows["import"] is None:
            return None
        return flows["import"] + (flows["generation"] or 0) - (flows["export"] or 0)
    points = [
        point
        for point in inputs.points
        if (point.carrier, point.flow, point.unit) == (what, _FLOWS[what], unit)
        and (tenant is None or point.tenant == tenant)
    ]
    known = [point.amount_micro for point in points if point.known]
    return sum(known) if points and len(known) == len(points) else None
