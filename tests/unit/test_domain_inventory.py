"""The inventory: scopes, exports, what stays out, and its bytes."""

import datetime as dt
import itertools
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from parkcarbon.catalog.factors import load_factors
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.factors import Factor
from parkcarbon.domain.inventory import METHOD_VERSION, PointAmount, assemble
from parkcarbon.domain.reading import Method

CATALOG = load_factors()
JIANGSU = Settings("China/JS", "China", "China")
HOUR = 3_600_000
MONTH_MS = 31 * 24 * HOUR
MICRO = 1_000_000


def amount(point: str, flow: str | None, value: float, carrier: str = "electricity", unit: str = "kWh") -> PointAmount:
    return PointAmount(
        point,
        flow,
        carrier,
        unit,
        round(value * MICRO),
        intervals=2976,
        measured_ms=MONTH_MS,
        expected_ms=MONTH_MS,
        method_ms={Method.MEASURED: MONTH_MS},
    )


GATE = amount("gate/active_energy_import", "import", 1_000_000.0)
EXPORT = amount("gate/active_energy_export", "export", 50_000.0)
PV = amount("pv1/active_energy_yield", "generation", 200_000.0)
CHARGE = amount("bat/active_energy_import", "charge", 10_000.0)
DISCHARGE = amount("bat/active_energy_export", "discharge", 9_000.0)
GAS = amount("boiler/gas_volume_base", "fuel", 10_000.0, "gas", "Nm3")
HEAT = amount("steam/heat_energy", "heat", 100.0, "heat", "GJ")
TENANT = amount("t1/active_energy_import", "sub_meter", 900_000.0)
PARK = (GATE, EXPORT, PV, CHARGE, DISCHARGE, GAS, HEAT, TENANT)


def document(
    points: Sequence[PointAmount] = PARK, settings: Settings = JIANGSU, factors: Sequence[Factor] = CATALOG
) -> dict[str, Any]:
    inventory = assemble(
        points,
        factors,
        settings,
        park="demo",
        period="2026-10",
        from_time=dt.datetime(2026, 9, 30, 16, tzinfo=dt.UTC),
        to_time=dt.datetime(2026, 10, 31, 16, tzinfo=dt.UTC),
        known_on=dt.datetime(2026, 11, 21, tzinfo=dt.UTC),
        final=False,
    )
    read: dict[str, Any] = json.loads(inventory.to_bytes())
    return read


def scopes(inventory: dict[str, Any]) -> dict[tuple[int, str | None], dict[str, Any]]:
    return {(scope["scope"], scope["basis"]): scope for scope in inventory["scopes"]}


def test_scopes_of_a_whole_park() -> None:
    found = scopes(document())
    assert list(found) == [(1, None), (2, "location"), (2, "market")]
    assert found[1, None]["co2e_kg"] == pytest.approx(21_643.03, abs=0.01)
    assert found[2, "location"]["co2e_kg"] == pytest.approx(582_700 + 11_000)
    assert found[2, "market"]["co2e_kg"] == pytest.approx(609_600 + 11_000)


def test_exports_and_generation_change_nothing_in_scope_2() -> None:
    alone = scopes(document((GATE,)))[2, "location"]["co2e_kg"]
    assert scopes(document((GATE, EXPORT, PV)))[2, "location"]["co2e_kg"] == alone
    assert any("not netted" in warning for warning in document((GATE, EXPORT))["warnings"])


def test_sub_meters_and_batteries_are_not_counted_twice() -> None:
    sources = {line["source"] for scope in document()["scopes"] for line in scope["lines"]}
    assert sources == {GATE.point, GAS.point, HEAT.point}


def test_heat_is_the_same_on_both_bases() -> None:
    found = scopes(document((HEAT,)))
    assert found[2, "location"]["lines"] == found[2, "market"]["lines"]


