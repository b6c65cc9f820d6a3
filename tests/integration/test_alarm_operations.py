"""Kinds of rules about devices, sources, meters and inverters on a park in the database."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import numpy as np
import pytest

from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.kinds.base import Compiled, Scene
from parkcarbon.alarm.rules.check import compile_rules
from parkcarbon.alarm.rules.document import Alarms, Rule
from parkcarbon.books import entries
from parkcarbon.domain.alarm.types import Level
from parkcarbon.kit.db import Database, Session, from_ms
from parkcarbon.kit.pgcopy import Column
from parkcarbon.live.load import load_park
from parkcarbon.live.model import ParkModel
from parkcarbon.wire.messages import Status, encode
from tests.fakes.alarm_kinds import NAME, Desk
from tests.fakes.alarm_solar import ALIKE, LATITUDE, LONGITUDE, Mishap, produce
from tests.fakes.api_park import FIRST_MS, NOW_MS, PARK, QUARTER_MS, RUNNING_MS, make_partitions, write_park

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
MIDNIGHT_MS = FIRST_MS + 9 * DAY_MS  # of the 21st, local


@pytest.fixture
async def session(database_url: str) -> AsyncIterator[Session]:
    """The park with its nine days, in one transaction."""
    await write_park(database_url)
    async with await Database.connect(database_url, max_size=2) as database, database.transaction() as found:
        yield found


async def rule_in(session: Session, kind: str, **members: Any) -> tuple[ParkModel, Compiled]:
    model = await load_park(session, PARK, NOW_MS)
    assert model is not None
    rule = Rule(rule="r", kind=kind, name=NAME, **members)  # type: ignore[arg-type]
    return model, compile_rules(Alarms(park=PARK, rules=(rule,)), model, KINDS)[0]


async def look(session: Session, kind: str, now_ms: int = NOW_MS, **members: Any) -> Desk:
    """What a rule says of the park at a moment."""
    model, rule = await rule_in(session, kind, **members)
    load, desk = KINDS[kind].load, Desk(rule)
    read = {} if load is None else {kind: await load(session, model, [rule], now_ms)}
    desk.look(Scene(model, now_ms, read=read))
    return desk


async def past(session: Session, kind: str, begin_ms: int, end_ms: int, **members: Any) -> Desk:
    """What a rule would have said of a time that is over."""
    model, rule = await rule_in(session, kind, **members)
    history, desk = KINDS[kind].history, Desk(rule)
    assert history is not None
    for one in await history(session, model, rule, begin_ms, end_ms):
        assert begin_ms <= one.at_ms <= end_ms
        desk.take([one], one.at_ms)
    return desk


async def point_id(session: Session, point: str) -> int:
    found: int = await session.fetchval("select point_id from point where point = $1", point)
    return found


# ── silent devices ──────────────────────────────────────────────────────────────────────────────


async def test_of_a_park_that_sends_nobody_is_silent_and_half_a_minute_later_those_who_stopped_are(
    session: Session,
) -> None:
    assert (await look(session, "device_silent")).fired == []
    await session.execute("update point_state set last_time = last_time + interval '1 minute'")
    for point in ("m1/active_power", "m1/active_energy_import"):
        await session.execute(
            "update point_state set last_time = $2 where point_id = $1", await point_id(session, point), from_ms(NOW_MS)
        )
    assert (await look(session, "device_silent", NOW_MS + 35_000)).fired == ["device:m1"]


async def test_a_source_whose_devices_all_stopped_is_silent_under_its_own_name(session: Session) -> None:
    desk = await look(session, "device_silent", NOW_MS + HOUR_MS, of=("edge-1", "m1"))
    assert desk.fired == ["source:edge-1", "device:m1"]


async def test_silences_of_the_past_stand_where_readings_are_missing(session: Session) -> None:
    meter = await point_id(session, "m1/active_energy_import")
    await session.execute("delete from reading where point_id = any($1::int[])", await points_of(session, "m1"))
    for at_ms in (*range(0, 600_000, 5000), *range(900_000, 1_200_000, 5000)):
        await read(session, meter, MIDNIGHT_MS + at_ms)
    desk = await past(session, "device_silent", MIDNIGHT_MS, MIDNIGHT_MS + 1_200_000, of=("m1",))
    assert (desk.fired, desk.resolved, desk.standing) == (["device:m1"], ["device:m1"], [])
    raised = next(one for one in desk.seen if one.level is Level.BEYOND)
    assert raised.at_ms == MIDNIGHT_MS + 595_000 + 30_000 + 1
    quiet = await past(session, "device_silent", MIDNIGHT_MS, MIDNIGHT_MS + 600_000, of=("m1",))
    assert quiet.fired == []
    source = await past(session, "device_silent", MIDNIGHT_MS, MIDNIGHT_MS + 1_200_000, of=("edge-1",), on="4.0")
    assert (source.fired, source.resolved) == (["source:edge-1"], ["source:edge-1"])
    other = await point_id(session, "m2/active_energy_import")
    for at_ms in range(600_000, 900_000, 5000):
        await read(session, other, MIDNIGHT_MS + at_ms)
    heard = await past(session, "device_silent", MIDNIGHT_MS, MIDNIGHT_MS + 1_200_000, of=("edge-1",), on="4.0")
    assert heard.fired == []


async def points_of(session: Session, device: str) -> list[int]:
    rows = await session.fetch("select point_id from point where point like $1", f"{device}/%")
    return [row["point_id"] for row in rows]


async def read(session: Session, point: int, at_ms: int, quality: int = 0) -> None:
    await session.execute(
        "insert into reading (point_id, time, value, quality, batch_id) values ($1, $2, 1.0, $3, 1)",
        *(point, from_ms(at_ms), quality),
    )


# ── completeness ────────────────────────────────────────────────────────────────────────────────


async def test_a_meter_that_missed_hours_of_the_day_is_incomplete_and_the_others_are_not(session: Session) -> None:
    everything = await look(session, "completeness")
    assert everything.fired == []
    assert len(everything.seen) == 10
    await session.execute(
        "delete from interval_15min where point_id = $1 and start >= $2 and start < $3",
        *(await point_id(session, "c1/active_energy_import"), from_ms(RUNNING_MS - 5 * HOUR_MS)),
        from_ms(RUNNING_MS - 3 * HOUR_MS),
    )
    desk = await look(session, "completeness")
    assert desk.fired == ["point:c1/active_energy_import"]
    value = next(one.value for one in desk.seen if one.subject == desk.fired[0])
    assert value == pytest.approx(22 / 24 * 100)
    assert (await look(session, "completeness", on="90 %")).fired == []


async def test_completeness_of_the_past_knows_when_a_meter_began(session: Session) -> None:
    gone = await point_id(session, "c1/active_energy_import")
    await session.execute(
        "delete from interval_15min where point_id = $1 and start >= $2 and start < $3",
        *(gone, from_ms(MIDNIGHT_MS - 2 * DAY_MS), from_ms(MIDNIGHT_MS - 2 * DAY_MS + 6 * HOUR_MS)),
    )
    desk = await past(session, "completeness", FIRST_MS, MIDNIGHT_MS, window="1 d")
    assert desk.fired == ["point:c1/active_energy_import"]
    assert desk.resolved == ["point:c1/active_energy_import"]
    fresh = [one for one in desk.seen if one.at_ms < FIRST_MS + DAY_MS]
    assert fresh
    assert {one.value for one in fresh} == {100.0}


# ── what sources say of themselves ──────────────────────────────────────────────────────────────


async def says(session: Session, **members: Any) -> None:
    """The newest status of the park's source, as ingest keeps it."""
    status = Status(source="edge-1", at=NOW_MS - 10_000, online=True, **members)
    await session.execute(
        "update source set status = $1, status_at = $2", encode(status).decode(), from_ms(NOW_MS - 10_000)
    )


