"""The GHG Protocol inventory: a worked example by hand, certificates, both bases, totals, ISO categories."""

import datetime as dt
import json
from dataclasses import replace

import pytest

from parkcarbon.domain.activities.activity import GivenFactor, within
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.factors import Factor
from parkcarbon.domain.instruments.cover import Cover
from parkcarbon.domain.inventory import PointAmount, days_of, electricity_micro_kwh
from parkcarbon.domain.inventory_figures import scope_figure, total_figure
from parkcarbon.domain.methods.iso14064 import by_category
from parkcarbon.domain.methods.lines import by_gas
from parkcarbon.domain.methods.market import share_out
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import check
from tests.fakes.scopes_park import CATALOG, EXPORT, GAS, GATE, HEAT, JIANGSU, PV, entry, inventory, point

KWH = 1_000_000  # micro
USED = (
    {"effect": "covers_purchased", "registry": "GEC", "serials": "1-400", "kwh": 400_000.0},
    {"effect": "void", "registry": "GEC", "serials": "900-909", "kwh": 10_000.0},
    {"effect": "offsets", "registry": "CCER", "serials": "7", "kg": 1000.0},
)
COVER = Cover(400_000 * KWH, 10_000 * KWH, retired_nano_kg=10**15, used=USED)
ENTRIES = (
    entry("fuel", "diesel", 2, tenant="t1"),
    entry("refrigerant", "R-410A", 5),
    entry("scope3", "haulage", 1000, "t-km", category=4, factor_id=""),
)


@pytest.mark.rule("1.15", "3.13", "3.15", "3.16", "5.1", "5.2")
def test_a_worked_example() -> None:
    """October of a park in Jiangsu, worked out by hand from the published numbers.

    gas 10,000 Nm3: 21,621.888 kg CO2 + 0.38931 kg CH4 x 27.0 + 0.038931 kg N2O x 273        = 21,643.028 kg
    diesel 2 t: 6,290.245 + 0.25998 x 27.0 + 0.051996 x 273                                    =  6,311.459 kg
    R-410A 5 kg x 2255.5                                                                       = 11,277.5 kg
    scope 2, location: 1,000,000 kWh x 0.5827 + 100 GJ x 110                                   = 593,700 kg
    scope 2, market: 600,000 x 0.6096 + 400,000 x 0 + 10,000 x 0.6096 + 100 x 110              = 382,856 kg
    """
    found = inventory(activities=ENTRIES, cover=COVER)
    assert found.scope(1).co2e_nano_kg == pytest.approx(39_231.987e9, abs=1e6)
    assert found.scope(2, "location").co2e_nano_kg == 593_700_000_000_000
    assert found.scope(2, "market").co2e_nano_kg == 382_856_000_000_000
    assert found.total_nano_kg("location") == pytest.approx(632_931.987e9, abs=1e6)
    assert found.total_nano_kg("market") == pytest.approx(422_087.987e9, abs=1e6)


@pytest.mark.rule("3.14", "3.15", "4.3")
def test_market_lines_are_covered_rest_and_void_each_with_its_instruments() -> None:
    lines = [
        line for line in inventory((GATE, PV), cover=COVER).scope(2, "market").lines if line.carrier == "electricity"
    ]
    rest, covered, void = lines
    assert (rest.source, rest.activity, rest.co2e_nano_kg, rest.instruments) == (
        GATE.point,
        600_000,
        365_760 * 10**9,
        (),
    )
    assert (covered.source, covered.activity, covered.co2e_nano_kg) == (GATE.point, 400_000, 0)
    assert [use["serials"] for use in covered.instruments] == ["1-400"]
    assert (void.activity, void.co2e_nano_kg) == (10_000, 6_096 * 10**9)
    assert [use["serials"] for use in void.instruments] == ["900-909"]
    assert "sold" in void.source


@pytest.mark.rule("3.2", "4.6")
def test_credits_are_in_no_figure_and_in_no_line() -> None:
    without = inventory(cover=replace(COVER, retired_nano_kg=0, used=USED[:2]))
    found = inventory(cover=COVER)
    assert found.to_bytes() == without.to_bytes()
    assert b"CCER" not in found.to_bytes()


@pytest.mark.rule("4.3")
def test_certificates_above_the_purchases_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 4\.3.*1e\+06 kWh of purchases"):
        inventory(cover=Cover(1_000_001 * KWH))
    assert inventory(cover=Cover(1_000_000 * KWH)).scope(2, "market").co2e_nano_kg == 11_000_000_000_000


