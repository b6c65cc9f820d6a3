"""Production, area, output value, base year, budgets, measures, guiding indicators: what indicators are made of.

The days and the tenant of an entry stand beside its document; here is only what was entered for them.
"""

from collections import Counter
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from parkcarbon.catalog.indicators import energy_conversion
from parkcarbon.domain.refusal import RefusedError

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Text = Annotated[str, Meta(min_length=1)]
Amount = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Year = Annotated[int, Meta(ge=1990, le=2100)]
Month = Annotated[int, Meta(ge=1, le=12)]


class Title(Struct, frozen=True, forbid_unknown_fields=True):
    """A name in both languages of the page."""

    zh: str
    en: str


class Production(Struct, frozen=True, forbid_unknown_fields=True):
    """Output of one product in the days of the entry; `unit` is what one is counted in, for example `t` or `piece`."""

    product: Slug
    amount: Amount
    unit: Text


class Area(Struct, frozen=True, forbid_unknown_fields=True):
    """Area that is used."""

    m2: Positive
    what: Literal["floor", "land"] = "floor"


class OutputValue(Struct, frozen=True, forbid_unknown_fields=True):
    """Value of output, or added value, in the days of the entry."""

    amount: Amount
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "CNY"
    what: Literal["output", "added_value"] = "output"


class Headcount(Struct, frozen=True, forbid_unknown_fields=True):
    """People who work there."""

    people: Positive


class BaseMonth(Struct, frozen=True, forbid_unknown_fields=True):
    """One month of a base year; what was not recorded is left out and stays unknown."""

    month: Month
    scope1_t: Amount | None = None
    scope2_location_t: Amount | None = None
    scope2_market_t: Amount | None = None
    scope3_t: Amount | None = None
    electricity_kwh: Amount | None = None
    output: Amount | None = None


class BaseYear(Struct, frozen=True, forbid_unknown_fields=True):
    """The year others are compared with. `same_boundary` is the author's statement, to be reviewed like the numbers."""

    needs_review: ClassVar[bool] = True
    year: Year
    months: tuple[BaseMonth, ...]
    boundary: Text
    same_boundary: bool
    recalculation_policy: Text
    output_of: str = ""  # product that `output` of the months counts: the slug of its production entries
    points: tuple[str, ...] = ()  # meters it rests on, where known

    def __post_init__(self) -> None:
        """Refuse a month that is there twice."""
        twice = [month for month, count in Counter(month.month for month in self.months).items() if count > 1]
        if twice or not self.months:
            raise RefusedError(
                "6.10", f"base year {self.year}: {'month ' + str(twice[0]) + ' twice' if twice else 'empty'}"
            )


class Budget(Struct, frozen=True, forbid_unknown_fields=True):
    """What may be used or emitted in the days of the entry: a local month or a local year.

    Emissions are location-based: certificates come long after the day, so no pace could be kept on the market basis.
    """

    what: Literal["co2e_location", "electricity", "gas", "heat"]
    amount: Positive
    unit: Literal["t", "kWh", "Nm3", "GJ"]

    def __post_init__(self) -> None:
        """Refuse a unit that does not measure it."""
        wanted = {"electricity": "kWh", "gas": "Nm3", "heat": "GJ"}.get(self.what, "t")
        if self.unit != wanted:
            raise RefusedError("6.10", f"a budget of {self.what} in {self.unit}; {wanted} is expected")


class Measure(Struct, frozen=True, forbid_unknown_fields=True):
    """A measure that lowers emissions; the entry's first day is its start. Owner is a role, not a name."""

    measure: Slug
    title: Title
    owner: Text
    kind: Literal["reduce", "remove"]
    status: Literal["proposed", "decided", "running", "ended"]
    baseline: Text
    baseline_co2e_t: Amount | None = None
    expected_co2e_t_per_year: Amount = 0.0
    expected_saving_per_year: Amount | None = None
    saving_unit: Literal["kWh", "GJ", "Nm3", "t"] = "kWh"
    cost: Amount = 0.0
    running_cost_per_year: float = 0.0  # negative: it saves more than it costs
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "CNY"
    lifetime_years: Positive = 10.0


