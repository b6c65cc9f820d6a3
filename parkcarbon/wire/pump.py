"""Moves batches from a durable store to a broker, in the order that a window decides."""

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol

import structlog

from .window import Key, Window

_log = structlog.get_logger(part="pump")


class Publisher(Protocol):
    """What a sender needs of a broker connection; implemented by `parkcarbon.kit.mqtt.Mqtt`."""

    async def connected(self) -> int:
        """Wait for a connection; return its number, another one after each reconnect."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand a message to the broker; raises ConnectionError where that fails. Success proves nothing."""


class ClockPort(Protocol):
    """What a sender needs of a clock."""

    def now_ms(self) -> int:
        """Wall time [ms UTC]."""

    def monotonic(self) -> float:
        """Monotonic time [s]."""

    async def sleep(self, seconds: float) -> None:
        """Wait [s]."""


class Pump(Generic[Key]):
    """Sends what a window says is due, over reconnects.

    Args:
        window: decides what is next.
        publisher: where to.
        clock: time.
        load: topic and bytes of a batch, None where it is gone.
        discover: adds what is new in the store to the window; called after `wake`.
        reconnected: called after each new connection.
        concurrent: batches handed to the broker at the same time.
    """

    def __init__(
        self,
        window: Window[Key],
        *,
        publisher: Publisher,
        clock: ClockPort,
        load: Callable[[Key], tuple[str, bytes] | None],
        discover: Callable[[], None],
        reconnected: Callable[[], None],
        concurrent: int = 4,
    ) -> None:
        self._window = window
        self._publisher = publisher
        self._clock = clock
        self._load = load
        self._discover = discover
        self._reconnected = reconnected
        self._places = asyncio.Semaphore(concurrent)
        self._changed = asyncio.Event()
        self._connection = 0

    def wake(self) -> None:
        """Something is new, or was answered."""
        self._changed.set()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._await_connection()
                if self._changed.is_set():
                    self._changed.clear()
                    self._discover()
                await self._places.acquire()
                now_s = self._clock.monotonic()
                key = self._window.next(now_s)
                loaded = None if key is None else self._load(key)
                if key is None or loaded is None:
                    self._places.release()
                    if key is None:
                        await until(self._changed, self._clock, self._window.wait_s(now_s))
                    else:
                        self._window.acknowledge(key, now_s)
                    continue
                tasks.create_task(self._publish(*loaded))

    async def _await_connection(self) -> None:
        connection = await self._publisher.connected()
        if connection != self._connection:
            self._connection = connection
            self._window.reconnect(self._clock.monotonic())
            self._reconnected()

    async def _publish(self, topic: str, frame: bytes) -> None:
        try:
            await self._publisher.publish(topic, frame)
        except ConnectionError as error:
            _log.debug("batch_not_sent", topic=topic, error=str(error))
        finally:
            self._places.release()


async def until(event: asyncio.Event, clock: ClockPort, seconds: float) -> None:
    """Wait for an event, at most for some time [s]."""
    waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(clock.sleep(seconds))]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
