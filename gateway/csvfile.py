"""Interval and register files as readings: pure reading of CSV, with every doubt told by file and line.

A file is *wide* (a time column and one column for each device) or *long* (time, device, value). An empty cell is a
missing value, never a zero. A cell or stamp that cannot be read is a `Problem`; it costs itself and nothing else.
"""

import csv
import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

Layout = Literal["wide", "long"]

_POINT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}/[a-z0-9_]{1,63}")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MS = dt.timedelta(milliseconds=1)
_CELL_SHOWN = 80


class CsvError(ValueError):
    """The file cannot be read at all, or not without guessing."""


class Problem(NamedTuple):
    """One row or cell that was not taken."""

    file: str
    line: int
    column: str
    reason: str
    value: str


class Cell(NamedTuple):
    """One value and where it stands."""

    point: str
    t: int
    x: float
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Shape:
    """How the files are to be read.

    Attributes:
        layout: wide or long.
        time_column: name of the column with the stamps; for a delta the start of the interval.
        point: template of point names; `{column}` is the heading (wide) or the device (long) as a name.
        mapping: heading or device to point, before the template.
        timezone: zone of stamps without an offset; None: such stamps are refused.
        device_column: for long files.
        value_column: for long files.
        delimiter: between cells.
        columns: wide: take only these; empty: all but the time column.
    """

    layout: Layout = "wide"
    time_column: str = "time"
    point: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    timezone: ZoneInfo | None = None
    device_column: str = "device"
    value_column: str = "value"
    delimiter: str = ","
    columns: tuple[str, ...] = ()


@dataclass(slots=True)
class Content:
    """What some files hold.

    Attributes:
        cells: in order of time, then of column.
        problems: what was not taken.
        repeated: values that stand in the files more than once, alike.
        missing: empty cells.
    """

    cells: list[Cell] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    repeated: int = 0
    missing: int = 0


def read_files(paths: Sequence[Path], shape: Shape) -> Content:
    """Read files that belong together.

    Raises:
        CsvError: a file or column is missing, or two files give different values for the same point and time.
    """
    content = Content()
    stamps = _Stamps(shape.timezone)
    for path in paths:
        _read(path, shape, stamps, content)
    _settle(content)
    content.cells.sort(key=lambda cell: cell.t)
    return content