def test_purchases_without_a_factor_still_take_their_part_of_the_certificates() -> None:
    found = inventory((GATE,), cover=Cover(1_000_000 * KWH), settings=Settings("Nowhere"))
    assert found.scope(2, "market").co2e_nano_kg is None
    assert len(found.not_in_total) == 1


def test_certificates_are_shared_by_gates_in_proportion() -> None:
    gates = [point("a/x", "import", 100.0), point("b/x", "import", 50.0), point("c/x", "import", 50.0)]
    lines = inventory(gates, cover=Cover(100 * KWH + 1)).scope(2, "market").lines
    covered = {line.source: line.amount_micro for line in lines if "covered" in line.note}
    assert covered == {"a/x": 50_000_001, "b/x": 25_000_000, "c/x": 25_000_000}
    assert sum(line.amount_micro for line in lines) == 200 * KWH


def test_sharing_out_is_exact() -> None:
    assert share_out(100, [1, 1, 1]) == [34, 33, 33]
    assert share_out(5, [0, 0]) == [0, 0]
    assert share_out(7, [3, 0, 4]) == [3, 0, 4]


@pytest.mark.rule("5.3", "3.16")
def test_void_self_use_without_purchases_counts_at_the_remainder() -> None:
    found = inventory((PV,), cover=Cover(void_micro_kwh=10_000 * KWH))
    assert found.scope(2, "location").co2e_nano_kg is None
    assert found.scope(2, "market").co2e_nano_kg == 6_096 * 10**9


@pytest.mark.rule("3.15")
def test_the_remainder_policy_may_be_the_location_based_factor_and_says_so() -> None:
    found = inventory((GATE,), settings=replace(JIANGSU, remainder="location"))
    assert found.scope(2, "market").co2e_nano_kg == found.scope(2, "location").co2e_nano_kg
    assert any("declared policy" in warning for warning in found.warnings)


def series_of(co2e_nano_kg: int | None) -> tuple[Factor, Settings]:
    own = Factor(
        factor="OWN", purpose="grid_average", carrier="electricity", region="GB", gas="CO2", unit="kgCO2/kWh",
        value=None, series=True,
    )  # fmt: skip
    return own, Settings("United Kingdom", electricity_factor="OWN")


@pytest.mark.rule("3.15")
def test_hourly_factors_and_certificates() -> None:
    """Without a remainder factor the uncovered part is a share of the hours already summed."""
    own, settings = series_of(1)
    gate = replace(GATE, co2e_nano_kg=500_000_000_000_001)
    found = inventory((gate,), cover=Cover(400_000 * KWH), settings=settings, factors=[own])
    assert found.scope(2, "location").co2e_nano_kg == 500_000_000_000_001
    assert found.scope(2, "market").co2e_nano_kg == 300_000_000_000_001
    void = inventory((gate,), cover=Cover(0, 10 * KWH), settings=settings, factors=[own])
    assert "name no hours" in str(void.not_in_total[0]["reason"])
    bought = inventory((), [entry("electricity", "electricity", 5)], settings=settings, factors=[own])
    assert "has no hours" in str(bought.not_in_total[0]["reason"])


def test_entered_electricity_stands_in_for_a_meter() -> None:
    bought = entry("electricity", "electricity", 1000, "MWh", simulated=True)
    made = entry("electricity", "electricity", 200, "MWh", direction="generated", activity="entry:2")
    sold = entry("electricity", "electricity", 50, "MWh", direction="delivered", activity="entry:3")
    found = inventory((), [bought, made, sold])
    metered = inventory((GATE, PV, EXPORT))
    assert found.scope(2, "location").co2e_nano_kg == metered.scope(2, "location").co2e_nano_kg
    assert found.scope(2, "market").co2e_nano_kg == metered.scope(2, "market").co2e_nano_kg
    for flow in ("grid_import_kwh", "grid_export_kwh", "generation_kwh", "load_kwh"):
        assert found.energy[flow] == metered.energy[flow]
    assert any("simulated" in warning for warning in found.warnings)
    assert electricity_micro_kwh((), [bought, made, sold], "2026-10") == {
        "import": 10**12,
        "export": 5 * 10**10,
        "generation": 2 * 10**11,
        "self_used": 15 * 10**10,
    }


