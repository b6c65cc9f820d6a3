"""Tenants whose meters stand below one another: nothing twice, live, today and in series."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from api.plan import plan_series
from parkcarbon.domain.live import live_figures
from parkcarbon.live.model import ParkModel, TenantRef, build_model
from parkcarbon.live.power import Newest, live_powers
from parkcarbon.live.today import sum_today

NOW_MS = 1_795_219_200_000
QUANTITY = "active_energy_import"
# device, flow, tenant, below, kWh of today; the hall holds the presses, the press of `a` a lamp of `b`
METERS: list[tuple[str, str, str | None, str | None, int]] = [
    ("gate", "import", None, None, 150),
    ("hall", "sub_meter", None, None, 100),
    ("press", "sub_meter", "a", "hall", 40),
    ("pump", "sub_meter", "a", "press", 10),
    ("lamp", "sub_meter", "b", "gone", 5),
    ("gone", "sub_meter", "a", "press", 0),  # was taken away: its place is empty, the lamp stands below the press
    ("office", "sub_meter", "b", None, 30),
]
ACTIVE = [meter for meter in METERS if meter[0] != "gone"]


def park(*, nested: bool = True) -> ParkModel:
    devices = [
        {
            "device": device,
            "points": [{"quantity": QUANTITY, "below": f"{below}/{QUANTITY}" if below and nested else None}],
        }
        for device, _, _, below, _ in METERS
    ]
    row: dict[str, Any] = {"park_id": "p", "name_zh": "甲", "name_en": "A", "timezone": "Asia/Shanghai", "revision": 1}
    row |= {"document": {"method": {"electricity_region": "China/JS"}, "devices": devices}}
    row |= {"changed_at": dt.datetime(2026, 11, 1, tzinfo=dt.UTC)}
    points = [
        {
            "point_id": number,
            "device_id": number,
            "point": f"{device}/{QUANTITY}",
            "quantity": QUANTITY,
            "kind": "counter",
            "unit": "kWh",
            "carrier": "electricity",
            "flow": flow,
            "tenant": tenant,
            "period_ms": 900_000,
            "ratio": 1.0,
        }
        for number, (device, flow, tenant, _, _) in enumerate(ACTIVE)
    ]
    tenants = [{"tenant": tenant, "name_zh": tenant, "name_en": tenant} for tenant in ("a", "b")]
    return build_model(row, tenants, [], points, [])


def newest(**changes: int | None) -> dict[int, Newest]:
    found = {}
    for number, (device, *_, kwh) in enumerate(ACTIVE):
        used = changes.get(device, kwh)
        found[number] = (
            Newest()
            if used is None
            else Newest(
                day_micro=used * 10**6, day_nano_kg=used * 10**9, slow_start_ms=NOW_MS - 1_000_000, slow_per_h=used
            )
        )
    return found


def test_a_meter_below_one_that_is_gone_stands_below_the_next() -> None:
    below = {point.point.partition("/")[0]: (point.below or "").partition("/")[0] for point in park().points}
    assert below == {"gate": "", "hall": "", "press": "hall", "pump": "press", "lamp": "press", "office": ""}


def test_today_of_tenants_counts_nothing_twice() -> None:
    today = sum_today(park(), newest(), NOW_MS, NOW_MS - 1)
    assert today.tenant_kwh == {"a": 35.0, "b": 35.0}
    assert today.tenant_kg == {"a": 35.0, "b": 35.0}
    flat = sum_today(park(nested=False), newest(), NOW_MS, NOW_MS - 1)
    assert flat.tenant_kwh == {"a": 50.0, "b": 35.0}


def test_an_unknown_meter_of_another_below_mine_makes_mine_unknown() -> None:
    today = sum_today(park(), newest(lamp=None), NOW_MS, NOW_MS - 1)
    assert today.tenant_kwh == {"a": None, "b": 30.0}
    assert sum_today(park(), newest(pump=None), NOW_MS, NOW_MS - 1).tenant_kwh["a"] == 35.0


def test_live_powers_of_tenants_and_the_remainder() -> None:
    figures = live_figures([item.power for item in live_powers(park(), newest(), NOW_MS)], {})
    assert figures.tenants_kw == {"a": 35.0, "b": 35.0}
    assert figures.unmetered_kw == 150 - 130
    backwards = live_figures([item.power for item in live_powers(park(), newest(lamp=60), NOW_MS)], {})
    assert backwards.tenants_kw["a"] == 0.0  # two readings of different moments; the sums of today do not do this
    silent = live_figures([item.power for item in live_powers(park(), newest(lamp=None), NOW_MS)], {})
    assert silent.tenants_kw["a"] is None


@pytest.mark.parametrize("metric", ["energy_kwh", "load_kw", "co2e_kg"])
def test_series_by_tenant_take_the_outermost_and_leave_others_out(metric: Any) -> None:
    groups = {
        plan.key: {(p.point.partition("/")[0], c.scale) for c in plan.components for p in c.points}
        for plan in plan_series(park(), metric, "tenant")
    }
    assert groups == {"a": {("press", 1.0), ("lamp", -1.0)}, "b": {("lamp", 1.0), ("office", 1.0)}}


def test_the_unmetered_series_takes_the_outermost_and_devices_show_what_they_read() -> None:
    (plan,) = plan_series(park(), "unmetered_kw", "none")
    metered = [p.point.partition("/")[0] for c in plan.components if c.role == "sub_meter" for p in c.points]
    assert metered == ["hall", "office"]
    devices = plan_series(park(), "energy_kwh", "device")
    assert [group.key for group in devices] == ["hall", "press", "pump", "lamp", "office"]
    assert {c.scale for group in devices for c in group.components} == {1.0}


def test_a_sub_meter_that_gives_back_lowers_the_emission_of_its_tenant() -> None:
    model = park()
    back = replace(model.points[2], point_id=99, point="press/active_energy_export", quantity="active_energy_export")
    model = replace(
        model, points=(*model.points, replace(back, below=None)), tenants=(TenantRef(tenant="a", name=model.name),)
    )
    (plan,) = plan_series(model, "co2e_kg", "tenant")
    assert {(p.point, c.scale) for c in plan.components for p in c.points} == {
        (f"press/{QUANTITY}", 1.0),
        (f"lamp/{QUANTITY}", -1.0),
        ("press/active_energy_export", -1.0),
    }
