"""Method profile `zcp910`: emissions of the national zero-carbon park indicator, CO2 alone.

    E_park = E_energy + E_process
    E_energy = E_fuel + sum(received_i x EF_i) - sum(delivered_i x EF_i)

Fuel is burnt to the last carbon atom. EF is 0 for non-fossil power that is supplied directly and for power covered by
cancelled green certificates; every other kilowatt-hour, whatever the province, takes one fixed factor. Own generation
that is delivered lowers nothing: its factor is 0. Self-used power whose certificates were sold takes the fixed factor,
as its environmental attribute is another's. Raw material is left out, international bunkers are counted and listed.

References:
    发改环资〔2025〕910号 annex 4, as quoted by accounting rules 2.4 (CO2 alone), 2.5 (oxidation 100 %, process, raw
    material, bunkers), 2.6 (factors of electricity), 2.8 (no credit for exported own generation); 1.13 (heat), 3.16
    (sold certificates), 2.9 (never mixed with another profile).
"""

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from parkcarbon.domain.activities.activity import Activity, within
from parkcarbon.domain.activities.chain import BIOGENIC
from parkcarbon.domain.activities.fuel import fuel
from parkcarbon.domain.activities.heat import heat
from parkcarbon.domain.activities.metered import metered_fuel
from parkcarbon.domain.activities.process import process
from parkcarbon.domain.calorific import at_mean
from parkcarbon.domain.emissions import GJ_PER, CarrierFactor, Query, Settings, resolve, single
from parkcarbon.domain.factors import Factor, FactorMatch, NoFactorError, lookup
from parkcarbon.domain.instruments.cover import NO_COVER, Cover
from parkcarbon.domain.inventory import days_of, electricity_micro_kwh
from parkcarbon.domain.methods.amounts import PointAmount
from parkcarbon.domain.methods.building import times
from parkcarbon.domain.methods.lines import Json, rfc3339
from parkcarbon.domain.methods.market import covered_parts
from parkcarbon.domain.methods.result import Edition, EnergyInput, MethodLine, MethodResult, Part
from parkcarbon.domain.refusal import RefusedError

EDITION: Final = Edition("发改环资〔2025〕910号 附件4", "2025-06-30")
_KWH_PER: Final = {"kWh": 1, "MWh": 1000}


def zcp910(
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
) -> MethodResult:
    """Count a period on this profile; the arguments are those of `inventory.assemble`.

    Raises:
        RefusedError: certificates cover more than was purchased.
    """
    first, end = days_of(period)
    metered = sorted(points, key=lambda point: point.point)
    parts = [within(activity, first, end) for activity in activities]
    entered = sorted((part for part in parts if part is not None), key=lambda part: (part.kind, part.name))
    counting = _Counting(Query(tuple(factors), settings, "electricity", "kWh", first.year, known_on))
    for point in metered:
        counting.point(point)
    for activity in entered:
        counting.entry(activity)
    flows = electricity_micro_kwh(metered, entered, period)
    counting.electricity(cover, flows)
    return MethodResult(
        profile="zcp910",
        edition=EDITION,
        park=park,
        period=period,
        known_on=rfc3339(known_on),
        from_time=rfc3339(from_time),
        to_time=rfc3339(to_time),
        final=final,
        unit="CO2",
        lines=tuple(sorted(counting.lines, key=lambda line: (line.part, line.name, line.note))),
        listed=tuple(counting.listed),
        not_in_total=tuple(counting.left_out),
        energy=tuple(sorted(counting.energy, key=lambda energy: (energy.carrier, energy.name))),
        direct_micro_kwh=counting.direct_micro_kwh(flows, cover),
        warnings=tuple(dict.fromkeys(counting.warnings)),
    )


def fixed_factor(query: Query) -> FactorMatch:
    """The one factor of every kilowatt-hour that is neither direct non-fossil supply nor covered by certificates.

    Raises:
        NoFactorError: none is known, or in force, for the year.
    """
    return lookup(
        query.factors,
        purpose="park_indicator",
        region="China",
        gas="CO2",
        carrier="electricity",
        data_year=query.data_year,
        known_on=query.known_on,
    )


