"""Page 5: scope 2 twice, kWh × factor, with the remainder factor named and a sentence where market exceeds location."""

from parkcarbon.domain.emissions import Basis
from parkcarbon.statement.compose.context import BASES, Context
from parkcarbon.statement.compose.lines import Book, Group, book_of, total_of
from parkcarbon.statement.compose.wording.translate import said
from parkcarbon.statement.compose.wording.words import CO2_ONLY, NO_DATA, TOTAL_UNIT, basis_words, scope2
from parkcarbon.statement.record import Block, Cell, Column, Paragraph, Section, Table, Text
from parkcarbon.statement.record import Line as Row

from .sources import FACTOR_COLUMNS, co2_only, factor_row


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
    blocks.append(_verdict(context))
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


def _verdict(context: Context) -> Table:
    """From the remaining emissions to the shortfall: what the verdict compares; its figures come with it."""
    total, judged = f"total.{context.basis}", basis_words(context.basis)
    rows = (
        _row(Text(f"待抵销排放（{judged.zh}）", f"remaining emissions ({judged.en})"), total),
        _row(Text("已注销减排量", "retired credits"), "credits.retired"),
        _row(Text("盈余（不是负排放）", "surplus (no negative emission)"), "credits.surplus"),
        _row(Text("用于抵销的减排量", "credits applied"), "credits.applied"),
        _row(
            Text("注销后的待抵销排放（缺口）", "remaining after retired credits (shortfall)"),
            "remaining.after",
            total=True,
        ),
    )
    columns = (Column(Text("项目", "Item"), align="left", weight=3), Column(Text("数量", "Amount"), TOTAL_UNIT))
    return Table("scope2.verdict", Text("结论所比较的量", "What the verdict compares"), columns, rows)


def _row(name: Text, figure: str, *, total: bool = False) -> Row:
    return Row((Cell(text=name), Cell(figure=figure)), "total" if total else "normal")
