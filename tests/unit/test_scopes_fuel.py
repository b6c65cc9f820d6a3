"""Entered fuel: published vectors, conditions, bases and sets."""

import datetime as dt
from dataclasses import replace

import pytest

from parkcarbon.domain.activities.activity import Calorific, CalorificValue, GasState, GivenFactor
from parkcarbon.domain.activities.fuel import fuel
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.factors import Factor, NoFactorError
from parkcarbon.domain.refusal import RefusedError
from tests.fakes.scopes_park import CATALOG, JIANGSU, entry, inventory, query

WOOD_GASES = tuple(
    Factor(
        factor=f"OWN-WOOD-{gas}",
        purpose="fuel_combustion",
        carrier="wood",
        region="China",
        gas=gas,
        unit=f"kg{gas}/TJ",
        value=value,
        basis="NCV",
        publisher="laboratory",
        edition="2026",
        own=True,
    )
    for gas, value in (("CH4", 30.0), ("N2O", 4.0))
)


@pytest.mark.rule("1.12")
def test_natural_gas_by_standard_volume() -> None:
    """389.31 GJ/1e4 Nm3 x 0.0153 tC/GJ x 99 % x 44/12 = 21.6219 tCO2/1e4 Nm3."""
    gas = fuel(entry("fuel", "gas", 10_000, "Nm3"), query())
    assert gas.gases["CO2"] * 1e4 / 1e3 == pytest.approx(21.621888, abs=1e-6)
    assert gas.gj == pytest.approx(389.31 / 1e4)


@pytest.mark.rule("1.11")
def test_diesel_by_mass_on_two_sets() -> None:
    """43.33 x 0.0202 x 98 % x 44/12 = 3.145122 t/t; IPCC: 43.0 GJ/t x 74100 kg/TJ = 3.1863 t/t."""
    chinese = fuel(entry("fuel", "diesel", 1), query())
    assert chinese.gases["CO2"] == pytest.approx(3145.1225, abs=1e-4)
    ipcc = fuel(entry("fuel", "diesel", 1), query(replace(JIANGSU, fuel_set="IPCC 2006")))
    assert ipcc.gases["CO2"] == pytest.approx(3186.3)
    assert {match.factor.edition for match in chinese.matches[:3]} == {"NDRC 2015"}


def test_diesel_counts_methane_and_nitrous_oxide() -> None:
    """0.04333 TJ/t x 3 kg CH4 x 27.0 + 0.04333 x 0.6 kg N2O x 273 = 10.607 kg CO2e/t."""
    diesel = fuel(entry("fuel", "diesel", 1), query())
    assert diesel.co2e - diesel.gases["CO2"] == pytest.approx(0.04333 * (3 * 27.0 + 0.6 * 273))


def test_kilograms_are_tonnes_divided() -> None:
    tonne = fuel(entry("fuel", "diesel", 1), query())
    kilo = fuel(entry("fuel", "diesel", 1, "kg"), query())
    assert kilo.co2e * 1000 == pytest.approx(tonne.co2e)


@pytest.mark.rule("1.11")
def test_a_fuel_outside_the_set_is_not_taken_from_another_set() -> None:
    """The Chinese set has no coking coal, the IPCC's has; one statement uses one set."""
    with pytest.raises(NoFactorError):
        fuel(entry("fuel", "coking-coal", 1), query())
    assert fuel(entry("fuel", "coking-coal", 1), query(replace(JIANGSU, fuel_set="IPCC 2006"))).co2e > 0


@pytest.mark.rule("1.11")
def test_an_entry_of_another_fuel_set_is_refused() -> None:
    declared = replace(JIANGSU, fuel_set="NDRC 2015")
    with pytest.raises(RefusedError, match=r"rule 1\.11.*IPCC 2006"):
        fuel(entry("fuel", "diesel", 1, fuel_set="IPCC 2006"), query(declared))


