"""Shapes of the inventory on the profile `ghgp`, as `parkcarbon.domain.inventory` writes it: canonical JSON."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from parkcarbon.live.model import Name

from .schemas import FactorUse, MethodName, Model

_ALIASED = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

Basis = Literal["location", "market"]


class Gases(Model):
    """Mass by gas [kg of the gas]; null where the factor's source does not give it."""

    CO2: float | None
    CH4: float | None
    N2O: float | None


class InventoryLine(Model):
    """One source of emissions."""

    source: str = Field(description="Point `device/quantity`, or name of an entry")
    carrier: str
    kind: str
    scope: Literal[1, 2, 3]
    basis: Basis | None
    iso14064_category: int
    tenant: str | None
    activity: float | None
    activity_unit: str
    gases: Gases
    co2e_kg: float | None
    co2e_by_gas_kg: dict[str, float]
    biogenic_co2_kg: float = Field(description="Memo, in no total")
    states: dict[MethodName, float]
    factors: list[FactorUse]
    unverified: bool
    instruments: list[dict[str, Any]] = Field(description="Certificates behind the line")
    evidence: str
    simulated: bool
    entry: str = Field(description="`entry:N` behind it; empty for a metered point")
    note: str
    scope3_category: int | None = None
    group: str = ""


class InventoryScope(Model):
    """A scope on one basis."""

    scope: Literal[1, 2]
    basis: Basis | None
    co2e_kg: float | None = Field(description="null: not known, which is not zero")
    absent: bool = Field(description="True: the boundary is declared to hold no source of it")
    lines: list[InventoryLine]


class Screening(Model):
    """What was decided on one category of scope 3."""

    category: int
    name: Name
    iso14064_category: int
    status: Literal["included", "estimated", "not_significant"] | None
    why: str | None
    estimate_t: float | None
    entries: bool


class Scope3(Model):
    """Scope 3, apart from the others and in no total of theirs."""

    scope: Literal[3]
    basis: None
    co2e_kg: float | None
    absent: bool
    lines: list[InventoryLine]
    screening: list[Screening]


class Totals(Model):
    """Scopes 1 and 2 on one basis."""

    co2e_kg: float | None = Field(description="null while one of the scopes is not known")
    counted_co2e_kg: float
    not_known: list[str]
    by_gas_kg_co2e: dict[str, float]
    electricity_co2_only: bool
    unverified_pct: float | None


class TotalsByBasis(Model):
    """Both bases side by side."""

    location: Totals
    market: Totals


class NotInTotal(Model):
    """An amount for which no emission could be computed, and why."""

    carrier: str
    point: str
    amount: float | None
    unit: str
    reason: str


class Instruments(Model):
    """What certificates do to the period; credits are in no figure of it."""

    covered_kwh: float = Field(description="Purchases that cancelled certificates cover")
    void_kwh: float = Field(description="Self-used generation whose certificates were sold")
    proved_kwh: float = Field(description="Self-used generation that own-use certificates prove; lowers nothing")
    used: list[dict[str, Any]]
    pending: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    notes: list[str]


class EnergyBalance(Model):
    """Energy of the period [kWh]; gas and heat by the unit of their meters."""

    grid_import_kwh: float | None
    grid_export_kwh: float | None
    generation_kwh: float | None
    charge_kwh: float | None
    discharge_kwh: float | None
    load_kwh: float | None
    unmetered_kwh: float | None
    gas: dict[str, float]
    gas_gj: float | None = Field(None, description="net energy of the metered gas [GJ]; null: not known")
    heat: dict[str, float]


class Inventory(Model):
    """Emissions of a local month or year on the GHG Protocol method profile, as known on a date."""

    model_config = _ALIASED

    park: str
    period: str = Field(description="YYYY-MM or YYYY, local to the park")
    month: str | None = Field(None, description="The period where it is a month")
    method_profile: Literal["ghgp"]
    method_version: str
    known_on: datetime
    gwp_set: str
    fuel_set: str
    from_: datetime = Field(validation_alias="from", serialization_alias="from")
    to: datetime
    final: bool = Field(description="True once the period is closed")
    scopes: list[InventoryScope]
    scope3: Scope3
    totals: TotalsByBasis
    biogenic_co2_kg: float
    not_in_total: list[NotInTotal]
    beside: list[dict[str, Any]] = Field(description="Shown and in no total: raw material, deliveries, removals")
    instruments: Instruments
    energy: EnergyBalance
    completeness_pct: float | None
    states: dict[MethodName, float] = Field(description="Share of the metered time by data state")
    suspect_hours: float = Field(description="Meter-hours that look wrong, for example runs of zeros [h]")
    warnings: list[str]
