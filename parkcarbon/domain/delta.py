"""Delta readings (energy of [from, to): interval files, bills) to 15-minute intervals.

A delta is spread pro rata over time and rounded cumulatively: its parts sum to exactly rint(1e6 x scale x value).

What a partial computation needs. Intervals in `[from, to)` (both multiples of 15 min) depend on every reading that
overlaps them, on readings that overlap those (an overlap is refused in order of start), and for the zero rule on
`CONTEXT_READINGS` readings on each side. Give all of them and pass `window=(from, to)`: only intervals inside the
window come out.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .acceptance import JITTER_MS
from .reading import INTERVAL_MS, Method, Quality
from .readings import BoolArray, FloatArray, Int64Array, Readings, imposed_method
from .scan_types import NO_PARTIAL, Question, ScanResult
from .segments import Pairs, split_columns

ZERO_RUN: Final = 3
"""So many zero readings in a row stand for missing ones, where zeros are not legal."""

CONTEXT_READINGS: Final = ZERO_RUN - 1
"""Readings needed on each side of a window to judge runs of zeros."""


def zeros_are_legal(carrier: str) -> bool:
    """A building may burn no gas or take no heat for hours; its electricity never stands still.

    >>> zeros_are_legal("gas"), zeros_are_legal("electricity")
    (True, False)
    """
    return carrier != "electricity"


def spread(
    readings: Readings,
    period_ms: int,
    *,
    scale: float = 1.0,
    zero_run: int | None = ZERO_RUN,
    window: tuple[int, int] | None = None,
    may_be_negative: bool = False,
) -> ScanResult:
    """Spread delta readings over 15-minute intervals.

    Args:
        readings: `time_ms` is the start of each span, `value` its amount [unit of the point].
        period_ms: length of a span where the reading does not say [ms].
        scale: ratio times sign [1].
        zero_run: this many zero readings in a row make their intervals suspect; None where zeros are legal
            (`zeros_are_legal`). The amounts stay as recorded.
        window: give only intervals that start in `[from_ms, to_ms)`, and questions about readings that reach into it.
        may_be_negative: the point says that amounts below zero occur: they are neither suspect nor asked about.

    Returns:
        Intervals, and a question per overlap that was refused (the reading that starts first counts) and per negative
        amount (kept and marked suspect: what comes in is put aside before it gets here, but a sign may be turned
        later). No state: a delta stands for itself.
    """
    kept = readings.for_energy()
    length = np.where(kept.span_ms > 0, kept.span_ms, period_ms).astype(np.int64)
    negative = np.zeros(len(kept), np.bool_) if may_be_negative else kept.value < 0
    suspect = (kept.quality == Quality.SUSPECT) | negative
    if zero_run is not None:
        suspect |= zero_runs(kept.value, zero_run)
    refused = overlapping(kept.time_ms, kept.time_ms + length)
    questions = _questions(kept, length, refused, negative, window)
    accepted = ~refused
    start, length = kept.time_ms[accepted], length[accepted]
    imposed = imposed_method(kept.quality[accepted])
    amount = np.rint(1e6 * scale * kept.value[accepted]).astype(np.int64)
    method = np.maximum(_span_method(length, period_ms), imposed)
    pairs = Pairs(start, start + length, amount, method, suspect[accepted])
    intervals, _ = split_columns(pairs, None, NO_PARTIAL, ())
    return ScanResult(intervals if window is None else intervals.between(*window), questions=questions)


def zero_runs(value: FloatArray, at_least: int) -> BoolArray:
    """True for each value in a run of at least so many zeros.

    >>> zero_runs(np.array([0.0, 0, 1, 0, 0, 0]), 3).tolist()
    [False, False, False, True, True, True]
    """
    zero = np.concatenate(([False], value == 0, [False]))
    edges = np.flatnonzero(zero[1:] != zero[:-1])
    begin, end = edges[::2], edges[1::2]
    change = np.zeros(len(value) + 1, np.int64)
    long = end - begin >= at_least
    change[begin[long]] += 1
    change[end[long]] -= 1
    return np.asarray(np.cumsum(change[:-1]) > 0)


def overlapping(start: Int64Array, end: Int64Array) -> BoolArray:
    """True for spans that reach into one that started earlier and was itself not refused; `start` ascends."""
    refused = np.zeros(len(start), np.bool_)
    if not bool((start[1:] < end[:-1]).any()):
        return refused
    free_from = None
    for position, (begin, finish) in enumerate(zip(start.tolist(), end.tolist(), strict=True)):
        if free_from is not None and begin < free_from:
            refused[position] = True
        else:
            free_from = finish
    return refused


def _span_method(length: Int64Array, period_ms: int) -> NDArray[np.int8]:
    measured = max(period_ms, INTERVAL_MS) + JITTER_MS
    return np.where(length <= measured, Method.MEASURED, Method.INTERPOLATED).astype(np.int8)


def _questions(
    readings: Readings,
    length: Int64Array,
    refused: BoolArray,
    negative: BoolArray,
    window: tuple[int, int] | None,
) -> tuple[Question, ...]:
    asked = refused | negative
    if window is not None:
        asked &= (readings.time_ms < window[1]) & (readings.time_ms + length > window[0])
    return tuple(
        Question(
            int(readings.time_ms[at]),
            "overlap" if refused[at] else "negative",
            {"span_ms": int(length[at]), "value": float(readings.value[at])},
        )
        for at in np.flatnonzero(asked).tolist()
    )
