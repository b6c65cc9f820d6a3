"""Routes of the instruments ledger: lots by serial, what was done with them, what they cover, what is short."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import SIGNED_IN
from api.problems import ProblemError
from api.schemas import Model
from parkcarbon.books.amounts import PERIOD
from parkcarbon.books.instruments import ledger as books_ledger
from parkcarbon.books.instruments.accounts import load_allowance
from parkcarbon.books.instruments.claims import cover_of, gap_for, perform
from parkcarbon.books.instruments.documents import event_document, lot_document, read_act, read_lot
from parkcarbon.books.inventory import facts_at
from parkcarbon.domain.instruments.event import EventKind, Status
from parkcarbon.domain.instruments.lot import KINDS, IssuedFor, Kind, Origin
from parkcarbon.domain.inventory import electricity_micro_kwh

from .deps import READ_ERRORS, WRITE_ERRORS, Approver, Books, BooksDep, Editor

router = APIRouter(prefix="/api/v1/parks/{park}/ledger", tags=["ledger"], dependencies=SIGNED_IN)

LotId = Annotated[int, Path(ge=1, le=2**63 - 1)]
EventId = Annotated[int, Path(ge=1, le=2**63 - 1)]
SerialNumber = Annotated[int | str, Field(description="As text where it is longer than 15 digits", examples=["10001"])]
Period = Annotated[str, Field(pattern=PERIOD, description="Month or year", examples=["2026-03"])]


class Stretch(Model):
    """Serials of a lot that share their fate."""

    serials: str
    first: str
    count: int
    holder: str = Field(description="Park in whose books they are")
    status: Status
    event: int | None


class Lot(Model):
    """A serial range and what became of it."""

    lot: int
    park: str
    tenant: str | None
    kind: Kind
    registry: str
    serials: str
    serial_prefix: str
    first: str
    count: int
    serial_digits: int
    unit_kwh: float | None = Field(description="Electricity behind one serial [kWh]")
    unit_kg: float | None = Field(description="One credit [kgCO2e]")
    carrier: str
    technology: str
    plant: str | None
    project: str
    commissioned: dt.date | None
    market: str
    generated_from: dt.datetime
    generated_to: dt.datetime
    granularity: str
    generation_month: str | None
    vintage: int
    expires: dt.date | None = Field(description="First day on which it is no longer valid")
    origin: Origin
    issued_for: IssuedFor | None
    tradable: bool
    contract: str | None
    unit_cost: float | None = Field(description="Price of one serial; null: not known, or another park's")
    currency: str
    criteria: dict[str, bool | None] = Field(description="Quality of a credit; null: not known, which is not yes")
    evidence: str
    simulated: bool
    author: str
    recorded_at: dt.datetime
    stretches: list[Stretch]


class Event(Model):
    """One act on serials of a lot."""

    event: int
    lot: int
    kind: EventKind
    serials: str
    first: str
    count: int
    park: str
    to_park: str | None
    on_day: dt.date
    tenant: str | None
    claim_from: dt.date | None
    claim_to: dt.date | None = Field(description="Day after the last of the period")
    counterparty: str
    public_record: str | None
    evidence: str
    author: str
    reason: str
    confirmed_by: str | None = Field(description="The second person; a claim counts from then on")
    recorded_at: dt.datetime


class Lots(Model):
    """A page of lots by id, with the events on them."""

    lots: list[Lot]
    events: list[Event]
    after: int | None = Field(description="Ask for what follows this id; null: that was all")


class LotsQuery(BaseModel):
    """Parameters of the list; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    kind: Kind | None = None
    status: Annotated[Status | None, Field(description="Only lots with serials of this status")] = None
    as_of: Annotated[AwareDatetime | None, Field(description="As known then; now when absent")] = None
    after: Annotated[int, Field(ge=0, description="Only those with a higher id")] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class NewLot(BaseModel):
    """A lot as a person gives it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    kind: Annotated[str, Field(json_schema_extra={"enum": [*KINDS]})]
    registry: str = Field(description="One numbering of serials, lower case", examples=["gec-cn"])
    serial_prefix: str = Field("", description="What stands before the number; not ending in a digit")
    first: SerialNumber
    count: int
    serial_digits: Annotated[int, Field(ge=0, le=60)] = 0
    technology: str = Field(examples=["solar"])
    market: str = Field(examples=["China"])
    origin: Origin
    evidence: str
    generated: Period | None = Field(None, description="Generation month, or year of a credit; instead of the times")
    generated_from: AwareDatetime | None = None
    generated_to: AwareDatetime | None = None
    unit_kwh: float | None = Field(None, description="Electricity behind one serial [kWh]; certificates: 1,000")
    unit_kg: float | None = Field(None, description="One credit [kgCO2e]; credits: 1,000")
    carrier: str = "electricity"
    plant: str | None = None
    project: str = ""
    commissioned: dt.date | None = None
    issued_for: IssuedFor | None = Field(None, description="Of generation inside the park")
    tradable: bool | None = None
    contract: str | None = None
    unit_cost: float | None = None
    currency: str = ""
    criteria: dict[str, bool] = {}
    tenant: str | None = None
    simulated: bool = False
    reason: Annotated[str, Field(min_length=1)]


class NewEvent(BaseModel):
    """Something to be done with serials of a lot."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    kind: EventKind
    on_day: dt.date = Field(description="Local day of the act in its registry")
    first: SerialNumber | None = Field(None, description="Absent: from the first of the lot")
    count: int | None = Field(None, description="Absent: to the end of the lot")
    period: Period | None = Field(None, description="Of the consumption, statement or compliance")
    tenant: str | None = Field(None, description="For whose consumption or obligation; absent: the park's")
    limit_kwh: float | None = Field(None, description="What a tenant bought, where its meters do not tell [kWh]")
    to_park: str | None = Field(None, description="Transferred to these books; absent: out of the database")
    counterparty: str = ""
    public_record: str | None = Field(None, description="Where anyone can see it; a retirement without counts 0")
    evidence: str = ""
    reason: Annotated[str, Field(min_length=1)]


