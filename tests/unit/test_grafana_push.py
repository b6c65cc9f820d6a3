"""Push and diff against a fake Grafana (tests/fakes/grafana_api.py): idempotent; what is not ours stays as it is."""

import copy
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.grafana import commands
from dashboards.grafana.dashboards import BOARDS, dashboards
from dashboards.grafana.datasource import from_url
from dashboards.grafana.draw import DATASOURCE_UID, TAG
from dashboards.grafana.rules import RULES
from tests.fakes.grafana_api import TOKEN, GrafanaFake, grafana

ALL = 1 + 3 + 2 * len(BOARDS) + len(RULES)
SOURCE = "postgresql://parkcarbon_report:s3cret@db.park:5433/parkcarbon"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[GrafanaFake]:
    with grafana() as server:
        monkeypatch.setenv("PARKCARBON_GRAFANA_URL", server.url)
        monkeypatch.setenv("PARKCARBON_GRAFANA_TOKEN", TOKEN)
        monkeypatch.setenv("PARKCARBON_GRAFANA_DATASOURCE", SOURCE)
        yield server


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["parkcarbon dashboards", *arguments])
    return commands.main()


def test_push_fills_an_empty_grafana_and_the_second_one_writes_nothing(
    fake: GrafanaFake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "push") == 0
    assert len(fake.writes) == ALL
    assert set(fake.dashboards) == {built.uid for built in dashboards()}
    assert fake.folder_of["parkcarbon-energy-en"] == "parkcarbon-en"
    assert fake.sources[DATASOURCE_UID]["secureJsonData"] == {"password": "s3cret"}
    assert fake.sources[DATASOURCE_UID]["url"] == "db.park:5433"
    assert len(fake.rules) == len(RULES)
    assert all(rule["isPaused"] for rule in fake.rules.values())
    capsys.readouterr()
    assert call(monkeypatch, "push") == 0
    assert len(fake.writes) == ALL
    assert capsys.readouterr().out == f"{ALL} of {ALL} as wanted before\n"
    assert call(monkeypatch, "diff") == 0


def test_diff_says_what_push_would_do_and_does_nothing(
    fake: GrafanaFake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "push") == 0
    fake.edit("parkcarbon-energy-zh")["panels"][0]["title"] = "x"
    fake.edit("parkcarbon-energy-en")["templating"]["list"].append({"name": "mine"})
    del fake.dashboards["parkcarbon-health-zh"]
    fake.add_dashboard({"uid": "parkcarbon-old-zh", "title": "old", "tags": [TAG]})
    fake.folders["parkcarbon-en"]["title"] = "moved"
    before, written = copy.deepcopy(fake.dashboards), len(fake.writes)
    capsys.readouterr()
    assert call(monkeypatch, "diff") == 1
    out = capsys.readouterr().out
    assert "~ folder parkcarbon-en: title" in out
    assert "~ dashboard parkcarbon-energy-zh: panels[0].title" in out
    assert "~ dashboard parkcarbon-energy-en: templating.list" in out
    assert "+ dashboard parkcarbon-health-zh" in out
    assert "- dashboard parkcarbon-old-zh" in out
    assert (fake.dashboards, len(fake.writes)) == (before, written)
    assert call(monkeypatch, "push") == 0
    assert len(fake.writes) == written + 5
    assert call(monkeypatch, "diff", "--json") == 0


