"""Readings into the database by COPY, each once; repetitions and contradictions are told apart."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parkcarbon.books.derive.model import Model
from parkcarbon.books.derive.stored import BEGIN_MS
from parkcarbon.domain.reading import Kind
from parkcarbon.kit.db import Session, from_ms, to_ms
from parkcarbon.kit.pgcopy import Column

from .judge import Rows
from .partitions import READING
from .queries import QUERIES


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the rows.

    Attributes:
        fresh: rows that were not there before, by point and time.
        changed: rows of delta readings whose value in force is another one now, by point and time.
    """

    fresh: Rows
    changed: Rows


async def store(session: Session, rows: Rows, newest_ms: Mapping[int, int | None], model: Model) -> Stored:
    """Insert rows; the points' states must be locked and the partitions there.

    Under the lock, a reading newer than the newest one of its point cannot be there yet: it goes straight into the
    table. Only the others are staged and compared.

    Args:
        session: connection inside the transaction.
        rows: in order of arrival; where two contradict one another the first is kept (a delta: the one made last).
        newest_ms: time of the newest stored reading of each point [ms UTC].
        model: configuration of this transaction.
    """
    ordered = rows.take(np.lexsort((rows.time_ms, rows.point_id)))
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = (ordered.point_id[1:] != ordered.point_id[:-1]) | (ordered.time_ms[1:] != ordered.time_ms[:-1])
    distinct = ordered.take(first)
    new, differs = np.ones(len(distinct), dtype=bool), np.zeros(len(distinct), dtype=bool)
    newer = _newer(distinct, newest_ms)
    if newer.any():
        await session.copy(READING, _columns(distinct.take(newer)))
    if not newer.all():
        new[~newer], differs[~newer] = await _insert(session, distinct.take(~newer))
    repeated = [distinct.take(differs | (~new & _is_delta(distinct, model))), ordered.take(~first)]
    changed = await _again(session, Rows.concatenate(repeated), model)
    return Stored(distinct.take(new), changed)


def _newer(rows: Rows, newest_ms: Mapping[int, int | None]) -> npt.NDArray[np.bool_]:
    """True for the rows that are newer than everything stored of their point."""
    points, position = np.unique(rows.point_id, return_inverse=True)
    newest = np.array([BEGIN_MS if (at := newest_ms[point]) is None else at for point in points.tolist()], np.int64)
    newer: npt.NDArray[np.bool_] = rows.time_ms > (newest[position] if len(points) else newest)
    return newer


async def _insert(session: Session, rows: Rows) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Insert rows of distinct keys; return which of them were new, and which were there with another content."""
    ordinal = np.arange(len(rows), dtype=np.int32)
    await session.copy("staging_reading", [Column("ordinal", "int4", ordinal), *_columns(rows)])
    inserted = await session.execute(QUERIES["insert_readings"])
    new, differs = np.ones(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    if inserted < len(rows):
        low, high = from_ms(int(rows.time_ms.min())), from_ms(int(rows.time_ms.max()))
        known = await session.fetch(QUERIES["known_readings"], low, high)
        new[[row["ordinal"] for row in known]] = False
        differs[[row["ordinal"] for row in known if not row["same"]]] = True
    return new, differs


async def missing_of(session: Session, rows: Rows) -> npt.NDArray[np.bool_]:
    """True for the rows whose point has no reading at their time."""
    ordinal = np.arange(len(rows), dtype=np.int32)
    await session.copy("staging_reading", [Column("ordinal", "int4", ordinal), *_columns(rows)])
    found = await session.fetch(QUERIES["absent_readings"])
    await session.execute(QUERIES["clear_staging_reading"])
    missing = np.zeros(len(rows), dtype=bool)
    missing[[row["ordinal"] for row in found]] = True
    return missing


async def _again(session: Session, rows: Rows, model: Model) -> Rows:
    """Record what was said again and differs; return the deltas whose value in force changed."""
    if not len(rows):
        return rows
    is_delta = _is_delta(rows, model)
    conflicting, deltas = rows.take(~is_delta), rows.take(is_delta)
    if len(conflicting):
        await session.copy("staging_again", _columns(conflicting))
        await session.execute(QUERIES["insert_conflicts"], "all")
    if not len(deltas):
        return deltas
    if len(conflicting):
        await session.execute(QUERIES["clear_staging_again"])
    await session.copy("staging_again", _columns(deltas))
    await session.execute(QUERIES["insert_conflicts"], "within-batch")
    found = await session.fetch(QUERIES["insert_delta_corrections"])
    keys = {(row["point_id"], to_ms(row["time"]), row["batch_id"]) for row in found}
    said = zip(deltas.point_id.tolist(), deltas.time_ms.tolist(), deltas.batch_id.tolist(), strict=True)
    return deltas.take(np.array([key in keys for key in said], dtype=bool))


def _is_delta(rows: Rows, model: Model) -> npt.NDArray[np.bool_]:
    points, position = np.unique(rows.point_id, return_inverse=True)
    flags = np.array([model.by_id[point].kind is Kind.DELTA for point in points.tolist()], dtype=bool)
    return flags[position] if len(flags) else np.zeros(0, dtype=bool)


def _columns(rows: Rows) -> list[Column]:
    return [
        Column("point_id", "int4", rows.point_id),
        Column("time", "timestamptz", rows.time_ms),
        Column("value", "float8", rows.value, np.isnan(rows.value)),
        Column("quality", "int2", rows.quality),
        Column("span_ms", "int4", rows.span_ms),
        Column("batch_id", "int8", rows.batch_id),
    ]
