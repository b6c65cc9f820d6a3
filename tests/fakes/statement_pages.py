"""The pages of the invented park: every kind of block, figures by id."""

from collections.abc import Callable, Iterable
from typing import Final

from parkcarbon.statement.record import (
    Block,
    Box,
    Cell,
    Chart,
    Column,
    HeatMap,
    Line,
    Pairs,
    Paragraph,
    Series,
    Table,
    Text,
)
from parkcarbon.statement.sheet import words
from tests.fakes.statement_figures import (
    CARRIERS,
    CREDITS,
    FLOWS,
    FUELS,
    GASES,
    GATES,
    LOTS,
    MONTHS,
    SUBSTITUTIONS,
    TENANTS,
    Scene,
)

Words = tuple[str, str]


def _cell(item: str | Words | None) -> Cell:
    if item is None:
        return Cell()
    return Cell(figure=item) if isinstance(item, str) else words(*item)


def _line(*items: str | Words | None, style: str = "normal", indent: int = 0) -> Line:
    assert style in ("normal", "subtotal", "total", "memo")
    return Line(tuple(_cell(item) for item in items), style, indent)  # type: ignore[arg-type]


def _table(
    name: str, head: Words, columns: Iterable[tuple[str, str, str]], lines: list[Line], note: Words | None = None
) -> Table:
    first, *rest = columns
    heads = (
        Column(Text(first[0], first[1]), first[2], "left", 2.4),
        *(Column(Text(zh, en), unit) for zh, en, unit in rest),
    )
    return Table(name, Text(*head), heads, tuple(lines), Text(*note) if note else None)


def _pairs(*rows: tuple[str, str, str | Words]) -> Pairs:
    return Pairs(tuple((Text(zh, en), _cell(item)) for zh, en, item in rows))


def _entity(_: Scene) -> tuple[Block, ...]:
    return (
        _pairs(
            ("报告主体", "Reporting entity", ("苏州示范园区运营有限公司", "Suzhou Sample Park Operations Co., Ltd.")),
            ("预期使用者", "Intended users", ("租户、园区管委会、核查机构", "tenants, park committee, verifiers")),
            ("准则", "Criteria", ("ISO 14064-1:2018；GB/T 32150-2025", "ISO 14064-1:2018; GB/T 32150-2025")),
            ("合并方法", "Consolidation", ("运营控制权法", "operational control")),
            ("基准年", "Base year", ("2025年；变化超过 5 % 时重算", "2025; recalculated above a change of 5 %")),
            ("全球变暖潜势", "Global warming potential (GWP)", ("AR6，100 年", "AR6, 100 years")),
            ("电网因子", "Grid factor", "factor.location"),
            ("剩余电量因子", "Remainder factor", "factor.remainder"),
        ),
        Paragraph(Text("本月与上月方法相同。", "The method is the same as last month.")),
        Paragraph(Text("不可用于CBAM", "Not a CBAM value"), "warning"),
        Paragraph(
            Text("=1+1 是文字，不是公式；<b>&\"'|@-+", "=1+1 is text and no formula; <b>&\"'|@-+ # $ * _ \\ `"), "note"
        ),
    )


ENERGY_COLUMNS: Final = (
    ("项目", "item", ""),
    ("电量", "electricity", "kWh"),
    ("热量", "energy", "GJ"),
    ("当量值", "calorific value", "tce"),
    ("等价值", "equal value", "tce"),
)


