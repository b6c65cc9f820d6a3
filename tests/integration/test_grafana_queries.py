"""Every statement of panels and rules runs on both stores with Grafana's macros expanded, and reads what the API says.

`PARKCARBON_WRITE_DOCS=1` writes what was measured into the table of docs/dashboards.md.
"""

import datetime as dt
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from dashboards.grafana.dashboards import BOARDS
from dashboards.grafana.queries import QUERIES, expand, statement, variants
from dashboards.grafana.rules import RULES
from dashboards.grafana.text import LANGUAGES
from parkcarbon.kit.db import Database
from tests.fakes.api_client import AUDITOR, serving, settings_for
from tests.fakes.postgres import Server, run
from tests.fakes.report_scene import BEGIN, write_report_scene
from tests.fakes.statement_desk import PARK, PERIOD

END = BEGIN + dt.timedelta(days=61)
PANELS = [panel for board in BOARDS for panel in board.panels]
DOCS = Path(__file__).resolve().parents[2] / "docs" / "dashboards.md"
QUIET = {"rule_log_not_sealed", "rule_alarm_evaluator", "rule_alarm_messages_waiting", "rule_results_waiting"}
"""Rules whose number is null in the scene: nothing was sealed, nothing waits."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("timescale", marks=pytest.mark.timescale),
    ],
)
def scene_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with something behind every panel, on each store."""
    server: Server = request.getfixturevalue(f"{request.param}_server")
    url = server.clone()
    run(lambda: write_report_scene(url))
    yield url
    server.drop(url)


@pytest.fixture
async def database(scene_url: str) -> AsyncIterator[Database]:
    async with await Database.connect(scene_url, max_size=2) as found:
        yield found


async def ask(database: Database, name: str, *, language: Any = "zh", step: str = "15min") -> list[dict[str, Any]]:
    """Rows of a statement over the months of the scene."""
    text: Any = expand(statement(name, language), park=PARK, begin=BEGIN, end=END, step=step)
    return [dict(row) for row in await database.fetch(text)]


async def test_every_statement_runs_and_finds_something(database: Database) -> None:
    store = "TimescaleDB" if database.timescale else "PostgreSQL"
    lines = []
    for name in [*(panel.query for panel in PANELS), *(rule.query for rule in RULES)]:
        for step in variants(name):
            for language in LANGUAGES:
                began = time.perf_counter()
                found = await ask(database, name, language=language, step=step)
                took_ms = 1000 * (time.perf_counter() - began)
                assert found, f"{name} ({step}, {language}) has no row"
            known = any(value is not None for row in found for value in row.values())
            assert known or name in QUIET, name
            label = f"{name} ({step})" if len(variants(name)) > 1 else name
            lines.append(f"| {label} | {store} | {len(found)} | {took_ms:.1f} |")
    if os.environ.get("PARKCARBON_WRITE_DOCS"):
        write_table(store, lines)


async def test_panels_choose_the_columns_that_they_name(database: Database) -> None:
    for panel in PANELS:
        for row in (await ask(database, panel.query))[:1]:
            assert tuple(row) == panel.columns


async def test_the_variable_offers_the_parks(database: Database) -> None:
    assert await ask(database, "variable_park") == [{"__value": PARK, "__text": "示范园区"}]


async def test_a_closed_month_is_what_the_api_answers(database: Database, scene_url: str) -> None:
    async with serving(create_app(settings_for(scene_url)), AUDITOR) as client:
        answer = await client.get(f"/api/v1/parks/{PARK}/inventory", params={"period": PERIOD})
    inventory = answer.json()
    [row] = await ask(database, "emissions_inventory")
    (both,) = await ask(database, "emissions_both")
    totals = inventory["totals"]
    assert (row["period"], row["version"], row["closed"]) == (PERIOD, 1, True)
    assert row["co2e_location_kg"] == both["co2e_location_kg"] == totals["location"]["co2e_kg"]
    assert row["co2e_market_kg"] == both["co2e_market_kg"] == totals["market"]["co2e_kg"]
    assert both["time"] == BEGIN
    scopes = {(scope["scope"], scope["basis"]): scope["co2e_kg"] for scope in inventory["scopes"]}
    assert row["scope1_kg"] == scopes[1, None]
    assert row["scope2_location_kg"] == scopes[2, "location"]
    assert row["scope2_market_kg"] == scopes[2, "market"]
    assert row["completeness_pct"] == inventory["completeness_pct"]
    lines = await ask(database, "emissions_lines")
    expected = sum(len(scope["lines"]) for scope in inventory["scopes"])
    assert len(lines) == expected
    assert any(value is not None for value in (row["co2e_location_kg"], *(line["co2e_kg"] for line in lines)))


