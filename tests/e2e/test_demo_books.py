"""The books of a real demonstration from the command line alone: an energy manager, a reviewer and an auditor at work.

One park for all; the last tests close its last whole month by two persons and bring a fact that comes late.
"""

import datetime as dt
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from tests.fakes.demo_process import ROOT, DemoProcess

PARK = "jiangsu"
MANAGER = ("--author", "energy manager")
REVIEWER = ("--author", "reviewer")
SETTLED_WITHIN_S = 90.0
Done = subprocess.CompletedProcess[str]


class Desk:
    """Somebody at a terminal with the park's env file."""

    def __init__(self, demo: DemoProcess, folder: Path) -> None:
        self.demo = demo
        self.folder = folder
        first = dt.datetime.now(ZoneInfo("Asia/Shanghai")).replace(day=1)
        self.month = f"{first - dt.timedelta(days=1):%Y-%m}"

    def run(self, *words: str) -> Done:
        """Run `parkcarbon` on the park; nobody ever sees a stack."""
        env = str(self.demo.data / "parkcarbon.env")
        command = [sys.executable, "-m", "parkcarbon", "--env", env, *words, "--park", PARK]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def say(self, *words: str, code: int = 0) -> str:
        """Its answer to a person."""
        done = self.run(*words)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def ask(self, *words: str, code: int = 0) -> Any:
        """Its answer as JSON."""
        return json.loads(self.say(*words, "--json", code=code))

    def refused(self, *words: str) -> str:
        """What it says when it refuses."""
        done = self.run(*words)
        assert (done.returncode, done.stdout) == (1, ""), done.stdout + done.stderr
        return done.stderr.strip()

    def inventory(self, *words: str) -> Any:
        """The inventory of the last whole month."""
        return self.ask("inventory", "--period", self.month, *words)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("books")
    with DemoProcess(folder / "park") as demo:
        yield Desk(demo, folder)


@pytest.mark.rule("3.2", "3.13", "3.15", "5.2")
def test_the_last_month_has_every_scope_and_says_what_is_simulated(desk: Desk) -> None:
    found = desk.inventory()
    scopes = {(scope["scope"], scope["basis"]): scope for scope in [*found["scopes"], found["scope3"]]}
    assert set(scopes) == {(1, None), (2, "location"), (2, "market"), (3, None)}
    assert all(scope["co2e_kg"] > 0 for scope in scopes.values())
    for basis in ("location", "market"):
        parts = scopes[1, None]["co2e_kg"] + scopes[2, basis]["co2e_kg"]
        assert found["totals"][basis]["co2e_kg"] == pytest.approx(parts, rel=1e-12)
    covered = [line for line in scopes[2, "market"]["lines"] if line["instruments"]]
    assert [(line["activity"], line["co2e_kg"]) for line in covered] == [(80_000, 0)]
    assert not any(line["instruments"] for line in scopes[2, "location"]["lines"])
    marked = [line["source"] for scope in scopes.values() for line in scope["lines"] if line["simulated"]]
    assert len(marked) == 2  # what was entered: a refill and commuting; the rest was metered
    assert "some entries are simulated: not for use outside a demonstration" in found["warnings"]
    assert [row["status"] for row in found["scope3"]["screening"]].count(None) == 0
    assert found["completeness_pct"] == pytest.approx(100, abs=0.1)
    assert found["not_in_total"] == []


