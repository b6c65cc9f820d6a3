"""Measures, the order of action, and comparisons that say when there is nothing to compare."""

import datetime as dt
import itertools
from dataclasses import replace

import pytest

from parkcarbon.domain.indicators.compare import PeriodFacts, compare, comparison_figure
from parkcarbon.domain.measures import (
    Measure,
    PlannedStep,
    Saving,
    check_order,
    options,
    reductions,
)
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import check

T = 10**12
HALL = Measure(
    "hall-led",
    "车间照明改造",
    "LED lighting in the hall",
    "energy manager",
    "reduce",
    "running",
    dt.date(2026, 1, 1),
    "120 kW of discharge lamps, 4,000 h a year",
    expected_t_per_year=73.0,
    cost=100_000,
    running_cost_per_year=-3_000,
    lifetime_years=10,
)
MARCH = (dt.date(2026, 3, 1), dt.date(2026, 4, 1))


@pytest.mark.rule("3.2")
def test_expected_and_metered_reductions_stand_side_by_side_and_are_not_subtracted() -> None:
    savings = [
        Saving("hall-led", *MARCH, 5 * T, "metered", "sub-meter"),
        Saving("hall-led", dt.date(2026, 3, 17), dt.date(2026, 4, 16), 3 * T, "metered", "sub-meter"),
    ]
    result = reductions([HALL], savings, *MARCH)
    (line,) = result.lines
    assert line.expected_nano_kg == round(73 * T * 31 / 365)  # 6.2 t
    assert line.metered_nano_kg == 5 * T + round(3 * T * 15 / 30)
    document = result.document()
    assert document["subtracted"] is False
    assert "not subtracted again" in str(document["note"])
    assert check(result.figure()) == []


@pytest.mark.parametrize(("first", "end", "tonnes"), [(2024, 2025, 73), (2023, 2024, 73), (2023, 2025, 146)])
def test_a_year_is_a_year_whether_or_not_it_leaps(first: int, end: int, tonnes: int) -> None:
    old = replace(HALL, start=dt.date(2020, 1, 1))
    result = reductions([old], [], dt.date(first, 1, 1), dt.date(end, 1, 1))
    assert result.expected_nano_kg == tonnes * T


def test_the_months_of_a_saving_add_up_to_it_exactly() -> None:
    saving = Saving("hall-led", dt.date(2026, 1, 1), dt.date(2027, 1, 1), 10_000 * T + 1, "metered", "sub-meter")
    begins = [dt.date(2026, month, 1) for month in range(1, 13)] + [dt.date(2027, 1, 1)]
    parts = [reductions([HALL], [saving], begin, end).metered_nano_kg or 0 for begin, end in itertools.pairwise(begins)]
    assert sum(parts) == saving.nano_kg


@pytest.mark.rule("3.2")
def test_a_measure_that_is_not_running_reduces_nothing_and_unknown_savings_stay_unknown() -> None:
    later = Measure("b", "b", "b", "owner", "reduce", "running", dt.date(2026, 3, 22), "x", 365.0)
    planned = Measure("c", "c", "c", "owner", "reduce", "decided", dt.date(2026, 1, 1), "x", 365.0)
    result = reductions([later, planned], [], *MARCH)
    assert [(line.measure.measure, line.expected_nano_kg) for line in result.lines] == [("b", 10 * T)]
    assert result.metered_nano_kg is None


@pytest.mark.rule("3.2")
def test_savings_without_a_measure_or_below_zero_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 3\.2: a saving of 'other'"):
        reductions([HALL], [Saving("other", *MARCH, T, "metered", "x")], *MARCH)
    with pytest.raises(RefusedError, match="negative reduction"):
        reductions([HALL], [Saving("hall-led", *MARCH, -T, "metered", "x")], *MARCH)


def test_cost_per_tonne_and_the_cheapest_first() -> None:
    assert HALL.cost_per_tonne == pytest.approx((10_000 - 3_000) / 73)
    dear = Measure("d", "d", "d", "o", "reduce", "proposed", dt.date(2027, 1, 1), "x", 10.0, cost=50_000)
    cheap = Measure("e", "e", "e", "o", "reduce", "decided", dt.date(2026, 1, 1), "x", 10.0, cost=5_000)
    nothing = Measure("f", "f", "f", "o", "reduce", "decided", dt.date(2026, 1, 1), "x", 0.0, cost=5_000)
    found = options([dear, cheap, nothing, HALL], dt.date(2026, 5, 1))
    assert [(option.measure, option.cost_per_tonne) for option in found] == [("e", 50.0), ("d", 500.0)]
    assert [option.from_day for option in found] == [dt.date(2026, 5, 1), dt.date(2027, 1, 1)]


