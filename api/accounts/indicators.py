"""Routes of indicators: the park indicator, energy, matching, budgets, duties, measures, comparisons, uncertainty."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import SIGNED_IN
from api.schemas import Model
from parkcarbon.books.amounts import PERIOD
from parkcarbon.books.indicators import park as books_indicators
from parkcarbon.books.indicators.budgets import budgets_of
from parkcarbon.books.indicators.comparisons import comparisons_of, intensities_of
from parkcarbon.books.indicators.measures import measures_of, reductions_of
from parkcarbon.books.indicators.power import duties_of, matching_of
from parkcarbon.books.indicators.uncertainty import uncertainty_of
from parkcarbon.books.inventory import Inputs, facts_at, inventory_of, load_inputs
from parkcarbon.kit.db import Session

from .deps import READ_ERRORS, Books, BooksDep

router = APIRouter(prefix="/api/v1/parks/{park}/indicators", tags=["indicators"], dependencies=SIGNED_IN)

AsOf = Annotated[AwareDatetime | None, Field(description="As known then; not newer than a minute ago")]
Shown = dict[str, Any]


class TodayQuery(BaseModel):
    """Parameters of what is asked for a day as known now; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    day: Annotated[dt.date | None, Field(description="Local day; today when absent")] = None


class DayQuery(TodayQuery):
    """Parameters of what is asked for a day."""

    as_of: AsOf = None


class PeriodQuery(BaseModel):
    """Parameters of what is asked for a period; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    period: Annotated[str, Field(pattern=PERIOD, description="Local month or year", examples=["2026-03"])]
    as_of: AsOf = None


class CompareQuery(PeriodQuery):
    """Parameters of `/compare`."""

    product: Annotated[
        str, Field(description="Normalise by its production; the base year's when empty", max_length=63)
    ] = ""


class ParkIndicator(Model):
    """The national park indicator of one window; indicative, not the acceptance result."""

    indicator: str
    label: dict[str, str]
    method_profile: Literal["zcp910"]
    scheme: str
    document: str
    window: Literal["month", "year_to_date", "full_year", "last_full_year", "rolling_12_months"]
    from_day: dt.date
    to_day: dt.date = Field(description="Day after the last")
    status: str
    unit: str
    value: float | None = Field(description="Energy-only [tCO2/tce]; null: not computed, see reasons")
    value_with_process: float | None
    limit: float | None = Field(description="Of the size class; null: none applies")
    verdict: Literal["met", "not_met", "not_applicable", "not_computed"]
    verdict_with_process: Literal["met", "not_met", "not_applicable", "not_computed"]
    verdict_text: str
    energy_t: float | None
    process_t: float | None
    tce_equal: float | None = Field(description="Comprehensive energy at 等价值 [tce]")
    annual_tce_equal: float | None
    reasons: list[str]
    guiding: list[Shown]
    direct_green_supply: Shown
    comprehensive_energy: Shown
    notes: list[str]


class ParkIndicators(Model):
    """Year to date, last full year and the last twelve whole months."""

    park: str
    indicators: list[ParkIndicator]


class Energy(Model):
    """Energy of a period."""

    park: str
    period: str
    comprehensive_energy: Shown = Field(description="At 当量值 and at 等价值, each with its name")
    own_generation: Shown
    direct_green_supply: Shown
    direct_connections: list[Shown]
    notes: list[str]


class Intensity(Model):
    """Emissions or electricity per something that was entered."""

    name: str
    tenant: str | None
    value: float | None
    unit: str
    numerator: float | None
    denominator: float | None
    notes: list[str]


class Intensities(Model):
    """Intensities of park and tenants."""

    park: str
    period: str
    intensities: list[Intensity]


class Matching(Model):
    """Hourly matched share; every hour is capped."""

    park: str
    period: str
    indicator: str
    label: dict[str, str]
    share_pct: float | None
    without_the_hour_pct: float | None
    load_kwh: float
    matched_kwh: float
    excess_kwh: float
    certified_without_hour_kwh: float
    hours: int
    unknown_hours: int
    status: str


class Budget(Model):
    """A budget and where it stands."""

    name: str
    what: str
    unit: str
    from_day: dt.date
    to_day: dt.date = Field(description="Day after the last")
    budget: float | None
    used: float
    used_pct: float | None
    pace: float | None = Field(description="What should be used by now")
    pace_pct: float
    forecast: float | None
    forecast_low: float | None
    forecast_high: float | None
    forecast_label: dict[str, str]
    shape: Literal["last_year", "weekday", "even"]
    known_days: int
    unknown_days: int = Field(description="Days that passed without a reading: forecast, not zero")
    days_to_come: int
    verdict: Literal["no_budget", "over", "will_exceed", "may_exceed", "within", "unknown"]


class Budgets(Model):
    """Budgets that hold on a day."""

    park: str
    budgets: list[Budget]


class Duty(Model):
    """A tenant's duty to use green power."""

    tenant: str
    industry: str
    share_pct: float | None
    status: str | None
    document: str | None
    source: str | None
    consumption_kwh: float | None
    green_kwh: float
    green_pct: float | None
    required_kwh: float | None
    short_kwh: float | None
    certificates_short: int | None
    reached: bool | None
    reason: str


class Duties(Model):
    """Duties of a period."""

    park: str
    period: str
    duties: list[Duty]


class Measures(Model):
    """The register of measures and what they saved; nothing is subtracted from the inventory."""

    park: str
    period: str
    measures: list[Shown]
    reductions: Shown


