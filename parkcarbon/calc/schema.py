"""The file of the trial calculator: activity lines, certificates, hours, and what the calculation may not guess.

`parkcarbon/calc/schema.json` is made from these types: `python -m parkcarbon.calc.write_schema`.
"""

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Name = Annotated[str, Meta(min_length=1, max_length=120)]
PeriodLabel = Annotated[str, Meta(pattern=r"^(19[7-9][0-9]|20[0-9][0-9])(-(0[1-9]|1[0-2]))?$")]
Year = Annotated[int, Meta(ge=1970, le=2099)]
Month = Annotated[str, Meta(pattern=r"^(19[7-9][0-9]|20[0-9][0-9])-(0[1-9]|1[0-2])$")]
Kind = Literal[
    "electricity", "fuel", "feedstock", "refrigerant", "process", "heat", "steam", "cooling", "scope3", "removal"
]
State = Literal["measured", "interpolated", "substituted", "estimated", "manual"]


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a calculation may not guess; the same as `method` of a park document."""

    electricity_region: Annotated[str, Meta(description="region of the grid: China/JS, China, United Kingdom, …")]
    fuel_region: str = ""
    heat_region: str = ""
    gwp_set: Literal["AR4", "AR5", "AR6"] = "AR6"
    fuel_set: Annotated[str, Meta(description="edition of the one fuel default set; empty: that of fuel_region")] = ""
    electricity_factor: Annotated[str | None, Meta(description="id of a factor that goes before the averages")] = None
    heat_factor: str | None = None
    remainder: Literal["published", "location"] = "published"
    standard_temperature_c: float = 0.0
    standard_pressure_kpa: float = 101.325
    absent: Annotated[tuple[Literal[1, 2], ...], Meta(description="scopes that have no source here")] = ()


class GivenFactor(Struct, frozen=True, forbid_unknown_fields=True):
    """A factor that comes with a line: a supplier's, a laboratory's."""

    value: float
    unit: Annotated[str, Meta(description="for example tCO2/GJ or kgCO2e/t")]
    publisher: Name
    document: Name
    data_year: int | None = None
    gwp_set: Literal["AR4", "AR5", "AR6"] | None = None
    life_cycle: bool = False
    unverified: bool = False
    basis: Literal["NCV", "HHV"] | None = None


class CalorificValue(Struct, frozen=True, forbid_unknown_fields=True):
    """A measured or certified calorific value [GJ per `per`]."""

    value: float
    per: Literal["t", "10^4Nm3"]
    basis: Literal["NCV", "HHV"]
    document: Name


class GasState(Struct, frozen=True, forbid_unknown_fields=True):
    """The state in which a gas meter counted its cubic metres."""

    temperature_c: float
    pressure_kpa_abs: float
    compressibility_ratio: float = 1.0


class SteamState(Struct, frozen=True, forbid_unknown_fields=True):
    """The state of delivered steam and what comes back of it."""

    pressure_mpa_abs: float | None = None
    temperature_c: float | None = None
    condensate_return_pct: float | None = None
    condensate_temperature_c: float | None = None
    dryness_pct: float = 100.0


class ActivityLine(Struct, frozen=True, forbid_unknown_fields=True):
    """One amount of one thing."""

    activity: Annotated[str, Meta(min_length=1, max_length=120, description="id, once in the file")]
    kind: Kind
    amount: float
    unit: Name
    subject: Annotated[str, Meta(description="fuel, substance or product; empty for electricity, heat, steam, …")] = ""
    from_day: dt.date | None = None
    to_day: Annotated[dt.date | None, Meta(description="day after the last; without days: the whole period")] = None
    source: str = ""
    tenant: str | None = None
    evidence: str = ""
    state: State = "manual"
    factor: GivenFactor | None = None
    factor_id: Annotated[str, Meta(description="id of a factor record that goes before the search")] = ""
    basis: Literal["NCV", "HHV"] | None = None
    calorific: CalorificValue | None = None
    density_kg_per_m3: float | None = None
    gas_state: GasState | None = None
    standard_temperature_c: float | None = None
    steam: SteamState | None = None
    cop: float | None = None
    origin: Literal["", "grid", "fossil", "non_fossil", "inside"] = ""
    direction: Literal["received", "delivered", "generated"] = "received"
    biogenic: bool | None = None
    bunker: bool = False
    category: Annotated[int, Meta(ge=1, le=15, description="of scope 3")] | None = None
    group: str = ""
    counted_elsewhere: bool = False
    gwp_set: Literal["AR4", "AR5", "AR6"] | None = None
    fuel_set: str | None = None
    region: Annotated[str, Meta(description="of electricity elsewhere; empty: that of the settings")] = ""
    blend: Annotated[dict[str, float], Meta(description="substance and its share by mass [%]")] = field(
        default_factory=dict
    )
    method: str = ""
    note: str = ""
    accuracy_class: Annotated[str | None, Meta(description="of the meter, for example 0.5S")] = None
    ct_class: str | None = None
    uncertainty_pct: Annotated[float, Meta(ge=0, description="of the amount, half-width at 95 %")] | None = None


class OwnFactor(Struct, frozen=True, forbid_unknown_fields=True):
    """A factor of one's own that lines find like the catalog's."""

    factor: Name
    purpose: Name
    carrier: str
    region: Name
    gas: str
    unit: Name
    value: float
    publisher: Name
    edition: Name
    basis: str = ""
    data_year: int | None = None
    published_on: dt.date | None = None
    title: str = ""


class CertificateLine(Struct, frozen=True, forbid_unknown_fields=True):
    """A serial range of certificates or credits and what was done with it."""

    lot: Annotated[str, Meta(min_length=1, max_length=120, description="name, once in the file")]
    kind: Literal["GEC", "GO", "I-REC", "green_power_contract", "CCER", "other_credit"]
    registry: Name
    prefix: Annotated[str, Meta(description="of the serials; not ending in a digit")]
    first: Annotated[int, Meta(ge=0)]
    count: Annotated[int, Meta(ge=1)]
    technology: Name
    generated: Annotated[Month, Meta(description="month of generation; of a credit: of the reduction")]
    evidence: Name
    act: Literal["held", "pending", "cancelled", "retired", "sold", "surrendered"]
    on_day: Annotated[dt.date | None, Meta(description="of the act")] = None
    public_record: str | None = None
    unit_kwh: Annotated[float, Meta(gt=0, description="behind one serial; a GEC has 1000")] | None = None
    unit_kg: Annotated[float, Meta(gt=0, description="of one credit; a CCER has 1000")] | None = None
    origin: Literal["own_pv", "own_use", "third_party_roof", "green_power_contract", "bought"] = "bought"
    issued_for: Literal["exported", "self_used"] | None = None
    plant: str | None = None
    commissioned: dt.date | None = None
    market: str = "China"
    contract: str | None = None
    tradable: bool = True
    criteria: dict[str, bool] = field(default_factory=dict)


class GuidingLine(Struct, frozen=True, forbid_unknown_fields=True):
    """A guiding indicator of the park programme."""

    value_pct: float | None = None
    evidence: str = ""
    excluded_because: str = ""


class ParkIndicator(Struct, frozen=True, forbid_unknown_fields=True):
    """What the national park indicator needs beside the activity lines."""

    equal_kgce_per_kwh: Annotated[float, Meta(description="等价值 of the year; None: the data set's")] | None = None
    equal_document: str = ""
    annual_tce: Annotated[float, Meta(ge=0, description="of a year, where the period is a month")] | None = None
    guiding: dict[str, GuidingLine] = field(default_factory=dict)


class MonteCarlo(Struct, frozen=True, forbid_unknown_fields=True):
    """A simulation of the same model, to check the propagation."""

    draws: Annotated[int, Meta(ge=100, le=1_000_000)] = 20_000
    seed: int = 1


class Uncertainty(Struct, frozen=True, forbid_unknown_fields=True):
    """Entered uncertainty of factors, by id or purpose: half-widths at 95 % [%]."""

    factors_pct: dict[str, Annotated[float, Meta(ge=0)]] = field(default_factory=dict)
    monte_carlo: MonteCarlo | None = None


class Hourly(Struct, frozen=True, forbid_unknown_fields=True):
    """Load and clean supply by the hour; null: not known."""

    start: Annotated[dt.datetime, Meta(tz=True, description="of the first hour, with its zone")]
    load_kwh: tuple[float | None, ...]
    clean_kwh: tuple[float | None, ...]


class Calculation(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of activity lines."""

    calc: Annotated[Literal[1], Meta(description="version of this format")]
    period: Annotated[PeriodLabel | Year, Meta(description="month 2026-03 or year 2026")]
    settings: Settings
    name: str = "calc"
    known_on: Annotated[dt.date | None, Meta(description="use no factor published later; None: today")] = None
    activities: tuple[ActivityLine, ...] = ()
    factors: tuple[OwnFactor, ...] = ()
    certificates: tuple[CertificateLine, ...] = ()
    hourly: Hourly | None = None
    park_indicator: ParkIndicator | None = None
    uncertainty: Uncertainty | None = None