@pytest.mark.rule("3.1")
def test_reduce_then_remove_then_offset_the_rest() -> None:
    steps = [PlannedStep("reduce", 30 * T), PlannedStep("remove", 10 * T), PlannedStep("offset", 50 * T)]
    assert check_order(100 * T, steps) == 10 * T
    with pytest.raises(RefusedError, match=r"rule 3\.1: reduce comes after offset"):
        check_order(100 * T, [PlannedStep("offset", T), PlannedStep("reduce", T)])
    with pytest.raises(RefusedError, match=r"rule 3\.1: offset of 71 t, but only 70 t are left"):
        check_order(100 * T, [PlannedStep("reduce", 30 * T), PlannedStep("offset", 71 * T)])


@pytest.mark.rule("3.2")
@pytest.mark.parametrize("uses", ["reduction", "avoided_emission", "self_consumption", "export"])
def test_what_is_no_credit_offsets_nothing(uses: str) -> None:
    with pytest.raises(RefusedError, match=rf"rule 3\.2: {uses}"):
        check_order(100 * T, [PlannedStep("offset", T, uses)])


def facts(label: str, tonnes: float | None, **changes: object) -> PeriodFacts:
    members: dict[str, object] = {
        "label": label,
        "nano_kg": {"scope1": None if tonnes is None else round(tonnes * T)},
        "boundary": "operational control, whole zone",
        "points": frozenset({"gate", "boiler"}),
        "completeness_pct": 99.9,
        "days": 31,
        "output": {"parts": 1000.0},
    }
    return PeriodFacts(**(members | changes))  # type: ignore[arg-type]


@pytest.mark.rule("3.2")
def test_plain_and_normalised_change_by_hand() -> None:
    # 100 t at 1,000 parts, then 110 t at 1,250: plain +10 %; expected 125 t, so 15 t or 12 % less.
    now = facts("2026-03", 110, output={"parts": 1250.0})
    comparison = compare("year_on_year", now, facts("2025-03", 100), product="parts")
    (change,) = comparison.changes
    assert comparison.comparable
    assert change.pct == pytest.approx(10.0)
    assert change.normalised == pytest.approx(-15 * T)
    assert change.normalised_pct == pytest.approx(-12.0)
    figure = comparison_figure(comparison, "scope1")
    assert check(figure) == []
    assert figure.value == pytest.approx(-15_000)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"points": frozenset({"gate"})}, "the meter set changed: new boiler"),
        ({"points": frozenset()}, "the meter set of 2025-03 is not known"),
        ({"boundary": "the northern half"}, "the boundary of 2025-03 is another one: the northern half"),
        ({"completeness_pct": 80.0}, "2025-03 is only 80 % measured"),
        ({"days": 365}, "2026-03 has 31 days, 2025-03 365"),
    ],
)
def test_a_percentage_only_where_like_is_compared_with_like(change: dict[str, object], reason: str) -> None:
    comparison = compare("year_on_year", facts("2026-03", 110), facts("2025-03", 100, **change))
    assert reason in comparison.reasons
    assert comparison.changes[0].pct is None
    assert comparison.changes[0].difference == 10 * T


def test_a_reviewed_statement_makes_an_entered_base_year_comparable() -> None:
    base = facts("2025", 100, points=frozenset(), boundary="as declared", comparable_by_statement=True, simulated=True)
    comparison = compare("base_year", facts("2026", 90), base, product="tiles")
    assert comparison.comparable
    assert comparison.document()["simulated"] is True
    assert comparison.document()["normalised_by"] is None
    assert "no output of tiles is entered for 2026: not normalised" in comparison.notes


def test_unknown_emissions_have_no_change() -> None:
    (change,) = compare("previous_period", facts("2026-03", None), facts("2026-02", 100)).changes
    assert (change.difference, change.pct) == (None, None)


@pytest.mark.rule("6.10")
def test_a_month_that_made_nothing_is_compared_plainly_and_a_negative_output_is_refused() -> None:
    """A works that stood still in February has no intensity of February; March is compared all the same."""
    still, march = facts("2026-02", 100, output={"parts": 0.0}), facts("2026-03", 120)
    comparison = compare("previous_period", march, still, product="parts")
    (change,) = comparison.changes
    assert (change.difference, change.expected, change.normalised_pct) == (20 * T, None, None)
    assert change.pct == pytest.approx(20.0)
    assert "no parts was made in 2026-02: there is nothing to normalise by" in comparison.notes
    (back,) = compare("previous_period", still, march, product="parts").changes
    assert (back.expected, back.normalised) == (0.0, 100 * T)
    with pytest.raises(RefusedError, match=r"rule 6\.10: output of parts in 2026-03 is -1"):
        compare("previous_period", facts("2026-03", 1, output={"parts": -1.0}), still, product="parts")
