"""Time as something one is given: wall clock, monotonic clock, sleep; and time stamps that never run back."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """What a service may know about time."""

    def now_ms(self) -> int:
        """Return wall time [ms UTC]; may jump."""

    def monotonic(self) -> float:
        """Return a time that only runs forward [s]."""

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` [s]."""


class SystemClock:
    """The clock of this machine."""

    def now_ms(self) -> int:
        """Return wall time [ms UTC]."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return monotonic time [s]."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` [s]."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands until it is moved, for tests.

    Args:
        now_ms: wall time to begin with [ms UTC].
    """

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._wall_ms = now_ms
        self._mono_s = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        """Return wall time [ms UTC]."""
        return self._wall_ms

    def monotonic(self) -> float:
        """Return monotonic time [s]."""
        return self._mono_s

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved by `seconds` [s]."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._mono_s + seconds, next(self._order), future))
        await future

    def step(self, ms: int) -> None:
        """Move the wall clock only, as a correction of the system time does [ms]."""
        self._wall_ms += ms

    def advance(self, seconds: float) -> None:
        """Move both clocks and wake whoever sleeps until then [s]."""
        self._mono_s += seconds
        self._wall_ms += round(seconds * 1000)
        while self._sleepers and self._sleepers[0][0] <= self._mono_s:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time stamp with what is known about it.

    Attributes:
        time_ms: anchored time [ms UTC], never smaller than the one before.
        certain: False after an unsynchronised start or a step of the wall clock.
        offset_ms: wall time minus anchored time [ms].
    """

    time_ms: int
    certain: bool
    offset_ms: int


class AnchoredClock:
    """Time stamps from the monotonic clock, anchored to wall time, that never decrease.

    Corrections of the wall clock up to `step_ms` between two stamps are followed. After a larger step, or from a start
    without a valid wall clock, stamps go on by the monotonic clock and are uncertain, with the offset told. Once the
    wall clock has kept its new course for `settle_s` and is not behind the stamps, it is trusted again.

    Args:
        clock: source of both times.
        synced: whether the wall clock can be trusted; asked at the start and while it is not.
        step_ms: how far the wall clock may move between two stamps beyond elapsed time [ms].
        settle_s: how long it must run evenly before it is trusted again [s].
        earliest_ms: an earlier wall time is no time at all: a board without a battery starts in 1970 [ms UTC].
    """

    def __init__(
        self,
        clock: Clock,
        *,
        synced: Callable[[], bool] = lambda: True,
        step_ms: int = 2000,
        settle_s: float = 60.0,
        earliest_ms: int = 1_577_836_800_000,
    ) -> None:
        self._clock = clock
        self._step_ms = step_ms
        self._settle_s = settle_s
        self._earliest_ms = earliest_ms
        self._wall_ms = clock.now_ms()
        self._mono_s = clock.monotonic()
        self._synced = synced
        self._certain = synced() and self._wall_ms >= earliest_ms
        self._last_ms = self._wall_ms
        self._course_ms = 0  # offset when the wall clock last stepped
        self._even_since_s = self._mono_s

    def stamp(self) -> Stamp:
        """Return the time of now."""
        mono_s, wall_ms = self._clock.monotonic(), self._clock.now_ms()
        anchored_ms = self._wall_ms + round((mono_s - self._mono_s) * 1000)
        offset_ms = wall_ms - anchored_ms
        if abs(offset_ms - self._course_ms) > self._step_ms:
            self._certain = False
            self._course_ms = offset_ms
            self._even_since_s = mono_s
        if not self._certain and self._settled(mono_s, wall_ms):
            self._certain = True
        if self._certain:
            self._wall_ms, self._mono_s = wall_ms, mono_s
            self._course_ms, offset_ms, anchored_ms = 0, 0, wall_ms
        self._last_ms = max(self._last_ms, anchored_ms)
        return Stamp(self._last_ms, self._certain, offset_ms)

    def _settled(self, mono_s: float, wall_ms: int) -> bool:
        even = mono_s - self._even_since_s >= self._settle_s
        return even and wall_ms >= max(self._last_ms, self._earliest_ms) and self._synced()
