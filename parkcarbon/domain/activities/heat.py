"""Purchased heat and steam: energy times the supplier's factor, the default for fossil heat, zero for non-fossil heat.

Steam bought by the tonne is turned into heat by what it brings less what goes back:

    q [GJ/t] = (h - r h_c - (1 - r) h_0) / 1000

h: enthalpy at its pressure and temperature, h_c: of the returned condensate, r: share returned, h_0 = 83.74 kJ/kg: feed
water of 20 degC. Without pressure, temperature and condensate return a tonne of steam is no amount of heat.

References:
    accounting rules 1.13 (0.11 tCO2/GJ only where no supplier's value is known; non-fossil heat counts 0); NDRC sector
    guidelines for h_0 (recalled, therefore flagged); IAPWS-IF97 for enthalpies, see `water`.
"""

from dataclasses import replace
from typing import Final

from parkcarbon.domain.activities.activity import Activity, SteamState
from parkcarbon.domain.activities.given import converted, given_match, refuse_mixed_sets
from parkcarbon.domain.activities.water import (
    ZERO_C,
    OutsideTablesError,
    liquid_enthalpy,
    saturation_temperature_k,
    vapour_enthalpy,
)
from parkcarbon.domain.emissions import GJ_PER, CarrierFactor, Query, Step, resolve, single
from parkcarbon.domain.factors import Factor, FactorMatch, Match
from parkcarbon.domain.refusal import RefusedError

FEED_WATER_KJ_KG: Final = 83.74
"""Enthalpy of feed water of 20 degC after the sector guidelines [kJ/kg]."""

_SATURATED_K: Final = 0.5  # a temperature this near to boiling is that of saturated steam
_TONNES: Final = {"t": 1.0, "kg": 1e-3}

NON_FOSSIL: Final = Factor(
    factor="NON-FOSSIL-HEAT",
    purpose="heat_purchased",
    carrier="heat",
    region="China",
    gas="CO2",
    unit="tCO2/GJ",
    value=0.0,
    basis="heat from non-fossil sources counts zero",
    publisher="NDRC, MIIT, NEA; SAMR/SAC",
    edition="发改环资〔2025〕910号 附件4; GB/T 32150-2025",
    title="非化石能源供热 heat from non-fossil sources",
)


def heat(activity: Activity, query: Query) -> CarrierFactor:
    """Choose the factor of purchased heat or steam.

    Raises:
        NoFactorError: fossil heat without a supplier's value where no default is for the park's region.
        RefusedError: heat of no stated origin, steam without its state, mixed sets.
    """
    refuse_mixed_sets(activity, query.settings)
    if activity.kind == "heat":
        return replace(_per_gj(activity, query, activity.unit), carrier="heat")
    steps = steam_steps(activity)
    return replace(converted(_per_gj(activity, query, "GJ"), activity.unit, steps), carrier="steam")


def _per_gj(activity: Activity, query: Query, unit: str) -> CarrierFactor:
    asked = replace(query, carrier="heat", unit=unit)
    match = given_match(replace(activity, subject="heat"), asked)
    gj = GJ_PER[unit]
    if match is not None:
        return single(asked, match, 2, gj=gj)
    if activity.origin == "non_fossil":
        return single(asked, FactorMatch(NON_FOSSIL, Match.DECLARED), 2, gj=gj)
    if activity.origin != "fossil":
        reason = f"{activity.activity}: heat of no stated origin; the default is for fossil heat alone"
        raise RefusedError("1.13", reason)
    return resolve(
        query.factors,
        query.settings,
        carrier="heat",
        unit=unit,
        data_year=query.data_year,
        known_on=query.known_on,
    )


def steam_steps(activity: Activity) -> tuple[Step, ...]:
    """The steps from tonnes of steam to GJ.

    Raises:
        RefusedError: pressure, temperature or condensate return is not stated, or they are no state of steam.
    """
    gain = heat_gain_gj_per_t(activity.activity, activity.steam or SteamState())
    mass = () if activity.unit == "t" else (Step("unit_conversion", _TONNES[activity.unit], f"t/{activity.unit}"),)
    return (*mass, Step("heat_of_steam", gain, "GJ/t"))


