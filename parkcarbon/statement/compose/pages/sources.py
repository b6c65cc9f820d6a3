"""Page 4: every source by gas and scope with its ±, the share of its data states, its factors, and what is left out."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, Literal

from parkcarbon.domain.emissions import CO2_ONLY_NOTE, Basis
from parkcarbon.domain.factors import Factor, FactorMatch
from parkcarbon.domain.methods.iso14064 import NAMES as ISO_NAMES
from parkcarbon.domain.methods.lines import GASES, Line
from parkcarbon.statement.compose.context import BASES, Context
from parkcarbon.statement.compose.lines import GROUPS, OTHER, Book, Booked, Group, book_of, decimals_of, total_of
from parkcarbon.statement.compose.wording.translate import said
from parkcarbon.statement.compose.wording.words import (
    CO2_ONLY,
    MATCHES,
    MIXED_UNIT,
    STATES,
    TOTAL_UNIT,
    join,
    slug,
    term,
    unused,
)
from parkcarbon.statement.record import Block, Cell, Column, Formula, Paragraph, Section, Table, Text
from parkcarbon.statement.record import Line as Row
from parkcarbon.statement.sheet import tonnes, words

_NAMES: Final[dict[Group, str]] = {
    "s1": "scope1",
    "s2.location": "scope2_location",
    "s2.market": "scope2_market",
    "s3": "scope3",
}
_GASES: Final = (*GASES, OTHER)
_TOTAL: Final = Text("合计", "Total")
_STATUS: Final = {
    "included": Text("纳入", "included"),
    "estimated": Text("估算", "estimated"),
    "not_significant": Text("不重要", "not significant"),
    None: Text("未筛查", "not screened"),
}


async def sources(context: Context) -> Section:
    """Sources × gases × scopes."""
    book = await book_of(context)
    blocks: list[Block] = [_by_gas(context, book), *await _assumed(context)]
    blocks += [_by_state(context, book), *_doubts(context, book)]
    blocks += [*_factors(book), _records(context, book)]
    blocks += [*_left_out(context), *_beside(context), _screening(context)]
    head = Text("温室气体清单：排放源×气体×范围", "GHG inventory: source × gas × scope")
    return Section("sources", head, tuple(blocks))


async def _assumed(context: Context) -> list[Block]:
    """That the ± rests on limits nobody published, where it does."""
    spread = (await context.uncertainty())[f"total_{context.basis}"].total
    return [Paragraph(_ASSUMED, "note")] if spread.assumed else []


_ASSUMED: Final = Text(
    "±（95%）的部分依据为假定：官方因子未公布不确定度（规则6.6）。",
    "± (95 %) rests in part on what is assumed: official factors publish no uncertainty (rule 6.6).",
)


def co2_only(context: Context, basis: Basis) -> bool:
    """True when a total holds electricity whose factor is of CO2 alone."""
    return any(CO2_ONLY_NOTE in line.note for line in context.inventory.lines(basis))


def total_unit(context: Context, basis: Basis) -> Text:
    """What heads a total."""
    return MIXED_UNIT if co2_only(context, basis) else Text(TOTAL_UNIT, TOTAL_UNIT)


def _by_gas(context: Context, book: Book) -> Table:
    gases = _GASES if any(OTHER in booked.gases for booked in book.all()) else GASES
    rows: list[Row] = []
    for group in GROUPS:
        style: Literal["memo", "subtotal"] = "memo" if group == "s3" else "subtotal"
        sums = [_cell(context, f"{group}.{gas.lower()}") for gas in gases]
        name = term(_NAMES[group])
        if group == "s3":
            name = Text(f"{name.zh}（不计入合计）", f"{name.en}, in no total")
        ends = (Cell(figure=total_of(group)), Cell(figure=f"{group}.u"))
        rows.append(Row((Cell(text=name), Cell(), *sums, *ends), style))
        rows += [_source(booked, gases, memo=group == "s3") for booked in book.groups[group]]
        if group.startswith("s2"):
            rows.append(_total(group.removeprefix("s2."), gases))
    rows.append(_biogenic(context, gases))
    unit = total_unit(context, context.basis)
    mark = co2_only(context, context.basis)
    columns = (
        Column(Text("排放源", "Source"), align="left", weight=3.2),
        Column(Text("ISO 14064-1 类别", "ISO 14064-1 category"), align="left", weight=1.1),
        *(Column(Text("其他", "other") if gas == OTHER else Text(gas, gas), TOTAL_UNIT) for gas in gases),
        Column(Text(f"合计（{CO2_ONLY.zh}）", f"Total ({CO2_ONLY.en})") if mark else _TOTAL, TOTAL_UNIT, weight=1.2),
        Column(Text("±（95%）", "± (95 %)"), TOTAL_UNIT, weight=0.8),
    )
    head = Text(f"按排放源和气体，{unit.zh}", f"By source and gas, {unit.en}")
    categories = "; ".join(f"{number} {en}" for number, (_, en) in ISO_NAMES.items() if number <= 2)
    note = Text(
        "类别1 直接排放，类别2 输入能源间接排放；范围三不在合计内。气体已按所声明的GWP折算为CO2e。",
        f"Categories: {categories}. Scope 3 is in no total. Gases are CO2e by the declared GWP set.",
    )
    return Table("sources.gases", head, columns, tuple(rows), note)


def _cell(context: Context, name: str) -> Cell:
    return Cell(figure=name) if name in context.sheet.figures else Cell()


def _source(booked: Booked, columns: Sequence[str], *, memo: bool) -> Row:
    gases = [Cell(figure=booked.gases[gas]) if gas in booked.gases else Cell() for gas in columns]
    cells = (Cell(text=source_words(booked)), words(*(str(booked.line.category),) * 2), *gases)
    return Row((*cells, Cell(figure=booked.name), Cell(figure=booked.half_width)), "memo" if memo else "normal", 1)


_COVERED: Final = Text("绿证覆盖", "covered by certificates")


def _told_apart(booked: Booked) -> Text:
    """What a line is called, the part of a purchase that certificates cover told from the rest."""
    label = booked.label
    return Text(f"{label.zh}（{_COVERED.zh}）", f"{label.en} ({_COVERED.en})") if is_covered(booked) else label


def source_words(booked: Booked) -> Text:
    """What a line is called: covered by certificates, unverified and simulated ones say so."""
    marks = [_COVERED] if is_covered(booked) else []
    if booked.line.unverified:
        marks.append(Text("因子未核实", "factor unverified"))
    if booked.line.simulated:
        marks.append(Text("仿真", "simulated"))
    if not marks:
        return booked.label
    told = join(marks, "，", ", ")
    return Text(f"{booked.label.zh}（{told.zh}）", f"{booked.label.en} ({told.en})")


def _total(basis: str, gases: Sequence[str]) -> Row:
    name = term(f"total_{basis}")
    blank = (Cell(),) * (len(gases) + 1)
    return Row((Cell(text=name), *blank, Cell(figure=f"total.{basis}"), Cell(figure=f"total.{basis}.u")), "total")


def _biogenic(context: Context, gases: Sequence[str]) -> Row:
    lines = context.inventory.lines("location")
    amount = context.inventory.biogenic_nano_kg if lines else None
    figure = context.sheet.put("biogenic.co2", tonnes(amount or None), "t CO2", 1, rule="1.19")
    blank = (Cell(),) * (len(gases) - 1)
    name = Text("生物源CO₂（备忘项）", "Biogenic CO2 (memo)")
    return Row((Cell(text=name), Cell(), figure, *blank, Cell(), Cell()), "memo")


def _by_state(context: Context, book: Book) -> Table:
    """Share of each line's amount by data state; the last row weighs them by emissions on the declared basis."""
    rows = []
    for booked in _judged(context, book):
        cells = [_share(context, f"{booked.name}.state.{state}", booked.line.states.get(state)) for state in STATES]
        rows.append(Row((Cell(text=_told_apart(booked)), *cells)))
    whole = _weighed([booked.line for booked in _judged(context, book)])
    cells = [_share(context, f"states.{state}", whole.get(state)) for state in STATES]
    rows.append(Row((Cell(text=Text("按排放量加权", "weighed by emissions")), *cells), "total"))
    columns = (
        Column(Text("排放源", "Source"), align="left", weight=2.6),
        *(Column(name, "%") for name in STATES.values()),
    )
    return Table("sources.states", Text("数据状态占比", "Share by data state"), columns, tuple(rows))


