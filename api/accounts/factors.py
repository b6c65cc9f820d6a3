"""Routes of the factor library: list, find, propose, decide, series, warnings."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import SIGNED_IN
from api.problems import ProblemError
from api.schemas import Model
from parkcarbon.books.library import factors as library
from parkcarbon.books.library import warnings as factor_warnings
from parkcarbon.books.library.factors import Decision, Record, State, Wanted
from parkcarbon.books.library.files import Columns, Format, SeriesError
from parkcarbon.books.library.series import Loaded, Values, fetch_values, list_loads, load_values, read_values
from parkcarbon.domain.factors import PURPOSES, Factor, FactorMatch, NoFactorError, lookup, named
from parkcarbon.kit.db import Row
from parkcarbon.kit.http import FetchError

from .deps import READ_ERRORS, WRITE_ERRORS, Approver, Books, BooksDep, Editor

router = APIRouter(prefix="/api/v1/parks/{park}/factors", tags=["factors"], dependencies=SIGNED_IN)

FactorId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class Terms(Model):
    """A factor as its publisher gives it."""

    factor: str = Field(description="Id, for example `CN-2023-JS`")
    title: str
    purpose: str
    carrier: str
    region: str
    gas: str
    basis: str = Field(
        description="NCV or HHV for fuels, 当量值 or 等价值 for standard coal, what is averaged for grids"
    )
    unit: str
    value: float | None = Field(description="null: a series, or listed without a value, like Tibet's grid")
    series: bool
    data_year: int | None = Field(description="Year that the value describes; not the year of publication")
    publisher: str
    edition: str
    published_on: dt.date | None
    published_year: int | None = Field(description="Where only the year is known; counted as its last day")
    valid_from: dt.date | None
    valid_to: dt.date | None = Field(description="Day after the last")
    licence: str = Field(description="Empty: not stated")
    source_page: str
    reviewer: str
    unverified: bool = Field(description="True: the number was not seen in its source")
    own: bool = Field(description="True: the organisation's own, false: the catalog's")
    publication: str = Field(description="What is known of its publication, as a sentence")


class Load(Model):
    """Where values of a series came from."""

    load: int
    source: str = Field(description="Address, or name of a file")
    format: Format
    sha256: str
    bytes: int
    retrieved_at: dt.datetime
    values: int
    from_: dt.datetime = Field(alias="from", description="Start of the first value")
    to: dt.datetime = Field(description="End of the last value")
    author: str
    reason: str
    state: State
    person: str | None = Field(description="Who decided; null: nobody yet, or nobody has to")
    recorded_at: dt.datetime


class FactorRecord(Terms):
    """A record with what was decided on it."""

    id: int
    state: State = Field(description="Only `approved` ones are used")
    recorded_at: dt.datetime
    author: str | None = Field(description="Who proposed it; null: the catalog or the park document")
    reason: str
    evidence: str
    person: str | None = Field(description="Who decided last")
    decision_reason: str
    decided_at: dt.datetime | None


class FactorDetail(FactorRecord):
    """A record with the loads of its series."""

    loads: list[Load]


class FactorRecords(Model):
    """A page of records in the order of their ids."""

    factors: list[FactorRecord]
    after: str | None = Field(description="Ask for what follows; null: that was all")


class FactorFound(Terms):
    """What a lookup found and how."""

    id: int
    match: str
    notes: list[str]


class FactorWarning(Model):
    """What a person should know of a factor."""

    kind: factor_warnings.Kind
    text: str
    factor: str
    newer: str | None


class FactorWarnings(Model):
    """Warnings of the factors in use this year."""

    warnings: list[FactorWarning]


class ListQuery(BaseModel):
    """Parameters of the list; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    purpose: Annotated[str | None, Field(max_length=80)] = None
    region: Annotated[str | None, Field(max_length=80)] = None
    carrier: Annotated[str | None, Field(max_length=80)] = None
    year: Annotated[int | None, Field(ge=1900, le=2200, description="Data year")] = None
    known_on: Annotated[AwareDatetime | None, Field(description="Only what could be used at this moment")] = None
    state: State | None = None
    after: Annotated[str | None, Field(description="`after` of the page before", max_length=120)] = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class FindQuery(BaseModel):
    """What is looked for; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    purpose: Annotated[str, Field(max_length=80)]
    carrier: Annotated[str, Field(max_length=80)] = ""
    region: Annotated[str, Field(max_length=80)] = ""
    gas: Annotated[str, Field(description="One, or several by comma in order of preference", max_length=80)] = ""
    year: Annotated[int | None, Field(ge=1900, le=2200, description="Year of the activity; this year when absent")] = (
        None
    )
    known_on: Annotated[AwareDatetime | None, Field(description="Published and recorded by then; now when absent")] = (
        None
    )
    on: Annotated[dt.date | None, Field(description="Day of the activity, against the validity of records")] = None
    basis: Annotated[str | None, Field(description="NCV, HHV, 当量值 or 等价值", max_length=80)] = None
    factor: Annotated[
        str | None, Field(description="This very record; refused if it is for another purpose", max_length=160)
    ] = None


class NewFactor(BaseModel):
    """An organisation's own record, complete."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    factor: str
    title: str = ""
    purpose: str
    carrier: str = ""
    region: str
    gas: str = ""
    basis: str = ""
    unit: str
    value: float | None = None
    series: bool = False
    data_year: Annotated[int | None, Field(ge=1900, le=2200)] = None
    publisher: str
    edition: str
    published_on: dt.date | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    licence: str = ""
    source_page: Annotated[str, Field(description="Page, table or address where the number stands")]
    reason: Annotated[str, Field(min_length=1)]
    evidence: Annotated[str, Field(min_length=1, description="What proves it: number of a document, digest of a file")]


