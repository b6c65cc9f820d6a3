"""A record laid out on sheets: page 1, a sheet for each page, changes, evidence, and a list of every figure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from parkcarbon.statement.places import FRONT
from parkcarbon.statement.record import (
    Block,
    Box,
    Bridge,
    Cell,
    Chart,
    HeatMap,
    Pairs,
    Paragraph,
    Predecessor,
    Record,
    Section,
    Series,
    Table,
    Text,
    content_digest,
)

from .formulas import Address
from .labels import LABELS, beside

Style = Literal[
    "normal", "title", "head", "label", "strong", "warning", "note", "total", "subtotal", "memo", "box", "fact"
]
FIGURES: Final = "数据项 Figures"
TERMS: Final = "加数 Terms"
_FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\'\x00-\x1f]")
_ILLEGAL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NAME_LIMIT: Final = 31
_TEXT_LIMIT: Final = 32_000


@dataclass(frozen=True, slots=True)
class Item:
    """What stands in a cell: words, a figure, or a decimal of a chart."""

    text: str = ""
    figure: str | None = None
    number: str | None = None
    style: Style = "normal"
    indent: int = 0
    right: bool = False


Row = tuple[Item | None, ...]


@dataclass(slots=True)
class Grid:
    """A sheet in the making.

    Attributes:
        name: on its tab.
        rows: from the top.
        listed: rows [from 1] whose figures are in a table or a list.
        heat: ranges of heat maps.
        wide: width of columns from the second on [characters].
    """

    name: str
    rows: list[Row] = field(default_factory=list)
    listed: set[int] = field(default_factory=set)
    heat: list[str] = field(default_factory=list)
    wide: int = 18

    def add(self, *items: Item | None, listed: bool = False) -> None:
        """Append a row."""
        self.rows.append(items)
        if listed:
            self.listed.add(len(self.rows))

    def gap(self) -> None:
        """Append an empty row."""
        self.rows.append(())


def cleaned(text: str) -> str:
    """A text without characters that a spreadsheet cannot hold, cut to what a cell takes."""
    return _ILLEGAL.sub(" ", text)[:_TEXT_LIMIT]


def lay_out(record: Record) -> list[Grid]:
    """Every sheet but the list of figures."""
    taken: set[str] = {FIGURES.lower(), TERMS.lower(), "history"}  # a name that Excel keeps for itself
    grids = [_front(record, Grid(_name(FRONT, taken)))]
    grids += [_section(record, section, Grid(_name(section.head, taken))) for section in record.sections]
    if record.supersedes is not None:
        grids.append(_changes(record.supersedes, Grid(_name(Text("变更", "Changes"), taken))))
    grids.append(_evidence(record, Grid(_name(LABELS["evidence"], taken))))
    return grids


def homes(grids: Iterable[Grid]) -> dict[str, Address]:
    """Where each figure has its value: the first table or list that shows it, else the first place."""
    found: dict[str, Address] = {}
    others: dict[str, Address] = {}
    for grid in grids:
        for row, items in enumerate(grid.rows, start=1):
            for column, item in enumerate(items, start=1):
                if item is not None and item.figure is not None:
                    target = found if row in grid.listed else others
                    target.setdefault(item.figure, Address(grid.name, column, row))
    return {**others, **found}


def _name(head: Text, taken: set[str]) -> str:
    """A name for a tab: no signs that programs refuse, not longer than they take, not twice."""
    wanted = " ".join(_FORBIDDEN.sub(" ", cleaned(beside(head))).split())[:_NAME_LIMIT].strip() or "-"
    name, number = wanted, 1
    while name.lower() in taken:
        number += 1
        name = f"{wanted[: _NAME_LIMIT - 4].strip()} {number}"
    taken.add(name.lower())
    return name


def said(text: Text | str, style: Style = "normal", indent: int = 0) -> Item:
    """Words in a cell, Chinese beside English."""
    return Item(beside(text) if isinstance(text, Text) else text, style=style, indent=indent)


def fact(grid: Grid, label: Text, value: Text | str) -> None:
    """A name and what belongs to it."""
    grid.add(said(label, "label"), said(value, "fact"))


def _front(record: Record, grid: Grid) -> Grid:
    front, verdict = record.front, record.verdict
    grid.wide = 26
    grid.add(said(front.title.zh, "title"))
    grid.add(said(front.title.en, "title"))
    grid.add(said(front.stamp, "warning"))
    for label, value in (
        (LABELS["park"], record.park_name),
        (LABELS["entity"], record.entity),
        (LABELS["period"], f"{record.period} ({record.from_time} – {record.to_time}, {record.timezone})"),
        (LABELS["number"], record.number),
        (LABELS["version"], str(record.version)),
        (LABELS["status"], LABELS[record.status]),
        (LABELS["known_on"], record.known_on),
        (LABELS["issued_at"], record.issued_at or LABELS["not_issued"]),
        (LABELS["digest"], content_digest(record)),
        (LABELS["method"], f"{record.method_profile} {record.method_version}"),
    ):
        fact(grid, label, value)
    grid.gap()
    grid.add(said(verdict.label, "head"), said(verdict.scope_words, "strong"))
    grid.add(said(verdict.sentence.zh, "strong"))
    grid.add(said(verdict.sentence.en, "strong"))
    for reason in verdict.reasons:
        grid.add(said(LABELS["because"], "label"), said(reason, "fact"))
    for label, pair in ((LABELS["declared"], front.judged), (LABELS["other_basis"], front.other)):
        grid.add(said(label, "label"), Item(figure=pair[0]), Item("±"), Item(figure=pair[1]), unit_of(record, pair[0]))
    _bridge(record, front.bridge, grid)
    for text in front.boundary:
        grid.add(said(LABELS["boundary"], "label"), said(text, "fact"))
    grid.gap()
    for act in record.acts:
        grid.add(said(LABELS[act.role], "label"), Item(act.person), Item(act.at), Item(act.comment, style="fact"))
    fact(grid, LABELS["verification"], front.verification)
    for missing in record.missing:
        items = (Item(missing.owner), Item(missing.due), said(missing.text, "fact"))
        grid.add(said(LABELS["pending"], "label"), *items)
    for note in record.notes:
        grid.add(said(note, "warning"))
    return grid


def unit_of(record: Record, name: str) -> Item | None:
    """The unit of a figure, for the cell behind it."""
    figure = record.figures.get(name)
    return None if figure is None else Item(figure.unit, style="fact", indent=1)


def _section(record: Record, section: Section, grid: Grid) -> Grid:
    grid.add(said(section.head.zh, "title"))
    grid.add(said(section.head.en, "title"))
    for block in section.blocks:
        _block(record, block, grid)
    return grid


def _block(record: Record, block: Block, grid: Grid) -> None:
    if isinstance(block, Paragraph):
        style: Style = "normal" if block.style == "normal" else block.style
        for text in dict.fromkeys((block.text.zh, block.text.en)):
            grid.add(said(text, style))
        return
    grid.gap()
    if isinstance(block, Box):
        grid.add(said(LABELS[block.kind], "box"), said(block.head, "box"))
        for inner in block.blocks:
            _block(record, inner, grid)
        grid.add(Item(style="box"))
    elif isinstance(block, Pairs):
        for label, cell in block.rows:
            unit = None if cell.figure is None else unit_of(record, cell.figure)
            grid.add(said(label, "label"), _cell(cell, "fact"), unit, listed=True)
    elif isinstance(block, Table):
        put_table(block, grid)
    elif isinstance(block, Bridge):
        _bridge(record, block, grid)
    elif isinstance(block, Chart):
        _chart(block, grid)
    else:
        _heat(block, grid)


def _cell(cell: Cell, style: Style = "normal", indent: int = 0) -> Item | None:
    if cell.figure is not None:
        return Item(figure=cell.figure, style=style)
    return None if cell.text is None else said(cell.text, style, indent)


def put_table(table: Table, grid: Grid) -> None:
    """A table with its heads and its note."""
    grid.add(said(table.head, "head"), *(Item(style="head") for _ in table.columns[1:]))
    rights = [column.align == "right" for column in table.columns]
    for texts in zip(*((column.head.zh, column.head.en, column.unit) for column in table.columns), strict=True):
        grid.add(*(Item(text, style="head", right=right) for text, right in zip(texts, rights, strict=True)))
    for line in table.lines:
        cells = (_cell(cell, line.style, 1 if number else line.indent) for number, cell in enumerate(line.cells))
        grid.add(*(cell or Item(style=line.style) for cell in cells), listed=True)
    if table.note is not None:
        grid.add(said(table.note.zh, "note"))
        grid.add(said(table.note.en, "note"))


def _bridge(record: Record, bridge: Bridge, grid: Grid) -> None:
    grid.gap()
    grid.add(said(bridge.head, "head"))
    for step in bridge.steps:
        style: Style = "total" if step.kind == "total" else "normal"
        unit = unit_of(record, step.figure)
        grid.add(said(step.label, style), Item(figure=step.figure, style=style), unit)
    grid.gap()


def _chart(chart: Chart, grid: Grid) -> None:
    """A chart as numbers: a row a label, a column a series; what is missing stays empty."""
    grid.add(said(chart.head, "head"), Item(chart.unit, style="head"))
    series = list(chart.series)
    if chart.completeness_pct:
        head = Text(LABELS["completeness"].zh + " %", LABELS["completeness"].en + " %")
        series.append(Series(head, chart.completeness_pct))
    grid.add(Item(style="head"), *(Item(item.name.zh, style="head", right=True) for item in series))
    grid.add(Item(style="head"), *(Item(item.name.en, style="head", right=True) for item in series))
    for number, label in enumerate(chart.labels):
        values = (item.values[number] if number < len(item.values) else None for item in series)
        grid.add(Item(label), *(None if value is None else Item(number=value) for value in values))


def _heat(chart: HeatMap, grid: Grid) -> None:
    """A heat map as numbers: a row a day, a column an hour."""
    grid.add(said(chart.head, "head"), Item(chart.unit, style="head"))
    hours = max((len(row) for row in chart.values), default=0)
    grid.add(said(LABELS["hour"], "head"), *(Item(number=str(hour), style="head") for hour in range(hours)))
    first = len(grid.rows) + 1
    for day, values in zip(chart.days, chart.values, strict=False):
        grid.add(Item(day), *(None if value is None else Item(number=value) for value in values))
    if hours and len(grid.rows) >= first:
        last = Address(grid.name, hours + 1, len(grid.rows))
        grid.heat.append(f"B{first}:{last.local}")


def _changes(before: Predecessor, grid: Grid) -> Grid:
    grid.wide = 24
    grid.add(said(LABELS["changes"], "title"))
    fact(grid, LABELS["supersedes"], f"{before.number} V{before.version}")
    fact(grid, LABELS["digest"], before.digest)
    fact(grid, LABELS["reason"], before.reason)
    grid.gap()
    heads = ("changed_line", "before", "after", "unit", "cause")
    grid.add(*(said(LABELS[head], "head") for head in heads), said(LABELS["figure"], "head"))
    for change in before.changes:
        items = (Item(change.before or ""), Item(change.after or ""), Item(change.unit), said(change.cause))
        grid.add(said(change.label), *items, Item(change.figure))
    return grid


def _evidence(record: Record, grid: Grid) -> Grid:
    evidence = record.evidence
    grid.wide = 22
    grid.add(said(LABELS["evidence"], "title"))
    for label, value in (
        (LABELS["log_size"], str(evidence.log_size)),
        (LABELS["log_root"], evidence.log_root),
        (LABELS["batches"], str(evidence.batches)),
        (LABELS["ledger_digest"], evidence.ledger_digest),
        (LABELS["ledger_events"], str(evidence.ledger_events)),
        (LABELS["park_revision"], str(evidence.park_revision)),
        (LABELS["entries"], ", ".join(str(entry) for entry in evidence.entries)),
    ):
        fact(grid, label, value)
    for head, rows in _lists(record):
        grid.gap()
        grid.add(*(said(text, "head") for text in head))
        for row in rows:
            grid.add(*(Item(text) for text in row))
    return grid


def _lists(record: Record) -> Iterator[tuple[tuple[Text, ...], list[tuple[str, ...]]]]:
    evidence = record.evidence
    head: tuple[Text, ...] = (
        LABELS["factor"],
        LABELS["value"],
        LABELS["unit"],
        LABELS["publisher"],
        LABELS["edition"],
        LABELS["data_year"],
        LABELS["recorded"],
        LABELS["verified"],
    )
    yield (
        head,
        [
            (
                factor.factor,
                factor.value or "–",
                factor.unit,
                factor.publisher,
                factor.edition,
                "–" if factor.data_year is None else str(factor.data_year),
                factor.recorded_at,
                beside(LABELS["yes" if factor.verified else "no"]),
            )
            for factor in evidence.factors
        ],
    )
    head = (LABELS["day"], LABELS["size"], LABELS["root"], LABELS["sent"])
    yield head, [(root.day, str(root.size), root.root, ", ".join(root.sent)) for root in evidence.roots]
    head = (
        LABELS["point"],
        LABELS["from"],
        LABELS["to"],
        LABELS["readings"],
        LABELS["reason"],
    )
    yield (
        head,
        [(loss.point, loss.from_time, loss.to_time, str(loss.readings), loss.reason) for loss in evidence.losses],
    )
