"""Short ways to write the blocks of a page: tables, words in both languages, times, ids of figures."""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final, Literal
from zoneinfo import ZoneInfo

from parkcarbon.kit.db import from_ms
from parkcarbon.statement.record import Cell, Column, Line, Paragraph, Table, Text
from parkcarbon.statement.sheet import Sheet

from .words import NO_DATA

Style = Literal["normal", "subtotal", "total", "memo"]
Voice = Literal["normal", "note", "warning", "strong"]

EMPTY: Final = Cell()

_MOST: Final = 40
_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)


def say(zh: str, en: str, style: Voice = "normal") -> Paragraph:
    """A paragraph."""
    return Paragraph(Text(zh, en), style)


def say_text(text: Text, style: Voice = "normal") -> Paragraph:
    """A paragraph of words that are there already."""
    return Paragraph(text, style)


def plain_cell(text: str) -> Cell:
    """A cell with a name or number that is the same in both languages."""
    return Cell(text=Text(text, text))


def text_cell(text: Text) -> Cell:
    """A cell with words that are there already."""
    return Cell(text=text)


def left(zh: str, en: str, weight: float = 1.0) -> Column:
    """A column of words."""
    return Column(Text(zh, en), "", "left", weight)


def right(zh: str, en: str, unit: str = "", weight: float = 1.0) -> Column:
    """A column of numbers."""
    return Column(Text(zh, en), unit, "right", weight)


def line(*cells: Cell, style: Style = "normal", indent: int = 0) -> Line:
    """A row."""
    return Line(tuple(cells), style, indent)


def table(name: str, head: tuple[str, str], columns: Sequence[Column], lines: Iterable[Line]) -> Table:
    """A table; one without rows says that nothing is known."""
    rows = tuple(lines) or (Line((text_cell(NO_DATA), *[EMPTY] * (len(columns) - 1))),)
    return Table(name, Text(*head), tuple(columns), rows)


def local(at: dt.datetime | int, zone: ZoneInfo) -> str:
    """A moment as it is printed: local, to the minute.

    >>> local(0, ZoneInfo("Asia/Shanghai"))
    '1970-01-01 08:00'
    """
    moment = from_ms(at) if isinstance(at, int) else at
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def span(begin: dt.datetime, end: dt.datetime, zone: ZoneInfo) -> str:
    """Two moments."""
    return f"{local(begin, zone)} – {local(end, zone)}"


def fresh(sheet: Sheet, name: str, members: Sequence[str] = ("",)) -> str:
    """A prefix of ids none of whose members is taken yet: `name`, else `name-2` and so on."""
    for number in range(1, 10_000):
        found = name if number == 1 else f"{name}-{number}"
        if not any((f"{found}.{member}" if member else found) in sheet.figures for member in members):
            return found
    raise ValueError(f"too many figures are called {name}")


def decimal(value: float | None, places: int = 9) -> Decimal | None:
    """A float as an exact decimal of at most so many decimals; None stays None.

    >>> decimal(0.1 + 0.2)
    Decimal('0.300000000')
    """
    return None if value is None else Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), context=_EXACT)


def step(value: float | Decimal | None, places: int) -> str | None:
    """A value of a chart: a decimal without exponent; None: a gap."""
    if value is None:
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else value
    text = f"{number:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def listed(names: Sequence[str], most: int = _MOST) -> Text:
    """Names in one sentence; of very many the first."""
    rest = len(names) - most
    said = ", ".join(names[:most])
    if rest <= 0:
        return Text(said.replace(", ", "、"), said)
    return Text(f"{said.replace(', ', '、')} 等共 {len(names)} 个", f"{said} and {rest} more")
