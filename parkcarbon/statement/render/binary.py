"""What a spreadsheet needs so that its binary numbers show the digits that the decimals of a record show.

A spreadsheet computes with 53 bits and shows 15 digits, halves away from zero. It shows another last digit than the
record only where the exact value lies next to a half step. Those places are found by an error bound, not by trying:

* *plain*: no half step within the bound; the formula stands as it is.
* *rounded*: `ROUND` at one place more than is shown takes the binary noise away, so that a half is a half.
* *display*: the exact value lies below the half by less than 15 digits tell; two units of the 15th digit are taken off.
* *difference*: the record's value is not what the formula gives (a part was rounded when it was booked); it is added.
* *fixed*: more than 15 digits are shown, which no spreadsheet can; the printed text is the number format.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Final

from parkcarbon.statement.arithmetic import order
from parkcarbon.statement.record import Figure, Formula
from parkcarbon.statement.sheet import evaluate, plain, shown

DIGITS: Final = 15
MOST: Final = 1e300
_UNIT: Final = 2.0**-52
"""Twice the relative error of one rounding, for programs that round twice."""
_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Care:
    """What a cell needs.

    Attributes:
        number: the double that stands in the cell, or that its formula comes to; None: not known.
        live: it is a formula in the spreadsheet.
        round_to: places of a `ROUND` about the formula; None: none.
        difference: what is added before rounding [unit]: value less formula.
        display: what is added last [unit], beyond the 15th digit.
        number_format: of the cell.
        noise: how far a recalculation may be from `number` [unit].
    """

    number: float | None
    live: bool = False
    round_to: int | None = None
    difference: float = 0.0
    display: float = 0.0
    number_format: str = "General"
    noise: float = 0.0


def cares(figures: Mapping[str, Figure]) -> dict[str, Care]:
    """What each cell needs, so that a recalculation shows what the record shows.

    Raises:
        ValueError: figures follow from one another in a circle, or from one that is not there.
    """
    found: dict[str, Care] = {}
    noise: dict[str, float] = {}
    with localcontext(_EXACT):
        for name in order(figures):
            care, noise[name] = _care(figures[name], figures, noise)
            spare = 0.0 if care.number is None else abs(care.number) * 10.0**-DIGITS
            found[name] = replace(care, noise=min(2 * noise[name] + 10 * spare, MOST))
    return found


def half_steps(value: Decimal, places: int) -> Decimal:
    """The half step that is nearest to a value, on its own side of zero.

    >>> half_steps(Decimal("3214.649"), 1), half_steps(Decimal("-0.02"), 1)
    (Decimal('3214.65'), Decimal('-0.05'))
    """
    whole = abs(value).scaleb(places, _EXACT).to_integral_value(ROUND_FLOOR)
    return _EXACT.add(whole, Decimal("0.5")).scaleb(-places, _EXACT).copy_sign(value)


def number_format(value: Decimal | None, places: int, noise: float = 0.0) -> str:
    """The number format of a figure: as many decimals as are printed, thousands apart, never minus zero."""
    base = "#,##0" + ("." + "0" * places if places else "")
    if value is None:
        return base
    text = shown(value, places)
    if sum(sign.isdigit() for sign in text) > DIGITS:
        return f'"{text}"'
    half = Decimal(5).scaleb(-places - 1)
    if -half < value and (value < 0 or (noise > 0 and value <= Decimal(noise))):
        return f'[<=-{plain(half)}]-{base};[<0]"{shown(Decimal(0), places)}";{base}'
    return base


def _care(figure: Figure, figures: Mapping[str, Figure], noise: Mapping[str, float]) -> tuple[Care, float]:
    if figure.value is None:
        result = None if figure.formula is None else evaluate(figure.formula, figures)
        return Care(None, figure.formula is not None and result is None), 0.0
    value = Decimal(figure.value)
    result = None if figure.formula is None else evaluate(figure.formula, figures)
    if figure.formula is None or result is None:
        return _given(value, figure.places)
    return _followed(figure, value, result, _error(figure.formula, figures, noise) + abs(float(result)) * 4 * _UNIT)


def _given(value: Decimal, places: int) -> tuple[Care, float]:
    """A number that stands in its cell."""
    wanted = shown(value, places)
    number = float(value)
    written = number_format(value, places)
    if not written.startswith('"') and _read(number, places) != wanted:
        number = float(half_steps(value, places)) + _below(half_steps(value, places))
        written = written if _read(number, places) == wanted else f'"{wanted}"'
    error = abs(number) * 4 * _UNIT + abs(float(Decimal(number) - value))
    return Care(number, number_format=written), error  # four: openpyxl writes 16 digits


def _read(number: float, places: int) -> str:
    """What a spreadsheet shows of a double: its 15 digits, halves away from zero."""
    return shown(Decimal(f"{number:.{DIGITS}g}"), places)


def _followed(figure: Figure, value: Decimal, result: Decimal, error: float) -> tuple[Care, float]:
    """A number that follows from other cells, with an error of at most `error`."""
    gap = value - result
    difference = 0.0
    if shown(result, figure.places) != figure.shown or abs(gap) > Decimal(error):
        difference = float(gap)
        error += (abs(difference) + abs(float(value))) * _UNIT
    else:
        error += abs(float(gap))
    half = half_steps(value, figure.places)
    away = abs(half - value)
    written = number_format(value, figure.places, error)
    care = Care(float(value), live=True, difference=difference, number_format=written)
    if away > Decimal(error + _told(float(value))):
        return care, error
    if written.startswith('"') or (away + Decimal(error)) * 3 >= Decimal(1).scaleb(-figure.places - 1):
        return replace(care, number_format=f'"{figure.shown}"'), error
    display = _below(half) if abs(value) < abs(half) else 0.0
    number = float(half) + display
    noise = abs(display) + abs(number) * _UNIT + abs(float(half - value))
    return replace(care, number=number, round_to=figure.places + 1, display=display), noise


def _told(number: float) -> float:
    """How far a number may be from what its 15 digits say."""
    return abs(number) * 5.0 * 10.0 ** (-DIGITS)


def _below(half: Decimal) -> float:
    """Two units of the 15th digit, towards zero."""
    unit = 10.0 ** (half.adjusted() - DIGITS + 1)
    return -math.copysign(2 * unit, half)


def _error(formula: Formula, figures: Mapping[str, Figure], noise: Mapping[str, float]) -> float:
    """How far a spreadsheet's result may be from the exact one [unit], from the errors of its parts."""
    pairs = [(abs(float(Decimal(figures[name].value or 0))), noise[name]) for name in formula.of]
    scale = abs(float(Decimal(formula.scale)))
    turns = 2 * (len(pairs) + 2) * _UNIT
    if formula.op in ("sum", "difference"):
        return scale * (math.fsum(error for _, error in pairs) + turns * math.fsum(size for size, _ in pairs))
    if formula.op == "product":
        exact = math.prod(size for size, _ in pairs)
        return scale * (math.prod(size + error for size, error in pairs) - exact + 2 * turns * exact)
    (part, part_error), (whole, whole_error) = pairs
    if whole <= whole_error:
        return math.inf
    return scale * ((part + part_error) / (whole - whole_error) - part / whole + 2 * turns * part / whole)
