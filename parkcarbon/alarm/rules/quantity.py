"""Quantities of the document: a number with its unit, turned into the unit that a rule is judged in.

A unit is one of the table or two of them with a `/` between. What the table does not know is a dimension of its own, so
that `kWh/door` is held against `kWh/door` and nothing else.
"""

import difflib
import re
from dataclasses import dataclass
from typing import Final

DAY_MS: Final = 86_400_000
SPANS_MS: Final = {"s": 1000, "min": 60_000, "h": 3_600_000, "d": DAY_MS}

_DIMENSIONS: Final[dict[str, dict[str, float]]] = {
    "power": {"W": 0.001, "kW": 1.0, "MW": 1000.0},
    "energy": {"Wh": 0.001, "kWh": 1.0, "MWh": 1000.0, "GWh": 1e6, "MJ": 1 / 3.6, "GJ": 1000 / 3.6},
    "apparent power": {"VA": 0.001, "kVA": 1.0, "MVA": 1000.0},
    "reactive power": {"var": 0.001, "kvar": 1.0, "Mvar": 1000.0},
    "reactive energy": {"varh": 0.001, "kvarh": 1.0, "Mvarh": 1000.0},
    "voltage": {"mV": 0.001, "V": 1.0, "kV": 1000.0},
    "current": {"mA": 0.001, "A": 1.0, "kA": 1000.0},
    "frequency": {"Hz": 1.0},
    "temperature": {"degC": 1.0, "°C": 1.0, "℃": 1.0},
    "volume": {"m3": 1.0, "m³": 1.0},
    "volume at base conditions": {"Nm3": 1.0, "Nm³": 1.0},
    "mass": {"g": 0.001, "kg": 1.0, "t": 1000.0},
    "mass of CO2e": {"gCO2e": 0.001, "kgCO2e": 1.0, "tCO2e": 1000.0},
    "time": {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "a": 31_557_600.0},
    "a ratio": {"1": 1.0, "%": 0.01, "‰": 0.001},
}
"""Units of each dimension, in the one with the value 1."""
_UNITS: Final = {unit: (dimension, scale) for dimension, units in _DIMENSIONS.items() for unit, scale in units.items()}
_WITH_TIME: Final = {"power": "energy", "reactive power": "reactive energy"}
_PARTS: Final = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?) ?(\S*)")


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit measures, and how much of it one is.

    Attributes:
        dimension: in words.
        scale: one of it, in the basic unit of the dimension.
        known: False where a part of it is not in the table.
    """

    dimension: str
    scale: float
    known: bool


def unit_of(text: str) -> Unit:
    """Read a unit.

    >>> unit_of("MWh/h").dimension, unit_of("tCO2e/MWh").scale
    ('power', 1.0)
    """
    numerator, slash, denominator = text.partition("/")
    above = _simple(numerator)
    if not slash:
        return above
    below = _simple(denominator)
    for power, energy in _WITH_TIME.items():
        if (above.dimension, below.dimension) == (energy, "time"):
            return Unit(power, above.scale / below.scale * 3600.0, known=True)
    return Unit(f"{above.dimension} per {below.dimension}", above.scale / below.scale, above.known and below.known)


def _simple(text: str) -> Unit:
    found = _UNITS.get(text)
    return Unit(f"“{text}”", 1.0, known=False) if found is None else Unit(*found, known=True)


def quantity(text: str, unit: str) -> float:
    """A quantity of the document in a unit.

    Args:
        text: number and unit, as in `950 kW`; a ratio may stand alone: `0.9`.
        unit: what is wanted.

    Raises:
        ValueError: it is of another dimension, says no unit, or one that nobody knows.

    >>> quantity("1.2 MW", "kW"), quantity("85 %", "1")
    (1200.0, 0.85)
    """
    found = _PARTS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no number with a unit, like 950 kW")
    number, given = float(found[1]), found[2]
    if given == unit:
        return number
    wanted = unit_of(unit)
    if not given and unit != "1":
        raise ValueError(f"{text!r} says no unit; write {text} {unit}{_others(unit, wanted)}")
    is_unit = unit_of(given or "1")
    if is_unit.dimension != wanted.dimension:
        if not is_unit.known and not wanted.known:
            raise ValueError(f"{text!r} is not in {unit}")
        if not is_unit.known:
            raise ValueError(f"{text!r}: there is no unit {given}{_near(given)}; {unit} is expected")
        raise ValueError(f"{text!r} is {is_unit.dimension}, {wanted.dimension} is expected{_others(unit, wanted)}")
    return number * (is_unit.scale / wanted.scale)


def span_ms(text: str) -> int:
    """A length of time of the document [ms].

    >>> span_ms("1.5 h")
    5400000
    """
    number = text.rstrip("smindh ")
    return round(float(number) * SPANS_MS[text[len(number) :].strip()])


def span_text(ms: int) -> str:
    """A length of time in the largest unit that leaves a whole number.

    >>> span_text(5_400_000), span_text(0)
    ('90 min', '0 s')
    """
    for unit in ("d", "h", "min"):
        if ms and ms % SPANS_MS[unit] == 0:
            return f"{ms // SPANS_MS[unit]} {unit}"
    return f"{ms / 1000:g} s"


def _others(unit: str, wanted: Unit) -> str:
    same = [name for name in _DIMENSIONS.get(wanted.dimension, {}) if name != "1"]
    return f" ({', '.join(same)})" if same else f" ({unit})"


def _near(given: str) -> str:
    same = [unit for unit in _UNITS if unit.lower() == given.lower()]
    near = same or difflib.get_close_matches(given, _UNITS, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
