"""Which physical meter counts when: episodes and corrections put in one order."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from .reading import Quality
from .readings import Readings
from .scan_types import Correction, Episode, Limits

ALWAYS: Final = -(2**62)
"""Begin of the life before the first episode [ms]."""

_HOUR_MS = 3_600_000.0


@dataclass(frozen=True, slots=True)
class Life:
    """One physical meter between two declared boundaries.

    Attributes:
        at_ms: begin [ms UTC].
        micro: 1e6 x ratio x sign, the factor from register to 1e-6 of the unit of the point.
        limit_per_ms: most that can flow in a millisecond [register unit/ms]; None: no limit.
        modulus: rollover value [register unit]; None: none.
        end_reading: last register of the life before [its unit].
        start_reading: first register of this life.
    """

    at_ms: int
    micro: float
    limit_per_ms: float | None
    modulus: float | None
    end_reading: float | None = None
    start_reading: float | None = None

    def register(self, value: float) -> int:
        """Register as an integer [1e-6 of the unit], rounded half to even."""
        return round(self.micro * value)


@dataclass(frozen=True, slots=True)
class Lifelines:
    """All lives of a point in order; the first begins at `ALWAYS`."""

    lives: tuple[Life, ...]
    begins: tuple[int, ...]

    def at(self, time_ms: int | None) -> int:
        """Position of the life that holds `time_ms`; None means before everything."""
        return 0 if time_ms is None else bisect_right(self.begins, time_ms) - 1


def lifelines(episodes: Sequence[Episode], corrections: Sequence[Correction], limits: Limits) -> Lifelines:
    """Put episodes and boundary corrections in one order.

    Of two episodes at one time the later in the list counts. A boundary correction takes ratio, sign and limits from
    the episode it falls into; at the time of an episode it only adds its readings.
    """
    boundaries = tuple(c for c in corrections if c.kind == "boundary")
    return _lifelines(tuple(episodes), boundaries, limits)


@lru_cache(maxsize=8192)
def _lifelines(episodes: tuple[Episode, ...], boundaries: tuple[Correction, ...], limits: Limits) -> Lifelines:
    begins = {ALWAYS: Episode(ALWAYS)}
    begins.update({episode.at_ms: episode for episode in sorted(episodes, key=lambda e: e.at_ms)})
    for boundary in sorted(boundaries, key=lambda c: c.from_ms):
        before = begins[max(at for at in begins if at <= boundary.from_ms)]
        kept = before if before.at_ms == boundary.from_ms else replace(before, end_reading=None, start_reading=None)
        begins[boundary.from_ms] = replace(
            kept,
            at_ms=boundary.from_ms,
            end_reading=kept.end_reading if boundary.end_reading is None else boundary.end_reading,
            start_reading=kept.start_reading if boundary.start_reading is None else boundary.start_reading,
        )
    lives = tuple(_life(begins[at], limits) for at in sorted(begins))
    return Lifelines(lives, tuple(life.at_ms for life in lives))


def _life(episode: Episode, limits: Limits) -> Life:
    limit = limits.limit_per_h if episode.limit_per_h is None else episode.limit_per_h
    return Life(
        episode.at_ms,
        1e6 * episode.ratio * episode.sign,
        None if limit is None else limit / _HOUR_MS,
        limits.modulus if episode.modulus is None else episode.modulus,
        episode.end_reading,
        episode.start_reading,
    )


def corrected(readings: Readings, corrections: Sequence[Correction]) -> Readings:
    """Readings after the `retime` and `exclude` corrections, in that order, so that a re-timed one can be excluded."""
    retimes = [c for c in corrections if c.kind == "retime"]
    if retimes:
        readings = _retimed(readings, retimes)
    keep = np.ones(len(readings), dtype=np.bool_)
    for correction in corrections:
        if correction.kind == "exclude":
            keep &= (readings.time_ms < correction.from_ms) | (readings.time_ms > correction.to_ms)
    return readings if bool(keep.all()) else readings.take(keep)


def _retimed(readings: Readings, retimes: Sequence[Correction]) -> Readings:
    time_ms, quality = readings.time_ms.copy(), readings.quality.copy()
    uncertain = readings.quality == Quality.CLOCK_UNCERTAIN
    for correction in retimes:
        chosen = uncertain & (readings.time_ms >= correction.from_ms) & (readings.time_ms <= correction.to_ms)
        time_ms[chosen] = readings.time_ms[chosen] + correction.offset_ms
        quality[chosen] = Quality.GOOD
    return Readings.from_unsorted(time_ms, readings.value, quality, readings.span_ms)
