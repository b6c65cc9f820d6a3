"""The configuration of one agent: a YAML file, decoded strictly and checked once at the start.

Unknown keys, impossible values, devices that would collide on a bus, and quantities that a profile does not have are
refused with file, place and value. Relative paths are relative to the file.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from parkcarbon.catalog.profiles import ProfileError, load_profile

from .errors import ConfigError

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Port = Annotated[int, Meta(ge=1, le=65535)]
Period = Annotated[float, Meta(ge=0.2, le=86_400)]
Timeout = Annotated[float, Meta(ge=0.05, le=60)]

_BROKER = re.compile(r"mqtts?://[^\s/]+(:\d+)?/?")


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """One quantity to read.

    Attributes:
        quantity: name from the list of quantities that the profile has.
        period_s: time between two readings [s].
    """

    quantity: str
    period_s: Period = 900.0


class Device(Struct, frozen=True, forbid_unknown_fields=True):
    """One meter or inverter on a bus.

    Attributes:
        device: its name in the park.
        profile: name of the device profile.
        unit: Modbus unit identifier; None: the profile's factory setting.
        points: what to read.
        timeout_s: time to wait for an answer [s]; None: the profile's.
        pause_s: silence it wants before a request [s]; None: the profile's.
    """

    device: Slug
    profile: str
    points: Annotated[tuple[Point, ...], Meta(min_length=1)]
    unit: Annotated[int, Meta(ge=0, le=255)] | None = None
    timeout_s: Timeout | None = None
    pause_s: Annotated[float, Meta(ge=0, le=10)] | None = None


class TcpBus(Struct, frozen=True, forbid_unknown_fields=True, tag="tcp", tag_field="kind"):
    """Devices behind one network address: a meter, or a gateway to a serial line."""

    bus: Slug
    host: Annotated[str, Meta(min_length=1)]
    devices: Annotated[tuple[Device, ...], Meta(min_length=1)]
    port: Port = 502


class RtuBus(Struct, frozen=True, forbid_unknown_fields=True, tag="rtu", tag_field="kind"):
    """Devices on a serial line.

    Attributes:
        bus: name.
        path: serial port, best one under /dev/serial/by-id.
        baud: speed [bit/s]; every device on the line must be set to it.
        parity: `N`, `E` or `O`.
        stop_bits: 1 or 2.
        devices: who is on the line.
    """

    bus: Slug
    path: Annotated[str, Meta(min_length=1)]
    devices: Annotated[tuple[Device, ...], Meta(min_length=1)]
    baud: Annotated[int, Meta(ge=300, le=4_000_000)] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1


Bus = TcpBus | RtuBus


class EdgeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole agent.

    Attributes:
        park: organisation.
        source: own name: topics, broker account.
        broker: `mqtt://host:port` or `mqtts://…`.
        data: folder for the outbox and what is remembered.
        buses: what to read.
        journal: file that lists every reading after it is safe in the outbox; for tests of custody.
        backfill: readings that a data logger kept, sent once behind the live ones.
        key_file: PEM with the Ed25519 private key that signs batches; None: not signed.
        username: broker account.
        password_file: file with its password.
        ca_file: PEM of the authority that vouches for the broker; None: the system's.
        keep_days: how long committed batches stay for a restored cloud to ask for [days].
        max_outbox_mb: size limit of the outbox [MB].
        flush_s: readings are made safe at least this often [s].
        flush_readings: or when so many wait.
        status_s: time between two status messages [s].
        wait_for_ntp: take the clock as uncertain until the system says it is synchronised.
        log: `console`, `json`, or `auto`: lines for people on a terminal, else JSON.
    """

    park: Slug
    source: Slug
    broker: str
    data: str
    buses: tuple[Bus, ...] = ()
    journal: str | None = None
    backfill: str | None = None
    key_file: str | None = None
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    keep_days: Annotated[float, Meta(ge=0, le=3650)] = 3.0
    max_outbox_mb: Annotated[int, Meta(ge=4, le=1_000_000)] = 512
    flush_s: Annotated[float, Meta(ge=0.05, le=60)] = 1.0
    flush_readings: Annotated[int, Meta(ge=1, le=4000)] = 2000
    status_s: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    wait_for_ntp: bool = False
    log: Literal["auto", "console", "json"] = "auto"


