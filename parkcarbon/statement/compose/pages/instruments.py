"""Page 6: certificates, contracts and credits: serials, what they cover, what waits and what is refused by which rule.

References:
    accounting rules 3.4, 3.5, 3.12 (surplus), 3.14, 4.1-4.6, 5.3.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from parkcarbon.statement.compose.context import Context
from parkcarbon.statement.compose.wording.blocks import (
    EMPTY,
    fresh,
    left,
    line,
    plain_cell,
    right,
    say,
    say_text,
    table,
    text_cell,
)
from parkcarbon.statement.compose.wording.said import said
from parkcarbon.statement.compose.wording.words import NONE, slug
from parkcarbon.statement.record import Block, Cell, Line, Section, Table, Text
from parkcarbon.statement.sheet import tonnes, units, words

Json = Mapping[str, Any]

_KINDS: Final[Mapping[str, Text]] = {
    "GEC": Text("绿证", "GEC"),
    "GO": Text("GO", "GO"),
    "I-REC": Text("I-REC", "I-REC"),
    "green_power_contract": Text("绿电交易合同", "green-power contract"),
    "CCER": Text("CCER", "CCER"),
    "other_credit": Text("其他减排量", "other credit"),
}


async def instruments(context: Context) -> Section:
    """The page of certificates and credits."""
    cover = context.inputs.cover
    by_effect: dict[str, list[Json]] = {}
    for use in cover.used:
        by_effect.setdefault(str(use["effect"]), []).append(use)
    blocks: list[Block] = []
    if context.order.kind == "flash":
        blocks.append(
            say(
                "快报：证书与减排量待定，以月度声明为准。",
                "Flash report: certificates and credits are pending; the statement of the month decides.",
                "strong",
            )
        )
    if not (cover.used or cover.pending or cover.refused):
        blocks.append(
            say(
                "台账中没有与本期有关的证书、合同或减排量。",
                "The ledger holds no certificate, contract or credit that concerns this period.",
            )
        )
    blocks.append(_covering(context, by_effect.get("covers_purchased", [])))
    blocks.append(_retired(context, by_effect.get("offsets", [])))
    blocks += _own(context, by_effect)
    blocks.append(_surplus(context))
    blocks.append(_waiting(context, cover.pending))
    blocks.append(_refused(context, cover.refused))
    blocks += [say_text(said(note), "note") for note in cover.notes]
    blocks.append(
        say(
            "待定与拒绝的单位不计入任何合计。",
            "What is pending or refused is in no total.",
            "note",
        )
    )
    return Section("instruments", Text("证书与减排量", "Instruments"), tuple(blocks))


def _covering(context: Context, uses: Sequence[Json]) -> Table:
    """Cancelled certificates and the purchased electricity each of them covers."""
    sheet, lines, names = context.sheet, list[Line](), list[str]()
    for use in uses:
        name = _name(context, "gec", use)
        whole = int(use["micro_kwh"]) + sum(
            int(other["micro_kwh"]) for other in _above(context) if other["event"] == use["event"]
        )
        mwh = sheet.put(f"{name}.mwh", _mwh(whole), "MWh", 3, basis="ledger", rule="4.1")
        kwh = sheet.put(f"{name}.kwh", units(use["micro_kwh"]), "kWh", 0, basis="ledger", explain="cover", rule="4.3")
        names.append(f"{name}.kwh")
        lines.append(line(_kind(use), *_which(context, use), mwh, kwh))
    total = sheet.total("instruments.covered.kwh", names, "kWh", 0, explain="cover") if names else None
    if total is not None:
        lines.append(line(words("合计", "total"), *[EMPTY] * 6, total, style="total"))
    return table(
        "instruments.certificates",
        ("已核销：覆盖的外购电量", "Cancelled: purchased electricity covered"),
        (*_HEADS, right("核销电量", "cancelled", "MWh"), right("覆盖电量", "kWh covered", "kWh", 1.2)),
        lines or [_none(8)],
    )


def _retired(context: Context, uses: Sequence[Json]) -> Table:
    """Retired credits; they offset what remains and are in no inventory."""
    sheet, lines, names = context.sheet, list[Line](), list[str]()
    for use in uses:
        name = _name(context, "credit", use)
        cell = sheet.put(
            f"{name}.t", tonnes(use["nano_kg"]), "t CO2e", 1, basis="ledger", explain="shortfall", rule="3.4"
        )
        names.append(f"{name}.t")
        lines.append(line(_kind(use), *_which(context, use), cell))
    if names:
        total = sheet.total("instruments.retired.t", names, "t CO2e", 1, explain="shortfall")
        lines.append(line(words("合计", "total"), *[EMPTY] * 6, total, style="total"))
    return table(
        "instruments.credits",
        ("已注销减排量", "Retired credits"),
        (*_CREDIT_HEADS, right("数量", "amount", "t CO2e", 1.2)),
        lines or [_none(8)],
    )


_MOMENT: Final = dt.timedelta(seconds=1)
_HEADS: Final = (
    left("种类", "kind", 0.8),
    left("编号", "serials", 2.0),
    left("发电月", "generated", 0.9),
    left("登记系统", "registry", 1.0),
    left("核销日", "cancelled on", 1.1),
    left("公开记录", "public record", 1.4),
)
_CREDIT_HEADS: Final = (
    left("种类", "kind", 0.8),
    left("编号", "serials", 2.0),
    left("减排期间", "vintage", 1.2),
    left("登记系统", "registry", 1.0),
    left("注销日", "retired on", 1.1),
    left("公开记录", "public record", 1.4),
    left("为", "for", 0.8),
)


def _which(context: Context, use: Json) -> tuple[Cell, ...]:
    """Serials, generation, registry, day and record; of a credit also for whom."""
    cells = (
        plain_cell(str(use["serials"])),
        plain_cell(_generated(context, use)),
        plain_cell(str(use["registry"])),
        plain_cell(str(use.get("on_day", ""))),
        plain_cell(str(use.get("public_record") or "–")),
    )
    return (*cells, _for(use)) if "nano_kg" in use else cells


def _for(use: Json) -> Cell:
    tenant = use.get("tenant")
    return words("园区", "park") if tenant is None else plain_cell(str(tenant))


def _generated(context: Context, use: Json) -> str:
    """A generation month, or the first and last local day of a span."""
    begin, slash, end = str(use["generated"]).partition("/")
    if not slash:
        return begin
    first, last = (dt.datetime.fromisoformat(text) for text in (begin, end))
    zone = context.facts.zone
    return f"{first.astimezone(zone):%Y-%m-%d} – {(last - _MOMENT).astimezone(zone):%Y-%m-%d}"


def _kind(use: Json) -> Cell:
    kind = _KINDS.get(str(use["kind"]), Text(str(use["kind"]), str(use["kind"])))
    if use.get("simulated"):
        return words(f"{kind.zh}（仿真）", f"{kind.en} (simulated)")
    return text_cell(kind)


def _mwh(micro_kwh: int) -> Decimal:
    """Megawatt-hours, exact."""
    return Decimal(micro_kwh).scaleb(-9)


def _above(context: Context) -> list[Json]:
    """Cancellations, or parts of them, beyond what was purchased or self-used."""
    return [
        use for use in context.inputs.cover.refused if use["rule"] == "4.3" and " kWh above the " in str(use["reason"])
    ]


def _name(context: Context, kind: str, use: Json) -> str:
    first = str(use["serials"]).partition(" ")[0]
    members = ("mwh", "kwh", "t")
    return fresh(context.sheet, f"instrument.{kind}.{slug(str(use['registry']))}.{slug(first)}", members)


def _own(context: Context, by_effect: Mapping[str, Sequence[Json]]) -> list[Block]:
    """Certificates of generation inside the park: sold ones, and those that prove self-use."""
    told = {
        "void": ("自用电量的绿证已售出：不得按零计", "sold, of self-used power: not counted at zero"),
        "none": ("上网电量的绿证已售出：无影响", "sold, of exported power: no effect"),
        "proves_self_use": ("自用绿证：仅作证明", "own-use: proves, lowers nothing"),
    }
    lines = []
    for effect, (zh, en) in told.items():
        for use in by_effect.get(effect, []):
            name = _name(context, "own", use)
            kwh = context.sheet.put(
                f"{name}.kwh", units(use["micro_kwh"]), "kWh", 0, basis="ledger", rule=str(use["rule"])
            )
            cells = (
                plain_cell(str(use["serials"])),
                plain_cell(_generated(context, use)),
                plain_cell(str(use["on_day"])),
            )
            lines.append(line(_kind(use), *cells, words(zh, en), plain_cell(str(use["rule"])), kwh))
    if not lines:
        return []
    columns = (
        left("种类", "kind", 0.8),
        left("编号", "serials", 2.0),
        left("发电月", "generated", 0.9),
        left("日期", "on", 1.0),
        left("作用", "effect", 2.2),
        left("规则", "rule", 0.6),
        right("电量", "electricity", "kWh"),
    )
    return [table("instruments.own", ("园内发电的证书", "Certificates of generation inside the park"), columns, lines)]


def _surplus(context: Context) -> Table:
    """What was cancelled or retired beyond what there was to cover; no negative emission."""
    sheet, cover = context.sheet, context.inputs.cover
    kwh = sum(int(use["micro_kwh"]) for use in _above(context))
    remaining = context.inventory.total_nano_kg(context.basis)
    rest = None if remaining is None else max(cover.retired_nano_kg - remaining, 0)
    cells = (
        sheet.put("instruments.surplus.kwh", units(kwh) if kwh else None, "kWh", 0, basis="ledger", rule="4.3")
        if kwh
        else text_cell(NONE),
        sheet.put("instruments.surplus.t", tonnes(rest), "t CO2e", 1, rule="3.12")
        if rest is None or rest > 0
        else text_cell(NONE),
    )
    lines = (
        line(words("核销超出外购或自用电量", "certificates beyond what was purchased or self-used"), cells[0], EMPTY),
        line(words("注销超出待抵销排放", "credits beyond the remaining emissions"), EMPTY, cells[1]),
    )
    columns = (left("盈余", "surplus", 3.0), right("电量", "electricity", "kWh"), right("减排量", "credits", "t CO2e"))
    return table("instruments.surplus", ("盈余（不是负排放）", "Surplus (no negative emission)"), columns, lines)


def _amounts(context: Context, name: str, use: Json) -> tuple[Cell, Cell]:
    """Electricity [MWh] or credits [t] of a use that does not count."""
    if "nano_kg" in use:
        return EMPTY, context.sheet.put(f"{name}.t", tonnes(use["nano_kg"]), "t CO2e", 1, basis="ledger")
    return context.sheet.put(f"{name}.mwh", _mwh(int(use["micro_kwh"])), "MWh", 3, basis="ledger"), EMPTY


def _waiting(context: Context, uses: Sequence[Json]) -> Table:
    lines = []
    for use in uses:
        name = _name(context, "pending", use)
        cells = _kind(use), plain_cell(str(use["serials"])), plain_cell(_generated(context, use))
        lines.append(line(*cells, text_cell(said(str(use["reason"]))), *_amounts(context, name, use)))
    columns = (
        left("种类", "kind", 0.8),
        left("编号", "serials", 2.0),
        left("发电月", "generated", 0.9),
        left("待定原因", "why it waits", 3.0),
        right("电量", "electricity", "MWh"),
        right("减排量", "credits", "t CO2e"),
    )
    return table("instruments.pending", ("待定", "Pending"), columns, lines or [_none(6)])


def _refused(context: Context, uses: Sequence[Json]) -> Table:
    lines = []
    for use in uses:
        name = _name(context, "refused", use)
        cells = (
            _kind(use),
            plain_cell(str(use["serials"])),
            plain_cell(_generated(context, use)),
            plain_cell(str(use["rule"])),
        )
        lines.append(line(*cells, text_cell(said(str(use["reason"]))), *_amounts(context, name, use)))
    columns = (
        left("种类", "kind", 0.8),
        left("编号", "serials", 2.0),
        left("发电月", "generated", 0.9),
        left("规则", "rule", 0.6),
        left("拒绝原因", "why it is refused", 2.8),
        right("电量", "electricity", "MWh"),
        right("减排量", "credits", "t CO2e"),
    )
    return table("instruments.refused", ("拒绝", "Refused"), columns, lines or [_none(7)])


def _none(width: int) -> Line:
    """A row that says there is none: the ledger is known, so this is no missing number."""
    return line(text_cell(NONE), *[EMPTY] * (width - 1))
