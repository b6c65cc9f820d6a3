"""A record as XLSX: a sheet for each page, totals as live formulas, and a list of every figure.

Every figure has its value in one cell: the number, or the formula that computes it from other cells. Wherever else it
is shown, that cell is referred to. Texts are never formulas. The same record gives the same bytes.

References:
    accounting rule 6.8 (full precision; rounding is for display).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Final

from openpyxl import Workbook
from openpyxl.workbook.properties import CalcProperties

from parkcarbon.statement.arithmetic import parts
from parkcarbon.statement.places import Place
from parkcarbon.statement.places import homes as places_of
from parkcarbon.statement.record import Figure, Record, Text
from parkcarbon.statement.sheet import UNKNOWN

from .binary import Care, cares
from .csv import formula_text
from .formulas import Address, Cells, letters, quoted, write
from .grid import FIGURES, TERMS, Grid, Item, cleaned, homes, lay_out
from .labels import LABELS, beside
from .package import Known, packed
from .styles import Styles, plain_text

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

HEADS: Final = (
    Text("数据项", "figure"),
    Text("页", "page"),
    Text("行", "row"),
    Text("列", "column"),
    Text("数值", "value"),
    Text("单位", "unit"),
    Text("版面数字", "shown"),
    Text("精确值", "exact"),
    Text("记录值", "in the record"),
    Text("小数位", "places"),
    Text("不一致", "differs"),
    Text("公式", "formula"),
    Text("容差", "within"),
    Text("依据", "basis"),
    Text("尾差", "rounding difference"),
    Text("显示修正", "display"),
    Text("计算过程", "explain"),
    Text("规则", "rule"),
)
WIDTHS: Final = (34, 22, 34, 26, 22, 18, 18, 30, 22, 8, 9, 60, 12, 12, 16, 16, 26, 8)
_VALUE, _SHOWN, _RECORDED, _PLACES, _DIFFERS, _DIFFERENCE, _DISPLAY = 5, 7, 9, 10, 11, 15, 16
_FIRST: Final = 2


def render_xlsx(record: Record) -> bytes:
    """The workbook of a record.

    Raises:
        ValueError: its figures follow from one another in a circle, or from one that is not there.
    """
    return write_workbook(record, lay_out(record))


def write_workbook(record: Record, grids: Sequence[Grid]) -> bytes:
    """The workbook of these sheets, and of a list of the record's figures."""
    return _Writer(record, grids).write()


def addresses(record: Record, grids: Sequence[Grid] = ()) -> dict[str, Address]:
    """The cell in which each figure has its value; `grids`: other sheets than those of the statement."""
    found = homes(grids or lay_out(record))
    rows = {name: row for row, name in enumerate(places_of(record), start=_FIRST)}
    return {name: found.get(name, Address(FIGURES, _VALUE, row)) for name, row in rows.items()}


@dataclass(slots=True)
class _Terms:
    """Columns of references for formulas with many parts."""

    columns: list[tuple[str, list[Address]]] = field(default_factory=list)

    def gather(self, name: str, places: Sequence[Address]) -> tuple[str, int, int, int]:
        self.columns.append((name, list(places)))
        return TERMS, len(self.columns), _FIRST, len(places) + _FIRST - 1


