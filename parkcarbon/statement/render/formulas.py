"""Formulas of a record as a spreadsheet writes them: references to cells, signs, and the scale of a unit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from parkcarbon.statement.record import Figure, Formula
from parkcarbon.statement.sheet import UNKNOWN

from .binary import Care

MOST_REFERENCES: Final = 120
"""Cells that a formula names one by one; more are gathered in a column, so that no formula grows too long."""


@dataclass(frozen=True, slots=True)
class Address:
    """A cell: sheet, column and row from 1."""

    sheet: str
    column: int
    row: int

    @property
    def local(self) -> str:
        """The cell without its sheet: `B5`."""
        return f"{letters(self.column)}{self.row}"

    def seen_from(self, sheet: str) -> str:
        """The cell as a formula on a sheet names it."""
        return self.local if sheet == self.sheet else f"{quoted(self.sheet)}!{self.local}"


def letters(column: int) -> str:
    """Name of a column.

    >>> letters(1), letters(26), letters(27)
    ('A', 'Z', 'AA')
    """
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def quoted(sheet: str) -> str:
    """Name of a sheet in a formula."""
    return "'" + sheet.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Cells:
    """Where things stand.

    Attributes:
        figures: where each figure has its value.
        differences: where the difference between a figure and its formula stands, of those that have one.
        displays: where what is taken off for display stands.
        gather: puts references in a column and says the range; for formulas with many parts.
    """

    figures: Mapping[str, Address]
    differences: Mapping[str, Address]
    displays: Mapping[str, Address]
    gather: Callable[[str, Sequence[Address]], tuple[str, int, int, int]]


def write(name: str, formula: Formula, figures: Mapping[str, Figure], care: Care, cells: Cells) -> str:
    """The formula of a figure's cell, with its equals sign."""
    sheet = cells.figures[name].sheet
    places = [cells.figures[part] for part in formula.of]
    body, arguments = _body(name, formula, places, sheet, cells)
    if care.difference:
        body = f"{body}+{cells.differences[name].seen_from(sheet)}"
    if care.round_to is not None:
        body = f"ROUND({body},{care.round_to})"
    if care.display:
        body = f"{body}+{cells.displays[name].seen_from(sheet)}"
    if formula.op == "quotient" and figures[name].value is None:
        body = f'IF({places[1].seen_from(sheet)}=0,"{UNKNOWN}",{body})'
    if any(figures[part].value is None for part in formula.of):
        body = f'IF(COUNT({arguments})={len(places)},{body},"{UNKNOWN}")'
    return f"={body}"


def _body(name: str, formula: Formula, places: Sequence[Address], sheet: str, cells: Cells) -> tuple[str, str]:
    """The arithmetic, and all its arguments as a list."""
    head = places[0].seen_from(sheet)
    if len(ranges(places)) <= MOST_REFERENCES:
        arguments = listed(places, sheet)
        rest = listed(places[1:], sheet)
    else:
        other, column, first, last = cells.gather(name, places)
        letter = letters(column)
        arguments = f"{quoted(other)}!{letter}{first}:{letter}{last}"
        rest = f"{quoted(other)}!{letter}{first + 1}:{letter}{last}"
    if formula.op == "sum":
        return _scaled(f"SUM({arguments})", formula.scale), arguments
    if formula.op == "difference":
        if len(places) == 1:
            return _scaled(head, formula.scale), arguments
        taken = rest if len(places) == 2 else f"SUM({rest})"
        return _scaled(f"{head}-{taken}", formula.scale, bracket=True), arguments
    if formula.op == "product":
        few = len(places) <= 8
        product = "*".join(place.seen_from(sheet) for place in places) if few else f"PRODUCT({arguments})"
        return _scaled(product, formula.scale), arguments
    return _scaled(f"{head}/{places[1].seen_from(sheet)}", formula.scale), arguments


def _scaled(body: str, scale: str, *, bracket: bool = False) -> str:
    """A body times the scale; a thousandth is a division by a thousand.

    >>> _scaled("A1*B1", "0.001"), _scaled("A1-B1", "100", bracket=True), _scaled("A1", "-1")
    ('A1*B1/1000', '(A1-B1)*100', '-A1')
    """
    factor = Decimal(scale)
    if factor == 1:
        return body
    inner = f"({body})" if bracket else body
    if factor == -1:
        return f"-{inner}"
    inverse = 1 / factor if factor else Decimal(0)
    if abs(factor) < 1 and inverse == inverse.to_integral_value() and abs(inverse) < 10**15:
        return f"{inner}/{int(inverse)}"
    return f"{inner}*{factor:f}"


def ranges(places: Sequence[Address]) -> list[tuple[Address, Address]]:
    """Cells that follow one another down a column, joined."""
    found: list[tuple[Address, Address]] = []
    for place in places:
        if found:
            first, last = found[-1]
            if (place.sheet, place.column, place.row) == (last.sheet, last.column, last.row + 1):
                found[-1] = (first, place)
                continue
        found.append((place, place))
    return found


def listed(places: Sequence[Address], sheet: str) -> str:
    """Cells as the arguments of a function."""
    return ",".join(
        first.seen_from(sheet) if first == last else f"{first.seen_from(sheet)}:{last.local}"
        for first, last in ranges(places)
    )
