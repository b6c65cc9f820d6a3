"""Life of a process: named services in one task group, ended cleanly by SIGTERM or SIGINT."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, None]]


async def within(seconds: float, work: Awaitable[T]) -> T | None:
    """Await something for at most so long; None where it took longer.

    Not `asyncio.wait_for`: in Python 3.11 that swallows a cancellation which comes in the moment the work is done, and
    the task runs on while whoever cancelled it waits for its end.

    Args:
        seconds: longest wait [s].
        work: what to wait for; cancelled when the time is over.
    """
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        return None


class ServiceEndedError(RuntimeError):
    """A service that should run for as long as the process returned."""


async def serve(services: Mapping[str, Work]) -> None:
    """Run services until cancelled; the first that fails or returns ends all.

    Args:
        services: what to run, by name.
    """

    async def guard(name: str, work: Work) -> None:
        await work()
        raise ServiceEndedError(f"{name} ended")

    async with asyncio.TaskGroup() as tasks:
        for name, work in services.items():
            tasks.create_task(guard(name, work), name=name)


async def until_signal(work: Coroutine[Any, Any, None]) -> bool:
    """Run a coroutine; SIGTERM or SIGINT cancels it and waits until it has cleaned up.

    Returns:
        True where it was a signal that ended it.
    """
    stopped = False
    task = asyncio.ensure_future(work)

    def stop() -> None:
        nonlocal stopped
        stopped = True
        task.cancel()

    loop = asyncio.get_running_loop()
    names = (signal.SIGTERM, signal.SIGINT)
    for name in names:
        loop.add_signal_handler(name, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise
    finally:
        for name in names:
            loop.remove_signal_handler(name)
    return stopped


def run_service(work: Work) -> int:
    """Run a process to its end and return its exit code; a signal is a clean end."""
    asyncio.run(until_signal(work()))
    return 0
