"""A record composed again from registers: from a database, or from a pack and nothing else."""

import datetime as dt
from dataclasses import dataclass, replace

from parkcarbon.books import inventory
from parkcarbon.books.amounts import Period, parse_period
from parkcarbon.books.derive.past import past_model
from parkcarbon.books.facts import Facts, load_facts
from parkcarbon.kit.db import Session
from parkcarbon.statement.compose import compose
from parkcarbon.statement.compose.order import Order
from parkcarbon.statement.record import Record, decode

from . import QUERIES
from .again import Derived, Starts, computed_again, starts_of
from .answers import Answers
from .differences import Difference, differences
from .pack import Pack
from .session import RederivingSession


@dataclass(frozen=True)
class Rederived:
    """What came out.

    Attributes:
        record: composed again.
        derived: intervals of the period.
        context: questions on derived tables that were answered as they stood.
    """

    record: Record
    derived: Derived
    context: dict[str, int]


def order_of(record: Record, predecessor: Record | None) -> Order:
    """What was asked for when a record was composed."""
    as_of = dt.datetime.fromisoformat(record.known_on)
    return Order(
        park=record.park,
        period=record.period,
        kind=record.kind,
        as_of=as_of,
        now=as_of + inventory.SETTLED_AFTER,
        version=record.version,
        number=record.number,
        predecessor=predecessor,
        reason="" if record.supersedes is None else record.supersedes.reason,
        software=record.software,
    )


async def asked_of(session: Session, record: Record) -> tuple[Facts, Period]:
    """The park as it was known to a record, and its period."""
    facts = await load_facts(session, record.park, dt.datetime.fromisoformat(record.known_on))
    return replace(facts, now=facts.as_of), parse_period(record.period, facts.zone)


async def recomposed(
    facts_from: Session, readings_from: Session, record: Record, starts: Starts, predecessor: Record | None
) -> Rederived:
    """Compute the intervals of a record's period from readings, and compose it on them.

    Args:
        facts_from: answers everything but questions on intervals and roll-ups of the period.
        readings_from: answers questions about readings.
        record: that is checked.
        starts: what the scans are taken up from.
        predecessor: the version before it.
    """
    facts, period = await asked_of(facts_from, record)
    model = await past_model(facts_from, facts)
    derived = await computed_again(readings_from, model, period, starts)
    del readings_from  # of a pack: large, and not asked any more
    session = RederivingSession(facts_from, Answers(derived, period, facts.zone))
    found = await compose(session, order_of(record, predecessor))
    return Rederived(found, derived, session.context)


async def rederive(source: Pack | Session, record: Record) -> list[Difference]:
    """Compose a record again from registers, and say what does not come out; the first is told first.

    Args:
        source: an evidence pack, which is checked from its hashes up; or a database, in a transaction that sees one
            moment of it: what was known at the record's moment is read there.
        record: that is checked.

    Raises:
        LookupError: the version before a re-issue is not in the database.
        UnknownQuestionError: a composition asks derived tables something that has no counterpart here.
    """
    if isinstance(source, Pack):
        from .check import check_pack

        return (await check_pack(source, record)).differences
    return await rederive_from(source, record, await predecessor_of(source, record))


async def predecessor_of(session: Session, record: Record) -> Record | None:
    """The record that a re-issue took the place of; None: it is a first one.

    Raises:
        LookupError: it is not in this database.
    """
    before = record.supersedes
    if before is None:
        return None
    wanted = record.park, before.number, before.version, before.digest
    content = await session.fetchval(QUERIES["pack_predecessor"], *wanted)
    if content is None:
        raise LookupError(f"{before.number} V{before.version} is not stored here: its pack cannot be compared")
    return decode(content)


async def rederive_from(session: Session, record: Record, predecessor: Record | None = None) -> list[Difference]:
    """Compose a record again from the readings in a database, as known at its moment, and compare.

    Args:
        session: a connection, in a transaction that sees one moment of the database.
        record: that is checked.
        predecessor: the version before it; needed for a re-issue.
    """
    facts, period = await asked_of(session, record)
    starts = await starts_of(session, facts, period)
    again = await recomposed(session, session, record, starts, predecessor)
    return differences(record, again.record)
