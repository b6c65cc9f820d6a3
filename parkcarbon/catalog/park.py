"""The park document: one YAML that says what a park is, from tenants to meters and their dated facts.

`load_park` refuses unknown keys, dangling references and impossible values with the place and the offending value.
The database keeps every version of it as a fact; see `ingest park apply`.
"""

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml
from msgspec import Meta, Struct, field

from parkcarbon.domain.activities.activity import GasState
from parkcarbon.domain.emissions import Settings

from .park_statement import StatementSettings
from .park_tenancy import AllocationRule, Connection, Delivery, Entity, FormulaFlow, Storage
from .strict import document_problems, load_yaml
from .terms import Flow, GasConditions, Name, Positive, Slug

__all__ = [
    "Device",
    "Entity",
    "Episode",
    "FactorSeries",
    "Flow",
    "MethodSettings",
    "Name",
    "Park",
    "ParkError",
    "Point",
    "Positive",
    "Slug",
    "Source",
    "Tenant",
    "decode_park",
    "device_name",
    "load_park",
    "parse_park",
]


class Tenant(Struct, frozen=True, forbid_unknown_fields=True):
    """A user of the park's energy; which legal entity it is, `entities` say."""

    tenant: Slug
    name: Name


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever may send batches for this park.

    `window_from` and `window_to` are the time range that an import declares; without them readings may be
    400 days old and 5 minutes ahead.
    """

    source: Slug
    kind: Literal["edge", "gateway", "import"] = "edge"
    via: Slug | None = None
    public_key: str | None = None  # base64 Ed25519
    window_from: dt.datetime | None = None
    window_to: dt.datetime | None = None


class Episode(Struct, frozen=True, forbid_unknown_fields=True):
    """From `at` on, this physical meter with these ratios; `end_reading` belongs to the meter before.

    `accuracy_class` and `ct_class` are names of `catalog/indicators/uncertainty.yaml`, for example `0.5S`;
    `calibrated_until` is the day after the last that the calibration certificate covers.
    """

    at: dt.datetime
    serial: str | None = None
    ct: Positive = 1.0
    pt: Positive = 1.0
    sign: Literal[1, -1] = 1
    modulus: Positive | None = None
    limit_per_h: Positive | None = None
    end_reading: float | None = None
    start_reading: float | None = None
    accuracy_class: str | None = None
    ct_class: str | None = None
    calibrated_until: dt.date | None = None


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """One quantity of one device."""

    quantity: str
    kind: Literal["counter", "gauge", "delta"]
    period_s: Positive = 900.0
    flow: Flow | None = None
    limit_per_h: Positive | None = None  # register units per hour, before the meter ratio
    resolution: Annotated[float, Meta(ge=0)] = 0.0  # one register step
    modulus: Positive | None = None
    episodes: tuple[Episode, ...] = ()
    below: str | None = None  # of a sub_meter: the nearest sub_meter upstream, as device/quantity
    may_be_negative: bool = False  # of amounts: one below zero is no error, as in settlements


class Device(Struct, frozen=True, forbid_unknown_fields=True):
    """A meter, inverter or battery; listed in bus order.

    `tenant` is whom it serves; `owner` the entity that owns it, else the tenant's entity or the operator.
    """

    device: Slug
    name: Name
    profile: str
    points: tuple[Point, ...]
    tenant: Slug | None = None
    source: Slug | None = None
    bus: str = ""
    active: bool = True
    owner: Slug | None = None
    connection: Slug | None = None  # none: the only one


class FactorSeries(Struct, frozen=True, forbid_unknown_fields=True):
    """An organisation's own hourly factor (grid intensity, calorific value), loaded from a CSV beside the document.

    `basis` is NCV or HHV of a calorific value; its `gas` is empty.
    """

    factor: str
    purpose: str
    carrier: Literal["electricity", "gas", "heat"]
    region: str
    gas: str
    unit: str
    file: str
    time_column: str
    value_column: str
    publisher: str
    edition: str
    span_s: Positive = 3600.0
    data_year: int | None = None
    published_on: dt.date | None = None
    basis: str = ""


class Exclusion(Struct, frozen=True, forbid_unknown_fields=True):
    """What the boundary leaves out, and why; `share_pct` is its estimated share of the total."""

    what: str
    reason: str
    scope: Literal[1, 2, 3] | None = None
    share_pct: Annotated[float, Meta(ge=0, le=100)] | None = None


class AbsentScope(Struct, frozen=True, forbid_unknown_fields=True):
    """A scope that has no source inside the boundary: its total is zero, where it would else be unknown."""

    scope: Literal[1, 2]
    reason: str


class MethodSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the calculation may not guess.

    Attributes:
        electricity_region: region of the grid, for example `China/JS`.
        fuel_region: region whose fuel defaults are used; empty: fuels stay out of the total.
        heat_region: region of the default for purchased heat; empty: likewise.
        gwp_set: declared set of warming potentials.
        electricity_factor: id of a factor or series that goes before the published averages.
        consolidation: approach of the organisational boundary.
        neutrality_basis: scope 2 figure that neutrality is judged on; the same across years.
        fuel_set: edition of the fuel default set, for example `NDRC 2015`; empty: the set of the fuel region.
        heat_factor: id of the supplier's factor of purchased heat that is metered.
        sf6_factor: id of the GWP row of SF6, which AR6 prints twice.
        remainder: factor of the market-based remainder.
        standard_temperature_c: what a standard cubic metre refers to [degC].
        standard_pressure_kpa: likewise [kPa].
        gas_calorific_value: id of a record or series of net calorific values that metered gas is counted with.
        gas_conditions: state in which gas meters count raw cubic metres; without it these are not counted.
        reporting_entity: organisation that signs; never the district.
        boundary: organisational boundary in words, in both languages.
        base_year: year that others are compared with.
        materiality_pct: difference from which a restatement is due [%].
        exclusions: what is left out, with reasons.
        absent_scopes: scopes without any source.
    """

    electricity_region: str
    fuel_region: str = ""
    heat_region: str = ""
    gwp_set: Literal["AR4", "AR5", "AR6"] = "AR6"
    electricity_factor: str | None = None
    consolidation: Literal["operational_control", "financial_control", "equity_share"] = "operational_control"
    neutrality_basis: Literal["location", "market"] = "market"
    fuel_set: str = ""
    heat_factor: str | None = None
    sf6_factor: str | None = None
    remainder: Literal["published", "location"] = "published"
    standard_temperature_c: Literal[0, 15, 20] = 0
    standard_pressure_kpa: Positive = 101.325
    gas_calorific_value: str | None = None
    gas_conditions: GasConditions | None = None
    reporting_entity: Name | None = None
    boundary: Name | None = None
    base_year: Annotated[int, Meta(ge=1990, le=2100)] | None = None
    materiality_pct: Annotated[float, Meta(gt=0, le=100)] = 5.0
    exclusions: tuple[Exclusion, ...] = ()
    absent_scopes: tuple[AbsentScope, ...] = ()

    def settings(self) -> Settings:
        """As the domain has it."""
        return Settings(
            electricity_region=self.electricity_region,
            fuel_region=self.fuel_region,
            heat_region=self.heat_region,
            gwp_set=self.gwp_set,
            electricity_factor=self.electricity_factor,
            fuel_set=self.fuel_set,
            heat_factor=self.heat_factor,
            sf6_factor=self.sf6_factor,
            remainder=self.remainder,
            standard_temperature_c=float(self.standard_temperature_c),
            standard_pressure_kpa=self.standard_pressure_kpa,
            gas_calorific_value=self.gas_calorific_value,
            gas_state=None
            if self.gas_conditions is None
            else GasState(
                temperature_c=self.gas_conditions.temperature_c,
                pressure_kpa_abs=self.gas_conditions.pressure_kpa_abs,
                compressibility_ratio=self.gas_conditions.compressibility_ratio,
            ),
            absent=frozenset(int(absent.scope) for absent in self.absent_scopes),
        )


