"""Kinds of rules on scenes that must fire and scenes that must not, through the decision."""

import dataclasses
import datetime as dt
import doctest
import math
from types import ModuleType
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from parkcarbon.alarm.kinds import KINDS, intensity, power_factor
from parkcarbon.alarm.kinds import demand as demand_module
from parkcarbon.alarm.kinds.base import Scene
from parkcarbon.alarm.kinds.threshold import Read, unit_of
from parkcarbon.alarm.observe import intervals as intervals_module
from parkcarbon.alarm.observe import judge as judge_module
from parkcarbon.alarm.observe.figures import FiguresNow
from parkcarbon.alarm.observe.intervals import Newest15
from parkcarbon.alarm.observe.series import observations_of, with_silences
from parkcarbon.alarm.rules.document import Rule
from parkcarbon.books.facts import Entry
from parkcarbon.catalog.entries.allowance import InstrumentPrice
from parkcarbon.catalog.entries.management import Production
from parkcarbon.catalog.factors import load_factors
from parkcarbon.domain.alarm.types import Level, Said
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.indicators.budget import BudgetState, Forecast
from parkcarbon.domain.reading import INTERVAL_MS, Quality
from parkcarbon.live.model import DeviceInfo, FactorRecord, Name, ParkModel, PointInfo
from parkcarbon.live.power import Newest
from tests.fakes.alarm_kinds import NAME, Desk, grid_of, rule_of

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
        "关口表 总有功功率 970 kW，高于限值 950 kW", "Gate, active power 970 kW, above the limit 950 kW"
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
    assert desk.seen[-1].reason.en == "Gate, active power: outside the hours 22:00-06:00"


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


# ── budgets ─────────────────────────────────────────────────────────────────────────────────────

NOVEMBER = (dt.date(2026, 11, 1), dt.date(2026, 12, 1))


def budget(
    what: str,
    used: float,
    amount: float | None,
    pace: float,
    *,
    name: str = "park",
    known: int = 20,
    unknown: int = 0,
) -> BudgetState:
    forecast = Forecast(used, used / pace, used / pace * 0.9, used / pace * 1.1, "weekday", known, unknown, 10, pace)
    return BudgetState(name, what, "kWh", *NOVEMBER, amount, forecast)


@pytest.mark.parametrize(
    ("kind", "states", "fired"),
    [
        ("energy_budget_pace", [budget("electricity", 75_000, 100_000, 0.65)], ["park"]),  # 115 % of the pace
        ("energy_budget_pace", [budget("electricity", 70_000, 100_000, 0.65)], []),  # 108 %
        ("energy_budget_pace", [budget("co2e_location", 90, 100, 0.65)], []),  # of another kind
        ("energy_budget_pace", [budget("electricity", 90_000, 100_000, 0.65, name="cold")], []),  # a tenant's
        ("energy_budget_pace", [budget("electricity", 9_000, 100_000, 0.04)], []),  # on the first day
        ("energy_budget_pace", [budget("electricity", 0, 100_000, 0.65, known=0)], []),  # nothing is known
        ("energy_budget_pace", [budget("electricity", 90_000, None, 0.65)], []),  # no budget
        (
            "energy_budget_pace",
            [budget("electricity", 10_000, 100_000, 0.65), budget("gas", 900, 1_000, 0.65)],
            ["park"],
        ),
        ("emission_budget_pace", [budget("co2e_location", 75, 100, 0.65)], ["park"]),
        ("emission_budget_pace", [budget("co2e_location", 65, 100, 0.65)], []),
    ],
)
def test_budgets(kind: str, states: list[BudgetState], fired: list[str]) -> None:
    desk = Desk(rule_of(kind))
    desk.look(scene(NOW_MS, read={kind: states}))
    assert desk.fired == fired


def test_a_budget_says_where_it_leads_to_and_what_is_not_known() -> None:
    desk = Desk(rule_of("energy_budget_pace"))
    (one,) = desk.look(scene(NOW_MS, read={"energy_budget_pace": [budget("gas", 750, 1000, 0.6, unknown=2)]}))
    assert one.value == pytest.approx(125)
    assert one.reason.en == (
        "pace of the gas budget 125 %, above the limit 110 %; 2026-11-01–2026-11-30: 750 kWh used, 600 kWh at pace,"
        " budget 1,000 kWh, at today's pace 1,250 kWh (1,125–1,375) at the end, 2 days without data"
    )


