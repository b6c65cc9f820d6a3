"""Working days: typed from the notice of the State Council on the holidays of 2026 (国办发明电, 4 November 2025)."""

import datetime as dt

import pytest

from parkcarbon.catalog.park_statement import StatementSettings
from parkcarbon.statement.lifecycle.calendar import is_working_day, nth_working_day, warning

CHINA = StatementSettings()

# Each line of the notice: first and last day off, and the weekend days that are worked for it.
NOTICE_2026 = (
    ("元旦 New Year", "01-01", "01-03", ("01-04",)),
    ("春节 Spring Festival", "02-15", "02-23", ("02-14", "02-28")),
    ("清明节 Tomb-Sweeping Day", "04-04", "04-06", ()),
    ("劳动节 Labour Day", "05-01", "05-05", ("05-09",)),
    ("端午节 Dragon Boat Festival", "06-19", "06-21", ()),
    ("中秋节 Mid-Autumn Festival", "09-25", "09-27", ()),
    ("国庆节 National Day", "10-01", "10-07", ("09-20", "10-10")),
)


def day(text: str, year: int = 2026) -> dt.date:
    return dt.date.fromisoformat(f"{year}-{text}")


def test_the_whole_year_is_that_of_the_notice() -> None:
    off = {
        day(first) + dt.timedelta(days=at)
        for _, first, last, _ in NOTICE_2026
        for at in range((day(last) - day(first)).days + 1)
    }
    worked = {day(text) for *_, texts in NOTICE_2026 for text in texts}
    assert (len(off), len(worked)) == (33, 6)
    at = day("01-01")
    while at.year == 2026:
        expected = at in worked or (at not in off and at.weekday() < 5)
        assert is_working_day(CHINA, at) is expected, at
        at += dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("month", "third"),
    [
        ("01-01", "01-06"),  # 4 January is a Sunday that is worked
        ("02-01", "02-04"),
        ("03-01", "03-04"),
        ("05-01", "05-08"),
        ("10-01", "10-10"),  # 8 and 9, and a Saturday that is worked
        ("11-01", "11-04"),
        ("12-01", "12-03"),
    ],
)
def test_the_third_working_day(month: str, third: str) -> None:
    assert nth_working_day(CHINA, day(month), 3) == day(third)


def test_the_park_edits_the_calendar() -> None:
    edited = StatementSettings(holidays=(day("11-03"),), working_days=(day("11-01"),))
    assert nth_working_day(edited, day("11-01"), 3) == day("11-04")  # Sunday the 1st, the 2nd, the 4th
    both = StatementSettings(holidays=(day("11-03"),), working_days=(day("11-03"),))
    assert is_working_day(both, day("11-03"))


def test_a_year_that_is_not_published_yet_says_so() -> None:
    assert warning(CHINA, 2026) is None
    told = warning(CHINA, 2027)
    assert told is not None
    assert "2027" in told
    assert "statement.working_days" in told
    assert warning(StatementSettings(holidays=(day("02-08", 2027),)), 2027) is None  # the park has entered it
    assert warning(StatementSettings(calendar="GB"), 2027) is None


def test_other_countries_and_none() -> None:
    british = StatementSettings(calendar="GB")
    assert not is_working_day(british, day("12-25"))
    saudi = StatementSettings(calendar="SA")
    assert [is_working_day(saudi, day(f"07-0{at}")) for at in (2, 3, 4, 5)] == [True, False, False, True]  # Thu … Sun
    unknown = StatementSettings(calendar="ZZ")
    assert nth_working_day(unknown, day("10-01"), 3) == day("10-05")
    told = warning(unknown, 2026)
    assert told is not None
    assert "ZZ" in told


def test_no_working_days_at_all_is_refused() -> None:
    idle = StatementSettings(holidays=tuple(day("01-01") + dt.timedelta(days=at) for at in range(200)))
    with pytest.raises(ValueError, match="working days"):
        nth_working_day(idle, day("02-01"), 3)
