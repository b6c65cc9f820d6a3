"""Page 8: emissions by the day with their completeness, load and matched share by the hour, twelve months, budgets.

What is not known is a gap; a day that is known in part is drawn hatched, with what is known of it.

References:
    accounting rules 3.17, 3.18 (hourly matching is information), 6.7 (completeness is of measured time alone).
"""

import datetime as dt
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import numpy as np

from parkcarbon.books.amounts import WHOLE, Hourly, midnight_ms
from parkcarbon.books.facts import Facts
from parkcarbon.books.indicators.entered_days import entered_days
from parkcarbon.books.indicators.power import matching_of
from parkcarbon.domain.indicators.matching import HOUR_MS, PROPOSAL, Matching
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.readings import FloatArray
from parkcarbon.kit.db import Session
from parkcarbon.kit.db import to_ms as ms_of
from parkcarbon.kit.pgcopy import PgType
from parkcarbon.statement.compose.context import Context, without_loads
from parkcarbon.statement.compose.wording.blocks import say, step
from parkcarbon.statement.compose.wording.words import CO2_ONLY, TOTAL_UNIT
from parkcarbon.statement.record import Block, Chart, HeatMap, Pairs, Section, Series, Text
from parkcarbon.statement.sheet import units

from .budgets import budgets
from .condensed import PAGES
from .trend import trend_blocks, trend_of

MATCHED: Final = Text("小时匹配率", "Hourly matched share (24/7)")

_PRICED: Final = {("electricity", "import"), ("gas", "fuel"), ("heat", "heat")}
_TYPES: Final[dict[str, PgType]] = {
    "point_id": "int4",
    "day": "date",
    "co2e_nano_kg": "int8",
    "priced": "bool",
    "known_ms": "int8",
    "measured_ms": "int8",
}
_DAY: Final = dt.timedelta(days=1)
_EPOCH: Final = dt.date(1970, 1, 1)


async def charts(context: Context) -> Section:
    """All charts of the period."""
    matching = await _matching(context)
    trend = await trend_of(context)
    blocks: list[Block] = [
        await _daily(context),
        HeatMap("charts.load", Text("负荷", "Load"), "kW", *_rows(context, matching, _load(matching))),
        HeatMap("charts.matched", MATCHED, "%", *_rows(context, matching, matching.hourly_pct())),
        _shares(context, matching),
        say("小时匹配为2025–26年提案，尚非规则。", f"{PROPOSAL[0].upper()}{PROPOSAL[1:]}.", "note"),
        *trend_blocks(context, trend),
        *await budgets(context, trend),
    ]
    return Section("charts", Text("图表", "Charts"), tuple(blocks))


# ── days ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class _Day:
    """One local day [ms, 1e-9 kg]."""

    nano_kg: int = 0
    measured_ms: int = 0
    expected_ms: int = 0
    priced_known_ms: int = 0
    priced_expected_ms: int = 0
    unpriced: bool = False


async def _daily(context: Context) -> Chart:
    """Scopes 1 and 2, location-based: what meters count and what was entered, spread over its days."""
    period = context.period
    days = [period.from_day + _DAY * at for at in range((period.to_day - period.from_day).days)]
    found = await _days(context, days)
    entered = entered_days(context.facts, None, period.from_day, period.to_day)
    by_day: dict[dt.date, float] = {}
    for row in entered.co2e_t.values():
        for day, more in row.items():
            by_day[day] = by_day.get(day, 0.0) + more
    whole, part = list[str | None](), list[str | None]()
    for day in days:
        one = found[day]
        known = one.priced_known_ms > 0 or day in by_day
        value = float(one.nano_kg) / 1e12 + by_day.get(day, 0.0) if known else None
        complete = one.priced_known_ms >= WHOLE * one.priced_expected_ms and not one.unpriced
        complete = complete and day not in entered.unknown
        whole.append(step(value, 3) if complete else None)
        part.append(None if complete else step(value, 3))
    series = [Series(Text("全部已知", "wholly known"), tuple(whole))]
    if any(value is not None for value in part):
        series.append(Series(Text("部分未知", "known in part"), tuple(part), "hatched"))
    return Chart(
        "charts.daily",
        Text(
            f"每日排放（范围一、二，基于位置；{CO2_ONLY.zh}）",
            f"Daily emissions (scopes 1+2, location-based; {CO2_ONLY.en})",
        ),
        TOTAL_UNIT,
        tuple(day.isoformat() for day in days),
        tuple(series),
        tuple(step(_pct(found[day].measured_ms, found[day].expected_ms), 1) for day in days),
    )


def _pct(part: int, whole: int) -> Decimal | None:
    return 100 * Decimal(part) / Decimal(whole) if whole else None


