"""Bad input is refused with the number of its rule at every door, and nothing of it is entered.

A server, the command line and the trial calculator, each a process of its own; `-s` prints the table for the docs.
"""

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import httpx
import pytest

from parkcarbon.kit.db import Database
from tests.fakes.api_client import APPROVER, EDITOR
from tests.fakes.api_park import PARK, write_park
from tests.fakes.api_process import ROOT, api_process, until_ready
from tests.fakes.bad_input import CASES, CCER, CCER_LOT, FACTOR, FILE, GEC, GEC_LOT, OVERLAPPING, PURCHASES, Case
from tests.fakes.postgres import Server, run

pytestmark = pytest.mark.postgres
KNOWN_SINCE = dt.datetime(2019, 1, 1, tzinfo=dt.UTC)
DOORS = ("API", "command line", "calc")
TABLES = "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"


@dataclass
class Scene:
    """A park with a few facts, a server on it, and what was refused so far."""

    url: str
    base: str
    folder: Path
    overlapping: int = 0
    before: dict[str, str] = field(default_factory=dict)
    refused: dict[str, dict[str, str]] = field(default_factory=dict)

    def ask(self, case: Case) -> httpx.Response:
        """Through the API."""
        token = APPROVER if case.approver else EDITOR
        with httpx.Client(trust_env=False, timeout=60, headers={"Authorization": f"Bearer {token}"}) as client:
            address = f"{self.base}/api/v1/parks/{PARK}{self._filled(case.path)}"
            return client.get(address) if case.body is None else client.post(address, json=case.body)

    def command(self, case: Case) -> "subprocess.CompletedProcess[str]":
        """Through the command line."""
        file = self.folder / "given.json"
        file.write_text(json.dumps(case.file))
        words = [str(file) if word == FILE else self._filled(word) for word in case.verb]
        person = ["--author", "reviewer" if case.approver else "energy manager"] if case.body is not None else []
        return run_parkcarbon(*words, "--park", PARK, *person, url=self.url)

    def calculate(self, case: Case) -> "subprocess.CompletedProcess[str]":
        """Through a file of the trial calculator."""
        file = self.folder / "calc.yaml"
        file.write_text(case.calc or "")
        return run_parkcarbon("calc", str(file))

    def facts(self) -> dict[str, str]:
        """A digest of every table."""
        return run(lambda: _digests(self.url))

    def _filled(self, text: str) -> str:
        now = (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)).isoformat().replace("+00:00", "Z")
        return text.replace("{now}", now).replace("{overlapping}", str(self.overlapping))


def run_parkcarbon(*words: str, url: str = "") -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if name != "PARKCARBON_DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "-m", "parkcarbon", *words],
        cwd=ROOT,
        env=env | ({"PARKCARBON_DATABASE_URL": url} if url else {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def _digests(url: str) -> dict[str, str]:
    async with await Database.connect(url, max_size=1) as database:
        tables = [row["table_name"] for row in await database.fetch(TABLES)]
        return {table: await database.fetchval(_digest_of(table)) for table in sorted(tables)}


def _digest_of(table: str) -> LiteralString:
    return f'select md5(string_agg(t::text, chr(10) order by t::text)) from "{table}" t'  # noqa: S608 - our schema


@pytest.fixture(scope="module")
def scene(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The park with purchases, two lots and two own factors, one of them approved; entered through the API."""
    folder = tmp_path_factory.mktemp("bad-input")
    url = postgres_server.clone()
    run(lambda: write_park(url, data=False, known_on=KNOWN_SINCE))
    with api_process(url, folder) as (running, base):
        until_ready(base, running)
        made = Scene(url, base, folder)
        entered = made.ask(_good("/entries", {"entries": [PURCHASES]}))
        assert entered.status_code == 201, entered.text
        for lot, number in ((GEC, GEC_LOT), (CCER, CCER_LOT)):
            assert made.ask(_good("/ledger/lots", lot | {"reason": "bought"})).json()["lot"] == number
        numbers = [
            made.ask(_good("/factors", record | {"reason": "contract"})).json()["id"]
            for record in (FACTOR, OVERLAPPING)
        ]
        made.overlapping = numbers[1]
        decision = {"decision": "approved", "reason": "seen"}
        approved = made.ask(_good(f"/factors/{numbers[0]}/decision", decision, approver=True))
        assert approved.json()["factor"]["state"] == "approved"
        made.before = made.facts()
        yield made
        _print_table(made)
    log = (folder / "log").read_text(errors="replace")
    assert "Traceback" not in log
    postgres_server.drop(url)


def _good(path: str, body: dict[str, Any], *, approver: bool = False) -> Case:
    return Case(name="", rule="", says="", path=path, body=body, verb=(), approver=approver)


def _print_table(scene: Scene) -> None:
    width = max((len(name) for name in scene.refused), default=0)
    lines = [f"{'refused':<{width}}  " + "  ".join(f"{door:<12}" for door in DOORS)]
    for name, doors in scene.refused.items():
        lines.append(f"{name:<{width}}  " + "  ".join(f"{doors.get(door, '–'):<12}" for door in DOORS))
    count = sum(len(doors) for doors in scene.refused.values())
    print("\n" + "\n".join(lines) + f"\n{len(scene.refused)} cases, {count} times refused, nothing entered")


@pytest.mark.rule("1.4", "1.8", "1.10", "1.11", "1.12", "1.13", "1.15", "1.17")
@pytest.mark.rule("3.4", "3.5", "3.15", "4.1", "4.3", "4.7", "6.9", "6.10")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_it_is_refused_with_its_rule_and_nothing_is_entered(scene: Scene, case: Case) -> None:
    seen = scene.refused.setdefault(case.name, {})

    answer = scene.ask(case)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["rule"] == case.rule, answer.text
    assert f"rule {case.rule}: " in said["detail"]
    assert case.says in said["detail"]
    seen["API"] = f"422 {case.rule}"

    done = scene.command(case)
    assert done.returncode == 1, done.stdout + done.stderr
    refusal = done.stderr.splitlines()[-1]
    assert f"rule {case.rule}: " in refusal
    assert case.says in refusal
    assert "Traceback" not in done.stderr
    seen["command line"] = f"1 {case.rule}"

    if case.calc is not None:
        done = scene.calculate(case)
        assert (done.returncode, done.stdout) == (1, ""), done.stdout + done.stderr
        [refusal] = done.stderr.splitlines()
        assert f"rule {case.rule}: " in refusal
        seen["calc"] = f"1 {case.rule}"

    assert scene.facts() == scene.before
