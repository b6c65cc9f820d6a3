"""Splitting integers: laws of largest remainder, by hand and by chance; the vectorised split against the plain one."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.tenancy.apportion import LIMIT, apportion, largest_remainder

NAMES = st.text("abcdefgh", min_size=1, max_size=3)
WEIGHTS = st.dictionaries(NAMES, st.integers(0, 10**15), min_size=1, max_size=8).filter(lambda w: any(w.values()))
TOTALS = st.integers(0, 10**21)


@pytest.mark.rule("6.8")
def test_by_hand() -> None:
    # quotas 14.29, 28.57, 57.14: one unit is left, the remainder of b is the largest
    assert largest_remainder(100, {"a": 1, "b": 2, "c": 4}) == {"a": 14, "b": 29, "c": 57}
    assert largest_remainder(-100, {"a": 1, "b": 2, "c": 4}) == {"a": -14, "b": -29, "c": -57}
    assert largest_remainder(0, {"a": 0, "b": 0}) == {"a": 0, "b": 0}


@given(TOTALS, WEIGHTS)
def test_parts_add_up_exactly_and_stay_within_one_of_their_quota(total: int, weights: dict[str, int]) -> None:
    parts = largest_remainder(total, weights)
    assert sum(parts.values()) == total
    whole = sum(weights.values())
    assert all(abs(parts[name] * whole - total * weight) < whole for name, weight in weights.items())


@given(TOTALS, WEIGHTS, st.data())
def test_the_order_of_weights_changes_nothing(total: int, weights: dict[str, int], data: st.DataObject) -> None:
    names = data.draw(st.permutations(sorted(weights)))
    assert largest_remainder(total, {name: weights[name] for name in names}) == largest_remainder(total, weights)


@given(TOTALS, WEIGHTS)
def test_a_larger_weight_never_gets_less(total: int, weights: dict[str, int]) -> None:
    parts = largest_remainder(total, weights)
    by_weight = sorted(weights.items(), key=lambda item: item[1])
    for (low, less), (high, more) in itertools.pairwise(by_weight):
        assert less == more or parts[low] <= parts[high]


@given(TOTALS, WEIGHTS, st.integers(0, 10**15), st.data())
def test_more_weight_for_one_never_lowers_its_part(
    total: int, weights: dict[str, int], more: int, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(weights)))
    after = largest_remainder(total, {**weights, name: weights[name] + more})
    assert after[name] >= largest_remainder(total, weights)[name]


COLUMNS = st.lists(
    st.tuples(st.lists(st.integers(0, LIMIT // 4), min_size=4, max_size=4), st.floats(0, 1)), min_size=1, max_size=6
)


@given(COLUMNS)
def test_the_vectorised_split_is_the_plain_one(columns: list[tuple[list[int], float]]) -> None:
    weights = np.array([weights for weights, _ in columns], dtype=np.int64).T
    totals = np.array([int(sum(weights) * share) for weights, share in columns], dtype=np.int64)
    totals = np.minimum(totals, weights.sum(axis=0))
    parts = apportion(totals, weights)
    for at, total in enumerate(totals.tolist()):
        named = {str(row): int(weights[row, at]) for row in range(4)}
        plain = largest_remainder(total, named) if any(named.values()) else dict.fromkeys(named, 0)
        assert dict(zip(plain, parts[:, at].tolist(), strict=True)) == plain
    assert (parts <= weights).all()


def test_ties_go_by_rank_and_not_by_row() -> None:
    one, weights = np.array([1]), np.array([[1], [1], [1]])
    assert apportion(one, weights).ravel().tolist() == [1, 0, 0]
    assert apportion(one, weights, rank=[2, 1, 0]).ravel().tolist() == [0, 0, 1]


@pytest.mark.rule("5.6")
def test_impossible_weights_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 5\.6: the weight of a is -1"):
        largest_remainder(5, {"a": -1, "b": 3})
    with pytest.raises(RefusedError, match="all of the weights of a are zero"):
        largest_remainder(5, {"a": 0})
    with pytest.raises(RefusedError, match="a weight is -2"):
        apportion(np.array([0]), np.array([[-2], [2]]))
    with pytest.raises(RefusedError, match="more is shared than there is use"):
        apportion(np.array([5]), np.array([[2], [2]]))
    with pytest.raises(RefusedError, match=r"rule 6\.8: .* too large"):
        apportion(np.array([5]), np.array([[LIMIT], [2]]))