def _energy(_: Scene) -> tuple[Block, ...]:
    def row(key: str, zh: str, en: str, style: str = "normal", indent: int = 0) -> Line:
        names = [f"energy.{key}.{part}" for part in ("kwh", "gj", "tce_calorific", "tce_equal")]
        return _line((zh, en), *names, style=style, indent=indent)

    lines = [row(gate, zh, en, indent=1) for gate, zh, en, _ in GATES]
    lines.append(row("import", "下网电量", "grid import", "subtotal"))
    lines += [row(flow, zh, en) for flow, zh, en, _ in FLOWS]
    lines.append(row("storage_loss", "储能损耗", "storage loss", "memo"))
    lines.append(row("self_used", "自用光伏", "self-used PV"))
    lines.append(row("load", "负荷", "load", "total"))
    bill = [
        _line((zh, en), f"energy.{gate}.kwh", f"bill.{gate}.kwh", f"bill.{gate}.difference", f"bill.{gate}.share")
        for gate, zh, en, _ in GATES
    ]
    heads = (
        ("关口表", "gate meter", ""),
        ("计量", "metered", "kWh"),
        ("账单", "billed", "kWh"),
        ("差额", "difference", "kWh"),
        ("占账单", "of the bill", "%"),
    )
    return (
        _table("energy.balance", ("能量平衡", "Energy balance"), ENERGY_COLUMNS, lines),
        _table(
            "energy.bill",
            ("与账单之差", "Difference to the bill"),
            heads,
            bill,
            ("按账单日期；三号关口表账单未到。", "On the bill's dates; the bill of gate meter 3 is not there yet."),
        ),
        _pairs(
            ("光伏自用率", "Self-consumption rate", "energy.self_consumption"),
            ("自给率", "Self-sufficiency rate", "energy.self_sufficiency"),
            ("折算系数", "Energy per kWh", "factor.gj"),
            ("当量值", "Calorific value", "factor.calorific"),
            ("等价值", "Equal value", "factor.equal"),
        ),
    )


def _sources(_: Scene) -> tuple[Block, ...]:
    lines = [
        _line(
            (zh, en),
            f"source.{fuel}.amount",
            *(f"source.{fuel}.{gas}" for gas, _ in GASES),
            f"source.{fuel}.total",
            f"source.{fuel}.share",
        )
        for fuel, zh, en, _ in FUELS
    ]
    lines.append(
        _line(
            ("制冷剂 R-410A", "refrigerant R-410A"),
            "source.cooling.amount",
            None,
            None,
            None,
            "source.cooling.total",
            "source.cooling.share",
        )
    )
    diesel = ("柴油发电机", "diesel generator")
    lines.append(
        _line(
            diesel, "source.diesel.amount", None, None, None, "source.diesel.total", ("无数据", "no data"), style="memo"
        )
    )
    sums = [f"gas.{gas}.total" for gas, _ in GASES]
    lines.append(_line(("范围一（直接排放）", "Scope 1 (direct)"), None, *sums, "s1.total", None, style="total"))
    columns = (
        ("排放源", "source", ""),
        ("活动数据", "activity data", "10⁴ Nm³, kg, t"),
        ("CO₂", "CO2", "t CO2e"),
        ("CH₄", "CH4", "t CO2e"),
        ("N₂O", "N2O", "t CO2e"),
        ("合计", "total", "t CO2e"),
        ("占比", "share", "%"),
    )
    masses = [_line((zh, en), *(f"source.{fuel}.{gas}_kg" for gas, _ in GASES)) for fuel, zh, en, _ in FUELS]
    masses.append(_line(("排放因子", "emission factor"), *(f"factor.gas.{gas}" for gas, _ in GASES), style="memo"))
    masses.append(_line(("全球变暖潜势", "GWP"), *(f"gwp.{gas}" for gas, _ in GASES), style="memo"))
    return (
        _table(
            "sources.scope1",
            ("范围一", "Scope 1"),
            columns,
            lines,
            ("柴油未入账，不在合计内。", "Diesel is not entered yet and in no sum."),
        ),
        _table(
            "sources.gases",
            ("各种气体的质量", "Masses of gases"),
            (("排放源", "source", ""), ("CO₂", "CO2", "kg"), ("CH₄", "CH4", "kg"), ("N₂O", "N2O", "kg")),
            masses,
        ),
        _pairs(("R-410A", "R-410A", "gwp.r410a"), ("范围三", "Scope 3", "s3.total")),
        Paragraph(Text("t CO2e（电力仅含CO₂）", "t CO2e (electricity CO2 only)"), "strong"),
    )


