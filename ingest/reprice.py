"""Months priced anew because another factor applies: the energy stays, CO2e, factor and match of its intervals change.

On plain PostgreSQL a month of which much changes is written once more beside the one in use, while readings keep
coming; then, for about a second, nobody writes: what changed meanwhile is taken over and the new month takes the place
of the old. A month of which little changes, and every month on TimescaleDB, is updated in place, some points at a time.
Each step is one transaction that also takes its stretch from the queue: whatever stops it, the stored months are whole,
and what was not done is still queued.

Why this is right while others write: whoever writes intervals prices them with the newest configuration and holds
`config_version` shared; rows written since the copy began are found by their transaction number and priced again.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import structlog

from parkcarbon.books.derive.announce import MonthSpan
from parkcarbon.books.derive.carbon import CarbonBook
from parkcarbon.books.derive.model import EMPTY, load_model
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import DatabaseError, Row, Session, UnavailableError, to_ms
from parkcarbon.kit.service import within

from .absorb import lock_points
from .partitions import HOUR, INTERVAL, first_day, partition_name
from .pool import Writer
from .prices import Prices, prices_of
from .queries import QUERIES
from .results import roll_up, roll_up_days
from .rollup import HOUR_MS, hours_of

log = structlog.get_logger(__name__)

MONTHS_AT_ONCE = 2
"""Months written at the same time: one a processor of a small server."""

REWRITE_SHARE = 0.2
"""From this share of its rows on a month is written anew: an update costs about five times as much a row."""

POINTS_AT_ONCE = 40
"""Points of a month updated in one transaction: whoever brings readings of them waits for it."""

SWAP_TRIES = 40
SWAP_PAUSE_S = 2.0
LOCK_WAIT_MS = 2_000
"""A swap that cannot begin within this time lets everybody pass and is tried again."""

_LOCK = 0x72707263  # "rprc"
_POLL_S = 1.0
_NO_HOURS = hours_of(np.zeros(0, np.int32), np.zeros(0, np.int64))


class Repricer:
    """Works off the queue `reprice`."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._database = writer.database
        self._clock = clock
        self._book = CarbonBook(EMPTY)
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled; a database that is away is tried again."""
        while True:
            try:
                busy = await self.step()
            except DatabaseError as error:
                log.warning("reprice.failed", error=str(error))
                busy = 0
            if not busy:
                self.wake.clear()
                await within(_POLL_S, self.wake.wait())

    async def step(self) -> int:
        """Price the newest months that wait anew and return how many were done or carried on."""
        months = await self._database.fetch(QUERIES["reprice_months"])
        chosen = months[:MONTHS_AT_ONCE]
        work = [self._month(row["month"], row["intervals"]) for row in chosen]
        done = await asyncio.gather(*work, return_exceptions=True)  # one that fails does not stop the other half-way
        for failed in done:
            if isinstance(failed, BaseException):
                raise failed
        return sum(one is True for one in done)

    async def _month(self, month: int, intervals: int) -> bool:
        if not self._database.timescale:
            size = await self._database.fetchval(QUERIES["partition_size"], partition_name(INTERVAL, month))
            if intervals >= REWRITE_SHARE * max(size or 0, 1):
                return await self._rewrite(month)
        return await self._update(month)

    async def _know(self, session: Session, version: int) -> CarbonBook:
        """Return the factors of a configuration; never the writer's own, which others are using meanwhile."""
        if version != self._book.model.version:
            self._book = CarbonBook(await load_model(session))
        return self._book

    # ── in place ─────────────────────────────────────────────────────────────────────────────────

    async def _update(self, month: int) -> bool:
        """Update some points of a month; False where somebody else has them."""
        low, high = first_day(month), first_day(month + 1)
        async with self._database.transaction() as session:
            book = await self._know(session, await session.fetchval(QUERIES["version_for_share"]))
            spans = _spans(await session.fetch(QUERIES["take_reprice"], month, POINTS_AT_ONCE), month)
            if not spans:
                return False
            await lock_points(session, [span.point_id for span in spans], book.model)
            await prices_of(spans, book).fill(session)
            changed = await session.execute(QUERIES["reprice_rows"], low, high)
            await roll_up(session, *_marks(spans), book.model, emptied=_NO_HOURS)
            await self._finish(session, month, spans, book)
        log.info("reprice.updated", month=f"{low:%Y-%m}", points=len(spans), intervals=changed)
        return True

    async def _finish(self, session: Session, month: int, spans: Sequence[MonthSpan], book: CarbonBook) -> None:
        await session.execute(QUERIES["delete_reprice"], month, [span.point_id for span in spans])
        for park in sorted({book.model.by_id[span.point_id].park for span in spans}):
            await session.execute(QUERIES["notify"], "parkcarbon_live", park)

    # ── written anew ─────────────────────────────────────────────────────────────────────────────

    async def _rewrite(self, month: int) -> bool:
        """Write a month anew and swap it in; False where another worker does, or the configuration moved meanwhile."""
        async with self._database.session() as session:
            if not await session.fetchval(QUERIES["try_lock"], _LOCK, month):
                return False
            try:
                return await self._rewrite_locked(session, month)
            finally:
                with contextlib.suppress(DatabaseError):  # a lost connection has lost its locks
                    await session.fetchval(QUERIES["unlock"], _LOCK, month)

    async def _rewrite_locked(self, session: Session, month: int) -> bool:
        names = partition_name(INTERVAL, month), partition_name(HOUR, month)
        await self._writer.partitions.ensure({(INTERVAL, month), (HOUR, month)})
        begun = self._clock.monotonic()
        async with session.transaction():
            version = await session.fetchrow(QUERIES["version"])
            book = await self._know(session, 0 if version is None else version["version"])
            spans = _spans(await session.fetch(QUERIES["reprice_of_month"], month), month)
            prices = prices_of(spans, book)
            await prices.fill(session)
            horizon = await session.fetchval(QUERIES["horizon"])
            bounds = first_day(month), first_day(month + 1)
            written = await session.fetchval(QUERIES["rewrite_month"], *names, *bounds)
            await self._sum_days(session, month, spans, book)
        copied = self._clock.monotonic()
        copy = _Copy(month, names, spans, prices, horizon, written)
        for _ in range(SWAP_TRIES):
            try:
                swapped = await self._swap(session, copy)
            except UnavailableError as error:
                log.info("reprice.swap_waits", month=names[0], reason=str(error))
                await self._clock.sleep(SWAP_PAUSE_S)
            else:
                log.info(
                    "reprice.rewritten",
                    month=f"{bounds[0]:%Y-%m}",
                    intervals=written,
                    swapped=swapped,
                    copy_s=round(copied - begun, 2),
                    swap_s=round(self._clock.monotonic() - copied, 2),
                )
                return swapped
        return False

    async def _sum_days(self, session: Session, month: int, spans: Sequence[MonthSpan], book: CarbonBook) -> None:
        """Work out what the whole local days inside the month will have, so that the swap need not."""
        await session.execute(QUERIES["forget_days"], month)
        by_zone: dict[ZoneInfo, list[int]] = {}
        for span in spans:
            by_zone.setdefault(book.model.parks[book.model.by_id[span.point_id].park].zone, []).append(span.point_id)
        for zone, points in by_zone.items():
            days, lows, even = _local_days(month, zone)
            source = partition_name(HOUR if even else INTERVAL, month) + "_next"
            await session.fetchval(QUERIES["sum_days"], source, month, points, days, lows)

    async def _swap(self, session: Session, copy: "_Copy") -> bool:
        """Put the new month in place of the old, unless what it is to be priced with has changed since."""
        month, spans = copy.month, copy.spans
        async with session.transaction():
            await session.fetchval(QUERIES["wait_at_most"], str(LOCK_WAIT_MS))
            book = await self._know(session, await session.fetchval(QUERIES["version_for_update"]))
            now = _spans(await session.fetch(QUERIES["reprice_of_month"], month), month)
            if now != spans or not prices_of(now, book).same(copy.prices):
                return False
            await copy.prices.fill(session)
            taken = await session.fetchval(QUERIES["take_over"], *copy.names, month, copy.horizon, copy.written)
            changed = await session.fetch(QUERIES["reprice_changed_hours"])
            await session.execute(QUERIES["put_in_place"], *copy.names, first_day(month), first_day(month + 1))
            owner, start_ms = _edges(spans, month)
            owner = np.append(owner, np.array([row["point_id"] for row in changed], dtype=np.int32))
            start_ms = np.append(start_ms, np.array([to_ms(row["start"]) for row in changed], dtype=np.int64))
            await roll_up_days(session, owner, start_ms, book.model, emptied=_NO_HOURS)
            await self._finish(session, month, spans, book)
        log.debug("reprice.swapped", taken_over=taken)
        return True


