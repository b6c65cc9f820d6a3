"""Energy to emissions: kilograms of CO2, CH4 and N2O, and CO2e in integers of 1e-9 kg.

`resolve` chooses the factors of one carrier once and gives a `CarrierFactor`: kg of each gas and kgCO2e per unit of the
amount. Everything else, intervals, live rates, lines of the inventory, is amount times that, so all of them agree.

Electricity (scope 2), location-based: m = E x EF, EF the average of the grid of the region. Market-based without
instruments: EF the remainder factor of the newest data year; failing that the location-based one, flagged.

Gas (scope 1), by volume at standard conditions, NCV the set's or, where the park declares one, the one in force at the
time (`calorific`):

    Q [GJ] = V [Nm3] / 1e4 x NCV [GJ/1e4 Nm3]
    m_CO2 [t] = Q x CC [tC/GJ] x OX x 44/12
    m_CH4 [kg] = Q / 1e3 x EF_CH4 [kg/TJ],  m_N2O alike
    m_CO2e = m_CO2 + GWP_CH4 x m_CH4 + GWP_N2O x m_N2O

Heat (scope 2, purchased): m = Q [GJ] x EF [tCO2/GJ].

References:
    accounting rules 1.3 (Chinese electricity factors are CO2 only), 1.5, 1.10 (NCV and HHV are never mixed), 1.11 (one
    default set in one statement), 1.12 (389.31 GJ/1e4 Nm3 x 0.0153 tC/GJ x 99 % x 44/12 = 21.6219 tCO2/1e4 Nm3),
    1.13 (0.11 tCO2/GJ), 1.15 (methane from combustion: the non-fossil GWP, 27.0 in AR6, as its CO2 is counted already),
    3.14, 3.15 (remainder of the market-based method).
"""

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from .activities.activity import GasState
from .factors import (
    GRID_PURPOSES,
    Factor,
    FactorMatch,
    FactorSeries,
    Match,
    NoFactorError,
    lookup,
    named,
)
from .readings import BoolArray, FloatArray, Int64Array
from .refusal import RefusedError

Basis = Literal["location", "market"]
Gas = Literal["CO2", "CH4", "N2O", "CO2e"]

CO2_PER_C: Final = 44 / 12
"""Mass of CO2 per mass of carbon [kg/kg]."""

GAS_CALORIFIC_UNITS: Final = ("GJ/10^4Nm3", "MJ/Nm3")
"""What a calorific value of gas may be given in; 1 MJ/Nm3 = 10 GJ/10^4Nm3."""

_MOST_NANO_KG: Final = 2.0**63
"""What 64 bits hold [1e-9 kg]."""

CO2_ONLY_NOTE: Final = "electricity: CO2 only (source limitation)"

GJ_PER: Final = {"GJ": 1.0, "TJ": 1e3, "MJ": 1e-3, "kWh": 0.0036, "MWh": 3.6}
"""Energy units [GJ]; exact."""

