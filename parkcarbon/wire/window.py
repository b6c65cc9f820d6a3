"""What to send next: the sending window of the custody protocol as a pure state machine.

Live batches go first, backlog in order and paced, at most `size` without an answer. A batch without an answer is sent
again, later each time; after a reconnect at once. `stored` frees its place in the window, and is asked after again
much later, because only `committed` ends custody.
"""

import heapq
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_ANSWER_TIME_S = 2.0

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """Limits of a window.

    Attributes:
        size: batches without an answer.
        live_places: of these, kept free of backlog.
        retry_s: time to the first repetition [s].
        retry_ceiling_s: longest time between repetitions [s].
        stored_retry_s: time after which a relay that said `stored` is asked again [s].
        live_age_s: a live batch that was not sent for this long is backlog [s].
        backlog_per_s: backlog batches per second.
    """

    size: int = 32
    live_places: int = 8
    retry_s: float = 3.0
    retry_ceiling_s: float = 30.0
    stored_retry_s: float = 600.0
    live_age_s: float = 60.0
    backlog_per_s: float = 100.0


@dataclass(slots=True)
class _Flight:
    sent_s: float
    due_s: float
    attempts: int
    backlog: bool


@dataclass(slots=True)
class Window(Generic[Key]):
    """The state; every method takes the monotonic time of now [s]."""

    settings: WindowSettings
    rng: random.Random
    _live: deque[tuple[float, int, Key]] = field(default_factory=deque)
    _backlog: list[tuple[int, Key]] = field(default_factory=list)
    _flights: dict[Key, _Flight] = field(default_factory=dict)
    _held: dict[Key, int] = field(default_factory=dict)
    _held_due: list[tuple[float, int, Key]] = field(default_factory=list)
    _waiting: dict[Key, bool] = field(default_factory=dict)  # not in flight; True: backlog
    _backlog_from_s: float = float("-inf")

    def __contains__(self, key: Key) -> bool:
        return key in self._waiting or key in self._flights or key in self._held

    @property
    def backlog(self) -> bool:
        """Whether older batches still wait or are under way."""
        return any(flight.backlog for flight in self._flights.values()) or any(self._waiting.values())

    def add(self, key: Key, order: int, now_s: float, *, live: bool) -> None:
        """Take a batch into the queue; `order` sorts the backlog."""
        if key in self:
            return
        self._waiting[key] = not live
        if live:
            self._live.append((now_s, order, key))
        else:
            heapq.heappush(self._backlog, (order, key))

    def hold(self, key: Key, order: int, now_s: float, *, within_s: float | None = None) -> None:
        """A relay has the batch: ask again only after a long time (or at some time `within_s`)."""
        self._flights.pop(key, None)
        self._waiting.pop(key, None)
        wait_s = self.settings.stored_retry_s if within_s is None else within_s
        self._held[key] = order
        heapq.heappush(self._held_due, (now_s + wait_s * self.rng.uniform(0.5, 1.0), order, key))

    def acknowledge(self, key: Key, now_s: float) -> None:
        """Forget a batch: it is committed, refused or gone."""
        self._waiting.pop(key, None)
        self._held.pop(key, None)
        flight = self._flights.pop(key, None)
        if flight is not None and flight.attempts > 1:
            # The receiver is back: what it did not answer while away need not wait for its turn.
            for other in self._flights.values():
                if other.sent_s + _ANSWER_TIME_S < flight.sent_s:
                    other.due_s = now_s

    def reconnect(self, now_s: float) -> None:
        """The connection is new: everything without an answer is due, what a relay stored is asked after soon."""
        for flight in self._flights.values():
            flight.due_s = now_s
        held, self._held = self._held, {}
        self._held_due.clear()
        for key, order in held.items():
            self.hold(key, order, now_s, within_s=60.0)

    def next(self, now_s: float) -> Key | None:
        """Return the batch to send now and count it as sent, or None."""
        self._age(now_s)
        for key, flight in self._flights.items():
            if flight.due_s <= now_s:
                flight.attempts += 1
                self._launch(key, flight, now_s)
                return key
        if len(self._flights) >= self.settings.size:
            return None
        while self._live:
            key = self._live.popleft()[2]
            if self._waiting.pop(key, None) is not None:
                self._launch(key, _Flight(0, 0, 1, backlog=False), now_s)
                return key
        return self._next_backlog(now_s)

    def _next_backlog(self, now_s: float) -> Key | None:
        if len(self._flights) >= self.settings.size - self.settings.live_places or now_s < self._backlog_from_s:
            return None
        while self._backlog:
            key = heapq.heappop(self._backlog)[1]
            if self._waiting.pop(key, None) is not None:
                self._backlog_from_s = now_s + 1.0 / self.settings.backlog_per_s
                self._launch(key, _Flight(0, 0, 1, backlog=True), now_s)
                return key
        return None

    def _launch(self, key: Key, flight: _Flight, now_s: float) -> None:
        pause_s = min(self.settings.retry_ceiling_s, self.settings.retry_s * 2 ** min(flight.attempts - 1, 10))
        flight.sent_s = now_s
        flight.due_s = now_s + pause_s * self.rng.uniform(0.75, 1.0)
        self._flights[key] = flight

    def _age(self, now_s: float) -> None:
        """Move what waited too long to be live, and what a relay was asked for long ago, to the backlog."""
        while self._live and self._live[0][0] + self.settings.live_age_s <= now_s:
            _, order, key = self._live.popleft()
            if key in self._waiting:
                self._waiting[key] = True
                heapq.heappush(self._backlog, (order, key))
        while self._held_due and self._held_due[0][0] <= now_s:
            _, order, key = heapq.heappop(self._held_due)
            if self._held.pop(key, None) is not None:
                self._waiting[key] = False
                heapq.heappush(self._backlog, (order, key))

    def wait_s(self, now_s: float) -> float:
        """Return how long nothing will be due unless something is added or answered [s]; at most a minute."""
        due = [flight.due_s for flight in self._flights.values()]
        if self._held_due:
            due.append(self._held_due[0][0])
        if self._live and len(self._flights) < self.settings.size:
            due.append(now_s)
        if self._backlog and len(self._flights) < self.settings.size - self.settings.live_places:
            due.append(self._backlog_from_s)
        return max(0.0, min([*due, now_s + 60.0]) - now_s)
