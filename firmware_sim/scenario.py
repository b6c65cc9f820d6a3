"""The scenario file: a simulated park written down, decoded and checked."""

from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from parkcarbon.catalog.park import MethodSettings, Name, Slug

from .load import LoadError, Shift, TenantLoad, shape_of_week

Share = Annotated[float, Meta(ge=0, le=1)]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d( [\d.]+)?$")]


class ScenarioError(ValueError):
    """A scenario that contradicts itself; the message names the member and the value."""


class Losses(Struct, frozen=True, forbid_unknown_fields=True):
    """Losses between gate and meters as a share of what the meters show: at no load, and more at peak."""

    fixed: Share
    at_peak: Share


class Meter(Struct, frozen=True, forbid_unknown_fields=True):
    """One electricity meter of a tenant."""

    device: Slug
    name: Name
    share: Share
    profile: str
    unit: int
    ct: float = 1.0
    pt: float = 1.0
    flatness: float = 0.0
    start_kwh: float | None = None  # register at the start of the history; None: from the seed


class TenantSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A tenant, its load and its meters."""

    tenant: Slug
    name: Name
    peak_kw: float
    load_factor: Share
    weekend_ratio: float
    shifts: tuple[Clock, ...]
    noise: Share
    bus: str
    meters: tuple[Meter, ...]

    def load(self) -> TenantLoad:
        """The load's figures for the physics."""
        return TenantLoad(
            name=self.tenant,
            peak_kw=self.peak_kw,
            load_factor=self.load_factor,
            weekend_ratio=self.weekend_ratio,
            shifts=shifts_of(self.shifts),
            noise=self.noise,
            meters=tuple((meter.device, meter.share) for meter in self.meters),
            flatness=tuple(meter.flatness for meter in self.meters),
        )


class DeviceSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every other device states."""

    device: Slug
    name: Name
    profile: str
    bus: str
    unit: int
    ct: float = 1.0
    pt: float = 1.0


class Gate(DeviceSpec, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The meter to the grid."""


