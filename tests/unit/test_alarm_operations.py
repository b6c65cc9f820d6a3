"""Kinds of rules about devices, sources, meters and factors: scenes that must fire and scenes that must not."""

import dataclasses
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from parkcarbon.alarm.kinds import completeness, device_silent, stale_factor
from parkcarbon.alarm.kinds.base import Scene
from parkcarbon.alarm.kinds.calibration import declared
from parkcarbon.alarm.kinds.clock import Clocks
from parkcarbon.alarm.kinds.outbox import hours_left
from parkcarbon.alarm.observe.operations import (
    Certificate,
    ClockSeen,
    Heard,
    Measured,
    Pauses,
    Silence,
    SourceSaid,
)
from parkcarbon.catalog.factors import load_factors
from parkcarbon.domain.alarm.types import Level
from parkcarbon.domain.emissions import Settings
from parkcarbon.live.model import DeviceInfo, FactorRecord, Name, ParkModel, PointInfo
from tests.fakes.alarm_kinds import Desk, rule_of

NOW_MS = 1_795_219_200_000  # 2026-11-21 08:00 local
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


def point(point_id: int, name: str, flow: str | None, period_ms: int = 5000, device_id: int = 1) -> PointInfo:
    return PointInfo(
        point_id=point_id,
        device_id=device_id,
        point=name,
        quantity=name.partition("/")[2],
        kind="gauge" if flow is None else "counter",
        unit="kW" if flow is None else "kWh",
        carrier="electricity",
        flow=flow,
        tenant=None,
        period_ms=period_ms,
        ratio=1.0,
    )


POINTS = (
    point(1, "gate/active_energy_import", "import"),
    point(2, "gate/active_power", None),
    point(3, "slow/active_energy_import", "sub_meter", 900_000, 2),
)


JIANGSU = Settings("China/JS", "China", "China")


def park(settings: Settings = JIANGSU, **document: Any) -> ParkModel:
    named = Name(zh="表", en="Meter")
    return ParkModel(
        park="demo",
        name=Name(zh="园区", en="Park"),
        timezone="Asia/Shanghai",
        zone=ZoneInfo("Asia/Shanghai"),
        revision=1,
        document=document,
        changed_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        settings=settings,
        tenants=(),
        devices=(
            DeviceInfo(1, "gate", named, "p", None, "edge-1", "bus", 0),
            DeviceInfo(2, "slow", named, "p", None, "edge-1", "bus", 1),
            DeviceInfo(3, "bills", named, "p", None, "files", "", 2, from_files=True),
        ),
        points=POINTS,
        factors=tuple(FactorRecord(number, factor) for number, factor in enumerate(load_factors())),
        by_id={item.point_id: item for item in POINTS},
    )


def scene(kind: str, read: Any, now_ms: int = NOW_MS, model: ParkModel | None = None) -> Scene:
    return Scene(model or park(), now_ms, read={kind: read})


# ── silent devices ──────────────────────────────────────────────────────────────────────────────


def silence(gate_ago_ms: int | None, slow_ago_ms: int | None, *, online: bool | None = None) -> Silence:
    status = {} if online is None else {"online": online}
    return Silence(
        {
            "gate": (Heard(5000, None if gate_ago_ms is None else NOW_MS - gate_ago_ms),),
            "slow": (Heard(900_000, None if slow_ago_ms is None else NOW_MS - slow_ago_ms),),
            "bills": (Heard(86_400_000, NOW_MS - 90 * DAY_MS),),
        },
        {"edge-1": SourceSaid("edge-1", "edge", None, NOW_MS, status)},
    )


def silent(found: Silence, *subjects: str) -> Desk:
    desk = Desk(rule_of("device_silent", subjects or ("device:gate", "device:slow", "device:bills")))
    desk.look(scene("device_silent", found))
    return desk


def test_a_device_is_silent_after_three_of_its_own_periods() -> None:
    assert silent(silence(31_000, 31_000)).fired == ["device:gate"]
    assert silent(silence(31_000, 2_701_000)).fired == ["device:gate", "device:slow"]
    reason = silent(silence(31_000, None)).seen[0].reason
    assert reason.en == "no reading for 31 s: 3.1 periods of 10 s, the limit is 3"
    assert reason.zh == "已 31 秒 无读数：3.1 个周期（每 10 秒），限值 3 个周期"


def test_a_device_is_not_silent_within_three_periods_nor_while_an_import_is_due() -> None:
    desk = silent(silence(29_000, 2_600_000))
    assert desk.fired == []
    assert {one.subject for one in desk.seen} == {"device:gate", "device:slow"}


def test_a_device_may_be_silent_outside_the_hours_of_its_rule() -> None:
    for hours, fired in (((9 * 60, 18 * 60), []), ((7 * 60, 18 * 60), ["device:gate"])):
        desk = Desk(rule_of("device_silent", ("device:gate",), hours=hours))
        desk.look(scene("device_silent", silence(60_000, 0)))  # at eight
        assert desk.fired == fired


