"""What the scenario states comes out, for every seed: load factors, weekends, losses, nights, the energy identity."""

import datetime as dt
import math
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from firmware_sim.balance import STEP_MS, Park, positive_energy
from firmware_sim.ledger import Ledger
from firmware_sim.localtime import DAY_MS, LocalTime, history_start_ms, local_midnight_ms
from firmware_sim.noise import Floats, Ints, key, smooth, uniform
from firmware_sim.scenario import Scenario, load_scenario, scenario_text
from firmware_sim.solar import sun_position

SEEDS = range(1, 21)
MONDAY = dt.date(2026, 9, 28)
WEEKS = 8


@cache
def jiangsu() -> Scenario:
    return load_scenario(scenario_text("jiangsu"))


@cache
def times() -> Ints:
    zone = ZoneInfo(jiangsu().timezone)
    return local_midnight_ms(zone, MONDAY) + np.arange(WEEKS * 7 * 1440, dtype=np.int64) * STEP_MS


class Weeks:
    """Powers of a seed over whole weeks [kW] on minutes."""

    def __init__(self, seed: int) -> None:
        self.park = Park.of(jiangsu(), seed)
        self.power = self.park.powers(times())
        self.local = LocalTime.of(ZoneInfo(jiangsu().timezone), times())
        self.weekend = self.local.weekday >= 5

    def of(self, *devices: str) -> Floats:
        rows = [self.park.devices.index(device) for device in devices]
        total: Floats = self.power[rows].sum(axis=0)
        return total

    def loads(self) -> Floats:
        return self.of(*(meter.device for tenant in jiangsu().tenants for meter in tenant.meters))


@pytest.fixture(scope="module", params=SEEDS)
def weeks(request: pytest.FixtureRequest) -> Weeks:
    return Weeks(request.param)


def test_the_park_is_the_one_that_was_asked_for() -> None:
    scenario = jiangsu()
    assert len(scenario.tenants) == 5
    assert sum(len(tenant.meters) for tenant in scenario.tenants) == 24
    assert len(scenario.inverters) == 3
    assert scenario.battery
    assert scenario.gas
    assert scenario.heat
    serial = [bus.bus for bus in scenario.buses if bus.kind == "rtu"]
    assert [len(tenant.meters) for tenant in scenario.tenants if tenant.bus in serial] == [8]


def test_load_factor_weekend_ratio_and_peak_are_as_stated(weeks: Weeks) -> None:
    for tenant in jiangsu().tenants:
        power = weeks.of(*(meter.device for meter in tenant.meters))
        quarter = power.reshape(-1, 15).mean(axis=1)
        assert quarter.mean() / quarter.max() == pytest.approx(tenant.load_factor, abs=0.02)
        ratio = power[weeks.weekend].mean() / power[~weeks.weekend].mean()
        assert ratio == pytest.approx(tenant.weekend_ratio, abs=0.015)
        assert quarter.max() == pytest.approx(tenant.peak_kw, rel=0.03)


def test_each_meter_has_its_share(weeks: Weeks) -> None:
    for tenant in jiangsu().tenants:
        total = weeks.of(*(meter.device for meter in tenant.meters)).sum()
        for meter in tenant.meters:
            assert weeks.of(meter.device).min() >= 0
            assert weeks.of(meter.device).sum() / total == pytest.approx(meter.share, rel=0.05)


def test_losses_are_one_to_three_percent_of_what_the_meters_show(weeks: Weeks) -> None:
    losses = weeks.of("gate") - weeks.loads() - weeks.of("battery") + weeks.of("pv-1", "pv-2", "pv-3")
    assert np.all(losses >= 0.01 * weeks.loads())
    assert np.all(losses <= 0.03 * weeks.loads())
    assert 0.015 <= losses.sum() / weeks.loads().sum() <= 0.025


def test_pv_is_zero_at_night_and_only_then_for_long(weeks: Weeks) -> None:
    elevation = sun_position(times(), jiangsu().latitude, jiangsu().longitude).sin_elevation
    for inverter in jiangsu().inverters:
        power = weeks.of(inverter.device)
        assert np.all(power[elevation <= 0] == 0)
        assert np.all(power[elevation > math.sin(math.radians(15))] > 0)
        assert power.max() <= inverter.ac_kw
        assert power.max() > 0.4 * inverter.ac_kw


def test_the_machining_hall_exports_at_weekends_and_then_the_gate_does(weeks: Weeks) -> None:
    hall = weeks.of(*(f"machining-{n}" for n in range(1, 9))) - weeks.of("pv-1", "pv-2")
    gate = weeks.of("gate")
    exporting = gate < 0
    assert exporting[weeks.weekend].sum() > 60
    assert not exporting[~weeks.weekend].any()
    assert np.all(hall[exporting] < 0)


