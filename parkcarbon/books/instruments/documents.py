"""Lots and acts as people give them, and as they are shown."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from parkcarbon.books.amounts import parse_period
from parkcarbon.catalog.strict import document_problems
from parkcarbon.domain.instruments.event import Event, EventKind, Stretch
from parkcarbon.domain.instruments.lot import (
    CRITERIA,
    Granularity,
    IssuedFor,
    Kind,
    Lot,
    Origin,
    Serials,
    refuse_allowance,
)
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import from_ms

Json = dict[str, Any]
S = TypeVar("S", bound=Struct)

_NANO_PER_KG = 10**9
_MICRO = 10**6
_DEFAULT_UNIT_KWH = {"GEC": 1000.0, "GO": 1000.0, "I-REC": 1000.0, "green_power_contract": 1000.0}


class LotDocument(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A lot as a person gives it.

    Attributes:
        kind: what it is.
        registry: one numbering of serials, lower case.
        serial_prefix: what stands before the number; not ending in a digit.
        first: first number.
        count: how many.
        serial_digits: width of the printed number.
        generated: generation month `2026-03`, or year `2025` for credits; instead of the times.
        generated_from: begin, for hour stamps and other spans.
        generated_to: end.
        unit_kwh: electricity behind one serial [kWh]; absent: 1,000 for certificates.
        unit_kg: one credit [kgCO2e]; absent: 1,000 for credits.
        unit_cost: price of one serial [currency].
        tradable: absent: not for own-use, else yes.

    The others are those of `domain.instruments.lot.Lot`.
    """

    kind: Kind
    registry: str
    first: int | str
    count: int
    technology: str
    market: str
    origin: Origin
    evidence: str
    serial_prefix: str = ""
    serial_digits: int = 0
    generated: str | None = None
    generated_from: dt.datetime | None = None
    generated_to: dt.datetime | None = None
    unit_kwh: float | None = None
    unit_kg: float | None = None
    carrier: str = "electricity"
    plant: str | None = None
    project: str = ""
    commissioned: dt.date | None = None
    issued_for: IssuedFor | None = None
    tradable: bool | None = None
    contract: str | None = None
    unit_cost: float | None = None
    currency: str = ""
    criteria: dict[str, bool] = {}
    tenant: str | None = None
    simulated: bool = False


