"""Delta readings: exact parts, overlaps, runs of zeros."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.delta import CONTEXT_READINGS, spread, zero_runs
from parkcarbon.domain.intervals import Intervals
from parkcarbon.domain.reading import DAY_MS, INTERVAL_MS, Method, Quality
from parkcarbon.domain.readings import Readings

T0 = 20_000 * DAY_MS
HOUR = 3_600_000


def hours(*values: float | None, quality: list[int] | None = None) -> Readings:
    return Readings.of(T0 + HOUR * np.arange(len(values)), list(values), quality)


def test_an_hour_is_spread_over_four_intervals() -> None:
    result = spread(hours(10.0, 6.0), HOUR)
    assert (result.intervals.amount_micro / 1e6).tolist() == [2.5] * 4 + [1.5] * 4
    assert set(result.intervals.method.tolist()) == {Method.MEASURED}
    assert result.intervals.coverage.tolist() == [1.0] * 8


def test_parts_sum_exactly_where_they_cannot_be_equal() -> None:
    result = spread(hours(0.000002), HOUR)
    assert result.intervals.total_micro == 2
    assert set(result.intervals.amount_micro.tolist()) <= {0, 1}


@given(
    st.lists(st.tuples(st.integers(1, 10 * HOUR), st.integers(0, HOUR), st.floats(0, 1e7)), max_size=30),
    st.sampled_from([1.0, -1.0, 37.5]),
)
def test_any_spans_sum_exactly(spans: list[tuple[int, int, float]], scale: float) -> None:
    start, length, value, clock = [], [], [], T0
    for span, gap, amount in spans:
        start.append(clock)
        length.append(span)
        value.append(amount)
        clock += span + gap
    result = spread(Readings.of(np.array(start, np.int64), value, None, length), HOUR, scale=scale)
    assert result.intervals.total_micro == sum(round(1e6 * scale * amount) for amount in value)
    assert (result.intervals.amount_micro * np.sign(scale) >= 0).all()


def test_spans_shorter_than_an_interval_share_it() -> None:
    readings = Readings.of(T0 + 300_000 * np.arange(3), [1.0, 2.0, 3.0], None, [300_000] * 3)
    result = spread(readings, 300_000)
    assert (result.intervals.amount_micro / 1e6).tolist() == [6.0]
    assert result.intervals.coverage.tolist() == [1.0]


def test_a_bill_is_interpolated() -> None:
    readings = Readings.of([T0], [3000.0], None, [2_000_000_000])
    assert set(spread(readings, HOUR).intervals.method.tolist()) == {Method.INTERPOLATED}


def test_what_is_not_available_is_left_open() -> None:
    result = spread(hours(1.0, None, 1.0), HOUR)
    assert len(result.intervals) == 8
    assert T0 + HOUR not in result.intervals.start_ms


def test_an_overlap_is_refused_and_the_first_start_wins() -> None:
    readings = Readings.of([T0, T0 + HOUR // 2, T0 + HOUR], [4.0, 100.0, 8.0], None, [HOUR] * 3)
    result = spread(readings, HOUR)
    assert result.intervals.total_micro == 12_000_000
    assert [(q.at_ms, q.kind) for q in result.questions] == [(T0 + HOUR // 2, "overlap")]
    assert result.questions[0].document == {"span_ms": HOUR, "value": 100.0}


def test_runs_of_zeros_are_suspect_but_stay_as_recorded() -> None:
    result = spread(hours(5, 0, 0, 0, 5, 0, 0, 5), HOUR)
    assert result.intervals.suspect[::4].tolist() == [False, True, True, True] + [False] * 4
    assert result.intervals.total_micro == 15_000_000


def test_zeros_are_legal_where_the_carrier_says_so() -> None:
    assert not spread(hours(0, 0, 0, 0), HOUR, zero_run=None).intervals.suspect.any()


@given(st.lists(st.sampled_from([0.0, 1.0]), max_size=40), st.integers(1, 5))
def test_zero_runs_agree_with_a_plain_search(values: list[float], at_least: int) -> None:
    found = zero_runs(np.array(values, np.float64), at_least)
    windows = [range(i, i + at_least) for i in range(len(values) - at_least + 1)]
    expected = {i for window in windows if all(values[j] == 0 for j in window) for i in window}
    assert set(np.flatnonzero(found).tolist()) == expected


@given(st.lists(st.sampled_from([0.0, 3.0]), min_size=1, max_size=30), st.integers(0, 29), st.integers(1, 10))
def test_a_window_with_its_context_equals_the_whole(values: list[float], first: int, count: int) -> None:
    whole = spread(hours(*values), HOUR)
    window = (T0 + first * HOUR, T0 + (first + count) * HOUR)
    low = max(first - CONTEXT_READINGS, 0)
    some = hours(*values).take(slice(low, first + count + CONTEXT_READINGS))
    part = spread(some, HOUR, window=window)
    assert part.intervals.to_bytes() == whole.intervals.between(*window).to_bytes()


def test_a_negative_amount_is_kept_marked_and_asked_about() -> None:
    result = spread(hours(-4.0), HOUR)
    assert result.intervals.total_micro == -4_000_000
    assert result.intervals.suspect.all()
    assert [q.kind for q in result.questions] == ["negative"]


def test_a_declared_negative_amount_is_no_question() -> None:
    result = spread(hours(-4.0, 2.0), HOUR, may_be_negative=True)
    assert result.intervals.total_micro == -2_000_000
    assert not result.intervals.suspect.any()
    assert result.questions == ()


def test_a_window_hides_questions_about_readings_outside_it() -> None:
    assert not spread(hours(-4.0, 1.0), HOUR, window=(T0 + HOUR, T0 + 2 * HOUR)).questions


@pytest.mark.parametrize(
    ("quality", "method"), [(Quality.MANUAL, Method.MANUAL), (Quality.ESTIMATED, Method.ESTIMATED)]
)
def test_quality_sets_the_method(quality: Quality, method: Method) -> None:
    assert set(spread(hours(1.0, quality=[quality]), HOUR).intervals.method.tolist()) == {method}


def test_nothing_gives_nothing() -> None:
    assert spread(Readings.empty(), HOUR).intervals.to_bytes() == Intervals.empty().to_bytes()


def test_intervals_start_on_quarter_hours() -> None:
    readings = Readings.of([T0 + 7], [1.0], None, [INTERVAL_MS])
    assert spread(readings, HOUR).intervals.start_ms.tolist() == [T0, T0 + INTERVAL_MS]
