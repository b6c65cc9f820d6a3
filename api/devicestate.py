"""Whether each device answers: what its source says of it, and how old its newest reading is."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from parkcarbon.domain.reading import Quality
from parkcarbon.kit.db import from_ms
from parkcarbon.live.model import DeviceInfo, ParkModel, PointInfo
from parkcarbon.live.power import FRESH_MS, Newest

from .schemas import Device, DeviceCounts, DevicePoint, Devices, DeviceState

_SAID: Mapping[str, DeviceState] = {"ok": "ok", "silent": "silent", "error": "error"}


@dataclass(frozen=True, slots=True)
class State:
    """State of one device; `last_seen_ms` [ms UTC]."""

    state: DeviceState
    last_seen_ms: int | None
    detail: str | None


def device_states(
    model: ParkModel, newest: Mapping[int, Newest], sources: Sequence[Mapping[str, Any]], now_ms: int
) -> dict[str, State]:
    """Return the state of every device.

    A device whose newest reading is older than three periods (30 s at least) is silent, whatever its source last said:
    the source itself may be gone. A device that comes from files cannot be silent: it was last seen in the newest file.
    """
    said = _said(sources)
    points: dict[int, list[PointInfo]] = {}
    for point in model.points:
        points.setdefault(point.device_id, []).append(point)
    return {
        device.device: _from_files(points.get(device.device_id, []), newest)
        if device.from_files
        else _state(points.get(device.device_id, []), newest, said.get(device.device, {}), now_ms)
        for device in model.devices
    }


def count_states(states: Mapping[str, State]) -> DeviceCounts:
    """Count devices by state; a device never heard of is silent."""
    names = [state.state for state in states.values()]
    return DeviceCounts(
        ok=names.count("ok"),
        silent=names.count("silent") + names.count("never"),
        error=names.count("error"),
        files=names.count("files"),
    )


def device_list(model: ParkModel, newest: Mapping[int, Newest], states: Mapping[str, State]) -> Devices:
    """Return the devices in bus order with the newest reading of each point."""
    return Devices(devices=[_device(model, device, newest, states[device.device]) for device in model.devices])


def _said(sources: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """What the newest status message says of each device."""
    found: dict[str, Mapping[str, Any]] = {}
    heard = [source for source in sources if source["status_at"] is not None]
    for source in sorted(heard, key=lambda row: cast("dt.datetime", row["status_at"])):
        status = source["status"]
        for item in status.get("devices") or ():
            if isinstance(item, dict) and isinstance(item.get("device"), str):
                found[item["device"]] = {**item, "online": status.get("online") is True}
    return found


def _from_files(points: Sequence[PointInfo], newest: Mapping[int, Newest]) -> State:
    """The newest imported reading of any point; of an amount, the start of its interval."""
    times = [seen.time_ms for point in points if (seen := newest.get(point.point_id)) and seen.time_ms is not None]
    return State("files", max(times, default=None), None)


def _state(points: Sequence[PointInfo], newest: Mapping[int, Newest], said: Mapping[str, Any], now_ms: int) -> State:
    times = [(newest[point.point_id].time_ms, point) for point in points if point.point_id in newest]
    seen = [(time_ms, point.period_ms) for time_ms, point in times if time_ms is not None]
    said_ms = said.get("last_seen")
    last_ms = max([time_ms for time_ms, _ in seen] + ([said_ms] if isinstance(said_ms, int) else []), default=None)
    detail = str(said["detail"]) if said.get("detail") else None
    if last_ms is None:
        return State("never", None, detail)
    fresh = any(now_ms - time_ms <= max(FRESH_MS, 3 * period_ms) for time_ms, period_ms in seen)
    told = _SAID.get(str(said.get("state")), "ok") if said.get("online") else "ok"
    if told != "ok":
        return State(told, last_ms, detail)
    return State("ok" if fresh else "silent", last_ms, detail)


def _device(model: ParkModel, device: DeviceInfo, newest: Mapping[int, Newest], state: State) -> Device:
    return Device(
        device=device.device,
        name=device.name,
        profile=device.profile,
        tenant=device.tenant,
        source=device.source,
        bus=device.bus,
        position=device.position,
        state=state.state,
        last_seen=None if state.last_seen_ms is None else from_ms(state.last_seen_ms),
        detail=state.detail,
        points=[
            _point(point, newest.get(point.point_id, Newest()))
            for point in model.points
            if point.device_id == device.device_id
        ],
    )


def _point(point: PointInfo, seen: Newest) -> DevicePoint:
    return DevicePoint(
        point=point.point,
        quantity=point.quantity,
        unit=point.unit,
        kind=cast("Any", point.kind),
        value=seen.value,
        time=None if seen.time_ms is None else from_ms(seen.time_ms),
        quality=None if seen.quality is None else Quality(seen.quality).name.lower(),
    )
