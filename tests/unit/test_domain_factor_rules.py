"""What factors may stand together in one statement, and which have been overtaken."""

import datetime as dt
from dataclasses import replace

import pytest

from parkcarbon.catalog.factors import load_factors
from parkcarbon.domain.factor_rules import (
    calorific_basis,
    check_one_set,
    coal_equivalent,
    newer_available,
    stale,
    warming_potential_of,
)
from parkcarbon.domain.factors import Factor, FactorMatch, Match, NoFactorError
from parkcarbon.domain.refusal import RefusedError

TODAY = dt.date(2026, 11, 21)
CATALOG = {record.factor: record for record in load_factors()}


def used(*names: str, match: Match = Match.EXACT) -> list[FactorMatch]:
    return [FactorMatch(CATALOG[name], match) for name in names]


def own(name: str, factor: str) -> Factor:
    return replace(CATALOG[name], own=True, factor=factor)


@pytest.mark.rule("1.5")
def test_a_province_and_the_country_do_not_stand_in_one_boundary() -> None:
    check_one_set(used("CN-2023-JS", "CN-2023-EXMKT"))
    check_one_set(used("CN-2023-NATIONAL", match=Match.NATIONAL_FALLBACK))
    with pytest.raises(RefusedError, match=r"rule 1\.5: .*CN-2023-JS \(province\)") as caught:
        check_one_set(used("CN-2023-JS", "CN-2023-NATIONAL"))
    assert caught.value.rule == "1.5"
    assert "CN-2023-NATIONAL (country)" in str(caught.value)


@pytest.mark.rule("1.10")
def test_net_and_gross_calorific_values_do_not_meet() -> None:
    assert calorific_basis(CATALOG["EPA-NATURAL-GAS-CO2"]) == "HHV"
    assert calorific_basis(CATALOG["AU-2025-LNG-EC"]) == "HHV"
    assert calorific_basis(CATALOG["IPCC-EF-NATURAL-GAS"]) == "NCV"
    assert calorific_basis(CATALOG["CN-2023-JS"]) is None
    check_one_set(used("IPCC-EF-NATURAL-GAS", "IPCC-CH4-NATURAL-GAS-MANUFACTURING"))
    with pytest.raises(RefusedError, match=r"rule 1\.10.*EPA-NATURAL-GAS-CO2"):
        check_one_set(used("EPA-NATURAL-GAS-CO2", "IPCC-CH4-NATURAL-GAS-MANUFACTURING"))


@pytest.mark.rule("1.11")
def test_one_set_of_fuel_defaults_in_one_statement() -> None:
    ndrc = ["CNDRC-NCV-diesel", "CNDRC-CC-diesel", "CNDRC-OX-diesel"]
    check_one_set(used(*ndrc, "IPCC-CH4-NATURAL-GAS-MANUFACTURING", "IPCC-NCV-WOOD-WOOD-WASTE"))
    with pytest.raises(RefusedError, match=r"rule 1\.11.*CNALT-NCV-gasoline"):
        check_one_set(used(*ndrc, "CNALT-NCV-gasoline"))
    with pytest.raises(RefusedError, match=r"rule 1\.11.*GP-EF-DIESEL"):
        check_one_set(used("CNDRC-NCV-natural-gas", "GP-EF-DIESEL"))
    measured = FactorMatch(own("CNALT-NCV-gasoline", "MEASURED"), Match.EXACT)
    check_one_set([*used(*ndrc), measured])


@pytest.mark.rule("1.15")
def test_one_set_of_warming_potentials() -> None:
    check_one_set(used("GWP-AR6-CH4-NONFOSSIL", "GWP-AR6-CH4-FOSSIL", "GWP-AR6-N2O", match=Match.DECLARED))
    with pytest.raises(RefusedError, match=r"rule 1\.15.*GWP-AR5-N2O \(AR5\)"):
        check_one_set(used("GWP-AR6-CH4-NONFOSSIL", "GWP-AR5-N2O", match=Match.DECLARED))


