"""What is due becomes rows; one worker takes a row, does it, and commits both together.

A row is held by its lock alone: a worker that dies lets go of it, and what it had half done is not there. Several
workers step over one another's rows. What fails is tried again later and later, never given up, and its error is shown.
"""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from parkcarbon.catalog.park_statement import StatementSettings
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Database, DatabaseError, Row, Session
from parkcarbon.statement.record import Missing

from . import store
from .calendar import warning
from .due import AGAIN, Due, Month, due, months_to_look_at, wants_missing
from .issue import Render, issue, render_all
from .lock import lock
from .prepare import Wanted, missing_now, prepare, settle
from .signer import Signer
from .store import QUERIES

Json = dict[str, Any]

FIRST_PAUSE: Final = dt.timedelta(seconds=30)
LONGEST_PAUSE: Final = dt.timedelta(hours=6)

_TOLD: Final = 2000
"""Characters of an error that are kept."""


@dataclass(frozen=True, slots=True)
class ParkPlan:
    """A park whose statements are looked after.

    Attributes:
        park: id.
        zone: its time zone.
        settings: of its statements.
        known_since: when it was entered; months that were over by then are left to people.
    """

    park: str
    zone: ZoneInfo
    settings: StatementSettings
    known_since: dt.datetime


@dataclass(frozen=True, slots=True)
class Task:
    """A row that this worker holds."""

    task_id: int
    park: str
    action: str
    period: str
    key: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Tools:
    """What tasks are done with.

    Attributes:
        database: where snapshots are read and the log is sealed, on connections of its own.
        signer: the key; None: what needs one waits for it.
        render: makes the files.
        now: time of now.
    """

    database: Database
    signer: Signer | None
    now: Callable[[], dt.datetime]
    render: Render = render_all


Look: TypeAlias = Callable[[Session, str, str], Awaitable[tuple[Missing, ...]]]


def pause(attempts: int) -> dt.timedelta:
    """How long to wait after so many failures.

    >>> [pause(count).total_seconds() for count in (0, 1, 2, 30)]
    [30.0, 60.0, 120.0, 21600.0]
    """
    return min(LONGEST_PAUSE, FIRST_PAUSE * float(2 ** min(attempts, 20)))


async def parks(session: Session, park: str | None = None) -> list[ParkPlan]:
    """Every park, or one, with its settings."""
    rows = await session.fetch(QUERIES["statement_settings"], park)
    return [
        ParkPlan(
            row["park_id"],
            ZoneInfo(row["timezone"]),
            msgspec.json.decode(row["statement"] or "{}", type=StatementSettings),
            row["known_since"],
        )
        for row in rows
    ]


async def settings_of(session: Session, park: str) -> StatementSettings:
    """Settings of a park.

    Raises:
        LookupError: there is no such park.
    """
    found = await parks(session, park)
    if not found:
        raise LookupError(f"there is no park {park}")
    return found[0].settings


def warnings_of(plan: ParkPlan, today: dt.date) -> list[str]:
    """Why the working days of this year or the next may be wrong; of the next only once it is near."""
    years = [today.year] + ([today.year + 1] if today.month == 12 else [])
    return [told for year in years if (told := warning(plan.settings, year)) is not None]


async def months_of(session: Session, plan: ParkPlan, today: dt.date, look: Look) -> list[Month]:
    """What is stored of the months that a park's scheduler looks after; what is missing where it matters."""
    first = plan.known_since.astimezone(plan.zone).date()
    return await months_named(session, plan, months_to_look_at(first, today), today, look)


async def months_named(
    session: Session, plan: ParkPlan, names: Sequence[str], today: dt.date, look: Look
) -> list[Month]:
    """The same of some months."""
    rows = await session.fetch(QUERIES["statement_months"], plan.park, list(names))
    found = []
    for row in rows:
        month = Month(
            period=row["period"],
            flash=row["flash"],
            statement=row["statement"],
            statement_id=row["statement_id"],
            locked=row["locked"],
            pending=row["pending"],
        )
        if wants_missing(plan.settings, month, today):
            missing = await look(session, plan.park, month.period)
            month = replace(month, missing=missing)
        found.append(month)
    return found


async def plan_park(reading: Session, plan: ParkPlan, *, now: dt.datetime, look: Look | None = None) -> list[Due]:
    """What is due of a park now."""

    async def missing(session: Session, park: str, period: str) -> tuple[Missing, ...]:
        return await missing_now(session, park, period, now=now)

    today = now.astimezone(plan.zone).date()
    return due(plan.settings, await months_of(reading, plan, today, look or missing), today)


async def enter(session: Session, park: str, found: Sequence[Due], *, now: dt.datetime) -> int:
    """Make rows of what is due; what is there already stays as it is. Return how many are new."""
    added = 0
    for item in found:
        row = await session.fetchval(QUERIES["task_insert"], park, item.action, item.period, item.key, item.on, now)
        added += row is not None
    return added


async def take_one(database: Database, tools: Tools, *, park: str | None = None) -> str | None:
    """Do one task that may be done now; None: there is none that another worker does not hold.

    Returns:
        What became of it.

    Raises:
        DatabaseError: the database was lost; the task is as it was.
    """
    async with database.transaction() as session:
        row = await session.fetchrow(QUERIES["task_take"], tools.now(), park)
        if row is None:
            return None
        task = _task(row)
        try:
            async with session.transaction():
                outcome = await _ACTIONS[task.action](session, task, tools)
        except Exception as error:  # whatever it is, it is shown and tried again
            if isinstance(error, DatabaseError) and error.retryable:
                raise
            told = (str(error) or type(error).__name__)[:_TOLD]
            await session.execute(QUERIES["task_failed"], task.task_id, tools.now() + pause(task.attempts), told)
            return f"{task.action} {task.period} of {task.park} failed: {told}"
        await session.execute(QUERIES["task_done"], task.task_id, tools.now(), outcome)
        return f"{task.action} {task.period} of {task.park}: {outcome}"