@pytest.mark.rule("4.3", "5.6")
def test_a_meter_below_zero_is_told_and_takes_no_certificates() -> None:
    """5 kWh the wrong way on a second gate: no certificate is laid on it, and without any nothing is refused."""
    reversed_gate = replace(GATE, point="gate2/active_energy_import", amount_micro=-5 * KWH)
    alone = inventory((reversed_gate,))
    assert alone.scope(2, "location").co2e_nano_kg == -2_913_500_000
    assert any("is negative: is its meter reversed?" in warning for warning in alone.warnings)
    both = inventory((GATE, reversed_gate), cover=Cover(400_000 * KWH, used=USED))
    by_source = {(line.source, bool(line.instruments)): line.amount_micro for line in both.scope(2, "market").lines}
    assert by_source == {
        (GATE.point, False): 600_000 * KWH,
        (GATE.point, True): 400_000 * KWH,
        (reversed_gate.point, False): -5 * KWH,
    }


@pytest.mark.rule("6.7")
def test_self_use_is_not_known_while_an_export_meter_shows_nothing() -> None:
    silent = PointAmount(EXPORT.point, "export", "electricity", "kWh", 0)
    assert electricity_micro_kwh((GATE, PV), (), "2026-10")["self_used"] == PV.amount_micro
    assert electricity_micro_kwh((GATE, PV, silent), (), "2026-10")["self_used"] is None
    assert electricity_micro_kwh((GATE, PV, EXPORT), (), "2026-10")["self_used"] == 150_000 * KWH


@pytest.mark.rule("3.15")
def test_a_suppliers_rate_serves_the_market_based_figure_alone() -> None:
    rate = GivenFactor(value=0.3, unit="kgCO2/kWh", publisher="retailer", document="contract 5")
    found = inventory((), [entry("electricity", "electricity", 1000, factor=rate)])
    assert found.scope(2, "location").co2e_nano_kg == 582_700_000_000
    assert found.scope(2, "market").co2e_nano_kg == 300_000_000_000


def test_a_direct_line_counts_at_its_source_and_claims_nothing_without_certificates() -> None:
    found = inventory((), [entry("electricity", "electricity", 1000, origin="non_fossil")])
    assert found.scope(2, "location").co2e_nano_kg == 0
    assert found.scope(2, "market").co2e_nano_kg == 609_600_000_000


def test_electricity_elsewhere_takes_the_factor_of_its_region() -> None:
    found = inventory((), [entry("electricity", "electricity", 1000, region="China/ZJ")])
    (line,) = found.scope(2, "location").lines
    assert line.factors[0].factor.region == "China/ZJ"


def test_fuel_that_is_metered_and_entered_is_asked_about() -> None:
    found = inventory((GAS,), [entry("fuel", "gas", 1, "Nm3")])
    assert any("both metered and entered" in warning for warning in found.warnings)


@pytest.mark.rule("3.13")
def test_where_market_exceeds_location_a_sentence_says_why() -> None:
    assert any("exceeds location-based" in warning for warning in inventory((GATE,)).warnings)
    assert not any("exceeds" in warning for warning in inventory((GATE,), cover=Cover(10**12)).warnings)


@pytest.mark.rule("1.3", "3.8")
def test_totals_by_gas_add_up_and_electricity_is_marked_co2_only() -> None:
    found = inventory(activities=ENTRIES, cover=COVER)
    for basis in ("location", "market"):
        gases = by_gas(found.lines(basis))
        assert sum(gases.values()) == found.counted_nano_kg(basis)
        assert set(gases) == {"CO2", "CH4", "N2O", "HFC-32", "HFC-125"}
    totals = json.loads(found.to_bytes())["totals"]
    assert totals["location"]["electricity_co2_only"]
    assert totals["location"]["not_known"] == []
    assert sum(totals["location"]["by_gas_kg_co2e"].values()) == pytest.approx(totals["location"]["co2e_kg"])
    assert totals["market"]["co2e_kg"] == pytest.approx(422_087.987, abs=1e-3)


def test_share_of_unverified_factors() -> None:
    """Of 21,643.028 kg of gas and 582,700 kg of electricity the gas rests on recalled CH4 and N2O defaults."""
    found = inventory((GATE, GAS))
    assert found.unverified_pct("location") == pytest.approx(100 * 21_643.028 / (21_643.028 + 582_700), rel=1e-6)
    assert inventory((GATE,)).unverified_pct("location") == 0.0
    assert inventory(()).unverified_pct("location") is None


