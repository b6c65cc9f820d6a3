"""Page 3: the energy balance in kWh, comprehensive energy in GJ and tce by both values, the bills on their dates."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from parkcarbon.books.indicators.park import counted, energy_of
from parkcarbon.books.quality.reconcile import BillCheck
from parkcarbon.domain.activities.activity import within
from parkcarbon.domain.factors import NoFactorError
from parkcarbon.domain.figure_names import words as names_of
from parkcarbon.domain.indicators.energy import Comprehensive, EnergyUse
from parkcarbon.domain.inventory import PointAmount, days_of
from parkcarbon.domain.methods.amounts import flow_micro
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.submeters import outermost
from parkcarbon.statement.compose.context import Context
from parkcarbon.statement.compose.wording.translate import said
from parkcarbon.statement.compose.wording.words import NO_DATA, join, of_name, slug, term, unused
from parkcarbon.statement.record import Block, Cell, Column, Formula, Pairs, Paragraph, Section, Table, Text
from parkcarbon.statement.record import Line as Row
from parkcarbon.statement.sheet import units, words

SUPPLY: Final = ("import", "generation", "discharge")
USES: Final = ("charge", "export")
_FLOW_OF: Final = {"received": "import", "delivered": "export", "generated": "generation"}
_KWH_PER: Final = {"kWh": 1, "MWh": 1000}
_GJ_PER_KWH: Final = "0.0036"


async def energy(context: Context) -> Section:
    """The balance of electricity, comprehensive energy, and the difference to the bills."""
    blocks: list[Block] = [_balance(context), *_comprehensive(context), await _bills(context)]
    return Section("energy", Text("能源平衡", "Energy balance"), tuple(blocks))


def _entered(context: Context) -> list[PointAmount]:
    """Entered electricity as amounts of the balance, by its days inside the period."""
    days = days_of(context.period.label)
    parts = [within(entry, *days) for entry in context.inputs.activities if entry.kind == "electricity"]
    return [
        PointAmount(
            part.name,
            _FLOW_OF[part.direction],
            "electricity",
            "kWh",
            part.amount_micro * _KWH_PER[part.unit],
            method_ms={part.state: 1},
        )
        for part in parts
        if part is not None
    ]


def _balance(context: Context) -> Table:
    """Every flow; load and what is unmetered follow from them, and are unknown where an input is."""
    points = [*context.inputs.points, *_entered(context)]
    flows = [point for point in points if point.carrier == "electricity" and point.flow in (*SUPPLY, *USES)]
    rows = [_flow(context, points, flow) for flow in SUPPLY]
    rows += [_flow(context, points, flow) for flow in USES]
    if _load(context, flows):
        rows.insert(len(SUPPLY), _row("supply", "energy.supply.kwh", style_total=True))
    rows.append(_row("load", "energy.load.kwh", style_total=True))
    sub_meters = [point for point in points if (point.carrier, point.flow) == ("electricity", "sub_meter")]
    metered = flow_micro(outermost(sub_meters), "sub_meter")
    context.sheet.put("energy.sub_meter.kwh", units(metered), "kWh", 1, basis="registers", explain="energy:sub_meter")
    rows.append(_row("sub_meter", "energy.sub_meter.kwh"))
    left = Formula("difference", ("energy.load.kwh", "energy.sub_meter.kwh"))
    context.sheet.follow("energy.unmetered.kwh", left, "kWh", 1, explain="unmetered", rule="5.6")
    rows.append(_row("unmetered", "energy.unmetered.kwh", style_total=True))
    shown = [row.cells[1].figure or "" for row in rows]
    for name in (figure.removeprefix("energy.").removesuffix(".kwh") for figure in shown):
        context.sheet.follow(f"energy.{name}.gj", Formula("sum", (f"energy.{name}.kwh",), _GJ_PER_KWH), "GJ", 2)
    share = Formula("quotient", ("energy.unmetered.kwh", "energy.import.kwh"), "100")
    context.sheet.follow("energy.unmetered.pct", share, "%", 2)
    share_name = Text("未计量及损耗占下网电量", "unmetered and losses, share of grid import [%]")
    rows.append(Row((Cell(text=share_name), Cell(figure="energy.unmetered.pct"), Cell()), "memo"))
    columns = (
        Column(Text("流向", "Flow"), align="left", weight=2.5),
        Column(Text("电量", "Electricity"), "kWh"),
        Column(Text("热量", "Energy"), "GJ"),
    )
    note = Text(
        "负荷=下网+发电+放电−充电−上网；上网电量不冲减下网电量。",
        "Load = import + generation + discharge − charge − export; exports are never netted against purchases.",
    )
    return Table("energy.balance", Text("电量平衡", "Balance of electricity"), columns, tuple(rows), note)


def _flow(context: Context, points: Sequence[PointAmount], flow: str) -> Row:
    amount = units(flow_micro(points, flow))
    metered = any(fact.flow == flow and fact.carrier == "electricity" for fact in context.facts.metered())
    explain = f"energy:{flow}" if metered else ""
    context.sheet.put(f"energy.{flow}.kwh", amount, "kWh", 1, basis="registers", explain=explain)
    return _row(flow, f"energy.{flow}.kwh")


def _row(name: str, figure: str, *, style_total: bool = False) -> Row:
    label = Text("供入合计", "supply") if name == "supply" else term(name)
    cells = (Cell(text=label), Cell(figure=figure), Cell(figure=figure.replace(".kwh", ".gj")))
    return Row(cells, "subtotal" if style_total else "normal")


def _load(context: Context, flows: Sequence[PointAmount]) -> bool:
    """Load from the flows that the park has; unknown (False) where one of their meters shows nothing."""
    there = {point.flow for point in flows}
    whole = bool(flows) and all(point.known for point in flows) and there & {"import", "generation"}
    if not whole:
        context.sheet.put("energy.load.kwh", None, "kWh", 1, explain="load", rule="5.6")
        return False
    supply = [f"energy.{flow}.kwh" for flow in SUPPLY if flow in there]
    context.sheet.total("energy.supply.kwh", supply, "kWh", 1)
    drawn = [f"energy.{flow}.kwh" for flow in USES if flow in there]
    context.sheet.follow(
        "energy.load.kwh", Formula("difference", ("energy.supply.kwh", *drawn)), "kWh", 1, explain="load", rule="5.6"
    )
    return True


def _comprehensive(context: Context) -> list[Block]:
    """Energy of every carrier in GJ and in tonnes of standard coal on both values, each named."""
    columns = (
        Column(Text("能源", "Energy"), align="left", weight=2.2),
        Column(Text("消费量", "Consumption")),
        Column(Text("单位", "Unit"), align="left", weight=0.6),
        Column(Text("热量（当量）", "Energy"), "GJ"),
        Column(Text("当量值", "Calorific value"), "tce"),
        Column(Text("等价值", "Equal value"), "tce"),
    )
    head = Text("综合能源消费量（当量值/等价值）", "Comprehensive energy consumption (calorific / equal value)")
    found, reason = _energy_of(context)
    rows: list[Row] = []
    if found is not None:
        _conversions(context, found)
        rows = [_use(context, use) for use in found.uses]
    names = [row.cells[1].figure for row in rows]
    cells = []
    for kind, unit in (("gj", "GJ"), ("calorific", "tce"), ("equal", "tce")):
        parts = [(name or "").replace(".amount", f".{kind}") for name in names]
        if parts:
            context.sheet.total(f"energy.{kind}", parts, unit, 2, explain=_INDICATOR.get(kind, ""))
        else:
            context.sheet.put(f"energy.{kind}", None, unit, 2)
        cells.append(Cell(figure=f"energy.{kind}"))
    rows.append(Row((Cell(text=Text("合计", "total")), Cell(), Cell(), *cells), "total"))
    table = Table("energy.comprehensive", head, columns, tuple(rows), _note(found))
    told: list[Block] = [] if reason is None else [Paragraph(reason, "warning")]
    return [table, *([] if found is None else [_factors()]), *told]


_INDICATOR: Final = {"calorific": "indicator:energy_calorific", "equal": "indicator:energy_equal"}


def _energy_of(context: Context) -> tuple[Comprehensive | None, Text | None]:
    try:
        found = energy_of(context.facts, counted(context.inputs), context.period.year)
    except (RefusedError, NoFactorError) as reason:
        return None, join((NO_DATA, said(str(reason))), "：", ": ")
    if not found.uses:
        return None, NO_DATA
    told = [said(part) for part in (found.reason, *found.left_out) if part]
    return found, join(told) if told else None


def _note(found: Comprehensive | None) -> Text | None:
    """Where the equal value comes from; the values themselves stand beneath."""
    if found is None:
        return NO_DATA
    if found.equal is None:
        return None
    of = f"{found.equal.year}, {found.equal.source}"
    return Text(f"电力等价值：{of}", f"electricity at equal value: {of}")


def _conversions(context: Context, found: Comprehensive) -> None:
    """Standard coal of a kWh on both values, and the heat of a tonne of it."""
    for basis in ("calorific", "equal"):
        value = found.electricity_kgce(basis)
        number = None if value is None else Decimal(repr(value))
        context.sheet.put(f"energy.kgce.{basis}", number, "kgce/kWh", 4, basis="setting", rule="1.18")
    heat = Decimal(repr(found.conversion.gj_per_tce))
    context.sheet.put("energy.gj_per_tce", heat, "GJ/tce", 3, basis="setting")


def _factors() -> Pairs:
    """What a kWh and a GJ count in standard coal."""
    rows = (
        (Text("电力当量值", "electricity at calorific value"), "energy.kgce.calorific"),
        (Text("电力等价值", "electricity at equal value"), "energy.kgce.equal"),
        (Text("每吨标准煤热量", "heat of a tonne of standard coal"), "energy.gj_per_tce"),
    )
    return Pairs(tuple((name, Cell(figure=figure)) for name, figure in rows))


def _use(context: Context, use: EnergyUse) -> Row:
    sheet = context.sheet
    name = unused(f"energy.use.{slug(use.name)}.amount", sheet.figures).removesuffix(".amount")
    amount = None if use.amount is None else Decimal(f"{use.amount:.6f}")
    sheet.put(f"{name}.amount", amount, use.unit, 1 if use.unit == "kWh" else 2, basis="registers")
    electric = use.carrier == "electricity"
    gj = Formula("sum", (f"{name}.amount",), _GJ_PER_KWH if electric else "1")
    sheet.follow(f"{name}.gj", gj, "GJ", 2)
    for basis in ("calorific", "equal"):
        coal = Formula("quotient", (f"{name}.amount", "energy.gj_per_tce"))
        if electric:
            coal = Formula("product", (f"{name}.amount", f"energy.kgce.{basis}"), "0.001")
        sheet.follow(f"{name}.{basis}", coal, "tce", 2)
    zh, en = names_of(use.name)
    label = Text(zh, en) if zh else _device(context, use.name)
    cells = (Cell(text=label), Cell(figure=f"{name}.amount"), words(use.unit, use.unit))
    return Row((*cells, *(Cell(figure=f"{name}.{kind}") for kind in ("gj", "calorific", "equal"))))


def _device(context: Context, name: str) -> Text:
    device = context.device_names.get(name.partition("/")[0])
    return Text(name, name) if device is None else of_name(device)


async def _bills(context: Context) -> Table:
    """Gate against bill on the bill's own days; every difference is shown."""
    found = await context.bills()
    rows = [_bill(context, check) for check in found]
    columns = (
        Column(Text("账单", "Bill"), align="left", weight=2.2),
        Column(Text("日期", "Days"), align="left", weight=1.6),
        Column(Text("关口表", "Gate meter")),
        Column(Text("账单", "Bill")),
        Column(Text("差额", "Difference")),
        Column(Text("允许误差", "Combined error")),
        Column(Text("单位、判断", "Unit, finding"), align="left", weight=1.4),
    )
    head = Text("与账单的差额（按账单日期）", "Difference to the bills, on the bills' dates")
    return Table("energy.bills", head, columns, tuple(rows))


