"""Inverters that do badly are found, and those that do not are left alone: under the simulator's sky."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from parkcarbon.alarm.kinds.base import Scene
from parkcarbon.alarm.observe.generation import Plants
from parkcarbon.domain.alarm.types import Level
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.pv.performance import Performance
from parkcarbon.domain.pv.sun import clear_sky
from parkcarbon.live.model import Name, ParkModel
from tests.fakes.alarm_kinds import Desk, rule_of
from tests.fakes.alarm_solar import ALIKE, ASTRIDE, DAY_MS, LATITUDE, LONGITUDE, Inverter, Mishap, Produced, produce

LEARNT, LAST = 30, 120  # false alarms are counted over these ninety days
DIRTY = 95
WINTER, SPRING, AUTUMN = 20_454, 20_544, 20_714
CURTAILED = Mishap(hours=(10, 13), at_most=0.4, chance=0.3)
SHADED = Mishap(1, hours=(14, 16), keep=0.6)


def park() -> ParkModel:
    return ParkModel(
        park="demo",
        name=Name(zh="园区", en="Park"),
        timezone="Asia/Shanghai",
        zone=ZoneInfo("Asia/Shanghai"),
        revision=1,
        document={},
        changed_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        settings=Settings("China/JS", "China", "China"),
        tenants=(),
        devices=(),
        points=(),
        factors=(),
        by_id={},
    )


def desk_of(inverters: Sequence[Inverter]) -> Desk:
    return Desk(rule_of("pv_underperformance", tuple(f"device:pv-{row}" for row in range(len(inverters)))))


def look(desk: Desk, found: Performance | None, day: int, *, placed: bool = True) -> None:
    """A look after midnight."""
    plants = Plants(tuple(subject.partition(":")[2] for subject in desk.rule.subjects), found, placed)
    desk.look(Scene(park(), (day + 1) * DAY_MS, read={"pv_underperformance": plants}))


def until(found: Performance, day: int) -> Performance:
    """What was known after a day."""
    return Performance(found.days[: day + 1], found.neighbours[:, : day + 1], found.sun[:, : day + 1])


def ninety_days(inverters: Sequence[Inverter], produced: Produced) -> Desk:
    desk, found = desk_of(inverters), produced.judged()
    for day in range(LEARNT, LAST):
        look(desk, until(found, day), day)
    return desk


@pytest.mark.parametrize(("seed", "first_day"), [(5, WINTER), (1, SPRING), (13, AUTUMN)])
@pytest.mark.parametrize("inverters", [ALIKE, ASTRIDE, ASTRIDE[:2]], ids=["alike", "astride", "two"])
def test_fifteen_percent_of_dirt_is_found_within_three_sunny_days(
    inverters: Sequence[Inverter], seed: int, first_day: int
) -> None:
    produced = produce(inverters, 115, seed=seed, first_day=first_day, mishaps=[Mishap(0, DIRTY, keep=0.85), CURTAILED])
    desk, sunny = desk_of(inverters), 0
    for day in range(DIRTY, 115):
        found = produced.until(day).judged()
        sunny += bool(np.isfinite(found.neighbours[0, day]))
        look(desk, found, day)
        if desk.fired or sunny > 3:
            break
    assert desk.fired == ["device:pv-0"]
    assert sunny <= 3
    raised = next(one for one in desk.seen if one.level is Level.BEYOND)
    assert raised.value is not None
    assert 80 < raised.value < 90
    assert "neighbours" in raised.reason.en
    assert "相邻逆变器" in raised.reason.zh


def test_an_inverter_without_neighbours_is_held_against_the_sun() -> None:
    produced = produce(ALIKE[:1], LAST, seed=3, first_day=SPRING, mishaps=[Mishap(0, DIRTY, keep=0.85)])
    desk = ninety_days(ALIKE[:1], produced)
    assert desk.fired == ["device:pv-0"]
    raised = next(one for one in desk.seen if one.level is Level.BEYOND)
    assert "the sun" in raised.reason.en
    assert raised.at_ms >= DIRTY * DAY_MS


@pytest.mark.parametrize(
    ("inverters", "mishaps", "first_day"),
    [
        (ALIKE, [], WINTER),
        (ALIKE, [CURTAILED], SPRING),
        (ALIKE, [SHADED], AUTUMN),
        (ASTRIDE, [], WINTER),
        (ASTRIDE, [CURTAILED, SHADED], SPRING),
        (ASTRIDE, [], AUTUMN),
        (ASTRIDE[:2], [], WINTER),
        (ALIKE[:1], [], SPRING),
        (ALIKE[:1], [CURTAILED], WINTER),
    ],
    ids=["alike", "curtailed", "shaded", "astride", "all at once", "autumn", "two", "alone", "alone in winter"],
)
@pytest.mark.parametrize("seed", [11, 12])
def test_ninety_days_without_fault_raise_at_most_one_alarm(
    inverters: Sequence[Inverter], mishaps: list[Mishap], first_day: int, seed: int
) -> None:
    desk = ninety_days(inverters, produce(inverters, LAST, seed=seed, first_day=first_day, mishaps=mishaps))
    assert len(desk.fired) <= 1
    judged = [one for one in desk.seen if one.level is not Level.UNKNOWN]
    assert len(judged) > 0.8 * len(desk.seen)


def test_an_inverter_that_stands_still_raises_its_own_alarm_and_no_other() -> None:
    desk = ninety_days(ALIKE, produce(ALIKE, LAST, seed=11, mishaps=[Mishap(1, 60, 70, keep=0.0)]))
    assert desk.fired == ["device:pv-1"]
    assert desk.resolved == ["device:pv-1"]


def test_a_neighbour_that_was_cleaned_is_not_the_inverters_fault() -> None:
    dirty_before = Mishap(1, 0, DIRTY, keep=0.85)
    desk = ninety_days(ASTRIDE[:2], produce(ASTRIDE[:2], LAST, seed=11, mishaps=[dirty_before]))
    assert desk.fired == []


def test_dirt_does_not_become_normal() -> None:
    """Seventy days of it: longer than what is learnt from."""
    desk = ninety_days(ALIKE, produce(ALIKE, LAST, seed=12, mishaps=[Mishap(0, 50, keep=0.85)]))
    assert desk.fired == ["device:pv-0"]
    assert desk.standing == ["device:pv-0"]


def test_too_little_is_known_at_first_and_nothing_without_a_place() -> None:
    desk = desk_of(ALIKE)
    look(desk, produce(ALIKE, 12, seed=1).judged(), 11)
    look(desk, None, 12, placed=False)
    assert {one.level for one in desk.seen} == {Level.UNKNOWN}
    assert "too few sunny days" in desk.seen[0].reason.en
    assert "does not say where the park is" in desk.seen[-1].reason.en


def test_readings_that_are_missing_are_no_loss() -> None:
    produced = produce(ALIKE, LAST, seed=13)
    energy = produced.energy.copy()
    energy[0, (produced.day >= 80) & (produced.day < 90)] = np.nan  # nothing came
    energy[0, (produced.day >= 90) & (produced.day < 100) & (np.arange(produced.day.size) % 3 == 0)] = np.nan
    assert ninety_days(ALIKE, dataclasses.replace(produced, energy=energy)).fired == []


def test_the_sun_of_the_alarm_is_not_that_of_the_simulator_but_agrees_with_it() -> None:
    times = np.arange(20_454 * DAY_MS, 20_819 * DAY_MS, 3_600_000, dtype=np.int64)
    sky = clear_sky(times, LATITUDE, LONGITUDE)
    length = np.sqrt(sky.up**2 + sky.north**2 + sky.east**2)
    np.testing.assert_allclose(length, 1.0, atol=1e-12)
    from firmware_sim.solar import sun_position

    np.testing.assert_allclose(sky.up, sun_position(times, LATITUDE, LONGITUDE).sin_elevation, atol=0.005)
    assert float(sky.direct[sky.up < 0].max()) == 0.0