@pytest.mark.rule("6.8")
def test_an_unknown_scope_makes_the_total_unknown_unless_it_is_declared_absent() -> None:
    found = inventory((GATE,))
    assert found.total_nano_kg("location") is None
    assert found.counted_nano_kg("location") == 582_700_000_000_000
    assert json.loads(found.to_bytes())["totals"]["location"]["not_known"] == ["scope 1"]
    declared = inventory((GATE,), settings=replace(JIANGSU, absent=frozenset({1})))
    assert declared.total_nano_kg("location") == 582_700_000_000_000
    assert declared.scope(1).co2e_nano_kg == 0


def test_lines_carry_tenant_state_evidence_and_category() -> None:
    found = inventory((replace(GATE, tenant="t2"),), ENTRIES)
    lines = {line.source: line for line in (*found.lines("market"), *found.scope3.lines)}
    assert lines[GATE.point].tenant == "t2"
    assert lines["entry:fuel-diesel"].tenant == "t1"
    assert lines["entry:fuel-diesel"].states == {"manual": 1.0}
    assert lines["entry:fuel-diesel"].evidence == "invoice 4711"
    assert (lines[GATE.point].category, lines["entry:refrigerant-R-410A"].category) == (2, 1)


@pytest.mark.rule("3.8")
def test_iso_categories_hold_the_same_lines() -> None:
    freight = GivenFactor(value=0.1, unit="kgCO2e/t-km", publisher="p", document="d")
    found = inventory(activities=[*ENTRIES[:2], entry("scope3", "haulage", 1000, "t-km", category=4, factor=freight)])
    view = by_category(found, "market")
    sums = {category.number: category.co2e_nano_kg for category in view.categories}
    assert sums[1] == found.scope(1).co2e_nano_kg
    assert sums[2] == found.scope(2, "market").co2e_nano_kg
    assert (sums[3], sums[4], sums[6]) == (100 * 10**9, None, None)
    assert json.loads(json.dumps(view.document()))["categories"][2]["co2e_kg"] == 100.0


def test_every_figure_of_the_worked_example_can_be_computed_again() -> None:
    found = inventory(activities=ENTRIES, cover=COVER)
    scopes = [scope_figure("scope1", found.scope(1)), scope_figure("scope2_market", found.scope(2, "market"))]
    total = total_figure("total_market", *scopes)
    assert check(total) == []
    assert total.value == pytest.approx(422_087.987, abs=1e-3)
    sources = {node.source.get("factor") for node in total.walk() if node.source.get("kind") == "factor"}
    assert {"CNDRC-CC-natural-gas", "GWP-AR6-HFC-32", "CN-HEAT"} <= sources


def test_years_and_months_and_nothing_else() -> None:
    assert days_of("2024-02") == (dt.date(2024, 2, 1), dt.date(2024, 3, 1))
    assert days_of("2026") == (dt.date(2026, 1, 1), dt.date(2027, 1, 1))
    for wrong in ("2026-13", "26-01", "2026-1", "2026-Q1"):
        with pytest.raises(RefusedError, match="neither a month"):
            days_of(wrong)


def test_a_year_has_no_month_member() -> None:
    found = json.loads(inventory(period="2026").to_bytes())
    assert (found["period"], "month" in found) == ("2026", False)
    assert json.loads(inventory().to_bytes())["month"] == "2026-10"


def test_an_entry_of_a_year_counts_by_its_days() -> None:
    year = entry("fuel", "diesel", 365, from_day=dt.date(2026, 1, 1), to_day=dt.date(2027, 1, 1))
    (line,) = inventory((), [year]).scope(1).lines
    assert line.activity == 31.0
    assert within(year, dt.date(2025, 1, 1), dt.date(2026, 1, 1)) is None


@pytest.mark.rule("6.10")
def test_an_entry_that_is_there_twice_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 6\.10.*twice"):
        inventory((), [ENTRIES[0], ENTRIES[0]])


@pytest.mark.rule("3.8")
def test_heat_is_one_line_on_both_bases() -> None:
    assert CATALOG
    found = inventory((HEAT,))
    assert found.scope(2, "location").lines == found.scope(2, "market").lines
