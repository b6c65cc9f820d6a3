"""Read every point of a configuration once and show what the registers hold: for the person at the cabinet."""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field

from parkcarbon.catalog.profiles import load_profile
from parkcarbon.domain.profile import PointDef
from parkcarbon.domain.registers import decode, decode_serial
from parkcarbon.kit.clock import Clock

from .agent import target_of
from .config import Device, EdgeConfig
from .device import BAD_BLOCK, PolledDevice
from .errors import LinkDownError, LostError, MalformedError, NoAnswerError, ReadError, RefusalError
from .modbus import Link, SerialTarget, Target
from .plausible import Shown, hints

_COLUMNS = ("quantity", "value", "unit")
_GATEWAY_CODES = frozenset({10, 11})


@dataclass(slots=True)
class Line:
    """One point in the table."""

    quantity: str
    value: str
    unit: str
    registers: str
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Finding:
    """What was found at one device.

    Attributes:
        device: its name.
        unit: Modbus unit identifier.
        target: where.
        profile: name of the profile.
        lines: one per point.
        serial: what it says it is, "" where it says nothing.
        fault: why it could not be read, with advice; "" where it could.
    """

    device: str
    unit: int
    target: str
    profile: str
    lines: list[Line] = field(default_factory=list)
    serial: str = ""
    fault: str = ""

    @property
    def well(self) -> bool:
        """Whether there is nothing to look at."""
        return not self.fault and not any(line.notes for line in self.lines)


async def probe(config: EdgeConfig, *, clock: Clock, only: str | None = None) -> AsyncIterator[Finding]:
    """Yield what is found at each device, in the order of the configuration.

    Args:
        config: what there should be.
        clock: for pauses.
        only: name of the one device to look at.
    """
    for bus in config.buses:
        target = target_of(bus)
        link = Link(target, clock)
        try:
            for device in bus.devices:
                if only in (None, device.device):
                    yield await _device(device, target, link, clock)
        finally:
            await link.close()


async def _device(config: Device, target: Target, link: Link, clock: Clock) -> Finding:
    profile = load_profile(config.profile)
    device = PolledDevice(config, profile, clock.now_ms())
    finding = Finding(device.name, device.unit, str(target), profile.name)
    shown: list[Shown] = []
    try:
        for point in profile.select(tuple(point.quantity for point in config.points)):
            await _point(point, device, link, finding, shown)
        finding.serial = await _serial(device, link)
    except ReadError as error:
        finding.fault = f"{error}. {advice(error, target)}"
    for quantity, notes in hints(shown).items():
        next(line for line in finding.lines if line.quantity == quantity).notes.extend(notes)
    return finding


async def _point(point: PointDef, device: PolledDevice, link: Link, finding: Finding, shown: list[Shown]) -> None:
    """Read one point by itself, so that each has its own verdict."""
    count = point.end - point.first
    try:
        words = await link.read(device.unit, point.function, point.first, count, device.timing)
    except RefusalError as error:
        if error.code not in BAD_BLOCK:
            raise
        note = f"{error}: this device has no such register; is it another model or firmware?"
        finding.lines.append(Line(point.quantity, "—", point.unit, f"{point.function}:{point.first}", [note]))
        return
    registers = dict(enumerate(words, point.first))
    one = Shown(point, registers, decode(point, registers))
    shown.append(one)
    value = "—" if one.decoded.value is None else f"{one.decoded.value:.10g}"
    raw = f"{point.function}:{point.first} " + " ".join(f"{word:04x}" for word in words)
    finding.lines.append(Line(point.quantity, value, point.unit, raw))


async def _serial(device: PolledDevice, link: Link) -> str:
    definition, block = device.profile.serial, device.serial_block
    if definition is None or block is None:
        return ""
    function, address, count = block
    try:
        words = await link.read(device.unit, function, address, count, device.timing)
    except ReadError:
        return ""
    return decode_serial(definition, dict(enumerate(words, address))) or ""


_ADVICE: dict[tuple[type[ReadError], bool], str] = {
    (LinkDownError, True): "Is the adapter plugged in, the path right, and may this user open it (group dialout)?",
    (LinkDownError, False): "Is the address right, the device on, and Modbus TCP switched on in it?",
    (LostError, True): "The adapter went away: look at its cable.",
    (LostError, False): "The device hung up: many allow one connection only. Is another system reading it?",
    (
        NoAnswerError,
        True,
    ): "Check unit, baud, parity and stop bits in the device's menu, then whether A and B are swapped.",
    (
        NoAnswerError,
        False,
    ): "Something listens there, the unit does not: check the unit, and the line behind a gateway.",
    (MalformedError, True): "Something answers, but damaged: parity, stop bits, or two devices with the same unit.",
    (MalformedError, False): "Something answers, but not as it should: is this Modbus TCP, and is the unit right?",
}


def advice(error: ReadError, target: Target) -> str:
    """Say what to look at when a device cannot be read."""
    if isinstance(error, RefusalError):
        if error.code in _GATEWAY_CODES:
            return "The gateway answers for the device: check the unit, and the gateway's serial settings and wiring."
        return "Try again; a device that starts up or is busy says so."
    if isinstance(error, LinkDownError) and "lock port" in str(error):
        return "Another program has the line: stop the agent first (systemctl stop parkcarbon-edge)."
    return _ADVICE[type(error), isinstance(target, SerialTarget)]


def render(findings: Iterable[Finding]) -> Iterator[str]:
    """Lay findings out as lines of text."""
    for finding in findings:
        serial = f", serial {finding.serial}" if finding.serial else ""
        mark = "OK" if finding.well else "LOOK"
        yield f"{mark:4} {finding.device}  {finding.profile} unit {finding.unit} at {finding.target}{serial}"
        widths = [max((len(getattr(line, name)) for line in finding.lines), default=0) for name in _COLUMNS]
        for line in finding.lines:
            cells = (line.quantity.ljust(widths[0]), line.value.rjust(widths[1]), line.unit.ljust(widths[2]))
            yield f"     {'  '.join(cells)}  {line.registers}".rstrip()
            for note in line.notes:
                yield f"       ! {note}"
        if finding.fault:
            yield f"       ! {finding.fault}"