@pytest.mark.rule("3.5", "4.1", "4.2")
def test_certificates_of_five_kinds_are_in_their_states(desk: Desk) -> None:
    found = desk.ask("ledger", "lots")
    states = {
        lot["serial_prefix"] + ("" if lot["issued_for"] is None else lot["issued_for"]): (
            lot["kind"],
            lot["origin"],
            [(part["status"], part["count"]) for part in lot["stretches"]],
        )
        for lot in found["lots"]
    }
    own, exported = (states.pop(name) for name in ("OWN-self_used", "ROOF-exported"))
    assert (own[:2], [status for status, _ in own[2]]) == (("GEC", "own_use"), ["cancelled"])
    assert (exported[:2], [status for status, _ in exported[2]]) == (("GEC", "own_pv"), ["sold"])
    assert states == {
        "WIND-": ("GEC", "bought", [("cancelled", 80), ("held", 40)]),
        "ROOF-self_used": ("GEC", "own_pv", [("sold", 10)]),
        "OLD-": ("GEC", "bought", [("expired", 5)]),
        "CCER-": ("CCER", "bought", [("retired", 60), ("held", 90)]),
    }
    assert all(lot["simulated"] for lot in found["lots"])
    claims = [event for event in found["events"] if event["kind"] in ("cancelled", "retired")]
    assert {(event["author"], event["confirmed_by"]) for event in claims} == {
        ("demo: energy manager", "demo: reviewer")
    }
    cover = desk.ask("ledger", "cover", "--period", desk.month)
    assert (cover["covered_kwh"], cover["retired_kg"]) == (80_000, 60_000)
    assert {item["reason"].split(",")[0] for item in cover["pending"]} == {"held"}


@pytest.mark.rule("3.2")
def test_a_base_year_and_one_measure(desk: Desk) -> None:
    found = desk.ask("indicators", "compare", "--period", desk.month)["comparisons"]
    [base] = [one for one in found if one["kind"] == "base_year"]
    assert (base["before"], base["comparable"], base["simulated"]) == (f"2025-{desk.month[5:]}", True, True)
    assert {change["name"] for change in base["changes"]} >= {"scope1", "scope2_location", "total_market"}
    assert all(change["change_pct"] is not None for change in base["changes"])
    register = desk.ask("indicators", "measures", "--period", desk.month)
    [measure] = register["measures"]
    assert (measure["measure"], measure["status"], measure["simulated"]) == ("led-machining", "running", True)
    assert register["reductions"]["subtracted"] is False
    assert register["reductions"]["lines"][0]["calculated_t"] == 1.165


@pytest.mark.rule("3.13")
def test_a_figure_is_explained_down_to_registers_and_certificates(desk: Desk) -> None:
    wanted = ("explain", "--figure", "scope2_market", "--period", desk.month)
    told = desk.say(*wanted)
    registers = [line for line in told.splitlines() if "register at" in line and "gate/active_energy_import" in line]
    assert len(registers) >= 2
    assert all("batch " in line and "sha256 " in line for line in registers)
    assert "WIND-050001" in told
    figure = desk.ask(*wanted)
    market = next(scope for scope in desk.inventory()["scopes"] if scope["basis"] == "market")
    assert figure["value"] == market["co2e_kg"]
    workbook = desk.folder / "scope2.xlsx"
    desk.say(*wanted, "--xlsx", str(workbook))
    cells = [cell for sheet in load_workbook(workbook) for row in sheet.iter_rows() for cell in row]
    assert sum(cell.data_type == "f" for cell in cells) >= 5
    assert "there is no figure 'scope4'" in desk.refused("explain", "--figure", "scope4", "--period", desk.month)


def test_tenants_and_entities_add_up_to_the_park(desk: Desk) -> None:
    totals = {scope["basis"] or "scope1": scope["co2e_kg"] for scope in desk.inventory()["scopes"]}
    rows = desk.ask("tenants", "allocation", "--period", desk.month)["tenants"]
    for column, total in (("scope1", "scope1"), ("scope2_location", "location"), ("scope2_market", "market")):
        assert sum(row[column] for row in rows) == pytest.approx(totals[total], rel=1e-12)
    sums = desk.ask("tenants", "entity", "--period", desk.month)["reconciliation"]
    assert {row["difference_nano_kg"] for row in sums} == {0}


