"""Where each figure of a tree stands in a workbook, and the formula that computes it there.

One row a figure, depth first. Registers and factors are kept on sheets of their own, once each, and referred to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from parkcarbon.books.workbook.words import FACTOR_HEADERS, REGISTER_HEADERS, SERIES, SHEETS, UNKNOWN, labels
from parkcarbon.domain.working import Figure

Cell: TypeAlias = float | str | None
"""A number, a formula that begins with `=`, another text that stands for a number, or None: not known."""

FIRST_ROW: Final = 2
FIRST_COLUMN_ROW: Final = 4
MOST_ARGUMENTS: Final = 100
"""A formula with more terms gets them as a column of references, so that no formula grows too long."""

_VALUE: Final = "D"


@dataclass(frozen=True, slots=True)
class Row:
    """A figure on the sheet Working; `content` is its number or formula."""

    figure: Figure
    depth: int
    content: Cell
    link: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Parallel columns on the sheet Columns, from column `first` (1 = A) on.

    Attributes:
        title: what the figure is called.
        first: number of the first column.
        axis: what the rows are; texts are never formulas.
        columns: numbers, or references of our own making.
        gap: empty columns behind it.
    """

    title: str
    first: int
    axis: tuple[tuple[str, Sequence[str | int | None]], ...]
    columns: tuple[tuple[str, Sequence[Cell]], ...]
    gap: int = 1

    def all(self) -> tuple[tuple[str, Sequence[Cell | int]], ...]:
        """Axis and columns as they stand side by side."""
        return (*self.axis, *self.columns)

    @property
    def height(self) -> int:
        """Rows of the longest column."""
        return max((len(values) for _, values in self.all()), default=0)

    @property
    def width(self) -> int:
        """Columns with the empty one that separates blocks."""
        return len(self.axis) + len(self.columns) + self.gap


@dataclass
class Layout:
    """A laid out tree; `cells` is the row of each figure on the sheet Working, in the order of `rows`."""

    rows: list[Row] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    factors: list[Mapping[str, object]] = field(default_factory=list)
    registers: list[Mapping[str, object]] = field(default_factory=list)
    batches: list[Mapping[str, object]] = field(default_factory=list)

    def cells(self) -> list[tuple[Figure, str]]:
        """Each figure and its cell on the sheet Working."""
        return [(row.figure, f"{_VALUE}{number}") for number, row in enumerate(self.rows, FIRST_ROW)]


def lay_out(*roots: Figure) -> Layout:
    """Give every figure its row and formula, one tree below the other."""
    building = _Building()
    for root in roots:
        building.place(root, 0)
    return building.layout


