"""A figure with its working as a spreadsheet that computes it again.

Every figure that has terms is a formula on other cells; numbers stand only where something was read, published or
entered: registers on their sheet, factors on theirs, hourly columns on theirs. Beside each formula stands what the
system says, and the difference. Nothing is rounded: number formats are display only.

References:
    accounting rule 6.8 (full precision; rounding is for display).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from parkcarbon.books.workbook.layout import FIRST_ROW, Block, Cell, Layout, lay_out
from parkcarbon.books.workbook.words import (
    BATCH_HEADERS,
    FACTOR_HEADERS,
    KINDS,
    NO,
    OPERATIONS,
    REGISTER_HEADERS,
    SHEETS,
    UNKNOWN,
    WORKING_HEADERS,
    YES,
    labels,
    number_format,
)
from parkcarbon.domain.working import Figure

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

_LEADERS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_ILLEGAL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_WIDTHS: Final[dict[str, Sequence[int]]] = {
    "working": (7, 30, 38, 24, 14, 20, 24, 14, 48, 9, 70),
    "factors": (28, 20, 16, 9, 18, 14, 26, 10, 18, 44, 16, 18, 11, 22, 34, 30, 24, 16, 24),
    "registers": (34, 22, 20, 9, 14, 18, 8, 8, 7, 18, 36, 10, 68, 24),
    "batches": (34, 9, 20, 36, 10, 68, 24, 24),
    "notes": (34, 110),
    "columns": (22,) * 40,
}
_TEXT_LIMIT: Final = 32_000


@dataclass(frozen=True, slots=True)
class About:
    """What the first sheet says of the figure.

    Attributes:
        title_zh: of the workbook.
        title_en: the same in English.
        facts: (name, value) lines: park, period, date of knowledge, versions.
        notes: sentences.
    """

    title_zh: str
    title_en: str
    facts: Sequence[tuple[str, object]] = ()
    notes: Sequence[str] = field(default=())


def write_workbook(figure: Figure | Sequence[Figure], target: str | IO[bytes], about: About) -> Layout:
    """Write a figure, or several, as XLSX.

    Args:
        figure: root of the tree, or roots.
        target: path or binary file.
        about: what the first sheet says.

    Returns:
        Where each figure stands, by sheet and cell; tests read the recalculated file back with it.

    Raises:
        FileNotFoundError: its folder is not there; told before anything is begun.
    """
    from openpyxl.workbook import Workbook as Book

    if isinstance(target, str) and not Path(target).resolve().parent.is_dir():
        raise FileNotFoundError(f"{target}: there is no such folder")
    layout = lay_out(*((figure,) if isinstance(figure, Figure) else figure))
    sheets = _Sheets(Book(write_only=True))
    sheets.notes(about, layout)
    sheets.working(layout)
    if layout.blocks:
        sheets.columns(layout.blocks)
    for key, headers, rows in (
        ("factors", FACTOR_HEADERS, layout.factors),
        ("registers", REGISTER_HEADERS, layout.registers),
        ("batches", BATCH_HEADERS, layout.batches),
    ):
        if rows:
            sheets.table(key, headers, rows)
    sheets.book.save(target)
    return layout


def plain(text: str) -> str:
    """A text without characters that a spreadsheet cannot hold, cut to what a cell takes."""
    return _ILLEGAL.sub(" ", text)[:_TEXT_LIMIT]


class _Sheets:
    """Writes the sheets of one workbook, row by row."""

    def __init__(self, book: "Workbook") -> None:
        from openpyxl.styles import Alignment, Font, PatternFill

        self.book = book
        self._bold = Font(bold=True)
        self._wrap = Alignment(wrap_text=True, vertical="top", horizontal="left")
        self._left = Alignment(vertical="top", horizontal="left")
        self._fill = PatternFill("solid", fgColor="DDE7F0")
        self._indents = [Alignment(indent=min(depth, 15)) for depth in range(16)]

    def notes(self, about: About, layout: Layout) -> None:
        """The first sheet: what this is, and how to read it."""
        sheet = self._sheet("notes", freeze=None)
        sheet.append([self._header(sheet, about.title_zh), self._header(sheet, about.title_en)])
        for number, row in enumerate(layout.rows, FIRST_ROW):
            if row.depth == 0:
                zh, en = labels(row.figure)
                value = self._number(sheet, f"='{SHEETS['working']}'!D{number}", row.figure.unit)
                value.alignment = self._left
                sheet.append([self._text(sheet, f"{zh}\n{en}"), value, self._text(sheet, row.figure.unit)])
        for name, fact in (*about.facts, *(("说明 note", note) for note in about.notes), *LEGEND):
            cells = [self._text(sheet, name), self._literal(sheet, fact)]
            for cell in cells:
                cell.alignment = self._wrap
            sheet.append(cells)

    def working(self, layout: Layout) -> None:
        """The tree, one row a figure, each with what it is made of beneath it."""
        sheet = self._sheet("working", freeze="D2")
        sheet.append([self._header(sheet, text) for text in WORKING_HEADERS])
        for number, row in enumerate(layout.rows, FIRST_ROW):
            figure = row.figure
            zh, en = labels(figure)
            name_zh, name_en = self._text(sheet, zh), self._text(sheet, en)
            name_zh.alignment = name_en.alignment = self._indents[min(row.depth, 15)]
            value = self._value(sheet, row.content, figure.unit)
            if figure.operation != "given":
                value.font = self._bold
            said = self._value(sheet, figure.value, figure.unit)
            difference = self._number(sheet, f'=IF(COUNT(D{number},G{number})=2,D{number}-G{number},"")', figure.unit)
            sheet.row_dimensions[number].outlineLevel = min(row.depth, 7)
            sheet.append(
                [
                    row.depth,
                    name_zh,
                    name_en,
                    value,
                    self._text(sheet, figure.unit),
                    OPERATIONS[figure.operation],
                    said,
                    difference,
                    self._text(sheet, row.link or source_text(figure.source)),
                    self._text(sheet, figure.rule),
                    self._text(sheet, "; ".join(figure.notes)),
                ]
            )

    def columns(self, blocks: Sequence[Block]) -> None:
        """Hourly and other long columns, one block beside the other."""
        sheet = self._sheet("columns", freeze="A4")
        titles: list[object] = []
        headers: list[object] = []
        for block in blocks:
            titles += [self._header(sheet, block.title), *[None] * (block.width - 1)]
            headers += [self._header(sheet, name) for name, _ in block.all()] + [None] * block.gap
        sheet.append(titles)
        sheet.append(headers)
        sheet.append([])
        for at in range(max((block.height for block in blocks), default=0)):
            row: list[object] = []
            for block in blocks:
                row += [self._bare(sheet, values[at]) if at < len(values) else None for _, values in block.axis]
                row += [values[at] if at < len(values) else None for _, values in block.columns]
                row += [None] * block.gap
            sheet.append(row)

    def table(self, key: str, headers: Mapping[str, str], rows: Sequence[Mapping[str, object]]) -> None:
        """Factors or registers: one row a record."""
        sheet = self._sheet(key, freeze="B2")
        sheet.append([self._header(sheet, text) for text in headers.values()])
        for row in rows:
            cells = [self._literal(sheet, row.get(name)) for name in headers]
            sheet.append(cells)

    def _sheet(self, key: str, freeze: str | None) -> Any:
        from openpyxl.utils import get_column_letter

        sheet: Any = self.book.create_sheet(SHEETS[key])
        sheet.freeze_panes = freeze
        for number, width in enumerate(_WIDTHS[key], 1):
            sheet.column_dimensions[get_column_letter(number)].width = width
        sheet.sheet_properties.outlinePr.summaryBelow = False
        return sheet

    def _header(self, sheet: Any, text: str) -> Any:
        cell = self._text(sheet, text)
        cell.font, cell.fill, cell.alignment = self._bold, self._fill, self._wrap
        return cell

    def _text(self, sheet: Any, text: str) -> Any:
        from openpyxl.cell import WriteOnlyCell

        cell: Any = WriteOnlyCell(sheet, plain(text))
        cell.data_type = "s"
        if text.startswith(_LEADERS):
            cell.quotePrefix = True
        return cell

    def _number(self, sheet: Any, value: float | str, unit: str) -> Any:
        from openpyxl.cell import WriteOnlyCell

        cell: Any = WriteOnlyCell(sheet, value)
        cell.number_format = number_format(unit)
        return cell

    def _value(self, sheet: Any, value: Cell, unit: str) -> Any:
        if value is None or (isinstance(value, str) and not value.startswith("=")):
            return self._text(sheet, value or UNKNOWN)
        return self._number(sheet, value, unit)

    def _literal(self, sheet: Any, value: object) -> Any:
        """A cell of a table: numbers as numbers, everything else as text that is never a formula."""
        if isinstance(value, bool):
            return self._text(sheet, YES if value else NO)
        if not isinstance(value, int | float):
            return self._text(sheet, "" if value is None else str(value))
        from openpyxl.cell import WriteOnlyCell

        return WriteOnlyCell(sheet, value)

    def _bare(self, sheet: Any, value: str | int | None) -> Any:
        """A cell of a long column: plain numbers and harmless texts need no style, unknown ones stay empty."""
        if not isinstance(value, str):
            return value
        return self._text(sheet, value) if value.startswith(_LEADERS) else plain(value)


LEGEND: Final = (
    ("如何核对", "“计算”表中有下级项的数值均为公式，不含常数；“系统值”是系统给出的数，“差”应在浮点舍入以内。"),
    ("how to check", "On sheet Working every value with terms beneath it is a formula without constants."),
    ("", "'value in the system' is what the system says; 'difference' is zero but for floating-point rounding."),
    ("表底与因子", "表底与因子为各自工作表中的数字，修改后全部合计随之变化。"),
    ("registers and factors", "They are numbers on their own sheets; change one there and every total follows."),
    ("批次", "批次以来源、boot、seq 定位，摘要为所发送帧的 SHA-256。"),
    ("batches", "A batch is found by source, boot and seq; its digest is the SHA-256 of the frame as it was sent."),
    ("取整", "仅显示时取整，单元格保留 16 位有效数字。"),
    ("rounding", "Only the display is rounded; cells hold 16 digits."),
)


def source_text(source: Mapping[str, object]) -> str:
    """Where a leaf comes from, in one line.

    >>> source_text({"kind": "setting", "name": "gwp_set", "value": "AR6"})
    '设置 setting: name gwp_set, value AR6'
    """
    if not source:
        return ""
    kind = str(source.get("kind", ""))
    parts = ", ".join(f"{name} {value}" for name, value in _flat(source) if name != "kind")
    return f"{KINDS.get(kind, kind)}: {parts}" if parts else KINDS.get(kind, kind)


def _flat(source: Mapping[str, object], lead: str = "") -> Iterator[tuple[str, object]]:
    for name, value in source.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{lead}{name} ")
        elif name == "batches" and isinstance(value, list | tuple):
            yield f"{lead}{name}", len(value)
        elif value not in (None, "", (), []):
            yield f"{lead}{name}", value