READINGS = (
    ("factor", "warnings"),
    ("factor", "find", "--purpose", "grid_average", "--carrier", "electricity", "--region", "China/JS", "--gas", "CO2"),
    ("entry", "list", "--state", "in_force"),
    ("ledger", "gap", "--period", "MONTH"),
    ("inventory", "--period", "MONTH", "--method", "gbt32150"),
    ("inventory", "--period", "MONTH", "--method", "zcp910"),
    ("inventory", "--period", "MONTH", "--method", "iso14064"),
    ("balance", "hours", "--period", "MONTH"),
    ("balance", "quality", "--period", "MONTH"),
    ("balance", "reconcile", "--period", "MONTH"),
    ("indicators", "park"),
    ("indicators", "budget"),
    ("indicators", "uncertainty", "--period", "MONTH"),
    ("period", "show", "MONTH"),
)


def test_an_auditor_gets_an_answer_from_every_verb(desk: Desk) -> None:
    """In words; each command is a process of its own."""
    wanted = [[desk.month if word == "MONTH" else word for word in words] for words in READINGS]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda words: desk.say(*words), wanted))
    for words, told in zip(READINGS, answers, strict=True):
        assert told.strip(), words
        assert "{'" not in told, words  # a document of ours is not a sentence
    park = desk.ask("indicators", "park")["indicators"]
    assert {one["status"] for one in park} == {"进度值，非验收结果 indicative, not the acceptance result"}


@pytest.mark.rule("3.9", "6.9")
def test_a_month_is_closed_by_two_persons_and_a_late_fact_is_a_difference(desk: Desk) -> None:
    month, reason = desk.month, ("--reason", "complete")
    assert "rule 3.9: " in desk.refused("period", "provisional", f"{desk.month[:4]}", *MANAGER)
    assert "rule " in desk.refused("period", "close", month, *REVIEWER)  # not provisional yet
    assert "provisional" in desk.say("period", "provisional", month, *MANAGER, *reason)
    assert "rule 6.9: " in _settled(desk, *MANAGER).stderr  # a second person is needed
    closed = json.loads(_settled(desk, *REVIEWER).stdout)
    document = desk.say("inventory", "--period", month, "--json")
    assert hashlib.sha256(document.encode()).hexdigest() == closed["digest"]
    assert json.loads(document)["final"] is True
    assert desk.ask("period", "difference", month)["identical"] is True

    late = [{"kind": "fuel", "document": {"fuel": "diesel", "amount": 1, "unit": "t"}, "evidence": "invoice 9"}]
    file = desk.folder / "late.json"
    file.write_text(json.dumps([entry | {"period": month} for entry in late]))
    [number] = desk.ask("entry", "enter", str(file), *MANAGER)["entries"]
    changed = desk.ask("period", "difference", month, code=1)
    [line] = changed["lines"]
    assert (line["scope"], line["source"]) == (1, f"entry:{number}")
    assert line["change_kg"] == pytest.approx(3155.7, rel=0.01)  # 43.33 GJ/t × 0.0202 tC/GJ × 98 % × 44/12, CH4, N2O
    assert changed["totals"]["market"]["change_kg"] == pytest.approx(line["change_kg"])
    assert line["causes"] == [f"entry:{number} was entered or approved later"]
    assert desk.say("inventory", "--period", month, "--json") == document  # a closed month never changes
    assert "rule 6.9: " in desk.refused("period", "reopen", month, *REVIEWER, "--reason", "")
    assert "open" in desk.say("period", "reopen", month, *REVIEWER, "--reason", "an invoice came late")
    assert desk.inventory("--version", "1") == json.loads(document)
    assert desk.inventory()["totals"]["market"]["co2e_kg"] > json.loads(document)["totals"]["market"]["co2e_kg"]


def _settled(desk: Desk, *person: str) -> Done:
    """Try to close; what came within the last minute is waited for, as the refusal says."""
    until = time.monotonic() + SETTLED_WITHIN_S
    while True:
        done = desk.run("period", "close", desk.month, *person, "--json")
        if "try again in a minute" not in done.stderr:
            return done
        assert time.monotonic() < until
        time.sleep(2)
