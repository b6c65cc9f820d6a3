"""A small park in a real database and batches for it, for tests of ingest."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.parks import Applied, apply_park
from ingest.pool import Batch, Outcome, Writer
from ingest.queries import QUERIES
from parkcarbon.catalog.park import Park, decode_park
from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.db import Database, from_ms
from parkcarbon.wire.body import Row, SerialChange, Tombstone, draft
from parkcarbon.wire.frame import digest, freeze, open_frame, split
from parkcarbon.wire.topics import Address, Topic

PARK = "testpark"
NOW_MS = 1_795_219_200_000  # 2026-11-21T00:00:00Z
QUARTER_MS = 900_000
BOOT = "00000000000000aa"

METER = "active_energy_import"


def park_text(
    counters: int = 2,
    *,
    period_s: float = 900,
    kind: str = "counter",
    timezone: str = "Asia/Shanghai",
    more: str = "",
    point: str = "",
    sources: str = "",
) -> str:
    """Return the document of a park with so many electricity meters `m0`, `m1` and so on."""
    devices = "".join(
        f"""
  - device: m{number}
    name: {{zh: 表{number}, en: Meter {number}}}
    profile: generic-delta
    source: agent
    points:
      - {{quantity: {METER}, kind: {kind}, period_s: {period_s}, flow: import{point}}}"""
        for number in range(counters)
    )
    return f"""
park: {PARK}
name: {{zh: 试验园区, en: Test park}}
timezone: {timezone}
method: {{electricity_region: China/JS}}
sources:
  - {{source: agent}}
  - {{source: old, kind: import, window_from: 1969-01-01T00:00:00Z, window_to: 2027-12-31T00:00:00Z}}{sources}
devices:{devices}{more}
"""


@dataclass
class Sender:
    """Freezes batches of one source with gapless numbers."""

    source: str = "agent"
    boot: str = BOOT
    seq: int = 0
    made_ms: int = NOW_MS
    via: str | None = None
    sent: list[Batch] = field(default_factory=list)

    def batch(
        self,
        rows: Sequence[Row],
        *,
        tombstones: Sequence[Tombstone] = (),
        serials: Sequence[SerialChange] = (),
        made_ms: int | None = None,
    ) -> Batch:
        """Freeze and decode a batch."""
        self.seq += 1
        frame = freeze(
            draft(rows, tombstones=tombstones, serials=serials),
            park=PARK,
            source=self.source,
            boot=self.boot,
            seq=self.seq,
            prev="",
            made=self.made_ms if made_ms is None else made_ms,
        )
        made = received(frame, self.source, self.boot, self.seq, self.via)
        self.sent.append(made)
        return made


def received(frame: bytes, source: str, boot: str, seq: int, via: str | None = None) -> Batch:
    """Decode a frame as the receiver does."""
    topic = Topic(Address(PARK, source, via), "readings", boot, seq)
    header, body = open_frame(frame, topic=topic)
    line, _ = split(frame)
    return Batch(topic, header, line, body, frame, digest(frame))


def counter_rows(
    point: str, start_ms: int, values: Sequence[float | None], *, step_ms: int = QUARTER_MS, quality: int = 0
) -> list[Row]:
    """Rows of one point at even steps."""
    return [
        Row(point, start_ms + at * step_ms, value, 2 if value is None else quality) for at, value in enumerate(values)
    ]


class Ingest:
    """A writer on a database with a park."""

    def __init__(self, database: Database, now_ms: int = NOW_MS) -> None:
        self.database = database
        self.writer = Writer(database)
        self.clock = ManualClock(now_ms)

    async def apply(self, text: str, folder: Path = Path()) -> Applied:
        """Apply a park document without checking it."""
        park = decode_park(text)
        return await apply_park(self.database, park, folder, author="test", reason="test")

    @property
    def park(self) -> Park | None:
        return None

    async def commit(self, *batches: Batch, now_ms: int | None = None, backlog: bool = False) -> list[Outcome]:
        """Commit batches in one pool."""
        now = from_ms(self.clock.now_ms() if now_ms is None else now_ms)
        return await self.writer.commit(batches, now, backlog=backlog)

    async def intervals(self, point: str = f"m0/{METER}") -> list[tuple[object, ...]]:
        """All columns of the intervals of a point."""
        rows = await self.database.fetch(
            "select i.start, i.amount_micro, i.coverage, i.method, i.measured_ms, i.suspect, i.co2e_nano_kg, f.factor,"
            " i.match from interval_15min i join point p using (point_id) left join factor f using (factor_id)"
            " where p.point = $1 order by i.start",
            point,
        )
        return [tuple(row.values()) for row in rows]

    async def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """All derived tables by the names of their points: what must not depend on how batches came."""
        queries = {
            "interval": "select p.point, i.start, i.amount_micro, i.coverage, i.method, i.measured_ms, i.suspect,"
            " i.co2e_nano_kg, i.match from interval_15min i join point p using (point_id) order by 1, 2",
            "hour": "select p.point, r.start, r.amount_micro, r.co2e_nano_kg, r.coverage, r.method, r.known_ms,"
            " r.measured_ms, r.suspect_ms from rollup_hour r join point p using (point_id) order by 1, 2",
            "day": "select p.point, r.day, r.amount_micro, r.co2e_nano_kg, r.coverage, r.method, r.known_ms,"
            " r.measured_ms, r.suspect_ms from rollup_day r join point p using (point_id) order by 1, 2",
            "month": "select p.point, r.month, r.amount_micro, r.co2e_nano_kg, r.coverage, r.method, r.known_ms,"
            " r.measured_ms, r.suspect_ms from rollup_month r join point p using (point_id) order by 1, 2",
            "boundary": "select p.point, b.at, b.kind, b.old_value, b.new_value, b.amount_micro"
            " from boundary b join point p using (point_id) order by 1, 2, 3",
            "question": "select p.point, q.at, q.kind, q.document from question q join point p using (point_id)"
            " order by 1, 2, 3",
            "state": "select p.point, s.state, s.last_time, s.last_value, s.last_quality"
            " from point_state s join point p using (point_id) order by 1",
            "checkpoint": "select p.point, c.at, c.state from point_checkpoint c join point p using (point_id)"
            " order by 1, 2",
        }
        return {
            name: [tuple(row.values()) for row in await self.database.fetch(query)] for name, query in queries.items()
        }

    async def count(self, table: str) -> int:
        """Rows of a table."""
        counts = {
            "reading": "select count(*) from reading",
            "quarantine": "select count(*) from quarantine where released_at is null",
            "reading_conflict": "select count(*) from reading_conflict",
            "delta_correction": "select count(*) from delta_correction",
            "recompute": "select count(*) from recompute",
            "loss_record": "select count(*) from loss_record",
            "batch": "select count(*) from batch",
        }
        return int(await self.database.fetchval(counts[table]))


async def open_ingest(url: str) -> Ingest:
    """Connect as ingest does."""
    return Ingest(await Database.connect(url, max_size=3, setup=QUERIES["make_staging"]))


def utc(text: str) -> int:
    """ISO time to ms since 1970 UTC."""
    return int(dt.datetime.fromisoformat(text).timestamp() * 1000)
