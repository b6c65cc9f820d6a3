"""Dashboards as code: whole, in both languages, without a formula or a factor."""

import datetime as dt
import re

import pytest

from dashboards.grafana.dashboards import BOARDS, dashboards
from dashboards.grafana.draw import DATASOURCE_UID, TAG
from dashboards.grafana.panels.columns import COLUMNS, UNITS
from dashboards.grafana.panels.spec import Panel
from dashboards.grafana.queries import QUERIES, UnknownMacroError, expand, statement
from dashboards.grafana.rules import RULES, rules

PANELS = [panel for board in BOARDS for panel in board.panels]
ASKED = [name for name in QUERIES if not name.endswith(("_role", "_settings"))]
BEGIN = dt.datetime(2026, 11, 20, 16, tzinfo=dt.UTC)
END = dt.datetime(2026, 11, 21, 16, tzinfo=dt.UTC)


def test_there_is_a_dashboard_for_everything_in_both_languages() -> None:
    keys = ["overview", "energy", "emissions", "renewables", "quality", "statements", "health"]
    assert [(built.key, built.language) for built in dashboards()] == [
        *((key, "zh") for key in keys),
        *((key, "en") for key in keys),
    ]
    assert len({built.uid for built in dashboards()}) == 14
    assert all(len(built.uid) <= 40 for built in dashboards())


@pytest.mark.parametrize("name", ASKED)
def test_no_formula_and_no_factor_stands_in_a_statement(name: str) -> None:
    text = QUERIES[name].replace("report.balance_${step:raw}", "view").replace("report.tenant_${step:raw}", "view")
    bare = re.sub(r"\$__timeFilter\(\w+\)|\$\{park:sqlstring\}|limit \d+\b|'[^']*'", "", text)
    assert not re.search(r"[-+*/%^|]|(?<![\w.])\d", bare), bare
    functions = set(re.findall(r"\b(\w+)\(", bare)) - {"max"}
    assert functions <= {"and"}, functions
    assert set(re.findall(r"\b(?:from|join)\s+([\w.]+)", bare)) <= {"view"} | set(re.findall(r"report\.\w+", bare))


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.query)
def test_every_column_has_a_name_and_a_unit(panel: Panel) -> None:
    for name in panel.columns:
        assert name in COLUMNS, name
        assert COLUMNS[name][1] in UNITS


def test_no_statement_is_without_a_panel() -> None:
    used = [panel.query for panel in PANELS] + [rule.query for rule in RULES]
    assert sorted(used) == sorted(set(ASKED) - {"variable_park"})
    assert len(set(used)) == len(used)


def test_panels_of_the_two_languages_differ_in_words_alone() -> None:
    by_uid = {built.uid: built.body for built in dashboards()}
    for board in BOARDS:
        chinese, english = (by_uid[f"parkcarbon-{board.key}-{language}"] for language in ("zh", "en"))
        for left, right in zip(chinese["panels"], english["panels"], strict=True):
            assert (left["gridPos"], left["type"]) == (right["gridPos"], right["type"])
            assert left["targets"][0]["rawSql"].replace("_zh", "_en") == right["targets"][0]["rawSql"]
            assert re.search(r"[\u4e00-\u9fff]", left["title"])
            assert not re.search(r"[\u4e00-\u9fff]", str(right))


def test_a_dashboard_says_who_keeps_it_and_where_its_days_begin() -> None:
    for built in dashboards("Europe/Berlin"):
        assert TAG in built.body["tags"]
        assert built.body["timezone"] == "Europe/Berlin"
        sources = {panel["datasource"]["uid"] for panel in built.body["panels"]}
        assert sources == {DATASOURCE_UID}


def test_panels_do_not_overlap() -> None:
    for built in dashboards():
        cells = [
            (x, y)
            for panel in built.body["panels"]
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        ]
        assert len(cells) == len(set(cells)), built.uid
        assert max(x for x, _ in cells) < 24


def test_rules_are_about_the_platform_and_off() -> None:
    made = rules()
    assert len(made) == len(RULES)
    for rule in made:
        assert rule["isPaused"] is True
        assert "report.health" in rule["data"][0]["model"]["rawSql"]
        assert "$" not in rule["data"][0]["model"]["rawSql"]  # else provisioning reads a variable


def test_macros_become_what_grafana_makes_of_them() -> None:
    text = "select time from report.balance_${step:raw} where park = ${park:sqlstring} and $__timeFilter(time)"
    assert expand(text, park="o'hara", begin=BEGIN, end=END, step="hour") == (
        "select time from report.balance_hour where park = 'o''hara'"
        " and time BETWEEN '2026-11-20T16:00:00Z' AND '2026-11-21T16:00:00Z'"
    )
    assert expand("$__timeFrom() $__timeTo() $__interval", park="p", begin=BEGIN, end=END) == (
        "'2026-11-20T16:00:00Z' '2026-11-21T16:00:00Z' 1m"
    )


def test_a_variable_that_no_dashboard_has_is_refused() -> None:
    with pytest.raises(UnknownMacroError, match="tenant"):
        expand("select $tenant", park="p", begin=BEGIN, end=END)


def test_english_dashboards_ask_for_english_names() -> None:
    assert "name_en as metric" in statement("overview_tenants", "en")
    assert "name_zh as metric" in statement("overview_tenants", "zh")