class _Building:
    """Rows, blocks and tables as they come up."""

    def __init__(self) -> None:
        self.layout = Layout()
        self._tables: dict[tuple[str, str], int] = {}
        self._blocks: dict[int, list[str]] = {}
        self._kept: list[object] = []  # what `_blocks` is keyed by must stay alive
        self._next_column = 1

    def place(self, figure: Figure, depth: int) -> int:
        """Put a figure and all under it on rows; returns its row."""
        at = len(self.layout.rows)
        self.layout.rows.append(Row(figure, depth, None))
        self._list_batches(figure)
        rows = [self.place(term, depth + 1) for term in figure.terms]
        content, link = self._leaf(figure) if figure.operation == "given" else (self._formula(figure, rows), "")
        self.layout.rows[at] = Row(figure, depth, content, link)
        return at + FIRST_ROW

    def _list_batches(self, figure: Figure) -> None:
        batches = figure.source.get("batches")
        if isinstance(batches, list | tuple):
            self.layout.batches += [{"point": figure.source.get("point"), **batch} for batch in batches]

    def _leaf(self, figure: Figure) -> tuple[Cell, str]:
        kind = figure.source.get("kind")
        if kind == "factor" and figure.source.get("factor"):
            return self._refer("factors", FACTOR_HEADERS, figure, dict(figure.source))
        if figure.value is None:
            return None, ""
        if kind == "register" and figure.source.get("point"):
            return self._refer("registers", REGISTER_HEADERS, figure, register_row(figure.source))
        return figure.value, ""

    def _refer(
        self, table: str, headers: Mapping[str, str], figure: Figure, record: Mapping[str, object]
    ) -> tuple[Cell, str]:
        """A reference to the record on its own sheet, where the number stands once."""
        rows = self.layout.factors if table == "factors" else self.layout.registers
        known = record.get("value") in (None, figure.value)
        unit = record.get("unit") if known else None
        line = {**record, "value": SERIES if figure.value is None else figure.value, "unit": unit or figure.unit}
        if record.get("value") is not None:
            line["as_published"] = f"{record['value']} {record.get('unit', '')}"
        key = (table, repr([line.get(name) for name in headers]))
        if key not in self._tables:
            rows.append(line)
            self._tables[key] = len(rows) + 1
        column = "ABCDEFGHIJ"[list(headers).index("value")]
        place = f"'{SHEETS[table]}'!{column}{self._tables[key]}"
        name = record.get("factor") if table == "factors" else f"{record.get('point')} {record.get('time')}"
        content = SERIES if figure.value is None else f"={place}"
        return content, f"{SHEETS[table]} {column}{self._tables[key]}: {name}"

    def _formula(self, figure: Figure, rows: Sequence[int]) -> Cell:
        if figure.operation == "sum_product":
            return f"=SUMPRODUCT({','.join(self._columns(figure))})" if figure.columns else "=0"
        if not rows:
            return "=0"
        cells = [f"{_VALUE}{row}" for row in rows]
        unknown = any(term.value is None for term in figure.terms)
        if len(cells) > MOST_ARGUMENTS:
            cells = [*cells[:1], self._references(figure, rows[1:])]
        body = _operation(figure, cells)
        if figure.operation == "quotient":
            body = f'IF({cells[1]}=0,"{UNKNOWN}",{body})'
        if unknown:
            body = f'IF(COUNT({",".join(cells)})={len(rows)},{body},"{UNKNOWN}")'
        return f"={body}"

    def _references(self, figure: Figure, rows: Sequence[int]) -> str:
        """A column of references to many cells, and the range it takes."""
        sheet = SHEETS["working"]
        values = [f"='{sheet}'!{_VALUE}{row}" for row in rows]
        return self._block(figure, {"terms": values}, {})[0]

    def _columns(self, figure: Figure) -> list[str]:
        key = id(figure.columns)
        if key not in self._blocks:
            self._blocks[key] = self._block(figure, figure.columns, figure.axis)
            self._kept.append(figure.columns)
        return self._blocks[key]

    def _block(
        self, figure: Figure, columns: Mapping[str, Sequence[Cell]], axis: Mapping[str, Sequence[str | int | None]]
    ) -> list[str]:
        from openpyxl.utils import get_column_letter

        block = Block(labels(figure)[1], self._next_column, tuple(axis.items()), tuple(columns.items()))
        self.layout.blocks.append(block)
        self._next_column += block.width
        letters = [get_column_letter(block.first + len(axis) + at) for at in range(len(columns))]
        last = FIRST_COLUMN_ROW + max(block.height, 1) - 1
        return [f"'{SHEETS['columns']}'!{letter}{FIRST_COLUMN_ROW}:{letter}{last}" for letter in letters]


def _operation(figure: Figure, cells: Sequence[str]) -> str:
    """The formula of a figure whose terms stand in these cells; the last may be a range."""
    together = ",".join(cells)
    if figure.operation == "difference":
        rest = cells[1:]
        if not rest:
            return cells[0]
        return f"{cells[0]}-{rest[0]}" if len(figure.terms) == 2 else f"{cells[0]}-SUM({','.join(rest)})"
    if figure.operation == "product":
        return "*".join(cells) if len(cells) == len(figure.terms) else f"PRODUCT({together})"
    if figure.operation == "quotient":
        return f"{cells[0]}/{cells[1]}"
    return f"{'SUM' if figure.operation == 'sum' else figure.operation[:3].upper()}({together})"


def register_row(source: Mapping[str, object]) -> dict[str, object]:
    """The source of a register as a row of its sheet."""
    batch = source.get("batch")
    row = dict(source)
    if isinstance(batch, Mapping):
        row |= {"batch_source": batch.get("source")}
        row |= {name: batch.get(name) for name in ("boot", "seq", "digest", "recorded_at")}
    return row
