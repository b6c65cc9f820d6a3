"""Response models of the HTTP API, version 1: the same shapes as `docs/contracts.md`, section 3.

Units stand in the field names or in a `unit` member. `null` means unknown or missing, never zero. Times are
RFC 3339 in UTC with `Z`, except `local_time`, which carries the park's own offset.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from parkcarbon.live.model import Name, TenantRef

QUARTERS_PER_DAY = 96

MethodName = Literal["measured", "interpolated", "substituted", "estimated", "manual", "missing"]
METHOD_NAMES: tuple[MethodName, ...] = (
    "measured",
    "interpolated",
    "substituted",
    "estimated",
    "manual",
    "missing",
)
Carrier = Literal["electricity", "gas", "heat"]
CARRIERS: tuple[Carrier, ...] = ("electricity", "gas", "heat")
DeviceState = Literal["ok", "silent", "error", "never", "files"]
NodeKind = Literal["grid", "pv", "battery", "gas", "heat", "tenant", "unmetered", "bus"]
Step = Literal["15m", "1h", "1d", "1mo"]
GroupBy = Literal["none", "tenant", "device", "flow"]
Metric = Literal[
    "load_kw",
    "grid_import_kw",
    "grid_export_kw",
    "generation_kw",
    "charge_kw",
    "discharge_kw",
    "unmetered_kw",
    "energy_kwh",
    "gas_m3",
    "heat_gj",
    "co2e_kg",
    "emission_rate_kgco2e_h",
    "self_consumption_pct",
    "completeness_pct",
]
FigureName = Literal["emission_rate", "load", "energy_today", "emissions_today", "pv", "completeness"]
Share = Annotated[float, Field(ge=0, le=1)]


class Model(BaseModel):
    """Base of every answer: immutable, and no member beyond the declared ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(BaseModel):
    """An error as `application/problem+json` (RFC 9457)."""

    type: str = Field("about:blank", description="URI reference of the kind of problem")
    title: str = Field(description="Short text, the same for each occurrence of this kind")
    status: int = Field(description="HTTP status code")
    detail: str | None = Field(None, description="What went wrong this time")
    rule: str | None = Field(None, description="Number of the accounting rule that refuses it; see docs/rules.md")
    errors: list[dict[str, str]] | None = Field(
        None, description="Invalid parameters: `where` (for example `query.from`) and `message` each"
    )


class ParkInfo(Model):
    """A park that the caller may see."""

    park: str
    name: Name
    timezone: str = Field(description="IANA name; local days and months are those of this zone")
    currency: str = Field(description="ISO 4217 code of every cost")
    contract_demand_kw: float | None = Field(description="Contracted demand [kW]")
    tenants: list[TenantRef]
    empty: bool = Field(description="True while no reading has ever been committed")


class Parks(Model):
    """Every park that the caller may see."""

    parks: list[ParkInfo]


class Figure(Model):
    """One number of the live page.

    Attributes:
        value: the number [unit]; null when unknown.
        spark: the last 24 h in 96 steps of 15 min, oldest first, the running one last [unit]; null is a gap.
        last_week: the same figure at the same local time seven days ago [unit].
    """

    value: float | None = Field(description="The number, in `unit`; null when unknown")
    unit: str
    spark: Annotated[list[float | None], Field(min_length=QUARTERS_PER_DAY, max_length=QUARTERS_PER_DAY)] = Field(
        description="Last 24 h, 96 steps of 15 min, oldest first, the running one last; null is a gap"
    )
    last_week: float | None = Field(description="The same figure at the same local time seven days ago")


class CarrierParts(Model):
    """An emission rate by carrier [kgCO2e/h]; null where the park has none of it or it is unknown."""

    electricity: float | None
    gas: float | None
    heat: float | None


class EmissionRate(Figure):
    """Live, indicative rate of emission [kgCO2e/h]; not an accumulated figure."""

    parts: CarrierParts
    averaged: list[Carrier] = Field(
        description="Carriers whose meters are slow: their part is the newest 15-minute average"
    )
    from_files: list[str] = Field(description="Points that come from files and are not in this figure")


class Load(Figure):
    """What the park uses [kW]: import - export + generation + discharge - charge."""

    peak_today_kw: float | None = Field(description="Highest 15-minute mean of the load today [kW]")
    contract_demand_kw: float | None = Field(description="Contracted demand [kW]")
    from_files: list[str] = Field(description="Points that come from files and are not in this figure")


class EnergyToday(Figure):
    """Electricity used since local midnight [kWh], from intervals alone."""

    cost: float | None = Field(description="Grid import today x price per kWh, in `currency`")
    currency: str


class EmissionsToday(Figure):
    """Emissions since local midnight [kgCO2e], location-based, scopes 1 and 2, from intervals alone."""

    market: float | None = Field(description="The same with market-based electricity [kgCO2e]")


class Pv(Figure):
    """Self-consumption [%]: self-used share of today's generation."""

    self_sufficiency: float | None = Field(description="Share of today's load covered by own generation [%]")
    generation_kw: float | None = Field(description="Generation now [kW]")
    generation_today_kwh: float | None = Field(description="Generation since local midnight [kWh]")


class Completeness(Figure):
    """Measured share of the meter-hours expected since local midnight [%]."""

    measured_hours: float = Field(description="Measured meter-hours today [h]")
    expected_hours: float = Field(description="Expected meter-hours today [h]")


