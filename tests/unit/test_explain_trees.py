"""Trees of registers, readings and lines hold on any history; what does not hold is told."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkcarbon.books.workbook.layout import lay_out
from parkcarbon.books.working.registers import DeltaReading, Meter, Trail, readings_figure, registers_figure
from parkcarbon.domain.emissions import Step
from parkcarbon.domain.factors import Factor, FactorMatch, Match
from parkcarbon.domain.inventory_figures import Backing, line_figure, scope_figure, total_figure
from parkcarbon.domain.lifelines import lifelines
from parkcarbon.domain.methods.lines import Line, Scope
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.domain.spans import register_spans
from parkcarbon.domain.working import Figure, check, computed, same
from tests.unit.test_domain_scan_laws import MIDNIGHT, SEEDS, messy

HOUR = 3_600_000


def leaf(name: str, value: float | None) -> Figure:
    return Figure(name, value, "kWh", source={"kind": "setting"})


def test_a_figure_that_is_not_what_its_terms_give_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="total is said to be 4, its terms give 3"):
        computed("total", "sum", "kWh", leaf("a", 1.0), leaf("b", 2.0), value=4)
    assert computed("total", "sum", "kWh", leaf("a", 1.0), leaf("b", 2.0), value=3.4, within=0.5).value == 3.4
    forged = Figure("total", 4.0, "kWh", "sum", (leaf("a", 1.0), leaf("b", 2.0)))
    assert check(computed("outer", "sum", "kWh", forged)) == ["total is 4.0, its terms give 3.0"]


def test_what_rests_on_the_unknown_is_unknown() -> None:
    total = computed("total", "sum", "kWh", leaf("a", 1.0), leaf("b", None))
    assert total.value is None
    assert computed("share", "quotient", "1", leaf("a", 1.0), leaf("b", 0.0)).value is None
    rows = computed("rows", "sum_product", "kWh", columns={"x": (1.0, None, 3.0), "y": (2.0, 2.0, 2.0)})
    assert rows.value == 8.0
    assert (same(None, None), same(None, 0.0), same(1.0, 1.0 + 1e-12)) == (True, False, True)


def test_a_document_leaves_out_what_is_empty_and_columns_where_asked() -> None:
    rows = computed("rows", "sum_product", "kWh", leaf("a", 1.0), columns={"x": (1.0,)}, axis={"hour": ("00",)})
    assert set(rows.document()) == {"name", "value", "unit", "operation", "axis", "columns", "terms"}
    assert set(rows.document(columns=False)) == {"name", "value", "unit", "operation", "terms"}


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(-8, 300), st.integers(1, 1500))
def test_the_tree_of_registers_holds_on_any_history(seed: int, first: int, count: int) -> None:
    history = messy(seed)
    low = MIDNIGHT + first * INTERVAL_MS
    high = low + count * INTERVAL_MS
    spans = register_spans(
        history.readings, history.episodes, history.corrections, history.limits, from_ms=low, to_ms=high
    )
    lives = lifelines(history.episodes, history.corrections, history.limits).lives
    meters = [Meter("s", life.micro / 1e6, modulus=life.modulus) for life in lives]
    amount = history.scan().intervals.between(low, high).total_micro
    figure = registers_figure(Trail("p/q", "kWh", 1, meters), spans, amount)
    assert check(figure) == []
    assert figure.value == amount / 1e6
    assert not [node for node in figure.walk() if node.name in ("not_by_registers", "step_unexplained")]
    assert len(figure.notes) == sum(span.kind == "missing" for span in spans)
    assert len(lay_out(figure).rows) == len(list(figure.walk()))


@pytest.mark.rule("6.1", "6.7")
def test_what_the_registers_do_not_explain_is_a_term_of_its_own() -> None:
    figure = registers_figure(Trail("p/q", "kWh", 1, []), [], 5_000_000)
    assert [(term.name, term.value) for term in figure.terms] == [("not_by_registers", 5.0)]
    assert check(figure) == []


def test_readings_that_reach_out_of_the_period_count_with_their_part() -> None:
    readings = [DeltaReading(at * HOUR, (at + 1) * HOUR, 2.0, 10.0, 0, 1) for at in range(3)]
    batches = [{"number": 1, "digest": "ab"}]
    amount = 10_000_000 + 20_000_000 + 5_000_000
    figure = readings_figure(
        Trail("p/q", "kWh", 1, []), readings, amount, from_ms=HOUR // 2, to_ms=2 * HOUR + HOUR // 4, batches=batches
    )
    assert figure.terms[0].columns["share in period [1]"] == (0.5, 1.0, 0.25)
    assert (figure.value, check(figure)) == (35.0, [])


FACTOR = Factor(
    factor="F", purpose="grid_average", carrier="electricity", region="China", gas="CO2", unit="kgCO2/kWh", value=0.5
)
MATCH = FactorMatch(FACTOR, Match.EXACT)
LINE = Line(
    source="gate",
    carrier="electricity",
    activity=10.0,
    activity_unit="kWh",
    gases={"CO2": 5.0},
    co2e_nano_kg=5_000_000_000,
    factors=(MATCH,),
    note="a; b",
    scope=2,
    basis="location",
    amount_micro=10_000_000,
    chains={"CO2": (Step("factor", 0.5, "kgCO2/kWh", MATCH),)},
)


@pytest.mark.rule("1.3", "6.8")
def test_a_line_is_amount_times_factor_within_the_rounding_of_its_intervals() -> None:
    figure = line_figure(LINE)
    assert [(term.name, term.value) for term in figure.terms] == [("activity", 10.0), ("factor", 0.5)]
    assert (figure.value, figure.notes, figure.label_zh) == (5.0, ("a", "b"), "gate（基于位置）")
    rounded = dataclasses.replace(LINE, co2e_nano_kg=5_000_000_090)
    with pytest.raises(ValueError, match="said to be"):
        line_figure(dataclasses.replace(LINE, co2e_nano_kg=5_000_009_000))
    assert line_figure(rounded, Backing(intervals=96)).value == rounded.co2e_nano_kg / 1e9


def test_a_series_that_the_intervals_were_not_computed_with_is_told() -> None:
    line = dataclasses.replace(LINE, chains={}, co2e_nano_kg=7_000_000_000)
    columns = {"amount [kWh]": (4.0, 6.0), "factor [kgCO2/kWh]": (0.5, 0.5)}
    figure = line_figure(line, Backing(columns=columns, axis={"hour from": ("a", "b")}))
    assert (figure.operation, [term.name for term in figure.terms]) == ("sum", ["line:gate", "not_by_factor"])
    assert [term.value for term in figure.terms] == [5.0, 2.0]
    right = line_figure(dataclasses.replace(line, co2e_nano_kg=5_000_000_000), Backing(columns=columns))
    assert (right.operation, right.value, right.terms[1].source["factor"]) == ("sum_product", 5.0, "F")


def test_a_scope_without_lines_is_unknown_and_one_declared_absent_is_zero() -> None:
    unknown = scope_figure("scope1", Scope(1, None, ()))
    absent = scope_figure("scope1", Scope(1, None, (), absent=True))
    located = scope_figure("scope2_location", Scope(2, "location", (LINE,)))
    assert (unknown.value, absent.value, located.value) == (None, 0.0, 5.0)
    assert total_figure("total_location", unknown, located).value is None
    assert total_figure("total_location", absent, located).value == 5.0