async def listed(session: Session, park: str | None, *, done: bool = False) -> list[Json]:
    """Tasks that are still to be done, or all."""
    return [
        {
            "task": row["task_id"],
            "park": row["park_id"],
            "action": row["action"],
            "period": row["period"],
            "due_on": row["due_on"].isoformat(),
            "attempts": row["attempts"],
            "next_at": store.iso(row["next_at"]),
            "error": row["error"],
            "outcome": row["outcome"],
            "done_at": None if row["done_at"] is None else store.iso(row["done_at"]),
        }
        for row in await session.fetch(QUERIES["task_list"], park, done)
    ]


async def mails(session: Session, park: str, *, sent: bool = False) -> list[Json]:
    """Mail that is still to go out, or all."""
    return [
        {
            "mail": row["delivery_id"],
            "statement_id": row["statement_id"],
            "recipient": row["recipient"],
            "subject": row["subject"],
            "attempts": row["attempts"],
            "next_at": store.iso(row["next_at"]),
            "error": row["error"],
            "sent_at": None if row["sent_at"] is None else store.iso(row["sent_at"]),
        }
        for row in await session.fetch(QUERIES["delivery_list"], park, sent)
    ]


def _task(row: Row) -> Task:
    return Task(row["task_id"], row["park_id"], row["action"], row["period"], row["key"], row["attempts"])


async def _flash(session: Session, task: Task, tools: Tools) -> str:
    """A flash report is prepared, signed and sent at once: it has no verdict, and nobody's name is on it."""
    signer = _signer(tools)
    made = await _prepared(session, Wanted(park=task.park, period=task.period, kind="flash"), tools)
    settings = await settings_of(session, task.park)
    done = await issue(session, made, signer, recipients=settings.recipients, render=tools.render)
    return f"{done.number} issued"


async def _prepare(session: Session, task: Task, tools: Tools) -> str:
    """A statement is frozen, or its next version once what was missing is there; two persons answer for it."""
    reason = ""
    there = [
        item
        for item in await store.listed(session, task.park, period=task.period, kind="statement")
        if not (task.key and item.state == "rejected")
    ]
    if task.key and there and there[0].state == "issued" and task.key == f"{AGAIN}{there[0].statement_id}":
        named = ", ".join(item.item for item in there[0].missing)
        reason = f"补齐 what was missing has come: {named}"
    elif there:
        return f"{there[0].number} V{there[0].version} is there already"
    made = await _prepared(session, Wanted(park=task.park, period=task.period, reason=reason), tools)
    return f"{made.number} prepared, {len(made.missing)} items missing; {made.waits_for}"


async def _remind(session: Session, task: Task, tools: Tools) -> str:
    """Mail to the recipients what was due and is not there."""
    settings = await settings_of(session, task.park)
    async with tools.database.transaction() as reading:
        missing = await missing_now(reading, task.park, task.period, now=tools.now())
    late = [item for item in missing if item.due <= task.key]
    if not late:
        return "nothing is late any more"
    lines = [f"{item.text.zh} {item.text.en}: {item.owner}, {item.due}" for item in late]
    subject = f"{task.park} {task.period}: {len(late)} 项逾期 items are late"
    for recipient in settings.recipients:
        key = f"reminder-{task.task_id}-{recipient}"
        values = task.park, None, recipient, key, subject, "\n".join(lines)
        await session.execute(QUERIES["delivery_insert"], *values)
    return f"{len(late)} items late: {'; '.join(item.item for item in late)}"


async def _issue(session: Session, task: Task, tools: Tools) -> str:
    """Sign and send what was approved while no key was at hand."""
    statement = await store.one(session, int(task.key), task.park)
    if statement.state != ("prepared" if statement.kind == "flash" else "approved"):
        return f"is {statement.state}"
    settings = await settings_of(session, task.park)
    done = await issue(session, statement, _signer(tools), recipients=settings.recipients, render=tools.render)
    return f"{done.number} V{done.version} issued"


async def _lock(session: Session, task: Task, tools: Tools) -> str:
    """Close the month on the word of those who answer for its newest statement."""
    found = await store.listed(session, task.park, period=task.period, kind="statement")
    newest = next((item for item in found if item.state != "rejected"), None)
    if newest is None:
        raise RefusedError("6.9", f"{task.period} has no statement")
    if newest.state == "locked":
        return "locked already"
    as_of = await settle(tools.database, now=tools.now())
    frozen = await lock(tools.database, session, newest, as_of=as_of, now=tools.now())
    return f"locked, version {frozen.version}"


async def _prepared(session: Session, wanted: Wanted, tools: Tools) -> store.Statement:
    as_of = await settle(tools.database, now=tools.now())
    return await prepare(tools.database, session, wanted, as_of=as_of, now=tools.now())


def _signer(tools: Tools) -> Signer:
    if tools.signer is None:
        raise RefusedError("", "there is no signing key: PARKCARBON_SIGNING_KEY_FILE names none")
    return tools.signer


_ACTIONS: Final[Mapping[str, Callable[[Session, Task, Tools], Awaitable[str]]]] = {
    "flash": _flash,
    "prepare": _prepare,
    "remind": _remind,
    "issue": _issue,
    "lock": _lock,
}