async def test_an_uncertain_clock_fires_and_a_synced_one_does_not(session: Session) -> None:
    await says(session, clock="synced")
    assert (await look(session, "clock")).fired == []
    await says(session, clock="uncertain")
    assert (await look(session, "clock")).fired == ["source:edge-1"]


async def test_readings_with_an_uncertain_time_and_from_the_future_fire(session: Session) -> None:
    meter = await point_id(session, "m1/active_power")
    await session.execute("update point_state set last_quality = 4 where point_id = $1", meter)
    desk = await look(session, "clock")
    assert desk.fired == ["source:edge-1"]
    assert "1 points" in desk.seen[0].reason.en
    await session.execute(
        "update point_state set last_quality = 0, last_time = $2 where point_id = $1", meter, from_ms(NOW_MS + 9000)
    )
    assert (await look(session, "clock")).fired == ["source:edge-1"]
    assert (await look(session, "clock", on="10 s", off="8 s")).fired == []


async def test_an_outbox_that_fills_up_fires(session: Session) -> None:
    await says(session, depth=9000, hours_left=6.0)
    assert (await look(session, "outbox_filling")).fired == ["source:edge-1"]
    assert (await look(session, "outbox_filling", on="5 h")).fired == []
    await says(session, depth=3, hours_left=900.0)
    assert (await look(session, "outbox_filling")).fired == []


