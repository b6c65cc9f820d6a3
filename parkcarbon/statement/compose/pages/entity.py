"""Page 2: who reports, for whom, by which criteria, sets and policies; and what changed since the last statement."""

from typing import Final

import msgspec

from parkcarbon.books.amounts import month_before
from parkcarbon.books.facts import Facts
from parkcarbon.books.inventory import inventory_of
from parkcarbon.catalog.entries.management import BaseYear
from parkcarbon.domain.figure_names import NAMES
from parkcarbon.domain.inventory import METHOD_PROFILE, Inventory
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.statement.compose.context import Context
from parkcarbon.statement.compose.lines import entered_words
from parkcarbon.statement.compose.wording.words import CONSOLIDATION, NOT_DECLARED, basis_words, join, of_name
from parkcarbon.statement.record import Block, Cell, Column, Pairs, Paragraph, Predecessor, Section, Table, Text
from parkcarbon.statement.record import Line as Row
from parkcarbon.statement.sheet import words

from .sources import edition_of

_CRITERIA: Final = Text(
    "GHG Protocol 企业标准与范围二指南（2015）；ISO 14064-1:2018（类别并列）；"
    "碳中和判断参照 ISO 14068-1:2023，月度不作宣告",
    "GHG Protocol Corporate Standard and Scope 2 Guidance (2015); ISO 14064-1:2018 (categories beside); neutrality is"
    " judged after ISO 14068-1:2023, and never claimed for a month",
)


async def entity(context: Context) -> Section:
    """The organisation, its criteria and settings."""
    blocks: list[Block] = [Pairs(tuple(_pairs(context))), *await _since(context)]
    return Section("entity", Text("报告主体与准则", "Reporting entity and criteria"), tuple(blocks))


def with_changes(section: Section, superseded: Predecessor | None) -> Section:
    """Page 2 of a re-issue: every line that changed, with the reason."""
    return msgspec.structs.replace(section, blocks=(*section.blocks, *_changes(superseded)))


def _pairs(context: Context) -> list[tuple[Text, Cell]]:
    facts, method = context.facts, context.facts.document.method
    settings, inventory = facts.document.statement, context.inventory
    materiality = context.sheet.put("entity.materiality", str(method.materiality_pct), "%", 1, basis="setting")
    rows: list[tuple[Text, Text]] = [
        (Text("报告主体", "Reporting entity"), of_name(method.reporting_entity)),
        (Text("园区", "Park"), of_name(facts.document.name)),
        (Text("预期使用者", "Intended users"), of_name(settings.intended_users)),
        (Text("准则与版本", "Criteria and editions"), _CRITERIA),
        (Text("核算方法口径", "Method profile"), _same(f"{METHOD_PROFILE} ({inventory.method_version})")),
        (Text("合并方法", "Consolidation"), CONSOLIDATION[method.consolidation]),
        (Text("组织边界", "Organisational boundary"), of_name(method.boundary)),
        (Text("判断所依据的范围二口径", "Scope 2 basis that is judged"), basis_words(method.neutrality_basis)),
        (Text("基准年", "Base year"), _base_year(context)),
        (Text("重算政策", "Recalculation policy"), _policy(context)),
        (Text("电力因子地区", "Region of the grid factors"), _same(method.electricity_region)),
        (Text("因子版本", "Editions of the factors"), _editions(inventory)),
        (Text("燃料因子版本", "Set of fuel factors"), _same(method.fuel_set or method.fuel_region)),
        (Text("全球变暖潜势", "Global warming potential (GWP)"), _same(f"IPCC {method.gwp_set}, GWP100")),
        (Text("时区", "Time zone"), _same(facts.document.timezone)),
        (Text("知识截止时刻", "Known on"), _same(_clock(facts))),
    ]
    found = [(name, Cell(text=text)) for name, text in rows]
    return [*found, (Text("重要性", "Materiality"), materiality)]


def _clock(facts: Facts) -> str:
    """The moment of knowledge in the park's own time, as page 1 has it."""
    return facts.as_of.astimezone(facts.zone).isoformat(sep=" ", timespec="seconds")


def _same(text: str) -> Text:
    return Text(text, text) if text else NOT_DECLARED


def _content(context: Context) -> BaseYear | None:
    found = [entry for entry in context.facts.entries if isinstance(entry.content, BaseYear)]
    newest = max(found, key=lambda entry: (entry.from_day, entry.entry_id), default=None)
    return newest.content if newest is not None and isinstance(newest.content, BaseYear) else None


def _base_year(context: Context) -> Text:
    content, declared = _content(context), context.facts.document.method.base_year
    if content is not None:
        return _same(f"{content.year}: {content.boundary}")
    return NOT_DECLARED if declared is None else _same(str(declared))


