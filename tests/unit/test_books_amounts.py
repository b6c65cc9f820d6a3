"""Periods, and putting the sums of a point together."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest

from parkcarbon.books.amounts import merge_states, month_before, months_of, parse_period
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import to_ms
from tests.fakes.books_facts import park_facts

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a_month_is_local() -> None:
    period = parse_period("2026-02", SHANGHAI)
    assert period.from_ms == to_ms(dt.datetime(2026, 1, 31, 16, tzinfo=dt.UTC))
    assert period.to_ms == to_ms(dt.datetime(2026, 2, 28, 16, tzinfo=dt.UTC))
    assert (period.from_day, period.to_day) == (dt.date(2026, 2, 1), dt.date(2026, 3, 1))
    assert (period.year, period.is_month) == (2026, True)


def test_a_month_of_a_clock_change_is_an_hour_shorter() -> None:
    period = parse_period("2026-03", ZoneInfo("Europe/Berlin"))
    assert period.to_ms - period.from_ms == (31 * 24 - 1) * 3_600_000


def test_a_year_is_its_twelve_months() -> None:
    year = parse_period("2025", SHANGHAI)
    months = months_of(year, SHANGHAI)
    assert [month.label for month in months] == [f"2025-{number:02d}" for number in range(1, 13)]
    assert (months[0].from_ms, months[-1].to_ms) == (year.from_ms, year.to_ms)
    assert all(one.to_ms == two.from_ms for one, two in itertools.pairwise(months))
    assert not year.is_month


def test_the_period_before() -> None:
    assert month_before(parse_period("2026-01", SHANGHAI), SHANGHAI).label == "2025-12"
    assert month_before(parse_period("2026", SHANGHAI), SHANGHAI).label == "2025"


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "26-01", "2026-1", "", "2026-01-01", "1969", "20２６"])
def test_what_is_no_period_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(RefusedError, match=f"'{text}'"):
        parse_period(text, SHANGHAI)


@pytest.mark.rule("6.7")
@pytest.mark.parametrize(
    ("installed", "silent"),
    [
        ("2026-10-01T00:00:00Z", False),  # after the month: there was no meter that could be silent
        ("2026-09-20T00:00:00Z", True),  # within it: nobody knows what was used before
        ("2020-01-01T00:00:00Z", True),
        (None, True),
    ],
)
def test_a_meter_that_was_not_there_yet_is_not_missed(installed: str | None, *, silent: bool) -> None:
    facts, september = park_facts(installed), parse_period("2026-09", SHANGHAI)
    found = merge_states(facts, facts.points, [], september.from_ms, september.to_ms)
    assert [point.expected_ms for point in found] == ([september.to_ms - september.from_ms] * 2 if silent else [])
