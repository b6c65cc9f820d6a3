"""Values of a factor series into the database, with where they came from as a fact of its own.

A load counts at once where it was read from the very address that was approved with the record; any other load waits
for a second person, like a record does (`books.factors.decide` with its `load_id`).
"""

import datetime as dt
import hashlib
from dataclasses import dataclass

import numpy as np

from parkcarbon.books.library.factors import QUERIES, Record, changing, show
from parkcarbon.books.library.files import Columns, Format, SeriesError, check_spans, parse_values
from parkcarbon.domain.factors import FactorSeries
from parkcarbon.domain.readings import FloatArray, Int64Array
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Row, Session, from_ms
from parkcarbon.kit.http import LIMIT_BYTES, TIMEOUT_S, fetch
from parkcarbon.kit.pgcopy import Column


@dataclass(frozen=True)
class Values:
    """A document of values that was read.

    Attributes:
        source: address, or name of the file.
        form: how it was written.
        digest: sha256 of its bytes.
        size: its bytes.
        retrieved_at: when it was read.
        start_ms: start of each span [ms UTC], ascending.
        span_ms: length of each span [ms].
        value: in the unit of the record.
    """

    source: str
    form: Format
    digest: bytes
    size: int
    retrieved_at: dt.datetime
    start_ms: Int64Array
    span_ms: int
    value: FloatArray


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a document.

    Attributes:
        load_id: row of `factor_load`; None: every value was there already.
        read: values in the document.
        new: values that are new or differ.
        waits: True until a second person approves the load.
        queued: points whose results are computed again.
    """

    load_id: int | None
    read: int
    new: int
    waits: bool
    queued: int


def read_values(
    body: bytes,
    source: str,
    form: Format,
    *,
    now: dt.datetime,
    columns: Columns | None = None,
    span_ms: int = 3_600_000,
) -> Values:
    """Read a document that is at hand.

    Raises:
        SeriesError: it cannot be used; file and line are named.
    """
    start_ms, value = parse_values(body, source, form, columns or Columns())
    if not len(start_ms):
        raise SeriesError(f"{source}: no values in it")
    if span_ms <= 0:
        raise SeriesError(f"{source}: a span of {span_ms} ms")
    check_spans(source, start_ms, span_ms)
    return Values(source, form, hashlib.sha256(body).digest(), len(body), now, start_ms, span_ms, value)


async def fetch_values(
    url: str,
    *,
    now: dt.datetime,
    form: Format | None = None,
    columns: Columns | None = None,
    span_ms: int = 3_600_000,
    timeout_s: float = TIMEOUT_S,
    limit_bytes: int = LIMIT_BYTES,
) -> Values:
    """Read a document from a server; its form as the server says, unless it is told.

    Raises:
        FetchError: it cannot be had.
        SeriesError: it cannot be used.
    """
    answer = await fetch(url, timeout_s=timeout_s, limit_bytes=limit_bytes)
    said: Format = "json" if answer.content_type.endswith("json") else "csv"
    return read_values(answer.body, url, form or said, now=now, columns=columns, span_ms=span_ms)


async def load_values(
    session: Session, park: str, factor_id: int, values: Values, *, author: str, reason: str
) -> Loaded:
    """Enter the values that are new or differ, with where they came from.

    Args:
        session: inside a transaction.
        park: whose.
        factor_id: row of `factor`; the record must be a series of this park.
        values: what was read.
        author: who loads it.
        reason: why.

    Raises:
        LookupError: there is no such record.
        RefusedError: it is the catalog's or no series, or was rejected or withdrawn.
    """
    record = await show(session, park, factor_id)
    _check(record, author, reason)
    known = await known_values(session, factor_id, record)
    new = ~_same(known, values)
    count = int(new.sum())
    if not count:
        return Loaded(None, len(new), 0, waits=False, queued=0)
    trusted = record.author is not None and record.state == "approved" and values.source == record.factor.source_page
    box: list[int] = []

    async def enter() -> None:
        box.append(await _enter(session, factor_id, values, new, (author, reason), trusted=trusted))

    queued = 0
    if trusted:
        queued = await changing(session, park, enter)
    else:
        await enter()
    return Loaded(box[0], len(new), count, waits=not trusted, queued=queued)


def _check(record: Record, author: str, reason: str) -> None:
    name = record.factor.factor
    if not record.factor.series:
        raise RefusedError("", f"{name} has one value and is no series")
    if record.state in ("rejected", "withdrawn"):
        raise RefusedError("6.9", f"{name} is {record.state}")
    if not author.strip() or not reason.strip():
        raise RefusedError("", f"{name}: author and reason must be told")


async def known_values(session: Session, factor_id: int, record: Record) -> FactorSeries:
    """Values in force of a series."""
    found = await session.fetch_columns(
        QUERIES["factor_series_values"],
        factor_id,
        types={"start": "timestamptz", "span_ms": "int4", "value": "float8"},
    )
    return FactorSeries(record.factor, found["start"], found["span_ms"].astype("int64"), found["value"])


def _same(known: FactorSeries, values: Values) -> np.ndarray:
    same = np.zeros(len(values.start_ms), dtype=bool)
    position = np.searchsorted(known.start_ms, values.start_ms)
    inside = position < len(known.start_ms)
    at = position[inside]
    same[inside] = (
        (known.start_ms[at] == values.start_ms[inside])
        & (known.value[at] == values.value[inside])
        & (known.span_ms[at] == values.span_ms)
    )
    return same


async def _enter(
    session: Session, factor_id: int, values: Values, new: np.ndarray, who: tuple[str, str], *, trusted: bool
) -> int:
    start_ms, value = values.start_ms[new], values.value[new]
    load_id = await session.fetchval(
        QUERIES["factor_load_enter"],
        factor_id,
        values.source,
        values.form,
        values.digest,
        values.size,
        values.retrieved_at,
        len(new),
        from_ms(int(values.start_ms.min())),
        from_ms(int(values.start_ms.max()) + values.span_ms),
        *who,
        not trusted,
    )
    count = len(start_ms)
    await session.copy(
        "factor_value",
        [
            Column("factor_id", "int4", np.full(count, factor_id, dtype=np.int32)),
            Column("start", "timestamptz", start_ms),
            Column("span_ms", "int4", np.full(count, values.span_ms, dtype=np.int32)),
            Column("value", "float8", value),
            Column("load_id", "int4", np.full(count, load_id, dtype=np.int32)),
        ],
    )
    return int(load_id)


async def list_loads(session: Session, park: str, factor_id: int) -> list[Row]:
    """Loads of a series with what was decided on them.

    Raises:
        LookupError: there is no such record.
    """
    await show(session, park, factor_id)
    return await session.fetch(QUERIES["factor_loads"], factor_id)
