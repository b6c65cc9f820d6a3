"""Hourly values of a factor from CSV or JSON: start and value, refused with file and line where they cannot be read."""

import csv
import datetime as dt
import io
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from parkcarbon.domain.readings import FloatArray, Int64Array
from parkcarbon.kit.db import to_ms

Format = Literal["csv", "json"]


class SeriesError(ValueError):
    """A document of values cannot be used; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a CSV, or the members of a JSON object, are called."""

    time: str = "start"
    value: str = "value"


def parse_values(body: bytes, name: str, form: Format, columns: Columns) -> tuple[Int64Array, FloatArray]:
    """Read starts [ms UTC] and values, ascending; a time without zone is UTC, an empty value is left out.

    Raises:
        SeriesError: anything that cannot be read, the file and the line or item, and the offending value.
    """
    return (parse_csv if form == "csv" else parse_json)(body, name, columns)


def parse_csv(body: bytes, name: str, columns: Columns) -> tuple[Int64Array, FloatArray]:
    """Read a CSV with a header line; the last value of a time counts.

    Raises:
        SeriesError: with file, line and value.
    """
    try:
        reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        heading = reader.fieldnames or []
        for column in (columns.time, columns.value):
            if column not in heading:
                raise SeriesError(f"{name}, line 1: no column {column!r}, there are {', '.join(heading)}")
        rows = [(f"line {reader.line_num}", row[columns.time], row[columns.value]) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise SeriesError(f"{name}: {error}") from error
    return _arrays(name, rows)


def parse_json(body: bytes, name: str, columns: Columns) -> tuple[Int64Array, FloatArray]:
    """Read a list of objects, or an object with one list of objects in it.

    Raises:
        SeriesError: with file, number of the item and value.
    """
    try:
        document = json.loads(body)
    except (UnicodeDecodeError, ValueError) as error:
        raise SeriesError(f"{name}: {error}") from error
    items = _items(document)
    if items is None:
        raise SeriesError(f"{name}: neither a list of values nor an object with one such list")
    return _arrays(name, _members(name, items, columns))


def _items(document: Any) -> list[Any] | None:
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
        document = lists[0] if len(lists) == 1 else None
    return document if isinstance(document, list) else None


def _members(name: str, items: list[Any], columns: Columns) -> Iterator[tuple[str, object, object]]:
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict) or columns.time not in item or columns.value not in item:
            raise SeriesError(f"{name}, item {number}: {item!r} has no {columns.time!r} and {columns.value!r}")
        yield f"item {number}", item[columns.time], item[columns.value]


def _arrays(name: str, rows: Iterable[tuple[str, object, object]]) -> tuple[Int64Array, FloatArray]:
    found: dict[int, float] = {}
    for place, time, value in rows:
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        try:
            found[_time(time)] = _number(value)
        except ValueError as error:
            raise SeriesError(f"{name}, {place}: {error}") from error
    times = sorted(found)
    return np.array(times, dtype=np.int64), np.array([found[time] for time in times], dtype=np.float64)


def _time(value: object) -> int:
    if not isinstance(value, str):
        raise SeriesError(f"{value!r} is no time like 2026-10-05T14:00:00Z")
    moment = dt.datetime.fromisoformat(value.strip())
    return to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SeriesError(f"{value!r} is not a number")
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise SeriesError(f"{value!r} is not a number from 0 up")
    return number


def check_spans(name: str, start_ms: Int64Array, span_ms: int) -> None:
    """Refuse values whose spans overlap.

    Raises:
        SeriesError: naming the first two starts.
    """
    close = np.flatnonzero(np.diff(start_ms) < span_ms)
    if len(close):
        first, second = (
            dt.datetime.fromtimestamp(int(start_ms[at]) / 1000, dt.UTC).isoformat() for at in (close[0], close[0] + 1)
        )
        raise SeriesError(f"{name}: {first} and {second} are less than a span of {span_ms / 1000:g} s apart")
