"""Gases that escape: refrigerants, switchgear gas, vented methane. Mass lost, by substance, times its GWP.

References:
    accounting rules 1.15 (fugitive fossil methane: 29.8 in AR6), 1.16 (SF6 in AR6 is printed as 25200 and 24300: a data
    row with its source), 1.17 (a blend is the mass-weighted sum of its parts). Compositions of blends: ANSI/ASHRAE
    Standard 34, as published for these numbers. Substances of the Montreal Protocol (HCFC, CFC) are reported apart from
    the scopes: GHG Protocol Corporate Standard, chapter 9.
"""

from dataclasses import replace
from typing import Final

from parkcarbon.domain.activities.activity import Activity
from parkcarbon.domain.activities.chain import product
from parkcarbon.domain.activities.given import given_match, refuse_mixed_sets
from parkcarbon.domain.emissions import CarrierFactor, Query, Step
from parkcarbon.domain.factors import FactorMatch, NoFactorError, named
from parkcarbon.domain.refusal import RefusedError

BLENDS: Final[dict[str, tuple[tuple[str, float], ...]]] = {
    "R-404A": (("HFC-125", 44.0), ("HFC-143a", 52.0), ("HFC-134a", 4.0)),
    "R-407C": (("HFC-32", 23.0), ("HFC-125", 25.0), ("HFC-134a", 52.0)),
    "R-410A": (("HFC-32", 50.0), ("HFC-125", 50.0)),
    "R-507A": (("HFC-125", 50.0), ("HFC-143a", 50.0)),
}
"""Refrigerant blends: substance and share by mass [%]."""

_SAME: Final = {
    "R-22": "HCFC-22",
    "R-23": "HFC-23",
    "R-32": "HFC-32",
    "R-125": "HFC-125",
    "R-134a": "HFC-134a",
    "R-143a": "HFC-143a",
    "R-152a": "HFC-152a",
    "R-227ea": "HFC-227ea",
    "R-245fa": "HFC-245fa",
    "R-14": "CF4",
    "R-116": "C2F6",
}
_KG_PER: Final = {"g": 1e-3, "kg": 1.0, "t": 1e3}
_GWP_UNIT: Final = "kgCO2e/kg"


def is_montreal(substance: str) -> bool:
    """True for HCFC and CFC, which the GHG Protocol reports apart from the scopes."""
    return _SAME.get(substance, substance).startswith(("HCFC-", "CFC-"))


def refrigerant(activity: Activity, query: Query) -> CarrierFactor:
    """Choose the warming potentials of what was lost.

    Raises:
        NoFactorError: no GWP of a substance in the declared set.
        RefusedError: no evidence, mixed sets, shares that are not a whole.
    """
    refuse_mixed_sets(activity, query.settings)
    if not activity.evidence:
        raise RefusedError("1.17", f"{activity.activity}: a loss of {activity.subject} without evidence")
    mass = Step("mass", _KG_PER[activity.unit], f"kg/{activity.unit}")
    prefix = () if activity.unit == "kg" else (mass,)
    gases: dict[str, float] = {}
    chains: dict[str, tuple[Step, ...]] = {}
    matches: list[FactorMatch] = []
    for substance, share in _parts(activity):
        match = _potential(activity, query, substance)
        part = () if share == 100 else (Step("share", share / 100, "1"),)
        chains[substance] = (*prefix, *part, Step("warming_potential", match.value, match.factor.unit, match))
        gases[substance] = product(chains[substance][:-1])
        matches.append(match)
    notes = tuple(dict.fromkeys(note for match in matches for note in match.notes))
    return CarrierFactor(
        carrier=activity.subject,
        unit=activity.unit,
        scope=1,
        basis=None,
        gases=gases,
        co2e=sum(product(chain) for chain in chains.values()),
        matches=tuple(matches),
        notes=notes,
        chains=chains,
    )


def _parts(activity: Activity) -> tuple[tuple[str, float], ...]:
    blend = activity.blend or BLENDS.get(activity.subject)
    if blend is None:
        return ((_SAME.get(activity.subject, activity.subject), 100.0),)
    if abs(sum(share for _, share in blend) - 100) > 1e-9 or any(share <= 0 for _, share in blend):
        raise RefusedError("1.17", f"{activity.activity}: the shares of {activity.subject} are not 100 % together")
    return tuple((_SAME.get(name, name), share) for name, share in blend)


def _potential(activity: Activity, query: Query, substance: str) -> FactorMatch:
    """The warming potential of one substance, from the declared set alone."""
    given = given_match(replace(activity, subject=substance), query)
    if given is not None:
        if activity.factor_id and given.factor.edition != query.settings.gwp_set:
            reason = f"{activity.factor_id} is of {given.factor.edition}, {query.settings.gwp_set} is declared"
            raise RefusedError("1.15", reason)
        if given.factor.unit != _GWP_UNIT:
            raise RefusedError(
                "6.10", f"{activity.activity}: a warming potential in {given.factor.unit}, not {_GWP_UNIT}"
            )
        return given
    gwp_set = query.settings.gwp_set
    name = f"GWP-{gwp_set}-{substance}"
    if substance == "CH4":
        origin = f"{name}-NONFOSSIL" if activity.biogenic else f"{name}-FOSSIL"
        name = origin if any(factor.factor == origin for factor in query.factors) else name
    if substance == "SF6" and query.settings.sf6_factor:
        name = query.settings.sf6_factor
    try:
        match = named(query.factors, name, query.known_on, purposes=frozenset({"gwp"}))
    except NoFactorError:
        raise NoFactorError(f"no GWP of {substance} in {gwp_set}") from None
    if match.factor.edition != gwp_set:
        raise RefusedError("1.15", f"{name} is of {match.factor.edition}, {gwp_set} is declared")
    if substance == "SF6" and gwp_set == "AR6":
        note = f"SF6 in AR6 is printed as 25200 and 24300 by two bodies: {name} is used"
        return replace(match, notes=(*match.notes, note))
    return match