def _judged(context: Context, book: Book) -> tuple[Booked, ...]:
    return (*book.groups["s1"], *book.groups["s2.market" if context.basis == "market" else "s2.location"])


def _share(context: Context, name: str, share: float | None) -> Cell:
    if share is None:
        return Cell()
    return context.sheet.put(name, Decimal(f"{100 * share:.9f}"), "%", 1, rule="6.7")


def _weighed(lines: list[Line]) -> dict[str, float]:
    """Data states weighed by the size of the emissions."""
    whole = sum(abs(line.co2e_nano_kg) for line in lines if line.states)
    if not whole:
        return {}
    shares = dict.fromkeys(STATES, 0.0)
    for line in lines:
        for state, share in line.states.items():
            shares[state] += share * abs(line.co2e_nano_kg) / whole
    return shares


def _doubts(context: Context, book: Book) -> list[Block]:
    """What rests on factors that were not seen in their source, and other words that belong beside the totals."""
    sheet, rows = context.sheet, []
    for basis in BASES:
        group: Group = "s2.location" if basis == "location" else "s2.market"
        doubtful = [booked.name for booked in (*book.groups["s1"], *book.groups[group]) if booked.line.unverified]
        known = sheet.figures[f"total.{basis}"].value is not None
        name = f"unverified.{basis}"
        if doubtful:
            sheet.total(name, doubtful, TOTAL_UNIT, 1)
            sheet.follow(f"{name}.pct", Formula("quotient", (name, f"total.{basis}"), "100"), "%", 1)
        else:
            sheet.put(name, 0 if known else None, TOTAL_UNIT, 1)
            sheet.put(f"{name}.pct", 0 if known else None, "%", 1)
        rows.append(Row((Cell(text=term(f"total_{basis}")), Cell(figure=name), Cell(figure=f"{name}.pct"))))
    columns = (
        Column(Text("合计", "Total"), align="left", weight=3),
        Column(Text("未核实因子", "Unverified factors"), TOTAL_UNIT),
        Column(Text("占合计", "Share of the total"), "%"),
    )
    head = Text("未核实因子占合计的比例", "Share of unverified factors")
    table = Table("sources.unverified", head, columns, tuple(rows))
    return [table, *(Paragraph(said(warning), "note") for warning in warnings_of(context))]


