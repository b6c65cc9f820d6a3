"""Another factor: only what it touches is marked, months are priced anew bit for bit, whatever happens meanwhile."""

import asyncio
import datetime as dt
import os
import random
import signal
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from ingest.absorb import Absorber
from ingest.factors import sync_factors
from ingest.recompute import Recomputer, check_point
from ingest.reprice import Repricer
from parkcarbon.books.derive.announce import announce
from parkcarbon.books.derive.model import load_model
from parkcarbon.domain.emissions import nano_kg
from parkcarbon.domain.factors import Factor
from parkcarbon.kit.clock import ManualClock, SystemClock
from parkcarbon.kit.db import Database, Session
from parkcarbon.wire.body import Row
from tests.fakes.ingest_park import METER, NOW_MS, PARK, QUARTER_MS, Ingest, Sender, open_ingest, park_text, utc
from tests.fakes.postgres import Server

ROOT = Path(__file__).resolve().parents[2]
POINTS = 4
START = utc("2025-12-20T00:00:00+00:00")
STEPS = 26 * 96
GAS = """
  - device: boiler
    name: {zh: 锅炉, en: Boiler}
    profile: generic-delta
    source: agent
    points:
      - {quantity: gas_volume_base, kind: counter, period_s: 900, flow: fuel}
  - device: roof
    name: {zh: 屋顶, en: Roof}
    profile: generic-delta
    source: agent
    points:
      - {quantity: active_energy_yield, kind: counter, period_s: 900, flow: generation}"""
NAMES = [*(f"m{at}/{METER}" for at in range(POINTS)), "boiler/gas_volume_base", "roof/active_energy_yield"]


def factor(name: str, value: float, *, year: int = 2026, region: str = "China/JS") -> Factor:
    return Factor(
        factor=name,
        purpose="grid_average",
        carrier="electricity",
        region=region,
        gas="CO2",
        unit="kgCO2/kWh",
        value=value,
        data_year=year,
        publisher="test",
        edition="test",
        published_on=dt.date(2026, 1, 1),
        title=name,
    )


def history(names: Sequence[str] = NAMES, steps: int = STEPS) -> list[Row]:
    rng = random.Random(3)
    rows = []
    for number, name in enumerate(names):
        value = 0.0
        for at in range(steps):
            value = round(value + rng.uniform(0, 30 + number), 2)
            rows.append(Row(name, START + at * QUARTER_MS, value))
    return sorted(rows, key=lambda row: (row.t, row.point))


async def learn(ingest: Ingest, *factors: Factor) -> int:
    """Enter records of the catalog and announce them; return how many points they touch."""
    async with ingest.database.transaction() as session:
        await session.fetchval("select version from config_version for update")
        before = await load_model(session)
        await sync_factors(session, factors, None)
        return await announce(session, before, PARK)


async def settle(ingest: Ingest) -> None:
    later = ManualClock(max(NOW_MS, SystemClock().now_ms()) + 86_400_000)
    recomputer = Recomputer(ingest.writer, later)
    async with asyncio.timeout(60):
        while await ingest.database.fetchval("select count(*) from result_waiting"):
            if not await recomputer.step():  # the server may still run the last statement of a worker that is dead
                await asyncio.sleep(0.02)


async def assert_recomputed_equal(ingest: Ingest) -> None:
    async with ingest.database.transaction() as session:
        model = await load_model(session)
        book = Absorber(model, ingest.writer.partitions).book
        for point in model.by_id.values():
            assert await check_point(session, point, model, book) == []


async def fill(ingest: Ingest, rows: Sequence[Row], sender: Sender) -> None:
    for at in range(0, len(rows), 1000):
        await ingest.commit(sender.batch(rows[at : at + 1000]))


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    await opened.apply(park_text(POINTS, more=GAS))
    yield opened
    await opened.database.close()


async def marked(ingest: Ingest) -> list[tuple[object, ...]]:
    rows = await ingest.database.fetch(
        "select p.point, r.month::text, r.from_time, r.to_time from reprice r join point p using (point_id)"
        " order by 1, 2"
    )
    return [tuple(row.values()) for row in rows]


