"""Calls that block, each in a daemon thread of its own: one that never comes back holds up nobody, nor the end."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

from parkcarbon.kit.service import within

from .base import ChannelError

T = TypeVar("T")


class Threads:
    """Runs blocking calls.

    Args:
        limit: as many may be under way; where a receiver holds all of them, the next call is refused at once.
    """

    def __init__(self, limit: int = 16) -> None:
        self._free = threading.BoundedSemaphore(limit)

    async def run(self, work: Callable[[], T], seconds: float) -> T:
        """Run `work` and return what it does.

        Args:
            work: a blocking call.
            seconds: longest wait for it [s]; the thread itself goes on.

        Raises:
            ChannelError: it took longer, or all threads are held.
        """
        if not self._free.acquire(blocking=False):
            raise ChannelError("earlier messages are still under way and get no answer", retryable=True)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        done.add_done_callback(_heard)

        def target() -> None:
            try:
                outcome: T | Exception = work()
            except Exception as error:  # noqa: BLE001 - handed to whoever waits
                outcome = error
            finally:
                self._free.release()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, done, outcome)

        threading.Thread(target=target, name="channel", daemon=True).start()
        await within(seconds, _finished(done))
        if not done.done():
            done.cancel()
            raise ChannelError(f"no answer within {seconds:g} s", retryable=True)
        return done.result()


def _heard(done: asyncio.Future[T]) -> None:
    """A call that fails while whoever waits is cancelled fails unheard: that is no fault."""
    if not done.cancelled():
        done.exception()


async def _finished(done: asyncio.Future[T]) -> None:
    await asyncio.wait([done])


def _settle(done: "asyncio.Future[T]", outcome: T | Exception) -> None:
    if done.done():
        return
    if isinstance(outcome, Exception):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)
