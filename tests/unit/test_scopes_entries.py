"""Refrigerants, processes, heat, steam, cooling and scope 3: published vectors and what is refused."""

from dataclasses import replace

import pytest

from parkcarbon.domain.activities.activity import GivenFactor, SteamState
from parkcarbon.domain.activities.cooling import cooling
from parkcarbon.domain.activities.counting import Beside, count, validate
from parkcarbon.domain.activities.fugitive import refrigerant
from parkcarbon.domain.activities.heat import heat
from parkcarbon.domain.activities.process import process
from parkcarbon.domain.activities.scope3 import CATEGORIES, Screened
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.factors import Factor, FactorRefusedError, NoFactorError
from parkcarbon.domain.refusal import RefusedError
from tests.fakes.scopes_park import CATALOG, GATE, JIANGSU, entry, inventory, query

AR5 = replace(JIANGSU, gwp_set="AR5")
SUPPLIER = GivenFactor(value=0.05, unit="tCO2/GJ", publisher="heating works", document="certificate 2026-03")
STEAM = SteamState(pressure_mpa_abs=1.0, temperature_c=300.0, condensate_return_pct=60.0, condensate_temperature_c=80.0)


@pytest.mark.rule("1.17")
@pytest.mark.parametrize(
    ("substance", "gwp_set", "expected"),
    [
        ("R-410A", "AR5", 1923.5),
        ("R-410A", "AR4", 2087.5),
        ("R-410A", "AR6", 2255.5),
        ("R-404A", "AR5", 3942.8),
        ("R-404A", "AR4", 3921.6),
        ("R-407C", "AR4", 1773.85),
        ("R-134a", "AR6", 1530.0),
        ("HFC-23", "AR5", 12400.0),
    ],
)
def test_refrigerants(substance: str, gwp_set: str, expected: float) -> None:
    """Blends as IPCC's component values give them: R-410A in AR5 = 0.5 x 677 + 0.5 x 3170."""
    settings = Settings("China/JS", gwp_set=gwp_set)  # type: ignore[arg-type]
    assert refrigerant(entry("refrigerant", substance, 1), query(settings)).co2e == pytest.approx(expected)


@pytest.mark.rule("1.17")
def test_a_loss_in_grams_and_a_blend_of_ones_own() -> None:
    gram = refrigerant(entry("refrigerant", "R-410A", 1, "g"), query(AR5))
    assert gram.co2e == pytest.approx(1.9235)
    own = entry("refrigerant", "site mix", 1, blend=(("R-32", 30.0), ("R-125", 70.0)))
    assert refrigerant(own, query(AR5)).co2e == pytest.approx(0.3 * 677 + 0.7 * 3170)
    short = entry("refrigerant", "site mix", 1, blend=(("R-32", 30.0), ("R-125", 60.0)))
    with pytest.raises(RefusedError, match=r"rule 1\.17.*100 %"):
        refrigerant(short, query(AR5))


@pytest.mark.rule("1.17", "6.10")
def test_a_warming_potential_in_another_unit_is_refused() -> None:
    given = GivenFactor(value=2.088, unit="tCO2e/kg", publisher="supplier", document="sheet")
    with pytest.raises(RefusedError, match=r"rule 6\.10.*tCO2e/kg"):
        refrigerant(entry("refrigerant", "R-410A", 1, factor=given), query())


@pytest.mark.rule("1.17")
def test_a_loss_without_evidence_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 1\.17.*evidence"):
        refrigerant(entry("refrigerant", "R-32", 1, evidence=""), query())
    with pytest.raises(RefusedError, match=r"rule 1\.17"):
        validate(entry("refrigerant", "R-32", 1, evidence=""))


