"""CSV of third parties to readings: text in, columns and problems out. Pure: no file, no clock, no network.

What a cell holds is never guessed. An empty one is missing and not zero; a number is written with a point; a time
without an offset from UTC needs the name of its zone, and one that the zone has twice or not at all is refused. What
is refused costs itself and nothing else, and is told with file, line and column.

```
CsvError             the file as a whole cannot be read; nothing of it may be sent
```
"""

import csv
import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from parkcarbon.catalog.park import device_name
from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.wire.topics import SLUG

DELIMITERS = (",", ";", "\t")
PROBLEMS_KEPT = 1000

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)

_number = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_not_finite = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_year_first = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?", re.ASCII)
_point = re.compile(rf"({SLUG})/([a-z0-9_]{{1,63}})")


class CsvError(ValueError):
    """A file cannot be read as what it was said to be."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was refused while the rest went on."""

    file: str
    line: int
    column: str | None
    what: str

    def __str__(self) -> str:
        column = "" if self.column is None else f" column {self.column!r}:"
        return f"{self.file}:{self.line}:{column} {self.what}"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out.

    Attributes:
        long: True for one reading a line (time, point, value); False for one column a point.
        time: heading of the column of times; None: the first column.
        point: heading of the column of names, long only.
        value: heading of the column of values, long only.
        delimiter: None: found out from the line of headings.
    """

    long: bool = False
    time: str | None = None
    point: str = "point"
    value: str = "value"
    delimiter: str | None = None


@dataclass(frozen=True, slots=True)
class Naming:
    """How a heading, or a name in a long file, becomes a point.

    Attributes:
        template: text in which `{column}` stands for the device name made of the heading.
        mapping: heading (see `heading_of`) to point, before the template; None for a column that is left out.

    With neither, headings are points.
    """

    template: str | None = None
    mapping: Mapping[str, str | None] = field(default_factory=dict)

    def point(self, heading: str) -> str | None:
        """Return the point of a heading, None where it is left out on purpose.

        Raises:
            CsvError: there is none, or it is no point.
        """
        name = self._name(heading)
        if name is None:
            return None
        match = _point.fullmatch(name)
        if match is None:
            raise CsvError(f"{heading!r} gives {name!r}, which is not device/quantity")
        if match[2] not in QUANTITIES:
            raise CsvError(f"{heading!r} gives {name!r}, and {match[2]!r} is not a known quantity")
        return name

    def _name(self, heading: str) -> str | None:
        if heading in self.mapping:
            return self.mapping[heading]
        if self.template is not None:
            try:
                return self.template.replace("{column}", device_name(heading))
            except ValueError as error:
                raise CsvError(f"{error}; map it to its point") from None
        if self.mapping:
            raise CsvError(f"{heading!r} is not in the map; map it to nothing to leave it out")
        return heading


@dataclass(slots=True)
class Column:
    """Readings of one point from one file, in the order of its lines: time [ms UTC], value, line."""

    heading: str
    time_ms: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    line: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Table:
    """What a file holds.

    Attributes:
        file: its name.
        columns: readings by point.
        missing: empty cells.
        rejected: readings that were refused.
        problems: why, the first `PROBLEMS_KEPT` of them.
    """

    file: str
    columns: dict[str, Column] = field(default_factory=dict)
    missing: int = 0
    rejected: int = 0
    problems: list[Problem] = field(default_factory=list)

    def reject(self, line: int, column: str | None, what: str, count: int = 1) -> None:
        """Refuse `count` readings of a line."""
        self.rejected += count
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(Problem(self.file, line, column, what))


@dataclass(frozen=True, slots=True)
class Merged:
    """Readings of all files together.

    Attributes:
        points: names that the readings point into.
        readings: (time [ms UTC], index into `points`, value), ordered, no two of the same point and time.
        missing: empty cells.
        duplicates: readings that said again what another one said.
        rejected: readings that were refused.
        problems: why.
    """

    points: tuple[str, ...]
    readings: list[tuple[int, int, float]]
    missing: int
    duplicates: int
    rejected: int
    problems: list[Problem]


# ── cells ────────────────────────────────────────────────────────────────────────────────────────


def parse_time(text: str, zone: ZoneInfo | None) -> int:
    """Return a time [ms UTC].

    Args:
        text: ISO 8601, or year/month/day with hour:minute[:second].
        zone: what a time without an offset means; None: such a time is refused.

    Raises:
        ValueError: saying what is wrong with it.
    """
    moment = _moment(text)
    if moment.tzinfo is not None:
        return (moment - _EPOCH) // _MILLISECOND
    if zone is None:
        raise ValueError(f"{text!r} has no offset from UTC and no time zone was named")
    first, second = (moment.replace(tzinfo=zone, fold=fold).utcoffset() or dt.timedelta() for fold in (0, 1))
    if first != second:
        told = "comes twice" if first > second else "does not exist"
        raise ValueError(f"{text!r} {told} in {zone.key}, where the clock was changed")
    return (moment.replace(tzinfo=dt.UTC) - first - _EPOCH) // _MILLISECOND


def _moment(text: str) -> dt.datetime:
    match = _year_first.fullmatch(text)
    try:
        if match is not None:
            year, _, month, day, hour, minute, second = match.groups()
            date = dt.datetime(int(year), int(month), int(day))  # noqa: DTZ001 - no zone is what is to be told apart
            return date.replace(hour=int(hour or 0), minute=int(minute or 0), second=int(second or 0))
        if text[4:5] == "-" and text[:4].isascii() and text[:4].isdigit():
            return dt.datetime.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f"{_short(text)} is not a time, want YYYY-MM-DDTHH:MM:SS with Z or an offset")


def _is_time(text: str) -> bool:
    try:
        _moment(text)
    except ValueError:
        return False
    return True


def parse_value(text: str) -> float:
    """Return a finite number.

    Raises:
        ValueError: it is none.
    """
    if not _number.fullmatch(text):
        raise ValueError(f"{_short(text)} is not {'finite' if _not_finite.fullmatch(text) else 'a number'}")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{_short(text)} is not finite")
    return value


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


def heading_of(text: str) -> str:
    """Return a heading as it is compared: all white space made single blanks."""
    return " ".join(text.split())


def _headings(lines: Sequence[str], delimiter: str) -> tuple[list[str], int]:
    """Return the headings and the number of the line where they end; one in quotes may span lines."""
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                return [heading_of(cell) for cell in row], reader.line_num
    except csv.Error as error:
        raise CsvError(f"the line of headings cannot be read: {error}") from None
    raise CsvError("the file is empty")


def _cells(lines: Iterable[str], delimiter: str, table: Table, first_line: int) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells. A line is a row, so that a stray quotation mark cannot swallow rows after it."""
    for number, line in enumerate(lines, first_line):
        if '"' not in line:
            cells = line.split(delimiter)
        else:
            try:
                cells = next(csv.reader([line], delimiter=delimiter, strict=True))
            except csv.Error:
                table.reject(number, None, "a quotation mark is not closed, or something follows it")
                continue
        if any(cell.strip() for cell in cells):
            yield number, cells


