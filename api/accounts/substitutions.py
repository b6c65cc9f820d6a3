"""Routes of substitutions and corrections: energy put where none is known, and decisions about readings."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import SIGNED_IN
from api.schemas import Model
from parkcarbon.books.quality import corrections as books_corrections
from parkcarbon.books.quality import substitutions as books_substitutions
from parkcarbon.books.quality.corrections import EVER, NewCorrection
from parkcarbon.books.quality.substitutions import Wanted

from .deps import READ_ERRORS, WRITE_ERRORS, Approver, BooksDep, Editor
from .explain import ExplainedFigure

router = APIRouter(prefix="/api/v1/parks/{park}", tags=["quality"], dependencies=SIGNED_IN)

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class Effect(Model):
    """Sums over the intervals that a fact changes, before and after it."""

    unit: str
    before: float
    after: float
    difference: float
    before_kg: float | None = Field(description="CO2e; null where an interval has no factor")
    after_kg: float | None
    difference_kg: float | None


class Withdrawal(Model):
    """Who let a fact count no longer, and why."""

    author: str
    reason: str
    recorded_at: dt.datetime


class SubstitutionReview(Model):
    """The second person's decision, and what it did."""

    person: str
    decision: Literal["approved", "rejected"]
    reason: str
    effect: Effect | None
    recorded_at: dt.datetime


class SubstitutionDraft(Model):
    """A substitution worked out: what would be entered, and what it would do."""

    point: str
    unit: str
    from_: dt.datetime = Field(alias="from")
    to: dt.datetime
    rule: str = Field(description="Accounting rule: 6.1, 6.2 or 6.3")
    method: Literal["conservative", "mean", "estimate", "default"]
    total: float = Field(description="Amount of the whole span")
    intervals: int
    missing_intervals: int = Field(description="Intervals of the span that are not wholly known")
    working: dict[str, Any] = Field(description="How the amounts came about")
    effect: Effect


class Substitution(Model):
    """A substitution and what became of it."""

    substitution: int
    state: Literal["proposed", "rejected", "in_force", "superseded", "withdrawn"] = Field(
        description="superseded: everything in its span is measured by now"
    )
    point: str
    unit: str
    from_: dt.datetime = Field(alias="from")
    to: dt.datetime
    rule: str
    method: Literal["conservative", "mean", "estimate", "default"]
    total: float
    intervals: int
    superseded_intervals: int = Field(description="Intervals of the span that are measured by now")
    working: dict[str, Any]
    effect: Effect | None = Field(description="When it was proposed")
    author: str
    reason: str
    recorded_at: dt.datetime
    review: SubstitutionReview | None
    withdrawal: Withdrawal | None


class NewSubstitution(BaseModel):
    """What a person asks for."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    point: str = Field(description="device/quantity")
    from_: AwareDatetime = Field(alias="from", description="On a quarter of an hour")
    to: AwareDatetime = Field(description="End, exclusive")
    method: Literal["conservative", "mean", "estimate", "default"]
    reference_days: Annotated[int, Field(ge=1, le=366)] = 14
    total: float | None = Field(None, description="Of an estimate")
    declared_per_h: float | None = Field(None, description="Of a default: the declared amount of an hour")
    evidence: str = ""
    exclude: Annotated[bool, Field(description="Leave out the readings of the span first: they are wrong")] = False
    reason: str = Field("", description="Needed to enter it")

    def wanted(self) -> Wanted:
        """As the books take it."""
        return Wanted(
            self.point,
            self.from_,
            self.to,
            self.method,
            self.reference_days,
            self.total,
            self.declared_per_h,
            self.evidence,
            self.exclude,
        )


class Decided(BaseModel):
    """A reviewer's decision."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    decision: Literal["approved", "rejected"]
    reason: Annotated[str, Field(min_length=1)]


class Withdrawn(BaseModel):
    """Why a fact shall count no longer."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    reason: Annotated[str, Field(min_length=1)]


class Correction(Model):
    """A decision about readings and what became of it."""

    correction: int
    state: Literal["in_force", "withdrawn"]
    point: str
    kind: Literal["exclude", "boundary", "retime"]
    from_: dt.datetime = Field(alias="from")
    to: dt.datetime
    document: dict[str, Any]
    effect: Effect | None = Field(description="When it was entered; null where a source declared it")
    author: str
    reason: str
    recorded_at: dt.datetime
    withdrawal: Withdrawal | None


class CorrectionWanted(BaseModel):
    """A decision about readings as a person gives it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    point: str = Field(description="device/quantity")
    kind: Literal["exclude", "boundary", "retime"]
    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime | None = Field(None, description="Last moment; absent: the same")
    end_reading: float | None = Field(None, description="Of a boundary: last register before it")
    start_reading: float | None = Field(None, description="Of a boundary: first register after it")
    offset_ms: int | None = Field(None, description="Of a retiming: what is added to the stamps")
    reason: Annotated[str, Field(min_length=1)]

    def wanted(self) -> NewCorrection:
        """As the books take it."""
        return NewCorrection(
            self.point, self.kind, self.from_, self.to, self.end_reading, self.start_reading, self.offset_ms
        )