def test_what_is_not_ours_is_left_alone(
    fake: GrafanaFake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = [
        {"uid": "ops", "title": "ops", "tags": []},
        {"uid": "ops-tagged", "title": "copied, with our tag", "tags": [TAG]},
        {"uid": "parkcarbon-mine", "title": "somebody's own", "tags": ["mine"]},
        {"uid": "parkcarbon-statements-en", "title": "has a uid of ours", "tags": ["mine"]},
    ]
    for body in foreign:
        fake.add_dashboard(body, "parkcarbon-en")
    fake.rules["other"] = {"uid": "other", "title": "other", "labels": {}}
    fake.rules["parkcarbon-x"] = {"uid": "parkcarbon-x", "title": "no label", "labels": None}
    kept = copy.deepcopy(
        (
            {body["uid"]: fake.dashboards[str(body["uid"])] for body in foreign},
            fake.rules["other"],
            fake.rules["parkcarbon-x"],
        )
    )
    assert call(monkeypatch, "push") == 1
    assert "! dashboard parkcarbon-statements-en belongs to somebody else" in capsys.readouterr().out
    assert kept == (
        {body["uid"]: fake.dashboards[str(body["uid"])] for body in foreign},
        fake.rules["other"],
        fake.rules["parkcarbon-x"],
    )
    assert len(fake.dashboards) == len(foreign) + 2 * len(BOARDS) - 1


def test_a_rule_that_somebody_turned_on_stays_on(fake: GrafanaFake, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch, "push") == 0
    rule = fake.rules["parkcarbon-no-readings"]
    rule["isPaused"] = False
    assert call(monkeypatch, "diff") == 0
    rule["for"] = "1h"
    assert call(monkeypatch, "push") == 0
    assert (fake.rules["parkcarbon-no-readings"]["isPaused"], fake.rules["parkcarbon-no-readings"]["for"]) == (
        False,
        "5m",
    )


def test_without_a_data_source_the_one_that_is_there_is_not_touched(
    fake: GrafanaFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARKCARBON_GRAFANA_DATASOURCE")
    assert call(monkeypatch, "push") == 0
    assert fake.sources == {}
    assert len(fake.writes) == ALL - 1


@pytest.mark.parametrize(
    "case",
    [
        ("PARKCARBON_GRAFANA_TOKEN", "wrong", "Unauthorized"),
        ("PARKCARBON_GRAFANA_TOKEN", "", "PARKCARBON_GRAFANA_TOKEN is not set"),
        ("PARKCARBON_GRAFANA_URL", "http://127.0.0.1:9", "ConnectionError"),
        ("PARKCARBON_GRAFANA_DATASOURCE", "db.park", "postgresql://user:password@host:port/database"),
        ("PARKCARBON_GRAFANA_SSLMODE", "perhaps", "sslmode 'perhaps'"),
        ("PARKCARBON_GRAFANA_TIMEZONE", "Mars/Base", "no time zone 'Mars/Base'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    fake: GrafanaFake,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: tuple[str, str, str],
) -> None:
    variable, value, said = case
    monkeypatch.setenv(variable, value)
    assert call(monkeypatch, "push") == 1
    error = capsys.readouterr().err
    assert error.startswith("parkcarbon dashboards push: ")
    assert said in error
    assert error.count("\n") == 1
    assert fake.writes == []


def test_what_grafana_rewrites_for_a_newer_schema_is_not_pushed_again(
    fake: GrafanaFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(monkeypatch, "push") == 0
    for body in fake.dashboards.values():
        body["schemaVersion"] = 42
        body["preload"] = False
    assert call(monkeypatch, "diff") == 0
    fake.edit("parkcarbon-energy-zh")
    assert call(monkeypatch, "diff") == 1


def test_a_push_that_broke_off_is_finished_by_the_next(
    fake: GrafanaFake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.failing = 1
    assert call(monkeypatch, "push") == 1
    assert "database is locked" in capsys.readouterr().err
    assert call(monkeypatch, "push") == 0
    assert len(fake.dashboards) == 2 * len(BOARDS)


def test_the_data_source_is_read_from_an_address() -> None:
    source, password = from_url("postgres://reader:p%40ss@db/park", "disable")
    assert (source["url"], source["user"], source["database"], password) == ("db:5432", "reader", "park", "p@ss")
    assert source["jsonData"]["sslmode"] == "disable"
    assert "p@ss" not in json.dumps(source)


def test_the_verb_is_in_the_command_line() -> None:
    from parkcarbon.cli import VERBS

    assert VERBS["dashboards"][0] == "dashboards.grafana"
    assert Path(str(commands.__file__)).parent.joinpath("__main__.py").is_file()
