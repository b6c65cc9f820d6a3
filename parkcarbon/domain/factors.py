"""Emission factors as dated, sourced records, and the one way to choose among them.

A lookup returns the factor and how it matched. Falling back is part of the result; no match raises, never zero.

What one calculation may use together is checked in `factor_rules`.

References:
    accounting rules 1.1-1.6, 1.9, 1.10: data year and publication are indexed both; provinces without a value (Tibet)
    fall back to the national one, flagged; a life-cycle (carbon-footprint) factor is refused in scope 2; each purpose
    has its own factors; a fuel factor carries its calorific basis (NCV or HHV) and the two are never mixed.
"""

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

import numpy as np

from .readings import BoolArray, FloatArray, Int64Array
from .refusal import RefusedError

GRID_PURPOSES: Final = frozenset({"grid_average", "grid_remainder", "grid_fossil"})
"""What electricity of an inventory may be multiplied with."""

PURPOSES: Final = GRID_PURPOSES | {
    "fuel_combustion",  # a gas per energy of a fuel
    "fuel_by_amount",  # a gas per mass or volume of a fuel, from a publisher who gives no calorific value
    "fuel_part",  # one gas's part of a fuel's CO2e, under a warming potential that its source does not name
    "calorific_value",
    "carbon_content",
    "oxidation",
    "oxidation_equipment",  # by kind of kiln or boiler, not by fuel
    "biogenic",  # CO2 and carbon of biomass: a memo item, never in a total
    "heat_purchased",
    "cooling_purchased",
    "gwp",
    "process",  # per amount of a product
    "energy_conversion",  # standard coal, 当量值 and 等价值
    "constant",  # exact conversions
    "park_indicator",  # prescribed by the national zero-carbon park programme
    "ets",  # prescribed by an emission-trading guideline
    "avoided_margin",  # operating and build margins of a grid: avoided emissions, never an inventory
    "upstream",  # grid losses and extraction of fuels: scope 3 category 3
    "scope3",  # per activity of another scope 3 category
    "life_cycle",  # product footprints and screening; never scope 2
    "generation_source",  # direct emission of one kind of power station; no grid's average
    "reference",  # kept for comparison; no calculation asks for it
}

_LIFE_CYCLE_PURPOSES: Final = frozenset({"life_cycle", "scope3", "reference"})

WORLD: Final = "World"


class Match(IntEnum):
    """How a factor was found, stored with every result: never renumber, only add."""

    EXACT = 0  # region and data year as asked
    NEWEST_PUBLISHED = 1  # newest data year known, older than the year asked
    NEWER_THAN_PERIOD = 2  # only newer data years are known
    NATIONAL_FALLBACK = 3  # the region has no value of its own
    WORLD_DEFAULT = 4  # an international default
    SERIES = 5  # hour-stamped values of the organisation or grid
    UNDATED = 6  # the record has no data year
    DECLARED = 7  # named by the method settings, such as a GWP set
    LOCATION_FALLBACK = 8  # market-based without a remainder factor: the location-based one
    SUBSTITUTED = 9  # the series has no value for this time: rule 6.2 gives one


class NoFactorError(LookupError):
    """No factor applies; the amount stays out of the total and the reason is shown."""


class FactorRefusedError(RefusedError):
    """The record cannot be used for what it claims, for example a life-cycle value as a grid factor."""


