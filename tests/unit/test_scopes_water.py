"""Enthalpy of water and steam against the verification tables of IAPWS-IF97 and printed steam tables."""

import pytest

from parkcarbon.domain.activities.heat import enthalpy_kj_kg
from parkcarbon.domain.activities.water import (
    OutsideTablesError,
    liquid_enthalpy,
    saturation_pressure_mpa,
    saturation_temperature_k,
    vapour_enthalpy,
)


@pytest.mark.parametrize(
    ("pressure_mpa", "temperature_k", "expected"),
    [(3.0, 300.0, 0.115331273e3), (80.0, 300.0, 0.184142828e3), (3.0, 500.0, 0.975542239e3)],
)
def test_region_1_against_table_5(pressure_mpa: float, temperature_k: float, expected: float) -> None:
    assert liquid_enthalpy(pressure_mpa, temperature_k) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("pressure_mpa", "temperature_k", "expected"),
    [(0.0035, 300.0, 0.254991145e4), (0.0035, 700.0, 0.333568375e4), (30.0, 700.0, 0.263149474e4)],
)
def test_region_2_against_table_15(pressure_mpa: float, temperature_k: float, expected: float) -> None:
    assert vapour_enthalpy(pressure_mpa, temperature_k) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("temperature_k", "expected"), [(300.0, 0.353658941e-2), (500.0, 0.263889776e1), (600.0, 0.123443146e2)]
)
def test_saturation_pressure_against_table_35(temperature_k: float, expected: float) -> None:
    assert saturation_pressure_mpa(temperature_k) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("pressure_mpa", "expected"), [(0.1, 0.372755919e3), (1.0, 0.453035632e3), (10.0, 0.584149488e3)]
)
def test_saturation_temperature_against_table_36(pressure_mpa: float, expected: float) -> None:
    assert saturation_temperature_k(pressure_mpa) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("pressure_mpa", "temperature_c", "expected"),
    [(1.0, 179.88, 2777.1), (1.0, 300.0, 3051.6), (4.0, 400.0, 3214.5), (0.1, 99.61, 2675.0)],
)
def test_printed_steam_tables(pressure_mpa: float, temperature_c: float, expected: float) -> None:
    """Saturated and superheated steam as engineering tables print it; their last digit differs by formulation."""
    assert enthalpy_kj_kg(pressure_mpa, temperature_c) == pytest.approx(expected, abs=0.3)


def test_wet_steam_lies_between_water_and_vapour() -> None:
    """At 1 MPa: water 762.5, vapour 2777.1 kJ/kg; at 90 % dryness 0.1 x 762.5 + 0.9 x 2777.1 = 2575.6."""
    assert enthalpy_kj_kg(1.0, 179.88, 90.0) == pytest.approx(2575.6, abs=0.2)


@pytest.mark.parametrize(("pressure_mpa", "temperature_c"), [(1.0, 170.0), (25.0, 380.0), (1.0, 900.0), (1e-5, 5.0)])
def test_water_and_states_beyond_the_tables_are_refused(pressure_mpa: float, temperature_c: float) -> None:
    with pytest.raises(OutsideTablesError):
        enthalpy_kj_kg(pressure_mpa, temperature_c)


def test_liquid_and_vapour_have_their_own_regions() -> None:
    with pytest.raises(OutsideTablesError, match="region 1"):
        liquid_enthalpy(1.0, 700.0)
    with pytest.raises(OutsideTablesError, match="region 2"):
        vapour_enthalpy(10.0, 450.0)
    with pytest.raises(OutsideTablesError, match="boil"):
        saturation_pressure_mpa(700.0)
