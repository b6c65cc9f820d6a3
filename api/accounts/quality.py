"""Routes of the energy balance and of data quality: hours, reconciliation, suspect runs, states and completeness."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import SIGNED_IN
from api.problems import ProblemError
from api.schemas import MethodName, Model, Share
from parkcarbon.books.amounts import PERIOD
from parkcarbon.books.inventory import facts_at
from parkcarbon.books.quality import balance, reconcile
from parkcarbon.books.quality import states as quality
from parkcarbon.books.quality.balance_documents import balance_document, reconciliation_document
from parkcarbon.books.quality.questions import open_questions
from parkcarbon.domain.balance.quality import COMPLETE_PCT

from .deps import READ_ERRORS, BooksDep

router = APIRouter(prefix="/api/v1/parks/{park}", tags=["quality"], dependencies=SIGNED_IN)

HourStateName = Literal["in_band", "within_error", "above", "below", "rejected", "unknown"]
RoleName = Literal["import", "generation", "discharge", "load", "charge", "export"]
Role = dict[RoleName, float | None]
Pair = Annotated[list[float], Field(min_length=2, max_length=2)]


class BalanceHour(Model):
    """One hour behind a connection point."""

    start: dt.datetime
    state: HourStateName
    energy_kwh: Role
    unmetered_kwh: float | None = Field(description="Null: an input is unknown; the hour is unknown, not zero")
    band_kwh: Pair | None
    error_kwh: float | None = Field(description="How far the meters may be off together, 95 %")
    missing: list[str] = Field(description="Points that are unknown")


class BalanceBand(Model):
    """Where the unmetered part belongs."""

    low_pct: float
    high_pct: float
    of: Literal["import", "supply"]


class BalanceSuspect(Model):
    """A device whose correction would close the hours that fail."""

    device: str
    kind: Literal["reversed", "ratio"]
    factor: float = Field(description="What its amounts would have to be multiplied by; -1: reversed")
    hours: int
    closed: int
    share: Share
    left_kwh: float


class StorageLoss(Model):
    """A store over the period."""

    storage: str
    capacity_kwh: float
    charge_kwh: float | None
    discharge_kwh: float | None
    soc_from_pct: float | None
    soc_to_pct: float | None
    stored_kwh: float | None
    loss_kwh: float | None = Field(description="Counted as load; null: a state of charge or an amount is unknown")
    efficiency: float | None
    missing_h: float


class ConnectionBalance(Model):
    """The balance of one connection point, over its known hours."""

    connection: str
    hours_known: int
    states: dict[HourStateName, int]
    flagged: int = Field(description="Hours outside the band, rejected ones among them")
    negative: int = Field(description="Hours in which more was metered as used than supplied, beyond the meters' error")
    energy_kwh: Role
    unmetered_kwh: float | None
    unmetered_pct: float | None
    band: BalanceBand
    suspects: list[BalanceSuspect]
    storage: list[StorageLoss]
    notes: list[str]
    hours: list[BalanceHour] | None = None


class BalanceAnswer(Model):
    """The balance of a period at every connection point."""

    park: str
    period: str
    connections: list[ConnectionBalance]


class Side(Model):
    """One side of a comparison."""

    name: str
    amount: float | None
    error: float
    missing_h: float


class DifferenceModel(Model):
    """Two sides and what lies between them, shown whatever its size."""

    left: Side
    right: Side
    difference: float | None
    percent: float | None
    error: float = Field(description="Combined error of both sides, 95 %")
    allowed: Pair = Field(description="What may lie between them without any error")
    beyond_error: bool | None


class ConnectionDifference(DifferenceModel):
    """Supply against sub-meters behind one connection point."""

    connection: str


class BillCheck(Model):
    """A bill against the park's own meters, on the bill's days."""

    entry: int
    from_day: dt.date
    to_day: dt.date
    evidence: str
    simulated: bool
    carrier: Literal["electricity", "gas", "heat"]
    direction: Literal["import", "export"]
    unit: str
    cost_per_unit: float | None
    currency: str
    difference: DifferenceModel | None
    notes: list[str]


class ReconciliationAnswer(Model):
    """Gate, sub-meters and bills of a period."""

    park: str
    period: str
    connections: list[ConnectionDifference]
    bills: list[BillCheck]


class PointQuality(Model):
    """One metered flow."""

    point: str
    flow: str | None
    completeness_pct: float | None
    hours_expected: float
    hours_measured: float
    hours_suspect: float


class CarrierQuality(Model):
    """All flows of one carrier and unit."""

    carrier: str
    unit: str
    completeness_pct: float | None
    states_by_time: dict[MethodName, Share]
    states_by_quantity: dict[MethodName, Share]
    points: list[PointQuality]


class Calibration(Model):
    """A meter's calibration as far as it is known."""

    device: str
    until: dt.date = Field(description="Day after the last that it covers")
    certificate: str
    passed: bool
    expired: bool = Field(description="True: it does not cover the whole period")


class QualityAnswer(Model):
    """Data quality of a period."""

    park: str
    period: str
    completeness_pct: float | None = Field(description="Measured of expected meter-hours; substitution raises nothing")
    threshold_pct: float = Field(description="A setting of the product, no rule of law")
    complete: bool | None
    incomplete: list[str]
    carriers: list[CarrierQuality]
    calibrations: list[Calibration]


