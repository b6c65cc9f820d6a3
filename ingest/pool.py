"""One pool of batches, one transaction: what a receipt promises happens here and nowhere else.

Order of locks, the same for every worker: `config_version`, batch keys in order, point states in key order. It is taken
shared; by a pool that tells of exchanged meters FOR UPDATE, from the start, since it may change the configuration.
"""

import datetime as dt
import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

import structlog
import zstandard

from parkcarbon.books.derive.model import EMPTY, Model, Source, load_model
from parkcarbon.books.derive.stored import moment
from parkcarbon.kit.db import Database, Session, to_ms
from parkcarbon.wire.body import Body
from parkcarbon.wire.errors import Reason, RefusedError
from parkcarbon.wire.frame import Header, buried_header, verify
from parkcarbon.wire.topics import Topic

from .absorb import Absorber
from .exchanges import declare
from .judge import Quarantined, Rows, judge
from .partitions import READING, Partitions, PartitionsMissingError, months_of
from .queries import QUERIES

log = structlog.get_logger(__name__)

HOLD = dt.timedelta(minutes=5)
"""Longest time that late readings wait for the rest of a backlog before results are computed again."""

Key = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class Batch:
    """A decoded batch as it was received."""

    topic: Topic
    header: Header
    line: bytes
    body: Body
    frame: bytes
    digest: bytes


class Verdict(StrEnum):
    """What became of a batch."""

    COMMITTED = "committed"
    AGAIN = "again"  # it was committed before: acknowledged, nothing done
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Verdict on one batch; `reason` and `detail` where it is refused, `readings` stored by this very pool.

    `quarantined` readings of the batch are put aside; of one that was committed before: are still.
    """

    verdict: Verdict
    reason: Reason | None = None
    detail: str = ""
    readings: int = 0
    quarantined: int = 0


class Writer:
    """Commits pools of batches."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.partitions = Partitions(database)
        self.absorber = Absorber(EMPTY, self.partitions)

    @property
    def model(self) -> Model:
        """The configuration as of the last transaction."""
        return self.absorber.model

    async def refresh(self, session: Session, version: int | None = None) -> None:
        """Load the configuration anew if it moved."""
        if version is None:
            row = await session.fetchrow(QUERIES["version"])
            version = None if row is None else row["version"]
        if version != self.model.version:
            below = frozenset(row["point_id"] for row in await session.fetch(QUERIES["points_below_zero"]))
            self.absorber = Absorber(await load_model(session), self.partitions, self.absorber.scans, below)

    async def commit(self, batches: Sequence[Batch], now: dt.datetime, *, backlog: bool = False) -> list[Outcome]:
        """Commit batches in one transaction.

        Args:
            batches: in order of arrival.
            now: time of reception.
            backlog: more of the same is on its way: late stretches are queued and held.

        Returns:
            What became of each batch, in order.

        Raises:
            DatabaseError: nothing was committed.
        """
        exchanges = any(batch.body.serials for batch in batches)
        while True:
            try:
                async with self.configured(changing=exchanges) as session:
                    return await self._pool(session, batches, now, backlog=backlog)
            except PartitionsMissingError as error:
                await self.partitions.ensure(error.months)

    @asynccontextmanager
    async def configured(self, *, changing: bool = False) -> AsyncGenerator[Session]:
        """Open a transaction in which the configuration is this process's snapshot.

        Args:
            changing: the transaction may change it: it is locked FOR UPDATE, and the snapshot that was loaded with the
                change is forgotten where nothing is committed.
        """
        loaded: Absorber | None = None
        try:
            async with self.database.transaction() as session:
                version = await session.fetchval(QUERIES["version_for_update" if changing else "version_for_share"])
                await self.refresh(session, version)
                try:
                    yield session
                except BaseException:
                    if changing:  # still under the lock: whoever waits for it loads what is true
                        self.absorber = Absorber(EMPTY, self.partitions)
                    raise
                loaded = self.absorber
        except BaseException:
            if changing and self.absorber is loaded:  # the commit failed
                self.absorber = Absorber(EMPTY, self.partitions)
            raise

    async def _pool(
        self, session: Session, batches: Sequence[Batch], now: dt.datetime, *, backlog: bool
    ) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        known: dict[int, Source] = {}
        for at, batch in enumerate(batches):
            try:
                known[at] = self._identify(batch)
            except RefusedError as error:
                outcomes[at] = Outcome(Verdict.REFUSED, error.reason, error.detail)
        ids = await self._insert_batches(session, batches, known, outcomes)
        told = [(known[at], change, to_ms(now)) for at in ids for change in batches[at].body.serials]
        if told and await declare(session, self.model, told):
            await self.refresh(session)
        parts: list[Rows] = []
        aside: list[tuple[int, str, Quarantined]] = []
        for at, batch_id in ids.items():
            batch, source = batches[at], known[at]
            rows, quarantined = judge(batch.body, source, self.absorber.lookup(source.park), batch_id, to_ms(now))
            parts.append(rows)
            aside += [(batch_id, source.park, one) for one in quarantined]
            outcomes[at] = Outcome(Verdict.COMMITTED, readings=len(rows), quarantined=len(quarantined))
            await _bury(session, batch, source)
        rows = Rows.concatenate(parts)
        self.partitions.require(months_of(READING, rows.time_ms))
        if len(rows):
            await self.absorber.absorb(session, rows, now, HOLD if backlog else dt.timedelta())
        await _set_aside(session, aside)
        for park in sorted({known[at].park for at in ids}):
            await session.execute(QUERIES["notify"], "parkcarbon_live", park)
        return [outcomes[at] for at in range(len(batches))]

    def _identify(self, batch: Batch) -> Source:
        """Return the registered source of a batch.

        Raises:
            RefusedError: there is none, another gateway speaks for it, or its signature does not fit.
        """
        address = batch.topic.address
        source = self.model.sources.get((address.park, address.source))
        if source is None or not source.active:
            raise RefusedError(Reason.IDENTITY, f"{address.source} is not registered as a source of {address.park}")
        if address.via is not None and address.via != source.via:
            raise RefusedError(Reason.IDENTITY, f"{address.via} is not the gateway of {address.source}")
        if source.public_key is not None:
            verify(batch.line, source.public_key)
        return source

    async def _insert_batches(
        self,
        session: Session,
        batches: Sequence[Batch],
        known: Mapping[int, Source],
        outcomes: dict[int, Outcome],
    ) -> dict[int, int]:
        """Insert batch rows; return the ids of the new ones by position, and note the outcome of the others."""
        first: dict[Key, int] = {}
        repeated: list[tuple[Key, int]] = []
        for at, source in known.items():
            key = (source.source_id, batches[at].topic.boot, batches[at].topic.seq)
            if first.setdefault(key, at) != at:
                repeated.append((key, at))
        if not first:
            return {}
        rows = [_batch_row(key, batches[at]) for key, at in first.items()]
        inserted = await session.fetch(QUERIES["insert_batches"], *(list(column) for column in zip(*rows, strict=True)))
        ids = {first[row["source_id"], row["boot"], row["seq"]]: int(row["batch_id"]) for row in inserted}
        there = [(key, at) for key, at in first.items() if at not in ids] + repeated
        if there:
            await self._judge_known(session, batches, there, ids, outcomes)
        return dict(sorted(ids.items()))

    async def _judge_known(
        self,
        session: Session,
        batches: Sequence[Batch],
        there: Sequence[tuple[Key, int]],
        ids: dict[int, int],
        outcomes: dict[int, Outcome],
    ) -> None:
        """Compare batches with what is committed under their names."""
        keys = list(dict.fromkeys(key for key, _ in there))
        found = await session.fetch(QUERIES["known_batches"], *(list(column) for column in zip(*keys, strict=True)))
        stored = {(row["source_id"], row["boot"], row["seq"]): row for row in found}
        revived: set[Key] = set()
        for key, at in there:
            batch, row = batches[at], stored[key]
            if row["digest"] == batch.digest or key in revived:
                outcomes[at] = Outcome(Verdict.AGAIN, quarantined=row["quarantined"])
            elif row["state"] == "tombstone" and row["digest"] == hashlib.sha256(batch.line).digest():
                via = batch.topic.address.via
                raw = _compress(batch.frame)
                await session.execute(QUERIES["revive_batch"], row["batch_id"], batch.digest, raw, batch.header.n, via)
                ids[at] = row["batch_id"]
                revived.add(key)
            else:
                detail = f"boot {key[1]} seq {key[2]} was committed with other bytes"
                outcomes[at] = Outcome(Verdict.REFUSED, Reason.IDENTITY_CONFLICT, detail)


