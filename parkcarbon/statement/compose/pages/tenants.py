"""Page 7: the park's total by tenant, by the declared rule; and what each legal entity reports, with the eliminations.

References:
    accounting rules 3.3 (a tenant's part is no statement of that tenant), 5.1, 5.6, 6.8 (parts add up exactly).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from parkcarbon.books.indicators.power import consumption_micro
from parkcarbon.books.tenants.views import allocation_of, entities_of
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.tenancy.allocation import Allocation, Rule
from parkcarbon.domain.tenancy.entity import BASES, Basis, EntityView
from parkcarbon.domain.tenancy.views import PARK, TOTALS, Total
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
from parkcarbon.statement.compose.wording.words import slug
from parkcarbon.statement.record import Block, Cell, Column, Formula, Line, Section, Text
from parkcarbon.statement.sheet import tonnes, units, words

from .condensed import Condensed

_HEADS: Final[Mapping[Total, tuple[str, str, str]]] = {
    "scope1": ("范围一（直接排放）", "Scope 1 (direct)", "t CO2e"),
    "scope2_location": ("范围二（基于位置）", "Scope 2, location-based", "t CO2"),
    "scope2_market": ("范围二（基于市场）", "Scope 2, market-based", "t CO2"),
    "scope3": ("范围三（其他间接排放）", "Scope 3 (other indirect)", "t CO2e"),
}
_CARRIERS: Final = {
    "all": ("全部能源", "all carriers"),
    "electricity": ("电力", "electricity"),
    "gas": ("燃气", "gas"),
    "heat": ("热力", "heat"),
    "other": ("其他", "other"),
}
_MEDIA: Final = {
    "power": ("电力", "power"),
    "roof_pv": ("屋顶光伏", "roof PV"),
    "steam": ("蒸汽", "steam"),
    "heat": ("热力", "heat"),
}


async def tenants(context: Context) -> Section:
    """Both views; they answer different questions and are never added."""
    blocks: list[Block] = [
        say("分摊视图：园区总量按声明的规则分给租户；不是租户自己的声明。", "Allocation view: the park's total by a "
            "declared rule; no statement of the tenant itself.", "strong")
    ]  # fmt: skip
    document = context.facts.document
    condensed = Condensed(context.session, context.facts, context.period)
    if document.tenants:
        blocks += await _allocation(context, condensed)
    else:
        blocks.append(
            say("园区文件未列出租户：全部归园区。", "The park document names no tenants: all is the park's own.")
        )
    blocks.append(
        say("法人视图：各法人自己应报告的量；相互重叠，须经抵消表回到园区总量。", "Entity view: what each legal entity "
            "reports for itself; parts overlap, and the elimination table leads back to the park's total.", "strong")
    )  # fmt: skip
    if document.entities:
        blocks += await _entities(context, condensed)
    else:
        blocks.append(
            say(
                "园区文件未列出法人实体：无此视图。",
                "The park document names no legal entities: there is no such view.",
            )
        )
    return Section("tenants", Text("租户与法人", "Tenants and entities"), tuple(blocks))


async def _allocation(context: Context, condensed: Condensed) -> list[Block]:
    try:
        found = await allocation_of(condensed, condensed.facts, context.period, context.inventory)
    except RefusedError as reason:
        return [_refused(reason)]
    return _allocated(context, found)


def _refused(reason: RefusedError) -> Block:
    rule = f"（规则{reason.rule}）" if reason.rule else ""
    return say(f"无法给出{rule}：{said(reason.reason).zh}", f"Cannot be given: {reason}", "warning")


def _allocated(context: Context, allocation: Allocation) -> list[Block]:
    """Rule in words, parts, sums."""
    totals = [total for total in TOTALS if total != "scope3" or allocation.total(total) is not None]
    lines = [_part(context, allocation, tenant, totals) for tenant in allocation.tenants]
    lines.append(_sum(context, allocation, totals))
    return [
        *(say_text(_rule(rule), "normal") for rule in allocation.rules),
        table("tenants.allocation", ("分摊视图", "Allocation view"), _columns(totals), lines),
        *(say_text(said(note), "note") for note in allocation.notes),
    ]


def _columns(totals: list[Total]) -> list[Column]:
    return [
        left("租户", "tenant", 1.8),
        right("自有电表用电", "electricity of its own meters", "kWh", 1.3),
        *(right(*_HEADS[total], 1.2) for total in totals),
    ]


def _rule(rule: Rule) -> Text:
    """For example: rule power-by-meter (electricity, since 2025-01-01): by sub-meters; …."""
    zh, en = _CARRIERS[rule.carrier]
    spoken = rule.words()
    since_zh, since_en = (f"，自 {rule.from_day} 起", f", since {rule.from_day}") if rule.from_day else ("", "")
    return Text(
        f"规则 {rule.rule}（{zh}{since_zh}）：{spoken['zh']}。", f"Rule {rule.rule} ({en}{since_en}): {spoken['en']}."
    )


def _part(context: Context, allocation: Allocation, tenant: str, totals: list[Total]) -> Line:
    """One tenant; the park's own part last."""
    sheet = context.sheet
    used = None if tenant == PARK else _used(context, tenant)
    cells = [sheet.put(f"{_id(tenant)}.kwh", units(used), "kWh", 0, basis="registers")] if tenant != PARK else [EMPTY]
    for total in totals:
        nano = None if allocation.total(total) is None else allocation.part(tenant, total).co2e_nano_kg
        name = f"{_id(tenant)}.{total}"
        cells.append(sheet.put(name, tonnes(nano), _HEADS[total][2], 1, explain=f"tenant:{tenant}:{total}", rule="6.8"))
    return line(_who(context, tenant), *cells)