@pytest.mark.rule("1.12", "6.10")
def test_raw_cubic_metres_without_conditions_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 1\.12.*1000 m3"):
        fuel(entry("fuel", "gas", 1000, "m3"), query())


@pytest.mark.rule("1.12")
def test_raw_cubic_metres_become_standard_ones() -> None:
    """1000 m3 at 20 degC and 3 bar: 1000 x 300 / 101.325 x 273.15 / 293.15 = 2758.77 Nm3."""
    raw = fuel(
        entry("fuel", "gas", 1000, "m3", gas_state=GasState(temperature_c=20.0, pressure_kpa_abs=300.0)), query()
    )
    standard = fuel(entry("fuel", "gas", 1, "Nm3"), query())
    assert raw.co2e / standard.co2e == pytest.approx(2.75877, abs=1e-5)
    squeezed = GasState(temperature_c=20.0, pressure_kpa_abs=300.0, compressibility_ratio=0.99)
    assert fuel(entry("fuel", "gas", 1, "m3", gas_state=squeezed), query()).co2e == pytest.approx(raw.co2e / 0.99)


@pytest.mark.rule("6.10")
def test_impossible_conditions_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 6\.10"):
        fuel(entry("fuel", "gas", 1, "m3", gas_state=GasState(temperature_c=20, pressure_kpa_abs=-1)), query())


@pytest.mark.rule("1.12")
def test_standard_cubic_metres_of_another_standard_are_converted() -> None:
    """A cubic metre of 20 degC holds 273.15 / 293.15 of the gas of one of 0 degC."""
    warm = fuel(entry("fuel", "gas", 1, "Nm3", standard_temperature_c=20.0), query())
    cold = fuel(entry("fuel", "gas", 1, "Nm3"), query())
    assert warm.co2e / cold.co2e == pytest.approx(273.15 / 293.15)
    same = query(replace(JIANGSU, standard_temperature_c=20.0))
    assert fuel(entry("fuel", "gas", 1, "Nm3", standard_temperature_c=20.0), same).co2e == pytest.approx(cold.co2e)


@pytest.mark.rule("6.10")
def test_litres_need_a_density() -> None:
    with pytest.raises(RefusedError, match=r"rule 6\.10.*density"):
        fuel(entry("fuel", "diesel", 100, "L"), query())
    litre = fuel(entry("fuel", "diesel", 100, "L", density_kg_per_m3=840.0), query())
    assert litre.co2e == pytest.approx(fuel(entry("fuel", "diesel", 1), query()).co2e * 0.84e-3)


@pytest.mark.rule("1.10")
def test_energy_needs_its_basis_and_gross_energy_never_meets_net_factors() -> None:
    with pytest.raises(RefusedError, match=r"rule 1\.10"):
        fuel(entry("fuel", "gas", 1, "GJ"), query())
    net = fuel(entry("fuel", "gas", 1, "GJ", basis="NCV"), query())
    assert net.gases["CO2"] == pytest.approx(0.0153 * 0.99 * 44 / 12 * 1000)
    with pytest.raises(RefusedError, match=r"rule 1\.10.*HHV.*NCV"):
        fuel(entry("fuel", "gas", 1, "GJ", basis="HHV"), query())
    american = fuel(entry("fuel", "gas", 1, "GJ", basis="HHV"), query(Settings("USA", "USA")))
    assert american.gases["CO2"] == pytest.approx(53.06 / 1.05505585262)


@pytest.mark.rule("1.10")
def test_a_gross_calorific_value_never_meets_net_factors() -> None:
    gross = CalorificValue(value=39.0, per="10^4Nm3", basis="HHV", document="laboratory")
    with pytest.raises(RefusedError, match=r"rule 1\.10.*HHV.*NCV"):
        fuel(entry("fuel", "gas", 1, "Nm3", calorific=gross), query())
    given = GivenFactor(value=0.05, unit="tCO2/GJ", publisher="supplier", document="certificate", basis="HHV")
    with pytest.raises(RefusedError, match=r"rule 1\.10"):
        fuel(entry("fuel", "gas", 1, "GJ", basis="NCV", factor=given), query())


