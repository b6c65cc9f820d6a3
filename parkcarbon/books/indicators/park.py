"""The park indicator and the energy it divides by, from the books: windows, coal values, guiding indicators, evidence.

Emissions come from the method profile `zcp910` month by month and are added exactly; nothing of another profile is in.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from parkcarbon.books.amounts import Period, parse_period, point_amounts
from parkcarbon.books.facts import Entry, Facts
from parkcarbon.books.inventory import Inputs, load_inputs, result_of, with_entries
from parkcarbon.catalog.entries import management
from parkcarbon.catalog.indicators import direct_connections, energy_conversion, park_schemes
from parkcarbon.domain.indicators.datasets import EqualValue, scheme_for
from parkcarbon.domain.indicators.energy import Comprehensive, EnergyUse, OwnGeneration, comprehensive
from parkcarbon.domain.indicators.park910 import (
    ConnectionResult,
    DirectSupply,
    GuidingValue,
    ParkIndicator,
    Window,
    WindowKind,
    park_indicator,
)
from parkcarbon.domain.inventory import load_of
from parkcarbon.domain.methods.amounts import flow_micro
from parkcarbon.domain.methods.result import EnergyInput, MethodResult, add
from parkcarbon.kit.db import Session

Json = dict[str, Any]

_ENTERED_FOR: Final[Mapping[str, frozenset[str]]] = {
    "electricity": frozenset({"electricity"}),
    "gas": frozenset({"fuel"}),
    "heat": frozenset({"heat", "steam"}),
}


@dataclass
class Months:
    """Months of one park on the park indicator's method, each computed once.

    Attributes:
        session: a connection, best in a transaction that sees one moment of the database.
        park: id.
        now: time of now.
        as_of: moment of knowledge; None: now.
    """

    session: Session
    park: str
    now: dt.datetime
    as_of: dt.datetime | None = None

    def __post_init__(self) -> None:
        """Nothing is read yet."""
        self._inputs: dict[str, Inputs] = {}

    async def inputs(self, label: str) -> Inputs:
        """What the results of a period follow from."""
        if label not in self._inputs:
            self._inputs[label] = await self._load(label)
        return self._inputs[label]

    async def supplied(self, label: str) -> Inputs:
        """As `inputs`; who used the energy may be left out."""
        return await self.inputs(label)

    async def _load(self, label: str) -> Inputs:
        """Read a period; the facts of now are read once for all of them."""
        known = next(iter(self._inputs.values()), None)
        if known is None or self.as_of is not None:
            return await load_inputs(self.session, self.park, label, now=self.now, as_of=self.as_of)
        period = parse_period(label, known.facts.zone)
        points = await point_amounts(self.session, known.facts, period.from_ms, period.to_ms)
        return await with_entries(self.session, known.facts, period, points)

    async def counted(self, labels: Sequence[str]) -> "Counted":
        """The method's result of consecutive periods, added exactly."""
        parts = [counted(await self.supplied(label)) for label in labels]
        unknown = dict.fromkeys(name for part in parts for name in part.unknown)
        return Counted(add([part.result for part in parts]), tuple(unknown))


@dataclass(frozen=True)
class Counted:
    """A result on the park indicator's method, and the energy that is missing in it.

    Attributes:
        result: of the method.
        unknown: sources of energy of which nothing is known; what rests on them is not known either.
    """

    result: MethodResult
    unknown: tuple[str, ...]


def counted(inputs: Inputs) -> Counted:
    """A period on the park indicator's method.

    A meter without any reading in the period is not missing where its carrier was entered for the period instead, as
    for the months before it was there.
    """
    result = method_result(inputs)
    unmetered = {point.point: point.carrier for point in inputs.points if not point.known}
    kinds = {activity.kind for activity in inputs.activities}
    unknown = []
    for item in result.not_in_total:
        name = str(item["point"])
        if name in unmetered:
            entered = kinds & _ENTERED_FOR.get(unmetered[name], frozenset())
        else:
            entered = {activity.kind for activity in inputs.activities if activity.name == name} & {"process"}
        if not entered:
            unknown.append(name)
    return Counted(result, tuple(unknown))


def method_result(inputs: Inputs) -> MethodResult:
    """A period on the method profile of the park indicator."""
    found = result_of(inputs, "zcp910", final=False)
    if not isinstance(found, MethodResult):
        raise TypeError(f"zcp910 gives a {type(found).__name__}")
    return found


