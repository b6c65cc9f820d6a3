"""Budgets of park and tenants from daily totals: used, pace, forecast to the end of month and year.

What was entered counts on its days beside what meters count, so that the months before the meters are used up too. A
tenant's emissions of electricity are the park's of that day in proportion to what its meters counted, so that roof
power lowers everybody's alike; the statement's allocation may follow another rule and is the one that counts.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from parkcarbon.books.facts import QUERIES, Entry, Facts, PointFact
from parkcarbon.catalog.entries import management
from parkcarbon.domain.indicators.budget import BudgetState, forecast_period
from parkcarbon.domain.submeters import weights
from parkcarbon.kit.db import Session

from .entered_days import ELSEWHERE, EnteredDays, Flow, entered_days

Json = dict[str, Any]
Days = dict[dt.date, float | None]

PARK: Final = "park"
UNITS: Final[Mapping[str, str]] = {"co2e_location": "t", "electricity": "kWh", "gas": "Nm3", "heat": "GJ"}
_FLOWS: Final = {"electricity": "import", "gas": "fuel", "heat": "heat"}
_DAY_MS: Final = 86_400_000
_KNOWN: Final = 0.9
"""Part of a day that must be known for its total to be one."""


@dataclass(frozen=True)
class Daily:
    """Amounts and emissions by point and local day; a day that is not known well enough is absent."""

    amount: Mapping[int, Mapping[dt.date, float]]
    co2e_t: Mapping[int, Mapping[dt.date, float]]

    def total(self, points: Iterable[PointFact], *, co2e: bool = False) -> Days:
        """Sum of points by day; None on a day on which one of them is not known. Nothing without points."""
        return self.signed([(1, point) for point in points], co2e=co2e)

    def signed(self, points: Sequence[tuple[int, PointFact]], *, co2e: bool = False) -> Days:
        """The same with a sign for each point."""
        table = self.co2e_t if co2e else self.amount
        days = {day for _, point in points for day in table.get(point.point_id, {})}
        return {
            day: _sum(
                [
                    None if (value := table.get(point.point_id, {}).get(day)) is None else sign * value
                    for sign, point in points
                ]
            )
            for day in days
        }


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


async def load_daily(session: Session, facts: Facts, from_day: dt.date, to_day: dt.date) -> Daily:
    """Daily totals of every flow of the park over `[from_day, to_day)`."""
    ids = [point.point_id for point in facts.metered() if point.flow is not None and point.active]
    amount: dict[int, dict[dt.date, float]] = {}
    co2e: dict[int, dict[dt.date, float]] = {}
    for row in await session.fetch(QUERIES["daily_amounts"], ids, from_day, to_day):
        if row["known_ms"] < _KNOWN * _DAY_MS:
            continue
        amount.setdefault(row["point_id"], {})[row["day"]] = row["amount_micro"] / 1e6
        if row["co2e_nano_kg"] is not None:
            co2e.setdefault(row["point_id"], {})[row["day"]] = row["co2e_nano_kg"] / 1e12
    return Daily(amount, co2e)


def daily_of(facts: Facts, daily: Daily, entered: EnteredDays, what: str, tenant: str | None) -> Days:
    """Daily totals of what a budget is about.

    Args:
        facts: the park as known.
        daily: totals by point.
        entered: entries of the same tenant by day.
        what: `co2e_location` [t], `electricity` [kWh], `gas` [Nm3] or `heat` [GJ].
        tenant: whose; None: the park's.
    """
    if what == "co2e_location":
        if tenant is None:
            return _park_co2e(facts, daily, entered)
        return _with_entries(_tenant_co2e(facts, daily, tenant), _whole(entered), entered.unknown)
    if what == "electricity":
        if tenant is None:
            return _consumption(facts, daily, entered)
        return daily.signed(_sub_meters(facts, tenant))
    unit = UNITS[what]
    points = [
        point
        for point in _active(facts, _FLOWS[what])
        if point.unit == unit and (tenant is None or point.tenant == tenant)
    ]
    return _either(daily.total(points), entered.of((what, _FLOWS[what])))


def _active(facts: Facts, *flows: str) -> list[PointFact]:
    return [point for point in facts.metered(*flows) if point.active]


def _sub_meters(facts: Facts, tenant: str) -> list[tuple[int, PointFact]]:
    """A tenant's outermost meters, less those of others below them."""
    metered = [point for point in _electric(facts, "sub_meter") if not point.quantity.endswith("_export")]
    signs = weights(metered, lambda point: point.tenant == tenant)
    return [(signs[point.point], point) for point in metered if point.point in signs]


def _electric(facts: Facts, flow: str) -> list[PointFact]:
    return [point for point in _active(facts, flow) if point.carrier == "electricity"]


