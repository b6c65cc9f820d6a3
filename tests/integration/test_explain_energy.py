"""Energy explained from a real database: registers at both ends with their batches, readings of interval files."""

import datetime as dt
from collections.abc import AsyncIterator

import pytest

from ingest.recompute import Recomputer
from parkcarbon.books.amounts import hourly_amounts, parse_period, point_amounts
from parkcarbon.books.facts import Facts, PointFact, load_facts
from parkcarbon.books.working.energy import Asked, energy_figure, hours_columns, intervals_figure
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.working import Figure, check
from parkcarbon.kit.db import Session
from tests.fakes.ingest_park import METER, NOW_MS, PARK, Ingest, Sender, counter_rows, open_ingest, park_text, utc

M0 = f"m0/{METER}"
MONTH_START = utc("2026-10-31T16:00:00Z")  # November in Shanghai
MONTH = "2026-11"
HOUR = 3_600_000


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    yield opened
    await opened.database.close()


async def settle(ingest: Ingest) -> None:
    recomputer = Recomputer(ingest.writer, ingest.clock)
    while await recomputer.step():
        pass


async def known(session: Session, period: str = MONTH) -> tuple[Asked, PointFact, PointAmount]:
    facts: Facts = await load_facts(session, PARK, dt.datetime.now(dt.UTC) + dt.timedelta(days=3000))
    asked = Asked(session, facts, parse_period(period, facts.zone), current=True)
    amounts = await point_amounts(session, facts, asked.period.from_ms, asked.period.to_ms)
    return asked, next(p for p in facts.points if p.point == M0), next(a for a in amounts if a.point == M0)


async def explained(ingest: Ingest, period: str = MONTH) -> tuple[Figure, PointAmount]:
    async with ingest.database.transaction() as session:
        asked, point, amount = await known(session, period)
        figure = await energy_figure(asked, point, amount)
    assert check(figure) == []
    assert figure.value == amount.amount_micro / 1e6
    return figure, amount


def leaves(figure: Figure, kind: str) -> list[Figure]:
    return [node for node in figure.walk() if node.operation == "given" and node.source.get("kind") == kind]


async def test_a_month_is_two_registers_times_the_ratio(ingest: Ingest) -> None:
    episode = ", episodes: [{at: 2020-01-01T00:00:00Z, serial: A7, ct: 30, pt: 2}]"
    await ingest.apply(park_text(1, point=episode, period_s=3600))
    sender = Sender()
    before = sender.batch(counter_rows(M0, MONTH_START - 5 * HOUR, [float(at) for at in range(95, 115)], step_ms=HOUR))
    after = sender.batch(counter_rows(M0, MONTH_START + 15 * HOUR, [float(at) for at in range(115, 120)], step_ms=HOUR))
    await ingest.commit(before)
    await ingest.commit(after)
    await settle(ingest)
    figure, amount = await explained(ingest)
    assert amount.amount_micro == 19 * 60 * 1_000_000
    last, first = leaves(figure, "register")
    assert (first.value, first.source["time"]) == (100.0, "2026-10-31T16:00:00Z")
    assert (last.value, last.source["time"]) == (119.0, "2026-11-01T11:00:00Z")
    assert (first.source["serial"], first.source["ct"], first.source["pt"]) == ("A7", 30.0, 2.0)
    batch = first.source["batch"]
    assert isinstance(batch, dict)
    assert (batch["source"], batch["boot"], batch["seq"]) == ("agent", before.topic.boot, 1)
    assert batch["digest"] == before.digest.hex()
    assert isinstance(last.source["batch"], dict)
    assert last.source["batch"]["digest"] == after.digest.hex()
    states = figure.source["states"]
    assert isinstance(states, dict)
    assert states["missing"] > 0.9
    assert sum(states.values()) == pytest.approx(1)


async def test_without_a_reading_at_midnight_the_two_around_it_are_shown(ingest: Ingest) -> None:
    await ingest.apply(park_text(1, period_s=3600))
    rows = counter_rows(M0, MONTH_START - 5 * HOUR - 600_000, [100.0 + 6 * at for at in range(20)], step_ms=HOUR)
    await ingest.commit(Sender().batch(rows))
    await settle(ingest)
    figure, _ = await explained(ingest)
    begin = next(node for node in figure.walk() if node.name == "register_at")
    assert begin.value == pytest.approx(131.0, abs=1e-9)  # ten minutes after 130, sixty minutes before 136
    assert [leaf.value for leaf in leaves(begin, "register")] == [130.0, 136.0, 130.0]
    assert next(node for node in begin.walk() if node.name == "share").value == pytest.approx(1 / 6)


