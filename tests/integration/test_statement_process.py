"""The statements process and the command line as they are run: what is approved is issued once, by whoever is first."""

import asyncio
import contextlib
import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import free_port
from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.db import to_ms
from parkcarbon.statement.sign.keys import write_key
from statements.config import Config
from statements.service import Service
from tests.fakes.postgres import ROOT
from tests.fakes.statement_desk import PARK, PERIOD, REVIEWER, Desk, open_desk, signing_key

pytestmark = pytest.mark.postgres
Done = subprocess.CompletedProcess[str]
FILES = {"json", "sig", "zh.pdf", "en.pdf", "both.pdf", "xlsx", "csv"}


@pytest.fixture
async def desk(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr("parkcarbon.books.inventory.SETTLED_AFTER", dt.timedelta(0))
    async with open_desk(postgres_url) as desk:
        await desk.database.execute("update config_version set changed_at = '2025-01-01'")
        yield desk


@pytest.fixture
def env(postgres_url: str, tmp_path: Path) -> dict[str, str]:
    key = write_key(signing_key(), tmp_path / "keys")
    mine = {"PARKCARBON_DATABASE_URL": postgres_url, "PARKCARBON_SIGNING_KEY_FILE": str(key)}
    return {name: value for name, value in os.environ.items() if not name.startswith("PARKCARBON_")} | mine


def start(env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "statements", "run"], cwd=ROOT, env=env, stdout=out, stderr=out)


