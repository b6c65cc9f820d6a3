"""Hands messages over: each channel by a task of its own, so that a slow or dead one delays nobody else.

A message is claimed for longer than a send may take, sent outside any transaction, and marked. Whoever dies in between
leaves it to the next, who sends it again with the same key: at least once. What is not taken is tried again, later and
later, for a day; then it is `dead`, which people see.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec
import structlog

from parkcarbon.alarm.store import QUERIES
from parkcarbon.kit.backoff import Backoff
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import Database, DatabaseError, Row, from_ms, to_ms
from parkcarbon.kit.service import within

from . import metrics
from .channels.base import Channel, ChannelError, Message

log = structlog.get_logger(__name__)

AT_ONCE: Final = 12
"""Messages of one channel under way."""
FIRST_PAUSE_MS: Final = 2_000
LONGEST_PAUSE_MS: Final = 300_000
GIVE_UP_MS: Final = 86_400_000
"""So long after it was made a message is given up [ms]."""


class ChannelsOf(Protocol):
    """Channels by name."""

    def get(self, name: str) -> Channel | None:
        """The channel of that name; None: this process has no address for it."""


def pause_ms(attempts: int) -> int:
    """How long to wait after so many attempts [ms].

    >>> [pause_ms(n) for n in (1, 2, 3, 10)]
    [2000, 4000, 8000, 300000]
    """
    return min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << min(attempts - 1, 20))


class Outbox:
    """Sends what is in `alarm_message`.

    Args:
        database: pool.
        channels: where messages go.
        clock: time.
        rng: jitter.
        send_s: longest a channel may take for one message [s]; it is claimed twice as long.
        tick_s: longest pause between two looks at a channel [s].
    """

    def __init__(
        self,
        database: Database,
        channels: ChannelsOf,
        clock: Clock,
        rng: random.Random,
        *,
        send_s: float = 30.0,
        tick_s: float = 5.0,
    ) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._rng = rng
        self._send_s = send_s
        self._tick_s = tick_s
        self._woken: dict[str, asyncio.Event] = {}
        self._any = asyncio.Event()

    def wake(self, channel: str) -> None:
        """There is a message for a channel; an empty name: for any."""
        for name in [channel] if channel else list(self._woken):
            if name in self._woken:
                self._woken[name].set()
        self._any.set()

    async def run(self) -> None:
        """Send until cancelled; a channel gets its task with its first message."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._any.clear()
                for name in await self._waiting():
                    if name not in self._woken:
                        self._woken[name] = asyncio.Event()
                        tasks.create_task(self._serve(name), name=f"channel {name}")
                await within(self._tick_s, self._any.wait())

    async def _waiting(self) -> list[str]:
        try:
            rows = await self._database.fetch(QUERIES["channels_waiting"])
        except DatabaseError as error:
            log.warning("outbox.database", error=str(error))
            return []
        return [row["channel"] for row in rows]

    async def _serve(self, name: str) -> None:
        """Messages of one channel, for ever. While it fails, it is asked less and less often."""
        backoff = Backoff(first_s=1.0, ceiling_s=60.0, rng=self._rng)
        failing = False
        while True:
            self._woken[name].clear()
            try:
                done = await self.send_some(name, limit=1 if failing else AT_ONCE)
                if failing and done and all(done):
                    await self._again(name)
            except DatabaseError as error:
                log.warning("outbox.database", channel=name, error=str(error))
                done = [False]
            if done and not all(done):
                failing = True
                await self._clock.sleep(backoff.next_s())
            elif done:
                failing = False
                backoff.reset()
            else:
                await within(await self._pause_s(name), self._woken[name].wait())

    async def _pause_s(self, name: str) -> float:
        """Until the next message of a channel may go [s]; it is woken before, if there is a new one."""
        try:
            rows = await self._database.fetch(QUERIES["channels_waiting"])
        except DatabaseError:
            return self._tick_s
        next_ms = min((to_ms(row["next_at"]) for row in rows if row["channel"] == name), default=None)
        if next_ms is None:
            return self._tick_s
        return min(self._tick_s, max(0.05, (next_ms - self._clock.now_ms()) / 1000))

    async def _again(self, name: str) -> None:
        await self._database.execute(QUERIES["messages_again"], name, from_ms(self._clock.now_ms()))

    async def send_some(self, name: str, limit: int = AT_ONCE) -> list[bool]:
        """Send messages of a channel that may go now; return of each whether it is done with."""
        now_ms = self._clock.now_ms()
        rows = await self._database.fetch(
            QUERIES["messages_take"], name, from_ms(now_ms), from_ms(now_ms + round(2000 * self._send_s)), limit
        )
        errors = await asyncio.gather(*(self._hand_over(name, message_of(row)) for row in rows))
        outcomes = list(zip(rows, errors, strict=True))
        sent = [row for row, error in outcomes if error is None]
        if sent:
            await self._sent(name, sent)
        return [True] * len(sent) + [await self._failed(row, error) for row, error in outcomes if error is not None]

    async def _sent(self, name: str, rows: Sequence[Row]) -> None:
        now_ms = self._clock.now_ms()
        await self._database.execute(QUERIES["messages_sent"], [row["key"] for row in rows], from_ms(now_ms))
        metrics.SENT.labels(name, "sent").inc(len(rows))
        for row in rows:
            if row["committed_at"] is not None:
                metrics.HANDED_OVER.labels(name).observe(max(0, now_ms - to_ms(row["committed_at"])) / 1000)
            log.info("message.sent", key=row["key"], channel=name, attempts=row["attempts"])

    async def _failed(self, row: Row, error: ChannelError) -> bool:
        """Note why one was not taken; True: it is given up, False: it is to be tried again."""
        name, key, now_ms = row["channel"], row["key"], self._clock.now_ms()
        wait_ms = max(pause_ms(row["attempts"]), round(1000 * (error.after_s or 0.0)))
        dead = not error.retryable or now_ms + wait_ms - to_ms(row["recorded_at"]) > GIVE_UP_MS
        state = "dead" if dead else "waiting"
        await self._database.execute(QUERIES["message_failed"], key, from_ms(now_ms + wait_ms), str(error), state)
        metrics.SENT.labels(name, "dead" if dead else "failed").inc()
        told: Callable[..., None] = log.error if dead else log.warning
        told(
            f"message.{'dead' if dead else 'failed'}",
            key=key,
            channel=name,
            attempts=row["attempts"],
            error=str(error),
        )
        return dead

    async def _hand_over(self, name: str, message: Message) -> ChannelError | None:
        channel = self._channels.get(name)
        if channel is None:
            return ChannelError(f"this process has no address for channel {name}", retryable=True)
        try:
            async with asyncio.timeout(self._send_s):
                await channel.send(message)
        except TimeoutError:
            return ChannelError(f"channel {name} did not answer within {self._send_s:g} s", retryable=True)
        except ChannelError as error:
            return error
        except Exception as error:  # noqa: BLE001 - one channel's fault is not another's; the text may hold an address
            return ChannelError(f"channel {name}: {type(error).__name__}", retryable=True)
        return None


def message_of(row: Row) -> Message:
    """A row of the outbox as what goes out."""
    details = row["details"]
    return Message(
        key=row["key"],
        why=row["why"],
        priority=row["priority"],
        subject=row["subject"],
        body=row["body"],
        details=msgspec.json.decode(details) if isinstance(details, str | bytes) else details,
    )
