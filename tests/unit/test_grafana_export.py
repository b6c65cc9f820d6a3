"""Provisioning files: what is committed is what the code makes."""

import json
from pathlib import Path

import yaml

from dashboards.grafana.dashboards import dashboards
from dashboards.grafana.export import files, write

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "deploy" / "grafana" / "provisioning"


def test_the_committed_files_are_what_the_code_makes() -> None:
    """`parkcarbon dashboards export` writes them."""
    found = {
        str(path.relative_to(COMMITTED)): path.read_text(encoding="utf-8")
        for path in COMMITTED.rglob("*")
        if path.is_file()
    }
    assert found == files()


def test_export_writes_once_and_takes_away_what_is_gone(tmp_path: Path) -> None:
    assert len(write(tmp_path)) == len(files())
    assert write(tmp_path) == []
    old = tmp_path / "dashboards" / "zh" / "old.json"
    old.write_text("{}", encoding="utf-8")
    mine = tmp_path / "dashboards" / "mine.json"
    mine.write_text("{}", encoding="utf-8")
    (tmp_path / "alerting" / "parkcarbon.yaml").write_text("", encoding="utf-8")
    assert write(tmp_path) == ["~ alerting/parkcarbon.yaml", "- dashboards/zh/old.json"]
    assert mine.is_file()


def test_no_password_is_in_the_files() -> None:
    source = yaml.safe_load(files()["datasources/parkcarbon.yaml"])["datasources"][0]
    assert source["secureJsonData"]["password"].startswith("$__file{")
    assert source["user"] == "parkcarbon_report"


def test_each_language_has_its_folder_and_its_files() -> None:
    providers = yaml.safe_load(files()["dashboards/parkcarbon.yaml"])["providers"]
    assert [provider["folderUid"] for provider in providers] == ["parkcarbon-zh", "parkcarbon-en"]
    for built in dashboards():
        body = json.loads(files()[f"dashboards/{built.language}/{built.key}.json"])
        assert body == built.body


def test_rules_are_paused_in_the_files_too() -> None:
    [group] = yaml.safe_load(files()["alerting/parkcarbon.yaml"])["groups"]
    assert all(rule["isPaused"] for rule in group["rules"])
    assert all("folderUID" not in rule for rule in group["rules"])
