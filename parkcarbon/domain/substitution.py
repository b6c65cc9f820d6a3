"""Energy where none is known: amounts by a rule, and how they stand beside what is measured.

A substitution is a fact that carries one amount for each 15-minute interval of its span, so applying it needs nothing
but itself: what is measured wins, the rest is filled up, and nothing that is substituted counts as measured.

References:
    accounting rules 6.1 (a closed gap is filled conservatively, documented and shown: EU MRR art. 65/66), 6.2 (mean of
    the quality-assured values before and after; without one before, the first after; fuel use and the like: best
    estimate from all process data, documented: 40 CFR 98.35(b)), 6.3 (a punitive default where one is declared), 6.7
    (substituted is a data state of its own and not completeness).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .intervals import Intervals
from .reading import INTERVAL_MS, Method
from .readings import BoolArray, Int64Array
from .refusal import RefusedError

LESS_IS_CONSERVATIVE: Final = frozenset({"export", "generation", "discharge"})
"""Flows whose energy lowers what the park answers for: there the smaller value is the conservative one."""


@dataclass(frozen=True, slots=True)
class Substitution:
    """One substitution in force.

    Attributes:
        substitution_id: row of `substitution`.
        from_ms: begin of its span [ms UTC], on an interval boundary.
        amounts_micro: amount of each interval of the span [1e-6 unit].
    """

    substitution_id: int
    from_ms: int
    amounts_micro: tuple[int, ...]

    @property
    def to_ms(self) -> int:
        """End of the span, exclusive [ms UTC]."""
        return self.from_ms + len(self.amounts_micro) * INTERVAL_MS


def applied(intervals: Intervals, substitutions: Sequence[Substitution], window: tuple[int, int]) -> Intervals:
    """Intervals with what substitutions put where nothing, or not everything, is known.

    An interval that is wholly known stays as it is. Of one that is partly known the rest is taken pro rata and added,
    rounded half to even. Measured time stays what it was.

    Args:
        intervals: as the scan gives them, ascending.
        substitutions: of the same point, without overlap.
        window: only intervals that start in `[from_ms, to_ms)` are filled.
    """
    for one in substitutions:
        low, high = max(one.from_ms, window[0]), min(one.to_ms, window[1])
        first, last = -(-(low - one.from_ms) // INTERVAL_MS), -(-(high - one.from_ms) // INTERVAL_MS)
        if first < last:
            start = one.from_ms + np.arange(first, last, dtype=np.int64) * INTERVAL_MS
            intervals = _filled(intervals, start, np.array(one.amounts_micro[first:last], dtype=np.int64))
    return intervals


def _filled(intervals: Intervals, start_ms: Int64Array, amount_micro: Int64Array) -> Intervals:
    at = np.searchsorted(intervals.start_ms, start_ms)
    there = np.zeros(len(start_ms), np.bool_)
    inside = at < len(intervals)
    there[inside] = intervals.start_ms[at[inside]] == start_ms[inside]
    added = _new(start_ms[~there], amount_micro[~there])
    kept = intervals.take(at[there])
    missing_ms = INTERVAL_MS - np.rint(kept.coverage.astype(np.float64) * INTERVAL_MS).astype(np.int64)
    open_ = missing_ms > 0
    rest = _shares(amount_micro[there][open_], missing_ms[open_])
    replaced = _completed(kept.take(open_), rest)
    return Intervals.merge((intervals, added, replaced))


def _new(start_ms: Int64Array, amount_micro: Int64Array) -> Intervals:
    n = len(start_ms)
    return Intervals(
        start_ms,
        amount_micro,
        np.ones(n, np.float32),
        np.full(n, Method.SUBSTITUTED, np.int8),
        np.zeros(n, np.int64),
        np.zeros(n, np.bool_),
    )


def _completed(partly: Intervals, rest_micro: Int64Array) -> Intervals:
    """Partly known intervals with their rest; what is estimated or entered by hand stays called so."""
    method = np.where(partly.method == Method.MISSING, Method.SUBSTITUTED, partly.method)
    return Intervals(
        partly.start_ms,
        partly.amount_micro + rest_micro,
        np.ones(len(partly), np.float32),
        np.maximum(method, Method.SUBSTITUTED).astype(np.int8),
        partly.measured_ms,
        partly.suspect,
    )


def _shares(amount_micro: Int64Array, part_ms: Int64Array) -> Int64Array:
    """Amount x part / 15 min, rounded half to even, without leaving 64 bits."""
    whole, left = np.divmod(amount_micro, INTERVAL_MS)
    quotient, remainder = np.divmod(left * part_ms, INTERVAL_MS)
    up = (2 * remainder > INTERVAL_MS) | ((2 * remainder == INTERVAL_MS) & (quotient % 2 == 1))
    shares: Int64Array = whole * part_ms + quotient + up
    return shares


# ── amounts by rule ──────────────────────────────────────────────────────────────────────────────


def quality_assured(intervals: Intervals) -> BoolArray:
    """True for the intervals that may stand for others: wholly measured and not doubtful."""
    assured: BoolArray = (
        (intervals.method == Method.MEASURED) & (intervals.measured_ms == INTERVAL_MS) & ~intervals.suspect
    )
    return assured


def mean_amounts(before_micro: int | None, after_micro: int | None, count: int) -> list[int]:
    """Amounts of a gap by rule 6.2: the mean of the quality-assured values before and after it.

    Args:
        before_micro: amount of the last assured interval before the gap [1e-6 unit]; None: there is none.
        after_micro: amount of the first one after it.
        count: intervals of the gap.

    Raises:
        RefusedError: there is none after it: the gap is not closed yet.

    >>> mean_amounts(10, 13, 2), mean_amounts(None, 7, 3)
    ([12, 11], [7, 7, 7])
    """
    if after_micro is None:
        raise RefusedError("6.2", "no quality-assured value after the gap: it is not closed, wait or enter an estimate")
    if before_micro is None:
        return [after_micro] * count
    return even_amounts(half_even((before_micro + after_micro) * count, 2), count)


def conservative_amounts(
    reference_micro: Int64Array, reference_slot: Int64Array, wanted_slot: Int64Array, *, flow: str | None
) -> list[int]:
    """Amounts of a gap by rule 6.1: of each interval the value that makes the park answer for most.

    The highest quality-assured amount of the same slot (quarter of an hour of the day, working day or not) in the
    reference time; for what lowers the inventory (export, generation, discharge) the lowest. A slot without a value
    takes that of the whole reference time.

    Args:
        reference_micro: quality-assured amounts [1e-6 unit].
        reference_slot: slot of each.
        wanted_slot: slot of each interval of the gap.
        flow: what the point means for the balance.

    Raises:
        RefusedError: no reference at all.
    """
    if not len(reference_micro):
        raise RefusedError("6.1", "no quality-assured value near the gap: there is nothing to be conservative about")
    least = flow in LESS_IS_CONSERVATIVE
    extreme = int(reference_micro.min() if least else reference_micro.max())
    by_slot: dict[int, int] = {}
    for slot, amount in zip(reference_slot.tolist(), reference_micro.tolist(), strict=True):
        known = by_slot.setdefault(slot, amount)
        by_slot[slot] = min(known, amount) if least else max(known, amount)
    return [by_slot.get(slot, extreme) for slot in wanted_slot.tolist()]


def default_amounts(declared_micro_per_h: int | None, count: int) -> list[int]:
    """Amounts of a gap by rule 6.3: a punitive default, where one is declared.

    Args:
        declared_micro_per_h: the declared amount of an hour [1e-6 unit/h]; None: none is declared.
        count: intervals of the gap.

    Raises:
        RefusedError: none is declared, or it is negative.
    """
    if declared_micro_per_h is None:
        raise RefusedError("6.3", "no default is declared for this point")
    if declared_micro_per_h < 0:
        raise RefusedError("6.3", f"the declared default is negative: {declared_micro_per_h / 1e6:g} per hour")
    return even_amounts(half_even(declared_micro_per_h * count, 4), count)


def profile_weights(reference_micro: Int64Array, reference_slot: Int64Array, wanted_slot: Int64Array) -> list[int]:
    """Weights after which a known total is spread: the mean assured amount of each interval's slot [1e-6 unit].

    A slot without a value weighs as the mean of all; without any reference all weigh the same.
    """
    if not len(reference_micro):
        return [1] * len(wanted_slot)
    mean = half_even(int(reference_micro.sum()), len(reference_micro))
    sums: dict[int, list[int]] = {}
    for slot, amount in zip(reference_slot.tolist(), reference_micro.tolist(), strict=True):
        sums.setdefault(slot, []).append(amount)
    means = {slot: half_even(sum(amounts), len(amounts)) for slot, amounts in sums.items()}
    return [max(0, means.get(slot, mean)) for slot in wanted_slot.tolist()]


def spread_total(total_micro: int, weights: Sequence[int]) -> list[int]:
    """A total in proportion to weights; the parts sum exactly.

    Cumulative rounding: part k is the difference of total x W_k / W, each rounded half to even.

    Args:
        total_micro: what the parts sum to [1e-6 unit].
        weights: none negative; all zero: even parts.

    >>> spread_total(10, [1, 1, 1]), spread_total(7, [0, 0])
    ([3, 4, 3], [4, 3])
    """
    whole = sum(weights)
    if not whole:
        return even_amounts(total_micro, len(weights))
    parts, heap, before = [], 0, 0
    for weight in weights:
        heap += weight
        upto = half_even(total_micro * heap, whole)
        parts.append(upto - before)
        before = upto
    return parts


def even_amounts(total_micro: int, count: int) -> list[int]:
    """A total in equal parts that sum exactly."""
    return spread_total(total_micro, [1] * count)


def half_even(numerator: int, denominator: int) -> int:
    """Quotient of integers, rounded half to even.

    >>> half_even(5, 2), half_even(7, 2), half_even(-5, 2)
    (2, 4, -2)
    """
    quotient, remainder = divmod(numerator, denominator)
    if 2 * remainder > denominator or (2 * remainder == denominator and quotient % 2):
        return quotient + 1
    return quotient


def slots(start_ms: Int64Array, midnight_ms: Int64Array, working: NDArray[np.bool_]) -> Int64Array:
    """Slot of each interval: quarter of an hour of its local day, and whether that is a working day.

    Args:
        start_ms: starts [ms UTC].
        midnight_ms: begins of the local days, ascending; the first not after the first start [ms UTC].
        working: whether each of those days is one.
    """
    day = np.searchsorted(midnight_ms, start_ms, side="right") - 1
    found: Int64Array = (start_ms - midnight_ms[day]) // INTERVAL_MS + np.where(working[day], 0, 1000)
    return found
