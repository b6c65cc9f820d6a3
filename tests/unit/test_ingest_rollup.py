"""Hours, local days and months of interval starts."""

from zoneinfo import ZoneInfo

import numpy as np

from ingest.rollup import days_of, hours_of, months_of_days, stretches
from tests.fakes.ingest_park import QUARTER_MS, utc

HOUR_MS = 3_600_000
LONDON, SHANGHAI, KOLKATA = ZoneInfo("Europe/London"), ZoneInfo("Asia/Shanghai"), ZoneInfo("Asia/Kolkata")


def starts(begin: str, count: int) -> np.ndarray:
    return utc(begin) + np.arange(count, dtype=np.int64) * QUARTER_MS


def points(count: int, point: int = 7) -> np.ndarray:
    return np.full(count, point, np.int32)


def days(begin: str, count: int, zone: ZoneInfo) -> list[tuple[str, float]]:
    found = days_of(points(count), starts(begin, count), zone)
    names = found.label.astype("datetime64[D]").astype(str).tolist()
    return list(zip(names, (found.length_ms / HOUR_MS).tolist(), strict=True))


def test_a_day_with_a_clock_change_is_23_or_25_hours_long() -> None:
    assert days("2022-03-26T23:00:00+00:00", 190, LONDON) == [
        ("2022-03-26", 24),
        ("2022-03-27", 23),
        ("2022-03-28", 24),
    ]
    assert days("2022-10-29T23:00:00+00:00", 1, LONDON) == [("2022-10-30", 25)]


def test_days_begin_at_local_midnight() -> None:
    assert days("2026-11-20T15:45:00+00:00", 2, SHANGHAI) == [("2026-11-20", 24), ("2026-11-21", 24)]
    found = days_of(points(1), starts("2026-11-20T18:30:00+00:00", 1), KOLKATA)
    assert found.from_ms.tolist() == [utc("2026-11-20T18:30:00+00:00")]
    assert days("1970-01-01T00:00:00+00:00", 1, SHANGHAI) == [("1970-01-01", 24)]


def test_a_month_with_a_clock_change_is_an_hour_off() -> None:
    found = months_of_days(days_of(points(97), starts("2022-03-31T12:00:00+01:00", 97), LONDON), LONDON)
    assert found.label.astype("datetime64[D]").astype(str).tolist() == ["2022-03-01", "2022-04-01"]
    assert (found.length_ms / HOUR_MS).tolist() == [31 * 24 - 1, 30 * 24]


def test_each_hour_once_and_joined_where_near() -> None:
    both = np.concatenate([starts("2026-01-01T00:15:00+00:00", 8), starts("2026-01-05T00:00:00+00:00", 1)])
    ids = np.concatenate([points(9, 2), points(9, 1)])
    hours = hours_of(ids, np.concatenate([both, both]))
    assert hours.point_id.tolist() == [1] * 4 + [2] * 4
    begins = [utc("2026-01-01T00:00:00+00:00"), utc("2026-01-05T00:00:00+00:00")]
    ends = [utc("2026-01-01T03:00:00+00:00"), utc("2026-01-05T01:00:00+00:00")]
    assert stretches(hours) == ([1, 1, 2, 2], begins * 2, ends * 2)
    assert len(hours_of(points(0), starts("2026-01-01T00:00:00+00:00", 0))) == 0
