"""Factors into the database: the catalog's and the park's own, append-only by digest; series by value."""

import csv
import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np

from parkcarbon.books.derive.model import load_series
from parkcarbon.catalog.park import FactorSeries as SeriesEntry
from parkcarbon.domain.factors import Factor
from parkcarbon.kit.db import Session, to_ms
from parkcarbon.kit.pgcopy import Column

from .queries import QUERIES

_encode = msgspec.json.Encoder(order="sorted").encode


async def sync_factors(session: Session, factors: Iterable[Factor], park: str | None) -> list[int]:
    """Enter records that are not there yet; return the ids of the new ones."""
    added = []
    for factor in factors:
        members = dataclasses.asdict(factor)
        del members["recorded_at"]
        document = _encode(members)
        factor_id = await session.fetchval(
            QUERIES["insert_factor"],
            factor.factor,
            park,
            factor.purpose,
            factor.carrier,
            factor.region,
            factor.gas,
            factor.basis,
            factor.unit,
            factor.value,
            factor.data_year,
            factor.publisher,
            factor.edition,
            factor.published_on,
            factor.unverified,
            _digest(park, document),
            document.decode(),
        )
        if factor_id is not None:
            added.append(int(factor_id))
    return added


def _digest(park: str | None, document: bytes) -> bytes:
    return hashlib.sha256((park or "").encode() + b"\n" + document).digest()


def series_factor(entry: SeriesEntry) -> Factor:
    """The record that a series of the park document stands for."""
    return Factor(
        factor=entry.factor,
        purpose=entry.purpose,
        carrier=entry.carrier,
        region=entry.region,
        gas=entry.gas,
        unit=entry.unit,
        value=None,
        data_year=entry.data_year,
        publisher=entry.publisher,
        edition=entry.edition,
        published_on=entry.published_on,
        title=entry.factor,
        series=True,
    )


async def sync_series(session: Session, park: str, entry: SeriesEntry, folder: Path) -> tuple[int, int] | None:
    """Enter the values of a series that are new or differ; return the span they cover [ms UTC], None: none did."""
    factor = series_factor(entry)
    await sync_factors(session, [factor], park)
    members = dataclasses.asdict(factor)
    del members["recorded_at"]
    factor_id = await session.fetchval(QUERIES["factor_by_digest"], _digest(park, _encode(members)))
    start, value = read_series(folder / entry.file, entry.time_column, entry.value_column)
    span_ms = round(entry.span_s * 1000)
    known = await load_series(session, factor_id, factor)
    position = np.searchsorted(known.start_ms, start)
    same = np.zeros(len(start), dtype=bool)
    inside = position < len(known.start_ms)
    at = position[inside]
    same[inside] = (
        (known.start_ms[at] == start[inside]) & (known.value[at] == value[inside]) & (known.span_ms[at] == span_ms)
    )
    start, value = start[~same], value[~same]
    if not len(start):
        return None
    await session.copy(
        "factor_value",
        [
            Column("factor_id", "int4", np.full(len(start), factor_id, dtype=np.int32)),
            Column("start", "timestamptz", start),
            Column("span_ms", "int4", np.full(len(start), span_ms, dtype=np.int32)),
            Column("value", "float8", value),
        ],
    )
    return int(start.min()), int(start.max()) + span_ms


def read_series(path: Path, time_column: str, value_column: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a CSV of hourly values; a time without zone is UTC, an empty value is left out, the last of a time counts.

    Raises:
        ValueError: a value or time cannot be read; the message names file and line.
    """
    found: dict[int, float] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            text = (row[value_column] or "").strip()
            if not text:
                continue
            try:
                found[_parse_time(row[time_column])] = float(text)
            except ValueError as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from error
    times = sorted(found)
    return np.array(times, dtype=np.int64), np.array([found[time] for time in times], dtype=np.float64)


def _parse_time(text: str) -> int:
    moment = dt.datetime.fromisoformat(text.strip())
    return to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC))
