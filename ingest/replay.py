"""The `reading` table made again from the raw batches: it is only their index."""

import datetime as dt
from collections.abc import Sequence

import structlog
import zstandard

from parkcarbon.kit.db import Row, Session, to_ms
from parkcarbon.wire.errors import RefusedError
from parkcarbon.wire.frame import FRAME_MAX_BYTES, open_frame

from .absorb import lock_points
from .group import POOL_READINGS
from .judge import Rows, judge
from .model import QUERIES
from .partitions import READING, PartitionsMissingError, months_of
from .pool import Writer
from .store import missing_of

log = structlog.get_logger(__name__)

BATCHES = 50


async def replay(writer: Writer, park: str, now: dt.datetime) -> tuple[int, int]:
    """Enter the readings of a park's stored batches that are not in the table.

    Each batch is judged as it was when it came: its time window is that of its reception. What changes is queued to be
    computed again.

    Returns:
        Batches read and readings entered.
    """
    last, read, entered = 0, 0, 0
    while True:
        rows = await writer.database.fetch(QUERIES["raw_batches"], park, last, BATCHES)
        if not rows:
            return read, entered
        last = rows[-1]["batch_id"]
        read += len(rows)
        entered += await _enter(writer, rows, now)


async def _enter(writer: Writer, batches: Sequence[Row], now: dt.datetime) -> int:
    while True:
        try:
            async with writer.database.transaction() as session:
                await writer.refresh(session, await session.fetchval(QUERIES["version_for_share"]))
                parts = [part for batch in batches if len(part := _rows_of(writer, batch))]
                entered = 0
                while parts:
                    pool = [parts.pop(0)]
                    while parts and sum(map(len, pool)) + len(parts[0]) <= POOL_READINGS:
                        pool.append(parts.pop(0))
                    entered += await _absorb(writer, session, Rows.concatenate(pool), now)
                return entered
        except PartitionsMissingError as error:
            await writer.partitions.ensure(error.months)


def _rows_of(writer: Writer, batch: Row) -> Rows:
    source = writer.model.sources[batch["park_id"], batch["source"]]
    frame = zstandard.ZstdDecompressor().decompress(batch["raw"], max_output_size=FRAME_MAX_BYTES)
    try:
        _, body = open_frame(frame)
    except RefusedError:
        log.exception("replay.unreadable", batch_id=batch["batch_id"])
        raise
    rows, _ = judge(body, source, writer.absorber.lookup(source.park), batch["batch_id"], to_ms(batch["recorded_at"]))
    return rows


async def _absorb(writer: Writer, session: Session, rows: Rows, now: dt.datetime) -> int:
    writer.partitions.require(months_of(READING, rows.time_ms))
    await lock_points(session, sorted(set(rows.point_id.tolist())), writer.model)
    missing = rows.take(await missing_of(session, rows))
    if len(missing):
        await writer.absorber.absorb(session, missing, now, dt.timedelta())
    return len(missing)
