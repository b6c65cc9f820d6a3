"""What the scan needs to read back: stored readings, checkpoints, deltas in force. Times [ms UTC]."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from parkcarbon.domain.lifelines import corrected
from parkcarbon.domain.readings import Int64Array, Readings
from parkcarbon.domain.scan_types import ScanState
from parkcarbon.kit.db import Session, from_ms, to_ms
from parkcarbon.kit.pgcopy import Array, PgType

from .model import Point
from .queries import QUERIES

BEGIN_MS = -30_610_224_000_000  # year 1000
END_MS = 253_370_764_800_000  # year 9999

_TYPES: dict[str, PgType] = {"time": "timestamptz", "value": "float8", "quality": "int2", "span_ms": "int4"}


@dataclass(frozen=True)
class Known:
    """What was known at a moment.

    Attributes:
        as_of: the moment.
        before_batch: every batch with a smaller number was known by then.
        withheld_ms: by point, times [ms UTC] of readings that were set aside then, though their batch was there.
    """

    as_of: dt.datetime
    before_batch: int
    withheld_ms: Mapping[int, Int64Array] = field(default_factory=dict)


EVERYTHING = Known(dt.datetime(9999, 1, 1, tzinfo=dt.UTC), 2**63 - 1)
"""All that is stored."""


def moment(time_ms: int) -> dt.datetime:
    """Return a time as the database takes it, cut to the years 1000 to 9999."""
    return from_ms(min(max(time_ms, BEGIN_MS), END_MS))


async def checkpoint_before(session: Session, point: Point, time_ms: int) -> tuple[int, ScanState]:
    """Return the newest checkpoint at or before a time, else the beginning of time and an empty state."""
    row = await session.fetchrow(QUERIES["checkpoint_before"], point.point_id, moment(time_ms))
    if row is None:
        return BEGIN_MS, ScanState()
    return to_ms(row["at"]), ScanState.from_bytes(row["state"])


async def checkpoints_between(session: Session, point: Point, after_ms: int, upto_ms: int) -> dict[int, bytes]:
    """Return the stored checkpoints in `(after, upto]` by their time."""
    rows = await session.fetch(QUERIES["checkpoints_between"], point.point_id, moment(after_ms), moment(upto_ms))
    return {to_ms(row["at"]): row["state"] for row in rows}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some readings and where the next chunk begins; None: these were the last."""

    readings: Readings
    next_ms: int | None


async def chunk_of(session: Session, point: Point, start_ms: int, limit: int, known: Known = EVERYTHING) -> Chunk:
    """Read the next readings of a counter by the time at which they count, at most about `limit`.

    Exclusions and re-timing are applied. Re-timed readings count at another time than their stamp: a point that has any
    is read in one chunk, beginning earlier by the largest offset.
    """
    reach = max((abs(c.offset_ms) for c in point.corrections if c.kind == "retime"), default=0)
    columns = await _columns(session, point, (start_ms - reach, END_MS), None if reach else limit, known)
    more = not reach and len(columns["time"]) == limit
    next_ms = int(columns["time"][-1]) if more else None
    readings = corrected(_readings(columns, point, known), point.corrections)
    inside = readings.time_ms >= start_ms
    if next_ms is not None:
        inside &= readings.time_ms < next_ms
    return Chunk(readings.take(inside), next_ms)


async def _columns(
    session: Session, point: Point, span: tuple[int, int], limit: int | None, known: Known
) -> dict[str, Array]:
    low, high = moment(span[0]), moment(span[1])
    return await session.fetch_columns(
        QUERIES["readings_between"], point.point_id, low, high, limit, known.before_batch, known.as_of, types=_TYPES
    )


def _readings(columns: dict[str, Array], point: Point, known: Known) -> Readings:
    readings = Readings(
        columns["time"], columns["value"], columns["quality"].astype(np.int8), columns["span_ms"].astype(np.int32)
    )
    withheld = known.withheld_ms.get(point.point_id)
    return readings if withheld is None else readings.take(~np.isin(readings.time_ms, withheld))


@dataclass(frozen=True, slots=True)
class DeltaContext:
    """Delta readings in force around a span, and whether they begin and end with the point's first and last."""

    readings: Readings
    from_first: bool
    to_last: bool


async def deltas_around(
    session: Session,
    point: Point,
    from_ms: int,
    upto_ms: int,
    *,
    neighbours: int,
    margin_ms: int,
    longest_ms: int,
    known: Known = EVERYTHING,
) -> DeltaContext:
    """Read the deltas that overlap `[from, upto]` and at least so many neighbours, or a margin, on each side.

    Args:
        session: connection inside the transaction.
        point: a delta point.
        from_ms: begin of the span.
        upto_ms: end of the span.
        neighbours: readings wanted on each side.
        margin_ms: time wanted on each side.
        longest_ms: no delta of the point is longer than this.
        known: what counts.
    """
    span = point.point_id, moment(from_ms), moment(upto_ms)
    row = await session.fetchrow(QUERIES["delta_bounds"], *span, neighbours, known.before_batch, known.as_of)
    low_ms, high_ms = from_ms - margin_ms, upto_ms + margin_ms
    first = last = True
    if row is not None:
        first, last = row["before"] < neighbours, row["after"] < neighbours
        low_ms = min(low_ms, to_ms(row["low"])) if row["low"] is not None else low_ms
        high_ms = max(high_ms, to_ms(row["high"])) if row["high"] is not None else high_ms
    low_ms -= longest_ms
    columns = await _columns(session, point, (low_ms, high_ms + 1), None, known)
    readings = await _in_force(session, point, _readings(columns, point, known), (low_ms, high_ms), known)
    return DeltaContext(corrected(readings, point.corrections), first, last)


async def _in_force(
    session: Session, point: Point, readings: Readings, bounds: tuple[int, int], known: Known
) -> Readings:
    """Replace values that a later made batch gave anew."""
    low, high = moment(bounds[0]), moment(bounds[1])
    rows = await session.fetch(QUERIES["deltas_in_force"], point.point_id, low, high, known.as_of)
    if not rows:
        return readings
    value, quality, span = readings.value.copy(), readings.quality.copy(), readings.span_ms.copy()
    for row in rows:
        at = int(np.searchsorted(readings.time_ms, to_ms(row["time"])))
        value[at] = np.nan if row["value"] is None else row["value"]
        quality[at], span[at] = row["quality"], row["span_ms"]
    return Readings(readings.time_ms, value, quality, span)
