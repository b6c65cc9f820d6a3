"""How the registers of one device model read: plain data and the checks that need no file.

Addresses are wire addresses (0-based, as they travel in the request); whatever number a manual prints is a comment
in the profile's YAML. A profile knows the registers only. Ratios, signs and exchanges of a physical meter are
episodes of the park document.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Literal

from parkcarbon.domain.quantities import QUANTITIES

RegisterType = Literal["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "string"]
WordOrder = Literal["big", "little"]
Ratio = Literal["none", "ct", "pt", "ct_pt"]
Function = Literal[3, 4]

WORDS: dict[RegisterType, int] = {
    "u16": 1,
    "i16": 1,
    "u32": 2,
    "i32": 2,
    "f32": 2,
    "u64": 4,
    "i64": 4,
    "f64": 4,
}
"""Registers that a value of each fixed-length type takes."""

MAX_READ = 125
"""Most registers in one read (Modbus Application Protocol 1.1b3, 6.3)."""

_ADDRESSES = 65536


@dataclass(frozen=True, slots=True)
class Part:
    """A further register value that is added to the point's own: the decimals of an integer and decimal pair.

    Attributes:
        address: wire address of its first register.
        type: register type.
        scale: factor from the raw number to the quantity's unit.
    """

    address: int
    type: RegisterType
    scale: float = 1.0

    @property
    def end(self) -> int:
        """Address after the last register."""
        return self.address + WORDS[self.type]


@dataclass(frozen=True, slots=True)
class PointDef:
    """One quantity of a device model.

    Attributes:
        quantity: name from the closed list; fixes the unit.
        address: wire address of the first register, 0-based.
        function: Modbus function code, 3 (holding) or 4 (input).
        type: register type.
        word_order: `big` = most significant register first.
        byte_order: order of the two bytes of a register; `big` unless the device breaks the Modbus rule.
        scale: factor from the raw number to the quantity's unit.
        registers: count; given by the type.
        not_available: raw codes (all registers as one unsigned number) that mean "no value".
        minimum: least value the device can mean [unit], or None.
        maximum: greatest value the device can mean [unit], or None.
        parts: values added to this one; everything is read in one request.
        resolution: one register step [unit]; 0 = not stated.
        modulus: the register starts again at zero here [unit]; None = no rollover.
        ratio: what the register must still be multiplied by to be primary-side.
        note: what an installer should know.
    """

    quantity: str
    address: int
    function: Function
    type: RegisterType
    word_order: WordOrder = "big"
    byte_order: WordOrder = "big"
    scale: float = 1.0
    not_available: tuple[int, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    parts: tuple[Part, ...] = ()
    resolution: float = 0.0
    modulus: float | None = None
    ratio: Ratio = "none"
    note: str = ""

    @property
    def registers(self) -> int:
        """Registers of the point's own value, without parts."""
        return WORDS[self.type]

    @property
    def first(self) -> int:
        """Lowest address that must be read."""
        return min(self.address, *(part.address for part in self.parts)) if self.parts else self.address

    @property
    def end(self) -> int:
        """Address after the highest that must be read."""
        own = self.address + WORDS[self.type]
        return max(own, *(part.end for part in self.parts)) if self.parts else own

    @property
    def unit(self) -> str:
        """Unit of the decoded value."""
        return QUANTITIES[self.quantity].unit


@dataclass(frozen=True, slots=True)
class SerialDef:
    """Where the device shows its serial number.

    Attributes:
        address: wire address.
        function: Modbus function code.
        type: an unsigned integer type, printed as a decimal number, or `string` (ASCII).
        registers: count.
        word_order: as for points.
    """

    address: int
    function: Function
    type: RegisterType
    registers: int
    word_order: WordOrder = "big"


@dataclass(frozen=True, slots=True)
class Defaults:
    """Factory communication settings.

    Attributes:
        unit: Modbus unit id.
        baud: serial speed [bit/s].
        parity: `N`, `E` or `O`.
        stop_bits: 1 or 2.
        timeout_s: time to wait for an answer [s].
        pause_s: silence the device wants between requests [s].
    """

    unit: int = 1
    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    timeout_s: float = 1.0
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """One device model.

    Attributes:
        name: file name of the profile without suffix.
        vendor: manufacturer.
        model: model or family.
        transport: `modbus`, or `file` for data that come as interval files or bills.
        points: its quantities; empty for `file`.
        max_registers_per_read: longest block the device answers.
        max_gap: most unwanted registers worth reading to join two values.
        serial: serial-number register, if known.
        defaults: factory communication settings.
        source: documents and public register lists the addresses were typed from.
        note: what an installer should know.
    """

    name: str
    vendor: str
    model: str
    points: tuple[PointDef, ...]
    source: tuple[str, ...]
    transport: Literal["modbus", "file"] = "modbus"
    max_registers_per_read: int = MAX_READ
    max_gap: int = 0
    serial: SerialDef | None = None
    defaults: Defaults = field(default_factory=Defaults)
    note: str = ""

    def point(self, quantity: str) -> PointDef:
        """Return the definition of a quantity.

        Raises:
            KeyError: the device does not have it.
        """
        for definition in self.points:
            if definition.quantity == quantity:
                return definition
        raise KeyError(f"{self.name} has no {quantity!r}")

    def select(self, quantities: tuple[str, ...]) -> tuple[PointDef, ...]:
        """Return the definitions of some quantities in the given order."""
        return tuple(self.point(quantity) for quantity in quantities)


