"""Page 11: how well the data are known: completeness, substitutions, corrections, clocks, losses, calibrations.

References:
    accounting rules 6.1-6.3 (substitutions name their rule), 6.5 (calibrations), 6.7 (completeness), 6.9, 6.10.
"""

import datetime as dt
from decimal import Decimal
from typing import Final

from parkcarbon.books.quality.states import calibrations, last_day
from parkcarbon.domain.balance.quality import COMPLETE_PCT, CarrierQuality, PointStates
from parkcarbon.domain.balance.quality import quality as quality_of_points
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.reading import INTERVAL_MS, Method
from parkcarbon.domain.reading import Quality as ReadingQuality
from parkcarbon.kit.db import Row, from_ms
from parkcarbon.kit.db import to_ms as ms_of
from parkcarbon.statement.compose.context import Context
from parkcarbon.statement.compose.wording.blocks import (
    EMPTY,
    left,
    line,
    listed,
    plain_cell,
    right,
    say,
    span,
    table,
    text_cell,
)
from parkcarbon.statement.compose.wording.words import NO_DATA, NONE, STATES, slug
from parkcarbon.statement.record import Block, Cell, Formula, Line, Section, Table, Text
from parkcarbon.statement.sheet import tonnes, units, words

from .condensed import PAGES

_HOUR: Final = Decimal(3_600_000)
_CARRIERS: Final = {
    "electricity": ("电力", "electricity"),
    "gas": ("燃气", "gas"),
    "heat": ("热力", "heat"),
    "cooling": ("冷量", "cooling"),
    "water": ("水", "water"),
    "none": ("其他", "other"),
}
_METHODS: Final = {
    "conservative": ("保守值", "conservative value"),
    "mean": ("前后均值", "mean of before and after"),
    "estimate": ("过程数据估算", "estimate from process data"),
    "default": ("声明的惩罚性缺省值", "declared punitive default"),
}
_CORRECTIONS: Final = {
    "exclude": ("排除读数", "readings excluded"),
    "boundary": ("换表或归零", "one meter ends, the next begins"),
    "retime": ("时间更正", "time stamps corrected"),
}


async def quality(context: Context) -> Section:
    """Everything a reader should know of the data."""
    blocks: list[Block] = [
        *_completeness(context),
        *await _substitutions(context),
        *await _corrections(context),
        await _clocks(context),
        await _losses(context),
        *_calibrations(context),
        say(
            "系统不掌握：电表内部时钟的校对记录、现场封印状态、未登记的设备。",
            "What the system does not know: checks of the clocks inside the meters, seals on site, meters that were"
            " never registered.",
            "note",
        ),
    ]
    return Section("quality", Text("数据质量", "Data quality"), tuple(blocks))


# ── completeness ─────────────────────────────────────────────────────────────────────────────────


def _completeness(context: Context) -> list[Block]:
    points = [point for point in context.inputs.points if point.flow is not None]
    found = quality_of_points([_states(point) for point in points])
    lines = [_carrier(context, carrier) for carrier in found.carriers]
    columns = (
        left("能源", "carrier", 1.2),
        right("表数", "meters", "", 0.6),
        right("应有", "expected", "h"),
        *(right(STATES[method.name.lower()].zh, STATES[method.name.lower()].en, "h", 0.9) for method in Method),
        right("存疑", "suspect", "h", 0.8),
        right("实测表时", "measured time", "h", 0.9),
        right("数据完整率", "completeness", "%", 1.0),
    )
    blocks: list[Block] = [
        table("quality.completeness", ("数据完整率（按能源）", "Data completeness by carrier"), columns, lines),
        say(
            f"完整率＝实测表时÷应有表时；替代、插值、估算、人工不提高完整率。"
            f"阈值 {COMPLETE_PCT:g} % 为产品设定，非法定。",
            "Completeness is measured of expected meter-hours; what is substituted, interpolated, estimated or entered"
            f" does not raise it. The threshold of {COMPLETE_PCT:g} % is a setting of the product, no rule of law.",
            "note",
        ),
    ]
    if found.incomplete:
        names = listed(found.incomplete)
        blocks.append(say(f"低于阈值的电表：{names.zh}。", f"Meters below the threshold: {names.en}."))
    elif points:
        blocks.append(say("低于阈值的电表：无。", "Meters below the threshold: none."))
    return blocks


def _states(point: PointAmount) -> PointStates:
    return PointStates(
        point=point.point,
        carrier=point.carrier,
        unit=point.unit,
        flow=point.flow,
        amount_micro={},
        known_ms=point.method_ms,
        measured_ms=point.measured_ms,
        expected_ms=point.expected_ms,
        suspect_ms=point.suspect_ms,
    )