def load_config(path: Path) -> EdgeConfig:
    """Read and check a configuration; relative paths in it come out absolute.

    Raises:
        ConfigError: with every problem on its own line.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    config = parse_config(text, str(path))
    return _rooted(config, path.resolve().parent)


def parse_config(text: bytes, name: str) -> EdgeConfig:
    """Decode and check the text of a configuration.

    Args:
        text: YAML.
        name: what to call the file in errors.

    Raises:
        ConfigError: with every problem on its own line.
    """
    try:
        document = msgspec.yaml.decode(text)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{name}: not YAML: {error}") from None
    try:
        config = msgspec.convert(document, EdgeConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}: {_located(document, str(error))}") from None
    problems = list(_problems(config))
    if problems:
        raise ConfigError("\n".join(f"{name}: {problem}" for problem in problems))
    return config


def _located(document: object, message: str) -> str:
    """Turn `… - at `$.a[0].b`` into `a[0].b: … (it is 7)`."""
    text, _, place = message.partition(" - at `$")
    place = place.rstrip("`").lstrip(".")
    value = document
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", place):
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and index:
            value = value[int(index)]
        else:
            return f"{place}: {text}"
    shown = "" if isinstance(value, dict | list) else f" (it is {value!r})"
    return f"{place or 'the document'}: {text}{shown}"


def _rooted(config: EdgeConfig, folder: Path) -> EdgeConfig:
    names = ("data", "journal", "backfill", "key_file", "password_file", "ca_file")
    values = {name: getattr(config, name) for name in names}
    return msgspec.structs.replace(
        config, **{name: str(folder / value) for name, value in values.items() if value is not None}
    )


def _problems(config: EdgeConfig) -> Iterator[str]:
    if not _BROKER.fullmatch(config.broker):
        yield f"broker: expected mqtt://host:port or mqtts://host:port (it is {config.broker!r})"
    if not config.buses and config.backfill is None:
        yield "buses: nothing to read and nothing to backfill"
    if config.password_file and not config.username:
        yield "password_file: needs a username"
    yield from _collisions(config)
    for i, bus in enumerate(config.buses):
        for j, device in enumerate(bus.devices):
            place = f"buses[{i}].devices[{j}]"
            yield from _device_problems(device, place)
            if isinstance(bus, RtuBus) and device.unit is not None and not 1 <= device.unit <= 247:
                yield f"{place}.unit: a serial line has units 1 to 247 (it is {device.unit})"


def _collisions(config: EdgeConfig) -> Iterator[str]:
    """Names and addresses that appear twice."""
    seen: dict[tuple[object, ...], str] = {}
    for i, bus in enumerate(config.buses):
        line = (bus.host, bus.port) if isinstance(bus, TcpBus) else (bus.path,)
        claims: list[tuple[tuple[object, ...], str, str]] = [(("bus", bus.bus), f"buses[{i}].bus", bus.bus)]
        if isinstance(bus, RtuBus):
            claims.append((("path", bus.path), f"buses[{i}].path", bus.path))
        for j, device in enumerate(bus.devices):
            place = f"buses[{i}].devices[{j}]"
            claims.append((("device", device.device), f"{place}.device", device.device))
            unit = unit_of(device)
            if unit is not None:
                claims.append((("unit", *line, unit), f"{place}.unit", f"{unit} at {':'.join(map(str, line))}"))
        for key, place, value in claims:
            if key in seen:
                yield f"{place}: the same as {seen[key]} (it is {value})"
            seen.setdefault(key, place)


def _device_problems(device: Device, place: str) -> Iterator[str]:
    try:
        profile = load_profile(device.profile)
    except ProfileError as error:
        yield f"{place}.profile: {error}"
        return
    if profile.transport != "modbus":
        yield f"{place}.profile: {device.profile!r} has no registers to read"
        return
    known = {point.quantity for point in profile.points}
    asked: set[str] = set()
    for k, point in enumerate(device.points):
        spot = f"{place}.points[{k}].quantity"
        if point.quantity not in known:
            has = ", ".join(sorted(known))
            yield f"{spot}: {device.profile} does not have it (it is {point.quantity!r}); it has {has}"
        if point.quantity in asked:
            yield f"{spot}: appears twice (it is {point.quantity!r})"
        asked.add(point.quantity)


def unit_of(device: Device) -> int | None:
    """Return the unit identifier of a device; None where the profile is not known."""
    if device.unit is not None:
        return device.unit
    try:
        return load_profile(device.profile).defaults.unit
    except ProfileError:
        return None
