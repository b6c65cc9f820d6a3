"""Every figure of a record on the pages of its PDF, from their text alone.

Three nets, since a text has no cells: rows in order, each with its words and its numbers close together; every number
at least as often as the record shows it; and the same on page 1, where a total stands several times.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from parkcarbon.statement.record import Block, Box, Bridge, Cell, Pairs, Record, Table, Text

from .content import DifferenceError
from .paper import plain

Language = Literal["zh", "en", "both"]

_NEXT: Final = "(?>.{0,32}?%s)"
"""What stands in the next cell, with a unit or nothing before it. Atomic: a row of dashes is tried in one way only."""

_SHOWN: Final = re.compile(r"(?<![0-9A-Za-z.,-])-?[0-9][0-9,]*(?:\.[0-9]+)?(?![0-9A-Za-z]|[.,][0-9])")


_TOP: Final = 300
"""Characters at the top of a page's text in which the head of its section stands."""


@dataclass(frozen=True, slots=True)
class Row:
    """Something printed in one line: words and numbers in order.

    Attributes:
        section: id of the page.
        name: words for a message.
        cells: each the id of a figure, or words.
    """

    section: str
    name: str
    cells: tuple[str | Text, ...]

    @property
    def figures(self) -> tuple[str, ...]:
        """Ids of the figures in it."""
        return tuple(cell for cell in self.cells if isinstance(cell, str))


def check_figures(record: Record, pages: Sequence[str], language: Language) -> str:
    """Check that every figure stands on the pages, in its row.

    Raises:
        DifferenceError: with the first figure that does not.
    """
    rows = [row for row in rows_of(record) if row.figures]
    _often_enough(_front_numbers(record, language), "\f".join(front_pages(record, pages, language)), "page 1")
    whole = "\f".join(pages)
    _in_order(record, [row for row in rows if row.section != "front"], whole, language)
    often = Counter(plain(record.figures[name].shown) for row in rows for name in row.figures)
    _often_enough(often, whole, "the pages")
    return f"{sum(often.values())} figures stand on the pages in the rows of the record"


def front_pages(record: Record, pages: Sequence[str], language: Language) -> Sequence[str]:
    """Page 1, with the pages that it runs on to where it has much to say: up to the head of the first section."""
    if not record.sections:
        return pages
    head = tight(in_language(record.sections[0].head, language))
    for at, text in enumerate(pages):
        if at and head in tight(text)[:_TOP]:
            return pages[:at]
    return pages[:1]


def rows_of(record: Record) -> Iterator[Row]:
    """Everything that prints figures, in the order of the pages."""
    for pair in (record.front.judged, record.front.other):
        yield Row("front", pair[0], pair)
    yield from _rows("front", record.front.bridge)
    for section in record.sections:
        for block in section.blocks:
            yield from _rows(section.id, block)


def _rows(section: str, block: Block) -> Iterator[Row]:
    if isinstance(block, Table):
        for line in block.lines:
            yield _row(section, line.cells)
    elif isinstance(block, Pairs):
        for label, cell in block.rows:
            yield _row(section, (Cell(text=label), cell))
    elif isinstance(block, Bridge):
        for step in block.steps:
            yield _row(section, (Cell(text=step.label), Cell(figure=step.figure)))
    elif isinstance(block, Box):
        for inner in block.blocks:
            yield from _rows(section, inner)


def _row(section: str, cells: Sequence[Cell]) -> Row:
    found = [cell.text if cell.figure is None else cell.figure for cell in cells]
    label = next((item for item in found if isinstance(item, Text)), Text("", ""))
    return Row(section, f"{label.zh} {label.en}".strip(), tuple(item for item in found if item is not None))


def _in_order(record: Record, rows: Sequence[Row], whole: str, language: Language) -> None:
    """Find row after row; the words of a row are left out where they are nowhere as they are, broken by a page."""
    at = 0
    for row in rows:
        shown = partial(_cell, record, language)
        full, bare = _pattern(row.cells, shown), _pattern(row.figures, shown)
        found = full.search(whole, at)
        if found is None:
            found = None if _words_are_there(row, whole, language) else bare.search(whole, at)
        if found is None:
            numbers = " | ".join(record.figures[name].shown for name in row.figures)
            page = whole.count("\f", 0, at) + 1
            raise DifferenceError(
                f"{row.figures[0]} ({row.section}, {row.name}): {numbers} is not on page {page} or after"
            )
        at = found.end()


def _pattern(cells: Sequence[str | Text], shown: Callable[[str | Text], str]) -> re.Pattern[str]:
    first, *rest = filter(None, map(shown, cells))
    return re.compile(first + "".join(_NEXT % cell for cell in rest), re.DOTALL)


def _cell(record: Record, language: Language, cell: str | Text) -> str:
    return _number(plain(record.figures[cell].shown)) if isinstance(cell, str) else _words(cell, language)


def _number(shown: str) -> str:
    """Exactly this number, not a part of a longer one."""
    return rf"(?<![0-9.,-]){re.escape(shown)}(?![0-9]|[.,][0-9])"


def _words(text: Text, language: Language) -> str:
    """These words, wherever lines break."""
    return " ?".join(re.escape(char) + "-?" for char in tight(in_language(text, language)))


def _words_are_there(row: Row, whole: str, language: Language) -> bool:
    texts = [cell for cell in row.cells if isinstance(cell, Text)]
    return all(re.search(_words(text, language), whole) for text in texts)


def in_language(text: Text, language: Language) -> str:
    """Words as they are printed; once where both languages say the same."""
    if language == "both":
        return text.zh if text.zh == text.en else f"{text.zh} {text.en}"
    return text.zh if language == "zh" else text.en


def tight(text: str) -> str:
    """Without blanks and hyphens: lines break where they like."""
    return plain(text).replace(" ", "").replace("-", "")


def _front_numbers(record: Record, language: Language) -> Counter[str]:
    """Numbers that page 1 shows, with those in the verdict's sentence."""
    front = record.front
    names = [*front.judged, *front.other, *(step.figure for step in front.bridge.steps)]
    found = Counter(plain(record.figures[name].shown) for name in names)
    sentence = plain(in_language(record.verdict.sentence, language))
    found.update(number for number in _SHOWN.findall(sentence) if number in found)
    return found


def _often_enough(often: Counter[str], text: str, where: str) -> None:
    there = Counter(_SHOWN.findall(text))
    for shown, wanted in often.items():
        if there[shown] >= wanted:
            continue
        found = len(re.findall(_number(shown), text))
        if found < wanted:
            raise DifferenceError(f"{shown} should stand {wanted} times on {where}, it stands there {found} times")