async def _days(context: Context, days: Sequence[dt.date]) -> dict[dt.date, _Day]:
    """Emissions and completeness of each day, from the daily roll-up."""
    facts, period = context.facts, context.period
    points = {point.point: point for point in context.inputs.points if point.flow is not None}
    ids = {facts.point_ids[name]: point for name, point in points.items()}
    arguments = (sorted(ids), period.from_day, period.to_day)
    rows = await context.session.fetch_columns(PAGES["page_days"], *arguments, types=_TYPES)
    active = {point.point for point in facts.points if point.active}
    found = {day: _Day() for day in days}
    for point_id, number, nano_kg, priced, known_ms, measured_ms in zip(
        *(rows[name].tolist() for name in _TYPES), strict=True
    ):
        point, day = ids[point_id], found[_EPOCH + number * _DAY]
        day.measured_ms += measured_ms
        if (point.carrier, point.flow) in _PRICED:
            day.nano_kg += nano_kg
            day.priced_known_ms += known_ms
            day.unpriced |= not priced
        if point.point not in active:  # of a retired meter only what it has is expected
            day.expected_ms += known_ms
            day.priced_expected_ms += known_ms if (point.carrier, point.flow) in _PRICED else 0
    _expect(context, [point for point in points.values() if point.point in active], found)
    return found


def _expect(context: Context, points: Sequence[PointAmount], found: Mapping[dt.date, _Day]) -> None:
    """Every active point should have counted all day, up to the moment of knowledge."""
    priced = sum((point.carrier, point.flow) in _PRICED for point in points)
    until = ms_of(context.facts.until)
    for day, one in found.items():
        begin, end = (midnight_ms(at, context.facts.zone) for at in (day, day + _DAY))
        length = max(0, min(end, until) - begin)
        one.expected_ms += length * len(points)
        one.priced_expected_ms += length * priced


# ── hours ────────────────────────────────────────────────────────────────────────────────────────


async def _matching(context: Context) -> Matching:
    """Load and clean supply by the hour, from the hours that all pages share."""

    async def shared(
        session: Session,  # noqa: ARG001 - the hours of the period are there already
        facts: Facts,  # noqa: ARG001
        points: Sequence[str],
        from_ms: int,  # noqa: ARG001
        to_ms: int,  # noqa: ARG001
    ) -> Hourly:
        return await context.hourly(points)

    inputs = replace(context.inputs, facts=without_loads(context.facts))
    return await matching_of(context.session, inputs, hourly=shared)


def _load(matching: Matching) -> FloatArray:
    """Mean power of each hour [kW]; NaN where it is not known."""
    load: FloatArray = np.where(matching.known, matching.load_micro / 1e6, np.nan)
    return load


def _rows(
    context: Context, matching: Matching, values: FloatArray
) -> tuple[tuple[str, ...], tuple[tuple[str | None, ...], ...]]:
    """Local days, and a row for each; a day of 23 or 25 hours has as many, short rows end in gaps."""
    period, zone = context.period, context.facts.zone
    days = [period.from_day + _DAY * at for at in range((period.to_day - period.from_day).days)]
    edges = [midnight_ms(day, zone) for day in [*days, period.to_day]]
    starts = np.searchsorted(matching.start_ms, edges)
    longest = max(-(-(end - begin) // HOUR_MS) for begin, end in itertools.pairwise(edges))
    known = bool(matching.known.any())
    rows = []
    for low, high in itertools.pairwise(starts.tolist()):
        row = [None if math.isnan(value) or not known else step(value, 1) for value in values[low:high].tolist()]
        rows.append((*row, *[None] * (longest - len(row))))
    return tuple(day.isoformat() for day in days), tuple(rows)


def _shares(context: Context, matching: Matching) -> Pairs:
    sheet = context.sheet
    known = matching.load_total_micro > 0
    load = sheet.put("matching.load.kwh", units(matching.load_total_micro) if known else None, "kWh", 0)
    matched = sheet.put("matching.matched.kwh", units(matching.matched_total_micro) if known else None, "kWh", 0)
    hours = sheet.put("matching.hours", int(matching.known.sum()), "h", 0)
    unknown = sheet.put("matching.unknown_hours", int((~matching.known).sum()), "h", 0)
    share = sheet.put(
        "matching.share",
        None if not known else _ratio(matching.matched_total_micro, matching.load_total_micro),
        "%",
        1,
        explain="indicator:hourly_matched_share",
        rule="3.18",
    )
    return Pairs(
        (
            (Text("负荷（已知小时）", "Load of the known hours"), load),
            (Text("小时匹配电量", "Matched in the same hour"), matched),
            (MATCHED, share),
            (Text("已知小时", "Hours known"), hours),
            (Text("未知小时", "Hours not known"), unknown),
        )
    )


def _ratio(part: int, whole: int) -> Decimal:
    return (100 * Decimal(part) / Decimal(whole)).quantize(Decimal("1e-12"))
