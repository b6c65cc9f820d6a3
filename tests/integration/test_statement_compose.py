"""Composing statements from both stores: records that hold their arithmetic, the same bytes for the same facts."""

import datetime as dt
from collections.abc import AsyncIterator
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from parkcarbon.books.amounts import parse_period
from parkcarbon.books.instruments.ledger import confirm, enter_lot, record
from parkcarbon.kit.db import Session, from_ms
from parkcarbon.statement.arithmetic import check
from parkcarbon.statement.compose import SECTIONS, Order, compose
from parkcarbon.statement.record import HeatMap, Kind, Record, content_digest, decode, encode
from tests.fakes.ingest_park import PARK, QUARTER_MS, Ingest, Sender, counter_rows, open_ingest, park_text
from tests.fakes.ledger import SECOND, WHO, act, credit, gec

MONTH = "2026-03"
PER_QUARTER = 25.0  # [kWh]
GATE = "m0/active_energy_import"
ENTITY = (
    "method: {electricity_region: China/JS, reporting_entity: {zh: 甲公司, en: Company A},"
    " absent_scopes: [{scope: 1, reason: no fuel}]}"
)


@pytest.fixture
async def ingest(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ingest]:
    async def at_once(*_: object) -> None:
        """Nothing waits a minute for the sealer."""

    monkeypatch.setattr("parkcarbon.statement.evidence.members.ensure_sealed", at_once)
    opened = await open_ingest(database_url)
    yield opened
    await opened.database.close()


def document(counters: int = 1, timezone: str = "Asia/Shanghai") -> str:
    return park_text(counters, timezone=timezone).replace("method: {electricity_region: China/JS}", ENTITY)


async def send_month(ingest: Ingest, period: str = MONTH, timezone: str = "Asia/Shanghai") -> int:
    """A month in which the gate counts the same in every quarter of an hour; its hours."""
    span = parse_period(period, ZoneInfo(timezone))
    quarters = (span.to_ms - span.from_ms) // QUARTER_MS
    values: list[float | None] = [1000.0 + PER_QUARTER * at for at in range(quarters + 1)]
    sender = Sender(made_ms=span.to_ms)
    for at in range(0, quarters + 1, 1000):
        rows = counter_rows(GATE, span.from_ms + at * QUARTER_MS, values[at : at + 1000])
        await ingest.commit(sender.batch(rows), now_ms=span.to_ms)
    return quarters // 4


async def composed(
    session: Session,
    period: str = MONTH,
    *,
    kind: Kind = "statement",
    as_of: dt.datetime | None = None,
    before: Record | None = None,
    reason: str = "",
) -> Record:
    """A statement as known at a moment of the database; by itself, of now."""
    known = as_of or await session.fetchval("select clock_timestamp()")
    now = known + dt.timedelta(seconds=61)
    version = 1 if before is None else before.version + 1
    order = Order(
        park=PARK,
        period=period,
        kind=kind,
        as_of=known,
        now=now,
        version=version,
        predecessor=before,
        reason=reason,
        software="parkcarbon test",
    )
    found = await compose(session, order)
    again = await compose(session, order)
    assert encode(found) == encode(again)
    assert decode(encode(found)) == found
    assert "\n".join(check(found)) == ""
    assert tuple(section.id for section in found.sections) == SECTIONS
    return found


@pytest.mark.parametrize(
    ("period", "timezone", "hours", "offsets"),
    [
        ("2026-03", "Europe/Berlin", 743, ("+01:00", "+02:00")),
        ("2026-10", "Europe/Berlin", 745, ("+02:00", "+01:00")),
        ("2026-03", "Asia/Kolkata", 744, ("+05:30", "+05:30")),
        ("2026-04", "Australia/Lord_Howe", 720.5, ("+11:00", "+10:30")),
    ],
)
async def test_every_clock_has_its_hours(
    ingest: Ingest, period: str, timezone: str, hours: float, offsets: tuple[str, str]
) -> None:
    await ingest.apply(document(timezone=timezone))
    await send_month(ingest, period, timezone)
    async with ingest.database.transaction() as session:
        found = await composed(session, period)
    kwh = Decimal(str(hours)) * 4 * Decimal(str(PER_QUARTER))
    assert Decimal(found.figures["energy.import.kwh"].value or 0) == kwh
    assert Decimal(found.figures["s2.location.total"].value or 0) == kwh * Decimal("0.0005827")
    assert (found.from_time[-6:], found.to_time[-6:]) == offsets
    assert found.verdict.word == "not_covered"
    assert found.missing == ()
    charts = next(section for section in found.sections if section.id == "charts")
    maps = [block for block in charts.blocks if isinstance(block, HeatMap)]
    assert {len(block.days) for block in maps} == {(days_in(period))}