def _carrier(context: Context, carrier: CarrierQuality) -> Line:
    """Hours of one carrier by data state; what of the expected time no state holds is missing."""
    sheet, name = context.sheet, f"quality.{slug(carrier.carrier)}.{slug(carrier.unit)}"
    expected = sum(point.expected_ms for point in carrier.points)
    spent = {method: sum(point.known_ms.get(method, 0) for point in carrier.points) for method in Method}
    measured = sum(point.measured_ms for point in carrier.points)
    spent[Method.MISSING] += max(expected - sum(spent.values()), 0)

    def hours(member: str, time_ms: int) -> Cell:
        value = Decimal(time_ms) / _HOUR if expected else None
        cut = None if value is None else value.quantize(Decimal("1e-12"))
        return sheet.put(f"{name}.{member}", cut, "h", 1, basis="registers", explain="completeness", rule="6.7")

    count = sheet.put(f"{name}.meters", len(carrier.points), "1", 0, basis="setting")
    whole = hours("expected", expected)
    cells = [hours(method.name.lower(), spent[method]) for method in Method]
    suspect = hours("suspect", sum(point.suspect_ms for point in carrier.points))
    time = hours("measured_time", measured)
    formula = Formula("quotient", (f"{name}.measured_time", f"{name}.expected"), "100")
    share = sheet.follow(f"{name}.completeness", formula, "%", 1, explain="completeness", rule="6.7")
    label = words(*_CARRIERS.get(carrier.carrier, (carrier.carrier, carrier.carrier)))
    return line(label, count, whole, *cells, suspect, time, share)


# ── what people decided ──────────────────────────────────────────────────────────────────────────


async def _substitutions(context: Context) -> list[Block]:
    """Every substitution that counts, and those that wait for a second person."""
    period, facts = context.period, context.facts
    arguments = (facts.park, from_ms(period.from_ms), from_ms(period.to_ms), facts.as_of)
    rows = await context.session.fetch(PAGES["page_substitutions"], *arguments)
    counting = [row for row in rows if row["decision"] == "approved"]
    columns = (
        left("电表", "meter", 2.0),
        left("时段", "from – to", 2.0),
        left("规则与方法", "rule and method", 1.4),
        right("时长", "hours", "h", 0.7),
        right("本期数量", "amount in the period"),
        left("单位", "unit", 0.6),
        right("影响", "effect", "t CO2e", 0.9),
        left("录入 / 复核", "entered / reviewed", 1.5),
    )
    head = ("替代", "Substitutions")
    lines = [_substitution(context, row) for row in counting]
    names = [f"substitution.{row['substitution_id']}.t" for row in counting]
    if names:
        total = context.sheet.total("substitutions.t", names, "t CO2e", 3)
        lines.append(line(words("合计", "total"), *[EMPTY] * 5, total, EMPTY, style="total"))
    blocks: list[Block] = [table("quality.substitutions", head, columns, lines or [_none(8)])]
    if waiting := [str(row["substitution_id"]) for row in rows if row["decision"] is None]:
        names_ = listed(waiting)
        blocks.append(say(f"待复核、尚未计入：{names_.zh}。", f"Not reviewed and not counted yet: {names_.en}."))
    return blocks