def slug(text: str) -> str:
    """Return a heading as a name: lower case, everything else than letters, digits, `_` and `-` replaced by `-`."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.strip().lower()).strip("-_")


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────


def _read(path: Path, shape: Shape, stamps: "_Stamps", content: Content) -> None:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=shape.delimiter, strict=True)
            header = next(reader, None)
            if not header:
                raise CsvError(f"{path}: no header line")
            take = _Table(path.name, [name.strip() for name in header], shape, stamps, content)
            for row in reader:
                if row:
                    take.row(row, reader.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CsvError(f"{path}: {error}") from None


class _Table:
    """One file being read."""

    def __init__(self, file: str, header: list[str], shape: Shape, stamps: "_Stamps", content: Content) -> None:
        double = {name for name in header if header.count(name) > 1}
        if double:
            raise CsvError(f"{file}: column {min(double)!r} is there twice")
        self._file = file
        self._header = header
        self._shape = shape
        self._stamps = stamps
        self._content = content
        self._time = self._index(shape.time_column)
        self._points: dict[str, str] = {}
        if shape.layout == "wide":
            chosen = shape.columns or [name for name in header if name != shape.time_column]
            self._wide = [(self._index(name), name, self._point(name)) for name in chosen]
            if not self._wide:
                raise CsvError(f"{file}: no column beside {shape.time_column!r}")
            points = [point for _, _, point in self._wide]
            if len(set(points)) != len(points):
                raise CsvError(f"{file}: two columns give the same point; use --map")
        else:
            self._device = self._index(shape.device_column)
            self._value = self._index(shape.value_column)

    def _index(self, name: str) -> int:
        if name not in self._header:
            raise CsvError(f"{self._file}: no column {name!r}; there are {', '.join(map(repr, self._header))}")
        return self._header.index(name)

    def _point(self, name: str) -> str:
        """Return the point of a heading or device.

        Raises:
            CsvError: there is none.
        """
        known = self._points.get(name)
        if known is not None:
            return known
        point = self._shape.mapping.get(name)
        if point is None and self._shape.point is not None:
            point = self._shape.point.replace("{column}", slug(name))
        if point is None or not _POINT.fullmatch(point):
            raise CsvError(f"{self._file}: {name!r} gives no point device/quantity but {point!r}; use --map or --point")
        self._points[name] = point
        return point

    def row(self, row: list[str], line: int) -> None:
        if len(row) != len(self._header):
            self._problem(line, "", f"{len(row)} cells instead of {len(self._header)}", "")
            return
        stamp = self._stamps.get(row[self._time])
        if isinstance(stamp, str):
            self._problem(line, self._shape.time_column, stamp, row[self._time])
        elif self._shape.layout == "wide":
            for index, name, point in self._wide:
                self._cell(point, stamp, row[index], (line, name))
        else:
            try:
                point = self._point(row[self._device].strip())
            except CsvError:
                self._problem(line, self._shape.device_column, "no point for this device", row[self._device])
                return
            self._cell(point, stamp, row[self._value], (line, self._shape.value_column))

    def _cell(self, point: str, stamp: int, text: str, place: tuple[int, str]) -> None:
        text = text.strip()
        if not text:
            self._content.missing += 1
        elif not _NUMBER.fullmatch(text) or not math.isfinite(value := float(text)):
            self._problem(*place, "not a number", text)
        else:
            self._content.cells.append(Cell(point, stamp, value, self._file, place[0]))

    def _problem(self, line: int, column: str, reason: str, value: str) -> None:
        self._content.problems.append(Problem(self._file, line, column, reason, value[:_CELL_SHOWN]))


# ── time ─────────────────────────────────────────────────────────────────────────────────────────


class _Stamps:
    """Reads stamps, each text once."""

    def __init__(self, timezone: ZoneInfo | None) -> None:
        self._timezone = timezone
        self._known: dict[str, int | str] = {}

    def get(self, text: str) -> int | str:
        """Return the time [ms UTC], or what is wrong with it."""
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._parse(text.strip())
        return known

    def _parse(self, text: str) -> int | str:
        try:
            stamp = dt.datetime.fromisoformat(text.replace("/", "-"))
        except ValueError:
            return "not a time"
        if stamp.tzinfo is None:
            if self._timezone is None:
                return "a time without offset, and no --timezone is given"
            wrong = _doubt(stamp, self._timezone)
            if wrong:
                return wrong
            stamp = stamp.replace(tzinfo=self._timezone)
        return (stamp - _EPOCH) // _MS


def _doubt(stamp: dt.datetime, zone: ZoneInfo) -> str:
    """Return why a local time does not name one moment, "" where it does."""
    first, second = (stamp.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return ""
    back = first.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None)
    if back != stamp:
        return f"this local time does not exist in {zone.key}"
    return f"this local time exists twice in {zone.key}; give it with its offset"


# ── repetitions ──────────────────────────────────────────────────────────────────────────────────


def _settle(content: Content) -> None:
    """Let each point have one value at a time; where a file contradicts itself, take neither.

    Raises:
        CsvError: files contradict each other.
    """
    seen: dict[tuple[str, int], Cell] = {}
    contradicted: dict[tuple[str, int], list[Cell]] = {}
    for cell in content.cells:
        key = (cell.point, cell.t)
        first = seen.setdefault(key, cell)
        if first is cell:
            continue
        if first.x == cell.x:
            content.repeated += 1
            continue
        if first.file != cell.file:
            raise CsvError(
                f"{first.file} line {first.line} says {first.x!r} and {cell.file} line {cell.line} says {cell.x!r}"
                f" for {cell.point} at {_iso(cell.t)}; import them one after the other to correct"
            )
        contradicted.setdefault(key, [first]).append(cell)
    content.problems += _contradictions(contradicted.values())
    content.cells = [cell for key, cell in seen.items() if key not in contradicted]


def _contradictions(groups: Iterable[list[Cell]]) -> Iterator[Problem]:
    for group in groups:
        for cell in group:
            yield Problem(cell.file, cell.line, cell.point, "another value for the same time", repr(cell.x))


def _iso(time_ms: int) -> str:
    return (_EPOCH + time_ms * _MS).isoformat()
