"""A park whose October 2026 came through the custody path, and its statement: for tests of evidence.

Counters with a reset, a glitch and a gap, a delta point whose values came twice, late batches, a quarantined reading.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from parkcarbon.kit.db import Database, Session
from parkcarbon.statement.compose import Order, compose
from parkcarbon.statement.log.seal import seal
from parkcarbon.statement.record import Record
from parkcarbon.wire.body import Row
from tests.fakes.ingest_park import METER, PARK, QUARTER_MS, Ingest, Sender, open_ingest, park_text, utc
from tests.integration.test_derive_reprice import settle

START = utc("2026-09-27T00:00:00+00:00")
STEPS = 36 * 96
BILL = "bill/active_energy_export"
_DELTA = """
  - device: bill
    name: {zh: 账单, en: Bill}
    profile: generic-delta
    source: agent
    points:
      - {quantity: active_energy_export, kind: delta, period_s: 3600, flow: sub_meter}"""


@dataclass
class EvidencePark:
    """The park with its statement of October."""

    ingest: Ingest
    record: Record
    sender: Sender

    @property
    def database(self) -> Database:
        return self.ingest.database


def counter(number: int) -> list[Row]:
    """A counter with a reset, a glitch and a gap in October."""
    rng = random.Random(number)
    value, rows = 500.0, []
    for at in range(STEPS):
        value = round(value + rng.uniform(0, 40), 2)
        if at == 1500 and number % 2:
            value = 3.0
        shown = value + 9000 if at == 1700 else value
        if not 1300 <= at < 1420:
            rows.append(Row(f"m{number}/{METER}", START + at * QUARTER_MS, shown))
    return rows


def deltas(*, more: float = 0.0, step: int = 1) -> list[Row]:
    rng = random.Random(8)
    values = [0.0 if 400 <= at < 404 else round(rng.uniform(0, 90), 1) for at in range(STEPS // 4)]
    kept = [at for at in range(len(values)) if at % step == 0 and not 300 <= at < 330]
    return [Row(BILL, START + at * 4 * QUARTER_MS, values[at] + more) for at in kept]


async def snapshot(session: Session) -> None:
    await session.execute("set transaction isolation level repeatable read")


async def compose_now(database: Database, *, kind: str = "statement", **members: object) -> Record:
    """Seal everything and compose October as known now."""
    await seal(database)
    as_of = await database.fetchval("select clock_timestamp()")
    async with database.transaction() as session:
        await snapshot(session)
        order: dict[str, object] = {"park": PARK, "period": "2026-10", "kind": kind, "as_of": as_of, "now": as_of}
        return await compose(session, Order(**(order | members)))  # type: ignore[arg-type]  # a test's short form


async def bring(ingest: Ingest, sender: Sender, rows: Sequence[Row], made_ms: int | None = None) -> None:
    for at in range(0, len(rows), 1000):
        await ingest.commit(sender.batch(rows[at : at + 1000], made_ms=made_ms))


async def evidence_park(url: str, *, counters: int = 3, timezone: str = "Asia/Shanghai") -> EvidencePark:
    """Commit the month and compose its statement; `inventory.SETTLED_AFTER` must be nothing."""
    ingest = await open_ingest(url)
    sender = Sender()
    await ingest.apply(park_text(counters, more=_DELTA, point=", limit_per_h: 400", timezone=timezone))
    rows = sorted((row for number in range(counters) for row in counter(number)), key=lambda row: row.t)
    late = [row for row in rows if row.point == f"m0/{METER}" and 1000 <= (row.t - START) // QUARTER_MS < 1060]
    held = {id(row) for row in late}
    await bring(ingest, sender, [row for row in rows if id(row) not in held])
    await bring(ingest, sender, deltas())
    await bring(ingest, sender, late)
    await bring(ingest, sender, deltas(more=1.5, step=3), sender.made_ms + 1)
    await bring(ingest, sender, [Row("nobody/active_energy_import", START + 900 * QUARTER_MS, 1.0)])
    await settle(ingest)
    record = await compose_now(ingest.database)
    return EvidencePark(ingest, record, sender)
