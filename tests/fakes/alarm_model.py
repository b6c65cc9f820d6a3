"""A small park as a model in memory, for rules of alarms."""

import datetime as dt
from zoneinfo import ZoneInfo

from parkcarbon.domain.emissions import Settings
from parkcarbon.live.model import DeviceInfo, Name, ParkModel, PointInfo, TenantRef

_DEVICES = (("gate", "edge-1", None), ("shop", "edge-2", "a"), ("inv-3", "edge-1", None))
_POINTS = (
    ("gate/active_power", "kW", "gauge", None),
    ("gate/reactive_power", "kvar", "gauge", None),
    ("gate/voltage_l1n", "V", "gauge", None),
    ("gate/power_factor", "1", "gauge", None),
    ("gate/active_energy_import", "kWh", "counter", "import"),
    ("shop/active_power", "kW", "gauge", None),
    ("shop/active_energy_import", "kWh", "counter", "sub_meter"),
    ("inv-3/active_energy_yield", "kWh", "counter", "generation"),
)


def park() -> ParkModel:
    """Gate, workshop of tenant `a`, an inverter."""
    numbers = {device: number for number, (device, _, _) in enumerate(_DEVICES, 1)}
    tenants = {device: tenant for device, _, tenant in _DEVICES}
    points = tuple(
        PointInfo(
            point_id=number,
            device_id=numbers[name.partition("/")[0]],
            point=name,
            quantity=name.partition("/")[2],
            kind=kind,
            unit=unit,
            carrier="electricity",
            flow=flow,
            tenant=tenants[name.partition("/")[0]],
            period_ms=5000,
            ratio=1.0,
        )
        for number, (name, unit, kind, flow) in enumerate(_POINTS, 1)
    )
    return ParkModel(
        park="demo",
        name=Name("示范园区", "Demonstration park"),
        timezone="Asia/Shanghai",
        zone=ZoneInfo("Asia/Shanghai"),
        revision=1,
        document={},
        changed_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        settings=Settings("China/JS", "China", "China", "AR6"),
        tenants=(TenantRef("a", Name("租户甲", "tenant A")),),
        devices=tuple(
            DeviceInfo(number, name, Name(f"设备{name}", f"device {name}"), "test", tenant, source, "bus-1", number)
            for number, (name, source, tenant) in enumerate(_DEVICES, 1)
        ),
        points=points,
        factors=(),
        by_id={item.point_id: item for item in points},
    )
