"""Seals what was committed, for as long as the process lives."""

import random
from typing import Final

import structlog

from parkcarbon.kit.backoff import Backoff
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import Database, DatabaseError
from parkcarbon.statement.log.seal import Sealed, seal

log = structlog.get_logger(__name__)

EVERY_S: Final = 10.0


async def run_sealer(database: Database, clock: Clock, *, every_s: float = EVERY_S) -> None:
    """Seal again and again; another worker may be at it, and a database that is away comes back.

    Args:
        database: pool.
        clock: pauses.
        every_s: pause after a run [s].

    Raises:
        DatabaseError: one that trying again will not mend.
    """
    backoff = Backoff(rng=random.Random())  # noqa: S311 - jitter of waiting times
    while True:
        try:
            _tell(await seal(database))
        except DatabaseError as error:
            if not error.retryable:
                raise
            log.warning("sealer.waits", error=str(error))
            await clock.sleep(backoff.next_s())
        else:
            backoff.reset()
            await clock.sleep(every_s)


def _tell(sealed: Sealed) -> None:
    if sealed.leaves or sealed.roots:
        log.info("sealer.sealed", leaves=sealed.leaves, roots=sealed.roots, until=sealed.until.isoformat())
