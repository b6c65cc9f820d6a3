"""Delta readings to results: spread again whatever changed, with the neighbours that can matter."""

import json

import numpy as np

from parkcarbon.domain.delta import CONTEXT_READINGS, ZERO_RUN, spread, zeros_are_legal
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.domain.readings import FloatArray, Int64Array, Readings
from parkcarbon.kit.db import Session

from .energy import Replacement, substituted
from .model import Point
from .stored import BEGIN_MS, END_MS, EVERYTHING, Known, deltas_around

_NEIGHBOURS = 8
_MARGIN_MS = 2 * 3_600_000


async def respread(
    session: Session, point: Point, from_ms: int, to_ms: int, longest_ms: int, *, known: Known = EVERYTHING
) -> Replacement:
    """Spread the deltas of a point again around what changed.

    Args:
        session: connection inside the transaction; the point's state is locked.
        point: a delta point.
        from_ms: start of the first delta that changed [ms UTC].
        to_ms: start of the last one [ms UTC].
        longest_ms: no delta of the point is longer than this [ms].
        known: what counts.
    """
    neighbours = _NEIGHBOURS
    while True:
        context = await deltas_around(
            session,
            point,
            from_ms,
            to_ms,
            neighbours=neighbours,
            margin_ms=_MARGIN_MS,
            longest_ms=longest_ms,
            known=known,
        )
        readings = context.readings
        end = readings.time_ms + np.where(readings.span_ms > 0, readings.span_ms, point.limits.period_ms)
        first, last = _group(readings, end, from_ms, to_ms)
        if (first > 0 or context.from_first) and (last < len(readings) or context.to_last):
            return substituted(_replacement(point, readings, first, last))
        neighbours *= 8


def longest_of(state: bytes) -> int:
    """Length of the longest delta of a point [ms], from its stored state."""
    return int(json.loads(state)["longest_ms"])


def _group(readings: Readings, end: Int64Array, from_ms: int, to_ms: int) -> tuple[int, int]:
    """Return `[first, last)`: the deltas that can change, bounded by places that no delta reaches across."""
    n = len(readings)
    low, high = np.searchsorted(readings.time_ms, (from_ms, to_ms + 1))
    low, high = max(int(low) - CONTEXT_READINGS, 0), min(int(high) + CONTEXT_READINGS, n)
    clean = np.ones(n + 1, dtype=bool)
    if n > 1:
        clean[1:n] = np.maximum.accumulate(end)[:-1] <= readings.time_ms[1:]
    places = np.flatnonzero(clean)
    first = int(places[np.searchsorted(places, low, side="right") - 1])
    last = int(places[np.searchsorted(places, high)])
    return first, last


def _replacement(point: Point, readings: Readings, first: int, last: int) -> Replacement:
    whole_from, whole_to = first == 0, last == len(readings)
    from_ms = BEGIN_MS if whole_from else _floor(int(readings.time_ms[first]))
    to_ms = END_MS if whole_to else _floor(int(readings.time_ms[last]) + INTERVAL_MS - 1)
    scaled = Readings(
        readings.time_ms, readings.value * _scales(point, readings.time_ms), readings.quality, readings.span_ms
    )
    found = spread(
        scaled,
        point.limits.period_ms,
        zero_run=None if zeros_are_legal(point.carrier) else ZERO_RUN,
        window=(from_ms, to_ms),
        may_be_negative=point.may_be_negative,
    )
    facts_from = BEGIN_MS if whole_from else int(readings.time_ms[first])
    facts_to = END_MS if whole_to else int(readings.time_ms[last])
    return Replacement(
        point,
        found.intervals,
        from_ms=from_ms,
        to_ms=to_ms,
        boundaries=(),
        questions=tuple(question for question in found.questions if facts_from <= question.at_ms < facts_to),
        facts_from_ms=facts_from,
        facts_to_ms=facts_to,
    )


def _scales(point: Point, time_ms: Int64Array) -> FloatArray:
    """Ratio times sign of the episode in force at each time [1]."""
    episodes = sorted(point.episodes, key=lambda episode: episode.at_ms)
    scale = np.array([1.0, *(episode.ratio * episode.sign for episode in episodes)])
    starts = np.array([episode.at_ms for episode in episodes], dtype=np.int64)
    found: FloatArray = scale[np.searchsorted(starts, time_ms, side="right")]
    return found


def _floor(time_ms: int) -> int:
    return time_ms - time_ms % INTERVAL_MS
