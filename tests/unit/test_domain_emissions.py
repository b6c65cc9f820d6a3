"""Energy to emissions, against published numbers and by its laws."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.catalog.factors import load_factors
from parkcarbon.domain.emissions import (
    CO2_ONLY_NOTE,
    CarrierFactor,
    Settings,
    gas_masses_kg,
    interval_nano_kg,
    kg_per_unit,
    nano_kg,
    resolve,
    series_nano_kg,
    tonnes_co2_per_1e4_nm3,
    warming_potential,
)
from parkcarbon.domain.factors import Factor, FactorSeries, Match, NoFactorError
from parkcarbon.domain.refusal import RefusedError

TODAY = dt.date(2026, 11, 21)
JIANGSU = Settings("China/JS", "China", "China")
CATALOG = load_factors()


def resolved(carrier: str, unit: str, settings: Settings = JIANGSU, **more: object) -> CarrierFactor:
    asked: dict[str, object] = {"data_year": 2026, "known_on": TODAY}
    return resolve(CATALOG, settings, carrier=carrier, unit=unit, **{**asked, **more})  # type: ignore[arg-type]


def test_natural_gas_test_vector() -> None:
    """389.31 GJ/1e4 Nm3 x 0.0153 tC/GJ x 99 % x 44/12 (accounting rules 1.12)."""
    assert tonnes_co2_per_1e4_nm3(389.31, 0.0153, 99.0) == pytest.approx(21.6219, abs=5e-5)
    assert resolved("gas", "Nm3").gases["CO2"] * 1e4 / 1e3 == pytest.approx(21.6219, abs=5e-5)


def test_gas_counts_methane_and_nitrous_oxide_with_the_declared_set() -> None:
    gas = resolved("gas", "Nm3")
    tj_per_nm3 = 389.31 / 1e4 / 1e3
    assert gas.gases["CH4"] == pytest.approx(1.0 * tj_per_nm3)
    assert gas.gases["N2O"] == pytest.approx(0.1 * tj_per_nm3)
    assert gas.co2e == pytest.approx(gas.gases["CO2"] + 27.0 * gas.gases["CH4"] + 273 * gas.gases["N2O"])
    assert gas.scope == 1
    assert gas.unverified  # the CH4 and N2O defaults were recalled only, and every result says so
    older = resolved("gas", "Nm3", replace(JIANGSU, gwp_set="AR4"))
    assert older.co2e == pytest.approx(gas.gases["CO2"] + 25 * gas.gases["CH4"] + 298 * gas.gases["N2O"])


def test_methane_from_combustion_uses_the_non_fossil_potential() -> None:
    assert warming_potential(CATALOG, "CH4", "AR6", TODAY).value == 27.0
    assert warming_potential(CATALOG, "CH4", "AR5", TODAY).value == 28
    assert warming_potential(CATALOG, "N2O", "AR5", TODAY).value == 265
    with pytest.raises(NoFactorError, match="AR9"):
        warming_potential(CATALOG, "CH4", "AR9", TODAY)


def test_gas_uses_one_set_for_the_whole_chain() -> None:
    leading = resolved("gas", "Nm3").matches[:3]
    assert len({(match.factor.publisher, match.factor.edition) for match in leading}) == 1
    assert [match.factor.purpose for match in leading] == ["carbon_content", "calorific_value", "oxidation"]


def test_raw_cubic_metres_and_regions_without_a_factor_are_refused() -> None:
    with pytest.raises(NoFactorError, match=r"rule 1\.12.*Nm3"):
        resolved("gas", "m3")
    with pytest.raises(NoFactorError, match="region"):
        resolved("gas", "kWh", Settings("United Kingdom"))
    with pytest.raises(NoFactorError):
        resolved("heat", "GJ", Settings("China/JS"))
    with pytest.raises(NoFactorError, match="kvarh"):
        resolved("electricity", "kvarh")


def test_gross_calorific_gas_takes_only_a_gross_calorific_factor() -> None:
    american = resolved("gas", "kWh", Settings("USA", "USA"))
    assert american.gases["CO2"] == pytest.approx(53.06 / 293.07107, rel=1e-6)
    with pytest.raises(NoFactorError):  # the world's default is per net calorific energy
        resolved("gas", "kWh", Settings("China/JS", "China"))


def test_gas_without_methane_factors_counts_its_carbon_dioxide_and_says_so() -> None:
    some = [factor for factor in CATALOG if factor.gas not in {"CH4", "N2O"}]
    gas = resolve(some, JIANGSU, carrier="gas", unit="Nm3", data_year=2026, known_on=TODAY)
    assert set(gas.gases) == {"CO2"}
    assert gas.co2e == gas.gases["CO2"]
    assert sum("not counted" in note for note in gas.notes) == 2


def test_heat_default() -> None:
    heat = resolved("heat", "GJ")
    assert heat.co2e == pytest.approx(110.0)
    assert (heat.scope, heat.basis) == (2, None)
    assert resolved("heat", "kWh").co2e == pytest.approx(0.396)


def test_electricity_is_co2_only_and_says_so() -> None:
    location = resolved("electricity", "kWh")
    assert (location.co2e, location.gases) == (0.5827, {"CO2": 0.5827})
    assert CO2_ONLY_NOTE in location.notes
    assert location.leading.match is Match.NEWEST_PUBLISHED


def test_market_based_takes_the_remainder_and_names_it() -> None:
    market = resolved("electricity", "kWh", basis="market")
    assert market.co2e == 0.6096
    assert any("CN-2023-EXMKT" in note and "2023" in note for note in market.notes)


def test_market_based_without_a_remainder_is_location_based_flagged() -> None:
    market = resolved("electricity", "kWh", Settings("United Kingdom"), data_year=2025, basis="market")
    assert market.leading.match is Match.LOCATION_FALLBACK
    assert market.co2e == 0.177
    assert CO2_ONLY_NOTE not in market.notes


def test_knowledge_moves_the_electricity_factor() -> None:
    assert resolved("electricity", "kWh", known_on=dt.date(2024, 6, 1)).leading.factor.data_year == 2021


def series_of(values: list[float]) -> FactorSeries:
    record = Factor(
        factor="OWN", purpose="grid_average", carrier="electricity", region="GB", gas="CO2", unit="kgCO2/kWh",
        value=None, series=True,
    )  # fmt: skip
    return FactorSeries(record, 3_600_000 * np.arange(len(values)), np.full(len(values), 3_600_000), np.array(values))


def test_a_named_series_goes_before_the_averages_and_counts_by_the_hour() -> None:
    series = series_of([0.1, 0.3])
    settings = Settings("China/JS", electricity_factor="OWN")
    own = resolve(
        [*CATALOG, series.factor], settings, carrier="electricity", unit="kWh", data_year=2022, known_on=TODAY
    )
    assert own.is_series
    assert np.isnan(own.co2e)
    starts = 900_000 * np.arange(12)
    nano, known = interval_nano_kg(starts, np.full(12, 1_000_000), own, series)
    assert nano.tolist() == [100_000_000] * 4 + [300_000_000] * 4 + [0] * 4
    assert known.tolist() == [True] * 8 + [False] * 4
    with pytest.raises(NoFactorError, match="OWN"):
        interval_nano_kg(starts, np.full(12, 1), own)


def test_interval_emissions_of_a_plain_factor() -> None:
    nano, known = interval_nano_kg(np.array([0]), np.array([1_234_567]), resolved("electricity", "kWh"))
    assert nano.tolist() == [round(1_234_567 * 0.5827 * 1e3)]
    assert known.all()


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=20), st.floats(0, 10))
def test_emissions_are_rounded_once_per_interval(amounts: list[int], factor: float) -> None:
    nano = nano_kg(np.array(amounts, np.int64), factor)
    exact = np.array(amounts, np.float64) * factor * 1e3
    assert nano.dtype == np.int64
    assert (np.abs(nano - exact) <= 0.5 + np.abs(exact) * 1e-12).all()
    assert nano.tolist() == [round(amount * factor * 1e3) for amount in amounts]


@given(st.lists(st.floats(0, 2), min_size=1, max_size=10))
def test_a_constant_series_equals_the_constant(values: list[float]) -> None:
    series = series_of([values[0]] * len(values))
    starts = 3_600_000 * np.arange(len(values))
    amounts = np.arange(len(values)) * 777_777
    assert series_nano_kg(starts, amounts, series, "kWh")[0].tolist() == nano_kg(amounts, values[0]).tolist()


@pytest.mark.parametrize(
    ("unit", "amount_unit", "value", "expected"),
    [
        ("kgCO2/kWh", "kWh", 0.5, 0.5),
        ("gCO2/kWh", "kWh", 500, 0.5),
        ("tCO2/MWh", "kWh", 0.5, 0.5),
        ("lbCO2/MWh", "kWh", 823.149, 0.37337411),
        ("tCO2/GJ", "GJ", 0.11, 110),
        ("kgCO2/TJ (NCV)", "GJ", 56100, 56.1),
        ("kgCO2e/kWh", "GJ", 0.5, 138.888889),
        ("kgCO2/mmBtu", "kWh", 53.06, 0.18104824),
        ("tCO2/10^4Nm3", "Nm3", 21.62189, 2.162189),
    ],
)
def test_units(unit: str, amount_unit: str, value: float, expected: float) -> None:
    factor = Factor(
        factor="F", purpose="fuel_combustion", carrier="gas", region="World", gas="CO2", unit=unit, value=value
    )
    assert kg_per_unit(factor, amount_unit) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("unit", ["GJ/t", "%", "kgCO2", "kgSO2/kWh", "kgCO2/kvarh"])
def test_units_that_do_not_meet_are_refused(unit: str) -> None:
    factor = Factor(
        factor="F", purpose="fuel_combustion", carrier="gas", region="World", gas="CO2", unit=unit, value=1.0
    )
    with pytest.raises(NoFactorError, match="F in"):
        kg_per_unit(factor, "kWh")


def test_masses_by_gas() -> None:
    masses = gas_masses_kg(10_000.0, resolved("gas", "Nm3"))
    assert masses["CO2"] == pytest.approx(21_621.9, abs=0.05)


@pytest.mark.rule("6.10")
def test_an_impossible_amount_is_unknown_and_never_wraps_to_a_negative_emission() -> None:
    """9.2e12 kWh x 0.9 kg are 8.3e21 nano-kg; a wrapped register is such an amount."""
    amounts = np.array([1_000_000, 9_200_000_000_000_000_000], dtype=np.int64)
    factor = CarrierFactor("electricity", "kWh", 2, "location", {"CO2": 0.9}, 0.9, ())
    emitted, known = interval_nano_kg(np.zeros(2, np.int64), amounts, factor)
    assert (emitted.tolist(), known.tolist()) == ([900_000_000, 0], [True, False])
    with pytest.raises(RefusedError, match=r"rule 6\.10: 9\.2e\+12 of a unit"):
        nano_kg(amounts, 0.9)
