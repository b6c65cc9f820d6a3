"""One entry to the factors of its line, or to the reason why it is shown beside the total and not in it.

References:
    accounting rules 1.13 (heat made inside the boundary is scope 1 by its fuel, never again scope 2), 2.5 (fuel used as
    raw material), 3.4 (removals need a named, measured method), 5.2 (what is delivered is not netted).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from parkcarbon.domain.activities.activity import Activity
from parkcarbon.domain.activities.cooling import cooling
from parkcarbon.domain.activities.fuel import fuel, preparation
from parkcarbon.domain.activities.fugitive import is_montreal, refrigerant
from parkcarbon.domain.activities.given import given_match, refuse_mixed_sets
from parkcarbon.domain.activities.heat import heat, steam_steps
from parkcarbon.domain.activities.process import process
from parkcarbon.domain.activities.scope3 import scope3
from parkcarbon.domain.emissions import GJ_PER, CarrierFactor, Query, Settings, single
from parkcarbon.domain.factors import NoFactorError
from parkcarbon.domain.refusal import RefusedError

_BOUGHT_ENERGY: Final = frozenset({"heat", "steam", "cooling"})


@dataclass(frozen=True, slots=True)
class Beside:
    """Shown beside the total; `reason` says why, `factor` what it would be, where that is worth showing."""

    reason: str
    factor: CarrierFactor | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """In the total; `market` differs from `location` for what rests on electricity."""

    location: CarrierFactor
    market: CarrierFactor


def count(activity: Activity, query: Query) -> Counted | Beside:
    """Choose the factors of an entry other than electricity, which is bought, made and delivered as a whole.

    Raises:
        NoFactorError: no factor applies; the amount is not in the total, with the message.
        RefusedError: the entry breaks a rule.
    """
    reason = _beside(activity)
    if reason is not None:
        return Beside(reason)
    if activity.kind == "refrigerant" and is_montreal(activity.subject):
        reason = f"{activity.subject} is not of the Kyoto Protocol: the GHG Protocol reports it apart from the scopes"
        return Beside(reason, refrigerant(activity, query))
    if activity.kind == "cooling":
        return Counted(cooling(activity, query, "location"), cooling(activity, query, "market"))
    factor = _RULES[activity.kind](activity, query)
    return Counted(factor, factor)


def _beside(activity: Activity) -> str | None:
    """Why an entry is shown and not added; None where it is added."""
    if activity.kind == "feedstock":
        return "used as raw material, not burnt: out of combustion and of the energy sum"
    if activity.kind == "removal":
        if not activity.method or not activity.evidence:
            reason = (
                f"{activity.activity}: {activity.subject} is no removal without a named, measured method and evidence"
            )
            raise RefusedError("3.4", reason)
        return f"removal by {activity.method}: reported apart, never subtracted from emissions"
    if activity.kind in _BOUGHT_ENERGY and activity.direction == "delivered":
        return "delivered to others: not netted against purchases"
    if activity.kind in _BOUGHT_ENERGY and activity.origin == "inside":
        return "made inside the boundary: scope 1 by its fuel, never again scope 2"
    if activity.kind == "scope3" and activity.counted_elsewhere:
        return "already in scope 1 or 2 by its meter: shown, not added again"
    return None


def validate(activity: Activity, settings: Settings | None = None) -> None:
    """Refuse at entry what `count` would refuse whatever the factors are.

    Args:
        activity: the entry.
        settings: of the park; None: only what is wrong in any park is refused.

    Raises:
        RefusedError: with the rule's number.
    """
    if settings is not None:
        refuse_mixed_sets(activity, settings)
    _beside(activity)
    checks: dict[str, Callable[[], object]] = {
        "fuel": lambda: _validate_fuel(activity, settings),
        "feedstock": lambda: _validate_fuel(activity, settings),
        "steam": lambda: steam_steps(activity),
    }
    checks.get(activity.kind, lambda: None)()
    if activity.factor is not None and activity.factor.life_cycle and activity.kind != "scope3":
        raise RefusedError("1.4", f"{activity.activity}: {activity.factor.document} is a life-cycle value")
    if activity.kind == "refrigerant" and not activity.evidence:
        raise RefusedError("1.17", f"{activity.activity}: a loss of {activity.subject} without evidence")
    given = activity.factor is not None or bool(activity.factor_id)
    if activity.kind == "cooling" and _beside(activity) is None and not given and not activity.cop:
        reason = f"{activity.activity}: cooling needs its supplier's factor or a COP above 0, there is no default"
        raise RefusedError("3.15", reason)
    if activity.kind in ("heat", "steam") and not given and activity.origin not in ("fossil", "non_fossil", "inside"):
        raise RefusedError(
            "1.13", f"{activity.activity}: heat of no stated origin; the default is for fossil heat alone"
        )


def refuse(activity: Activity, query: Query) -> None:
    """Refuse at entry what `count` would refuse with the settings and factors of the park.

    An amount that no record applies to yet is no error: it is listed as not in the total until there is one. A factor
    that came with the entry, or that it names, must apply to it.

    Args:
        activity: the entry.
        query: settings, records and year.

    Raises:
        RefusedError: with the rule's number.
    """
    validate(activity, query.settings)
    try:
        if activity.kind == "electricity":
            supplier = given_match(activity, query)
            if supplier is not None:
                single(replace(query, unit=activity.unit), supplier, 2)
        else:
            count(activity, query)
    except NoFactorError as error:
        named = any(factor.factor == activity.factor_id for factor in query.factors)
        if activity.factor is not None or named:
            raise RefusedError("6.10", f"{activity.activity}: {error}") from error


def _validate_fuel(activity: Activity, settings: Settings | None) -> None:
    given = activity.factor is not None or bool(activity.factor_id)
    if activity.unit != "L" or not given:  # a given factor may be per litre: `refuse` looks at it
        preparation(activity, settings or Settings(""))
    if activity.unit in GJ_PER and activity.basis is None:
        raise RefusedError("1.10", f"{activity.activity}: {activity.unit} of {activity.subject} on NCV or HHV?")


_RULES: Final[dict[str, Callable[[Activity, Query], CarrierFactor]]] = {
    "fuel": fuel,
    "refrigerant": refrigerant,
    "process": process,
    "heat": heat,
    "steam": heat,
    "scope3": scope3,
}