def test_energy_balance() -> None:
    energy = document()["energy"]
    load = 1_000_000 + 200_000 + 9_000 - 10_000 - 50_000
    assert energy == {
        "grid_import_kwh": 1_000_000.0,
        "grid_export_kwh": 50_000.0,
        "generation_kwh": 200_000.0,
        "charge_kwh": 10_000.0,
        "discharge_kwh": 9_000.0,
        "load_kwh": load,
        "unmetered_kwh": load - 900_000.0,
        "gas": {"Nm3": 10_000.0},
        "gas_gj": 389.31,
        "heat": {"GJ": 100.0},
    }


def test_sub_meters_below_sub_meters_are_counted_once() -> None:
    press = replace(amount("press/active_energy_import", "sub_meter", 400_000.0), below=TENANT.point)
    lamp = replace(amount("lamp/active_energy_import", "sub_meter", 1_000.0), below=press.point)
    beside = amount("office/active_energy_import", "sub_meter", 100_000.0)
    unmetered = document((*PARK, press, lamp, beside))["energy"]["unmetered_kwh"]
    assert unmetered == 1_149_000 - 900_000 - 100_000


def test_what_a_park_does_not_have_is_null_not_zero() -> None:
    found = document((GATE,))
    assert scopes(found)[1, None]["co2e_kg"] is None
    assert found["energy"]["generation_kwh"] is None
    assert found["energy"]["unmetered_kwh"] is None
    assert "no fuel is metered: scope 1 is not known" in found["warnings"]
    nothing = document(())
    assert nothing["completeness_pct"] is None
    assert nothing["energy"]["load_kwh"] is None
    assert nothing["states"] == {}


def test_gas_without_a_factor_is_reported_not_counted() -> None:
    gas = amount("b58/gas_energy", "fuel", 1234.5, "gas", "kWh")
    found = document((GATE, gas), Settings("China/JS"))
    (left,) = found["not_in_total"]
    assert (left["carrier"], left["point"], left["amount"], left["unit"]) == ("gas", gas.point, 1234.5, "kWh")
    assert "fuel_combustion" in left["reason"]
    assert scopes(found)[1, None]["co2e_kg"] is None
    assert f"{gas.point} is not in the total" in found["warnings"]


def test_process_emissions_are_named_as_left_out() -> None:
    kiln = amount("kiln/gas_volume_base", "process", 5.0, "gas", "Nm3")
    assert document((kiln,))["not_in_total"][0]["reason"].startswith("process")


def test_lines_show_factor_match_year_and_limits_of_the_source() -> None:
    (line,) = scopes(document((GATE,)))[2, "location"]["lines"]
    assert line["gases"] == {"CO2": 582_700.0, "CH4": None, "N2O": None}
    assert "CO2 only (source limitation)" in line["note"]
    (factor,) = line["factors"]
    assert (factor["factor"], factor["match"], factor["data_year"]) == ("CN-2023-JS", "newest_published", 2023)
    assert not line["unverified"]


def test_unverified_factors_are_flagged_on_the_line_and_in_the_warnings() -> None:
    found = document((GAS,))
    (line,) = scopes(found)[1, None]["lines"]
    assert line["unverified"]
    assert set(line["gases"]) == {"CO2", "CH4", "N2O"}
    assert any("IPCC-CH4-NATURAL-GAS-MANUFACTURING is unverified" in warning for warning in found["warnings"])


def test_the_sum_of_stored_intervals_is_the_line() -> None:
    stored = 1_000_000 * 582_700_000 + 123
    found = document((replace(GATE, co2e_nano_kg=stored),))
    assert scopes(found)[2, "location"]["co2e_kg"] == stored / 1e9
    assert not any("another factor" in warning for warning in found["warnings"])


def test_intervals_of_another_factor_are_not_passed_off_as_this_one() -> None:
    found = document((replace(GATE, co2e_nano_kg=1_000_000 * 597_800_000),))
    assert scopes(found)[2, "location"]["co2e_kg"] == pytest.approx(582_700.0)
    assert any("another factor" in warning for warning in found["warnings"])


def hourly(co2e_nano_kg: int | None) -> dict[str, Any]:
    own = Factor(
        factor="OWN",
        purpose="grid_average",
        carrier="electricity",
        region="GB",
        gas="CO2",
        unit="kgCO2/kWh",
        value=None,
        series=True,
    )
    point = replace(GATE, co2e_nano_kg=co2e_nano_kg)
    return document((point,), Settings("United Kingdom", electricity_factor="OWN"), [own])