class Said(BaseModel):
    """What a second person says."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    reason: Annotated[str, Field(min_length=1)]


class Entered(Model):
    """What was entered."""

    lot: int | None = None
    event: int | None = None
    review: int | None = None


class Cover(Model):
    """What instruments do to a period."""

    park: str
    period: str
    tenant: str | None
    as_of: dt.datetime
    purchased_kwh: float | None
    self_used_kwh: float | None
    exported_kwh: float | None
    covered_kwh: float = Field(description="Purchased electricity that cancelled certificates cover")
    void_kwh: float = Field(description="Self-used generation whose certificates were sold: never at zero")
    proved_kwh: float = Field(description="Self-used generation that own-use certificates prove; lowers nothing")
    retired_kg: float = Field(description="Credits retired for the period [kgCO2e]; never in the inventory")
    used: list[dict[str, Any]]
    pending: list[dict[str, Any]] = Field(description="What would count, and why it does not yet")
    refused: list[dict[str, Any]] = Field(description="What does not count, with the rule")
    notes: list[str]


class Allowance(Model):
    """Where an obligated enterprise stands on its own boundary [kgCO2e]."""

    enterprise: str
    year: int
    allocated_kg: float | None
    carried_kg: float
    obligation_kg: float | None
    balance_kg: float | None = Field(description="Allocation + carried - obligation")
    ccer_surrendered_kg: float
    ccer_limit_kg: float | None = Field(description="5 % of the obligation")
    ccer_counted_kg: float | None
    to_buy_kg: float | None
    notes: list[str]


class Step(Model):
    """One way to close part of a gap."""

    name: str
    kind: str
    count: int | None
    kg: float
    cost: float | None
    cost_per_t: float | None


class Gap(Model):
    """What is short of covering scopes 1 and 2 (market-based), and what closing it would cost."""

    park: str
    period: str
    remaining_kg: float | None
    retired_kg: float
    short_kg: float | None
    surplus_kg: float
    uncovered_kwh: float | None
    currency: str
    purchase: list[Step]
    purchase_cost: float | None
    measures: list[Step]
    after_measures: list[Step]
    with_measures_cost: float | None
    notes: list[str]


class PeriodQuery(BaseModel):
    """A period, and as known when; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    period: Period
    as_of: Annotated[AwareDatetime | None, Field(description="As known then; now when absent")] = None


