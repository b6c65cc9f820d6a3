"""Intensities and comparisons from the books: per product, area, output value, tenant; against base year and before."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from parkcarbon.books.amounts import Period, month_before, parse_period
from parkcarbon.books.facts import QUERIES, Entry, Facts
from parkcarbon.books.indicators.power import consumption_micro
from parkcarbon.books.inventory import Inputs, inventory_of, load_inputs
from parkcarbon.books.tenants.views import allocation_of
from parkcarbon.catalog.entries import management
from parkcarbon.catalog.park import Park
from parkcarbon.domain.indicators.compare import Comparison, Kind, PeriodFacts, compare
from parkcarbon.domain.indicators.energy import Intensity
from parkcarbon.domain.inventory import Inventory
from parkcarbon.kit.db import Session, from_ms

Json = dict[str, Any]
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Denominator:
    """What is divided by: the sum of entered amounts over the days they speak of."""

    name: str
    unit: str
    amount: float
    days: int
    simulated: bool


def denominators(entries: Iterable[Entry], period: Period, tenant: str | None) -> list[Denominator]:
    """Everything entered for a period that emissions can be divided by.

    Flows (production, value) of entries that reach beyond the period count by their days inside it; stocks (area,
    people) are the mean over their days.
    """
    sums: dict[tuple[str, str, bool], list[tuple[float, int, bool]]] = {}
    for entry in entries:
        days = (min(entry.to_day, period.to_day) - max(entry.from_day, period.from_day)).days
        named = _named(entry)
        if entry.tenant != tenant or days <= 0 or named is None:
            continue
        name, unit, amount, stock = named
        part = amount if stock else amount * days / (entry.to_day - entry.from_day).days
        sums.setdefault((name, unit, stock), []).append((part, days, entry.simulated))
    return [
        Denominator(
            name,
            unit,
            _mean(parts) if stock else sum(part for part, _, _ in parts),
            sum(days for _, days, _ in parts),
            any(simulated for _, _, simulated in parts),
        )
        for (name, unit, stock), parts in sums.items()
    ]


def _mean(parts: list[tuple[float, int, bool]]) -> float:
    return sum(part * days for part, days, _ in parts) / sum(days for _, days, _ in parts)


def _named(entry: Entry) -> tuple[str, str, float, bool] | None:
    """Name, unit, amount, and whether it is a stock."""
    content = entry.content
    if isinstance(content, management.Production):
        return f"production:{content.product}", content.unit, content.amount, False
    if isinstance(content, management.OutputValue):
        return content.what, f"10^4 {content.currency}", content.amount / 1e4, False
    if isinstance(content, management.Area):
        return f"{content.what}_area", "m2", content.m2, True
    if isinstance(content, management.Headcount):
        return "headcount", "person", content.people, True
    return None


async def intensities_of(session: Session, inputs: Inputs, inventory: Inventory) -> list[Intensity]:
    """Emissions (location-based, scopes 1 and 2) and electricity per everything that was entered, park and tenants.

    Args:
        session: a connection.
        inputs: of the period.
        inventory: of the same period.
    """
    facts, period = inputs.facts, inputs.period
    total = inventory.total_nano_kg("location")
    whole = _of(facts, period, None, total, inventory.energy.get("load_kwh"))
    tenants = [tenant.tenant for tenant in facts.document.tenants]
    if not any(denominators(facts.entries, period, tenant) for tenant in tenants):
        return whole
    allocation = await allocation_of(session, facts, period, inventory)
    for tenant in tenants:
        parts = [allocation.part(tenant, name).co2e_nano_kg for name in ("scope1", "scope2_location")]
        used = consumption_micro(inputs.points, tenant)
        kwh = None if used is None else used / 1e6
        whole += _of(facts, period, tenant, None if total is None else sum(parts), kwh)
    return whole


def _of(facts: Facts, period: Period, tenant: str | None, nano_kg: int | None, kwh: object) -> list[Intensity]:
    length = (period.to_day - period.from_day).days
    found = []
    for by in denominators(facts.entries, period, tenant):
        notes = [f"entered for {by.days} of {length} days"] if by.days < length else []
        notes += ["simulated 仿真"] if by.simulated else []
        kilograms = None if nano_kg is None else nano_kg / 1e9
        energy = float(kwh) if isinstance(kwh, int | float) else None
        for numerator, unit in ((kilograms, "kgCO2e"), (energy, "kWh")):
            found.append(Intensity(by.name, tenant, numerator, unit, by.amount, by.unit, tuple(notes)))
    return found


async def comparisons_of(
    session: Session,
    park: str,
    period: str,
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
    product: str = "",
) -> list[Comparison]:
    """A period against the base year, the year before and the period before; what does not exist is left out.

    Args:
        session: a connection.
        park: id.
        period: `2026-03` or `2026`.
        now: time of now.
        as_of: moment of knowledge; None: now.
        product: output that both are normalised by, the slug of its production entries; empty: the base year's.
    """
    inputs = await load_inputs(session, park, period, now=now, as_of=as_of)
    facts, span = inputs.facts, inputs.period
    base = _base_year(facts.entries, span)
    by = product or (_content(base).output_of if base is not None else "")
    current = await _facts_of(session, inputs)
    found = []
    if base is not None:
        found.append(compare("base_year", current, _base_facts(base, span), product=by))
    year_before = parse_period(f"{span.year - 1}{span.label[4:]}", facts.zone)
    kinds: list[tuple[Kind, Period]] = [("year_on_year", year_before)]
    if span.is_month:
        kinds.append(("previous_period", month_before(span, facts.zone)))
    for kind, before in kinds:
        past = await _facts_of(
            session, await load_inputs(session, park, before.label, now=now, as_of=as_of), of_now=facts
        )
        if any(value is not None for value in past.nano_kg.values()):
            found.append(compare(kind, current, past, product=by))
    return found


def _content(entry: Entry) -> management.BaseYear:
    content = entry.content
    assert isinstance(content, management.BaseYear)  # noqa: S101 - chosen by kind
    return content


async def _facts_of(session: Session, inputs: Inputs, of_now: Facts | None = None) -> PeriodFacts:
    """What is compared of a metered period."""
    facts, period = inputs.facts, inputs.period
    inventory = inventory_of(inputs, final=False)
    known = [point for point in inputs.points if point.flow is not None and point.known]
    measured = sum(point.measured_ms for point in known)
    expected = sum(point.expected_ms for point in known)
    until = min(from_ms(period.to_ms), facts.until)
    days = max(0, round((until - from_ms(period.from_ms)).total_seconds() * 1000 / _DAY_MS))
    document = facts.document if of_now is None else await _document_at(session, facts, period)
    return PeriodFacts(
        label=period.label,
        nano_kg=_totals(inventory),
        boundary=boundary_of(document),
        points=frozenset(point.point for point in known if point.flow in ("import", "fuel", "heat")),
        completeness_pct=100 * measured / expected if expected else None,
        output={
            by.name.removeprefix("production:"): by.amount
            for by in denominators(facts.entries, period, None)
            if by.name.startswith("production:")
        },
        days=days,
        simulated=any(line.simulated for line in inventory.lines("location")),
    )


async def _document_at(session: Session, facts: Facts, period: Period) -> Park:
    """The park document at the end of a period; the present one where none was known yet."""
    row = await session.fetchrow(QUERIES["revision_at"], facts.park, from_ms(period.to_ms))
    return facts.document if row is None else msgspec.json.decode(row["document"], type=Park)


def boundary_of(document: Park) -> str:
    """What the organisational boundary is, in words."""
    stated = document.notes.get("boundary", "")
    return f"{document.method.consolidation}{f': {stated}' if stated else ''}"


def _totals(inventory: Inventory) -> dict[str, int | None]:
    return {
        "scope1": inventory.scope(1).co2e_nano_kg,
        "scope2_location": inventory.scope(2, "location").co2e_nano_kg,
        "scope2_market": inventory.scope(2, "market").co2e_nano_kg,
        "total_location": inventory.total_nano_kg("location"),
        "total_market": inventory.total_nano_kg("market"),
    }


def _base_year(entries: Iterable[Entry], period: Period) -> Entry | None:
    """The newest base year before the period."""
    found = [
        entry
        for entry in entries
        if isinstance(entry.content, management.BaseYear) and entry.content.year < period.year
    ]
    return max(found, key=lambda entry: (entry.from_day, entry.entry_id), default=None)


def _base_facts(entry: Entry, period: Period) -> PeriodFacts:
    """The base year, or its month of the same name, as it was entered."""
    content = _content(entry)
    wanted = {period.from_day.month} if period.is_month else set(range(1, 13))
    months = [month for month in content.months if month.month in wanted]
    whole = len(months) == len(wanted)

    def total(*names: str) -> int | None:
        values = [getattr(month, name) for month in months for name in names]
        known = [value for value in values if value is not None]
        return round(sum(known) * 1e12) if whole and known and len(known) == len(values) else None

    output = [month.output for month in months if month.output is not None]
    return PeriodFacts(
        label=f"{content.year}-{period.from_day:%m}" if period.is_month else str(content.year),
        nano_kg={
            "scope1": total("scope1_t"),
            "scope2_location": total("scope2_location_t"),
            "scope2_market": total("scope2_market_t"),
            "total_location": total("scope1_t", "scope2_location_t"),
            "total_market": total("scope1_t", "scope2_market_t"),
        },
        boundary=content.boundary,
        points=frozenset(content.points),
        output={content.output_of: sum(output)} if content.output_of and len(output) == len(wanted) else {},
        days=(period.to_day - period.from_day).days,
        simulated=entry.simulated,
        comparable_by_statement=content.same_boundary,
    )
