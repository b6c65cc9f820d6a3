"""The series of calorific values that metered gas is counted with, and its mean over the intervals of a point."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from parkcarbon.books.facts import QUERIES, Facts, PointFact
from parkcarbon.domain.calorific import CalorificMean, declared_calorific, filled, mean_calorific
from parkcarbon.domain.emissions import Query
from parkcarbon.domain.factors import FactorSeries, NoFactorError
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Session
from parkcarbon.kit.db import from_ms as time_of
from parkcarbon.kit.pgcopy import PgType

_TYPES: Final[dict[str, PgType]] = {"point_id": "int4", "start": "timestamptz", "amount_micro": "int8"}


def calorific_series(facts: Facts, at_ms: int) -> FactorSeries | None:
    """The declared series with a value for every time; None where none is declared or it may not be used.

    Args:
        facts: the park as known.
        at_ms: begin of the period, whose local year is the data year [ms UTC].
    """
    settings = facts.document.method.settings()
    if settings.gas_calorific_value is None:
        return None
    year = time_of(at_ms).astimezone(facts.zone).year
    query = Query(tuple(record for _, record in facts.factors), settings, "gas", "Nm3", year, facts.as_of)
    try:
        match = declared_calorific(query)
    except (NoFactorError, RefusedError):  # the inventory says so where it resolves the factor
        return None
    if match is None or not match.factor.series:
        return None
    number = next(number for number, record in facts.factors if record is match.factor)
    return filled(facts.series[number]) if number in facts.series else None


def by_volume(point: PointFact) -> bool:
    """True for gas that needs a calorific value."""
    return point.metered and point.carrier == "gas" and point.unit in ("Nm3", "m3")


async def stored_means(
    session: Session, facts: Facts, points: Sequence[PointFact], from_ms: int, to_ms: int
) -> dict[str, CalorificMean]:
    """The mean calorific value of each gas meter over its stored intervals, by name.

    Args:
        session: a connection.
        facts: the park as known.
        points: among which the gas meters are.
        from_ms: begin [ms UTC].
        to_ms: end, exclusive [ms UTC].
    """
    meters = {point.point_id: point.point for point in points if by_volume(point)}
    series = calorific_series(facts, from_ms) if meters else None
    if series is None:
        return {}
    rows = await session.fetch_columns(
        QUERIES["gas_intervals"], sorted(meters), time_of(from_ms), time_of(to_ms), types=_TYPES
    )
    found = {}
    for point_id, name in meters.items():
        mine = rows["point_id"] == point_id
        mean = mean_calorific(series, rows["start"][mine], rows["amount_micro"][mine])
        if mean is not None:
            found[name] = mean
    return found


def with_means(amounts: Sequence[PointAmount], means: Mapping[str, CalorificMean]) -> list[PointAmount]:
    """Amounts with the mean calorific value of their intervals, where there is one."""
    return [replace(amount, calorific=means[amount.point]) if amount.point in means else amount for amount in amounts]