@dataclass(frozen=True)
class _Copy:
    """A month that is written and waits to be put in place.

    Attributes:
        month: months since 1970.
        names: its partitions of intervals and hours.
        spans: what was queued.
        prices: what they were priced with.
        horizon: oldest transaction that was running when the copy began.
        written: rows.
    """

    month: int
    names: tuple[str, str]
    spans: Sequence[MonthSpan]
    prices: Prices
    horizon: str
    written: int


def _local_days(month: int, zone: ZoneInfo) -> tuple[list[dt.date], list[dt.datetime], bool]:
    """Local days that begin inside a month UTC, with their begins, and whether all begin on a full hour UTC."""
    low, high = first_day(month), first_day(month + 1)
    day = low.astimezone(zone).date()
    days: list[dt.date] = []
    lows: list[dt.datetime] = []
    while (begin := dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)) < high:
        if begin >= low:
            days.append(day)
            lows.append(begin)
        day += dt.timedelta(days=1)
    return days, lows, all(to_ms(begin) % HOUR_MS == 0 for begin in lows)


def _edges(spans: Sequence[MonthSpan], month: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last moment of a month for each point: the local days and months that reach beyond it."""
    ends = to_ms(first_day(month)), to_ms(first_day(month + 1)) - INTERVAL_MS
    owner = np.array([span.point_id for span in spans], dtype=np.int32)
    return np.repeat(owner, 2), np.tile(np.array(ends, dtype=np.int64), len(spans))


def _spans(rows: Sequence[Row], month: int) -> list[MonthSpan]:
    return [MonthSpan(row["point_id"], month, to_ms(row["from_time"]), to_ms(row["to_time"])) for row in rows]


def _marks(spans: Sequence[MonthSpan]) -> tuple[np.ndarray, np.ndarray]:
    """A time in every hour of some stretches, with their points."""
    parts = [np.append(np.arange(span.from_ms, span.to_ms, HOUR_MS), span.to_ms - INTERVAL_MS) for span in spans]
    owner = np.array([span.point_id for span in spans], dtype=np.int32)
    return np.repeat(owner, [len(part) for part in parts]), np.concatenate(parts).astype(np.int64)
