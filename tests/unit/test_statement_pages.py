"""Parts of pages without a database: words in both languages, rows of a day, margins, budgets, the glossary."""

from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from parkcarbon.books.amounts import parse_period
from parkcarbon.domain.factors import Factor
from parkcarbon.domain.indicators.matching import HOUR_MS, Matching
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.working import Figure, computed
from parkcarbon.statement.compose.context import Context
from parkcarbon.statement.compose.pages import charts as charts_page
from parkcarbon.statement.compose.pages import outside as outside_page
from parkcarbon.statement.compose.pages import trace as trace_page
from parkcarbon.statement.compose.wording.blocks import decimal, fresh, listed, step
from parkcarbon.statement.compose.wording.glossary import GLOSSARY
from parkcarbon.statement.compose.wording.said import said
from parkcarbon.statement.sheet import Sheet, differs


@dataclass
class Stand:
    """As much of a context as a part of a page asks for."""

    period: Any = None
    facts: Any = None
    inputs: Any = None
    sheet: Sheet = field(default_factory=Sheet)


def stand(**members: Any) -> Context:
    return cast("Context", Stand(**members))


@pytest.mark.parametrize(
    ("zone", "month", "longest", "hours"),
    [
        ("Asia/Shanghai", "2026-10", 24, 744),
        ("Europe/Berlin", "2026-03", 24, 743),
        ("Europe/Berlin", "2026-10", 25, 745),
        ("Asia/Kolkata", "2026-10", 24, 744),
    ],
)
def test_a_row_of_a_heat_map_is_a_local_day(zone: str, month: str, longest: int, hours: int) -> None:
    period = parse_period(month, ZoneInfo(zone))
    start = np.arange(period.from_ms, period.to_ms, HOUR_MS, dtype=np.int64)
    assert len(start) == hours
    known = np.ones(hours, dtype=np.bool_)
    ones = np.ones(hours, dtype=np.int64)
    matching = Matching(start, ones, ones, ones, known)
    values = np.arange(hours, dtype=np.float64)
    values[30] = np.nan
    context = stand(period=period, facts=SimpleNamespace(zone=ZoneInfo(zone)))
    days, rows = charts_page._rows(context, matching, values)
    assert len(days) == len(rows) == 31
    assert {len(row) for row in rows} == {longest}
    assert rows[1][0] == "24"
    assert rows[1][6] is None, "a gap and no zero"
    filled = [value for row in rows for value in row if value is not None]
    assert len(filled) == hours - 1
    assert rows[-1][longest - 1] == (str(hours - 1) if longest == 24 else None)


def test_a_month_that_is_still_running_ends_in_gaps() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    period = parse_period("2026-10", zone)
    start = period.from_ms + np.arange(36, dtype=np.int64) * HOUR_MS
    ones = np.ones(36, dtype=np.int64)
    matching = Matching(start, ones, ones, ones, np.ones(36, dtype=np.bool_))
    _, rows = charts_page._rows(stand(period=period, facts=SimpleNamespace(zone=zone)), matching, np.ones(36))
    assert rows[1] == ("1",) * 12 + (None,) * 12
    assert rows[2] == (None,) * 24


@pytest.mark.parametrize(
    ("en", "zh"),
    [
        ("held, not cancelled for 2026-03", "持有，尚未为 2026-03 核销"),
        ("generated in 2024, consumed in 2025", "2024 年发电，2025 年用电"),
        ("no 等价值 of electricity is known for 2026: not computed", "2026 年电力等价值未知：未计算"),
        ("gate/active_energy_import is not known: not computed", "gate/active_energy_import 未知：未计算"),
        ("RE100 recognises Chinese GEC (rule 4.8)", "RE100 承认中国绿证（规则4.8）"),
        ("no readings in this period", "本期无读数"),
        ("nobody has said this before", "nobody has said this before"),
    ],
)
def test_sentences_of_the_books_are_said_in_both_languages(en: str, zh: str) -> None:
    assert said(en).en == en
    assert said(en).zh == zh


