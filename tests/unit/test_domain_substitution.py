"""Amounts by rule, and how they stand beside what is measured; vectors worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.intervals import Intervals
from parkcarbon.domain.reading import INTERVAL_MS, Method
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.substitution import (
    Substitution,
    applied,
    conservative_amounts,
    default_amounts,
    half_even,
    mean_amounts,
    profile_weights,
    quality_assured,
    slots,
    spread_total,
)

Q = INTERVAL_MS
EVER = (-(2**60), 2**60)


def intervals(*rows: tuple[int, int, float, Method, int]) -> Intervals:
    """Rows of interval number, amount, coverage, method, measured time [ms]."""
    at, amount, coverage, method, measured = zip(*rows, strict=True) if rows else ((),) * 5
    return Intervals(
        np.array(at, np.int64) * Q,
        np.array(amount, np.int64),
        np.array(coverage, np.float32),
        np.array(method, np.int8),
        np.array(measured, np.int64),
        np.zeros(len(at), np.bool_),
    )


def rows(found: Intervals) -> list[tuple[int, int, float, int, int]]:
    columns = (found.start_ms // Q, found.amount_micro, found.coverage, found.method, found.measured_ms)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.rule("6.1", "6.7")
def test_what_is_missing_is_filled_and_does_not_count_as_measured() -> None:
    before = intervals((0, 70, 1.0, Method.MEASURED, Q), (3, 90, 1.0, Method.MEASURED, Q))
    found = applied(before, [Substitution(1, Q, (81, 82))], EVER)
    assert rows(found) == [
        (0, 70, 1.0, Method.MEASURED, Q),
        (1, 81, 1.0, Method.SUBSTITUTED, 0),
        (2, 82, 1.0, Method.SUBSTITUTED, 0),
        (3, 90, 1.0, Method.MEASURED, Q),
    ]
    assert found.measured_ms.sum() == before.measured_ms.sum()


@pytest.mark.rule("6.1")
def test_what_is_measured_wins_and_the_rest_of_a_part_is_taken_pro_rata() -> None:
    before = intervals(
        (0, 70, 1.0, Method.MEASURED, Q),
        (1, 30, 1 / 3, Method.MISSING, Q // 3),
        (2, 5, 0.5, Method.ESTIMATED, 0),
        (3, 0, 0.0, Method.MISSING, 0),
    )
    found = applied(before, [Substitution(1, 0, (1000, 100, 101, 102))], EVER)
    assert rows(found) == [
        (0, 70, 1.0, Method.MEASURED, Q),
        (1, 30 + 67, 1.0, Method.SUBSTITUTED, Q // 3),  # 100 x 2/3 = 66.67
        (2, 5 + 50, 1.0, Method.ESTIMATED, 0),  # 101 x 1/2 = 50.5, half to even
        (3, 102, 1.0, Method.SUBSTITUTED, 0),
    ]


def test_only_what_starts_inside_the_window_is_filled() -> None:
    one = Substitution(1, 10 * Q, tuple(range(100, 110)))
    found = applied(intervals(), [one], (12 * Q + 1, 15 * Q))
    assert rows(found) == [(at, 90 + at, 1.0, Method.SUBSTITUTED, 0) for at in (13, 14)]
    assert rows(applied(intervals(), [one], (0, 10 * Q))) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(-(10**12), 10**12), st.integers(0, Q)), unique_by=lambda x: x[0]
    ),
    st.integers(0, 25),
    st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=12),
    st.integers(0, 30),
)
def test_filling_part_by_part_is_filling_at_once(
    present: list[tuple[int, int, int]], first: int, amounts: list[int], cut: int
) -> None:
    made = sorted(
        (at, amount, known / Q, Method.MISSING if known < Q else Method.MEASURED, known)
        for at, amount, known in present
    )
    before = intervals(*made)
    one = [Substitution(1, first * Q, tuple(amounts))]
    whole = applied(before, one, EVER)
    low, high = applied(before, one, (EVER[0], cut * Q)), applied(before, one, (cut * Q, EVER[1]))
    joined = Intervals.merge((low.between(EVER[0], cut * Q), high.between(cut * Q, EVER[1])))
    assert joined.to_bytes() == whole.to_bytes()
    assert applied(whole, one, EVER).to_bytes() == whole.to_bytes()  # known by then: nothing is filled twice
    assert (whole.coverage[(whole.start_ms >= first * Q) & (whole.start_ms < (first + len(amounts)) * Q)] == 1).all()
    assert whole.measured_ms.sum() == before.measured_ms.sum()


@pytest.mark.rule("6.2")
def test_the_mean_of_the_values_before_and_after() -> None:
    assert mean_amounts(100, 200, 4) == [150] * 4
    assert mean_amounts(10, 13, 3) == [11, 12, 11]  # 34.5 -> 34 in all: 11.33, 22.67, 34
    assert sum(mean_amounts(7, 8, 5)) == 38  # 37.5, half to even
    assert mean_amounts(None, 42, 2) == [42, 42]
    with pytest.raises(RefusedError, match=r"rule 6\.2: .*not closed"):
        mean_amounts(100, None, 4)


@pytest.mark.rule("6.1")
def test_the_conservative_value_is_the_highest_of_the_slot_and_the_lowest_for_generation() -> None:
    reference, known = np.array([5, 9, 7, 30]), np.array([1, 1, 2, 3])
    wanted = np.array([1, 2, 4])
    assert conservative_amounts(reference, known, wanted, flow="import") == [9, 7, 30]
    assert conservative_amounts(reference, known, wanted, flow="generation") == [5, 7, 5]
    assert conservative_amounts(reference, known, wanted, flow=None) == [9, 7, 30]
    nothing = np.zeros(0, np.int64)
    with pytest.raises(RefusedError, match=r"rule 6\.1"):
        conservative_amounts(nothing, nothing, wanted, flow="import")


@pytest.mark.rule("6.3")
def test_a_default_is_used_where_one_is_declared() -> None:
    assert default_amounts(4_000_000, 6) == [1_000_000] * 6
    assert sum(default_amounts(10, 3)) == 8  # 7.5, half to even
    with pytest.raises(RefusedError, match=r"rule 6\.3: no default is declared"):
        default_amounts(None, 3)
    with pytest.raises(RefusedError, match=r"rule 6\.3: .*negative: -1"):
        default_amounts(-1_000_000, 3)


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(0, 10**12), min_size=1, max_size=60))
def test_parts_of_a_total_sum_exactly_and_follow_their_weights(total: int, weights: list[int]) -> None:
    parts = spread_total(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        assert all(abs(part * whole - total * weight) <= whole for part, weight in zip(parts, weights, strict=True))


def test_a_profile_weighs_by_the_mean_of_its_slots() -> None:
    reference, known = np.array([10, 20, 60]), np.array([1, 1, 2])
    assert profile_weights(reference, known, np.array([1, 2, 9])) == [15, 60, 30]
    nothing = np.zeros(0, np.int64)
    assert profile_weights(nothing, nothing, np.array([1, 2])) == [1, 1]


def test_halves_go_to_the_even_neighbour() -> None:
    assert [half_even(at, 2) for at in (-5, -3, -1, 1, 3, 5)] == [-2, -2, 0, 0, 2, 2]
    assert [half_even(at, 3) for at in (-4, 4, 5)] == [-1, 1, 2]


def test_slots_tell_quarters_and_working_days_apart() -> None:
    midnights = np.array([0, 96 * Q, 188 * Q], np.int64)  # the second day has 23 hours
    found = slots(np.array([0, 5, 97, 188]) * Q, midnights, np.array([True, True, False]))
    assert found.tolist() == [0, 5, 1, 1000]


def test_only_what_is_wholly_measured_and_not_doubtful_stands_for_others() -> None:
    found = intervals(
        (0, 1, 1.0, Method.MEASURED, Q), (1, 1, 1.0, Method.INTERPOLATED, 0), (2, 1, 0.5, Method.MEASURED, Q // 2)
    )
    assert quality_assured(found).tolist() == [True, False, False]
