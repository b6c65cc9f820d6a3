"""How cells of a workbook look: heads, totals, memo lines, numbers."""

from typing import TYPE_CHECKING, Final

from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.properties import PageSetupProperties

from .formulas import letters
from .grid import Grid, Item, Style, cleaned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

_LEADERS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_OVERFLOWING: Final = ("title", "strong", "warning", "note", "fact")
_LABELS: Final = 48
_LINE: Final = 15.0
_TITLE: Final = 21.0


def plain_text(cell: "Cell | MergedCell", text: str) -> None:
    """Put words in a cell: never a formula, an error or a number, nothing a spreadsheet cannot hold."""
    clean = cleaned(text)
    cell.value = clean
    cell.data_type = "s"
    if clean.startswith(_LEADERS):
        cell.quotePrefix = True


def _lines(item: Item, width: int) -> int:
    """How many lines the words of a cell take; a Chinese character is two wide."""
    if item.style in _OVERFLOWING:
        return 1
    lengths = (sum(2 if ord(sign) > 0x2E7F else 1 for sign in line) for line in item.text.split("\n"))
    return sum(max(1, -(-length // max(width - 2, 1))) for length in lengths)


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

    def page(self, sheet: "Worksheet", grid: Grid) -> None:
        """A sheet of a page: widths, and shades on heat maps."""
        widest = max((len(row) for row in grid.rows), default=1)
        columns = ["A", *(letters(number) for number in range(2, widest + 1))]
        widths = [_LABELS, *((9 if widest > 20 else grid.wide) for _ in columns[1:])]
        for letter, width in zip(columns, widths, strict=True):
            sheet.column_dimensions[letter].width = width
        for number, row in enumerate(grid.rows, start=1):
            lines = max((_lines(item, width) for item, width in zip(row, widths, strict=False) if item), default=1)
            titled = any(item is not None and item.style == "title" for item in row)
            if lines > 1 or titled:
                sheet.row_dimensions[number].height = lines * (_TITLE if titled else _LINE)
        for area in grid.heat:
            rule = ColorScaleRule(  # type: ignore[no-untyped-call]
                start_type="min", start_color="FFFFFF", end_type="max", end_color="3B6EA5"
            )
            sheet.conditional_formatting.add(area, rule)
        self._paper(sheet)

    def list(self, sheet: "Worksheet", widths: "Sequence[int]") -> None:
        """The list of figures: widths, heads that stay."""
        for number, width in enumerate(widths, start=1):
            sheet.column_dimensions[letters(number)].width = width
        sheet.freeze_panes = "B2"
        self._paper(sheet)

    def put(self, cell: "Cell | MergedCell", item: Item) -> None:
        """How an item looks."""
        cell.font = self._fonts[item.style]
        if item.style in ("head", "box"):
            cell.fill = self._head if item.style == "head" else self._box
        if item.style in ("total", "subtotal"):
            cell.border = self._total if item.style == "total" else self._subtotal
        if item.figure is not None:
            cell.alignment = Alignment(horizontal="right", vertical="top")
        elif item.text:
            wrap = item.style not in _OVERFLOWING
            side = "right" if item.right else "left"
            cell.alignment = Alignment(wrap_text=wrap, vertical="top", horizontal=side, indent=min(item.indent, 15))

    def number(self, cell: "Cell | MergedCell", number_format: str) -> None:
        """A number: right, with its format."""
        cell.number_format = number_format
        cell.alignment = Alignment(horizontal="right", vertical="top")

    def _paper(self, sheet: "Worksheet") -> None:
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = 9
        sheet.page_setup.fitToWidth = 1
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
