"""The small park with rules, and readings committed as ingest does: batch, readings, newest, notification."""

import datetime as dt
import random
import time
from dataclasses import dataclass, field

from alerts.channels.base import Channel, ChannelError, Message
from alerts.config import Config
from alerts.service import Service
from parkcarbon.alarm.rules.load import load_rules
from parkcarbon.alarm.rules.store import apply_rules
from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.db import Database, Row, from_ms
from tests.fakes.api_park import PARK, make_partitions, write_park

POINT = "m1/active_power"
RULES = """
park: demo
receivers:
  - {receiver: desk, channel: desk, language: en}
rules:
  - rule: m1-high
    kind: threshold
    name: {zh: 一号表过高, en: Meter 1 high}
    of: [m1/active_power]
    on: 100 kW
    off: 90 kW
    priority: high
    receivers: [desk]
"""


def minute_of_now_ms() -> int:
    """Begin of this minute [ms UTC]: the lease goes by the clock of the database, so a test's own begins with it.

    For each test anew: a time of the module's own is as old as the whole run, and readings before it are the past.
    """
    return time.time_ns() // 60_000_000_000 * 60_000


@dataclass
class Desk:
    """A channel that keeps what it takes."""

    taken: list[Message] = field(default_factory=list)
    refuse: ChannelError | None = None

    async def send(self, message: Message) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.taken.append(message)

    @property
    def whys(self) -> list[str]:
        return [message.why for message in self.taken]


@dataclass
class Desks:
    """Channels by name; those that nobody named are all one desk."""

    desk: Channel = field(default_factory=Desk)
    others: dict[str, Channel] = field(default_factory=dict)

    def get(self, name: str) -> Channel | None:
        return self.others.get(name, self.desk)


@dataclass
class AlarmPark:
    """A park in a database."""

    database: Database
    url: str
    seq: int = 0

    async def rules(self, text: str = RULES) -> None:
        """Put rules in force."""
        async with self.database.transaction() as session:
            await apply_rules(session, load_rules(text), "energy manager", "test")

    async def read(self, *readings: tuple[str, int, float], recorded_at: dt.datetime | None = None) -> None:
        """Commit readings (point, time [ms UTC], value) of one batch."""
        self.seq += 1
        times = [at for _, at, _ in readings]
        async with self.database.transaction() as session:
            batch = await session.fetchval(
                "insert into batch (source_id, boot, seq, state, digest, header, made, n, t_min, t_max, recorded_at)"
                " select source_id, 'b', $1, 'committed', ''::bytea, '', $2, $3, $4, $5, coalesce($6, now())"
                " from source where park_id = 'demo' returning batch_id",
                *(self.seq, from_ms(max(times)), len(readings), from_ms(min(times)), from_ms(max(times)), recorded_at),
            )
            for point, at_ms, value in readings:
                point_id = await session.fetchval("select point_id from point where point = $1", point)
                await session.execute(
                    "insert into reading (point_id, time, value, quality, batch_id) values ($1, $2, $3, 0, $4)",
                    *(point_id, from_ms(at_ms), value, batch),
                )
                await session.execute(
                    "insert into point_state (point_id, last_time, last_value, last_quality) values ($1, $2, $3, 0)"
                    " on conflict (point_id) do update set last_time = excluded.last_time,"
                    " last_value = excluded.last_value, last_quality = 0, updated_at = now()"
                    " where point_state.last_time < excluded.last_time",
                    *(point_id, from_ms(at_ms), value),
                )
            await session.execute("select pg_notify('parkcarbon_live', 'demo')")

    async def episodes(self) -> list[Row]:
        """The list of alarms."""
        return await self.database.fetch("select * from alarm_episode order by began_at, episode_id")

    async def messages(self) -> list[Row]:
        """The outbox."""
        return await self.database.fetch("select * from alarm_message order by recorded_at, key")

    async def phases(self) -> dict[str, str]:
        """Phases by subject."""
        rows = await self.database.fetch("select subject, phase from alarm_state")
        return {row["subject"]: row["phase"] for row in rows}


async def open_park(url: str) -> AlarmPark:
    """A park without readings and without rules."""
    await write_park(url, data=False)
    database = await Database.connect(url, max_size=4)
    async with database.transaction() as session:
        now = dt.datetime.now(dt.UTC)
        months = {(at.year, at.month) for at in (now - dt.timedelta(days=31), now, now + dt.timedelta(days=1))}
        await make_partitions(session, *(dt.datetime(year, month, 1, tzinfo=dt.UTC) for year, month in sorted(months)))
    return AlarmPark(database, url)


def service(park: AlarmPark, clock: ManualClock, desks: Desks | None = None) -> Service:
    """An evaluator that is looked after by hand."""
    return Service(
        Config(database_url=park.url, alerts_page_url="https://p"), clock, random.Random(1), desks or Desks()
    )


assert PARK == "demo"
