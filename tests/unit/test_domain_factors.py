"""Factor lookup: data year, date of knowledge, region, gas, and what is refused."""

import datetime as dt
import itertools
from dataclasses import replace

import numpy as np
import pytest

from parkcarbon.catalog.factors import load_factors
from parkcarbon.domain.factors import (
    GRID_PURPOSES,
    Factor,
    FactorMatch,
    FactorRefusedError,
    FactorSeries,
    Match,
    NoFactorError,
    lookup,
    named,
)

TODAY = dt.date(2026, 11, 21)


def grid(factor: str, region: str, year: int | None, value: float | None = 0.5, **more: object) -> Factor:
    record = Factor(
        factor=factor,
        purpose="grid_average",
        carrier="electricity",
        region=region,
        gas="CO2",
        unit="kgCO2/kWh",
        value=value,
        data_year=year,
    )
    return replace(record, **more)  # type: ignore[arg-type]


def find(factors: list[Factor], region: str = "China/JS", year: int = 2026, **more: object) -> FactorMatch:
    asked: dict[str, object] = {"purpose": "grid_average", "gas": "CO2", "carrier": "electricity", "known_on": TODAY}
    return lookup(factors, region=region, data_year=year, **{**asked, **more})  # type: ignore[arg-type]


JS_2022 = grid("JS22", "China/JS", 2022, published_on=dt.date(2024, 12, 20))
JS_2023 = grid("JS23", "China/JS", 2023, published_on=dt.date(2025, 12, 1))
CN_2023 = grid("CN23", "China", 2023, published_on=dt.date(2025, 12, 1))


def test_the_year_asked_is_exact() -> None:
    found = find([JS_2022, JS_2023], year=2022)
    assert (found.factor.factor, found.match, found.notes) == ("JS22", Match.EXACT, ())


@pytest.mark.rule("1.1")
def test_the_newest_older_year_says_so() -> None:
    found = find([JS_2022, JS_2023])
    assert (found.factor.factor, found.match) == ("JS23", Match.NEWEST_PUBLISHED)
    assert found.notes == ("JS23 describes 2023, not 2026",)


def test_only_newer_years_take_the_nearest() -> None:
    found = find([JS_2022, JS_2023], year=2019)
    assert (found.factor.factor, found.match) == ("JS22", Match.NEWER_THAN_PERIOD)


def test_what_was_not_published_yet_is_not_known() -> None:
    assert find([JS_2022, JS_2023], known_on=dt.date(2025, 11, 30)).factor.factor == "JS22"
    assert find([JS_2022, JS_2023], known_on=dt.date(2025, 12, 1)).factor.factor == "JS23"
    with pytest.raises(NoFactorError, match="2024-01-01"):
        find([JS_2022, JS_2023], known_on=dt.date(2024, 1, 1))


def test_recorded_at_is_the_second_axis_of_knowledge() -> None:
    noon = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    corrected = replace(JS_2023, value=0.6, recorded_at=noon)
    assert find([JS_2023, corrected], known_on=noon - dt.timedelta(seconds=1)).value == 0.5
    assert find([JS_2023, corrected], known_on=noon).value == 0.6
    assert find([JS_2023, corrected], known_on=dt.date(2026, 2, 28)).value == 0.5
    assert find([JS_2023, corrected], known_on=dt.date(2026, 3, 1)).value == 0.6


@pytest.mark.rule("1.2")
def test_a_province_without_a_value_falls_back_to_the_country_flagged() -> None:
    tibet = grid("XZ23", "China/XZ", 2023, None)
    found = find([tibet, JS_2023, CN_2023], region="China/XZ", year=2023)
    assert (found.factor.factor, found.match) == ("CN23", Match.NATIONAL_FALLBACK)
    assert "China/XZ" in found.notes[-1]


def test_a_province_with_an_older_year_goes_before_the_country() -> None:
    assert find([JS_2022, CN_2023], year=2023).factor.factor == "JS22"


def test_a_grid_never_falls_back_to_the_world() -> None:
    with pytest.raises(NoFactorError):
        find([grid("W", "World", 2023)])