class Comparison(Model):
    """Two periods side by side."""

    kind: Literal["base_year", "year_on_year", "previous_period"]
    label: dict[str, str]
    now: str
    before: str
    comparable: bool
    reasons: list[str] = Field(description="Why no percentage is given")
    normalised_by: str | None
    simulated: bool
    changes: list[Shown]
    notes: list[str]


class Comparisons(Model):
    """A period against others."""

    park: str
    period: str
    comparisons: list[Comparison]


class Uncertainty(Model):
    """The ± of the scopes and totals at 95 %."""

    park: str
    period: str
    uncertainty: dict[str, Shown]


async def _inputs(books: Books, session: Session, wanted: PeriodQuery) -> Inputs:
    return await load_inputs(session, books.park, wanted.period, now=books.now(), as_of=wanted.as_of)


@router.get("/park", summary="The national park indicator", response_model=ParkIndicators, responses=READ_ERRORS)
async def park_indicator(books: BooksDep, wanted: Annotated[DayQuery, Query()]) -> ParkIndicators:
    """Give carbon per unit of energy, the guiding indicators and direct green supply, for three windows."""
    async with books.reading() as session:
        found = await books_indicators.park_indicators(
            session, books.park, now=books.now(), as_of=wanted.as_of, day=wanted.day
        )
    return ParkIndicators.model_validate({"park": books.park, "indicators": [item.document() for item in found]})


@router.get("/energy", summary="Comprehensive energy and own generation", response_model=Energy, responses=READ_ERRORS)
async def energy(books: BooksDep, wanted: Annotated[PeriodQuery, Query()]) -> Energy:
    """Give standard coal at both values, the clean share, self-consumption and self-sufficiency."""
    async with books.reading() as session:
        found = await books_indicators.period_energy(
            session, books.park, wanted.period, now=books.now(), as_of=wanted.as_of
        )
    return Energy.model_validate({"park": books.park, **found.document()})


@router.get("/intensity", summary="Emissions per product, area, value", responses=READ_ERRORS)
async def intensity(books: BooksDep, wanted: Annotated[PeriodQuery, Query()]) -> Intensities:
    """Give emissions and electricity per everything that was entered for the period."""
    async with books.reading() as session:
        inputs = await _inputs(books, session, wanted)
        found = await intensities_of(session, inputs, inventory_of(inputs, final=False))
    documents = [item.document() for item in found]
    return Intensities.model_validate({"park": books.park, "period": wanted.period, "intensities": documents})


@router.get("/matching", summary="Hourly matched share", response_model=Matching, responses=READ_ERRORS)
async def matching(books: BooksDep, wanted: Annotated[PeriodQuery, Query()]) -> Matching:
    """Give how much of the load was clean in the hour it was used."""
    async with books.reading() as session:
        found = await matching_of(session, await _inputs(books, session, wanted))
    return Matching.model_validate({"park": books.park, "period": wanted.period, **found.document()})


@router.get("/budget", summary="Budgets, pace and forecast", response_model=Budgets, responses=READ_ERRORS)
async def budget(books: BooksDep, wanted: Annotated[TodayQuery, Query()]) -> Budgets:
    """Give what is used, the pace line and the forecast to the end of month and year."""
    async with books.reading() as session:
        facts = await facts_at(session, books.park, now=books.now(), as_of=None)
        today = wanted.day or facts.until.astimezone(facts.zone).date()
        found = await budgets_of(session, facts, today)
    return Budgets.model_validate({"park": books.park, "budgets": [item.document() for item in found]})


@router.get("/duty", summary="Green-power duties", response_model=Duties, responses=READ_ERRORS)
async def duty(books: BooksDep, wanted: Annotated[PeriodQuery, Query()]) -> Duties:
    """Give the share of green power each tenant has to use, and what is short."""
    async with books.reading() as session:
        found = await duties_of(session, await _inputs(books, session, wanted))
    documents = [item.document() for item in found]
    return Duties.model_validate({"park": books.park, "period": wanted.period, "duties": documents})


@router.get("/measures", summary="Measures and reductions", response_model=Measures, responses=READ_ERRORS)
async def measures(books: BooksDep, wanted: Annotated[PeriodQuery, Query()]) -> Measures:
    """Give the register and the reductions line; it is inside the inventory already."""
    async with books.reading() as session:
        inputs = await _inputs(books, session, wanted)
    register = [measure.document() for measure in measures_of(inputs.facts.entries)]
    line = reductions_of(inputs.facts, inputs.period).document()
    return Measures.model_validate(
        {"park": books.park, "period": wanted.period, "measures": register, "reductions": line}
    )


@router.get("/compare", summary="Base year, year on year", response_model=Comparisons, responses=READ_ERRORS)
async def compare(books: BooksDep, wanted: Annotated[CompareQuery, Query()]) -> Comparisons:
    """Compare with the base year, the year before and the period before, where like can be compared with like."""
    async with books.reading() as session:
        found = await comparisons_of(
            session, books.park, wanted.period, now=books.now(), as_of=wanted.as_of, product=wanted.product
        )
    documents = [item.document() for item in found]
    return Comparisons.model_validate({"park": books.park, "period": wanted.period, "comparisons": documents})


@router.get("/uncertainty", summary="± of the scopes at 95 %", response_model=Uncertainty, responses=READ_ERRORS)
async def uncertainty(books: BooksDep, wanted: Annotated[PeriodQuery, Query()]) -> Uncertainty:
    """Give the uncertainty of each scope and total, by line and by cause; what is assumed says so."""
    async with books.reading() as session:
        inputs = await _inputs(books, session, wanted)
        found = await uncertainty_of(session, inputs, inventory_of(inputs, final=False))
    documents = {name: result.document() for name, result in found.items()}
    return Uncertainty.model_validate({"park": books.park, "period": wanted.period, "uncertainty": documents})
