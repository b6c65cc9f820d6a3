"""Burnt fuel to CO2, CH4 and N2O: the chain of calorific value, carbon content and oxidation of one named default set.

By mass or by volume at standard conditions, with the set's calorific value or a measured one:

    Q [GJ] = amount [t or 1e4 Nm3] x NCV [GJ/t or GJ/1e4 Nm3]
    m_CO2 [kg] = Q x CC [tC/GJ] x OX [%] / 100 x 44/12 x 1000      where the set prints carbon and oxidation
    m_CO2 [kg] = Q x EF [kgCO2/TJ] / 1000                          where it prints a factor per energy
    m_CH4 [kg] = Q x EF_CH4 [kg/TJ] / 1000, m_N2O alike
    m_CO2e = m_CO2 + GWP_CH4 x m_CH4 + GWP_N2O x m_N2O

CO2 of biomass is worked out likewise and kept outside the total; its CH4 and N2O are inside.

References:
    accounting rules 1.10 (a factor per net energy is never multiplied by gross energy), 1.11 (one default set in one
    statement, named), 1.12 (natural gas), 1.15 (methane from combustion: the non-fossil GWP), 1.19 (biogenic CO2), 2.5
    (oxidation 100 % in the park indicator).
"""

import math
from collections import Counter
from dataclasses import replace
from typing import Final, Literal

from parkcarbon.domain.activities.activity import CalorificValue
from parkcarbon.domain.emissions import (
    CO2_PER_C,
    GAS_CALORIFIC_UNITS,
    GJ_PER,
    CarrierFactor,
    Query,
    Step,
    kg_per_unit,
    warming_potential,
)
from parkcarbon.domain.factors import WORLD, FactorMatch, NoFactorError
from parkcarbon.domain.refusal import RefusedError

Calorific = Literal["NCV", "HHV"]
Edition = tuple[str, str]

BIOGENIC: Final = frozenset(
    {"wood", "straw", "charcoal", "biogas", "biodiesel", "bioethanol", "biomass", "landfill-gas"}
)
"""Fuels whose carbon was taken from the air by plants."""

_PER_UNIT: Final = {"t": ("t", 1.0), "kg": ("t", 1e-3), "Nm3": ("10^4Nm3", 1e-4), "L": ("kL", 1e-3)}
_CALORIFIC_UNITS: Final = {"t": ("GJ/t",), "10^4Nm3": GAS_CALORIFIC_UNITS, "kL": ("GJ/kL",)}
_SET_PURPOSES: Final = frozenset({"oxidation", "fuel_combustion", "fuel_by_amount"})


def fuel_factor(
    query: Query,
    *,
    basis: Calorific = "NCV",
    calorific: CalorificValue | None = None,
    declared: FactorMatch | None = None,
    before: tuple[Step, ...] = (),
    biogenic: bool | None = None,
    full_oxidation: bool = False,
) -> CarrierFactor:
    """Choose the numbers of a fuel and multiply them.

    Args:
        query: carrier is the fuel; unit t, kg, L, Nm3 or one of energy.
        basis: of an amount in energy, and of the factors per energy.
        calorific: a measured value that goes before the set's.
        declared: a record or series of net calorific values per Nm3 that goes before the set's; with a series the
            factor is a template with NaN in the place of its value.
        before: steps from another unit to that of the query.
        biogenic: True for biomass; None: as the fuel is known.
        full_oxidation: count all carbon as burnt, as the park indicator does.

    Raises:
        NoFactorError: when the set has no number for the fuel.
        RefusedError: NCV and HHV would be mixed.
    """
    is_biogenic = query.carrier in BIOGENIC if biogenic is None else biogenic
    edition = None if is_biogenic else fuel_set(query)
    by_amount = None if calorific or declared or query.unit in GJ_PER else _by_amount(query, edition)
    if by_amount is not None:
        energy: tuple[Step, ...] = ()
        burnt: tuple[Step, ...] = (
            *before,
            Step("factor", kg_per_unit(by_amount.factor, query.unit), f"kg/{query.unit}", by_amount),
        )
    else:
        energy = (*before, *(_valued(declared) if declared else _energy(query, edition, basis, calorific)))
        burnt = (*energy, *_carbon_dioxide(query, edition, basis, biogenic=is_biogenic, full_oxidation=full_oxidation))
    return _sum_up(query, basis, energy, burnt, biogenic=is_biogenic)


