"""Figures of a real park explained: by hand, by the API, by the command line, by LibreOffice."""

import datetime as dt
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import load_workbook

from parkcarbon.books.inventory import build_inventory
from parkcarbon.books.periods.closing import close, make_provisional
from parkcarbon.books.quality.substitutions import Wanted, enter, review
from parkcarbon.books.workbook.words import SHEETS
from parkcarbon.books.workbook.workbook import write_workbook
from parkcarbon.books.working.explain import FIGURES, about_of, explain, find, names, open_scene
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import Figure, check
from parkcarbon.kit.db import Database, from_ms
from tests.fakes.api_client import SceneClock, serving, settings_for
from tests.fakes.explain_park import (
    EXPORT,
    GAS,
    GATE,
    HOUR,
    HOURS,
    MONTH,
    PER_HOUR,
    PV,
    RATIO,
    START,
    SUB,
    VIEWER,
    open_explained,
    settle,
)
from tests.fakes.ingest_park import NOW_MS, PARK, Ingest, Sender, counter_rows, utc
from tests.fakes.libreoffice import HERE, recalculated
from tests.fakes.postgres import Server, run

if TYPE_CHECKING:
    import httpx

NOW = from_ms(NOW_MS)
ROOT = Path(__file__).resolve().parents[2]
IMPORT_KWH = PER_HOUR[GATE] * RATIO * HOURS
GAS_KG = 389.31 / 1e4 * (0.0153 * 0.99 * 44 / 12 * 1000 + (1 * 27 + 0.1 * 273) / 1000)


async def build(url: str) -> None:
    ingest = await open_explained(url)
    await ingest.database.close()


@pytest.fixture(scope="module")
def explained_url(postgres_server: Server) -> Iterator[str]:
    """A database with the park, for tests that only read."""
    url = postgres_server.clone()
    run(lambda: build(url))
    yield url
    postgres_server.drop(url)


@pytest.fixture
async def database(explained_url: str) -> AsyncIterator[Database]:
    async with await Database.connect(explained_url, max_size=2) as database:
        yield database


async def figure_of(database: Database, figure: str, period: str = MONTH) -> Figure:
    async with database.transaction() as session:
        found = await explain(session, PARK, figure, period, now=NOW)
    assert check(found) == []
    assert not [note for note in found.notes if "does not hold" in note]
    return found


AN_HOUR_AGO = """
set session_replication_role = replica;
update park_revision set recorded_at = recorded_at - interval '1 hour';
update factor set recorded_at = recorded_at - interval '1 hour';
update batch set recorded_at = recorded_at - interval '1 hour';
update config_version set changed_at = changed_at - interval '1 hour';
set session_replication_role = origin;
"""
"""A period is frozen as known a minute ago."""


def leaves(figure: Figure, kind: str) -> list[Figure]:
    return [node for node in figure.walk() if node.operation == "given" and node.source.get("kind") == kind]


@pytest.mark.rule("1.3", "1.12", "3.13", "3.15", "5.2", "5.6", "6.7")
async def test_every_figure_by_hand_on_both_stores(database_url: str) -> None:
    expected = {
        "scope1": PER_HOUR[GAS] * HOURS * GAS_KG,
        "scope2_location": IMPORT_KWH * 0.5827,
        "scope2_market": IMPORT_KWH * 0.6096,
        "total_location": PER_HOUR[GAS] * HOURS * GAS_KG + IMPORT_KWH * 0.5827,
        "total_market": PER_HOUR[GAS] * HOURS * GAS_KG + IMPORT_KWH * 0.6096,
        f"line:{GATE}": IMPORT_KWH * 0.5827,
        f"line_market:{GATE}": IMPORT_KWH * 0.6096,
        f"point:{GATE}": IMPORT_KWH,
        f"intervals:{GATE}": IMPORT_KWH,
        "energy:generation": PER_HOUR[PV] * HOURS,
        "load": IMPORT_KWH + (PER_HOUR[PV] - PER_HOUR[EXPORT] * RATIO) * HOURS,
        "unmetered": IMPORT_KWH + (PER_HOUR[PV] - PER_HOUR[EXPORT] * RATIO - PER_HOUR[SUB]) * HOURS,
        "completeness": 100.0,
    }
    async with (await open_explained(database_url)).database as database:
        for name, value in expected.items():
            figure = await figure_of(database, name)
            assert figure.value == pytest.approx(value, rel=1e-9), name


async def test_scopes_are_the_inventory_to_the_last_digit(database: Database) -> None:
    async with database.transaction() as session:
        inventory = await build_inventory(session, PARK, MONTH, now=NOW)
    for name, scope in zip(("scope1", "scope2_location", "scope2_market"), inventory.scopes, strict=True):
        figure = await figure_of(database, name)
        assert scope.co2e_nano_kg is not None
        assert figure.value == scope.co2e_nano_kg / 1e9
        rests = figure.source["rests_on"]
        assert isinstance(rests, dict)
        assert (rests["method_version"], rests["document_revision"], rests["period"]) == ("ghgp-2", 1, MONTH)
        assert rests["states"] == {"measured": 1.0}


