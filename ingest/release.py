"""Quarantined readings of points that were unknown when they came: into the store once the point is registered."""

import datetime as dt
import math

import numpy as np
import structlog

from parkcarbon.kit.db import Row, Session
from parkcarbon.wire.errors import Flaw

from .judge import Rows
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
    bad = [row for row in found if row["kind"] != "delta" and row["span_ms"]]
    if bad:
        values = [(row["batch_id"], row["row"], Flaw.BAD_SPAN.value) for row in bad]
        await session.executemany(QUERIES["quarantine_refuse"], values)
    good = [row for row in found if row["kind"] == "delta" or not row["span_ms"]]
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


def _value(text: str) -> float:
    return math.nan if text == "null" else float(text)


def _span_ms(row: Row) -> int:
    if row["kind"] != "delta":
        return 0
    return row["span_ms"] or row["period_ms"]  # type: ignore[no-any-return]
