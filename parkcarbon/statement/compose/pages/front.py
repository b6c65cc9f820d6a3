"""Page 1: title, stamp, the total on both bases, boundary and exclusions, the bridge to what is left after credits."""

from collections.abc import Iterator
from typing import Final

from parkcarbon.domain.claims import PROGRESS_TITLE
from parkcarbon.domain.emissions import Basis
from parkcarbon.statement.compose.context import Context
from parkcarbon.statement.compose.verdict import Opinion
from parkcarbon.statement.compose.wording.words import (
    CONSOLIDATION,
    MIXED_UNIT,
    NONE,
    NOT_CBAM,
    SCOPES_ONLY,
    SIMULATED,
    STATES,
    TOTAL_UNIT,
    basis_words,
    of_name,
    scope2,
)
from parkcarbon.statement.record import Bridge, Formula, Front, Step, Text

from .sources import co2_only

STAMP: Final = Text("暂定", "PROVISIONAL")
FINAL: Final = Text("已核定", "FINAL")
_TITLES: Final = {
    "flash": Text("快报", "Flash report"),
    "statement": Text(PROGRESS_TITLE["zh"], PROGRESS_TITLE["en"]),
    "annual": Text(
        "碳中和年度声明（暂定，不构成碳中和宣告）", "Annual carbon-neutrality statement (provisional, not a claim)"
    ),
}
_CLOSED_YEAR: Final = Text("碳中和年度声明（不构成碳中和宣告）", "Annual carbon-neutrality statement (not a claim)")
_CLAIM: Final = Text("碳中和宣告", "Carbon-neutrality claim")
_LEVELS: Final = {
    "limited": Text("有限保证", "limited assurance"),
    "reasonable": Text("合理保证", "reasonable assurance"),
}


def front(context: Context, opinion: Opinion) -> Front:
    """Lay out page 1; every figure of it is entered, those of the bridge here."""
    basis, other = context.basis, context.other_basis
    return Front(
        title=_title(context, opinion),
        stamp=FINAL if opinion.final else STAMP,
        judged=(f"total.{basis}", f"total.{basis}.u"),
        other=(f"total.{other}", f"total.{other}.u"),
        boundary=tuple(_boundary(context)),
        bridge=_bridge(context),
        verification=_verification(opinion),
    )


def _title(context: Context, opinion: Opinion) -> Text:
    if opinion.verdict.word == "neutral":
        return _CLAIM
    return _CLOSED_YEAR if opinion.final else _TITLES[context.order.kind]


def _boundary(context: Context) -> Iterator[Text]:
    """Boundary, exclusions and what must stand where the figure stands, a line each."""
    method = context.facts.document.method
    how = CONSOLIDATION[method.consolidation]
    where = of_name(method.boundary)
    yield Text(f"组织边界（{how.zh}）：{where.zh}", f"Organisational boundary ({how.en}): {where.en}")
    yield SCOPES_ONLY
    for exclusion in method.exclusions:
        share = "" if exclusion.share_pct is None else f", {exclusion.share_pct:g} %"
        told = f"{exclusion.what}{share}"
        yield Text(f"排除项：{told}；{exclusion.reason}", f"Exclusion: {told}; {exclusion.reason}")
    for absent in method.absent_scopes:
        yield Text(
            f"范围{'一二'[absent.scope - 1]}无排放源：{absent.reason}",
            f"No source of scope {absent.scope}: {absent.reason}",
        )
    yield from beside_the_total(context)
    yield NOT_CBAM


def beside_the_total(context: Context) -> Iterator[Text]:
    """What stands where the total stands: CO2 only, unverified factors, substitutions, demonstration data."""
    figures, basis = context.sheet.figures, context.basis
    if co2_only(context, basis):
        yield Text(f"合计单位：{MIXED_UNIT.zh}", f"Totals in {MIXED_UNIT.en}")
    if figures[f"unverified.{basis}"].value not in (None, "0"):
        share = figures[f"unverified.{basis}.pct"].shown
        yield Text(f"未核实因子占合计 {share} %", f"Unverified factors: {share} % of the total")
    for state in ("interpolated", "substituted", "estimated", "manual"):
        share_of = figures.get(f"states.{state}")
        if share_of is not None and share_of.value not in (None, "0"):
            yield Text(
                f"数据状态“{STATES[state].zh}”占 {share_of.shown} %",
                f"{STATES[state].en.capitalize()} data: {share_of.shown} %",
            )
    lots = (*context.inputs.cover.used, *context.inputs.cover.pending)
    if any(line.simulated for line in context.inventory.lines(basis)) or any(lot.get("simulated") for lot in lots):
        yield SIMULATED


def _bridge(context: Context) -> Bridge:
    """Location-based, contracts and certificates, market-based, credits, what is left; by location: backwards."""
    sheet, basis, other = context.sheet, context.basis, context.other_basis
    sheet.follow("bridge.contracts", Formula("difference", (f"total.{basis}", f"total.{other}")), TOTAL_UNIT, 1)
    sheet.follow("bridge.credits", Formula("sum", ("credits.applied",), "-1"), TOTAL_UNIT, 1, rule="3.12")
    steps = (
        Step(_total(other), f"total.{other}", "total"),
        Step(Text("合同与绿证", "contracts and GEC"), "bridge.contracts", "change"),
        Step(_total(basis, judged=True), f"total.{basis}", "total"),
        Step(Text("已注销减排量", "retired credits"), "bridge.credits", "change"),
        Step(Text("注销后的待抵销排放", "remaining after retired credits"), "remaining.after", "total"),
    )
    begin = basis_words(other)
    head = Text(f"从{begin.zh}到注销后的待抵销排放", f"From {begin.en} to what remains after retired credits")
    return Bridge("front.bridge", head, steps)


def _total(basis: Basis, *, judged: bool = False) -> Text:
    name = scope2(basis)
    zh, en = f"范围一加{name.zh}", f"scope 1 and {name.en}"
    return Text(f"{zh}：待抵销排放", f"{en}: remaining emissions") if judged else Text(zh, en)


def _verification(opinion: Opinion) -> Text:
    found = opinion.verified
    if found is None:
        return Text(f"第三方核查：{NONE.zh}", f"Third-party verification: {NONE.en}")
    level = _LEVELS[found.level]
    said = f"{found.body}, {found.standard}"
    return Text(f"第三方核查：{level.zh}，{said}", f"Third-party verification: {level.en}, {said}")