AsOf = Annotated[AwareDatetime | None, Query(description="As known then; now when absent")]


@router.get("/substitutions", summary="What stands in for missing energy", responses=READ_ERRORS)
async def substitutions(books: BooksDep, as_of: AsOf = None) -> list[Substitution]:
    """Give every substitution, by number."""
    async with books.reading() as session:
        found = await books_substitutions.listed(session, books.park, as_of=books.known_by(as_of, EVER))
    return [Substitution.model_validate(one) for one in found]


@router.post("/substitutions/draft", summary="Work a substitution out, enter nothing", responses=WRITE_ERRORS)
async def draft(books: BooksDep, _: Editor, wanted: NewSubstitution) -> SubstitutionDraft:
    """Say what would be entered and what it would do."""
    async with books.writing() as session:
        made = await books_substitutions.propose(session, books.park, wanted.wanted(), now=books.now())
    return SubstitutionDraft.model_validate(made.document())


@router.post("/substitutions", status_code=201, summary="Enter a substitution", responses=WRITE_ERRORS)
async def enter(books: BooksDep, editor: Editor, wanted: NewSubstitution) -> Substitution:
    """Enter a substitution; it counts once a second person has approved it."""
    async with books.writing() as session:
        done = await books_substitutions.enter(
            session, books.park, wanted.wanted(), author=editor.person, reason=wanted.reason, now=books.now()
        )
        return Substitution.model_validate(await books_substitutions.one(session, books.park, done.number))


@router.get("/substitutions/{number}", summary="One substitution", responses=READ_ERRORS)
async def substitution(books: BooksDep, number: Number) -> Substitution:
    """Give a substitution with its state."""
    async with books.reading() as session:
        return Substitution.model_validate(await books_substitutions.one(session, books.park, number))


@router.get(
    "/substitutions/{number}/working",
    response_model=ExplainedFigure,
    summary="How its amounts came about",
    responses=READ_ERRORS,
)
async def working(books: BooksDep, number: Number) -> dict[str, Any]:
    """Give the total of a substitution as a tree that can be computed again."""
    async with books.reading() as session:
        figure = await books_substitutions.figure_of(session, books.park, number)
    return figure.document()


@router.post("/substitutions/{number}/review", summary="Approve or reject it", responses=WRITE_ERRORS)
async def review(books: BooksDep, approver: Approver, number: Number, wanted: Decided) -> Substitution:
    """Decide as the second person; whoever entered it is refused."""
    async with books.writing() as session:
        await books_substitutions.review(
            session, books.park, number, person=approver.person, decision=wanted.decision, reason=wanted.reason
        )
        return Substitution.model_validate(await books_substitutions.one(session, books.park, number))


@router.post(
    "/substitutions/{number}/withdrawal", status_code=201, summary="Let it count no longer", responses=WRITE_ERRORS
)
async def withdraw(books: BooksDep, editor: Editor, number: Number, wanted: Withdrawn) -> Substitution:
    """Withdraw a substitution; it stays, with who did it and why."""
    async with books.writing() as session:
        await books_substitutions.withdraw(session, books.park, number, author=editor.person, reason=wanted.reason)
        return Substitution.model_validate(await books_substitutions.one(session, books.park, number))


@router.get("/corrections", summary="Decisions about readings", responses=READ_ERRORS)
async def corrections(books: BooksDep, as_of: AsOf = None) -> list[Correction]:
    """Give every correction, by number."""
    async with books.reading() as session:
        found = await books_corrections.listed(session, books.park, as_of=books.known_by(as_of, EVER))
    return [Correction.model_validate(one) for one in found]


@router.post("/corrections", status_code=201, summary="Enter a correction", responses=WRITE_ERRORS)
async def correct(books: BooksDep, editor: Editor, wanted: CorrectionWanted) -> Correction:
    """Enter a correction with its effect; it counts at once, and what it touches is computed again."""
    async with books.writing() as session:
        entered = await books_corrections.enter(
            session, books.park, wanted.wanted(), author=editor.person, reason=wanted.reason
        )
        return Correction.model_validate(await books_corrections.one(session, books.park, entered.number))


@router.post(
    "/corrections/{number}/withdrawal",
    status_code=201,
    summary="Let a correction count no longer",
    responses=WRITE_ERRORS,
)
async def withdraw_correction(books: BooksDep, editor: Editor, number: Number, wanted: Withdrawn) -> Correction:
    """Withdraw a correction; it stays, with who did it and why."""
    async with books.writing() as session:
        await books_corrections.withdraw(session, books.park, number, author=editor.person, reason=wanted.reason)
        return Correction.model_validate(await books_corrections.one(session, books.park, number))
