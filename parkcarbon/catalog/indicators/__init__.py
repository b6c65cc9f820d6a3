"""Dated data sets of the indicators: thresholds, coal values, duties, limits of error. YAML files, read strictly.

A number is `seen` when it was read in the source named beside it; everything else is printed "假定 assumed".
"""

import datetime as dt
from functools import cache
from importlib import resources
from typing import Literal, TypeVar

import msgspec
import yaml
from msgspec import Struct

from parkcarbon.catalog.strict import document_problems, load_yaml
from parkcarbon.domain.indicators import datasets
from parkcarbon.domain.uncertainty.limits import ErrorLimits, Limit

Carrier = Literal["electricity", "gas", "heat", "none"]
T = TypeVar("T", bound=Struct)


class DataSetError(ValueError):
    """A data set is wrong; the message names file and key."""


class Title(Struct, frozen=True, forbid_unknown_fields=True):
    """A name in both languages."""

    zh: str
    en: str


class SizeClassFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A size class of parks."""

    from_tce: float
    limit_tco2_per_tce: float
    to_tce: float | None = None


class GuidingFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A guiding indicator."""

    indicator: str
    title: Title
    at_least_pct: float
    computed: bool
    meaning: Title | None = None


class SchemeFile(Struct, frozen=True, forbid_unknown_fields=True):
    """An edition of the park indicators."""

    scheme: str
    title: Title
    document: str
    valid_from: dt.date
    seen: bool
    source: str
    period: Literal["calendar_year"]
    gas: Literal["CO2"]
    headline: Literal["energy"]
    electricity_tce: Literal["equal_value"]
    electricity_factor: str
    not_applicable_below_tce: float
    size_classes: tuple[SizeClassFile, ...]
    direct_green_share_pct: float
    guiding: tuple[GuidingFile, ...]
    valid_to: dt.date | None = None


class LoadShareFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Share of load that is asked for from a year on."""

    from_year: int
    at_least_pct: float


class DirectConnectionFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Conditions of a green direct connection."""

    document: str
    valid_from: dt.date
    seen: bool
    source: str
    self_used_of_generation_pct: float
    of_load: tuple[LoadShareFile, ...]
    valid_to: dt.date | None = None


class Park910File(Struct, frozen=True, forbid_unknown_fields=True):
    """`park910.yaml`."""

    editions: tuple[SchemeFile, ...]
    direct_connection: tuple[DirectConnectionFile, ...]


class SourcedFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A number with its source."""

    value: float
    seen: bool
    source: str
    unit: str = ""


class EqualFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Electricity at 等价值."""

    region: str
    value: float
    unit: Literal["kgce/kWh"]
    seen: bool
    source: str
    year: int | None = None


class RangeFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of a plausible value."""

    low: float
    high: float
    source: str


class EnergyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`energy.yaml`."""

    valid_from: dt.date
    gj_per_tce: SourcedFile
    electricity_calorific: SourcedFile
    electricity_equal: tuple[EqualFile, ...]
    plausible_equal_kgce_per_kwh: RangeFile


class DutyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A duty to use green power."""

    document: str
    year: int
    industry: str
    title: Title
    region: str
    share_pct: float
    status: Literal["assessed", "monitored", "expected"]
    seen: bool
    source: str


class IndustryFile(Struct, frozen=True, forbid_unknown_fields=True):
    """An industry that has a duty somewhere."""

    industry: str
    title: Title
    status: Literal["assessed", "monitored"]


class SeenRangeFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of the shares of a year."""

    year: int
    low_pct: float
    high_pct: float
    source: str


class GreenPowerDutyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`green_power_duty.yaml`."""

    records: tuple[DutyFile, ...]
    industries: tuple[IndustryFile, ...]
    seen_range: SeenRangeFile


class ClassFile(Struct, frozen=True, forbid_unknown_fields=True):
    """An accuracy class."""

    name: str
    device: Literal["meter", "ct"]
    carrier: Carrier
    half_width_pct: float
    seen: bool
    source: str


class DefaultFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What is taken where no class is declared."""

    subject: Literal["meter", "ct"]
    carrier: Carrier
    half_width_pct: float
    seen: bool
    source: str


class StateFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Amounts that were not measured."""

    state: Literal["interpolated", "substituted", "estimated", "manual"]
    draw: Literal["each", "once"]
    half_width_pct: float
    seen: bool
    source: str


class FactorFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Uncertainty of factors of a purpose; `*` is every other one."""

    purpose: str
    half_width_pct: float
    seen: bool
    source: str
    gas: str = ""


class UncertaintyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`uncertainty.yaml`."""

    valid_from: dt.date
    coverage_pct: Literal[95]
    classes: tuple[ClassFile, ...]
    defaults: tuple[DefaultFile, ...]
    states: tuple[StateFile, ...]
    factors: tuple[FactorFile, ...]


@cache
def park_schemes() -> tuple[datasets.Scheme, ...]:
    """All editions of the park indicators."""
    return tuple(_scheme(edition) for edition in _read("park910", Park910File).editions)


@cache
def direct_connections() -> tuple[datasets.DirectConnection, ...]:
    """Conditions of green direct connections."""
    return tuple(
        datasets.DirectConnection(
            item.document,
            item.valid_from,
            item.valid_to,
            item.source,
            item.seen,
            item.self_used_of_generation_pct,
            tuple((share.from_year, share.at_least_pct) for share in item.of_load),
        )
        for item in _read("park910", Park910File).direct_connection
    )


@cache
def energy_conversion() -> datasets.Conversion:
    """Standard coal."""
    file = _read("energy", EnergyFile)
    return datasets.Conversion(
        file.gj_per_tce.value,
        file.electricity_calorific.value,
        tuple(
            datasets.EqualValue(item.region, item.year, item.value, item.source, item.seen)
            for item in file.electricity_equal
        ),
        (file.plausible_equal_kgce_per_kwh.low, file.plausible_equal_kgce_per_kwh.high),
    )


@cache
def duty_shares() -> tuple[datasets.DutyShare, ...]:
    """Duties to use green power that were seen."""
    return tuple(
        datasets.DutyShare(
            item.region, item.industry, item.year, item.share_pct, item.status, item.document, item.source, item.seen
        )
        for item in _read("green_power_duty", GreenPowerDutyFile).records
    )


@cache
def duty_industries() -> tuple[str, ...]:
    """Industries that have a duty somewhere."""
    return tuple(item.industry for item in _read("green_power_duty", GreenPowerDutyFile).industries)


@cache
def error_limits() -> ErrorLimits:
    """Limits of error of meters, transformers, states and factors."""
    file = _read("uncertainty", UncertaintyFile)
    return ErrorLimits(
        classes={(item.device, item.carrier, item.name): _limit(item) for item in file.classes},
        defaults={(item.subject, item.carrier): _limit(item) for item in file.defaults},
        states={item.state: (item.draw, _limit(item)) for item in file.states},
        factors={(item.purpose, item.gas): _limit(item) for item in file.factors},
    )


def _limit(item: ClassFile | DefaultFile | StateFile | FactorFile) -> Limit:
    return Limit(item.half_width_pct / 100, not item.seen, item.source)


def _scheme(edition: SchemeFile) -> datasets.Scheme:
    return datasets.Scheme(
        scheme=edition.scheme,
        document=edition.document,
        valid_from=edition.valid_from,
        valid_to=edition.valid_to,
        source=edition.source,
        seen=edition.seen,
        electricity_factor=edition.electricity_factor,
        not_applicable_below_tce=edition.not_applicable_below_tce,
        size_classes=tuple(
            datasets.SizeClass(size.from_tce, size.to_tce, size.limit_tco2_per_tce) for size in edition.size_classes
        ),
        direct_green_share_pct=edition.direct_green_share_pct,
        guiding=tuple(
            datasets.Guiding(item.indicator, item.title.zh, item.title.en, item.at_least_pct, item.computed)
            for item in edition.guiding
        ),
    )


def _read(name: str, kind: type[T]) -> T:
    folder = resources.files("parkcarbon.catalog") / "indicators"
    return parse(name, (folder / f"{name}.yaml").read_text(encoding="utf-8"), kind)


def parse(name: str, text: str, kind: type[T]) -> T:
    """Read the text of a data set.

    Raises:
        DataSetError: with every problem, each with its key.
    """
    try:
        raw = load_yaml(text)
    except yaml.YAMLError as error:
        raise DataSetError(f"indicators/{name}.yaml: not YAML: {' '.join(str(error).split())}") from error
    if problems := list(document_problems(raw, kind)):
        raise DataSetError("\n".join(f"indicators/{name}.yaml: {problem}" for problem in problems))
    return msgspec.convert(raw, kind)