@pytest.mark.rule("1.16")
def test_sf6_is_a_data_row_that_says_which() -> None:
    default = refrigerant(entry("refrigerant", "SF6", 1), query())
    assert default.co2e == 25200.0
    assert any("24300" in note for note in default.notes)
    chosen = refrigerant(entry("refrigerant", "SF6", 1), query(replace(JIANGSU, sf6_factor="GWP-AR6-SF6-GHGP")))
    assert chosen.co2e == 24300.0
    with pytest.raises(RefusedError, match=r"rule 1\.15"):
        refrigerant(entry("refrigerant", "SF6", 1), query(replace(AR5, sf6_factor="GWP-AR6-SF6-GHGP")))


@pytest.mark.rule("1.15")
def test_vented_fossil_methane_has_the_fossil_value() -> None:
    assert refrigerant(entry("refrigerant", "CH4", 1), query()).co2e == 29.8
    assert refrigerant(entry("refrigerant", "CH4", 1, biogenic=True), query()).co2e == 27.0
    assert refrigerant(entry("refrigerant", "CH4", 1), query(replace(JIANGSU, gwp_set="AR4"))).co2e == 25.0


@pytest.mark.rule("1.15")
def test_a_gwp_of_another_set_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 1\.15"):
        refrigerant(entry("refrigerant", "R-32", 1, factor_id="GWP-AR4-HFC-32"), query())
    with pytest.raises(FactorRefusedError, match=r"rule 1\.6"):
        refrigerant(entry("refrigerant", "R-32", 1, factor_id="CN-HEAT"), query())
    with pytest.raises(NoFactorError, match="no GWP of R-999"):
        refrigerant(entry("refrigerant", "R-999", 1), query())


def test_gases_of_the_montreal_protocol_stand_apart_from_the_scopes() -> None:
    counted = inventory((), [entry("refrigerant", "R-22", 2)])
    assert counted.scope(1).co2e_nano_kg is None
    (beside,) = counted.beside
    assert beside["co2e_kg"] == 2 * 1960.0
    assert "Kyoto" in str(beside["reason"])


@pytest.mark.rule("2.5")
def test_process_is_output_times_factor() -> None:
    given = GivenFactor(value=0.538, unit="tCO2/t", publisher="works", document="mass balance 2026")
    assert process(entry("process", "clinker", 1, factor=given), query()).co2e == pytest.approx(538.0)
    with pytest.raises(NoFactorError):
        process(entry("process", "clinker", 1), query())
    own = Factor(
        factor="OWN-LIME", purpose="process", carrier="lime", region="China", gas="CO2", unit="tCO2/t", value=0.683,
        own=True,
    )  # fmt: skip
    assert process(entry("process", "lime", 1), query(factors=(own,))).co2e == pytest.approx(683.0)


@pytest.mark.rule("1.13")
def test_heat_by_origin_and_supplier() -> None:
    assert heat(entry("heat", "heat", 1, origin="fossil"), query()).co2e == pytest.approx(110.0)
    assert heat(entry("heat", "heat", 1, origin="non_fossil"), query()).co2e == 0.0
    assert heat(entry("heat", "heat", 1, origin="fossil", factor=SUPPLIER), query()).co2e == pytest.approx(50.0)
    assert heat(entry("heat", "heat", 1, "MWh", origin="fossil"), query()).co2e == pytest.approx(396.0)
    with pytest.raises(RefusedError, match=r"rule 1\.13.*origin"):
        heat(entry("heat", "heat", 1), query())
    with pytest.raises(NoFactorError):
        heat(entry("heat", "heat", 1, origin="fossil"), query(Settings("China/JS")))


@pytest.mark.rule("1.13")
def test_heat_made_inside_is_never_again_scope_2() -> None:
    counted = inventory((), [entry("heat", "heat", 100, origin="inside"), entry("fuel", "gas", 1000, "Nm3")])
    assert counted.scope(2, "location").co2e_nano_kg is None
    assert [line.carrier for line in counted.scope(1).lines] == ["gas"]
    assert "never again scope 2" in str(counted.beside[0]["reason"])