# ── prices ──────────────────────────────────────────────────────────────────────────────────────


def price(
    instrument: Literal["GEC", "credit", "CEA"], amount: float, from_day: dt.date, currency: str = "CNY"
) -> Entry:
    content = InstrumentPrice(instrument, amount, currency)
    end = dt.date(2027, 1, 1)
    return Entry(1, "instrument_price", None, from_day, end, content, "market sheet", "clerk", None, NOW)


NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
SPRING, TODAY, TOMORROW = dt.date(2026, 3, 1), dt.date(2026, 11, 21), dt.date(2026, 11, 22)


@pytest.mark.parametrize(
    ("entries", "unit", "fired"),
    [
        ([price("CEA", 80, SPRING), price("CEA", 101, TODAY)], "CNY/t", ["park"]),
        ([price("CEA", 80, SPRING), price("CEA", 101, TOMORROW)], "CNY/t", []),  # holds from tomorrow on
        ([price("CEA", 80, SPRING), price("credit", 101, TODAY)], "CNY/t", []),
        ([price("CEA", 80, SPRING), price("credit", 101, TODAY)], "CNY/credit", ["park"]),
        ([price("CEA", 101, TODAY, "EUR")], "CNY/t", []),
        ([], "CNY/t", []),
    ],
)
def test_carbon_price(entries: list[Entry], unit: str, fired: list[str]) -> None:
    desk = Desk(rule_of("carbon_price", on=100, unit=unit))
    (one,) = desk.look(scene(NOW_MS, read={"carbon_price": tuple(entries)}))
    assert desk.fired == fired
    assert (one.level is Level.UNKNOWN) == (not entries or entries[0].content.currency == "EUR")  # type: ignore[attr-defined]


# ── night ───────────────────────────────────────────────────────────────────────────────────────

MIDNIGHT_MS = NOW_MS - 8 * HOUR_MS
HALL = "point:gate/active_energy_import"


def night(desk: Desk, end_ms: int, *kw: float) -> None:
    desk.look(scene(end_ms + 1000, read={"night_consumption": grid_of(end_ms, {1: kw})}))


def test_use_at_night_above_the_limit_fires_and_ends_with_the_night() -> None:
    desk = Desk(rule_of("night_consumption", (HALL,), on=50, off=45, unit="kW"))
    night(desk, MIDNIGHT_MS - 2 * HOUR_MS, 300, 300, 300, 300)  # 22:00: what was used by day does not count
    night(desk, MIDNIGHT_MS - HOUR_MS, 40, 40, 40, 45)
    assert desk.fired == []
    night(desk, MIDNIGHT_MS + HOUR_MS, 40, 60, 60, 60)
    assert desk.standing == [HALL]
    night(desk, MIDNIGHT_MS + 6 * HOUR_MS, 60, 60, 60, 60)
    assert desk.standing == [HALL]
    night(desk, NOW_MS, 300, 300, 300, 300)
    assert (desk.standing, desk.resolved) == ([], [HALL])


def test_the_window_does_not_reach_into_the_day() -> None:
    desk = Desk(rule_of("night_consumption", (HALL,), on=50, unit="kW"))
    night(desk, MIDNIGHT_MS - 2 * HOUR_MS + INTERVAL_MS, 300, 300, 300, 40)
    assert (desk.seen[0].value, desk.fired) == (40, [])


def test_night_of_the_park() -> None:
    desk = Desk(rule_of("night_consumption", of=("load",), on=50, unit="kW"))
    night(desk, MIDNIGHT_MS, 60, 60, 60, 60)
    assert desk.fired == ["park"]
    assert desk.seen[0].reason.zh == "负荷 夜间（22:00-06:00）平均功率 60 kW，高于限值 50 kW"