class Decided(BaseModel):
    """A second person's word."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    decision: Decision
    reason: Annotated[str, Field(min_length=1)]
    load: Annotated[
        int | None, Field(ge=1, le=2**31 - 1, description="A load of values; absent: the record itself")
    ] = None


class DecisionMade(Model):
    """What a decision led to."""

    factor: FactorRecord
    points_queued: int = Field(description="Points whose results are computed again")


class SeriesQuery(BaseModel):
    """How the values in the body are written; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    source: Annotated[str, Field(min_length=1, max_length=500, description="Name of the file, or where it came from")]
    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    format: Format = "csv"
    time_column: Annotated[str, Field(max_length=120)] = "start"
    value_column: Annotated[str, Field(max_length=120)] = "value"
    span_s: Annotated[float, Field(gt=0, le=31_622_400)] = 3600.0


class SeriesAddress(BaseModel):
    """How the values at the approved address are written."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    format: Annotated[Format | None, Field(description="As the server says when absent")] = None
    time_column: Annotated[str, Field(max_length=120)] = "start"
    value_column: Annotated[str, Field(max_length=120)] = "value"
    span_s: Annotated[float, Field(gt=0, le=31_622_400)] = 3600.0


class SeriesLoaded(Model):
    """What became of the values."""

    load: int | None = Field(description="null: every value was there already")
    read: int
    new: int
    waits: bool = Field(description="True until a second person approves the load")
    points_queued: int


@router.get("", summary="Records of the library", responses=READ_ERRORS)
async def factors(books: BooksDep, wanted: Annotated[ListQuery, Query()]) -> FactorRecords:
    """Give the catalog's and the park's own records, narrowed, by id."""
    chosen = Wanted(
        purpose=wanted.purpose,
        region=wanted.region,
        carrier=wanted.carrier,
        data_year=wanted.year,
        known_on=wanted.known_on,
        state=wanted.state,
    )
    async with books.reading() as session:
        found = await library.list_records(
            session, books.park, chosen, after=_position(wanted.after), limit=wanted.limit + 1
        )
    page = found[: wanted.limit]
    after = f"{page[-1].factor_id}:{page[-1].factor.factor}" if len(found) > len(page) else None
    return FactorRecords(factors=[_record(record) for record in page], after=after)


@router.get("/find", summary="Look a factor up as a calculation does", responses=READ_ERRORS)
async def find(books: BooksDep, wanted: Annotated[FindQuery, Query()]) -> FactorFound:
    """Give the factor that applies and how it matched; 404 where none does, never a zero."""
    known_on = wanted.known_on or books.now()
    if wanted.purpose not in PURPOSES:
        raise ProblemError(422, f"purpose {wanted.purpose!r} is not one of {', '.join(sorted(PURPOSES))}")
    async with books.reading() as session:
        records = await library.load_known(session, books.park, known_on)
    try:
        match = _look_up([factor for _, factor in records], wanted, known_on)
    except NoFactorError as error:
        raise ProblemError(404, str(error)) from error
    number = next(factor_id for factor_id, factor in records if factor is match.factor)
    found = {"id": number, "match": match.match.name.lower(), "notes": list(match.notes)}
    return FactorFound.model_validate(_terms(match.factor) | found)


def _look_up(records: list[Factor], wanted: FindQuery, known_on: dt.datetime) -> FactorMatch:
    if wanted.factor is not None:
        return named(records, wanted.factor, known_on, purposes=frozenset({wanted.purpose}))
    return lookup(
        records,
        purpose=wanted.purpose,
        region=wanted.region,
        gas=tuple(wanted.gas.split(",")),
        carrier=wanted.carrier,
        data_year=wanted.year or known_on.year,
        known_on=known_on,
        on=wanted.on,
        basis=wanted.basis,
    )


@router.get("/warnings", summary="What to know of the factors in use", responses=READ_ERRORS)
async def warnings(
    books: BooksDep,
    since: Annotated[
        dt.date | None, Query(description="Day on which the year's factors were chosen; 1 January when absent")
    ] = None,
) -> FactorWarnings:
    """Give what is overtaken by a newer data year, old, unverified, or waits for a second person."""
    async with books.reading() as session:
        found = await factor_warnings.factor_warnings(session, books.park, now=books.now(), since=since)
    return FactorWarnings(
        warnings=[FactorWarning(kind=one.kind, text=one.text, factor=one.factor, newer=one.newer) for one in found]
    )


@router.get("/{factor_id}", summary="One record", responses=READ_ERRORS)
async def factor(books: BooksDep, factor_id: FactorId) -> FactorDetail:
    """Give a record, what was decided on it, and where the values of a series came from."""
    async with books.reading() as session:
        record = await library.show(session, books.park, factor_id)
        loads = await list_loads(session, books.park, factor_id)
    return FactorDetail(**_record(record).model_dump(), loads=[_load(row) for row in loads])


@router.post("", status_code=201, summary="Propose an own factor", responses=WRITE_ERRORS)
async def propose(books: BooksDep, editor: Editor, wanted: NewFactor) -> FactorRecord:
    """Enter an organisation's own record; it counts once another person approved it."""
    members = wanted.model_dump(exclude={"reason", "evidence"})
    async with books.writing() as session:
        number = await library.propose(
            session,
            books.park,
            Factor(**members),
            author=editor.person,
            reason=wanted.reason,
            evidence=wanted.evidence,
            now=books.now(),
        )
        return _record(await library.show(session, books.park, number))


