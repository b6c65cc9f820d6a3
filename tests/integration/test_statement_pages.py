"""Pages 6 to 12 and the last on real databases: certificates, tenants, substitutions; an empty month; no meters."""

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import pytest

from parkcarbon.books.entries import enter_many, review
from parkcarbon.books.indicators.park import counted
from parkcarbon.books.instruments import ledger
from parkcarbon.books.inventory import inventory_of
from parkcarbon.books.periods import closing
from parkcarbon.books.quality import substitutions
from parkcarbon.books.quality.substitutions import Wanted
from parkcarbon.books.tenants.views import allocation_of
from parkcarbon.domain.tenancy.views import TOTALS
from parkcarbon.kit.db import Database, Session, from_ms
from parkcarbon.statement.compose.context import Context, open_context, stored_inputs, without_loads
from parkcarbon.statement.compose.order import Order
from parkcarbon.statement.compose.pages.charts import charts
from parkcarbon.statement.compose.pages.condensed import Condensed
from parkcarbon.statement.compose.pages.how_to_check import how_to_check
from parkcarbon.statement.compose.pages.instruments import instruments
from parkcarbon.statement.compose.pages.outside import other_method, outside
from parkcarbon.statement.compose.pages.quality import quality
from parkcarbon.statement.compose.pages.tenants import tenants
from parkcarbon.statement.compose.pages.trace import trace
from parkcarbon.statement.record import Box, Cell, Chart, HeatMap, Kind, Pairs, Section, Table
from parkcarbon.statement.sheet import differs
from tests.fakes.api_park import PARK as DEMO
from tests.fakes.api_park import ROLLUPS
from tests.fakes.books_park import MARCH, late_amount, write_books_park
from tests.fakes.ingest_park import PARK, QUARTER_MS, Ingest, Sender, counter_rows, open_ingest, park_text, utc
from tests.fakes.ledger import SECOND, WHO, act, credit, gec
from tests.fakes.tenancy_park import FIRST_MS, LAST_MS, fill
from tests.integration.test_derive_reprice import settle

MONTH = "2025-11"
GATE = "gate/active_energy_import"
DAY = 96
Page: TypeAlias = Callable[[Context], Awaitable[Section | list[Section]]]
PAGES: tuple[Page, ...] = (instruments, tenants, charts, outside, other_method, quality, trace, how_to_check)
IDS = ("instruments", "tenants", "charts", "outside", "other_method", "quality", "trace", "check")


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    yield opened
    await opened.database.close()


class Pages:
    """The pages of one statement."""

    def __init__(self, context: Context, sections: list[Section]) -> None:
        self.context = context
        self.figures = context.sheet.figures
        self.sections = {section.id: section for section in sections}

    def table(self, name: str) -> Table:
        return next(table for table in _tables(self.sections.values()) if table.id == name)

    def shown(self, name: str) -> str:
        return self.figures[name].shown

    def value(self, name: str) -> Decimal:
        value = self.figures[name].value
        assert value is not None, name
        return Decimal(value)

    def words(self, name: str) -> list[list[str]]:
        """Rows of a table: what is printed in English."""
        return [[self._printed(cell) for cell in line.cells] for line in self.table(name).lines]

    def _printed(self, cell: Cell) -> str:
        if cell.figure is not None:
            return self.figures[cell.figure].shown
        return "" if cell.text is None else cell.text.en


def _tables(sections: Iterable[Section]) -> Iterator[Table]:
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Table):
                yield block
            elif isinstance(block, Box):
                yield from (inner for inner in block.blocks if isinstance(inner, Table))


async def pages_of(ingest: Ingest, period: str = MONTH, kind: Kind = "statement") -> Pages:
    """Compose the pages, as known in an hour."""
    return await composed(ingest.database, PARK, period, kind)


