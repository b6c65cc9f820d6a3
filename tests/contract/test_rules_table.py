"""docs/rules.md lists every accounting rule, says how it is held, and names tests that exist and carry its number."""

import re

from tests.contract.rule_marks import column, marked_tests, rows

COUNTS = {1: 19, 2: 12, 3: 18, 4: 10, 5: 6, 6: 11}
ALL = [f"{chapter}.{number}" for chapter, count in COUNTS.items() for number in range(1, count + 1)]
HELD = {"enforced", "displayed", "not software"}


def test_every_rule_has_one_row_and_no_blank() -> None:
    table = rows()
    assert len(ALL) == 76
    assert list(table) == ALL
    for rule, (asks, held, how, _) in table.items():
        assert asks.strip(), rule
        assert how.strip(), rule
        assert held in HELD, rule


def test_every_rule_that_software_holds_names_its_tests() -> None:
    without = [rule for rule, (_, held, _, tests) in rows().items() if held != "not software" and not tests]
    assert without == []


def test_the_tests_named_are_the_tests_marked() -> None:
    marks = marked_tests()
    stale = [rule for rule, (_, _, _, cell) in rows().items() if cell != column(marks.get(rule, []))]
    assert stale == [], "run: python -m tests.contract.rule_marks"


def test_marks_name_rules_that_exist() -> None:
    assert sorted(set(marked_tests()) - set(ALL)) == []
    assert all(re.fullmatch(r"\d\.\d+", rule) for rule in ALL)
