"""Quarantined readings that may be stored by now: their points were unknown, or may show amounts below zero since."""

import datetime as dt
import math

import numpy as np
import structlog

from parkcarbon.domain.reading import OUTSIDE_ENERGY
from parkcarbon.kit.db import Row, Session
from parkcarbon.wire.errors import Flaw

from .judge import Rows, signs, stays_positive
from .partitions import READING, PartitionsMissingError, months_of
from .pool import Writer
from .queries import QUERIES

log = structlog.get_logger(__name__)

AT_A_TIME = 20_000


async def release(writer: Writer, park: str, now: dt.datetime) -> int:
    """Store the waiting readings of a park whose points are registered now; return how many."""
    released = 0
    while True:
        try:
            async with writer.database.transaction() as session:
                await writer.refresh(session, await session.fetchval(QUERIES["version_for_share"]))
                found = await session.fetch(QUERIES["quarantine_waiting"], park, AT_A_TIME)
                if not found:
                    return released
                released += await _release(session, writer, found, now)
                await session.execute(QUERIES["notify"], "parkcarbon_live", park)
        except PartitionsMissingError as error:
            await writer.partitions.ensure(error.months)
        else:
            log.info("quarantine.released", park=park, readings=released)


async def _release(session: Session, writer: Writer, found: list[Row], now: dt.datetime) -> int:
    flaws = [_flaw(writer, row) for row in found]
    bad = [(row["batch_id"], row["row"], flaw.value) for row, flaw in zip(found, flaws, strict=True) if flaw]
    if bad:
        await session.executemany(QUERIES["quarantine_refuse"], bad)
    good = [row for row, flaw in zip(found, flaws, strict=True) if flaw is None]
    if not good:
        return 0
    rows = Rows(
        np.array([row["point_id"] for row in good], dtype=np.int32),
        np.array([row["time_ms"] for row in good], dtype=np.int64),
        np.array([_value(row["value_text"]) for row in good], dtype=np.float64),
        np.array([row["quality"] for row in good], dtype=np.int8),
        np.array([_span_ms(row) for row in good], dtype=np.int32),
        np.array([row["batch_id"] for row in good], dtype=np.int64),
    )
    writer.partitions.require(months_of(READING, rows.time_ms))
    await writer.absorber.absorb(session, rows, now, dt.timedelta())
    await session.execute(
        QUERIES["quarantine_release"], [row["batch_id"] for row in good], [row["row"] for row in good]
    )
    return len(good)


def _flaw(writer: Writer, row: Row) -> Flaw | None:
    """What still keeps a reading out now that its point is known."""
    if row["kind"] != "delta":
        return Flaw.BAD_SPAN if row["span_ms"] else None
    point, value = writer.model.by_id[row["point_id"]], _value(row["value_text"])
    counts = row["quality"] not in OUTSIDE_ENERGY and stays_positive(point, writer.absorber.below_zero)
    sign = float(signs(point, np.array([row["time_ms"]], dtype=np.int64))[0])
    return Flaw.NEGATIVE if counts and value * sign < 0 else None


def _value(text: str) -> float:
    return math.nan if text == "null" else float(text)


def _span_ms(row: Row) -> int:
    if row["kind"] != "delta":
        return 0
    return row["span_ms"] or row["period_ms"]  # type: ignore[no-any-return]
