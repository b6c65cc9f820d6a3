"""Readings of one point as parallel arrays: what the scan and the spreading of deltas take.

A reading is what the register showed, before ratio and sign. Quality decides whether it may enter energy at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .reading import OUTSIDE_ENERGY, Method, Quality

Int64Array = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_OUTSIDE = np.zeros(256, dtype=np.bool_)
_OUTSIDE[[int(quality) for quality in OUTSIDE_ENERGY]] = True

_METHODS = np.zeros(256, np.int8)
_METHODS[Quality.ESTIMATED] = Method.ESTIMATED
_METHODS[Quality.MANUAL] = Method.MANUAL
_METHODS[Quality.SUBSTITUTED] = Method.SUBSTITUTED


@dataclass(frozen=True, slots=False)
class Readings:
    """Readings of one point, strictly ascending in time.

    Attributes:
        time_ms: time stamps [ms UTC]; for a delta reading the start of its span.
        value: register, gauge or delta value [unit of the point]; NaN means the device said "no value".
        quality: codes of `Quality`.
        span_ms: length of a delta reading [ms]; 0 where the point's period applies, and for other kinds.
    """

    time_ms: Int64Array
    value: FloatArray
    quality: NDArray[np.int8]
    span_ms: NDArray[np.int32]

    def __post_init__(self) -> None:
        """Refuse arrays of different length and times out of order."""
        n = len(self.time_ms)
        if not len(self.value) == len(self.quality) == len(self.span_ms) == n:
            msg = f"arrays differ in length: {n}, {len(self.value)}, {len(self.quality)}, {len(self.span_ms)}"
            raise ValueError(msg)
        if n == 2 and self.time_ms[1] <= self.time_ms[0]:
            raise ValueError("times must ascend strictly: use Readings.from_unsorted")
        if n > 2 and not bool((self.time_ms[1:] > self.time_ms[:-1]).all()):
            raise ValueError("times must ascend strictly: use Readings.from_unsorted")

    def __len__(self) -> int:
        return len(self.time_ms)

    @classmethod
    def of(
        cls,
        time_ms: ArrayLike,
        value: Sequence[float | None] | FloatArray,
        quality: ArrayLike | None = None,
        span_ms: ArrayLike | None = None,
    ) -> "Readings":
        """Build from sequences that are already in order; None in `value` becomes NaN, no quality means good."""
        times = np.asarray(time_ms, dtype=np.int64)
        return cls(
            times,
            np.asarray(value, dtype=np.float64),
            np.zeros(len(times), np.int8) if quality is None else np.asarray(quality, dtype=np.int8),
            np.zeros(len(times), np.int32) if span_ms is None else np.asarray(span_ms, dtype=np.int32),
        )

    @classmethod
    def from_unsorted(
        cls,
        time_ms: ArrayLike,
        value: Sequence[float | None] | FloatArray,
        quality: ArrayLike | None = None,
        span_ms: ArrayLike | None = None,
    ) -> "Readings":
        """Sort by time and drop repetitions: any order and any duplication of the same readings gives the same bytes.

        Of several different readings with one time stamp the one kept is the best (lowest quality code), then the
        one with the smallest value, then the shortest span; NaN comes last. The store keeps the first it committed and
        records the conflict, so this rule only decides where there is no store.
        """
        loose_time = np.asarray(time_ms, dtype=np.int64)
        loose = np.asarray(value, dtype=np.float64)
        codes = np.zeros(len(loose), np.int8) if quality is None else np.asarray(quality, dtype=np.int8)
        spans = np.zeros(len(loose), np.int32) if span_ms is None else np.asarray(span_ms, dtype=np.int32)
        order = np.lexsort((spans, loose, codes, loose_time))
        sorted_time = loose_time[order]
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = sorted_time[1:] != sorted_time[:-1]
        kept = order[first]
        return cls(loose_time[kept], loose[kept], codes[kept], spans[kept])

    @classmethod
    def empty(cls) -> "Readings":
        """No readings."""
        return cls.of([], [])

    @classmethod
    def concatenate(cls, parts: Iterable["Readings"]) -> "Readings":
        """Join, sort and deduplicate."""
        chosen = tuple(parts)
        if not chosen:
            return cls.empty()
        return cls.from_unsorted(
            np.concatenate([part.time_ms for part in chosen]),
            np.concatenate([part.value for part in chosen]),
            np.concatenate([part.quality for part in chosen]),
            np.concatenate([part.span_ms for part in chosen]),
        )

    def take(self, which: BoolArray | Int64Array | slice) -> "Readings":
        """The readings chosen by a mask, ascending indices or a slice."""
        return Readings(self.time_ms[which], self.value[which], self.quality[which], self.span_ms[which])

    @cached_property
    def in_energy(self) -> BoolArray:
        """True where quality and value allow the reading to enter energy."""
        return enters_energy(self.value, self.quality)

    def for_energy(self) -> "Readings":
        """Only the readings that may enter energy."""
        allowed = self.in_energy
        return self if bool(allowed.all()) else self.take(allowed)


def enters_energy(value: FloatArray, quality: NDArray[np.int8]) -> BoolArray:
    """True where quality and value allow a reading to enter energy."""
    allowed: BoolArray = ~_OUTSIDE[quality.view(np.uint8)] & np.isfinite(value)
    return allowed


def imposed_method(quality: NDArray[np.int8]) -> NDArray[np.int8]:
    """The best `Method` that readings of these quality codes allow on either side of them."""
    return _METHODS[quality.view(np.uint8)]


def quality_name(code: int) -> str:
    """Lower-case name of a quality code, as messages and pages print it."""
    return Quality(code).name.lower()
