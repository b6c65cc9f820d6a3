"""`python -m deploy.local.books.statement`: last month's statement of the demonstration, issued by its two persons.

What is settled is what no open transaction can still add to; the minute that is waited for elsewhere is spared here,
where every process that writes is our own.
"""

import argparse
import asyncio
import datetime as dt
import os
import sys
import time
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


async def issue_last_month(database: Database, park: str, folder: Path) -> str:
    """Prepare, approve and issue the statement of the month before; return what became of it.

    Args:
        database: of the demonstration.
        park: id.
        folder: of the signing key.

    Raises:
        RefusedError: a rule stands against it.
    """
    signer = KeySigner(load_key(folder))
    zone = ZoneInfo(await database.fetchval(load_queries("deploy.local")["park_zone"], park))
    period = month_before(_now().astimezone(zone).date())
    async with database.session() as session:
        found = await store.listed(session, park, period=period, kind="statement")
    if found:
        return f"{found[0].number} V{found[0].version} is {found[0].state}"
    made = await _prepared(database, Wanted(park=park, period=period, person=AUTHOR))
    async with database.transaction() as session:
        approved = await act(session, made, "approve", person=REVIEWER, comment="demonstration")
        done = await issue(session, approved, signer, person=REVIEWER)
    return f"{done.number} V{done.version} is {done.state}, signed with {signer.fingerprint[:16]}"


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


async def _run(options: argparse.Namespace) -> None:
    inventory.SETTLED_AFTER = dt.timedelta(0)  # type: ignore[misc]  # see above
    async with await Database.connect(os.environ["PARKCARBON_DATABASE_URL"], max_size=3) as database:
        sys.stdout.write(await issue_last_month(database, options.park, options.keys) + "\n")


def main() -> int:
    """Issue it and say what became of it."""
    parser = argparse.ArgumentParser(prog="deploy.local.books.statement", description="Last month's statement.")
    parser.add_argument("--park", required=True, help="park id")
    parser.add_argument("--keys", type=Path, required=True, help="folder of the signing key")
    options = parser.parse_args()
    configure(level="warning")
    try:
        asyncio.run(_run(options))
    except (RefusedError, LookupError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