def test_units_of_night_and_demand_and_intensity() -> None:
    def unit(kind: str, of: tuple[str, ...] = (), on: str | None = None) -> str | None:
        known = KINDS[kind].unit_of
        assert known is not None
        return known(Rule(rule="r", kind=kind, name=NAME, of=of, on=on), model(IMPORT))  # type: ignore[arg-type]

    assert unit("night_consumption", ("load",)) == unit("night_consumption", ("gate/active_energy_import",)) == "kW"
    assert unit("night_consumption", ("self_sufficiency",)) is None
    assert [unit("demand_peak", on=on) for on in (None, "95 %", "950 kW", "1.2MW")] == ["%", "%", "kW", "kW"]
    assert unit("intensity", on="0.6 kgCO2e/kWh") == "kgCO2e/kWh"
    assert [unit("intensity", on=on) for on in ("120 kWh/t", "0.2MWh/t", "3 kWh/door")] == [
        "kWh/t",
        "kWh/t",
        "kWh/door",
    ]
    assert [unit("carbon_price", on=on) for on in ("95 CNY/t", "9 CNY/GEC", "9 CNY/h")] == [
        "CNY/t",
        "CNY/GEC",
        "CNY/t",
    ]


# ── power factor ────────────────────────────────────────────────────────────────────────────────

REACTIVE = point(4, "reactive_energy_import", "sub_meter", unit="kvarh")
GAUGE_PF, GAUGE_Q = point(5, "power_factor", unit="1"), point(6, "reactive_power", unit="kvar")
GATE = "device:gate"


@pytest.mark.parametrize(
    ("kw", "kvar", "fired"),
    [
        (300, 225, [GATE]),  # 0.8
        (300, 100, []),  # 0.949
        (0.5, 30, []),  # next to nothing is used
        (math.nan, 225, []),
    ],
)
def test_power_factor_by_energy(kw: float, kvar: float, fired: list[str]) -> None:
    desk = Desk(rule_of("power_factor", (GATE,)))
    grid = grid_of(NOW_MS, {1: [kw] * 4, 4: [kvar] * 4})
    park = model(IMPORT, REACTIVE)
    desk.look(Scene(park, NOW_MS + 1000, read={"power_factor": power_factor.Read(grid)}))
    assert desk.fired == fired


@pytest.mark.parametrize(
    ("points", "values", "fired"),
    [
        ((GAUGE_PF, POWER), {5: -0.8, 3: 20.0}, [GATE]),
        ((GAUGE_PF, POWER), {5: -0.8, 3: 0.01}, []),
        ((GAUGE_PF,), {5: 0.95}, []),
        ((GAUGE_Q, POWER), {6: 200.0, 3: 20.0}, [GATE]),
        ((GAUGE_Q, POWER), {3: 20.0}, []),
    ],
)
def test_power_factor_by_gauge(points: tuple[PointInfo, ...], values: dict[int, float], fired: list[str]) -> None:
    desk = Desk(rule_of("power_factor", (GATE,)))
    gauges = {point_id: Newest(NOW_MS - 1000, value, 0) for point_id, value in values.items()}
    desk.look(Scene(model(*points), NOW_MS, read={"power_factor": power_factor.Read(gauges=gauges)}))
    assert desk.fired == fired


def test_a_device_that_tells_no_power_factor_is_not_judged() -> None:
    looked = Scene(model(POWER), NOW_MS, read={"power_factor": power_factor.Read()})
    assert KINDS["power_factor"].observe(rule_of("power_factor", (GATE,)), looked) == []


# ── demand ──────────────────────────────────────────────────────────────────────────────────────


def demand(*running: demand_module.Running, contract: float | None = 1000.0, **rule: Any) -> Desk:
    desk = Desk(rule_of("demand_peak", **rule))
    park = model(IMPORT, contract_demand_kw=contract)
    for number, one in enumerate(running):
        seen = dataclasses.replace(one, at_ms=NOW_MS + number)
        desk.look(Scene(park, NOW_MS + number, read={"demand_peak": seen}))
    return desk


Running = demand_module.Running


def test_demand_that_will_pass_the_contract_fires_before_the_interval_is_over() -> None:
    desk = demand(Running(0, 900.0, 125.0, 0.5, 1100.0), unit="%")
    assert desk.fired == ["park"]
    assert desk.seen[0].value == pytest.approx(105)
    assert "1,050 kW projected for the running interval, 1,000 kW contracted" in desk.seen[0].reason.en