async def composed(database: Database, park: str, period: str, kind: Kind = "statement") -> Pages:
    now = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    order = Order(park=park, period=period, kind=kind, as_of=now - dt.timedelta(hours=1), now=now)
    async with database.transaction() as session:
        context = await open_context(session, order)
        sections: list[Section] = []
        for page in PAGES:
            made = await page(context)
            sections += made if isinstance(made, list) else [made]
    check_pages(context, sections)
    return Pages(context, sections)


def check_pages(context: Context, sections: list[Section]) -> None:
    """Every page is there in order, refers to figures there are, and every figure is what it says it follows from."""
    assert tuple(section.id for section in sections) == IDS
    figures = context.sheet.figures
    names = [table.id for table in _tables(sections)]
    assert len(names) == len(set(names))
    for table in _tables(sections):
        for line in table.lines:
            assert len(line.cells) == len(table.columns), table.id
            assert all(cell.figure in figures for cell in line.cells if cell.figure is not None), table.id
    for section in sections:
        assert section.head.zh
        assert section.head.en
        for block in section.blocks:
            if isinstance(block, Pairs):
                assert all(cell.figure is None or cell.figure in figures for _, cell in block.rows)
    assert [wrong for figure in figures.values() if (wrong := differs(figure, figures))] == []
    assert all(name == name.lower() and name.isascii() for name in figures)


def chart(pages: Pages, name: str) -> Chart:
    blocks = pages.sections["charts"].blocks
    return next(block for block in blocks if isinstance(block, Chart) and block.id == name)


def heat_map(pages: Pages, name: str) -> HeatMap:
    blocks = pages.sections["charts"].blocks
    return next(block for block in blocks if isinstance(block, HeatMap) and block.id == name)


# ── a park with everything ───────────────────────────────────────────────────────────────────────


async def certificates(session: Session) -> None:
    """1 MWh cancelled and confirmed, 1 held, 1 of another year, 2 t of credits retired."""
    claim = {"claim_from": dt.date(2025, 11, 1), "claim_to": dt.date(2025, 12, 1), "on_day": dt.date(2026, 2, 3)}
    lots = [
        await ledger.enter_lot(session, PARK, lot, **WHO)
        for lot in (
            gec(1, 1, month="2025-10", plant="p1"),
            gec(11, 1, month="2025-10", plant="p1"),
            gec(21, 1, month="2024-12", plant="p1"),
            credit(1, 2, generated_from=dt.datetime(2024, 1, 1, tzinfo=dt.UTC)),
        )
    ]
    for kind, lot in (("cancelled", lots[0]), ("cancelled", lots[2]), ("retired", lots[3])):
        assert kind in ("cancelled", "retired")
        event = await ledger.record(session, PARK, act(kind, lot, **claim), **WHO)  # type: ignore[arg-type]
        await ledger.confirm(session, PARK, event, **SECOND)


async def entries(session: Session) -> None:
    """A budget of the month and of the year, an expired certificate of the gate meter."""
    budget = {
        "kind": "budget",
        "evidence": "board 7",
        "document": {"what": "electricity", "amount": 5000, "unit": "kWh"},
    }
    numbers = await enter_many(
        session,
        PARK,
        [
            {**budget, "period": "2025-11"},
            {**budget, "period": "2025", "document": {"what": "co2e_location", "amount": 100, "unit": "t"}},
            {
                "kind": "meter_certificate",
                "evidence": "scan 3",
                "from_day": "2023-01-01",
                "to_day": "2025-11-10",
                "document": {
                    "device": "gate",
                    "serial": "G-1",
                    "certificate": "C-77",
                    "laboratory": "institute",
                    "calibrated_on": "2023-01-01",
                    "accuracy_class": "0.5S",
                },
            },
        ],
        author="energy manager",
    )
    assert len(numbers) == 3
    for row in await session.fetch("select entry_id from entry where needs_review"):
        await review(session, row["entry_id"], person="reviewer", decision="approved", reason="seen", park=PARK)


