"""The neutral test, the verdict of a month, and the plan for what is short."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.instruments.figures import gap_figure
from parkcarbon.domain.instruments.gap import Prices, plan_gap, total_cost
from parkcarbon.domain.instruments.neutrality import WORDS, Case, judge
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import check

T = 10**12
MWH = 10**9

YEAR = Case(
    whole_year=True,
    closed=True,
    verified=True,
    residual_nano_kg=3_214 * T,
    retired_nano_kg=3_214 * T,
    reduction_nano_kg=50 * T,
    required_nano_kg=40 * T,
)


@pytest.mark.rule("3.11")
def test_neutral_only_when_every_condition_holds() -> None:
    verdict = judge(YEAR)
    assert (verdict.neutral, verdict.word, verdict.reasons) == (True, "neutral", ())


@pytest.mark.rule("3.7", "3.9", "3.11", "6.8")
@pytest.mark.parametrize(
    ("rule", "word", "case"),
    [
        ("3.11", "partly_covered", replace(YEAR, retired_nano_kg=3_214 * T - 1)),
        ("3.11", "not_covered", replace(YEAR, retired_nano_kg=0)),
        ("3.11", "cannot_be_judged", replace(YEAR, residual_nano_kg=None)),
        ("3.11", "cannot_be_judged", replace(YEAR, open_gaps=["main meter, 12 hours"])),
        ("3.11", "covered_to_date", replace(YEAR, closed=False)),
        ("3.9", "covered_to_date", replace(YEAR, verified=False)),
        ("3.9", "covered_to_date", replace(YEAR, whole_year=False)),
        ("3.11", "covered_to_date", replace(YEAR, reduction_nano_kg=40 * T - 1)),
        ("3.11", "covered_to_date", replace(YEAR, reduction_nano_kg=None)),
        ("3.7", "covered_to_date", replace(YEAR, reduction_nano_kg=0, required_nano_kg=0)),
        ("3.7", "covered_to_date", replace(YEAR, exclusions=[("visitors", 10_000)])),
        ("3.7", "covered_to_date", replace(YEAR, exclusions=[(f"source {n}", 9_999) for n in range(6)])),
        ("3.8", "cannot_be_judged", replace(YEAR, unlisted=["purchased goods"])),
    ],
)
def test_each_condition_alone_keeps_a_year_from_being_neutral(rule: str, word: str, case: Case) -> None:
    verdict = judge(case)
    assert not verdict.neutral
    assert [reason.rule for reason in verdict.reasons] == [rule]
    assert verdict.word == word


def test_exclusions_within_the_limits_and_a_first_period_are_no_obstacle() -> None:
    assert judge(replace(YEAR, exclusions=[(f"source {n}", 9_999) for n in range(5)])).neutral
    assert judge(replace(YEAR, first_period=True, reduction_nano_kg=None)).neutral


@pytest.mark.rule("3.12")
def test_a_surplus_is_no_negative_footprint() -> None:
    verdict = judge(replace(YEAR, retired_nano_kg=4_000 * T))
    assert (verdict.short_nano_kg, verdict.surplus_nano_kg) == (0, 786 * T)
    assert verdict.document()["short_kg"] == 0


@pytest.mark.rule("3.12", "5.6")
@pytest.mark.parametrize("retired", [0, 5 * T])
def test_negative_emissions_are_an_error_and_no_surplus(retired: int) -> None:
    verdict = judge(replace(YEAR, residual_nano_kg=-1, retired_nano_kg=retired))
    assert (verdict.word, verdict.neutral) == ("cannot_be_judged", False)
    assert (verdict.short_nano_kg, verdict.surplus_nano_kg) == (None, 0)
    assert [reason.rule for reason in verdict.reasons] == ["5.6"]


@pytest.mark.rule("3.9", "3.11")
@given(
    st.one_of(st.none(), st.integers(0, 10 * T)),
    st.integers(0, 10 * T),
    st.booleans(),
    st.booleans(),
    st.lists(st.just("gap"), max_size=1),
)
def test_a_month_takes_one_of_four_words_and_is_never_neutral(
    residual: int | None, credits_: int, closed: bool, verified: bool, gaps: list[str]
) -> None:
    case = replace(YEAR, whole_year=False, residual_nano_kg=residual, retired_nano_kg=credits_, closed=closed)
    verdict = judge(replace(case, verified=verified, open_gaps=gaps))
    assert not verdict.neutral
    assert verdict.word in set(WORDS) - {"neutral"}
    assert (verdict.word == "cannot_be_judged") == (residual is None or bool(gaps))


# ── what is short ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("3.1", "4.1", "4.3")
def test_a_gap_by_hand() -> None:
    """1,000 t remain, 100 t are retired; 500.4 MWh uncovered at 0.6096 kg/kWh; GEC at 5, credits at 80.

    500 GEC lower 304.8 t; 595.2 t are left: 596 credits. 2,500 + 47,680.
    """
    gap = plan_gap(
        1_000 * T,
        100 * T,
        uncovered_micro_kwh=500_400 * 10**6,
        remainder_kg_per_kwh=0.6096,
        prices=Prices("CNY", 5.0, 80.0),
        measures=[("new lamps", 30 * T, 1_500.0), ("heat pump", 100 * T, 40_000.0), ("insulation", 5 * T, None)],
    )
    assert gap.short_nano_kg == 900 * T
    assert [(step.name, step.count, step.nano_kg, step.cost) for step in gap.purchase] == [
        ("gec", 500, 304_800_000_000_000, 2_500.0),
        ("credit", 596, 595_200_000_000_000, 47_680.0),
    ]
    assert [step.name for step in gap.measures] == ["new lamps", "heat pump", "insulation"]
    assert [(step.name, step.count) for step in gap.after_measures] == [("gec", 500), ("credit", 461)]
    assert total_cost(gap.purchase) == 50_180.0
    assert gap.document()["with_measures_cost"] is None  # the insulation's cost is not known
    figure = gap_figure(gap)
    assert figure.value == 50_180.0
    assert not check(figure)


def test_without_prices_there_is_a_plan_and_no_cost() -> None:
    gap = plan_gap(10 * T, 0, uncovered_micro_kwh=MWH, remainder_kg_per_kwh=0.6, prices=Prices())
    assert [step.count for step in gap.purchase] == [1, 10]
    assert (total_cost(gap.purchase), gap_figure(gap).value) == (None, None)


@pytest.mark.rule("3.12")
def test_nothing_is_short_when_more_is_retired_and_unknown_stays_unknown() -> None:
    gap = plan_gap(10 * T, 12 * T, uncovered_micro_kwh=MWH, remainder_kg_per_kwh=0.6, prices=Prices())
    assert (gap.short_nano_kg, gap.surplus_nano_kg, gap.purchase) == (0, 2 * T, ())
    unknown = plan_gap(None, 12 * T, uncovered_micro_kwh=None, remainder_kg_per_kwh=None, prices=Prices())
    assert (unknown.short_nano_kg, unknown.surplus_nano_kg, unknown.purchase) == (None, 0, ())


@pytest.mark.rule("3.1", "3.12")
def test_negative_amounts_and_prices_are_refused() -> None:
    for remaining, uncovered, prices, measures in (
        (-1, 0, Prices(), []),
        (1, -1, Prices(), []),
        (1, 1, Prices(gec=-1.0), []),
        (1, 1, Prices(credit=-1.0), []),
        (1, 1, Prices(), [("worse", -1, 0.0)]),
    ):
        with pytest.raises(RefusedError, match="negative"):
            plan_gap(
                remaining,
                0,
                uncovered_micro_kwh=uncovered,
                remainder_kg_per_kwh=0.6,
                prices=prices,
                measures=measures,
            )


@pytest.mark.rule("4.3")
@given(st.integers(0, 10**4 * T), st.integers(0, 10**6 * MWH), st.floats(0.001, 1.2))
def test_the_plan_closes_the_gap_and_buys_no_gec_above_the_purchases(short: int, uncovered: int, factor: float) -> None:
    gap = plan_gap(short, 0, uncovered_micro_kwh=uncovered, remainder_kg_per_kwh=factor, prices=Prices())
    assert sum(step.nano_kg for step in gap.purchase) == short
    bought = {step.kind: step.count or 0 for step in gap.purchase}
    assert bought.get("gec", 0) * MWH <= uncovered
    assert bought.get("credit", 0) * T >= short - bought.get("gec", 0) * round(factor * MWH * 1000)


@pytest.mark.rule("3.1")
def test_a_gap_where_a_certificate_lowers_nothing_is_closed_by_credits_alone() -> None:
    gap = plan_gap(3 * 10**12, 0, uncovered_micro_kwh=10**12, remainder_kg_per_kwh=1e-13, prices=Prices())
    assert [(step.kind, step.count) for step in gap.purchase] == [("credit", 3)]
