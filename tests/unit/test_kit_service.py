"""Life of a process and what it logs."""

import asyncio
import io
import json
import os
import signal
from collections.abc import Iterator

import pytest
import structlog

from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.log import OutageLog, configure, get
from parkcarbon.kit.service import ServiceEndedError, serve, until_signal, within


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    out = io.StringIO()
    configure(json=True, stream=out)
    yield out
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_is_a_clean_end_after_cleaning_up(name: signal.Signals) -> None:
    cleaned = []

    async def work() -> None:
        os.kill(os.getpid(), name)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    assert await until_signal(work()) is True
    assert cleaned == [True]


async def test_an_end_and_an_error_of_its_own_are_told_apart() -> None:
    async def ends() -> None:
        await asyncio.sleep(0)

    async def fails() -> None:
        raise KeyError("x")

    assert await until_signal(ends()) is False
    with pytest.raises(KeyError):
        await until_signal(fails())


async def test_one_service_that_ends_ends_all() -> None:
    cancelled = []

    async def steady() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def brief() -> None:
        await asyncio.sleep(0)

    with pytest.raises(ExceptionGroup) as caught:
        await serve({"steady": steady, "brief": brief})
    assert caught.group_contains(ServiceEndedError, match="brief ended")
    assert cancelled == [True]


async def test_what_takes_too_long_is_none_and_is_cancelled() -> None:
    assert await within(5, asyncio.sleep(0, "done")) == "done"
    event = asyncio.Event()
    waiting = asyncio.ensure_future(event.wait())
    assert await within(0.01, waiting) is None
    assert waiting.cancelled()


async def test_a_cancellation_counts_also_in_the_moment_that_the_work_is_done() -> None:
    event = asyncio.Event()

    async def work() -> None:
        while True:
            await within(5, event.wait())
            event.clear()

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0.01)
    event.set()
    task.cancel()
    await asyncio.wait([task], timeout=1)
    assert task.cancelled()


def test_logs_are_json_lines_with_their_part(stream: io.StringIO) -> None:
    get("mqtt").info("broker_back", failures=3)
    (line,) = lines(stream)
    assert {"event": "broker_back", "part": "mqtt", "failures": 3, "level": "info"}.items() <= line.items()
    assert str(line["timestamp"]).endswith("Z")


def test_what_is_below_the_level_is_not_written(stream: io.StringIO) -> None:
    get("x").debug("detail")
    assert lines(stream) == []


def test_an_outage_is_told_once_and_its_end_once(stream: io.StringIO) -> None:
    clock = ManualClock()
    outage = OutageLog(get("mqtt"), "broker", clock)
    outage.up()
    for _ in range(5):
        outage.down(error="refused")
        clock.advance(2)
    outage.up()
    outage.up()
    told = [(line["event"], line.get("lasted_s"), line.get("failures")) for line in lines(stream)]
    assert told == [("broker_lost", None, None), ("broker_back", 10.0, 5)]


def test_people_get_plain_lines() -> None:
    out = io.StringIO()
    configure(json=False, stream=out)
    get("x").info("started", sources=2)
    structlog.reset_defaults()
    assert "started" in out.getvalue()
    assert "sources=2" in out.getvalue()
