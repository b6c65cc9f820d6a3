"""The page on alarms and the published schema say what the code says."""

import json
import re
from pathlib import Path
from typing import get_args

import jsonschema
import pytest

from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.rules.check import compile_rules
from parkcarbon.alarm.rules.document import Alarms, Kind
from parkcarbon.alarm.rules.load import load_rules
from parkcarbon.alarm.rules.schema import schema
from parkcarbon.catalog.strict import load_yaml
from tests.fakes.alarm_model import park

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "alarms.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
MODEL = park()


def test_the_schema_is_the_published_one() -> None:
    """To accept a change: `python -m parkcarbon.alarm.rules.schema > docs/schema/alarms-1.json`."""
    assert (DOCS / "schema" / "alarms-1.json").read_bytes() == schema()


@pytest.mark.parametrize("block", BLOCKS)
def test_every_document_of_the_page_can_be_applied(block: str) -> None:
    jsonschema.validate(load_yaml(block, words=True), json.loads(schema()))
    document = load_rules(block)
    assert len(compile_rules(document, MODEL, KINDS)) == len(document.rules)


def test_there_is_a_rule_of_each_kind() -> None:
    assert {rule.kind for block in BLOCKS for rule in load_rules(block).rules} == set(get_args(Kind))
    rows = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|", PAGE, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"[a-z_]+", row)} == set(get_args(Kind))


def test_every_kind_is_there_and_its_default_is_the_one_of_the_page() -> None:
    assert set(KINDS) == set(get_args(Kind))
    for cells in re.findall(r"^\| (.*) \|$", PAGE, re.MULTILINE):
        names, _, limit = (*cells.split(" | "), "", "")[:3]
        for name in re.findall(r"`([a-z_]+)`", names):
            if name in KINDS:
                kind = KINDS[name]
                said = re.match(r"(above|below) ([0-9.]+)", limit)
                given = (kind.direction, kind.default_on) if said else None
                assert given == ((said[1], float(said[2])) if said else None), name
                assert (kind.default_on is None) == limit.startswith("must be given"), name


def test_an_empty_document_is_one() -> None:
    assert load_rules("park: demo") == Alarms(park="demo")
