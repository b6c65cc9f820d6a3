"""The ledger as known on a date: lots, what was done with them, and what that means for a period."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import msgspec

from parkcarbon.books.amounts import Period
from parkcarbon.books.facts import QUERIES, Facts
from parkcarbon.catalog.entries.allowance import InstrumentSetting
from parkcarbon.domain.instruments.cover import Cover, cover_period
from parkcarbon.domain.instruments.eligibility import InstrumentSettings
from parkcarbon.domain.instruments.event import Event, Stretch, stretches
from parkcarbon.domain.instruments.hourly import clean_hourly
from parkcarbon.domain.instruments.lot import Lot, Serials
from parkcarbon.domain.readings import Int64Array
from parkcarbon.kit.db import Row, Session


@dataclass(frozen=True)
class Ledger:
    """Lots in the books of a park, and events on them, as known on a date.

    Attributes:
        park: id.
        as_of: moment of knowledge.
        lots: in force by then, by registry and serial.
        events: in force by then, of all parks through whose books the lots went.
    """

    park: str
    as_of: dt.datetime
    lots: tuple[Lot, ...]
    events: tuple[Event, ...]

    def stretches(self, on_day: dt.date) -> list[Stretch]:
        """What became of each serial, lot by lot."""
        by_lot: dict[int, list[Event]] = {}
        for event in self.events:
            by_lot.setdefault(event.lot_id, []).append(event)
        return [part for lot in self.lots for part in stretches(lot, by_lot.get(lot.lot_id, ()), on_day)]


async def load_ledger(session: Session, park: str, as_of: dt.datetime) -> Ledger:
    """Read the ledger of a park as it was known.

    Args:
        session: a connection.
        park: id.
        as_of: moment of knowledge.
    """
    lots = tuple(_lot(row) for row in await session.fetch(QUERIES["lots_at"], park, as_of))
    rows = await session.fetch(QUERIES["events_at"], [lot.lot_id for lot in lots], as_of)
    return Ledger(park, as_of, lots, tuple(_event(row) for row in rows))


def settings_of(facts: Facts) -> InstrumentSettings:
    """What decides beside the lots: the market of the park, the dated setting of how generation must match."""
    said = tuple(
        (entry.from_day, entry.content.vintage_match)
        for entry in facts.entries
        if isinstance(entry.content, InstrumentSetting)
    )
    return InstrumentSettings(market=facts.document.method.electricity_region, vintage_match=said)


async def load_cover(
    session: Session,
    facts: Facts,
    period: Period,
    *,
    purchased_micro_kwh: int | None,
    self_used_micro_kwh: int | None = None,
    exported_micro_kwh: int | None = None,
    tenant: str | None = None,
) -> Cover:
    """What the instruments known by `facts.as_of` do to a period.

    Args:
        session: a connection.
        facts: the park as known.
        period: whole local month or year.
        purchased_micro_kwh: gross import [1e-6 kWh]; None: not known.
        self_used_micro_kwh: own generation used inside [1e-6 kWh]; None: not known.
        exported_micro_kwh: gross export [1e-6 kWh]; None: not known.
        tenant: only claims of this tenant, the amounts being its own; None: of the park and everybody in it.
    """
    ledger = await load_ledger(session, facts.park, facts.as_of)
    return cover_period(
        ledger.lots,
        ledger.events,
        period=period,
        purchased_micro_kwh=purchased_micro_kwh,
        self_used_micro_kwh=self_used_micro_kwh,
        exported_micro_kwh=exported_micro_kwh,
        settings=settings_of(facts),
        known_on=facts.as_of,
        park=facts.park,
        tenant=tenant,
        today=facts.until.astimezone(facts.zone).date(),
    )


async def load_clean_hourly(
    session: Session, facts: Facts, start_ms: Int64Array, *, tenant: str | None = None
) -> Int64Array:
    """Hour-stamped certificates cancelled for consumption, by hour of generation [1e-6 kWh].

    Args:
        session: a connection.
        facts: the park as known.
        start_ms: begin of each hour [ms UTC].
        tenant: whose claims; None: of everybody in the park.
    """
    ledger = await load_ledger(session, facts.park, facts.as_of)
    settings = settings_of(facts)
    return clean_hourly(ledger.lots, ledger.events, start_ms, settings=settings, park=facts.park, tenant=tenant)


def _lot(row: Row) -> Lot:
    members: dict[str, Any] = dict(row)
    park = members.pop("park_id")
    serials = _serials(members)
    criteria = msgspec.json.decode(members.pop("criteria"), type=dict[str, bool])
    return Lot(park=park, serials=serials, criteria=criteria, **members)


def _event(row: Row) -> Event:
    members: dict[str, Any] = dict(row)
    park = members.pop("park_id")
    members.pop("limit_micro_kwh")
    serials = _serials(members)
    return Event(park=park, serials=serials, **members)


def _serials(members: dict[str, Any]) -> Serials:
    prefix, first, count = members.pop("serial_prefix"), int(members.pop("first")), int(members.pop("count"))
    return Serials(prefix, first, count, members.pop("serial_digits"))