def fuel_set(query: Query) -> Edition:
    """Publisher and edition of the one default set that fuels are counted with.

    The declared set; else, in the fuel region, then its country, then the world, the one that covers most fuels.

    Raises:
        NoFactorError: no fuel region, or no such set.
    """
    settings = query.settings
    sets = [factor for factor in query.factors if factor.purpose in _SET_PURPOSES and not factor.own]
    if settings.fuel_set:
        found = {(f.publisher, f.edition) for f in sets if f.edition == settings.fuel_set}
        if not found:
            raise NoFactorError(f"no fuel default set is called {settings.fuel_set!r} (rule 1.11)")
        return min(found)
    region = settings.fuel_region
    if not region:
        raise NoFactorError(f"no fuel_combustion factor for {query.carrier}: fuels have no region (none)")
    for place in dict.fromkeys((region, region.partition("/")[0], WORLD)):
        counts = Counter(
            (f.publisher, f.edition)
            for f in sets
            if f.region == place and (f.purpose == "oxidation" or (f.purpose, f.gas) == ("fuel_combustion", "CO2"))
        )
        if counts:
            return min(counts, key=lambda one: (-counts[one], one))
    raise NoFactorError(f"no fuel_combustion factor for {query.carrier} in {region} or the world")


def _by_amount(query: Query, edition: Edition | None) -> FactorMatch | None:
    """The record of a set that prints kg per mass or volume and no calorific value."""
    if edition is None or any(
        (f.publisher, f.edition) == edition and f.purpose == "calorific_value" for f in query.factors
    ):
        return None
    try:
        return query.find("fuel_by_amount", query.settings.fuel_region, ("CO2", "CO2e"), edition=edition)
    except NoFactorError:
        return None


def _energy(
    query: Query, edition: Edition | None, basis: Calorific, calorific: CalorificValue | None
) -> tuple[Step, ...]:
    """The steps from the amount to GJ on `basis`."""
    if query.unit in GJ_PER:
        return (Step("energy", GJ_PER[query.unit], f"GJ/{query.unit}"),)
    if query.unit not in _PER_UNIT:
        raise NoFactorError(f"{query.carrier} in {query.unit}: convert it to t or Nm3 (standard conditions) first")
    per, scale = _PER_UNIT[query.unit]
    conversion = () if scale == 1 else (Step("unit_conversion", scale, f"{per}/{query.unit}"),)
    if calorific is not None:
        if calorific.basis != basis:
            reason = f"{query.carrier}: a calorific value on {calorific.basis} and factors on {basis}"
            raise RefusedError("1.10", reason)
        if calorific.per != per:
            raise RefusedError("6.10", f"{query.carrier}: {query.unit} and a calorific value per {calorific.per}")
        return (*conversion, Step("calorific_value", calorific.value, f"GJ/{per} ({basis})"))
    match = _calorific_match(query, edition, _CALORIFIC_UNITS[per], basis)
    if match.factor.series:
        raise NoFactorError(
            f"{match.factor.factor} is by the hour: metered gas takes it where method.gas_calorific_value names it, an"
            " entry needs a calorific value of its own"
        )
    if per == "10^4Nm3":
        return _valued(match)
    return (*conversion, Step("calorific_value", match.value, match.factor.unit, match))


def _valued(match: FactorMatch) -> tuple[Step, ...]:
    """The steps from Nm3 to GJ by a record; NaN stands for the value of a series."""
    value = math.nan if match.factor.series else match.value
    scale = (1e-3, "GJ/MJ") if match.factor.unit == "MJ/Nm3" else (1e-4, "10^4Nm3/Nm3")
    return Step("unit_conversion", *scale), Step("calorific_value", value, match.factor.unit, match)


def _calorific_match(query: Query, edition: Edition | None, units: tuple[str, ...], basis: Calorific) -> FactorMatch:
    """The organisation's own approved value in one of these units, else the set's."""
    fitting = tuple(factor for factor in query.factors if factor.unit in units)
    own = tuple(factor for factor in fitting if factor.own)
    region = query.settings.fuel_region or WORLD
    if own:
        try:
            return replace(query, factors=own).find("calorific_value", region, "", basis=basis)
        except NoFactorError:
            pass
    return replace(query, factors=fitting).find("calorific_value", region, "", basis=basis, edition=edition)