async def substitute(ingest: Ingest) -> None:
    """96 kWh of 3 November at the gate, estimated and approved; another one waits."""
    day = dt.timedelta(days=1)
    start = from_ms(LAST_MS)
    for at in range(2):
        one = Wanted(GATE, start + at * day, start + (at + 1) * day, "estimate", total=96.0, evidence="log book")
        async with ingest.database.transaction() as session:
            done = await substitutions.enter(
                session, PARK, one, author="energy manager", reason="meter failed", now=from_ms(LAST_MS) + 5 * day
            )
        if not at:
            async with ingest.database.transaction() as session:
                await substitutions.review(
                    session, PARK, done.number, person="reviewer", decision="approved", reason="checked"
                )
    await settle(ingest)


async def faults(ingest: Ingest) -> None:
    """A reading with a doubtful clock, and a batch that was given up."""
    rows = counter_rows(GATE, LAST_MS + DAY * QUARTER_MS, [5000.0], quality=4)
    sender = Sender(made_ms=LAST_MS, boot="00000000000000cc")
    await ingest.commit(sender.batch(rows), now_ms=LAST_MS + 2 * DAY * QUARTER_MS)
    await ingest.database.execute(
        "with b as (insert into batch (source_id, boot, seq, state, digest, header, made, n)"
        " select source_id, 'gone', 1, 'tombstone', '', '', now(), 7 from source where source = 'agent'"
        " returning source_id, boot, seq)"
        " insert into loss_record (source_id, boot, seq, point, t_from, t_to, n, reason)"
        " select source_id, boot, seq, 'battery/state_of_charge', $1, $2, 7, 'thinned' from b",
        from_ms(FIRST_MS),
        from_ms(FIRST_MS + QUARTER_MS),
    )


@pytest.fixture
async def full(ingest: Ingest) -> Pages:
    await fill(ingest)
    await settle(ingest)
    async with ingest.database.transaction() as session:
        await certificates(session)
        await entries(session)
    await substitute(ingest)
    await faults(ingest)
    return await pages_of(ingest)


@pytest.mark.rule("3.4", "3.14", "4.3")
async def test_instruments_with_serials_what_waits_and_what_is_refused_by_which_rule(full: Pages) -> None:
    (one, total) = full.words("instruments.certificates")
    assert one[0] == "GEC"
    assert one[2:5] == ["2025-10", "gec-cn", "2026-02-03"]
    assert one[6:] == ["1.000", "1,000"]
    assert total[-1] == "1,000"
    assert full.value("instruments.covered.kwh") * 10**6 == full.context.inputs.cover.covered_micro_kwh == 10**9
    assert full.words("instruments.credits")[-1][-1] == "2.0"
    assert full.value("instruments.retired.t").scaleb(12) == full.context.inputs.cover.retired_nano_kg
    (held,) = full.words("instruments.pending")
    assert held[3:] == ["held, not cancelled for 2025-11", "1.000", ""]
    assert full.table("instruments.pending").lines[0].cells[3].text.zh == "持有，尚未为 2025-11 核销"  # type: ignore[union-attr]
    (refused,) = full.words("instruments.refused")
    assert refused[3:5] == ["3.14", "generated in 2024, consumed in 2025"]


@pytest.mark.rule("3.3", "5.1", "6.8")
async def test_both_views_add_up_to_the_park(full: Pages) -> None:
    inventory = full.context.inventory
    wanted = {
        "scope1": inventory.scope(1).co2e_nano_kg,
        "scope2_location": inventory.scope(2, "location").co2e_nano_kg,
        "scope2_market": inventory.scope(2, "market").co2e_nano_kg,
    }
    for total in TOTALS[:3]:
        assert full.value(f"tenants.{total}").scaleb(12) == wanted[total]
        assert full.value(f"entities.park.{total}").scaleb(12) == wanted[total]
    assert len(full.words("tenants.eliminations")) > 3
    said = " ".join(block.text.en for block in full.sections["tenants"].blocks if hasattr(block, "text"))
    assert "Rule power-by-meter (electricity, since 2025-01-01): by sub-meters;" in said
    assert "Rule rest-by-area (all carriers, since 2025-01-01): by floor area." in said


