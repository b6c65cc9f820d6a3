"""A park with something behind every panel: readings, a closed month, a statement, certificates, alarms, faults."""

import datetime as dt
from typing import Final, LiteralString

import pytest

from ingest.localdays import write_all_local_days
from parkcarbon.books.instruments.ledger import enter_lot, record
from parkcarbon.books.periods import closing as periods
from parkcarbon.kit.db import Database

from .ledger import WHO, act, own
from .statement_desk import MANAGER, PARK, PERIOD, REVIEWER, open_desk

BEGIN: Final = dt.datetime(2025, 2, 28, 16, tzinfo=dt.UTC)
"""First moment of March 2025 in the park."""

FAULTS: Final[tuple[LiteralString, ...]] = (
    """
    insert into batch (source_id, boot, seq, state, digest, header, made, n, t_min, t_max, recorded_at)
    select (select min(source_id) from source where park_id = $1::text), '00ff', b.seq, b.state, sha256('x'), '{}',
           $2::timestamptz, 12, $2::timestamptz, $2::timestamptz, $2::timestamptz + interval '2 seconds'
    from (values (1, 'committed'), (2, 'tombstone')) b (seq, state)""",
    """
    insert into loss_record (source_id, boot, seq, point, t_from, t_to, n, reason, recorded_at)
    select source_id, '00ff', 2, 'm1/active_power', $2::timestamptz, $2::timestamptz, 12, 'disk full', $2::timestamptz
    from source where park_id = $1::text order by 1 limit 1""",
    """
    insert into quarantine (batch_id, row, park_id, point, reason, recorded_at)
    select min(batch_id), 1, $1::text, 'm9/active_power', 'unknown-point', $2::timestamptz from batch""",
    """
    insert into reading_conflict (point_id, time, kept, other, batch_id, recorded_at)
    select min(point_id), $2::timestamptz, 1, 2, 1, $2::timestamptz from point where park_id = $1::text""",
    """
    insert into question (point_id, at, kind, document)
    select min(point_id), $2::timestamptz, 'reset', '{}' from point where park_id = $1::text""",
    """
    insert into point_state (point_id, last_time, last_value, last_quality)
    select min(point_id), $2::timestamptz, 12.5, 0 from point where park_id = $1::text
    on conflict (point_id) do update set last_time = excluded.last_time""",
    """
    insert into dead_letter (topic, payload, payload_bytes, reason, detail, recorded_at)
    values ('parkcarbon/v1/' || $1::text, 'x', 1, 'undecodable', 'no JSON', $2::timestamptz)""",
    """
    update source set status_at = $2::timestamptz, status = '{"online": true, "depth": 3, "readings": 40,
        "hours_left": 71.5, "backlog": false, "clock": "synced"}' where park_id = $1::text""",
    """
    insert into statement_task (park_id, action, period, due_on, error, recorded_at)
    values ($1::text, 'prepare', '2025-04', '2025-05-05', 'a meter is missing', $2::timestamptz)""",
)

ALARMS: Final[tuple[LiteralString, ...]] = (
    """
    insert into alarm_episode (park_id, rule, revision, kind, subject, priority, began_at, fired_at, value, worst,
                               limit_value, unit, reason_zh, reason_en)
    values ($1::text, 'gate-high', 1, 'threshold', 'gate/active_power', 'high', $2::timestamptz, $2::timestamptz,
            960, 970, 950, 'kW', '关口功率 960 kW 高于 950 kW', 'the gate takes 960 kW, above 950 kW')""",
    """
    insert into alarm_act (episode_id, act, person, recorded_at)
    select episode_id, 'acknowledge', 'operator', $2::timestamptz + interval '4 minutes' from alarm_episode
    where park_id = $1::text""",
    """
    insert into alarm_message (key, park_id, receiver, channel, why, priority, episodes, subject, body, details, state,
                               committed_at, recorded_at, sent_at)
    select 'k', $1::text, 'desk', 'mail', 'fired', 'high', array_agg(episode_id), 's', 'b', '{}', 'sent',
           $2::timestamptz, $2::timestamptz, $2::timestamptz + interval '1.5 seconds' from alarm_episode""",
)


async def write_report_scene(url: str) -> None:
    """Write everything."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("parkcarbon.books.inventory.SETTLED_AFTER", dt.timedelta(0))
        await _write(url)


async def _write(url: str) -> None:
    async with open_desk(url) as desk:
        database = desk.database
        async with database.transaction() as session:
            await write_all_local_days(session)
        await desk.issued(PERIOD)
        await _close(database)
        async with database.transaction() as session:
            lot = await enter_lot(session, PARK, own(1, 10, issued_for="exported", month="2025-03"), **WHO)
        async with database.transaction() as session:
            await record(session, PARK, act("sold", lot, count=3, on_day=dt.date(2025, 4, 10)), **WHO)
        await _faults(database)
        await _alarms(database)


async def _close(database: Database) -> None:
    async with database.transaction() as session:
        await periods.make_provisional(session, PARK, PERIOD, person=MANAGER, reason="", now=_now())
    async with database.transaction() as session:
        await periods.close(session, PARK, PERIOD, person=REVIEWER, reason="", now=_now())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)


async def _faults(database: Database) -> None:
    """A batch, a tombstone with its loss, quarantine, a conflict, a question, a dead letter, a status, an open task."""
    async with database.transaction() as session:
        await session.execute("alter table batch disable trigger user")
        for statement in FAULTS:
            await session.execute(statement, PARK, BEGIN + dt.timedelta(days=3))
        await session.execute("alter table batch enable trigger user")


async def _alarms(database: Database) -> None:
    async with database.transaction() as session:
        for statement in ALARMS:
            await session.execute(statement, PARK, BEGIN + dt.timedelta(days=3))
