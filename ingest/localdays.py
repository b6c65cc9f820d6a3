"""When each local day of a time zone begins: written as rows, because the database knows no named time zone.

The views of schema `report` join them, so that a tool that reads the database draws a local day where it begins and a
day of 23 or 25 hours as long as it is.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from parkcarbon.kit.db import Session

from .queries import QUERIES

FIRST_DAY: Final = dt.date(2010, 1, 1)
LAST_DAY: Final = dt.date(2040, 12, 31)
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive local days of one length.

    Attributes:
        day: the first.
        days: how many.
        start_at: first moment of the first day.
        length: of each day.
    """

    day: dt.date
    days: int
    start_at: dt.datetime
    length: dt.timedelta


@lru_cache(maxsize=64)
def runs_of(timezone: str, first: dt.date = FIRST_DAY, last: dt.date = LAST_DAY) -> tuple[Run, ...]:
    """The local days of a time zone.

    Args:
        timezone: IANA name.
        first: first day.
        last: last day, inclusive.
    """
    found: list[Run] = []
    for day, start, end in _days(ZoneInfo(timezone), first, last):
        before = found[-1] if found else None
        if before is not None and before.length == end - start:
            found[-1] = Run(before.day, before.days + 1, before.start_at, before.length)
        else:
            found.append(Run(day, 1, start, end - start))
    return tuple(found)


async def write_local_days(session: Session, timezone: str) -> int:
    """Write the local days of a time zone where they are not there or begin elsewhere; return how many rows changed."""
    runs = runs_of(timezone)
    return await session.execute(
        QUERIES["write_local_days"],
        timezone,
        [run.day for run in runs],
        [run.days for run in runs],
        [run.start_at for run in runs],
        [run.length for run in runs],
    )


async def need_local_days(session: Session, timezone: str) -> None:
    """Write those of a time zone that no park had before."""
    if not await session.fetchval(QUERIES["zone_is_written"], timezone):
        await write_local_days(session, timezone)


async def write_all_local_days(session: Session) -> None:
    """Write those of every park's zone: after a migration, and when the rules of a zone changed."""
    for row in await session.fetch(QUERIES["timezones"]):
        await write_local_days(session, row["timezone"])


def _days(zone: ZoneInfo, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, dt.datetime, dt.datetime]]:
    day, start = first, _midnight(zone, first)
    while day <= last:
        end = _midnight(zone, day + _DAY)
        if end > start:  # a day that a zone left out has no time in it
            yield day, start, end
        day, start = day + _DAY, end


def _midnight(zone: ZoneInfo, day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
