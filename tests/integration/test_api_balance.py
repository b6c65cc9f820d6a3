"""Routes and verbs of balance, quality and tenants on a park written by ingest."""

import argparse
import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from ingest.recompute import Recomputer
from parkcarbon.cli.accounts import balance as balance_verb
from parkcarbon.cli.accounts import tenants as tenants_verb
from tests.fakes.api_client import AUDITOR, WALL, SceneClock, serving, settings_for
from tests.fakes.ingest_park import PARK, open_ingest
from tests.fakes.postgres import Server, run
from tests.fakes.tenancy_park import LAST_MS, fill

BASE = f"/api/v1/parks/{PARK}"
NOVEMBER = {"period": "2025-11"}


@pytest.fixture(scope="module")
def park(postgres_server: Server) -> Iterator[str]:
    """A database with the park, for tests that only read."""
    url = postgres_server.clone()

    async def write() -> None:
        ingest = await open_ingest(url)
        await fill(ingest)
        recomputer = Recomputer(ingest.writer, ingest.clock)
        while await recomputer.step():
            pass
        for token, role in ((AUDITOR, "auditor"), (WALL, "wall")):
            digest = hashlib.sha256(token.encode()).digest()
            await ingest.database.execute(
                "insert into api_token (digest, label, role, park_id, person) values ($1, $2, $2, $3, $4)",
                digest,
                role,
                PARK if role == "wall" else None,
                "auditor" if role == "auditor" else "",
            )
        await ingest.database.close()

    run(write)
    yield url
    postgres_server.drop(url)


@pytest.fixture
async def client(park: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(settings_for(park), SceneClock(LAST_MS)), AUDITOR) as found:
        yield found


@pytest.mark.rule("5.6", "6.7")
async def test_the_balance_of_a_month(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{BASE}/balance", params={**NOVEMBER, "hours": True})
    assert answer.status_code == 200, answer.text
    (grid,) = answer.json()["connections"]
    assert (grid["hours_known"], grid["negative"], grid["suspects"]) == (48, 0, [])
    assert grid["energy_kwh"]["import"] == 2600.0
    assert grid["unmetered_kwh"] == pytest.approx(38.4)
    assert [hour["unmetered_kwh"] for hour in grid["hours"]] == [0.8] * 48
    assert grid["storage"][0]["loss_kwh"] == 5.0
    without = (await client.get(f"{BASE}/balance", params=NOVEMBER)).json()
    assert "hours" not in without["connections"][0]


@pytest.mark.rule("6.11")
async def test_reconciliation_quality_and_runs(client: httpx.AsyncClient) -> None:
    found = (await client.get(f"{BASE}/balance/reconciliation", params=NOVEMBER)).json()
    assert found["connections"][0]["difference"] == pytest.approx(38.4)
    assert found["connections"][0]["beyond_error"] is False
    assert found["bills"] == []
    quality = (await client.get(f"{BASE}/quality", params={**NOVEMBER, "complete_pct": 99})).json()
    assert (quality["completeness_pct"], quality["complete"], quality["threshold_pct"]) == (100.0, True, 99.0)
    runs = (await client.get(f"{BASE}/quality/runs", params=NOVEMBER)).json()["runs"]
    assert {run["kind"] for run in runs} == {"stuck"}  # every hour of these meters is alike
    assert all((run["substitute"] is None) == bool(run["why_not"]) for run in runs)


@pytest.mark.rule("3.3", "6.8")
async def test_both_views_of_the_tenants(client: httpx.AsyncClient) -> None:
    allocation = (await client.get(f"{BASE}/tenants/allocation", params=NOVEMBER)).json()
    assert [part["tenant"] for part in allocation["tenants"]] == ["a", "b", "_park"]
    parts = [part["scope2_location"] for part in allocation["tenants"]]
    assert sum(parts) == pytest.approx(allocation["totals"]["scope2_location"], rel=1e-12)
    assert allocation["tenants"][0]["scope3"] is None
    entities = (await client.get(f"{BASE}/tenants/entities", params=NOVEMBER)).json()
    assert [row["difference_nano_kg"] for row in entities["reconciliation"]] == [0] * 5
    assert {row["medium"] for row in entities["eliminations"]} == {"power", "roof_pv", "steam"}


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("balance", {"period": "2026-13"}, 422),
        ("balance", {"period": "2027-01"}, 422),
        ("balance", {"period": "2026", "hours": True}, 422),
        ("balance", {"period": "2025-11", "day": 1}, 422),
        ("quality", {"period": "2025-11", "complete_pct": 101}, 422),
        ("tenants/allocation", {}, 422),
        ("tenants/entities", {"period": "2027"}, 422),
    ],
)
async def test_what_is_asked_wrongly_is_refused(
    client: httpx.AsyncClient, path: str, query: dict[str, Any], status: int
) -> None:
    answer = await client.get(f"{BASE}/{path}", params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_wall_display_reads_no_books(park: str) -> None:
    async with serving(create_app(settings_for(park), SceneClock(LAST_MS)), WALL) as client:
        for path in ("balance", "quality", "quality/runs", "balance/reconciliation", "tenants/allocation"):
            assert (await client.get(f"{BASE}/{path}", params=NOVEMBER)).status_code == 403


def said(
    verb: Any, arguments: list[str], park: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """What a verb prints, and its exit code."""
    monkeypatch.setenv("PARKCARBON_DATABASE_URL", park)
    parser = argparse.ArgumentParser()
    verb.describe(parser)
    code = asyncio.run(verb.run(parser.parse_args([*arguments, "--park", PARK, "--period", "2025-11"])))
    return code, capsys.readouterr().out


def test_every_action_of_the_verbs(
    park: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(verb: Any, *arguments: str) -> tuple[int, str]:
        return said(verb, list(arguments), park, monkeypatch, capsys)

    code, text = call(balance_verb, "hours")
    assert code == 0
    assert "2,600.000 kWh" in text
    assert "storage battery: loss not known" in text  # the verb asks for the month up to now, and the gauge is silent
    code, text = call(balance_verb, "hours", "--list", "--json")
    assert json.loads(text[text.index("{") :])["connections"][0]["hours"][0]["state"] == "in_band"
    code, text = call(balance_verb, "reconcile")
    assert "difference 38.400 kWh, within" in text
    code, text = call(balance_verb, "runs", "--json")
    assert (code, bool(json.loads(text[text.index("{") :])["runs"])) == (1, True)
    code, text = call(balance_verb, "quality")
    assert (code, "electricity [kWh]: measured" in text) == (1, True)  # the rest of the month is missing
    code, text = call(tenants_verb, "allocation")
    assert "rule rest-by-area (all): by floor area" in text
    code, text = call(tenants_verb, "entity")
    assert (code, text.count("difference 0 nano-kg")) == (0, 5)
    code, text = call(tenants_verb, "entity", "--json")
    assert json.loads(text[text.index("{") :])["view"] == "entity"