@pytest.mark.rule("1.2")
async def test_a_factor_marks_only_its_carrier_region_and_years(ingest: Ingest) -> None:
    await fill(ingest, history(steps=15 * 96), Sender())  # to 2026-01-04
    assert await learn(ingest, factor("elsewhere", 0.1, region="China/BJ")) == 0
    assert await learn(ingest, factor("later", 0.1, year=2031)) == 0
    assert await marked(ingest) == []
    assert await learn(ingest, factor("of-2026", 0.6)) == POINTS
    new_year = dt.datetime(2025, 12, 31, 16, tzinfo=dt.UTC)  # local midnight
    january, february = (
        dt.datetime(2026, month, day, hour, tzinfo=dt.UTC) for month, day, hour in ((1, 1, 0), (1, 31, 16))
    )
    assert await marked(ingest) == [
        span
        for at in range(POINTS)
        for span in (
            (f"m{at}/{METER}", "2025-12-01", new_year, january),
            (f"m{at}/{METER}", "2026-01-01", january, february),
        )
    ]
    assert await ingest.count("recompute") == 0
    assert await learn(ingest, factor("of-2025", 0.6, year=2025)) == POINTS
    assert min(str(row[2]) for row in await marked(ingest)) == "2025-11-30 16:00:00+00:00"
    await settle(ingest)
    await assert_recomputed_equal(ingest)


async def test_the_database_rounds_as_numpy_does(database_url: str) -> None:
    """The law behind it all: two products of doubles, rounded half to even, ties among them."""
    rng = np.random.default_rng(5)
    amount = np.concatenate(
        (rng.integers(-(10**13), 10**13, 40_000), rng.integers(0, 1000, 10_000), [0, 1, -1, 10**15])
    )
    per_unit = np.concatenate(
        (rng.uniform(0, 3, 25_000), rng.integers(0, 9, 25_000) / 16_000, [0.5, 0.0005, 0.0015, 0.8325])
    )
    async with await Database.connect(database_url, max_size=1) as database:
        found = await database.fetch_columns(
            "select round(a::float8 * f * 1e3)::bigint from unnest($1::bigint[], $2::float8[]) as t (a, f)",
            amount.tolist(),
            per_unit.tolist(),
            types={"nano": "int8"},
        )
    assert np.array_equal(found["nano"], nano_kg(amount, per_unit))
    ties = np.abs(amount * per_unit * 1e3) % 1 == 0.5
    assert ties.sum() > 100


async def test_a_flow_that_emits_no_more_loses_its_price_and_no_reading_is_run_over(ingest: Ingest) -> None:
    await fill(ingest, history(steps=300), Sender())
    before = await ingest.intervals()
    assert all(row[6] is not None for row in before)
    changed = park_text(POINTS, more=GAS).replace("flow: import", "flow: export", 1)
    assert (await ingest.apply(changed)).queued == 1
    assert {row[0] for row in await marked(ingest)} == {f"m0/{METER}"}
    assert await ingest.count("recompute") == 0
    await settle(ingest)
    after = await ingest.intervals()
    assert [row[:6] for row in after] == [row[:6] for row in before]
    assert {row[6:] for row in after} == {(None, None, None)}
    await assert_recomputed_equal(ingest)


async def expected(server: Server, rows: Sequence[Row], *factors: Factor) -> dict[str, list[tuple[object, ...]]]:
    """What comes out where the factors were known from the start."""
    url = server.clone()
    ingest = await open_ingest(url)
    await ingest.apply(park_text(POINTS, more=GAS))
    await learn(ingest, *factors)
    await fill(ingest, rows, Sender())
    await settle(ingest)
    found = await ingest.everything()
    await ingest.database.close()
    server.drop(url)
    return found


