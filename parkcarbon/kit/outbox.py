"""Durable outbox: what a sender has promised to deliver, on disk until the receiver says it is committed.

SQLite with WAL and `synchronous=FULL`. The file has an identity, the *boot*; entries are numbered without gaps within
it. An entry is frozen when it is appended: its bytes are made inside the transaction that gives it its number and the
link to the entry before. Entries that were committed stay for a while as long as there is room, so that a restored
receiver can ask for them again.

A full store must still be able to delete: appends stop below the page limit, and a ballast file beside the database is
given up when the disk itself is full.

```
OutboxError          the store cannot do what was asked
└── OutboxFullError  no room; the entry was not stored. Retry after something was committed or thinned.
```
"""

import contextlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

from .clock import Clock

PAGE_BYTES = 4096
HEADROOM_PAGES = 128
BALLAST_BYTES = 1 << 20
_RATE_WINDOW_MS = 6 * 3_600_000
_ROOM_TRIES = 64
_DROP_AT_ONCE = 64
_THIN_AT_ONCE = 64

Result = TypeVar("Result")

_SCHEMA = """
create table if not exists meta (name text primary key, value text not null);
create table if not exists entry (
    seq         integer primary key autoincrement,
    state       integer not null default 0,
    live        integer not null,
    items       integer not null,
    size        integer not null,
    at_ms       integer not null,
    changed_ms  integer not null,
    reason      text not null default '',
    frame       blob not null
);
create index if not exists entry_state on entry (state, seq, items, size);
create index if not exists entry_rate on entry (at_ms, size);
"""


class State(IntEnum):
    """What became of an entry; stored in the file, never renumber."""

    WAITING = 0
    STORED = 1  # a relay has it; still ours to keep
    COMMITTED = 2  # delivered; kept for a while
    REFUSED = 3  # set aside, alarmed


class OutboxError(Exception):
    """The store cannot do what was asked."""


class OutboxFullError(OutboxError):
    """No room for another entry; nothing was stored."""


Frozen = tuple[bytes, str, int]
"""An entry: its bytes, the link that the next entry will name, and the number of items (readings) in it."""

Build = Callable[[str, int, str], Frozen]
"""Makes an entry from (boot, seq, link of the entry before)."""

Thin = Callable[[Sequence[tuple[int, bytes]]], tuple[Sequence[int], Build] | None]
"""A thinning policy: from the oldest waiting entries (seq, bytes) to the numbers that go and the one entry that takes
their place, or None where nothing can go. It must never give up what cannot be known otherwise."""


@dataclass(frozen=True, slots=True)
class OutboxStats:
    """How full it is.

    Attributes:
        depth: entries waiting for `committed`.
        items: items (readings) in them.
        bytes: size of what waits [B].
        refused: entries set aside.
        used: share of the capacity in use by anything that cannot be dropped, 0 … 1.
        hours_left: until full at the rate of the last hours [h]; None where no rate is known.
    """

    depth: int
    items: int
    bytes: int
    refused: int
    used: float
    hours_left: float | None

    @property
    def alarm(self) -> int:
        """Return 90, 70 or 0: the level that is passed [%]."""
        return 90 if self.used >= 0.9 else 70 if self.used >= 0.7 else 0


