"""The park of `api_park` in 2025, for what needs the real clock: closing, as_of, differences.

Recorded on 1 January 2025. In March and April (local) every meter counts the same amount in every interval, that of
`PER_QUARTER`, so that a month is a multiplication. Nothing is missing and nothing is open: such a month can be closed.

    await write_books_park(url)                 # whole: recorded long ago, nothing late
    monkeypatch.setattr("parkcarbon.books.inventory.SETTLED_AFTER", dt.timedelta(0))   # close without a minute's wait
    await late_amount(database, "gate/active_energy_import", MARCH, 1_000_000)         # 1 kWh more came in a late batch
"""

import datetime as dt
from itertools import count

import numpy as np

from parkcarbon.kit.db import Database, Session, from_ms, to_ms
from parkcarbon.kit.pgcopy import Column

from .api_park import QUARTER_MS, ROLLUPS, make_partitions, write_park

RECORDED = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
MARCH = to_ms(dt.datetime(2025, 2, 28, 16, tzinfo=dt.UTC))
APRIL = to_ms(dt.datetime(2025, 3, 31, 16, tzinfo=dt.UTC))
END = to_ms(dt.datetime(2025, 4, 30, 16, tzinfo=dt.UTC))
QUARTERS = {"2025-03": 31 * 96, "2025-04": 30 * 96}
PER_QUARTER = {  # [unit of the point] by flow
    "import": 250.0,
    "export": 10.0,
    "generation": 50.0,
    "charge": 5.0,
    "discharge": 4.0,
    "fuel": 10.0,
    "heat": 0.5,
    "sub_meter": 80.0,
}
_SEQ = count(1)


async def write_books_park(url: str) -> None:
    """Write the park with its tokens and two whole months."""
    await write_park(url, data=False, known_on=RECORDED)
    async with await Database.connect(url, max_size=1) as database, database.transaction() as session:
        await make_partitions(session, *(dt.datetime(2025, month, 1, tzinfo=dt.UTC) for month in (2, 3, 4)))
        for row in await session.fetch("select point_id, flow from point where kind <> 'gauge'"):
            await _write_point(session, row["point_id"], PER_QUARTER[row["flow"]])
        await session.execute(ROLLUPS)


async def _write_point(session: Session, point_id: int, amount: float) -> None:
    starts = np.arange(MARCH, END, QUARTER_MS, dtype=np.int64)
    n = len(starts)
    await session.copy(
        "interval_15min",
        [
            Column("point_id", "int4", np.full(n, point_id)),
            Column("start", "timestamptz", starts),
            Column("amount_micro", "int8", np.full(n, round(amount * 1e6), dtype=np.int64)),
            Column("coverage", "float4", np.ones(n)),
            Column("method", "int2", np.zeros(n, np.int16)),
            Column("measured_ms", "int4", np.full(n, QUARTER_MS, np.int32)),
            Column("suspect", "bool", np.zeros(n, np.bool_)),
        ],
    )


async def late_amount(database: Database, point: str, start_ms: int, more_micro: int) -> None:
    """What ingest does with a late reading: a batch, a reading, and one interval that is another one now."""
    async with database.transaction() as session:
        point_id = await session.fetchval("select point_id from point where point = $1", point)
        source_id = await session.fetchval("select source_id from source limit 1")
        batch_id = await session.fetchval(
            "insert into batch (source_id, boot, seq, state, digest, header, made, n, t_min, t_max)"
            " values ($1, 'boot', $2, 'committed', '', '', now(), 1, $3, $3) returning batch_id",
            source_id,
            next(_SEQ),
            from_ms(start_ms),
        )
        await session.execute(
            "insert into reading (point_id, time, value, quality, batch_id) values ($1, $2, 1.0, 0, $3)",
            point_id,
            from_ms(start_ms),
            batch_id,
        )
        await session.execute(
            "update interval_15min set amount_micro = amount_micro + $3 where point_id = $1 and start = $2",
            point_id,
            from_ms(start_ms),
            more_micro,
        )
        await session.execute(
            "update rollup_day set amount_micro = amount_micro + $3 where point_id = $1"
            " and day = ($2::timestamptz at time zone 'UTC' + interval '8 hours')::date",
            point_id,
            from_ms(start_ms),
            more_micro,
        )