def _policy(context: Context) -> Text:
    declared = context.facts.document.statement.recalculation_policy
    if declared is not None:
        return of_name(declared)
    content = _content(context)
    return NOT_DECLARED if content is None else _same(content.recalculation_policy)


def editions_of(inventory: Inventory) -> dict[str, str]:
    """Factors that were used, with the edition each comes from; potentials of warming are declared as a set."""
    lines = (*inventory.scope(1).lines, *inventory.scope(2, "location").lines, *inventory.scope(2, "market").lines)
    factors = [match.factor for line in (*lines, *inventory.scope3.lines) for match in line.factors]
    return {factor.factor: edition_of(factor) for factor in factors if factor.purpose != "gwp"}


def _editions(inventory: Inventory) -> Text:
    return _same("; ".join(dict.fromkeys(edition for edition in editions_of(inventory).values() if edition)))


async def _since(context: Context) -> list[Block]:
    """Which factors are others than in the period before, and which settings."""
    before = month_before(context.period, context.facts.zone)
    head = Text(f"与上期（{before.label}）相比的变化", f"What changed since the last one ({before.label})")
    try:
        earlier = inventory_of(await context.months.supplied(before.label), final=False)
    except RefusedError as refused:
        return [Paragraph(join((head, _same(str(refused))), "：", ": "), "note")]
    if not any(earlier.lines(basis) for basis in ("location", "market")):
        return [Paragraph(join((head, Text("上期无数据", "no data of the last one")), "：", ": "), "note")]
    now, then = editions_of(context.inventory), editions_of(earlier)
    told = [Text(f"新用因子 {name}（{now[name]}）", f"factor {name} ({now[name]})") for name in now if name not in then]
    told += [Text(f"不再使用因子 {name}", f"no longer {name}") for name in then if name not in now]
    new, old = _sources(context, context.inventory), _sources(context, earlier)
    told += [Text(f"新排放源 {new[en].zh}", f"new source {en}") for en in sorted(new.keys() - old.keys())]
    told += [Text(f"不再有排放源 {old[en].zh}", f"no longer a source: {en}") for en in sorted(old.keys() - new.keys())]
    said = join(told) if told else Text("因子与排放源未变", "factors and sources are the same")
    return [Paragraph(join((head, said), "：", ": "), "normal")]


def _sources(context: Context, inventory: Inventory) -> dict[str, Text]:
    """Sources by name; what is entered has another number each month and is the same source."""
    found = [
        Text(f"{what.zh}（录入）", f"{what.en} (entered)") if line.entry else what
        for line in inventory.lines("location")
        for what in [entered_words(context, line) if line.entry else Text(line.source, line.source)]
    ]
    return {what.en: what for what in found}


def _changes(superseded: Predecessor | None) -> list[Block]:
    """Every line that a re-issue changed, with the reason of the re-issue."""
    if superseded is None:
        return []
    version = f"V{superseded.version}"
    text = Text(
        f"替代版本 {version}（{superseded.number}）：{superseded.reason}",
        f"Supersedes {version} ({superseded.number}): {superseded.reason}",
    )
    rows = tuple(
        Row(
            (
                Cell(text=change.label),
                words(*(change.before or "–",) * 2),
                words(*(change.after or "–",) * 2),
                words(change.unit, change.unit),
                Cell(text=change.cause),
            )
        )
        for change in superseded.changes
    )
    columns = (
        Column(Text("项目", "Line"), align="left", weight=3.0),
        Column(Text("变更前", "Before")),
        Column(Text("变更后", "After")),
        Column(Text("单位", "Unit"), align="left", weight=0.7),
        Column(Text("来源", "Cause"), align="left", weight=1.4),
    )
    table = Table("entity.changes", Text("变更的每一行", "Every line that changed"), columns, rows)
    return [Paragraph(text, "strong"), table]


def front_labels() -> dict[str, Text]:
    """What the figures of page 1 are called."""
    found = {name: Text(*NAMES[f"total_{name.rpartition('.')[2]}"]) for name in ("total.location", "total.market")}
    return found | {
        "credits.retired": Text("已注销减排量", "retired credits"),
        "credits.surplus": Text("盈余", "surplus"),
        "credits.applied": Text("用于抵销的减排量", "credits applied"),
        "remaining.after": Text("注销后的待抵销排放（缺口）", "remaining after retired credits (shortfall)"),
        "bridge.contracts": Text("合同与绿证", "contracts and GEC"),
        "bridge.credits": Text("已注销减排量", "retired credits"),
    }