async def _bury(session: Session, batch: Batch, source: Source) -> None:
    """Record the batches that a source had to thin, and what it lost, unless they were committed in time."""
    for stone in batch.body.tombstones:
        try:
            header = buried_header(stone)
        except RefusedError as error:
            log.warning("tombstone.unreadable", source=source.name, detail=error.detail)
            continue
        line = stone.header.encode()
        key = (source.source_id, header.boot, header.seq)
        digest = hashlib.sha256(line).digest()
        row = (*key, "tombstone", digest, *_said(header, line, None), batch.topic.address.via)
        if await session.fetch(QUERIES["insert_batches"], *([value] for value in row)):
            losses = [
                (*key, loss.point, moment(loss.t_from), moment(loss.t_to), loss.n, loss.reason) for loss in stone.loss
            ]
            await session.executemany(QUERIES["insert_losses"], losses)


async def _set_aside(session: Session, aside: Sequence[tuple[int, str, Quarantined]]) -> None:
    if aside:
        rows = [
            (batch_id, q.row, park, q.point, q.time_ms, q.value_text, q.quality, q.span_ms, q.reason.value)
            for batch_id, park, q in aside
        ]
        await session.executemany(QUERIES["insert_quarantine"], rows)


def _batch_row(key: Key, batch: Batch) -> tuple[object, ...]:
    raw, via = _compress(batch.frame), batch.topic.address.via
    return (*key, "committed", batch.digest, *_said(batch.header, batch.line, raw), via)


def _said(header: Header, line: bytes, raw: bytes | None) -> tuple[object, ...]:
    times = (moment(header.t_min), moment(header.t_max)) if header.n else (None, None)
    return (line.decode("utf-8", "replace"), raw, moment(header.made), header.n, *times)


def _compress(frame: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(frame)
