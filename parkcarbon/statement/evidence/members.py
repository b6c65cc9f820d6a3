"""What the figures of a statement rest on, as it was when they were frozen: the member `evidence` of the record.

All of it follows from the moment of knowledge: the log up to then, the factor records, the ledger, the entries. The
same moment gives the same bytes, however much is learned later.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict
from decimal import Decimal

from parkcarbon.books.amounts import Period
from parkcarbon.books.facts import Facts
from parkcarbon.books.instruments.load import Ledger, load_ledger
from parkcarbon.domain.factors import Factor
from parkcarbon.kit.db import Session, from_ms
from parkcarbon.statement.log import QUERIES
from parkcarbon.statement.log.leaf import micro
from parkcarbon.statement.log.roots import root_at, roots_between, size_at
from parkcarbon.statement.log.seal import ensure_sealed
from parkcarbon.statement.record import Evidence, FactorRecord, Loss, Root
from parkcarbon.statement.sheet import plain

__all__ = ["ensure_sealed", "evidence_of", "factor_record", "ledger_bytes"]


async def evidence_of(
    session: Session, facts: Facts, period: Period, *, as_of: dt.datetime, used: Collection[str] = ()
) -> Evidence:
    """What a statement of a period rests on.

    What was recorded by `as_of` is sealed first where the sealer has not come to it yet; `ensure_sealed` before the
    transaction that composes keeps that from holding the sealer up.

    Args:
        session: a connection.
        facts: the park as known at `as_of`.
        period: of the statement.
        as_of: moment of knowledge.
        used: names of the factors that figures were made with.

    Raises:
        RefusedError: `as_of` is so new that a fact recorded by then may not be visible yet.
    """
    await ensure_sealed(session, as_of)
    size = await size_at(session, facts.park, as_of)
    root = await root_at(session, facts.park, size)
    ledger = await load_ledger(session, facts.park, as_of)
    span = from_ms(period.from_ms), from_ms(period.to_ms)
    wanted = frozenset(used)
    records = [factor_record(factor) for _, factor in facts.factors if factor.factor in wanted]
    return Evidence(
        log_size=size,
        log_root=root.hex(),
        batches=await session.fetchval(QUERIES["evidence_batches"], facts.park, *span, size),
        roots=await _roots(session, facts.park, span[0], as_of),
        factors=tuple(sorted(records, key=lambda record: (record.factor, record.recorded_at))),
        ledger_digest=hashlib.sha256(ledger_bytes(ledger)).hexdigest(),
        ledger_events=len(ledger.events),
        entries=tuple(_entries(facts, period)),
        losses=await _losses(session, facts, span, as_of),
        park_revision=facts.revision,
    )


def factor_record(factor: Factor) -> FactorRecord:
    """A factor as a statement names it; one whose values are a series has no single value."""
    return FactorRecord(
        factor=factor.factor,
        value=None if factor.value is None else plain(Decimal(repr(factor.value))),
        unit=factor.unit,
        publisher=factor.publisher,
        edition=factor.edition,
        data_year=factor.data_year,
        recorded_at="" if factor.recorded_at is None else micro(factor.recorded_at),
        verified=not factor.unverified,
    )


def ledger_bytes(ledger: Ledger) -> bytes:
    """Canonical JSON of the lots and events of a ledger, in the order of their numbers: the bytes that are hashed."""
    lots = [asdict(lot) for lot in sorted(ledger.lots, key=lambda lot: lot.lot_id)]
    events = [asdict(event) for event in sorted(ledger.events, key=lambda event: event.event_id)]
    document = {"events": events, "lots": lots}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_text).encode()


async def _roots(session: Session, park: str, begin: dt.datetime, as_of: dt.datetime) -> tuple[Root, ...]:
    """The daily roots from the first day of the period to the last day that was over."""
    first, after = (moment.astimezone(dt.UTC).date() for moment in (begin, as_of))
    found = await roots_between(session, park, first, after, as_of=as_of)
    return tuple(Root(one.day.isoformat(), one.size, one.root.hex(), one.sent) for one in found)


async def _losses(
    session: Session, facts: Facts, span: tuple[dt.datetime, dt.datetime], as_of: dt.datetime
) -> tuple[Loss, ...]:
    rows = await session.fetch(QUERIES["evidence_losses"], facts.park, *span, as_of)
    local = facts.zone
    return tuple(
        Loss(
            point=row["point"],
            from_time=row["t_from"].astimezone(local).isoformat(),
            to_time=row["t_to"].astimezone(local).isoformat(),
            readings=row["n"],
            reason=row["reason"],
        )
        for row in rows
    )


def _entries(facts: Facts, period: Period) -> list[int]:
    """Numbers of the entries in force that speak of a day of the period."""
    return sorted(
        entry.entry_id for entry in facts.entries if entry.from_day < period.to_day and entry.to_day > period.from_day
    )


def _text(value: object) -> str:
    if isinstance(value, dt.datetime):
        return micro(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")
