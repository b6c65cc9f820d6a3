"""`python -m deploy.local.books.statement`: a month's statement of a one-machine park, issued by two persons of it.

What is settled is what no open transaction can still add to; the minute that is waited for elsewhere is spared here,
where every process that writes is our own.
"""

import argparse
import asyncio
import datetime as dt
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from parkcarbon.books import inventory
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import Database, from_ms, load_queries
from parkcarbon.kit.log import configure
from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.lifecycle.acts import act
from parkcarbon.statement.lifecycle.issue import issue
from parkcarbon.statement.lifecycle.prepare import Wanted, prepare, settle
from parkcarbon.statement.lifecycle.signer import KeySigner
from parkcarbon.statement.lifecycle.store import Statement
from parkcarbon.statement.sign.keys import load_key

from .enter import AUTHOR, REVIEWER

_WITHIN_S: Final = 30.0
_AGAIN_S: Final = 0.2


def month_before(today: dt.date) -> str:
    """The month before a day's.

    >>> month_before(dt.date(2026, 1, 31))
    '2025-12'
    """
    return f"{today.replace(day=1) - dt.timedelta(days=1):%Y-%m}"


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be issued.

    Attributes:
        park: id.
        keys: folder of the signing key.
        author: who prepares it.
        reviewer: who approves it.
        month: which; None: the one before this.
        pdf: where the PDF in both languages is written to; None: nowhere.
    """

    park: str
    keys: Path
    author: str = AUTHOR
    reviewer: str = REVIEWER
    month: str | None = None
    pdf: Path | None = None


async def issue_month(database: Database, job: Job) -> str:
    """Prepare, approve and issue a statement, where there is none yet; return what became of it.

    Raises:
        RefusedError: a rule stands against it.
        LookupError: there is no such park.
    """
    zone = await database.fetchval(load_queries("deploy.local")["park_zone"], job.park)
    if zone is None:
        raise LookupError(f"there is no park {job.park}")
    signer = KeySigner(load_key(job.keys))
    period = job.month or month_before(_now().astimezone(ZoneInfo(zone)).date())
    async with database.session() as session:
        found = await store.listed(session, job.park, period=period, kind="statement")
    if found:
        done = found[0]
    else:
        made = await _prepared(database, Wanted(park=job.park, period=period, person=job.author))
        async with database.transaction() as session:
            approved = await act(session, made, "approve", person=job.reviewer)
            done = await issue(session, approved, signer, person=job.reviewer)
    if job.pdf is not None:
        async with database.session() as session:
            _, body = await store.file_of(session, done.statement_id, "both.pdf")
        await asyncio.to_thread(job.pdf.write_bytes, body)
    return f"{done.number} V{done.version} is {done.state}, {len(done.missing)} pending"


async def _prepared(database: Database, wanted: Wanted) -> Statement:
    """Freeze it; what is still being computed is waited for."""
    until = time.monotonic() + _WITHIN_S
    while True:
        try:
            now = _now()
            as_of = await settle(database, now=now)
            async with database.transaction() as session:
                return await prepare(database, session, wanted, as_of=as_of, now=now)
        except (RefusedError, LookupError):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(_AGAIN_S)


def _now() -> dt.datetime:
    return from_ms(SystemClock().now_ms())


async def _run(job: Job) -> None:
    inventory.SETTLED_AFTER = dt.timedelta(0)  # type: ignore[misc]  # see above
    async with await Database.connect(os.environ["PARKCARBON_DATABASE_URL"], max_size=3) as database:
        sys.stdout.write(await issue_month(database, job) + "\n")


def main() -> int:
    """Issue it and say what became of it."""
    parser = argparse.ArgumentParser(prog="deploy.local.books.statement", description="A month's statement.")
    parser.add_argument("--park", required=True, help="park id")
    parser.add_argument("--keys", type=Path, required=True, help="folder of the signing key")
    parser.add_argument("--author", default=AUTHOR, help="who prepares it")
    parser.add_argument("--reviewer", default=REVIEWER, help="who approves it")
    parser.add_argument("--month", help="2026-10 (default: the one before this)")
    parser.add_argument("--pdf", type=Path, help="write the PDF there")
    configure(level="warning")
    try:
        asyncio.run(_run(Job(**vars(parser.parse_args()))))
    except (RefusedError, LookupError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