class Park(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole park."""

    park: Slug
    name: Name
    timezone: str
    method: MethodSettings
    tenants: tuple[Tenant, ...] = ()
    sources: tuple[Source, ...] = ()
    devices: tuple[Device, ...] = ()
    factor_series: tuple[FactorSeries, ...] = ()
    currency: str = "CNY"
    electricity_price_per_kwh: float | None = None
    contract_demand_kw: Positive | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    notes: dict[str, str] = field(default_factory=dict)
    entities: tuple[Entity, ...] = ()
    connections: tuple[Connection, ...] = ()
    storage: tuple[Storage, ...] = ()
    allocation: tuple[AllocationRule, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    formulas: tuple[FormulaFlow, ...] = ()
    statement: StatementSettings = StatementSettings()


def device_name(heading: str) -> str:
    """Return the device name that stands for a heading of a table, as an import and its park document both need it.

    Raises:
        ValueError: nothing usable is left of it.
    """
    name = re.sub(r"[^a-z0-9_-]+", "-", heading.strip().lower()).strip("-_")
    if not name:
        raise ValueError(f"column {heading!r} gives no usable device name")
    return name


def decode_park(text: bytes | str) -> Park:
    """Decode a park document without cross checks.

    Raises:
        msgspec.ValidationError: with the path of the first offending member.
    """
    return msgspec.convert(load_yaml(text), type=Park)


class ParkError(ValueError):
    """A park document is wrong.

    Attributes:
        problems: one line each: the place, the offending value, what is expected.
    """

    def __init__(self, name: str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{name}: {problem}" for problem in problems))


def load_park(path: Path) -> Park:
    """Load a park document and check it; files of factor series are looked up beside it.

    Raises:
        ParkError: with every problem at once.
        OSError: the file cannot be read.
    """
    return parse_park(path.read_text(encoding="utf-8"), path.name, path.parent)


def parse_park(text: str, name: str = "park", folder: Path | None = None) -> Park:
    """Decode and check the text of a park document.

    Args:
        text: YAML (JSON is YAML too).
        name: what messages call the document.
        folder: where the files of factor series are; None: they are not opened.

    Raises:
        ParkError: with every problem at once.
    """
    from . import check

    try:
        raw = load_yaml(text)
    except yaml.YAMLError as error:
        raise ParkError(name, [f"not YAML: {' '.join(str(error).split())}"]) from error
    if problems := list(document_problems(raw, Park)):
        raise ParkError(name, problems)
    park = msgspec.convert(raw, Park)
    if problems := check.check_park(park, folder):
        raise ParkError(name, problems)
    return park
