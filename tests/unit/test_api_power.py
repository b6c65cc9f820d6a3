"""Live power of a point: ratio, direction, age; a slow meter by its newest interval."""

import dataclasses
import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from api.devicestate import State, count_states, device_states
from api.schemas import DeviceCounts
from parkcarbon.catalog.factors import load_factors
from parkcarbon.domain.calorific import filled
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.factors import Factor, FactorSeries
from parkcarbon.domain.live import live_figures
from parkcarbon.domain.reading import Quality
from parkcarbon.live.model import DeviceInfo, FactorRecord, Name, ParkModel, PointInfo, build_model
from parkcarbon.live.power import Newest, live_powers, not_live

NOW_MS = 1_795_219_200_000
NAME = Name(zh="甲", en="A")


def point(point_id: int, quantity: str, flow: str | None, **changes: object) -> PointInfo:
    members: dict[str, object] = {
        "point_id": point_id,
        "device_id": 1,
        "point": f"d/{quantity}",
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


def model(*points: PointInfo) -> ParkModel:
    return ParkModel(
        park="demo",
        name=NAME,
        timezone="Asia/Shanghai",
        zone=ZoneInfo("Asia/Shanghai"),
        revision=1,
        document={},
        changed_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        settings=Settings("China/JS", "China", "China"),
        tenants=(),
        devices=(DeviceInfo(1, "d", NAME, "p", None, "agent", "bus", 0),),
        points=points,
        factors=tuple(FactorRecord(number, factor) for number, factor in enumerate(load_factors())),
        by_id={item.point_id: item for item in points},
    )


IMPORT, EXPORT = point(1, "active_energy_import", "import"), point(2, "active_energy_export", "export")
POWER = point(3, "active_power", None, ratio=-20.0)


def seen(value: float | None, age_ms: int = 1000, quality: int = 0) -> dict[int, Newest]:
    return {3: Newest(time_ms=NOW_MS - age_ms, value=value, quality=quality)}


@pytest.mark.parametrize(("shown", "into", "out"), [(-8.0, 160.0, 0.0), (5.0, 0.0, 100.0), (0.0, 0.0, 0.0)])
def test_one_gauge_shows_both_directions_after_its_ratio(shown: float, into: float, out: float) -> None:
    powers = live_powers(model(IMPORT, EXPORT, POWER), seen(shown), NOW_MS)
    assert [item.power.kw for item in powers] == [into, out]
    assert [item.shown for item in powers] == [shown, shown]


@pytest.mark.parametrize(
    "newest",
    [
        {},
        seen(None, quality=Quality.NOT_AVAILABLE),
        seen(5.0, age_ms=30_001),
        seen(5.0, quality=Quality.OUT_OF_RANGE),
        seen(5.0, quality=Quality.CLOCK_UNCERTAIN),
    ],
)
def test_old_or_doubtful_values_are_unknown(newest: dict[int, Newest]) -> None:
    powers = live_powers(model(IMPORT, EXPORT, POWER), newest, NOW_MS)
    assert [item.power.kw for item in powers] == [None, None]
    assert not powers[0].power.averaged


def test_a_slower_gauge_may_be_older() -> None:
    slow = point(3, "active_power", None, period_ms=60_000)
    assert live_powers(model(IMPORT, slow), seen(5.0, age_ms=179_000), NOW_MS)[0].power.kw == 5
    assert live_powers(model(IMPORT, slow), seen(5.0, age_ms=181_000), NOW_MS)[0].power.kw is None


def test_a_meter_without_a_gauge_is_averaged() -> None:
    newest = {1: Newest(slow_start_ms=NOW_MS - 1_000_000, slow_per_h=44.0)}
    (power,) = live_powers(model(IMPORT), newest, NOW_MS)
    assert (power.power.kw, power.power.averaged) == (44, True)
    old = {1: Newest(slow_start_ms=NOW_MS - 4_000_000, slow_per_h=44.0)}
    assert live_powers(model(IMPORT), old, NOW_MS)[0].power.kw is None


def test_gas_by_volume_has_power_and_emission() -> None:
    gas = point(1, "gas_volume_base", "fuel", carrier="gas", unit="Nm3")
    flow = point(3, "gas_flow_base", None, carrier="gas", unit="Nm3/h")
    (power,) = live_powers(model(gas, flow), seen(10.0), NOW_MS)
    assert power.power.kw == pytest.approx(10 * 389.31 / 1e4 / 0.0036)
    assert power.power.rate == pytest.approx(21.62, rel=0.01)


def test_gas_in_raw_cubic_metres_has_neither() -> None:
    gas = point(1, "gas_volume", "fuel", carrier="gas", unit="m3")
    (power,) = live_powers(model(gas), {1: Newest(slow_start_ms=NOW_MS - 900_000, slow_per_h=4.0)}, NOW_MS)
    assert (power.per_h, power.power.kw, power.power.rate) == (4.0, None, None)


def test_heat_from_kilowatts() -> None:
    heat = point(1, "heat_energy", "heat", carrier="heat", unit="GJ")
    gauge = point(3, "heat_power", None, carrier="heat")
    (power,) = live_powers(model(heat, gauge), seen(100.0), NOW_MS)
    assert power.power.kw == pytest.approx(100)
    assert power.power.rate == pytest.approx(100 * 0.0036 * 110)


def canteen(newest: dict[int, Newest], *, live: bool = True) -> tuple[ParkModel, dict[int, Newest]]:
    """A live gate, and a meter in the canteen that is read once a month."""
    late = point(9, "active_energy_import", "import", device_id=2, point="canteen/active_energy_import")
    device = DeviceInfo(2, "canteen", NAME, "interval-file", None, "import-1", "", 1, from_files=True)
    park = model(IMPORT, POWER, late) if live else model(late)
    return dataclasses.replace(park, devices=(*park.devices, device)), newest | seen(-8.0)


def test_a_meter_from_files_is_kept_out_of_the_live_figures_and_named() -> None:
    park, newest = canteen({9: Newest(time_ms=NOW_MS - 20 * 86_400_000, value=1.0, quality=6)})
    powers = live_powers(park, newest, NOW_MS)
    assert [(item.point.point, item.power.from_files) for item in powers] == [
        ("d/active_energy_import", False),
        ("canteen/active_energy_import", True),
    ]
    assert [item.point.point for item in not_live(powers)] == ["canteen/active_energy_import"]
    assert live_figures([item.power for item in powers], {}).load_kw == 160.0
    alone, newest = canteen({}, live=False)
    powers = live_powers(alone, newest, NOW_MS)
    assert not_live(powers) == []
    assert live_figures([item.power for item in powers], {}).load_kw is None


@pytest.mark.parametrize("last_ms", [None, NOW_MS - 20 * 86_400_000])
def test_a_device_from_files_has_a_state_of_its_own(last_ms: int | None) -> None:
    park, newest = canteen({} if last_ms is None else {9: Newest(time_ms=last_ms, value=1.0, quality=6)})
    states = device_states(park, newest, [], NOW_MS)
    assert states["canteen"] == State("files", last_ms, None)
    assert count_states(states) == DeviceCounts(ok=1, silent=0, error=0, files=1)


@pytest.mark.parametrize(
    ("source", "kind_is_import", "profile", "expected"),
    [
        ("import-1", True, "eastron-sdm630", True),
        ("edge-1", False, "interval-file", False),
        (None, False, "interval-file", True),
        (None, False, "eastron-sdm630", False),
    ],
)
def test_what_comes_from_files(*, source: str | None, kind_is_import: bool, profile: str, expected: bool) -> None:
    park = {
        "park_id": "demo",
        "name_zh": "甲",
        "name_en": "A",
        "timezone": "Asia/Shanghai",
        "revision": 1,
        "document": {"method": {"electricity_region": "China/JS"}},
        "changed_at": dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
    }
    device = {"device_id": 1, "device": "d", "profile": profile, "tenant": None, "source": source, "name_zh": "甲"}
    device |= {"name_en": "A", "bus": "", "position": 0, "from_files": kind_is_import}
    assert build_model(park, [], [device], [], []).from_files(1) is expected


STATUS_AT = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("newest", "status", "state"),
    [
        ({}, {}, "never"),
        (seen(1.0), {}, "ok"),
        (seen(1.0, age_ms=31_000), {}, "silent"),
        (seen(1.0), {"online": True, "devices": [{"device": "d", "state": "error", "detail": "exception 4"}]}, "error"),
        (seen(1.0), {"online": True, "devices": [{"device": "d", "state": "silent"}]}, "silent"),
        (seen(1.0), {"online": False, "devices": [{"device": "d", "state": "error"}]}, "ok"),
        (seen(1.0, age_ms=60_000), {"online": True, "devices": [{"device": "d", "state": "ok"}]}, "silent"),
        (seen(1.0), {"online": True, "devices": ["nonsense", {"device": 7}]}, "ok"),
        (seen(1.0), {"online": True, "devices": None}, "ok"),
    ],
)
def test_device_states(newest: dict[int, Newest], status: dict[str, object], state: str) -> None:
    sources = [{"source": "agent", "status": status, "status_at": STATUS_AT}]
    states = device_states(model(IMPORT, POWER), newest, sources, NOW_MS)
    assert states["d"].state == state
    counts = count_states(states)
    assert counts.ok + counts.silent + counts.error == 1


