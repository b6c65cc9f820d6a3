"""Certificates and credits of the demonstration: own use, bought, sold, expired, CCER, and what is done with them."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from parkcarbon.books.instruments.documents import ActDocument

from .entries import EVIDENCE, Months, month_after

Document = dict[str, Any]

_GEC: Final = {"kind": "GEC", "registry": "gec.demo", "market": "China", "serial_digits": 6, "simulated": True}


@dataclass(frozen=True, slots=True)
class Holding:
    """A lot and what is done with it, in order; `confirmed` ones get a second person's word."""

    lot: Document
    acts: tuple[ActDocument, ...] = ()


def demo_lots(months: Months, first_metered: dt.date, today: dt.date) -> list[Holding]:
    """The lots of a park whose meters begin with the month `first_metered`, as of `today`."""
    before = month_after(first_metered, -1)
    energy = months[f"{before:%Y-%m}"]
    exported = int(energy["grid_export_kwh"] // 1000)
    self_used = int((energy["generation_kwh"] - energy["grid_export_kwh"]) // 1000)
    metered, previous = f"{first_metered:%Y-%m}", f"{before:%Y-%m}"
    return [
        _own_use(previous, self_used - 10, today),
        _bought(f"{month_after(first_metered, -4):%Y-%m}", metered, today),
        _sold(previous, exported, today, issued_for="exported", first=1),
        _sold(previous, 10, today, issued_for="self_used", first=900_001),
        _expired(month_after(first_metered, -26), today),
        _ccer(first_metered, metered, today),
    ]


def _own_use(month: str, count: int, today: dt.date) -> Holding:
    lot = _gec(
        "OWN-", 1, count, month, origin="own_use", issued_for="self_used", technology="solar", plant="demo/roof-own"
    )
    return Holding(lot, (_act("cancelled", today, period=month),))


def _bought(generated: str, metered: str, today: dt.date) -> Holding:
    lot = _gec(
        "WIND-", 50_001, 120, generated, origin="bought", technology="wind", plant="demo/wind", unit_cost=7.5
    ) | {"currency": "CNY"}
    return Holding(
        lot,
        (_act("cancelled", today, period=metered, first=50_001, count=80),),  # the other 40 are held
    )


def _sold(month: str, count: int, today: dt.date, *, issued_for: str, first: int) -> Holding:
    plant = f"demo/roof-{issued_for.replace('_', '-')}"
    lot = _gec("ROOF-", first, count, month, origin="own_pv", issued_for=issued_for, technology="solar", plant=plant)
    return Holding(lot, (_act("sold", today, counterparty="a buyer of the demonstration"),))


def _expired(month: dt.date, today: dt.date) -> Holding:
    lot = _gec("OLD-", 1, 5, f"{month:%Y-%m}", origin="bought", technology="wind", plant="demo/wind-old")
    return Holding(lot, (_act("expired", today),))


def _ccer(first_metered: dt.date, metered: str, today: dt.date) -> Holding:
    lot: Document = {
        "kind": "CCER",
        "registry": "ccer.demo",
        "serial_prefix": "CCER-",
        "first": 1,
        "count": 150,
        "serial_digits": 6,
        "technology": "afforestation",
        "market": "China",
        "origin": "bought",
        "project": "demonstration project",
        "generated": str(first_metered.year - 2),
        "criteria": dict.fromkeys(
            ("additional", "permanent", "programme_verified", "leakage_treated", "not_double_counted"), True
        ),
        "unit_cost": 68.0,
        "currency": "CNY",
        "evidence": EVIDENCE,
        "simulated": True,
    }
    retired = _act("retired", today, period=metered, first=1, count=60)
    return Holding(lot, (retired,))


def _gec(prefix: str, first: int, count: int, generated: str, **members: Any) -> Document:
    serials = {"serial_prefix": prefix, "first": first, "count": count, "generated": generated}
    return {**_GEC, **serials, "evidence": EVIDENCE, **members}


def _act(kind: str, on_day: dt.date, **members: Any) -> ActDocument:
    public = {"public_record": "https://registry.invalid/demo"} if kind in ("cancelled", "retired") else {}
    return ActDocument(kind=kind, on_day=on_day, evidence=EVIDENCE, **public, **members)  # type: ignore[arg-type]
