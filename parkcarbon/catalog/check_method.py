"""What can be wrong with the method settings of a park: sets that do not exist, reasons that are not given.

References:
    accounting rules 1.10, 1.12 (net calorific values per standard cubic metre), 1.11 (one fuel default set, named),
    1.15, 1.16 (GWP rows of the declared set), 3.3 (a statement names an organisation), 3.7, 3.8 (exclusions with
    reasons).
"""

from collections import Counter
from collections.abc import Iterator

from parkcarbon.domain.emissions import GAS_CALORIFIC_UNITS

from .factors import load_factors
from .park import MethodSettings, Park

_FUEL_PURPOSES = frozenset({"oxidation", "fuel_combustion", "fuel_by_amount"})


def check_method(park: Park) -> Iterator[str]:
    """Yield a line for every problem of the settings; regions and the electricity factor are checked elsewhere."""
    method = park.method
    yield from _sets(method)
    yield from _calorific(park)
    for number, exclusion in enumerate(method.exclusions):
        if not exclusion.what.strip() or not exclusion.reason.strip():
            yield f"method.exclusions[{number}]: an exclusion needs what and reason (rule 3.8)"
    for scope, count in Counter(absent.scope for absent in method.absent_scopes).items():
        if count > 1:
            yield f"method.absent_scopes: scope {scope} appears {count} times"
    for absent in method.absent_scopes:
        if not absent.reason.strip():
            yield f"method.absent_scopes: scope {absent.scope} is absent for no reason (rule 3.8)"


def _sets(method: MethodSettings) -> Iterator[str]:
    records = {factor.factor: factor for factor in load_factors()}
    editions = sorted({factor.edition for factor in records.values() if factor.purpose in _FUEL_PURPOSES})
    if method.fuel_set and method.fuel_set not in editions:
        there = ", ".join(editions)
        yield f"method.fuel_set: {method.fuel_set!r} is no fuel default set (rule 1.11); there are {there}"
    if method.sf6_factor is not None:
        found = records.get(method.sf6_factor)
        if found is None or (found.purpose, found.gas) != ("gwp", "SF6"):
            yield f"method.sf6_factor: {method.sf6_factor!r} is no GWP of SF6 (rule 1.16)"
        elif found.edition != method.gwp_set:
            yield f"method.sf6_factor: {method.sf6_factor!r} is of {found.edition}, not {method.gwp_set} (rule 1.15)"
    heat = records.get(method.heat_factor or "")
    if heat is not None and heat.purpose != "heat_purchased":
        yield f"method.heat_factor: {method.heat_factor!r} is a {heat.purpose} factor (rule 1.6)"


def _calorific(park: Park) -> Iterator[str]:
    """The calorific value of metered gas; an id that neither catalog nor document knows may be an approved record."""
    name = park.method.gas_calorific_value
    if name is None:
        return
    known = [(one.purpose, one.unit, one.basis) for one in load_factors() if one.factor == name]
    known += [(one.purpose, one.unit, one.basis) for one in park.factor_series if one.factor == name]
    for purpose, unit, basis in known:
        place = f"method.gas_calorific_value: {name!r}"
        if purpose != "calorific_value":
            yield f"{place} is a {purpose} factor (rule 1.6)"
        elif unit not in GAS_CALORIFIC_UNITS:
            yield f"{place} is in {unit}; {' or '.join(GAS_CALORIFIC_UNITS)} is expected (rule 1.12)"
        elif "HHV" in basis or "NCV" not in basis:
            yield f"{place}: its basis is {basis!r}; NCV is expected (rule 1.10)"