def test_a_fuel_falls_back_to_the_world_flagged() -> None:
    fuel = replace(grid("W", "World", 2006), purpose="fuel_combustion", carrier="gas")
    found = find([fuel], region="China", purpose="fuel_combustion", carrier="gas")
    assert found.match is Match.WORLD_DEFAULT
    with pytest.raises(NoFactorError):
        find([fuel], region="", purpose="fuel_combustion", carrier="gas")


def test_a_record_without_a_year_is_undated() -> None:
    assert find([grid("X", "China/JS", None)]).match is Match.UNDATED
    assert find([grid("X", "China/JS", None), JS_2022]).factor.factor == "JS22"


def test_gases_are_taken_in_the_order_asked() -> None:
    total = replace(JS_2023, factor="E", gas="CO2e")
    assert find([JS_2023, total], gas=("CO2e", "CO2")).factor.gas == "CO2e"
    assert find([JS_2023], gas=("CO2e", "CO2")).factor.gas == "CO2"


def test_nothing_found_raises_and_says_what_was_asked() -> None:
    with pytest.raises(NoFactorError, match=r"grid_average.*electricity.*CO2.*China/JS.*2026"):
        find([])
    with pytest.raises(NoFactorError):
        find([JS_2023], carrier="heat")
    with pytest.raises(ValueError, match="lifecycle"):
        find([JS_2023], purpose="lifecycle")


@pytest.mark.rule("1.4", "1.9")
@pytest.mark.parametrize("words", ["life cycle", "LIFE-CYCLE intensity", "product carbon footprint", "碳足迹因子"])
@pytest.mark.parametrize("purpose", ["grid_average", "grid_remainder", "grid_fossil"])
def test_a_life_cycle_value_can_never_be_a_grid_factor(words: str, purpose: str) -> None:
    with pytest.raises(FactorRefusedError):
        grid("FP", "China", 2024, 0.5777, basis=words, purpose=purpose)
    with pytest.raises(FactorRefusedError):
        grid("FP", "China", 2024, 0.5777, title=words, purpose=purpose)


def test_impossible_records_are_refused() -> None:
    with pytest.raises(FactorRefusedError, match="purpose"):
        grid("A", "China", 2023, purpose="lifecycle")
    with pytest.raises(FactorRefusedError, match="time zone"):
        grid("A", "China", 2023, recorded_at=dt.datetime(2026, 1, 1))  # noqa: DTZ001


def test_validity_bounds_the_activity() -> None:
    spring = grid("A", "China/JS", 2026, valid_from=dt.date(2026, 1, 1), valid_to=dt.date(2026, 7, 1))
    autumn = grid("B", "China/JS", 2026, valid_from=dt.date(2026, 7, 1))
    assert find([spring, autumn], on=dt.date(2026, 6, 30)).factor.factor == "A"
    assert find([spring, autumn], on=dt.date(2026, 7, 1)).factor.factor == "B"
    with pytest.raises(NoFactorError):
        find([spring, autumn], year=2025)


@pytest.mark.rule("1.10")
def test_calorific_bases_are_never_mixed() -> None:
    fuel = replace(grid("F", "USA", 2025), purpose="fuel_combustion", carrier="gas", basis="HHV (not NCV)")
    asked = {"region": "USA", "purpose": "fuel_combustion", "carrier": "gas"}
    assert find([fuel], basis="HHV", **asked).factor.factor == "F"  # type: ignore[arg-type]
    with pytest.raises(NoFactorError):
        find([fuel], basis="NCV", **asked)  # type: ignore[arg-type]


def test_one_edition_can_be_required() -> None:
    other = replace(JS_2023, factor="OTHER", publisher="P", edition="E")
    assert find([JS_2023, other], edition=("P", "E")).factor.factor == "OTHER"


def test_the_answer_does_not_depend_on_the_order_of_records() -> None:
    twins = [JS_2022, JS_2023, CN_2023, replace(JS_2023, factor="JS23B"), replace(JS_2023, factor="A")]
    found = {find(list(order)).factor.factor for order in itertools.permutations(twins)}
    assert found == {"A"}