def test_a_measured_calorific_value_goes_before_the_default() -> None:
    """400 GJ/1e4 Nm3 x 0.0153 x 99 % x 44/12 = 22.2156 t/1e4 Nm3."""
    measured = CalorificValue(value=400.0, per="10^4Nm3", basis="NCV", document="laboratory report 12")
    gas = fuel(entry("fuel", "gas", 1, "Nm3", calorific=measured), query())
    assert gas.gases["CO2"] * 10 == pytest.approx(22.2156)
    with pytest.raises(RefusedError, match=r"rule 6\.10"):
        fuel(entry("fuel", "diesel", 1, calorific=measured), query())


def test_a_suppliers_factor_goes_before_the_defaults() -> None:
    given = GivenFactor(value=2.0, unit="tCO2/t", publisher="supplier", document="certificate 3")
    named = fuel(entry("fuel", "diesel", 1, factor=given), query())
    assert named.co2e == pytest.approx(2000.0)
    assert named.leading.factor.edition == "certificate 3"


@pytest.mark.rule("1.4")
def test_a_life_cycle_value_is_refused_for_a_fuel() -> None:
    given = GivenFactor(value=4.0, unit="kgCO2e/t", publisher="p", document="footprint", life_cycle=True)
    with pytest.raises(RefusedError, match=r"rule 1\.4"):
        fuel(entry("fuel", "diesel", 1, factor=given), query())


@pytest.mark.rule("1.15")
def test_entries_of_another_gwp_set_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 1\.15.*AR4"):
        fuel(entry("fuel", "diesel", 1, gwp_set="AR4"), query())
    given = GivenFactor(value=2.0, unit="tCO2e/t", publisher="p", document="d", gwp_set="AR5")
    with pytest.raises(RefusedError, match=r"rule 1\.15.*AR5"):
        fuel(entry("fuel", "diesel", 1, factor=given), query())


@pytest.mark.rule("1.19")
def test_biogenic_carbon_dioxide_is_a_memo_and_its_other_gases_are_not() -> None:
    """1 t of wood: 15.6 GJ x 112000 kg/TJ = 1747.2 kg CO2 memo; 0.0156 TJ x (30 x 27.0 + 4 x 273) kg CO2e."""
    wood = fuel(entry("fuel", "wood", 1), query(factors=(*CATALOG, *WOOD_GASES)))
    assert wood.biogenic == pytest.approx(1747.2)
    assert wood.co2e == pytest.approx(0.0156 * (30 * 27.0 + 4 * 273))
    assert set(wood.gases) == {"CH4", "N2O"}
    counted = inventory((), [entry("fuel", "wood", 2)], factors=(*CATALOG, *WOOD_GASES))
    assert counted.biogenic_nano_kg == 3_494_400_000_000
    assert counted.scope(1).co2e_nano_kg == round(2e9 * 0.0156 * (30 * 27.0 + 4 * 273))


@pytest.mark.rule("1.19")
def test_biogenic_carbon_dioxide_by_a_suppliers_factor_is_a_memo_too() -> None:
    """10 t of chips x 1.6 tCO2/t; a supplier's CO2e of the same chips is what stays in the total: 10 x 12 kg."""
    chips = GivenFactor(value=1.6, unit="tCO2/t", publisher="sawmill", document="analysis 3")
    memo = inventory((), [entry("fuel", "wood", 10, factor=chips)])
    assert (memo.scope(1).co2e_nano_kg, memo.biogenic_nano_kg) == (0, 16_000 * 10**9)
    assert any("CH4 and N2O of wood are not counted" in warning for warning in memo.warnings)
    rest = GivenFactor(value=12.0, unit="kgCO2e/t", publisher="sawmill", document="analysis 4")
    counted = inventory((), [entry("fuel", "wood", 10, factor=rest)])
    assert (counted.scope(1).co2e_nano_kg, counted.biogenic_nano_kg) == (120 * 10**9, 0)
    fossil = inventory((), [entry("fuel", "wood", 10, factor=chips, biogenic=False)])
    assert fossil.scope(1).co2e_nano_kg == 16_000 * 10**9