# ── custody ─────────────────────────────────────────────────────────────────────────────────────


async def batch(session: Session, seq: int, made_ms: int, recorded_ms: int) -> None:
    await session.execute(
        "insert into batch (source_id, boot, seq, state, digest, header, made, n, recorded_at)"
        " select source_id, 'b', $1, 'committed', ''::bytea, '', $2, 1, $3 from source where park_id = 'demo'",
        *(seq, from_ms(made_ms), from_ms(recorded_ms)),
    )


async def test_batches_that_were_long_on_their_way_fire_while_they_come(session: Session) -> None:
    await batch(session, 1, NOW_MS - 3000, NOW_MS - 2000)
    assert (await look(session, "custody_delay")).fired == []
    await batch(session, 2, NOW_MS - 2 * HOUR_MS, NOW_MS - 1000)
    desk = await look(session, "custody_delay")
    assert desk.fired == ["source:edge-1"]
    assert desk.seen[0].value == pytest.approx(7199.0)
    assert (await look(session, "custody_delay", NOW_MS + HOUR_MS)).seen[0].level is Level.UNKNOWN


async def test_delays_of_the_past_stand_for_their_window(session: Session) -> None:
    for minute in range(120):
        delay_ms = 20 * MINUTE_MS if 30 <= minute < 40 else 2000
        at_ms = MIDNIGHT_MS + minute * MINUTE_MS
        await batch(session, minute + 1, at_ms - delay_ms, at_ms)
    desk = await past(session, "custody_delay", MIDNIGHT_MS, MIDNIGHT_MS + 2 * HOUR_MS)
    assert (desk.fired, desk.resolved) == (["source:edge-1"], ["source:edge-1"])
    beyond = [one.at_ms for one in desk.seen if one.level is Level.BEYOND]
    assert (beyond[0] - MIDNIGHT_MS) // MINUTE_MS == 31
    assert (beyond[-1] - MIDNIGHT_MS) // MINUTE_MS == 54


# ── certificates and factors ────────────────────────────────────────────────────────────────────


async def certify(session: Session, until: dt.date, *, passed: bool = True) -> None:
    document = {
        "device": "m1",
        "serial": "S-1",
        "certificate": f"JL-{until.year}",
        "laboratory": "laboratory",
        "calibrated_on": "2025-11-20",
        "accuracy_class": "1",
        "passed": passed,
    }
    await entries.enter(
        session,
        PARK,
        "meter_certificate",
        document,
        tenant=None,
        from_day=dt.date(2025, 11, 20),
        to_day=until,
        evidence="certificate",
        author="energy manager",
        reason="",
    )


async def test_a_certificate_that_runs_out_fires_until_a_newer_one_is_entered(session: Session) -> None:
    assert (await look(session, "calibration_expiring")).seen == []
    await certify(session, dt.date(2026, 12, 1))
    desk = await look(session, "calibration_expiring")
    assert desk.fired == ["device:m1"]
    assert desk.seen[0].value == 10.0
    assert "JL-2026" in desk.seen[0].reason.en
    gone_by = await past(session, "calibration_expiring", MIDNIGHT_MS - 60 * DAY_MS, MIDNIGHT_MS)
    assert gone_by.fired == ["device:m1"]
    assert next(one.value for one in gone_by.seen if one.level is Level.BEYOND) == 29.0
    await certify(session, dt.date(2027, 12, 1))
    assert (await look(session, "calibration_expiring")).fired == []


async def test_the_park_document_alone_can_say_until_when_a_meter_is_calibrated(session: Session) -> None:
    await change_document(
        session, lambda document: document["devices"][0]["points"][0]["episodes"][0], calibrated_until="2026-12-01"
    )
    assert (await look(session, "calibration_expiring")).fired == ["device:gate"]
    assert (await look(session, "calibration_expiring", on="9 d")).fired == []