def _scope2(_: Scene) -> tuple[Block, ...]:
    columns = (
        ("项目", "item", ""),
        ("电量、热量", "amount", "kWh, GJ"),
        ("因子", "factor", "kgCO2/kWh, tCO2/GJ"),
        ("排放", "emissions", "t CO2"),
        ("数据年份", "data year", ""),
    )
    year = ("2023", "2023")
    place = [
        _line((zh, en), f"energy.{gate}.kwh", "factor.location", f"s2.location.{gate}", year)
        for gate, zh, en, _ in GATES
    ]
    heat = _line(("外购热力", "bought heat"), "heat.gj", "factor.heat", "s2.heat", None)
    place += [heat, _line(("合计", "total"), None, None, "s2.location.total", None, style="total")]
    market = [
        _line(("绿证覆盖", "covered by GEC"), "instrument.covered.kwh", ("0", "0"), None, None),
        _line(("其余电量", "remainder"), "s2.remainder.kwh", "factor.remainder", "s2.market.remainder", year),
        heat,
        _line(("合计", "total"), None, None, "s2.market.total", None, style="total"),
    ]
    both = [
        _line(
            (zh, en),
            "s1.total",
            f"s2.{key}.total",
            f"s12.{key}.total",
            f"s12.{key}.halfwidth",
            f"s12.{key}.halfwidth_pct",
        )
        for key, zh, en in (("location", "基于位置", "location-based"), ("market", "基于市场", "market-based"))
    ]
    return (
        _table("scope2.location", ("范围二（基于位置）", "Scope 2, location-based"), columns, place),
        _table("scope2.market", ("范围二（基于市场）", "Scope 2, market-based"), columns, market),
        _table(
            "scope2.totals",
            ("范围一、二 t CO2e（电力仅含CO₂）", "Scopes 1+2, t CO2e (electricity CO2 only)"),
            (
                ("方法", "method", ""),
                ("范围一", "scope 1", "t CO2e"),
                ("范围二", "scope 2", "t CO2"),
                ("合计", "total", "t CO2e"),
                ("±", "±", "t CO2e"),
                ("±", "±", "%"),
            ),
            both,
        ),
    )


def _instruments(_: Scene) -> tuple[Block, ...]:
    green = [
        _line(("绿证", "GEC"), (serial, serial), f"instrument.{lot}.mwh", f"instrument.{lot}.kwh")
        for lot, serial, _ in LOTS
    ]
    green.append(_line(("合计", "total"), None, None, "instrument.covered.kwh", style="total"))
    retired = [_line(("CCER", "CCER"), (serial, serial), f"credits.{lot}.t") for lot, serial, _ in CREDITS]
    retired.append(_line(("已注销减排量", "retired credits"), None, "credits.retired", style="total"))
    kind = ("种类", "kind", "")
    return (
        _table(
            "instruments.gec",
            ("绿证核销", "GEC cancellation"),
            (kind, ("编号", "serials", ""), ("数量", "amount", "MWh"), ("覆盖电量", "covered", "kWh")),
            green,
        ),
        _table(
            "instruments.credits",
            ("减排量注销", "Retirement of credits"),
            (kind, ("编号", "serials", ""), ("数量", "amount", "t CO2e")),
            retired,
        ),
        Paragraph(Text("拒绝：GEC-2023-01-0001（过期，4.2）", "Refused: GEC-2023-01-0001 (expired, 4.2)"), "note"),
    )