@pytest.mark.rule("1.10")
@pytest.mark.parametrize(("basis", "unit"), [(None, "kgCO2/GJ (HHV)"), ("HHV", "kgCO2/GJ")])
def test_a_suppliers_factor_on_gross_energy_never_meets_net_energy(basis: Calorific | None, unit: str) -> None:
    given = GivenFactor(value=50.0, unit=unit, publisher="works", document="analysis 5", basis=basis)
    net, gross = (entry("fuel", "gas", 100, "GJ", basis=said, factor=given) for said in ("NCV", "HHV"))
    with pytest.raises(RefusedError, match=r"rule 1\.10.*NCV energy and a factor on HHV"):
        fuel(net, query())
    assert fuel(gross, query()).co2e == pytest.approx(50.0)


@pytest.mark.rule("6.10")
def test_litres_with_a_density_take_a_measured_calorific_value() -> None:
    """1,000 L x 0.840 kg/L = 0.840 t x 43 GJ/t x 0.0202 tC/GJ x 98 % x 44/12."""
    measured = CalorificValue(value=43.0, per="t", basis="NCV", document="analysis 7")
    litres = entry("fuel", "diesel", 1000, "L", density_kg_per_m3=840.0, calorific=measured)
    tonnes = entry("fuel", "diesel", 0.84, calorific=measured)
    assert 1000 * fuel(litres, query()).co2e == pytest.approx(0.84 * fuel(tonnes, query()).co2e)


@pytest.mark.rule("2.4")
def test_energy_by_a_suppliers_factor_is_known_energy() -> None:
    given = GivenFactor(value=50.0, unit="kgCO2/kWh", publisher="works", document="analysis 8")
    net, gross = (fuel(entry("fuel", "gas", 1, "kWh", basis=b, factor=given), query()) for b in ("NCV", "HHV"))
    assert (net.gj, gross.gj) == (0.0036, None)


@pytest.mark.rule("1.19")
def test_gases_of_wood_without_factors_are_said_to_be_missing() -> None:
    counted = inventory((), [entry("fuel", "wood", 2)])
    assert counted.scope(1).co2e_nano_kg == 0
    assert counted.biogenic_nano_kg == 3_494_400_000_000
    assert any("CH4 of wood is not counted" in warning for warning in counted.warnings)


@pytest.mark.rule("2.5")
def test_raw_material_is_beside_the_total() -> None:
    counted = inventory((), [entry("feedstock", "naphtha", 5)])
    assert counted.scope(1).co2e_nano_kg is None
    (beside,) = counted.beside
    assert (beside["carrier"], beside["amount"]) == ("naphtha", 5.0)
    assert "raw material" in str(beside["reason"])


def test_an_unknown_fuel_is_listed_and_never_zero() -> None:
    counted = inventory((), [entry("fuel", "peat", 1)])
    assert counted.scope(1).co2e_nano_kg is None
    (left,) = counted.not_in_total
    assert (left["carrier"], left["amount"], left["unit"]) == ("peat", 1.0, "t")


@pytest.mark.rule("6.10")
def test_negative_amounts_wrong_units_and_empty_periods_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 6\.10.*-1 t"):
        entry("fuel", "diesel", -1)
    with pytest.raises(RefusedError, match=r"rule 6\.10.*kWh"):
        entry("refrigerant", "R-32", 1, "kWh")
    with pytest.raises(RefusedError, match=r"rule 6\.10.*no period"):
        entry("fuel", "diesel", 1, from_day=dt.date(2026, 2, 1), to_day=dt.date(2026, 2, 1))