async def test_priced_anew_while_readings_come_equals_priced_so_from_the_start(server: Server) -> None:
    rows = history()
    late = [row for at, row in enumerate(rows) if at % 97 == 0 and at < len(rows) // 2]
    held = {id(row) for row in late}
    forward = rows[len(rows) // 2 :]
    first = [row for row in rows[: len(rows) // 2] if id(row) not in held]
    new = factor("of-2026", 0.6123), factor("of-2025", 0.3331, year=2025)
    wanted = await expected(server, rows, *new)
    url = server.clone()
    ingest, other = await open_ingest(url), await open_ingest(url)
    await ingest.apply(park_text(POINTS, more=GAS))
    sender = Sender()
    await fill(ingest, first, sender)
    assert await learn(ingest, *new) == POINTS

    async def price() -> None:
        worker = Recomputer(other.writer, other.clock)
        for _ in range(3):  # each month again and again: the copy of the newest meets readings for sure
            while await worker.repricer.step():
                pass
            await learn(ingest, factor("again", 0.5))
            await learn(ingest, factor("of-2026", 0.6123 + 1e-9))
        while await worker.repricer.step():
            pass

    async def bring() -> None:
        for at in range(0, max(len(forward), len(late)), 400):
            for part in (forward[at : at + 400], late[at // 8 : at // 8 + 50]):
                if part:
                    await ingest.commit(sender.batch(part))

    await asyncio.gather(price(), bring())
    await ingest.commit(sender.batch(late))
    await learn(ingest, factor("again", 0.6123), factor("of-2026", 0.6123))
    await settle(ingest)
    await assert_recomputed_equal(ingest)
    found = await ingest.everything()
    assert found["interval"] == wanted["interval"]
    assert found == wanted
    leftovers = "select count(*) from pg_class where relname like '%\\_next%'"
    assert await ingest.database.fetchval(leftovers) == 0
    for one in (ingest, other):
        await one.database.close()
    server.drop(url)


async def whole(ingest: Ingest) -> tuple[object, ...]:
    """What must hold at any moment: nothing lost, roll-ups the sums of their parts, prices old or new."""
    async with ingest.database.transaction() as session:
        counts = await session.fetchrow(
            "select count(*) as n, sum(amount_micro) as amount, count(distinct factor_id) as factors,"
            " sum(co2e_nano_kg) as nano from interval_15min"
        )
        assert counts is not None
        for table in ("rollup_hour", "rollup_day", "rollup_month"):
            await _sums(session, table, counts["amount"], counts["nano"])
        odd = await session.fetchval(
            "select count(*) from interval_15min i join factor f using (factor_id) join point p using (point_id)"
            " where p.carrier = 'electricity' and i.co2e_nano_kg <> round(i.amount_micro::float8 * f.value * 1e3)"
        )
        assert odd == 0
    return counts["n"], counts["amount"]


async def _sums(session: Session, table: str, amount: int, nano: int) -> None:
    queries = {
        "rollup_hour": "select sum(amount_micro) as a, sum(co2e_nano_kg) as c from rollup_hour",
        "rollup_day": "select sum(amount_micro) as a, sum(co2e_nano_kg) as c from rollup_day",
        "rollup_month": "select sum(amount_micro) as a, sum(co2e_nano_kg) as c from rollup_month",
    }
    row = await session.fetchrow(queries[table])
    assert row is not None
    assert (row["a"], row["c"]) == (amount, nano), table


async def test_an_error_in_the_middle_leaves_everything_as_it_was_and_is_resumed(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(ingest, history(), Sender())
    before = await whole(ingest)
    untouched = await ingest.everything()
    await learn(ingest, factor("of-2026", 0.6))
    waiting = await marked(ingest)

    async def broken(*_: object) -> None:
        raise RuntimeError("pulled the plug")

    with monkeypatch.context() as patch:
        patch.setattr(Repricer, "_finish", broken)  # after everything was put in place, before the commit
        with pytest.raises(RuntimeError):
            await Repricer(ingest.writer, ingest.clock).step()
    assert await marked(ingest) == waiting
    assert await ingest.everything() == untouched
    await settle(ingest)
    assert await whole(ingest) == before
    assert await ingest.everything() != untouched
    await assert_recomputed_equal(ingest)


async def test_a_worker_killed_at_any_moment_leaves_whole_months_and_the_rest_queued(
    ingest: Ingest, database_url: str
) -> None:
    await fill(ingest, history(), Sender())
    before = await whole(ingest)
    await learn(ingest, factor("of-2026", 0.6), factor("of-2025", 0.4, year=2025))
    environment = {**os.environ, "PARKCARBON_DATABASE_URL": database_url}
    command = [sys.executable, "-m", "ingest", "recompute", "--park", PARK, "--from", "2027-01-01T00:00:00Z"]
    killed = 0
    for delay_s in (0.5, 0.62, 0.74, 0.86, 1.0, 1.2, 1.5):
        worker = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdout=DEVNULL, stderr=DEVNULL
        )
        await asyncio.sleep(delay_s)
        if worker.returncode is None:  # a fast machine is done before the last of them
            worker.send_signal(signal.SIGKILL)
            killed += 1
        await worker.wait()
        assert await whole(ingest) == before
    assert killed >= 2
    await settle(ingest)
    assert await whole(ingest) == before
    await assert_recomputed_equal(ingest)
