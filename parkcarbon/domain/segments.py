"""Pairs of registers to 15-minute intervals, in integers.

A pair says: between `t0` and `t1` the register moved by `delta_micro`. Inside a pair the register is interpolated and
rounded at every interval boundary; an interval gets the difference of those integers, so the sum over any span that
begins and ends on a reading is exactly the difference of its registers, however the readings were batched.

Two implementations give the same integers: plain Python for a few pairs, where numpy would spend its time on calls, and
numpy for many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .intervals import Intervals
from .reading import INTERVAL_MS, Method
from .readings import BoolArray, Int64Array
from .scan_types import NO_PARTIAL, Partial

_MEASURED = int(Method.MEASURED)
_MISSING = int(Method.MISSING)

PairRow = tuple[int, int, int, int, bool]
"""t0 [ms], t1 [ms], delta [1e-6 unit], method, suspect."""

SMALL_PARTS = 96
"""Up to about this many parts plain Python is quicker than numpy."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs as columns, ascending and without overlap.

    Attributes:
        t0: begin [ms UTC].
        t1: end [ms UTC], later than `t0`.
        delta_micro: movement of the register [1e-6 of the unit], after ratio and sign.
        method: `Method` of the pair; nothing is known inside a missing one.
        suspect: True where one of its readings is doubtful.
    """

    t0: Int64Array
    t1: Int64Array
    delta_micro: Int64Array
    method: NDArray[np.int8]
    suspect: BoolArray

    @classmethod
    def of_rows(cls, rows: Sequence[PairRow]) -> "Pairs":
        """Columns from rows."""
        t0, t1, delta, method, suspect = zip(*rows, strict=True) if rows else ((), (), (), (), ())
        return cls(
            np.array(t0, np.int64),
            np.array(t1, np.int64),
            np.array(delta, np.int64),
            np.array(method, np.int8),
            np.array(suspect, np.bool_),
        )


class PairLog:
    """Collects pairs in time order, one by one or in blocks."""

    __slots__ = ("_blocks", "count", "rows")

    def __init__(self) -> None:
        self.count = 0
        self.rows: list[PairRow] = []
        self._blocks: list[Pairs] = []

    def add(self, t0: int, t1: int, delta_micro: int, method: int, *, suspect: bool = False) -> None:
        """Append one pair; nothing where no time passes."""
        if t1 > t0:
            self.rows.append((t0, t1, delta_micro, method, suspect))
            self.count += 1

    def add_block(self, pairs: Pairs) -> None:
        """Append many."""
        if self.rows:
            self._blocks.append(Pairs.of_rows(self.rows))
            self.rows = []
        self._blocks.append(pairs)
        self.count += len(pairs.t0)

    def newest(self, count: int) -> list[PairRow]:
        """The newest pairs that were appended one by one, at most `count`."""
        return self.rows[len(self.rows) - count :] if count else []

    @property
    def few(self) -> bool:
        """True when the rows cover so little time that plain Python is quicker."""
        if self._blocks or self.count > SMALL_PARTS:
            return False
        return self.count == 0 or (self.count + (self.rows[-1][1] - self.rows[0][0]) // INTERVAL_MS < SMALL_PARTS)

    def columns(self) -> Pairs:
        """All pairs."""
        blocks = [*self._blocks, Pairs.of_rows(self.rows)] if self.rows or not self._blocks else self._blocks
        if len(blocks) == 1:
            return blocks[0]
        return Pairs(
            np.concatenate([block.t0 for block in blocks]),
            np.concatenate([block.t1 for block in blocks]),
            np.concatenate([block.delta_micro for block in blocks]),
            np.concatenate([block.method for block in blocks]),
            np.concatenate([block.suspect for block in blocks]),
        )


class Cut(NamedTuple):
    """Where the accumulators of the open interval are wanted: after `pairs` pairs, at `time_ms`."""

    pairs: int
    time_ms: int


def split_log(
    log: PairLog, begin_ms: int | None, partial: Partial, cuts: Sequence[Cut]
) -> tuple[Intervals, list[Partial]]:
    """Spread all pairs of a log over intervals.

    Args:
        log: pairs in order.
        begin_ms: where the first pair begins and `partial` ends [ms UTC]; None when there is no past.
        partial: accumulators of the interval that holds `begin_ms`, up to it.
        cuts: ascending positions at which the accumulators of the open interval are wanted.

    Returns:
        The interval that was open, those the pairs touch, and one partial per cut.
    """
    if log.few:
        return _split_rows(log.rows, begin_ms, partial, cuts)
    return split_columns(log.columns(), begin_ms, partial, cuts)


class _Open:
    """The interval that is being filled, and those that are done."""

    __slots__ = ("amount", "done", "index", "known", "measured", "method", "suspect")

    def __init__(self, begin_ms: int | None, partial: Partial) -> None:
        self.done: list[tuple[int, int, int, int, int, bool]] = []
        self.index = None if begin_ms is None else begin_ms // INTERVAL_MS
        self.amount, self.known, self.measured, self.method, self.suspect = partial

    def close(self) -> None:
        if self.index is not None:
            self.done.append((self.index, self.amount, self.known, self.measured, self.method, self.suspect))

    def partial_at(self, time_ms: int) -> Partial:
        """Accumulators, if `time_ms` lies in the open interval; else nothing is known of its interval yet."""
        if time_ms // INTERVAL_MS != self.index:
            return NO_PARTIAL
        return Partial(self.amount, self.known, self.measured, self.method, self.suspect)

    def add_pair(self, row: PairRow) -> None:
        t0, t1, delta, method, suspect = row
        start, before = t0, 0
        while start < t1:
            here = start // INTERVAL_MS
            if here != self.index:
                self.close()
                self.index = here
                self.amount, self.known, self.measured, self.method, self.suspect = NO_PARTIAL
            end = (here + 1) * INTERVAL_MS
            if end < t1:
                register = round(delta * ((end - t0) / (t1 - t0)))
            else:
                end, register = t1, delta
            self.amount += register - before
            if method != _MISSING:
                self.known += end - start
                if method == _MEASURED:
                    self.measured += end - start
            self.method = max(self.method, method)
            self.suspect = self.suspect or suspect
            start, before = end, register

    def intervals(self) -> Intervals:
        self.close()
        index, amount, known, measured, method, suspect = zip(*self.done, strict=True)
        return Intervals(
            np.array(index, np.int64) * INTERVAL_MS,
            np.array(amount, np.int64),
            (np.array(known, np.int64) / INTERVAL_MS).astype(np.float32),
            np.array(method, np.int8),
            np.array(measured, np.int64),
            np.array(suspect, np.bool_),
        )


def _split_rows(
    rows: Sequence[PairRow], begin_ms: int | None, partial: Partial, cuts: Sequence[Cut]
) -> tuple[Intervals, list[Partial]]:
    filling = _Open(begin_ms, partial)
    partials: list[Partial] = []
    for position, row in enumerate(rows):
        while len(partials) < len(cuts) and cuts[len(partials)].pairs == position:
            partials.append(filling.partial_at(cuts[len(partials)].time_ms))
        filling.add_pair(row)
    partials.extend(filling.partial_at(cut.time_ms) for cut in cuts[len(partials) :])
    if not rows and partial == NO_PARTIAL:
        return Intervals.empty(), partials
    return filling.intervals(), partials


@dataclass(frozen=True, slots=True)
class Parts:
    """Pairs cut at the interval boundaries, in time order."""

    index: Int64Array
    amount: Int64Array
    known: Int64Array
    measured: Int64Array
    method: NDArray[np.int8]
    suspect: BoolArray
    first: Int64Array  # part with which each pair begins, and their number at the end

    def accumulate(self, low: int, high: int) -> Partial:
        """The parts `[low, high)` together."""
        chosen = slice(low, high)
        return Partial(
            int(self.amount[chosen].sum()),
            int(self.known[chosen].sum()),
            int(self.measured[chosen].sum()),
            int(self.method[chosen].max()),
            bool(self.suspect[chosen].any()),
        )


def split_columns(
    pairs: Pairs, begin_ms: int | None, partial: Partial, cuts: Sequence[Cut]
) -> tuple[Intervals, list[Partial]]:
    """As `split_log`, for columns; pairs may leave holes between them."""
    if len(pairs.t0) == 0:
        return _split_rows((), begin_ms, partial, cuts)
    parts = cut_pairs(pairs)
    partials = _partials(parts, begin_ms, partial, cuts)
    starts = np.flatnonzero(np.concatenate(([True], parts.index[1:] != parts.index[:-1])))
    amount = np.add.reduceat(parts.amount, starts)
    known = np.add.reduceat(parts.known, starts)
    measured = np.add.reduceat(parts.measured, starts)
    method = np.maximum.reduceat(parts.method, starts)
    suspect = np.logical_or.reduceat(parts.suspect, starts)
    if begin_ms is not None and parts.index[0] == begin_ms // INTERVAL_MS:
        amount[0] += partial.amount_micro
        known[0] += partial.known_ms
        measured[0] += partial.measured_ms
        method[0] = max(int(method[0]), partial.method)
        suspect[0] |= partial.suspect
    coverage = (known / INTERVAL_MS).astype(np.float32)
    start_ms = parts.index[starts] * INTERVAL_MS
    return Intervals(start_ms, amount, coverage, method, measured, suspect), partials


def cut_pairs(pairs: Pairs) -> Parts:
    """Cut every pair at the interval boundaries inside it."""
    first_index = pairs.t0 // INTERVAL_MS
    counts = (pairs.t1 - 1) // INTERVAL_MS - first_index + 1
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    if int(first[-1]) == len(counts):
        known = pairs.t1 - pairs.t0
        index, amount, method, suspect = first_index, pairs.delta_micro, pairs.method, pairs.suspect
    else:
        pair = np.repeat(np.arange(len(counts)), counts)
        index = first_index[pair] + (np.arange(len(pair)) - first[pair])
        t0, t1, delta = pairs.t0[pair], pairs.t1[pair], pairs.delta_micro[pair]
        end = np.minimum(t1, (index + 1) * INTERVAL_MS)
        known = end - np.maximum(t0, index * INTERVAL_MS)
        interpolated = np.rint(delta * ((end - t0) / (t1 - t0))).astype(np.int64)
        register = np.where(end == t1, delta, interpolated)
        amount = register.copy()
        amount[1:] -= np.where(pair[1:] == pair[:-1], register[:-1], 0)
        method, suspect = pairs.method[pair], pairs.suspect[pair]
    return Parts(
        index,
        amount,
        np.where(method == _MISSING, 0, known),
        np.where(method == _MEASURED, known, 0),
        method,
        suspect,
        first,
    )


def _partials(parts: Parts, begin_ms: int | None, partial: Partial, cuts: Sequence[Cut]) -> list[Partial]:
    begin = None if begin_ms is None else begin_ms // INTERVAL_MS
    found: list[Partial] = []
    for cut in cuts:
        wanted = cut.time_ms // INTERVAL_MS
        high = int(parts.first[cut.pairs])
        low = int(np.searchsorted(parts.index[:high], wanted))
        inside = parts.accumulate(low, high) if low < high else NO_PARTIAL
        found.append(_joined(partial, inside) if wanted == begin else inside)
    return found


def _joined(one: Partial, other: Partial) -> Partial:
    return Partial(
        one.amount_micro + other.amount_micro,
        one.known_ms + other.known_ms,
        one.measured_ms + other.measured_ms,
        max(one.method, other.method),
        one.suspect or other.suspect,
    )
