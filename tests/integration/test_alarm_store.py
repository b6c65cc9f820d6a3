"""States, episodes and messages of alarms in the tables: what is entered once, and what is told."""

import asyncio
from dataclasses import replace

import pytest

from parkcarbon.alarm import store
from parkcarbon.alarm.store import Held, Outgoing, Raised, Seen
from parkcarbon.domain.alarm.types import AlarmState, Episode, Level, Observation, Phase, Said
from parkcarbon.kit.db import Database

BEGAN_MS = 1_795_219_200_000
PAIR = ("gate-limit", "point:gate/active_power")
LAST = Observation(PAIR[1], BEGAN_MS, Level.BEYOND, 960.0, 950.0, Said("高", "high"), BEGAN_MS + 5)
EPISODE = Episode(BEGAN_MS, BEGAN_MS + 60_000, worst=960.0, last=LAST)
STATE = AlarmState(PAIR[1], Phase.FIRING, BEGAN_MS, BEGAN_MS, EPISODE)
RAISED = Raised("gate-limit", 1, "threshold", "high", "kW", PAIR[1], EPISODE)


async def park(database: Database) -> None:
    await database.execute(
        "insert into park (park_id, name_zh, name_en, timezone, document, revision)"
        " values ('p', '园', 'Park', 'Asia/Shanghai', '{}', 1)"
    )


async def test_a_state_comes_back_as_it_was(database_url: str) -> None:
    async with await Database.connect(database_url) as database:
        await park(database)
        async with database.transaction() as session:
            ids = await store.open_episodes(session, "p", [RAISED])
            held = Held(STATE, ids[PAIR], BEGAN_MS + 7)
            await store.put_states(session, "p", {PAIR: held})
            assert await store.states(session, "p") == {PAIR: held}
            assert await store.lock_states(session, "p", [PAIR, ("other", "park")]) == {PAIR: held}
            assert await store.open_episodes(session, "p", [RAISED]) == ids, "one open alarm of a rule and subject"
            over = Seen(ids[PAIR], replace(EPISODE, worst=990.0), resolved_ms=BEGAN_MS + 120_000)
            await store.see_episodes(session, [over])
            row = await session.fetchrow("select * from alarm_episode")
            assert row is not None
            assert (row["worst"], row["value"], row["unit"], row["reason_zh"]) == (990.0, 960.0, "kW", "高")
            assert row["resolved_at"] is not None
            assert await store.open_episodes(session, "p", [RAISED]) != ids
            await store.drop_states(session, "p", [PAIR])
            assert await store.states(session, "p") == {}


async def test_a_past_alarm_is_entered_once_and_grows(database_url: str) -> None:
    async with await Database.connect(database_url) as database:
        await park(database)
        async with database.transaction() as session:
            assert await store.past_episode(session, "p", RAISED, BEGAN_MS + 60_000) is not None
            earlier = replace(RAISED, episode=replace(EPISODE, from_ms=BEGAN_MS - 60_000))
            assert await store.past_episode(session, "p", earlier, BEGAN_MS + 30_000) is None
            assert await session.fetchval("select resolved_at - began_at = '2 min' from alarm_episode")
            later = replace(RAISED, episode=replace(EPISODE, from_ms=BEGAN_MS + 600_000, fired_ms=None))
            assert await store.past_episode(session, "p", later, BEGAN_MS + 660_000) is not None
            assert await session.fetchval("select count(*) from alarm_episode where historical") == 2


async def test_what_stood_already_is_not_entered_as_past(postgres_url: str) -> None:
    async with await Database.connect(postgres_url) as database:
        await park(database)
        async with database.transaction() as session:
            await store.open_episodes(session, "p", [RAISED])
            assert await store.past_episode(session, "p", RAISED, BEGAN_MS + 60_000) is None
            assert await session.fetchval("select count(*) from alarm_episode") == 1


async def test_a_message_is_entered_once_by_its_key_and_tells_its_channel(database_url: str) -> None:
    message = Outgoing("7-first-0-desk", "desk", "mail", "first", "high", (7, 8), "s", "b", {"unit": "kW"}, BEGAN_MS)
    async with await Database.connect(database_url) as database:
        await park(database)
        heard = database.listen("parkcarbon_alarm_message", "parkcarbon_alarm")
        assert {(await anext(heard)).payload, (await anext(heard)).payload} == {""}
        async with database.transaction() as session:
            assert await store.put_messages(session, "p", [message]) == 1
            assert await store.put_messages(session, "p", [message]) == 0
        async with asyncio.timeout(10):
            assert (await anext(heard)).payload == "mail"
        assert await database.fetchval("select episodes from alarm_message") == [7, 8]
        await database.execute(
            "insert into alarm_silence (park_id, match, begin_at, end_at, author, comment)"
            " values ('p', '{}', now(), now() + interval '1 h', 'shift', 'works')"
        )
        async with asyncio.timeout(10):
            assert (await anext(heard)).payload == "p"


@pytest.mark.postgres
async def test_a_person_is_heard(postgres_url: str) -> None:
    async with await Database.connect(postgres_url) as database:
        await park(database)
        async with database.transaction() as session:
            [number] = (await store.open_episodes(session, "p", [RAISED])).values()
        heard = database.listen("parkcarbon_alarm")
        assert (await anext(heard)).payload == ""
        await database.execute(
            "insert into alarm_act (episode_id, act, person) values ($1, 'acknowledge', 'shift leader')", number
        )
        async with asyncio.timeout(10):
            assert (await anext(heard)).payload == "p"