class ActDocument(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something to be done with serials of a lot, as a person gives it.

    Attributes:
        kind: what.
        on_day: local day of the act in its registry.
        first: first number; absent: from the first of the lot.
        count: how many; absent: to the end of the lot.
        period: month or year of the consumption, statement or compliance.
        tenant: for whose consumption or obligation.
        limit_kwh: what a tenant bought in the period, where its meters do not tell [kWh].
        to_park: transferred to these books.
        counterparty: buyer or receiver.
        public_record: where anyone can see it.
        evidence: what proves it.
    """

    kind: EventKind
    on_day: dt.date
    first: int | str | None = None
    count: int | None = None
    period: str | None = None
    tenant: str | None = None
    limit_kwh: float | None = None
    to_park: str | None = None
    counterparty: str = ""
    public_record: str | None = None
    evidence: str = ""


def read_lot(document: Any, zone: ZoneInfo) -> Lot:
    """A lot from plain data.

    Args:
        document: in the shape of `LotDocument`.
        zone: of the park; generation months are local.

    Raises:
        RefusedError: members that do not fit, all named, or a number that is none.
    """
    if isinstance(document, dict):
        refuse_allowance(document.get("kind"))
    said = _convert(document, LotDocument)
    start, end, granularity, month, vintage = _generated(said, zone)
    credit = said.kind in ("CCER", "other_credit")
    unit_kg = 1000.0 if said.unit_kg is None and credit else said.unit_kg
    unit_kwh = _DEFAULT_UNIT_KWH.get(said.kind) if said.unit_kwh is None else said.unit_kwh
    return Lot(
        tenant=said.tenant,
        kind=said.kind,
        registry=said.registry,
        serials=Serials(said.serial_prefix, number(said.first), said.count, said.serial_digits),
        unit_micro_kwh=_scaled(unit_kwh, _MICRO),
        unit_nano_kg=_scaled(unit_kg, _NANO_PER_KG),
        carrier=said.carrier,
        technology=said.technology,
        plant=said.plant,
        project=said.project,
        commissioned=said.commissioned,
        market=said.market,
        generated_from=start,
        generated_to=end,
        granularity=granularity,
        generation_month=month,
        vintage=vintage,
        origin=said.origin,
        issued_for=said.issued_for,
        tradable=said.origin != "own_use" if said.tradable is None else said.tradable,
        contract=said.contract,
        unit_cost_micro=_scaled(said.unit_cost, _MICRO),
        currency=said.currency,
        criteria=said.criteria,
        evidence=said.evidence,
        simulated=said.simulated,
    )


def read_act(document: Any) -> ActDocument:
    """Something to be done, from plain data.

    Raises:
        RefusedError: members that do not fit, all named.
    """
    return _convert(document, ActDocument)


def number(text: int | str) -> int:
    """A serial number; as text it may be longer than other programs can hold.

    Raises:
        RefusedError: it is none.
    """
    if isinstance(text, int):
        return text
    if not (text.isascii() and text.isdigit()):
        raise RefusedError("3.5", f"serial number {text!r}: digits are expected, the rest belongs to the prefix")
    return int(text)


def lot_document(lot: Lot, parts: Sequence[Stretch], park: str) -> Json:
    """A lot as it is shown in the books of a park; prices of other parks are not."""
    mine = lot.park == park
    return {
        "lot": lot.lot_id,
        "park": lot.park,
        "tenant": lot.tenant if mine else None,
        "kind": lot.kind,
        "registry": lot.registry,
        "serials": str(lot.serials),
        "serial_prefix": lot.serials.prefix,
        "first": str(lot.serials.first),
        "count": lot.serials.count,
        "serial_digits": lot.serials.digits,
        "unit_kwh": _per(lot.unit_micro_kwh, _MICRO),
        "unit_kg": _per(lot.unit_nano_kg, _NANO_PER_KG),
        "carrier": lot.carrier,
        "technology": lot.technology,
        "plant": lot.plant,
        "project": lot.project,
        "commissioned": lot.commissioned,
        "market": lot.market,
        "generated_from": lot.generated_from,
        "generated_to": lot.generated_to,
        "granularity": lot.granularity,
        "generation_month": None if lot.generation_month is None else f"{lot.generation_month:%Y-%m}",
        "vintage": lot.vintage,
        "expires": lot.expires,
        "origin": lot.origin,
        "issued_for": lot.issued_for,
        "tradable": lot.tradable,
        "contract": lot.contract if mine else None,
        "unit_cost": _per(lot.unit_cost_micro, _MICRO) if mine else None,
        "currency": lot.currency if mine else "",
        "criteria": {name: lot.criteria.get(name) for name in CRITERIA} if lot.claim == "credit" else {},
        "evidence": lot.evidence,
        "simulated": lot.simulated,
        "author": lot.author,
        "recorded_at": lot.recorded_at,
        "stretches": [
            {
                "serials": str(part.serials),
                "first": str(part.serials.first),
                "count": part.serials.count,
                "holder": part.holder,
                "status": part.status,
                "event": None if part.event is None else part.event.event_id,
            }
            for part in parts
        ],
    }


def event_document(event: Event) -> Json:
    """An event as it is shown."""
    return {
        "event": event.event_id,
        "lot": event.lot_id,
        "kind": event.kind,
        "serials": str(event.serials),
        "first": str(event.serials.first),
        "count": event.serials.count,
        "park": event.park,
        "to_park": event.to_park,
        "on_day": event.on_day,
        "tenant": event.tenant,
        "claim_from": event.claim_from,
        "claim_to": event.claim_to,
        "counterparty": event.counterparty,
        "public_record": event.public_record,
        "evidence": event.evidence,
        "author": event.author,
        "reason": event.reason,
        "confirmed_by": event.confirmed_by,
        "recorded_at": event.recorded_at,
    }


def _generated(said: LotDocument, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime, Granularity, dt.date | None, int]:
    if said.generated is not None:
        period = parse_period(said.generated, zone)
        month = period.from_day if period.is_month else None
        granularity: Granularity = "month" if period.is_month else "period"
        return from_ms(period.from_ms), from_ms(period.to_ms), granularity, month, period.year
    start, end = said.generated_from, said.generated_to
    if start is None or end is None or start.tzinfo is None or end.tzinfo is None:
        raise RefusedError("3.14", "when was it generated? A month, or two times with a zone")
    span: Literal["hour", "period"] = "hour" if end - start <= dt.timedelta(hours=1) else "period"
    return start, end, span, None, start.astimezone(zone).year


def _convert(document: Any, kind: type[S]) -> S:
    if problems := list(document_problems(document, kind)):
        raise RefusedError("", "; ".join(problems))
    return msgspec.convert(document, kind)


def _scaled(amount: float | None, scale: int) -> int | None:
    return None if amount is None else int(Decimal(str(amount)) * scale)


def _per(amount: int | None, scale: int) -> float | None:
    return None if amount is None else amount / scale