def test_a_named_factor_is_declared_and_a_series_says_series() -> None:
    hourly = grid("OWN", "GB", 2022, None, series=True)
    assert named([JS_2023], "JS23", TODAY).match is Match.DECLARED
    assert named([hourly], "OWN", TODAY).match is Match.SERIES
    assert find([hourly], region="GB", year=2022).match is Match.SERIES
    with pytest.raises(NoFactorError, match="OWN"):
        _ = named([hourly], "OWN", TODAY).value
    with pytest.raises(NoFactorError, match="NONE"):
        named([hourly], "NONE", TODAY)


def test_a_series_answers_by_the_hour_and_leaves_holes() -> None:
    series = FactorSeries(
        grid("OWN", "GB", 2022, None, series=True),
        np.array([0, 3_600_000, 10_800_000]),
        np.full(3, 3_600_000),
        np.array([0.1, 0.2, 0.3]),
    )
    times = np.array([-1, 0, 3_599_999, 3_600_000, 7_200_000, 10_800_000, 14_400_000])
    found = series.at(times)
    np.testing.assert_array_equal(found, [np.nan, 0.1, 0.1, 0.2, np.nan, 0.3, np.nan])
    empty = replace(series, start_ms=np.zeros(0, np.int64), span_ms=np.zeros(0, np.int64), value=np.zeros(0))
    assert np.isnan(empty.at(times)).all()


def test_match_codes_are_stored_and_never_renumbered() -> None:
    assert {match.name: int(match) for match in Match} == {
        "EXACT": 0,
        "NEWEST_PUBLISHED": 1,
        "NEWER_THAN_PERIOD": 2,
        "NATIONAL_FALLBACK": 3,
        "WORLD_DEFAULT": 4,
        "SERIES": 5,
        "UNDATED": 6,
        "DECLARED": 7,
        "LOCATION_FALLBACK": 8,
        "SUBSTITUTED": 9,
    }


@pytest.mark.rule("1.2", "1.5")
def test_the_catalog_answers_for_jiangsu_and_for_tibet() -> None:
    catalog = list(load_factors())
    jiangsu = find(catalog)
    assert (jiangsu.factor.factor, jiangsu.value) == ("CN-2023-JS", 0.5827)
    tibet = find(catalog, region="China/XZ", year=2023)
    assert (tibet.factor.factor, tibet.value, tibet.match) == ("CN-2023-NATIONAL", 0.5306, Match.NATIONAL_FALLBACK)
    remainder = find(catalog, purpose="grid_remainder")
    assert remainder.value == 0.6096


def test_only_the_year_of_publication_counts_as_its_last_day_and_is_told() -> None:
    new = grid("JS25", "China/JS", 2025, published_year=2026)
    assert new.known_from == dt.date(2026, 12, 31)
    found = find([JS_2023, new])
    assert found.factor.factor == "JS23"
    assert found.notes[-1] == "JS25 came out in 2026, the day is not known: not counted before 2026-12-31"
    assert find([JS_2023, new], known_on=dt.date(2026, 12, 31)).factor.factor == "JS25"
    assert find([JS_2023, new], known_on=dt.date(2027, 1, 1)).notes == ("JS25 describes 2025, not 2026",)


def test_a_record_of_unknown_publication_says_so() -> None:
    found = find([grid("X", "China/JS", 2026)])
    assert found.notes == ("X: when it was published is not known, it counts as always known",)
    assert grid("X", "China/JS", 2026).publication == "not known: counted as always known"


def test_an_organisations_own_record_goes_before_the_catalogs_of_the_same_year_and_place() -> None:
    own = replace(JS_2023, factor="OWN", own=True, published_on=dt.date(2024, 1, 1))
    found = find([JS_2023, own], year=2023)
    assert (found.factor.factor, found.notes) == ("OWN", ("OWN is the organisation's own",))
    assert find([JS_2022, replace(own, data_year=2021)], year=2022).factor.factor == "JS22"