class Inverter(DeviceSpec, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A PV inverter with its modules."""

    tenant: Slug | None = None
    dc_kw: float
    ac_kw: float
    tilt_deg: float = 10.0
    azimuth_deg: float = 180.0
    performance: Share = 0.84


class Battery(DeviceSpec, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A battery behind its own meter."""

    charge_kw: float
    round_trip: Share
    charge: tuple[Clock, ...]
    discharge: tuple[Clock, ...]


class Boiler(DeviceSpec, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A gas boiler or purchased heat: a daily curve between a base and a peak."""

    peak: float  # [Nm3/h] or [kW]
    base: Share
    weekend: float
    shifts: tuple[Clock, ...]
    noise: Share = 0.08


class SourceSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """An agent and the buses that it reads."""

    source: Slug
    buses: tuple[str, ...]
    via: Slug | None = None


class Bus(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of devices: a serial line behind a TCP gateway, a device's own port, or a serial line itself."""

    bus: Slug
    kind: Literal["tcp", "rtu"] = "tcp"
    baud: int = 9600


class Exchange(Struct, frozen=True, forbid_unknown_fields=True):
    """A meter exchange that the park document declares."""

    device: Slug
    after_days: float  # since the start of the history
    serial: str
    ct: float | None = None
    pt: float | None = None
    start_kwh: float = 0.0


class FaultSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A fault at a time relative to the moment of `prepare`; see `faults.py` for the kinds."""

    device: Slug
    kind: Literal["silent", "exception", "stuck", "drop", "glitch", "reset", "rollover", "exchange", "torn"]
    after_s: float
    for_s: float | None = None  # None: for good
    quantity: str | None = None  # None: every counter of the device
    amount: float = 0.0
    code: int = 4


class Scenario(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole simulated park."""

    scenario: Slug
    name: Name
    timezone: str
    latitude: float
    longitude: float
    method: MethodSettings
    losses: Losses
    tenants: tuple[TenantSpec, ...]
    gate: Gate
    buses: tuple[Bus, ...]
    sources: tuple[SourceSpec, ...]
    inverters: tuple[Inverter, ...] = ()
    battery: Battery | None = None
    gas: Boiler | None = None
    heat: Boiler | None = None
    gateway: Slug | None = None
    exchanges: tuple[Exchange, ...] = ()
    faults: tuple[FaultSpec, ...] = ()
    currency: str = "CNY"
    electricity_price_per_kwh: float | None = None
    contract_demand_kw: float | None = None
    period_s: float = 5.0
    history_period_s: int = 900

    def others(self) -> tuple[DeviceSpec, ...]:
        """Every device that is not a tenant's meter, in the order of the file."""
        rest = [device for device in (self.battery, self.gas, self.heat) if device is not None]
        return (self.gate, *self.inverters, *rest)


def shifts_of(texts: tuple[str, ...]) -> tuple[Shift, ...]:
    """Read shifts such as `08:00-20:00 0.7`.

    >>> shifts_of(("22:00-06:30 0.5",))
    (Shift(start_min=1320, end_min=390, level=0.5),)
    """
    shifts = []
    for text in texts:
        span, _, level = text.partition(" ")
        start, end = (60 * int(clock[:2]) + int(clock[3:]) for clock in span.split("-"))
        shifts.append(Shift(start, end, float(level or 1.0)))
    return tuple(shifts)


def scenario_text(name: str) -> str:
    """Text of a scenario given by name (one of ours) or as the path of a file.

    Raises:
        ScenarioError: there is none.
    """
    path = Path(name)
    if path.suffix == ".yaml":
        return path.read_text(encoding="utf-8")
    ours = resources.files("firmware_sim") / "scenarios" / f"{name}.yaml"
    if not ours.is_file():
        raise ScenarioError(f"no scenario {name!r}; give one of {', '.join(scenario_names())} or the path of a file")
    return ours.read_text(encoding="utf-8")


def scenario_names() -> list[str]:
    """Names of our own scenarios."""
    folder = resources.files("firmware_sim") / "scenarios"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load_scenario(text: str) -> Scenario:
    """Decode and check a scenario.

    Raises:
        msgspec.ValidationError: with the path of the first offending member.
        ScenarioError: the parts do not fit together.
    """
    scenario = msgspec.yaml.decode(text, type=Scenario)
    problems = _problems(scenario)
    if problems:
        raise ScenarioError("; ".join(problems))
    return scenario


def _problems(scenario: Scenario) -> list[str]:
    buses = [bus.bus for bus in scenario.buses]
    read = [bus for source in scenario.sources for bus in source.buses]
    names = {device.device for device in scenario.others()}
    used = [(device.bus, device.unit) for device in scenario.others()]
    problems = [f"bus {bus!r} is read by {read.count(bus)} sources" for bus in buses if read.count(bus) != 1]
    problems += [f"sources: no bus {bus!r}" for bus in read if bus not in buses]
    for tenant in scenario.tenants:
        total = sum(meter.share for meter in tenant.meters)
        if abs(total - 1) > 1e-9:
            problems.append(f"{tenant.tenant}: shares sum to {total:.9g}")
        try:
            shape_of_week(tenant.load())
        except LoadError as error:
            problems.append(str(error))
        used += [(tenant.bus, meter.unit) for meter in tenant.meters]
        names |= {meter.device for meter in tenant.meters}
    problems += [f"no bus {bus!r}" for bus in sorted({bus for bus, _ in used}) if bus not in buses]
    problems += [f"unit {unit} twice on {bus}" for bus, unit in sorted(set(used)) if used.count((bus, unit)) > 1]
    if len(names) != len(used):
        problems.append(f"{len(used)} devices with {len(names)} names")
    touched = [exchange.device for exchange in scenario.exchanges] + [fault.device for fault in scenario.faults]
    return problems + [f"no device {device!r}" for device in touched if device not in names]