@contextlib.contextmanager
def running(env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = start(env, log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


async def until(desk: Desk, query: str, wanted: int) -> None:
    async with asyncio.timeout(60):
        while await desk.database.fetchval(query) != wanted:
            await asyncio.sleep(0.1)


def yesterday() -> dt.datetime:
    return dt.datetime.now(dt.UTC) - dt.timedelta(days=1)


HOLDING = """
select count(*) from pg_locks
where relation = 'statement_act'::regclass and mode = 'RowExclusiveLock' and database = (
    select oid from pg_database where datname = current_database())"""
ISSUED = "select count(*) from statement_act where act = 'issued'"


async def test_two_processes_issue_what_is_approved_once(desk: Desk, env: dict[str, str], tmp_path: Path) -> None:
    await desk.known_since(yesterday())  # nothing is due but what people did
    port = free_port()
    with (
        running(env | {"PARKCARBON_STATEMENTS_METRICS_PORT": str(port)}, tmp_path / "one.log"),
        running(env, tmp_path / "two.log"),
    ):
        made = await desk.prepare()
        await desk.act(made, "approve", REVIEWER)  # the database tells them
        await until(desk, ISSUED, 1)
        [done] = await desk.all()
        async with httpx.AsyncClient(trust_env=False) as client:
            metrics = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    assert {filed.name for filed in done.files} == FILES
    assert await desk.database.fetchval(ISSUED) == 1
    assert await desk.database.fetchval("select count(*) from statement_task where done_at is not null") == 1
    assert await desk.database.fetchval("select fingerprint from signing_key") == signing_key().fingerprint
    assert "parkcarbon_statements_waiting" in metrics


async def test_what_was_approved_while_none_ran_is_issued_at_the_next_start(
    desk: Desk, env: dict[str, str], tmp_path: Path
) -> None:
    await desk.known_since(yesterday())
    await desk.act(await desk.prepare(), "approve", REVIEWER)
    with running(env, tmp_path / "log"):
        await until(desk, ISSUED, 1)


async def test_a_process_killed_in_the_middle_leaves_nothing_half_done(
    desk: Desk, env: dict[str, str], tmp_path: Path
) -> None:
    await desk.known_since(yesterday())
    await desk.act(await desk.prepare(), "approve", REVIEWER)
    process = start(env, tmp_path / "killed.log")
    try:
        await until(desk, HOLDING, 1)  # it draws and signs now
    finally:
        process.kill()
        process.wait(30)
    [left] = await desk.all()
    assert (left.state, left.files) == ("approved", ())
    with running(env, tmp_path / "log"):
        await until(desk, ISSUED, 1)
    [done] = await desk.all()
    assert {filed.name for filed in done.files} == FILES


async def test_each_look_finds_what_is_due_and_another_process_nothing_more(desk: Desk, postgres_url: str) -> None:
    """As after a restart: nothing is remembered but what is stored."""
    await desk.known_since(dt.datetime(2025, 3, 10, tzinfo=dt.UTC))
    clock = ManualClock(to_ms(dt.datetime(2025, 4, 3, 2, tzinfo=dt.UTC)))
    first, second = (Service(Config(database_url=postgres_url), clock, random.Random(at)) for at in (1, 2))
    assert await first.look(desk.database) == 1
    assert await second.look(desk.database) == 0
    clock.advance(12 * 86_400)  # the 15th
    assert await second.look(desk.database) >= 1
    actions = [row["action"] for row in await desk.database.fetch("select action from statement_task order by task_id")]
    assert actions[:2] == ["flash", "prepare"]


def parkcarbon(env: dict[str, str], *words: str, code: int = 0) -> Done:
    command = [sys.executable, "-m", "parkcarbon", "statement", *words]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.mark.rule("6.9")
async def test_a_statement_from_the_command_line(desk: Desk, env: dict[str, str], tmp_path: Path) -> None:
    """Issue, approve, list, show, export, verify, re-issue, compare, lock; each with its exit code."""

    async def run(*words: str, code: int = 0) -> str:
        done = await asyncio.to_thread(parkcarbon, env, *words, code=code)
        return done.stdout if code == 0 else done.stdout + done.stderr

    park = ("--park", PARK)
    told = await run("issue", *park, "--month", PERIOD, "--author", "energy manager")
    assert "not issued yet: another person than energy manager approves it" in told
    assert "waits for a second person" in await run("issue", *park, "--month", PERIOD, code=1)
    assert "is prepared, not issued" in await run(
        "export", *park, PERIOD, "--output", str(tmp_path / "early.pdf"), code=1
    )
    assert not (tmp_path / "early.pdf").exists()
    refused = await run("approve", *park, PERIOD, "--author", "energy manager", code=1)
    assert "rule 6.9: energy manager prepared statement 1" in refused
    done = json.loads(await run("approve", *park, PERIOD, "--author", REVIEWER, "--json"))
    assert (done["state"], {filed["name"] for filed in done["files"]}) == ("issued", FILES)
    [row] = json.loads(await run("list", *park, "--json"))["statements"]
    assert row["number"] == f"PC-{PARK}-{PERIOD}"
    assert f"{PARK}-{PERIOD} V1" in await run("show", *park, f"{PERIOD}/V1")
    for form in ("pdf", "xlsx", "json", "csv", "sig"):
        output = tmp_path / ("statement.json.sig" if form == "sig" else f"statement.{form}")
        await run("export", *park, PERIOD, "--format", form, "--output", str(output))
        before = output.read_bytes()
        assert "not written over" in await run("export", *park, PERIOD, "--output", str(output), code=1)
        assert output.read_bytes() == before
    for sheet in ("re100.csv", "re100.xlsx", "group.csv", "group.xlsx"):
        made = ("export", *park, PERIOD, "--format", sheet.partition(".")[0], "--output", str(tmp_path / sheet))
        assert json.loads(await run(*made, "--json"))["name"] == sheet
        assert "not written over" in await run(*made, code=1)
    assert f"PC-{PARK}-{PERIOD}" in (tmp_path / "re100.csv").read_text("utf-8-sig")
    unnamed = ("export", *park, PERIOD, "--format", "re100", "--output", str(tmp_path / "re100"))
    assert "a separate sheet is .xlsx or .csv" in await run(*unnamed, code=1)
    key = ("--key", signing_key().fingerprint)
    assert "integrity only" in await run("verify", str(tmp_path / "statement.json"), *key)
    assert "integrity only" in await run("verify", str(tmp_path / "statement.pdf"), *key)
    assert "nothing differs" in await run("diff", *park, "1", PERIOD)
    assert "not 1" not in await run("reissue", *park, PERIOD, "--reason", "trial", "--author", "energy manager")
    assert "verdict" not in await run("diff", *park, f"{PERIOD}/V1", f"{PERIOD}/V2")
    assert "prepared: a month is locked" in await run("lock", *park, PERIOD, "--author", REVIEWER, code=1)
    assert "rejected" in await run("reject", *park, PERIOD, "--comment", "was a trial", "--author", REVIEWER)
    assert "locked, version 1" in await run("lock", *park, f"{PERIOD}/V1", "--author", REVIEWER)
    assert json.loads(await run("list", *park, "--json"))["statements"][-1]["state"] == "locked"
    assert json.loads(await run("tasks", *park, "--json"))["tasks"] == []
    assert "nothing is missing" in await run("missing", *park, "--month", PERIOD)
    assert "no statement 2031-01" in await run("show", *park, "2031-01", code=1)
    assert "no park" in await run("list", "--park", "nowhere", code=1)
