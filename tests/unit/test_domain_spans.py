"""Register spans: on any history they add up to the intervals, and every run is a difference of two registers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkcarbon.domain.lifelines import lifelines
from parkcarbon.domain.reading import DAY_MS, INTERVAL_MS
from parkcarbon.domain.readings import Readings
from parkcarbon.domain.scan import Episode, Limits, scan
from parkcarbon.domain.spans import Span, register_spans
from tests.unit.test_domain_scan_laws import MIDNIGHT, SEEDS, History, messy

HOUR = 3_600_000


def spans_of(history: History, low: int, high: int) -> list[Span]:
    return register_spans(
        history.readings, history.episodes, history.corrections, history.limits, from_ms=low, to_ms=high
    )


@settings(max_examples=400, deadline=None)
@given(SEEDS, st.integers(-8, 400), st.integers(1, 2000))
def test_spans_add_up_to_the_intervals_on_any_history(seed: int, first: int, count: int) -> None:
    history = messy(seed)
    low = MIDNIGHT + first * INTERVAL_MS
    high = low + count * INTERVAL_MS
    spans = spans_of(history, low, high)
    assert sum(span.amount_micro for span in spans) == history.scan().intervals.between(low, high).total_micro
    lives = lifelines(history.episodes, history.corrections, history.limits).lives
    for span in spans:
        assert low <= span.start.time_ms < span.end.time_ms <= high
        assert span.kind != "other"
        if span.kind == "run":
            assert span.amount_micro == span.end.micro - span.start.micro
        for mark in (span.start, span.end):
            if mark.after is None and span.kind == "run":
                assert mark.micro == lives[span.life].register(mark.before.value)


def test_a_month_of_good_readings_is_one_span_between_its_two_registers() -> None:
    times = MIDNIGHT - HOUR + np.arange(0, 32 * DAY_MS, INTERVAL_MS)
    values = 1000 + np.arange(len(times)) * 0.25
    history = History(Readings.of(times, values.tolist()), (Episode(0, ratio=40.0),), (), Limits(900_000))
    [span] = spans_of(history, MIDNIGHT, MIDNIGHT + 31 * DAY_MS)
    assert (span.start.before.value, span.end.before.value) == (1001.0, 1001.0 + 31 * 96 * 0.25)
    assert span.amount_micro == 31 * 96 * 10_000_000


def test_where_no_reading_falls_on_the_end_the_straight_line_counts() -> None:
    times = MIDNIGHT + np.array([-HOUR, HOUR, 2 * HOUR, 4 * HOUR])
    history = History(Readings.of(times, [10.0, 14.0, 15.0, 19.0]), (), (), Limits(HOUR))
    [span] = spans_of(history, MIDNIGHT, MIDNIGHT + 3 * HOUR)
    assert (span.start.micro, span.end.micro) == (12_000_000, 17_000_000)
    assert (span.start.before.value, span.start.after and span.start.after.value, span.start.share) == (10, 14, 0.5)
    assert (span.end.before.value, span.end.after and span.end.after.value, span.end.share) == (15, 19, 0.5)


@pytest.mark.rule("6.10")
def test_exchange_rollover_and_reset_part_the_line() -> None:
    times = MIDNIGHT + np.arange(0, 24) * HOUR
    values = [990.0 + at for at in range(10)]  # 990 to 999
    values += [0.5 + at for at in range(6)]  # rolls over at 1000
    values += [100.0 + at for at in range(8)]  # another meter
    episodes = (Episode(0), Episode(int(times[16]), ratio=2.0, end_reading=6.0, start_reading=99.5))
    limits = Limits(HOUR, limit_per_h=2.0, modulus=1000.0)
    history = History(Readings.of(times, values), episodes, (), limits)
    low, high = MIDNIGHT, MIDNIGHT + 23 * HOUR
    spans = spans_of(history, low, high)
    assert [span.kind for span in spans] == ["run", "rollover", "run", "run"]
    assert [span.amount_micro for span in spans] == [9_000_000, 1_500_000, 5_500_000, 15_000_000]
    assert [span.start.before.value for span in spans] == [990.0, 999.0, 0.5, 99.5]
    assert [span.end.before.value for span in spans] == [999.0, 0.5, 6.0, 107.0]
    result = scan(history.readings, episodes, (), limits)
    assert result.intervals.between(low, high).total_micro == 31_000_000
