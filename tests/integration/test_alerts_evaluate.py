"""Rules on readings in the database: alarms, messages, people, late readings, and who may decide."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest

from alerts.evaluate import Away, ParkEvaluator
from alerts.outbox import Outbox
from alerts.service import Service
from parkcarbon.alarm import store
from parkcarbon.alarm.acts import act
from parkcarbon.alarm.kinds import KINDS
from parkcarbon.domain.alarm.decide import apply_act
from parkcarbon.domain.alarm.types import Observation
from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.db import Session, from_ms
from tests.fakes.alarm_park import POINT, RULES, AlarmPark, Desk, Desks, minute_of_now_ms, open_park, service

SUBJECT = f"point:{POINT}"
SECOND = 1000
MINUTE = 60_000


@pytest.fixture
async def park(database_url: str) -> AsyncIterator[AlarmPark]:
    park = await open_park(database_url)
    async with park.database:
        yield park


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(minute_of_now_ms())


async def started(park: AlarmPark, clock: ManualClock) -> Service:
    """An evaluator with the lease, that has looked once."""
    evaluator = service(park, clock)
    await evaluator.take(park.database)
    await evaluator.look(park.database)
    return evaluator


async def free(park: AlarmPark) -> None:
    """The holder was not heard of for too long."""
    await park.database.execute("update alarm_lease set until = now() - interval '1 second'")


async def read(park: AlarmPark, clock: ManualClock, value: float, after_s: float = 5) -> None:
    """A reading, some seconds after the last."""
    clock.advance(after_s)
    await park.read((POINT, clock.now_ms() - SECOND, value))


async def test_an_alarm_begins_and_ends_and_each_is_told_once(park: AlarmPark, clock: ManualClock) -> None:
    await park.rules()
    evaluator = await started(park, clock)
    await read(park, clock, 95)
    assert await evaluator.look(park.database) == 0
    await read(park, clock, 120)
    assert await evaluator.look(park.database) == 1
    await read(park, clock, 130)
    assert await evaluator.look(park.database) == 0
    [episode] = await park.episodes()
    assert (episode["rule"], episode["subject"], episode["unit"]) == ("m1-high", SUBJECT, "kW")
    assert (episode["value"], episode["limit_value"], episode["resolved_at"]) == (120.0, 100.0, None)
    await read(park, clock, 95)
    assert await evaluator.look(park.database) == 0, "between off and on it goes on"
    await read(park, clock, 80)
    assert await evaluator.look(park.database) == 1
    [episode] = await park.episodes()
    assert episode["resolved_at"] == from_ms(clock.now_ms() - SECOND)
    assert episode["worst"] == 130.0
    first, over = await park.messages()
    assert (first["why"], over["why"]) == ("first", "recovered")
    assert (first["receiver"], first["channel"], first["priority"]) == ("desk", "desk", "high")
    assert first["episodes"] == over["episodes"] == [episode["episode_id"]]
    assert "120" in first["subject"] + first["body"]
    assert f"https://p/#alarms/{episode['episode_id']}" in first["body"]
    assert first["committed_at"] is not None
    assert await park.phases() == {SUBJECT: "normal"}


async def test_a_restart_in_the_middle_changes_nothing(park: AlarmPark, clock: ManualClock) -> None:
    await park.rules(RULES + "    after: 1 min\n    keep_firing: 1 min\n")
    whys: list[str] = []
    for at, value in enumerate((50, 120, 121, 122, 123, 124, 50, 51, 52, 53, 54, 55, 56)):
        if at % 2 == 0:
            await free(park)
            evaluator = await started(park, clock)  # another one each second reading
        await read(park, clock, value, 15)
        await evaluator.look(park.database)
        whys = [row["why"] for row in await park.messages()]
        assert whys == (["first", "recovered"][: (at >= 5) + (at >= 10)]), f"after reading {at}"
    [episode] = await park.episodes()
    assert (episode["resolved_at"] - episode["began_at"]).total_seconds() == 135


async def test_an_evaluator_that_wakes_late_is_refused(park: AlarmPark, clock: ManualClock) -> None:
    await park.rules()
    stalled = await started(park, clock)
    await free(park)
    second = await started(park, clock)
    assert second.lease.epoch == 2
    await read(park, clock, 120)
    assert await stalled.look(park.database) == 0, "it sees the alarm and may not write it"
    assert await park.episodes() == []
    assert await park.messages() == []
    assert stalled.lease.epoch is None
    assert await second.look(park.database) == 1
    await stalled.take(park.database)
    assert stalled.lease.epoch is None, "another holds it"
    assert len(await park.messages()) == 1


async def test_what_stalls_within_a_decision_cannot_write_it_later(park: AlarmPark, clock: ManualClock) -> None:
    """Between the check of the epoch and the commit nobody takes over; who stalls there is cut off by the database."""
    await park.rules()
    stalled = await started(park, clock)
    async with park.database.session() as session, session.transaction():
        await stalled.lease.hold(session)
        idle = await session.fetchval("select current_setting('idle_in_transaction_session_timeout')")
        assert idle == "5s"
        async with park.database.transaction() as other:
            await other.execute("set local lock_timeout = '200ms'")
            with pytest.raises(Exception, match="lock timeout"):
                await other.execute("update alarm_lease set epoch = epoch + 1")


async def test_a_person_who_acts_between_two_looks_is_heard(park: AlarmPark, clock: ManualClock) -> None:
    await park.rules(RULES + "    repeat: 1 min\n")
    evaluator = await started(park, clock)
    await read(park, clock, 120)
    assert await evaluator.look(park.database) == 1
    pair = ("m1-high", SUBJECT)
    async with park.database.transaction() as session:
        held = (await store.lock_states(session, "demo", [pair]))[pair]
        taken = apply_act(held.state, "acknowledge", "shift leader", clock.now_ms())
        await store.put_states(session, "demo", {pair: store.Held(taken, held.episode_id, held.wake_ms)})
    await read(park, clock, 121, 90)  # nobody told the evaluator: it sees it when it writes
    assert await evaluator.look(park.database) == 0
    async with park.database.session() as session:
        state = (await store.states(session, "demo"))[pair].state
    assert state.episode is not None
    assert state.episode.acknowledged_by == "shift leader"


async def test_shelved_by_a_person_until_it_ends(park: AlarmPark, clock: ManualClock) -> None:
    await park.rules()
    evaluator = await started(park, clock)
    await read(park, clock, 120)
    await evaluator.look(park.database)
    await read(park, clock, 50)
    await evaluator.look(park.database)
    [first] = await park.episodes()
    async with park.database.transaction() as session:
        await act(
            *(session, "demo", first["episode_id"], "shelve"),
            person="shift leader",
            comment="works on the feeder",
            until=from_ms(clock.now_ms() + 10 * MINUTE),
            now=from_ms(clock.now_ms()),
        )
    evaluator.hear("parkcarbon_alarm", "demo")
    await read(park, clock, 130)
    assert await evaluator.look(park.database) == 0
    assert [row["withheld"] for row in await park.episodes()] == ["", "shelved"]
    clock.advance(10 * 60)
    assert await evaluator.look(park.database) == 1, "shelving ends by itself"
    assert [row["why"] for row in await park.messages()] == ["first", "recovered", "first"]


async def test_told_again_while_nobody_takes_it_on(park: AlarmPark, clock: ManualClock) -> None:
    await park.rules(RULES + "    repeat: 1 min\n")
    evaluator = await started(park, clock)
    await read(park, clock, 120)
    await evaluator.look(park.database)
    clock.advance(61)
    assert await evaluator.look(park.database) == 1
    assert [row["why"] for row in await park.messages()] == ["first", "repeat"]


async def test_silenced_alarms_stand_and_say_why(park: AlarmPark, clock: ManualClock) -> None:
    await park.rules()
    evaluator = await started(park, clock)
    await park.database.execute(
        "insert into alarm_silence (park_id, match, begin_at, end_at, author, comment)"
        " values ('demo', '{\"rule\": \"m1-*\"}', $1, $2, 'shift leader', 'works')",
        from_ms(clock.now_ms() - MINUTE),
        from_ms(clock.now_ms() + MINUTE),
    )
    evaluator.hear("parkcarbon_alarm", "demo")
    await read(park, clock, 120)
    assert await evaluator.look(park.database) == 0
    assert [row["withheld"] for row in await park.episodes()] == ["silenced"]
    clock.advance(61)
    assert await evaluator.look(park.database) == 1, "a silence ends, the alarm still stands"
    assert [row["withheld"] for row in await park.episodes()] == [""]


async def test_readings_that_come_late_open_the_past_and_wake_nobody(park: AlarmPark, clock: ManualClock) -> None:
    await park.rules(RULES + "    after: 1 min\n")
    begin = clock.now_ms() + 10 * MINUTE
    evaluator = await started(park, clock)
    await read(park, clock, 50, 3600)
    await evaluator.look(park.database)
    excursion = [(POINT, begin + at * 15 * SECOND, 150.0 if 4 <= at < 12 else 50.0) for at in range(20)]
    await park.read(*excursion)
    assert await evaluator.look(park.database) == 0
    await park.database.execute("update batch set recorded_at = now() + interval '1 day' where n = 20")
    assert await evaluator.judge_past(park.database) == 1
    assert await evaluator.judge_past(park.database) == 0
    [episode] = await park.episodes()
    assert episode["historical"]
    assert episode["began_at"] == from_ms(begin + MINUTE)
    assert episode["resolved_at"] >= from_ms(begin + 3 * MINUTE)
    assert await park.messages() == []


async def test_a_rule_that_is_withdrawn_ends_its_alarms_and_says_so(park: AlarmPark, clock: ManualClock) -> None:
    await park.rules()
    evaluator = await started(park, clock)
    await read(park, clock, 120)
    await evaluator.look(park.database)
    await park.rules(RULES + "    enabled: false\n")
    evaluator.hear("parkcarbon_alarm", "demo")
    await evaluator.look(park.database)
    [episode] = await park.episodes()
    assert episode["resolved_at"] is not None
    assert [row["why"] for row in await park.messages()] == ["first", "recovered"]
    assert await park.phases() == {}


async def test_what_happened_while_nobody_looked(park: AlarmPark, clock: ManualClock) -> None:
    """Over by now: in the list, and nobody is woken. Still so: it goes out, with its true begin, marked as late."""
    await park.rules(GROUPED.replace("    settle: 30 s\n", "    after: 1 min\n"))
    evaluator = await started(park, clock)
    await read(park, clock, 50, 15)
    await park.read(("m2/active_power", clock.now_ms(), 50.0))
    await evaluator.look(park.database)
    away_ms = clock.now_ms()
    for at in range(1, 81):
        at_ms = away_ms + at * 15 * SECOND
        over, still = 20 <= at < 40, at >= 60
        await park.read((POINT, at_ms, 130.0 if over else 50.0), ("m2/active_power", at_ms, 140.0 if still else 50.0))
    clock.advance(80 * 15)
    await park.database.execute("update alarm_lease set until = now() - interval '25 min'")
    second = service(park, clock)
    await second.take(park.database)
    second._away = Away(away_ms, clock.now_ms())  # the database's clock did not move with ours
    assert await second.look(park.database) == 1
    assert await second.judge_past(park.database) == 1
    past, standing = await park.episodes()
    assert (past["subject"], past["historical"], past["worst"]) == (SUBJECT, True, 130.0)
    assert past["began_at"] == from_ms(away_ms + 20 * 15 * SECOND)
    assert past["resolved_at"] > from_ms(away_ms + 40 * 15 * SECOND - 1)
    assert (standing["subject"], standing["historical"]) == ("point:m2/active_power", False)
    assert standing["began_at"] == from_ms(away_ms + 60 * 15 * SECOND)
    [message] = await park.messages()
    assert message["episodes"] == [standing["episode_id"]]
    assert '"late": true' in message["details"]
    assert await second.judge_past(park.database) == 0


async def test_a_backlog_is_judged_in_order_of_its_time(park: AlarmPark, clock: ManualClock) -> None:
    """The line was cut while an alarm stood: it had ended and begun again before the newest reading came."""
    await park.rules(RULES + "    after: 1 min\n    keep_firing: 30 s\n")
    evaluator = await started(park, clock)
    for _ in range(6):
        await read(park, clock, 120, 15)
        await evaluator.look(park.database)
    begin = clock.now_ms()
    clock.advance(1200)
    await park.read(*((POINT, begin + at * 15 * SECOND, 50.0 if 20 <= at < 40 else 120.0) for at in range(80)))
    await evaluator.look(park.database)
    first, second = await park.episodes()
    assert first["resolved_at"] is not None
    assert first["resolved_at"] <= from_ms(begin + 40 * 15 * SECOND)
    assert second["began_at"] == from_ms(begin + 40 * 15 * SECOND)
    assert sorted(row["why"] for row in await park.messages()) == ["first", "first", "recovered"]


async def test_a_rule_that_cannot_be_judged_keeps_no_other_from_it(
    park: AlarmPark, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> list[Observation]:
        raise KeyError("no such thing")

    async def refused(session: Session, *_: object) -> object:
        return await session.fetch("select nothing_of_that_name")

    broken = {"emission_rate": replace(KINDS["emission_rate"], observe=fails, load=refused)}
    monkeypatch.setattr("alerts.service.ParkEvaluator", partial(ParkEvaluator, kinds={**KINDS, **broken}))
    rate = """  - rule: rate
    kind: emission_rate
    name: {zh: 排放, en: Emissions}
    on: 100 kgCO2e/h
"""
    await park.rules(RULES + rate)
    evaluator = await started(park, clock)
    await read(park, clock, 120)
    assert await evaluator.look(park.database) == 1
    assert [row["rule"] for row in await park.episodes()] == ["m1-high"]


GROUPED = (
    RULES.replace("of: [m1/active_power]", "of: [m1/active_power, m2/active_power, c1/active_power]")
    + "    group_by: [rule]\n    settle: 30 s\n"
)


async def test_alarms_of_a_group_go_out_together(park: AlarmPark, clock: ManualClock) -> None:
    await park.rules(GROUPED)
    evaluator = await started(park, clock)
    desk = Desk()
    outbox = Outbox(park.database, Desks(desk), clock, evaluator._rng)
    for point in (POINT, "m2/active_power", "c1/active_power"):
        clock.advance(5)
        await park.read((point, clock.now_ms() - SECOND, 120.0))
        await evaluator.look(park.database)
        assert await outbox.send_some("desk") == []
    clock.advance(21)
    assert await outbox.send_some("desk") == [True]
    [message] = desk.taken
    assert len(message.details["alarms"]) == 3
    assert len((await park.messages())[0]["episodes"]) == 3