def warnings_of(context: Context) -> list[str]:
    """What is to be said of the amounts; what is said of factors stands beside the lines that they act on."""
    inventory = context.inventory
    lines = [*inventory.lines("location"), *inventory.lines("market"), *inventory.scope3.lines]
    of_factors = {part for line in lines for part in line.note.split("; ")}
    of_factors |= {f"{match.factor.factor} is unverified" for line in lines for match in line.factors}
    told = [warning for warning in inventory.warnings if warning not in of_factors]
    return [warning for warning in told if not warning.startswith("market-based scope 2 exceeds")]


def _factors(book: Book) -> list[Block]:
    """Amounts and factors of scope 1 and 3; those of scope 2 have a page of their own."""
    rows = [factor_row(booked) for group in ("s1", "s3") for booked in book.groups[group]]
    if not rows:
        return []
    head = Text("活动数据与因子：范围一、范围三", "Activity data and factors: scopes 1 and 3")
    return [Table("sources.factors", head, FACTOR_COLUMNS, tuple(rows))]


FACTOR_COLUMNS: Final = (
    Column(Text("排放源", "Source"), align="left", weight=2.2),
    Column(Text("活动数据", "Activity data"), weight=1.3),
    Column(Text("单位", "Unit"), align="left", weight=0.6),
    Column(Text("排放因子", "Emission factor"), weight=1.2),
    Column(Text("因子、数据年份、匹配方式", "Factor, data year, match"), align="left", weight=3.0),
    Column(Text("排放量", "Emissions"), TOTAL_UNIT),
)


def factor_row(booked: Booked) -> Row:
    """A line with its amount × factor."""
    name, source = source_words(booked), booked.line.source
    if "/" in source and source not in name.en:
        name = Text(f"{name.zh} {source}", f"{name.en} {source}")
    return Row(
        (
            Cell(text=name),
            Cell(figure=f"{booked.name}.amount"),
            words(*(booked.line.activity_unit,) * 2),
            Cell(figure=f"{booked.name}.factor"),
            Cell(text=factor_words(booked)),
            Cell(figure=booked.name),
        )
    )


def factor_words(booked: Booked) -> Text:
    """The records behind a line: one with its data year and match, several by their ids."""
    parts = [] if booked.by_product else [Text("各小时的平均", "mean of the hours")]
    matches = _matches([booked])
    if len(matches) == 1:
        factor, how = matches[0].factor, MATCHES[matches[0].match]
        year = "–" if factor.data_year is None else str(factor.data_year)
        told = Text(f"{factor.factor}（数据年份 {year}，{how.zh}）", f"{factor.factor} (data year {year}, {how.en})")
        parts.append(told)
    elif matches:
        names = ", ".join(match.factor.factor for match in matches)
        parts.append(Text(names, names))
    if parts:
        return join(parts)
    if is_covered(booked):
        return said("covered by certificates cancelled for this consumption")
    return Text("声明的GWP组，或录入值", "GWP of the declared set, or as entered")


def is_covered(booked: Booked) -> bool:
    """True for the part of a purchase that certificates cover."""
    return booked.name.split(".")[-1].startswith("covered")


def _matches(lines: Iterable[Booked]) -> list[FactorMatch]:
    """Factors of lines, each once; potentials of warming are declared as a set."""
    found = {match.factor.factor: match for booked in lines for match in booked.line.factors}
    return [found[name] for name in sorted(found) if found[name].factor.purpose != "gwp"]