@dataclass(frozen=True, slots=True)
class _Received:
    """Electricity from outside [1e-6 kWh]."""

    name: str
    amount_micro: int
    direct: bool
    tenant: str | None = None
    simulated: bool = False


class _Counting:
    """Lines and leftovers as they come up."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._received: list[_Received] = []
        self.lines: list[MethodLine] = []
        self.listed: list[Json] = []
        self.left_out: list[Json] = []
        self.energy: list[EnergyInput] = []
        self.warnings: list[str] = []

    def point(self, point: PointAmount) -> None:
        """Count a metered amount."""
        flow = (point.carrier, point.flow)
        if flow not in {("electricity", "import"), ("electricity", "export"), ("gas", "fuel"), ("heat", "heat")}:
            return
        if not point.known:
            self._leave_out(point.point, point.carrier, None, point.unit, "no readings in this period")
        elif flow == ("electricity", "import"):
            self._received.append(_Received(point.point, point.amount_micro, direct=False, tenant=point.tenant))
        elif flow == ("electricity", "export"):
            self._deliver(point.point, point.amount_micro, point.tenant, fossil=False, simulated=False)
        else:
            self._metered(point)

    def entry(self, activity: Activity) -> None:
        """Count an entered amount."""
        rules = {
            "electricity": self._electricity,
            "fuel": self._fuel,
            "feedstock": self._feedstock,
            "process": self._process,
            "heat": self._heat,
            "steam": self._heat,
            "cooling": self._cooling,
        }
        rule = rules.get(activity.kind)
        if rule is None:
            return
        try:
            rule(activity)
        except (NoFactorError, RefusedError) as reason:
            self._leave_out(activity.name, activity.subject, activity.amount, activity.unit, str(reason))

    def electricity(self, cover: Cover, flows: dict[str, int | None]) -> None:
        """Put factors to received electricity once everything is known.

        Raises:
            RefusedError: certificates cover more than was purchased.
        """
        parts = covered_parts(cover, [received.amount_micro for received in self._received])
        by_certificate = sum(part for received, part in zip(self._received, parts, strict=True) if not received.direct)
        try:
            fixed = single(self._query, fixed_factor(self._query), 2)
        except NoFactorError as reason:
            for received in self._received:
                amount = received.amount_micro / 1e6
                self._leave_out(received.name, "electricity", amount, "kWh", str(reason))
            return
        for received, covered in zip(self._received, parts, strict=True):
            self._receive(received, covered, fixed)
        if cover.void_micro_kwh:
            note = "self-used, its certificates were sold: another's attribute"
            self._add("self-used generation, certificates sold", "electricity", cover.void_micro_kwh, fixed, note=note)
        self.energy.append(self._consumed(cover, flows, by_certificate))

    def direct_micro_kwh(self, flows: dict[str, int | None], cover: Cover) -> int | None:
        """Green power supplied directly: self-used generation and dedicated lines, less what was sold."""
        lines = sum(received.amount_micro for received in self._received if received.direct)
        self_used = flows["self_used"]
        if self_used is None:
            return lines or None
        return lines + self_used - cover.void_micro_kwh

    def _consumed(self, cover: Cover, flows: dict[str, int | None], by_certificate: int) -> EnergyInput:
        """Electricity that the park consumed: received and generated, less delivered; each clean kWh is clean once."""
        received, generated, delivered = flows["import"], flows["generation"], flows["export"]
        if received is None and generated is None:
            return EnergyInput("electricity", "electricity", None, note="nothing is known of what was received")
        consumed = (received or 0) + (generated or 0) - (delivered or 0)
        clean = (self.direct_micro_kwh(flows, cover) or 0) + by_certificate
        return EnergyInput("electricity", "electricity", consumed, clean_micro=min(clean, max(consumed, 0)))

    def _receive(self, received: _Received, covered: int, fixed: CarrierFactor) -> None:
        add = functools.partial(self._add, received.name, "electricity", tenant=received.tenant)
        zero = replace(fixed, co2e=0.0, gases={"CO2": 0.0}, matches=(), chains={}, notes=())
        rest = received.amount_micro - covered
        if received.direct:
            note = "non-fossil power supplied directly: 0"
            add(received.amount_micro, zero, note=note, simulated=received.simulated)
            return
        if covered:
            note = "covered by green certificates cancelled for this consumption: 0"
            add(covered, zero, note=note, simulated=received.simulated)
        if rest or not covered:
            add(rest, fixed, note="every other kilowatt-hour", simulated=received.simulated)

    def _electricity(self, activity: Activity) -> None:
        amount = activity.amount_micro * _KWH_PER[activity.unit]
        if activity.direction == "received":
            direct = activity.origin == "non_fossil"
            received = _Received(activity.name, amount, direct, activity.tenant, activity.simulated)
            self._received.append(received)
        elif activity.direction == "delivered":
            fossil = activity.origin in ("grid", "fossil")
            self._deliver(activity.name, amount, activity.tenant, fossil=fossil, simulated=activity.simulated)

    def _deliver(self, name: str, amount_micro: int, tenant: str | None, *, fossil: bool, simulated: bool) -> None:
        """Subtract delivered fossil power; own renewable power that is delivered gives no credit."""
        if not amount_micro:
            return
        if fossil:
            factor = single(self._query, fixed_factor(self._query), 2)
            note = "power of fossil origin delivered to others"
            self._add(name, "delivered", amount_micro, factor, note=note, tenant=tenant, sign=-1, simulated=simulated)
            return
        zero = CarrierFactor("electricity", "kWh", 2, None, {"CO2": 0.0}, 0.0, ())
        note = "delivered own generation: 0, no credit (rule 2.8)"
        self._add(name, "delivered", amount_micro, zero, note=note, tenant=tenant, simulated=simulated)

    def _metered(self, point: PointAmount) -> None:
        query = replace(self._query, carrier=point.carrier, unit=point.unit)
        try:
            heated = point.carrier == "heat"
            factor = _resolved_heat(query) if heated else metered_fuel(query, full_oxidation=True)
            factor = at_mean(factor, point.calorific, point.amount_micro)
        except (NoFactorError, RefusedError) as reason:
            self._leave_out(point.point, point.carrier, point.amount, point.unit, str(reason))
            return
        part: Part = "heat" if heated else "combustion"
        self._add(point.point, part, point.amount_micro, factor, tenant=point.tenant)
        self._consume(point.point, point.carrier, point.amount_micro, factor)

    def _fuel(self, activity: Activity) -> None:
        factor = fuel(activity, self._query, full_oxidation=True)
        self._add_entry(activity, "combustion", factor)
        clean = activity.subject in BIOGENIC if activity.biogenic is None else activity.biogenic
        self._consume(
            activity.name, activity.subject, activity.amount_micro, factor, clean=clean, bunker=activity.bunker
        )
        if activity.bunker:
            reason = "international bunkers: counted, not deducted, and listed here"
            self._list(activity, reason, times(activity.amount_micro, _carbon_dioxide(factor)))

    def _feedstock(self, activity: Activity) -> None:
        self._list(activity, "used as raw material: out of emissions and of the energy sum", None)
        factor = fuel(activity, self._query, full_oxidation=True)
        self._consume(activity.name, activity.subject, activity.amount_micro, factor, feedstock=True)

    def _cooling(self, activity: Activity) -> None:
        self._list(activity, "annex 4 counts electricity and heat; cooling is not among them", None)

    def _process(self, activity: Activity) -> None:
        self._add_entry(activity, "process", process(activity, self._query))

    def _heat(self, activity: Activity) -> None:
        if activity.origin == "inside" and activity.direction == "received":
            self._list(activity, "made inside the boundary: counted by its fuel", None)
            return
        factor = heat(activity, self._query)
        if activity.direction == "delivered":
            self._add_entry(activity, "delivered", factor, sign=-1)
            return
        self._add_entry(activity, "heat", factor)
        clean = activity.origin == "non_fossil"
        self._consume(activity.name, "heat", activity.amount_micro, factor, clean=clean)

    def _add_entry(self, activity: Activity, part: Part, factor: CarrierFactor, *, sign: int = 1) -> None:
        self._add(
            activity.name,
            part,
            activity.amount_micro,
            factor,
            note=activity.note,
            tenant=activity.tenant,
            sign=sign,
            simulated=activity.simulated,
        )

    def _add(
        self,
        name: str,
        part: Part,
        amount_micro: int,
        factor: CarrierFactor,
        *,
        note: str = "",
        tenant: str | None = None,
        sign: int = 1,
        simulated: bool = False,
    ) -> None:
        per_unit = _carbon_dioxide(factor)
        gases = {gas: chain for gas, chain in factor.chains.items() if gas in ("CO2", "CO2e")}
        self.warnings.extend(note for note in factor.notes if "not counted" not in note)
        if "CO2e" in factor.gases:
            self.warnings.append(f"{name}: its factor is in CO2e, the indicator is of CO2 alone: counted as it is")
        self.lines.append(
            MethodLine(
                name=name,
                part=part,
                carrier=factor.carrier,
                amount_micro=amount_micro,
                unit=factor.unit,
                nano_kg=sign * times(amount_micro, per_unit),
                factors=_of_carbon(factor),
                chains=gases,
                note=note,
                rule={"combustion": "2.5", "process": "2.5", "heat": "1.13"}.get(part, "2.6"),
                tenant=tenant,
                simulated=simulated,
            )
        )

    def _consume(
        self,
        name: str,
        carrier: str,
        amount_micro: int,
        factor: CarrierFactor,
        *,
        clean: bool = False,
        feedstock: bool = False,
        bunker: bool = False,
    ) -> None:
        """Note energy by its net calorific value; where that is not known, say so."""
        if factor.gj is None:
            note = f"the net calorific value of {carrier} is not known: not in the energy sum"
            self.energy.append(EnergyInput(name, carrier, None, feedstock=feedstock, bunker=bunker, note=note))
            return
        micro = round(amount_micro * factor.gj)
        self.energy.append(
            EnergyInput(name, carrier, micro, clean_micro=micro if clean else 0, feedstock=feedstock, bunker=bunker)
        )

    def _list(self, activity: Activity, reason: str, nano_kg: int | None) -> None:
        self.listed.append(
            {
                "source": activity.name,
                "carrier": activity.subject,
                "amount": activity.amount,
                "unit": activity.unit,
                "co2_kg": None if nano_kg is None else nano_kg / 1e9,
                "reason": reason,
            }
        )

    def _leave_out(self, name: str, carrier: str, amount: float | None, unit: str, reason: str) -> None:
        self.left_out.append({"carrier": carrier, "point": name, "amount": amount, "unit": unit, "reason": reason})
        self.warnings.append(f"{name} is not in the total")


def _carbon_dioxide(factor: CarrierFactor) -> float:
    """Fossil CO2 per unit [kg]; CO2e where the source gives nothing else."""
    return factor.gases.get("CO2", factor.gases.get("CO2e", 0.0))


def _of_carbon(factor: CarrierFactor) -> tuple[FactorMatch, ...]:
    """The records behind carbon dioxide, not those of the other gases."""
    used = [step.match for gas, chain in factor.chains.items() if gas in ("CO2", "CO2e") for step in chain]
    return tuple(match for match in used if match is not None)


def _resolved_heat(query: Query) -> CarrierFactor:
    return replace(
        resolve(
            query.factors,
            query.settings,
            carrier="heat",
            unit=query.unit,
            data_year=query.data_year,
            known_on=query.known_on,
        ),
        gj=GJ_PER.get(query.unit),
    )
