"""Propagation: vectors by hand, laws, and the Monte Carlo that checks it."""

import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.catalog.indicators import error_limits
from parkcarbon.domain.factors import Factor, FactorMatch, Match
from parkcarbon.domain.inventory import Line
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.uncertainty.inventory import (
    EpisodeSpan,
    Metering,
    inventory_uncertainty,
    uncertainty_figure,
)
from parkcarbon.domain.uncertainty.limits import Limit
from parkcarbon.domain.uncertainty.monte_carlo import simulate
from parkcarbon.domain.uncertainty.propagation import Cause, Combined, Scatter, Term, combine
from parkcarbon.domain.working import check

LIMITS = error_limits()


def meter(name: str, pct: float = 0.5, *, assumed: bool = False) -> Cause:
    return Cause(f"meter:{name}", "meter", Limit(pct / 100, assumed, "test"))


def pct(combined: Combined) -> float:
    assert combined.pct is not None
    return combined.pct


@pytest.mark.rule("6.6")
@pytest.mark.parametrize("intervals", [1, 2, 96, 2976, 35040])
def test_one_class_half_meter_stays_at_half_a_percent_over_any_number_of_intervals(intervals: int) -> None:
    terms = [Term(f"interval {number}", 1.0 + number % 7, (meter("gate"),)) for number in range(intervals)]
    assert pct(combine(terms)) == pytest.approx(0.50, abs=1e-12)


@pytest.mark.rule("6.6")
def test_two_equal_independent_meters_are_at_0_354_percent() -> None:
    combined = combine([Term("a", 100.0, (meter("a"),)), Term("b", 100.0, (meter("b"),))])
    assert pct(combined) == pytest.approx(0.354, abs=0.0005)
    assert pct(combined) == pytest.approx(0.5 / math.sqrt(2), rel=1e-12)


@pytest.mark.rule("6.6")
def test_two_meters_that_share_a_factor_add_it_linearly() -> None:
    # Two equal meters of 0.5 %, one factor of 5 %: √(0.354² + 5²) = 5.0125 %, not √(0.354² + 3.536²).
    factor = Cause("factor:grid", "factor", Limit(0.05, assumed=True, source="entered"))
    combined = combine([Term("a", 100.0, (meter("a"), factor)), Term("b", 100.0, (meter("b"), factor))])
    assert pct(combined) == pytest.approx(math.sqrt(0.5**2 / 2 + 5**2), rel=1e-12)
    assert pct(combined) == pytest.approx(5.0125, abs=1e-4)


@pytest.mark.rule("6.6")
def test_ipcc_product_and_sum() -> None:
    # IPCC 2006 Vol. 1 ch. 3: product √(5² + 10²) = 11.18 %; sum of 100 ± 10 % and 300 ± 5 %: √(10² + 15²)/400 = 4.51 %.
    product = Term("x", 7.0, (meter("a", 5), meter("b", 10)))
    assert pct(combine([product])) == pytest.approx(11.1803, abs=1e-4)
    parts = [Term("a", 100.0, (meter("a", 10),)), Term("b", 300.0, (meter("b", 5),))]
    assert pct(combine(parts)) == pytest.approx(4.5069, abs=1e-4)


@pytest.mark.rule("6.6")
def test_only_scatter_shrinks_with_the_number_of_intervals() -> None:
    # 100 intervals of 10 kWh, each ±1 kWh: √100·1/1000 = 1 %; the meter's 0.5 % stays: √(1² + 0.5²).
    term = Term("x", 1000.0, (meter("gate"),), (Scatter("resolution", 1.0, 100),))
    assert pct(combine([term])) == pytest.approx(math.sqrt(1 + 0.25), rel=1e-12)


amounts = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=12)
widths = st.floats(0.01, 30.0)


