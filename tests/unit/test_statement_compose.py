"""The pages 1 to 5 of a statement from given amounts: verdict, totals, what stands beside them, what is pending."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from parkcarbon.catalog.entries.management import BaseMonth, BaseYear, Production, Verification
from parkcarbon.catalog.entries.metering import Bill
from parkcarbon.domain.factors import Factor
from parkcarbon.domain.instruments.cover import NO_COVER
from parkcarbon.domain.reading import Method
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.statement.compose import Context, Order
from parkcarbon.statement.compose.missing import missing_of
from parkcarbon.statement.compose.pages.energy import energy
from parkcarbon.statement.compose.pages.front import front
from parkcarbon.statement.compose.pages.scope2 import scope2_page
from parkcarbon.statement.compose.pages.sources import sources
from parkcarbon.statement.compose.verdict import Opinion, gaps_of, verdict_of
from parkcarbon.statement.record import Front, Missing, Paragraph, Section, Table, Text, Verdict
from parkcarbon.statement.sheet import differs
from tests.fakes.scopes_park import EXPORT, GAS, GATE, HEAT, METERED, MONTH_MS, PV
from tests.fakes.scopes_park import entry as activity
from tests.fakes.statement_case import AS_OF, NOW, case, entry, facts

T = 10**12
MARKET = 642_243_027_563_000  # 1 GWh × 0.6096 + 10,000 Nm3 of gas + 100 GJ × 110 kg [1e-9 kg]


async def opinion_of(context: Context) -> Opinion:
    await sources(context)
    await scope2_page(context)
    return verdict_of(context, await missing_of(context))


async def judged(context: Context) -> Verdict:
    return (await opinion_of(context)).verdict


async def first_page(context: Context) -> Front:
    return front(context, await opinion_of(context))


def retired(nano_kg: int) -> Context:
    return case(cover=replace(NO_COVER, retired_nano_kg=nano_kg))


def exact(context: Context, figure: str) -> int:
    value = context.sheet.figures[figure].value
    assert value is not None
    return int(Decimal(value).scaleb(12))


async def market() -> int:
    context = case()
    await sources(context)
    return exact(context, "total.market")


@pytest.mark.rule("3.13")
async def test_both_bases_are_what_the_amounts_come_to_by_hand() -> None:
    context = case()
    page = await first_page(context)
    shown = context.sheet.figures
    assert shown["s2.location.total"].value == "593.7"  # 1,000,000 kWh × 0.5827 + 100 GJ × 110 kg
    assert shown["s2.market.total"].value == "620.6"  # 1,000,000 kWh × 0.6096 + 100 GJ × 110 kg
    gas = shown["s1.total"].value
    assert gas is not None
    assert abs(Decimal(gas) - Decimal("21.643")) < Decimal("0.001")
    assert exact(context, "total.market") == exact(context, "s1.total") + exact(context, "s2.market.total")
    assert page.judged == ("total.market", "total.market.u")
    assert page.other == ("total.location", "total.location.u")


@pytest.mark.rule("3.9", "3.11", "6.8")
@pytest.mark.parametrize(
    ("less", "word", "said"),
    [
        (0, "covered_to_date", "已注销减排量 642.2 t。暂定，年终核定。"),
        (1, "partly_covered", "已注销减排量 642.2 t；缺口 0.000000000001 t。暂定，年终核定。"),
        (-50 * T, "covered_to_date", "已注销减排量 692.2 t；盈余 50.0 t。暂定，年终核定。"),
        (None, "not_covered", "已注销减排量：无；缺口 642.2 t。暂定，年终核定。"),
    ],
)
async def test_a_month_is_judged_on_exact_integers_and_never_neutral(less: int | None, word: str, said: str) -> None:
    whole = await market()
    found = await judged(retired(0 if less is None else whole - less))
    assert found.word == word
    assert found.sentence.zh.startswith("2026年10月：范围一、二（基于市场）642.2 ± ")
    assert found.sentence.zh.endswith(said)
    assert found.scope_words.en == "Scopes 1+2 only"
    assert any("[3.9]" in reason.en for reason in found.reasons)
    assert all(reason.zh != reason.en for reason in found.reasons)


async def test_the_sentence_in_english_has_the_amounts_of_the_figures() -> None:
    context = retired(400 * T)
    found = await judged(context)
    figures = context.sheet.figures
    spread = figures["total.market.u"].shown
    assert found.sentence.en == (
        f"October 2026: scopes 1+2 (market-based) 642.2 ± {spread} t; retired credits 400.0 t; short 242.2 t."
        " Provisional until the year-end true-up."
    )
    assert figures["remaining.after"].shown == "242.2"


@pytest.mark.rule("3.12")
async def test_the_bridge_ends_at_zero_and_never_below() -> None:
    context = retired(1_000 * T)
    page = await first_page(context)
    bars = {step.figure: context.sheet.figures[step.figure] for step in page.bridge.steps}
    values = [Decimal(bar.value or "nan") for bar in bars.values()]
    assert values[0] + values[1] == values[2]
    assert values[2] + values[3] == values[4] == 0
    assert context.sheet.figures["credits.surplus"].value == str(1000 - values[2])
    assert [step.kind for step in page.bridge.steps] == ["total", "change", "total", "change", "total"]


@pytest.mark.rule("3.13")
async def test_a_park_that_is_judged_on_location_says_so() -> None:
    context = case(known=facts(neutrality_basis="location"))
    page = await first_page(context)
    assert page.judged[0] == "total.location"
    assert [step.figure for step in page.bridge.steps][:3] == ["total.market", "bridge.contracts", "total.location"]
    assert page.bridge.head.zh.startswith("从基于市场到")
    found = await judged(case(known=facts(neutrality_basis="location")))
    assert "范围一、二（基于位置）" in found.sentence.zh
    assert found.basis == "total.location"


async def test_a_flash_report_has_no_verdict_and_certificates_are_pending() -> None:
    context = case(
        kind="flash", known=facts(statement={"expects": [{"item": "certificates", "owner": "energy manager"}]})
    )
    opinion = await opinion_of(context)
    assert opinion.verdict.word == "none"
    assert opinion.verdict.reasons == ()
    assert "certificates pending" in opinion.verdict.sentence.en
    assert front(context, opinion).title.zh == "快报"
    assert [item.item for item in await missing_of(context)] == ["certificates"]


@pytest.mark.rule("3.3")
async def test_without_a_reporting_entity_nothing_is_judged() -> None:
    found = await judged(case(known=facts(reporting_entity=None), cover=replace(NO_COVER, retired_nano_kg=900 * T)))
    assert found.word == "cannot_be_judged"
    assert "组织" in found.sentence.zh


@pytest.mark.rule("4.8", "1.3")
async def test_what_must_stand_beside_the_figure_stands_on_the_first_page() -> None:
    exclusions = [{"what": "visitors", "reason": "not metered", "scope": 3, "share_pct": 0.4}]
    states = {Method.MEASURED: MONTH_MS // 2, Method.SUBSTITUTED: MONTH_MS // 2}
    gate = replace(GATE, method_ms=states, measured_ms=MONTH_MS // 2)
    page = await first_page(case((gate, GAS, HEAT), known=facts(exclusions=exclusions)))
    lines = [f"{line.zh} {line.en}" for line in page.boundary]
    assert "不可用于CBAM not a CBAM value" in lines
    assert "仅范围一、二 Scopes 1+2 only" in lines
    for words in (
        "visitors, 0.4 %; not metered",
        "electricity CO2 only",
        "Unverified factors:",
        "Substituted data: 47.",
    ):
        assert any(words in line for line in lines), words


async def test_an_empty_month_prints_no_zero_and_cannot_be_judged() -> None:
    context = case(())
    opinion = await opinion_of(context)
    page, balance = front(context, opinion), await energy(context)
    assert opinion.verdict.word == "cannot_be_judged"
    assert "无数据" in opinion.verdict.sentence.zh
    assert "待抵销排放未知" in opinion.verdict.sentence.zh
    assert "0.0" not in opinion.verdict.sentence.zh + opinion.verdict.sentence.en
    for figure in (*page.judged, *page.other, *(step.figure for step in page.bridge.steps)):
        assert context.sheet.figures[figure].shown == "–", figure
    zeros = [name for name, figure in context.sheet.figures.items() if figure.shown.strip("0.") == ""]
    assert zeros == []
    assert {"energy.balance", "energy.comprehensive", "energy.bills"} <= {table.id for table in tables(balance)}


def tables(section: Section) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


async def test_with_every_reading_missing_each_meter_is_named_and_nothing_is_judged() -> None:
    silent = [replace(point, amount_micro=0, measured_ms=0, method_ms={}, intervals=0) for point in METERED]
    context = case(silent, known=facts(statement={"meter_owner": "electrician", "due_day": 12}))
    opinion = await opinion_of(context)
    missing = await missing_of(context)
    assert {item.item for item in missing} == {f"meter:{point.point}" for point in METERED}
    assert {(item.owner, item.due) for item in missing} == {("electrician", "2026-11-12")}
    assert "100 % of its time is missing" in missing[0].text.en
    assert opinion.verdict.word == "cannot_be_judged"
    assert context.sheet.figures["total.market"].value is None


async def test_a_gap_of_the_gate_alone_keeps_it_from_being_judged_one_of_a_sub_meter_does_not() -> None:
    part = {Method.MEASURED: MONTH_MS - 7_200_000}
    gate = replace(GATE, method_ms=part, measured_ms=MONTH_MS - 7_200_000)
    found = await judged(case((gate, GAS, HEAT)))
    assert found.word == "cannot_be_judged"
    assert any("缺失 0.269 %" in reason.zh for reason in found.reasons)
    hall = replace(gate, point="hall/active_energy_import", flow="sub_meter")
    context = case((*METERED, hall))
    assert (await judged(context)).word == "not_covered"
    assert [item.item for item in await missing_of(context)] == ["meter:hall/active_energy_import"]


async def test_a_park_without_any_fuel_is_told_how_to_say_that_there_is_none() -> None:
    context = case((GATE, HEAT))
    opinion = await opinion_of(context)
    [item] = await missing_of(context)
    assert (item.item, item.owner) == ("scope1", "energy manager")
    assert "method.absent_scopes" in item.text.zh
    assert item.text.zh in opinion.verdict.sentence.zh


def test_amounts_left_out_for_the_same_reason_are_one_gap() -> None:
    def left_out(name: str, reason: str) -> Missing:
        text = Text(f"{name} 未计入合计：{reason}", f"{name} is not in the total: {reason}")
        return Missing(f"not_in_total:{name}", text, "energy manager", "2026-11-15")

    missing = [*(left_out(f"b{number}/gas", "rule 1.10: on HHV") for number in (1, 2, 3)), left_out("c/heat", "none")]
    assert [(gap.zh, gap.en) for gap in gaps_of(case(), missing)] == [
        ("b1/gas 等 3 项 未计入合计：rule 1.10: on HHV", "b1/gas and 2 more are not in the total: rule 1.10: on HHV"),
        ("c/heat 未计入合计：none", "c/heat is not in the total: none"),
    ]


@pytest.mark.parametrize("scale", [10**6, -1])
async def test_huge_and_negative_months_hold_their_arithmetic(scale: int) -> None:
    """A thousand TWh, and a gate that counts backwards: exact, and every formula holds."""
    context = case([replace(point, amount_micro=point.amount_micro * scale) for point in METERED])
    opinion = await opinion_of(context)
    front(context, opinion)
    await energy(context)
    figures = context.sheet.figures
    assert [name for name, figure in figures.items() if differs(figure, figures)] == []
    assert figures["energy.import.kwh"].value == str(1_000_000 * scale)
    assert exact(context, "s2.location.total") == 593_700_000_000_000 * scale
    assert exact(context, "total.market") == scale * await market() + _rounding(context, scale, await market())
    if scale < 0:
        assert opinion.verdict.word == "cannot_be_judged"
        assert "待抵销排放为负" in opinion.verdict.sentence.zh
        assert [figures[name].value for name in ("credits.surplus", "remaining.after")] == [None, None]


def _rounding(context: Context, scale: int, whole: int) -> int:
    """Gas is an amount times a product of factors, rounded once: it scales but for that rounding."""
    found = exact(context, "total.market") - scale * whole
    assert abs(found) <= abs(scale)
    return found


@pytest.mark.rule("6.7")
async def test_what_a_month_waits_for_is_named_with_owner_and_date() -> None:
    expects = [
        {"item": "bill", "kind": "electricity", "owner": "accountant", "due_day": 10},
        {"item": "certificates", "owner": "energy manager", "due_day": 14},
        {"item": "production", "owner": "planner", "due_day": 5},
    ]
    gate = replace(GATE, method_ms={}, amount_micro=0, measured_ms=0)
    known = facts(statement={"expects": expects})
    found = {item.item: item for item in await missing_of(case((gate, GAS), known=known))}
    assert {name: (item.owner, item.due) for name, item in found.items()} == {
        "bill:electricity": ("accountant", "2026-11-10"),
        "certificates": ("energy manager", "2026-11-14"),
        "production": ("planner", "2026-11-05"),
        "meter:gate/active_energy_import": ("electrician", "2026-11-15"),
    }
    bill = Bill(amount=1_000_000.0, unit="kWh", supplier="grid", number="4711")
    there = [entry("bill", bill), entry("production", Production("steel", 5.0, "t"))]
    context = case(known=facts(there, statement={"expects": expects}))
    assert [item.item for item in await missing_of(context)] == ["certificates"]
    used = replace(NO_COVER, used=({"effect": "covers_purchased", "micro_kwh": 1},))
    assert await missing_of(case(cover=used, known=facts(there, statement={"expects": expects}))) == ()


async def test_a_bill_belongs_to_the_month_that_it_ends_in() -> None:
    bill = Bill(amount=1.0, unit="kWh", supplier="grid", number="1")
    expects = [{"item": "bill", "kind": "electricity", "owner": "accountant"}]
    crossing = entry("bill", bill, from_day=dt.date(2026, 9, 25), to_day=dt.date(2026, 10, 25))
    assert await missing_of(case(known=facts([crossing], statement={"expects": expects}))) == ()
    later = entry("bill", bill, from_day=dt.date(2026, 10, 25), to_day=dt.date(2026, 11, 25))
    (missing,) = await missing_of(case(known=facts([later], statement={"expects": expects})))
    assert missing.item == "bill:electricity"


async def test_entries_count_among_the_sources_with_their_gases() -> None:
    context = case(activities=[activity("fuel", "diesel", 2.0), activity("refrigerant", "R-410A", 4.0)])
    section = await sources(context)
    figures = context.sheet.figures
    refrigerant = figures["line.s1.entry-refrigerant-r-410a"].value
    assert refrigerant is not None
    assert figures["line.s1.entry-refrigerant-r-410a.other"].value == refrigerant
    assert figures["line.s1.entry-fuel-diesel.ch4"].value not in (None, "0")
    parts = sum(Decimal(figures[f"s1.{gas}"].value or 0) for gas in ("co2", "ch4", "n2o", "other"))
    assert parts == Decimal(figures["s1.total"].value or "nan")
    assert {table.id for table in tables(section)} >= {"sources.gases", "sources.states", "sources.factors"}


def told(section: Section) -> list[str]:
    return [cell.text.zh for table in tables(section) for row in table.lines for cell in row.cells if cell.text]


async def test_an_entry_is_called_by_what_it_is_and_its_number() -> None:
    gas = activity("refrigerant", "R-410A", 4.0, activity="entry:86")
    named = activity("fuel", "diesel", 2.0, activity="entry:87", source="boiler 2")
    section = await sources(case(activities=[gas, named]))
    names = {text.partition("（")[0] for text in told(section)}
    assert {"制冷剂：R-410A，录入 86", "boiler 2"} <= names
    assert not any("entry:8" in name for name in names)


@pytest.mark.rule("6.6")
async def test_a_spread_that_rests_on_what_is_assumed_says_so() -> None:
    section = await sources(case())
    assert any("依据为假定" in block.text.zh for block in section.blocks if isinstance(block, Paragraph))


@pytest.mark.rule("1.3")
async def test_factors_of_power_and_heat_are_not_said_to_be_more_than_co2() -> None:
    context = case(activities=[activity("refrigerant", "R-410A", 4.0)])
    await sources(context)
    units = {name: figure.unit for name, figure in context.sheet.figures.items() if name.endswith(".factor")}
    assert units["line.s2.location.gate-active_energy_import.factor"] == "kgCO2/kWh"
    assert units["line.s2.market.gate-active_energy_import.factor"] == "kgCO2/kWh"
    assert {unit for name, unit in units.items() if "r-410a" in name} == {"kgCO2e/kg"}
    assert {unit for name, unit in units.items() if "boiler" in name or ".s1." in name} >= {"kgCO2e/Nm3"}


@pytest.mark.rule("3.16", "5.3")
async def test_covered_and_void_parts_are_lines_of_their_own() -> None:
    uses = ({"effect": "covers_purchased", "micro_kwh": 400_000 * 10**6},)
    cover = replace(NO_COVER, covered_micro_kwh=400_000 * 10**6, void_micro_kwh=7_000 * 10**6, used=uses)
    context = case(cover=cover)
    await scope2_page(context)
    figures = context.sheet.figures
    gate = "line.s2.market.gate-active_energy_import"
    assert (figures[gate].value, figures[f"{gate}.factor"].value) == ("365.76", "0.6096")
    assert (figures[f"{gate}.covered"].value, figures[f"{gate}.covered.amount"].value) == ("0", "400000")
    (void,) = [name for name in figures if name.endswith(".void")]
    assert figures[void].value == "4.2672"
    assert figures["s2.market.total"].value == str(Decimal("365.76") + Decimal("4.2672") + 11)
    assert figures["line.s2.location.gate-active_energy_import"].value == "582.7"
    states = next(table for table in tables(await sources(context)) if table.id == "sources.states")
    names = [row.cells[0].text for row in states.lines]
    assert len({name.zh for name in names if name is not None}) == len(names)


async def test_a_factor_by_the_hour_is_shown_as_the_mean_that_follows_from_the_emissions() -> None:
    own = Factor(
        factor="OWN",
        purpose="grid_average",
        carrier="electricity",
        region="China/JS",
        gas="CO2",
        unit="kgCO2/kWh",
        value=None,
        series=True,
    )
    park = facts(electricity_factor="OWN")
    known = replace(park, factors=(*park.factors, (9_999, own)))
    context = case((replace(GATE, co2e_nano_kg=123_456_789_000),), known=known)
    page = await scope2_page(context)
    gate = context.sheet.figures["line.s2.location.gate-active_energy_import"]
    mean = context.sheet.figures["line.s2.location.gate-active_energy_import.factor"]
    assert (gate.value, gate.formula, mean.value) == ("0.123456789", None, "0.000123456789")
    assert mean.formula is not None
    assert mean.formula.op == "quotient"
    told = [cell.text.en for table in tables(page) for line in table.lines for cell in line.cells if cell.text]
    assert any(text.startswith("mean of the hours; OWN") for text in told)


async def test_intervals_that_used_another_factor_take_the_one_that_is_named() -> None:
    context = case((replace(GATE, co2e_nano_kg=1),))
    await sources(context)
    assert context.sheet.figures["line.s2.location.gate-active_energy_import"].value == "582.7"


@pytest.mark.rule("3.15")
async def test_market_above_location_is_explained_and_the_remainder_named() -> None:
    page = await scope2_page(case())
    told = [block.text.en for block in page.blocks if not isinstance(block, Table) and hasattr(block, "text")]
    assert any("Market-based exceeds location-based" in text for text in told)
    assert any("CN-2023-EXMKT" in text for text in told)
    covered = replace(NO_COVER, covered_micro_kwh=900_000 * 10**6)
    less = await scope2_page(case(cover=covered))
    texts = [block.text.en for block in less.blocks if not isinstance(block, Table) and hasattr(block, "text")]
    assert not any("Market-based exceeds" in text for text in texts)


@pytest.mark.rule("5.6")
async def test_the_balance_is_unknown_where_an_input_is() -> None:
    context = case()
    await energy(context)
    assert context.sheet.figures["energy.load.kwh"].value == "1150000"
    dark = replace(PV, amount_micro=0, measured_ms=0, method_ms={})
    partly = case((GATE, EXPORT, dark))
    await energy(partly)
    assert partly.sheet.figures["energy.load.kwh"].value is None
    assert partly.sheet.figures["energy.load.kwh"].shown == "–"


def _verified(level: str = "reasonable") -> Verification:
    return Verification("Verifier", level, "ISO 14064-3", "unmodified", "scopes 1 and 2")  # type: ignore[arg-type]


@pytest.mark.rule("3.9", "3.10", "3.11")
@pytest.mark.parametrize(
    ("closed", "verified", "screened", "word"),
    [
        (True, True, True, "neutral"),
        (False, True, True, "covered_to_date"),
        (True, False, True, "covered_to_date"),
        (True, True, False, "cannot_be_judged"),
    ],
)
async def test_only_a_closed_verified_screened_year_is_neutral(
    closed: bool,
    verified: bool,
    screened: bool,
    word: str,
) -> None:
    months = tuple(BaseMonth(number, scope1_t=100.0, scope2_market_t=100.0) for number in range(1, 13))
    base = BaseYear(2025, months, "the whole park", same_boundary=True, recalculation_policy="at 5 %")
    entries = [entry("base_year", base, "2025")]
    if verified:
        entries.append(entry("verification", _verified(), "2026"))
    context = case(
        cover=replace(NO_COVER, retired_nano_kg=2_000 * T),
        kind="annual",
        period="2026",
        closed=closed,
        known=facts(entries),
    )
    rows = tuple(dict(row) | {"status": "not_significant", "why": "small"} for row in context.inventory.screening)
    if screened:
        context.inventory = replace(context.inventory, screening=rows)
    opinion = await opinion_of(context)
    assert opinion.verdict.word == word
    assert opinion.final is (closed and verified)
    title = front(context, opinion).title.zh
    assert (title == "碳中和宣告") is (word == "neutral")
    assert ("年终核定" in opinion.verdict.sentence.zh) is not opinion.final


@pytest.mark.rule("3.8")
@pytest.mark.parametrize(
    ("what", "listed"), [("类别 6 商务旅行", True), ("business travel", True), ("category 16", False)]
)
async def test_a_significant_category_without_entries_must_be_named_as_an_exclusion(what: str, *, listed: bool) -> None:
    exclusions = [{"what": what, "reason": "not collected", "scope": 3, "share_pct": 0.5}]
    context = case(kind="annual", period="2026", known=facts(exclusions=exclusions))
    rows = tuple(dict(row) | {"status": "not_significant"} for row in context.inventory.screening)
    travel = tuple(row | ({"status": "estimated"} if row["category"] == 6 else {}) for row in rows)
    context.inventory = replace(context.inventory, screening=travel)
    found = await judged(context)
    told = any("category 6 is neither in the boundary" in reason.en for reason in found.reasons)
    assert told is not listed


def test_an_order_that_is_not_settled_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        Order(park="demo", period="2026-10", kind="statement", as_of=NOW, now=NOW)
    assert caught.value.rule == "6.9"
    order = Order(park="demo", period="2026-10", kind="flash", as_of=AS_OF, now=NOW)
    assert order.printed_number == "PC-demo-2026-10-F"