@router.post("/{factor_id}/decision", summary="Approve, reject or withdraw", responses=WRITE_ERRORS)
async def decide(books: BooksDep, approver: Approver, factor_id: FactorId, wanted: Decided) -> DecisionMade:
    """Decide as the second person on a record or a load; what it prices is computed again."""
    async with books.writing() as session:
        queued = await library.decide(
            session,
            books.park,
            factor_id,
            wanted.decision,
            person=approver.person,
            reason=wanted.reason,
            load_id=wanted.load,
        )
        record = await library.show(session, books.park, factor_id)
    return DecisionMade(factor=_record(record), points_queued=queued)


@router.post(
    "/{factor_id}/series",
    status_code=201,
    summary="Load values of a series",
    responses=WRITE_ERRORS,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": "start,value\n2026-01-01T00:00:00Z,0.5"},
                "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
            },
        }
    },
)
async def upload(
    books: BooksDep, editor: Editor, factor_id: FactorId, wanted: Annotated[SeriesQuery, Query()], request: Request
) -> SeriesLoaded:
    """Enter the values in the body; they count once another person approved the load, or the record after it."""
    body = await request.body()
    try:
        values = read_values(
            body,
            wanted.source,
            wanted.format,
            now=books.now(),
            columns=Columns(wanted.time_column, wanted.value_column),
            span_ms=round(wanted.span_s * 1000),
        )
    except SeriesError as error:
        raise ProblemError(422, str(error)) from error
    return await _enter(books, factor_id, values, editor.person, wanted.reason)