NoFactor = NoFactorError


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One factor record.

    Attributes:
        factor: id, unique in the catalog.
        purpose: one of `PURPOSES`.
        carrier: `electricity`, `gas`, `heat` or a fuel's name; empty for gwp.
        region: `China`, `China/JS`, `World`, ...
        gas: `CO2`, `CO2e`, `CH4`, `N2O`, `C`, or empty for calorific values and oxidation.
        basis: calorific basis or production basis in the publisher's words.
        unit: unit of `value`, for example `kgCO2/kWh`.
        value: the number; None for a series and for what is listed without one, such as Tibet's grid.
        data_year: year the value describes; not the year of publication.
        publisher: body that publishes it.
        edition: document and number.
        published_on: day of publication, None where it is not known.
        published_year: year of publication where only that is known; counted as its last day.
        unverified: True when the number was not seen in its source; every result says so.
        title: what the record is called.
        valid_from: first day the record applies to, None: no bound.
        valid_to: day after the last, None: no bound.
        recorded_at: when this system learned it, an organisation's own: when it was approved; None: always known.
        series: True when the values are hour-stamped and `value` is None.
        licence: terms under which the source gives it; empty: not stated.
        source_page: page, table or address where the number stands.
        reviewer: who compared it with the source.
        own: True for an organisation's own record, False for the catalog's.
    """

    factor: str
    purpose: str
    carrier: str
    region: str
    gas: str
    unit: str
    value: float | None
    basis: str = ""
    data_year: int | None = None
    publisher: str = ""
    edition: str = ""
    published_on: dt.date | None = None
    unverified: bool = False
    title: str = ""
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    recorded_at: dt.datetime | None = None
    series: bool = False
    published_year: int | None = None
    licence: str = ""
    source_page: str = ""
    reviewer: str = ""
    own: bool = False

    def __post_init__(self) -> None:
        """Refuse what could never be right.

        Raises:
            FactorRefusedError: unknown purpose, life-cycle value for anything of an inventory, a value that is negative
                or no number, an empty validity, or a naive `recorded_at`.
        """
        if self.purpose not in PURPOSES:
            raise FactorRefusedError(
                "1.6", f"{self.factor}: purpose {self.purpose!r} is not one of {', '.join(sorted(PURPOSES))}"
            )
        if self.purpose not in _LIFE_CYCLE_PURPOSES and is_life_cycle(f"{self.basis} {self.title} {self.edition}"):
            raise FactorRefusedError("1.4", f"{self.factor}: a life-cycle value is no {self.purpose} factor")
        if self.value is not None and not (math.isfinite(self.value) and self.value >= 0):
            raise FactorRefusedError("6.10", f"{self.factor}: {self.value} {self.unit} is not a number from 0 up")
        if self.valid_from is not None and self.valid_to is not None and self.valid_from >= self.valid_to:
            raise FactorRefusedError("", f"{self.factor}: valid_to {self.valid_to} is not after {self.valid_from}")
        if self.recorded_at is not None and self.recorded_at.tzinfo is None:
            raise FactorRefusedError("", f"{self.factor}: recorded_at {self.recorded_at} has no time zone")

    @property
    def known_from(self) -> dt.date | None:
        """First day it counts as published: 31 December where only the year is known; None: counts as always known."""
        if self.published_on is not None or self.published_year is None:
            return self.published_on
        return dt.date(self.published_year, 12, 31)

    @property
    def publication(self) -> str:
        """What is known of its publication, as a person reads it."""
        if self.published_on is not None:
            return self.published_on.isoformat()
        if self.published_year is not None:
            return f"{self.published_year}, day not known: counted from {self.known_from}"
        return "not known: counted as always known"


@dataclass(frozen=True, slots=True)
class FactorMatch:
    """A factor and how it was found; `notes` are sentences for the result's warnings."""

    factor: Factor
    match: Match
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """The number.

        Raises:
            NoFactorError: when the factor is a series: ask `FactorSeries` for the hour.
        """
        if self.factor.value is None:
            raise NoFactorError(f"{self.factor.factor} is a series without one value")
        return self.factor.value

    @property
    def unverified(self) -> bool:
        """True when the number was not seen in its source."""
        return self.factor.unverified


@dataclass(frozen=True)
class FactorSeries:
    """Values of a factor by the hour (or any span).

    Attributes:
        factor: the record they belong to.
        start_ms: start of each span [ms UTC], strictly ascending.
        span_ms: length of each span [ms].
        value: value over the span [unit of the record].
        substituted: True where a span had no value of its own and rule 6.2 gave one; None: nowhere.
    """

    factor: Factor
    start_ms: Int64Array
    span_ms: Int64Array
    value: FloatArray
    substituted: BoolArray | None = None

    def at(self, time_ms: Int64Array) -> FloatArray:
        """Value that applies at each time [unit of the record]; NaN where the series has none."""
        if len(self.start_ms) == 0:
            return np.full(len(time_ms), np.nan)
        position, inside = self._spans_at(time_ms)
        found: FloatArray = np.where(inside, self.value[position], np.nan)
        return found

    def substituted_at(self, time_ms: Int64Array) -> BoolArray:
        """True at each time whose value was substituted."""
        if self.substituted is None or len(self.start_ms) == 0:
            return np.zeros(len(time_ms), np.bool_)
        position, inside = self._spans_at(time_ms)
        flagged: BoolArray = inside & self.substituted[position]
        return flagged

    def _spans_at(self, time_ms: Int64Array) -> tuple[Int64Array, BoolArray]:
        """The span that each time would be in, and whether it is."""
        position = np.searchsorted(self.start_ms, time_ms, side="right") - 1
        inside = position >= 0
        position = np.maximum(position, 0)
        inside &= time_ms < self.start_ms[position] + self.span_ms[position]
        return position, inside