def _tenants(_: Scene) -> tuple[Block, ...]:
    lines = [
        _line((zh, en), f"tenant.{key}.kwh", f"tenant.{key}.share", f"tenant.{key}.t") for key, zh, en, _ in TENANTS
    ]
    rest = ("未计量及损耗", "unmetered and losses")
    lines.append(_line(rest, "tenant.rest.kwh", "tenant.rest.share", "tenant.rest.t"))
    lines.append(_line(("租户合计", "all tenants"), "tenant.all.kwh", None, None, style="memo"))
    lines.append(_line(("合计", "total"), "energy.load.kwh", None, "tenant.sum.t", style="total"))
    lines.append(_line(("抵消", "elimination"), None, None, "tenant.elimination", style="memo"))
    columns = (("租户", "tenant", ""), ("用电", "use", "kWh"), ("占比", "share", "%"), ("排放", "emissions", "t CO2"))
    return (
        Paragraph(Text("规则：按电量占比分摊。", "Rule: shared by electricity used."), "normal"),
        _pairs(("平均因子", "Average rate", "s2.market.rate")),
        _table("tenants.allocation", ("租户分摊", "Allocation to tenants"), columns, lines),
    )


def _charts(scene: Scene) -> tuple[Block, ...]:
    def value(text: str) -> str | None:
        return None if scene.empty else text

    days = tuple(f"2026-10-{day:02d}" for day in range(1, 32))
    daily = tuple(value(f"{96 + day * 37 % 23}.{day % 10}") if day != 13 else None for day in range(1, 32))
    hatched = tuple(value("3.5") if day in (12, 14) else None for day in range(1, 32))
    full = tuple(value("41.7" if day == 13 else "100") for day in range(1, 32))
    load = tuple(
        tuple(
            value(str(3200 + (day * 31 + hour * 173) % 4100)) if (day, hour) != (13, 5) else None for hour in range(24)
        )
        for day in range(31)
    )
    share = tuple(
        tuple(value(str((day * 7 + max(0, 6 - abs(hour - 12)) * 16) % 101)) for hour in range(24)) for day in range(31)
    )
    trend = [
        _line(
            (month, month), f"trend.{month}.t", f"trend.{month}.plan", f"trend.{month}.over", f"trend.{month}.over_pct"
        )
        for month in MONTHS
    ]
    figures = scene.sheet.figures
    return (
        Chart(
            "charts.daily",
            Text("每日排放", "Daily emissions"),
            "t CO2e",
            days,
            (Series(Text("实测", "measured"), daily), Series(Text("替代", "substituted"), hatched, "hatched")),
            full,
        ),
        HeatMap("charts.load", Text("负荷", "Load"), "kW", days, load),
        HeatMap("charts.matched", Text("小时匹配率", "Hourly matched share (24/7)"), "%", days, share),
        Chart(
            "charts.trend",
            Text("十二个月", "Twelve months"),
            "t CO2e",
            MONTHS,
            (
                Series(Text("排放", "emissions"), tuple(figures[f"trend.{month}.t"].value for month in MONTHS), "line"),
                Series(
                    Text("预算", "budget"), tuple(figures[f"trend.{month}.plan"].value for month in MONTHS), "ghost"
                ),
            ),
        ),
        _table(
            "charts.trend_table",
            ("十二个月", "Twelve months"),
            (
                ("月", "month", ""),
                ("排放", "emissions", "t CO2e"),
                ("预算", "budget", "t CO2e"),
                ("超出", "over", "t CO2e"),
                ("超出", "over", "%"),
            ),
            trend,
        ),
        _pairs(
            ("全年预算", "Budget of the year", "budget.year.t"),
            ("已用", "Used", "budget.used.t"),
            ("剩余", "Left", "budget.left.t"),
            ("已用占比", "Share used", "budget.used.share"),
        ),
    )


def _outside(_: Scene) -> tuple[Block, ...]:
    lines = [_line(("上网电量", "grid export"), "outside.export.mwh", "factor.margin", "outside.avoided.t")]
    columns = (
        ("项目", "item", ""),
        ("电量", "electricity", "MWh"),
        ("组合边际因子", "combined margin", "tCO2/MWh"),
        ("避免排放", "avoided", "t CO2"),
    )
    head = Text("避免排放（不计入）", "Avoided emissions (outside the sum)")
    return (Box("not_counted", head, (_table("outside.avoided", ("避免排放", "Avoided emissions"), columns, lines),)),)


