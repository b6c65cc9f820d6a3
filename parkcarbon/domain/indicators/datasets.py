"""Dated data sets of the indicators as plain data: thresholds, coal values, duties. Loaded by `catalog.indicators`.

Every record says where its numbers come from and whether they were seen there; what was not seen is printed as assumed.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from parkcarbon.domain.refusal import RefusedError

ASSUMED: Final = "假定 assumed"
INDICATIVE: Final = "进度值，非验收结果 indicative, not the acceptance result"
NOT_APPLICABLE: Final = "不适用 not applicable"


@dataclass(frozen=True, slots=True)
class SizeClass:
    """Parks that use `[from_tce, to_tce)` a year, and their limit [tCO2/tce]; `to_tce` None: no upper bound."""

    from_tce: float
    to_tce: float | None
    limit_tco2_per_tce: float

    def holds(self, tce: float) -> bool:
        """True when a park of this annual consumption is in the class."""
        return self.from_tce <= tce and (self.to_tce is None or tce < self.to_tce)


@dataclass(frozen=True, slots=True)
class Guiding:
    """A guiding indicator: met at `at_least_pct` or more; `computed`: by this software, else entered with evidence."""

    indicator: str
    zh: str
    en: str
    at_least_pct: float
    computed: bool


@dataclass(frozen=True, slots=True)
class Scheme:
    """One edition of a programme's indicators.

    Attributes:
        scheme: id.
        document: number of the notice.
        valid_from: first day in force.
        valid_to: day after the last; None: in force.
        source: where the numbers were read.
        seen: True when they were read there.
        electricity_factor: id of the fixed factor of other electricity.
        not_applicable_below_tce: annual consumption below which no class exists [tce].
        size_classes: ascending.
        direct_green_share_pct: share of consumption that green power should supply directly, in principle [%].
        guiding: the guiding list.
    """

    scheme: str
    document: str
    valid_from: dt.date
    valid_to: dt.date | None
    source: str
    seen: bool
    electricity_factor: str
    not_applicable_below_tce: float
    size_classes: tuple[SizeClass, ...]
    direct_green_share_pct: float
    guiding: tuple[Guiding, ...]

    def size_class(self, annual_tce: float) -> SizeClass | None:
        """The class of a park; None: below the smallest."""
        return next((size for size in self.size_classes if size.holds(annual_tce)), None)


@dataclass(frozen=True, slots=True)
class DirectConnection:
    """What a green direct connection has to reach; `of_load` ascending by the first year it is asked for."""

    document: str
    valid_from: dt.date
    valid_to: dt.date | None
    source: str
    seen: bool
    self_used_of_generation_pct: float
    of_load: tuple[tuple[int, float], ...]

    def of_load_pct(self, year: int) -> float | None:
        """Share of load asked for in a year [%]; None: before the first."""
        return max(((first, share) for first, share in self.of_load if first <= year), default=(0, None))[1]


@dataclass(frozen=True, slots=True)
class EqualValue:
    """Electricity at 等价值 for one year [kgce/kWh]; `year` None: its year is not known, so it serves none."""

    region: str
    year: int | None
    kgce_per_kwh: float
    source: str
    seen: bool = True
    entry_id: int | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """Standard coal: what a unit of energy is worth.

    Attributes:
        gj_per_tce: heat of one tonne of standard coal [GJ/tce].
        calorific_kgce_per_kwh: electricity at 当量值 [kgce/kWh].
        equal: values of electricity at 等价值 by region and year.
        plausible_kgce_per_kwh: bounds of a value that may be entered [kgce/kWh].
    """

    gj_per_tce: float
    calorific_kgce_per_kwh: float
    equal: tuple[EqualValue, ...]
    plausible_kgce_per_kwh: tuple[float, float]

    def equal_value(self, year: int, region: str, entered: Iterable[EqualValue] = ()) -> EqualValue | None:
        """The value of a year: an entered one first, then the region's, then its country's; None: there is none.

        Raises:
            RefusedError: an entered value cannot be one (rule 1.18).
        """
        candidates = [value for value in (*entered, *self.equal) if value.year == year]
        for value in candidates:
            self._plausible(value)
        country = region.partition("/")[0]
        for wanted in (region, country):
            found = next((value for value in candidates if value.region == wanted), None)
            if found is not None:
                return found
        return None

    def _plausible(self, value: EqualValue) -> None:
        low, high = self.plausible_kgce_per_kwh
        if not low <= value.kgce_per_kwh <= high:
            raise RefusedError(
                "1.18", f"{value.kgce_per_kwh} kgce/kWh is no 等价值 of {value.year}: {low} to {high} is expected"
            )


@dataclass(frozen=True, slots=True)
class DutyShare:
    """Share of green power an industry has to use in a region and year [%]."""

    region: str
    industry: str
    year: int
    share_pct: float
    status: Literal["assessed", "monitored", "expected"]
    document: str
    source: str
    seen: bool = True
    entry_id: int | None = None


def scheme_for(schemes: Sequence[Scheme], last_day: dt.date) -> tuple[Scheme, tuple[str, ...]]:
    """The edition in force on the last day of a period, with notes.

    A period before the first edition, such as a base year, is computed with the first one, and says so.

    Raises:
        LookupError: there is no edition at all.
    """
    if not schemes:
        raise LookupError("no edition of the park indicator is in the catalog")
    ordered = sorted(schemes, key=lambda scheme: scheme.valid_from)
    for scheme in reversed(ordered):
        if scheme.valid_from <= last_day and (scheme.valid_to is None or last_day < scheme.valid_to):
            return scheme, ()
    nearest = ordered[0] if last_day < ordered[0].valid_from else ordered[-1]
    note = f"{nearest.document} was not in force on {last_day.isoformat()}; it is used for lack of another"
    return nearest, (note,)


def duty_share(records: Iterable[DutyShare], *, region: str, industry: str, year: int) -> DutyShare | None:
    """The share that applies: the region's own before its country's; None: none is known."""
    mine = [record for record in records if record.industry == industry and record.year == year]
    for wanted in (region, region.partition("/")[0]):
        found = next((record for record in mine if record.region == wanted), None)
        if found is not None:
            return found
    return None