def test_an_hourly_series_is_the_sum_of_its_intervals_on_both_bases() -> None:
    found = scopes(hourly(123_456_789_000))
    assert found[2, "location"]["co2e_kg"] == 123.456789
    assert found[2, "market"]["co2e_kg"] == 123.456789
    assert found[2, "location"]["lines"][0]["gases"]["CO2"] == 123.456789
    assert found[2, "market"]["lines"][0]["factors"][0]["match"] == "location_fallback"


def test_an_hourly_series_with_holes_stays_out() -> None:
    found = hourly(None)
    assert "no value for some hours" in found["not_in_total"][0]["reason"]
    assert scopes(found)[2, "location"]["co2e_kg"] is None


def test_completeness_and_states() -> None:
    half = replace(
        GATE, measured_ms=MONTH_MS // 2, method_ms={Method.MEASURED: MONTH_MS // 2, Method.ESTIMATED: MONTH_MS // 4}
    )
    found = document((half,))
    assert found["completeness_pct"] == 50.0
    assert found["states"]["measured"] == 0.5
    assert found["states"]["estimated"] == 0.25
    assert found["states"]["missing"] == 0.25
    assert sum(found["states"].values()) == pytest.approx(1.0)


def test_a_month_without_readings_is_unknown_and_not_zero() -> None:
    silent = [
        replace(point, amount_micro=0, intervals=0, measured_ms=0, method_ms={Method.MISSING: MONTH_MS // 2})
        for point in PARK
    ]
    found = document(silent)
    assert [scope["co2e_kg"] for scope in found["scopes"]] == [None, None, None]
    assert [(entry["point"], entry["amount"], entry["reason"]) for entry in found["not_in_total"]] == [
        (point, None, "no readings in this period") for point in sorted((GATE.point, GAS.point, HEAT.point))
    ]
    energy = found["energy"]
    assert (energy.pop("gas"), energy.pop("heat")) == ({}, {})
    assert set(energy.values()) == {None}
    assert "100 % of the metered time is missing: the amounts are too low" in found["warnings"]


def test_a_measured_zero_is_zero() -> None:
    found = document((replace(GATE, amount_micro=0),))
    assert scopes(found)[2, "location"]["co2e_kg"] == 0.0
    assert found["energy"]["load_kwh"] == 0.0


def test_a_load_with_an_unknown_part_is_unknown() -> None:
    dark = replace(PV, amount_micro=0, intervals=0, measured_ms=0, method_ms={})
    found = document((GATE, dark))
    assert found["energy"]["grid_import_kwh"] == 1_000_000.0
    assert found["energy"]["generation_kwh"] is None
    assert found["energy"]["load_kwh"] is None
    assert "50 % of the metered time is missing: the amounts are too low" in found["warnings"]


def test_points_without_a_flow_do_not_weigh_on_completeness() -> None:
    silent = PointAmount("x/active_power", None, "electricity", "kW", 0, expected_ms=MONTH_MS)
    assert document((GATE, silent))["completeness_pct"] == 100.0


def test_suspect_hours_are_counted_and_warned_about() -> None:
    found = document((replace(GATE, suspect_ms=3 * HOUR),))
    assert found["suspect_hours"] == 3.0
    assert any("suspect" in warning for warning in found["warnings"])


def test_the_bytes_do_not_depend_on_any_order() -> None:
    shuffled = list(PARK)
    random.Random(7).shuffle(shuffled)
    assert json.dumps(document(shuffled)) == json.dumps(document())
    few = (GATE, GAS, HEAT)
    assert len({json.dumps(document(order)) for order in itertools.permutations(few)}) == 1


def test_the_document_names_method_version_and_gwp_set() -> None:
    found = document()
    assert (found["method_profile"], found["method_version"], found["gwp_set"]) == ("ghgp", METHOD_VERSION, "AR6")
    assert (found["from"], found["known_on"]) == ("2026-09-30T16:00:00Z", "2026-11-21T00:00:00Z")
    assert found["final"] is False
