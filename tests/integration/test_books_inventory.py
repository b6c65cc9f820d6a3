"""The inventory from the books: by hand, by month and year, on every method, as known, by route and command line."""

import argparse
import datetime as dt
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.app import create_app
from api.schemas_inventory import Inventory as Answer
from parkcarbon.books import entries, inventory
from parkcarbon.books.amounts import parse_period, point_amounts
from parkcarbon.books.facts import Facts, load_current
from parkcarbon.books.inventory import build_inventory, load_inputs, result_of
from parkcarbon.cli.accounts import inventory as verb
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.reading import Method
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import Database, Session
from tests.fakes.api_client import AUDITOR, WALL, serving, settings_for
from tests.fakes.api_park import PARK, ROLLUPS
from tests.fakes.books_park import PER_QUARTER, QUARTERS, RECORDED, write_books_park

NOW = dt.datetime.now(dt.UTC)
JIANGSU_2023 = 0.5827  # kgCO2/kWh, MEE and NBS announcement 47 of 2025
BASE = f"/api/v1/parks/{PARK}/inventory"


@pytest.fixture
async def session(database_url: str) -> AsyncIterator[Session]:
    await write_books_park(database_url)
    async with await Database.connect(database_url, max_size=1) as database, database.transaction() as session:
        yield session


async def enter(session: Session, kind: str, document: dict[str, Any], period: str = "2025-03") -> int:
    new = {"kind": kind, "document": document, "period": period, "evidence": "invoice 17"}
    return (await entries.enter_many(session, PARK, [new], author="energy manager"))[0]


async def test_a_month_by_hand(session: Session) -> None:
    found = await build_inventory(session, PARK, "2025-03", now=NOW)
    bought = QUARTERS["2025-03"] * PER_QUARTER["import"]
    assert bought == 744_000
    (location,) = [line for line in found.scope(2, "location").lines if line.carrier == "electricity"]
    assert location.activity == bought
    assert location.co2e_nano_kg == round(bought * JIANGSU_2023 * 1e9)
    (gas,) = found.scope(1).lines
    assert gas.activity == QUARTERS["2025-03"] * PER_QUARTER["fuel"]
    assert (found.completeness_pct, found.final) == (100.0, False)
    assert found.energy["grid_export_kwh"] == QUARTERS["2025-03"] * PER_QUARTER["export"]


async def test_a_year_is_computed_from_the_amounts_of_the_year(session: Session) -> None:
    march, april, year = [
        await build_inventory(session, PARK, period, now=NOW) for period in ("2025-03", "2025-04", "2025")
    ]
    for number, basis in ((1, None), (2, "location"), (2, "market")):
        parts = [month.scope(number, basis).co2e_nano_kg or 0 for month in (march, april)]  # type: ignore[arg-type]
        assert year.scope(number, basis).co2e_nano_kg == sum(parts)  # type: ignore[arg-type]
    assert year.completeness_pct == pytest.approx(100 * 61 / 365)


async def test_a_year_adds_up_measured_days_by_the_day_and_looks_into_the_others(session: Session) -> None:
    point = await session.fetchval("select point_id from point where point = 'gate/active_energy_import'")
    changes = (
        ("2025-03-09T15:45:00Z", 1.0, 1, 0, False, 250_000_000),
        ("2025-03-10T00:00:00Z", 0.3, 3, 270_000, True, 250_000_000),
        ("2025-04-02T02:00:00Z", 0.0, 5, 0, False, 0),
    )
    for start, *change in changes:
        found = await session.execute(
            "update interval_15min set coverage = $3, method = $4, measured_ms = $5, suspect = $6, amount_micro = $7"
            " where point_id = $1 and start = $2",
            point,
            dt.datetime.fromisoformat(start),
            *change,
        )
        assert found == 1
    await session.execute(ROLLUPS)
    facts = await load_current(session, PARK, NOW)
    year = parse_period("2025", facts.zone)
    parts = [await _gate(session, facts, name) for name in ("2025-03", "2025-04")]
    whole = next(
        item
        for item in await point_amounts(session, facts, year.from_ms, year.to_ms)
        if item.point == "gate/active_energy_import"
    )
    assert whole.amount_micro == sum(part.amount_micro for part in parts)
    assert whole.suspect_ms == sum(part.suspect_ms for part in parts) == 900_000
    assert whole.measured_ms == sum(part.measured_ms for part in parts)
    for method in Method:
        assert whole.method_ms.get(method, 0) == sum(part.method_ms.get(method, 0) for part in parts), method
    assert whole.method_ms[Method.ESTIMATED] == 270_000
    assert whole.co2e_nano_kg is None


async def _gate(session: Session, facts: Facts, period: str) -> PointAmount:
    span = parse_period(period, facts.zone)
    found = await point_amounts(session, facts, span.from_ms, span.to_ms)
    return next(item for item in found if item.point == "gate/active_energy_import")


