"""Kinds of rules on scenes that must fire and scenes that must not, through the decision."""

import dataclasses
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.kinds.base import Scene
from parkcarbon.alarm.kinds.threshold import Read, unit_of
from parkcarbon.alarm.observe.figures import FiguresNow
from parkcarbon.alarm.observe.intervals import Newest15
from parkcarbon.alarm.observe.series import observations_of, with_silences
from parkcarbon.alarm.rules.document import Rule
from parkcarbon.catalog.factors import load_factors
from parkcarbon.domain.alarm.types import Level, Said
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.reading import Quality
from parkcarbon.live.model import DeviceInfo, FactorRecord, Name, ParkModel, PointInfo
from parkcarbon.live.power import Newest
from tests.fakes.alarm_kinds import NAME, Desk, rule_of

NOW_MS = 1_795_219_200_000  # 2026-11-21 08:00 local
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


def point(point_id: int, quantity: str, flow: str | None = None, **changes: object) -> PointInfo:
    members: dict[str, object] = {
        "point_id": point_id,
        "device_id": 1,
        "point": f"gate/{quantity}",
        "quantity": quantity,
        "kind": "gauge" if flow is None else "counter",
        "unit": "kW" if flow is None else "kWh",
        "carrier": "electricity",
        "flow": flow,
        "tenant": None,
        "period_ms": 5000,
        "ratio": 1.0,
    }
    return PointInfo(**(members | changes))  # type: ignore[arg-type]


IMPORT = point(1, "active_energy_import", "import")
POWER = point(3, "active_power", ratio=10.0)


def model(*points: PointInfo, **document: Any) -> ParkModel:
    return ParkModel(
        park="demo",
        name=Name(zh="园区", en="Park"),
        timezone="Asia/Shanghai",
        zone=ZoneInfo("Asia/Shanghai"),
        revision=1,
        document=document,
        changed_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        settings=Settings("China/JS", "China", "China"),
        tenants=(),
        devices=(DeviceInfo(1, "gate", Name(zh="关口表", en="Gate"), "p", None, "edge-1", "bus", 0),),
        points=points,
        factors=tuple(FactorRecord(number, factor) for number, factor in enumerate(load_factors())),
        by_id={item.point_id: item for item in points},
    )


def scene(now_ms: int, newest: dict[int, Newest] | None = None, read: dict[str, Any] | None = None) -> Scene:
    return Scene(model(IMPORT, POWER), now_ms, newest or {}, read=read or {})


def powers(desk: Desk, *kw: float, step_ms: int = 5000) -> None:
    """A gauge behind a ratio of ten shows these, one every five seconds."""
    for number, value in enumerate(kw):
        at_ms = NOW_MS + number * step_ms
        desk.look(scene(at_ms + 200, {3: Newest(at_ms, value / 10, int(Quality.GOOD))}))


# ── threshold ───────────────────────────────────────────────────────────────────────────────────

PEAK = ("point:gate/active_power",)


def test_a_gauge_above_its_limit_for_long_enough_fires_and_comes_back() -> None:
    desk = Desk(rule_of("threshold", PEAK, on=950, off=900, unit="kW", for_ms=10_000))
    powers(desk, 940, 960, 970, 980, 920, 890, 890, 890)
    assert (desk.fired, desk.resolved, desk.standing) == ([*PEAK], [*PEAK], [])
    assert desk.seen[2].reason == Said(
        "gate/active_power 970 kW，高于限值 950 kW", "gate/active_power 970 kW, above the limit 950 kW"
    )


@pytest.mark.parametrize(
    "kw",
    [
        (940, 950, 949, 950, 940, 930),  # the limit itself is not beyond it
        (960, 890, 960, 890, 960, 890),  # never long enough
    ],
)
def test_a_gauge_that_is_not_beyond_its_limit_for_long_enough_does_not_fire(kw: tuple[float, ...]) -> None:
    desk = Desk(rule_of("threshold", PEAK, on=950, off=900, unit="kW", for_ms=10_000))
    powers(desk, *kw)
    assert desk.fired == []


def test_between_off_and_on_nothing_changes() -> None:
    desk = Desk(rule_of("threshold", PEAK, on=950, off=900, unit="kW"))
    powers(desk, 960, 920, 949, 901, 930)
    assert (desk.fired, desk.standing) == ([*PEAK], [*PEAK])


@pytest.mark.parametrize(
    "seen",
    [
        Newest(NOW_MS - 30_001, 200.0, int(Quality.GOOD)),
        Newest(NOW_MS, 200.0, int(Quality.OUT_OF_RANGE)),
        Newest(NOW_MS, None, int(Quality.NOT_AVAILABLE)),
        Newest(),
    ],
)
def test_an_old_or_doubtful_reading_is_no_data(seen: Newest) -> None:
    desk = Desk(rule_of("threshold", PEAK, on=950, unit="kW"))
    (one,) = desk.look(scene(NOW_MS, {3: seen}))
    assert (one.level, one.value, desk.fired) == (Level.UNKNOWN, None, [])


def test_a_reading_that_is_on_its_way_is_not_late_when_silence_was_seen_before_it() -> None:
    """The silence speaks of a moment that no reading can come for any more."""
    desk = Desk(rule_of("threshold", PEAK, on=950, unit="kW"))
    desk.look(scene(NOW_MS, {3: Newest(NOW_MS - 60_000, 90.0, 0)}))
    assert desk.states[PEAK[0]].seen_ms == NOW_MS - 30_000
    desk.look(scene(NOW_MS + 1000, {3: Newest(NOW_MS - 500, 99.0, 0)}))
    assert desk.fired == [*PEAK]


