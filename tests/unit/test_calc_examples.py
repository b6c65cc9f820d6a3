"""The examples of the trial calculator come out as worked by hand in their heads."""

import datetime as dt
import io
from pathlib import Path

import pytest

from parkcarbon.books.workbook.workbook import About, write_workbook
from parkcarbon.calc.engine import Result, calculate
from parkcarbon.calc.loader import load
from parkcarbon.catalog.factors import load_factors
from parkcarbon.domain.working import check

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples" / "calc"
NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)

EXPECTED = {  # kgCO2e: scope 1, scope 2 location-based, scope 2 market-based, scope 3
    "month": (21_621.88809 + 10.51137 + 10.628163, 188_891.1640125 + 11_000, 197_611.2126 + 11_000, None),
    "certificates": (0.0, 188_891.1640125, 224_165.375 * 0.6096 + 20_000 * 0.6096, None),
    "regions": (0.0, 582.7 + 156.4 + 530.6, 3 * 609.6, None),
    "refrigerants": (23_082.0 + 1_950.0, 0.0, 0.0, None),
    "process": (100_000.0, 0.0, 0.0, 1_500.0),
    "hours": (0.0, 5.827, 6.096, None),
    "uncertainty": (0.0, 1_165.4, 1_219.2, None),
}
DIESEL = 10_000 * 43.33 * 0.0202 * 0.98 * 44 / 12 + 0.4333 * (3 * 27 + 0.6 * 273)  # [kg]: t to kg, TJ x kg/TJ x GWP


def example(name: str) -> Result:
    file = EXAMPLES / f"{name}.yaml"
    return calculate(load(file.read_text(encoding="utf-8"), file.name), load_factors(), now=NOW)


def totals(result: Result) -> tuple[float | None, ...]:
    inventory = result.inventory
    scopes = (inventory.scope(1), inventory.scope(2, "location"), inventory.scope(2, "market"), inventory.scope(3))
    return tuple(None if scope.co2e_nano_kg is None else scope.co2e_nano_kg / 1e9 for scope in scopes)


def test_every_example_has_an_expectation() -> None:
    names = {file.stem for file in EXAMPLES.glob("*.yaml")}
    assert names - {"fuels", "heat", "park_indicator"} == set(EXPECTED)  # those have tests of their own


@pytest.mark.rule("1.2", "1.3", "1.12", "1.13", "1.17", "2.5", "3.13", "3.15", "3.16")
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_totals_by_hand(name: str) -> None:
    for found, wanted in zip(totals(example(name)), EXPECTED[name], strict=True):
        assert found == (None if wanted is None else pytest.approx(wanted, rel=1e-12, abs=1e-9))


@pytest.mark.rule("1.10", "1.11", "1.12")
def test_fuels_by_hand() -> None:
    lines = {line.source: line.co2e_nano_kg / 1e9 for line in example("fuels").inventory.scope(1).lines}
    assert lines["generator"] == pytest.approx(DIESEL, rel=1e-12)
    standard = 1000 * 110 / 101.325 * 293.15 / 303.15
    per_nm3 = 389.31 / 1e4 * (0.0153 * 0.99 * 44 / 12 * 1000 + (1 * 27 + 0.1 * 273) / 1000)
    assert lines["gas meter"] == pytest.approx(standard * per_nm3, rel=1e-12)


@pytest.mark.rule("1.13")
def test_heat_by_hand() -> None:
    lines = {line.source: line.co2e_nano_kg / 1e9 for line in example("heat").inventory.scope(2, "location").lines}
    assert lines["steam"] == pytest.approx(50 * (2777.1 - 0.6 * 335.7 - 0.4 * 83.74) / 1000 * 110, rel=1e-4)
    assert lines["chilled water"] == pytest.approx(500 / 0.0036 / 5 * 0.5827, rel=1e-12)
    assert lines["collectors next door"] == 0


@pytest.mark.rule("6.6")
def test_uncertainty_by_hand_and_by_trial() -> None:
    part = example("uncertainty").parts["uncertainty"]
    assert isinstance(part, dict)
    total = part["total_location"]
    assert total["half_width_pct"] == pytest.approx(0.5 / 2**0.5, rel=1e-9)
    assert [line["half_width_pct"] for line in total["lines"]] == pytest.approx([0.5, 0.5], rel=1e-9)
    assert total["monte_carlo"]["half_width_pct"] == pytest.approx(0.354, rel=0.03)


@pytest.mark.rule("1.18", "2.2", "2.3", "2.4", "2.5", "2.6", "2.9", "2.12")
def test_park_indicator_by_hand() -> None:
    result = example("park_indicator")
    part = result.parts["park_indicator"]
    assert isinstance(part, dict)
    emitted = 150e6 * 0.8325 / 1000 + 50e6 * 389.31 / 1e4 * 0.0153 * 44 / 12
    tce = 600e6 * 0.31 / 1000 + 50e6 * 389.31 / 1e4 / 29.307
    assert part["energy_t"] == pytest.approx(emitted, rel=1e-12)
    assert part["value"] == pytest.approx(emitted / tce, rel=1e-12)
    assert part["value_with_process"] == pytest.approx((emitted + 100_000) / tce, rel=1e-12)
    assert (part["verdict"], part["limit"]) == ("not_met", 0.2)
    inventory = result.inventory.scope(2, "location").co2e_nano_kg  # another method, another number
    assert inventory == pytest.approx(600e6 * 0.5827 * 1e9, rel=1e-12)


@pytest.mark.rule("3.18")
def test_matched_share_by_hand() -> None:
    part = example("hours").parts["hourly_matching"]
    assert isinstance(part, dict)
    assert (part["share_pct"], part["unknown_hours"]) == (pytest.approx(60.0), 1)


@pytest.mark.rule("3.1", "4.3")
def test_credits_and_certificates_are_listed_and_credits_change_no_total() -> None:
    result = example("certificates")
    part = result.parts["certificates"]
    assert isinstance(part, dict)
    assert (part["covered_kwh"], part["void_kwh"], part["retired_kg"]) == (100_000, 20_000, 50_000)


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_working_of_every_example_holds_and_makes_a_workbook(file: Path) -> None:
    result = example(file.stem)
    assert [problem for figure in result.figures for problem in check(figure)] == []
    layout = write_workbook(result.figures, io.BytesIO(), About("试算", "calc"))
    assert {row.figure.name for row in layout.rows} >= {"total_location", "total_market", "scope1"}


def test_the_same_file_gives_the_same_answer() -> None:
    assert example("month").document() == example("month").document()


def test_json_is_yaml_too() -> None:
    text = '{"calc": 1, "period": 2026, "settings": {"electricity_region": "China/JS"}, "activities": []}'
    assert totals(calculate(load(text, "x.json"), load_factors(), now=NOW)) == (None, None, None, None)