class SuspectRun(Model):
    """A run of zeros or of one value; a proposal, nothing was replaced."""

    point: str
    kind: Literal["zero", "stuck"]
    from_: dt.datetime = Field(alias="from")
    to: dt.datetime
    hours: int
    value: float
    substitute: Literal["exclude"] | None = Field(description="exclude: a substitution that leaves its readings out")
    why_not: str | None = Field(description="why a substitution would be refused")


class RunsAnswer(Model):
    """Suspect runs of a period."""

    park: str
    period: str
    runs: list[SuspectRun]


class PeriodQuery(BaseModel):
    """A period and a moment of knowledge; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    period: Annotated[str, Field(pattern=PERIOD, description="Month or year", examples=["2026-03"])]
    as_of: Annotated[AwareDatetime | None, Field(description="As known then; now when absent")] = None


class BalanceQuery(PeriodQuery):
    """Parameters of the balance."""

    hours: Annotated[bool, Field(description="List every hour; of a month only")] = False


class QualityQuery(PeriodQuery):
    """Parameters of data quality."""

    complete_pct: Annotated[float, Field(ge=0, le=100)] = COMPLETE_PCT


@router.get("/balance", response_model=BalanceAnswer, responses=READ_ERRORS, response_model_exclude_unset=True)
async def hourly_balance(books: BooksDep, query: Annotated[BalanceQuery, Query()]) -> Any:
    """Import + generation + discharge against all uses, per connection point and hour; the rest is unmetered."""
    async with books.reading() as session:
        facts = await facts_at(session, books.park, now=books.now(), as_of=query.as_of)
        period = balance.period_at(facts, query.period)
        if query.hours and not period.is_month:
            raise ProblemError(422, "hours are listed for a month, not for a year")
        end_ms = balance.end_of(facts, period.from_ms, period.to_ms)
        stores = await reconcile.storage_of(session, facts, period.from_ms, end_ms)
        found = await balance.balances(session, facts, period.from_ms, period.to_ms)
    documents = [balance_document(part, reconcile.stores_behind(part, stores), hours=query.hours) for part in found]
    return {"park": books.park, "period": period.label, "connections": documents}


@router.get("/balance/reconciliation", response_model=ReconciliationAnswer, responses=READ_ERRORS)
async def reconciliation(books: BooksDep, query: Annotated[PeriodQuery, Query()]) -> Any:
    """Gate against sub-meters, and against each bill on its own days; differences are shown, not smoothed."""
    async with books.reading() as session:
        facts = await facts_at(session, books.park, now=books.now(), as_of=query.as_of)
        found = await reconcile.reconcile(session, facts, balance.period_at(facts, query.period))
    return {"park": books.park, **reconciliation_document(found)}


@router.get("/quality", response_model=QualityAnswer, responses=READ_ERRORS)
async def data_quality(books: BooksDep, query: Annotated[QualityQuery, Query()]) -> Any:
    """Shares by data state, by time and by quantity, and completeness, per carrier."""
    async with books.reading() as session:
        facts = await facts_at(session, books.park, now=books.now(), as_of=query.as_of)
        period = balance.period_at(facts, query.period)
        found = await quality.quality_of(session, facts, period, complete_pct=query.complete_pct)
    covered = quality.calibrations(facts, quality.last_day(facts, period))
    return {"park": books.park, "period": period.label, **found.document(), "calibrations": covered}


@router.get("/quality/runs", response_model=RunsAnswer, responses=READ_ERRORS)
async def suspect_runs(books: BooksDep, query: Annotated[PeriodQuery, Query()]) -> Any:
    """Runs of zeros and of one value among measured hours: for a person to look at."""
    async with books.reading() as session:
        facts = await facts_at(session, books.park, now=books.now(), as_of=query.as_of)
        period = balance.period_at(facts, query.period)
        end_ms = balance.end_of(facts, period.from_ms, period.to_ms)
        runs = await quality.suspect_runs(session, facts, period.from_ms, end_ms)
        found = await quality.proposals(session, facts, runs)
    return {"park": books.park, "period": period.label, "runs": found}


class Question(Model):
    """What the scan asks a person about a reading."""

    point: str
    at: dt.datetime
    kind: str
    document: dict[str, Any]


class Questions(Model):
    """Open questions of a period: they stand against closing it."""

    park: str
    period: str
    questions: list[Question]


class QuestionsQuery(BaseModel):
    """Parameters of the questions; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    period: Annotated[str, Field(pattern=PERIOD, description="Local month or year", examples=["2026-03"])]


@router.get("/quality/questions", response_model=Questions, responses=READ_ERRORS)
async def questions(books: BooksDep, query: Annotated[QuestionsQuery, Query()]) -> Any:
    """Give what is open; a question goes when a correction that explains it was entered and computed."""
    async with books.reading() as session:
        facts = await facts_at(session, books.park, now=books.now(), as_of=None)
        period = balance.period_at(facts, query.period)
        found = await open_questions(session, books.park, period.from_ms, period.to_ms)
    return {"park": books.park, "period": period.label, "questions": found}