@pytest.mark.rule("1.13")
def test_a_tonne_of_steam() -> None:
    """1 MPa, 300 degC: 3051.7 kJ/kg; 60 % back at 80 degC (335.8 kJ/kg), the rest fed at 83.74 kJ/kg.

    3051.7 - 0.6 x 335.8 - 0.4 x 83.74 = 2816.7 kJ/kg = 2.8167 GJ/t; x 0.11 tCO2/GJ = 309.84 kg/t.
    """
    steam = heat(entry("steam", "steam", 1, origin="fossil", steam=STEAM), query())
    assert steam.gj == pytest.approx(2.8167, abs=2e-4)
    assert steam.co2e == pytest.approx(309.84, abs=0.03)
    without = replace(STEAM, condensate_return_pct=0.0, condensate_temperature_c=None)
    plain = heat(entry("steam", "steam", 1, origin="fossil", steam=without), query())
    assert plain.gj == pytest.approx((3051.70 - 83.74) / 1000, abs=2e-4)
    kilo = heat(entry("steam", "steam", 1, "kg", origin="fossil", steam=without), query())
    assert kilo.co2e * 1000 == pytest.approx(plain.co2e)


@pytest.mark.rule("1.13")
@pytest.mark.parametrize(
    ("state", "word"),
    [
        (SteamState(), "pressure, temperature, condensate return"),
        (replace(STEAM, pressure_mpa_abs=None), "pressure"),
        (replace(STEAM, temperature_c=None), "temperature"),
        (replace(STEAM, condensate_return_pct=None), "condensate return"),
        (replace(STEAM, condensate_temperature_c=None), "no stated temperature"),
        (replace(STEAM, condensate_temperature_c=200.0), "hotter"),
        (replace(STEAM, condensate_return_pct=120.0), "120 %"),
        (replace(STEAM, temperature_c=120.0), "no steam"),
        (replace(STEAM, pressure_mpa_abs=30.0), "boil"),
        (replace(STEAM, temperature_c=179.9, dryness_pct=0.0), "vapour"),
        (replace(STEAM, dryness_pct=80.0), "80 % vapour is at boiling point, 179.89 degC"),
    ],
)
def test_steam_that_is_no_amount_of_heat_is_refused(state: SteamState, word: str) -> None:
    activity = entry("steam", "steam", 10, origin="fossil", steam=state)
    with pytest.raises(RefusedError, match=rf"rule 1\.13.*{word}"):
        heat(activity, query())
    with pytest.raises(RefusedError, match=r"rule 1\.13"):
        validate(activity)


@pytest.mark.rule("3.15")
def test_cooling_by_supplier_or_cop_and_never_by_default() -> None:
    """1 GJ of cooling = 277.78 kWh; COP 5: 55.556 kWh x 0.5827 = 32.372 kg; on the market basis x 0.6096."""
    by_cop = entry("cooling", "cooling", 1, cop=5.0)
    assert cooling(by_cop, query(), "location").co2e == pytest.approx(55.555556 * 0.5827)
    assert cooling(by_cop, query(), "market").co2e == pytest.approx(55.555556 * 0.6096)
    given = entry("cooling", "cooling", 1, factor=SUPPLIER)
    assert cooling(given, query(), "market").co2e == pytest.approx(50.0)
    with pytest.raises(RefusedError, match=r"rule 3\.15.*no default"):
        cooling(entry("cooling", "cooling", 1), query(), "location")
    counted = inventory((), [by_cop])
    assert counted.scope(2, "location").co2e_nano_kg == round(55.555555555556e9 * 0.5827)
    assert counted.scope(2, "market").co2e_nano_kg == round(55.555555555556e9 * 0.6096)


@pytest.mark.rule("1.4")
def test_a_life_cycle_factor_in_scope_2_is_refused() -> None:
    footprint = GivenFactor(value=0.5777, unit="kgCO2e/kWh", publisher="MEE", document="footprint", life_cycle=True)
    bought = entry("electricity", "electricity", 1000, factor=footprint)
    counted = inventory((GATE,), [bought])
    assert any("rule 1.4" in str(left["reason"]) for left in counted.not_in_total)
    with pytest.raises(RefusedError, match=r"rule 1\.4"):
        validate(bought)
    with pytest.raises(FactorRefusedError, match=r"rule 1\.4"):
        query().named("CN-FP-2024", "grid_average")
    declared = inventory((GATE,), settings=replace(JIANGSU, electricity_factor="CN-FP-2024"))
    assert declared.scope(2, "location").co2e_nano_kg is None
    assert "rule 1.4" in str(declared.not_in_total[0]["reason"])


