"""Purchased cooling: the supplier's factor, or its electricity by the plant's coefficient of performance; no default.

    electricity [kWh] = cooling [kWh] / COP

References:
    accounting rules 3.15 (the supplier's value goes before an average); the GHG Protocol counts cooling in scope 2.
"""

from dataclasses import replace

from parkcarbon.domain.activities.activity import Activity
from parkcarbon.domain.activities.given import converted, given_match, refuse_mixed_sets
from parkcarbon.domain.emissions import GJ_PER, Basis, CarrierFactor, Query, Step, resolve, single
from parkcarbon.domain.refusal import RefusedError


def cooling(activity: Activity, query: Query, basis: Basis) -> CarrierFactor:
    """Choose the factor of purchased cooling.

    Raises:
        NoFactorError: no factor of the grid behind a COP.
        RefusedError: neither a supplier's factor nor a COP, mixed sets.
    """
    refuse_mixed_sets(activity, query.settings)
    asked = replace(query, carrier="cooling", unit=activity.unit)
    match = given_match(replace(activity, subject="cooling"), asked)
    if match is not None:
        return single(asked, match, 2, gj=GJ_PER[activity.unit])
    if activity.cop is None or activity.cop <= 0:
        reason = f"{activity.activity}: cooling needs its supplier's factor or a COP above 0, there is no default"
        raise RefusedError("3.15", reason)
    electricity = resolve(
        query.factors,
        query.settings,
        carrier="electricity",
        unit="kWh",
        data_year=query.data_year,
        known_on=query.known_on,
        basis=basis,
    )
    steps = (
        Step("unit_conversion", GJ_PER[activity.unit] / GJ_PER["kWh"], f"kWh/{activity.unit}"),
        Step("coefficient_of_performance", 1 / activity.cop, "kWh electricity/kWh cooling"),
    )
    return replace(converted(electricity, activity.unit, steps), carrier="cooling")