def heat_gain_gj_per_t(name: str, state: SteamState) -> float:
    """Heat that a tonne of steam brings, less that of the condensate that goes back [GJ/t].

    Args:
        name: of the entry, for the message.
        state: of the steam and its condensate.

    Raises:
        RefusedError: something needed is not stated, or it is no state of steam.
    """
    needed = {
        "pressure": state.pressure_mpa_abs,
        "temperature": state.temperature_c,
        "condensate return": state.condensate_return_pct,
    }
    missing = [word for word, value in needed.items() if value is None]
    if missing or state.pressure_mpa_abs is None or state.temperature_c is None or state.condensate_return_pct is None:
        raise RefusedError("1.13", f"{name}: tonnes of steam without {', '.join(missing)} are no amount of heat")
    returned = state.condensate_return_pct
    if not 0 <= returned <= 100:
        raise RefusedError("1.13", f"{name}: {returned:g} % of condensate cannot come back")
    try:
        steam = enthalpy_kj_kg(state.pressure_mpa_abs, state.temperature_c, state.dryness_pct)
        condensate = FEED_WATER_KJ_KG if not returned else _condensate(name, state, state.pressure_mpa_abs)
    except OutsideTablesError as error:
        raise RefusedError("1.13", f"{name}: {error}") from error
    share = returned / 100
    return (steam - share * condensate - (1 - share) * FEED_WATER_KJ_KG) / 1e3


def enthalpy_kj_kg(pressure_mpa: float, temperature_c: float, dryness_pct: float = 100.0) -> float:
    """Enthalpy of superheated, saturated or wet steam [kJ/kg].

    >>> round(enthalpy_kj_kg(1.0, 300), 1), round(enthalpy_kj_kg(1.0, 179.9), 1)
    (3051.7, 2777.1)

    Args:
        pressure_mpa: absolute pressure [MPa].
        temperature_c: temperature [degC].
        dryness_pct: vapour by mass [%].

    Raises:
        OutsideTablesError: water, or beyond the tables.
    """
    boiling = saturation_temperature_k(pressure_mpa)
    kelvin = temperature_c + ZERO_C
    if kelvin < boiling - _SATURATED_K:
        reason = (
            f"at {pressure_mpa:g} MPa water boils at {boiling - ZERO_C:.2f} degC; {temperature_c:g} degC is no steam"
        )
        raise OutsideTablesError(reason)
    if not 0 < dryness_pct <= 100:
        raise OutsideTablesError(f"{dryness_pct:g} % vapour is no steam")
    if kelvin > boiling + _SATURATED_K:
        if dryness_pct < 100:
            reason = (
                f"steam of {dryness_pct:g} % vapour is at boiling point, {boiling - ZERO_C:.2f} degC at"
                f" {pressure_mpa:g} MPa, not at {temperature_c:g} degC"
            )
            raise OutsideTablesError(reason)
        return vapour_enthalpy(pressure_mpa, kelvin)
    vapour = vapour_enthalpy(pressure_mpa, boiling)
    if dryness_pct == 100:
        return vapour
    water = liquid_enthalpy(pressure_mpa, boiling)
    return water + dryness_pct / 100 * (vapour - water)


def _condensate(name: str, state: SteamState, pressure_mpa: float) -> float:
    """Enthalpy of the returned condensate [kJ/kg]."""
    celsius = state.condensate_temperature_c
    if celsius is None:
        raise RefusedError("1.13", f"{name}: condensate comes back at no stated temperature")
    kelvin = celsius + ZERO_C
    if kelvin > saturation_temperature_k(pressure_mpa):
        raise RefusedError("1.13", f"{name}: condensate of {celsius:g} degC is hotter than the steam's boiling point")
    return liquid_enthalpy(pressure_mpa, kelvin)