def _substitution(context: Context, row: Row) -> Line:
    """Its effect is what it did when it began to count, of its whole span."""
    sheet, zone, name = context.sheet, context.facts.zone, f"substitution.{row['substitution_id']}"
    explain = f"substitution:{row['substitution_id']}"
    begin = ms_of(row["from_time"])
    low, high = ((edge - begin) // INTERVAL_MS for edge in (context.period.from_ms, context.period.to_ms))
    inside = row["amounts_micro"][max(low, 0) : max(high, 0)]
    length = Decimal(len(row["amounts_micro"])) / 4
    hours = sheet.put(f"{name}.hours", length, "h", 2, basis="entered", explain=explain, rule=row["rule"])
    amount = sheet.put(
        f"{name}.amount", units(sum(inside)), row["unit"], 1, basis="entered", explain=explain, rule=row["rule"]
    )
    effect = sheet.put(f"{name}.t", _effect(row), "t CO2e", 3, basis="entered", explain=explain, rule=row["rule"])
    zh, en = _METHODS[row["method"]]
    return line(
        plain_cell(row["point"]),
        plain_cell(span(row["from_time"], row["to_time"], zone)),
        words(f"{row['rule']} {zh}", f"{row['rule']} {en}"),
        hours,
        amount,
        plain_cell(row["unit"]),
        effect,
        plain_cell(f"{row['author']} / {row['reviewer']}"),
    )


def _effect(row: Row) -> Decimal | None:
    before, after = row["before_nano_kg"], row["after_nano_kg"]
    return None if before is None or after is None else tonnes(after - before)


async def _corrections(context: Context) -> list[Block]:
    """Corrections of readings in force; those of time stamps stand with the clocks as well."""
    period, facts = context.period, context.facts
    arguments = (facts.park, from_ms(period.from_ms), from_ms(period.to_ms), facts.as_of)
    rows = await context.session.fetch(PAGES["page_corrections"], *arguments)
    lines = []
    for row in rows:
        name = f"correction.{row['correction_id']}"
        effect = context.sheet.put(f"{name}.t", _effect(row), "t CO2e", 3, basis="entered", rule="6.9")
        kind = words(*_CORRECTIONS[row["kind"]])
        when = plain_cell(span(row["from_time"], row["to_time"], facts.zone))
        lines.append(
            line(plain_cell(row["point"]), when, kind, effect, plain_cell(row["author"]), plain_cell(row["reason"]))
        )
    columns = (
        left("电表", "meter", 2.0),
        left("时段", "from – to", 2.0),
        left("种类", "kind", 1.4),
        right("影响", "effect", "t CO2e", 0.9),
        left("录入", "entered by", 1.0),
        left("原因", "reason", 1.6),
    )
    return [table("quality.corrections", ("更正", "Corrections"), columns, lines or [_none(6)])]


# ── clocks, losses, certificates of meters ───────────────────────────────────────────────────────


async def _clocks(context: Context) -> Table:
    """Readings whose time stamp is in doubt: outside energy until somebody corrects the time."""
    period, facts = context.period, context.facts
    names = {point.point_id: point.point for point in facts.metered()}
    arguments = (sorted(names), from_ms(period.from_ms), from_ms(period.to_ms))
    rows = await context.session.fetch(
        PAGES["page_clocks"], *arguments, int(ReadingQuality.CLOCK_UNCERTAIN), facts.as_of
    )
    lines = []
    for row in sorted(rows, key=lambda row: names[row["point_id"]]):
        point = names[row["point_id"]]
        count = context.sheet.put(f"clock.{slug(point)}.readings", row["readings"], "1", 0, basis="registers")
        lines.append(line(plain_cell(point), plain_cell(span(row["first"], row["last"], facts.zone)), count))
    columns = (left("电表", "meter", 2.0), left("时段", "from – to", 2.0), right("时标存疑的读数", "doubtful readings"))
    return table("quality.clocks", ("时钟故障", "Clock faults"), columns, lines or [_none(3)])


async def _losses(context: Context) -> Table:
    """Readings that a source had to give up."""
    period, facts = context.period, context.facts
    arguments = (facts.park, from_ms(period.from_ms), from_ms(period.to_ms), facts.as_of)
    lines = []
    for number, row in enumerate(await context.session.fetch(PAGES["page_losses"], *arguments), 1):
        count = context.sheet.put(f"loss.{number}.readings", row["n"], "1", 0, basis="registers")
        when = plain_cell(span(row["t_from"], row["t_to"], facts.zone))
        lines.append(line(plain_cell(row["source"]), plain_cell(row["point"]), when, count, plain_cell(row["reason"])))
    columns = (
        left("来源", "source", 1.0),
        left("测点", "point", 2.0),
        left("时段", "from – to", 2.0),
        right("读数", "readings"),
        left("原因", "reason", 1.4),
    )
    return table("quality.losses", ("丢失记录", "Loss records"), columns, lines or [_none(5)])


def _calibrations(context: Context) -> list[Block]:
    """Certificates that do not cover the period, or that a meter failed; and how many meters have none on record."""
    facts = context.facts
    day = last_day(facts, context.period)
    known = calibrations(facts, day)
    bad = [row for row in known if row["expired"] or not row["passed"]]
    lines = []
    for row in bad:
        state = ("已过期", "expired") if row["expired"] else ("不合格", "failed")
        until = dt.date.fromisoformat(str(row["until"])) - dt.timedelta(days=1)
        certificate = str(row["certificate"]) or "–"
        lines.append(
            line(plain_cell(str(row["device"])), plain_cell(certificate), plain_cell(until.isoformat()), words(*state))
        )
    columns = (
        left("表计", "meter", 2.0),
        left("证书", "certificate", 2.0),
        left("有效至", "covers until"),
        left("状态", "state"),
    )
    devices = {device.device for device in facts.document.devices if any(point.flow for point in device.points)}
    without = sorted(devices - {str(row["device"]) for row in known})
    head = ("过期或不合格的检定证书", "Expired or failed calibration certificates")
    blocks: list[Block] = [table("quality.calibrations", head, columns, lines or [_none_known(len(known))])]
    if without:
        names = listed(without)
        blocks.append(
            say(
                f"系统没有检定记录的表计（{len(without)}/{len(devices)}）：{names.zh}。",
                f"Meters of which the system holds no calibration ({len(without)} of {len(devices)}): {names.en}.",
            )
        )
    return blocks


def _none_known(known: int) -> Line:
    """None of the known ones is expired; where none is known that is not said."""
    return _none(4) if known else line(text_cell(NO_DATA), EMPTY, EMPTY, EMPTY)


def _none(width: int) -> Line:
    return line(text_cell(NONE), *[EMPTY] * (width - 1))