_MASS_KG: Final = {"g": 1e-3, "kg": 1.0, "t": 1e3, "lb": 0.45359237}
_PER: Final = {  # amount unit -> denominators it can be multiplied by, as units of the amount in one of them
    "kWh": {"kWh": 1.0, "MWh": 1e3, "GJ": 1 / 0.0036, "TJ": 1e3 / 0.0036, "mmBtu": 293.07107017222},
    "MWh": {"kWh": 1e-3, "MWh": 1.0, "GJ": 1 / 3.6, "TJ": 1e3 / 3.6},
    "GJ": {"GJ": 1.0, "TJ": 1e3, "kWh": 0.0036, "MWh": 3.6, "mmBtu": 1.05505585262},
    "MJ": {"GJ": 1e3, "TJ": 1e6, "kWh": 3.6, "MWh": 3.6e3},
    "Nm3": {"Nm3": 1.0, "10^4Nm3": 1e4},
    "g": {"g": 1.0, "kg": 1e3, "t": 1e6},
    "kg": {"g": 1e-3, "kg": 1.0, "t": 1e3},
    "t": {"kg": 1e-3, "t": 1.0},
    "L": {"L": 1.0, "kL": 1e3, "m3": 1e3},
}
_UNIT: Final = re.compile(r"(g|kg|t|lb)(CO2e?|CH4|N2O)/(\S+)(?: \((?:NCV|HHV)\))?")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a calculation may not guess; the park's method settings as plain data.

    Attributes:
        electricity_region: region of the grid, for example `China/JS`.
        fuel_region: region whose fuel defaults are used; empty: fuels have no factor and stay out of the total.
        heat_region: region of the default for purchased heat; empty: likewise.
        gwp_set: declared set of warming potentials; never a mix.
        electricity_factor: id of a factor or series that goes before the published averages.
        fuel_set: edition of the fuel default set, for example `NDRC 2015`; empty: the set of `fuel_region`.
        heat_factor: id of a supplier's factor for purchased heat that goes before the default.
        sf6_factor: id of the GWP row of SF6; None: the set's first.
        remainder: factor of the market-based remainder: the published one, or the location-based one.
        standard_temperature_c: temperature that a standard cubic metre refers to [degC].
        standard_pressure_kpa: pressure that it refers to [kPa].
        gas_calorific_value: id of the record or series that metered gas by volume is multiplied with, before the set's.
        gas_state: state in which gas meters count raw cubic metres; None: not known, and then they are not counted.
        absent: scopes that the boundary is declared to hold no source of.
    """

    electricity_region: str
    fuel_region: str = ""
    heat_region: str = ""
    gwp_set: Literal["AR4", "AR5", "AR6"] = "AR6"
    electricity_factor: str | None = None
    fuel_set: str = ""
    heat_factor: str | None = None
    sf6_factor: str | None = None
    remainder: Literal["published", "location"] = "published"
    standard_temperature_c: float = 0.0
    standard_pressure_kpa: float = 101.325
    gas_calorific_value: str | None = None
    gas_state: GasState | None = None
    absent: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """One number of a chain of multiplications, with the record it comes from.

    Attributes:
        name: what it is, snake_case.
        value: the number.
        unit: its unit.
        match: the factor behind it; None: a constant or a conversion.
    """

    name: str
    value: float
    unit: str
    match: FactorMatch | None = None


@dataclass(frozen=True)
class CarrierFactor:
    """Emission per unit of an amount, with its working.

    Attributes:
        carrier: `electricity`, `gas`, `heat`, a fuel, substance or product.
        unit: unit of the amount the factors are per.
        scope: 1, 2 or 3.
        basis: `location` or `market` for scope 2 electricity, else None.
        gases: kg of each gas per unit; `CO2e` alone where the source does not split it.
        co2e: kgCO2e per unit; NaN for a series, whose hours have their own.
        matches: every factor used, the leading one first: its id and match are stored with intervals.
        notes: sentences for the warnings.
        chains: by gas, the numbers whose product is kgCO2e per unit; none for a series of such products; NaN stands for
            the calorific value of a series.
        biogenic: kg of biogenic CO2 per unit, outside `gases` and `co2e`.
        gj: net energy per unit [GJ]; None: not known or no energy.
    """

    carrier: str
    unit: str
    scope: Literal[1, 2, 3]
    basis: Basis | None
    gases: Mapping[str, float]
    co2e: float
    matches: tuple[FactorMatch, ...]
    notes: tuple[str, ...] = field(default=())
    chains: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    biogenic: float = 0.0
    gj: float | None = None

    @property
    def leading(self) -> FactorMatch:
        """The match that is stored with intervals."""
        return self.matches[0]

    @property
    def is_series(self) -> bool:
        """True when every hour has its own value, and no one number stands for them."""
        return bool(self.matches) and self.leading.factor.series and math.isnan(self.co2e)

    @property
    def unverified(self) -> bool:
        """True when any number behind it was not seen in its source."""
        return any(match.unverified for match in self.matches)


def kg_per_unit(factor: Factor, amount_unit: str) -> float:
    """Kilograms of the gas of a factor per unit of an amount.

    Raises:
        NoFactorError: when the units do not meet, for example a factor per GJ and raw cubic metres.
    """
    return (math.nan if factor.value is None else factor.value) * unit_scale(factor, amount_unit)


def unit_scale(factor: Factor, amount_unit: str) -> float:
    """What turns a value in the unit of the factor into kg per `amount_unit`."""
    found = _UNIT.fullmatch(factor.unit)
    per = _PER.get(amount_unit, {amount_unit: 1.0}).get(found[3]) if found else None
    if found is None or per is None:
        raise NoFactorError(f"{factor.factor} in {factor.unit} does not apply to an amount in {amount_unit}")
    return _MASS_KG[found[1]] / per


def resolve(
    factors: Iterable[Factor],
    settings: Settings,
    *,
    carrier: str,
    unit: str,
    data_year: int,
    known_on: dt.date | dt.datetime,
    basis: Basis = "location",
) -> CarrierFactor:
    """Choose the factors of a carrier.

    Args:
        factors: all records.
        settings: regions and sets of the park.
        carrier: `electricity`, `gas` or `heat`.
        unit: unit of the amounts: kWh, GJ, Nm3.
        data_year: year of the activity.
        known_on: date of knowledge.
        basis: of electricity.

    Raises:
        NoFactorError: when no factor applies, or the one that the settings name is refused; the amount is then reported
            as not in the total, with the message.
    """
    from .activities.metered import metered_fuel

    query = Query(tuple(factors), settings, carrier, unit, data_year, known_on)
    try:
        if carrier == "electricity":
            return _electricity(query, basis)
        return _heat(query) if carrier == "heat" else metered_fuel(query)
    except RefusedError as refused:
        raise NoFactorError(str(refused)) from refused


def nano_kg(amount_micro: Int64Array, kg_per_amount: float | FloatArray) -> Int64Array:
    """CO2e of amounts, rounded once.

    Args:
        amount_micro: amounts [1e-6 unit].
        kg_per_amount: kgCO2e per unit, one or one per amount; all finite.

    Returns:
        CO2e [1e-9 kg] = rint(amount_micro x factor x 1e3).

    Raises:
        RefusedError: more than 64 bits hold, 9.2 Mt in one interval.

    >>> nano_kg(np.array([1_000_000]), 0.5827)
    array([582700000])
    """
    emitted, fits = _emitted(amount_micro, kg_per_amount)
    if not fits.all():
        raise RefusedError("6.10", f"{int(amount_micro[~fits][0]) / 1e6:g} of a unit emit more than any interval can")
    return emitted


def _emitted(amount_micro: Int64Array, kg_per_amount: float | FloatArray) -> tuple[Int64Array, BoolArray]:
    """CO2e of amounts [1e-9 kg], 0 where 64 bits do not hold it, and where they do."""
    exact = amount_micro * kg_per_amount * 1e3
    fits: BoolArray = np.abs(exact) < _MOST_NANO_KG
    emitted: Int64Array = np.rint(np.where(fits, exact, 0.0)).astype(np.int64)
    return emitted, fits


def series_nano_kg(
    start_ms: Int64Array, amount_micro: Int64Array, series: FactorSeries, unit: str
) -> tuple[Int64Array, BoolArray]:
    """CO2e of intervals with hour-stamped factors.

    Args:
        start_ms: starts of the intervals [ms UTC].
        amount_micro: amounts [1e-6 of `unit`].
        series: values by the hour [kg per a multiple of `unit`]; the one whose span holds the start applies.
        unit: unit of the amounts.

    Returns:
        CO2e [1e-9 kg], and where a value was known (and the product fits 64 bits); where not, the CO2e is 0 and must be
        stored as null.
    """
    return _emitted(amount_micro, series.at(start_ms) * unit_scale(series.factor, unit))


def interval_nano_kg(
    start_ms: Int64Array, amount_micro: Int64Array, factor: CarrierFactor, series: FactorSeries | None = None
) -> tuple[Int64Array, BoolArray]:
    """CO2e of intervals by whatever was resolved: a series by the hour, else one number.

    Raises:
        NoFactorError: when the factor is a series and its values were not given.
    """
    if factor.is_series:
        if series is None:
            raise NoFactorError(f"values of the series {factor.leading.factor.factor} are not given")
        return series_nano_kg(start_ms, amount_micro, series, factor.unit)
    return _emitted(amount_micro, factor.co2e)


def gas_masses_kg(amount: float, factor: CarrierFactor) -> dict[str, float]:
    """Mass of each gas of an amount [kg]."""
    return {gas: amount * per_unit for gas, per_unit in factor.gases.items()}


def warming_potential(
    factors: Sequence[Factor], gas: str, gwp_set: str, known_on: dt.date | dt.datetime
) -> FactorMatch:
    """GWP100 of a gas from the declared set [kgCO2e/kg]; for methane the value for combustion.

    Records are named `GWP-{set}-{gas}`; for methane from combustion `GWP-{set}-CH4-NONFOSSIL` goes first.
    """
    names = [f"GWP-{gwp_set}-{gas}-NONFOSSIL", f"GWP-{gwp_set}-{gas}"] if gas == "CH4" else [f"GWP-{gwp_set}-{gas}"]
    for name in names:
        if any(factor.factor == name for factor in factors):
            return named(factors, name, known_on)
    raise NoFactorError(f"no GWP of {gas} in {gwp_set}")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of the records, once."""

    factors: tuple[Factor, ...]
    settings: Settings
    carrier: str
    unit: str
    data_year: int
    known_on: dt.date | dt.datetime

    def find(
        self,
        purpose: str,
        region: str,
        gas: str | tuple[str, ...],
        *,
        basis: str | None = None,
        edition: tuple[str, str] | None = None,
    ) -> FactorMatch:
        """Look a factor of this carrier up."""
        return lookup(
            self.factors,
            purpose=purpose,
            region=region,
            gas=gas,
            carrier=self.carrier,
            data_year=self.data_year,
            known_on=self.known_on,
            basis=basis,
            edition=edition,
        )

    def named(self, factor: str, *purposes: str) -> FactorMatch:
        """The record with this id, which must serve one of these purposes."""
        return named(
            self.factors, factor, self.known_on, purposes=frozenset(purposes) or None, data_year=self.data_year
        )


