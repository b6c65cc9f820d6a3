"""The park indicator: values by hand from the notice, its size classes, exclusions, and what cannot be computed."""

import datetime as dt

import pytest

from parkcarbon.catalog.indicators import direct_connections, energy_conversion, park_schemes
from parkcarbon.domain.indicators.datasets import EqualValue, Scheme, scheme_for
from parkcarbon.domain.indicators.energy import (
    Comprehensive,
    EnergyUse,
    Intensity,
    OwnGeneration,
    clean_share_figure,
    comprehensive,
    energy_figure,
    intensity_figure,
    own_generation_figure,
)
from parkcarbon.domain.indicators.park910 import (
    ConnectionResult,
    DirectSupply,
    GuidingValue,
    ParkIndicator,
    Window,
    park_indicator,
)
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import check

YEAR = Window("last_full_year", dt.date(2025, 1, 1), dt.date(2026, 1, 1))
EQUAL = EqualValue("China", 2025, 0.3, "entered for the test")


def scheme() -> Scheme:
    return scheme_for(park_schemes(), dt.date(2025, 12, 31))[0]


def energy(kwh: float, gj: float = 0.0, *, clean: float = 0.0, equal: EqualValue | None = EQUAL) -> Comprehensive:
    uses = [EnergyUse("electricity", "electricity", kwh, clean), EnergyUse("gas", "natural_gas", gj, fossil_gas=True)]
    return comprehensive(uses, year=2025, conversion=energy_conversion(), equal=equal)


def indicator(
    used: Comprehensive,
    tonnes: float | None,
    *,
    process: float | None = 0.0,
    window: Window = YEAR,
    annual: float | None = None,
    entered: dict[str, GuidingValue] | None = None,
) -> ParkIndicator:
    return park_indicator(
        scheme(),
        window,
        energy_nano_kg=None if tonnes is None else round(tonnes * 1e12),
        process_nano_kg=None if process is None else round(process * 1e12),
        energy=used,
        annual_tce=annual,
        entered=entered or {},
        direct=DirectSupply(0.0, None, 50),
    )


@pytest.mark.rule("1.18")
def test_the_two_coal_values_by_hand_and_both_are_named() -> None:
    # 1,000,000 kWh: 122.9 tce at 当量值, 300 tce at 等价值; 29,307 GJ of heat are 1,000 tce at both.
    used = energy(1e6, 29307.0)
    assert used.tce("calorific") == pytest.approx(1122.9)
    assert used.tce("equal") == pytest.approx(1300.0)
    document = used.document()
    assert "当量值" in str(document["calorific"])
    assert "等价值" in str(document["equal"])
    assert check(energy_figure(used, "equal")) == check(energy_figure(used, "calorific")) == []


@pytest.mark.rule("1.18", "2.4")
def test_without_a_coal_value_for_the_year_nothing_is_computed_and_the_reason_is_given() -> None:
    used = energy(1e9, equal=None)
    result = indicator(used, 100.0)
    assert used.tce("equal") is None
    assert used.tce("calorific") == pytest.approx(122900)
    assert (result.value, result.verdict) == (None, "not_computed")
    assert "no 等价值 of electricity is known for 2025" in result.reasons[0]
    assert energy_figure(used, "equal").value is None


@pytest.mark.rule("1.18")
def test_the_value_of_a_year_is_entered_before_it_is_read_and_an_impossible_one_is_refused() -> None:
    conversion = energy_conversion()
    assert conversion.equal_value(2025, "China/SD") is None  # the catalog's Shandong value has no year
    found = conversion.equal_value(2025, "China/JS", [EQUAL])
    assert found is not None
    assert found.kgce_per_kwh == 0.3
    with pytest.raises(RefusedError, match=r"rule 1\.18: 0\.1229 kgce/kWh"):
        conversion.equal_value(2025, "China", [EqualValue("China", 2025, 0.1229, "the other value")])


@pytest.mark.rule("2.2")
@pytest.mark.parametrize(
    ("kwh", "tonnes", "value", "verdict"),
    [  # at 0.25 kgce/kWh
        (1.2e9, 60_000, 0.2, "met"),  # 300,000 tce: the class up to 0.2
        (1.2e9, 60_001, 60_001 / 300_000, "not_met"),
        (4.8e9, 360_000, 0.3, "met"),  # 1,200,000 tce: the class up to 0.3
        (4.8e9, 360_001, 360_001 / 1_200_000, "not_met"),
        (4e9, 300_000, 0.3, "met"),  # exactly 1,000,000 tce belongs to the larger class
        (8e8, 40_000, 0.2, "met"),  # exactly 200,000 tce is in
    ],
)
def test_limits_by_size(kwh: float, tonnes: float, value: float, verdict: str) -> None:
    result = indicator(energy(kwh, equal=EqualValue("China", 2025, 0.25, "entered for the test")), tonnes)
    assert result.value == pytest.approx(value)
    assert result.verdict == verdict


