"""The inventory of a month on the method profile `ghgp`: assembled from monthly amounts, purely.

Scope 1 is fuel, scope 2 is purchased electricity, twice (location- and market-based), and purchased heat. Purchases are
gross import at the meter: exports are never netted, self-used generation only lowers the import it replaces. An amount
without a factor is listed as not in the total, with the reason; it is never counted as zero.

References:
    accounting rules 1.3 (electricity CO2 only), 2.8, 5.1, 5.2 (exports), 3.13, 3.15 (both scope 2 bases, remainder),
    5.6 (metering identity), 6.7 (completeness), 6.8 (no rounding before display).
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from .emissions import Basis, CarrierFactor, Settings, gas_masses_kg, resolve
from .factors import Factor, FactorMatch, Match, NoFactorError
from .reading import Method

METHOD_PROFILE: Final = "ghgp"
METHOD_VERSION: Final = "ghgp-1"
"""Names the arithmetic of this file and of `emissions`; another result for the same facts is another version."""

_FALLBACKS: Final = frozenset({Match.NATIONAL_FALLBACK, Match.LOCATION_FALLBACK, Match.WORLD_DEFAULT})
_IN_TOTAL: Final = {("electricity", "import"), ("gas", "fuel"), ("heat", "heat")}
_BALANCE: Final = frozenset({"import", "export", "generation", "charge", "discharge"})
_HOUR_MS: Final = 3_600_000
_MISSING_TOLD: Final = 1e-4  # of a running month the newest seconds are always on their way

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class PointAmount:
    """What one point amounts to in the period, summed from its intervals.

    Attributes:
        point: name, `device/quantity`.
        flow: what it means for the balance; None: nothing.
        carrier: `electricity`, `gas`, `heat` or `none`.
        unit: unit of the amount.
        amount_micro: amount [1e-6 unit].
        co2e_nano_kg: stored location-based CO2e of its intervals [1e-9 kg]; None where any interval has none.
        intervals: number of intervals behind the sums.
        measured_ms: time that is measured [ms].
        expected_ms: time the point should cover: the period so far [ms].
        suspect_ms: time in suspect intervals [ms].
        method_ms: known and missing time by `Method` [ms]; the rest of `expected_ms` is missing.
    """

    point: str
    flow: str | None
    carrier: str
    unit: str
    amount_micro: int
    co2e_nano_kg: int | None = None
    intervals: int = 0
    measured_ms: int = 0
    expected_ms: int = 0
    suspect_ms: int = 0
    method_ms: Mapping[Method, int] = field(default_factory=dict)

    @property
    def amount(self) -> float:
        """Amount [unit]."""
        return self.amount_micro / 1e6

    @property
    def known(self) -> bool:
        """False where nothing at all is known of the period; its amount is then not zero but unknown."""
        if self.amount_micro or self.measured_ms:
            return True
        return any(time_ms for method, time_ms in self.method_ms.items() if method is not Method.MISSING)


@dataclass(frozen=True, slots=True)
class Line:
    """One source in one scope; masses in kg per gas, `CO2e` where the source does not split it."""

    source: str
    carrier: str
    activity: float
    activity_unit: str
    gases: Mapping[str, float]
    co2e_nano_kg: int
    factors: tuple[FactorMatch, ...]
    note: str

    @property
    def unverified(self) -> bool:
        """True when a number behind the line was not seen in its source."""
        return any(match.unverified for match in self.factors)

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "source": self.source,
            "carrier": self.carrier,
            "activity": self.activity,
            "activity_unit": self.activity_unit,
            "gases": {gas: self.gases.get(gas) for gas in ("CO2", "CH4", "N2O")},
            "co2e_kg": self.co2e_nano_kg / 1e9,
            "factors": [factor_document(match) for match in self.factors],
            "unverified": self.unverified,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Scope:
    """The lines of one scope on one basis; no lines: nothing is known of it, which is not zero."""

    scope: Literal[1, 2]
    basis: Basis | None
    lines: tuple[Line, ...]

    @property
    def co2e_nano_kg(self) -> int | None:
        """Total [1e-9 kg], exact."""
        return sum(line.co2e_nano_kg for line in self.lines) if self.lines else None

    def document(self) -> Json:
        """As the API gives it."""
        total = self.co2e_nano_kg
        return {
            "scope": self.scope,
            "basis": self.basis,
            "co2e_kg": None if total is None else total / 1e9,
            "lines": [line.document() for line in self.lines],
        }


@dataclass(frozen=True, slots=True)
class Inventory:
    """The inventory of one park and month as known on a date."""

    park: str
    month: str
    known_on: str
    gwp_set: str
    from_time: str
    to_time: str
    final: bool
    scopes: tuple[Scope, ...]
    not_in_total: tuple[Json, ...]
    energy: Json
    completeness_pct: float | None
    states: Mapping[str, float]
    suspect_hours: float
    warnings: tuple[str, ...]

    def document(self) -> Json:
        """Plain JSON, in the shape of the HTTP contract."""
        return {
            "park": self.park,
            "month": self.month,
            "method_profile": METHOD_PROFILE,
            "method_version": METHOD_VERSION,
            "known_on": self.known_on,
            "gwp_set": self.gwp_set,
            "from": self.from_time,
            "to": self.to_time,
            "final": self.final,
            "scopes": [scope.document() for scope in self.scopes],
            "not_in_total": list(self.not_in_total),
            "energy": self.energy,
            "completeness_pct": self.completeness_pct,
            "states": dict(self.states),
            "suspect_hours": self.suspect_hours,
            "warnings": list(self.warnings),
        }

    def to_bytes(self) -> bytes:
        """Canonical JSON: the bytes that are hashed."""
        return json.dumps(
            self.document(), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode()


def assemble(
    points: Iterable[PointAmount],
    factors: Iterable[Factor],
    settings: Settings,
    *,
    park: str,
    month: str,
    from_time: dt.datetime,
    to_time: dt.datetime,
    known_on: dt.datetime,
    final: bool,
) -> Inventory:
    """Assemble the inventory of a month.

    Args:
        points: amounts of every counter and delta point of the park, any order; gauges are not among them.
        factors: all factor records.
        settings: method settings of the park.
        park: id.
        month: local month, `YYYY-MM`; its year is the data year that is asked for.
        from_time: begin of the local month.
        to_time: end of the local month.
        known_on: date of knowledge of the factors.
        final: True when the month is closed for this inventory.
    """
    ordered = sorted(points, key=lambda point: point.point)
    building = _Building(tuple(factors), settings, int(month[:4]), known_on)
    for point in ordered:
        building.take(point)
    flows = [point for point in ordered if point.flow is not None]
    return Inventory(
        park=park,
        month=month,
        known_on=rfc3339(known_on),
        gwp_set=settings.gwp_set,
        from_time=rfc3339(from_time),
        to_time=rfc3339(to_time),
        final=final,
        scopes=building.scopes(),
        not_in_total=tuple(building.left_out),
        energy=energy_balance(ordered),
        completeness_pct=completeness_pct(flows),
        states=state_shares(flows),
        suspect_hours=sum(point.suspect_ms for point in flows) / _HOUR_MS,
        warnings=tuple(dict.fromkeys((*building.warnings, *_flow_warnings(flows)))),
    )


class _Building:
    """Lines, leftovers and warnings as they come up."""

    def __init__(self, factors: tuple[Factor, ...], settings: Settings, data_year: int, known_on: dt.datetime) -> None:
        self._factors = factors
        self._settings = settings
        self._data_year = data_year
        self._known_on = known_on
        self._lines: dict[tuple[int, Basis | None], list[Line]] = {(1, None): []}
        self._lines |= {(2, "location"): [], (2, "market"): []}
        self.left_out: list[Json] = []
        self.warnings: list[str] = []

    def take(self, point: PointAmount) -> None:
        """Count a point where its flow belongs."""
        if point.flow == "process":
            self._leave_out(point, "process emissions need a factor per product")
        if (point.carrier, point.flow) not in _IN_TOTAL:
            return
        if not point.known:
            self._leave_out(point, "no readings in this period")
            return
        try:
            self._count(point)
        except NoFactorError as reason:
            self._leave_out(point, str(reason))

    def scopes(self) -> tuple[Scope, ...]:
        """Scope 1, then scope 2 on both bases."""
        return (
            Scope(1, None, tuple(self._lines[1, None])),
            Scope(2, "location", tuple(self._lines[2, "location"])),
            Scope(2, "market", tuple(self._lines[2, "market"])),
        )

    def _count(self, point: PointAmount) -> None:
        location = self._resolve(point, "location")
        line = self._line(point, location, self._located(point, location))
        if location.scope == 1:
            self._lines[1, None].append(line)
            return
        market = line if location.basis is None else self._market_line(point, line)
        self._lines[2, "location"].append(line)
        self._lines[2, "market"].append(market)

    def _resolve(self, point: PointAmount, basis: Basis) -> CarrierFactor:
        return resolve(
            self._factors,
            self._settings,
            carrier=point.carrier,
            unit=point.unit,
            data_year=self._data_year,
            known_on=self._known_on,
            basis=basis,
        )

    def _market_line(self, point: PointAmount, location: Line) -> Line:
        market = self._resolve(point, "market")
        if market.is_series:  # no remainder factor: the hours of the location-based series, already summed
            return self._line(point, market, location.co2e_nano_kg)
        return self._line(point, market, times(point.amount_micro, market.co2e))

    def _located(self, point: PointAmount, factor: CarrierFactor) -> int:
        """Location-based CO2e [1e-9 kg]: the sum of the intervals, as long as they used the factor named here."""
        stored = point.co2e_nano_kg
        if factor.is_series:
            if stored is None:
                raise NoFactorError(f"{factor.leading.factor.factor} has no value for some hours of {point.point}")
            return stored
        computed = times(point.amount_micro, factor.co2e)
        if stored is None:
            return computed
        if abs(stored - computed) > point.intervals + abs(computed) // 10**12:
            self.warnings.append(
                f"{point.point}: its intervals were computed with another factor than"
                f" {factor.leading.factor.factor}; the line uses the latter"
            )
            return computed
        return stored

    def _line(self, point: PointAmount, factor: CarrierFactor, co2e_nano_kg: int) -> Line:
        self.warnings.extend(factor.notes)
        self.warnings.extend(f"{match.factor.factor} is unverified" for match in factor.matches if match.unverified)
        gases = gas_masses_kg(point.amount, factor)
        if factor.is_series:
            gases = {factor.leading.factor.gas: co2e_nano_kg / 1e9}
        note = "; ".join(factor.notes)
        return Line(point.point, point.carrier, point.amount, point.unit, gases, co2e_nano_kg, factor.matches, note)

    def _leave_out(self, point: PointAmount, reason: str) -> None:
        self.left_out.append(
            {
                "carrier": point.carrier,
                "point": point.point,
                "amount": point.amount if point.known else None,
                "unit": point.unit,
                "reason": reason,
            }
        )
        self.warnings.append(f"{point.point} is not in the total")


def times(amount_micro: int, kg_per_unit: float) -> int:
    """CO2e of one amount, rounded once [1e-9 kg].

    >>> times(1_000_000, 0.5827)
    582700000
    """
    return round(amount_micro * kg_per_unit * 1e3)


def energy_balance(points: Sequence[PointAmount]) -> Json:
    """Energy of the period by flow; None where no point carries the flow, or nothing is known of those that do.

    load = import + generation + discharge - charge - export; unmetered = load - sum of sub-meters, both in kWh.
    """
    power = {
        flow: _flow_micro(points, flow)
        for flow in ("import", "export", "generation", "charge", "discharge", "sub_meter")
    }
    balanced = [point for point in points if point.carrier == "electricity" and point.flow in _BALANCE]
    whole = bool(balanced) and all(point.known for point in balanced)
    supplied = power["import"] is not None or power["generation"] is not None
    load = load_of(power) if whole and supplied else None
    metered = power["sub_meter"]
    return {
        "grid_import_kwh": _kwh(power["import"]),
        "grid_export_kwh": _kwh(power["export"]),
        "generation_kwh": _kwh(power["generation"]),
        "charge_kwh": _kwh(power["charge"]),
        "discharge_kwh": _kwh(power["discharge"]),
        "load_kwh": _kwh(load),
        "unmetered_kwh": None if load is None or metered is None else (load - metered) / 1e6,
        "gas": _by_unit(points, "gas", "fuel"),
        "heat": _by_unit(points, "heat", "heat"),
    }


def load_of(power: Mapping[str, int | None]) -> int:
    """Load = import + generation + discharge - charge - export; a flow the park does not have counts nothing."""
    known = {flow: amount or 0 for flow, amount in power.items()}
    return known["import"] + known["generation"] + known["discharge"] - known["charge"] - known["export"]


def completeness_pct(points: Sequence[PointAmount]) -> float | None:
    """Measured time of expected time, over the points given [%]; None where nothing is expected."""
    expected = sum(point.expected_ms for point in points)
    return 100 * sum(point.measured_ms for point in points) / expected if expected else None


def state_shares(points: Sequence[PointAmount]) -> dict[str, float]:
    """Share of the expected time by data state; the shares sum to 1, what no interval covers is missing."""
    expected = sum(point.expected_ms for point in points)
    if not expected:
        return {}
    spent = {method: sum(point.method_ms.get(method, 0) for point in points) for method in Method}
    spent[Method.MISSING] += max(expected - sum(spent.values()), 0)
    whole = sum(spent.values())
    return {method.name.lower(): time_ms / whole for method, time_ms in spent.items()}


def factor_document(match: FactorMatch) -> Json:
    """A factor and how it matched, as the API gives it."""
    factor = match.factor
    return {
        "factor": factor.factor,
        "value": factor.value,
        "unit": factor.unit,
        "gas": factor.gas,
        "basis": factor.basis,
        "purpose": factor.purpose,
        "region": factor.region,
        "data_year": factor.data_year,
        "publisher": factor.publisher,
        "edition": factor.edition,
        "published_on": None if factor.published_on is None else factor.published_on.isoformat(),
        "unverified": factor.unverified,
        "match": match.match.name.lower(),
        "fallback": match.match in _FALLBACKS,
    }


def rfc3339(time: dt.datetime) -> str:
    """RFC 3339 in UTC with `Z`."""
    return time.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _flow_micro(points: Sequence[PointAmount], flow: str) -> int | None:
    amounts = [
        point.amount_micro for point in points if point.carrier == "electricity" and point.flow == flow and point.known
    ]
    return sum(amounts) if amounts else None


def _kwh(micro: int | None) -> float | None:
    return None if micro is None else micro / 1e6


def _by_unit(points: Sequence[PointAmount], carrier: str, flow: str) -> dict[str, float]:
    """Amounts of a carrier, one sum per unit."""
    sums: dict[str, int] = {}
    for point in points:
        if (point.carrier, point.flow) == (carrier, flow) and point.known:
            sums[point.unit] = sums.get(point.unit, 0) + point.amount_micro
    return {unit: micro / 1e6 for unit, micro in sums.items()}


def _flow_warnings(points: Sequence[PointAmount]) -> list[str]:
    """What a reader should know of the period, in sentences."""
    warnings = []
    exported = _flow_micro(points, "export")
    if exported:
        warnings.append(f"{exported / 1e6:g} kWh exported are not netted against purchases")
    missing = state_shares(points).get(Method.MISSING.name.lower(), 0.0)
    if missing > _MISSING_TOLD:
        warnings.append(f"{100 * missing:.3g} % of the metered time is missing: the amounts are too low")
    if any(point.suspect_ms for point in points):
        warnings.append("some amounts are suspect; they are counted as recorded")
    if not any((point.carrier, point.flow) == ("gas", "fuel") for point in points):
        warnings.append("no fuel is metered: scope 1 is not known")
    return warnings
