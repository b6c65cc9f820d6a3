"""What factors one calculation may use together, and which of those it uses have become old.

References:
    accounting rules 1.5 (one geography in one boundary), 1.10 (NCV and HHV are never mixed), 1.11 (one fuel default
    set, named), 1.15 (one declared GWP set), 1.16 (SF6 is printed twice in AR6), 1.18 (当量值 or 等价值, and which).
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .factors import WORLD, Factor, FactorMatch, Match, NoFactorError, lookup
from .refusal import RefusedError

CoalBasis = Literal["当量值", "等价值"]

FUEL_SET_PURPOSES: Final = frozenset({"calorific_value", "carbon_content", "oxidation", "fuel_by_amount"})
"""Numbers that belong to one published set of fuel defaults."""

BASIS_PURPOSES: Final = frozenset({"fuel_combustion", "fuel_part", "calorific_value", "carbon_content", "biogenic"})
"""Purposes whose number depends on the calorific basis."""


_ANY_YEAR: Final = 9998  # later than any data year: the newest is asked for


def calorific_basis(factor: Factor) -> Literal["NCV", "HHV"] | None:
    """Calorific basis that a record names, None where it names none."""
    words = f"{factor.basis} {factor.unit}"
    if "HHV" in words:
        return "HHV"
    return "NCV" if "NCV" in words else None


def check_one_set(matches: Iterable[FactorMatch]) -> None:
    """Refuse factors that may not stand in one statement.

    Args:
        matches: every factor that a statement, or one boundary of it, uses.

    Raises:
        RefusedError: 1.5 electricity by province and by country, 1.10 NCV and HHV, 1.11 two sets of fuel defaults of
            one country, 1.15 two GWP sets, 1.16 two values of one gas in one GWP set; the records are named.
    """
    used = list({id(match.factor): match for match in matches}.values())
    _one(used, "1.5", "electricity by province and by country in one boundary", _geography)
    _one(used, "1.10", "net and gross calorific values in one statement", _fuel_basis)
    for region in sorted({match.factor.region for match in used}):
        here = [match for match in used if match.factor.region == region]
        _one(here, "1.11", f"two sets of fuel defaults of {region} in one statement", _fuel_set)
    _one(used, "1.15", "two sets of warming potentials in one statement", _gwp_set)
    for gas in sorted({match.factor.gas for match in used} - {"CH4"}):
        same = [match for match in used if match.factor.gas == gas]
        _one(same, "1.16", f"two warming potentials of {gas} in one statement", _gwp_publisher)


def _one(used: Sequence[FactorMatch], rule: str, what: str, kind: Callable[[FactorMatch], str | None]) -> None:
    found: dict[str, str] = {}
    for match in used:
        name = kind(match)
        if name is not None:
            found.setdefault(name, match.factor.factor)
    if len(found) > 1:
        said = ", ".join(f"{factor} ({name})" for name, factor in sorted(found.items()))
        raise RefusedError(rule, f"{what}: {said}")


def _geography(match: FactorMatch) -> str | None:
    if match.factor.purpose != "grid_average" or match.match in (Match.SERIES, Match.DECLARED):
        return None
    return "province" if "/" in match.factor.region else "country"


def _fuel_basis(match: FactorMatch) -> str | None:
    return calorific_basis(match.factor) if match.factor.purpose in BASIS_PURPOSES else None


def _fuel_set(match: FactorMatch) -> str | None:
    """Publisher and edition of a default; what was measured, by the organisation or by the hour, belongs to no set."""
    factor = match.factor
    burnt = factor.purpose == "fuel_combustion" and factor.gas in ("CO2", "CO2e")
    if factor.own or factor.series or not (burnt or factor.purpose in FUEL_SET_PURPOSES):
        return None
    return f"{factor.publisher}: {factor.edition}"


def _gwp_set(match: FactorMatch) -> str | None:
    return match.factor.edition if match.factor.purpose == "gwp" else None


def _gwp_publisher(match: FactorMatch) -> str | None:
    return match.factor.publisher if match.factor.purpose == "gwp" else None


def warming_potential_of(
    factors: Iterable[Factor], gas: str, gwp_set: str, known_on: dt.date | dt.datetime, *, publisher: str | None = None
) -> FactorMatch:
    """GWP100 of a gas or refrigerant from the declared set [kgCO2e/kg]; not for methane, which has several.

    Args:
        factors: all records.
        gas: for example `SF6`, `HFC-134a`, `R-410A`.
        gwp_set: AR4, AR5 or AR6.
        known_on: date of knowledge.
        publisher: whose list; None: IPCC's, and where another list prints another value the match says so.

    Raises:
        NoFactorError: the set has no value for it.
        RefusedError: methane (rule 1.15): combustion and fugitive methane have different values.
    """
    if gas == "CH4":
        raise RefusedError("1.15", "CH4 has a value for combustion and one for fugitive fossil methane: name which")
    records = [factor for factor in factors if (factor.purpose, factor.edition, factor.gas) == ("gwp", gwp_set, gas)]
    named_list = [factor for factor in records if factor.publisher == (publisher or "IPCC")]
    try:
        found = lookup(
            named_list, purpose="gwp", region=WORLD, gas=gas, carrier="", data_year=_ANY_YEAR, known_on=known_on
        )
    except NoFactorError:
        raise NoFactorError(f"no GWP of {gas} in {gwp_set} by {publisher or 'IPCC'}, known on {known_on}") from None
    others = {
        f"{other.value:g} ({other.publisher}, {other.factor})"
        for other in records
        if other.publisher != found.factor.publisher and other.value != found.factor.value
    }
    said = f"{gas} in {gwp_set} is also printed as {', '.join(sorted(others))}; {found.value:g} is used"
    return FactorMatch(found.factor, Match.DECLARED, (said,) if others else ())


def coal_equivalent(
    factors: Iterable[Factor],
    *,
    carrier: str,
    data_year: int,
    known_on: dt.date | dt.datetime,
    basis: CoalBasis | None = None,
    region: str = "China",
) -> FactorMatch:
    """Standard coal of an amount [kgce per unit of the record].

    Args:
        factors: all records.
        carrier: `electricity`, `heat`, `diesel`, `gas-gasfield`, …
        data_year: year of the use.
        known_on: date of knowledge.
        basis: of electricity, which has both; the 等价值 of another year never stands in.
        region: where.

    Raises:
        NoFactorError: nothing applies; the tce are then not computed.
        RefusedError: electricity without saying which basis (rule 1.18).
    """
    if carrier == "electricity" and basis is None:
        raise RefusedError("1.18", "electricity has 当量值 and 等价值, 2.5 times apart: name which")
    found = lookup(
        factors, purpose="energy_conversion", region=region, gas="", carrier=carrier, data_year=data_year,
        known_on=known_on, basis=basis,
    )  # fmt: skip
    if basis == "等价值" and found.match is not Match.EXACT:
        raise NoFactorError(f"no 等价值 of {carrier} for {data_year}: {found.factor.factor} is of another year")
    return found


@dataclass(frozen=True, slots=True)
class Newer:
    """A factor in use for which a newer data year has been published."""

    used: Factor
    newer: Factor

    def __str__(self) -> str:
        return (
            f"{self.used.factor} describes {self.used.data_year}; {self.newer.factor} of {self.newer.data_year}"
            f" is published ({self.newer.publication})"
        )


def newer_available(
    factors: Iterable[Factor], used: Iterable[Factor], known_on: dt.date | dt.datetime, *, up_to_year: int | None = None
) -> list[Newer]:
    """Of the factors in use those that a newer data year of the same kind and region has overtaken.

    Args:
        factors: all records.
        used: records in use.
        known_on: what was published by then counts.
        up_to_year: year of the activity: a data year behind it is no better; None: any.

    Returns:
        One each, with the newest, in the order of the ids.
    """
    records = list(factors)
    found = []
    for factor in sorted({id(one): one for one in used}.values(), key=lambda one: one.factor):
        if factor.data_year is None or factor.purpose == "gwp":
            continue
        try:
            best = lookup(
                [other for other in records if (other.basis, other.own) == (factor.basis, factor.own)],
                purpose=factor.purpose, region=factor.region, gas=factor.gas, carrier=factor.carrier,
                data_year=up_to_year or _ANY_YEAR, known_on=known_on,
            ).factor  # fmt: skip
        except NoFactorError:
            continue
        if best.region == factor.region and best.data_year is not None and best.data_year > factor.data_year:
            found.append(Newer(factor, best))
    return found


def stale(used: Iterable[Factor], on: dt.date, *, older_than_years: int = 3) -> list[str]:
    """Sentences on electricity and heat factors whose data year lies too far back, for warnings and alerts.

    Args:
        used: records in use.
        on: today.
        older_than_years: a data year before `on.year` less this is old.
    """
    return [
        f"{factor.factor} describes {factor.data_year}, {on.year - factor.data_year} years ago"
        for factor in sorted({id(one): one for one in used}.values(), key=lambda one: one.factor)
        if factor.data_year is not None
        and factor.purpose in ("grid_average", "grid_remainder", "heat_purchased", "cooling_purchased")
        and on.year - factor.data_year > older_than_years
    ]