async def test_an_entry_counts_once_it_is_approved(session: Session) -> None:
    supplier = {"value": 0.538, "unit": "tCO2/t", "publisher": "laboratory", "document": "report 3"}
    number = await enter(session, "process", {"product": "clinker", "amount": 100, "supplier": supplier})
    assert len((await build_inventory(session, PARK, "2025-03", now=NOW)).scope(1).lines) == 1
    await entries.review(session, number, person="reviewer", decision="approved", reason="")
    found = await build_inventory(session, PARK, "2025-03", now=NOW)
    (line,) = [line for line in found.scope(1).lines if line.entry == f"entry:{number}"]
    assert line.co2e_nano_kg == 53_800 * 10**9
    assert len((await build_inventory(session, PARK, "2025-04", now=NOW)).scope(1).lines) == 1


@pytest.mark.rule("2.9")
async def test_every_method_has_a_result_of_its_own(session: Session) -> None:
    inputs = await load_inputs(session, PARK, "2025-03", now=NOW)
    found = {method: result_of(inputs, method, final=False).document() for method in inventory.METHODS}
    assert {method: document["method_profile"] for method, document in found.items()} == {
        method: method for method in inventory.METHODS
    }
    for method in inventory.METHODS:
        result = result_of(inputs, method, final=False)
        assert json.loads(result.to_bytes()) == json.loads(json.dumps(result.document()))
    with pytest.raises(RefusedError, match="no method 'ghg'; there are ghgp, iso14064"):
        result_of(inputs, "ghg", final=False)


async def test_what_cannot_be_asked_for(session: Session) -> None:
    for period, words in (("2099-01", "had not begun"), ("2025-13", "no month like")):
        with pytest.raises(RefusedError, match=words):
            await build_inventory(session, PARK, period, now=NOW)
    with pytest.raises(RefusedError, match="newer than a minute ago"):
        await build_inventory(session, PARK, "2025-03", now=NOW, as_of=NOW - dt.timedelta(seconds=59))
    with pytest.raises(LookupError, match="was not known by"):
        await build_inventory(session, PARK, "2025-03", now=NOW, as_of=RECORDED - dt.timedelta(days=1))
    with pytest.raises(LookupError, match="no park nowhere"):
        await build_inventory(session, "nowhere", "2025-03", now=NOW)


async def test_route(postgres_url: str) -> None:
    await write_books_park(postgres_url)
    async with serving(create_app(settings_for(postgres_url), SystemClock()), AUDITOR) as client:
        first = await client.get(BASE, params={"period": "2025-03"})
        assert first.status_code == 200, first.text
        answer = Answer.model_validate(first.json())
        assert (answer.period, answer.month, answer.final) == ("2025-03", "2025-03", False)
        assert first.headers["x-parkcarbon-digest"] == hashlib.sha256(first.content).hexdigest()
        assert "x-parkcarbon-version" not in first.headers
        same = await client.get(BASE, params={"month": "2025-03"}, headers={"If-None-Match": first.headers["etag"]})
        assert same.status_code == 304
        year = Answer.model_validate((await client.get(BASE, params={"period": "2025"})).json())
        assert (year.period, year.month) == ("2025", None)
        for method in inventory.METHODS:
            found = await client.get(BASE, params={"period": "2025-03", "method": method})
            assert found.json()["method_profile"] == method
        wrong: list[dict[str, Any]] = [
            {},
            {"period": "2025-03", "month": "2025-03"},
            {"period": "2025-3"},
            {"month": "2025"},
            {"period": "2025-03", "method": "mixed"},
            {"period": "2025-03", "as_of": "2025-03-01"},
            {"period": "2025-03", "as_of": dt.datetime.now(dt.UTC).isoformat()},
        ]
        for params in wrong:
            assert (await client.get(BASE, params=params)).status_code == 422, params
        assert (await client.get(BASE, params={"period": "2025-03", "version": "1"})).status_code == 404
        walled = {"Authorization": f"Bearer {WALL}"}
        assert (await client.get(BASE, params={"period": "2025-03"}, headers=walled)).status_code == 403


async def test_command_line(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await write_books_park(postgres_url)
    monkeypatch.setenv("PARKCARBON_DATABASE_URL", postgres_url)
    parser = argparse.ArgumentParser()
    verb.describe(parser)
    await verb.run(parser.parse_args(["--park", PARK, "--period", "2025-03"]))
    told = capsys.readouterr().out
    assert "demo 2025-03: ghgp (ghgp-2), provisional" in told
    assert "scope 2 location-based:" in told
    await verb.run(parser.parse_args(["--park", PARK, "--period", "2025-03", "--method", "zcp910", "--json"]))
    printed = capsys.readouterr().out
    body = printed[printed.index("{") :]
    document = json.loads(body)
    assert document["method_profile"] == "zcp910"
    assert inventory.canonical(document).decode() == body