@pytest.mark.rule("6.6")
@given(amounts, widths, st.floats(1e-3, 1e3))
def test_scaling_all_terms_leaves_the_percentage(values: list[float], width: float, scale: float) -> None:
    def terms(by: float) -> list[Term]:
        return [
            Term(str(i), value * by, (meter(str(i % 3), width),), (Scatter("resolution", 0.1 * by, 4),))
            for i, value in enumerate(values)
        ]

    assert pct(combine(terms(scale))) == pytest.approx(pct(combine(terms(1.0))), rel=1e-9)


@pytest.mark.rule("6.6")
@given(amounts, widths, st.randoms(use_true_random=False))
def test_the_order_of_terms_does_not_matter(values: list[float], width: float, random: Random) -> None:
    terms = [Term(str(i), value, (meter(str(i % 2), width),)) for i, value in enumerate(values)]
    shuffled = sorted(terms, key=lambda _: random.random())
    assert combine(shuffled).half_width == pytest.approx(combine(terms).half_width, rel=1e-12)


@pytest.mark.rule("6.6")
@given(amounts, widths)
def test_a_shared_draw_is_never_less_than_independent_ones(values: list[float], width: float) -> None:
    shared = combine([Term(str(i), value, (meter("one", width),)) for i, value in enumerate(values)])
    apart = combine([Term(str(i), value, (meter(str(i), width),)) for i, value in enumerate(values)])
    assert shared.half_width >= apart.half_width * (1 - 1e-12)
    assert pct(shared) == pytest.approx(width, rel=1e-9)


@pytest.mark.rule("6.6")
@given(amounts, widths, widths)
def test_a_wider_limit_never_narrows_the_result(values: list[float], one: float, other: float) -> None:
    low, high = sorted((one, other))
    narrow = combine([Term(str(i), value, (meter(str(i), low),)) for i, value in enumerate(values)])
    wide = combine([Term(str(i), value, (meter(str(i), high),)) for i, value in enumerate(values)])
    assert narrow.half_width <= wide.half_width * (1 + 1e-12)


def match(name: str, purpose: str, gas: str, value: float) -> FactorMatch:
    factor = Factor(
        factor=name, purpose=purpose, carrier="electricity", region="China", gas=gas, unit="kgCO2/kWh", value=value
    )
    return FactorMatch(factor, Match.EXACT)


GRID = match("CN-2023-JS", "grid_average", "CO2", 0.5827)


def power_line(source: str, kwh: float) -> Line:
    nano = round(kwh * 0.5827 * 1e9)
    return Line(source, "electricity", kwh, "kWh", {"CO2": nano / 1e9}, nano, (GRID,), "")


def metering(point: str, meter_class: str = "0.5S", ct_class: str | None = None) -> Metering:
    ct = None if ct_class is None else LIMITS.of_class("ct", "electricity", ct_class)
    span = EpisodeSpan(f"{point}@2025", 1.0, LIMITS.of_class("meter", "electricity", meter_class), ct)
    return Metering(point, (span,))


@pytest.mark.rule("6.6")
def test_an_inventory_line_by_hand() -> None:
    # Class 0.5S meter, class 0.5 CT, factor entered at 3 %: √(0.5² + 0.5² + 3²) = 3.0822 %.
    result = inventory_uncertainty(
        [power_line("gate/active_energy_import", 1e6)],
        {"gate/active_energy_import": metering("gate", "0.5S", "0.5")},
        {"CN-2023-JS": Limit(0.03, assumed=True, source="entered")},
        LIMITS,
    )
    assert pct(result.total) == pytest.approx(3.0822, abs=1e-4)
    assert "CN-2023-JS: ±3 % 假定 assumed" in result.notes
    assert "假定 assumed" in str(result.document()["text"])


@pytest.mark.rule("6.6")
def test_two_gates_on_one_factor_are_correlated_through_it_alone() -> None:
    lines = [power_line("a", 5e5), power_line("b", 5e5)]
    result = inventory_uncertainty(
        lines, {"a": metering("a"), "b": metering("b")}, {"grid_average": Limit(0.05, True, "entered")}, LIMITS
    )
    assert pct(result.total) == pytest.approx(math.sqrt(0.5**2 / 2 + 5**2), rel=1e-6)
    assert [part.kind for part in result.total.parts] == ["factor", "meter", "meter"]


