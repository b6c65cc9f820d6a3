"""The `reading` table made again from the raw batches: it is only their index."""

import datetime as dt
from collections.abc import Sequence

import structlog
import zstandard

from parkcarbon.books.derive.model import Source
from parkcarbon.kit.db import Row, Session, to_ms
from parkcarbon.wire.body import Body
from parkcarbon.wire.errors import RefusedError
from parkcarbon.wire.frame import FRAME_MAX_BYTES, open_frame

from .absorb import lock_points
from .exchanges import declare
from .group import POOL_READINGS
from .judge import Rows, judge
from .partitions import READING, PartitionsMissingError, months_of
from .pool import Writer
from .queries import QUERIES
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
            opened = [(batch, _body_of(batch)) for batch in batches]
            exchanges = any(body.serials for _, body in opened)
            async with writer.configured(changing=exchanges) as session:
                told = [
                    (_source_of(writer, batch), change, to_ms(batch["recorded_at"]))
                    for batch, body in opened
                    for change in body.serials
                ]
                if told and await declare(session, writer.model, told):
                    await writer.refresh(session)
                parts = [part for batch, body in opened if len(part := _rows_of(writer, batch, body))]
                entered = 0
                points = {point_id for part in parts for point_id in part.point_id.tolist()}
                await lock_points(session, sorted(points), writer.model)  # of all pools at once: in key order
                while parts:
                    pool = [parts.pop(0)]
                    while parts and sum(map(len, pool)) + len(parts[0]) <= POOL_READINGS:
                        pool.append(parts.pop(0))
                    entered += await _absorb(writer, session, Rows.concatenate(pool), now)
                return entered
        except PartitionsMissingError as error:
            await writer.partitions.ensure(error.months)


def _source_of(writer: Writer, batch: Row) -> Source:
    return writer.model.sources[batch["park_id"], batch["source"]]


def _body_of(batch: Row) -> Body:
    frame = zstandard.ZstdDecompressor().decompress(batch["raw"], max_output_size=FRAME_MAX_BYTES)
    try:
        _, body = open_frame(frame)
    except RefusedError:
        log.exception("replay.unreadable", batch_id=batch["batch_id"])
        raise
    return body


def _rows_of(writer: Writer, batch: Row, body: Body) -> Rows:
    source = _source_of(writer, batch)
    rows, _ = judge(body, source, writer.absorber.lookup(source.park), batch["batch_id"], to_ms(batch["recorded_at"]))
    return rows


async def _absorb(writer: Writer, session: Session, rows: Rows, now: dt.datetime) -> int:
    writer.partitions.require(months_of(READING, rows.time_ms))
    missing = rows.take(await missing_of(session, rows))
    if len(missing):
        await writer.absorber.absorb(session, missing, now, dt.timedelta())
    return len(missing)
