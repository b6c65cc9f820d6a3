"""Freeze a statement: seal the log, compose the record from one snapshot, store its bytes.

What is frozen is what was known a minute ago: nothing of the period may have come since, and nothing may wait to be
computed again. Whoever prepares is named; of what the scheduler freezes, two persons answer for it later.
"""

import datetime as dt
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

from parkcarbon.books import inventory
from parkcarbon.books.amounts import parse_period
from parkcarbon.books.facts import QUERIES as BOOKS
from parkcarbon.books.facts import load_current
from parkcarbon.books.refusals import refusals
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Database, Session, from_ms
from parkcarbon.statement.compose.context import open_context
from parkcarbon.statement.compose.missing import missing_of
from parkcarbon.statement.compose.order import Order
from parkcarbon.statement.log.seal import seal
from parkcarbon.statement.record import Kind, Missing, Record, decode, encode

from . import store
from .store import QUERIES, Statement

_LONGEST_BEHIND: Final = dt.timedelta(minutes=10)

SOFTWARE: Final = f"parkcarbon {version('parkcarbon')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be prepared.

    Attributes:
        park: id.
        period: `2026-10`, or `2026` of an annual statement.
        kind: flash report, statement of a month, annual statement.
        person: who prepares it; empty: nobody, the scheduler does.
        reason: why it is issued again; needed once one was issued.
    """

    park: str
    period: str
    kind: Kind = "statement"
    person: str = ""
    reason: str = ""


async def settle(database: Database, *, now: dt.datetime) -> dt.datetime:
    """Seal what can be sealed and return the moment of knowledge: everything recorded by then is there and in the log.

    To be called before `prepare`, outside its transaction: the log is sealed for everybody, whatever becomes of that.

    Args:
        database: where transactions of its own can be opened that write.
        now: time of now.

    Raises:
        RefusedError: a transaction has been writing for minutes.
    """
    sealed = await seal(database, wait=True)
    as_of = min(now - inventory.SETTLED_AFTER, sealed.until)
    if as_of < now - _LONGEST_BEHIND:
        raise RefusedError("6.9", f"the log is sealed until {sealed.until.isoformat()} only: try again in a minute")
    return as_of


async def prepare(
    reading: Database, writing: Session, wanted: Wanted, *, as_of: dt.datetime, now: dt.datetime
) -> Statement:
    """Freeze a statement and store it.

    Args:
        reading: where a snapshot is read, on a connection of its own.
        writing: a connection in a transaction that may write; the statement is there once it commits.
        wanted: which.
        as_of: moment of knowledge, from `settle`.
        now: time of now.

    Raises:
        RefusedError: the period is not over; one is being prepared; a re-issue without a reason; something of it came
            within the last minute.
        LookupError: there is no such park.
    """
    before = await store.last_issued(writing, wanted.park, wanted.kind, wanted.period)
    if before is not None and not wanted.reason.strip():
        told = f"{before[1].number} V{before[1].version}"
        raise RefusedError("6.9", f"{told} was issued: again only with a reason, as a new version (reissue)")
    if before is None and wanted.reason.strip():
        raise RefusedError("6.9", f"no {wanted.kind} of {wanted.period} was issued: there is nothing to issue again")
    order = Order(
        park=wanted.park,
        period=wanted.period,
        kind=wanted.kind,
        as_of=as_of,
        now=now,
        version=1 if before is None else before[2] + 1,
        predecessor=None if before is None else before[1],
        reason=wanted.reason.strip(),
        software=SOFTWARE,
    )
    record = decode(encode(await composed(reading, order)))  # what is stored reads back as the same bytes
    with refusals():
        number = await store.insert(
            writing, record, as_of=as_of, person=wanted.person, supersedes=None if before is None else before[0]
        )
    return await store.one(writing, number)


async def composed(reading: Database, order: Order) -> Record:
    """Compose a record from one snapshot of the database in which everything of the period is settled.

    Raises:
        RefusedError: the period is not over, or something of it came after `order.as_of`.
        LookupError: there is no such park.
    """
    from parkcarbon.statement.compose import compose

    async with reading.transaction() as session:
        await session.execute(BOOKS["one_snapshot"])
        await session.fetchval(QUERIES["room_for_groups"])
        facts = await load_current(session, order.park, order.now)
        span = parse_period(order.period, facts.zone)
        if from_ms(span.to_ms) > order.as_of:
            raise RefusedError(
                "3.9", f"{order.period} is not over: it ends {from_ms(span.to_ms).astimezone(facts.zone)}"
            )
        times = from_ms(span.from_ms), from_ms(span.to_ms)
        row: Any = await session.fetchrow(QUERIES["statement_unsettled"], order.park, *times, order.as_of)
        changed = await session.fetchval(BOOKS["config_changed_after"], order.as_of)
        _refuse_unsettled(order.period, row["batches"], row["waiting"], changed=bool(changed))
        return await compose(session, order)


def _refuse_unsettled(period: str, batches: int, waiting: int, *, changed: bool) -> None:
    found = [f"{batches} batches with readings of {period} came within the last minute"] if batches else []
    found += [f"{waiting} spans of {period} are about to be computed again"] if waiting else []
    found += ["meters, factors or corrections were changed within the last minute"] if changed else []
    if found:
        raise RefusedError("6.9", f"{'; '.join(found)}: try again in a minute")


async def missing_now(
    session: Session, park: str, period: str, *, now: dt.datetime, kind: Kind = "statement"
) -> tuple[Missing, ...]:
    """What a period still waits for, with who owes it and until when, as known a minute ago.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        park: id.
        period: that has begun.
        now: time of now.
        kind: a flash report names certificates as pending in any case.

    Raises:
        RefusedError: no such period, or it had not begun.
        LookupError: there is no such park, or it was not known a minute ago.
    """
    clock = await session.fetchval(QUERIES["statement_clock"])
    as_of = min(now, clock) - inventory.SETTLED_AFTER
    order = Order(park=park, period=period, kind=kind, as_of=as_of, now=now, software=SOFTWARE)
    return await missing_of(await open_context(session, order))