def test_a_device_never_heard_is_unknown() -> None:
    assert silent(silence(None, None)).seen[0].level is Level.UNKNOWN


def test_a_source_is_silent_when_none_of_its_devices_is_heard_or_when_the_broker_lost_it() -> None:
    assert silent(silence(31_000, 31_000), "source:edge-1").fired == []
    assert silent(silence(2_701_000, 31_000), "source:edge-1").fired == []
    quick = silence(31_000, 40_000)
    quick = dataclasses.replace(quick, devices={**quick.devices, "slow": (Heard(5000, NOW_MS - 40_000),)})
    assert silent(quick, "source:edge-1").fired == ["source:edge-1"]
    assert silent(silence(2_701_000, 2_702_000), "source:edge-1").fired == ["source:edge-1"]
    assert silent(silence(901_000, 1_000_000, online=False), "source:edge-1").fired == ["source:edge-1"]
    assert silent(silence(1_000, 31_000, online=False), "source:edge-1").fired == []


def test_pauses_of_the_past_are_when_they_began_how_long_they_stood_and_when_they_ended() -> None:
    pauses = Pauses(0, 500_000, ((100_000, 200_000), (300_000, 340_000)))
    moments = device_silent._moments(pauses, 30_000.0, 600_000, 20_000)
    assert moments == [
        (0, 0),
        (130_001, 100_000),
        (150_001, 100_000),
        (200_000, 200_000),
        (330_001, 300_000),  # gone before it has been silent for long enough
        (340_000, 340_000),
        (530_001, 500_000),
        (550_001, 500_000),
        (600_000, 500_000),
    ]


# ── completeness ────────────────────────────────────────────────────────────────────────────────


def complete(measured_h: float, *, first_ms: int | None = None) -> Desk:
    rule = rule_of("completeness", ("point:gate/active_energy_import",))
    now_ms = NOW_MS + 5 * MINUTE_MS
    window = completeness._window(rule, POINTS[0], now_ms)
    desk = Desk(rule)
    desk.look(scene("completeness", {window: {1: Measured(round(measured_h * HOUR_MS), first_ms)}}, now_ms))
    return desk


def test_too_little_measured_in_a_day_fires() -> None:
    desk = complete(22.0)
    assert desk.fired == ["point:gate/active_energy_import"]
    assert desk.seen[0].value == pytest.approx(22 / 24 * 100)
    assert desk.seen[0].at_ms == NOW_MS


def test_enough_measured_or_a_meter_that_is_new_does_not_fire() -> None:
    assert complete(23.9).fired == []
    assert complete(2.0, first_ms=NOW_MS - 2 * HOUR_MS).fired == []


def test_nothing_known_of_a_point_is_unknown() -> None:
    desk = Desk(rule_of("completeness", ("point:gate/active_energy_import",)))
    desk.look(scene("completeness", {}))
    assert desk.seen[0].level is Level.UNKNOWN


# ── clock ───────────────────────────────────────────────────────────────────────────────────────


def clocked(seen: ClockSeen, **status: Any) -> Desk:
    desk = Desk(rule_of("clock", ("source:edge-1",)))
    said = SourceSaid("edge-1", "edge", None, NOW_MS, status)
    desk.look(scene("clock", Clocks({"edge-1": seen}, {"edge-1": said})))
    return desk


def test_times_that_nobody_trusts_and_times_from_the_future_fire() -> None:
    assert clocked(ClockSeen(0, NOW_MS - 1000), clock="uncertain", online=True).fired == ["source:edge-1"]
    assert clocked(ClockSeen(2, NOW_MS - 1000), clock="synced").fired == ["source:edge-1"]
    ahead = clocked(ClockSeen(0, NOW_MS + 8000), clock="synced")
    assert ahead.fired == ["source:edge-1"]
    assert ahead.seen[0].value == 8.0


def test_a_clock_that_is_right_or_a_little_ahead_does_not_fire() -> None:
    assert clocked(ClockSeen(0, NOW_MS - 1000), clock="synced").fired == []
    assert clocked(ClockSeen(0, NOW_MS + 3000), clock="synced").fired == []


# ── outbox ──────────────────────────────────────────────────────────────────────────────────────


def boxed(hours: float | None, *, depth: int = 500, ago_ms: int = 10_000) -> Desk:
    desk = Desk(rule_of("outbox_filling", ("source:edge-1",)))
    status = {"hours_left": hours, "depth": depth}
    desk.look(scene("outbox_filling", {"edge-1": SourceSaid("edge-1", "edge", None, NOW_MS - ago_ms, status)}))
    return desk


def test_an_outbox_that_will_be_full_tomorrow_fires_and_so_does_one_that_has_been_cut_off() -> None:
    assert boxed(20.0).fired == ["source:edge-1"]
    assert boxed(100.0, ago_ms=80 * HOUR_MS).fired == ["source:edge-1"]
    assert "500 batches wait" in boxed(20.0).seen[0].reason.en


