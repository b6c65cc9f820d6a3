"""Separate exports made from a frozen statement: the RE100 sheet and the sheet for a group's consolidation.

They say nothing that the statement does not say, and are no part of it: they carry its number, version and digest, and
no verdict. Credits lower no line in them.

References:
    accounting rules 3.2 (no second subtraction), 3.13 (both scope 2 methods), 4.8 (RE100 and CBAM).
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Final, Literal

from msgspec.structs import replace

from parkcarbon.statement.arithmetic import blocks
from parkcarbon.statement.record import Figure, Formula, Record, Table, Text, content_digest
from parkcarbon.statement.sheet import Sheet

from .csv import safe
from .grid import Grid, Item, fact, put_table, said, unit_of
from .labels import LABELS
from .xlsx import write_workbook

Export = Literal["re100", "group"]
Format = Literal["xlsx", "csv"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an export shows.

    Attributes:
        head: of the sheet.
        marks: what stands on top of it, so that nobody takes it for the statement.
        rows: ids of figures with what they are called; those that a statement has not are left out.
        tables: ids of tables that are copied whole.
    """

    head: Text
    marks: tuple[Text, ...]
    rows: tuple[tuple[str, Text], ...]
    tables: tuple[str, ...]


_SEPARATE: Final = Text("单独导出，不是声明的一部分", "separate export, no part of the statement")
_CBAM: Final = Text("不可用于CBAM", "not a CBAM value")
RE100_SHARE: Final = "export.re100.share"

EXPORTS: Final[Mapping[Export, Wanted]] = {
    "re100": Wanted(
        Text("RE100 附表", "RE100 sheet"),
        (
            _SEPARATE,
            _CBAM,
            Text(
                "只计已核销的绿证；待定与拒绝的不计入", "cancelled certificates only; neither pending nor refused ones"
            ),
            Text(
                "核销占比以下网电量为分母", "the share is of grid import; self-used generation is in neither part of it"
            ),
        ),
        (
            ("energy.load.kwh", Text("用电量", "Electricity used")),
            ("energy.import.kwh", Text("下网电量", "Grid import")),
            ("energy.generation.kwh", Text("发电量", "Generation")),
            ("energy.export.kwh", Text("上网电量", "Grid export")),
            ("instruments.covered.kwh", Text("已核销绿证覆盖的电量", "Covered by cancelled certificates")),
            (RE100_SHARE, Text("核销占下网电量", "Covered, of grid import")),
            ("matching.share", Text("小时匹配率", "Hourly matched share (24/7)")),
        ),
        ("instruments.certificates", "instruments.own"),
    ),
    "group": Wanted(
        Text("集团合并附表", "Sheet for a group's consolidation"),
        (
            _SEPARATE,
            _CBAM,
            Text("电力仅含CO₂", "electricity CO2 only"),
            Text("减排量另列，不减少任何一行", "credits stand apart and lower no line"),
        ),
        (
            ("s1.total", Text("范围一（直接排放）", "Scope 1 (direct)")),
            ("s2.location.total", Text("范围二（基于位置）", "Scope 2, location-based")),
            ("s2.market.total", Text("范围二（基于市场）", "Scope 2, market-based")),
            ("total.location", Text("范围一、二（基于位置）", "Scopes 1+2, location-based")),
            ("total.location.u", Text("不确定度（95%），基于位置", "Uncertainty (95 %), location-based")),
            ("total.market", Text("范围一、二（基于市场）", "Scopes 1+2, market-based")),
            ("total.market.u", Text("不确定度（95%），基于市场", "Uncertainty (95 %), market-based")),
            ("s3.total", Text("范围三（其他间接排放）", "Scope 3 (other indirect)")),
            ("biogenic.co2", Text("生物源CO₂（备忘项）", "Biogenic CO2 (memo)")),
            ("energy.import.kwh", Text("下网电量", "Grid import")),
            ("energy.export.kwh", Text("上网电量", "Grid export")),
            ("energy.generation.kwh", Text("发电量", "Generation")),
            ("energy.gj", Text("综合能源消费量（当量值）", "Comprehensive energy consumption (calorific)")),
            (
                "unverified.location.pct",
                Text("未核实因子占比，基于位置", "Share on unverified factors, location-based"),
            ),
            ("unverified.market.pct", Text("未核实因子占比，基于市场", "Share on unverified factors, market-based")),
            ("credits.retired", Text("已注销减排量（另列）", "Retired credits (apart)")),
        ),
        ("sources.gases", "sources.scope1", "scope2.location", "scope2.market"),
    ),
}


