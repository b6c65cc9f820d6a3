"""Heartbeats and alarms through the outbox to real servers, with hours of virtual time."""

import datetime as dt
import random
from collections.abc import AsyncIterator, Iterator

import pytest

from alerts.channels.settings import Channels, variable_of
from alerts.deadman import Beating, DeadMan
from alerts.lease import Lease
from alerts.outbox import Outbox
from alerts.write import retire
from deploy.local.stack import free_port
from parkcarbon.alarm.rules.document import Rule
from parkcarbon.alarm.store import Held, Outgoing, Raised, open_episodes, put_messages
from parkcarbon.alarm.templates import AlarmFacts, MessageFacts, details_of
from parkcarbon.catalog.terms import Name
from parkcarbon.domain.alarm.deadman import ABSENT_AFTER_MS, EVERY_MS, Beats, absent_ms
from parkcarbon.domain.alarm.types import AlarmState, Episode, Level, Observation, Phase, Said, Why
from parkcarbon.kit.clock import ManualClock, SystemClock
from parkcarbon.kit.db import Database, from_ms
from tests.fakes.alarm_receivers import HttpReceiver, http_receiver

HOUR_S = 3600.0


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with await Database.connect(database_url, max_size=4) as database:
        await database.execute(
            "insert into park (park_id, name_zh, name_en, timezone, document, revision)"
            " values ('demo', '园', 'Park', 'Asia/Shanghai', '{}', 1)"
        )
        yield database


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SystemClock().now_ms() // EVERY_MS * EVERY_MS)


def outbox(database: Database, clock: ManualClock, **addresses: str) -> Outbox:
    channels = Channels({variable_of(name): address for name, address in addresses.items()}, clock)
    return Outbox(database, channels, clock, random.Random(1))


async def state_of(database: Database, key: str) -> tuple[str, int, str] | None:
    row = await database.fetchrow("select state, attempts, last_error from alarm_message where key = $1::text", key)
    return None if row is None else (row["state"], row["attempts"], row["last_error"])


async def put(database: Database, clock: ManualClock, *channels: str) -> None:
    async with database.transaction() as session:
        await put_messages(
            session,
            "demo",
            [
                Outgoing(f"1-{name}", name, name, "first", "high", (1,), "告警", "962 kW", {}, clock.now_ms())
                for name in channels
            ],
        )


async def test_a_server_that_answers_500_for_an_hour_gets_the_alarm_after_it_with_bounded_tries(
    database: Database, receiver: HttpReceiver, clock: ManualClock
) -> None:
    with http_receiver() as healthy:
        sender = outbox(database, clock, broken=f"json://{receiver.host}/", well=f"json://{healthy.host}/")
        await put(database, clock, "broken", "well")
        receiver.status = 500
        begun_ms = clock.now_ms()
        while clock.now_ms() - begun_ms < HOUR_S * 1000:
            await sender.send_some("broken")
            await sender.send_some("well")
            clock.advance(5.0)
        assert len(healthy.taken) == 1
        tries = len(receiver.taken)
        assert 10 <= tries <= 25
        assert await state_of(database, "1-broken") == ("waiting", tries, "HTTP 500")
        receiver.status = 200
        while (await state_of(database, "1-broken") or ("", 0, ""))[0] == "waiting":
            await sender.send_some("broken")
            clock.advance(10.0)
    keys = {taken.body["key"] for taken in receiver.taken}
    assert keys == {"1-broken"}
    assert len({taken.headers["idempotency-key"] for taken in receiver.taken}) == 1
    assert clock.now_ms() - begun_ms <= (HOUR_S + 320) * 1000


async def test_a_dead_server_is_given_up_after_a_day_and_is_seen(database: Database, clock: ManualClock) -> None:
    sender = outbox(database, clock, gone=f"json://127.0.0.1:{free_port()}/")
    await put(database, clock, "gone")
    begun_ms = clock.now_ms()
    while (await state_of(database, "1-gone") or ("", 0, ""))[0] == "waiting":
        await sender.send_some("gone")
        clock.advance(299.0)
    state = await state_of(database, "1-gone")
    assert state is not None
    assert state[0] == "dead"
    assert "no answer" in state[2]
    assert 23 * HOUR_S <= (clock.now_ms() - begun_ms) / 1000 <= 25 * HOUR_S


class Scene:
    """An evaluator with its heartbeat and outbox."""

    def __init__(self, database: Database, clock: ManualClock, receiver: HttpReceiver, **more: int) -> None:
        self.database, self.clock = database, clock
        self.lease = Lease(seconds=30)
        self.looked_ms: int | None = clock.now_ms()
        self.deadman = DeadMan(self.lease, clock, Beating("beat", lambda: self.looked_ms, **more))
        self.outbox = outbox(database, clock, beat=f"json://{receiver.host}/")

    async def minute(self, *, looks: bool = True) -> str:
        self.looked_ms = self.clock.now_ms() if looks else self.looked_ms
        await self.lease.keep(self.database)
        missing = await self.deadman.beat(self.database)
        await self.outbox.send_some("beat")
        self.clock.advance(60.0)
        return missing