@pytest.mark.rule("1.2")
def test_what_is_listed_without_a_value_is_named_when_nothing_else_is_found() -> None:
    with pytest.raises(NoFactorError, match="listed without a value: XZ23"):
        find([grid("XZ23", "China/XZ", 2023, None)], region="China/XZ", year=2023)


@pytest.mark.rule("1.4", "1.6")
def test_a_record_named_for_another_purpose_is_refused() -> None:
    footprint = replace(JS_2023, factor="FP", purpose="life_cycle", basis="life cycle")
    for record, rule in ((footprint, "1.4"), (replace(JS_2023, factor="ETS", purpose="ets"), "1.6")):
        with pytest.raises(FactorRefusedError, match=f"rule {rule}: {record.factor}") as caught:
            named([record], record.factor, TODAY, purposes=GRID_PURPOSES)
        assert caught.value.rule == rule
    assert named([JS_2023], "JS23", TODAY, purposes=GRID_PURPOSES).match is Match.DECLARED


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_a_value_is_a_number_from_zero_up(value: float) -> None:
    with pytest.raises(FactorRefusedError, match="is not a number from 0 up"):
        grid("A", "China", 2023, value)
    with pytest.raises(FactorRefusedError, match="is not after"):
        grid("A", "China", 2023, valid_from=dt.date(2026, 1, 2), valid_to=dt.date(2026, 1, 2))


def heat_rate(year: int, value: float) -> Factor:
    """A supplier's heat factor, entered anew each year under one id."""
    record = replace(grid("HEAT-WORKS", "", year, value), purpose="heat_purchased", carrier="heat", unit="tCO2/GJ")
    recorded = dt.datetime(year, 1, 10, tzinfo=dt.UTC)
    return replace(
        record, valid_from=dt.date(year, 1, 1), valid_to=dt.date(year + 1, 1, 1), own=True, recorded_at=recorded
    )


@pytest.mark.rule("1.1", "1.5")
def test_of_several_records_with_one_id_the_one_of_the_year_is_taken() -> None:
    """0.09 in 2025, 0.07 in 2026: the year 2025 is not counted anew with what came a year later."""
    rates = [heat_rate(2025, 0.09), heat_rate(2026, 0.07)]
    assert [named(rates, "HEAT-WORKS", TODAY, data_year=year).value for year in (2025, 2026)] == [0.09, 0.07]
    assert named(rates, "HEAT-WORKS", TODAY).value == 0.07
    with pytest.raises(NoFactorError, match="HEAT-WORKS applies from 2026-01-01 to 2026-12-31, not in 2027"):
        named(rates, "HEAT-WORKS", TODAY, data_year=2027)


@pytest.mark.rule("1.5")
def test_a_record_for_part_of_a_year_says_that_it_is_used_for_all_of_it() -> None:
    half = grid("JS-H2", "China/JS", 2026, valid_from=dt.date(2026, 7, 1), valid_to=dt.date(2027, 7, 1))
    said = "JS-H2 applies from 2026-07-01 to 2027-06-30: it is used for all of 2026"
    assert said in find([half]).notes
    assert said in named([half], "JS-H2", TODAY, data_year=2026).notes
    assert not any("used for all" in note for note in find([half], on=dt.date(2026, 8, 1)).notes)
    whole = replace(half, valid_from=dt.date(2026, 1, 1), valid_to=dt.date(2027, 1, 1))
    assert not any("used for all" in note for note in find([whole]).notes)


@pytest.mark.rule("1.5")
def test_the_province_goes_before_the_preferred_gas_of_the_country() -> None:
    country = replace(CN_2023, factor="CN23E", gas="CO2e", unit="kgCO2e/kWh")
    province = replace(JS_2023, factor="JS23E", gas="CO2e", unit="kgCO2e/kWh")
    both = ("CO2e", "CO2")
    assert find([JS_2023, country], gas=both).factor.factor == "JS23"
    assert find([JS_2023, province, country], gas=both).factor.factor == "JS23E"
    assert find([CN_2023, country], gas=both).factor.factor == "CN23E"