@pytest.mark.rule("1.16")
def test_sf6_is_a_row_with_its_source_and_never_both() -> None:
    found = warming_potential_of(CATALOG.values(), "SF6", "AR6", TODAY)
    assert (found.factor.factor, found.value) == ("GWP-AR6-SF6", 25200)
    assert found.notes == ("SF6 in AR6 is also printed as 24300 (GHG Protocol, GWP-AR6-SF6-GHGP); 25200 is used",)
    other = warming_potential_of(CATALOG.values(), "SF6", "AR6", TODAY, publisher="GHG Protocol")
    assert (other.factor.factor, other.value) == ("GWP-AR6-SF6-GHGP", 24300)
    with pytest.raises(RefusedError, match=r"rule 1\.16.*SF6"):
        check_one_set([found, other])
    assert warming_potential_of(CATALOG.values(), "SF6", "AR5", TODAY).notes == ()
    with pytest.raises(NoFactorError, match="no GWP of SF6 in AR3"):
        warming_potential_of(CATALOG.values(), "SF6", "AR3", TODAY)


@pytest.mark.rule("1.15", "1.17")
def test_refrigerants_are_found_by_their_number_and_methane_must_say_which() -> None:
    assert warming_potential_of(CATALOG.values(), "R-410A", "AR5", TODAY).value == 1923.5
    assert warming_potential_of(CATALOG.values(), "HFC-134a", "AR6", TODAY).value == 1530
    with pytest.raises(RefusedError, match=r"rule 1\.15: CH4"):
        warming_potential_of(CATALOG.values(), "CH4", "AR6", TODAY)


@pytest.mark.rule("1.18")
def test_electricity_in_standard_coal_says_which_value_it_is() -> None:
    records = list(CATALOG.values())
    direct = coal_equivalent(records, carrier="electricity", basis="当量值", data_year=2026, known_on=TODAY)
    assert (direct.factor.factor, direct.value) == ("TCE-ELEC-DIRECT", 0.1229)
    with pytest.raises(RefusedError, match=r"rule 1\.18"):
        coal_equivalent(records, carrier="electricity", data_year=2026, known_on=TODAY)
    with pytest.raises(NoFactorError, match="listed without a value: TCE-ELEC-EQUIV"):
        coal_equivalent(records, carrier="electricity", basis="等价值", data_year=2025, known_on=TODAY)
    entered = replace(CATALOG["TCE-ELEC-EQUIV"], factor="OWN-EQUIV-2025", value=0.3025, data_year=2025, own=True)
    found = coal_equivalent([*records, entered], carrier="electricity", basis="等价值", data_year=2025, known_on=TODAY)
    assert (found.factor.factor, found.value, found.match) == ("OWN-EQUIV-2025", 0.3025, Match.EXACT)
    with pytest.raises(NoFactorError, match="of another year"):
        coal_equivalent([*records, entered], carrier="electricity", basis="等价值", data_year=2026, known_on=TODAY)
    heat = coal_equivalent(records, carrier="heat", data_year=2026, known_on=TODAY)
    assert heat.value == pytest.approx(34.12)


@pytest.mark.rule("1.1", "1.5")
def test_a_newer_data_year_raises_a_warning_from_the_day_it_is_published() -> None:
    frozen = [CATALOG["CN-2022-JS"], CATALOG["CNDRC-NCV-natural-gas"], CATALOG["GWP-AR5-N2O"]]
    assert newer_available(CATALOG.values(), frozen, dt.date(2025, 12, 30)) == []
    (warning,) = newer_available(CATALOG.values(), frozen, dt.date(2025, 12, 31))
    assert str(warning) == "CN-2022-JS describes 2022; CN-2023-JS of 2023 is published (2025-12-31)"
    assert newer_available(CATALOG.values(), frozen, TODAY, up_to_year=2022) == []
    assert newer_available(CATALOG.values(), [CATALOG["CN-2023-JS"]], TODAY) == []


def test_a_newer_value_of_another_kind_or_place_is_none() -> None:
    mine = own("CN-2022-JS", "OWN")
    assert newer_available([*CATALOG.values(), mine], [mine], TODAY) == []
    assert newer_available([CATALOG["CN-2023-NATIONAL"]], [CATALOG["CN-2022-JS"]], TODAY) == []


def test_old_data_years_are_told() -> None:
    assert stale([CATALOG["CN-2022-JS"], CATALOG["CN-2023-JS"], CATALOG["IPCC-EF-NATURAL-GAS"]], TODAY) == [
        "CN-2022-JS describes 2022, 4 years ago"
    ]
