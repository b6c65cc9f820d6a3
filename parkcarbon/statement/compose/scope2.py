"""Page 5: scope 2 twice, kWh × factor, with the remainder factor named and a sentence where market exceeds location."""

from parkcarbon.domain.emissions import Basis
from parkcarbon.statement.record import Block, Cell, Paragraph, Section, Table, Text
from parkcarbon.statement.record import Line as Row

from .context import BASES, Context
from .lines import Book, Group, book_of, total_of
from .sources import FACTOR_COLUMNS, co2_only, factor_row
from .translate import said
from .words import CO2_ONLY, NO_DATA, scope2


async def scope2_page(context: Context) -> Section:
    """Scope 2 on both bases."""
    book = await book_of(context)
    blocks: list[Block] = []
    for basis in BASES:
        blocks.append(_table(context, book, basis))
        if co2_only(context, basis):
            blocks.append(Paragraph(CO2_ONLY, "note"))
    blocks += _remainder(context)
    if (why := _why_above(context)) is not None:
        blocks.append(Paragraph(why, "strong"))
    head = Text("范围二：基于位置与基于市场", "Scope 2: location-based and market-based")
    return Section("scope2", head, tuple(blocks))


def _table(context: Context, book: Book, basis: Basis) -> Table:
    group: Group = "s2.location" if basis == "location" else "s2.market"
    rows = [factor_row(booked) for booked in book.groups[group]]
    blank = (Cell(),) * (len(FACTOR_COLUMNS) - 2)
    rows.append(Row((Cell(text=scope2(basis)), *blank, Cell(figure=total_of(group))), "total"))
    known = context.sheet.figures[total_of(group)].value is not None
    return Table(f"scope2.{basis}", scope2(basis), FACTOR_COLUMNS, tuple(rows), None if known else NO_DATA)


def _remainder(context: Context) -> list[Block]:
    """The factor of what no certificate covers, by name."""
    lines = context.inventory.scope(2, "market").lines
    notes = dict.fromkeys(part for line in lines for part in line.note.split("; ") if "remainder" in part)
    return [Paragraph(said(note), "note") for note in notes]


def _why_above(context: Context) -> Text | None:
    location = context.inventory.scope(2, "location").co2e_nano_kg
    market = context.inventory.scope(2, "market").co2e_nano_kg
    if location is None or market is None or market <= location:
        return None
    return Text(
        "基于市场高于基于位置：未被绿证覆盖的电量按剩余电量因子（不含市场化交易非化石电量）计，他人已声明的绿电已从中剔除，"
        "因此高于当地平均因子。",
        "Market-based exceeds location-based: what no certificate covers takes the remainder factor (excl."
        " market-traded non-fossil power). The power that others claim was taken out of it, so it is above the average"
        " of the place.",
    )