def render_export(record: Record, export: Export, form: Format) -> bytes:
    """A separate export of a statement.

    Raises:
        ValueError: figures of the record follow from one another in a circle.
    """
    wanted = EXPORTS[export]
    record = _with_share(record)
    grid = _lay_out(record, wanted)
    if form == "csv":
        return _csv(record, grid)
    shown = {item.figure for row in grid.rows for item in row if item is not None and item.figure is not None}
    return write_workbook(replace(record, figures=_closure(record.figures, shown)), [grid])


def _with_share(record: Record) -> Record:
    """The record with the share that RE100 asks for, where both its parts are there."""
    parts = ("instruments.covered.kwh", "energy.import.kwh")
    if any(part not in record.figures for part in parts):
        return record
    sheet = Sheet()
    sheet.figures = dict(record.figures)
    sheet.follow(RE100_SHARE, Formula("quotient", parts, "100"), "%", 1)
    return replace(record, figures=sheet.figures)


def _lay_out(record: Record, wanted: Wanted) -> Grid:
    grid = Grid(f"{wanted.head.zh} {wanted.head.en}"[:31].strip())
    grid.add(said(wanted.head.zh, "title"))
    grid.add(said(wanted.head.en, "title"))
    for mark in wanted.marks:
        grid.add(said(mark, "warning"))
    for label, value in (
        (LABELS["entity"], record.entity),
        (LABELS["park"], record.park_name),
        (LABELS["period"], f"{record.period} ({record.from_time} – {record.to_time}, {record.timezone})"),
        (LABELS["number"], record.number),
        (LABELS["version"], str(record.version)),
        (LABELS["status"], LABELS[record.status]),
        (LABELS["digest"], _digest(record)),
        (LABELS["method"], f"{record.method_profile} {record.method_version}"),
    ):
        fact(grid, label, value)
    grid.gap()
    rows = [(name, label) for name, label in wanted.rows if name in record.figures]
    for name, label in rows:
        grid.add(said(label, "label"), Item(figure=name), unit_of(record, name), Item(name), listed=True)
    if not rows:
        grid.add(said(LABELS["no_data"], "label"))
    for table in _tables(record, wanted.tables):
        grid.gap()
        put_table(table, grid)
    return grid


def _digest(record: Record) -> str:
    """Digest of the statement, without the share that was added for the export."""
    figures = {name: figure for name, figure in record.figures.items() if name != RE100_SHARE}
    return content_digest(replace(record, figures=figures))


def _tables(record: Record, ids: tuple[str, ...]) -> Iterable[Table]:
    found = {block.id: block for block in blocks(record) if isinstance(block, Table)}
    return (found[name] for name in ids if name in found)


def _closure(figures: Mapping[str, Figure], names: Iterable[str]) -> dict[str, Figure]:
    """Figures with all that they follow from, so that formulas stay live."""
    found: dict[str, Figure] = {}
    todo = [name for name in names if name in figures]
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = figure = figures[name]
            todo += figure.formula.of if figure.formula else ()
    return found


def _csv(record: Record, grid: Grid) -> bytes:
    """The sheet as CSV: words, and figures as exact decimals; empty where nothing is known."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in grid.rows:
        if row:
            writer.writerow(["" if item is None else safe(_text(record, item)) for item in row])
    return out.getvalue().encode("utf-8-sig")


def _text(record: Record, item: Item) -> str:
    if item.figure is None:
        return item.text if item.number is None else item.number
    figure = record.figures.get(item.figure)
    return "" if figure is None or figure.value is None else figure.value
