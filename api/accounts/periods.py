"""Routes of periods: open, provisional, closed by a second person, re-opened with a reason, and what changed since."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.deps import SIGNED_IN
from api.problems import problem
from api.schemas import Model
from parkcarbon.books.amounts import PERIOD
from parkcarbon.books.periods import closing as books_periods
from parkcarbon.books.periods.difference import difference

from .deps import READ_ERRORS, WRITE_ERRORS, Approver, BooksDep, Editor

router = APIRouter(prefix="/api/v1/parks/{park}/periods", tags=["periods"], dependencies=SIGNED_IN)

PeriodName = Annotated[str, Path(pattern=PERIOD, description="Month or year", examples=["2026-03"])]
State = Literal["open", "provisional", "closed"]
Method = Literal["ghgp", "iso14064", "gbt32150", "zcp910"]


class Obstacle(Model):
    """One thing that stands against closing."""

    what: str
    message: str
    hard: bool = Field(description="True: no reason overrides it")
    items: list[dict[str, Any]] = Field(description="What is behind it, at most 20")


class PeriodEvent(Model):
    """One step of a period."""

    event: Literal["provisional", "closed", "reopened"]
    version: int
    person: str
    reason: str
    override: list[Obstacle] = Field(description="What stood against closing and was overridden with the reason")
    recorded_at: dt.datetime


class PeriodState(Model):
    """Where a period stands."""

    period: str
    state: State
    version: int = Field(description="Number of the newest version; 0: never closed")
    lock_by: dt.date | None = Field(description="Day by which a month should be closed (rule 4.10); null for a year")
    events: list[PeriodEvent]


class Periods(Model):
    """Every period of which something is known, the newest first."""

    periods: list[PeriodState]


class Version(Model):
    """What was frozen at a closing, on one method."""

    version: int
    method: Method
    digest: str = Field(description="sha256 of the bytes that /inventory?version= gives")
    as_of: dt.datetime
    bytes: int


class Period(PeriodState):
    """A period with its versions and what stands against closing it."""

    versions: list[Version]
    obstacles: list[Obstacle] = Field(description="Empty for a closed period")


class Closed(Model):
    """A period that was just closed."""

    period: str
    version: int
    digest: str
    as_of: dt.datetime


class Side(Model):
    """One of the two things compared."""

    version: int | None = Field(description="null: what is known now")
    known_on: dt.datetime
    digest: str | None


class TotalChange(Model):
    """A total before and after [kg]."""

    before_kg: float | None
    after_kg: float | None
    change_kg: float | None


class LineDifference(Model):
    """One line that is not what it was."""

    scope: int
    basis: str | None
    source: str
    entry: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    what: list[str] = Field(description="Members that differ")
    change_kg: float
    causes: list[str]


class Difference(Model):
    """What changed between a frozen version and now, or between two versions."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    period: str
    from_: Side = Field(validation_alias="from", serialization_alias="from")
    to: Side
    identical: bool
    lines: list[LineDifference]
    totals: dict[Literal["location", "market"], TotalChange]
    also_changed: list[str]
    credits_retired_kg: float = Field(
        description="Credits retired for the frozen version: what they cover may be short"
    )
    facts: dict[str, list[dict[str, Any]]] = Field(description="Recorded since: batches, corrections, entries, …")


class Decision(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    reason: str = ""


class Closing(Decision):
    """Why, and whether what is open is overridden."""

    override: bool = Field(default=False, description="Close over what is open; needs a reason, and both are kept")


@router.get("", summary="State of every month and year", response_model=Periods, responses=READ_ERRORS)
async def periods(books: BooksDep) -> Periods:
    """List every period of which something is known."""
    async with books.reading() as session:
        found = await books_periods.list_periods(session, books.park, now=books.now())
    return Periods(periods=[PeriodState.model_validate(item.document()) for item in found])


@router.get("/{period}", summary="One period", response_model=Period, responses=READ_ERRORS)
async def period(books: BooksDep, period: PeriodName) -> Period:
    """Give its steps, its versions, and what stands against closing it now."""
    async with books.reading() as session:
        standing = await books_periods.standing(session, books.park, period)
        versions = await books_periods.versions(session, books.park, period)
        found = (
            []
            if standing.state == "closed"
            else await books_periods.obstacles(session, books.park, period, now=books.now())
        )
    obstacles = [obstacle.document() for obstacle in found]
    return Period.model_validate(standing.document() | {"versions": versions, "obstacles": obstacles})


@router.get("/{period}/difference", summary="What changed since", response_model=Difference, responses=READ_ERRORS)
async def changed(
    books: BooksDep,
    period: PeriodName,
    version: Annotated[int | None, Query(ge=2, description="With the one before")] = None,
) -> Difference:
    """Compare the newest version with what is known now, or a version with the one before it."""
    async with books.reading() as session:
        found = await difference(session, books.park, period, now=books.now(), version=version)
    return Difference.model_validate(found)


@router.post("/{period}/provisional", summary="Make provisional", response_model=PeriodState, responses=WRITE_ERRORS)
async def provisional(books: BooksDep, editor: Editor, period: PeriodName, wanted: Decision) -> PeriodState:
    """Say that a period that is over is complete for all one knows."""
    async with books.writing() as session:
        found = await books_periods.make_provisional(
            session, books.park, period, person=editor.person, reason=wanted.reason, now=books.now()
        )
    return PeriodState.model_validate(found.document())


@router.post("/{period}/close", summary="Close and freeze", response_model=Closed, responses=WRITE_ERRORS)
async def close(books: BooksDep, approver: Approver, period: PeriodName, wanted: Closing) -> Closed | Response:
    """Freeze the inventory as known a minute ago; another person than the one who made it provisional."""
    try:
        async with books.writing() as session:
            done = await books_periods.close(
                session,
                books.park,
                period,
                person=approver.person,
                reason=wanted.reason,
                now=books.now(),
                override=wanted.override,
            )
    except books_periods.NotReadyError as error:
        errors = [
            {"where": item.what, "message": item.message, "override": "no" if item.hard else "with a reason"}
            for item in error.obstacles
        ]
        return problem(422, str(error), rule=error.rule, errors=errors)
    return Closed(period=done.period, version=done.version, digest=done.digest.hex(), as_of=done.as_of)


@router.post(
    "/{period}/reopen", summary="Open again, with a reason", response_model=PeriodState, responses=WRITE_ERRORS
)
async def reopen(books: BooksDep, approver: Approver, period: PeriodName, wanted: Decision) -> PeriodState:
    """Open a provisional or closed period again; every version that was frozen stays."""
    async with books.writing() as session:
        found = await books_periods.reopen(session, books.park, period, person=approver.person, reason=wanted.reason)
    return PeriodState.model_validate(found.document())
