"""A flow as a sum of points, each with a factor, and so much an hour: data, not a language.

A factor that is a whole number keeps the sum exact; any other rounds each term once, to 1e-6 of the unit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parkcarbon.domain.readings import BoolArray, Int64Array

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Formula:
    """A flow that no meter shows by itself.

    Attributes:
        name: of the flow, in the place of a point.
        terms: points and their factors.
        constant_per_h: so much in every hour [unit/h].
    """

    name: str
    terms: tuple[tuple[str, float], ...]
    constant_per_h: float = 0.0


def evaluate(
    formula: Formula,
    amounts: Mapping[str, Int64Array],
    known: Mapping[str, BoolArray],
    *,
    span_ms: int = HOUR_MS,
) -> tuple[Int64Array, BoolArray]:
    """Amounts of a formula and where they are known: where every term is.

    Args:
        formula: the flow.
        amounts: by point [1e-6 unit], over the same spans of time.
        known: by point.
        span_ms: length of one span [ms].
    """
    points = [point for point, _ in formula.terms]
    size = len(amounts[points[0]])
    total = np.full(size, round(formula.constant_per_h * 1e6 * span_ms / HOUR_MS), dtype=np.int64)
    for point, factor in formula.terms:
        total += _times(amounts[point], factor)
    return total, _all_known([known[point] for point in points])


def _times(amount: Int64Array, factor: float) -> Int64Array:
    if factor == int(factor):
        whole: Int64Array = amount * int(factor)
        return whole
    rounded: Int64Array = np.rint(amount * factor).astype(np.int64)
    return rounded


def _all_known(marks: Sequence[BoolArray]) -> BoolArray:
    known: BoolArray = np.logical_and.reduce(marks)
    return known
