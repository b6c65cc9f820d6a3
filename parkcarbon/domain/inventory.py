"""The inventory of a month or year on the method profile `ghgp`: assembled from amounts and entries, purely.

Scope 1 is fuel, refrigerants and processes; scope 2 is purchased electricity, heat, steam and cooling, twice (location-
and market-based); scope 3 stands apart. Purchases are gross import at the meter: exports are never netted, self-used
generation only lowers the import it replaces. Certificates change the market-based figure alone, credits change none.
An amount without a factor is listed as not in the total, with the reason; it is never counted as zero.

References:
    accounting rules 1.3 (electricity CO2 only), 1.4 (no life-cycle factor in scope 2), 1.19 (biogenic memo), 2.8, 5.1,
    5.2 (exports), 3.2 (credits are no part of it), 3.13, 3.15 (both scope 2 bases, remainder), 3.16 (sold
    certificates), 5.6 (metering identity), 6.7 (completeness), 6.8 (no rounding before display).
"""

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .activities.activity import Activity, within
from .activities.scope3 import Screened, screening_table
from .emissions import CO2_ONLY_NOTE, Basis, Settings
from .factors import Factor
from .instruments.cover import NO_COVER, Cover
from .methods.amounts import (
    PointAmount,
    completeness_pct,
    energy_balance,
    flow_warnings,
    load_of,
    state_shares,
)
from .methods.building import Building, times
from .methods.lines import Json, Line, Scope, by_gas, factor_document, kilograms, rfc3339
from .methods.market import electricity_document
from .reading import Method
from .refusal import RefusedError

METHOD_PROFILE: Final = "ghgp"
METHOD_VERSION: Final = "ghgp-2"
"""Names the arithmetic behind this file; another result for the same facts is another version."""

_PERIOD: Final = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2]))?")
_HOUR_MS: Final = 3_600_000
_FLOW_OF: Final = {"received": "import", "delivered": "export", "generated": "generation"}
_KWH_PER: Final = {"kWh": 1, "MWh": 1000}

__all__ = [
    "METHOD_PROFILE",
    "METHOD_VERSION",
    "Inventory",
    "Json",
    "Line",
    "PointAmount",
    "Scope",
    "assemble",
    "completeness_pct",
    "days_of",
    "electricity_micro_kwh",
    "energy_balance",
    "factor_document",
    "load_of",
    "rfc3339",
    "state_shares",
    "times",
]


