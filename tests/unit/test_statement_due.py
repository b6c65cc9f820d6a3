"""What is due on which day: a table of cases, and what a process that was down catches up with."""

import datetime as dt

import pytest

from parkcarbon.catalog.park_statement import StatementSettings
from parkcarbon.statement.lifecycle.due import Due, Month, days_of_month, due, due_day, months_to_look_at, wants_missing
from parkcarbon.statement.record import Missing, Text

CHINA = StatementSettings()
OCTOBER = "2026-10"
BILL = Missing("bill:electricity", Text("电费账单", "electricity bill"), "finance", "2026-11-10")
GEC = Missing("certificates", Text("绿证", "certificates"), "purchasing", "2026-11-12")
METER = Missing("meter:m1/active_energy_import", Text("电表 m1", "meter m1"), "electrician", "2026-11-10")


def on(day: int, month: int = 11) -> dt.date:
    return dt.date(2026, month, day)


def actions(month: Month, today: dt.date) -> list[tuple[str, str]]:
    return [(found.action, found.key) for found in due(CHINA, [month], today)]


def test_the_days_of_a_month() -> None:
    days = days_of_month(CHINA, OCTOBER)
    assert (days.flash, days.statement, days.lock) == (on(4), on(15), on(10, 12))
    september = days_of_month(CHINA, "2026-09")
    assert september.flash == dt.date(2026, 10, 10)  # after the holidays, on a Saturday that is worked
    assert due_day("2026-12", 10) == dt.date(2027, 1, 10)


@pytest.mark.parametrize(
    ("month", "today", "expected"),
    [
        (Month(OCTOBER), dt.date(2026, 10, 31), []),
        (Month(OCTOBER), on(3), []),
        (Month(OCTOBER), on(4), [("flash", "")]),
        (Month(OCTOBER), on(14), [("flash", "")]),
        (Month(OCTOBER, flash=True), on(14), []),
        (Month(OCTOBER, flash=True, missing=()), on(5), [("prepare", "")]),
        (Month(OCTOBER, flash=True, missing=(GEC,)), on(5), []),
        (Month(OCTOBER, flash=True, missing=(BILL, GEC, METER)), on(11), [("remind", "2026-11-10")]),
        (
            Month(OCTOBER, flash=True, missing=(BILL, GEC, METER)),
            on(15),
            [("prepare", ""), ("remind", "2026-11-10"), ("remind", "2026-11-12")],
        ),
        (Month(OCTOBER, flash=True, statement="prepared", statement_id=7), on(20), []),
        (Month(OCTOBER, flash=True, statement="approved", statement_id=7), on(20), [("issue", "7")]),
        (Month(OCTOBER, flash=True, statement="rejected", statement_id=7), on(20), []),
        (Month(OCTOBER, flash=True, statement="issued", statement_id=7), on(9, 12), []),
        (Month(OCTOBER, flash=True, statement="issued", statement_id=7), on(10, 12), [("lock", "")]),
        (Month(OCTOBER, flash=True, statement="issued", locked=True), on(10, 12), []),
        (Month(OCTOBER, statement="issued", statement_id=7, pending=True, missing=(METER,)), on(10), []),
        (
            Month(OCTOBER, statement="issued", statement_id=7, pending=True, missing=()),
            on(20),
            [("prepare", "again-7")],
        ),
        (Month(OCTOBER, statement="issued", statement_id=7, missing=None), on(20), []),
    ],
)
def test_what_is_due(month: Month, today: dt.date, expected: list[tuple[str, str]]) -> None:
    assert actions(month, today) == expected


def test_what_was_missed_is_caught_up() -> None:
    """Down from the end of August to the 20th of November: no flash report of what has a statement due already."""
    months = [Month(name) for name in months_to_look_at(dt.date(2026, 8, 1), on(20))]
    assert [(found.action, found.period) for found in due(CHINA, months, on(20))] == [
        ("prepare", "2026-08"),
        ("prepare", "2026-09"),
        ("prepare", "2026-10"),
    ]
    assert due(CHINA, [Month(OCTOBER)], on(12)) == [Due("flash", OCTOBER, on(4))]


def test_months_before_the_park_and_too_long_ago_are_left_alone() -> None:
    assert months_to_look_at(on(3), on(21)) == []
    assert months_to_look_at(dt.date(2019, 1, 1), on(21))[0] == "2025-10"
    assert len(months_to_look_at(dt.date(2019, 1, 1), on(21))) == 13
    assert months_to_look_at(dt.date(2025, 12, 30), dt.date(2026, 1, 2)) == ["2025-12"]


def test_what_is_missing_is_looked_at_only_when_it_matters() -> None:
    assert not wants_missing(CHINA, Month(OCTOBER), on(3))
    assert wants_missing(CHINA, Month(OCTOBER), on(4))
    assert not wants_missing(CHINA, Month(OCTOBER, locked=True), on(20))
    assert not wants_missing(CHINA, Month(OCTOBER, statement="issued"), on(20))
    assert wants_missing(CHINA, Month(OCTOBER, statement="issued", pending=True), on(20))
    assert not wants_missing(CHINA, Month(OCTOBER, statement="rejected"), on(20))
