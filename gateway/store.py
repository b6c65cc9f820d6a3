"""The gateway's durable queue: batches of many sources, byte for byte, until the cloud has committed them.

What was delivered stays as a digest for a while: a source that missed the receipt and sends again is answered at once.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from parkcarbon.kit.clock import Clock

_PAGE_BYTES = 4096
_HEADROOM_PAGES = 256

_SCHEMA = """
create table if not exists batch (
    number      integer primary key autoincrement,
    source      text    not null,
    boot        text    not null,
    seq         integer not null,
    digest      blob    not null,
    state       integer not null default 0,
    reason      text    not null default '',
    items       integer not null,
    size        integer not null,
    at_ms       integer not null,
    changed_ms  integer not null,
    unique (source, boot, seq)
);
create index if not exists batch_state on batch (state, number, items, size);
create table if not exists frame (
    number  integer primary key,
    bytes   blob not null
);
"""


class QueueFullError(Exception):
    """The queue has no room; nothing was stored and nothing may be answered."""


class Standing(IntEnum):
    """How a batch stands; the first three are stored in the file, never renumber."""

    WAITING = 0
    COMMITTED = 1
    REFUSED = 2
    CONFLICT = 3  # other bytes under the same boot and seq


@dataclass(frozen=True, slots=True)
class Parcel:
    """A batch as it came in."""

    source: str
    boot: str
    seq: int
    digest: bytes
    items: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the source is told about a parcel."""

    standing: Standing
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """How much waits."""

    depth: int
    items: int
    bytes: int


class Store:
    """The queue. Safe to use from several threads; every call is one transaction.

    Args:
        path: database file.
        clock: time.
        max_bytes: size limit of the file [B].
        keep_ms: how long delivered batches are remembered [ms].
    """

    def __init__(self, path: Path, *, clock: Clock, max_bytes: int, keep_ms: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._keep_ms = keep_ms
        self._pages = max(max_bytes // _PAGE_BYTES, 4 * _HEADROOM_PAGES)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        for pragma in (
            f"page_size = {_PAGE_BYTES}",
            "locking_mode = exclusive",
            "journal_mode = wal",
            "synchronous = full",
            "journal_size_limit = 8388608",
            f"max_page_count = {self._pages}",
        ):
            self._db.execute(f"pragma {pragma}")
        self._db.executescript(_SCHEMA)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    def take(self, parcels: Sequence[Parcel]) -> list[Answer]:
        """Store what is new and say how each parcel stands; when this returns, the answers may be given.

        Raises:
            QueueFullError: nothing was stored.
        """
        try:
            with self._transaction():
                if self._full():
                    raise QueueFullError("the queue is full")
                return [self._take(parcel) for parcel in parcels]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
                raise QueueFullError(str(error)) from error
            raise

    def _full(self) -> bool:
        count, free = (self._db.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        return int(count) - int(free) >= self._pages - _HEADROOM_PAGES

    def _take(self, parcel: Parcel) -> Answer:
        row = self._db.execute(
            "select digest, state, reason from batch where source = ? and boot = ? and seq = ?",
            (parcel.source, parcel.boot, parcel.seq),
        ).fetchone()
        if row is not None:
            known, state, reason = row
            return Answer(Standing(state), str(reason)) if known == parcel.digest else Answer(Standing.CONFLICT)
        now_ms = self._clock.now_ms()
        number = self._db.execute(
            "insert into batch (source, boot, seq, digest, items, size, at_ms, changed_ms)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            (parcel.source, parcel.boot, parcel.seq, parcel.digest, parcel.items, len(parcel.frame), now_ms, now_ms),
        ).lastrowid
        self._db.execute("insert into frame values (?, ?)", (number, parcel.frame))
        return Answer(Standing.WAITING)

    def waiting(self, after: int = 0) -> list[int]:
        """Return the numbers of what waits, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "select number from batch where state = 0 and number > ? order by number", (after,)
            ).fetchall()
        return [int(row[0]) for row in rows]

    def parcel(self, number: int) -> tuple[str, str, int, bytes] | None:
        """Return (source, boot, seq, frame) of what waits, None where it is gone."""
        with self._lock:
            row = self._db.execute(
                "select source, boot, seq, bytes from batch join frame using (number) where number = ? and state = 0",
                (number,),
            ).fetchone()
        return None if row is None else (str(row[0]), str(row[1]), int(row[2]), bytes(row[3]))

    def finish(
        self, source: str, boot: str, *, committed: Iterable[int] = (), refused: Iterable[tuple[int, str]] = ()
    ) -> list[int]:
        """Drop what the cloud has answered for good; return the numbers that no longer wait."""
        now_ms = self._clock.now_ms()
        ends = [(Standing.COMMITTED, "", seq) for seq in committed]
        ends += [(Standing.REFUSED, reason, seq) for seq, reason in refused]
        done: list[int] = []
        with self._transaction():
            for state, reason, seq in ends:
                done += [
                    int(row[0])
                    for row in self._db.execute(
                        "update batch set state = ?, reason = ?, changed_ms = ?"
                        " where source = ? and boot = ? and seq = ? and state = 0 returning number",
                        (state, reason, now_ms, source, boot, seq),
                    ).fetchall()
                ]
            self._db.executemany("delete from frame where number = ?", [(number,) for number in done])
        return done

    def forget(self, source: str, boot: str, from_seq: int, to_seq: int) -> None:
        """Forget that batches were committed, so that they are taken again."""
        with self._transaction():
            self._db.execute(
                "delete from batch where source = ? and boot = ? and seq between ? and ? and state = ?",
                (source, boot, from_seq, to_seq, Standing.COMMITTED),
            )

    def prune(self) -> None:
        """Forget what was delivered long ago."""
        with self._transaction():
            self._db.execute(
                "delete from batch where state <> 0 and changed_ms < ?", (self._clock.now_ms() - self._keep_ms,)
            )

    def load(self) -> Load:
        """Return how much waits."""
        with self._lock:
            row = self._db.execute("select count(*), sum(items), sum(size) from batch where state = 0").fetchone()
        return Load(int(row[0]), int(row[1] or 0), int(row[2] or 0))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