async def test_days_are_those_of_the_api(database: Database, scene_url: str) -> None:
    async with serving(create_app(settings_for(scene_url)), AUDITOR) as client:
        for metric, query, column in (
            ("energy_kwh", "energy_load_days", "load_kwh"),
            ("completeness_pct", "quality_completeness", "completeness_pct"),
        ):
            values = await days(client, metric)
            found = {row["time"]: row[column] for row in await ask(database, query)}
            assert len(values) == 61
            assert any(value is not None for value in values.values())
            assert {start: found.get(start) for start in values} == values


async def days(client: httpx.AsyncClient, metric: str) -> dict[dt.datetime, float | None]:
    """A metric by local day."""
    query = {"metric": metric, "from": BEGIN.isoformat(), "to": END.isoformat(), "step": "1d"}
    body = (await client.get(f"/api/v1/parks/{PARK}/series", params=query)).json()
    starts = [dt.datetime.fromisoformat(start) for start in body["starts"]]
    return dict(zip(starts, body["groups"][0]["values"], strict=True))


async def test_a_statement_is_what_the_api_lists(database: Database, scene_url: str) -> None:
    async with serving(create_app(settings_for(scene_url)), AUDITOR) as client:
        [listed] = (await client.get(f"/api/v1/parks/{PARK}/statements")).json()["statements"]
        record = (await client.get(f"/api/v1/parks/{PARK}/statements/{listed['statement_id']}/record")).json()
    [row] = await ask(database, "statements")
    assert {name: row[name] for name in ("period", "kind", "number", "version", "state", "verdict", "digest")} == {
        name: listed[name] for name in ("period", "kind", "number", "version", "state", "verdict", "digest")
    }
    figures = {
        row["figure"]: (row["value"], row["unit"], row["shown"]) for row in await ask(database, "statement_figures")
    }
    assert figures.keys() == record["figures"].keys()
    for name, figure in record["figures"].items():
        value, unit, shown = figures[name]
        assert (None if value is None else format(value, "f"), unit, shown) == (
            figure.get("value"),
            figure["unit"],
            figure["shown"],
        ), name


async def test_certificates_add_up(database: Database) -> None:
    [lot] = await ask(database, "certificates")
    assert (lot["serials"], lot["sold"], lot["left_over"], lot["first_serial"]) == (10, 3, 7, "GEC-00000001")
    assert lot["covers_kwh"] == 10_000


async def test_the_alarm_that_stands_is_shown_in_both_languages(database: Database) -> None:
    [chinese] = await ask(database, "overview_alarms")
    [english] = await ask(database, "overview_alarms", language="en")
    assert (chinese["reason_zh"][:2], english["reason_en"][:8]) == ("关口", "the gate")
    assert chinese["acknowledged_by"] == "operator"


def write_table(store: str, lines: list[str]) -> None:
    """Put the lines of a store into the documentation."""
    text = DOCS.read_text(encoding="utf-8")
    head, _, rest = text.partition("<!-- measured -->\n")
    before, _, tail = rest.partition("<!-- end -->\n")
    other = "PostgreSQL" if store == "TimescaleDB" else "TimescaleDB"
    kept = [line for line in before.splitlines() if f"| {other} |" in line]
    table = "\n".join(["| statement | store | rows | ms |", "|---|---|---|---|", *sorted([*kept, *lines])])
    DOCS.write_text(f"{head}<!-- measured -->\n{table}\n<!-- end -->\n{tail}", encoding="utf-8")


def test_nothing_is_left_unasked() -> None:
    asked = {panel.query for panel in PANELS} | {rule.query for rule in RULES} | {"variable_park"}
    assert asked | {"role_settings", "make_role"} >= set(QUERIES)
