"""Where figures stand in a record: page, table, row and column, in the order of the pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .record import Block, Box, Bridge, Pairs, Record, Section, Table, Text

_NOTHING: Final = Text("", "")
FRONT: Final = Text("声明", "Statement")
"""What page 1 is called where a page needs a name."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place that shows a figure.

    Attributes:
        figure: id.
        section: id of the page; `front` is page 1.
        section_head: of the page.
        table: id of table or bridge; empty in a list of names and values.
        row: what stands at the begin of the row.
        column: head of the column.
        listed: in a table or a list, not merely repeated in a bridge or on page 1.
    """

    figure: str
    section: str
    section_head: Text
    table: str
    row: Text
    column: Text
    listed: bool = True


def places(record: Record) -> Iterator[Place]:
    """Every place of every figure: page 1, then the pages in order."""
    front = record.front
    for pair, label in ((front.judged, "判定口径 judged on"), (front.other, "另一方法 other basis")):
        zh, en = label.split(" ", 1)
        for name, sign in zip(pair, ("", "±"), strict=True):
            yield Place(name, "front", FRONT, "", Text(zh, en), Text(sign, sign), listed=False)
    yield from _bridge("front", FRONT, front.bridge)
    for section in record.sections:
        for block in section.blocks:
            yield from _block(section, block)


def homes(record: Record) -> dict[str, Place]:
    """The first table or list that shows each figure; where none does, the first place.

    Figures that no page shows come last, by id, with an empty place.
    """
    found: dict[str, Place] = {}
    others: dict[str, Place] = {}
    for place in places(record):
        (found if place.listed else others).setdefault(place.figure, place)
    for name, place in others.items():
        found.setdefault(name, place)
    for name in sorted(record.figures):
        found.setdefault(name, Place(name, "", _NOTHING, "", _NOTHING, _NOTHING, listed=False))
    return {name: place for name, place in found.items() if name in record.figures}


def _block(section: Section, block: Block) -> Iterator[Place]:
    if isinstance(block, Box):
        for inner in block.blocks:
            yield from _block(section, inner)
    elif isinstance(block, Table):
        yield from _table(section, block)
    elif isinstance(block, Pairs):
        for label, cell in block.rows:
            if cell.figure is not None:
                yield Place(cell.figure, section.id, section.head, "", label, _NOTHING)
    elif isinstance(block, Bridge):
        yield from _bridge(section.id, section.head, block)


def _bridge(section: str, head: Text, bridge: Bridge) -> Iterator[Place]:
    for step in bridge.steps:
        yield Place(step.figure, section, head, bridge.id, step.label, _NOTHING, listed=False)


def _table(section: Section, table: Table) -> Iterator[Place]:
    for line in table.lines:
        row = next((cell.text for cell in line.cells if cell.text is not None), _NOTHING)
        for number, cell in enumerate(line.cells):
            if cell.figure is not None:
                column = table.columns[number].head if number < len(table.columns) else _NOTHING
                yield Place(cell.figure, section.id, section.head, table.id, row, column)