async def park_indicators(
    session: Session, park: str, *, now: dt.datetime, as_of: dt.datetime | None = None, day: dt.date | None = None
) -> list[ParkIndicator]:
    """The park indicator for the year to date, the last full year and the last twelve whole months.

    Args:
        session: a connection.
        park: id.
        now: time of now.
        as_of: moment of knowledge; None: now.
        day: local day the windows end with; None: today.

    Raises:
        RefusedError: `as_of` is too new, or a guiding indicator is entered that may not be.
        LookupError: there is no such park.
    """
    months = Months(session, park, now, as_of)
    today = (as_of or now).date() if day is None else day
    facts = (await months.inputs(f"{today:%Y-%m}")).facts
    last = min(today, facts.until.astimezone(facts.zone).date())
    rolling = await _indicator(months, facts, _window("rolling_12_months", last), None)
    full = await _indicator(months, facts, _window("last_full_year", last), None)
    annual = rolling.annual_tce if rolling.annual_tce is not None else full.annual_tce
    to_date = await _indicator(months, facts, _window("year_to_date", last), annual)
    return [to_date, full, rolling]


def _window(kind: WindowKind, last: dt.date) -> Window:
    """The days of a window that ends with or before a day."""
    first_of_month = last.replace(day=1)
    if kind == "last_full_year":
        begin, end = dt.date(last.year - 1, 1, 1), dt.date(last.year, 1, 1)
        return Window(kind, begin, end, (str(last.year - 1),))
    if kind == "rolling_12_months":
        begin = first_of_month.replace(year=last.year - 1)
        return Window(kind, begin, first_of_month, _labels(begin, first_of_month))
    begin, end = dt.date(last.year, 1, 1), last + dt.timedelta(days=1)
    return Window(kind, begin, end, _labels(begin, end))


def _labels(begin: dt.date, end: dt.date) -> tuple[str, ...]:
    """Months that begin in `[begin, end)`."""
    first, last = begin.year * 12 + begin.month - 1, end.year * 12 + end.month - 1
    if end.day > 1:
        last += 1
    return tuple(f"{month // 12}-{month % 12 + 1:02d}" for month in range(first, last))


async def _indicator(months: Months, facts: Facts, window: Window, annual_tce: float | None) -> ParkIndicator:
    found = await months.counted(window.months)
    result = found.result
    last_day = window.to_day - dt.timedelta(days=1)
    scheme, notes = scheme_for(park_schemes(), last_day)
    energy = energy_of(facts, found, last_day.year)
    return park_indicator(
        scheme,
        window,
        energy_nano_kg=None if found.unknown else result.energy_nano_kg,
        process_nano_kg=result.process_nano_kg,
        energy=energy,
        annual_tce=annual_tce,
        entered=guiding_values(facts.entries, window),
        direct=direct_supply(result, scheme.direct_green_share_pct),
        notes=(*notes, *_notes(result, window)),
    )


def _notes(result: MethodResult, window: Window) -> list[str]:
    said = [f"{item['point']} is not in the total: {item['reason']}" for item in result.not_in_total]
    if any(line.simulated for line in result.lines):
        said.append("some amounts are simulated 仿真")
    years = {label[:4] for label in window.months}
    if len(years) > 1:
        said.append(f"electricity of {' and '.join(sorted(years))} is counted at the 等价值 of {max(years)}")
    return [*dict.fromkeys(said), *result.warnings]


def energy_of(facts: Facts, found: Counted, year: int) -> Comprehensive:
    """Comprehensive energy of a result.

    Args:
        facts: the park as known; entered coal values are among its entries.
        found: on the park indicator's method.
        year: whose 等价值 applies.
    """
    conversion = energy_conversion()
    region = facts.document.method.electricity_region
    equal = conversion.equal_value(year, region, equal_values(facts.entries))
    uses = [*_uses(found.result.energy), *(EnergyUse(name, "", None) for name in found.unknown)]
    return comprehensive(uses, year=year, conversion=conversion, equal=equal)


def equal_values(entries: Iterable[Entry]) -> list[EqualValue]:
    """Coal values of electricity that were entered and reviewed."""
    return [
        EqualValue(
            entry.content.region,
            entry.content.year,
            entry.content.kgce_per_kwh,
            f"{entry.content.document} (entry {entry.entry_id})",
            entry_id=entry.entry_id,
        )
        for entry in entries
        if isinstance(entry.content, management.EqualValue)
    ]