class _Writer:
    """Writes one workbook."""

    def __init__(self, record: Record, grids: Sequence[Grid]) -> None:
        self.record = record
        self.figures: Mapping[str, Figure] = record.figures
        self.cares = cares(record.figures)
        self.places = places_of(record)
        self.grids = grids
        self.cells = addresses(record, grids)
        self.terms = _Terms()
        rows = {name: row for row, name in enumerate(self.places, start=_FIRST)}
        self.known: Known = {}
        self.where = Cells(
            self.cells,
            {name: Address(FIGURES, _DIFFERENCE, row) for name, row in rows.items()},
            {name: Address(FIGURES, _DISPLAY, row) for name, row in rows.items()},
            self.terms.gather,
        )
        self.book = Workbook()
        for sheet in list(self.book.worksheets):
            self.book.remove(sheet)
        self.styles = Styles()

    def write(self) -> bytes:
        for grid in self.grids:
            self._grid(grid)
        self._checked()
        self._list()
        self._gathered()
        self.book.calculation = CalcProperties(fullCalcOnLoad=True)
        self.book.properties.title = cleaned(f"{self.record.number} V{self.record.version}")
        self.book.properties.creator = cleaned(self.record.software)
        out = BytesIO()
        self.book.save(out)
        names = [sheet.title for sheet in self.book.worksheets]
        return packed(out.getvalue(), names, self.known, self.record.known_on)

    def _grid(self, grid: Grid) -> None:
        sheet = self.book.create_sheet(grid.name)
        self.styles.page(sheet, grid)
        for row, items in enumerate(grid.rows, start=1):
            for column, item in enumerate(items, start=1):
                if item is not None:
                    self._item(sheet, Address(grid.name, column, row), item)

    def _item(self, sheet: "Worksheet", at: Address, item: Item) -> None:
        if item.figure is not None:
            self._figure(sheet, at, item.figure)
        elif item.number is not None:
            sheet.cell(at.row, at.column).value = float(Decimal(item.number))
        else:
            self._text(sheet, at, item.text)
        self.styles.put(sheet.cell(at.row, at.column), item)

    def _text(self, sheet: "Worksheet", at: Address, text: str) -> None:
        """Words, whatever they begin with."""
        if text:
            plain_text(sheet.cell(at.row, at.column), text)

    def _figure(self, sheet: "Worksheet", at: Address, name: str) -> None:
        """A figure: its value where it is at home, a reference elsewhere."""
        if name not in self.figures:
            self._text(sheet, at, UNKNOWN)
            return
        care, formula = self.cares[name], self.figures[name].formula
        if self.cells[name] != at:
            self._formula(sheet, at, f"={self.cells[name].seen_from(at.sheet)}", care)
        elif care.live and formula is not None:
            self._formula(sheet, at, write(name, formula, self.figures, care, self.where), care)
        elif care.number is None:
            self._text(sheet, at, UNKNOWN)
        else:
            sheet.cell(at.row, at.column).value = care.number
        self.styles.number(sheet.cell(at.row, at.column), care.number_format)

    def _formula(self, sheet: "Worksheet", at: Address, formula: str, care: Care | None, value: float = 0.0) -> None:
        """A formula of our own making, with the value it comes to, for programs that do not compute."""
        sheet.cell(at.row, at.column).value = formula
        known = value if care is None else UNKNOWN if care.number is None else care.number
        self.known[at.sheet, at.local] = known

    def _checked(self) -> None:
        """On the first sheet: how many figures are not what the record says."""
        sheet = self.book.worksheets[0]
        row = sheet.max_row + 2
        letter = letters(_DIFFERS)
        last = len(self.places) + _FIRST - 1
        label = beside(LABELS["differ"])
        self._text(sheet, Address(sheet.title, 1, row), label)
        formula = f"=SUM({quoted(FIGURES)}!{letter}{_FIRST}:{letter}{last})"
        self._formula(sheet, Address(sheet.title, 2, row), formula, None)
        self.styles.put(sheet.cell(row, 1), Item(style="label"))

    def _list(self) -> None:
        """Every figure: where it stands, what it is, what is printed, and whether it comes out again."""
        sheet = self.book.create_sheet(FIGURES)
        self.styles.list(sheet, WIDTHS)
        for column, head in enumerate(HEADS, start=1):
            self._item(sheet, Address(FIGURES, column, 1), Item(beside(head), style="head"))
        for row, (name, place) in enumerate(self.places.items(), start=_FIRST):
            self._listed(sheet, row, name, place)

    def _listed(self, sheet: "Worksheet", row: int, name: str, place: Place) -> None:
        figure, care = self.figures[name], self.cares[name]
        texts = {
            1: name,
            2: beside(place.section_head),
            3: beside(place.row),
            4: beside(place.column),
            6: figure.unit,
            _SHOWN: figure.shown,
            8: UNKNOWN if figure.value is None else figure.value,
            12: formula_text(figure.formula),
            13: figure.within,
            14: figure.basis,
            17: figure.explain,
            18: figure.rule,
        }
        for column, text in texts.items():
            self._text(sheet, Address(FIGURES, column, row), text.replace("\n", " "))
        self._figure(sheet, Address(FIGURES, _VALUE, row), name)
        sheet.cell(row, _PLACES).value = figure.places
        if care.number is not None:
            sheet.cell(row, _RECORDED).value = care.number
            self.styles.number(sheet.cell(row, _RECORDED), care.number_format)
        for column, number in ((_DIFFERENCE, care.difference), (_DISPLAY, care.display)):
            if number:
                sheet.cell(row, column).value = number
        value, recorded = (f"{letters(at)}{row}" for at in (_VALUE, _RECORDED))
        same = f"IF(ABS({value}-{recorded})<={care.noise:.2g},0,1)"
        formula = f"=IF(COUNT({value},{recorded})=2,{same},IF(COUNT({value},{recorded})=0,0,1))"
        self._formula(sheet, Address(FIGURES, _DIFFERS, row), formula, None)

    def _gathered(self) -> None:
        if not self.terms.columns:
            return
        sheet = self.book.create_sheet(TERMS)
        for column, (name, places) in enumerate(self.terms.columns, start=1):
            self._text(sheet, Address(TERMS, column, 1), name)
            for row, (part, place) in enumerate(zip(parts(self.figures[name]), places, strict=True), start=_FIRST):
                at = Address(TERMS, column, row)
                self._formula(sheet, at, f"={place.seen_from(TERMS)}", self.cares[part])