def _records(context: Context, book: Book) -> Table:
    """Every factor that was used, once: value, edition, data year, how it was found, whether its source was seen."""
    rows = []
    for match in _matches(book.all()):
        factor = match.factor
        value = None if factor.value is None else Decimal(repr(factor.value))
        name = unused(f"factor.{slug(factor.factor)}", context.sheet.figures)
        places = 4 if value is None else decimals_of(value)
        year = "–" if factor.data_year is None else str(factor.data_year)
        verified = Text("未核实", "unverified") if match.unverified else Text("已核实", "verified")
        rows.append(
            Row(
                (
                    words(factor.factor, factor.factor),
                    context.sheet.put(name, value, factor.unit, places, basis="factor"),
                    words(*(factor.unit,) * 2),
                    words(*(edition_of(factor),) * 2),
                    words(year, year),
                    Cell(text=MATCHES[match.match]),
                    Cell(text=verified),
                )
            )
        )
    columns = (
        Column(Text("因子", "Factor"), align="left", weight=2.4),
        Column(Text("数值", "Value")),
        Column(Text("单位", "Unit"), align="left", weight=1.2),
        Column(Text("发布者与版本", "Publisher and edition"), align="left", weight=2.0),
        Column(Text("数据年份", "Data year"), align="left", weight=0.7),
        Column(Text("匹配方式", "Match"), align="left", weight=1.5),
        Column(Text("来源核实", "Source seen"), align="left", weight=0.8),
    )
    return Table("sources.records", Text("所用因子记录", "Factor records used"), columns, tuple(rows))


def edition_of(factor: Factor) -> str:
    """Publisher and edition, a publisher that the edition names already left out."""
    if factor.edition.startswith(factor.publisher.split(" ")[0]):
        return factor.edition
    return f"{factor.publisher} {factor.edition}".strip()


def _left_out(context: Context) -> list[Block]:
    items = context.inventory.not_in_total
    if not items:
        return []
    rows = tuple(
        Row((words(*(str(item["point"]),) * 2), words(*(_amount(item),) * 2), Cell(text=said(str(item["reason"])))))
        for item in items
    )
    columns = (
        Column(Text("排放源", "Source"), align="left", weight=2.0),
        Column(Text("活动数据", "Activity data"), align="left"),
        Column(Text("原因", "Reason"), align="left", weight=2.5),
    )
    return [Table("sources.not_in_total", Text("未计入合计", "Not in the total"), columns, rows)]


def _amount(item: dict[str, object]) -> str:
    amount = item["amount"]
    return f"{amount:,.1f} {item['unit']}" if isinstance(amount, int | float) else "–"


def _beside(context: Context) -> list[Block]:
    items = context.inventory.beside
    if not items:
        return []
    rows = tuple(
        Row(
            (
                words(*(str(item["source"]),) * 2),
                words(*(_amount(item),) * 2),
                Cell(text=said(str(item["reason"]))),
            ),
            "memo",
        )
        for item in items
    )
    columns = (
        Column(Text("项目", "Item"), align="left", weight=2.0),
        Column(Text("数量", "Amount"), align="left"),
        Column(Text("说明", "Why"), align="left", weight=2.5),
    )
    return [Table("sources.beside", Text("列示、不属于合计", "Shown, part of no total"), columns, rows)]


def _screening(context: Context) -> Table:
    """What was decided on each category of scope 3."""
    rows, open_ones = [], []
    for item in context.inventory.screening:
        names, status = item["name"], item["status"]
        if status is None and not item["entries"]:
            open_ones.append(str(item["category"]))
            continue
        assert isinstance(names, dict)  # noqa: S101 - made by `screening_table`
        estimate = item["estimate_t"]
        size = None if estimate is None else Decimal(str(estimate))
        name = f"s3.estimate.{item['category']}"
        cells = (
            words(f"{item['category']} {names['zh']}", f"{item['category']} {names['en']}"),
            Cell(text=_STATUS[status if status is None else str(status)]),
            Cell() if size is None else context.sheet.put(name, size, TOTAL_UNIT, 1, basis="entered"),
            words(*(str(item["why"] or ""),) * 2),
        )
        rows.append(Row(cells))
    if open_ones:
        rest = Text(f"类别 {', '.join(open_ones)}", f"categories {', '.join(open_ones)}")
        rows.append(Row((Cell(text=rest), Cell(text=_STATUS[None]), Cell(), Cell())))
    columns = (
        Column(Text("类别", "Category"), align="left", weight=2.0),
        Column(Text("筛查结果", "Decision"), align="left"),
        Column(Text("估计", "Estimate"), TOTAL_UNIT),
        Column(Text("理由", "Why"), align="left", weight=2.5),
    )
    return Table("sources.scope3", Text("范围三筛查", "Screening of scope 3"), columns, tuple(rows))