@pytest.mark.rule("2.2")
def test_below_200_000_tce_the_value_is_printed_and_marked_not_applicable() -> None:
    result = indicator(energy(1e6), 150.0)
    assert result.value == pytest.approx(0.5)
    document = result.document()
    assert (document["verdict"], document["verdict_text"]) == ("not_applicable", "不适用 not applicable")
    assert document["limit"] is None


@pytest.mark.rule("6.8")
def test_the_limit_is_tested_on_the_unrounded_value() -> None:
    result = indicator(energy(1e9), 60_000.0048)  # 0.200000016: printed 0.20, and a fail
    assert f"{result.value:.2f}" == "0.20"
    assert result.verdict == "not_met"


@pytest.mark.rule("2.5")
def test_process_is_shown_and_tested_beside_energy() -> None:
    result = indicator(energy(1e9), 50_000, process=20_000)
    assert result.value == pytest.approx(50 / 300)
    assert result.value_with_process == pytest.approx(70 / 300)
    assert (result.verdict, result.verdict_with_process) == ("met", "not_met")
    unknown = indicator(energy(1e9), 50_000, process=None)
    assert unknown.value_with_process is None
    assert "process emissions are not known: no value with process" in unknown.reasons


@pytest.mark.rule("2.12")
@pytest.mark.parametrize("kind", ["year_to_date", "last_full_year", "rolling_12_months"])
def test_every_window_is_labelled_indicative(kind: str) -> None:
    window = Window(kind, dt.date(2025, 1, 1), dt.date(2026, 1, 1))  # type: ignore[arg-type]
    result = indicator(energy(1e9), 50_000, window=window)
    assert "indicative, not the acceptance result" in str(result.document()["status"])
    assert any("indicative" in note for note in result.figure().notes)


@pytest.mark.rule("2.2", "2.12")
def test_a_part_of_a_year_is_judged_by_the_consumption_of_a_whole_one() -> None:
    part = Window("year_to_date", dt.date(2026, 1, 1), dt.date(2026, 3, 1))
    assert indicator(energy(1e6), 50.0, window=part).verdict == "not_computed"
    judged = indicator(energy(1e8), 5_000, window=part, annual=250_000)
    assert judged.size_class is not None
    assert (judged.size_class.limit_tco2_per_tce, judged.verdict) == (0.2, "met")


@pytest.mark.rule("2.3")
def test_guiding_indicators_met_excluded_and_missing() -> None:
    entered = {
        "water_reuse": GuidingValue(80.0, evidence="water balance 2025"),
        "solid_waste_use": GuidingValue(79.99, evidence="waste ledger"),
        "waste_heat_use": GuidingValue(None, excluded_because="no waste heat above 60 °C in the park"),
    }
    result = indicator(energy(1e9, clean=9e8), 50_000, entered=entered)
    verdicts = {item.guiding.indicator: item.verdict for item in result.guiding}
    assert verdicts == {
        "clean_energy_share": "met",
        "unit_product_energy": "not_entered",
        "solid_waste_use": "not_met",
        "waste_heat_use": "excluded",
        "water_reuse": "met",
    }


@pytest.mark.rule("2.3")
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("water_reuse", GuidingValue(81.0), "without evidence"),
        ("water_reuse", GuidingValue(None), "neither a value nor a reason"),
        ("water_reuse", GuidingValue(81.0, "x", "but why"), "one of the two"),
        ("clean_energy_share", GuidingValue(95.0, "x"), "computed"),
        ("tree_cover", GuidingValue(95.0, "x"), "no guiding indicator"),
    ],
)
def test_guiding_indicators_that_are_refused(name: str, value: GuidingValue, message: str) -> None:
    with pytest.raises(RefusedError, match=rf"rule 2\.3: .*{message}"):
        indicator(energy(1e9), 50_000, entered={name: value})