class Outbox:
    """The store. Safe to use from several threads; every call is one transaction.

    Args:
        path: database file; made with its folder where missing.
        clock: time for ages and rates.
        max_bytes: size limit of the file [B].
        keep_ms: how long committed entries stay while there is room [ms].
        journal: file that gets the journal lines of each entry, synced, after its commit; None for none.
        thin: policy for a full store.
        new_boot: makes the identity of a new file, 16 hex digits.
        wait_s: how long to wait for another process to let go of the file [s].

    Attributes:
        boot: identity of the file.
        set_aside: where a damaged file was moved to when this one was opened, else None.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        max_bytes: int = 512 << 20,
        keep_ms: int = 3 * 86_400_000,
        journal: Path | None = None,
        thin: Thin | None = None,
        new_boot: Callable[[], str] = lambda: secrets.token_hex(8),
        wait_s: float = 5.0,
    ) -> None:
        self._path = path
        self._clock = clock
        self._pages = max(max_bytes // PAGE_BYTES, 4 * HEADROOM_PAGES)
        self._keep_ms = keep_ms
        self._thin = thin
        self._new_boot = new_boot
        self._wait_s = wait_s
        self._lock = threading.RLock()
        self._ballast = path.with_name(path.name + ".ballast")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.set_aside: Path | None = None
        self._db = self._open()
        self.boot = self._meta("boot")
        self._make_ballast()
        self._journal = None if journal is None else _Journal(journal)

    # ── opening ──────────────────────────────────────────────────────────────────────────────────

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
                raise OutboxError(f"cannot open {self._path}: {error}") from error
        self.set_aside = self._path.with_name(f"{self._path.name}.damaged-{self._clock.now_ms()}")
        for suffix in ("", "-wal", "-shm"):
            part = Path(f"{self._path}{suffix}")
            if part.exists():
                part.rename(f"{self.set_aside}{suffix}")
        return self._connect()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=self._wait_s)
        try:
            db.execute(f"pragma page_size = {PAGE_BYTES}")
            db.execute("pragma locking_mode = exclusive")  # two senders on one outbox would both be wrong
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = full")
            db.execute("pragma wal_autocheckpoint = 256")
            db.execute("pragma journal_size_limit = 4194304")
            db.execute(f"pragma max_page_count = {self._pages}")
            _check(db)
            db.executescript(_SCHEMA)
            with _transaction(db):
                db.execute("insert or ignore into meta values ('boot', ?)", (self._new_boot(),))
                db.execute("insert or ignore into meta values ('link', '')")
        except BaseException:
            db.close()
            raise
        return db

    def _make_ballast(self) -> None:
        if not self._ballast.exists():
            with contextlib.suppress(OSError):
                self._ballast.write_bytes(b"\xa5" * BALLAST_BYTES)

    def _meta(self, name: str) -> str:
        row = self._db.execute("select value from meta where name = ?", (name,)).fetchone()
        return str(row[0])

    # ── appending ────────────────────────────────────────────────────────────────────────────────

    def append(
        self, build: Build, *, live: bool = True, journal: bytes = b"", note: tuple[str, str] | None = None
    ) -> int:
        """Store one entry for good.

        Args:
            build: makes the bytes; called inside the transaction, again after thinning.
            live: False for history, which is sent in order behind what is live.
            journal: lines for the journal, written after the commit.
            note: name and text remembered in the same transaction: how far a reader of history has come.

        Returns:
            The number of the entry; when this returns, the entry survives a power cut.

        Raises:
            OutboxFullError: no room, even after old entries were dropped or thinned.
        """
        with self._lock:
            seq = self._append(build, live=live, note=note)
            if self._journal is not None and journal:
                self._journal.write(journal)
            return seq

    def note(self, name: str) -> str | None:
        """Return what the last `append` with this note remembered, None where there was none."""
        with self._lock:
            row = self._db.execute("select value from meta where name = ?", (f"note:{name}",)).fetchone()
        return None if row is None else str(row[0])

    def _append(self, build: Build, *, live: bool, note: tuple[str, str] | None) -> int:
        for _ in range(_ROOM_TRIES):
            if self._room():
                try:
                    return self._write(lambda: self._insert(build, live=live, note=note), ballast=False)
                except OutboxFullError:
                    if not self._make_room():
                        raise
            elif not self._make_room():
                break
        raise OutboxFullError(f"{self._path} is full")

    def _insert(self, build: Build, *, live: bool, note: tuple[str, str] | None = None) -> int:
        row = self._db.execute("select seq from sqlite_sequence where name = 'entry'").fetchone()
        seq = (0 if row is None else int(row[0])) + 1
        frame, link, items = build(self.boot, seq, self._meta("link"))
        now_ms = self._clock.now_ms()
        self._db.execute(
            "insert into entry (seq, live, items, size, at_ms, changed_ms, frame) values (?, ?, ?, ?, ?, ?, ?)",
            (seq, live, items, len(frame), now_ms, now_ms, frame),
        )
        self._db.execute("update meta set value = ? where name = 'link'", (link,))
        if note is not None:
            self._db.execute("insert or replace into meta values (?, ?)", (f"note:{note[0]}", note[1]))
        return seq

    def _write(self, change: Callable[[], Result], *, ballast: bool = True) -> Result:
        """Run one transaction; where the disk is full and the change may use the ballast, give it up and retry."""
        try:
            with _transaction(self._db):
                return change()
        except sqlite3.OperationalError as error:
            if not _is_full(error):
                raise
            if not (ballast and self._ballast.exists()):
                raise OutboxFullError(f"{self._path}: {error}") from error
        self._ballast.unlink(missing_ok=True)
        return self._write(change, ballast=False)

    # ── room ─────────────────────────────────────────────────────────────────────────────────────

    def _room(self) -> bool:
        count, free = (self._db.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        return int(count) - int(free) < self._pages - HEADROOM_PAGES

    def _make_room(self) -> bool:
        """Drop what is delivered, oldest first, then what was refused, then thin what waits; False: nothing to give."""
        for state in (State.COMMITTED, State.REFUSED):
            gone = self._write(
                lambda state=state: (
                    self._db.execute(  # type: ignore[misc]
                        "delete from entry where seq in (select seq from entry where state = ? order by seq limit ?)",
                        (state, _DROP_AT_ONCE),
                    ).rowcount
                )
            )
            if gone:
                return True
        return self._thin_once()

    def _thin_once(self) -> bool:
        """Offer the waiting entries to the policy, oldest first, until it takes some."""
        if self._thin is None:
            return False
        after = 0
        while True:
            rows = self._db.execute(
                "select seq, frame from entry where state in (0, 1) and seq > ? order by seq limit ?",
                (after, _THIN_AT_ONCE),
            ).fetchall()
            if not rows:
                return False
            thinned = self._thin([(int(seq), bytes(frame)) for seq, frame in rows])
            if thinned is not None and thinned[0]:
                self._replace(*thinned)
                return True
            after = int(rows[-1][0])

    def _replace(self, seqs: Sequence[int], build: Build) -> None:
        def change() -> int:
            self._db.executemany("delete from entry where seq = ?", [(seq,) for seq in seqs])
            return self._insert(build, live=False)

        self._write(change)

    def prune(self) -> int:
        """Drop committed entries older than the keeping time; return how many."""
        before_ms = self._clock.now_ms() - self._keep_ms
        with self._lock:
            gone = self._write(
                lambda: (
                    self._db.execute(
                        "delete from entry where state = ? and changed_ms < ?", (State.COMMITTED, before_ms)
                    ).rowcount
                )
            )
            self._make_ballast()
        return gone

    # ── sending ──────────────────────────────────────────────────────────────────────────────────

    def waiting(self, *, after: int = 0, limit: int = 1_000_000) -> list[tuple[int, bool, bool]]:
        """Return (seq, stored by a relay, live) of what is not committed, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "select seq, state, live from entry where state in (0, 1) and seq > ? order by seq limit ?",
                (after, limit),
            ).fetchall()
        return [(int(seq), state == State.STORED, bool(live)) for seq, state, live in rows]

    def frame(self, seq: int) -> bytes | None:
        """Return the bytes of an entry that is not committed, None where it is or is gone."""
        with self._lock:
            row = self._db.execute("select frame from entry where seq = ? and state in (0, 1)", (seq,)).fetchone()
        return None if row is None else bytes(row[0])

    def mark(
        self, *, committed: Sequence[int] = (), stored: Sequence[int] = (), refused: Sequence[tuple[int, str]] = ()
    ) -> list[int]:
        """Take down what the receiver said; return the numbers that were newly refused."""
        now_ms = self._clock.now_ms()

        def change() -> list[int]:
            self._db.executemany(
                "update entry set state = 1, changed_ms = ? where seq = ? and state = 0",
                [(now_ms, seq) for seq in stored],
            )
            self._db.executemany(
                "update entry set state = 2, changed_ms = ? where seq = ? and state <> 2",
                [(now_ms, seq) for seq in committed],
            )
            return [
                seq
                for seq, reason in refused
                if self._db.execute(
                    "update entry set state = 3, changed_ms = ?, reason = ? where seq = ? and state in (0, 1)",
                    (now_ms, reason, seq),
                ).rowcount
            ]

        with self._lock:
            return self._write(change)

    def requeue(self, from_seq: int, to_seq: int) -> list[int]:
        """Let kept entries wait again, because the receiver lost them; return their numbers."""
        now_ms = self._clock.now_ms()
        with self._lock:
            rows = self._write(
                lambda: self._db.execute(
                    "update entry set state = 0, live = 0, changed_ms = ? where seq between ? and ? and state in (1, 2)"
                    " returning seq",
                    (now_ms, from_seq, to_seq),
                ).fetchall()
            )
        return sorted(int(row[0]) for row in rows)

    def stats(self) -> OutboxStats:
        """Return how full the store is."""
        now_ms = self._clock.now_ms()
        with self._lock:
            counts = {
                State(state): (int(entries), int(items), int(size))
                for state, entries, items, size in self._db.execute(
                    "select state, count(*), sum(items), sum(size) from entry group by state"
                )
            }
            first_ms, recent = self._db.execute(
                "select min(at_ms), sum(size) from entry where at_ms > ?", (now_ms - _RATE_WINDOW_MS,)
            ).fetchone()
        waiting = [counts.get(state, (0, 0, 0)) for state in (State.WAITING, State.STORED)]
        depth, items, size = (sum(column) for column in zip(*waiting, strict=True))
        capacity = (self._pages - HEADROOM_PAGES) * PAGE_BYTES
        hours_left = None
        if recent and now_ms - first_ms >= 60_000:
            hours_left = max(0.0, capacity - size) / (recent / ((now_ms - first_ms) / 3_600_000))
        return OutboxStats(
            depth=depth,
            items=items,
            bytes=size,
            refused=counts.get(State.REFUSED, (0, 0, 0))[0],
            used=min(1.0, size / capacity),
            hours_left=hours_left,
        )

    def close(self) -> None:
        """Close the file and the journal."""
        with self._lock:
            self._db.close()
            if self._journal is not None:
                self._journal.close()


def _check(db: sqlite3.Connection) -> None:
    answer = db.execute("pragma quick_check(1)").fetchone()[0]
    if answer != "ok":
        raise sqlite3.DatabaseError(f"quick_check: {answer}")


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("begin immediate")
    try:
        yield
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise


def _is_full(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


class _Journal:
    """An append-only file that is synced after every write."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def write(self, lines: bytes) -> None:
        self._file.write(lines)
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()
