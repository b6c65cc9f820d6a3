"""Entered fuel to a factor per unit of its amount: mass, volume at standard conditions, or energy on a stated basis.

A gas meter's own cubic metres become standard ones with the temperature and absolute pressure it counted at:

    V_n = V x (p / p_n) x (T_n / T) / (Z / Z_n)

References:
    accounting rules 1.10 (NCV and HHV), 1.11 (one default set), 1.12 and 6.10 (standard cubic metres, not raw ones),
    1.19 (CO2 of biomass is a memo).
"""

from dataclasses import replace
from typing import Final

from parkcarbon.domain.activities.activity import Activity, GasState
from parkcarbon.domain.activities.chain import BIOGENIC, Calorific, fuel_factor, fuel_set
from parkcarbon.domain.activities.given import converted, given_match, refuse_mixed_sets
from parkcarbon.domain.emissions import GJ_PER, CarrierFactor, Query, Settings, Step, single
from parkcarbon.domain.factor_rules import calorific_basis
from parkcarbon.domain.factors import Factor, FactorMatch
from parkcarbon.domain.refusal import RefusedError

_ZERO_C: Final = 273.15


def fuel(activity: Activity, query: Query, *, full_oxidation: bool = False) -> CarrierFactor:
    """Choose the numbers of an entered fuel.

    Args:
        activity: kind `fuel` or `feedstock`.
        query: settings, records and year; carrier and unit are taken from the activity.
        full_oxidation: count all carbon as burnt, as the park indicator does.

    Raises:
        NoFactorError: no number for this fuel.
        RefusedError: raw cubic metres, energy without a basis, mixed bases or sets.
    """
    refuse_mixed_sets(activity, query.settings)
    basis = _basis(activity)
    asked = replace(query, carrier=activity.subject, unit=activity.unit)
    match = given_match(activity, asked) if activity.kind == "fuel" else None
    if match is not None:
        if activity.unit in GJ_PER:
            _refuse_other_basis(activity, match.factor, basis)
        steps, unit = preparation(activity, query.settings) if _to_prepare(activity, match) else ((), activity.unit)
        factor = converted(_given(replace(asked, unit=unit), match, biogenic=activity.biogenic), activity.unit, steps)
        return replace(factor, gj=GJ_PER.get(activity.unit) if basis == "NCV" else None)
    if activity.fuel_set is not None and (used := fuel_set(asked)[1]) != activity.fuel_set:
        reason = f"{activity.activity}: fuel set {activity.fuel_set!r} where the park's fuels are of {used!r}"
        raise RefusedError("1.11", reason)
    steps, unit = preparation(activity, query.settings)
    factor = fuel_factor(
        replace(asked, unit=unit),
        basis=basis,
        calorific=activity.calorific,
        biogenic=activity.biogenic,
        full_oxidation=full_oxidation,
    )
    return converted(factor, activity.unit, steps)


def _given(query: Query, match: FactorMatch, *, biogenic: bool | None) -> CarrierFactor:
    """A factor that came with an entry; CO2 of biomass is a memo there too, CO2e is what its supplier says."""
    factor = single(query, match, 1)
    if match.factor.gas != "CO2" or not (query.carrier in BIOGENIC if biogenic is None else biogenic):
        return factor
    notes = (
        *factor.notes,
        f"CO2 of {query.carrier} is biogenic: a memo, not in the total",
        f"CH4 and N2O of {query.carrier} are not counted: its factor is of CO2 alone",
    )
    return replace(factor, gases={}, co2e=0.0, chains={}, biogenic=factor.co2e, notes=notes)


def _refuse_other_basis(activity: Activity, factor: Factor, basis: Calorific) -> None:
    """Refuse a factor per energy on the other calorific basis, whether its basis or its unit says so.

    Raises:
        RefusedError: rule 1.10.
    """
    stated = calorific_basis(factor)
    if stated is not None and stated != basis:
        reason = f"{activity.activity}: {basis} energy and a factor on {stated} ({factor.unit})"
        raise RefusedError("1.10", reason)


def _to_prepare(activity: Activity, match: FactorMatch) -> bool:
    """True where an amount is converted before a given factor applies; litres only for one per mass."""
    per_litre = match.factor.unit.endswith(("/L", "/kL"))
    return activity.unit in ("m3", "Nm3") or (activity.unit == "L" and not per_litre)


def _basis(activity: Activity) -> Calorific:
    """The calorific basis of the numbers to use.

    Raises:
        RefusedError: energy whose basis is not said.
    """
    if activity.unit in GJ_PER:
        if activity.basis is None:
            raise RefusedError("1.10", f"{activity.activity}: {activity.unit} of {activity.subject} on NCV or HHV?")
        return activity.basis
    if activity.calorific is not None:
        return activity.calorific.basis
    return activity.basis or "NCV"


def preparation(activity: Activity, settings: Settings) -> tuple[tuple[Step, ...], str]:
    """The steps from the unit of an entry to the one its factors are per, and that unit.

    Raises:
        RefusedError: cubic metres without their conditions, litres without density.
    """
    if activity.unit == "m3":
        return _raw_volume(activity, settings)
    if activity.unit == "Nm3":
        return _other_standard(activity, settings), "Nm3"
    if activity.unit == "L" and activity.density_kg_per_m3 is not None:
        return (Step("density", activity.density_kg_per_m3 / 1e6, "t/L"),), "t"
    if activity.unit == "L":
        reason = f"{activity.activity}: litres of {activity.subject} need a density, factors are per tonne"
        raise RefusedError("6.10", reason)
    return (), activity.unit


def _raw_volume(activity: Activity, settings: Settings) -> tuple[tuple[Step, ...], str]:
    state = activity.gas_state
    if state is None and activity.density_kg_per_m3 is not None:
        return (Step("density", activity.density_kg_per_m3 / 1e3, "t/m3"),), "t"
    if state is None:
        reason = (
            f"{activity.activity}: {activity.amount:g} m3 of {activity.subject} without temperature and absolute"
            " pressure; factors are per standard cubic metre"
        )
        raise RefusedError("1.12", reason)
    return standard_steps(state, settings, activity.activity), "Nm3"


def standard_steps(state: GasState, settings: Settings, name: str) -> tuple[Step, ...]:
    """The steps from the cubic metres that a meter counted to standard ones.

    Args:
        state: of the gas at the meter.
        settings: what a standard cubic metre refers to.
        name: whose, for the message.

    Raises:
        RefusedError: it is no state of a gas (rule 6.10).
    """
    if state.temperature_c <= -_ZERO_C or state.pressure_kpa_abs <= 0 or state.compressibility_ratio <= 0:
        raise RefusedError("6.10", f"{name}: {state} is no state of a gas")
    steps: tuple[Step, ...] = (
        Step("pressure_ratio", state.pressure_kpa_abs / settings.standard_pressure_kpa, "1"),
        Step("temperature_ratio", _ratio(settings.standard_temperature_c, state.temperature_c), "1"),
    )
    if state.compressibility_ratio != 1:
        steps = (*steps, Step("compressibility", 1 / state.compressibility_ratio, "1"))
    return steps


def _other_standard(activity: Activity, settings: Settings) -> tuple[Step, ...]:
    stated = activity.standard_temperature_c
    if stated is None or stated == settings.standard_temperature_c:
        return ()
    return (Step("temperature_ratio", _ratio(settings.standard_temperature_c, stated), "1"),)


def _ratio(to_c: float, from_c: float) -> float:
    """What a volume of gas becomes when it is brought from one temperature to another."""
    return (to_c + _ZERO_C) / (from_c + _ZERO_C)