async def test_the_grid_factors_in_use_are_old_or_not(session: Session) -> None:
    """Both of them: that of the location and that of the market's remainder."""
    model, _ = await rule_in(session, "stale_factor", on="50 a")
    both = [model.factor("electricity", "kWh", 2026, "location"), model.factor("electricity", "kWh", 2026, "market")]
    used = {one.matches[0].factor.factor: 2026 - (one.matches[0].factor.data_year or 0) for one in both if one}
    assert len(used) == 2
    names = sorted(f"factor:{name}" for name in used)
    young, old = min(used.values()), max(used.values())
    assert sorted((await look(session, "stale_factor", on=f"{young - 1} a")).fired) == names
    assert (await look(session, "stale_factor", on=f"{old} a")).fired == []
    gone_by = await past(session, "stale_factor", MIDNIGHT_MS - 60 * DAY_MS, MIDNIGHT_MS, on=f"{young - 1} a")
    assert sorted(gone_by.fired) == names


# ── inverters ───────────────────────────────────────────────────────────────────────────────────


async def change_document(session: Session, place: Any, **members: Any) -> None:
    document = msgspec.json.decode(await session.fetchval("select document::text from park where park_id = $1", PARK))
    place(document).update(members)
    await session.execute(
        "update park set document = $2 where park_id = $1", PARK, msgspec.json.encode(document).decode()
    )


async def inverters(session: Session, *mishaps: Mishap, seed: int = 11, days: int = 60) -> None:
    """Three inverters with their production up to last midnight; the park's own one is the first."""
    produced = produce(ALIKE, days, seed=seed, first_day=(MIDNIGHT_MS + 8 * HOUR_MS) // DAY_MS - days, mishaps=mishaps)
    assert produced.start_ms[-1] + QUARTER_MS == MIDNIGHT_MS
    first = from_ms(int(produced.start_ms[0]))
    months = {(first + dt.timedelta(days=day)).replace(day=1, hour=0, minute=0) for day in range(days)}
    await make_partitions(session, *sorted(months))
    await session.execute("delete from interval_15min where start < $1", from_ms(MIDNIGHT_MS))
    size = produced.start_ms.size
    for row, name in enumerate(("pv-1", "pv-2", "pv-3")):
        await session.execute(
            "insert into device (park_id, device, profile, source, name_zh, name_en, position)"
            " values ('demo', $1, 'test', 'edge-1', $1, $1, 20) on conflict do nothing",
            name,
        )
        await session.execute(
            "insert into point (park_id, device_id, point, quantity, kind, unit, carrier, flow, period_ms)"
            " select 'demo', device_id, device || '/active_energy_yield', 'active_energy_yield', 'counter', 'kWh',"
            " 'electricity', 'generation', 5000 from device where device = $1 on conflict do nothing",
            name,
        )
        meter = await point_id(session, f"{name}/active_energy_yield")
        await session.copy(
            "interval_15min",
            [
                Column("point_id", "int4", np.full(size, meter)),
                Column("start", "timestamptz", produced.start_ms),
                Column("amount_micro", "int8", np.rint(produced.energy[row] * 1e6).astype(np.int64)),
                Column("coverage", "float4", np.ones(size)),
                Column("method", "int2", np.zeros(size, np.int16)),
                Column("measured_ms", "int4", np.full(size, QUARTER_MS, np.int32)),
                Column("suspect", "bool", np.zeros(size, np.bool_)),
            ],
        )


async def test_a_dirty_inverter_is_found_among_its_neighbours_and_a_clean_one_is_not(session: Session) -> None:
    await inverters(session, Mishap(1, 50, keep=0.85))
    nowhere = await look(session, "pv_underperformance")
    assert {one.level for one in nowhere.seen} == {Level.UNKNOWN}
    assert "does not say where the park is" in nowhere.seen[0].reason.en
    await change_document(session, lambda document: document, latitude=LATITUDE, longitude=LONGITUDE)
    desk = await look(session, "pv_underperformance")
    assert [one.subject for one in desk.seen] == ["device:pv-1", "device:pv-2", "device:pv-3"]
    assert desk.fired == ["device:pv-2"]
    assert (await look(session, "pv_underperformance", on="75 %", off="80 %")).fired == []


async def test_the_dry_run_says_on_which_day_the_dirty_inverter_would_have_been_found(session: Session) -> None:
    await inverters(session, Mishap(1, 50, keep=0.85))
    await change_document(session, lambda document: document, latitude=LATITUDE, longitude=LONGITUDE)
    desk = await past(session, "pv_underperformance", MIDNIGHT_MS - 30 * DAY_MS, MIDNIGHT_MS + 1)
    assert desk.fired == ["device:pv-2"]
    raised = next(one.at_ms for one in desk.seen if one.level is Level.BEYOND)
    assert MIDNIGHT_MS - 9 * DAY_MS <= raised <= MIDNIGHT_MS - 3 * DAY_MS