async def test_a_scope_goes_down_to_registers_with_their_batches_and_to_factor_records(database: Database) -> None:
    figure = await figure_of(database, "scope2_location")
    registers = leaves(figure, "register")
    assert [(leaf.value, leaf.source["time"]) for leaf in registers] == [
        (100.0 + PER_HOUR[GATE] * HOURS, from_ms(NOW_MS).isoformat().replace("+00:00", "Z")),
        (100.0, "2026-10-31T16:00:00Z"),
    ]
    rows = await database.fetch("select encode(digest, 'hex') as digest, boot, seq from batch order by seq")
    for leaf in registers:
        batch = leaf.source["batch"]
        assert isinstance(batch, dict)
        assert (batch["digest"], batch["boot"], batch["seq"]) == (rows[0]["digest"], rows[0]["boot"], rows[0]["seq"])
    [factor] = leaves(figure, "factor")
    assert (factor.value, factor.source["factor"], factor.source["match"]) == (0.5827, "CN-2023-JS", "newest_published")
    assert (factor.source["publisher"], factor.source["data_year"]) == ("MEE + NBS (China)", 2023)
    gas = await figure_of(database, "scope1")
    assert {leaf.source["factor"] for leaf in leaves(gas, "factor")} >= {"CNDRC-NCV-natural-gas", "GWP-AR6-N2O"}


async def test_what_is_not_there_is_refused(database: Database) -> None:
    async with database.transaction() as session:
        for figure in ("magic", "line:nowhere", "point:gate/none", "energy:heat", "scope1:x", "point"):
            with pytest.raises(LookupError):
                await explain(session, PARK, figure, MONTH, now=NOW)
        with pytest.raises(LookupError, match="no park"):
            await explain(session, "nowhere", "scope1", MONTH, now=NOW)
        with pytest.raises(RefusedError, match="2026-13"):
            await explain(session, PARK, "scope1", "2026-13", now=NOW)
        with pytest.raises(RefusedError, match="newer than a minute") as refused:
            await explain(session, PARK, "scope1", MONTH, now=NOW, as_of=NOW)
    assert refused.value.rule == "6.9"


@pytest.mark.rule("6.9")
async def test_a_closed_month_says_what_was_frozen_and_whether_it_still_is(postgres_url: str) -> None:
    async with (await open_explained(postgres_url)).database as database:
        await database.execute(AN_HOUR_AGO)
        later = from_ms(utc("2026-12-02T00:00:00Z"))
        async with database.transaction() as session:
            await make_provisional(session, PARK, MONTH, person="energy manager", reason="complete", now=later)
        async with database.transaction() as session:
            kept = await close(session, PARK, MONTH, person="reviewer", reason="test", now=later, override=True)
        async with database.transaction() as session:
            figure = await explain(session, PARK, "scope2_location", MONTH, now=later)
        rests = figure.source["rests_on"]
        assert isinstance(rests, dict)
        assert (rests["frozen_version"], rests["frozen_sha256"], rests["as_frozen"]) == (1, kept.digest.hex(), True)
        await database.execute("update interval_15min set amount_micro = amount_micro + 1000000, co2e_nano_kg = null")
        await database.execute("update rollup_day set amount_micro = amount_micro + 96000000, co2e_nano_kg = null")
        async with database.transaction() as session:
            figure = await explain(session, PARK, "scope2_location", MONTH, now=later)
        assert [note for note in figure.notes if "closed as version 1 with other figures" in note]
        assert [node.name for node in figure.walk() if node.name.startswith("not_by")] == ["not_by_registers"]


