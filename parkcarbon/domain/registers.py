"""Registers to values and back: type, word order, scale, missing codes, valid range.

A register is an unsigned 16-bit number, big-endian on the wire (Modbus Application Protocol 1.1b3, 4.2). The order of
registers inside a value is a property of each point, and so is the order of bytes for the few devices that break the
rule: `big`/`big` is ABCD, `little`/`big` CDAB, `big`/`little` BADC, `little`/`little` DCBA.

The value of a 32-bit float is kept bit for bit as the device sent it, and scales are applied as exact fractions,
so that a decoded value is the nearest double to what the register shows.
"""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from parkcarbon.domain.profile import WORDS, PointDef, RegisterType, SerialDef, WordOrder, scale_fraction
from parkcarbon.domain.reading import Quality

_INT_BOUNDS: dict[RegisterType, tuple[int, int]] = {
    "u16": (0, 2**16 - 1),
    "i16": (-(2**15), 2**15 - 1),
    "u32": (0, 2**32 - 1),
    "i32": (-(2**31), 2**31 - 1),
    "u64": (0, 2**64 - 1),
    "i64": (-(2**63), 2**63 - 1),
}
_FLOATS: dict[RegisterType, tuple[str, str]] = {"f32": (">f", ">I"), "f64": (">d", ">Q")}
_SMALLEST = 1e-6  # no meter resolves less in the unit of its float registers
_NAN_BITS: dict[RegisterType, int] = {"f32": 0x7FC00000, "f64": 0x7FF8000000000000}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded point.

    Attributes:
        value: in the quantity's unit; None when the device said that it has none.
        quality: good, not_available (value None) or out_of_range (value kept).
    """

    value: float | None
    quality: Quality


NOT_AVAILABLE = Decoded(None, Quality.NOT_AVAILABLE)


def words_to_bits(words: Sequence[int], order: WordOrder = "big") -> int:
    """Join registers to one unsigned number.

    Raises:
        ValueError: a word is not in 0..65535.

    >>> hex(words_to_bits([0x4366, 0x3333]))
    '0x43663333'
    >>> hex(words_to_bits([0x3333, 0x4366], "little"))
    '0x43663333'
    """
    bits = 0
    for word in words if order == "big" else reversed(words):
        if not 0 <= word <= 0xFFFF:
            raise ValueError(f"register value {word} is not in 0..65535")
        bits = bits << 16 | word
    return bits


def bits_to_words(bits: int, count: int, order: WordOrder = "big") -> tuple[int, ...]:
    """Split an unsigned number into registers."""
    words = tuple(bits >> 16 * (count - 1 - index) & 0xFFFF for index in range(count))
    return words if order == "big" else words[::-1]


def bits_to_number(bits: int, kind: RegisterType) -> int | float:
    """Interpret register bits as a number; floats may come out NaN or infinite."""
    if kind in _FLOATS:
        as_float, as_bits = _FLOATS[kind]
        number: float = struct.unpack(as_float, struct.pack(as_bits, bits))[0]
        return number
    low, high = _INT_BOUNDS[kind]
    return bits if bits <= high else bits - (high - low + 1)


def number_to_bits(number: float, kind: RegisterType) -> int:
    """Give the register bits of a number; integers are rounded to the nearest step.

    Raises:
        ValueError: the number does not fit the type.
    """
    if kind in _FLOATS:
        as_float, as_bits = _FLOATS[kind]
        try:
            bits: int = struct.unpack(as_bits, struct.pack(as_float, number))[0]
        except OverflowError:
            raise ValueError(f"{number!r} does not fit {kind}") from None
        return bits
    low, high = _INT_BOUNDS[kind]
    if not math.isfinite(number) or not low <= (step := round(number)) <= high:
        raise ValueError(f"{number!r} does not fit {kind}")
    return step & (high - low)


def swap_bytes(word: int) -> int:
    """Exchange the two bytes of a register."""
    return (word & 0xFF) << 8 | word >> 8


def decode(point: PointDef, registers: Mapping[int, int]) -> Decoded:
    """Decode a point from registers by wire address (of the point's function code).

    Raises:
        KeyError: a register of the point was not read.
    """
    own = _bits(point, point.address, point.type, registers)
    if own in point.not_available:
        return NOT_AVAILABLE
    value = _scaled(own, point.type, point.scale)
    for part in point.parts:
        value += _scaled(_bits(point, part.address, part.type, registers), part.type, part.scale)
    if not math.isfinite(value):
        return NOT_AVAILABLE
    return Decoded(value, Quality.GOOD if _in_range(point, value) else Quality.OUT_OF_RANGE)


def looks_swapped(points: Iterable[PointDef], registers: Mapping[int, int]) -> bool:
    """Tell from one reading of a device whether its values are sent in the other word order than declared.

    A value is implausible when it is outside its range or a float so small that no instrument resolves it: 230.2 V
    read in the wrong word order is 4e-8 V. Points whose registers are missing, single or all zero say nothing.

    Args:
        points: definitions with the declared order.
        registers: what was read, by wire address (of the points' function code).
    """
    declared = other = 0
    for point in points:
        if point.registers > 1 and all(point.address + index in registers for index in range(point.registers)):
            declared += _implausible(point, registers)
            order: WordOrder = "little" if point.word_order == "big" else "big"
            other += _implausible(replace(point, word_order=order), registers)
    return declared > other


def encode(point: PointDef, value: float | None) -> dict[int, int]:
    """Give the registers, by wire address, of a device that shows `value` [unit]; None is shown as "no value".

    Raises:
        ValueError: the value does not fit the register, or the register has no code for "no value".
    """
    if value is None:
        own, rest = _missing_bits(point), 0.0
    else:
        number, rest = _split(point, value)
        own = number_to_bits(number, point.type)
    registers = _registers(point, point.address, point.type, own)
    for part in point.parts:
        numerator, denominator = scale_fraction(part.scale)
        bits = number_to_bits(rest * denominator / numerator, part.type)
        registers |= _registers(point, part.address, part.type, bits)
        rest = 0.0
    return registers


def decode_serial(serial: SerialDef, registers: Mapping[int, int]) -> str | None:
    """Decode a serial number; None when it is blank, all zero or all ones."""
    words = [registers[serial.address + index] for index in range(serial.registers)]
    if serial.type == "string":
        raw = b"".join(word.to_bytes(2, "big") for word in words)
        return raw.split(b"\0")[0].decode("ascii", errors="replace").strip() or None
    bits = words_to_bits(words, serial.word_order)
    return None if bits in (0, (1 << 16 * serial.registers) - 1) else str(bits)


def encode_serial(serial: SerialDef, text: str) -> dict[int, int]:
    """Give the registers of a device that shows this serial number.

    Raises:
        ValueError: it does not fit.
    """
    size = 2 * serial.registers
    if serial.type == "string":
        raw = text.encode("ascii")
        if len(raw) > size:
            raise ValueError(f"serial number {text!r} is longer than {size} characters")
        bits = int.from_bytes(raw.ljust(size, b"\0"), "big")
    else:
        bits = int(text)
        if not 0 <= bits < 1 << 8 * size:
            raise ValueError(f"serial number {text!r} does not fit {serial.registers} registers")
    order = "big" if serial.type == "string" else serial.word_order
    return dict(enumerate(bits_to_words(bits, serial.registers, order), serial.address))


def _bits(point: PointDef, address: int, kind: RegisterType, registers: Mapping[int, int]) -> int:
    words = [registers[address + index] for index in range(WORDS[kind])]
    if point.byte_order == "little":
        words = [swap_bytes(word) for word in words]
    return words_to_bits(words, point.word_order)


def _registers(point: PointDef, address: int, kind: RegisterType, bits: int) -> dict[int, int]:
    words = bits_to_words(bits, WORDS[kind], point.word_order)
    if point.byte_order == "little":
        words = tuple(swap_bytes(word) for word in words)
    return dict(enumerate(words, address))


def _scaled(bits: int, kind: RegisterType, scale: float) -> float:
    numerator, denominator = scale_fraction(scale)
    return bits_to_number(bits, kind) * numerator / denominator


def _in_range(point: PointDef, value: float) -> bool:
    low = -math.inf if point.minimum is None else point.minimum
    high = math.inf if point.maximum is None else point.maximum
    return low <= value <= high


def _implausible(point: PointDef, registers: Mapping[int, int]) -> bool:
    bits = _bits(point, point.address, point.type, registers)
    if bits == 0 or bits in point.not_available:
        return False
    number = bits_to_number(bits, point.type)
    if isinstance(number, float) and (not math.isfinite(number) or 0 < abs(number) < _SMALLEST):
        return True
    return not _in_range(point, _scaled(bits, point.type, point.scale))


def _missing_bits(point: PointDef) -> int:
    if point.not_available:
        return point.not_available[0]
    if point.type in _NAN_BITS:
        return _NAN_BITS[point.type]
    raise ValueError(f"{point.quantity}: {point.type} without a code for 'no value'")


def _split(point: PointDef, value: float) -> tuple[float, float]:
    """Return the raw number of the point's own register, and what is left for its part [unit]."""
    numerator, denominator = scale_fraction(point.scale)
    number = value * denominator / numerator
    if not point.parts:
        return number, 0.0
    whole = math.floor(number)
    return whole, value - whole * numerator / denominator
