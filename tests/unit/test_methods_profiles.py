"""GB/T 32150 and the park indicator's emissions: worked examples, and that no two methods are ever added."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from parkcarbon.domain.activities.activity import GivenFactor
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.instruments.cover import Cover
from parkcarbon.domain.inventory import assemble
from parkcarbon.domain.methods.figures import method_figure
from parkcarbon.domain.methods.gbt32150 import edition_of, gbt32150
from parkcarbon.domain.methods.result import MethodResult, add
from parkcarbon.domain.methods.total import total
from parkcarbon.domain.methods.zcp910 import zcp910
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import check
from tests.fakes.scopes_park import CATALOG, EXPORT, GAS, GATE, HEAT, JIANGSU, METERED, PV, entry, frame, inventory

KWH = 1_000_000
COVER = Cover(400_000 * KWH)
CLINKER = GivenFactor(value=0.538, unit="tCO2/t", publisher="works", document="mass balance")


def national(*activities: Any, points: Any = METERED, period: str = "2026-10", **more: Any) -> MethodResult:
    return gbt32150(points, CATALOG, JIANGSU, activities=activities, **frame(period), **more)


def park(*activities: Any, points: Any = METERED, period: str = "2026-10", **more: Any) -> MethodResult:
    return zcp910(points, CATALOG, JIANGSU, activities=activities, **(frame(period) | more))


def parts(result: MethodResult) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in result.lines:
        sums[line.part] = sums.get(line.part, 0) + line.nano_kg
    return sums


@pytest.mark.rule("1.14")
def test_delivered_power_has_its_own_subtracted_line() -> None:
    """1,000,000 x 0.5827 + 21,643.028 + 11,000 - 50,000 x 0.5827 = 586,208.028 kg."""
    result = national()
    assert parts(result)["delivered"] == -29_135 * 10**9
    assert parts(result)["electricity"] == 582_700 * 10**9
    assert result.nano_kg == pytest.approx(586_208.028e9, abs=1e6)
    (delivered,) = [line for line in result.lines if line.part == "delivered"]
    assert (delivered.name, delivered.amount_micro) == (EXPORT.point, 50_000 * KWH)
    assert "subtracted by this method alone" in delivered.note


@pytest.mark.rule("1.14")
def test_delivered_heat_and_entries_are_subtracted() -> None:
    sold = entry("heat", "heat", 40, origin="fossil", direction="delivered")
    power = entry("electricity", "electricity", 10, "MWh", direction="delivered")
    assert parts(national(sold, power))["delivered"] == -(29_135 + 4_400 + 5_827) * 10**9
    ghgp = inventory(METERED, [sold, power])
    assert ghgp.scopes == inventory(METERED).scopes


@pytest.mark.rule("1.14")
@pytest.mark.parametrize(
    ("period", "edition"),
    [("2026-06", "2015"), ("2026-07", "2025"), ("2025", "2015"), ("2026", "2025"), ("2027-01", "2025")],
)
def test_the_edition_of_the_standard_is_stored(period: str, edition: str) -> None:
    result = national(period=period)
    assert f"GB/T 32150-{edition}" in result.edition.document
    assert f"GB/T 32150-{edition}" in str(json.loads(result.to_bytes())["method_edition"])
    assert any("two editions" in warning for warning in result.warnings) is (period == "2026")
    assert edition_of(dt.date(2026, 6, 30)).document.startswith("GB/T 32150-2015")


def test_a_delivery_without_a_factor_is_listed() -> None:
    result = gbt32150((EXPORT,), CATALOG, Settings("Nowhere"), **frame())
    assert result.nano_kg is None
    assert [item["point"] for item in result.not_in_total] == [EXPORT.point]


@pytest.mark.rule("2.4", "2.5", "2.6", "2.8")
def test_park_indicator_emissions() -> None:
    """600,000 x 0.8325 + 0 x 400,000 + 389.31 x 0.0153 x 100 % x 44/12 t + 100 x 0.11 t = 532.340 t, PV no credit."""
    result = park(cover=COVER)
    assert parts(result) == {
        "combustion": pytest.approx(21_840.291e9, abs=1e6),
        "electricity": 499_500 * 10**9,
        "heat": 11_000 * 10**9,
        "delivered": 0,
    }
    assert result.energy_nano_kg == pytest.approx(532_340.291e9, abs=1e6)
    assert result.process_nano_kg == 0
    assert result.unit == "CO2"


@pytest.mark.rule("2.6")
def test_every_other_kilowatt_hour_takes_the_fixed_factor_whatever_the_province() -> None:
    result = zcp910((GATE,), CATALOG, Settings("Sichuan"), **frame())
    assert result.nano_kg == 832_500 * 10**9
    (match,) = result.lines[0].factors
    assert (match.factor.purpose, match.factor.value) == ("park_indicator", 0.8325)


@pytest.mark.rule("2.6")
def test_direct_non_fossil_supply_counts_zero() -> None:
    result = park(entry("electricity", "electricity", 100, "MWh", origin="non_fossil"), points=(GATE, PV, EXPORT))
    assert result.nano_kg == 832_500 * 10**9
    assert result.direct_micro_kwh == (100_000 + 150_000) * KWH
    (electricity,) = result.energy
    assert electricity.amount_micro == (1_000_000 + 100_000 + 200_000 - 50_000) * KWH
    assert electricity.clean_micro == 250_000 * KWH


@pytest.mark.rule("3.16", "2.6")
def test_self_use_whose_certificates_were_sold_is_not_zero() -> None:
    result = park(points=(GATE, PV), cover=Cover(void_micro_kwh=10_000 * KWH))
    assert result.nano_kg == (832_500 + 8_325) * 10**9
    assert result.direct_micro_kwh == 190_000 * KWH


@pytest.mark.rule("2.8")
def test_fossil_power_delivered_is_subtracted_and_own_renewable_power_is_not() -> None:
    fossil = entry("electricity", "electricity", 10, "MWh", direction="delivered", origin="fossil")
    green = entry("electricity", "electricity", 10, "MWh", direction="delivered", origin="non_fossil")
    assert park(fossil, points=(GATE,)).nano_kg == (832_500 - 8_325) * 10**9
    assert park(green, points=(GATE,)).nano_kg == 832_500 * 10**9


@pytest.mark.rule("2.5")
def test_process_raw_material_bunkers_and_biomass() -> None:
    """Diesel at 100 % oxidation: 43.33 x 0.0202 x 44/12 = 3.209309 t/t, bunkers counted and listed."""
    result = park(
        entry("process", "clinker", 100, factor=CLINKER),
        entry("feedstock", "naphtha", 7),
        entry("fuel", "diesel", 2, bunker=True),
        entry("fuel", "wood", 3),
        points=(),
    )
    assert result.process_nano_kg == 53_800 * 10**9
    assert result.energy_nano_kg == pytest.approx(6_418.617e9, abs=1e6)
    assert {item["carrier"]: item["co2_kg"] for item in result.listed} == {
        "naphtha": None,
        "diesel": pytest.approx(6_418.617, abs=1e-3),
    }
    energy = {item.carrier: item for item in result.energy if item.carrier != "electricity"}
    assert energy["naphtha"].feedstock
    assert energy["diesel"].bunker
    assert energy["diesel"].amount_micro == round(2 * 43.33 * 1e6)
    assert energy["wood"].clean_micro == energy["wood"].amount_micro == round(3 * 15.6 * 1e6)


@pytest.mark.rule("2.4")
def test_only_carbon_dioxide_counts() -> None:
    gas = next(line for line in park(points=(GAS,)).lines if line.part == "combustion")
    assert set(gas.chains) == {"CO2"}
    assert all(match.factor.gas in ("C", "", "CO2") for match in gas.factors)


def test_heat_by_origin_in_the_park_indicator() -> None:
    result = park(
        entry("heat", "heat", 10, origin="fossil", activity="a"),
        entry("heat", "heat", 10, origin="non_fossil", activity="b"),
        entry("heat", "heat", 10, origin="inside", activity="c"),
        entry("heat", "heat", 4, origin="fossil", direction="delivered", activity="d"),
        points=(HEAT,),
    )
    assert result.nano_kg == (11_000 + 1_100 - 440) * 10**9
    assert [item["source"] for item in result.listed] == ["c"]


def test_energy_without_a_net_calorific_value_is_said_to_be_missing() -> None:
    given = GivenFactor(value=2.0, unit="tCO2/t", publisher="supplier", document="certificate")
    result = park(entry("fuel", "diesel", 1, factor=given), points=())
    diesel = next(item for item in result.energy if item.carrier == "diesel")
    assert diesel.amount_micro is None
    assert "not known" in diesel.note


def test_what_has_no_factor_or_no_reading_is_listed() -> None:
    silent = replace(GATE, amount_micro=0, measured_ms=0, method_ms={})
    result = park(entry("fuel", "peat", 1), entry("cooling", "cooling", 1), points=(silent,))
    assert [item["carrier"] for item in result.not_in_total] == ["electricity", "peat"]
    assert [item["carrier"] for item in result.listed] == ["cooling"]
    assert result.nano_kg is None
    early = park(points=(GATE,), known_on=dt.datetime(2025, 1, 5, tzinfo=dt.UTC))
    assert early.nano_kg is None
    assert "park_indicator" in str(early.not_in_total[0]["reason"])


@pytest.mark.rule("2.9")
def test_methods_are_never_added() -> None:
    with pytest.raises(RefusedError, match=r"rule 2\.9.*gbt32150.*zcp910"):
        add([national(period="2026-09"), park(period="2026-10")])
    numbers = {inventory().counted_nano_kg("location"), national().nano_kg, park().nano_kg}
    assert len(numbers) == 3


@pytest.mark.rule("2.12")
def test_windows_of_one_method_add_up_exactly() -> None:
    months = [park(period=f"2026-{month:02}", cover=COVER) for month in (3, 1, 2)]
    window = add(months)
    assert window.period == "2026-01/2026-03"
    assert window.nano_kg == sum(month.nano_kg or 0 for month in months)
    assert len(window.energy) == sum(len(month.energy) for month in months)
    across = add([national(period="2026-06"), national(period="2026-07")])
    assert any("2 editions" in warning for warning in across.warnings)


@pytest.mark.rule("2.12", "1.15", "2.9")
def test_periods_that_do_not_follow_each_other_are_not_added() -> None:
    with pytest.raises(RefusedError, match=r"rule 2\.12"):
        add([park(period="2026-01"), park(period="2026-03")])
    with pytest.raises(RefusedError, match=r"rule 2\.12"):
        total([inventory(period="2026-01"), inventory(period="2026-01")])
    with pytest.raises(RefusedError, match="nothing"):
        total([])
    with pytest.raises(RefusedError, match=r"rule 1\.15"):
        total([inventory(period="2026-01"), inventory(period="2026-02", settings=replace(JIANGSU, gwp_set="AR5"))])
    other = assemble(METERED, CATALOG, JIANGSU, **(frame("2026-02") | {"park": "other"}))
    with pytest.raises(RefusedError, match="different parks"):
        total([inventory(period="2026-01"), other])
    older = replace(inventory(period="2026-01"), method_version="ghgp-1")
    with pytest.raises(RefusedError, match=r"rule 2\.9"):
        total([older, inventory(period="2026-02")])


def test_a_window_knows_what_its_months_know() -> None:
    half = replace(PV, amount_micro=0, measured_ms=0, method_ms={})
    window = total([inventory(period="2026-01"), inventory((GATE, half, GAS), period="2026-02")])
    assert window.energy["grid_import_kwh"] == 2_000_000.0
    assert window.energy["generation_kwh"] is None
    assert window.energy["gas"] == {"Nm3": 20_000.0}
    assert window.completeness_pct == pytest.approx(100 * 7 / 8)
    assert window.states["missing"] == pytest.approx(1 / 8)
    assert window.month is None
    assert total([inventory()]) == inventory()
    silent = total([inventory(period="2026-01"), inventory((GATE, half), period="2026-02")])
    assert silent.energy["gas"] == {}  # unknown in February, and no sum without it


def test_every_figure_of_a_method_can_be_computed_again() -> None:
    sold = entry("heat", "heat", 40, origin="fossil", direction="delivered")
    for result in (national(sold), park(sold, entry("process", "clinker", 100, factor=CLINKER), cover=COVER)):
        figure = method_figure("total", result)
        assert check(figure) == []
        assert result.nano_kg is not None
        assert figure.value == result.nano_kg / 1e9
    only = method_figure("process", park(entry("process", "clinker", 100, factor=CLINKER)), ("process",))
    assert (only.value, only.unit) == (53_800.0, "kgCO2")
    assert method_figure("process", park(), ("process",)).value is None


@pytest.mark.rule("2.6")
def test_a_certificate_on_a_direct_line_makes_no_kilowatt_hour_clean_twice() -> None:
    """1,000 kWh of the grid and 1,000 over a dedicated line, certificates for 1,000: half of them fall on the grid's.

    Zero: 1,000 + 500; at 0.8325: 500 kWh = 416.25 kg; clean of 2,000 kWh are the same 1,500.
    """
    line = entry("electricity", "electricity", 1000, origin="non_fossil")
    result = park(line, points=(replace(GATE, amount_micro=1000 * KWH),), cover=Cover(1000 * KWH))
    assert result.nano_kg == 416_250_000_000
    (power,) = result.energy
    assert (power.amount_micro, power.clean_micro) == (2000 * KWH, 1500 * KWH)


@pytest.mark.rule("2.7")
def test_power_made_inside_from_fossil_fuel_is_no_direct_green_supply() -> None:
    """Its energy is that of its fuel: 1,000 kWh of electricity are consumed, none of them clean."""
    made = entry("electricity", "electricity", 500, origin="fossil", direction="generated")
    result = park(made, points=(replace(GATE, amount_micro=1000 * KWH),))
    (power,) = result.energy
    assert (power.amount_micro, power.clean_micro, result.direct_micro_kwh) == (1000 * KWH, 0, None)


@pytest.mark.rule("2.8")
def test_an_export_meter_does_not_break_a_year_without_a_fixed_factor() -> None:
    result = park(points=(GATE, EXPORT, PV), period="2024-10")
    assert [(line.name, line.nano_kg) for line in result.lines] == [(EXPORT.point, 0)]
    assert [item["point"] for item in result.not_in_total] == [GATE.point]


@pytest.mark.rule("1.13", "2.6")
def test_heat_made_inside_and_delivered_is_never_silently_dropped() -> None:
    """Without a supplier's value nothing says what it carries; with one it is subtracted."""
    sold = entry("heat", "heat", 100, origin="inside", direction="delivered")
    for result in (park(sold, points=()), national(sold, points=())):
        assert [item["point"] for item in result.not_in_total] == [sold.name]
        assert result.listed == ()
    rate = GivenFactor(value=0.08, unit="tCO2/GJ", publisher="works", document="boiler balance")
    for result in (park(replace(sold, factor=rate), points=()), national(replace(sold, factor=rate), points=())):
        assert parts(result) == {"delivered": -8_000 * 10**9}
        assert result.listed == ()