@dataclass(frozen=True, slots=True)
class Inventory:
    """The inventory of one park and period as known on a date.

    Attributes:
        park: id.
        period: `2026-03`, `2026`, or `2025-04/2026-03` where periods were added up.
        known_on: moment of knowledge.
        gwp_set: declared set of warming potentials.
        from_time: begin.
        to_time: end.
        final: True when nothing is pending.
        scopes: 1, then 2 location-based, then 2 market-based.
        scope3: apart from the scopes above, never in their totals.
        screening: the fifteen categories of scope 3 and what was decided on each.
        not_in_total: amounts for which no emission could be computed, and why.
        beside: what is shown and belongs to no total: raw material, deliveries, removals, gases of other protocols.
        energy: balance by flow.
        completeness_pct: measured time of expected time [%].
        states: share of the metered time by data state.
        suspect_hours: meter-hours that look wrong [h].
        warnings: sentences.
        settings: the declared settings it was made with.
        cover: certificates and credits of the period; credits are in no figure here.
        time_ms: expected, measured and suspect time and time by data state [ms].
        method_version: of the arithmetic.
    """

    park: str
    period: str
    known_on: str
    gwp_set: str
    from_time: str
    to_time: str
    final: bool
    scopes: tuple[Scope, ...]
    scope3: Scope
    screening: tuple[Json, ...]
    not_in_total: tuple[Json, ...]
    beside: tuple[Json, ...]
    energy: Json
    completeness_pct: float | None
    states: Mapping[str, float]
    suspect_hours: float
    warnings: tuple[str, ...]
    settings: Settings
    cover: Cover = NO_COVER
    time_ms: Mapping[str, int] = field(default_factory=dict)
    method_version: str = METHOD_VERSION

    @property
    def month(self) -> str | None:
        """The period where it is a month."""
        return self.period if len(self.period) == len("2026-03") else None

    def scope(self, number: int, basis: Basis | None = None) -> Scope:
        """One scope; scope 2 on one basis."""
        if number == 3:
            return self.scope3
        return next(scope for scope in self.scopes if (scope.scope, scope.basis) == (number, basis))

    def lines(self, basis: Basis) -> tuple[Line, ...]:
        """All lines of scopes 1 and 2 on one basis."""
        return (*self.scope(1).lines, *self.scope(2, basis).lines)

    def total_nano_kg(self, basis: Basis) -> int | None:
        """Scopes 1 and 2 [1e-9 kgCO2e], exact; None while one of them is not known."""
        parts = [self.scope(1).co2e_nano_kg, self.scope(2, basis).co2e_nano_kg]
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    def counted_nano_kg(self, basis: Basis) -> int:
        """Everything counted in scopes 1 and 2 [1e-9 kgCO2e], whether or not something is missing."""
        return sum(line.co2e_nano_kg for line in self.lines(basis))

    def document(self) -> Json:
        """Plain JSON, in the shape of the HTTP contract."""
        members: Json = {
            "park": self.park,
            "period": self.period,
            "method_profile": METHOD_PROFILE,
            "method_version": self.method_version,
            "known_on": self.known_on,
            "gwp_set": self.gwp_set,
            "fuel_set": self.settings.fuel_set,
            "from": self.from_time,
            "to": self.to_time,
            "final": self.final,
            "scopes": [scope.document() for scope in self.scopes],
            "scope3": {**self.scope3.document(), "screening": list(self.screening)},
            "totals": {"location": self._totals("location"), "market": self._totals("market")},
            "biogenic_co2_kg": self.biogenic_nano_kg / 1e9,
            "not_in_total": list(self.not_in_total),
            "beside": list(self.beside),
            "instruments": electricity_document(self.cover),
            "energy": self.energy,
            "completeness_pct": self.completeness_pct,
            "states": dict(self.states),
            "suspect_hours": self.suspect_hours,
            "warnings": list(self.warnings),
        }
        return members if self.month is None else {**members, "month": self.month}

    @property
    def biogenic_nano_kg(self) -> int:
        """CO2 of biomass, a memo outside every total [1e-9 kg]."""
        return sum(line.biogenic_nano_kg for line in self.lines("location"))

    def unverified_pct(self, basis: Basis) -> float | None:
        """Share of what is counted that rests on a factor not seen in its source [%]."""
        counted = self.counted_nano_kg(basis)
        doubtful = sum(line.co2e_nano_kg for line in self.lines(basis) if line.unverified)
        return 100 * doubtful / counted if counted else None

    def to_bytes(self) -> bytes:
        """Canonical JSON: the bytes that are hashed."""
        return json.dumps(
            self.document(), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode()

    def _totals(self, basis: Basis) -> Json:
        lines = self.lines(basis)
        known = {"1": self.scope(1).co2e_nano_kg, "2": self.scope(2, basis).co2e_nano_kg}
        return {
            "co2e_kg": kilograms(self.total_nano_kg(basis)),
            "counted_co2e_kg": self.counted_nano_kg(basis) / 1e9,
            "not_known": [f"scope {number}" for number, nano in known.items() if nano is None],
            "by_gas_kg_co2e": {gas: nano / 1e9 for gas, nano in by_gas(lines).items()},
            "electricity_co2_only": any(CO2_ONLY_NOTE in line.note for line in lines),
            "unverified_pct": self.unverified_pct(basis),
        }


def assemble(
    points: Iterable[PointAmount],
    factors: Iterable[Factor],
    settings: Settings,
    *,
    park: str,
    period: str,
    from_time: dt.datetime,
    to_time: dt.datetime,
    known_on: dt.datetime,
    final: bool,
    activities: Sequence[Activity] = (),
    cover: Cover = NO_COVER,
    screening: Sequence[Screened] = (),
) -> Inventory:
    """Assemble the inventory of a month or a year.

    Args:
        points: amounts of every counter and delta point of the park, any order; gauges are not among them.
        factors: all factor records.
        settings: method settings of the park.
        park: id.
        period: local month `YYYY-MM` or year `YYYY`; its year is the data year that is asked for.
        from_time: begin of the period.
        to_time: end of the period.
        known_on: date of knowledge of the factors.
        final: True when the period is closed for this inventory.
        activities: entries, any order; those that reach beyond the period count by their days inside it.
        cover: what cancelled certificates cover; location-based figures never change.
        screening: decisions on the categories of scope 3.

    Raises:
        RefusedError: the period is no month or year, two entries have one id, certificates cover more than was bought.
    """
    from_day, to_day = days_of(period)
    ordered = sorted(points, key=lambda point: point.point)
    entered = _entered(activities, from_day, to_day)
    building = Building(tuple(factors), settings, from_day.year, known_on)
    for point in ordered:
        building.take_point(point)
    for activity in entered:
        building.take_activity(activity)
    building.finish(cover)
    lines = {key: tuple(sorted(found, key=_order)) for key, found in building.lines.items()}
    scopes = (
        Scope(1, None, lines[1, None], absent=1 in settings.absent),
        Scope(2, "location", lines[2, "location"], absent=2 in settings.absent),
        Scope(2, "market", lines[2, "market"], absent=2 in settings.absent),
    )
    rows, complaints = screening_table(
        screening, frozenset(line.scope3_category for line in lines[3, None] if line.scope3_category)
    )
    flows = [point for point in ordered if point.flow is not None]
    warnings = [*building.warnings, *_warnings(flows, entered, scopes), *(complaints if screening else ())]
    return Inventory(
        park=park,
        period=period,
        known_on=rfc3339(known_on),
        gwp_set=settings.gwp_set,
        from_time=rfc3339(from_time),
        to_time=rfc3339(to_time),
        final=final,
        scopes=scopes,
        scope3=Scope(3, None, lines[3, None]),
        screening=tuple(rows),
        not_in_total=tuple(building.left_out),
        beside=tuple(building.beside),
        energy={**energy_balance([*ordered, *_as_points(entered)]), "gas_gj": building.gas_gj},
        completeness_pct=completeness_pct(flows),
        states=state_shares(flows),
        suspect_hours=sum(point.suspect_ms for point in flows) / _HOUR_MS,
        warnings=tuple(dict.fromkeys(warnings)),
        settings=settings,
        cover=cover,
        time_ms=_times(flows),
    )


def days_of(period: str) -> tuple[dt.date, dt.date]:
    """First day of a period and the day after its last.

    >>> days_of("2026-12"), days_of("2026")[1]
    ((datetime.date(2026, 12, 1), datetime.date(2027, 1, 1)), datetime.date(2027, 1, 1))

    Raises:
        RefusedError: neither a month nor a year.
    """
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise RefusedError("", f"{period!r} is neither a month like 2026-03 nor a year like 2026")
    year, month = int(found[1]), int(found[2] or 1)
    months = 1 if found[2] else 12
    last = year * 12 + month - 1 + months
    return dt.date(year, month, 1), dt.date(last // 12, last % 12 + 1, 1)


def electricity_micro_kwh(
    points: Iterable[PointAmount], activities: Iterable[Activity], period: str
) -> dict[str, int | None]:
    """Electricity of a period by flow [1e-6 kWh], metered and entered: what certificates are held against.

    Args:
        points: metered amounts of the period.
        activities: entries; those that reach beyond the period count by their days inside it.
        period: month or year.

    Returns:
        `import`, `export`, `generation`, and `self_used` = generation - export, not below zero; None: not known, as
        self-use is where an export meter shows nothing. What was made from fuel of fossil origin is none of it: it gets
        no certificate, and its energy is that of the fuel.
    """
    entered = [entry for entry in _entered(list(activities), *days_of(period)) if not _made_of_fossil_fuel(entry)]
    everything = [*points, *_as_points(entered)]
    sums: dict[str, int | None] = {}
    for flow in _FLOW_OF.values():
        known = [point.amount_micro for point in everything if _is_electric(point, flow) and point.known]
        sums[flow] = sum(known) if known else None
    generation = sums["generation"]
    told = all(point.known for point in everything if _is_electric(point, "export"))
    sums["self_used"] = max(generation - (sums["export"] or 0), 0) if generation is not None and told else None
    return sums


def _made_of_fossil_fuel(activity: Activity) -> bool:
    return (activity.kind, activity.direction, activity.origin) == ("electricity", "generated", "fossil")


def _is_electric(point: PointAmount, flow: str) -> bool:
    return (point.carrier, point.flow) == ("electricity", flow)


def _entered(activities: Sequence[Activity], from_day: dt.date, to_day: dt.date) -> list[Activity]:
    """The entries of the period in a fixed order; entries that reach beyond it by their days inside it."""
    names = [activity.activity for activity in activities]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise RefusedError("6.10", f"entries {', '.join(twice)} are there twice")
    ordered = sorted(activities, key=lambda activity: (activity.kind, activity.name, activity.activity))
    parts = [within(activity, from_day, to_day) for activity in ordered]
    return [part for part in parts if part is not None]


def _as_points(activities: Iterable[Activity]) -> list[PointAmount]:
    """Entered electricity as amounts of the balance."""
    return [
        PointAmount(
            point=activity.name,
            flow=_FLOW_OF[activity.direction],
            carrier="electricity",
            unit="kWh",
            amount_micro=activity.amount_micro * _KWH_PER[activity.unit],
            method_ms={activity.state: 1},
        )
        for activity in activities
        if activity.kind == "electricity"
    ]


def _order(line: Line) -> tuple[str, str, bool]:
    return line.source, line.entry, bool(line.instruments)


def _times(points: Sequence[PointAmount]) -> dict[str, int]:
    by_state = {method.name.lower(): sum(point.method_ms.get(method, 0) for point in points) for method in Method}
    return {
        "expected": sum(point.expected_ms for point in points),
        "measured_time": sum(point.measured_ms for point in points),
        "suspect": sum(point.suspect_ms for point in points),
        **by_state,
    }


def _warnings(points: Sequence[PointAmount], entered: Sequence[Activity], scopes: Sequence[Scope]) -> list[str]:
    warnings = flow_warnings(points)
    metered = any((point.carrier, point.flow) == ("gas", "fuel") for point in points)
    if scopes[0].co2e_nano_kg is None and not metered:
        warnings.append("no fuel is metered: scope 1 is not known")
    if metered and any((activity.kind, activity.subject) == ("fuel", "gas") for activity in entered):
        warnings.append("gas is both metered and entered: make sure that nothing is counted twice")
    location, market = scopes[1].co2e_nano_kg, scopes[2].co2e_nano_kg
    if location is not None and market is not None and market > location:
        warnings.append(
            "market-based scope 2 exceeds location-based: what no certificate covers takes the remainder factor,"
            " from which the power that others claim was taken out"
        )
    if any(activity.simulated for activity in entered):
        warnings.append("some entries are simulated: not for use outside a demonstration")
    return warnings
