"""Enter the demonstration's books once, through the same functions as the API and the command line."""

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

from parkcarbon.books.entries import enter_many, list_entries, review
from parkcarbon.books.facts import LATEST
from parkcarbon.books.instruments import ledger
from parkcarbon.books.instruments.claims import perform
from parkcarbon.books.instruments.documents import read_lot
from parkcarbon.kit.db import Database, Session

from .entries import demo_entries, month_after, read_months
from .lots import demo_lots

AUTHOR: Final = "demo: energy manager"
REVIEWER: Final = "demo: reviewer"
REASON: Final = "demonstration"
_CLAIMS: Final = ("cancelled", "retired")


async def enter_books(database: Database, park: str, zone: ZoneInfo, now: dt.datetime) -> int:
    """Enter entries and lots of a park that has none; return how many facts were entered.

    Args:
        database: where to.
        park: id; the scenario has the same name.
        zone: of the park.
        now: time of now.
    """
    months = read_months(park)
    today = now.astimezone(zone).date()
    first_metered = month_after(today, -1)
    async with database.transaction() as session:
        if not months or await list_entries(session, park, LATEST):
            return 0
        numbers = await enter_many(session, park, demo_entries(months, first_metered), author=AUTHOR)
        for number in numbers:
            await _approve(session, park, number)
    async with database.transaction() as session:
        for holding in demo_lots(months, first_metered, today):
            lot = await ledger.enter_lot(session, park, read_lot(holding.lot, zone), author=AUTHOR, reason=REASON)
            numbers.append(lot)
            for act in holding.acts:
                event = await perform(session, park, lot, act, author=AUTHOR, reason=REASON, now=now)
                if act.kind in _CLAIMS:
                    await ledger.confirm(session, park, event, person=REVIEWER, reason=REASON)
                numbers.append(event)
    return len(numbers)


async def _approve(session: Session, park: str, number: int) -> None:
    await review(session, number, person=REVIEWER, decision="approved", reason=REASON, park=park)