class MeasureSaving(Struct, frozen=True, forbid_unknown_fields=True):
    """What a measure saved in the days of the entry. It already lowers the inventory: it is shown, never subtracted."""

    needs_review: ClassVar[bool] = True
    measure: Slug
    co2e_t: Amount
    how: Literal["metered", "calculated"]
    amount: Amount | None = None
    unit: Literal["kWh", "GJ", "Nm3", "t"] = "kWh"


class GuidingIndicator(Struct, frozen=True, forbid_unknown_fields=True):
    """A guiding indicator of the park programme: its value, or why it is excluded."""

    needs_review: ClassVar[bool] = True
    indicator: Slug
    value_pct: Amount | None = None
    excluded_because: str = ""

    def __post_init__(self) -> None:
        """Refuse a value beside a reason to exclude it, and neither of them."""
        if (self.value_pct is None) != bool(self.excluded_because):
            raise RefusedError("2.3", f"{self.indicator}: either a value or a reason to exclude it")


class EqualValue(Struct, frozen=True, forbid_unknown_fields=True):
    """Electricity at 等价值 in a year, with the document it was read in."""

    needs_review: ClassVar[bool] = True
    year: Year
    kgce_per_kwh: Positive
    document: Text
    region: str = "China"

    def __post_init__(self) -> None:
        """Refuse what is not a coal value of a kWh, first of all the other one."""
        low, high = energy_conversion().plausible_kgce_per_kwh
        if not low <= self.kgce_per_kwh <= high:
            raise RefusedError("1.18", f"{self.kgce_per_kwh} kgce/kWh is no 等价值: {low} to {high} is expected")


class GreenPowerDuty(Struct, frozen=True, forbid_unknown_fields=True):
    """A tenant's industry and, where the data set has none for the province, its share with the document."""

    needs_review: ClassVar[bool] = True
    industry: Slug
    share_pct: Percent | None = None
    status: Literal["assessed", "monitored", "expected"] = "monitored"
    document: str = ""

    def __post_init__(self) -> None:
        """Refuse a share without the document it was read in."""
        if self.share_pct is not None and not self.document:
            raise RefusedError("4.9", f"a share of {self.share_pct:g} % for {self.industry} without its document")


class GreenDirectSupply(Struct, frozen=True, forbid_unknown_fields=True):
    """A green direct connection in the days of the entry: what the plant could make and what the park took of it.

    For the conditions of such connections. Into the energy of the park its power comes through a meter, or through an
    entry of electricity with origin `non_fossil`.
    """

    needs_review: ClassVar[bool] = True
    line: Text
    self_used_kwh: Amount
    generation_kwh: Amount | None = None  # available generation of the plant


class UncertaintyAssumption(Struct, frozen=True, forbid_unknown_fields=True):
    """A half-width at 95 % that somebody stands for; printed "假定 assumed" unless it was read in a source."""

    needs_review: ClassVar[bool] = True
    subject: Literal["factor", "purpose", "amount"]
    name: Text
    half_width_pct: Percent
    source: Text
    published: bool = False


class Verification(Struct, frozen=True, forbid_unknown_fields=True):
    """Verification by a third party of the days of the entry; the evidence is its report."""

    needs_review: ClassVar[bool] = True
    body: Text
    level: Literal["none", "limited", "reasonable"]
    standard: Text
    opinion: Literal["unmodified", "modified", "adverse", "disclaimed"]
    scope: Text


KINDS: Final[dict[str, type[Struct]]] = {
    "production": Production,
    "area": Area,
    "output_value": OutputValue,
    "headcount": Headcount,
    "base_year": BaseYear,
    "budget": Budget,
    "measure": Measure,
    "measure_saving": MeasureSaving,
    "guiding_indicator": GuidingIndicator,
    "equal_value": EqualValue,
    "green_power_duty": GreenPowerDuty,
    "green_direct_supply": GreenDirectSupply,
    "uncertainty_assumption": UncertaintyAssumption,
    "verification": Verification,
}
