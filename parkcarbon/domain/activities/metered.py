"""Metered fuel to a factor per unit of its meter: standard cubic metres, raw ones in a declared state, gross energy.

References:
    accounting rules 1.10 (a meter of gross energy never meets factors per net energy, nor a gross value net ones), 1.12
    (standard cubic metres: raw ones count only where temperature and absolute pressure are declared).
"""

from dataclasses import replace
from typing import Final

from parkcarbon.domain.activities.chain import fuel_factor
from parkcarbon.domain.activities.fuel import standard_steps
from parkcarbon.domain.calorific import declared_calorific
from parkcarbon.domain.emissions import CarrierFactor, Query
from parkcarbon.domain.factors import NoFactorError
from parkcarbon.domain.refusal import RefusedError

_OF_CARBON: Final = frozenset({"carbon_content", "fuel_combustion"})


def metered_fuel(query: Query, *, full_oxidation: bool = False) -> CarrierFactor:
    """Combustion of a fuel metered by volume (net) or by gross calorific energy.

    Args:
        query: unit Nm3, m3 or kWh of the meter.
        full_oxidation: count all carbon as burnt, as the park indicator does.

    Returns:
        Factors per unit of the meter; with a series of calorific values a template, see `calorific.at_value`.

    Raises:
        NoFactorError: no factor, or a unit that no fuel is metered in.
        RefusedError: raw cubic metres without their state (rule 1.12), a calorific value that may not be used.
    """
    if query.unit == "kWh":
        return fuel_factor(query, basis="HHV", full_oxidation=full_oxidation)
    if query.unit not in ("Nm3", "m3"):
        raise NoFactorError(f"{query.carrier} in {query.unit}: convert it to Nm3 (standard conditions) first")
    state = query.settings.gas_state
    if query.unit == "m3" and state is None:
        reason = (
            f"{query.carrier} in m3: the meter counts raw cubic metres and no temperature and absolute pressure are"
            " declared in method.gas_conditions; factors are per standard cubic metre, Nm3"
        )
        raise RefusedError("1.12", reason)
    before = () if query.unit == "Nm3" or state is None else standard_steps(state, query.settings, query.carrier)
    standard = replace(query, unit="Nm3")
    declared = declared_calorific(standard)
    factor = fuel_factor(standard, declared=declared, before=before, full_oxidation=full_oxidation)
    notes = factor.notes
    if declared is not None:
        carbon = next(match.factor for match in factor.matches if match.factor.purpose in _OF_CARBON)
        by = f"calorific value by {declared.factor.factor}, carbon by {carbon.factor} ({carbon.edition})"
        notes = (f"{query.carrier}: {by}", *notes)
    return replace(factor, unit=query.unit, notes=notes)
