"""Routes of entries: what people enter beside the meters, and the second person's word on it."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.deps import SIGNED_IN
from api.problems import problem
from api.schemas import Model
from parkcarbon.books import entries as books_entries
from parkcarbon.books.facts import LATEST, EntryState

from .deps import READ_ERRORS, WRITE_ERRORS, Approver, BooksDep, Editor

router = APIRouter(prefix="/api/v1/parks/{park}/entries", tags=["entries"], dependencies=SIGNED_IN)

EntryId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class EntryKind(Model):
    """One kind of entry."""

    kind: str
    about: str
    needs_review: bool = Field(description="True: an entry counts only once a second person approved it")
    schema_: dict[str, Any] = Field(alias="schema", description="JSON schema of its document")


class Review(Model):
    """The second person's decision."""

    person: str
    decision: Literal["approved", "rejected"]
    reason: str
    recorded_at: dt.datetime


class Entry(Model):
    """One entry and what became of it."""

    entry: int
    state: EntryState
    kind: str
    tenant: str | None
    from_day: dt.date = Field(description="First local day it speaks of")
    to_day: dt.date = Field(description="Day after the last")
    document: dict[str, Any]
    evidence: str
    author: str
    reason: str
    needs_review: bool
    review: Review | None
    supersedes: int | None
    withdrawal: bool = Field(description="True for the row that takes another out")
    simulated: bool
    recorded_at: dt.datetime


class Entries(Model):
    """A page of entries, the oldest first."""

    entries: list[Entry]
    after: int | None = Field(description="Ask for what follows this id; null: that was all")


class EntriesQuery(BaseModel):
    """Parameters of the list; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    kind: Annotated[str | None, Field(max_length=80)] = None
    state: EntryState | None = None
    from_day: Annotated[dt.date | None, Field(description="Only those that end after it")] = None
    to_day: Annotated[dt.date | None, Field(description="Only those that begin before it")] = None
    as_of: Annotated[AwareDatetime | None, Field(description="As known then; now when absent")] = None
    after: Annotated[int, Field(ge=0, description="Only those with a higher id")] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class NewEntry(BaseModel):
    """One entry as a person gives it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    kind: str
    document: dict[str, Any] = Field(description="In the shape of its kind: see /entries/kinds")
    evidence: str = Field("", description="What proves it: number of an invoice, digest of a file; refused without")
    period: str | None = Field(
        None, description="Month or year it speaks of, instead of the days", examples=["2026-03"]
    )
    from_day: dt.date | None = None
    to_day: dt.date | None = Field(None, description="Day after the last")
    tenant: str | None = None
    reason: str = Field("", description="Why; needed with `supersedes`")
    supersedes: int | None = Field(None, description="The entry that it replaces")
    simulated: bool = False


class NewEntries(BaseModel):
    """Entries that are entered all together or not at all."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    entries: Annotated[list[NewEntry], Field(min_length=1, max_length=2000)]


class Entered(Model):
    """What was entered."""

    entries: list[int] = Field(description="Ids, in the order given")


class Decided(BaseModel):
    """A reviewer's decision."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    decision: Literal["approved", "rejected"]
    reason: str = Field("", description="Needed to reject")


class Withdrawn(BaseModel):
    """Why an entry is taken out."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    reason: Annotated[str, Field(min_length=1)]


@router.get("", summary="What was entered", response_model=Entries, responses=READ_ERRORS)
async def entries(books: BooksDep, wanted: Annotated[EntriesQuery, Query()]) -> Entries:
    """Give entries with their state, by id."""
    async with books.reading() as session:
        found = await books_entries.list_entries(
            session,
            books.park,
            books.known_by(wanted.as_of, LATEST),
            kind=wanted.kind,
            state=wanted.state,
            from_day=wanted.from_day,
            to_day=wanted.to_day,
        )
    rest = [item for item in found if item["entry"] > wanted.after]
    page = [Entry.model_validate(item) for item in rest[: wanted.limit]]
    return Entries(entries=page, after=page[-1].entry if len(rest) > len(page) else None)


@router.get("/kinds", summary="Kinds of entries and their schemas", responses=READ_ERRORS)
async def kinds(_: BooksDep) -> list[EntryKind]:
    """Give each kind with the JSON schema of its document."""
    return [EntryKind.model_validate(item) for item in books_entries.kinds()]


@router.get("/{entry}", summary="One entry", response_model=Entry, responses=READ_ERRORS)
async def entry(books: BooksDep, entry: EntryId) -> Entry:
    """Give an entry with its state as known now."""
    async with books.reading() as session:
        return Entry.model_validate(await books_entries.one_entry(session, books.park, entry, LATEST))


@router.post("", status_code=201, summary="Enter, all or nothing", response_model=Entered, responses=WRITE_ERRORS)
async def enter(books: BooksDep, editor: Editor, wanted: NewEntries) -> Entered | Response:
    """Enter some entries together; if one is refused none is entered, and every problem is named."""
    documents = [item.model_dump(mode="json", exclude_unset=True) for item in wanted.entries]
    try:
        async with books.writing() as session:
            numbers = await books_entries.enter_many(session, books.park, documents, author=editor.person)
    except books_entries.EntriesError as error:
        errors = [
            {"where": f"body.{item.where}", "message": item.message, "rule": item.rule} for item in error.problems
        ]
        rule = next((item.rule for item in error.problems if item.rule), None)
        return problem(422, "; ".join(str(item) for item in error.problems[:3]), rule=rule, errors=errors)
    return Entered(entries=numbers)


@router.post("/{entry}/review", summary="Approve or reject an entry", response_model=Entry, responses=WRITE_ERRORS)
async def review(books: BooksDep, approver: Approver, entry: EntryId, wanted: Decided) -> Entry:
    """Decide as the second person; whoever entered it is refused."""
    async with books.writing() as session:
        await books_entries.review(
            session, entry, person=approver.person, decision=wanted.decision, reason=wanted.reason, park=books.park
        )
        return Entry.model_validate(await books_entries.one_entry(session, books.park, entry, LATEST))


@router.post(
    "/{entry}/withdrawal", status_code=201, summary="Take an entry out", response_model=Entry, responses=WRITE_ERRORS
)
async def withdraw(books: BooksDep, editor: Editor, entry: EntryId, wanted: Withdrawn) -> Entry:
    """Take an entry out, nothing replacing it; the withdrawal is reviewed like an entry of its kind."""
    async with books.writing() as session:
        number = await books_entries.withdraw(
            session, entry, author=editor.person, reason=wanted.reason, park=books.park
        )
        return Entry.model_validate(await books_entries.one_entry(session, books.park, number, LATEST))