def test_the_battery_ends_each_day_as_it_began(weeks: Weeks) -> None:
    battery = jiangsu().battery
    assert battery is not None
    power = weeks.of("battery")[:-1].clip(min=0), -weeks.of("battery")[:-1].clip(max=0)
    assert power[1].sum() / power[0].sum() == pytest.approx(battery.round_trip, rel=1e-3)
    assert power[0].max() == pytest.approx(battery.charge_kw)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_energy_identity_closes_over_the_counters(seed: int) -> None:
    """Import - export = loads + losses + charge - discharge - generation, from the ledger's cumulative energies."""
    park = Park.of(jiangsu(), seed)
    epoch = int(times()[0]) // DAY_MS * DAY_MS
    ledger = Ledger(park, epoch)
    moments = epoch + np.array([0, 3 * DAY_MS + 12_345_678, 9 * DAY_MS + 1_000], dtype=np.int64)

    def energy(*devices: str, backward: bool = False) -> Floats:
        total: Floats = np.sum([ledger.energy(device, moments, backward=backward) for device in devices], axis=0)
        return total

    meters = [meter.device for tenant in jiangsu().tenants for meter in tenant.meters]
    net = energy("gate") - energy("gate", backward=True)
    stored = energy("battery") - energy("battery", backward=True)
    losses = net - energy(*meters) - stored + energy("pv-1", "pv-2", "pv-3")
    knots = np.arange(epoch, int(moments[-1]) + STEP_MS, STEP_MS, dtype=np.int64)
    stated = park.losses(park.powers(knots))
    integral = np.concatenate([[0.0], np.cumsum((stated[1:] + stated[:-1]) / 2 / 60)])
    assert losses == pytest.approx(np.interp(moments, knots, integral), rel=1e-4, abs=1e-6)
    assert np.all(losses[1:] / energy(*meters)[1:] < 0.03)


def test_energy_does_not_depend_on_when_the_simulator_starts() -> None:
    epoch = int(times()[0]) // DAY_MS * DAY_MS
    moment = np.array([epoch + 20 * DAY_MS + 40_000_123], dtype=np.int64)
    park = Park.of(jiangsu(), 3)
    long = Ledger(park, epoch)
    for day in range(21):
        long.block(day)
    short = Ledger(park, epoch, long.totals[:11])
    for device in ("gate", "battery", "pv-1", "machining-1", "boiler-gas"):
        for backward in (False, True):
            expected = long.energy(device, moment, backward=backward)
            assert short.energy(device, moment, backward=backward) == expected
            assert Ledger(park, epoch).energy(device, moment, backward=backward) == expected


def test_counters_never_run_back() -> None:
    epoch = int(times()[0]) // DAY_MS * DAY_MS
    ledger = Ledger(Park.of(jiangsu(), 5), epoch)
    moments = epoch + np.arange(0, 3 * DAY_MS, 7_919, dtype=np.int64)
    for device in ledger.park.devices:
        for backward in (False, True):
            assert np.all(np.diff(ledger.energy(device, moments, backward=backward)) >= 0)


def test_time_before_the_epoch_is_refused() -> None:
    epoch = int(times()[0]) // DAY_MS * DAY_MS
    ledger = Ledger(Park.of(jiangsu(), 1), epoch)
    with pytest.raises(ValueError, match="before the epoch"):
        ledger.power("gate", np.array([epoch - 1], dtype=np.int64))
    with pytest.raises(ValueError, match="not a UTC midnight"):
        Ledger(ledger.park, epoch + 1)


def test_positive_energy_splits_a_line_at_zero() -> None:
    left, right = np.array([2.0, -2.0, 1.0, 0.0, -3.0]), np.array([4.0, -4.0, -1.0, 0.0, 1.0])
    assert positive_energy(left, right, 1.0) == pytest.approx([3.0, 0.0, 0.25, 0.0, 0.125])
    whole = positive_energy(left, right, 1.0) - positive_energy(-left, -right, 1.0)
    assert whole == pytest.approx((left + right) / 2)


def test_noise_is_the_same_in_any_window() -> None:
    source = key(7, "somewhere")
    whole = smooth(source, np.arange(0, 10_000_000, 1_000, dtype=np.int64), 60_000)
    part = smooth(source, np.arange(4_000_000, 5_000_000, 1_000, dtype=np.int64), 60_000)
    assert np.array_equal(whole[4000:5000], part)
    assert np.all(np.abs(whole) <= 1)
    many = uniform(source, np.arange(100_000, dtype=np.int64))
    assert many.mean() == pytest.approx(0.5, abs=0.01)
    assert many.std() == pytest.approx(math.sqrt(1 / 12), abs=0.01)


def test_the_sun_stands_where_almanacs_put_it() -> None:
    """Solar noon at the June solstice: elevation 90 - (latitude - 23.44); due south."""
    minutes = int(dt.datetime(2026, 6, 21, tzinfo=dt.UTC).timestamp() * 1000) + np.arange(1440) * 60_000
    sun = sun_position(minutes, 31.3, 120.6)
    highest = int(np.argmax(sun.sin_elevation))
    assert math.degrees(math.asin(sun.sin_elevation[highest])) == pytest.approx(90 - (31.3 - 23.44), abs=0.3)
    assert math.degrees(sun.azimuth[highest]) == pytest.approx(180, abs=5)
    assert highest == pytest.approx(12 * 60 - 4 * 120.6 + 2, abs=3)  # equation of time: about -2 min
    winter = sun_position(minutes + 183 * DAY_MS, 31.3, 120.6)
    assert math.degrees(math.asin(winter.sin_elevation.max())) == pytest.approx(90 - (31.3 + 23.44), abs=0.3)


def test_local_time_follows_clock_changes() -> None:
    zone = ZoneInfo("Europe/London")
    change = int(dt.datetime(2022, 3, 27, 1, tzinfo=dt.UTC).timestamp() * 1000)
    local = LocalTime.of(zone, np.array([change - 60_000, change], dtype=np.int64))
    assert local.minute.tolist() == [59, 120]
    assert local.weekday.tolist() == [6, 6]
    assert history_start_ms(zone, change) == local_midnight_ms(zone, dt.date(2022, 1, 31))


def test_history_starts_a_day_before_the_previous_month() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    first_of_month = int(
        dt.datetime(2026, 10, 31, 16, 30, tzinfo=dt.UTC).timestamp() * 1000
    )  # already 1 November there
    assert history_start_ms(zone, first_of_month) == local_midnight_ms(zone, dt.date(2026, 9, 30))