def _carbon_dioxide(
    query: Query, edition: Edition | None, basis: Calorific, *, biogenic: bool, full_oxidation: bool
) -> tuple[Step, ...]:
    """The steps from GJ to kg of CO2."""
    region = query.settings.fuel_region or WORLD
    if biogenic:
        match = query.find("biogenic", region, "CO2", basis=basis)
        return (Step("factor", match.value, match.factor.unit, match), Step("unit_conversion", 1e-3, "TJ/GJ"))
    try:
        return _burnt(query, region, edition, basis, full_oxidation=full_oxidation)
    except NoFactorError as none:
        other: Calorific = "NCV" if basis == "HHV" else "HHV"
        try:
            _burnt(query, region, edition, other, full_oxidation=full_oxidation)
        except NoFactorError:
            raise none from None
        reason = (
            f"{query.carrier}: an amount on {basis}, the factors of {edition[1] if edition else region} are on {other}"
        )
        raise RefusedError("1.10", reason) from none


def _burnt(
    query: Query, region: str, edition: Edition | None, basis: Calorific, *, full_oxidation: bool
) -> tuple[Step, ...]:
    """Carbon and oxidation where the set prints them, else its factor per energy."""
    if basis == "NCV":
        try:
            return _carbon_chain(query, region, edition, full_oxidation=full_oxidation)
        except NoFactorError:
            pass
    match = query.find("fuel_combustion", region, "CO2", basis=basis, edition=edition)
    return (Step("factor", match.value, match.factor.unit, match), Step("unit_conversion", 1e-3, "TJ/GJ"))


def _carbon_chain(query: Query, region: str, edition: Edition | None, *, full_oxidation: bool) -> tuple[Step, ...]:
    carbon = query.find("carbon_content", region, "C", edition=edition)
    if full_oxidation:
        oxidation = Step("oxidation", 1.0, "1")
    else:
        found = query.find("oxidation", region, "", edition=edition)
        oxidation = Step("oxidation", found.value / 100, "1", found)
    return (
        Step("carbon_content", carbon.value, carbon.factor.unit, carbon),
        oxidation,
        Step("co2_per_carbon", CO2_PER_C, "tCO2/tC"),
        Step("unit_conversion", 1e3, "kg/t"),
    )


def _sum_up(
    query: Query, basis: Calorific, energy: tuple[Step, ...], burnt: tuple[Step, ...], *, biogenic: bool
) -> CarrierFactor:
    """Put the gases together, carbon dioxide of biomass beside them."""
    carbon_dioxide = product(burnt)
    carbon = next((step.match for step in burnt if step.name in ("carbon_content", "factor") and step.match), None)
    by_time = next((step.match for step in energy if step.match and step.match.factor.series), None)
    leading = by_time or carbon
    matches = [*((leading,) if leading else ()), *(s.match for s in burnt if s.match and s.match is not leading)]
    gas = carbon.factor.gas if carbon and carbon.factor.gas == "CO2e" else "CO2"
    gases = {} if biogenic else {gas: carbon_dioxide}
    chains = {} if biogenic else {gas: burnt}
    notes: list[str] = []
    for other in ("CH4", "N2O") if gas == "CO2" else ():
        try:
            steps = _other_gas(query, other, basis, energy)
        except NoFactorError as reason:
            notes.append(f"{other} of {query.carrier} is not counted: {reason}")
            continue
        gases[other] = product(steps[:-1])
        chains[other] = steps
        matches += [step.match for step in steps[len(energy) :] if step.match]
    if biogenic:
        notes.append(f"CO2 of {query.carrier} is biogenic: a memo, not in the total")
    notes = [*(note for match in matches for note in match.notes), *notes]
    return CarrierFactor(
        carrier=query.carrier,
        unit=query.unit,
        scope=1,
        basis=None,
        gases=gases,
        co2e=math.fsum(product(steps) for steps in chains.values()),
        matches=tuple(matches),
        notes=tuple(dict.fromkeys(notes)),
        chains=chains,
        biogenic=carbon_dioxide if biogenic else 0.0,
        gj=product(energy) if energy and basis == "NCV" else None,
    )


def _other_gas(query: Query, gas: str, basis: Calorific, energy: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps of methane or nitrous oxide, its warming potential last."""
    if not energy:
        raise NoFactorError("the set has no calorific value, and methane and nitrous oxide are counted per energy")
    region = query.settings.fuel_region or WORLD
    found = query.find("fuel_combustion", region, gas, basis=basis)
    potential = warming_potential(query.factors, gas, query.settings.gwp_set, query.known_on)
    return (
        *energy,
        Step("factor", found.value, found.factor.unit, found),
        Step("unit_conversion", 1e-3, "TJ/GJ"),
        Step("warming_potential", potential.value, potential.factor.unit, potential),
    )


def product(steps: tuple[Step, ...]) -> float:
    """The numbers multiplied in their order."""
    return math.prod(step.value for step in steps)