@pytest.mark.rule("6.9")
async def test_a_past_date_is_explained_by_what_was_known_then(postgres_url: str) -> None:
    """All readings but the last came an hour ago: five minutes ago there was half an hour less."""
    async with (await open_explained(postgres_url)).database as database:
        await database.execute(AN_HOUR_AGO)
        sender = Sender(source="agent", boot="00000000000000bb")
        ingest = Ingest(database)
        rows = counter_rows(GATE, NOW_MS + 1_800_000, [100.0 + PER_HOUR[GATE] * (HOURS + 0.5)])
        batch = sender.batch(rows)
        await ingest.commit(batch, now_ms=NOW_MS + 3_600_000)
        now = dt.datetime.now(dt.UTC)
        then = now - dt.timedelta(minutes=5)
        async with database.transaction() as session:
            current = await explain(session, PARK, f"line:{GATE}", MONTH, now=now)
            past = await explain(session, PARK, f"line:{GATE}", MONTH, now=now, as_of=then)
            hours = await explain(session, PARK, f"point:{GATE}", MONTH, now=now, as_of=then)
            quarters = await explain(session, PARK, f"intervals:{GATE}", MONTH, now=now, as_of=then)
    assert current.value == pytest.approx((IMPORT_KWH + PER_HOUR[GATE] * RATIO / 2) * 0.5827, rel=1e-9)
    assert past.value == pytest.approx(IMPORT_KWH * 0.5827, rel=1e-9)
    assert hours.value == quarters.value == pytest.approx(IMPORT_KWH, rel=1e-12)
    digests = [leaf.source["batch"] for leaf in leaves(current, "register")]
    assert batch.digest.hex() in [batch["digest"] for batch in digests if isinstance(batch, dict)]
    for figure in (current, past, hours, quarters):
        assert check(figure) == []
        assert not [node for node in figure.walk() if node.name.startswith("not_by")]
    assert past.source["rests_on"] != current.source["rests_on"]


@pytest.mark.rule("6.1", "6.2", "6.7")
async def test_a_substitution_is_a_term_of_its_own_with_its_reviewer(postgres_url: str) -> None:
    """A boundary without the old register leaves half an hour unknown; the mean of before and after is put there."""
    async with (await open_explained(postgres_url)).database as database:
        begin, end = from_ms(START + 50 * HOUR), from_ms(START + 50 * HOUR + HOUR // 2)
        ingest = Ingest(database)
        wanted = Wanted(GATE, begin, end, "mean")
        async with database.transaction() as session:
            await session.execute(
                "insert into correction (point_id, kind, from_time, to_time, document, author, reason)"
                " select point_id, 'boundary', $1, $1, $3, 'engineer', 'exchanged' from point where point = $2",
                end,
                GATE,
                json.dumps({"start_reading": 100.0 + PER_HOUR[GATE] * 50.5}),
            )
            done = await enter(session, PARK, wanted, author="engineer", reason="gap", now=NOW)
        async with database.transaction() as session:
            await review(session, PARK, done.number, person="reviewer", decision="approved", reason="plausible")
        await settle(ingest)
        figure = await figure_of(database, f"point:{GATE}")
        [leaf] = [node for node in figure.walk() if node.source.get("kind") == "substitution"]
        assert (leaf.source["author"], leaf.source["reviewer"], leaf.rule) == ("engineer", "reviewer", "6.2")
        assert leaf.value == pytest.approx(PER_HOUR[GATE] * RATIO / 2, rel=1e-9)
        assert figure.value == pytest.approx(IMPORT_KWH, rel=1e-9)
        assert not [node for node in figure.walk() if node.name.startswith("not_by")]
        alone = await figure_of(database, f"substitution:{done.number}")
        assert alone.columns["amount"] == pytest.approx((PER_HOUR[GATE] * RATIO / 4,) * 2)


async def test_a_month_without_readings_is_unknown(database: Database) -> None:
    for name in ("scope1", "scope2_location", "total_location", "load", "energy:import", f"point:{GATE}"):
        assert (await figure_of(database, name, "2026-09")).value is None, name


async def test_every_name_of_the_list_can_be_explained(database: Database) -> None:
    async with database.transaction() as session:
        scene = await open_scene(session, PARK, MONTH, now=NOW)
        listed = [str(item["figure"]) for item in await names(scene)]
    assert {name.partition(":")[0] for name in listed} >= {item.name for item in FIGURES if not item.of}
    assert {f"point:{SUB}", "tenant:shop", "balance:grid", "indicator:self_consumption"} <= set(listed)
    for name in listed:
        kind, rest = find(name)
        assert bool(kind.of) == bool(rest)
        figure = await figure_of(database, name)
        assert figure.value is not None or figure.notes, name


@pytest.fixture
async def client(explained_url: str) -> AsyncIterator["httpx.AsyncClient"]:
    from api.app import create_app

    async with serving(create_app(settings_for(explained_url), SceneClock(NOW_MS)), VIEWER) as client:
        yield client


async def test_the_api_gives_the_tree_and_the_workbook(client: "httpx.AsyncClient") -> None:
    path = f"/api/v1/parks/{PARK}/explain"
    answer = await client.get(path, params={"figure": "scope2_location", "period": MONTH})
    assert answer.status_code == 200, answer.text
    tree = answer.json()
    assert tree["value"] == pytest.approx(IMPORT_KWH * 0.5827, rel=1e-9)
    from api.accounts.explain import ExplainedFigure

    assert ExplainedFigure.model_validate(tree).terms
    hours = (await client.get(path, params={"figure": f"point:{GATE}", "period": MONTH})).json()
    assert len(hours["columns"]["amount [kWh]"]) == 720
    small = await client.get(path, params={"figure": f"point:{GATE}", "period": MONTH, "columns": "false"})
    assert "columns" not in small.json()
    file = await client.get(path, params={"figure": "scope2_location", "period": MONTH, "format": "xlsx"})
    assert file.headers["content-type"].startswith("application/vnd.openxmlformats")
    assert file.headers["content-disposition"] == 'attachment; filename="scope2_location-2026-11.xlsx"'
    assert load_workbook(io.BytesIO(file.content))[SHEETS["working"]]["D2"].value.startswith("=SUM(")


async def test_the_api_lists_figures_and_refuses(client: "httpx.AsyncClient") -> None:
    path = f"/api/v1/parks/{PARK}/explain"
    patterns = (await client.get(f"{path}/figures")).json()["figures"]
    assert {
        "figure": "point:<point>",
        "label": {"zh": "测点：逐时与表底", "en": "a point by the hour and its registers"},
    } in patterns
    listed = (await client.get(f"{path}/figures", params={"period": MONTH})).json()["figures"]
    assert f"line:{GAS}" in {item["figure"] for item in listed}
    wrong: list[tuple[dict[str, str], int]] = [
        ({"figure": "magic", "period": MONTH}, 404),
        ({"figure": "scope1", "period": "2026"[:3]}, 422),
        ({"figure": "scope1", "period": MONTH, "as_of": NOW.isoformat()}, 422),
        ({"figure": "scope1", "period": MONTH, "colour": "red"}, 422),
    ]
    for params, status in wrong:
        answer = await client.get(path, params=params)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), params
    refused = await client.get(path, params={"figure": "scope1", "period": MONTH, "as_of": NOW.isoformat()})
    assert refused.json()["rule"] == "6.9"