def _uses(inputs: Iterable[EnergyInput]) -> list[EnergyUse]:
    """Energy inputs of several periods by name; one that is unknown in a period is unknown."""
    by_name: dict[tuple[str, str, bool], list[EnergyInput]] = {}
    for item in inputs:
        by_name.setdefault((item.name, item.carrier, item.feedstock), []).append(item)
    uses = []
    for (name, carrier, feedstock), items in by_name.items():
        known = [item.amount_micro for item in items if item.amount_micro is not None]
        amount = sum(known) / 1e6 if len(known) == len(items) else None
        clean = 0.0 if amount is None else sum(item.clean_micro for item in items) / 1e6
        uses.append(
            EnergyUse(
                name=name,
                carrier=carrier,
                amount=amount,
                clean=clean,
                fossil_gas=carrier in ("gas", "natural_gas", "lng") and not clean,
                feedstock=feedstock,
                source=name,
            )
        )
    return uses


def direct_supply(result: MethodResult, at_least_pct: float) -> DirectSupply:
    """Green power supplied directly, against the consumption of electricity."""
    consumed = [item.amount_micro for item in result.energy if item.carrier == "electricity"]
    known = [amount for amount in consumed if amount is not None]
    supplied = result.direct_micro_kwh
    return DirectSupply(
        None if supplied is None else supplied / 1e6,
        sum(known) / 1e6 if known and len(known) == len(consumed) else None,
        at_least_pct,
    )


def guiding_values(entries: Iterable[Entry], window: Window) -> dict[str, GuidingValue]:
    """Guiding indicators entered for days of a window; the latest of each counts."""
    found: dict[str, tuple[dt.date, GuidingValue]] = {}
    for entry in entries:
        content = entry.content
        if not isinstance(content, management.GuidingIndicator):
            continue
        if entry.from_day >= window.to_day or entry.to_day <= window.from_day:
            continue
        value = GuidingValue(content.value_pct, entry.evidence, content.excluded_because, entry.entry_id)
        if content.indicator not in found or found[content.indicator][0] <= entry.from_day:
            found[content.indicator] = (entry.from_day, value)
    return {name: value for name, (_, value) in found.items()}


@dataclass(frozen=True)
class Energy:
    """Energy of a period as indicators need it."""

    period: Period
    comprehensive: Comprehensive
    own: OwnGeneration
    direct: DirectSupply
    connections: tuple[ConnectionResult, ...]
    notes: tuple[str, ...]

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "period": self.period.label,
            "comprehensive_energy": self.comprehensive.document(),
            "own_generation": self.own.document(),
            "direct_green_supply": self.direct.document(),
            "direct_connections": [result.document() for result in self.connections],
            "notes": list(self.notes),
        }


async def period_energy(
    session: Session, park: str, period: str, *, now: dt.datetime, as_of: dt.datetime | None = None
) -> Energy:
    """Comprehensive energy, both shares of own generation and direct supply of a month or year."""
    months = Months(session, park, now, as_of)
    inputs = await months.inputs(period)
    facts, span = inputs.facts, inputs.period
    found = counted(inputs)
    result = found.result
    last_day = span.to_day - dt.timedelta(days=1)
    scheme, notes = scheme_for(park_schemes(), last_day)
    direct = direct_supply(result, scheme.direct_green_share_pct)
    return Energy(
        period=span,
        comprehensive=energy_of(facts, found, span.year),
        own=own_generation(inputs),
        direct=direct,
        connections=tuple(_connections(facts, span, direct.consumption_kwh)),
        notes=(*notes, *_notes(result, Window("month", span.from_day, span.to_day, (span.label,)))),
    )


def own_generation(inputs: Inputs) -> OwnGeneration:
    """Metered own generation, export and load of a period; None where a flow the park has is not known."""
    flows = ("import", "export", "generation", "charge", "discharge")
    power = {flow: flow_micro(inputs.points, flow) for flow in flows}
    known = {flow: 0 if micro is None and not _has(inputs, flow) else micro for flow, micro in power.items()}
    load = None if None in known.values() else load_of(known)
    return OwnGeneration(known["generation"] if _has(inputs, "generation") else None, known["export"], load)


def _has(inputs: Inputs, flow: str) -> bool:
    return any(point.flow == flow and point.carrier == "electricity" for point in inputs.points)


def _connections(facts: Facts, period: Period, load_kwh: float | None) -> Iterable[ConnectionResult]:
    """Green direct connections of the period, each against the conditions in force."""
    conditions = direct_connections()[-1]
    for entry in facts.entries:
        content = entry.content
        if not isinstance(content, management.GreenDirectSupply):
            continue
        if entry.from_day >= period.to_day or entry.to_day <= period.from_day:
            continue
        notes = [f"{content.line}: {entry.evidence}", *(["simulated 仿真"] if entry.simulated else [])]
        generated = content.generation_kwh
        yield ConnectionResult(conditions, period.year, content.self_used_kwh, generated, load_kwh, tuple(notes))