@pytest.mark.rule("3.18", "6.7")
async def test_days_hours_months_and_budgets(full: Pages) -> None:
    daily = chart(full, "charts.daily")
    assert len(daily.labels) == 30
    known = [value for value in daily.series[0].values if value is not None]
    assert len(known) == 2, "two days were measured throughout"
    part = [value for value in daily.series[1].values if value is not None]
    assert len(part) == 1, "of the third only the gate is known, substituted"
    assert daily.completeness_pct[0] == "100"
    assert daily.completeness_pct[5] == "0"
    load = heat_map(full, "charts.load")
    assert (len(load.days), len(load.values[0])) == (30, 24)
    assert load.values[0][0] == "64.8"  # 16.2 kWh a quarter
    assert load.values[0][2] == "64.8", "what goes into the battery is no load"
    assert load.values[5] == (None,) * 24
    matched = heat_map(full, "charts.matched")
    assert matched.values[0][10] == "100"
    assert matched.values[0][0] == "0", "known, and nothing clean in it"
    trend = chart(full, "charts.trend")
    assert trend.labels[0] == "2024-12"
    assert trend.series[0].values[:11] == (None,) * 11
    assert full.shown("trend.2024-12.location") == "–"
    rows = full.words("charts.budget")
    assert [row[3] for row in rows] == ["2025-01-01 – 2025-12-31", "2025-11-01 – 2025-11-30"]
    assert rows[0][5:7] == ["–", "–"], "ten months of the year are not known"
    assert rows[1][4] == "5,000"
    assert rows[1][7] == "100.0"


@pytest.mark.rule("2.9", "5.2", "5.4", "5.5")
async def test_what_is_outside_the_sum_is_bordered(full: Pages) -> None:
    (box,) = full.sections["outside"].blocks
    assert isinstance(box, Box)
    assert box.kind == "not_counted"
    assert full.shown("outside.export.kwh") == "122"  # 32 quarters of 3.8 kWh
    assert "outside.avoided.t" not in full.figures, "no margins were entered"
    said = [block.text.en for block in box.blocks if hasattr(block, "text")]
    assert any("rule 5.4" in text for text in said)
    (other,) = full.sections["other_method"].blocks
    assert isinstance(other, Box)
    assert other.kind == "other_method"
    guiding = next(block for block in other.blocks if isinstance(block, Table) and block.id == "other_method.guiding")
    assert "rolling 12 months" in guiding.head.en, "a share says of which months"
    assert full.figures["park910.rolling_12_months.value"].value is None
    assert full.value("zcp910.total.t") > 0
    electricity = [name for name in full.figures if name.startswith("zcp910.gate") and name.endswith(".t")]
    assert len(electricity) >= 2, "covered by certificates, and every other kilowatt-hour"


@pytest.mark.rule("6.2", "6.5", "6.7")
async def test_data_quality_names_everything(full: Pages) -> None:
    completeness = {row[0]: row for row in full.words("quality.completeness")}
    assert completeness["electricity"][-1] == "6.7"  # 2 of 30 days
    assert Decimal(completeness["electricity"][5].replace(",", "")) == 24, "a day of one meter was substituted"
    one, total = full.words("quality.substitutions")
    assert one[0] == GATE
    assert one[2] == "6.2 estimate from process data"
    assert one[3:5] == ["24.00", "96.0"]
    assert one[7] == "energy manager / reviewer"
    assert total[6] == one[6] != "–"
    said = [block.text.en for block in full.sections["quality"].blocks if hasattr(block, "text")]
    assert any(text.startswith("Not reviewed and not counted yet: 2") for text in said)
    assert full.words("quality.clocks")[0][::2] == [GATE, "1"]
    assert full.words("quality.losses")[0][1] == "battery/state_of_charge"
    assert full.words("quality.corrections")[0][0] == "none"
    assert full.words("quality.calibrations") == [["gate", "C-77", "2025-11-09", "expired"]]
    assert any("holds no calibration" in text for text in said)