def _used(context: Context, tenant: str) -> int | None:
    """Electricity of a tenant's meters, or of the formula that stands for one [1e-6 kWh]; None: not known."""
    formulas = [one for one in context.facts.document.formulas if (one.tenant, one.flow) == (tenant, "sub_meter")]
    metered = consumption_micro(context.inputs.points, tenant)
    meters = context.facts.metered("sub_meter")
    own = any((point.tenant, point.carrier) == (tenant, "electricity") for point in meters)
    if not formulas or (own and metered is None):
        return metered
    amounts = {point.point: point.amount_micro for point in context.inputs.points if point.known}
    terms = [term for one in formulas for term in one.terms]
    if any(term.point not in amounts for term in terms) or any(one.constant_per_h for one in formulas):
        return None
    return (metered or 0) + round(sum(amounts[term.point] * Decimal(repr(term.factor)) for term in terms))


def _sum(context: Context, allocation: Allocation, totals: list[Total]) -> Line:
    cells = []
    for total in totals:
        parts = tuple(f"{_id(tenant)}.{total}" for tenant in allocation.tenants)
        cells.append(context.sheet.follow(f"tenants.{total}", Formula("sum", parts), _HEADS[total][2], 1))
    return line(words("园区", "park"), EMPTY, *cells, style="total")


def _id(tenant: str) -> str:
    """Names of tenants are made for ids."""
    return "tenants.park_itself" if tenant == PARK else f"tenant.{tenant}"


def _who(context: Context, tenant: str) -> Cell:
    if tenant == PARK:
        return words("园区自身", "the park itself")
    names = {one.tenant: one.name for one in context.facts.document.tenants}
    return words(names[tenant].zh, names[tenant].en)


async def _entities(context: Context, condensed: Condensed) -> list[Block]:
    try:
        view = await entities_of(condensed, condensed.facts, context.period, context.inventory)
    except RefusedError as reason:
        return [_refused(reason)]
    return [
        table("tenants.entities", ("法人视图", "Entity view"), _entity_columns(), _entity_lines(context, view)),
        table("tenants.eliminations", ("抵消表", "Elimination table"), _ROW_HEADS, _eliminations(context, view)),
        *(say_text(said(note), "note") for note in view.notes),
    ]


_PAIRS: Final[tuple[tuple[Total, Basis], ...]] = (
    ("scope1", "location"),
    ("scope2_location", "location"),
    ("scope2_market", "market"),
    ("scope3", "location"),
    ("scope3", "market"),
)


def _entity_columns() -> list[Column]:
    columns = [left("法人", "entity", 1.8)]
    for total, basis in _PAIRS:
        zh, en, unit = _HEADS[total]
        if total == "scope3":
            zh = f"{zh}，{'基于位置' if basis == 'location' else '基于市场'}"
            en = f"{en}, {basis}-based"
        columns.append(right(zh, en, unit, 1.2))
    return columns