def days_in(period: str) -> int:
    return {"2026-03": 31, "2026-04": 30, "2026-10": 31}[period]


async def test_a_park_without_meters_has_all_pages_and_no_zero(ingest: Ingest) -> None:
    await ingest.apply(park_text(0).replace("devices:", "devices: []"))
    async with ingest.database.transaction() as session:
        found = await composed(session)
    assert found.verdict.word == "cannot_be_judged"
    assert "无法判定" in found.verdict.sentence.zh
    tonnes = {name: figure.shown for name, figure in found.figures.items() if figure.unit.startswith("t CO2")}
    assert {name: shown for name, shown in tonnes.items() if shown != "–"} == {}
    assert found.front.stamp.zh == "暂定"


async def test_with_every_reading_missing_each_meter_is_asked_for(ingest: Ingest) -> None:
    await ingest.apply(document(3))
    async with ingest.database.transaction() as session:
        found = await composed(session)
    assert [item.item for item in found.missing] == [f"meter:m{at}/active_energy_import" for at in range(3)]
    assert {(item.owner, item.due) for item in found.missing} == {("electrician", "2026-04-15")}
    assert found.verdict.word == "cannot_be_judged"
    assert found.figures["total.market"].value is None


async def instruments(session: Session) -> None:
    """10 MWh of certificates and 5 t of credits for the month, confirmed by a second person."""
    for lot, kind in ((gec(1, 10, month=MONTH), "cancelled"), (credit(1, 5), "retired")):
        number = await enter_lot(session, PARK, lot, **WHO)
        event = await record(session, PARK, act(kind, number), **WHO)  # type: ignore[arg-type]
        await confirm(session, PARK, event, **SECOND)


@pytest.mark.rule("6.9", "3.5")
async def test_a_reissue_names_every_line_that_changed_and_the_old_one_stays_as_it_was(ingest: Ingest) -> None:
    await ingest.apply(document())
    await send_month(ingest)
    async with ingest.database.transaction() as session:
        known = await session.fetchval("select clock_timestamp()")
        first = await composed(session, as_of=known)
    async with ingest.database.transaction() as session:
        await instruments(session)
    async with ingest.database.transaction() as session:
        second = await composed(session, before=first, reason="certificates came late")
        assert encode(await composed(session, as_of=known)) == encode(first)
    assert (first.verdict.word, second.verdict.word) == ("not_covered", "partly_covered")
    told = second.supersedes
    assert told is not None
    assert (told.version, told.reason, told.digest) == (1, "certificates came late", content_digest(first))
    changed = {change.figure: change for change in told.changes}
    differing = {
        name
        for name in {*first.figures, *second.figures}
        if getattr(first.figures.get(name), "value", None) != getattr(second.figures.get(name), "value", None)
    }
    assert set(changed) == differing
    market = changed["s2.market.total"]
    assert Decimal(market.before or 0) - Decimal(market.after or 0) == 10_000 * Decimal("0.6096") / 1000
    assert changed["credits.retired"].cause.en == "ledger of certificates and credits"
    assert changed["credits.retired"].label.zh == "已注销减排量"
    assert "s2.location.total" not in changed
    page = next(section for section in second.sections if section.id == "entity")
    assert any("替代版本 V1" in getattr(getattr(block, "text", None), "zh", "") for block in page.blocks)


@pytest.mark.rule("3.9")
async def test_a_flash_report_and_a_year(ingest: Ingest) -> None:
    await ingest.apply(document())
    hours = await send_month(ingest)
    async with ingest.database.transaction() as session:
        flash = await composed(session, kind="flash")
        year = await composed(session, "2026", kind="annual")
    assert (flash.number, flash.verdict.word, flash.verdict.reasons) == (f"PC-{PARK}-{MONTH}-F", "none", ())
    assert flash.figures["energy.import.kwh"].value == str(hours * 100)
    assert (year.number, year.verdict.word, year.status) == (f"PC-{PARK}-2026", "cannot_be_judged", "provisional")
    assert year.figures["energy.import.kwh"].value == str(hours * 100)
    assert from_ms(0).isoformat() < year.known_on
