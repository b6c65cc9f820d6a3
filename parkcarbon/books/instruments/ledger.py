"""Entering certificates and credits, and what is done with them; the database has the last word on every serial.

What lowers a claim (sold, transferred, expired) counts at once. What raises one (cancelled, retired, surrendered) takes
its serials at once and counts when a second person has confirmed it; see ADR 0012.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import msgspec

from parkcarbon.books.facts import QUERIES, Facts
from parkcarbon.books.instruments.accounts import load_allowance
from parkcarbon.books.instruments.load import Ledger, load_clean_hourly, load_cover, load_ledger
from parkcarbon.books.refusals import refusals
from parkcarbon.domain.instruments.allowance import refuse_ccer_above
from parkcarbon.domain.instruments.event import EVENT_KINDS, EventKind
from parkcarbon.domain.instruments.lot import Lot, refuse_lot
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import RejectedError, Session

__all__ = [
    "Act",
    "Ledger",
    "confirm",
    "enter_lot",
    "load_clean_hourly",
    "load_cover",
    "load_ledger",
    "record",
    "strike",
    "surrender",
]

_EXCLUSION: Final = "23P01"
_FOREIGN: Final = "23503"
_UNIQUE: Final = "23505"
_RULES: Final = {
    "instrument_lot_serials_once": ("3.5", "some of these serials are in the books already"),
    "instrument_lot_generation_once": ("4.4", "this generation has instruments of another kind already"),
    "instrument_event_used_once": ("3.5", "some of these serials were used already"),
    "instrument_event_pending_once": ("3.5", "some of these serials are applied for already"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What is to be done with serials of a lot.

    Attributes:
        kind: what.
        lot_id: of which lot.
        first: first number after the prefix; None: from the first of the lot.
        count: how many; None: to the end of the lot.
        on_day: local day of the act in its registry.
        tenant: for whose consumption or obligation; None: the park.
        claim_from: first day of the consumption, statement or compliance period.
        claim_to: day after its last.
        limit_micro_kwh: cancelled: what the claimant bought (own-use: self-used) in the period [1e-6 kWh].
        park_limit_micro_kwh: the same of the whole park [1e-6 kWh]; None: that of the claimant.
        to_park: transferred to these books; None: out of the database.
        counterparty: buyer or receiver.
        public_record: where anyone can see it.
        evidence: what proves it.
    """

    kind: EventKind
    lot_id: int
    first: int | None = None
    count: int | None = None
    on_day: dt.date
    tenant: str | None = None
    claim_from: dt.date | None = None
    claim_to: dt.date | None = None
    limit_micro_kwh: int | None = None
    park_limit_micro_kwh: int | None = None
    to_park: str | None = None
    counterparty: str = ""
    public_record: str | None = None
    evidence: str = ""


async def enter_lot(session: Session, park: str, lot: Lot, *, author: str, reason: str) -> int:
    """Enter a lot and return its number.

    Args:
        session: inside a transaction.
        park: whose books.
        lot: what; its number, park, author and time are not looked at.
        author: who enters it.
        reason: why.

    Raises:
        RefusedError: a rule stands against it, a serial is in the books already, or the plant's generation is.
    """
    _refuse_nobody(author, reason)
    refuse_lot(lot)
    if lot.tenant is not None and not await session.fetchval(QUERIES["tenant_known"], park, lot.tenant):
        raise LookupError(f"there is no tenant {lot.tenant} in {park}")
    serials, criteria = lot.serials, msgspec.json.encode(dict(lot.criteria)).decode()
    with _refused():
        return int(
            await session.fetchval(
                QUERIES["insert_lot"],
                park,
                lot.tenant,
                lot.kind,
                lot.registry,
                serials.prefix,
                str(serials.first),
                str(serials.end),
                serials.digits,
                lot.unit_micro_kwh,
                lot.unit_nano_kg,
                lot.carrier,
                lot.technology,
                lot.plant,
                lot.project,
                lot.commissioned,
                lot.market,
                lot.generated_from,
                lot.generated_to,
                lot.granularity,
                lot.generation_month,
                lot.vintage,
                lot.origin,
                lot.issued_for,
                lot.tradable,
                lot.contract,
                lot.unit_cost_micro,
                lot.currency,
                criteria,
                lot.evidence,
                lot.simulated,
                author,
                reason,
            )
        )


async def record(session: Session, park: str, act: Act, *, author: str, reason: str) -> int:
    """Record what was done with serials and return the event's number.

    Args:
        session: inside a transaction.
        park: who did it: whoever holds the serials.
        act: what.
        author: who enters it.
        reason: why.

    Raises:
        RefusedError: the serials are not there, not held by the park or used already, or a rule forbids the act.
        LookupError: there is no such lot.
    """
    _refuse_nobody(author, reason)
    _refuse_act(act)
    limit = act.limit_micro_kwh
    whole = limit if act.park_limit_micro_kwh is None else act.park_limit_micro_kwh
    with _refused():
        event_id = await session.fetchval(
            QUERIES["insert_event"],
            act.lot_id,
            park,
            None if act.first is None else str(act.first),
            None if act.count is None else str(act.count),
            act.kind,
            act.to_park,
            act.on_day,
            act.tenant,
            act.claim_from,
            act.claim_to,
            limit,
            whole,
            act.counterparty,
            act.public_record,
            act.evidence,
            author,
            reason,
        )
    if event_id is None:
        raise LookupError(f"there is no lot {act.lot_id}")
    return int(event_id)