@router.post(
    "/{factor_id}/series/fetch",
    status_code=201,
    summary="Load values from the approved address",
    responses=WRITE_ERRORS,
)
async def fetch(books: BooksDep, editor: Editor, factor_id: FactorId, wanted: SeriesAddress) -> SeriesLoaded:
    """Read the address that a second person approved as the record's source page; no other address is ever read."""
    async with books.reading() as session:
        record = await library.show(session, books.park, factor_id)
    if record.author is None or record.state != "approved":
        raise ProblemError(422, f"{record.factor.factor} is {record.state}: nobody approved an address to read")
    try:
        values = await fetch_values(
            record.factor.source_page,
            now=books.now(),
            form=wanted.format,
            columns=Columns(wanted.time_column, wanted.value_column),
            span_ms=round(wanted.span_s * 1000),
        )
    except (SeriesError, FetchError) as error:
        raise ProblemError(422, str(error)) from error
    return await _enter(books, factor_id, values, editor.person, wanted.reason)


async def _enter(books: Books, factor_id: int, values: Values, author: str, reason: str) -> SeriesLoaded:
    async with books.writing() as session:
        loaded: Loaded = await load_values(session, books.park, factor_id, values, author=author, reason=reason)
    return SeriesLoaded(
        load=loaded.load_id, read=loaded.read, new=loaded.new, waits=loaded.waits, points_queued=loaded.queued
    )


def _position(after: str | None) -> tuple[str, int]:
    """Where a page begins.

    Raises:
        ProblemError: 422, no such cursor was ever given out.
    """
    if after is None:
        return "", 0
    number, _, name = after.partition(":")
    if not number.isascii() or not number.isdigit() or len(number) > 9 or not name:
        raise ProblemError(422, f"after: {after!r} is not what a page gave")
    return name, int(number)


def _terms(factor: Factor) -> dict[str, object]:
    return {name: getattr(factor, name) for name in Terms.model_fields}


def _record(record: Record) -> FactorRecord:
    return FactorRecord.model_validate(
        _terms(record.factor)
        | {
            "id": record.factor_id,
            "state": record.state,
            "recorded_at": record.recorded_at,
            "author": record.author,
            "reason": record.reason,
            "evidence": record.evidence,
            "person": record.person,
            "decision_reason": record.decision_reason,
            "decided_at": record.decided_at,
        }
    )


def _load(row: Row) -> Load:
    waits: Literal["proposed", "approved"] = "proposed" if row["needs_approval"] else "approved"
    return Load.model_validate(
        {
            "load": row["load_id"],
            "source": row["source"],
            "format": row["format"],
            "sha256": bytes(row["digest"]).hex(),
            "bytes": row["bytes"],
            "retrieved_at": row["retrieved_at"],
            "values": row["n"],
            "from": row["first_start"],
            "to": row["last_end"],
            "author": row["author"],
            "reason": row["reason"],
            "state": row["decision"] or waits,
            "person": row["person"],
            "recorded_at": row["recorded_at"],
        }
    )