def is_life_cycle(words: str) -> bool:
    """True when a record's words call it a life-cycle or carbon-footprint value.

    >>> is_life_cycle("LIFE-CYCLE intensity of generation"), is_life_cycle("production-side annual average")
    (True, False)
    """
    plain = words.lower().replace("-", " ")
    return any(mark in plain for mark in ("life cycle", "lifecycle", "footprint", "碳足迹", "生命周期"))


def lookup(
    factors: Iterable[Factor],
    *,
    purpose: str,
    region: str,
    gas: str | tuple[str, ...],
    carrier: str,
    data_year: int,
    known_on: dt.date | dt.datetime,
    on: dt.date | None = None,
    basis: str | None = None,
    edition: tuple[str, str] | None = None,
) -> FactorMatch:
    """Choose a factor by purpose, region, gas, carrier, data year and date of knowledge.

    Order: the region as asked before its country before the world (never the world for a grid); there the asked data
    year, else the newest older one, else the oldest newer one, else an undated record. Among records of one year an
    organisation's own goes first, then the newest published, then the newest recorded, then the smaller id, so the
    answer never depends on the order of `factors`.

    Args:
        factors: all records.
        purpose: one of `PURPOSES`.
        region: for example `China/JS`.
        gas: the gas, or several in order of preference at one place: the nearest place goes before the gas.
        carrier: the carrier.
        data_year: year of the activity.
        known_on: only what was published and recorded by then counts; a plain date means the end of that day UTC.
        on: day of the activity, tested against `valid_from` and `valid_to`; None: any day of `data_year`.
        basis: `NCV` or `HHV`: only records whose basis or unit names it.
        edition: `(publisher, edition)` that the record must come from, so that one set is used throughout.

    Returns:
        The factor and how it matched.

    Raises:
        NoFactorError: when nothing matches.
        ValueError: when `purpose` is not a purpose.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"purpose {purpose!r} is not one of {sorted(PURPOSES)}")
    gases = (gas,) if isinstance(gas, str) else gas
    fitting = [
        factor
        for factor in factors
        if factor.purpose == purpose
        and factor.carrier == carrier
        and factor.gas in gases
        and _valid(factor, data_year, on)
        and (basis is None or has_basis(factor, basis))
        and (edition is None or (factor.publisher, factor.edition) == edition)
    ]
    known = [factor for factor in fitting if _usable(factor) and _known(factor, known_on)]
    nearest = [_nearest([one for one in known if one.gas == wanted], purpose, region, data_year) for wanted in gases]
    if matches := [match for match in nearest if match is not None]:
        found = min(matches, key=lambda match: _distance(match.factor.region, region))
        partly = () if on is not None else _partly(found.factor, data_year)
        return replace(found, notes=(*found.notes, *partly, *_remarks(found.factor, fitting, known_on)))
    without = ", ".join(factor.factor for factor in fitting if not _usable(factor) and factor.region == region)
    raise NoFactorError(
        f"no {purpose} factor for {carrier or 'any carrier'}, {'/'.join(gases) or 'no gas'},"
        f" region {region or '(none)'}, {data_year}, known on {known_on}"
        + (f"; listed without a value: {without}" if without else "")
    )


def named(
    factors: Iterable[Factor],
    factor: str,
    known_on: dt.date | dt.datetime,
    *,
    purposes: frozenset[str] | None = None,
    data_year: int | None = None,
) -> FactorMatch:
    """The factor with this id, newest record known; for settings that name one.

    Args:
        factors: all records.
        factor: the id.
        known_on: date of knowledge.
        purposes: what it is to be used for; None: the caller looks at that.
        data_year: year of the activity: of several records with this id the one of the year, as in `lookup`, none that
            does not apply in it; None: the newest of all.

    Raises:
        NoFactorError: when no such record is known, or none applies in the year.
        FactorRefusedError: it is for another purpose.
    """
    known = [record for record in factors if record.factor == factor and _known(record, known_on)]
    if not known:
        raise NoFactorError(f"no factor {factor!r} known on {known_on}")
    applying = [record for record in known if data_year is None or _valid(record, data_year, None)]
    if not applying:
        raise NoFactorError(f"{factor} applies {_span(_best(known))}, not in {data_year}")
    best = _best(applying) if data_year is None else _by_year(applying, data_year).factor
    if purposes is not None and best.purpose not in purposes:
        rule = "1.4" if best.purpose == "life_cycle" else "1.6"
        raise FactorRefusedError(rule, f"{factor} is a {best.purpose} factor and cannot serve as {_either(purposes)}")
    notes = () if data_year is None else _partly(best, data_year)
    return FactorMatch(best, Match.SERIES if best.series else Match.DECLARED, notes)


def has_basis(factor: Factor, basis: str) -> bool:
    """True when the record names this calorific basis; `HHV` and `NCV` are never taken for one another."""
    words = f"{factor.basis} {factor.unit}"
    if basis == "NCV":
        return "NCV" in words and "HHV" not in words
    return basis in words


def _nearest(candidates: list[Factor], purpose: str, region: str, data_year: int) -> FactorMatch | None:
    country = region.partition("/")[0]
    places = [region] if country == region else [region, country]
    if not purpose.startswith("grid_") and region and WORLD not in places:
        places.append(WORLD)
    for place in places:
        here = [factor for factor in candidates if factor.region == place]
        if here:
            chosen = _by_year(here, data_year)
            return chosen if place == region else _fallen_back(chosen, place, region)
    return None


def _distance(place: str, region: str) -> int:
    """How far a place is from the region that was asked for: itself, its country, the world."""
    return (region, region.partition("/")[0], place).index(place)


def _by_year(candidates: list[Factor], data_year: int) -> FactorMatch:
    years = [factor.data_year for factor in candidates if factor.data_year is not None]
    if not years:
        return FactorMatch(_best(candidates), Match.UNDATED)
    older = [year for year in years if year <= data_year]
    year = max(older) if older else min(years)
    best = _best([factor for factor in candidates if factor.data_year == year])
    if best.series:
        return FactorMatch(best, Match.SERIES)
    if year == data_year:
        return FactorMatch(best, Match.EXACT)
    match = Match.NEWEST_PUBLISHED if year < data_year else Match.NEWER_THAN_PERIOD
    return FactorMatch(best, match, (f"{best.factor} describes {year}, not {data_year}",))


def _fallen_back(found: FactorMatch, place: str, region: str) -> FactorMatch:
    match = Match.WORLD_DEFAULT if place == WORLD else Match.NATIONAL_FALLBACK
    note = f"no value for {region}: {found.factor.factor} of {place} is used"
    return replace(found, match=match, notes=(*found.notes, note))


def _best(candidates: list[Factor]) -> Factor:
    """An organisation's own, then newest published, then newest recorded, then the smaller id."""
    return max(sorted(candidates, key=lambda factor: factor.factor), key=_newness)


