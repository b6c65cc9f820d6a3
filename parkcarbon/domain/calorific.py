"""Dated calorific values of metered gas: one value for a year, or a series by the hour or day.

    Q_i [GJ] = V_i [Nm3] / 1e4 x NCV(t_i) [GJ/1e4 Nm3]
    m_i [kgCO2e] = Q_i x (CC x OX x 44/12 x 1e3 + sum over CH4, N2O of EF / 1e3 x GWP)

Every interval takes the value in force at its start and is rounded once. What a period needs of the series is its mean
weighted by the amounts, exact, as everything behind the calorific value is the same at all times: V x mean(NCV) is the
sum of V_i x NCV_i.

A time without a value takes the mean of the value before and the one after, before the first value the first. After the
last value, where the rule has no word, the last stands in until the next is loaded. All of it is flagged, and none of
it is the default of a set.

References:
    accounting rules 1.10 (net values only), 1.11 (carbon content and oxidation stay those of the declared set), 1.12
    (per standard cubic metre), 6.2 (40 CFR 98.35(b): missing values).
"""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np

from .emissions import GAS_CALORIFIC_UNITS, CarrierFactor, Query, Step
from .factor_rules import calorific_basis
from .factors import Factor, FactorMatch, FactorSeries, Match, NoFactorError, lookup, named
from .readings import FloatArray, Int64Array
from .refusal import RefusedError

_STEP: Final = "calorific_value"
_POTENTIAL: Final = "warming_potential"
_FIRST_MS: Final = 0
_LAST_MS: Final = 4_102_444_800_000  # 2100-01-01


@dataclass(frozen=True, slots=True)
class CalorificMean:
    """A series of calorific values over the intervals of one point.

    Attributes:
        factor: id of the series.
        value: mean weighted by the amounts [unit of the record].
        substituted_micro: amount of the intervals whose value was substituted by rule 6.2 [1e-6 unit of the point].
    """

    factor: str
    value: float
    substituted_micro: int = 0


def declared_calorific(query: Query) -> FactorMatch | None:
    """The calorific value that the method settings name for metered gas; None: they name none.

    Raises:
        NoFactorError: there is no such record, or it does not apply to the whole year.
        RefusedError: it is for another purpose (1.6), gross or of no stated basis (1.10), not per standard cubic metre
            (1.12), or of another fuel (6.10).
    """
    name = query.settings.gas_calorific_value
    if name is None:
        return None
    match = named(query.factors, name, query.known_on, purposes=frozenset({_STEP}))
    _check(match.factor, query.carrier)
    return match if match.factor.series else _of_year(query, match.factor)


def _of_year(query: Query, newest: Factor) -> FactorMatch:
    """Of the records with this id the one of the year."""
    match = lookup(
        [factor for factor in query.factors if factor.factor == newest.factor],
        purpose=_STEP,
        region=newest.region,
        gas=newest.gas,
        carrier=newest.carrier,
        data_year=query.data_year,
        known_on=query.known_on,
        basis="NCV",
    )
    factor, year = match.factor, query.data_year
    _check(factor, query.carrier)
    late = factor.valid_from is not None and factor.valid_from > dt.date(year, 1, 1)
    early = factor.valid_to is not None and factor.valid_to < dt.date(year + 1, 1, 1)
    if late or early:
        span = f"from {factor.valid_from or 'ever'} to {factor.valid_to or 'ever'}"
        raise NoFactorError(f"{factor.factor} applies {span}, not to the whole of {year}: load its values as a series")
    return match if match.match is Match.NEWEST_PUBLISHED else replace(match, match=Match.DECLARED)


def _check(factor: Factor, carrier: str) -> None:
    """Refuse what net energy of this gas cannot be computed with."""
    basis, said = calorific_basis(factor), f"{factor.factor} in {factor.unit} ({factor.basis or 'no basis'})"
    if basis != "NCV":
        what = "is gross, the factors are per net energy" if basis == "HHV" else "names neither NCV nor HHV"
        raise RefusedError("1.10", f"{said} {what}")
    if factor.unit not in GAS_CALORIFIC_UNITS:
        raise RefusedError("1.12", f"{said}: a calorific value of metered gas is in {' or '.join(GAS_CALORIFIC_UNITS)}")
    if factor.carrier != carrier:
        raise RefusedError("6.10", f"{said} is of {factor.carrier}, the meters count {carrier}")


def filled(series: FactorSeries) -> FactorSeries:
    """A series with a value for every time, flagged where rule 6.2 gave it; one without any value stays so."""
    start, value = series.start_ms, series.value
    if not len(start):
        return series
    end = start + series.span_ms
    gap = end[:-1] < start[1:]
    ahead = start[:1] > _FIRST_MS
    starts = np.concatenate([np.full(int(ahead.sum()), _FIRST_MS), start, end[:-1][gap], end[-1:]])
    ends = np.concatenate([start[:1][ahead], end, start[1:][gap], np.maximum(end[-1:], _LAST_MS)])
    values = np.concatenate([value[:1][ahead], value, (value[:-1][gap] + value[1:][gap]) / 2, value[-1:]])
    given = np.zeros(len(starts), np.bool_)
    given[int(ahead.sum()) : int(ahead.sum()) + len(start)] = True
    order = np.argsort(starts, kind="stable")
    return FactorSeries(series.factor, starts[order], (ends - starts)[order], values[order], ~given[order])


