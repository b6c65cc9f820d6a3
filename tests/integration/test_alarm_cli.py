"""The verb `alarm`: rules checked, compared, applied, tried; alarms listed, taken on, shelved, silenced, reported."""

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from parkcarbon.alarm import store
from parkcarbon.cli.alarm.__main__ import main
from parkcarbon.domain.alarm.types import AlarmState, Episode, Level, Observation, Phase, Said
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import Database, from_ms
from tests.fakes.api_park import NOW_MS, PARK, write_park
from tests.fakes.postgres import run as run_async

pytestmark = pytest.mark.postgres

RULES = """
park: demo
rules:
- rule: peak
  kind: threshold
  name: {zh: 关口功率高, en: power at the gate is high}
  of: [load]
  on: 250 kW
  after: 15 min
receivers:
- {receiver: desk, channel: mail}
"""


class Shell:
    """The command in this process, on one database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.err = ""

    def __call__(self, *arguments: str, typed: str = "") -> tuple[int, str]:
        """Exit code and what was printed."""
        self._monkeypatch.setattr(sys, "argv", ["parkcarbon alarm", *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main()
            except SystemExit as error:
                code = int(str(error.code))
        self.err = err.getvalue()
        return code, out.getvalue()

    def json(self, *arguments: str) -> Any:
        """What is printed with `--json`."""
        code, out = self(*arguments, "--park", PARK, "--json")
        assert code == 0, (out, self.err)
        return json.loads(out)


@pytest.fixture
def shell(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("PARKCARBON_DATABASE_URL", postgres_url)
    run_async(lambda: write_park(postgres_url))
    return Shell(monkeypatch)


def raise_alarm(url: str, began_ms: int) -> int:
    """An alarm as the evaluator writes it."""

    async def write() -> int:
        last = Observation("park", began_ms, Level.BEYOND, 291.0, 250.0, Said("负荷高", "load is high"))
        episode = Episode(began_ms, began_ms, worst=295.0, last=last)
        async with await Database.connect(url) as database, database.transaction() as session:
            raised = store.Raised("peak", 1, "threshold", "high", "kW", "park", episode)
            number = (await store.open_episodes(session, PARK, [raised]))["peak", "park"]
            state = AlarmState("park", Phase.FIRING, began_ms, began_ms, episode)
            await store.put_states(session, PARK, {("peak", "park"): store.Held(state, number)})
        return number

    found: int = run_async(write)
    return found


def test_rules_from_file_to_force(shell: Shell, tmp_path: Path) -> None:
    file, wrong = tmp_path / "alarms.yaml", tmp_path / "wrong.yaml"
    file.write_text(RULES, encoding="utf-8")
    wrong.write_text(RULES.replace("250 kW", "250 kWh").replace("after: 15 min", "window: 3653 d"), encoding="utf-8")
    at_park = ("--park", PARK)

    code, out = shell("rules", "check", str(wrong), *at_park)
    assert code == 1
    assert "wrong: rules[peak].window: 3653 d is more than 400 d" in out
    code, out = shell("rules", "apply", str(wrong), *at_park, "--reason", "first", "--author", "energy manager")
    assert (code, out) == (1, "")
    assert shell.err.startswith("parkcarbon alarm rules: rules[peak].window")
    code, out = shell("rules", "check", "-", *at_park, typed="park: [")
    assert (code, "wrong: line 1: not YAML" in out) == (1, True)

    code, out = shell("rules", "check", str(file), *at_park)
    assert code == 0
    assert "added: peak (threshold) park above 250 kW for 900 s, clear at 237.5 kW for 450 s\n" in out
    assert "note: receivers[desk]: no rule tells it anything\n" in out

    assert shell("rules", "diff", str(file), *at_park)[0] == 1
    shell("rules", "apply", str(file), *at_park, "--reason", "first", "--author", "energy manager")
    assert shell.err == ""
    assert shell("rules", "diff", str(file), *at_park) == (0, "")
    changed = tmp_path / "changed.yaml"
    changed.write_text(RULES.replace("250 kW", "300 kW"), encoding="utf-8")
    code, out = shell("rules", "diff", str(changed), *at_park)
    assert (code, "-  on: 250 kW\n+  on: 300 kW\n" in out) == (1, True)
    code, _ = shell("rules", "apply", str(changed), *at_park, "--reason", "x", "--author", "y", "--revision", "7")
    assert (code, "revision 1 by energy manager is in force, not 7" in shell.err) == (1, True)

    code, out = shell("rules", "show", *at_park)
    assert out.startswith("# revision 1 by energy manager: first\npark: demo\n")
    kept = tmp_path / "kept.yaml"
    kept.write_text(out, encoding="utf-8")
    assert shell("rules", "diff", str(kept), *at_park) == (0, "")


def test_a_rule_is_tried_on_the_past(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "alarms.yaml"
    file.write_text(RULES, encoding="utf-8")
    day = ("--from", from_ms(NOW_MS - 86_400_000).isoformat(), "--to", from_ms(NOW_MS).isoformat())
    code, out = shell("rules", "try", str(file), "--park", PARK, "--rule", "peak", *day)
    assert (code, shell.err) == (0, "")
    first, yesterday, today = out.splitlines()
    assert first == "peak would have fired twice from 2026-11-20 14:32 to 2026-11-21 14:32"
    assert yesterday.startswith("  2026-11-20 15:00 to 2026-11-20 18:")
    assert today.startswith("  2026-11-21 06:30 to end: Demonstration park, worst 2")
    assert shell("rules", "try", "--park", PARK, "--rule", "peak", *day)[0] == 1
    assert "the document has no rule peak" in shell.err


def test_people_and_alarms(shell: Shell, postgres_url: str, tmp_path: Path) -> None:
    file = tmp_path / "alarms.yaml"
    file.write_text(RULES, encoding="utf-8")
    by = ("--park", PARK, "--author", "energy manager")
    assert shell("rules", "apply", str(file), *by, "--reason", "first")[0] == 0
    assert shell("list", "--park", PARK) == (0, "no alarm stands\n")
    number = str(raise_alarm(postgres_url, SystemClock().now_ms() - 3_600_000))

    code, out = shell("list", "--park", PARK)
    assert code == 0
    assert out.startswith(f"{number}: high firing since ")
    assert "peak: Demonstration park 291 kW (limit 250 kW)\n" in out
    assert shell("acknowledge", number, *by, "--comment", "on it")[0] == 0
    assert shell("acknowledge", number, *by) == (1, "")
    assert "energy manager has taken alarm" in shell.err
    assert shell("comment", number, *by) == (1, "")
    code, out = shell("shelve", number, *by, "--until", "2h", "--comment", "repair")
    assert (code, "; acknowledged by energy manager; shelved until " in out) == (0, True)
    assert shell("shelve", number, *by, "--until", "9 h", "--comment", "repair")[0] == 1
    assert "at most 8 h" in shell.err
    assert shell("shelve", number, *by, "--until", "tomorrow", "--comment", "repair")[0] == 2
    assert shell("unshelve", number, *by)[0] == 0
    assert shell("out-of-service", number, *by, "--comment", "workshop")[0] == 0
    assert shell("in-service", number, *by)[0] == 0
    shown = shell.json("show", number)
    assert [act["act"] for act in shown["acts"]] == [
        *("acknowledge", "shelve", "unshelve", "out_of_service", "in_service"),
    ]
    assert shown["curve"]["limit"] == 250.0
    assert "load is high" in shell("show", number, "--park", PARK)[1]
    assert shell("show", "999", "--park", PARK)[0] == 1
    assert shell.json("report")["alarms"] == 1
    assert shell("report", "--park", PARK)[1].startswith("1 alarms (0 low, 0 medium, 1 high)")

    silenced = ("silence", *by, "--end", "4h", "--comment", "wash")
    assert shell(*silenced, "--match", "device=inv-*", "--match", "kind=threshold")[0] == 0
    assert shell(*silenced, "--match", "device")[0] == 1
    assert "not LABEL=PATTERN" in shell.err
    assert shell(*silenced, "--match", "colour=red")[0] == 1
    [item] = shell.json("silences")["silences"]
    assert item["match"] == {"device": "inv-*", "kind": "threshold"}
    assert f"{item['id']}: on, " in shell("silences", "--park", PARK)[1]
    assert shell("unsilence", str(item["id"]), *by)[0] == 0
    assert shell.json("silences") == {"silences": []}
    assert shell("list", "--park", "nowhere") == (1, "")
    assert shell.err == "parkcarbon alarm list: there is no park nowhere\n"
