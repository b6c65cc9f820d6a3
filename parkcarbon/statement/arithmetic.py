"""Checks a whole record against itself: every formula, every printed text, every place.

References:
    accounting rule 6.8 (full precision; a rounded figure never decides).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from graphlib import CycleError, TopologicalSorter
from typing import Final

from .places import places
from .record import Block, Box, Bridge, Cell, Chart, Figure, HeatMap, Pairs, Record, Table
from .sheet import differs, plain

SECTIONS: Final = (
    "entity",
    "energy",
    "sources",
    "scope2",
    "instruments",
    "tenants",
    "charts",
    "outside",
    "other_method",
    "quality",
    "trace",
    "check",
)
"""Pages after the first, in order; each is there even when it is empty."""

MOST_PLACES: Final = 18
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]*")
_JUDGED: Final = ("covered_to_date", "partly_covered", "not_covered", "neutral")


def check(record: Record) -> list[str]:
    """What in a record does not hold together, one sentence each, the figure first; empty: all does."""
    found = list(_figures(record.figures))
    found += _pages(record)
    found += _blocks(record)
    if not found:
        found += _front(record)
    return found


def order(figures: Mapping[str, Figure]) -> list[str]:
    """Ids so that what a figure follows from comes before it; by name where either may come first.

    Raises:
        ValueError: figures follow from one another in a circle, or from one that is not there.
    """
    graph = TopologicalSorter({name: sorted(parts(figures[name])) for name in sorted(figures)})
    try:
        found = list(graph.static_order())
    except CycleError as error:
        raise ValueError(f"figures follow from one another in a circle: {' > '.join(error.args[1])}") from None
    missing = [name for name in found if name not in figures]
    if missing:
        raise ValueError(f"figure {missing[0]} is in a formula and not in the record")
    return found


def parts(figure: Figure) -> tuple[str, ...]:
    """Ids that a figure follows from."""
    return () if figure.formula is None else figure.formula.of


def _figures(figures: Mapping[str, Figure]) -> Iterator[str]:
    for name, figure in figures.items():
        if not _ID.fullmatch(name):
            yield f"{name!r}: no id of a figure"
        yield from (f"{name}: {text}" for text in _figure(figure, figures))
    try:
        order(figures)
    except ValueError as error:
        yield str(error)


def _figure(figure: Figure, figures: Mapping[str, Figure]) -> Iterator[str]:
    """What is wrong with one figure; its formula only where its members can be read."""
    if not 0 <= figure.places <= MOST_PLACES:
        yield f"{figure.places} places"
        return
    members = [("value", figure.value), ("within", figure.within)]
    members += [("scale", figure.formula.scale)] if figure.formula else []
    wrong = [f"{label} {text!r} is no plain decimal" for label, text in members if not _decimal(text)]
    wrong += [f"follows from {part}, which is not there" for part in parts(figure) if part not in figures]
    wrong += [f"follows from {part}, which is no number" for part in parts(figure) if _broken(figures.get(part))]
    count = len(parts(figure))
    if figure.formula and (count != 2 if figure.formula.op == "quotient" else count == 0):
        wrong.append(f"a {figure.formula.op} of {count}")
    yield from wrong
    if wrong:
        return
    if Decimal(figure.within) < 0:
        yield f"its formula may be {figure.within} {figure.unit} off: below zero"
    elif (text := differs(figure, figures)) is not None:
        yield text
    if Decimal(figure.within) > Decimal(max(1, count)) * Decimal(5).scaleb(-figure.places - 1):
        yield f"its formula may be {figure.within} {figure.unit} off: more than half a printed step for each part"


def _broken(figure: Figure | None) -> bool:
    return figure is not None and not _decimal(figure.value)


def _decimal(text: str | None) -> bool:
    """Is it unknown, or a decimal in its only form?"""
    if text is None:
        return True
    try:
        value = Decimal(text)
        return value.is_finite() and plain(value) == text
    except InvalidOperation:
        return False


def _pages(record: Record) -> Iterator[str]:
    used = {place.figure for place in places(record)}
    for name in sorted(used - record.figures.keys()):
        yield f"{name}: a page shows it, and it is not in the record"
    for name in sorted(record.figures.keys() - used):
        yield f"{name}: no page shows it"
    sections = [section.id for section in record.sections]
    if [name for name in sections if name in SECTIONS] != list(SECTIONS):
        yield f"pages are {', '.join(sections)}; in order they are {', '.join(SECTIONS)}"
    ids = [block.id for block in blocks(record) if isinstance(block, Table | Bridge | Chart | HeatMap)]
    for name, count in Counter([*ids, *dict.fromkeys(sections)]).items():
        if count > 1:
            yield f"{name}: the id of {count} blocks or pages"


def blocks(record: Record) -> Iterator[Block]:
    """Every block, those in boxes too, and the bridge of page 1 first."""
    yield record.front.bridge
    for section in record.sections:
        for block in section.blocks:
            yield block
            if isinstance(block, Box):
                yield from block.blocks


def _blocks(record: Record) -> Iterator[str]:
    for block in blocks(record):
        if isinstance(block, Table):
            yield from _table(block)
        elif isinstance(block, Pairs):
            yield from (f"{label.en}: a figure and words in one place" for label, cell in block.rows if _both(cell))
        elif isinstance(block, Bridge):
            yield from _bridge(block, record.figures)
        elif isinstance(block, Chart):
            lengths = {len(series.values) for series in block.series} | {len(block.completeness_pct)} - {0}
            if lengths - {len(block.labels)}:
                yield f"{block.id}: {len(block.labels)} labels, series of {sorted(lengths)}"
        elif isinstance(block, HeatMap) and len(block.values) != len(block.days):
            yield f"{block.id}: {len(block.days)} days, {len(block.values)} rows"


def _table(table: Table) -> Iterator[str]:
    for number, line in enumerate(table.lines, start=1):
        if len(line.cells) != len(table.columns):
            yield f"{table.id}: line {number} has {len(line.cells)} cells for {len(table.columns)} columns"
        if any(_both(cell) for cell in line.cells):
            yield f"{table.id}: line {number} has a figure and words in one place"


def _both(cell: Cell) -> bool:
    return cell.figure is not None and cell.text is not None


def _bridge(bridge: Bridge, figures: Mapping[str, Figure]) -> Iterator[str]:
    """Each total is the one before with the changes between; nothing is said where a step is not known."""
    reached: Decimal | None = None
    slack = Decimal(0)
    begun = False
    for step in bridge.steps:
        figure = figures.get(step.figure)
        value = None if figure is None or not _decimal(figure.value) or figure.value is None else Decimal(figure.value)
        slack += Decimal(figure.within) if figure and _decimal(figure.within) else 0
        if step.kind == "change":
            reached = None if reached is None or value is None else reached + value
            continue
        if begun and reached is not None and value is not None and abs(reached - value) > slack:
            yield f"{step.figure}: bridge {bridge.id} comes to {plain(reached)}, not {plain(value)}"
        reached, slack, begun = value, Decimal(0), True


def _front(record: Record) -> Iterator[str]:
    judged, half = (record.figures[name] for name in record.front.judged)
    if record.verdict.basis != record.front.judged[0]:
        yield f"{record.verdict.basis}: the verdict is judged on it, page 1 shows {record.front.judged[0]}"
    if record.verdict.word not in _JUDGED:
        return
    if judged.value is None:
        yield f"{record.front.judged[0]}: not known, and yet judged {record.verdict.word}"
        return
    for name, figure in zip(record.front.judged, (judged, half), strict=True):
        for text in (record.verdict.sentence.zh, record.verdict.sentence.en):
            if figure.value is not None and not re.search(rf"(?<![\d,.]){re.escape(figure.shown)}(?![\d,]|\.\d)", text):
                yield f"{name}: printed {figure.shown}, and not so in the verdict: {text}"