@pytest.mark.rule("6.6")
def test_an_exchanged_meter_is_two_draws() -> None:
    # Half the energy by each of two class 1 meters: 1 %/√2; the factor is taken as certain.
    one = LIMITS.of_class("meter", "electricity", "1")
    spans = (EpisodeSpan("gate@1", 0.5, one), EpisodeSpan("gate@2", 0.5, one))
    result = inventory_uncertainty(
        [power_line("gate", 1e6)], {"gate": Metering("gate", spans)}, {"CN-2023-JS": Limit(0, False, "")}, LIMITS
    )
    assert pct(result.total) == pytest.approx(1 / math.sqrt(2), rel=1e-6)


@pytest.mark.rule("6.6", "6.7")
def test_substituted_amounts_are_one_draw_and_an_expired_calibration_is_told() -> None:
    # 10 % of the amount substituted at ±30 %: 3 % of the whole; class 0.2S beside it: √(3² + 0.2²).
    span = EpisodeSpan("gate@1", 1.0, LIMITS.of_class("meter", "electricity", "0.2S"), calibrated=False)
    point = Metering("gate", (span,), states={"substituted": (0.1, 50)})
    result = inventory_uncertainty(
        [power_line("gate", 1e6)], {"gate": point}, {"CN-2023-JS": Limit(0, False, "")}, LIMITS
    )
    assert pct(result.total) == pytest.approx(math.sqrt(9 + 0.04), rel=1e-6)
    assert any("calibration" in note for note in result.notes)


@pytest.mark.rule("6.6")
def test_gases_of_a_fuel_have_their_own_factors() -> None:
    gas = Line(
        "boiler",
        "gas",
        1e4,
        "Nm3",
        {"CO2": 21621.9, "CH4": 0.39, "N2O": 0.039},
        round((21621.9 + 0.39 * 27 + 0.039 * 273) * 1e9),
        (
            match("CC", "carbon_content", "C", 0.0153),
            match("NCV", "calorific_value", "", 389.31),
            match("OX", "oxidation", "", 99),
            match("CH4-F", "fuel_combustion", "CH4", 1),
            match("GWP-CH4", "gwp", "CH4", 27),
            match("N2O-F", "fuel_combustion", "N2O", 0.1),
            match("GWP-N2O", "gwp", "N2O", 273),
        ),
        "",
        gas_nano_kg={
            "CO2": round(21621.9 * 1e9),
            "CH4": round(0.39 * 27 * 1e9),
            "N2O": round(0.039 * 273 * 1e9),
        },
    )
    zero = {"boiler": Metering("boiler", (EpisodeSpan("b@1", 1.0, Limit(0, False, "")),))}
    result = inventory_uncertainty([gas], zero, {}, LIMITS)
    total = 21621.9 + 0.39 * 27 + 0.039 * 273
    # NCV 2 % acts on everything; carbon 2 % and oxidation 1 % on CO2; CH4 and N2O 50 % each on their own mass.
    by_hand = math.sqrt(
        (0.02 * total) ** 2 + (0.02 * 21621.9) ** 2 + (0.01 * 21621.9) ** 2 + (5.265) ** 2 + (5.3235) ** 2
    )
    assert result.total.half_width == pytest.approx(by_hand, rel=1e-6)
    assert result.total.value == pytest.approx(total, rel=1e-9)


def test_a_line_of_no_meter_is_an_amount_entered_by_hand() -> None:
    result = inventory_uncertainty([power_line("diesel", 100.0)], {}, {"grid_average": Limit(0, False, "")}, LIMITS)
    assert pct(result.total) == pytest.approx(5.0)
    assert result.total.assumed