def test_an_outbox_with_room_for_days_does_not_fire() -> None:
    assert boxed(500.0).fired == []
    assert boxed(100.0, ago_ms=10 * HOUR_MS).fired == []
    assert boxed(None, depth=0).seen[0].level is Level.CLEAR
    assert boxed(None, depth=3).seen[0].level is Level.UNKNOWN


def test_hours_left_never_fall_below_none() -> None:
    said = SourceSaid("edge-1", "edge", None, NOW_MS - 10 * HOUR_MS, {"hours_left": 4})
    assert hours_left(said, NOW_MS) == 0.0
    assert hours_left(dataclasses.replace(said, status={"hours_left": True}), NOW_MS) is None


# ── custody delay ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("delay_s", "fired"), [(301.0, ["source:edge-1"]), (299.0, []), (-2.0, [])])
def test_what_is_long_on_its_way_fires(delay_s: float, fired: list[str]) -> None:
    desk = Desk(rule_of("custody_delay", ("source:edge-1",)))
    desk.look(scene("custody_delay", {15 * MINUTE_MS: {"edge-1": delay_s}}))
    assert desk.fired == fired


def test_where_nothing_came_nothing_is_known_of_the_delay() -> None:
    desk = Desk(rule_of("custody_delay", ("source:edge-1",)))
    desk.look(scene("custody_delay", {15 * MINUTE_MS: {}}))
    assert desk.seen[0].level is Level.UNKNOWN


# ── certificates ────────────────────────────────────────────────────────────────────────────────


def certified(until: dt.date, *, passed: bool = True) -> Desk:
    desk = Desk(rule_of("calibration_expiring", ("device:gate", "device:slow")))
    desk.look(scene("calibration_expiring", {"gate": Certificate("gate", until, "JL-7", passed)}))
    return desk


def test_a_certificate_that_ends_within_a_month_and_a_meter_that_failed_fire() -> None:
    desk = certified(dt.date(2026, 12, 20))
    assert desk.fired == ["device:gate"]
    assert desk.seen[0].value == 29.0
    assert "JL-7 (good through 2026-12-19)" in desk.seen[0].reason.en
    assert certified(dt.date(2027, 12, 1), passed=False).fired == ["device:gate"]


def test_a_certificate_that_is_good_for_longer_and_a_meter_without_one_do_not_fire() -> None:
    desk = certified(dt.date(2026, 12, 23))
    assert desk.fired == []
    assert [one.subject for one in desk.seen] == ["device:gate"]


def test_the_earliest_day_of_a_device_in_the_park_document_counts() -> None:
    episodes = [{"calibrated_until": "2020-01-01"}, {"calibrated_until": "2027-06-01"}]
    later = [{"calibrated_until": "2027-08-01"}]
    device = {
        "device": "gate",
        "points": [
            {"flow": "import", "episodes": episodes},
            {"flow": "export", "episodes": later},
            {"episodes": [{"calibrated_until": "2021-01-01"}]},
        ],
    }
    assert declared(park(devices=[device, {"device": "slow"}])) == {"gate": Certificate("gate", dt.date(2027, 6, 1))}


# ── factors ─────────────────────────────────────────────────────────────────────────────────────


def factored(model: ParkModel, on: float, *names: str) -> Desk:
    desk = Desk(rule_of("stale_factor", tuple(f"factor:{name}" for name in names), on=on, off=on, unit="a"))
    desk.look(Scene(model, NOW_MS))
    return desk


def test_a_factor_older_than_allowed_fires_and_one_young_enough_does_not() -> None:
    model = park()
    grid = stale_factor.in_use(model, 2026)[0]
    assert grid.data_year is not None
    age = 2026 - grid.data_year
    assert factored(model, age - 1, grid.factor).fired == [f"factor:{grid.factor}"]
    assert factored(model, age, grid.factor).fired == []


def test_a_factor_that_a_newer_one_has_overtaken_fires_whatever_its_age() -> None:
    newest = stale_factor.in_use(park(), 2026)[0]
    alike = [
        factor
        for factor in load_factors()
        if (factor.purpose, factor.region, factor.gas) == (newest.purpose, newest.region, newest.gas)
    ]
    older = next(
        one for one in alike if one.basis == newest.basis and (one.data_year or 9999) < (newest.data_year or 0)
    )
    settings = Settings("China/JS", "China", "China", electricity_factor=older.factor)
    desk = factored(park(settings), 50, older.factor)
    assert desk.fired == [f"factor:{older.factor}"]
    assert newest.factor in desk.seen[0].reason.en


def test_factors_that_are_not_in_use_are_left_alone() -> None:
    unused = [factor.factor for factor in load_factors() if factor.purpose == "fuel_combustion"][:3]
    assert factored(park(), 1, *unused).seen == []
