"""Routes of the park's total by tenant: the allocation view and the entity view, never mixed."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import SIGNED_IN
from api.schemas import Model
from parkcarbon.books.amounts import PERIOD
from parkcarbon.books.tenants.figures import allocation_document, entity_document
from parkcarbon.books.tenants.views import build_allocation, build_entities

from .deps import READ_ERRORS, BooksDep

router = APIRouter(prefix="/api/v1/parks/{park}/tenants", tags=["tenants"], dependencies=SIGNED_IN)

TotalName = Literal["scope1", "scope2_location", "scope2_market", "scope3"]
BasisName = Literal["location", "market"]
ByTotal = dict[TotalName, float | None]


class Words(Model):
    """A sentence in both languages."""

    zh: str
    en: str


class AllocationRule(Model):
    """A rule that was applied."""

    rule: str
    from_day: dt.date | None = Field(description="Null: the product's default, nothing was declared")
    carrier: str
    by: Literal["metered", "area", "headcount", "fixed"]
    words: Words


class TenantPart(Model):
    """A tenant's part of the park's totals [kg CO2e]; not an inventory of the tenant."""

    tenant: str
    park_itself: bool = Field(description="True for what no rule gives to a tenant")
    scope1: float | None
    scope2_location: float | None
    scope2_market: float | None
    scope3: float | None


class AllocationAnswer(Model):
    """The park's totals by tenant; the parts add up exactly."""

    park: str
    period: str
    view: Literal["allocation"]
    rules: list[AllocationRule]
    totals: ByTotal = Field(description="Of the park [kg CO2e]")
    tenants: list[TenantPart]
    notes: list[str]


class EntityPart(Model):
    """What one legal entity reports for itself [kg CO2e]; entities overlap."""

    entity: str
    scope1: float
    scope2_location: float
    scope2_market: float
    scope3: float = Field(description="With what it sold on, location-based")
    drawn_kwh: float
    own_generation_used_kwh: float
    roof_power_bought_kwh: float
    roof_power_sold_kwh: float


class EntityLine(Model):
    """One line of an entity."""

    entity: str
    total: TotalName
    basis: BasisName | None
    source: str
    kind: Literal["own", "bought_inside", "sold_on"]
    counterpart: str | None
    co2e_kg: float


class Elimination(Model):
    """What stands twice, and in whose inventory it is taken away."""

    medium: Literal["power", "roof_pv", "steam", "heat"]
    seller: str
    buyer: str
    source: str
    amount: float
    unit: str
    basis: BasisName
    from_entity: str
    from_total: TotalName
    co2e_kg: float


class Reconciled(Model):
    """Entities less eliminations against the park, in one total."""

    total: TotalName
    basis: BasisName
    entities_kg: float
    eliminated_kg: float
    park_kg: float | None
    difference_nano_kg: int = Field(description="0: they lead to the park's total exactly")


class EntityAnswer(Model):
    """The legal entities' own inventories and the elimination table."""

    park: str
    period: str
    view: Literal["entity"]
    entities: list[EntityPart]
    lines: list[EntityLine]
    eliminations: list[Elimination]
    reconciliation: list[Reconciled]
    notes: list[str]


class TenantsQuery(BaseModel):
    """Parameters of both views; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    period: Annotated[str, Field(pattern=PERIOD, description="Month or year", examples=["2026-03"])]
    as_of: Annotated[AwareDatetime | None, Field(description="As known then; now when absent")] = None


@router.get("/allocation", response_model=AllocationAnswer, responses=READ_ERRORS)
async def allocation(books: BooksDep, query: Annotated[TenantsQuery, Query()]) -> Any:
    """Split the park's total among the tenants by the declared, dated rule."""
    async with books.reading() as session:
        found = await build_allocation(session, books.park, query.period, now=books.now(), as_of=query.as_of)
    return {"park": books.park, "period": query.period, **allocation_document(found)}


@router.get("/entities", response_model=EntityAnswer, responses=READ_ERRORS)
async def entities(books: BooksDep, query: Annotated[TenantsQuery, Query()]) -> Any:
    """Give each legal entity its own scopes, with the table of what one sells to another."""
    async with books.reading() as session:
        view, totals = await build_entities(session, books.park, query.period, now=books.now(), as_of=query.as_of)
    return {"park": books.park, "period": query.period, **entity_document(view, totals)}
