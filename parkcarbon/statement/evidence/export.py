"""Makes an evidence pack: composes the record again from readings and writes down everything that this looked at."""

import datetime as dt
import hashlib
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from parkcarbon.books.amounts import Period
from parkcarbon.books.derive.past import past_model
from parkcarbon.books.facts import Facts
from parkcarbon.domain.readings import Int64Array
from parkcarbon.kit.db import Row, Session, from_ms, to_ms
from parkcarbon.kit.pgcopy import Array, PgType
from parkcarbon.statement.compose import compose
from parkcarbon.statement.log.roots import leaves_of
from parkcarbon.statement.record import Record, content_digest, encode

from . import QUERIES
from .again import Derived, NotingSession, Starts, computed_again, starts_of
from .answers import CONTEXT, QUESTIONS, Answers
from .differences import Difference, differences
from .pack import MANIFEST, PREDECESSOR, SCHEMA, Checkpoint, Manifest, Reach, SetAside, Span, StartsFile
from .rederive import asked_of, order_of, predecessor_of
from .session import RederivingSession
from .tables import BATCHES, LEAVES, READINGS, ReadingRows, TableWriter, leaf_columns, reading_columns
from .tape import RecordingSession, Tape

__all__ = ["Exported", "export_pack", "predecessor_of"]

LEAVES_AT_ONCE: Final = 50_000
BATCHES_AT_ONCE: Final = 200
POINTS_AT_ONCE: Final = 100