def _dialect(lines: Sequence[str], layout: Layout) -> tuple[str, list[str], int]:
    """Return delimiter, headings and the line where they end.

    Raises:
        CsvError: no delimiter gives the columns that are asked for.
    """
    wanted = [name for name in (layout.time, *((layout.point, layout.value) if layout.long else ())) if name]
    ranked: list[tuple[int, int, str, list[str], int]] = []
    failed: CsvError | None = None
    for delimiter in DELIMITERS if layout.delimiter is None else (layout.delimiter,):
        try:
            headings, last = _headings(lines, delimiter)
        except CsvError as error:
            failed = failed or error
        else:
            ranked.append((sum(name in headings for name in wanted), len(headings), delimiter, headings, last))
    if not ranked:
        raise failed or CsvError("the line of headings cannot be read")
    _, _, delimiter, headings, last = max(ranked, key=lambda entry: entry[:2])
    for name in wanted:
        found = headings.count(name)
        if found != 1:
            told = f"{found} columns" if found else "no column"
            raise CsvError(f"{told} {name!r}; the headings are {', '.join(map(repr, headings))}")
    return delimiter, headings, last


# ── tables ───────────────────────────────────────────────────────────────────────────────────────


def read_table(text: str, *, file: str, layout: Layout, naming: Naming, zone: ZoneInfo | None = None) -> Table:
    """Read one file.

    Args:
        text: its content.
        file: its name, for messages.
        layout: how it is laid out.
        naming: how headings become points.
        zone: what a time without an offset means; None: such a time is refused.

    Raises:
        CsvError: it lacks a column that was named, has no columns of data, or a heading that gives no point.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    asked = replace(
        layout,
        time=None if layout.time is None else heading_of(layout.time),
        point=heading_of(layout.point),
        value=heading_of(layout.value),
    )
    try:
        delimiter, headings, last = _dialect(lines, asked)
        table = Table(file)
        rows = _cells(lines[last:], delimiter, table, last + 1)
        reader = (_Long if layout.long else _Wide)(table, headings, asked, naming, zone)
        reader.read(rows)
    except CsvError as error:
        raise CsvError(f"{file}: {error}") from None
    return table


class _Reader:
    """What both layouts share: each text of a time is parsed once, and a row must fit the headings."""

    def __init__(
        self, table: Table, headings: list[str], layout: Layout, naming: Naming, zone: ZoneInfo | None
    ) -> None:
        self._table = table
        self._headings = headings
        self._naming = naming
        self._zone = zone
        self._time = 0 if layout.time is None else headings.index(layout.time)
        self._times: dict[str, int | str] = {}
        if _is_time(headings[self._time]):
            raise CsvError(f"the first line holds {headings[self._time]!r} and no headings")

    def read(self, rows: Iterable[tuple[int, list[str]]]) -> None:
        raise NotImplementedError

    def _when(self, line: int, cells: list[str], lost: int) -> int | None:
        """Return the time of a row [ms UTC]; None where the row is rejected, which loses `lost` readings."""
        width = len(self._headings)
        wrong: str | None = None
        if len(cells) < width:
            wrong = f"{len(cells)} cells under {width} headings"
        elif len(cells) > width and any(cell.strip() for cell in cells[width:]):
            wrong = f"{len(cells)} cells under {width} headings (a decimal comma?)"
        if wrong is not None:
            self._table.reject(line, None, wrong, lost)
            return None
        time_ms = self._parsed(cells[self._time])
        if isinstance(time_ms, int):
            return time_ms
        self._table.reject(line, self._headings[self._time], time_ms, lost)
        return None

    def _parsed(self, text: str) -> int | str:
        known = self._times.get(text)
        if known is None:
            try:
                known = parse_time(text.strip(), self._zone)
            except (ValueError, OverflowError) as error:
                known = str(error)
            self._times[text] = known
        return known

    def _take(self, column: Column, line: int, time_ms: int, cell: str) -> None:
        text = cell.strip()
        if not text:
            self._table.missing += 1
            return
        try:
            value = parse_value(text)
        except ValueError as error:
            self._table.reject(line, column.heading, str(error))
            return
        column.time_ms.append(time_ms)
        column.value.append(value)
        column.line.append(line)

    def _column(self, heading: str) -> Column | None:
        """Return where the readings of a new heading go, None where it is left out on purpose.

        Raises:
            CsvError: it gives no point, or the point of another heading.
        """
        point = self._naming.point(heading)
        if point is None:
            return None
        other = self._table.columns.get(point)
        if other is not None:
            raise _AmbiguousError(f"{other.heading!r} and {heading!r} would both be {point}; map them apart")
        column = self._table.columns[point] = Column(heading)
        return column


class _AmbiguousError(CsvError):
    """Two headings are the same point: nobody can say which one is meant."""


class _Wide(_Reader):
    """One column a point."""

    def __init__(
        self, table: Table, headings: list[str], layout: Layout, naming: Naming, zone: ZoneInfo | None
    ) -> None:
        super().__init__(table, headings, layout, naming, zone)
        others = [(place, heading) for place, heading in enumerate(headings) if place != self._time]
        self._nameless = [place for place, heading in others if not heading]
        named = [(place, self._column(heading)) for place, heading in others if heading]
        self._columns = [(place, column) for place, column in named if column is not None]
        if not self._columns:
            raise CsvError("there is no column of data beside the times")

    def read(self, rows: Iterable[tuple[int, list[str]]]) -> None:
        for line, cells in rows:
            time_ms = self._when(line, cells, self._count(cells))
            if time_ms is None:
                continue
            for place, column in self._columns:
                self._take(column, line, time_ms, cells[place])
            for place in self._nameless:
                if cells[place].strip():
                    self._table.reject(line, None, f"cell {place + 1} has no heading: {_short(cells[place])}")

    def _count(self, cells: list[str]) -> int:
        """Return how many readings would be lost with a row."""
        return max(1, sum(1 for place, _ in self._columns if place < len(cells) and cells[place].strip()))


class _Long(_Reader):
    """One reading a line."""

    def __init__(
        self, table: Table, headings: list[str], layout: Layout, naming: Naming, zone: ZoneInfo | None
    ) -> None:
        super().__init__(table, headings, layout, naming, zone)
        self._point = headings.index(layout.point)
        self._value = headings.index(layout.value)
        if len({self._time, self._point, self._value}) != 3:
            raise CsvError("time, point and value need a column each")
        self._names: dict[str, Column | str | None] = {}

    def read(self, rows: Iterable[tuple[int, list[str]]]) -> None:
        for line, cells in rows:
            time_ms = self._when(line, cells, 1)
            if time_ms is None:
                continue
            column = self._named(cells[self._point])
            if isinstance(column, Column):
                self._take(column, line, time_ms, cells[self._value])
            elif column is not None:
                self._table.reject(line, self._headings[self._point], column)

    def _named(self, text: str) -> Column | str | None:
        """Return where readings of a name go; None: left out on purpose; a text: why the name is refused."""
        name = heading_of(text)
        if name not in self._names:
            try:
                self._names[name] = self._column(name)
            except _AmbiguousError:
                raise
            except CsvError as error:
                self._names[name] = str(error)
        return self._names[name]


# ── all files together ───────────────────────────────────────────────────────────────────────────


def merge(tables: Sequence[Table]) -> Merged:
    """Put files together, ordered by time.

    A reading that is there again, with the same value, counts once. Where two values are given for the same point and
    time, none is taken, because nothing says which one is right; a corrected file is imported after the first one.
    """
    points = sorted({point for table in tables for point in table.columns})
    readings: list[tuple[int, int, float]] = []
    problems = [problem for table in tables for problem in table.problems]
    duplicates = disputed = 0
    for index, point in enumerate(points):
        parts = [(table.file, table.columns[point]) for table in tables if point in table.columns]
        times = [time_ms for _, column in parts for time_ms in column.time_ms]
        if len(set(times)) == len(times):
            values = (value for _, column in parts for value in column.value)
            readings += [(time_ms, index, value) for time_ms, value in zip(times, values, strict=True)]
            continue
        for time_ms, said in _said(parts).items():
            if len({value for value, _, _ in said}) == 1:
                readings.append((time_ms, index, said[0][0]))
                duplicates += len(said) - 1
            else:
                disputed += len(said)
                problems.append(_dispute(said, parts[0][1].heading))
    readings.sort()
    return Merged(
        points=tuple(points),
        readings=readings,
        missing=sum(table.missing for table in tables),
        duplicates=duplicates,
        rejected=disputed + sum(table.rejected for table in tables),
        problems=problems,
    )


def _said(parts: Sequence[tuple[str, Column]]) -> dict[int, list[tuple[float, str, int]]]:
    said: dict[int, list[tuple[float, str, int]]] = {}
    for file, column in parts:
        for time_ms, value, line in zip(column.time_ms, column.value, column.line, strict=True):
            said.setdefault(time_ms, []).append((value, file, line))
    return said


def _dispute(said: Sequence[tuple[float, str, int]], heading: str) -> Problem:
    first, file, line = said[0]
    others = [f"{value!r} in {name}:{number}" for value, name, number in said[1:] if value != first]
    return Problem(file, line, heading, f"{first!r} here, {', '.join(others[:5])} for the same time: none is taken")
