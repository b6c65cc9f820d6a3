"""Judge what a newly connected device shows: hints for the person at the cabinet. Pure.

References:
    EN 50160 (supply voltage and frequency); IEC 61557-12 (accuracy classes of power). The bands are wide on purpose: a
    hint asks to look again, it forbids nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from math import hypot

from parkcarbon.domain.profile import PointDef, WordOrder
from parkcarbon.domain.reading import Quality
from parkcarbon.domain.registers import Decoded, decode

_ORDERS: tuple[WordOrder, ...] = ("big", "little")
_PHASES = ("l1", "l2", "l3")
_SUM_TOLERANCE = 0.02
_TRIANGLE_TOLERANCE = 0.05
_IDLE_KW = 0.05


@dataclass(frozen=True, slots=True)
class Shown:
    """What a device showed for one point: its definition, the registers by address, the decoded value."""

    point: PointDef
    registers: Mapping[int, int]
    decoded: Decoded


def hints(shown: list[Shown]) -> dict[str, list[str]]:
    """Return what a person should look at, by quantity; nothing where all is well."""
    found: dict[str, list[str]] = {}
    values = {one.point.quantity: one.decoded.value for one in shown if one.decoded.value is not None}
    for one in shown:
        for hint in _single(one):
            found.setdefault(one.point.quantity, []).append(hint)
    for quantity, hint in _together(values):
        found.setdefault(quantity, []).append(hint)
    return found


def _single(one: Shown) -> Iterator[str]:
    value, point = one.decoded.value, one.point
    if value is None:
        yield "the device says that it has no value"
        return
    wrong = _odd(point.quantity, value) or (
        f"outside {point.minimum:g} … {point.maximum:g} {point.unit}"
        if one.decoded.quality is Quality.OUT_OF_RANGE and point.minimum is not None and point.maximum is not None
        else None
    )
    if wrong is not None:
        yield wrong
        yield from _other_orders(one)
    elif point.quantity == "active_power" and value < -_IDLE_KW:
        yield "negative: power is flowing out here, or a current transformer is the wrong way round"


def _odd(quantity: str, value: float) -> str | None:
    """Say why a value is not to be expected in a running installation."""
    if quantity.startswith("voltage_"):
        if value == 0:
            return "no voltage: is this phase connected?"
        # 57.7 V (100 V / sqrt 3) is the secondary side of a voltage transformer
        return None if 50 <= value <= 65 or 80 <= value <= 300 else "not a phase voltage (80 … 300 V)"
    if quantity == "frequency" and value != 0:
        return None if 45 <= value <= 65 else "not a mains frequency (45 … 65 Hz)"
    if quantity == "power_factor":
        return None if -1 <= value <= 1 else "not a power factor (-1 … 1)"
    return None


def _other_orders(one: Shown) -> Iterator[str]:
    """Try the other orders of words and bytes: the right one is usually obvious."""
    point = one.point
    if point.registers < 2:
        return
    for word_order, byte_order in product(_ORDERS, repeat=2):
        if (word_order, byte_order) == (point.word_order, point.byte_order):
            continue
        other = replace(point, word_order=word_order, byte_order=byte_order)
        decoded = decode(other, one.registers)
        if decoded.value and decoded.quality is Quality.GOOD and _odd(point.quantity, decoded.value) is None:
            order = f"word_order: {word_order}" + (f", byte_order: {byte_order}" if byte_order == "little" else "")
            if _likely(point.quantity, decoded.value):
                yield f"would be {decoded.value:.6g} {point.unit} with {order}: another model or firmware?"


def _likely(quantity: str, value: float) -> bool:
    """Whether a value is not only possible but ordinary; denormal floats are possible powers."""
    return quantity.startswith("voltage_") or quantity == "frequency" or 1e-3 <= abs(value) <= 1e7


def _together(values: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    total = values.get("active_power")
    phases = [values[f"active_power_{phase}"] for phase in _PHASES if f"active_power_{phase}" in values]
    if total is not None and len(phases) == 3 and _differ(total, sum(phases), _SUM_TOLERANCE):
        yield "active_power", f"the phases add up to {sum(phases):.6g} kW"
    signs = {value > 0 for value in phases if abs(value) > _IDLE_KW}
    if len(signs) == 2:
        yield "active_power", "phases have different signs: is a current transformer the wrong way round?"
    apparent, reactive = values.get("apparent_power"), values.get("reactive_power")
    if total is None or apparent is None or reactive is None:
        return
    if _differ(apparent, hypot(total, reactive), _TRIANGLE_TOLERANCE):
        yield "apparent_power", f"active and reactive power give {hypot(total, reactive):.6g} kVA"


def _differ(left: float, right: float, tolerance: float) -> bool:
    return abs(left - right) > max(_IDLE_KW, tolerance * max(abs(left), abs(right)))