async def test_the_trace_leads_from_two_registers_to_the_line(full: Pages) -> None:
    rows = full.words("trace.working")
    assert rows[0][0].startswith("register at 2025-11-01 00:00")
    assert rows[0][2] == "1,000"
    assert "agent/" in rows[0][4]
    assert rows[-1][0] == "the line of this statement"
    line = full.context.inventory.scope(2, "location").lines[0]
    assert full.value("trace.kg").scaleb(9) == line.co2e_nano_kg
    energy = full.figures["trace.kg"].formula
    assert energy is not None
    assert full.value(energy.of[0]).scaleb(6) == line.amount_micro
    registers = [name for name in full.figures if name.startswith("trace.") and full.figures[name].basis == "registers"]
    assert len(registers) >= 2


async def test_the_last_page_says_how_to_check(full: Pages) -> None:
    commands = [row[0] for row in full.words("check.commands")]
    assert commands[0] == f"parkcarbon statement verify PC-{PARK}-{MONTH}.pdf"
    terms = {row[1] for row in full.words("check.glossary")}
    assert {"Remaining emissions", "Hourly matched share (24/7)", "Integrity check"} <= terms


async def test_the_same_facts_give_the_same_pages(ingest: Ingest) -> None:
    await fill(ingest)
    await settle(ingest)
    first, second = await pages_of(ingest), await pages_of(ingest)
    assert first.sections == second.sections
    assert first.figures == second.figures


# ── little or nothing ────────────────────────────────────────────────────────────────────────────


def nothing_is_zero(pages: Pages) -> None:
    """What is not known is not printed as zero: no emission and no energy of an empty month is a number."""
    for name, figure in pages.figures.items():
        assert figure.value is None or not figure.unit.startswith(("t", "kg")), name
        assert figure.value is None or figure.unit != "kWh", name


@pytest.mark.rule("6.7")
async def test_a_month_without_readings_has_every_page_and_no_zero(ingest: Ingest) -> None:
    await fill(ingest)
    await settle(ingest)
    pages = await pages_of(ingest, "2025-09")
    nothing_is_zero(pages)
    assert pages.sections["trace"].blocks[0].text.en == "no data"  # type: ignore[union-attr]
    assert all(value is None for value in chart(pages, "charts.daily").series[0].values)
    assert all(value is None for row in heat_map(pages, "charts.load").values for value in row)


async def test_a_park_without_meters(ingest: Ingest) -> None:
    await ingest.apply(park_text(0).replace("devices:", "devices: []"))
    pages = await pages_of(ingest)
    nothing_is_zero(pages)
    assert pages.words("quality.completeness")[0][0] == "no data"
    assert "no data" in [row[0] for row in pages.words("other_method.lines")]


@pytest.mark.parametrize(
    ("zone", "month", "begin", "size"),
    [
        ("Asia/Kolkata", "2026-06", "2026-05-31T18:30:00+00:00", (720, 24)),
        ("Europe/Berlin", "2026-03", "2026-02-28T23:00:00+00:00", (743, 24)),
        ("Europe/Berlin", "2025-10", "2025-09-30T22:00:00+00:00", (745, 25)),
    ],
)
async def test_months_of_other_zones_and_lengths(
    ingest: Ingest, zone: str, month: str, begin: str, size: tuple[int, int]
) -> None:
    hours, longest = size
    await ingest.apply(park_text(1, timezone=zone))
    start = utc(begin)
    rows = counter_rows("m0/active_energy_import", start, [2.0 * at for at in range(hours * 4 + 1)])
    await ingest.commit(Sender().batch(rows), now_ms=start + (hours + 1) * 3_600_000)
    await settle(ingest)
    pages = await pages_of(ingest, month)
    load = heat_map(pages, "charts.load")
    assert {len(row) for row in load.values} == {longest}
    assert [value for row in load.values for value in row if value is not None] == ["8"] * hours
    daily = chart(pages, "charts.daily").series[0].values
    assert None not in daily
    total = pages.context.inventory.total_nano_kg("location")
    power = pages.context.inventory.scope(2, "location").co2e_nano_kg
    assert total is None, "nothing is known of fuels"
    assert power is not None
    assert sum(Decimal(value) for value in daily if value) == pytest.approx(
        Decimal(power).scaleb(-12), abs=Decimal("0.02")
    )
    assert set(chart(pages, "charts.daily").completeness_pct) == {"100"}
    assert pages.shown("matching.hours") == str(hours)


