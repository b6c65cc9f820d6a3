"""Location-based CO2e of intervals: factors resolved once per park, carrier and year of a configuration."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parkcarbon.domain.calorific import filled, priced, varies
from parkcarbon.domain.emissions import CarrierFactor, interval_nano_kg, resolve, unit_scale
from parkcarbon.domain.factors import Factor, FactorSeries, Match, NoFactorError
from parkcarbon.kit.db import to_ms

from .model import Model, Point

EMITTING_FLOWS = frozenset({"import", "fuel", "heat", "sub_meter", "process"})
"""Flows whose amounts carry the emission of their carrier; own generation, storage and export have none of it."""


@dataclass(frozen=True, slots=True)
class Carbon:
    """CO2e of intervals [1e-9 kg]; `factor_id` and `match` are -1 and `known` is False where no factor applies."""

    nano_kg: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]
    factor_id: npt.NDArray[np.int32]
    match: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Price:
    """What a carrier's amounts of one local year are priced with.

    Attributes:
        factor: resolved factors.
        factor_id: database id of the leading one.
        series: its values, where it is a series: of a calorific value the emission per unit that follows from it.
    """

    factor: CarrierFactor
    factor_id: int
    series: FactorSeries | None

    @property
    def match(self) -> int:
        """How the leading factor was found; stored with every interval."""
        return int(self.factor.leading.match)

    @property
    def scale(self) -> float:
        """What turns a value of the series into kgCO2e per unit of the amount."""
        return unit_scale((self.series or self.factor.leading).factor, self.factor.unit)

    def match_at(self, start_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.int16]:
        """How the factor of each interval was found: a value that rule 6.2 gave says so."""
        if self.series is None:
            return np.full(len(start_ms), self.match, np.int16)
        replaced = self.series.substituted_at(start_ms)
        return np.where(replaced, int(Match.SUBSTITUTED), self.match).astype(np.int16)

    def says_as(self, other: "Price | None") -> bool:
        """True when both give every amount the same CO2e, factor and match; values of a series aside."""
        if other is None:
            return False
        mine, its = self.factor, other.factor
        return (self.factor_id, self.match, mine.unit, mine.is_series) == (
            other.factor_id,
            other.match,
            its.unit,
            its.is_series,
        ) and (mine.is_series or mine.co2e == its.co2e)


@dataclass(frozen=True, slots=True)
class PricedSpan:
    """A stretch of time with one price; None: no factor applies."""

    from_ms: int
    to_ms: int
    price: Price | None


class CarbonBook:
    """The factors of one configuration, looked up when first needed."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._resolved: dict[tuple[str, str, str, int], Price | None] = {}

    def price(
        self,
        point_id: npt.NDArray[np.int32],
        start_ms: npt.NDArray[np.int64],
        amount_micro: npt.NDArray[np.int64],
    ) -> Carbon:
        """Return the CO2e of intervals of any points, by the factor of the local year that each starts in."""
        n = len(start_ms)
        carbon = Carbon(np.zeros(n, np.int64), np.zeros(n, bool), np.full(n, -1, np.int32), np.full(n, -1, np.int16))
        for point, rows in self._alike(point_id):
            years, position = self._years(point.park, start_ms[rows])
            for at, year in enumerate(years):
                price = self.price_of(point, year)
                if price is None:
                    continue
                part = rows if len(years) == 1 else rows[position == at]
                nano, known = interval_nano_kg(start_ms[part], amount_micro[part], price.factor, price.series)
                carbon.nano_kg[part] = nano
                carbon.known[part] = known
                carbon.factor_id[part] = np.where(known, price.factor_id, -1)
                carbon.match[part] = np.where(known, price.match_at(start_ms[part]), -1)
        return carbon

    def price_of(self, point: Point, year: int) -> Price | None:
        """Return what the amounts of a point are priced with in a local year; None: no factor applies."""
        if not emits(point):
            return None
        key = (point.park, point.carrier, point.unit, year)
        if key not in self._resolved:
            self._resolved[key] = self._look_up(point, year)
        return self._resolved[key]

    def priced_spans(self, point: Point, from_ms: int, to_ms: int) -> list[PricedSpan]:
        """Cut `[from, to)` [ms UTC] at the local years and return the price of each part."""
        zone = self.model.parks[point.park].zone
        spans, low = [], from_ms
        while low < to_ms:
            year = dt.datetime.fromtimestamp(low / 1000, zone).year
            high = min(to_ms, to_ms_of_year(year + 1, zone))
            spans.append(PricedSpan(low, high, self.price_of(point, year)))
            low = high
        return spans

    def _alike(self, point_id: npt.NDArray[np.int32]) -> list[tuple[Point, npt.NDArray[np.intp]]]:
        """Group rows whose points have the same factors; one point speaks for its group."""
        points, position = np.unique(point_id, return_inverse=True)
        groups: dict[tuple[str, str, str], tuple[int, Point]] = {}
        codes = np.full(len(points), -1)
        for at, point in enumerate(self.model.by_id[one] for one in points.tolist()):
            if emits(point):
                key = (point.park, point.carrier, point.unit)
                codes[at] = groups.setdefault(key, (len(groups), point))[0]
        row_codes = codes[position] if len(points) else codes
        return [(point, np.flatnonzero(row_codes == code)) for code, point in groups.values()]

    def _years(self, park: str, start_ms: npt.NDArray[np.int64]) -> tuple[list[int], npt.NDArray[np.intp]]:
        """Return the local years of these starts, and which of them each start is in."""
        zone = self.model.parks[park].zone
        low = dt.datetime.fromtimestamp(int(start_ms.min()) / 1000, zone).year
        high = dt.datetime.fromtimestamp(int(start_ms.max()) / 1000, zone).year
        years = list(range(low, high + 1))
        ends = [to_ms_of_year(year + 1, zone) for year in years[:-1]]
        return years, np.searchsorted(np.array(ends, dtype=np.int64), start_ms, side="right")

    def _look_up(self, point: Point, year: int) -> Price | None:
        records = self.model.factors_for(point.park)
        try:
            factor = resolve(
                [record for _, record in records],
                self.model.parks[point.park].method.settings(),
                carrier=point.carrier,
                unit=point.unit,
                data_year=year,
                known_on=self.model.known_on,
            )
        except NoFactorError:
            return None
        factor_id = _id_of(factor.leading.factor, records)
        series = self.model.series.get(factor_id)
        if series is not None and varies(factor):
            series = priced(filled(series), factor)
        return Price(factor, factor_id, series)


def emits(point: Point) -> bool:
    """True when the amounts of a point carry the emission of their carrier."""
    return point.flow in EMITTING_FLOWS and point.carrier != "none"


def to_ms_of_year(year: int, zone: dt.tzinfo) -> int:
    """Begin of a local year [ms UTC]."""
    return to_ms(dt.datetime(year, 1, 1, tzinfo=zone))


def _id_of(wanted: Factor, records: tuple[tuple[int, Factor], ...]) -> int:
    return next(factor_id for factor_id, record in records if record is wanted)