def run_cli(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "parkcarbon", "explain", "--park", PARK, "--period", MONTH, *arguments]
    environment = {**os.environ, "PARKCARBON_DATABASE_URL": url}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


async def test_the_command_line_prints_tree_json_and_list(explained_url: str, tmp_path: Path) -> None:
    tree = run_cli(explained_url, "--figure", f"line:{GATE}")
    assert tree.returncode == 0, tree.stderr
    assert "register at 2026-10-31T16:00:00Z  [gate/active_energy_import" in tree.stdout
    assert "batch agent/" in tree.stdout
    file = tmp_path / "line.xlsx"
    answer = run_cli(explained_url, "--figure", f"line:{GATE}", "--json", "--xlsx", str(file))
    document: dict[str, Any] = json.loads(answer.stdout)
    assert document["value"] == pytest.approx(IMPORT_KWH * 0.5827, rel=1e-9)
    assert load_workbook(file)[SHEETS["registers"]]["C2"].value == 100.0 + PER_HOUR[GATE] * HOURS
    assert f"point:{PV}" in run_cli(explained_url).stdout
    assert run_cli(explained_url, "--figure", "magic").returncode == 1


def differences(path: Path, figures: list[tuple[Figure, str]]) -> list[str]:
    """Every cell of a figure that LibreOffice sees otherwise than the engine."""
    sheet = recalculated(path)[SHEETS["working"]]
    return [
        f"{figure.name} in {cell}: {sheet[cell].value}, not {figure.value}"
        for figure, cell in figures
        if figure.value is not None
        and not (
            isinstance(sheet[cell].value, int | float)
            and math.isclose(sheet[cell].value, figure.value, rel_tol=1e-9, abs_tol=max(figure.within, 1e-12))
        )
    ]


class TestOffice:
    pytestmark = HERE

    @pytest.mark.rule("6.8")
    async def test_the_workbooks_are_recalculated_to_the_same_figures(self, database: Database, tmp_path: Path) -> None:
        for number, name in enumerate(("total_location", "total_market", "unmetered", f"point:{GATE}")):
            figure = await figure_of(database, name)
            path = tmp_path / f"{number}.xlsx"
            layout = write_workbook(figure, str(path), about_of(figure))
            assert differences(path, layout.cells()) == []
            book = load_workbook(path)
            for row in layout.rows:
                assert row.figure.operation == "given" or str(row.content).startswith("=")
            literals = {cell.value for cell in book[SHEETS["working"]]["D"] if isinstance(cell.value, int | float)}
            constants = {30.0, 2.0, 1.0, 100.0, 1e-4, 1e-3, 1e3, round(44 / 12, 12)}  # ratios and conversions
            assert {round(literal, 12) for literal in literals} <= constants


def test_the_park_of_these_tests_has_whole_hours() -> None:
    assert NOW_MS - START == HOURS * 3_600_000
    assert (
        dt.datetime.fromtimestamp(START / 1000, dt.timezone(dt.timedelta(hours=8)))
        .isoformat()
        .startswith("2026-11-01T00")
    )