def _newness(factor: Factor) -> tuple[bool, dt.date, float]:
    recorded = -math.inf if factor.recorded_at is None else factor.recorded_at.timestamp()
    return factor.own, factor.known_from or dt.date.min, recorded


def _known(factor: Factor, known_on: dt.date | dt.datetime) -> bool:
    if isinstance(known_on, dt.datetime):
        day, moment = known_on.astimezone(dt.UTC).date(), known_on
    else:
        day, moment = known_on, dt.datetime.combine(known_on, dt.time.max, dt.UTC)
    if factor.known_from is not None and factor.known_from > day:
        return False
    return factor.recorded_at is None or factor.recorded_at <= moment


def _usable(factor: Factor) -> bool:
    return factor.value is not None or factor.series


def _either(purposes: frozenset[str]) -> str:
    return " or ".join(sorted(purposes))


def _remarks(chosen: Factor, fitting: list[Factor], known_on: dt.date | dt.datetime) -> Iterator[str]:
    """What a reader should know of when and by whom it was published."""
    if chosen.own:
        yield f"{chosen.factor} is the organisation's own"
    elif chosen.known_from is None and not chosen.series:
        yield f"{chosen.factor}: when it was published is not known, it counts as always known"
    year = known_on.year
    for factor in fitting:
        waiting = factor.published_on is None and factor.published_year == year and not _known(factor, known_on)
        if waiting and factor.region == chosen.region and factor.data_year != chosen.data_year:
            yield f"{factor.factor} came out in {year}, the day is not known: not counted before {factor.known_from}"


def _partly(factor: Factor, year: int) -> tuple[str, ...]:
    """What to say of a record that does not apply to all of a year, whose amounts are counted by one factor."""
    late = factor.valid_from is not None and factor.valid_from > dt.date(year, 1, 1)
    early = factor.valid_to is not None and factor.valid_to <= dt.date(year, 12, 31)
    return (f"{factor.factor} applies {_span(factor)}: it is used for all of {year}",) if late or early else ()


def _span(factor: Factor) -> str:
    end = None if factor.valid_to is None else factor.valid_to - dt.timedelta(days=1)
    parts = (f"from {factor.valid_from}" if factor.valid_from else "", f"to {end}" if end else "")
    return " ".join(part for part in parts if part)


def _valid(factor: Factor, data_year: int, on: dt.date | None) -> bool:
    first, last = (on, on) if on is not None else (dt.date(data_year, 1, 1), dt.date(data_year, 12, 31))
    if factor.valid_from is not None and factor.valid_from > last:
        return False
    return factor.valid_to is None or factor.valid_to > first