def single(
    query: Query,
    match: FactorMatch,
    scope: Literal[1, 2, 3],
    *,
    basis: Basis | None = None,
    notes: tuple[str, ...] = (),
    gj: float | None = None,
) -> CarrierFactor:
    """A factor that is one record: kg of its gas per unit, a series included.

    Raises:
        NoFactorError: units that do not meet, or a gas other than CO2 and CO2e.
    """
    factor = match.factor
    if factor.gas not in ("CO2", "CO2e"):
        raise NoFactorError(f"{factor.factor} is of {factor.gas or 'no gas'}, not of CO2 or CO2e")
    scale = unit_scale(factor, query.unit)
    per_unit = kg_per_unit(factor, query.unit)
    chains = {} if factor.value is None else {factor.gas: _steps(match, query.unit, scale)}
    return CarrierFactor(
        carrier=query.carrier,
        unit=query.unit,
        scope=scope,
        basis=basis,
        gases={factor.gas: per_unit},
        co2e=per_unit,
        matches=(match,),
        notes=(*match.notes, *notes),
        chains=chains,
        gj=gj,
    )


def _steps(match: FactorMatch, unit: str, scale: float) -> tuple[Step, ...]:
    factor = Step("factor", match.value, match.factor.unit, match)
    if scale == 1:
        return (factor,)
    return factor, Step("unit_conversion", scale, f"kg/{unit} per {match.factor.unit}")