def test_only_points_that_changed_are_judged() -> None:
    rule = rule_of("threshold", PEAK, on=950, unit="kW")
    newest = {3: Newest(NOW_MS, 99.0, 0)}
    for changed, count in ((frozenset({1}), 0), (frozenset({3}), 1), (None, 1)):
        looked = dataclasses.replace(scene(NOW_MS, newest), changed=changed)
        assert len(KINDS["threshold"].observe(rule, looked)) == count


def test_a_counter_is_judged_by_the_power_of_its_newest_interval() -> None:
    subject = "point:gate/active_energy_import"
    desk = Desk(rule_of("threshold", (subject,), on=1200, unit="kW"))
    desk.look(scene(NOW_MS, read={"threshold": Read({1: Newest15(NOW_MS - 1, 1199.0)})}))
    assert desk.fired == []
    desk.look(scene(NOW_MS, read={"threshold": Read({1: Newest15(NOW_MS, 1250.0)})}))
    assert desk.fired == [subject]
    (silent,) = desk.look(scene(NOW_MS + HOUR_MS, read={"threshold": Read({})}))
    assert silent.level is Level.UNKNOWN


@pytest.mark.parametrize(
    ("of", "unit"),
    [
        ("gate/active_power", "kW"),
        ("gate/active_energy_import", "kW"),
        ("boiler/gas_volume_base", "Nm3/h"),
        ("emission_rate", "kgCO2e/h"),
        ("self_sufficiency", "%"),
        ("gate/nothing", None),
    ],
)
def test_the_unit_of_a_threshold(of: str, unit: str | None) -> None:
    gas = point(9, "gas_volume_base", "fuel", unit="Nm3", point="boiler/gas_volume_base")
    rule = Rule(rule="r", kind="threshold", name=NAME, of=(of,))
    assert unit_of(rule, model(IMPORT, POWER, gas)) == unit


def test_a_figure_of_the_park() -> None:
    desk = Desk(rule_of("threshold", of=("self_sufficiency",), on=20, unit="%", direction="below"))
    for number, value in enumerate((None, 25.0, 19.0, 20.5, 21.5)):
        figures = FiguresNow(NOW_MS + number, {"self_sufficiency": value})
        desk.look(scene(NOW_MS + number, read={"threshold": Read(figures=figures)}))
    assert [one.level.value for one in desk.seen] == ["unknown", "clear", "beyond", "between", "clear"]
    assert (desk.fired, desk.resolved) == (["park"], ["park"])


def test_outside_its_hours_a_rule_is_clear() -> None:
    rule = rule_of("threshold", PEAK, on=950, unit="kW", hours=(22 * 60, 6 * 60))
    desk = Desk(rule)
    for hours_later, fired in ((0, 0), (14, 1), (21, 1), (22, 1)):  # 08:00, 22:00, 05:00, 06:00
        at_ms = NOW_MS + hours_later * HOUR_MS
        desk.look(scene(at_ms, {3: Newest(at_ms, 99.0, 0)}))
        assert len(desk.fired) == fired
    assert desk.resolved == [*PEAK]
    assert desk.seen[-1].reason.en == "gate/active_power: outside the hours 22:00-06:00"


# ── emission rate ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("rates", "fired"), [((600, 720, 730), ["park"]), ((600, 700, 690, None), [])])
def test_emission_rate(rates: tuple[float | None, ...], fired: list[str]) -> None:
    desk = Desk(rule_of("emission_rate", on=700, for_ms=5000))
    for number, rate in enumerate(rates):
        figures = FiguresNow(NOW_MS + number * 5000, {"emission_rate": rate})
        desk.look(scene(NOW_MS + number * 5000, read={"emission_rate": figures}))
    assert desk.fired == fired


# ── the past ────────────────────────────────────────────────────────────────────────────────────


def test_a_series_keeps_what_says_something_new() -> None:
    """An hour of readings every five seconds, ten minutes of them beyond: the decision is that of all of them."""
    times = NOW_MS + 5000 * np.arange(720)
    values = np.where((np.arange(720) >= 200) & (np.arange(720) < 320), 960.0 + np.arange(720) % 7, 800.0)
    values[250] = 1200.0
    rule = rule_of("threshold", PEAK, on=950, off=900, unit="kW", for_ms=5 * MINUTE_MS)
    park = model(IMPORT, POWER)
    thin = observations_of(rule, park, PEAK[0], (times, values), Said("", ""))
    every = observations_of(rule, park, PEAK[0], (times, values), Said("", ""), thin_ms=0)
    assert (len(every), len(thin) < 100) == (720, True)
    assert max(one.value or 0 for one in thin) == 1200
    ends = []
    for seen in (thin, every):
        desk = Desk(rule)
        desk.take(seen, NOW_MS + HOUR_MS)
        ends.append((desk.fired, desk.resolved))
    assert ends[0] == ends[1] == ([*PEAK], [*PEAK])


def test_silences_stand_where_readings_stay_away() -> None:
    times, values = with_silences(np.array([0, 5, 50, 55]), np.array([1.0, 2.0, 3.0, 4.0]), 15, 100)
    assert times.tolist() == [0, 5, 20, 50, 55, 70]
    assert np.isnan(values).tolist() == [False, False, True, False, False, True]
