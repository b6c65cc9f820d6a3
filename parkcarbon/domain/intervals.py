"""Fifteen-minute intervals of one point as parallel arrays: what the scan gives and the store keeps."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .reading import INTERVAL_MS
from .readings import BoolArray, Int64Array


@dataclass(frozen=True)
class Intervals:
    """Intervals `[start, start + 15 min)`, ascending, at most one per start.

    Attributes:
        start_ms: start of the interval [ms UTC], a multiple of 15 min.
        amount_micro: energy or volume [1e-6 of the unit of the point], after ratio and sign.
        coverage: part of the interval over which the amount is known, in [0, 1].
        method: worst `Method` of the parts of the interval.
        measured_ms: time in the interval that is measured [ms].
        suspect: True where a reading behind the amount is doubtful; the amount is shown as recorded.
    """

    start_ms: Int64Array
    amount_micro: Int64Array
    coverage: NDArray[np.float32]
    method: NDArray[np.int8]
    measured_ms: Int64Array
    suspect: BoolArray

    def __len__(self) -> int:
        return len(self.start_ms)

    @classmethod
    def empty(cls) -> "Intervals":
        """No intervals."""
        return cls(
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
            np.zeros(0, np.float32),
            np.zeros(0, np.int8),
            np.zeros(0, np.int64),
            np.zeros(0, np.bool_),
        )

    @property
    def total_micro(self) -> int:
        """Sum of the amounts [1e-6 of the unit]: exact."""
        return int(self.amount_micro.sum())

    def take(self, which: BoolArray | Int64Array | slice) -> "Intervals":
        """The intervals chosen by a mask, indices or a slice."""
        return Intervals(
            self.start_ms[which],
            self.amount_micro[which],
            self.coverage[which],
            self.method[which],
            self.measured_ms[which],
            self.suspect[which],
        )

    def between(self, from_ms: int, to_ms: int) -> "Intervals":
        """The intervals that start in `[from_ms, to_ms)`."""
        low, high = np.searchsorted(self.start_ms, (from_ms, to_ms))
        return self.take(slice(int(low), int(high)))

    def replaced_by(self, later: "Intervals") -> "Intervals":
        """These intervals after a later result has replaced those with the same start."""
        return Intervals.merge((self, later))

    @classmethod
    def merge(cls, results: Iterable["Intervals"]) -> "Intervals":
        """Union of results in the order they were computed: for one start the last one counts."""
        chosen = tuple(results)
        if not chosen:
            return cls.empty()
        start = np.concatenate([part.start_ms for part in chosen])
        order = np.argsort(start, kind="stable")
        in_order = start[order]
        last = np.ones(len(order), dtype=np.bool_)
        last[:-1] = in_order[1:] != in_order[:-1]
        kept = order[last]
        return cls(
            start[kept],
            np.concatenate([part.amount_micro for part in chosen])[kept],
            np.concatenate([part.coverage for part in chosen])[kept],
            np.concatenate([part.method for part in chosen])[kept],
            np.concatenate([part.measured_ms for part in chosen])[kept],
            np.concatenate([part.suspect for part in chosen])[kept],
        )

    def to_bytes(self) -> bytes:
        """The six arrays one after the other: two results are the same when these bytes are."""
        return b"".join(
            array.tobytes()
            for array in (
                self.start_ms,
                self.amount_micro,
                self.coverage,
                self.method,
                self.measured_ms,
                self.suspect,
            )
        )


def interval_start(time_ms: int) -> int:
    """Start of the interval that holds `time_ms` [ms UTC]."""
    return time_ms - time_ms % INTERVAL_MS
