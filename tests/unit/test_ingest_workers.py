"""Workers that wait for work end when they are told to, also in the moment in which there is some."""

import asyncio
from typing import LiteralString, cast

import pytest

from ingest.pool import Writer
from ingest.recompute import Recomputer
from ingest.reprice import Repricer
from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.db import Database, Row


class Idle:
    """A database in which nothing waits."""

    timescale = False

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def fetch(self, _query: LiteralString, *_: object) -> list[Row]:
        self.asked.set()
        return []


@pytest.mark.parametrize("kind", [Recomputer, Repricer])
async def test_a_worker_ends_though_it_is_woken_at_once(kind: type[Recomputer] | type[Repricer]) -> None:
    """A receipt wakes it; whoever got the receipt may stop everything in the same moment."""
    database = Idle()
    worker = kind(Writer(cast("Database", database)), ManualClock())
    task = asyncio.ensure_future(worker.run())
    await database.asked.wait()
    await asyncio.sleep(0.01)
    worker.wake.set()
    task.cancel()
    await asyncio.wait([task], timeout=1)
    assert task.cancelled()
