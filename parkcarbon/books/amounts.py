"""Amounts of a park from stored intervals: of a period by point, and by the hour.

`parkcarbon.books.derive.as_of` gives the same types computed from the readings that were known on a past date.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from parkcarbon.books.facts import QUERIES, Facts, PointFact
from parkcarbon.books.library.calorific import stored_means, with_means
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.reading import Method
from parkcarbon.domain.readings import BoolArray, Int64Array
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Row, Session
from parkcarbon.kit.db import from_ms as time_of
from parkcarbon.kit.db import to_ms as ms_of
from parkcarbon.kit.pgcopy import PgType

HOUR_MS: Final = 3_600_000
PERIOD: Final = r"^(19[7-9][0-9]|20[0-9][0-9])(-(0[1-9]|1[0-2]))?$"
"""A month `2026-03` or a year `2026`."""

MONTH: Final = r"^(19[7-9][0-9]|20[0-9][0-9])-(0[1-9]|1[0-2])$"

_LONG_MS: Final = 27 * 86_400_000  # a month or longer: days that are measured throughout are added up by the day
AT_ONCE: Final = 128
"""So many points are read at once by the hour or quarter: what comes from the database is held twice for a moment."""

_SUMMED: Final = ("intervals", "amount_micro", "co2e_nano_kg", "with_co2e", "measured_ms", "suspect_ms")
WHOLE: Final = 0.9999  # coverage is stored in single precision
_HOURLY_TYPES: Final[dict[str, PgType]] = {
    "point_id": "int4",
    "start": "timestamptz",
    "amount_micro": "int8",
    "coverage": "float4",
    "method": "int2",
}


@dataclass(frozen=True, slots=True)
class Period:
    """A whole local month or year of a park.

    Attributes:
        label: `2026-03` or `2026`.
        from_ms: start [ms UTC].
        to_ms: end, exclusive [ms UTC].
        from_day: first local day.
        to_day: day after the last.
        year: that it lies in; the data year that factors are asked for.
    """

    label: str
    from_ms: int
    to_ms: int
    from_day: dt.date
    to_day: dt.date
    year: int

    @property
    def is_month(self) -> bool:
        """False for a year."""
        return "-" in self.label


def parse_period(text: str, zone: ZoneInfo) -> Period:
    """Read a period.

    Args:
        text: `2026-03` or `2026`.
        zone: of the park; the period is local.

    Raises:
        RefusedError: it is neither.
    """
    found = re.fullmatch(PERIOD, text)
    if found is None:
        raise RefusedError("", f"{text!r} is no month like 2026-03 and no year like 2026")
    year = int(found[1])
    first = dt.date(year, int(found[3] or 1), 1)
    last = first.month if found[3] else 12
    end = dt.date(year + last // 12, last % 12 + 1, 1)
    return Period(text, midnight_ms(first, zone), midnight_ms(end, zone), first, end, year)


def months_of(period: Period, zone: ZoneInfo) -> list[Period]:
    """The twelve months of a year, or the month itself."""
    if period.is_month:
        return [period]
    return [parse_period(f"{period.label}-{month:02d}", zone) for month in range(1, 13)]


def month_before(period: Period, zone: ZoneInfo) -> Period:
    """The period of the same length before this one."""
    if not period.is_month:
        return parse_period(str(period.year - 1), zone)
    last = period.from_day - dt.timedelta(days=1)
    return parse_period(f"{last:%Y-%m}", zone)


def midnight_ms(day: dt.date, zone: ZoneInfo) -> int:
    """Start of a local day [ms UTC]."""
    return ms_of(dt.datetime.combine(day, dt.time(), zone))


async def point_amounts(session: Session, facts: Facts, from_ms: int, to_ms: int) -> list[PointAmount]:
    """Amounts of every counter and delta point over `[from_ms, to_ms)`, from stored intervals, by name.

    A point with a flow and without any interval counts as missing time; one that was retired only with what it has, and
    one that got its first meter after the span not at all.

    Args:
        session: a connection.
        facts: the park as known.
        from_ms: start, on an interval boundary [ms UTC].
        to_ms: end, exclusive [ms UTC].
    """
    points = facts.metered()
    ids = [point.point_id for point in points]
    if to_ms - from_ms > _LONG_MS and (days := _whole_days(facts.zone, from_ms, to_ms)) is not None:
        rows = await _by_days(session, facts.zone, ids, days)
    else:
        rows = await session.fetch(QUERIES["amounts_by_state"], ids, time_of(from_ms), time_of(to_ms))
    means = await stored_means(session, facts, points, from_ms, to_ms)
    return with_means(merge_states(facts, points, rows, from_ms, to_ms), means)


def _whole_days(zone: ZoneInfo, from_ms: int, to_ms: int) -> tuple[dt.date, dt.date] | None:
    """The local days of a span that begins and ends at midnight; None for any other."""
    first, last = [time_of(ms).astimezone(zone).date() for ms in (from_ms, to_ms)]
    whole = (midnight_ms(first, zone), midnight_ms(last, zone)) == (from_ms, to_ms)
    return (first, last) if whole else None


async def _by_days(session: Session, zone: ZoneInfo, ids: list[int], days: tuple[dt.date, dt.date]) -> list[Row]:
    """Sums by data state: of measured days from the daily roll-up, of the others from their intervals."""
    measured = await session.fetch(QUERIES["amounts_of_measured_days"], ids, *days)
    spans = _stretches(await session.fetch(QUERIES["mixed_days"], ids, *days), zone)
    mixed = await session.fetch(QUERIES["amounts_of_stretches"], *spans) if spans[0] else []
    return [*measured, *mixed]


def _stretches(rows: Sequence[Row], zone: ZoneInfo) -> tuple[list[int], list[dt.datetime], list[dt.datetime]]:
    """Join days (by point, ascending) that follow one another: points, begins and ends."""
    ids: list[int] = []
    lows: list[dt.date] = []
    highs: list[dt.date] = []
    for row in rows:
        after = row["day"] + dt.timedelta(days=1)
        if ids and ids[-1] == row["point_id"] and highs[-1] == row["day"]:
            highs[-1] = after
        else:
            ids.append(row["point_id"])
            lows.append(row["day"])
            highs.append(after)
    edges = {day: time_of(midnight_ms(day, zone)) for day in {*lows, *highs}}
    return ids, [edges[day] for day in lows], [edges[day] for day in highs]


def merge_states(
    facts: Facts, points: Sequence[PointFact], rows: Sequence[Row], from_ms: int, to_ms: int
) -> list[PointAmount]:
    """Put the sums of each point and data state together.

    Args:
        facts: the park as known; time up to `facts.until` is expected.
        points: wanted.
        rows: `point_id`, `method`, `intervals`, `amount_micro`, `co2e_nano_kg`, `with_co2e`, `known_ms`,
            `measured_ms`, `suspect_ms` each.
        from_ms: start of the period [ms UTC].
        to_ms: end of the period, exclusive [ms UTC].
    """
    by_point: dict[int, list[Row]] = {}
    for row in rows:
        by_point.setdefault(row["point_id"], []).append(row)
    expected_ms = max(0, min(to_ms, ms_of(facts.until)) - from_ms)
    found = []
    for point in points:
        mine = by_point.get(point.point_id, [])
        installed = facts.installed.get(point.point)
        if mine or (point.flow is not None and point.active and (installed is None or ms_of(installed) < to_ms)):
            found.append(_amount(point, mine, expected_ms))
    return found


def _totals(rows: Sequence[Row]) -> Mapping[str, int]:
    if len(rows) == 1 and rows[0]["co2e_nano_kg"] is not None:  # most points of most months
        return rows[0]
    return {name: sum(row[name] or 0 for row in rows) for name in _SUMMED}


def _amount(point: PointFact, rows: Sequence[Row], expected_ms: int) -> PointAmount:
    totals = _totals(rows)
    spent: dict[Method, int] = {}
    for row in rows:
        spent[Method(row["method"])] = spent.get(Method(row["method"]), 0) + row["known_ms"]
    return PointAmount(
        point=point.point,
        flow=point.flow,
        carrier=point.carrier,
        unit=point.unit,
        amount_micro=totals["amount_micro"],
        co2e_nano_kg=totals["co2e_nano_kg"] if rows and totals["with_co2e"] == totals["intervals"] else None,
        intervals=totals["intervals"],
        measured_ms=totals["measured_ms"],
        expected_ms=expected_ms if point.active else sum(spent.values()),
        suspect_ms=totals["suspect_ms"],
        method_ms=spent,
        tenant=point.tenant,
        below=point.below,
    )


@dataclass(frozen=True)
class Hourly:
    """Amounts of some points by the hour.

    Attributes:
        points: names, in the order asked for.
        start_ms: start of each hour [ms UTC].
        amount_micro: amount by point and hour [1e-6 unit]; 0 where nothing is known.
        known: True where the whole hour is known.
    """

    points: tuple[str, ...]
    start_ms: Int64Array
    amount_micro: Int64Array
    known: BoolArray

    def of(self, point: str) -> Int64Array:
        """Amounts of one point [1e-6 unit]."""
        row: Int64Array = self.amount_micro[self.points.index(point)]
        return row


async def hourly_amounts(session: Session, facts: Facts, points: Sequence[str], from_ms: int, to_ms: int) -> Hourly:
    """Amounts by the hour over `[from_ms, to_ms)`, from the hourly roll-up; local hours.

    Args:
        session: a connection.
        facts: the park as known.
        points: names.
        from_ms: start, a local hour [ms UTC].
        to_ms: end, exclusive [ms UTC].

    Raises:
        LookupError: a point is not known.
    """
    ids = [_point_id(facts, point) for point in points]
    query = QUERIES["hourly_amounts" if from_ms % HOUR_MS == 0 else "hourly_from_intervals"]
    start_ms = np.arange(from_ms, to_ms, HOUR_MS, dtype=np.int64)
    amount = np.zeros((len(points), len(start_ms)), dtype=np.int64)
    known = np.zeros((len(points), len(start_ms)), dtype=bool)
    lookup = np.zeros(max(ids, default=0) + 1, dtype=np.int64)
    lookup[ids] = np.arange(len(ids))
    for at in range(0, len(ids), AT_ONCE):
        some = ids[at : at + AT_ONCE]
        rows = await session.fetch_columns(query, some, time_of(from_ms), time_of(to_ms), types=_HOURLY_TYPES)
        line, hour = lookup[rows["point_id"]], (rows["start"] - from_ms) // HOUR_MS
        amount[line, hour] = rows["amount_micro"]
        known[line, hour] = (rows["coverage"] >= WHOLE) & (rows["method"] != Method.MISSING)
    return Hourly(tuple(points), start_ms, amount, known)


def _point_id(facts: Facts, point: str) -> int:
    if point not in facts.point_ids:
        raise LookupError(f"there is no point {point} in {facts.park}")
    return facts.point_ids[point]