def test_numbers_of_charts_are_plain_decimals_and_unknown_is_a_gap() -> None:
    assert step(None, 3) is None
    assert [step(value, 3) for value in (1e-9, 12.5, 0.1 + 0.2, Decimal("-0.0001"))] == ["0", "12.5", "0.3", "0"]
    assert decimal(None) is None
    assert decimal(1e22) == Decimal("1e22")
    assert listed(["a", "b", "c"], 2).en == "a, b and 1 more"


def test_an_id_that_is_taken_gets_a_number() -> None:
    sheet = Sheet()
    sheet.put("lot.kwh", 1, "kWh", 0)
    assert fresh(sheet, "lot", ("kwh", "t")) == "lot-2"
    assert fresh(sheet, "other", ("kwh",)) == "other"


# ── avoided emissions ────────────────────────────────────────────────────────────────────────────


def margin(name: str, basis: str, value: float) -> Factor:
    return Factor(
        factor=name,
        title=name,
        purpose="avoided_margin",
        carrier="electricity",
        region="China/JS",
        gas="CO2",
        basis=basis,
        unit="kgCO2/kWh",
        value=value,
        data_year=2024,
        publisher="institute",
        edition="letter 7",
        source_page="p. 3",
    )


def exports(*factors: Factor, amount: int | None = 2_000_000_000) -> Context:
    point = PointAmount("gate/active_energy_export", "export", "electricity", "kWh", amount or 0)
    if amount is not None:
        point = PointAmount(
            "gate/active_energy_export",
            "export",
            "electricity",
            "kWh",
            amount,
            intervals=1,
            measured_ms=1,
            expected_ms=1,
        )
    facts = SimpleNamespace(factors=tuple(enumerate(factors)))
    return stand(facts=facts, inputs=SimpleNamespace(points=(point,)))


@pytest.mark.rule("5.4", "5.5")
async def test_avoided_emissions_only_where_both_margins_and_their_weights_were_entered() -> None:
    operating, build = (
        margin("om", "operating margin, weight 0.75", 0.8),
        margin("bm", "build margin, weight 0.25", 0.4),
    )
    context = exports(operating, build)
    await outside_page.outside(context)
    figures = context.sheet.figures
    assert figures["outside.margin"].value == "0.7"
    assert figures["outside.avoided.t"].shown == "1.4"
    assert [differs(figure, figures) for figure in figures.values()] == [None] * len(figures)
    for wanting in ((), (operating,), (operating, margin("bm", "build margin", 0.4)), (build,)):
        context = exports(*wanting)
        await outside_page.outside(context)
        assert "outside.avoided.t" not in context.sheet.figures


async def test_avoided_emissions_of_an_unknown_export_are_unknown() -> None:
    context = exports(
        margin("om", "operating margin, weight 0.75", 0.8), margin("bm", "build margin, weight 0.25", 0.4), amount=None
    )
    await outside_page.outside(context)
    assert context.sheet.figures["outside.export.kwh"].value is None
    assert context.sheet.figures["outside.avoided.t"].value is None


# ── trace ────────────────────────────────────────────────────────────────────────────────────────


def test_a_trace_of_very_many_stretches_stays_a_page() -> None:
    def stretch(at: int) -> Figure:
        end, start = Figure("register", 100.0 + at, "kWh"), Figure("register", 99.0 + at, "kWh")
        return computed(f"span_{at}", "difference", "kWh", end, start)

    whole = computed("registers", "sum", "kWh", *map(stretch, range(100)))
    cut = trace_page._cut(whole)
    assert len(cut.terms) == 31
    assert cut.terms[-1].value == 70.0
    context = stand(facts=SimpleNamespace(zone=ZoneInfo("Asia/Shanghai")))
    rows = trace_page._Rows(context)
    name = rows.add(cut, "trace")
    figures = context.sheet.figures
    assert figures[name].value == "100"
    assert [differs(figure, figures) for figure in figures.values()] == [None] * len(figures)
    assert len(rows.lines) == 3 * 3 + 28 + 1


def test_the_glossary_has_each_term_once_in_both_languages() -> None:
    assert len({term.zh for term in GLOSSARY}) == len({term.en for term in GLOSSARY}) == len(GLOSSARY)
    assert all(term.meaning.zh and term.meaning.en for term in GLOSSARY)
