"""Group commit: whatever waits when the last transaction ends is the next one, at most 20,000 readings, no timer."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from parkcarbon.kit.backoff import Backoff
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import DatabaseError, RejectedError, from_ms
from parkcarbon.wire.errors import Reason

from . import metrics
from .pool import Batch, Outcome, Verdict, Writer

log = structlog.get_logger(__name__)

POOL_READINGS = 20_000
"""Most readings of one transaction, unless a single batch has more."""

WAITING_READINGS = 2 * POOL_READINGS
"""Most readings that wait; beyond it the broker is no longer read."""

Deliver = Callable[[Sequence[tuple[Batch, Outcome]]], Awaitable[None]]


class Group:
    """Collects batches and commits them in pools.

    Args:
        writer: commits.
        clock: time of reception, and pauses between attempts.
        backoff: pauses while the database is away.
        deliver: is told the outcome of each pool once it is committed.
        backlog: whether the source of a batch is sending older batches.
    """

    def __init__(
        self, writer: Writer, clock: Clock, backoff: Backoff, deliver: Deliver, backlog: Callable[[Batch], bool]
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._backoff = backoff
        self._deliver = deliver
        self._backlog = backlog
        self._waiting: deque[Batch] = deque()
        self._readings = 0
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, batch: Batch) -> None:
        """Queue a batch; waits while too many readings wait already."""
        await self._room.wait()
        self._waiting.append(batch)
        self._count(batch.header.n)
        self._some.set()

    def _count(self, readings: int) -> None:
        self._readings += readings
        metrics.WAITING.set(self._readings)
        if self._readings >= WAITING_READINGS:
            self._room.clear()
        else:
            self._room.set()

    def _take(self) -> list[Batch]:
        pool = [self._waiting.popleft()]
        total = pool[0].header.n
        while self._waiting and total + self._waiting[0].header.n <= POOL_READINGS:
            pool.append(self._waiting.popleft())
            total += pool[-1].header.n
        self._count(-total)
        if not self._waiting:
            self._some.clear()
        return pool

    async def run(self) -> None:
        """Commit pool after pool until cancelled."""
        while True:
            await self._some.wait()
            pool = self._take()
            outcomes = await self.commit(pool)
            await self._deliver(list(zip(pool, outcomes, strict=True)))

    async def commit(self, pool: Sequence[Batch]) -> list[Outcome]:
        """Commit a pool however often it takes.

        A database that is away or broken is tried again; where the data is to blame, the batches are committed one by
        one and only one that fails alone is refused.
        """
        while True:
            begun = self._clock.monotonic()
            try:
                backlog = any(self._backlog(batch) for batch in pool)
                outcomes = await self._writer.commit(pool, from_ms(self._clock.now_ms()), backlog=backlog)
            except Exception as error:
                metrics.FAILURES.inc()
                if not isinstance(error, DatabaseError) or (isinstance(error, RejectedError) and error.by_data):
                    log.exception("pool.failed", batches=len(pool))
                    return await self._one_by_one(pool, error)
                log.warning("pool.retried", error=str(error), batches=len(pool))
                await self._clock.sleep(self._backoff.next_s())
            else:
                self._backoff.reset()
                _measure(outcomes, self._clock.monotonic() - begun)
                return outcomes

    async def _one_by_one(self, pool: Sequence[Batch], error: Exception) -> list[Outcome]:
        if len(pool) == 1:
            return [Outcome(Verdict.REFUSED, Reason.UNDECODABLE, f"cannot be stored: {error}"[:500])]
        return [outcome for batch in pool for outcome in await self.commit([batch])]


def _measure(outcomes: Sequence[Outcome], seconds: float) -> None:
    metrics.POOLS.inc()
    metrics.POOL_SECONDS.observe(seconds)
    metrics.READINGS.inc(sum(outcome.readings for outcome in outcomes))
    new = [outcome for outcome in outcomes if outcome.verdict is Verdict.COMMITTED]
    metrics.QUARANTINED.inc(sum(outcome.quarantined for outcome in new))
    for outcome in outcomes:
        metrics.BATCHES.labels(verdict=outcome.verdict.value).inc()