def varies(factor: CarrierFactor) -> bool:
    """True for a template whose calorific value is a series."""
    return factor.is_series and bool(factor.chains)


def at_value(factor: CarrierFactor, value: float) -> CarrierFactor:
    """A template with one calorific value in place: the very numbers that a record with this value gives.

    Args:
        factor: of `activities.metered.metered_fuel`; another than a template is returned as it is.
        value: [unit of the series].
    """
    if not varies(factor):
        return factor
    chains = {gas: tuple(_at(step, value) for step in steps) for gas, steps in factor.chains.items()}
    leading = next(iter(chains.values()))
    energy = leading[: next(at for at, step in enumerate(leading) if _by_time(step)) + 1]
    return replace(
        factor,
        chains=chains,
        gases={
            gas: math.prod(step.value for step in steps if step.name != _POTENTIAL) for gas, steps in chains.items()
        },
        co2e=math.fsum(math.prod(step.value for step in steps) for steps in chains.values()),
        gj=math.prod(step.value for step in energy),
    )


def per_calorific(chains: Mapping[str, tuple[Step, ...]]) -> dict[str, tuple[Step, ...]]:
    """The chains per unit of the calorific value of a series: what each hour's value is multiplied with."""
    return {gas: tuple(_at(step, 1.0) for step in steps) for gas, steps in chains.items()}


def _by_time(step: Step) -> bool:
    return step.name == _STEP and step.match is not None and step.match.factor.series


def _at(step: Step, value: float) -> Step:
    return replace(step, value=value) if _by_time(step) else step


def priced(series: FactorSeries, factor: CarrierFactor) -> FactorSeries:
    """Emission per unit of the meter by the hour, from calorific values by the hour.

    Args:
        series: calorific values, filled.
        factor: the template.

    Returns:
        kgCO2e per unit over the same spans, bit for bit what `at_value` gives for each of them.
    """
    by_gas: list[FloatArray] = []
    for steps in factor.chains.values():
        found = np.ones(len(series.value))
        for step in steps:
            found = found * (series.value if _by_time(step) else step.value)
        by_gas.append(found)
    value = np.array([math.fsum(gases) for gases in zip(*(found.tolist() for found in by_gas), strict=True)])
    record = replace(series.factor, purpose="fuel_by_amount", gas="CO2e", unit=f"kgCO2e/{factor.unit}")
    return replace(series, factor=record, value=value.astype(np.float64))


def mean_calorific(series: FactorSeries, start_ms: Int64Array, amount_micro: Int64Array) -> CalorificMean | None:
    """The mean of a series over intervals, weighted by their amounts; exact until it is rounded once to a float.

    Args:
        series: calorific values, filled.
        start_ms: starts of the intervals [ms UTC].
        amount_micro: amounts [1e-6 unit].

    Returns:
        None where the series has no value for some interval, or there is no interval.
    """
    values = series.at(start_ms)
    if not len(values) or bool(np.isnan(values).any()):
        return None
    distinct, position = np.unique(values, return_inverse=True)
    weights = np.zeros(len(distinct), np.int64)
    np.add.at(weights, position, amount_micro)
    if not int(weights.sum()):
        weights = np.bincount(position, minlength=len(distinct))
    pairs = zip(distinct.tolist(), weights.tolist(), strict=True)
    whole = sum((Fraction(value) * weight for value, weight in pairs), start=Fraction(0))
    replaced = series.substituted_at(start_ms)
    return CalorificMean(series.factor.factor, float(whole / int(weights.sum())), int(amount_micro[replaced].sum()))


def at_mean(factor: CarrierFactor, mean: CalorificMean | None, amount_micro: int) -> CarrierFactor:
    """A template with the mean of a point in place, and what a reader should know of it.

    Args:
        factor: of `resolve` or `metered_fuel`; another than a template is returned as it is.
        mean: of the series over the intervals of the point.
        amount_micro: of the point [1e-6 unit].

    Raises:
        NoFactorError: nothing is known of the series over the period.
    """
    if not varies(factor):
        return factor
    name = factor.leading.factor.factor
    if mean is None or mean.factor != name:
        raise NoFactorError(f"the series {name} has no calorific values")
    noted = at_value(factor, mean.value)
    if not mean.substituted_micro:
        return noted
    share = f"{100 * mean.substituted_micro / amount_micro:.3g} %" if amount_micro else "some"
    note = f"{name}: {share} of the amount by calorific values substituted by rule 6.2"
    return replace(noted, notes=(*noted.notes, note))
