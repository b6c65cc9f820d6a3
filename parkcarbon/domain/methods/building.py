"""From amounts, entries and certificates to the lines of scopes 1, 2 and 3, one at a time."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from parkcarbon.domain.activities.activity import Activity
from parkcarbon.domain.activities.chain import product
from parkcarbon.domain.activities.counting import Beside, count
from parkcarbon.domain.activities.given import given_match, refuse_mixed_sets
from parkcarbon.domain.activities.scope3 import ISO_CATEGORY
from parkcarbon.domain.calorific import at_mean
from parkcarbon.domain.emissions import Basis, CarrierFactor, Query, Settings, resolve, single
from parkcarbon.domain.factor_rules import check_one_set
from parkcarbon.domain.factors import Factor, FactorMatch, Match, NoFactorError
from parkcarbon.domain.instruments.cover import Cover
from parkcarbon.domain.methods.amounts import PointAmount, state_shares
from parkcarbon.domain.methods.lines import Json, Line, kilograms
from parkcarbon.domain.methods.market import covered_parts, instruments
from parkcarbon.domain.refusal import RefusedError

IN_TOTAL: Final = {("electricity", "import"), ("gas", "fuel"), ("heat", "heat")}
_KWH_PER: Final = {"kWh": 1, "MWh": 1000}

Key = tuple[int, Basis | None]


@dataclass(frozen=True, slots=True)
class Purchase:
    """Electricity that was bought: through a meter or by an entry.

    Attributes:
        source: point or name of the entry.
        amount_micro: [1e-6 kWh].
        location: its location-based line.
        remainder: factor of what no certificate covers.
    """

    source: str
    amount_micro: int
    location: Line
    remainder: CarrierFactor


class Building:
    """Lines, leftovers and warnings as they come up; `finish` applies the certificates."""

    def __init__(self, factors: tuple[Factor, ...], settings: Settings, data_year: int, known_on: dt.datetime) -> None:
        self._query = Query(factors, settings, "electricity", "kWh", data_year, known_on)
        self.lines: dict[Key, list[Line]] = {(1, None): [], (2, "location"): [], (2, "market"): [], (3, None): []}
        self._purchases: list[Purchase] = []
        self._uncounted_micro_kwh = 0  # bought, but without a factor
        self._matches: list[FactorMatch] = []
        self._resolved: dict[tuple[str, str, Basis], CarrierFactor] = {}
        self.left_out: list[Json] = []
        self.beside: list[Json] = []
        self.warnings: list[str] = []
        self._gas_micro_gj: list[int | None] = []  # one a meter; None: not known

    @property
    def gas_gj(self) -> float | None:
        """Net energy of metered gas [GJ]; None where there is no meter, or it is not known of one."""
        known = [micro for micro in self._gas_micro_gj if micro is not None]
        return sum(known) / 1e6 if known and len(known) == len(self._gas_micro_gj) else None

    def take_point(self, point: PointAmount) -> None:
        """Count a point where its flow belongs."""
        if point.flow == "process":
            self._leave_out_point(point, "process emissions need a factor per product")
        if (point.carrier, point.flow) not in IN_TOTAL:
            return
        if not point.known:
            self._leave_out_point(point, "no readings in this period")
            self._note_gas(point, None)
            return
        try:
            self._count_point(point)
        except NoFactorError as reason:
            self._note_gas(point, None)
            if point.flow == "import":
                self._uncounted_micro_kwh += point.amount_micro
            self._leave_out_point(point, str(reason))

    def take_activity(self, activity: Activity) -> None:
        """Count an entry, or show it beside the total, or list it as not in the total with the reason."""
        try:
            if activity.kind == "electricity":
                self._electricity(activity)
            else:
                self._count_activity(activity)
        except (NoFactorError, RefusedError) as reason:
            if activity.kind == "electricity" and activity.direction == "received":
                self._uncounted_micro_kwh += activity.amount_micro * _KWH_PER[activity.unit]
            self._leave_out_activity(activity, str(reason))

    def _count_activity(self, activity: Activity) -> None:
        counted = count(activity, self._query)
        if isinstance(counted, Beside):
            self._put_beside(activity, counted)
            return
        line = self._activity_line(activity, counted.location)
        if line.scope != 2:
            self.lines[line.scope, None].append(line)
            return
        market = line if counted.market is counted.location else self._activity_line(activity, counted.market)
        self.lines[2, "location"].append(line)
        self.lines[2, "market"].append(market)

    def finish(self, cover: Cover) -> None:
        """Apply certificates to what was purchased, on the market basis alone.

        Raises:
            RefusedError: they cover more than was purchased.
        """
        bought = [purchase.amount_micro for purchase in self._purchases]
        *covered, _ = covered_parts(cover, [*bought, self._uncounted_micro_kwh])
        market = self.lines[2, "market"]
        for purchase, part in zip(self._purchases, covered, strict=True):
            market.extend(_market_lines(purchase, part, cover))
        if cover.void_micro_kwh:
            self._void(cover)
        self._check_sets()

    def _count_point(self, point: PointAmount) -> None:
        if point.amount_micro < 0:
            self.warnings.append(f"{point.point}: {point.amount:g} {point.unit} is negative: is its meter reversed?")
        location = at_mean(self._resolve(point.carrier, point.unit, "location"), point.calorific, point.amount_micro)
        line = self._line(point, location, self._located(point, location))
        self._note_gas(point, location.gj)
        if location.scope == 1:
            self.lines[1, None].append(line)
            return
        if location.basis is None:
            self.lines[2, "location"].append(line)
            self.lines[2, "market"].append(line)
            return
        remainder = self._resolve(point.carrier, point.unit, "market")
        self._tell(remainder)
        self.lines[2, "location"].append(line)
        self._purchases.append(Purchase(point.point, point.amount_micro, line, remainder))

    def _note_gas(self, point: PointAmount, gj_per_unit: float | None) -> None:
        if point.carrier == "gas":
            micro = None if gj_per_unit is None else round(point.amount_micro * gj_per_unit)
            self._gas_micro_gj.append(micro)

    def _electricity(self, activity: Activity) -> None:
        """Bought, made or delivered electricity of an entry; what is made or delivered changes no total."""
        refuse_mixed_sets(activity, self._query.settings)
        if activity.direction != "received":
            word = "made and used inside" if activity.direction == "generated" else "delivered, not netted"
            self._put_beside(activity, Beside(f"electricity {word}: it changes no purchase"))
            return
        kwh = replace(activity, amount_micro=activity.amount_micro * _KWH_PER[activity.unit], unit="kWh")
        query = self._query
        if activity.region:
            settings = replace(query.settings, electricity_region=activity.region, electricity_factor=None)
            query = replace(query, settings=settings)
        supplier = given_match(activity, query)
        if activity.origin == "non_fossil":
            location = single(query, FactorMatch(DIRECT_NON_FOSSIL, Match.DECLARED), 2, basis="location")
        else:
            location = _resolved(query, "electricity", "kWh", "location")
        remainder = _resolved(query, "electricity", "kWh", "market")
        if supplier is not None:
            remainder = single(query, supplier, 2, basis="market", notes=("supplier's rate",))
        _refuse_series(remainder)
        line = self._activity_line(kwh, location)
        self._tell(remainder)
        self.lines[2, "location"].append(line)
        self._purchases.append(Purchase(kwh.name, kwh.amount_micro, line, remainder))

    def _void(self, cover: Cover) -> None:
        """Self-used power whose certificates were sold."""
        name = "self-used generation, certificates sold"
        try:
            self.lines[2, "market"].append(self._void_line(name, cover))
        except NoFactorError as reason:
            self._leave_out("electricity", name, cover.void_micro_kwh / 1e6, "kWh", str(reason))

    def _void_line(self, name: str, cover: Cover) -> Line:
        factor = self._resolve("electricity", "kWh", "market")
        if factor.is_series:
            raise NoFactorError(f"{factor.leading.factor.factor} is by the hour: sold certificates name no hours")
        note = "own generation used inside whose certificates were sold: counted at the remainder (rules 3.16, 5.3)"
        line = _bare_line(name, "electricity", cover.void_micro_kwh, "kWh", factor)
        note = "; ".join((note, line.note))
        return replace(line, note=note, kind="electricity", instruments=instruments(cover, "void"))

    def _resolve(self, carrier: str, unit: str, basis: Basis) -> CarrierFactor:
        key = (carrier, unit, basis)
        if key not in self._resolved:
            self._resolved[key] = _resolved(self._query, carrier, unit, basis)
        return self._resolved[key]

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
        self._tell(factor)
        line = _bare_line(point.point, point.carrier, point.amount_micro, point.unit, factor, co2e_nano_kg=co2e_nano_kg)
        kind = "fuel" if point.carrier == "gas" else point.carrier
        return replace(line, kind=kind, tenant=point.tenant, states=state_shares([point]))

    def _activity_line(self, activity: Activity, factor: CarrierFactor) -> Line:
        _refuse_series(factor)
        self._tell(factor)
        line = _bare_line(activity.name, activity.subject, activity.amount_micro, activity.unit, factor)
        note = "; ".join(part for part in (line.note, activity.note, "simulated" if activity.simulated else "") if part)
        return replace(
            line,
            kind=activity.kind,
            tenant=activity.tenant,
            states={activity.state.name.lower(): 1.0},
            evidence=activity.evidence,
            simulated=activity.simulated,
            scope3_category=activity.category,
            category=ISO_CATEGORY[activity.category] if activity.category else line.category,
            group=activity.group,
            note=note,
            entry=activity.activity,
        )

    def _check_sets(self) -> None:
        """Say what may not stand in one statement; single choices above keep to one set each."""
        try:
            check_one_set(self._matches)
        except RefusedError as refused:
            self.warnings.append(str(refused))

    def _tell(self, factor: CarrierFactor) -> None:
        self._matches.extend(factor.matches)
        self.warnings.extend(factor.notes)
        self.warnings.extend(f"{match.factor.factor} is unverified" for match in factor.matches if match.unverified)

    def _leave_out_point(self, point: PointAmount, reason: str) -> None:
        self._leave_out(point.carrier, point.point, point.amount if point.known else None, point.unit, reason)

    def _leave_out_activity(self, activity: Activity, reason: str) -> None:
        self._leave_out(activity.subject, activity.name, activity.amount, activity.unit, reason)

    def _leave_out(self, carrier: str, name: str, amount: float | None, unit: str, reason: str) -> None:
        self.left_out.append({"carrier": carrier, "point": name, "amount": amount, "unit": unit, "reason": reason})
        self.warnings.append(f"{name} is not in the total")

    def _put_beside(self, activity: Activity, beside: Beside) -> None:
        factor = beside.factor
        self.beside.append(
            {
                "source": activity.name,
                "kind": activity.kind,
                "carrier": activity.subject,
                "tenant": activity.tenant,
                "amount": activity.amount,
                "unit": activity.unit,
                "co2e_kg": None if factor is None else kilograms(times(activity.amount_micro, factor.co2e)),
                "reason": beside.reason,
                "evidence": activity.evidence,
                "simulated": activity.simulated,
            }
        )


DIRECT_NON_FOSSIL: Final = Factor(
    factor="DIRECT-NON-FOSSIL",
    purpose="grid_average",
    carrier="electricity",
    region="",
    gas="CO2",
    unit="kgCO2/kWh",
    value=0.0,
    basis="source-specific: non-fossil power over a dedicated line",
    publisher="WRI/WBCSD",
    edition="GHG Protocol Scope 2 Guidance",
    title="非化石能源直供电 non-fossil power supplied directly",
)


def _resolved(query: Query, carrier: str, unit: str, basis: Basis) -> CarrierFactor:
    return resolve(
        query.factors,
        query.settings,
        carrier=carrier,
        unit=unit,
        data_year=query.data_year,
        known_on=query.known_on,
        basis=basis,
    )


def _refuse_series(factor: CarrierFactor) -> None:
    """An entry has no hours that a factor by the hour could meet."""
    if factor.is_series:
        raise NoFactorError(f"{factor.leading.factor.factor} is by the hour; an entry has no hours")


def _market_lines(purchase: Purchase, covered: int, cover: Cover) -> list[Line]:
    """The lines of one purchase: what is covered at zero, the rest at the remainder."""
    lines = []
    rest = purchase.amount_micro - covered
    if rest or not covered:
        if purchase.remainder.is_series:  # no remainder factor: the hours of the location-based series, already summed
            amount = purchase.amount_micro
            co2e = (2 * purchase.location.co2e_nano_kg * rest + amount) // (2 * amount) if amount else 0
        else:
            co2e = times(rest, purchase.remainder.co2e)
        line = _bare_line(purchase.source, "electricity", rest, "kWh", purchase.remainder, co2e_nano_kg=co2e)
        lines.append(_like(purchase.location, line))
    if covered:
        zero = CarrierFactor("electricity", "kWh", 2, "market", {"CO2": 0.0}, 0.0, ())
        line = _bare_line(purchase.source, "electricity", covered, "kWh", zero)
        note = "covered by certificates cancelled for this consumption"
        lines.append(
            _like(purchase.location, replace(line, note=note, instruments=instruments(cover, "covers_purchased")))
        )
    return lines


def _like(location: Line, line: Line) -> Line:
    """What a market line has in common with the location-based line of the same purchase."""
    return replace(
        line,
        kind=location.kind,
        tenant=location.tenant,
        states=location.states,
        evidence=location.evidence,
        simulated=location.simulated,
        entry=location.entry,
    )


def _bare_line(
    source: str, carrier: str, amount_micro: int, unit: str, factor: CarrierFactor, *, co2e_nano_kg: int | None = None
) -> Line:
    """A line from an amount and a factor; the sum of its intervals goes before their product."""
    co2e = times(amount_micro, factor.co2e) if co2e_nano_kg is None else co2e_nano_kg
    amount = amount_micro / 1e6
    gases = {gas: amount * per_unit for gas, per_unit in factor.gases.items()}
    if factor.is_series:
        gases = {factor.leading.factor.gas: co2e / 1e9}
    return Line(
        source=source,
        carrier=carrier,
        activity=amount,
        activity_unit=unit,
        gases=gases,
        co2e_nano_kg=co2e,
        factors=factor.matches,
        note="; ".join(factor.notes),
        scope=factor.scope,
        basis=factor.basis,
        category=factor.scope,
        amount_micro=amount_micro,
        biogenic_nano_kg=times(amount_micro, factor.biogenic),
        gas_nano_kg=_split(co2e, amount_micro, factor),
        chains=factor.chains,
    )


def _split(co2e_nano_kg: int, amount_micro: int, factor: CarrierFactor) -> Mapping[str, int]:
    """CO2e by gas [1e-9 kg]; the leading gas takes what rounding leaves, so that the parts are the whole."""
    gases = list(factor.gases)
    if not gases:
        return {}
    others = {gas: times(amount_micro, product(factor.chains[gas])) for gas in gases[1:]}
    return {gases[0]: co2e_nano_kg - sum(others.values())} | others


def times(amount_micro: int, kg_per_unit: float) -> int:
    """CO2e of one amount, rounded once [1e-9 kg].

    >>> times(1_000_000, 0.5827)
    582700000
    """
    return round(amount_micro * kg_per_unit * 1e3)
