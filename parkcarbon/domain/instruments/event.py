"""What is done with serials, and what became of each stretch of a lot by a date.

References:
    accounting rules 3.5 (a serial once), 4.1, 4.2 (one trade, expiry), 6.9 (facts are never changed, only struck).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, get_args

from .lot import Lot, Serials

EventKind = Literal["pending", "transferred", "cancelled", "retired", "sold", "expired", "surrendered"]
Status = Literal["held", "pending", "transferred", "cancelled", "retired", "sold", "expired", "surrendered"]

EVENT_KINDS: Final[tuple[EventKind, ...]] = get_args(EventKind)
HELD: Final[Status] = "held"

CLAIMING: Final = frozenset({"cancelled", "retired", "surrendered"})
"""Kinds that lower somebody's claim or obligation: they count once a second person has confirmed them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One act on serials of one lot.

    Attributes:
        event_id: row of `instrument_event`.
        lot_id: its lot.
        kind: what was done.
        serials: with which.
        park: by whom: the holder.
        to_park: transferred to these books; None: out of them.
        on_day: local day of the act in its registry.
        tenant: for whose consumption or obligation; None: the park.
        claim_from: first local day of the consumption, statement or compliance period.
        claim_to: day after its last.
        counterparty: buyer or receiver.
        public_record: where anyone can see it; None: nowhere.
        evidence: what proves it.
        author: who entered it.
        reason: why.
        confirmed_by: the second person; None: nobody yet.
        recorded_at: when it was entered.
    """

    event_id: int
    lot_id: int
    kind: EventKind
    serials: Serials
    park: str
    to_park: str | None = None
    on_day: dt.date
    tenant: str | None = None
    claim_from: dt.date | None = None
    claim_to: dt.date | None = None
    counterparty: str = ""
    public_record: str | None = None
    evidence: str = ""
    author: str = ""
    reason: str = ""
    confirmed_by: str | None = None
    recorded_at: dt.datetime | None = None

    @property
    def final(self) -> bool:
        """True when its serials can never be used again."""
        return self.kind != "pending" and (self.kind != "transferred" or self.to_park is None)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Serials of a lot that share their fate.

    Attributes:
        lot: the lot.
        serials: which.
        holder: park in whose books they are.
        status: what became of them.
        event: what did; None while they are held.
    """

    lot: Lot
    serials: Serials
    holder: str
    status: Status
    event: Event | None = None


def stretches(lot: Lot, events: Iterable[Event], on_day: dt.date) -> list[Stretch]:
    """What became of each serial of a lot, in order, neighbours of one fate together.

    Args:
        lot: the lot.
        events: of any lots, those in force.
        on_day: held certificates whose validity ended by then are `expired`.
    """
    mine = sorted((event for event in events if event.lot_id == lot.lot_id), key=lambda event: event.event_id)
    edges = {lot.serials.first, lot.serials.end}
    for event in mine:
        edges |= {event.serials.first, event.serials.end}
    bounds = sorted(edges)
    parts = [_fate(lot, mine, first, end, on_day) for first, end in pairwise(bounds)]
    joined: list[Stretch] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last and (last.holder, last.status, last.event) == (part.holder, part.status, part.event):
            joined[-1] = Stretch(lot, lot.serials.part(last.serials.first, part.serials.end), *_rest(part))
        else:
            joined.append(part)
    return joined


def _rest(part: Stretch) -> tuple[str, Status, Event | None]:
    return part.holder, part.status, part.event


def _fate(lot: Lot, events: Sequence[Event], first: int, end: int, on_day: dt.date) -> Stretch:
    holder, status = lot.park, HELD
    last: Event | None = None
    for event in events:
        if event.serials.first >= end or event.serials.end <= first:
            continue
        if event.kind == "transferred" and event.to_park is not None:
            holder, status, last = event.to_park, HELD, event
        elif last is None or not last.final:
            status, last = event.kind, event
    if status in ("held", "pending") and lot.expires is not None and on_day >= lot.expires:
        status, last = "expired", None
    return Stretch(lot, lot.serials.part(first, end), holder, status, last)
