"""Factors that come with an entry or are named by it, and amounts that are converted before a factor applies.

References:
    accounting rules 1.4 (no life-cycle value outside scope 3), 1.6 (a factor serves one purpose), 1.15 (one GWP set).
"""

from dataclasses import replace
from typing import Final

from parkcarbon.domain.activities.activity import Activity, GivenFactor
from parkcarbon.domain.activities.chain import product
from parkcarbon.domain.emissions import CarrierFactor, Query, Settings, Step
from parkcarbon.domain.factors import Factor, FactorMatch, Match
from parkcarbon.domain.refusal import RefusedError

PURPOSE_OF: Final = {
    "electricity": "grid_remainder",
    "fuel": "fuel_by_amount",
    "refrigerant": "gwp",
    "process": "process",
    "heat": "heat_purchased",
    "steam": "heat_purchased",
    "cooling": "cooling_purchased",
    "scope3": "scope3",
}
"""What a given factor serves, by kind of activity."""

_NAMED_FOR: Final = {
    "electricity": ("grid_average", "grid_remainder"),
    "fuel": ("fuel_by_amount", "fuel_combustion"),
    "scope3": ("scope3", "life_cycle", "upstream", "grid_average", "fuel_by_amount", "process"),
}


def refuse_mixed_sets(activity: Activity, settings: Settings) -> None:
    """Refuse an entry made under another GWP or fuel set than the park's.

    Raises:
        RefusedError: rule 1.15 or 1.11.
    """
    given = activity.factor.gwp_set if activity.factor else None
    for stated in (activity.gwp_set, given):
        if stated is not None and stated != settings.gwp_set:
            reason = (
                f"{activity.activity}: {stated} where the declared GWP set is {settings.gwp_set}; sets are never mixed"
            )
            raise RefusedError("1.15", reason)
    if activity.fuel_set is not None and settings.fuel_set and activity.fuel_set != settings.fuel_set:
        reason = f"{activity.activity}: fuel set {activity.fuel_set!r} where {settings.fuel_set!r} is declared"
        raise RefusedError("1.11", reason)


def given_match(activity: Activity, query: Query) -> FactorMatch | None:
    """The factor that an entry brings along or names; None where it does neither.

    Raises:
        NoFactorError: it names a record that is not known.
        RefusedError: a life-cycle value outside scope 3, or a record for another purpose.
    """
    if activity.factor_id:
        purposes = _NAMED_FOR.get(activity.kind, (PURPOSE_OF[activity.kind],))
        return query.named(activity.factor_id, *purposes)
    if activity.factor is None:
        return None
    given = activity.factor
    if given.life_cycle and activity.kind != "scope3":
        reason = (
            f"{activity.activity}: {given.document or given.publisher} is a life-cycle value; it serves scope 3 alone"
        )
        raise RefusedError("1.4", reason)
    return FactorMatch(_record(activity, given), Match.DECLARED, _notes(activity, given))


def _record(activity: Activity, given: GivenFactor) -> Factor:
    """The given number as a record, so that it is shown like any other."""
    gas = given.unit.partition("/")[0].lstrip("gkt")
    return Factor(
        factor=f"given:{activity.activity}",
        purpose=PURPOSE_OF[activity.kind],
        carrier=activity.subject,
        region="",
        gas=gas,
        unit=given.unit,
        value=given.value,
        basis=given.basis or "",
        data_year=given.data_year,
        publisher=given.publisher,
        edition=given.document,
        unverified=given.unverified,
    )


def _notes(activity: Activity, given: GivenFactor) -> tuple[str, ...]:
    if "CO2e" in given.unit and given.gwp_set is None:
        return (f"{activity.name}: the GWP set behind its factor is not stated",)
    return ()


def converted(factor: CarrierFactor, unit: str, steps: tuple[Step, ...]) -> CarrierFactor:
    """A factor per `unit`, where `steps` turn that into the unit the factor was found for."""
    if not steps:
        return replace(factor, unit=unit)
    scale = product(steps)
    return replace(
        factor,
        unit=unit,
        gases={gas: scale * mass for gas, mass in factor.gases.items()},
        co2e=scale * factor.co2e,
        chains={gas: (*steps, *chain) for gas, chain in factor.chains.items()},
        biogenic=scale * factor.biogenic,
        gj=None if factor.gj is None else scale * factor.gj,
    )