def test_the_newer_status_counts() -> None:
    def source(name: str, day: int, state: str) -> dict[str, object]:
        status = {"online": True, "devices": [{"device": "d", "state": state}]}
        return {"source": name, "status": status, "status_at": STATUS_AT + dt.timedelta(days=day)}

    silent: dict[str, object] = {"source": "c", "status": {}, "status_at": None}
    sources = [source("b", 1, "error"), source("a", 0, "silent"), silent]
    assert device_states(model(IMPORT, POWER), seen(1.0), sources, NOW_MS)["d"].state == "error"


# ── gas by the hour ──────────────────────────────────────────────────────────────────────────────

HOUR_MS = 3_600_000
GAS = point(4, "gas_volume_base", "fuel", carrier="gas", unit="Nm3")
FLOW = point(5, "gas_flow_base", None, carrier="gas", unit="Nm3/h")
VALUES = Factor(
    factor="GAS-NCV",
    purpose="calorific_value",
    carrier="gas",
    region="China",
    gas="",
    unit="GJ/10^4Nm3",
    value=None,
    basis="NCV",
    series=True,
    own=True,
)


def by_the_hour(*values: float) -> ParkModel:
    """Calorific values of the hours up to now."""
    series = FactorSeries(
        VALUES,
        NOW_MS - HOUR_MS * np.arange(len(values), 0, -1) + HOUR_MS,
        np.full(len(values), HOUR_MS),
        np.array(values),
    )
    plain = model(GAS, FLOW)
    return dataclasses.replace(
        plain,
        settings=dataclasses.replace(plain.settings, gas_calorific_value="GAS-NCV"),
        factors=(*plain.factors, FactorRecord(9000, VALUES)),
        gas_values=filled(series) if values else None,
    )


