"""What was entered last month and is not this month: missing, unless a meter was installed meanwhile."""

import datetime as dt

import pytest

from parkcarbon.books.amounts import parse_period
from parkcarbon.books.facts import Entry
from parkcarbon.books.periods.obstacles import missing_entries
from parkcarbon.catalog.entries import decode_entry
from tests.fakes.books_facts import ZONE, park_facts

SEPTEMBER = (dt.date(2026, 9, 1), dt.date(2026, 9, 30))
OCTOBER = parse_period("2026-10", ZONE)


def entry(number: int, kind: str, **members: object) -> Entry:
    content = decode_entry(kind, members)
    recorded = dt.datetime(2026, 10, 5, tzinfo=dt.UTC)
    return Entry(number, kind, None, *SEPTEMBER, content, "bill", "energy manager", None, recorded)


USUAL = [
    entry(1, "electricity", amount=5, direction="received"),
    entry(2, "electricity", amount=5, direction="generated"),
    entry(3, "fuel", fuel="gas", amount=5, unit="Nm3"),
    entry(4, "fuel", fuel="diesel", amount=5, unit="t"),
    entry(5, "heat", amount=5, origin="fossil"),
]


@pytest.mark.rule("3.11")
@pytest.mark.parametrize(
    ("installed", "missing"),
    [
        ("2026-09-29T00:00:00Z", [2, 4, 5]),  # the gate and the boiler have meters now
        ("2020-01-01T00:00:00Z", [1, 2, 3, 4, 5]),  # they had them before: the entries came on top
    ],
)
def test_a_new_meter_takes_over_from_the_entries(installed: str, missing: list[int]) -> None:
    alone = [missing_entries(park_facts(installed, [one]), OCTOBER) for one in USUAL]
    assert [one.entry_id for one, found in zip(USUAL, alone, strict=True) if found] == missing