Spans: TypeAlias = Mapping[int, tuple[int, int]]
_TYPES: Final[dict[str, PgType]] = {
    "point_id": "int4",
    "time": "timestamptz",
    "value": "float8",
    "quality": "int2",
    "span_ms": "int4",
    "batch_id": "int8",
    "correction": "bool",
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        manifest: of the pack.
        differences: what does not come out of this database as the record says; the pack is written all the same.
    """

    manifest: Manifest
    differences: list[Difference]


async def export_pack(session: Session, record: Record, target: Path) -> Exported:
    """Write the evidence pack of a record.

    Args:
        session: a connection, in a transaction that sees one moment of the database.
        record: a statement as it was frozen or issued.
        target: file that is made; one that is there is not overwritten.

    Raises:
        FileExistsError: there is such a file.
        LookupError: the version before a re-issue is not in this database.
    """
    predecessor = await predecessor_of(session, record)
    tape = Tape()
    recording = RecordingSession(session, tape)
    facts, period = await asked_of(recording, record)
    starts = await starts_of(session, facts, period)
    noting = NotingSession(session)
    derived = await computed_again(noting, await past_model(recording, facts), period, starts)
    rederiving = RederivingSession(recording, Answers(derived, period, facts.zone))
    found = await compose(rederiving, order_of(record, predecessor))
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pack-") as folder, target.open("xb") as file:
        writing = _Writing(session, record, (facts, period), Path(folder))
        try:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                manifest = await writing.run(archive, (starts, noting, derived), tape, predecessor)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return Exported(manifest, differences(record, found))


class _Writing:
    """Writes the members one after the other."""

    def __init__(self, session: Session, record: Record, asked: tuple[Facts, Period], folder: Path) -> None:
        self._session = session
        self._record = record
        self._facts, self._period = asked
        self._folder = folder
        self._as_of = self._facts.as_of
        self._hashes: dict[str, str] = {}
        self._row_of: dict[int, int] = {}

    async def run(
        self,
        archive: zipfile.ZipFile,
        computed: tuple[Starts, NotingSession, Derived],
        tape: Tape,
        predecessor: Record | None,
    ) -> Manifest:
        """Write everything and the manifest."""
        starts, noting, derived = computed
        record = self._record
        self._put(archive, "statement.json", encode(record))
        if predecessor is not None:
            self._put(archive, PREDECESSOR, encode(predecessor))
        await self._leaves(archive)
        wanted = await self._batch_ids(noting.spans)
        batches = await self._batches(archive, noting.spans, wanted)
        readings = await self._readings(archive, noting.spans, starts)
        await self._set_aside(archive)
        self._put(archive, "starts.json", msgspec.json.encode(_starts_file(starts, noting)))
        facts, context = _sides(tape)
        self._put(archive, "facts.jsonl", facts)
        self._put(archive, "context.jsonl", context)
        manifest = Manifest(
            schema=SCHEMA,
            park=record.park,
            period=record.period,
            number=record.number,
            version=record.version,
            record_digest=content_digest(record),
            known_on=record.known_on,
            method_version=record.method_version,
            software=record.software,
            exported_by=f"parkcarbon {version('parkcarbon')}",
            log_size=record.evidence.log_size,
            log_root=record.evidence.log_root,
            points=len(derived.rows),
            readings=readings,
            batches=batches,
            members=self._hashes,
        )
        archive.writestr(_named(MANIFEST), msgspec.json.format(msgspec.json.encode(manifest, order="sorted")))
        return manifest

    def _put(self, archive: zipfile.ZipFile, name: str, data: bytes) -> None:
        self._hashes[name] = hashlib.sha256(data).hexdigest()
        archive.writestr(_named(name, zipfile.ZIP_DEFLATED), data)

    def _move(self, archive: zipfile.ZipFile, name: str) -> None:
        """Take a file that was written beside into the archive."""
        hashed = hashlib.sha256()
        with (self._folder / name).open("rb") as source, archive.open(_named(name), "w", force_zip64=True) as member:
            while block := source.read(1 << 20):
                hashed.update(block)
                member.write(block)
        self._hashes[name] = hashed.hexdigest()
        (self._folder / name).unlink()

    async def _leaves(self, archive: zipfile.ZipFile) -> None:
        name = "leaves.parquet"
        writer = TableWriter(LEAVES, self._folder / name)
        size = self._record.evidence.log_size
        for low in range(0, size, LEAVES_AT_ONCE):
            leaves = await leaves_of(self._session, self._record.park, low, min(low + LEAVES_AT_ONCE, size))
            writer.add(leaf_columns(leaves, low))
        writer.close()
        self._move(archive, name)

    async def _batch_ids(self, spans: Spans) -> list[int]:
        """Numbers of the batches that brought the readings in these spans."""
        found: set[int] = set()
        for ids in _parts(sorted(spans), POINTS_AT_ONCE):
            rows = await self._session.fetch(QUERIES["pack_batch_ids"], *_bounds(ids, spans), self._as_of)
            found.update(row["batch_id"] for row in rows)
        return sorted(found)

    async def _batches(self, archive: zipfile.ZipFile, spans: Spans, wanted: Sequence[int]) -> int:
        name = "batches.parquet"
        writer = TableWriter(BATCHES, self._folder / name)
        low = min([self._period.from_ms, *(span[0] for span in spans.values())])
        high = max([self._period.to_ms - 1, *(span[1] for span in spans.values())])
        last = 0
        while rows := await self._next_batches(low, high, last, wanted):
            last = rows[-1]["batch_id"]
            for row in rows:
                self._row_of[row["batch_id"]] = len(self._row_of)
            writer.add(
                [
                    [row[column] for row in rows]
                    for column in ("source", "boot", "seq", "kind", "at", "made", "digest", "raw")
                ]
            )
        writer.close()
        self._move(archive, name)
        return writer.rows

    async def _next_batches(self, low: int, high: int, last: int, wanted: Sequence[int]) -> list[Row]:
        span = from_ms(low), from_ms(high)
        return await self._session.fetch(
            QUERIES["pack_batches"], self._record.park, *span, self._as_of, last, BATCHES_AT_ONCE, list(wanted)
        )

    async def _readings(self, archive: zipfile.ZipFile, spans: Spans, starts: Starts) -> int:
        name = "readings.parquet"
        writer = TableWriter(READINGS, self._folder / name)
        names = {point_id: point for point, point_id in self._facts.point_ids.items()}
        for ids in _parts(sorted(spans), POINTS_AT_ONCE):
            columns = await self._session.fetch_columns(
                QUERIES["pack_readings"], *_bounds(ids, spans), self._as_of, types=_TYPES
            )
            for point_id in starts.known.withheld_ms.keys() & set(ids):
                held = np.isin(columns["time"], starts.known.withheld_ms[point_id]) & (columns["point_id"] == point_id)
                columns = {column: values[~held] for column, values in columns.items()}
            writer.add(reading_columns(_reading_rows(ids, [names[one] for one in ids], columns, self._row_of)))
        writer.close()
        self._move(archive, name)
        return writer.rows

    async def _set_aside(self, archive: zipfile.ZipFile) -> None:
        rows = await self._session.fetch(QUERIES["pack_set_aside"], list(self._row_of), self._as_of)
        found = [SetAside(self._row_of[row["batch_id"]], row["row"], row["point"], row["reason"]) for row in rows]
        self._put(archive, "set_aside.jsonl", b"".join(msgspec.json.encode(one) + b"\n" for one in found))


def _bounds(ids: Sequence[int], spans: Spans) -> tuple[list[int], list[dt.datetime], list[dt.datetime]]:
    lows, highs = ([from_ms(spans[point_id][end]) for point_id in ids] for end in (0, 1))
    return list(ids), lows, highs


def _reading_rows(
    ids: Sequence[int], names: Sequence[str], columns: Mapping[str, Array], row_of: Mapping[int, int]
) -> ReadingRows:
    batches, place = np.unique(columns["batch_id"], return_inverse=True)
    rows: Int64Array = np.array([row_of[batch_id] for batch_id in batches.tolist()], dtype=np.int64)
    return ReadingRows(
        tuple(names),
        np.searchsorted(np.array(ids), columns["point_id"]).astype(np.int32),
        columns["time"],
        columns["value"],
        columns["quality"].astype(np.int8),
        columns["span_ms"],
        rows[place].astype(np.int32) if len(rows) else np.zeros(0, np.int32),
        columns["correction"],
    )


def _starts_file(starts: Starts, noting: NotingSession) -> StartsFile:
    return StartsFile(
        [Checkpoint(point, at_ms, state) for point, (at_ms, state) in sorted(starts.checkpoints.items())],
        dict(starts.longest_ms),
        [Span(point, low, high) for point, (low, high) in sorted(noting.spans.items())],
        [_reach(args, row) for args, row in noting.reach],
    )


def _reach(args: Sequence[Any], row: Row | None) -> Reach:
    def ms(value: dt.datetime | None) -> int | None:
        return None if value is None else to_ms(value)

    said: Row = {"low": None, "high": None, "before": 0, "after": 0} if row is None else row
    return Reach(
        args[0],
        to_ms(args[1]),
        to_ms(args[2]),
        args[3],
        ms(said["low"]),
        ms(said["high"]),
        said["before"],
        said["after"],
    )


def _sides(tape: Tape) -> tuple[bytes, bytes]:
    """Answers on facts, and on derived tables outside the period."""
    derived = QUESTIONS.keys() | CONTEXT
    sides: tuple[list[bytes], list[bytes]] = ([], [])
    for name, line in tape.lines():
        sides[name in derived].append(line)
    return b"".join(sides[0]), b"".join(sides[1])


def _parts(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for low, high in pairwise([*range(0, len(items), size), len(items)]):
        yield items[low:high]


def _named(name: str, method: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    """A member with a fixed date, so that the same evidence gives the same bytes."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = method
    info.external_attr = 0o644 << 16
    return info
