"""Make readings safe: what the pollers bring goes into the outbox in batches, at least once a second."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from parkcarbon.kit.clock import Clock, Stamp
from parkcarbon.kit.log import OutageLog, get
from parkcarbon.kit.outbox import Outbox, OutboxFullError
from parkcarbon.wire.body import Draft, Row, SerialChange, drafts, journal_lines
from parkcarbon.wire.frame import builder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HELD_MAX = 50_000
"""Readings kept in memory while the outbox is full; beyond it the oldest are lost, and their number is logged."""

Held = tuple[Row, Stamp]

_log = get("collector")


class Changes(Protocol):
    """Exchanged meters that are to be told in a batch; remembered until they are in one."""

    def untold(self) -> tuple[SerialChange, ...]:
        """Return what is to be told."""

    def told(self, changes: Sequence[SerialChange]) -> None:
        """These are in the outbox."""


class NoChanges:
    """Nothing is ever exchanged."""

    def untold(self) -> tuple[SerialChange, ...]:
        """Return nothing."""
        return ()

    def told(self, changes: Sequence[SerialChange]) -> None:
        """Nothing to forget."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one write makes safe: readings, and meters that were exchanged."""

    held: list[Held]
    changes: tuple[SerialChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes the batches.

    Attributes:
        park: organisation.
        source: own name.
        profiles: hashes of the device profiles in use.
        key: signs each batch; None: not signed.
    """

    park: str
    source: str
    profiles: tuple[str, ...] = ()
    key: "Ed25519PrivateKey | None" = None


class Store:
    """An outbox that takes drafts.

    Args:
        outbox: where they go.
        author: who makes them.
        clock: for the time of making.
        journal: whether the outbox keeps a journal.
    """

    def __init__(self, outbox: Outbox, author: Author, clock: Clock, *, journal: bool = False) -> None:
        self.outbox = outbox
        self._author = author
        self._clock = clock
        self._journal = journal

    def append(
        self, draft: Draft, rows: Sequence[Row], *, live: bool = True, note: tuple[str, str] | None = None
    ) -> int:
        """Store one batch for good; `rows` are what the journal shall say once this is done.

        Raises:
            OutboxFullError: no room.
        """
        author = self._author
        build = builder(
            draft,
            park=author.park,
            source=author.source,
            made=self._clock.now_ms(),
            profile=author.profiles,
            key=author.key,
        )
        lines = journal_lines(rows) if self._journal else b""
        return self.outbox.append(build, live=live, journal=lines, note=note)


class Collector:
    """Holds readings until they are in the outbox.

    Args:
        store: where to.
        clock: for waiting.
        flush_s: longest time a reading is held [s].
        flush_readings: a batch is made when so many are held.
        changes: exchanged meters, told ahead of the next readings.
        appended: called after each batch.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        flush_s: float = 1.0,
        flush_readings: int = 2000,
        changes: Changes | None = None,
        appended: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._flush_s = flush_s
        self._flush_readings = flush_readings
        self._changes = changes or NoChanges()
        self._appended = appended
        self._held: list[Held] = []
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._writing: asyncio.Future[Load] | None = None
        self._telling: tuple[SerialChange, ...] = ()
        self._outage = OutageLog(_log, "outbox_room", clock)

    def take(self, row: Row, stamp: Stamp) -> None:
        """Hold a reading; never waits."""
        self._held.append((row, stamp))
        self._some.set()
        if len(self._held) >= self._flush_readings:
            self._many.set()

    async def run(self) -> None:
        """Flush in time until cancelled, and once more then."""
        try:
            while True:
                await self._some.wait()
                await self._until_many()
                # In a thread: a slow disk must not make answers on the bus look late.
                self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, self._swap()))
                await asyncio.shield(self._writing)
                self._settle()
        finally:
            if self._writing is not None:
                await self._writing
                self._settle()
            self._take_over(self._write(self._swap()))

    async def _until_many(self) -> None:
        """Wait until a batch is worth making or its oldest reading has waited long enough."""
        many = asyncio.ensure_future(self._many.wait())
        late = asyncio.ensure_future(self._clock.sleep(self._flush_s))
        try:
            await asyncio.wait((many, late), return_when=asyncio.FIRST_COMPLETED)
        finally:
            many.cancel()
            late.cancel()

    def _swap(self) -> Load:
        held, self._held = self._held, []
        self._telling = self._changes.untold()
        self._some.clear()
        self._many.clear()
        return Load(held, self._telling)

    def _write(self, load: Load) -> Load:
        """Store changes, then readings; return those for which there is no room."""
        left: list[Held] = []
        untold = load.changes if load.changes and not self._write_changes(load.changes) else ()
        for certain in (True, False):
            part = [entry for entry in load.held if entry[1].certain is certain]
            if part:
                left += self._write_part(part, None if certain else part[-1][1].offset_ms)
        return Load(left, untold)

    def _write_changes(self, changes: tuple[SerialChange, ...]) -> bool:
        try:
            for draft in drafts((), serials=changes):
                self._store.append(draft, ())
        except OutboxFullError:
            return False
        return True

    def _write_part(self, part: list[Held], offset_ms: int | None) -> list[Held]:
        rows = [row for row, _ in part]
        stored = 0
        try:
            for draft in drafts(rows, offset_ms=offset_ms):
                self._store.append(draft, rows[stored : stored + draft.n])
                stored += draft.n
        except OutboxFullError:
            return part[stored:]
        return []

    def _settle(self) -> None:
        """Take over what a write has left."""
        if self._writing is not None:
            left, self._writing = self._writing.result(), None
            self._take_over(left)
            self._appended()

    def _take_over(self, left: Load) -> None:
        if not left.changes:
            self._changes.told(self._telling)
        self._telling = ()
        self._hold_again(left.held)

    def _hold_again(self, left: list[Held]) -> None:
        if not left:
            self._outage.up()
            return
        self._held[:0] = left
        lost = max(0, len(self._held) - HELD_MAX)
        self._outage.down(held=len(self._held))
        if lost:
            del self._held[:lost]
            _log.error("readings_lost", n=lost, reason="outbox and memory are full")
        self._some.set()
