"""What is known of a park on a date, and its amounts from stored intervals."""

import datetime as dt

import msgspec
import pytest

from parkcarbon.books.amounts import hourly_amounts, parse_period, point_amounts
from parkcarbon.books.facts import Facts, load_facts
from parkcarbon.domain.reading import Method
from parkcarbon.domain.readings import Int64Array
from parkcarbon.kit.db import Database, Session, from_ms
from tests.fakes.api_park import FIRST_MS, KNOWN_ON, LIVE_MS, NOW_MS, PARK, amount, document, starts, write_park

NOW = from_ms(NOW_MS)


async def facts_of(session: Session, as_of: dt.datetime = NOW) -> Facts:
    return await load_facts(session, PARK, as_of)


async def test_the_park_as_known(database_url: str) -> None:
    await write_park(database_url, data=False)
    async with await Database.connect(database_url, max_size=1) as database, database.transaction() as session:
        facts = await facts_of(session)
        assert (facts.revision, facts.zone.key) == (1, "Asia/Shanghai")
        assert [point.point for point in facts.metered("import")] == ["gate/active_energy_import"]
        assert {point.unit for point in facts.metered("heat")} == {"GJ"}
        assert all(record.recorded_at == KNOWN_ON for _, record in facts.factors)
        assert len(facts.factors) == await session.fetchval("select count(*) from factor")
        with pytest.raises(LookupError, match="no park nowhere"):
            await load_facts(session, "nowhere", NOW)
        with pytest.raises(LookupError, match="was not known by 2026-10-31"):
            await facts_of(session, KNOWN_ON - dt.timedelta(days=1))


async def test_a_later_revision_is_not_in_earlier_knowledge(postgres_url: str) -> None:
    await write_park(postgres_url, data=False)
    async with await Database.connect(postgres_url, max_size=1) as database, database.transaction() as session:
        changed = document()
        changed["devices"] = [item for item in changed["devices"] if item["device"] != "m1"]
        changed["devices"][0]["points"][0]["flow"] = None
        await session.execute(
            "insert into park_revision (park_id, revision, document, digest, author, reason, recorded_at)"
            " values ($1, 2, $2, '', 'energy manager', 'm1 removed', $3)",
            PARK,
            msgspec.json.encode(changed).decode(),
            NOW,
        )
        before = await facts_of(session, NOW - dt.timedelta(seconds=1))
        after = await facts_of(session)
        assert (before.revision, after.revision) == (1, 2)
        assert [point.point for point in before.metered("import")] == ["gate/active_energy_import"]
        assert after.metered("import") == []
        retired = next(point for point in after.points if point.point == "m1/active_energy_import")
        assert (retired.flow, retired.tenant, retired.active) == ("sub_meter", "machining", False)


async def test_amounts_of_a_month(database_url: str) -> None:
    await write_park(database_url)
    async with await Database.connect(database_url, max_size=1) as database, database.transaction() as session:
        facts = await facts_of(session)
        period = parse_period("2026-11", facts.zone)
        found = {item.point: item for item in await point_amounts(session, facts, period.from_ms, period.to_ms)}
    assert list(found) == sorted(found)
    pv = found["pv-1/active_energy_yield"]
    whole = sum(amount("pv-1", "active_energy_yield", start) / 4 for start in starts()[:-1])
    running = amount("pv-1", "active_energy_yield", starts()[-1]) * (LIVE_MS - starts()[-1]) / 3_600_000
    assert pv.amount == pytest.approx(whole + running)
    assert (pv.flow, pv.carrier, pv.unit, pv.co2e_nano_kg) == ("generation", "electricity", "kWh", None)
    assert pv.expected_ms == NOW_MS - period.from_ms
    assert pv.measured_ms == LIVE_MS - FIRST_MS
    assert pv.method_ms == {Method.MEASURED: LIVE_MS - FIRST_MS}
    assert found["gate/active_energy_import"].co2e_nano_kg is not None
    assert "gate/active_power" not in found


async def test_a_meter_without_intervals_is_missing_time_unless_it_was_retired(postgres_url: str) -> None:
    await write_park(postgres_url, data=False)
    async with await Database.connect(postgres_url, max_size=1) as database, database.transaction() as session:
        changed = document()
        changed["devices"] = [item for item in changed["devices"] if item["device"] != "m1"]
        await session.execute("update park_revision set document = $1", msgspec.json.encode(changed).decode())
        facts = await facts_of(session)
        period = parse_period("2026-10", facts.zone)
        found = {item.point: item for item in await point_amounts(session, facts, period.from_ms, period.to_ms)}
    gate = found["gate/active_energy_import"]
    assert (gate.known, gate.intervals, gate.expected_ms) == (False, 0, period.to_ms - period.from_ms)
    assert "m1/active_energy_import" not in found


async def test_hours_of_some_points(database_url: str) -> None:
    await write_park(database_url)
    names = ["pv-1/active_energy_yield", "m1/active_energy_import"]
    async with await Database.connect(database_url, max_size=1) as database, database.transaction() as session:
        facts = await facts_of(session)
        first, last = FIRST_MS - 3_600_000, FIRST_MS + 24 * 3_600_000
        hourly = await hourly_amounts(session, facts, names, first, last)
        shifted = await hourly_amounts(session, facts, names, first + 1_800_000, last - 1_800_000)
        with pytest.raises(LookupError, match="m9/active_energy_import"):
            await hourly_amounts(session, facts, ["m9/active_energy_import"], first, last)
    assert hourly.points == tuple(names)
    assert len(hourly.start_ms) == 25
    assert hourly.known.tolist() == [[False] + [True] * 24] * 2
    expected = [0.0] + [amount("pv-1", "active_energy_yield", int(start)) for start in hourly.start_ms[1:]]
    assert hourly.of(names[0]).tolist() == pytest.approx([value * 1e6 for value in expected])
    assert shifted.known[:, 0].tolist() == [False, False]
    assert shifted.amount_micro[:, 1:].sum(axis=1).tolist() == [_quarters(name, shifted.start_ms[1:]) for name in names]


def _quarters(name: str, hours: Int64Array) -> int:
    device, _, quantity = name.partition("/")
    quarters = [int(hour) + part for hour in hours for part in range(0, 3_600_000, 900_000)]
    return sum(round(amount(device, quantity, start) / 4 * 1e6) for start in quarters)