async def surrender(session: Session, facts: Facts, act: Act, *, author: str, reason: str) -> int:
    """Record CCER surrendered for the compliance of an enterprise, at most 5 % of its obligation.

    Args:
        session: inside a transaction.
        facts: the park as known now, with the entries of the enterprise.
        act: what; its tenant is the enterprise, its period the compliance year.
        author: who enters it.
        reason: why.

    Raises:
        RefusedError: as `record`, or more than 5 % of the obligation.
    """
    await session.execute(QUERIES["lock_claims"], facts.park)
    event_id = await record(session, facts.park, act, author=author, reason=reason)
    if act.claim_from is not None:
        view = await load_allowance(session, facts, act.tenant, act.claim_from.year, seen_by_us=True)
        refuse_ccer_above(view.obligation, 0, view.ccer)
    return event_id


async def confirm(session: Session, park: str, event_id: int, *, person: str, reason: str) -> int:
    """Confirm an event as a second person; from then on it counts.

    Raises:
        RefusedError: the person entered it, or it was struck.
        LookupError: there is no such event of this park.
    """
    return await _review(session, park, "confirmed", person=person, reason=reason, event_id=event_id)


async def strike(
    session: Session, park: str, *, person: str, reason: str, lot_id: int | None = None, event_id: int | None = None
) -> int:
    """Strike a lot or an event entered in error, as a second person; its serials are free again.

    Raises:
        RefusedError: the person entered it, it was struck before, or the lot has events in force.
        LookupError: there is no such lot or event of this park.
    """
    if (lot_id is None) == (event_id is None):
        raise RefusedError("6.9", "either a lot or an event is struck")
    return await _review(session, park, "struck", person=person, reason=reason, lot_id=lot_id, event_id=event_id)


async def _review(
    session: Session,
    park: str,
    decision: str,
    *,
    person: str,
    reason: str,
    lot_id: int | None = None,
    event_id: int | None = None,
) -> int:
    _refuse_nobody(person, reason)
    what, number = ("event", event_id) if lot_id is None else ("lot", lot_id)
    known = QUERIES["lot_of_event" if lot_id is None else "lot_of_park"]
    if await session.fetchval(known, number, park) is None:
        raise LookupError(f"{park} has no {what} {number}")
    try:
        with _refused(_UNIQUE):
            review = QUERIES["insert_instrument_review"]
            return int(await session.fetchval(review, lot_id, event_id, decision, person, reason))
    except RejectedError as error:
        if error.sqlstate == _UNIQUE:
            raise RefusedError("6.9", f"{what} {number} was {decision} before") from error
        raise


def _refuse_nobody(person: str, reason: str) -> None:
    if not person.strip():
        raise RefusedError("6.9", "who decides must be named")
    if not reason.strip():
        raise RefusedError("6.9", "a reason must be given")


def _refuse_act(act: Act) -> None:
    if act.kind not in EVENT_KINDS:
        raise RefusedError("3.5", f"{act.kind!r} is nothing that can be done; there are {', '.join(EVENT_KINDS)}")
    if (act.count is not None and act.count <= 0) or (act.first is not None and act.first < 0):
        raise RefusedError("3.5", f"{act.count} serials from {act.first or 'the first of the lot'}: that is none")
    if act.kind == "surrendered" and not act.tenant:
        raise RefusedError("4.7", "surrendered for whom? An obligation is an enterprise's, never the park's")
    needs_period = act.kind in ("pending", "cancelled", "retired", "surrendered")
    if needs_period and (act.claim_from is None or act.claim_to is None):
        raise RefusedError("3.5", f"{act.kind} for which period? None is given")
    if act.claim_from and act.claim_to and act.claim_to <= act.claim_from:
        raise RefusedError("3.5", f"{act.claim_from} to {act.claim_to} is no period")
    if act.claim_from and act.claim_to and (act.claim_to - dt.timedelta(days=1)).year != act.claim_from.year:
        raise RefusedError("3.14", f"{act.claim_from} to {act.claim_to} is not within one calendar year")
    if act.kind == "retired" and (
        act.claim_from is None or act.claim_to is None or act.claim_from.day != 1 or act.claim_to.day != 1
    ):
        raise RefusedError("3.4", f"statements are for whole months, not {act.claim_from} to {act.claim_to}")
    if act.kind == "cancelled" and act.limit_micro_kwh is None:
        raise RefusedError("4.3", "the electricity bought (or self-used) in that period is not known")


@contextmanager
def _refused(*but: str) -> Iterator[None]:
    """Turn what the database refuses into a refusal that names the rule; SQLSTATEs in `but` pass."""
    try:
        with refusals():
            yield
    except RejectedError as error:
        for constraint, (rule, reason) in _RULES.items():
            if error.sqlstate == _EXCLUSION and constraint in str(error):
                raise RefusedError(rule, reason) from error
        if error.sqlstate == _FOREIGN:
            raise LookupError("there is no such park to hold or receive these serials") from error
        if error.by_data and error.sqlstate not in but:
            raise RefusedError("3.14", f"the ledger does not hold that: {error}") from error
        raise