@pytest.mark.rule("1.12", "6.2")
def test_gas_by_the_calorific_value_in_force_now() -> None:
    """100 Nm3/h at 400 GJ/1e4 Nm3: 4 GJ/h, 1111.1 kW, 4 x 55.5933 = 222.3732 kgCO2e/h."""
    newest = {5: Newest(time_ms=NOW_MS, value=100.0, quality=int(Quality.GOOD))}
    (power,) = live_powers(by_the_hour(350.0, 400.0), newest, NOW_MS)
    assert power.power.rate == pytest.approx(222.3732)
    assert power.power.kw == pytest.approx(4 / 0.0036)
    (late,) = live_powers(by_the_hour(350.0, 400.0), newest, NOW_MS + 20_000)
    assert late.power.rate == power.power.rate
    (unknown,) = live_powers(by_the_hour(), newest, NOW_MS)
    assert (unknown.power.rate, unknown.power.kw) == (None, None)


def test_a_constant_calorific_value_is_the_record_to_the_last_digit() -> None:
    newest = {5: Newest(time_ms=NOW_MS, value=123.4, quality=int(Quality.GOOD))}
    (by_series,) = live_powers(by_the_hour(389.31), newest, NOW_MS)
    (by_record,) = live_powers(model(GAS, FLOW), newest, NOW_MS)
    assert by_series.power == by_record.power