@pytest.mark.rule("6.10")
async def test_an_exchanged_meter_gives_two_spans_with_declared_registers(ingest: Ingest) -> None:
    at = "2026-10-31T22:00:00Z"
    episode = f", limit_per_h: 10, episodes: [{{at: {at}, serial: B, ct: 2, end_reading: 107, start_reading: 3}}]"
    await ingest.apply(park_text(1, point=episode, period_s=3600))
    old = [100.0 + at for at in range(-5, 6)]
    new = [4.0 + at for at in range(8)]
    rows = counter_rows(M0, MONTH_START - 5 * HOUR, old + new, step_ms=HOUR)
    await ingest.commit(Sender().batch(rows))
    await settle(ingest)
    figure, amount = await explained(ingest)
    assert amount.amount_micro == (107 - 100) * 1_000_000 + 2 * (11 - 3) * 1_000_000
    declared = [leaf.value for leaf in leaves(figure, "register") if leaf.source["quality"] == "declared"]
    assert declared == [107.0, 3.0]
    assert [node.value for node in figure.walk() if node.name == "ratio"] == [1.0, 2.0]


async def test_what_is_missing_is_a_note_and_no_zero(ingest: Ingest) -> None:
    await ingest.apply(park_text(1, period_s=3600))
    figure, _ = await explained_nothing(ingest)
    assert figure.value is None
    assert figure.notes == ("no readings in this period",)


async def explained_nothing(ingest: Ingest) -> tuple[Figure, PointAmount]:
    async with ingest.database.transaction() as session:
        asked, point, amount = await known(session)
        return await energy_figure(asked, point, amount), amount


async def test_an_interval_file_is_its_readings_with_their_batches(ingest: Ingest) -> None:
    episode = ", episodes: [{at: 2020-01-01T00:00:00Z, ct: 10}]"
    await ingest.apply(park_text(1, kind="delta", point=episode, period_s=3600))
    sender = Sender()
    first = sender.batch(counter_rows(M0, MONTH_START - HOUR // 2, [1.5, 2.5, 3.5], step_ms=HOUR))
    wrong = sender.batch(counter_rows(M0, MONTH_START + 5 * HOUR // 2, [9.0, 5.25], step_ms=HOUR))
    right = sender.batch(counter_rows(M0, MONTH_START + 5 * HOUR // 2, [4.5], step_ms=HOUR), made_ms=NOW_MS + 1)
    for batch in (first, wrong, right):
        await ingest.commit(batch)
    await settle(ingest)
    figure, amount = await explained(ingest)
    assert amount.amount_micro == 10 * (750_000 + 2_500_000 + 3_500_000 + 4_500_000 + 5_250_000)
    readings = next(node for node in figure.walk() if node.name == "readings")
    assert readings.columns["reading [kWh]"] == (1.5, 2.5, 3.5, 4.5, 5.25)
    assert readings.columns["share in period [1]"] == (0.5, 1.0, 1.0, 1.0, 1.0)
    batches = readings.source["batches"]
    assert isinstance(batches, list)
    by_number = {batch["number"]: batch["digest"] for batch in batches}
    found = [by_number[number] for number in readings.axis["batch"]]
    assert found == [digest.digest.hex() for digest in (first, first, first, right, wrong)]


async def test_hours_and_quarters_add_up_to_the_same(ingest: Ingest) -> None:
    await ingest.apply(park_text(1, period_s=900))
    rows = counter_rows(M0, MONTH_START, [100.0 + at**1.5 for at in range(20)])
    await ingest.commit(Sender().batch(rows))
    await settle(ingest)
    async with ingest.database.transaction() as session:
        asked, point, amount = await known(session)
        hourly = await hourly_amounts(session, asked.facts, [M0], asked.period.from_ms, asked.period.to_ms)
        axis, columns = hours_columns(hourly, M0, "kWh")
        quarters = await intervals_figure(asked, point)
    total = amount.amount_micro / 1e6
    [hours] = columns.values()
    assert sum(hour for hour in hours if hour is not None) == pytest.approx(total, rel=1e-12)
    assert len(axis["hour from"]) == len(hours) == 30 * 24
    assert hours[100] is None
    assert quarters.value == pytest.approx(total, rel=1e-12)
    assert quarters.axis["data state"][0] == "measured"
    assert check(quarters) == []
