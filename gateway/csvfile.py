"""CSV of third parties to readings: text in, columns and problems out. Pure: no file, no clock, no network.

Nothing is guessed (`gateway.csvcells` reads the cells), an empty cell is missing and not zero, and what is refused
costs itself and nothing else, and is told with file, line and column.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from .csvcells import CsvError, Naming, heading_of, is_time, parse_time, parse_value, short

DELIMITERS = (",", ";", "\t")
PROBLEMS_KEPT = 1000


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
        places: how many were refused, by file and column.
    """

    file: str
    columns: dict[str, Column] = field(default_factory=dict)
    missing: int = 0
    rejected: int = 0
    problems: list[Problem] = field(default_factory=list)
    places: Counter[str] = field(default_factory=Counter)

    def reject(self, line: int, column: str | None, what: str, count: int = 1) -> None:
        """Refuse `count` readings of a line."""
        self.rejected += count
        self.places[place_of(self.file, column)] += count
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
        places: how many were refused, by file and column.
    """

    points: tuple[str, ...]
    readings: list[tuple[int, int, float]]
    missing: int
    duplicates: int
    rejected: int
    problems: list[Problem]
    places: Counter[str]


def place_of(file: str, column: str | None) -> str:
    """Name a column of a file; None for what concerns whole lines."""
    return file if column is None else f"{file}: {column}"


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


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
        if is_time(headings[self._time]):
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
                    self._table.reject(line, None, f"cell {place + 1} has no heading: {short(cells[place])}")

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
    places = sum((table.places for table in tables), Counter[str]())
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
                places.update(place_of(file, parts[0][1].heading) for _, file, _ in said)
                problems.append(_dispute(said, parts[0][1].heading))
    readings.sort()
    return Merged(
        points=tuple(points),
        readings=readings,
        missing=sum(table.missing for table in tables),
        duplicates=duplicates,
        rejected=disputed + sum(table.rejected for table in tables),
        problems=problems,
        places=places,
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