def _bill(context: Context, check: BillCheck) -> Row:
    sheet, entry, bill = context.sheet, check.entry, check.bill
    name = unused(f"bill.{bill.carrier}.{bill.direction}.{slug(bill.number)}.billed", sheet.figures)
    name = name.removesuffix(".billed")
    found = check.difference
    gate, billed, error = (None, None, None)
    if found is not None:
        gate, billed = units(found.left.amount_micro), units(found.right.amount_micro)
        error = Decimal(f"{found.error_micro / 1e6:.6f}")
    else:
        billed = Decimal(str(bill.amount))
    sheet.put(f"{name}.gate", gate, check.unit, 1, basis="registers", rule="6.11")
    sheet.put(f"{name}.billed", billed, check.unit, 1, basis="entered", rule="6.11")
    between = Formula("difference", (f"{name}.gate", f"{name}.billed"))
    sheet.follow(f"{name}.difference", between, check.unit, 1, rule="6.11")
    sheet.put(f"{name}.error", error, check.unit, 1, rule="6.11")
    figures = [Cell(figure=f"{name}.{part}") for part in ("gate", "billed", "difference", "error")]
    days = f"{entry.from_day} – {entry.to_day}"
    label = f"{bill.supplier} {bill.number}"
    return Row((words(label, label), words(days, days), *figures, Cell(text=_finding(check))))


def _finding(check: BillCheck) -> Text:
    beyond = None if check.difference is None else check.difference.beyond_error
    told = {
        True: Text("超出表计误差", "beyond the meters' error"),
        False: Text("在表计误差内", "within the meters' error"),
        None: Text("无法比较", "not comparable"),
    }[beyond]
    return join((Text(check.unit, check.unit), told, *(said(note) for note in check.notes)), "，", ", ")
