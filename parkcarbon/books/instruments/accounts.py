"""Allowances by obligated enterprise, and the gap planner, from entries and the ledger."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from msgspec import Struct

from parkcarbon.books.facts import Entry, Facts
from parkcarbon.books.instruments.load import load_ledger
from parkcarbon.catalog.entries.allowance import (
    AllowanceAllocation,
    AllowanceCarried,
    AllowanceObligation,
    InstrumentPrice,
)
from parkcarbon.domain.instruments.allowance import Allowance, allowance_view
from parkcarbon.domain.instruments.cover import Cover
from parkcarbon.domain.instruments.event import Event
from parkcarbon.domain.instruments.gap import Gap, Prices, plan_gap
from parkcarbon.domain.instruments.lot import Lot
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Session

S = TypeVar("S", bound=Struct)

_NANO_KG_PER_T = 10**12


async def load_allowance(
    session: Session, facts: Facts, enterprise: str | None, year: int, *, seen_by_us: bool = False
) -> Allowance:
    """Where an obligated enterprise stands in a compliance year.

    Args:
        session: a connection.
        facts: the park as known.
        enterprise: tenant.
        year: compliance year.
        seen_by_us: count surrenders that nobody has confirmed yet, and what this transaction has written.

    Raises:
        RefusedError: no enterprise is named, or the tenant has no allowance in these books.
    """
    if not enterprise:
        return allowance_view(None, year, allocated=None, carried=0, obligation=None, ccer=0)
    entries = [entry for entry in facts.entries if entry.tenant == enterprise and entry.from_day.year == year]
    allocation = _newest(entries, AllowanceAllocation)
    carried = _newest(entries, AllowanceCarried)
    obligation = _newest(entries, AllowanceObligation)
    if allocation is None and obligation is None:
        raise RefusedError("4.7", f"{enterprise} has neither an allocation nor an obligation for {year}: not obligated")
    as_of = facts.as_of if not seen_by_us else dt.datetime.max.replace(tzinfo=dt.UTC)
    ledger = await load_ledger(session, facts.park, as_of)
    return allowance_view(
        enterprise,
        year,
        allocated=None if allocation is None else _nano(allocation.allocated_t),
        carried=0 if carried is None else _nano(carried.carried_t),
        obligation=None if obligation is None else _nano(obligation.verified_t),
        ccer=_surrendered(ledger.lots, ledger.events, enterprise, year, unconfirmed=seen_by_us),
    )


def prices_of(facts: Facts, on_day: dt.date) -> Prices:
    """The newest entered prices on a day.

    Raises:
        RefusedError: prices in different currencies.
    """
    found: dict[str, InstrumentPrice] = {}
    for entry in facts.entries:
        if isinstance(entry.content, InstrumentPrice) and entry.from_day <= on_day < entry.to_day:
            found[entry.content.instrument] = entry.content
    used = [price for name, price in found.items() if name in ("GEC", "credit")]
    currencies = {price.currency for price in used}
    if len(currencies) > 1:
        raise RefusedError("3.1", f"prices in {' and '.join(sorted(currencies))} cannot be compared")
    gec, credit = found.get("GEC"), found.get("credit")
    return Prices(
        currency=next(iter(currencies), facts.document.currency),
        gec=None if gec is None else gec.price,
        credit=None if credit is None else credit.price,
    )


def gap_of(
    facts: Facts,
    cover: Cover,
    on_day: dt.date,
    *,
    remaining_nano_kg: int | None,
    purchased_micro_kwh: int | None,
    remainder_kg_per_kwh: float | None,
    measures: Sequence[tuple[str, int, float | None]] = (),
) -> Gap:
    """What is short after the instruments of a period, and what closing it costs at entered prices.

    Args:
        facts: the park as known.
        cover: of the period.
        on_day: day of the prices.
        remaining_nano_kg: emissions on the market basis before credits, cover applied [1e-9 kgCO2e].
        purchased_micro_kwh: gross import [1e-6 kWh].
        remainder_kg_per_kwh: factor of what no certificate covers [kgCO2/kWh].
        measures: (name, saving [1e-9 kgCO2e], cost or None).
    """
    uncovered = None if purchased_micro_kwh is None else max(purchased_micro_kwh - cover.covered_micro_kwh, 0)
    return plan_gap(
        remaining_nano_kg,
        cover.retired_nano_kg,
        uncovered_micro_kwh=uncovered,
        remainder_kg_per_kwh=remainder_kg_per_kwh,
        prices=prices_of(facts, on_day),
        measures=measures,
    )


def _newest(entries: Sequence[Entry], kind: type[S]) -> S | None:
    found = [entry for entry in entries if isinstance(entry.content, kind)]
    newest = max(found, key=lambda entry: (entry.from_day, entry.entry_id), default=None)
    return newest.content if newest is not None and isinstance(newest.content, kind) else None


def _surrendered(lots: Sequence[Lot], events: Sequence[Event], enterprise: str, year: int, *, unconfirmed: bool) -> int:
    units = {lot.lot_id: lot.unit_nano_kg or 0 for lot in lots}
    return sum(
        event.serials.count * units[event.lot_id]
        for event in events
        if event.kind == "surrendered"
        and event.tenant == enterprise
        and event.claim_from is not None
        and event.claim_from.year == year
        and (unconfirmed or event.confirmed_by is not None)
    )


def _nano(tonnes: float) -> int:
    return int(Decimal(str(tonnes)) * _NANO_KG_PER_T)
