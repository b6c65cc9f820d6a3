"""Twelve months up to the period's, or those of the year, on both bases; closed months as they were closed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from parkcarbon.books.amounts import month_before, months_of, parse_period
from parkcarbon.books.facts import QUERIES
from parkcarbon.books.inventory import inventory_of
from parkcarbon.books.periods.closing import frozen
from parkcarbon.domain.emissions import Basis
from parkcarbon.kit.db import to_ms as ms_of
from parkcarbon.statement.compose.context import BASES, Context
from parkcarbon.statement.compose.wording.blocks import left, line, plain_cell, right, step, table
from parkcarbon.statement.compose.wording.words import CO2_ONLY, TOTAL_UNIT
from parkcarbon.statement.record import Block, Chart, Series, Text
from parkcarbon.statement.sheet import tonnes, words

_TREND: Final = 12


@dataclass
class Month:
    """Emissions of one month, scopes 1 and 2 [t]; None: not known."""

    label: str
    tonnes: dict[Basis, Decimal | None] = field(default_factory=dict)
    closed: bool = False


async def trend_of(context: Context) -> list[Month]:
    """Twelve months, each read once."""
    return [await _month(context, label) for label in labels_of(context)]


def labels_of(context: Context) -> list[str]:
    """Twelve months, the oldest first."""
    period, zone = context.period, context.facts.zone
    if not period.is_month:
        return [month.label for month in months_of(period, zone)]
    found = [period]
    while len(found) < _TREND:
        found.insert(0, month_before(found[0], zone))
    return [month.label for month in found]


async def _month(context: Context, label: str) -> Month:
    facts = context.facts
    if label == context.period.label:
        inventory = context.inventory
        return Month(label, {basis: tonnes(inventory.total_nano_kg(basis)) for basis in BASES}, context.closed)
    period = parse_period(label, facts.zone)
    if period.from_ms >= ms_of(facts.until):
        return Month(label, dict.fromkeys(BASES))
    if await context.session.fetchval(QUERIES["period_closed"], facts.park, label, facts.as_of):
        kept = await frozen(context.session, facts.park, label, as_of=facts.as_of)
        if kept is not None:
            return Month(label, _frozen_totals(kept.body), closed=True)
    inventory = inventory_of(await context.months.supplied(label), final=False)
    return Month(label, {basis: tonnes(inventory.total_nano_kg(basis)) for basis in BASES})


def _frozen_totals(body: bytes) -> dict[Basis, Decimal | None]:
    totals = json.loads(body, parse_float=Decimal)["totals"]
    kilograms = {basis: totals[basis]["co2e_kg"] for basis in BASES}
    return {basis: None if kg is None else Decimal(kg).scaleb(-3) for basis, kg in kilograms.items()}


def trend_blocks(context: Context, trend: Sequence[Month]) -> list[Block]:
    """Twelve months as bars and as a table."""
    sheet, rows = context.sheet, []
    for month in trend:
        cells = []
        for basis in BASES:
            name, value = f"trend.{month.label}.{basis}", month.tonnes[basis]
            mine = month.label == context.period.label
            cells.append(sheet.put(name, value, TOTAL_UNIT, 1, basis="computed" if mine else "context", rule="3.13"))
        state = ("已关账", "closed") if month.closed else ("暂定", "provisional")
        if month.tonnes["location"] is None and month.tonnes["market"] is None:
            state = ("无数据", "no data")
        rows.append(line(plain_cell(month.label), *cells, words(*state)))
    columns = (
        left("月", "month"),
        right("范围一、二（基于位置）", "scopes 1+2, location-based", TOTAL_UNIT, 1.4),
        right("范围一、二（基于市场）", "scopes 1+2, market-based", TOTAL_UNIT, 1.4),
        left("状态", "state"),
    )
    location, market = (tuple(step(month.tonnes[basis], 3) for month in trend) for basis in BASES)
    series = (
        Series(Text("基于位置", "location-based"), location, "bar"),
        Series(Text("基于市场", "market-based"), market, "line"),
    )
    head = (f"十二个月趋势（{CO2_ONLY.zh}）", f"Twelve months ({CO2_ONLY.en})")
    chart = Chart("charts.trend", Text(*head), TOTAL_UNIT, tuple(month.label for month in trend), series)
    return [chart, table("charts.trend_table", head, columns, rows)]