def _consumption(facts: Facts, daily: Daily, entered: EnteredDays | None = None) -> Days:
    """Import + generation - export by day [kWh], metered or entered."""
    flows = (("import", 1), ("generation", 1), ("export", -1))
    parts = [
        (sign, _either(daily.total(_electric(facts, flow)), entered.of(("electricity", flow)) if entered else {}))
        for flow, sign in flows
        if flow != "export" or _electric(facts, flow) or (entered and entered.of(("electricity", flow)))
    ]
    used = [(sign, part) for sign, part in parts if part]
    days = {day for _, part in used for day in part}
    return {
        day: _sum([None if (value := part.get(day)) is None else sign * value for sign, part in used]) for day in days
    }


def _park_co2e(facts: Facts, daily: Daily, entered: EnteredDays) -> Days:
    """Every flow by its meters or as entered, and what no meter counts [t]."""
    flows: list[Flow] = list(_FLOWS.items())
    parts = []
    for carrier, flow in flows:
        points = [point for point in _active(facts, flow) if point.carrier == carrier]
        part = _either(daily.total(points, co2e=True), entered.co2e((carrier, flow)))
        if points or part:
            parts.append(part)
    days = {day for part in parts for day in part}
    sums = {day: _sum([part.get(day) for part in parts]) for day in days}
    return _with_entries(sums, entered.co2e(ELSEWHERE), entered.unknown)


def _either(metered: Days, entered: Mapping[dt.date, float]) -> Days:
    """What meters count and what was entered beside them; a day without meters is known where it was entered."""
    found: Days = {}
    for day in metered.keys() | entered.keys():
        count, said = metered.get(day), entered.get(day)
        found[day] = said if count is None else count + (said or 0.0)
    return found


def _with_entries(days: Days, more: Mapping[dt.date, float], unknown: Iterable[dt.date]) -> Days:
    """Days that are known with what was entered on them; None where something entered has no factor."""
    found: Days = {day: None if value is None else value + more.get(day, 0.0) for day, value in days.items()}
    return found | dict.fromkeys(set(unknown) & found.keys())


def _whole(entered: EnteredDays) -> Mapping[dt.date, float]:
    """All emissions of entries by day, whatever the flow [t]."""
    total: dict[dt.date, float] = {}
    for row in entered.co2e_t.values():
        for day, tonnes in row.items():
            total[day] = total.get(day, 0.0) + tonnes
    return total


def _tenant_co2e(facts: Facts, daily: Daily, tenant: str) -> Days:
    """A tenant's electricity at the park's mix of the day, and fuel and heat of its own meters [t]."""
    used, consumed = daily.signed(_sub_meters(facts, tenant)), _consumption(facts, daily)
    bought = daily.total(_electric(facts, "import"), co2e=True)
    own = [point for flow in ("fuel", "heat") for point in _active(facts, flow) if point.tenant == tenant]
    others = daily.total(own, co2e=True)
    found: Days = {}
    for day, kwh in used.items():
        whole, emitted = consumed.get(day), bought.get(day)
        rest = others.get(day) if own else 0.0
        if kwh is None or not whole or emitted is None or rest is None:
            found[day] = None
        else:
            found[day] = emitted * kwh / whole + rest
    return found


async def budgets_of(session: Session, facts: Facts, today: dt.date) -> list[BudgetState]:
    """Every budget that holds today, and without one the park's emissions and electricity of month and year.

    Args:
        session: a connection.
        facts: the park as known.
        today: local day; its own total is not complete and counts as one to come.
    """
    begin = dt.date(today.year - 1, 1, 1) - dt.timedelta(days=7)
    daily = await load_daily(session, facts, begin, today)
    wanted = _spans(facts.entries, today)
    first = min(from_day for _, _, from_day, _ in wanted)  # what was entered evenly tells nothing of last year's shape
    entered = {tenant: entered_days(facts, tenant, first, today) for _, tenant, _, _ in wanted}
    cache: dict[tuple[str, str | None], Days] = {}
    found = []
    for (what, tenant, from_day, to_day), budget in wanted.items():
        days = cache.setdefault((what, tenant), daily_of(facts, daily, entered[tenant], what, tenant))
        forecast = forecast_period(days, from_day, to_day, today)
        name = tenant or PARK
        found.append(BudgetState(name, what, UNITS[what], from_day, to_day, budget, forecast))
    return found


Span = tuple[str, str | None, dt.date, dt.date]


def _spans(entries: Iterable[Entry], today: dt.date) -> dict[Span, float | None]:
    """What to forecast, with its budget; month and year of the park are always there."""
    month = today.replace(day=1)
    after = dt.date(month.year + month.month // 12, month.month % 12 + 1, 1)
    year = (dt.date(today.year, 1, 1), dt.date(today.year + 1, 1, 1))
    found: dict[Span, float | None] = {
        (what, None, begin, end): None
        for what in ("co2e_location", "electricity")
        for begin, end in ((month, after), year)
    }
    for entry in entries:
        if isinstance(entry.content, management.Budget) and entry.from_day <= today < entry.to_day:
            found[entry.content.what, entry.tenant, entry.from_day, entry.to_day] = entry.content.amount
    return found