@pytest.mark.rule("3.4")
def test_planting_is_no_removal_without_a_named_measured_method() -> None:
    with pytest.raises(RefusedError, match=r"rule 3\.4.*trees"):
        count(entry("removal", "trees", 3, "tCO2"), query())
    measured = entry("removal", "trees", 3, "tCO2", method="AR-ACM0003, plots measured")
    found = count(measured, query())
    assert isinstance(found, Beside)
    counted = inventory((GATE,), [measured])
    assert counted.total_nano_kg("location") == inventory((GATE,)).total_nano_kg("location")
    assert "never subtracted" in str(counted.beside[0]["reason"])


FREIGHT = GivenFactor(value=0.1, unit="kgCO2e/t-km", publisher="carrier", document="2026", life_cycle=True)


def test_scope_3_stands_apart_and_has_a_place_for_visitors_and_fleets() -> None:
    fleet = entry("scope3", "haulage", 1000, "t-km", category=4, factor=FREIGHT, group="fleet_contracted")
    charging = entry(
        "scope3", "visitors charging", 500, "kWh", category=11, factor_id="CN-2023-JS", group="visitors_charging",
        counted_elsewhere=True,
    )  # fmt: skip
    bare, counted = inventory((GATE,)), inventory((GATE,), [fleet, charging])
    assert counted.scope3.co2e_nano_kg == 100_000_000_000
    assert counted.total_nano_kg("market") == bare.total_nano_kg("market")
    assert counted.scopes == bare.scopes
    (line,) = counted.scope3.lines
    assert (line.scope3_category, line.category, line.group) == (4, 3, "fleet_contracted")
    assert [item["source"] for item in counted.beside] == [charging.name]
    assert "not added again" in str(counted.beside[0]["reason"])


@pytest.mark.rule("3.8")
def test_all_fifteen_categories_are_screened_with_reasons() -> None:
    fleet = entry("scope3", "haulage", 1000, "t-km", category=4, factor=FREIGHT)
    some = [Screened(4, "included", "haulage is bought"), Screened(6, "included", "flights")]
    found = inventory((GATE,), [fleet], screening=some)
    rows = {row["category"]: row for row in found.screening}
    assert len(rows) == 15
    assert (rows[4]["status"], rows[4]["entries"], rows[5]["status"]) == ("included", True, None)
    assert any("categories 1, 2, 3, 5, 7" in warning for warning in found.warnings)
    assert any("category 6 is included but has no entries" in warning for warning in found.warnings)
    whole = [Screened(category.number, "not_significant", "small") for category in CATEGORIES]
    complete = inventory((GATE,), screening=whole)
    assert not any("scope 3" in warning for warning in complete.warnings)
    contradicting = inventory((GATE,), [fleet], screening=whole)
    assert any("not significant but has entries" in warning for warning in contradicting.warnings)


@pytest.mark.rule("3.8")
def test_a_decision_without_a_reason_and_a_sixteenth_category_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 3\.8"):
        Screened(3, "not_significant", " ")
    with pytest.raises(RefusedError, match=r"rule 3\.8"):
        Screened(16, "included", "why")
    with pytest.raises(RefusedError, match=r"rule 3\.8"):
        entry("scope3", "x", 1, category=16)
    with pytest.raises(RefusedError, match=r"rule 3\.8"):
        entry("fuel", "gas", 1, "Nm3", category=1)


def test_scope_3_without_a_factor_is_listed() -> None:
    assert CATALOG
    counted = inventory((), [entry("scope3", "steel", 5, category=1)])
    assert counted.scope3.co2e_nano_kg is None
    assert "no factor is given or named" in str(counted.not_in_total[0]["reason"])
