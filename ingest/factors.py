"""Factors into the database: the catalog's and the park's own, append-only by digest; series by value."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from parkcarbon.books.derive.model import load_series
from parkcarbon.books.library.factors import QUERIES, enter_factor, factor_digest, factor_document
from parkcarbon.books.library.files import Columns, parse_csv
from parkcarbon.catalog.park import FactorSeries as SeriesEntry
from parkcarbon.domain.factors import Factor
from parkcarbon.kit.db import Session
from parkcarbon.kit.pgcopy import Column


async def sync_factors(session: Session, factors: Iterable[Factor], park: str | None) -> list[int]:
    """Enter records that are not there yet; return the ids of the new ones."""
    added = [await enter_factor(session, factor, park) for factor in factors]
    return [factor_id for factor_id in added if factor_id is not None]


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
        basis=entry.basis,
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
    factor_id = await session.fetchval(QUERIES["factor_of_digest"], factor_digest(park, factor_document(factor)))
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
    columns = Columns(time=time_column, value=value_column)
    return parse_csv(path.read_bytes(), path.name, columns)
