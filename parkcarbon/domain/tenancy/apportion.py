"""Split an integer into integer parts that add up to it: largest remainder, ties by name.

    quota_i = total x weight_i / sum of weights,  part_i = floor(quota_i), and one more for the largest remainders

A part differs from its quota by less than one unit; a larger weight never gets a smaller part; a part never exceeds its
weight where the total does not exceed the sum of weights; the order in which weights are given changes nothing.

References:
    Balinski, M. and Young, H. P. (1982), Fair Representation, ch. 3 (Hamilton's method).
    Accounting rule 6.8: full precision, rounded figures decide nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parkcarbon.domain.readings import Int64Array
from parkcarbon.domain.refusal import RefusedError

LIMIT: Final = 2**50
"""Largest sum of weights of a column: below it the float estimate of a quota is off by less than one unit."""


def largest_remainder(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Split a total in proportion to weights.

    Args:
        total: what is split, any unit; a negative one is split like its opposite.
        weights: of each part, >= 0.

    Raises:
        RefusedError: a negative weight, or nothing to go by.

    >>> largest_remainder(100, {"a": 1, "b": 1, "c": 1})
    {'a': 34, 'b': 33, 'c': 33}
    """
    for name, weight in weights.items():
        if weight < 0:
            raise RefusedError("5.6", f"the weight of {name} is {weight}: a share cannot be negative")
    whole = sum(weights.values())
    if whole == 0:
        if total == 0:
            return dict.fromkeys(weights, 0)
        raise RefusedError(
            "", f"{total} cannot be split: all of the weights of {', '.join(weights) or 'nobody'} are zero"
        )
    sign = -1 if total < 0 else 1
    parts = {name: abs(total) * weight // whole for name, weight in weights.items()}
    left = abs(total) - sum(parts.values())
    by_remainder = sorted(weights, key=lambda name: (-(abs(total) * weights[name] % whole), name))
    for name in by_remainder[:left]:
        parts[name] += 1
    return {name: sign * part for name, part in parts.items()}


def apportion(totals: Int64Array, weights: Int64Array, *, rank: Sequence[int] | None = None) -> Int64Array:
    """Split the total of every column in proportion to the weights in it; exact, without a loop over columns.

    Args:
        totals: what is split in each of n columns, >= 0 and not above the sum of the column's weights.
        weights: k x n, >= 0; the sum of a column is at most `LIMIT`.
        rank: k numbers that break ties between equal remainders, lowest first; None: the order of rows.

    Returns:
        k x n parts; each column adds up to its total, no part is above its weight.

    Raises:
        RefusedError: negative weights, a total above its weights, or numbers too large to be exact.
    """
    whole = weights.sum(axis=0)
    if weights.size and int(weights.min()) < 0:
        raise RefusedError("5.6", f"a weight is {int(weights.min())}: a share cannot be negative")
    if totals.size and (int(totals.min()) < 0 or bool((totals > whole).any())):
        raise RefusedError("5.6", "more is shared than there is use to share it by")
    if whole.size and int(whole.max()) > LIMIT:
        raise RefusedError("6.8", f"{int(whole.max())} is too large to be split exactly")
    safe = np.maximum(whole, 1)
    parts: Int64Array = np.floor(weights * (totals / safe)).astype(np.int64)
    np.minimum(parts, weights, out=parts)
    remainder = _remainder(totals, weights, parts, safe)
    for _ in range(2):  # the estimate is off by one at most, on either side
        off = (remainder >= safe).astype(np.int64) - (remainder < 0)
        parts += off
        remainder -= off * safe
    parts += _extra(totals - parts.sum(axis=0), remainder, rank)
    return parts


def _remainder(totals: Int64Array, weights: Int64Array, parts: Int64Array, whole: Int64Array) -> Int64Array:
    """What the floors leave: totals x weights - parts x whole. Both products wrap; their small difference is exact."""
    product: NDArray[np.uint64] = totals.astype(np.uint64) * weights.astype(np.uint64)
    product -= parts.astype(np.uint64) * whole.astype(np.uint64)
    return product.astype(np.int64)


def _extra(left: Int64Array, remainder: Int64Array, rank: Sequence[int] | None) -> Int64Array:
    """One unit for the rows with the largest remainders, as many as are left in each column."""
    extra = np.zeros_like(remainder)
    columns = np.flatnonzero(left > 0)
    if not len(columns):
        return extra
    rows = np.arange(len(remainder)) if rank is None else np.argsort(np.asarray(rank), kind="stable")
    order = rows[np.argsort(-remainder[np.ix_(rows, columns)], axis=0, kind="stable")]
    takes = np.arange(len(remainder))[:, None] < left[columns]
    chosen = np.zeros((len(remainder), len(columns)), dtype=np.int64)
    np.put_along_axis(chosen, order, takes.astype(np.int64), axis=0)
    extra[:, columns] = chosen
    return extra