def _other(_: Scene) -> tuple[Block, ...]:
    inner = (
        _pairs(
            ("其余电量", "Remaining electricity", "s2.remainder.kwh"),
            ("固定因子", "Fixed factor", "factor.park"),
            ("电力", "Electricity", "park910.electricity.t"),
            ("合计", "Total", "park910.total.t"),
            ("单位能耗碳排放", "Carbon per unit of energy", "park910.indicator"),
        ),
        Paragraph(Text("仅供参考，不是验收结果。", "Indicative, not the acceptance result."), "note"),
    )
    return (Box("other_method", Text("另一口径：园区指标", "Different method: park indicator"), inner),)


def _quality(_: Scene) -> tuple[Block, ...]:
    lines = [
        _line((zh, en), *(f"quality.{key}.{part}" for part in ("measured", "expected", "completeness")))
        for key, zh, en, *_ in CARRIERS
    ]
    repairs = [
        _line((meter, meter), f"substitution.{meter}.hours", f"substitution.{meter}.t", ("同类日均值", "like days"))
        for meter, *_ in SUBSTITUTIONS
    ]
    repairs.append(_line(("合计", "total"), None, "substitution.all.t", None, style="total"))
    return (
        _table(
            "quality.completeness",
            ("数据完整率", "Data completeness"),
            (
                ("能源", "carrier", ""),
                ("实测", "measured", "h"),
                ("应有", "expected", "h"),
                ("完整率", "completeness", "%"),
            ),
            lines,
        ),
        _table(
            "quality.substitutions",
            ("替代", "Substitutions"),
            (("电表", "meter", ""), ("小时", "hours", "h"), ("影响", "effect", "t CO2"), ("规则", "rule", "")),
            repairs,
        ),
    )


def _trace(_: Scene) -> tuple[Block, ...]:
    return (
        _pairs(
            ("止码", "Register at the end", "trace.end"),
            ("起码", "Register at the begin", "trace.begin"),
            ("差", "Difference", "trace.registers"),
            ("倍率（CT×PT）", "Meter ratio (CT × PT)", "trace.ratio"),
            ("电量", "Energy", "trace.kwh"),
            ("排放因子", "Emission factor", "factor.location"),
            ("排放", "Emissions", "trace.kg"),
            ("排放", "Emissions", "trace.t"),
        ),
    )


def _check(_: Scene) -> tuple[Block, ...]:
    return (
        Paragraph(Text("离线校验：", "Check it offline:")),
        Paragraph(
            Text("parkcarbon statement verify FILE --roots FILE", "parkcarbon statement verify FILE --roots FILE"),
            "strong",
        ),
        _pairs(
            ("完整性校验", "Integrity check", ("签名、摘要、算术", "signature, hashes, arithmetic")),
            ("第三方核查", "Third-party verification", ("由核查机构进行", "by an ISO 14064-3 body")),
        ),
    )


Page = tuple[str, Text, Callable[[Scene], tuple[Block, ...]]]
PAGES: Final[tuple[Page, ...]] = (
    ("entity", Text("报告主体", "Reporting entity"), _entity),
    ("energy", Text("能量平衡", "Energy balance"), _energy),
    ("sources", Text("排放源", "Sources"), _sources),
    ("scope2", Text("范围二", "Scope 2"), _scope2),
    ("instruments", Text("绿证与减排量", "Instruments"), _instruments),
    ("tenants", Text("租户", "Tenants"), _tenants),
    ("charts", Text("图表", "Charts"), _charts),
    ("outside", Text("不计入", "Outside the sum"), _outside),
    ("other_method", Text("另一口径", "Different method"), _other),
    ("quality", Text("数据质量", "Data quality"), _quality),
    ("trace", Text("逐步追溯", "A worked trace"), _trace),
    ("check", Text("如何校验", "How to check"), _check),
)
