"""What a changed series touches: exactly the spans whose value, or whose origin, is another one."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.books.derive.announce import MonthSpan, _by_month, _differing, _local_month, _merged, stretch_of
from parkcarbon.domain.factors import Factor, FactorSeries
from parkcarbon.domain.scan_types import Correction

HOUR = 3_600_000
RECORD = Factor(
    factor="s",
    purpose="grid_average",
    carrier="electricity",
    region="China/JS",
    gas="CO2",
    unit="kgCO2/kWh",
    value=None,
    series=True,
)


def series(values: dict[int, float]) -> FactorSeries:
    """One value an hour, at these hours."""
    hours = sorted(values)
    start = np.array(hours, np.int64) * HOUR
    return FactorSeries(
        RECORD, start, np.full(len(hours), HOUR, np.int64), np.array([values[hour] for hour in hours], float)
    )


VALUES = st.dictionaries(st.integers(0, 30), st.sampled_from([0.1, 0.2, 0.3]), max_size=20)


@given(VALUES, VALUES)
def test_the_stretches_hold_the_hours_that_differ_and_no_others(one: dict[int, float], other: dict[int, float]) -> None:
    found = _differing(series(one), series(other))
    touched = {hour for low, high in found for hour in range(low // HOUR, high // HOUR)}
    assert touched == {hour for hour in range(31) if one.get(hour) != other.get(hour)}
    assert all(left[1] < right[0] for left, right in itertools.pairwise(found))


def test_a_stretch_is_cut_at_the_months_utc() -> None:
    low, high = (
        int(dt.datetime(*day, tzinfo=dt.UTC).timestamp() * 1000) for day in ((2025, 12, 31, 16), (2026, 2, 1, 1))
    )
    months = list(_by_month(low, high))
    assert [month for month, _ in months] == [671, 672, 673]
    assert [(end - begin) // HOUR for _, (begin, end) in months] == [8, 31 * 24, 1]
    assert _local_month(dt.date(2026, 1, 1), ZoneInfo("Asia/Shanghai")) == (low, low + 31 * 24 * HOUR)


def test_spans_of_a_point_and_month_become_one() -> None:
    spans = [MonthSpan(1, 5, 10, 20), MonthSpan(2, 5, 10, 20), MonthSpan(1, 5, 15, 40), MonthSpan(1, 4, 0, 9)]
    assert _merged(spans) == [MonthSpan(1, 4, 0, 9), MonthSpan(1, 5, 10, 40), MonthSpan(2, 5, 10, 20)]


def test_a_correction_touches_old_and_new_times_and_a_boundary_its_moment() -> None:
    assert stretch_of(Correction("exclude", 10, 20)) == (10, 20)
    assert stretch_of(Correction("retime", 10, 20, offset_ms=-7)) == (3, 20)
    assert stretch_of(Correction("retime", 10, 20, offset_ms=7)) == (10, 27)
    assert stretch_of(Correction("boundary", 10, 10, end_reading=1.0)) == (10, 10)