async def test_a_month_of_negative_and_huge_amounts_has_every_page(ingest: Ingest) -> None:
    await fill(ingest)
    await settle(ingest)
    for amount in (-(10**13), 10**13):  # every interval of every meter
        await ingest.database.execute(
            "update interval_15min set amount_micro = $1::bigint, co2e_nano_kg = $1::bigint * 500", amount
        )
        await ingest.database.execute(ROLLUPS)
        pages = await pages_of(ingest)
        assert len(pages.figures) > 100


async def test_a_year(ingest: Ingest) -> None:
    await fill(ingest)
    await settle(ingest)
    pages = await pages_of(ingest, "2025", "annual")
    assert len(chart(pages, "charts.daily").labels) == 365
    assert chart(pages, "charts.trend").labels == tuple(f"2025-{month:02d}" for month in range(1, 13))
    assert pages.figures["park910.full_year.value"].value is None


@pytest.mark.rule("6.9")
async def test_a_closed_month_stays_in_the_trend_as_it_was_closed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parkcarbon.books.inventory.SETTLED_AFTER", dt.timedelta(0))
    await write_books_park(database_url)
    now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
    async with await Database.connect(database_url, max_size=2) as database:
        async with database.transaction() as session:
            await closing.make_provisional(session, DEMO, "2025-03", person="energy manager", reason="", now=now)
        async with database.transaction() as session:
            await closing.close(session, DEMO, "2025-03", person="reviewer", reason="", now=now)
        before = await composed(database, DEMO, "2025-04")
        await late_amount(database, GATE, MARCH, 1_000_000_000)
        after = await composed(database, DEMO, "2025-04")
    march = before.words("charts.trend_table")[-2]
    assert march[0] == "2025-03"
    assert march[-1] == "closed"
    assert march == after.words("charts.trend_table")[-2]
    assert after.value("trend.2025-03.location") > 0
    april = after.context.inventory.total_nano_kg("location")
    assert after.value("trend.2025-04.location").scaleb(12) == april
    assert after.words("charts.trend_table")[-1][-1] == "provisional"


# ── sums by tenant made by the database ──────────────────────────────────────────────────────────

