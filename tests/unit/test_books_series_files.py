"""Hourly values from CSV and JSON: what is read, and what is refused with file and line."""

import datetime as dt
import hashlib

import numpy as np
import pytest

from parkcarbon.books.library.files import Columns, SeriesError
from parkcarbon.books.library.series import read_values

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
CSV = "start,value\n2026-01-01T00:00:00Z,0.5\n2026-01-01T01:00:00+00:00,0.25\n2026-01-01 02:00,\n"


def refused(body: str, form: str = "csv", **more: object) -> str:
    with pytest.raises(SeriesError) as caught:
        read_values(body.encode(), "grid.csv", form, now=NOW, **more)  # type: ignore[arg-type]
    return str(caught.value)


def test_a_csv_is_read_with_its_digest() -> None:
    values = read_values(("\ufeff" + CSV).encode(), "grid.csv", "csv", now=NOW)
    np.testing.assert_array_equal(values.start_ms, [1_767_225_600_000, 1_767_229_200_000])
    np.testing.assert_array_equal(values.value, [0.5, 0.25])
    assert (values.span_ms, values.size, values.retrieved_at) == (3_600_000, len(CSV) + 3, NOW)
    assert values.digest == hashlib.sha256(("\ufeff" + CSV).encode()).digest()


def test_columns_may_have_other_names_and_the_last_value_of_a_time_counts() -> None:
    body = "hour,kg,note\n2026-01-01T00:00Z,0.5,a\n2026-01-01T08:00+08:00,0.75,again\n"
    values = read_values(body.encode(), "g", "csv", now=NOW, columns=Columns("hour", "kg"))
    np.testing.assert_array_equal(values.value, [0.75])


@pytest.mark.parametrize(
    "body",
    [
        '[{"start": "2026-01-01T00:00:00Z", "value": 0.5}, {"start": "2026-01-01T01:00:00Z", "value": "0.25"}]',
        '{"unit": "kg", "data": [{"start": "2026-01-01T01", "value": 0.25}, {"start": "2026-01-01", "value": 0.5}]}',
        '[{"start":"2026-01-01","value":0.5}, {"start":"2026-01-01T01","value":0.25}, {"start":"x","value":null}]',
    ],
)
def test_json_lists_and_objects_are_read(body: str) -> None:
    values = read_values(body.encode(), "g", "json", now=NOW)
    np.testing.assert_array_equal(values.start_ms, [1_767_225_600_000, 1_767_229_200_000])
    np.testing.assert_array_equal(values.value, [0.5, 0.25])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (CSV.replace("0.25", "many"), "grid.csv, line 3: could not convert string to float: 'many'"),
        (CSV.replace("0.25", "nan"), "grid.csv, line 3: 'nan' is not a number from 0 up"),
        (CSV.replace("0.25", "-0.1"), "grid.csv, line 3: '-0.1' is not a number from 0 up"),
        (CSV.replace("2026-01-01T01:00:00+00:00", "noon"), "grid.csv, line 3: Invalid isoformat string: 'noon'"),
        (CSV.replace("start,", "hour,"), "grid.csv, line 1: no column 'start', there are hour, value"),
        ("start,value\n", "grid.csv: no values in it"),
        ("", "grid.csv, line 1: no column 'start'"),
        ('start,value\n"2026-01-01', "grid.csv: unexpected end of data"),
        ("start,value\n2026-01-01T00:00Z\n2026-01-01T00:30Z,1\n2026-01-01T01:00Z,1\n", "less than a span of 3600 s"),
    ],
)
def test_a_wrong_csv_names_file_and_line(body: str, message: str) -> None:
    assert message in refused(body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "grid.csv: Expecting property name"),
        ("3", "neither a list of values nor an object with one such list"),
        ('{"a": [], "b": []}', "neither a list"),
        ('[{"start": "2026-01-01T00:00:00Z"}]', "grid.csv, item 1: "),
        ('[{"start": 5, "value": 1}]', "grid.csv, item 1: 5 is no time like"),
        ('[{"start": "2026-01-01T00:00:00Z", "value": true}]', "grid.csv, item 1: True is not a number"),
        ("[]", "no values in it"),
    ],
)
def test_wrong_json_names_file_and_item(body: str, message: str) -> None:
    assert message in refused(body, "json")


def test_bytes_that_are_no_text_and_a_span_of_nothing_are_refused() -> None:
    with pytest.raises(SeriesError, match=r"grid\.csv: .*utf-8"):
        read_values(b"start,value\n\xff\xfe", "grid.csv", "csv", now=NOW)
    assert "a span of 0 ms" in refused(CSV, span_ms=0)
