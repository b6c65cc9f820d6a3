"""Pages 9 and 10: what is outside the sum, and the park indicator on its own method.

References:
    accounting rules 2.2-2.9, 2.12 (park indicator, progress only), 3.2, 5.2 (exports are not netted), 5.4, 5.5 (avoided
    emissions: both margins are entered or nothing is computed).
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from parkcarbon.books.indicators.park import Counted, direct_supply, energy_of, guiding_values
from parkcarbon.catalog.indicators import park_schemes
from parkcarbon.domain.avoided import CombinedMargin, avoided
from parkcarbon.domain.factors import Factor, NoFactorError
from parkcarbon.domain.indicators.datasets import scheme_for
from parkcarbon.domain.indicators.park910 import GuidingResult, ParkIndicator, Window, WindowKind, park_indicator
from parkcarbon.domain.methods.result import MethodLine
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.statement.compose.context import Context
from parkcarbon.statement.compose.wording.blocks import (
    EMPTY,
    decimal,
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
from parkcarbon.statement.compose.wording.words import NO_DATA, slug
from parkcarbon.statement.record import Basis, Box, Cell, Formula, Line, Pairs, Paragraph, Section, Table, Text
from parkcarbon.statement.sheet import UNKNOWN, tonnes, units, words

from .trend import labels_of

Inner = Paragraph | Pairs | Table

_MARGIN: Final = re.compile(r"(operating|build) margin(?:, weight (\d(?:\.\d+)?))?", re.IGNORECASE)


async def outside(context: Context) -> Section:
    """Page 9: avoided emissions and exports, bordered."""
    exports, total = _exports(context)
    blocks: list[Inner] = [
        say(
            "以下各量不计入清单，不得从清单中扣减（规则3.2、5.5）。",
            "Nothing here is in the inventory, and nothing may be subtracted from it (rules 3.2, 5.5).",
            "strong",
        ),
        exports,
        say(
            "上网电量不冲减购电（规则5.2）；自有发电上网不产生抵扣。",
            "Exports are not netted against purchases (rule 5.2); own generation that is exported earns no credit.",
            "note",
        ),
        *_avoided(context, total),
    ]
    head = Text("避免排放与上网电量", "Avoided emissions and exports")
    return Section("outside", Text("不计入的量", "Outside the sum"), (Box("not_counted", head, tuple(blocks)),))


def _exports(context: Context) -> tuple[Table, int | None]:
    """Exported electricity by meter, and its sum [1e-6 kWh]; None: not known."""
    points = [p for p in context.inputs.points if (p.carrier, p.flow) == ("electricity", "export")]
    names, lines = list[str](), list[Line]()
    for point in points:
        name = f"outside.export.{slug(point.point)}.kwh"
        value = units(point.amount_micro) if point.known else None
        cell = context.sheet.put(name, value, "kWh", 0, basis="registers", explain=f"point:{point.point}", rule="5.2")
        names.append(name)
        lines.append(line(plain_cell(point.point), cell))
    if names:
        cell = context.sheet.total("outside.export.kwh", names, "kWh", 0, explain="energy:export")
        lines.append(line(words("合计", "total"), cell, style="total"))
    else:
        lines.append(line(words("无上网电表", "no export is metered"), EMPTY))
    columns = (left("电表", "meter", 2.5), right("上网电量", "grid export", "kWh"))
    known = all(point.known for point in points)
    whole = sum(point.amount_micro for point in points) if points and known else None
    return table("outside.exports", ("上网电量", "Grid export"), columns, lines), whole


@dataclass(frozen=True, slots=True)
class _Margins:
    """Operating and build margin as the organisation entered them, with their weights."""

    operating: Factor | None = None
    build: Factor | None = None
    weight: Decimal | None = None


def _margins(context: Context) -> _Margins:
    """Own approved factors of purpose `avoided_margin`: `operating margin, weight 0.75` is the basis of one."""
    found: dict[str, tuple[Factor, Decimal | None]] = {}
    for _, factor in context.facts.factors:
        told = _MARGIN.fullmatch(factor.basis.strip()) if factor.purpose == "avoided_margin" else None
        if told is not None and factor.value is not None:
            found[told[1].lower()] = (factor, None if told[2] is None else Decimal(told[2]))
    operating, build = found.get("operating"), found.get("build")
    weight = None if operating is None else operating[1]
    if build is not None and (build[1] is None or weight is None or weight + build[1] != 1):
        weight = None
    return _Margins(operating and operating[0], build and build[0], weight)


def _avoided(context: Context, exported: int | None) -> list[Inner]:
    margins = _margins(context)
    operating, build = margins.operating, margins.build
    try:
        result = avoided(
            max(exported or 0, 0),
            CombinedMargin(
                operating_kg_per_kwh=None if operating is None else operating.value,
                build_kg_per_kwh=None if build is None else build.value,
                operating_weight=None if margins.weight is None else float(margins.weight),
                source="" if operating is None else f"{operating.publisher} {operating.edition}",
            ),
        )
    except RefusedError as reason:
        return [
            say(
                f"避免排放未计算（规则{reason.rule}）：未录入运行边际、建设边际及其权重，系统不采用缺省值。",
                f"Avoided emissions are not computed (rule {reason.rule}): operating margin, build margin and their"
                " weights were not entered; none has a default.",
            )
        ]
    assert operating is not None  # noqa: S101 - `avoided` refuses without them
    assert build is not None  # noqa: S101
    assert margins.weight is not None  # noqa: S101
    sheet, rows = context.sheet, []
    for name, factor, weight in (("operating", operating, margins.weight), ("build", build, 1 - margins.weight)):
        value = sheet.put(f"outside.{name}.margin", decimal(factor.value), "kgCO2/kWh", 4, basis="factor", rule="5.4")
        share = sheet.put(f"outside.{name}.weight", weight, "1", 2, basis="entered", rule="5.4")
        formula = Formula("product", (f"outside.{name}.margin", f"outside.{name}.weight"))
        part = sheet.follow(f"outside.{name}.part", formula, "kgCO2/kWh", 4)
        label = words("运行边际", "operating margin") if name == "operating" else words("建设边际", "build margin")
        rows.append(line(label, plain_cell(factor.factor), value, share, part))
    combined = sheet.total("outside.margin", ("outside.operating.part", "outside.build.part"), "kgCO2/kWh", 4)
    rows.append(line(words("组合边际", "combined margin"), *[EMPTY] * 3, combined, style="subtotal"))
    formula = Formula("product", ("outside.export.kwh", "outside.margin"), "0.001")
    cell = sheet.follow("outside.avoided.t", formula, "t CO2", 1, explain=result.figure.name, rule="5.5")
    rows.append(line(words("避免排放（不计入）", "avoided (outside the sum)"), *[EMPTY] * 3, cell, style="memo"))
    columns = (
        left("项目", "item", 1.6),
        left("记录", "record", 1.6),
        right("边际因子", "margin", "kgCO2/kWh"),
        right("权重", "weight"),
        right("结果", "result", "kgCO2/kWh, t CO2"),
    )
    return [table("outside.avoided", ("避免排放", "Avoided emissions"), columns, rows)]


# ── park indicator ───────────────────────────────────────────────────────────────────────────────

_PARTS: Final = {
    "combustion": ("燃料燃烧", "combustion"),
    "process": ("工业过程", "process"),
    "electricity": ("电力", "electricity"),
    "heat": ("热力", "heat"),
    "delivered": ("输出", "delivered"),
}
_WINDOWS: Final[dict[WindowKind, Text]] = {
    "month": Text("本月", "the month"),
    "year_to_date": Text("年初至期末", "year to date"),
    "full_year": Text("本年", "the year"),
    "rolling_12_months": Text("滚动十二个月", "rolling 12 months"),
}
_VERDICTS: Final = {
    "met": Text("达到", "met"),
    "not_met": Text("未达到", "not met"),
    "not_applicable": Text("不适用", "not applicable"),
    "not_computed": Text("未计算", "not computed"),
    "excluded": Text("不纳入", "excluded"),
    "not_entered": Text("未录入", "not entered"),
}


async def other_method(context: Context) -> Section:
    """Page 10: the park indicator, bordered; never quoted for the inventory, nor the other way round (rule 2.9)."""
    try:
        blocks = await _indicator(context)
    except (RefusedError, NoFactorError) as reason:
        blocks = [say(f"未计算：{said(str(reason)).zh}", f"Not computed: {reason}", "warning")]
    head = Text("另一口径：单位能耗碳排放", "Different method: carbon per unit of energy (park indicator)")
    box = Box("other_method", Text("单位能耗碳排放", "Carbon per unit of energy (park indicator)"), tuple(blocks))
    return Section("other_method", head, (box,))


async def _indicator(context: Context) -> list[Inner]:
    found = [await _window(context, window) for window in _windows(context)]
    annual = next((one.annual_tce for one in reversed(found) if one.annual_tce is not None), None)
    judged = [one if one.annual_tce is not None else replace(one, annual_tce=annual) for one in found]
    first = judged[0]
    result = (await context.months.counted(first.window.months)).result
    told = [reason for one in judged for reasons in (*one.reasons, *one.notes) for reason in reasons.split("; ")]
    return [
        say(
            "本页按国家零碳园区建设的口径（zcp910）计算，与清单是两个不同的数，不可互相引用；为进度值，非验收结果。",
            "This page follows the method of the national zero-carbon park programme (zcp910). It is another number"
            " than the inventory, never to be quoted for it; indicative, not the acceptance result.",
            "strong",
        ),
        say(f"依据：{result.edition.document}。", f"Edition: {result.edition.document}.", "note"),
        _lines(context, result.lines),
        _table(context, judged),
        _guiding(context, judged[-1]),
        *(say_text(said(reason), "note") for reason in dict.fromkeys(told)),
    ]


def _windows(context: Context) -> list[Window]:
    period = context.period
    labels = labels_of(context)
    if not period.is_month:
        return [Window("full_year", period.from_day, period.to_day, tuple(labels))]
    begin = period.from_day.replace(month=1)
    first_of_rolling = period.to_day.replace(year=period.to_day.year - 1)
    to_date = tuple(label for label in labels if label.startswith(f"{period.year}-"))
    return [
        Window("month", period.from_day, period.to_day, (period.label,)),
        Window("year_to_date", begin, period.to_day, to_date),
        Window("rolling_12_months", first_of_rolling, period.to_day, tuple(labels)),
    ]


async def _window(context: Context, window: Window) -> ParkIndicator:
    counted: Counted = await context.months.counted(window.months)
    day = context.period.to_day - dt.timedelta(days=1)
    scheme, notes = scheme_for(park_schemes(), day)
    energy = energy_of(context.facts, counted, day.year)
    dark = any(item.name == "electricity" and item.amount_micro is None for item in counted.result.energy)
    known = not counted.unknown and not dark
    return park_indicator(
        scheme,
        window,
        energy_nano_kg=counted.result.energy_nano_kg if known else None,
        process_nano_kg=counted.result.process_nano_kg if known else None,
        energy=energy,
        annual_tce=None,
        entered=guiding_values(context.facts.entries, window),
        direct=direct_supply(counted.result, scheme.direct_green_share_pct),
        notes=notes,
    )


def _lines(context: Context, lines: Sequence[MethodLine]) -> Table:
    """The sum of the period on this method."""
    rows, names = list[Line](), list[str]()
    for one in lines:
        name = fresh(context.sheet, f"zcp910.{slug(one.name)}.{one.part}", ("amount", "t"))
        amount = context.sheet.put(f"{name}.amount", units(one.amount_micro), one.unit, 1, basis="registers")
        cell = context.sheet.put(f"{name}.t", tonnes(one.nano_kg), "t CO2", 1, explain="zcp910", rule=one.rule)
        names.append(f"{name}.t")
        factors = ", ".join(dict.fromkeys(match.factor.factor for match in one.factors)) or "0"
        rows.append(
            line(
                plain_cell(one.name), words(*_PARTS[one.part]), amount, plain_cell(one.unit), plain_cell(factors), cell
            )
        )
    if names:
        total = context.sheet.total("zcp910.total.t", names, "t CO2", 1, explain="zcp910")
        rows.append(line(words("合计", "total"), *[EMPTY] * 4, total, style="total"))
    columns = (
        left("来源", "source", 2.0),
        left("部分", "part", 1.0),
        right("活动数据", "activity data"),
        left("单位", "unit", 0.6),
        left("因子", "factor", 1.6),
        right("排放", "emissions", "t CO2"),
    )
    return table("other_method.lines", ("排放（zcp910）", "Emissions (zcp910)"), columns, rows)


def _table(context: Context, found: Sequence[ParkIndicator]) -> Table:
    sheet, rows = context.sheet, []
    for one in found:
        name = f"park910.{one.window.kind}"
        energy = sheet.put(f"{name}.energy", tonnes(one.energy_nano_kg), "t CO2", 1, basis=_basis(one), rule="2.5")
        process = sheet.put(f"{name}.process", tonnes(one.process_nano_kg), "t CO2", 1, basis=_basis(one), rule="2.5")
        tce = sheet.put(f"{name}.tce", decimal(one.energy.tce("equal")), "tce", 1, basis=_basis(one), rule="1.18")
        value = sheet.follow(
            f"{name}.value", Formula("quotient", (f"{name}.energy", f"{name}.tce")), "tCO2/tce", 3, rule="2.2"
        )
        rows.append(line(_days(one), energy, process, tce, value, _limit(one), text_cell(_VERDICTS[one.verdict])))
    columns = (
        left("时段", "window", 2.0),
        right("能源活动排放", "from energy", "t CO2"),
        right("工业过程排放", "from process", "t CO2"),
        right("综合能源消费量（等价值）", "energy, equal value", "tce"),
        right("单位能耗碳排放", "carbon per unit of energy", "tCO2/tce"),
        left("限值", "limit", 0.7),
        left("判断（进度）", "verdict (progress)", 1.0),
    )
    return table("other_method.indicator", ("单位能耗碳排放", "Carbon per unit of energy"), columns, rows)


def _basis(one: ParkIndicator) -> Basis:
    return "computed" if len(one.window.months) == 1 else "context"


def _days(one: ParkIndicator) -> Cell:
    return text_cell(_window_words(one))


def _window_words(one: ParkIndicator) -> Text:
    """A window with its months."""
    name = _WINDOWS[one.window.kind]
    last = one.window.months[-1]
    days = last if len(one.window.months) == 1 else f"{one.window.months[0]} – {last}"
    return Text(f"{name.zh} {days}", f"{name.en} {days}")


def _limit(one: ParkIndicator) -> Cell:
    size = one.size_class
    return plain_cell(UNKNOWN if size is None else f"≤ {size.limit_tco2_per_tce:g}")


def _guiding(context: Context, one: ParkIndicator) -> Table:
    """Direct supply of green power and the guiding indicators of the widest window."""
    sheet = context.sheet
    share = one.direct.share_pct
    cell = sheet.put("park910.direct_supply", decimal(share), "%", 1, basis="context", rule="2.7")
    reached = share is not None and share >= one.direct.at_least_pct
    word = text_cell(NO_DATA) if share is None else text_cell(_VERDICTS["met" if reached else "not_met"])
    label = words("绿电直接供应占比（原则上）", "direct supply of green power, in principle")
    rows = [line(label, cell, plain_cell(f"≥ {one.direct.at_least_pct:g}"), word)]
    rows += [_guide(context, result) for result in one.guiding]
    columns = (
        left("引导性指标", "guiding indicator", 3.0),
        right("数值", "value", "%"),
        left("要求", "at least", 0.8),
        left("判断", "verdict", 1.2),
    )
    days = _window_words(one)
    head = (f"引导性指标（{days.zh}）", f"Guiding indicators ({days.en})")
    return table("other_method.guiding", head, columns, rows)


def _guide(context: Context, result: GuidingResult) -> Line:
    guiding, value = result.guiding, result.value
    name = f"park910.guiding.{slug(guiding.indicator)}"
    basis: Basis = "context" if guiding.computed else "entered"
    cell = context.sheet.put(name, decimal(None if value is None else value.value_pct), "%", 1, basis=basis, rule="2.3")
    verdict = _VERDICTS[result.verdict]
    reason = "" if value is None else value.excluded_because
    told = words(f"{verdict.zh}：{reason}", f"{verdict.en}: {reason}") if reason else text_cell(verdict)
    return line(words(guiding.zh, guiding.en), cell, plain_cell(f"≥ {guiding.at_least_pct:g}"), told)
