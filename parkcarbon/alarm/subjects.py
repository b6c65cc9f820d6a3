"""What a rule can look at in a park, by id, and what people call it."""

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from parkcarbon.domain.alarm.types import Labels, Said
from parkcarbon.live.model import DeviceInfo, ParkModel, PointInfo

LABELS: Final = ("rule", "kind", "subject", "priority", "device", "source", "tenant")
"""What silences, windows and inhibitions can match."""

PARK: Final = "park"

_QUANTITIES: Final[Mapping[str, Said]] = {
    "active_energy_import": Said("正向有功电能", "active energy, import"),
    "active_energy_export": Said("反向有功电能", "active energy, export"),
    "active_energy_yield": Said("累计发电量", "energy produced"),
    "reactive_energy_import": Said("正向无功电能", "reactive energy, import"),
    "reactive_energy_export": Said("反向无功电能", "reactive energy, export"),
    "active_power": Said("总有功功率", "active power"),
    "active_power_l1": Said("A 相有功功率", "active power, phase 1"),
    "active_power_l2": Said("B 相有功功率", "active power, phase 2"),
    "active_power_l3": Said("C 相有功功率", "active power, phase 3"),
    "reactive_power": Said("总无功功率", "reactive power"),
    "apparent_power": Said("视在功率", "apparent power"),
    "power_factor": Said("功率因数", "power factor"),
    "frequency": Said("频率", "frequency"),
    "voltage_l1n": Said("A 相电压", "voltage, phase 1 to neutral"),
    "voltage_l2n": Said("B 相电压", "voltage, phase 2 to neutral"),
    "voltage_l3n": Said("C 相电压", "voltage, phase 3 to neutral"),
    "current_l1": Said("A 相电流", "current, phase 1"),
    "current_l2": Said("B 相电流", "current, phase 2"),
    "current_l3": Said("C 相电流", "current, phase 3"),
    "state_of_charge": Said("荷电状态", "state of charge"),
    "gas_volume": Said("工况体积", "gas volume at measuring conditions"),
    "gas_volume_base": Said("标况体积", "gas volume at base conditions"),
    "gas_energy": Said("燃气能量", "gas energy"),
    "gas_flow_base": Said("标况流量", "gas flow at base conditions"),
    "heat_energy": Said("热量", "heat energy"),
    "heat_power": Said("热功率", "heat power"),
    "temperature": Said("温度", "temperature"),
    "device_state": Said("设备状态", "device state"),
}


@dataclass(frozen=True, slots=True)
class Index:
    """Points and devices of a park by name: a thousand rules look at ten thousand points."""

    points: Mapping[str, PointInfo]
    devices: Mapping[str, DeviceInfo]


_KNOWN: Final[dict[int, tuple["weakref.ref[ParkModel]", Index]]] = {}


def index_of(model: ParkModel) -> Index:
    """The index of a park, made once for each model."""
    key = id(model)
    known = _KNOWN.get(key)
    if known is not None and known[0]() is model:
        return known[1]
    made = Index({point.point: point for point in model.points}, {device.device: device for device in model.devices})
    _KNOWN[key] = (weakref.ref(model, lambda _: _KNOWN.pop(key, None)), made)
    return made


def subject_name(model: ParkModel, subject: str) -> Said:
    """What people call a subject; its id where the park does not know it (any more)."""
    kind, _, name = subject.partition(":")
    if subject == PARK:
        return Said(model.name.zh, model.name.en)
    if kind == "tenant":
        found = next((item.name for item in model.tenants if item.tenant == name), None)
        return Said(name, name) if found is None else Said(found.zh, found.en)
    if kind not in ("device", "point"):
        return Said(name or subject, name or subject)
    device_id, _, quantity = name.partition("/")
    device = _device(model, device_id)
    base = Said(device_id, device_id) if device is None else Said(device.name.zh, device.name.en)
    if not quantity:
        return base
    words = _QUANTITIES.get(quantity, Said(quantity, quantity))
    return Said(f"{base.zh} {words.zh}", f"{base.en}, {words.en}")


def labels_of(model: ParkModel, rule: str, kind: str, priority: str, subject: str) -> Labels:
    """What silences, windows and inhibitions match of an alarm; a label that it does not have is left out."""
    what, _, name = subject.partition(":")
    values = {"rule": rule, "kind": kind, "priority": priority, "subject": subject}
    if what in ("source", "tenant"):
        values[what] = name
    device = _device(model, name.partition("/")[0]) if what in ("device", "point") else None
    if device is not None:
        values |= {"device": device.device}
        values |= {"source": device.source} if device.source else {}
        point = model.by_name.get(name)
        tenant = device.tenant if point is None else point.tenant
        values |= {"tenant": tenant} if tenant else {}
    return Labels(values)


def _device(model: ParkModel, name: str) -> DeviceInfo | None:
    return index_of(model).devices.get(name)
