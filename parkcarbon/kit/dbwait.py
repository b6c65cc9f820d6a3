"""A process and its database: waiting until it is up, and going on where it refuses one round of work."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import LiteralString

import structlog

from .backoff import Backoff
from .clock import Clock
from .db import Database, DatabaseError

log = structlog.get_logger(__name__)


async def connect_when_up(
    url: str, *, max_size: int, clock: Clock, backoff: Backoff, setup: LiteralString = ""
) -> Database:
    """Connect to a database, waiting for it to come up.

    Args:
        url: of the database.
        max_size: most connections.
        clock: waits.
        backoff: how long between two attempts.
        setup: run once on each connection.

    Raises:
        DatabaseError: it will never take us.
    """
    while True:
        try:
            return await Database.connect(url, max_size=max_size, setup=setup)
        except DatabaseError as error:
            if not error.retryable:
                raise
            log.warning("database.away", error=str(error))
            await clock.sleep(backoff.next_s())


@asynccontextmanager
async def refusal_shown(what: str) -> AsyncGenerator[None]:
    """Log what the database refused and go on: the next round sees the same rows.

    Args:
        what: the round.
    """
    try:
        yield
    except DatabaseError as error:
        log.warning("database.failed", what=what, error=str(error))