def _electricity(query: Query, basis: Basis) -> CarrierFactor:
    match, notes = _market(query) if basis == "market" else (_location(query), ())
    if match.factor.gas == "CO2":
        notes = (*notes, CO2_ONLY_NOTE)
    return single(query, match, 2, basis=basis, notes=notes)


def _location(query: Query) -> FactorMatch:
    settings = query.settings
    if settings.electricity_factor is not None:
        return query.named(settings.electricity_factor, *GRID_PURPOSES)
    return query.find("grid_average", settings.electricity_region, ("CO2e", "CO2"))


def _market(query: Query) -> tuple[FactorMatch, tuple[str, ...]]:
    """The remainder of the market-based method; instruments are applied to the amount, see `methods.market`."""
    region = query.settings.electricity_region
    location = replace(query, settings=replace(query.settings, remainder="published"))
    if query.settings.remainder == "location":
        match = _location(location)
        note = f"market-based remainder by declared policy: {match.factor.factor}, the location-based one"
        return FactorMatch(match.factor, Match.LOCATION_FALLBACK, match.notes), (note,)
    try:
        match = query.find("grid_remainder", region, ("CO2e", "CO2"))
    except NoFactorError:
        match = _location(location)
        note = f"no remainder factor for {region}: market-based uses {match.factor.factor}, the location-based one"
        return FactorMatch(match.factor, Match.LOCATION_FALLBACK, match.notes), (note,)
    return match, (f"market-based remainder: {match.factor.factor}, data year {match.factor.data_year}",)


def _heat(query: Query) -> CarrierFactor:
    if query.settings.heat_factor is not None:
        match = query.named(query.settings.heat_factor, "heat_purchased")
    else:
        match = query.find("heat_purchased", query.settings.heat_region, ("CO2e", "CO2"))
    return single(query, match, 2, gj=GJ_PER.get(query.unit))


def tonnes_co2_per_1e4_nm3(ncv_gj: float, carbon_t_per_gj: float, oxidation_pct: float) -> float:
    """CO2 of burnt gas [t/1e4 Nm3] from calorific value [GJ/1e4 Nm3], carbon content [tC/GJ] and oxidation [%].

    >>> round(tonnes_co2_per_1e4_nm3(389.31, 0.0153, 99.0), 4)
    21.6219
    """
    return ncv_gj * carbon_t_per_gj * (oxidation_pct / 100) * CO2_PER_C
