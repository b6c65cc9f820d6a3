"""The verdict: the neutral test on exact integers, then its words; no month is neutral, and a flash report has none.

References:
    accounting rules 3.3 (an organisation, never a territory), 3.9 (a month is provisional), 3.10 and 3.6 (what may be
    claimed under which name), 3.11 (the test), 3.12 (surplus), 6.8 (display rounding decides nothing).
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from parkcarbon.books.facts import Entry
from parkcarbon.catalog.entries.management import BaseYear, Verification
from parkcarbon.domain.claims import check_claim
from parkcarbon.domain.emissions import Basis
from parkcarbon.domain.instruments.neutrality import WORDS, Case, Word, amounts_unfit, judge
from parkcarbon.domain.instruments.neutrality import Verdict as Judged
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import from_ms
from parkcarbon.statement.record import Formula, Missing, Text, Verdict
from parkcarbon.statement.sheet import shown, tonnes

from .context import Context
from .missing import AMOUNTS
from .wording.translate import said
from .wording.words import NO_DATA, NONE, SCOPES_ONLY, TOTAL_UNIT, basis_words, join, period_words

PROVISIONAL: Final = Text("暂定，年终核定", "Provisional until the year-end true-up")
FLASH: Final = Text("快报，不作结论", "Flash report, no verdict")

_MOST_TOLD: Final = 3
_STANDARD: Final = "ISO 14068-1:2023"
_NOT_OVER: Final = Text("本期尚未结束", "the period is not over")
_NO_ENTITY: Final = Text(
    "未声明报告主体：声明须写明组织，而非区域 [3.3]",
    "no reporting entity is declared: a statement names an organisation, not a district [3.3]",
)


@dataclass(frozen=True, slots=True)
class Opinion:
    """The verdict in words, and the third party's opinion behind it.

    Attributes:
        verdict: as it is printed.
        verified: unmodified opinion on the whole period; None: there is none.
        final: True for a closed, verified year; everything else is provisional.
    """

    verdict: Verdict
    verified: Verification | None
    final: bool


def verification_of(context: Context) -> Verification | None:
    """The newest unmodified opinion of a third party that covers the whole period; None: there is none."""
    period = context.period
    found = [
        entry
        for entry in context.facts.entries
        if isinstance(entry.content, Verification)
        and entry.from_day <= period.from_day
        and entry.to_day >= period.to_day
        and entry.content.level != "none"
    ]
    newest = max(found, key=lambda entry: entry.entry_id, default=None)
    content = None if newest is None else newest.content
    return content if isinstance(content, Verification) and content.opinion == "unmodified" else None


def case_of(context: Context, gaps: Sequence[Text], verified: Verification | None) -> Case:
    """What the neutral test looks at, exact."""
    base = _base_year(context.facts.entries, context.period.year)
    exclusions = [(item.what, item.share_pct) for item in context.facts.document.method.exclusions]
    return Case(
        whole_year=not context.period.is_month,
        closed=context.closed,
        verified=verified is not None,
        residual_nano_kg=context.inventory.total_nano_kg(context.basis),
        retired_nano_kg=context.inputs.cover.retired_nano_kg,
        open_gaps=[gap.en for gap in gaps],
        first_period=context.facts.document.method.base_year == context.period.year,
        reduction_nano_kg=_reduction(context, base),
        exclusions=[(what, round(share * 10_000)) for what, share in exclusions if share is not None],
        unlisted=() if context.period.is_month else _unlisted(context),
    )


def gaps_of(context: Context, missing: Sequence[Missing]) -> list[Text]:
    """Unresolved data gaps: meters that the total rests on, amounts without a factor, usual entries that are not there.

    A bill or certificate that is awaited is shown as pending and leaves no gap. In a year, an exclusion whose share
    nobody estimated is one.
    """
    counted = {point.point for point in context.inputs.points if point.flow in ("import", "fuel", "heat", "process")}
    found = [_NOT_OVER] if from_ms(context.period.to_ms) > context.facts.until else []
    found += _left_out(missing)
    for item in missing:
        kind, _, name = item.item.partition(":")
        if (kind == "meter" and name in counted) or kind in ("meters", "scope1") or _is_amount(item):
            found.append(item.text)
    if not context.period.is_month:
        for excluded in context.facts.document.method.exclusions:
            if excluded.share_pct is None:
                what = excluded.what
                found.append(Text(f"排除项 {what} 的占比未估计", f"the share of the exclusion {what} is not estimated"))
    return found


def _left_out(missing: Sequence[Missing]) -> list[Text]:
    """Amounts without a factor: one gap for each reason, with the number of meters that it keeps out."""
    by_reason: dict[str, list[Missing]] = {}
    for item in missing:
        if item.item.startswith("not_in_total:"):
            by_reason.setdefault(item.text.en.partition(": ")[2], []).append(item)
    found = []
    for alike in by_reason.values():
        first, more = alike[0].text, len(alike) - 1
        name = alike[0].item.partition(":")[2]
        told = Text(
            first.zh.replace(name, f"{name} 等 {more + 1} 项", 1),
            first.en.replace(f"{name} is", f"{name} and {more} more are", 1),
        )
        found.append(told if more else first)
    return found


def _is_amount(item: Missing) -> bool:
    """True for an entry of scope 1 or 2 that is usual and not there."""
    kind = item.item.removeprefix("entry:").replace(":", "/").partition("/")[0]
    return item.item.startswith("entry:") and kind in AMOUNTS - {"scope3"}


def _base_year(entries: Sequence[Entry], year: int) -> BaseYear | None:
    found = [entry for entry in entries if isinstance(entry.content, BaseYear) and entry.content.year < year]
    newest = max(found, key=lambda entry: (entry.from_day, entry.entry_id), default=None)
    return newest.content if newest is not None and isinstance(newest.content, BaseYear) else None


def _reduction(context: Context, base: BaseYear | None) -> int | None:
    """Base year, or its month of the same name, less this period [1e-9 kgCO2e]; None where not comparable."""
    total = context.inventory.total_nano_kg(context.basis)
    if base is None or total is None or not base.same_boundary:
        return None
    wanted = {context.period.from_day.month} if context.period.is_month else set(range(1, 13))
    before: list[Decimal] = []
    for month in base.months:
        if month.month in wanted:
            parts = month.scope1_t, _scope2_t(month.scope2_market_t, month.scope2_location_t, context.basis)
            before += [Decimal(str(part)) for part in parts if part is not None]
    return int(sum(before) * 10**12) - total if len(before) == 2 * len(wanted) else None


def _scope2_t(market: float | None, location: float | None, basis: Basis) -> float | None:
    return market if basis == "market" else location


def _unlisted(context: Context) -> list[str]:
    """Categories of scope 3 that nobody decided on, or that are significant and neither entered nor excluded."""
    excluded = [item.what.lower() for item in context.facts.document.method.exclusions if item.scope == 3]
    found = []
    for item in context.inventory.screening:
        if item["status"] == "not_significant" or (item["status"] is not None and item["entries"]):
            continue
        if item["status"] is None or not any(_names(what, item) for what in excluded):
            found.append(f"scope 3 category {item['category']}")
    return found


def _names(excluded: str, item: Mapping[str, object]) -> bool:
    """True where the words of an exclusion name a category, by its number or one of its names."""
    names = item["name"]
    known = [str(name).lower() for name in names.values()] if isinstance(names, dict) else []
    number = re.search(rf"(category|类别)\s*{item['category']}(?!\d)", excluded)
    return number is not None or any(name in excluded for name in known)


def verdict_of(context: Context, missing: Sequence[Missing]) -> Opinion:
    """Judge the period and put it into words; enters the figures of credits and of what is left after them."""
    verified, gaps = verification_of(context), gaps_of(context, missing)
    case = case_of(context, gaps, verified)
    judged = judge(case)
    _enter(context, judged)
    final = case.whole_year and case.closed and case.verified
    if context.order.kind == "flash":
        return Opinion(_flash(context), verified, final)
    named = {f"unresolved data gap: {gap.en}": f"未解决的数据缺口：{gap.zh}" for gap in gaps}
    reasons = [_reason(reason.rule, reason.text, named.get(reason.text)) for reason in judged.reasons]
    word, because = judged.word, _because(case, gaps)
    if context.facts.document.method.reporting_entity is None:
        word, reasons, because = "cannot_be_judged", [_NO_ENTITY, *reasons], [_NO_ENTITY, *because]
    elif word == "neutral" and (refused := _claim_refused(context)) is not None:
        word, reasons = "covered_to_date", [refused, *reasons]
    label = Text(*WORDS[word])
    sentence = _sentence(context, word, because, judged, final=final)
    return Opinion(Verdict(word, label, sentence, SCOPES_ONLY, tuple(reasons), _basis_id(context)), verified, final)


def _basis_id(context: Context) -> str:
    return f"total.{context.basis}"


def _claim_refused(context: Context) -> Text | None:
    """Why a neutral year may not be called so in its market; None: it may."""
    entity = context.facts.document.method.reporting_entity
    try:
        check_claim(
            standard=_STANDARD,
            subject="organisation",
            entity="" if entity is None else entity.en,
            claim="neutral",
            market=context.facts.document.statement.product_market,
            issued_on=_day(context.order.now, context),
            full_year=True,
        )
    except RefusedError as refused:
        return _reason(refused.rule, str(refused))
    return None


def _day(moment: dt.datetime, context: Context) -> dt.date:
    return moment.astimezone(context.facts.zone).date()


def _reason(rule: str, text: str, zh: str | None = None) -> Text:
    return Text(f"{zh or said(text).zh} [{rule}]", f"{text} [{rule}]")


def _enter(context: Context, judged: Judged) -> None:
    """Credits, the part of them that is needed, and what is left; a surplus is never a negative emission."""
    sheet, total = context.sheet, f"total.{context.basis}"
    known = sheet.figures[total].value is not None
    nothing = not known and not context.inputs.cover.retired_nano_kg
    retired = None if nothing else tonnes(context.inputs.cover.retired_nano_kg)
    sheet.put("credits.retired", retired, TOTAL_UNIT, _seen(retired), basis="ledger", rule="3.5")
    surplus = tonnes(judged.surplus_nano_kg) if judged.short_nano_kg is not None else None
    sheet.put("credits.surplus", surplus, TOTAL_UNIT, _seen(surplus), rule="3.12")
    applied = Formula("difference", ("credits.retired", "credits.surplus"))
    sheet.follow("credits.applied", applied, TOTAL_UNIT, 1, rule="3.12")
    short = tonnes(judged.short_nano_kg)
    left = Formula("difference", (total, "credits.applied"))
    sheet.put("remaining.after", short, TOTAL_UNIT, _seen(short), formula=left, explain="shortfall", rule="3.12")


def _seen(value: Decimal | None) -> int:
    """Decimals that are printed: one, but as many as it takes that what is not zero is not printed as zero."""
    if not value:
        return 1
    return next(places for places in range(1, 13) if places == 12 or shown(value, places).strip("-0.,"))


def _flash(context: Context) -> Verdict:
    """Metered data, certificates pending, no verdict."""
    amount, when = _amount(context), period_words(context.period)
    sentence = Text(
        f"{when.zh}：{amount.zh}；绿证待定。{FLASH.zh}。", f"{when.en}: {amount.en}; certificates pending. {FLASH.en}."
    )
    return Verdict("none", FLASH, sentence, SCOPES_ONLY, (), _basis_id(context))


def _amount(context: Context) -> Text:
    """Scopes 1 and 2 on the declared basis, with ±."""
    figures, basis = context.sheet.figures, context.basis
    zh = f"范围一、二（{basis_words(basis).zh}）"
    en = f"scopes 1+2 ({basis}-based)"
    total, half_width = figures[f"total.{basis}"], figures[f"total.{basis}.u"]
    if total.value is None:
        return Text(f"{zh}{NO_DATA.zh}", f"{en} {NO_DATA.en}")
    spread = "" if half_width.value is None else f" ± {half_width.shown}"
    return Text(f"{zh}{total.shown}{spread} t", f"{en} {total.shown}{spread} t")


def _sentence(context: Context, word: Word, because: Sequence[Text], judged: Judged, *, final: bool) -> Text:
    """The whole verdict in words, with its amounts."""
    figures, when, amount = context.sheet.figures, period_words(context.period), _amount(context)
    retired = figures["credits.retired"]
    some = retired.value not in (None, "0")
    zh = [f"{when.zh}：{amount.zh}", f"已注销减排量 {retired.shown} t" if some else f"已注销减排量：{NONE.zh}"]
    en = [f"{when.en}: {amount.en}", f"retired credits {retired.shown} t" if some else f"retired credits: {NONE.en}"]
    if word == "cannot_be_judged":
        told = join(because)
        zh.append(f"{WORDS[word][0]}，因为{told.zh}")
        en.append(f"{WORDS[word][1]}, because {told.en}")
    elif judged.short_nano_kg:
        zh.append(f"缺口 {figures['remaining.after'].shown} t")
        en.append(f"short {figures['remaining.after'].shown} t")
    elif judged.surplus_nano_kg:
        zh.append(f"盈余 {figures['credits.surplus'].shown} t")
        en.append(f"surplus {figures['credits.surplus'].shown} t")
    ends = ("", "") if final else (f"{PROVISIONAL.zh}。", f" {PROVISIONAL.en}.")
    return Text(f"{'；'.join(zh)}。{ends[0]}", f"{'; '.join(en)}.{ends[1]}")


def _because(case: Case, gaps: Sequence[Text]) -> list[Text]:
    """What keeps it from being judged; of many gaps the first."""
    told = [said(reason.text) for reason in amounts_unfit(case)]
    told += [*gaps, *(said(f"{what} is neither in the boundary nor listed as an exclusion") for what in case.unlisted)]
    rest = len(told) - _MOST_TOLD
    return [*told[:_MOST_TOLD], *([Text(f"另有 {rest} 项", f"{rest} more")] if rest > 0 else [])]