class Figures(Model):
    """The six tiles of the live page."""

    emission_rate: EmissionRate
    load: Load
    energy_today: EnergyToday
    emissions_today: EmissionsToday
    pv: Pv
    completeness: Completeness


class FlowNode(Model):
    """A place where power comes from, passes or goes."""

    node: str
    kind: NodeKind
    name: Name
    kw: float | None = Field(description="Power through the node [kW]; null when unknown")


class FlowEdge(Model):
    """Power from one node to another."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    from_: str = Field(validation_alias="from", serialization_alias="from")
    to: str
    kw: Annotated[float, Field(ge=0)] = Field(description="Power in this direction [kW]")


class Flow(Model):
    """Where the park's power comes from and goes, at one moment."""

    at: datetime | None = Field(description="Time of the newest reading in it; null before the first one")
    nodes: list[FlowNode]
    edges: list[FlowEdge]
    imbalance_kw: float | None = Field(
        description="Metered uses above the supply [kW]: what cannot be true; 0 when the balance closes"
    )


class TenantNow(Model):
    """A tenant's share of today."""

    tenant: str
    name: Name
    power_kw: float | None = Field(description="Power now [kW]")
    energy_today_kwh: float | None = Field(description="Electricity since local midnight [kWh]")
    co2e_today_kg: float | None = Field(description="Location-based, electricity, since local midnight [kg]")
    last_week_kwh: float | None = Field(description="Electricity to the same local time 7 days ago [kWh]")


class DeviceCounts(Model):
    """Devices by state; `never` devices count as silent, `files` are those whose readings come from files."""

    ok: int
    silent: int
    error: int
    files: int


class Now(Model):
    """The park at this moment."""

    park: str
    at: datetime = Field(description="Server clock")
    data_as_of: datetime | None = Field(description="Time of the newest committed reading")
    local_time: str = Field(description="`at` in the park's time zone with its offset")
    figures: Figures
    flow: Flow
    tenants: list[TenantNow]
    devices: DeviceCounts


class SeriesGroup(Model):
    """One line of a series; the arrays run parallel to `starts`."""

    key: str = Field(description="`total`, a tenant, a device or a flow")
    name: Name | None
    values: list[float | None]
    coverage: list[Share] = Field(description="Known share of each bucket; 0 where the value is null")
    method: list[MethodName] = Field(description="The worst data state inside each bucket")


class Series(Model):
    """A metric over time in equal steps, local to the park for days and months."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    metric: Metric
    unit: str
    step_s: int = Field(description="Nominal length of a bucket [s]; local days and months vary")
    from_: datetime = Field(
        validation_alias="from", serialization_alias="from", description="Start of the first bucket"
    )
    to: datetime = Field(description="End of the last bucket, exclusive")
    starts: list[datetime]
    groups: list[SeriesGroup]


class FactorInfo(Model):
    """A factor as it is on record."""

    factor: str
    value: float | None = Field(description="null for a time series of values")
    unit: str
    gas: str
    basis: str
    purpose: str
    region: str
    data_year: int | None
    publisher: str
    edition: str
    published_on: date | None
    unverified: bool


class FactorUse(FactorInfo):
    """A factor and how well it fits its use."""

    match: str = Field(description="How the factor was found, for example `exact` or `newest_published`")
    fallback: bool = Field(description="True when something wider than asked for had to do")


class DevicePoint(Model):
    """The newest reading of a point."""

    point: str
    quantity: str
    unit: str
    kind: Literal["counter", "gauge", "delta"]
    value: float | None
    time: datetime | None
    quality: str | None = Field(description="Quality of that reading; null before the first one")


class Device(Model):
    """A meter, inverter or battery and whether it answers."""

    device: str
    name: Name
    profile: str
    tenant: str | None
    source: str | None
    bus: str
    position: int
    state: DeviceState
    last_seen: datetime | None = Field(description="Newest sign of life; of `files`: the newest imported reading")
    detail: str | None
    points: list[DevicePoint]


class Devices(Model):
    """Devices in bus order."""

    devices: list[Device]


class WorkingTerm(Model):
    """One summand of a figure, with the register or interval sum it comes from."""

    label: str
    value: float | None
    unit: str
    point: str | None = None
    time: datetime | None = None
    register_value: float | None = Field(
        default=None, validation_alias="register", serialization_alias="register", description="As the meter shows it"
    )
    quality: str | None = None
    start_register: float | None = Field(default=None, description="Register at the start of the period, as shown")
    start_time: datetime | None = Field(default=None, description="When it showed that")

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class Working(Model):
    """How a figure of `Now` comes about."""

    figure: FigureName
    value: float | None
    unit: str
    at: datetime
    formula: str
    terms: list[WorkingTerm]
    factors: list[FactorUse]
    notes: list[str]


class SessionRequest(BaseModel):
    """A token to trade for a cookie."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(min_length=8, max_length=200)]


class Session(Model):
    """Who the caller is."""

    label: str
    role: Literal["admin", "editor", "approver", "auditor", "viewer", "wall"]
    person: str = Field(description="Who acts with this token; empty: nothing can be entered with it")
    park: str | None = Field(description="The one park of this token; null: every park")


class Health(Model):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class Readiness(Model):
    """Whether the API can answer, and how old its newest data are."""

    ready: bool
    database: bool
    schema_present: bool
    data_age_s: float | None = Field(description="Age of the newest reading of any park [s]")
    detail: str | None = None
