"""Suspect runs, completeness, and gate against sub-meters against bill."""

import csv
from pathlib import Path

import numpy as np
import pytest

from parkcarbon.domain.balance.quality import PointStates, quality
from parkcarbon.domain.balance.reconcile import Difference, Side, combined_error
from parkcarbon.domain.balance.runs import Run, RunSettings, Watched, find_runs
from parkcarbon.domain.reading import Method

CAMPUS = Path(__file__).parents[3] / "shared" / "data" / "campus_2022"
HOUR_MS = 3_600_000
KWH = 1_000_000


def runs(
    *values: float,
    measured: list[bool] | None = None,
    flow: str | None = "sub_meter",
    carrier: str = "electricity",
    step: int = 0,
    settings: RunSettings | None = None,
) -> list[tuple[str, int, int]]:
    amount = np.array([[round(v * KWH) for v in values]], dtype=np.int64)
    mask = np.array([measured or [True] * len(values)])
    start = np.arange(len(values), dtype=np.int64) * HOUR_MS
    found = find_runs([Watched("m/p", carrier, flow, step)], start, amount, mask, settings=settings)
    return [(run.kind, run.from_ms // HOUR_MS, run.to_ms // HOUR_MS) for run in found]


@pytest.mark.rule("6.10")
def test_runs_by_hand() -> None:
    assert runs(5, 0, 0, 4) == []
    assert runs(5, 0, 0, 0, 4) == [("zero", 1, 4)]
    assert runs(5, 7, 7, 7, 7, 7, 7) == [("stuck", 1, 7)]
    assert runs(5, 7, 7, 7, 7, 7) == []
    assert runs() == []
    # what was not measured breaks a run: interpolated hours are equal by their making
    assert runs(0, 0, 0, 0, 0, measured=[True, True, False, True, True]) == []
    assert runs(5, 0, 0, 0, flow="generation") == []
    assert runs(5, 0, 0, 0, carrier="gas") == []
    # seven steps of a coarse register repeat without being stuck
    assert runs(*[0.7] * 9, step=100_000) == []
    assert runs(*[7.0] * 9, step=100_000) == [("stuck", 0, 9)]


@pytest.mark.rule("6.10")
def test_a_meter_that_rests_every_night_is_left_alone() -> None:
    nights = [0.0 if hour % 24 < 6 else 10.0 + hour / 100 for hour in range(24 * 30)]
    assert runs(*nights) == []
    assert len(runs(*nights, settings=RunSettings(habit_per_30_days=31))) == 30


@pytest.mark.shared
@pytest.mark.rule("6.1", "6.10")
def test_the_campus_has_548_meter_hours_of_zeros_and_a_day_that_repeats() -> None:
    if not CAMPUS.is_dir():
        pytest.skip(f"{CAMPUS} is not here")
    found = {}
    for carrier in ("electricity", "gas"):
        with (CAMPUS / f"{carrier}_kwh.csv").open(encoding="utf-8") as file:
            head, *rows = csv.reader(file)
        amount = np.array([[round(float(cell) * KWH) for cell in row[1:]] for row in rows], dtype=np.int64).T
        points = [Watched(name, carrier, "import") for name in head[1:]]
        start = np.arange(len(rows), dtype=np.int64) * HOUR_MS
        found[carrier] = find_runs(points, start, amount, np.ones(amount.shape, dtype=np.bool_))
    assert found["gas"] == []  # a boiler may rest
    zeros = [(run.point, run.hours) for run in found["electricity"] if run.kind == "zero"]
    assert zeros == [("b58", 23), ("b64", 22), ("b64", 503)]
    assert sum(hours for _, hours in zeros) == 548
    stuck = [run for run in found["electricity"] if run.kind == "stuck"]
    assert stuck == [Run("b64", "stuck", 5403 * HOUR_MS, 5427 * HOUR_MS, 24, 239_600_000)]


def states(
    point: str, *, expected: int = 100, carrier: str = "electricity", unit: str = "kWh", **hours: float
) -> PointStates:
    """Hours and, at one kWh an hour, amounts by state."""
    known: dict[Method, int] = {Method[name.upper()]: round(value * HOUR_MS) for name, value in hours.items()}
    amount: dict[Method, int] = {
        method: spent * KWH // HOUR_MS for method, spent in known.items() if method is not Method.MISSING
    }
    measured = known.get(Method.MEASURED, 0)
    return PointStates(point, carrier, unit, "import", amount, known, measured, expected * HOUR_MS)


@pytest.mark.rule("6.7")
def test_substituted_hours_do_not_raise_completeness() -> None:
    before = quality([states("a", measured=90)])
    after = quality([states("a", measured=90, substituted=6, estimated=3, manual=1)])
    assert before.completeness_pct == after.completeness_pct == 90.0
    assert before.carriers[0].by_time()["missing"] == pytest.approx(0.1)
    assert after.carriers[0].by_time() == pytest.approx(
        {"measured": 0.9, "interpolated": 0, "substituted": 0.06, "estimated": 0.03, "manual": 0.01, "missing": 0}
    )
    assert after.complete is False
    assert after.incomplete == ("a",)


@pytest.mark.rule("6.7", "6.8")
def test_completeness_is_tested_unrounded_against_a_setting() -> None:
    assert quality([states("a", expected=100_000, measured=95_000)]).complete is True
    assert quality([states("a", expected=100_000, measured=94_999.9999)]).complete is False
    assert quality([states("a", measured=80)], complete_pct=80).complete is True
    assert quality([]).complete is None


@pytest.mark.rule("6.7")
def test_shares_are_by_carrier_and_by_quantity() -> None:
    found = quality([
        states("a", measured=50, interpolated=50),
        states("b", measured=100),
        states("g", carrier="gas", unit="Nm3", manual=100),
    ])  # fmt: skip
    power, gas = found.carriers
    assert (power.completeness_pct, gas.completeness_pct) == (75.0, 0.0)
    assert power.by_quantity()["interpolated"] == pytest.approx(0.25)
    assert gas.by_quantity()["manual"] == 1.0
    assert found.completeness_pct == pytest.approx(50.0)


@pytest.mark.rule("6.11", "6.6")
def test_a_difference_beyond_the_combined_error_is_shown() -> None:
    gate = Side("gate", 1_000 * KWH, combined_error([(0.005, 1_000 * KWH)]))
    bill = Side("bill", 990 * KWH, combined_error([(0.005, 990 * KWH)]))
    found = Difference(gate, bill)
    assert found.amount_micro == 10 * KWH
    assert found.error_micro == pytest.approx(7.036 * KWH, rel=1e-3)  # √(5² + 4.95²)
    assert found.beyond_error is True
    assert found.percent == pytest.approx(1.0101, abs=1e-4)
    within = Difference(gate, Side("bill", 994 * KWH, bill.error_micro))
    assert (within.amount_micro, within.beyond_error) == (6 * KWH, False)  # shown all the same


@pytest.mark.rule("6.11")
def test_losses_are_allowed_between_gate_and_sub_meters_and_unknown_stays_unknown() -> None:
    gate, subs = Side("gate", 1_000 * KWH), Side("sub_meters", 975 * KWH)
    assert Difference(gate, subs, (0, 30 * KWH)).beyond_error is False
    assert Difference(gate, subs, (0, 20 * KWH)).beyond_error is True
    unknown = Difference(Side("gate", None, missing_h=3), subs)
    assert (unknown.amount_micro, unknown.beyond_error, unknown.percent) == (None, None, None)
