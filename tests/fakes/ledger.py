"""Lots and events for tests of the ledger: short to write, real in every member."""

import datetime as dt
from typing import Any

from parkcarbon.books.instruments.ledger import Act
from parkcarbon.domain.instruments.eligibility import InstrumentSettings
from parkcarbon.domain.instruments.event import Event, EventKind
from parkcarbon.domain.instruments.lot import CCER_NANO_KG, CRITERIA, GEC_MICRO_KWH, Lot, Serials, add_months
from parkcarbon.kit.db import Database

CST = dt.timezone(dt.timedelta(hours=8))
KNOWN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
SETTINGS = InstrumentSettings(market="China/JS")


WHO: dict[str, Any] = {"author": "energy manager", "reason": "bought on the exchange"}
SECOND: dict[str, Any] = {"person": "reviewer", "reason": "seen in the register"}
PARKS = ("demo", "other")


async def make_parks(database: Database) -> None:
    """Two parks with two tenants each."""
    for park in PARKS:
        await database.execute(
            "insert into park (park_id, name_zh, name_en, timezone, document, revision)"
            " values ($1, '园', 'Park', 'Asia/Shanghai', '{}', 1)",
            park,
        )
        await database.execute(
            "insert into tenant (park_id, tenant, name_zh, name_en, position)"
            " values ($1, 'foundry', '厂', 'Foundry', 0), ($1, 'mill', '坊', 'Mill', 1)",
            park,
        )


class Span:
    """A period as the domain asks for it, Chinese time."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.year = int(label[:4])
        month = int(label[5:] or 1)
        self.from_day = dt.date(self.year, month, 1)
        self.to_day = add_months(self.from_day, 1 if "-" in label else 12)
        self.from_ms = int(midnight(self.from_day).timestamp() * 1000)
        self.to_ms = int(midnight(self.to_day).timestamp() * 1000)


def midnight(day: dt.date) -> dt.datetime:
    """Begin of a day in China."""
    return dt.datetime.combine(day, dt.time(), CST)


def gec(first: int, count: int, *, month: str = "2026-03", lot_id: int = 1, **members: Any) -> Lot:
    """A lot of bought GEC of one generation month."""
    begin = dt.date.fromisoformat(f"{month}-01")
    said: dict[str, Any] = {
        "lot_id": lot_id,
        "park": "demo",
        "kind": "GEC",
        "registry": "gec-cn",
        "serials": Serials("GEC-", first, count, 8),
        "unit_micro_kwh": GEC_MICRO_KWH,
        "technology": "solar",
        "plant": "plant-1",
        "market": "China",
        "generated_from": midnight(begin),
        "generated_to": midnight(add_months(begin, 1)),
        "granularity": "month",
        "generation_month": begin,
        "vintage": begin.year,
        "origin": "bought",
        "evidence": "statement of account",
        "author": "energy manager",
    }
    return Lot(**(said | members))


def own(first: int, count: int, *, issued_for: str, month: str = "2026-03", lot_id: int = 1, **members: Any) -> Lot:
    """A lot of GEC for generation inside the park; those of self-used kWh are of a third party's roof."""
    origin = "own_pv" if issued_for == "exported" else "third_party_roof"
    said: dict[str, Any] = {"origin": origin, "issued_for": issued_for, "contract": "roof-7", "plant": "roof"}
    return gec(first, count, month=month, lot_id=lot_id, **(said | members))


def credit(first: int, count: int, *, lot_id: int = 1, **members: Any) -> Lot:
    """A lot of good CCER of a forest, vintage 2025."""
    said: dict[str, Any] = {
        "lot_id": lot_id,
        "park": "demo",
        "kind": "CCER",
        "registry": "ccer",
        "serials": Serials("CCER-", first, count, 6),
        "unit_nano_kg": CCER_NANO_KG,
        "technology": "forestry",
        "project": "forest 12",
        "market": "China",
        "generated_from": midnight(dt.date(2025, 1, 1)),
        "generated_to": midnight(dt.date(2026, 1, 1)),
        "granularity": "period",
        "vintage": 2025,
        "origin": "bought",
        "criteria": dict.fromkeys(CRITERIA, True),
        "evidence": "register extract",
        "author": "energy manager",
    }
    return Lot(**(said | members))


def event(kind: EventKind, lot: Lot, *, first: int | None = None, count: int | None = None, **members: Any) -> Event:
    """An event on a lot, of the whole of it unless told; claims are for March 2026 and confirmed."""
    begin = lot.serials.first if first is None else first
    said: dict[str, Any] = {
        "event_id": 100 + lot.lot_id,
        "lot_id": lot.lot_id,
        "kind": kind,
        "serials": lot.serials.part(begin, begin + (lot.serials.end - begin if count is None else count)),
        "park": lot.park,
        "on_day": dt.date(2026, 5, 4),
        "public_record": "https://registry.example/1",
        "evidence": "extract",
        "author": "energy manager",
        "confirmed_by": "reviewer",
    }
    if kind in ("pending", "cancelled", "retired", "surrendered"):
        said |= {"claim_from": dt.date(2026, 3, 1), "claim_to": dt.date(2026, 4, 1)}
    return Event(**(said | members))


def act(kind: EventKind, lot_id: int, **members: Any) -> Act:
    """Something to be done with a whole lot unless told; claims are for March 2026."""
    said: dict[str, Any] = {
        "kind": kind,
        "lot_id": lot_id,
        "on_day": dt.date(2026, 5, 4),
        "public_record": "https://registry.example/1",
        "evidence": "extract",
    }
    if kind in ("pending", "cancelled", "retired", "surrendered"):
        said |= {"claim_from": dt.date(2026, 3, 1), "claim_to": dt.date(2026, 4, 1)}
    if kind == "cancelled":
        said |= {"limit_micro_kwh": 10**15}
    return Act(**(said | members))