def _entity_lines(context: Context, view: EntityView) -> list[Line]:
    """Each entity, their sum, the eliminations, the park."""
    lines = []
    names = {one.entity: one.name for one in context.facts.document.entities}
    for entity in view.entities:
        cells = [
            context.sheet.put(
                f"entity.{entity}.{_key(total, basis)}",
                tonnes(view.part(entity, total, basis).co2e_nano_kg if _known(context, total) else None),
                _HEADS[total][2],
                1,
                explain=f"entity:{total}:{basis}" if total == "scope3" else f"entity:{total}",
                rule="3.3",
            )
            for total, basis in _PAIRS
        ]
        lines.append(line(words(names[entity].zh, names[entity].en), *cells))
    return [*lines, *_reconciled(context, view)]


def _key(total: Total, basis: Basis) -> str:
    return f"{total}_{basis}" if total == "scope3" else total


def _known(context: Context, total: Total) -> bool:
    """False where the inventory holds nothing of it: an entity's part of the unknown is unknown."""
    inventory = context.inventory
    if total == "scope3":
        return True  # what was sold on stands there, whatever else is known of scope 3
    scope = {"scope1": (1, None), "scope2_location": (2, BASES[0]), "scope2_market": (2, BASES[1])}[total]
    return inventory.scope(*scope).co2e_nano_kg is not None


def _reconciled(context: Context, view: EntityView) -> list[Line]:
    sheet = context.sheet
    sums, taken, park = list[Cell](), list[Cell](), list[Cell]()
    for total, basis in _PAIRS:
        key, unit = _key(total, basis), _HEADS[total][2]
        parts = tuple(f"entity.{entity}.{key}" for entity in view.entities)
        sums.append(sheet.follow(f"entities.sum.{key}", Formula("sum", parts), unit, 1))
        eliminated = view.eliminated(total, basis) if _known(context, total) else None
        taken.append(sheet.put(f"entities.eliminated.{key}", tonnes(eliminated), unit, 1, rule="3.3"))
        formula = Formula("difference", (f"entities.sum.{key}", f"entities.eliminated.{key}"))
        park.append(sheet.follow(f"entities.park.{key}", formula, unit, 1, rule="5.1"))
    return [
        line(words("各法人合计", "sum of the entities"), *sums, style="subtotal"),
        line(words("抵消", "eliminations"), *taken),
        line(words("园区", "park"), *park, style="total"),
    ]


_ROW_HEADS: Final = (
    left("介质", "medium", 0.9),
    left("卖方", "seller", 1.2),
    left("买方", "buyer", 1.2),
    left("基准", "basis", 0.9),
    left("抵消于", "taken from", 2.0),
    right("数量", "amount"),
    left("单位", "unit", 0.6),
    right("排放", "emissions", "t CO2e"),
)


def _eliminations(context: Context, view: EntityView) -> list[Line]:
    lines = []
    names = {one.entity: one.name for one in context.facts.document.entities}
    for row in view.eliminations:
        if not row.amount and not row.co2e_nano_kg:
            continue
        parts = (row.medium, row.seller, row.buyer, row.source, row.basis)
        name = fresh(context.sheet, "elimination." + ".".join(slug(part) for part in parts), ("amount", "t"))
        places = 0 if row.unit == "kWh" else 1
        amount = context.sheet.put(f"{name}.amount", units(row.amount), row.unit, places, basis="registers")
        tonnes_ = context.sheet.put(f"{name}.t", tonnes(row.co2e_nano_kg), "t CO2e", 1, rule="3.3")
        owner, (zh, en, _) = names[row.from_entity], _HEADS[row.from_total]
        lines.append(
            line(
                words(*_MEDIA[row.medium]),
                words(names[row.seller].zh, names[row.seller].en),
                words(names[row.buyer].zh, names[row.buyer].en),
                words("基于位置", "location") if row.basis == "location" else words("基于市场", "market"),
                words(f"{owner.zh}，{zh}", f"{owner.en}, {en}"),
                amount,
                plain_cell(row.unit),
                tonnes_,
            )
        )
    return lines or [line(text_cell(Text("无", "none")), *[EMPTY] * 7)]
