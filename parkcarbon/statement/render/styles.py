"""How cells of a workbook look: heads, totals, memo lines, numbers."""

import functools
import math
from copy import copy
from typing import TYPE_CHECKING, Any, Final

from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.properties import PageSetupProperties

from .formulas import letters
from .grid import Grid, Item, Row, Style, cleaned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.styles.cell_style import StyleArray
    from openpyxl.worksheet.worksheet import Worksheet

_LEADERS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_OVERFLOWING: Final = ("title", "strong", "warning", "note", "fact")
_LABELS: Final = 48
_HOURS: Final = 20
_HOUR: Final = 9
_WIDEST: Final = 36
_PAPER: Final = 110
_BOLD: Final = 1.3
_LINE: Final = 15.0
_TITLE: Final = 21.0


def plain_text(cell: "Cell | MergedCell", text: str) -> None:
    """Put words in a cell: never a formula, an error or a number, nothing a spreadsheet cannot hold."""
    clean = cleaned(text)
    cell.value = clean
    cell.data_type = "s"
    if clean.startswith(_LEADERS):
        cell.quotePrefix = True


@functools.cache
def _aligned(side: str, *, wrap: bool, indent: int) -> Alignment:
    """One object for each way to stand: comparing them is what styling costs."""
    return Alignment(wrap_text=wrap, vertical="top", horizontal=side, indent=indent)


def _length(text: str) -> int:
    """Characters of the longest line; a Chinese one is two wide."""
    if text.isascii():
        return max(map(len, text.split("\n")))
    return max((sum(2 if ord(sign) > 0x2E7F else 1 for sign in line) for line in text.split("\n")), default=0)


def _lines(item: Item, width: int) -> int:
    """How many lines the words of a cell take."""
    if item.style in _OVERFLOWING:
        return 1
    return sum(max(1, -(-_length(line) // max(width - 2, 1))) for line in item.text.split("\n"))


def _widths(grid: Grid) -> list[int]:
    """Width of each column: of labels, of hours, or as wide as half of the longest words."""
    found = [_LABELS]
    widest = max((len(row) for row in grid.rows), default=1)
    for column in range(1, widest):
        items = (row[column] for row in grid.rows if column < len(row))
        longest = max((_length(item.text) for item in items if item and item.style not in _OVERFLOWING), default=0)
        found.append(_HOUR if widest > _HOURS else min(max(longest // 2 + 3, grid.wide), _WIDEST))
    return found


class Styles:
    """Fonts, fills and borders of one workbook."""

    def __init__(self) -> None:
        thin = Side("thin", color="808080")
        self._fonts: dict[Style, Font] = {
            "title": Font(bold=True, size=14),
            "head": Font(bold=True),
            "strong": Font(bold=True, size=12),
            "warning": Font(bold=True, color="9C2A00"),
            "note": Font(italic=True, color="505050"),
            "total": Font(bold=True),
            "subtotal": Font(bold=True),
            "memo": Font(italic=True),
            "box": Font(bold=True),
            "label": Font(),
            "normal": Font(),
            "fact": Font(),
        }
        self._head = PatternFill("solid", fgColor="DDE7F0")
        self._box = PatternFill("solid", fgColor="E6E6E6")
        self._total = Border(top=thin, bottom=Side("double", color="808080"))
        self._subtotal = Border(top=thin)
        self._looks: dict[tuple[object, ...], StyleArray] = {}

    def page(self, sheet: "Worksheet", grid: Grid) -> None:
        """A sheet of a page: widths, heights, long words over many columns, and shades on heat maps."""
        widths = _widths(grid)
        for number, width in enumerate(widths, start=1):
            sheet.column_dimensions[letters(number)].width = width
        for number, row in enumerate(grid.rows, start=1):
            self._row(sheet, number, row, widths)
        for area in grid.heat:
            rule = ColorScaleRule(  # type: ignore[no-untyped-call]
                start_type="min", start_color="FFFFFF", end_type="max", end_color="3B6EA5"
            )
            sheet.conditional_formatting.add(area, rule)
        self._paper(sheet)

    def _row(self, sheet: "Worksheet", number: int, row: Row, widths: "Sequence[int]") -> None:
        """Height of a row; its last words go on over the columns behind where they are too long for their own."""
        lines = max((_lines(item, width) for item, width in zip(row, widths, strict=False) if item), default=1)
        last = row[-1] if row else None
        if last is not None and last.style in _OVERFLOWING and _length(last.text) > widths[len(row) - 1]:
            end, room = len(row), widths[len(row) - 1]
            while room < _PAPER and end < len(widths):
                room += widths[end]
                end += 1
            if end > len(row):
                area = f"{letters(len(row))}{number}:{letters(end)}{number}"
                sheet.merge_cells(area)
            needed = _length(last.text) * (_BOLD if last.style in ("strong", "warning") else 1)
            lines = max(lines, math.ceil(needed / max(room - 4, 1)))
        titled = any(item is not None and item.style == "title" for item in row)
        if lines > 1 or titled:
            sheet.row_dimensions[number].height = lines * (_TITLE if titled else _LINE)

    def list(self, sheet: "Worksheet", widths: "Sequence[int]") -> None:
        """The list of figures: widths, heads that stay."""
        for number, width in enumerate(widths, start=1):
            sheet.column_dimensions[letters(number)].width = width
        sheet.freeze_panes = "B2"
        self._paper(sheet)

    def put(self, cell: "Cell | MergedCell", item: Item) -> None:
        """How an item looks."""
        side, indent = "right" if item.right else "left", min(item.indent, 15)
        look = (item.style, item.figure is not None, bool(item.text), side, indent)
        self._as_before(cell, look, lambda: self._put(cell, item, side, indent))

    def number(self, cell: "Cell | MergedCell", number_format: str) -> None:
        """A number: right, with its format."""
        self._as_before(cell, (number_format,), lambda: self._number(cell, number_format))

    def _as_before(self, cell: Any, look: tuple[object, ...], dress: "Callable[[], None]") -> None:
        """Dress a cell as the last one that came as bare and went as dressed: openpyxl compares every font by value.

        What a cell wears is a row of numbers; there is no public way to copy it.
        """
        key = (*(cell._style or ()), *look)  # noqa: SLF001
        known = self._looks.get(key)
        if known is None:
            dress()
            self._looks[key] = copy(cell._style)  # noqa: SLF001
        else:
            cell._style = copy(known)  # noqa: SLF001

    def _put(self, cell: "Cell | MergedCell", item: Item, side: str, indent: int) -> None:
        cell.font = self._fonts[item.style]
        if item.style in ("head", "box"):
            cell.fill = self._head if item.style == "head" else self._box
        if item.style in ("total", "subtotal"):
            cell.border = self._total if item.style == "total" else self._subtotal
        if item.figure is not None:
            cell.alignment = _aligned("right", wrap=False, indent=0)
        elif item.text:
            cell.alignment = _aligned(side, wrap=item.style != "title", indent=indent)

    def _number(self, cell: "Cell | MergedCell", number_format: str) -> None:
        cell.number_format = number_format
        cell.alignment = _aligned("right", wrap=False, indent=0)

    def _paper(self, sheet: "Worksheet") -> None:
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = 9
        sheet.page_setup.fitToWidth = 1
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