async def test_a_heartbeat_goes_the_whole_way_every_minute(
    database: Database, receiver: HttpReceiver, clock: ManualClock
) -> None:
    scene = Scene(database, clock, receiver)
    since_ms = clock.now_ms()
    for _ in range(5):
        assert await scene.minute() == ""
    beats = [taken.body["details"]["at_ms"] for taken in receiver.taken]
    assert beats == [since_ms + EVERY_MS * at for at in range(5)]
    assert len({taken.headers["idempotency-key"] for taken in receiver.taken}) == 5
    assert await database.fetchval("select count(*) from alarm_message") <= 2


async def test_its_absence_is_the_alarm_when_nothing_is_evaluated_any_more(
    database: Database, receiver: HttpReceiver, clock: ManualClock
) -> None:
    scene = Scene(database, clock, receiver)
    since_ms = clock.now_ms()
    await scene.minute()
    await scene.minute()
    for _ in range(4):
        missing = await scene.minute(looks=False)
    assert missing == "no park was looked at within a minute"
    last_ms = receiver.taken[-1].body["details"]["at_ms"]
    beats = Beats(since_ms, last_ms)
    assert absent_ms(beats, last_ms + ABSENT_AFTER_MS) is None
    assert absent_ms(beats, clock.now_ms()) == last_ms


async def test_two_evaluators_make_one_heartbeat(
    database: Database, receiver: HttpReceiver, clock: ManualClock
) -> None:
    first, second = Scene(database, clock, receiver), Scene(database, clock, receiver)
    await first.lease.keep(database)
    assert await second.deadman.beat(database) == "another evaluator decides"
    assert await first.deadman.beat(database) == ""
    assert await first.deadman.beat(database) == ""
    await first.outbox.send_some("beat")
    await second.outbox.send_some("beat")
    assert len(receiver.taken) == 1


async def test_heartbeats_that_nobody_took_do_not_pile_up(
    database: Database, receiver: HttpReceiver, clock: ManualClock
) -> None:
    scene = Scene(database, clock, receiver)
    receiver.status = 500
    for _ in range(10):
        await scene.minute()
    assert await database.fetchval("select count(*) from alarm_message") == 1
    assert len(receiver.taken) == 10
    receiver.status = 200
    await scene.minute()
    assert receiver.taken[-1].body["details"]["at_ms"] == clock.now_ms() - 60_000


async def test_where_readings_are_asked_for_their_absence_is_the_heartbeats(
    database: Database, receiver: HttpReceiver, clock: ManualClock
) -> None:
    scene = Scene(database, clock, receiver, readings_ms=120_000)
    assert await scene.minute() == "no reading was committed for 120 s"
    assert receiver.taken == []
    assert dt.timedelta(milliseconds=ABSENT_AFTER_MS) == dt.timedelta(minutes=3)


async def test_an_alarm_whose_rule_is_taken_away_ends_in_alertmanager_too(
    database: Database, receiver: HttpReceiver, clock: ManualClock
) -> None:
    now_ms = clock.now_ms()
    last = Observation("point:gate/active_power", now_ms, Level.BEYOND, 962.0, 950.0, Said("高", "high"))
    episode = Episode(now_ms - 60_000, now_ms - 1000, last=last)
    rule = Rule(rule="gate-demand", kind="threshold", name=Name("关口", "Gate"), on="950 kW", priority="high")
    sender = outbox(database, clock, am=f"alertmanager://{receiver.host}")
    async with database.transaction() as session:
        raised = Raised(rule.rule, 1, rule.kind, rule.priority, "kW", last.subject, episode)
        number = (await open_episodes(session, "demo", [raised]))[rule.rule, last.subject]
        alarm = AlarmFacts(rule, number, last.subject, Said("关口", "Gate"), "kW", episode)
        facts = MessageFacts("demo", Said("园", "Park"), dt.UTC, Why.FIRST, now_ms, (alarm,))
        told = Outgoing(f"{number}-first", "am", "am", "first", "high", (number,), "s", "b", details_of(facts), now_ms)
        await put_messages(session, "demo", [told])
    await sender.send_some("am")
    clock.advance(60.0)
    async with database.transaction() as session:
        state = AlarmState(last.subject, Phase.FIRING, now_ms - 60_000, now_ms, episode)
        await retire(session, "demo", {(rule.rule, last.subject): Held(state, number)}, clock.now_ms())
    await sender.send_some("am")
    first, over = (taken.body[0] for taken in receiver.taken)
    assert over["labels"] == first["labels"]
    assert over["startsAt"] == first["startsAt"]
    assert dt.datetime.fromisoformat(over["endsAt"]) == from_ms(clock.now_ms())
