"""The loop that takes roots out: what is due stands in the database, so that nothing is lost while a place is away.

Each root has a row for each place. A worker takes due rows for five minutes, sends outside of any transaction, and
writes how it ended. What fails is tried again, later and later, at most `ATTEMPTS` times: more than a week.
"""

import datetime as dt
import random
from collections.abc import Sequence
from typing import Final

import structlog

from parkcarbon.kit.backoff import Backoff
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import Database, DatabaseError
from parkcarbon.statement.log import QUERIES

from .claim import Anchor, AnchorError, Answer, Claim
from .settings import AnchorSettings, anchor_at, anchors_of

log = structlog.get_logger(__name__)

EVERY_S: Final = 30.0
ATTEMPTS: Final = 400
AT_ONCE: Final = 500

_LEASE: Final = dt.timedelta(minutes=5)
_FIRST_PAUSE: Final = dt.timedelta(seconds=30)
_LONGEST_PAUSE: Final = dt.timedelta(minutes=30)
_TOLD: Final = 500


async def run_anchors(database: Database, clock: Clock, settings: AnchorSettings, *, every_s: float = EVERY_S) -> None:
    """Take roots to the places that are set, for all parks or in a park's document, again and again.

    Args:
        database: pool.
        clock: pauses.
        settings: places.
        every_s: pause after a round [s].

    Raises:
        ValueError: the settings do not fit.
        DatabaseError: one that trying again will not mend.
    """
    anchors = anchors_of(settings)
    backoff = Backoff(rng=random.Random())  # noqa: S311 - jitter of waiting times
    while True:
        try:
            for anchor in anchors:
                await take_out(database, anchor)
            for row in await database.fetch(QUERIES["anchor_places"]):
                await take_out(database, anchor_at(row["kind"], row["destination"], settings), row["parks"])
        except DatabaseError as error:
            if not error.retryable:
                raise
            log.warning("anchors.wait", error=str(error))
            await clock.sleep(backoff.next_s())
        else:
            backoff.reset()
            await clock.sleep(every_s)


async def take_out(database: Database, anchor: Anchor, parks: Sequence[str] | None = None) -> int:
    """Send all that is due to one place; return how many roots it took.

    Args:
        database: pool.
        anchor: the place.
        parks: whose roots go there; None: those of all.
    """
    place = anchor.kind, anchor.destination
    await database.execute(QUERIES["anchor_enqueue"], *place, parks)
    taken = 0
    while True:
        rows = await database.fetch(QUERIES["anchor_take"], *place, AT_ONCE, _LEASE)
        if not rows:
            return taken
        claims = [
            Claim(row["anchor_id"], row["park_id"], row["day"], row["size"], row["root"], row["attempts"])
            for row in rows
        ]
        answers = await _sent(anchor, claims)
        for answer in answers:
            await _note(database, anchor, answer)
        done = sum(1 for answer in answers if not answer.error)
        taken += done
        log.info("anchors.sent", kind=anchor.kind, destination=anchor.destination, roots=done, failed=len(rows) - done)


async def _sent(anchor: Anchor, claims: Sequence[Claim]) -> list[Answer]:
    try:
        return await anchor.send(claims)
    except AnchorError as error:
        return [Answer(claim, error=str(error)) for claim in claims]


async def _note(database: Database, anchor: Anchor, answer: Answer) -> None:
    claim = answer.claim
    async with database.transaction() as session:
        await session.execute(QUERIES["anchor_attempt"], claim.anchor_id, claim.attempt, answer.error[:_TOLD])
        if not answer.error:
            await session.execute(QUERIES["anchor_sent"], claim.anchor_id, answer.receipt)
            return
        given_up = claim.attempt >= ATTEMPTS
        await session.execute(QUERIES["anchor_failed"], claim.anchor_id, pause_after(claim.attempt), given_up)
    tell = log.error if given_up else log.warning
    tell("anchors.failed", kind=anchor.kind, park=claim.park, day=claim.day.isoformat(), attempt=claim.attempt,
         given_up=given_up, error=answer.error[:_TOLD])  # fmt: skip


def pause_after(attempt: int) -> dt.timedelta:
    """How long to wait after so many attempts.

    >>> pause_after(1).seconds, pause_after(3).seconds, pause_after(300).seconds
    (30, 120, 1800)
    """
    return min(_FIRST_PAUSE * (1 << min(attempt - 1, 10)), _LONGEST_PAUSE)