@pytest.mark.parametrize(
    "running",
    [
        Running(0, 900.0, 125.0, 0.5, 950.0),  # 975 kW
        Running(0, 900.0, 5.0, 0.02, 3000.0),  # a motor starts: too early to project
        Running(0, None, 0.0, 0.0, None),
    ],
)
def test_demand_that_will_not(running: demand_module.Running) -> None:
    assert demand(running, unit="%").fired == []


def test_demand_in_kilowatts_needs_no_contract() -> None:
    running = Running(0, 900.0, 125.0, 0.5, 1100.0)
    assert demand(running, contract=None, on=1000, unit="kW").fired == ["park"]
    without = demand(running, contract=None, unit="%")
    assert (without.fired, without.seen[0].level) == ([], Level.UNKNOWN)
    assert "says no contracted demand" in without.seen[0].reason.en


# ── intensity ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("kg_per_kwh", "fired"), [(0.61, ["park"]), (0.59, [])])
def test_intensity_of_a_kilowatt_hour(kg_per_kwh: float, fired: list[str]) -> None:
    desk = Desk(rule_of("intensity", on=0.6, unit="kgCO2e/kWh", window_ms=HOUR_MS))
    grid = grid_of(NOW_MS, {1: [100.0, math.nan, 300.0, 200.0]}, kg_per_unit={1: kg_per_kwh})
    desk.look(scene(NOW_MS + 1000, read={"intensity": intensity.Read(grid)}))
    assert desk.seen[0].value == pytest.approx(kg_per_kwh)
    assert desk.fired == fired


@pytest.mark.parametrize(
    ("made", "fired"),
    [
        (intensity.Made(NOW_MS, "t", 100.0, 12_500.0, "2026-10"), ["park"]),
        (intensity.Made(NOW_MS, "t", 100.0, 11_500.0, "2026-10"), []),
        (intensity.Made(NOW_MS, "t", 100.0, None, "2026-10"), []),
        (None, []),
    ],
)
def test_electricity_for_each_tonne(made: intensity.Made | None, fired: list[str]) -> None:
    desk = Desk(rule_of("intensity", on=120, unit="kWh/t"))
    desk.look(scene(NOW_MS, read={"intensity": intensity.Read(made={"r": made})}))
    assert desk.fired == fired


def production(amount: float, unit: str, from_day: dt.date, to_day: dt.date) -> Entry:
    content = Production("parts", amount, unit)
    return Entry(1, "production", None, from_day, to_day, content, "sheet", "clerk", None, NOW)


def test_production_that_counts() -> None:
    october, september = (dt.date(2026, 10, 1), dt.date(2026, 11, 1)), (dt.date(2026, 9, 1), dt.date(2026, 10, 1))
    entries = [
        production(1, "t", *september),
        production(2, "t", *october),
        production(3, "piece", *october),
        production(4, "t", dt.date(2026, 11, 1), dt.date(2026, 12, 1)),  # not over
    ]
    newest = intensity.chosen(rule_of("intensity", on=1, unit="kWh/t"), entries, TODAY)
    assert newest == [entries[1]]
    year = rule_of("intensity", on=1, unit="kWh/t", window_ms=365 * DAY_MS, window="365 d")
    assert intensity.chosen(year, entries, TODAY) == entries[:2]


def test_nothing_is_said_of_what_could_not_be_read() -> None:
    """A failed query is not a silent meter: alarms stay as they are."""
    for name, subjects, more in (
        ("threshold", (HALL,), {"on": 1.0, "unit": "kW"}),
        ("threshold", ("park",), {"on": 1.0, "unit": "kW", "of": ("load",)}),
        ("emission_rate", ("park",), {"on": 1.0}),
        ("energy_budget_pace", ("park",), {}),
        ("intensity", ("park",), {"on": 1.0, "unit": "kgCO2e/kWh"}),
        ("night_consumption", (HALL,), {"on": 1.0, "unit": "kW"}),
        ("power_factor", (GATE,), {}),
        ("demand_peak", ("park",), {"unit": "%"}),
        ("carbon_price", ("park",), {"on": 1.0, "unit": "CNY/t"}),
    ):
        assert KINDS[name].observe(rule_of(name, subjects, **more), scene(NOW_MS)) == []


@pytest.mark.parametrize("module", [judge_module, intervals_module, power_factor, demand_module])
def test_examples_in_docstrings(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert (result.attempted > 0, result.failed) == (True, 0)
