"""What is due: from the park's settings, what is stored, and the day. Pure; the same answer on every worker.

A month has a flash report on the third working day after it, a statement once nothing is missing and at the latest on
day 15, the next version once what it named as missing is there, reminders when something that is missing was due, and
is locked on day 40. What was missed while no process ran is still due, but a flash report only as long as there is no
statement.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from parkcarbon.catalog.park_statement import StatementSettings
from parkcarbon.statement.record import Missing

from .calendar import nth_working_day

Action = Literal["flash", "prepare", "remind", "issue", "lock"]
State = Literal["none", "prepared", "reviewed", "approved", "issued", "locked", "rejected", "superseded"]

CATCH_UP_MONTHS: Final = 13
"""Months back that a process which was down so long still looks at."""

AGAIN: Final = "again-"
"""Key of what is prepared again because what was missing has come; the statement before it stands behind."""

_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """When what is due of a month.

    Attributes:
        flash: the flash report goes out.
        statement: the statement is prepared, whatever is missing.
        lock: the month is locked.
    """

    flash: dt.date
    statement: dt.date
    lock: dt.date


@dataclass(frozen=True, slots=True)
class Month:
    """What is stored of a month that is over.

    Attributes:
        period: `2026-10`.
        flash: True when there is a flash report, issued or not.
        statement: state of the newest statement.
        statement_id: of it; 0: none.
        missing: what is not there yet; None: not looked at.
        locked: True when the period is closed.
        pending: True when that statement names something missing.
    """

    period: str
    flash: bool = False
    statement: State = "none"
    statement_id: int = 0
    missing: tuple[Missing, ...] | None = field(default=None)
    locked: bool = False
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """Something to be done.

    Attributes:
        action: what.
        period: of which month.
        on: day on which it was due.
        key: tells two of one action and month apart.
    """

    action: Action
    period: str
    on: dt.date
    key: str = ""


def first_after(period: str) -> dt.date:
    """Day after the last of a month.

    >>> first_after("2026-12")
    datetime.date(2027, 1, 1)
    """
    year, month = int(period[:4]), int(period[5:])
    return dt.date(year + month // 12, month % 12 + 1, 1)


def days_of_month(settings: StatementSettings, period: str) -> Days:
    """When what is due of a month."""
    after = first_after(period)
    return Days(
        flash=nth_working_day(settings, after, settings.flash_working_day),
        statement=after + (settings.due_day - 1) * _DAY,
        lock=after + (settings.lock_day - 1) * _DAY,
    )


def due_day(period: str, day: int) -> dt.date:
    """A day counted from the end of a month: 1 is the first day after it."""
    return first_after(period) + (day - 1) * _DAY


def wants_missing(settings: StatementSettings, month: Month, today: dt.date) -> bool:
    """True when it matters now what is missing: nothing else is asked that takes time."""
    open_yet = month.statement == "none" or month.pending
    return not month.locked and open_yet and today >= days_of_month(settings, month.period).flash


def due(settings: StatementSettings, months: Iterable[Month], today: dt.date) -> list[Due]:
    """What is due by a day, in the order of the months.

    Args:
        settings: of the park.
        months: those that are over and that the scheduler looks after.
        today: local day.
    """
    return [found for month in sorted(months, key=lambda month: month.period) for found in _of(settings, month, today)]


def _of(settings: StatementSettings, month: Month, today: dt.date) -> list[Due]:
    if month.locked or today < first_after(month.period):
        return []
    days = days_of_month(settings, month.period)
    found = []
    if month.statement == "none":
        if not month.flash and days.flash <= today < days.statement:
            found.append(Due("flash", month.period, days.flash))
        complete = month.missing == ()
        if today >= days.statement or (complete and month.flash and today >= days.flash):
            found.append(Due("prepare", month.period, min(today, days.statement)))
    if month.statement == "issued" and month.pending and month.missing == ():
        found.append(Due("prepare", month.period, today, f"{AGAIN}{month.statement_id}"))
    if month.statement == "approved":
        found.append(Due("issue", month.period, today, str(month.statement_id)))
    found += _reminders(month, today)
    if month.statement == "issued" and today >= days.lock:
        found.append(Due("lock", month.period, days.lock))
    return found


def _reminders(month: Month, today: dt.date) -> list[Due]:
    """One reminder for all that was due on a day, on the day after it."""
    late = sorted({item.due for item in month.missing or () if item.due and item.due < today.isoformat()})
    return [Due("remind", month.period, dt.date.fromisoformat(day), day) for day in late]


def months_to_look_at(first: dt.date, today: dt.date) -> list[str]:
    """Months that ended after a day and before another, at most `CATCH_UP_MONTHS`, the oldest first.

    >>> months_to_look_at(dt.date(2026, 9, 12), dt.date(2026, 11, 3))
    ['2026-09', '2026-10']
    """
    number = today.year * 12 + today.month - 1
    oldest = max(first.year * 12 + first.month - 1, number - CATCH_UP_MONTHS)
    return [f"{at // 12:04d}-{at % 12 + 1:02d}" for at in range(oldest, number)]
