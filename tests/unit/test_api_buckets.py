"""Steps of time: hours of UTC, local days and months, clock changes included."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from api.buckets import MAX_VALUES, make_buckets, next_month, refuse_too_many
from api.problems import ProblemError

LONDON = ZoneInfo("Europe/London")
SHANGHAI = ZoneInfo("Asia/Shanghai")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
HOUR = 3_600_000


def ms(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp() * 1000)


def test_a_range_is_covered_by_whole_steps() -> None:
    buckets = make_buckets("15m", ms("2026-01-01T00:07:00Z"), ms("2026-01-01T00:31:00Z"), SHANGHAI)
    assert buckets.edges_ms.tolist() == [ms(f"2026-01-01T00:{m:02}:00Z") for m in (0, 15, 30, 45)]
    assert buckets.keys.tolist() == buckets.edges_ms.tolist()[:-1]


def test_an_aligned_range_gets_no_extra_step() -> None:
    assert len(make_buckets("1h", ms("2026-01-01T00:00:00Z"), ms("2026-01-01T03:00:00Z"), SHANGHAI)) == 3


def test_days_of_23_and_25_hours() -> None:
    spring = make_buckets("1d", ms("2022-03-26T00:00:00Z"), ms("2022-03-28T23:00:00+01:00"), LONDON)
    assert (spring.span_ms // HOUR).tolist() == [24, 23, 24]
    autumn = make_buckets("1d", ms("2022-10-29T00:00:00+01:00"), ms("2022-11-01T00:00:00Z"), LONDON)
    assert (autumn.span_ms // HOUR).tolist() == [24, 25, 24]
    assert autumn.days == tuple(dt.date(2022, 10, 29) + dt.timedelta(days=n) for n in range(4))


def test_local_days_of_an_uneven_zone() -> None:
    buckets = make_buckets("1d", ms("2026-01-01T00:00:00+05:45"), ms("2026-01-02T00:00:00+05:45"), KATHMANDU)
    assert buckets.edges_ms.tolist() == [ms("2025-12-31T18:15:00Z"), ms("2026-01-01T18:15:00Z")]
    assert buckets.keys.tolist() == [(dt.date(2026, 1, 1) - dt.date(1970, 1, 1)).days]


def test_local_months() -> None:
    buckets = make_buckets("1mo", ms("2022-02-15T00:00:00Z"), ms("2022-04-01T00:00:00+01:00"), LONDON)
    assert buckets.days == (dt.date(2022, 2, 1), dt.date(2022, 3, 1), dt.date(2022, 4, 1))
    assert (buckets.span_ms // HOUR).tolist() == [28 * 24, 31 * 24 - 1]


def test_a_month_that_begins_in_the_last_one_of_utc() -> None:
    buckets = make_buckets("1mo", ms("2025-12-31T16:00:00Z"), ms("2025-12-31T16:00:01Z"), SHANGHAI)
    assert buckets.days == (dt.date(2026, 1, 1), dt.date(2026, 2, 1))


@pytest.mark.parametrize(
    ("step", "start", "end"),
    [
        ("15m", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("15m", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("15m", "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z"),
        ("1h", "2020-01-01T00:00:00Z", "2026-12-31T00:00:00Z"),
        ("1d", "1970-01-01T00:00:00Z", "2100-01-01T00:00:01Z"),
        ("1mo", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"),
    ],
)
def test_refused(step: str, start: str, end: str) -> None:
    with pytest.raises(ProblemError) as caught:
        make_buckets(step, ms(start), ms(end), SHANGHAI)  # type: ignore[arg-type]
    assert caught.value.status == 422


def test_too_many() -> None:
    refuse_too_many(MAX_VALUES)
    with pytest.raises(ProblemError, match="more than 20000"):
        refuse_too_many(MAX_VALUES + 1)


def test_next_month() -> None:
    assert next_month(dt.date(2026, 12, 31)) == dt.date(2027, 1, 1)
    assert next_month(dt.date(2024, 1, 31)) == dt.date(2024, 2, 1)