class CoverQuery(PeriodQuery):
    """The same for one tenant."""

    tenant: Annotated[str | None, Field(description="Only its claims, against its own meters", max_length=63)] = None


class AllowanceQuery(BaseModel):
    """An enterprise and a compliance year."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    enterprise: Annotated[str, Field(max_length=63)]
    year: Annotated[int, Field(ge=2013, le=2100)]
    as_of: Annotated[AwareDatetime | None, Field(description="As known then; now when absent")] = None


@router.get("/lots", summary="Lots and what became of their serials", responses=READ_ERRORS)
async def lots(books: BooksDep, wanted: Annotated[LotsQuery, Query()]) -> Lots:
    """Give lots in the books of the park, by id."""
    return await _lots(books, wanted)


@router.get("/lots/{lot}", summary="One lot with its events", responses=READ_ERRORS)
async def lot(books: BooksDep, lot: LotId) -> Lots:
    """Give a lot as known now."""
    found = await _lots(books, LotsQuery(after=lot - 1, limit=1))
    if not found.lots or found.lots[0].lot != lot:
        raise ProblemError(404, f"{books.park} has no lot {lot}")
    return found.model_copy(update={"after": None})


async def _lots(books: Books, wanted: LotsQuery) -> Lots:
    async with books.reading() as session:
        facts = await facts_at(session, books.park, now=books.now(), as_of=wanted.as_of)
        ledger = await books_ledger.load_ledger(session, books.park, facts.as_of)
    today = facts.until.astimezone(facts.zone).date()
    parts: dict[int, list[Any]] = {}
    for part in ledger.stretches(today):
        parts.setdefault(part.lot.lot_id, []).append(part)
    found = [
        item
        for item in sorted(ledger.lots, key=lambda item: item.lot_id)
        if item.lot_id > wanted.after
        and wanted.kind in (None, item.kind)
        and (wanted.status is None or any(part.status == wanted.status for part in parts[item.lot_id]))
    ]
    page = [Lot.model_validate(lot_document(item, parts[item.lot_id], books.park)) for item in found[: wanted.limit]]
    shown = {item.lot for item in page}
    events = [
        Event.model_validate(event_document(event))
        for event in ledger.events
        if event.lot_id in shown and books.park in (event.park, event.to_park)
    ]
    return Lots(lots=page, events=events, after=page[-1].lot if len(found) > len(page) else None)


@router.post("/lots", status_code=201, summary="Enter a lot", responses=WRITE_ERRORS)
async def enter(books: BooksDep, editor: Editor, wanted: NewLot) -> Entered:
    """Enter serials; refused where one of them is in any books already."""
    document = wanted.model_dump(mode="json", exclude={"reason"}, exclude_unset=True)
    async with books.writing() as session:
        facts = await facts_at(session, books.park, now=books.now(), as_of=None)
        given = read_lot(document, facts.zone)
        number = await books_ledger.enter_lot(session, books.park, given, author=editor.person, reason=wanted.reason)
    return Entered(lot=number)


@router.post("/lots/{lot}/events", status_code=201, summary="Do something with serials", responses=WRITE_ERRORS)
async def act(books: BooksDep, editor: Editor, lot: LotId, wanted: NewEvent) -> Entered:
    """Cancel, retire, transfer, sell, expire, surrender or apply; a claim counts once a second person confirms it."""
    if wanted.to_park is not None and not editor.may_see(wanted.to_park):
        raise ProblemError(403, f"this token does not open the park {wanted.to_park}")
    document = read_act(wanted.model_dump(mode="json", exclude={"reason"}, exclude_unset=True))
    async with books.writing() as session:
        number = await perform(
            session, books.park, lot, document, author=editor.person, reason=wanted.reason, now=books.now()
        )
    return Entered(lot=lot, event=number)


@router.post("/events/{event}/confirmation", status_code=201, summary="Confirm a claim", responses=WRITE_ERRORS)
async def confirm(books: BooksDep, approver: Approver, event: EventId, wanted: Said) -> Entered:
    """Confirm as the second person; whoever entered it is refused."""
    async with books.writing() as session:
        number = await books_ledger.confirm(session, books.park, event, person=approver.person, reason=wanted.reason)
    return Entered(event=event, review=number)


@router.post("/events/{event}/strike", status_code=201, summary="Strike an event", responses=WRITE_ERRORS)
async def strike_event(books: BooksDep, approver: Approver, event: EventId, wanted: Said) -> Entered:
    """Strike what was entered in error, as a second person; its serials are free again."""
    async with books.writing() as session:
        number = await books_ledger.strike(
            session, books.park, person=approver.person, reason=wanted.reason, event_id=event
        )
    return Entered(event=event, review=number)


@router.post("/lots/{lot}/strike", status_code=201, summary="Strike a lot", responses=WRITE_ERRORS)
async def strike_lot(books: BooksDep, approver: Approver, lot: LotId, wanted: Said) -> Entered:
    """Strike a lot without events in force, as a second person."""
    async with books.writing() as session:
        number = await books_ledger.strike(
            session, books.park, person=approver.person, reason=wanted.reason, lot_id=lot
        )
    return Entered(lot=lot, review=number)


@router.get("/cover", summary="What instruments do to a period", responses=READ_ERRORS)
async def cover(books: BooksDep, wanted: Annotated[CoverQuery, Query()]) -> Cover:
    """Give what is covered, void and retired, what waits and what is refused by which rule."""
    async with books.reading() as session:
        inputs, result = await cover_of(
            session, books.park, wanted.period, now=books.now(), as_of=wanted.as_of, tenant=wanted.tenant
        )
    flows = electricity_micro_kwh(inputs.points, inputs.activities, wanted.period)
    amounts = {
        f"{name}_kwh": None if (micro := flows[flow]) is None else micro / 1e6
        for name, flow in (("purchased", "import"), ("self_used", "self_used"), ("exported", "export"))
    }
    frame = {"park": books.park, "period": wanted.period, "tenant": wanted.tenant, "as_of": inputs.facts.as_of}
    return Cover.model_validate({**frame, **amounts, **result.document()})


@router.get("/allowance", summary="Allowances of an obligated enterprise", responses=READ_ERRORS)
async def allowance(books: BooksDep, wanted: Annotated[AllowanceQuery, Query()]) -> Allowance:
    """Give allocation, carried, obligation and what is to be bought, on the enterprise's own boundary."""
    async with books.reading() as session:
        facts = await facts_at(session, books.park, now=books.now(), as_of=wanted.as_of)
        view = await load_allowance(session, facts, wanted.enterprise, wanted.year)
    return Allowance.model_validate(view.document())


@router.get("/gap", summary="What is short, and what closing it would cost", responses=READ_ERRORS)
async def gap(books: BooksDep, wanted: Annotated[PeriodQuery, Query()]) -> Gap:
    """Give GEC for purchased power and credits for the rest at entered prices, against the measures register."""
    async with books.reading() as session:
        result, _ = await gap_for(session, books.park, wanted.period, now=books.now(), as_of=wanted.as_of)
    return Gap.model_validate({"park": books.park, "period": wanted.period, **result.document()})