@cache
def scale_fraction(scale: float) -> tuple[int, int]:
    """Return a decimal scale as exact numerator and denominator, so that decoding rounds once.

    >>> scale_fraction(0.01)
    (1, 100)
    >>> 123456789 * 1 / 100, 123456789 * 0.01
    (1234567.89, 1234567.8900000001)
    """
    exact = Fraction(repr(scale))
    return exact.numerator, exact.denominator


def check_profile(profile: DeviceProfile) -> list[str]:
    """Return everything that is wrong with a profile, each line naming the point and the value."""
    problems: list[str] = []
    if not 1 <= profile.max_registers_per_read <= MAX_READ:
        problems.append(f"max_registers_per_read: {profile.max_registers_per_read} is not in 1..{MAX_READ}")
    if not 0 <= profile.max_gap < MAX_READ:
        problems.append(f"max_gap: {profile.max_gap} is not in 0..{MAX_READ - 1}")
    if not profile.source:
        problems.append("source: missing; name the document or public register list")
    if profile.transport == "modbus" and not profile.points:
        problems.append("points: a modbus profile without points")
    if profile.transport == "file" and profile.points:
        problems.append("points: a file profile has no registers")
    names = [point.quantity for point in profile.points]
    problems += [f"points: {name} appears twice" for name in sorted({n for n in names if names.count(n) > 1})]
    for point in profile.points:
        problems += [f"points[{point.quantity}].{text}" for text in _check_point(point, profile)]
    return problems + _overlaps(profile)


def _check_point(point: PointDef, profile: DeviceProfile) -> list[str]:
    problems = _check_place(point, profile) + _check_codes(point)
    quantity = QUANTITIES.get(point.quantity)
    if quantity is None:
        return [*problems, f"quantity: {point.quantity!r} is not in the list of quantities"]
    if point.minimum is None and point.maximum is None and quantity.unit != "1":
        problems.append("minimum, maximum: a valid range is required")
    if point.minimum is not None and point.maximum is not None and point.minimum >= point.maximum:
        problems.append(f"minimum: {point.minimum} is not below maximum {point.maximum}")
    if point.modulus is None:
        return problems
    if not quantity.cumulative:
        problems.append(f"modulus: {point.modulus} on a quantity that is not cumulative")
    elif point.type[0] in "ui" and point.modulus > 2 ** (16 * point.registers) * point.scale * (1 + 1e-12):
        problems.append(f"modulus: {point.modulus} does not fit {point.type} with scale {point.scale}")
    return problems


def _check_place(point: PointDef, profile: DeviceProfile) -> list[str]:
    problems = []
    if point.type == "string" or any(part.type == "string" for part in point.parts):
        return ["type: a quantity is a number, not a string"]
    if point.function not in (3, 4):
        problems.append(f"function: {point.function} is not 3 or 4")
    if point.first < 0 or point.end > _ADDRESSES:
        problems.append(f"address: {point.address} is not a wire address")
    if point.end - point.first > profile.max_registers_per_read:
        problems.append(f"address: {point.end - point.first} registers do not fit one read")
    if point.scale == 0 or any(part.scale == 0 for part in point.parts):
        problems.append("scale: 0")
    return problems


def _check_codes(point: PointDef) -> list[str]:
    if point.type == "string":
        return []
    limit = 1 << (16 * point.registers)
    return [
        f"not_available: {code:#x} does not fit {point.type}" for code in point.not_available if not 0 <= code < limit
    ]


def _overlaps(profile: DeviceProfile) -> list[str]:
    spans = sorted(
        (point.function, address, end, point.quantity)
        for point in profile.points
        if point.type != "string"
        for address, end in _spans(point)
    )
    return [
        f"points: {right[3]} at {right[1]} overlaps {left[3]} at {left[1]}..{left[2] - 1}"
        for left, right in pairwise(spans)
        if left[0] == right[0] and right[1] < left[2]
    ]


def _spans(point: PointDef) -> list[tuple[int, int]]:
    parts = [(part.address, part.end) for part in point.parts if part.type != "string"]
    return [(point.address, point.address + WORDS[point.type]), *parts]
