"""Live stream: one computation of `Now` a change, shared by every client that watches the park.

A client holds no queue: it is woken and takes the newest snapshot, so a slow one skips states and never grows.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import DatabaseError

from .metrics import Metrics
from .problems import ProblemError
from .schemas import Now

log = structlog.get_logger(__name__)

MIN_PERIOD_S = 1.0
"""At most one event a second and park [s]."""
IDLE_PERIOD_S = 10.0
"""Without news the state is looked at this often: meters fall silent by themselves [s]."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A computed state.

    Attributes:
        number: rises by one with each snapshot that says something else than its time.
        now: the state.
        body: its JSON.
        made_s: monotonic time of the computation [s].
        dirty_count: notifications that it knows of.
    """

    number: int
    now: Now
    body: bytes
    made_s: float
    dirty_count: int


class Channel:
    """The snapshots of one park and whoever watches them."""

    def __init__(self, park: str, compute: Callable[[str], Awaitable[Now]], clock: Clock, metrics: Metrics) -> None:
        self.park = park
        self._compute = compute
        self._clock = clock
        self._metrics = metrics
        self._lock = asyncio.Lock()
        self._woken = asyncio.Event()
        self._notified_s: float | None = None
        self._dirty_count = 0
        self._task: asyncio.Task[None] | None = None
        self._watchers: set[asyncio.Event] = set()
        self.latest: Snapshot | None = None

    def notify(self) -> None:
        """Something was committed for this park."""
        self._dirty_count += 1
        if self._notified_s is None:
            self._notified_s = self._clock.monotonic()
        self._woken.set()

    async def fresh(self) -> Snapshot:
        """Return a snapshot that knows of every notification so far and is at most a second old."""
        async with self._lock:
            latest = self.latest
            if (
                latest is None
                or latest.dirty_count != self._dirty_count
                or self._clock.monotonic() - latest.made_s >= MIN_PERIOD_S
            ):
                latest = await self._make()
            return latest

    async def _make(self) -> Snapshot:
        dirty_count = self._dirty_count
        started_s = self._clock.monotonic()
        now = await self._compute(self.park)
        body = now.model_dump_json(by_alias=True).encode()
        made_s = self._clock.monotonic()
        self._metrics.now_seconds.observe(made_s - started_s)
        number = 1 if self.latest is None else self.latest.number + int(_differs(self.latest.now, now))
        self.latest = Snapshot(number, now, body, made_s, dirty_count)
        return self.latest

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[asyncio.Event]:
        """Yield an event that is set whenever there is a new snapshot; the first watcher starts the work."""
        event = asyncio.Event()
        self._watchers.add(event)
        if self._task is None:
            self._woken.set()
            self._task = asyncio.create_task(self._run(), name=f"live {self.park}")
        try:
            yield event
        finally:
            self._watchers.discard(event)
            if not self._watchers and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _run(self) -> None:
        while True:
            started_s = self._clock.monotonic()
            try:
                await self._publish()
            except (DatabaseError, ProblemError) as error:
                log.warning("live.failed", park=self.park, error=str(error))
            except Exception:
                log.exception("live.fault", park=self.park)
            await self._clock.sleep(max(0.0, started_s + MIN_PERIOD_S - self._clock.monotonic()))
            try:
                async with asyncio.timeout(IDLE_PERIOD_S - MIN_PERIOD_S):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def _publish(self) -> None:
        self._woken.clear()
        notified_s, self._notified_s = self._notified_s, None
        await self.fresh()
        for event in self._watchers:
            event.set()
        if notified_s is not None:
            self._metrics.notify_seconds.observe(self._clock.monotonic() - notified_s)

    def close(self) -> None:
        """Let every watcher go."""
        for event in self._watchers:
            event.set()


class Hub:
    """The channels of all parks.

    Args:
        compute: makes the state of a park.
        clock: time.
        metrics: where durations go.
        max_streams: watchers at once.
    """

    def __init__(
        self, compute: Callable[[str], Awaitable[Now]], clock: Clock, metrics: Metrics, max_streams: int
    ) -> None:
        self._compute = compute
        self._clock = clock
        self._metrics = metrics
        self._max_streams = max_streams
        self._streams = 0
        self._channels: dict[str, Channel] = {}
        self.run_id = secrets.token_hex(4)
        self.closing = False

    def channel(self, park: str) -> Channel:
        """Return the channel of a park that exists."""
        if park not in self._channels:
            self._channels[park] = Channel(park, self._compute, self._clock, self._metrics)
        return self._channels[park]

    def notify(self, park: str) -> None:
        """Something was committed for a park; an empty name means for any park."""
        channels = self._channels.values() if park == "" else filter(None, [self._channels.get(park)])
        for channel in list(channels):
            channel.notify()

    def admit(self) -> None:
        """Refuse a stream that would be one too many.

        Raises:
            ProblemError: 503.
        """
        if self._streams >= self._max_streams or self.closing:
            raise ProblemError(503, "too many live streams are open", {"Retry-After": "10"})

    @asynccontextmanager
    async def watch(self, park: str) -> AsyncIterator[tuple[Channel, asyncio.Event]]:
        """Watch a park: its channel, and an event that is set whenever there may be news."""
        self._streams += 1
        self._metrics.streams.set(self._streams)
        try:
            channel = self.channel(park)
            async with channel.watch() as event:
                yield channel, event
        finally:
            self._streams -= 1
            self._metrics.streams.set(self._streams)

    def close(self) -> None:
        """End every stream; the process is stopping."""
        self.closing = True
        for channel in self._channels.values():
            channel.close()


def _differs(before: Now, after: Now) -> bool:
    same_time = after.model_copy(update={"at": before.at, "local_time": before.local_time})
    return same_time != before
