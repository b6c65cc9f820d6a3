"""Send what a data logger kept before the agent was connected, once, however often the agent is killed in between.

How far it has come is remembered in the outbox, in the transaction that stores the batch, under the hash of the file.
The file is cut into batches the same way each time.

Two forms, by suffix:

- `.npz`, numpy arrays: `points` (names `device/quantity`), and parallel `p` (index into it), `t` [ms UTC], `x` (NaN: no
  value), `q` (quality code).
- `.jsonl`, one reading per line: `[point, t, x, q]` or `[point, t, x, q, d]`, as in a journal.
"""

import asyncio
import hashlib
import math
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from parkcarbon.domain.reading import Quality
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.log import OutageLog, get
from parkcarbon.kit.outbox import OutboxFullError
from parkcarbon.wire.body import Draft, Row, drafts

from .collector import Store
from .errors import BackfillError

BATCH_READINGS = 3000
ROOM_SHARE = 0.5
"""Share of the outbox that history may fill; the rest is for what happens now."""
_ROOM_WAIT_S = 5.0
_DONE = "done"

_log = get("backfill")
_line = msgspec.json.Decoder(Row)


class Backfill:
    """One file.

    Args:
        path: the file.
        store: where to.
        clock: for waiting.
        appended: called after each batch.
    """

    def __init__(self, path: Path, store: Store, *, clock: Clock, appended: Callable[[], None] = lambda: None) -> None:
        self._path = path
        self._store = store
        self._clock = clock
        self._appended = appended
        self._outage = OutageLog(_log.bind(file=path.name), "outbox_room", clock)

    async def run(self) -> int:
        """Store all that is not stored yet; return how many readings that was.

        Raises:
            BackfillError: the file cannot be read. What came before the fault is stored.
        """
        name = f"backfill:{await asyncio.to_thread(_digest, self._path)}"
        known = self._store.outbox.note(name)
        if known == _DONE:
            return 0
        at = start = int(known or 0)
        _log.info("backfill_started", file=self._path.name, at=start)
        reader = rows_of(self._path, start)
        rows = await asyncio.to_thread(_take, reader)
        while rows:
            following = await asyncio.to_thread(_take, reader)
            await self._append(name, rows, at, last=not following)
            at += len(rows)
            rows = following
        _log.info("backfill_done", file=self._path.name, readings=at - start)
        return at - start

    async def _append(self, name: str, rows: list[Row], at: int, *, last: bool) -> None:
        """Store some readings that begin at `at`, with how far that is."""
        parts = drafts(rows, most=BATCH_READINGS)
        for index, draft in enumerate(parts):
            mine, rows = rows[: draft.n], rows[draft.n :]
            at += draft.n
            note = (name, _DONE if last and index == len(parts) - 1 else str(at))
            while not await asyncio.to_thread(self._try, draft, mine, note):
                self._outage.down()
                await self._clock.sleep(_ROOM_WAIT_S)
            self._outage.up()
            self._appended()

    def _try(self, draft: Draft, rows: list[Row], note: tuple[str, str]) -> bool:
        """Append where history still has room; return whether it had."""
        if self._store.outbox.stats().used > ROOM_SHARE:
            return False
        try:
            self._store.append(draft, rows, live=False, note=note)
        except OutboxFullError:
            return False
        return True


def rows_of(path: Path, start: int) -> Iterator[Row]:
    """Yield the readings of a file from number `start` on.

    Raises:
        BackfillError: naming file and place.
    """
    if path.suffix == ".npz":
        yield from _rows_of_npz(path, start)
    elif path.suffix == ".jsonl":
        yield from _rows_of_lines(path, start)
    else:
        raise BackfillError(f"{path}: neither .npz nor .jsonl")


def _rows_of_npz(path: Path, start: int) -> Iterator[Row]:
    import numpy as np  # 20 MB that an agent without history does without

    try:
        with np.load(path, allow_pickle=False) as file:
            names = [str(name) for name in file["points"]]
            columns = [file[key][start:] for key in ("p", "t", "x", "q")]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BackfillError(f"{path}: {error}") from None
    p, t, x, q = columns
    if len({len(column) for column in columns}) != 1 or any(column.ndim != 1 for column in columns):
        raise BackfillError(f"{path}: arrays differ in length: {[len(column) for column in columns]}")
    if len(p) and not (p.min() >= 0 and p.max() < len(names)):
        raise BackfillError(f"{path}: p points outside the {len(names)} points")
    for first in range(0, len(p), BATCH_READINGS):
        part = slice(first, first + BATCH_READINGS)
        for index, time_ms, value, quality in zip(
            p[part].tolist(), t[part].tolist(), x[part].tolist(), q[part].tolist(), strict=True
        ):
            yield _row(Row(names[index], time_ms, value, quality))


def _rows_of_lines(path: Path, start: int) -> Iterator[Row]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(islice(file, start, None), start + 1):
                try:
                    yield _row(_line.decode(line))
                except msgspec.DecodeError as error:
                    raise BackfillError(f"{path}:{number}: {error} (it is {line[:80]!r})") from None
    except OSError as error:
        raise BackfillError(f"{path}: {error.strerror}") from None


def _row(row: Row) -> Row:
    """Say "no value" the one way there is."""
    if row.x is None or not math.isfinite(row.x):
        quality = row.q or int(Quality.NOT_AVAILABLE)
        return Row(row.point, row.t, None, quality, row.d)
    return row


def _take(rows: Iterator[Row]) -> list[Row]:
    return list(islice(rows, BATCH_READINGS))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BackfillError(f"{path}: {error.strerror}") from None
