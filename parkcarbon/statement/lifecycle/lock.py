"""Lock a month whose statement was issued: its period is closed on the word of those who answer for the statement.

Whoever prepared it (or reviewed it first, where the scheduler did) makes the period provisional, whoever approved it
closes it. What is locked is what was stated: a figure that would come out differently now is issued again first.
"""

import datetime as dt

from parkcarbon.books.periods import closing
from parkcarbon.books.periods.closing import Frozen, NotReadyError
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Database, Session
from parkcarbon.statement.compose.order import Order
from parkcarbon.statement.record import Record

from . import store
from .diff import differences
from .prepare import SOFTWARE, composed
from .store import Statement

_TOLD = 3


async def lock(
    reading: Database,
    writing: Session,
    statement: Statement,
    *,
    as_of: dt.datetime,
    now: dt.datetime,
    person: str = "",
    reason: str = "",
    override: bool = False,
) -> Frozen:
    """Close the period of an issued statement.

    Args:
        reading: where a snapshot is read.
        writing: a connection inside a transaction that may write.
        statement: the newest of its month, issued.
        as_of: moment of knowledge, from `settle`.
        now: time of now.
        person: who closes it; empty: whoever approved the statement.
        reason: why; needed to override.
        override: close over what can be overridden.

    Raises:
        NotReadyError: something stands against closing.
        RefusedError: it is not issued, something is missing, or what it states has changed since.
        LookupError: there is no such park.
    """
    standing = await closing.standing(writing, statement.park, statement.period)
    if standing.state == "closed":
        raise RefusedError(
            "6.9",
            f"{statement.period} is locked already, version {standing.version}: re-open the period before another"
            " version is locked",
        )
    _refuse_unfit(statement, reason, override=override)
    changed = await changed_since(reading, writing, statement, as_of=as_of, now=now)
    if changed:
        raise RefusedError(
            "6.9",
            f"{len(changed)} figures of {statement.number} V{statement.version} are not what they were"
            f" ({', '.join(changed[:_TOLD])}): issue it again before it is locked",
        )
    first, second = answerable(statement)
    told = reason.strip() or f"{statement.number} V{statement.version}"
    if standing.state == "open":
        await closing.make_provisional(writing, statement.park, statement.period, person=first, reason=told, now=now)
    return await closing.close(
        writing,
        statement.park,
        statement.period,
        person=person.strip() or second,
        reason=told,
        now=now,
        override=override,
    )


def answerable(statement: Statement) -> tuple[str, str]:
    """The first person who answers for a statement, and the second, who approved it.

    Raises:
        RefusedError: nobody approved it.
    """
    approved = statement.of("approved")
    if not approved:
        raise RefusedError("6.9", f"nobody approved statement {statement.statement_id}")
    reviewers = [done.person for done in statement.of("reviewed") if not _same(done.person, approved[0].person)]
    first = statement.prepared_by or next(iter(reviewers), "")
    return first, approved[0].person


async def changed_since(
    reading: Database, writing: Session, statement: Statement, *, as_of: dt.datetime, now: dt.datetime
) -> list[str]:
    """Ids of figures that a statement would have otherwise if it were frozen as known at a moment."""
    record: Record = await store.frozen(writing, statement.statement_id)
    order = Order(
        park=statement.park,
        period=statement.period,
        kind=statement.kind,
        as_of=as_of,
        now=now,
        version=statement.version,
        software=SOFTWARE,
    )
    return [item.figure for item in differences(record, await composed(reading, order))]


def _refuse_unfit(statement: Statement, reason: str, *, override: bool) -> None:
    if statement.kind == "flash" or statement.state not in ("issued", "locked"):
        raise RefusedError("6.9", f"statement {statement.statement_id} is a {statement.kind}, {statement.state}:"
                           " a month is locked once its statement is issued")  # fmt: skip
    if statement.missing and not (override and reason.strip()):
        named = "; ".join(f"{item.text.en} ({item.owner}, {item.due})" for item in statement.missing)
        count = len(statement.missing)
        asked = "an override needs a reason" if override else "issue it again once there, or override with a reason"
        raise RefusedError(
            "3.11",
            f"{statement.period} is not locked, {count} {'item is' if count == 1 else 'items are'} missing: {named};"
            f" {asked}",
        )


def _same(one: str, other: str) -> bool:
    return one.strip().lower() == other.strip().lower()


__all__ = ["NotReadyError", "answerable", "changed_since", "lock"]