SUB_METERS = """
park: testpark
name: {zh: 试验园区, en: Test park}
timezone: Asia/Shanghai
method: {electricity_region: China/JS}
sources: [{source: agent}]
tenants:
  - {tenant: a, name: {zh: 甲, en: A}}
  - {tenant: b, name: {zh: 乙, en: B}}
devices:
  - {device: gate, name: {zh: 关口, en: Gate}, profile: interval-file, source: agent,
     points: [{quantity: active_energy_import, kind: counter, flow: import}]}
  - {device: roof, name: {zh: 光伏, en: Roof}, profile: interval-file, source: agent, tenant: a,
     points: [{quantity: active_energy_yield, kind: counter, flow: generation}]}
  - {device: a1, name: {zh: 甲一, en: A1}, profile: interval-file, source: agent, tenant: a,
     points: [{quantity: active_energy_import, kind: counter, flow: sub_meter},
              {quantity: active_energy_export, kind: counter, flow: sub_meter}]}
  - {device: a2, name: {zh: 甲二, en: A2}, profile: interval-file, source: agent, tenant: a,
     points: [{quantity: active_energy_import, kind: counter, flow: sub_meter}]}
  - {device: a3, name: {zh: 甲三, en: A3}, profile: interval-file, source: agent, tenant: a,
     points: [{quantity: active_energy_import, kind: counter, flow: sub_meter, below: a2/active_energy_import}]}
  - {device: a4, name: {zh: 甲四, en: A4}, profile: interval-file, source: agent, tenant: a,
     points: [{quantity: active_energy_import, kind: counter, flow: sub_meter}]}
  - {device: b1, name: {zh: 乙一, en: B1}, profile: interval-file, source: agent, tenant: b,
     points: [{quantity: active_energy_import, kind: counter, flow: sub_meter}]}
  - {device: b2, name: {zh: 乙二, en: B2}, profile: interval-file, source: agent, tenant: b,
     points: [{quantity: active_energy_import, kind: counter, flow: sub_meter}]}
  - {device: b3, name: {zh: 乙三, en: B3}, profile: interval-file, source: agent, tenant: b,
     points: [{quantity: active_energy_import, kind: counter, flow: sub_meter,
               episodes: [{at: 2025-11-02T00:00:00Z}]}]}
  - {device: common, name: {zh: 公共, en: Common}, profile: interval-file, source: agent,
     points: [{quantity: active_energy_import, kind: counter, flow: sub_meter}]}
"""
LOADS = {"a1": 3.0, "a2": 5.0, "a3": 2.0, "a4": 4.0, "b1": 6.0, "b2": 1.0, "b3": 2.0, "common": 1.0}


@pytest.mark.rule("5.1", "6.8")
async def test_sums_of_sub_meters_split_the_park_as_the_meters_themselves_do(ingest: Ingest) -> None:
    await ingest.apply(SUB_METERS)
    rng = np.random.default_rng(3)
    rows = []
    for device, each in LOADS.items():
        last = 150 if device == "b2" else 192  # b2 falls silent: its tenant's quarters are then not known
        first = 60 if device == "b3" else 0
        amounts = np.rint(rng.uniform(0.5, 1.5, last - first) * each * 1000) / 1000
        shown = [round(float(value), 3) for value in np.concatenate([[0.0], np.cumsum(amounts)])]
        rows += counter_rows(f"{device}/active_energy_import", FIRST_MS + first * QUARTER_MS, shown)
    rows += counter_rows("a1/active_energy_export", FIRST_MS, [0.1 * at for at in range(193)])
    rows += counter_rows(GATE, FIRST_MS, [22.0 * at for at in range(193)])
    rows += counter_rows("roof/active_energy_yield", FIRST_MS, [4.0 * at for at in range(193)])
    await ingest.commit(Sender(made_ms=LAST_MS).batch(rows), now_ms=LAST_MS)
    await settle(ingest)
    now = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    order = Order(park=PARK, period=MONTH, kind="statement", as_of=now - dt.timedelta(hours=1), now=now)
    async with ingest.database.transaction() as session:
        context = await open_context(session, order)
        condensed = Condensed(session, context.facts, context.period)
        arguments = (context.period, context.inventory)
        alone = await allocation_of(session, context.facts, *arguments)
        together = await allocation_of(condensed, condensed.facts, *arguments)
        inputs = await stored_inputs(session, without_loads(context.facts), context.period)
    supplied = inventory_of(inputs, final=False)
    assert counted(inputs) == counted(context.inputs)
    assert len(without_loads(context.facts).points) < len(context.facts.points)
    for basis in ("location", "market"):
        assert supplied.lines(basis) == context.inventory.lines(basis) != (), "sub-meters do not count"
    assert len(context.facts.points) - len(condensed.facts.points) == 2, "a4 stands for a1's import, b2 for b1"
    assert together == alone
    assert {share.tenant for share in alone.shares} == {"a", "b", "_park"}