@pytest.mark.rule("2.3")
def test_clean_energy_share_by_hand_with_and_without_gas() -> None:
    # 600 of 1,000 MWh clean; 29,307 GJ gas = 1,000 tce. At 等价值: 180 / 1,300 = 13.85 %; with gas 1,180 / 1,300.
    used = energy(1e6, 29307.0, clean=6e5)
    assert used.clean_share_pct("equal") == pytest.approx(100 * 180 / 1300)
    assert used.clean_share_pct("equal", gas_is_clean=True) == pytest.approx(100 * 1180 / 1300)
    figure = clean_share_figure(used, "equal")
    assert check(figure) == []
    assert figure.value == pytest.approx(used.clean_share_pct("equal"))


@pytest.mark.rule("2.7")
def test_direct_supply_against_half_of_consumption() -> None:
    half = DirectSupply(500.0, 1000.0, 50)
    assert half.document()["reached"] is True
    assert DirectSupply(499.999, 1000.0, 50).document()["reached"] is False
    assert DirectSupply(None, 1000.0, 50).share_pct is None
    assert check(half.figure()) == []


@pytest.mark.rule("2.10")
def test_direct_connection_shares_and_the_step_of_2030() -> None:
    (conditions,) = direct_connections()
    now = ConnectionResult(conditions, 2026, 600.0, 1000.0, 2000.0).document()
    assert (now["of_generation_reached"], now["of_load_reached"]) == (True, True)
    later = ConnectionResult(conditions, 2030, 600.0, 1000.0, 2000.0).document()
    assert (later["of_load_at_least_pct"], later["of_load_reached"]) == (35, False)


@pytest.mark.rule("2.5")
def test_raw_material_is_not_energy_and_is_named() -> None:
    uses = [EnergyUse("naphtha", "naphtha", 1000.0, feedstock=True), EnergyUse("heat", "heat", 29.307)]
    used = comprehensive(uses, year=2025, conversion=energy_conversion(), equal=EQUAL)
    assert used.tce("equal") == pytest.approx(1.0)
    assert used.left_out == ("naphtha: 1000 GJ used as raw material is not energy",)


@pytest.mark.rule("2.5")
def test_negative_energy_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 2\.5: electricity: -1"):
        EnergyUse("electricity", "electricity", -1.0)
    with pytest.raises(RefusedError, match=r"rule 2\.3: electricity: 2\.0 clean of 1\.0"):
        EnergyUse("electricity", "electricity", 1.0, 2.0)


@pytest.mark.rule("5.1")
def test_self_consumption_and_self_sufficiency_are_two_things() -> None:
    # 1,000 kWh generated, 200 exported, load 4,000: 80 % of the generation, 20 % of the load.
    own = OwnGeneration(1000 * 10**6, 200 * 10**6, 4000 * 10**6)
    assert own.self_consumption_pct == pytest.approx(80.0)
    assert own.self_sufficiency_pct == pytest.approx(20.0)
    assert check(own_generation_figure(own, "self_consumption")) == []
    assert own_generation_figure(own, "self_sufficiency").value == pytest.approx(20.0)
    assert OwnGeneration(None, 0, 4000).self_consumption_pct is None


def test_intensity_without_a_denominator_is_unknown() -> None:
    assert Intensity("area", None, 100.0, "kgCO2e", None, "m2").value is None
    assert Intensity("area", None, 100.0, "kgCO2e", 0.0, "m2").value is None
    known = Intensity("steel", "mill", 100.0, "kgCO2e", 8.0, "t")
    assert (known.value, known.unit) == (12.5, "kgCO2e/t")
    assert check(intensity_figure(known)) == []


def test_the_working_of_the_indicator_recomputes() -> None:
    result = indicator(energy(1e9, 1e6), 50_000, process=3_000)
    for figure in (result.figure(), result.figure(with_process=True)):
        assert check(figure) == []
    assert result.figure().value == pytest.approx(result.value)


def test_an_edition_is_chosen_by_its_dates() -> None:
    chosen, notes = scheme_for(park_schemes(), dt.date(2026, 6, 30))
    assert (chosen.document, notes) == ("发改环资〔2025〕910号", ())
    _, notes = scheme_for(park_schemes(), dt.date(2024, 12, 31))
    assert "was not in force on 2024-12-31" in notes[0]


@pytest.mark.parametrize(
    ("begin", "end", "year"),
    [
        (dt.date(2024, 2, 29), dt.date(2025, 3, 1), True),
        (dt.date(2024, 2, 29), dt.date(2025, 2, 28), False),
        (dt.date(2024, 2, 1), dt.date(2025, 2, 1), True),
    ],
)
def test_a_window_that_begins_on_the_29th_of_february(begin: dt.date, end: dt.date, year: bool) -> None:
    assert Window("rolling_12_months", begin, end).is_year is year