def test_the_figure_of_an_uncertainty_recomputes() -> None:
    result = inventory_uncertainty([power_line("gate", 1e6)], {"gate": metering("gate")}, {}, LIMITS)
    figure = uncertainty_figure("uncertainty", result.total)
    assert check(figure) == []
    assert figure.value == pytest.approx(result.total.half_width**2)


@pytest.mark.rule("6.4")
def test_unknown_classes_and_impossible_widths_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 6\.4: class '5P' is not known"):
        LIMITS.of_class("meter", "electricity", "5P")
    with pytest.raises(RefusedError, match=r"rule 6\.6: -1 % is no uncertainty"):
        Limit(-0.01, False, "x")


def case_inventory() -> tuple[Term, ...]:
    """Gate and a second gate on one factor, a gas boiler, coarse registers: as a park has them."""
    lines = [power_line("gate", 9e5), power_line("gate-2", 4e5)]
    points = {
        "gate": Metering("gate", metering("gate", "0.5S", "0.5").spans, resolution=4.0, intervals=2976),
        "gate-2": Metering(
            "gate-2",
            metering("gate-2", "1", "1").spans,
            resolution=1.0,
            intervals=2900,
            states={"interpolated": (0.03, 76)},
        ),
    }
    return inventory_uncertainty(lines, points, {"grid_average": Limit(0.05, True, "entered")}, LIMITS).terms


@pytest.mark.rule("6.6")
@pytest.mark.parametrize(
    ("name", "terms", "tolerance"),
    [
        ("one class 0.5 meter", (Term("a", 1.0, (meter("a"),)),), 0.01),
        ("two independent", (Term("a", 1.0, (meter("a"),)), Term("b", 1.0, (meter("b"),))), 0.01),
        ("2976 intervals of one meter", tuple(Term(str(i), 1.0, (meter("a"),)) for i in range(2976)), 0.01),
        ("two gates, one factor, scatter", case_inventory(), 0.01),
        ("one factor of 50 % in a product", (Term("a", 1.0, (meter("a", 50), meter("b", 5))),), 0.02),
    ],
)
def test_the_monte_carlo_agrees(name: str, terms: tuple[Term, ...], tolerance: float) -> None:
    # 200,000 draws: the error of half the distance between the two quantiles is about 0.3 % of it.
    combined = combine(terms)
    simulated = simulate(terms, draws=200_000, seed=20260331)
    assert simulated.half_width == pytest.approx(combined.half_width, rel=tolerance), name
    assert simulated.mean == pytest.approx(combined.value, rel=2e-3), name


@pytest.mark.rule("3.15", "6.6")
def test_what_certificates_leave_of_a_purchase_is_as_wrong_as_the_purchase() -> None:
    """1,000 kWh ±0.5 % less 900 certified ones: 100 ± 5 kWh, 5 %; a factor of ±3 % acts on the 100: √(5² + 3²) %."""
    market = replace(power_line("gate", 100.0), basis="market")
    covered = replace(power_line("gate", 900.0), basis="market", co2e_nano_kg=0, factors=(), gases={"CO2": 0.0})
    lines = [market, replace(covered, instruments=({"effect": "covers_purchased"},))]
    result = inventory_uncertainty(
        lines, {"gate": metering("gate")}, {"CN-2023-JS": Limit(0.03, True, "entered")}, LIMITS
    )
    assert result.total.value == pytest.approx(58.27, rel=1e-12)
    assert pct(result.total) == pytest.approx(math.sqrt(5**2 + 3**2), rel=1e-9)
    assert [pct(line.combined) for line in result.lines[:1]] == pytest.approx([math.sqrt(34)])
    assert simulate(result.terms, draws=40_000, seed=7).pct == pytest.approx(math.sqrt(34), rel=0.02)
    alone = inventory_uncertainty([market], {"gate": metering("gate")}, {}, LIMITS)
    assert pct(alone.total) < 5.1


@pytest.mark.rule("6.6")
def test_nothing_has_no_share() -> None:
    assert simulate([Term("nothing", 0.0)], draws=10, seed=1).pct is None
    assert combine([]).pct is None
