"""CSV to readings: nothing guessed, nothing lost silently, one bad cell costs one cell."""

import datetime as dt
import itertools
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.csvcells import CsvError, Naming, parse_time, parse_value
from gateway.csvfile import Layout, Merged, Table, merge, read_table
from gateway.delivery import Order
from gateway.importing import to_drafts
from parkcarbon.domain.reading import Quality
from parkcarbon.kit.mqtt import Broker
from parkcarbon.wire.body import BODY_MAX_BYTES, decode_body
from parkcarbon.wire.topics import Address

LONDON = ZoneInfo("Europe/London")
SHANGHAI = ZoneInfo("Asia/Shanghai")
TEMPLATE = Naming("{column}-electricity/active_energy_import")
LONG = Layout(long=True, time="time")
T0 = 1_640_995_200_000  # 2022-01-01T00:00:00Z
HOUR = 3_600_000


def read(
    text: str,
    layout: Layout | None = None,
    naming: Naming = TEMPLATE,
    zone: ZoneInfo | None = None,
    file: str = "a.csv",
) -> Table:
    return read_table(text, file=file, layout=layout or Layout(), naming=naming, zone=zone)


def values(merged: Merged) -> dict[tuple[str, int], float]:
    found = {(merged.points[index].split("-electricity")[0], time_ms): x for time_ms, index, x in merged.readings}
    assert len(found) == len(merged.readings)
    return found


def told(table: Table | Merged) -> list[tuple[int, str | None]]:
    return [(problem.line, problem.column) for problem in table.problems]


# ── files as they should be ──────────────────────────────────────────────────────────────────────


def test_a_wide_file() -> None:
    merged = merge([read("time,A 1,B\n2022-01-01T00:00:00Z,0.1,2\n2022-01-01T01:00:00+00:00,3e2,-4\n")])
    assert values(merged) == {("a-1", T0): 0.1, ("b", T0): 2.0, ("a-1", T0 + HOUR): 300.0, ("b", T0 + HOUR): -4.0}
    assert (merged.missing, merged.duplicates, merged.rejected, merged.problems) == (0, 0, 0, [])


def test_an_empty_cell_is_missing_and_neither_zero_nor_an_error() -> None:
    merged = merge([read("time,a,b\n2022-01-01T00:00Z,,0\n2022-01-01T01:00Z,  ,\n")])
    assert values(merged) == {("b", T0): 0.0}
    assert (merged.missing, merged.rejected) == (3, 0)


def test_a_long_file_with_columns_in_any_order() -> None:
    text = "site,value,time,point\nx,1.5,2022-01-01T01:00Z,B\nx,,2022-01-01T00:00Z,B\nx,2,2022-01-01T00:00Z,A\n"
    merged = merge([read(text, LONG)])
    assert values(merged) == {("a", T0): 2.0, ("b", T0 + HOUR): 1.5}
    assert merged.missing == 1


def test_rows_in_any_order_come_out_by_time() -> None:
    merged = merge([read("time,a,b\n2022-01-01T02:00Z,3,3\n2022-01-01T00:00Z,1,1\n2022-01-01T01:00Z,2,2\n")])
    times = [time_ms for time_ms, _, _ in merged.readings]
    assert times == sorted(times)
    assert len(times) == 6


@pytest.mark.parametrize(
    "text",
    [
        "\ufefftime;a;b\r\n2022-01-01T00:00Z;1.5;2\r\n",
        "time\ta\tb\n2022-01-01T00:00Z\t1.5\t2",
        '"time","a","b"\n"2022-01-01T00:00Z","1.5","2"\n',
        "time , a , b \r2022-01-01T00:00Z , 1.5 , 2 \r",
        "\n\ntime,a,b\n\n2022-01-01T00:00Z,1.5,2\n,,\n\n",
        'time,"a\n",b\n2022-01-01T00:00Z,1.5,2\n',
        "time,a,b,\n2022-01-01T00:00Z,1.5,2,\n",
        "time,a,b\n2022-01-01T00:00Z,1.5,2,,\n",
    ],
)
@pytest.mark.parametrize("asked", [None, "time"])
def test_dress_does_not_matter(text: str, asked: str | None) -> None:
    merged = merge([read(text, Layout(time=asked))])
    assert values(merged) == {("a", T0): 1.5, ("b", T0): 2.0}
    assert (merged.missing, merged.rejected) == (0, 0)


def test_the_delimiter_is_the_one_that_gives_the_columns_asked_for() -> None:
    merged = merge(
        [
            read(
                "x,y;time;a\n1,2;2022-01-01T00:00Z;5\n",
                Layout(time="time"),
                Naming(None, {"x,y": None, "a": "a-electricity/active_energy_import"}),
            )
        ]
    )
    assert values(merged) == {("a", T0): 5.0}
    with pytest.raises(CsvError, match="no column 'time'"):
        read("x,y;time;a\n1,2;2022-01-01T00:00Z;5\n", Layout(time="time", delimiter=","))


# ── cells ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "cell",
    ["x", "1 000", "1_000", "0x10", "1.2.3", "-", "--1", "１２", "1e", "NaN", "-inf", "Infinity", "1e999", "12 kWh"],
)
def test_what_is_not_a_finite_number_costs_only_itself(cell: str) -> None:
    with pytest.raises(ValueError, match=r"is not (a number|finite)"):
        parse_value(cell)
    merged = merge([read(f"time,a,b\n2022-01-01T00:00Z,1,2\n2022-01-01T01:00Z,{cell},4\n")])
    assert values(merged) == {("a", T0): 1.0, ("b", T0): 2.0, ("b", T0 + HOUR): 4.0}
    assert merged.rejected == 1
    (problem,) = merged.problems
    assert (problem.file, problem.line, problem.column) == ("a.csv", 3, "a")
    assert str(problem).startswith("a.csv:3: column 'a': ")


@pytest.mark.parametrize("text", ["0", "+1.", ".5", "-0.1e-3", "46473894.4", "1E5", "0.1234567890123456789"])
def test_numbers_are_read_to_the_last_bit(text: str) -> None:
    assert parse_value(text) == float(text)


def test_a_decimal_comma_is_not_guessed() -> None:
    quoted = merge([read("time;a\n2022-01-01T00:00Z;1,5\n2022-01-01T01:00Z;2\n")])
    assert (values(quoted), told(quoted), quoted.rejected) == ({("a", T0 + HOUR): 2.0}, [(2, "a")], 1)
    split = merge([read("time,a\n2022-01-01T00:00Z,1,5\n2022-01-01T01:00Z,2\n")])
    assert (values(split), told(split), split.rejected) == ({("a", T0 + HOUR): 2.0}, [(2, None)], 1)
    assert "decimal comma" in split.problems[0].what


def test_short_rows_are_rejected_with_everything_that_stood_in_them() -> None:
    table = read("time,a,b,c\n2022-01-01T00:00Z,1,2\n2022-01-01T01:00Z,1,2,3\n2022-01-01T02:00Z\n")
    assert told(table) == [(2, None), (4, None)]
    assert table.rejected == 3  # two values, and a row that was cut off before its first
    assert sum(len(column.value) for column in table.columns.values()) == 3


def test_a_stray_quotation_mark_does_not_swallow_the_rows_after_it() -> None:
    table = read('time,a\n2022-01-01T00:00Z,"1\n2022-01-01T01:00Z,2\n2022-01-01T02:00Z,3"\n')
    assert told(table) == [(2, None), (4, "a")]
    assert table.columns["a-electricity/active_energy_import"].value == [2.0]


def test_a_value_under_no_heading_is_told() -> None:
    table = read("time,a,\n2022-01-01T00:00Z,1,\n2022-01-01T01:00Z,2,9\n")
    assert (told(table), table.rejected) == ([(3, None)], 1)
    assert table.columns["a-electricity/active_energy_import"].value == [1.0, 2.0]


# ── times ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "2022-01-01T00:00:00Z",
        "2022-01-01 00:00Z",
        "2022-01-01T08:00:00+08:00",
        "2021-12-31T19:00:00.000-0500",
    ],
)
def test_times_with_an_offset_need_no_zone_and_ignore_it(text: str) -> None:
    assert parse_time(text, None) == parse_time(text, SHANGHAI) == T0


@pytest.mark.parametrize("text", ["2022-01-01T08:00:00", "2022/1/1 8:00", "2022/01/01 08:00:00", "2022-1-1 8:00"])
def test_times_without_an_offset_are_of_the_named_zone(text: str) -> None:
    assert parse_time(text, SHANGHAI) == T0
    with pytest.raises(ValueError, match="no time zone was named"):
        parse_time(text, None)


def test_milliseconds_are_exact() -> None:
    assert parse_time("2022-01-01T00:00:00.017Z", None) == T0 + 17
    assert parse_time("1969-12-31T23:59:59.999Z", None) == -1


@pytest.mark.parametrize(
    "text",
    ["", "x", "01/02/2022 00:00", "1.2.2022", "1640995200", "2022-13-01", "2022-02-29", "2022/1/1 24:00", "20220101"],
)
def test_what_is_no_time_or_could_be_two_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        parse_time(text, LONDON)


def test_the_hours_that_a_zone_lacks_or_has_twice_are_refused_with_their_line() -> None:
    text = (
        "time,a,b\n"
        "2022-03-27 00:30,1,1\n"
        "2022-03-27 01:30,2,2\n"  # skipped: clocks went from 01:00 to 02:00
        "2022-03-27 02:30,3,3\n"
        "2022-10-30 01:30,4,\n"  # came twice
        "2022-10-30T01:30+01:00,5,\n"
        "2022-10-30 02:30,6,6\n"
    )
    table = read(text, zone=LONDON)
    assert told(table) == [(3, "time"), (5, "time")]
    assert [("exist" in problem.what, "twice" in problem.what) for problem in table.problems] == [
        (True, False),
        (False, True),
    ]
    assert table.rejected == 3
    column = table.columns["a-electricity/active_energy_import"]
    moments = [dt.datetime.fromtimestamp(time_ms / 1000, dt.UTC).strftime("%m-%dT%H:%M") for time_ms in column.time_ms]
    assert moments == ["03-27T00:30", "03-27T01:30", "10-30T00:30", "10-30T02:30"]
    assert column.value == [1.0, 3.0, 5.0, 6.0]


def test_without_a_zone_naive_times_cost_their_rows() -> None:
    table = read("time,a,b\n2022-01-01 00:00,1,2\n2022-01-01T01:00Z,3,4\n")
    assert (told(table), table.rejected) == ([(2, "time")], 2)


# ── the same key twice ───────────────────────────────────────────────────────────────────────────


def test_what_is_said_twice_alike_counts_once_over_files_too() -> None:
    text = "time,a\n2022-01-01T00:00Z,1.0\n2022-01-01T08:00+08:00,1\n"
    merged = merge([read(text), read(text, file="b.csv")])
    assert values(merged) == {("a", T0): 1.0}
    assert (merged.duplicates, merged.rejected) == (3, 0)


def test_two_values_for_one_time_are_both_refused_naming_both_lines() -> None:
    first = read("time,a,b\n2022-01-01T00:00Z,1,7\n2022-01-01T01:00Z,2,8\n2022-01-01T00:00Z,3,7\n")
    second = read("time,a\n2022-01-01T01:00Z,5\n2022-01-01T02:00Z,6\n", file="b.csv")
    merged = merge([first, second])
    assert values(merged) == {("b", T0): 7.0, ("b", T0 + HOUR): 8.0, ("a", T0 + 2 * HOUR): 6.0}
    assert (merged.duplicates, merged.rejected) == (1, 4)
    assert [str(problem) for problem in merged.problems] == [
        "a.csv:2: column 'a': 1.0 here, 3.0 in a.csv:4 for the same time: none is taken",
        "a.csv:3: column 'a': 2.0 here, 5.0 in b.csv:2 for the same time: none is taken",
    ]


# ── files that cannot be read at all ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "layout", "what"),
    [
        ("", Layout(), "the file is empty"),
        ("\n  \n", Layout(), "the file is empty"),
        (
            "stamp,a\n2022-01-01T00:00Z,1\n",
            Layout(time="time"),
            "a.csv: no column 'time'; the headings are 'stamp', 'a'",
        ),
        ("time,time,a\n", Layout(time="time"), "2 columns 'time'"),
        ("time\n2022-01-01T00:00Z\n", Layout(), "no column of data"),
        ("2022-01-01T00:00Z,1\n2022-01-01T01:00Z,2\n", Layout(), "holds '2022-01-01T00:00Z' and no headings"),
        ("time,a,A\n", Layout(), "'a' and 'A' would both be a-electricity/active_energy_import"),
        ("time,东楼\n", Layout(), "'东楼' gives no usable device name; map it"),
        (f"time,{'x' * 60}\n", Layout(), "is not device/quantity"),
        ('time,"a\n2022-01-01T00:00Z,1\n', Layout(delimiter=","), "the line of headings cannot be read"),
        ("time,point\n2022-01-01T00:00Z,a\n", LONG, "no column 'value'"),
        ("time,value\n2022-01-01T00:00Z,1\n", LONG, "no column 'point'"),
        ("time,point,value\n", Layout(long=True, time="value"), "need a column each"),
        ("time,point,value\n2022-01-01T00:00Z,a,1\n2022-01-01T00:00Z,A,1\n", LONG, "'a' and 'A' would both be"),
    ],
)
def test_a_file_that_is_not_what_it_was_said_to_be(text: str, layout: Layout, what: str) -> None:
    with pytest.raises(CsvError) as error:
        read(text, layout)
    assert what in str(error.value)
    assert str(error.value).startswith("a.csv: ")


# ── names ────────────────────────────────────────────────────────────────────────────────────────


def test_a_map_goes_before_the_template_and_leaves_out_what_is_mapped_to_nothing() -> None:
    mapping = {"东楼": "east/active_energy_import", "Total": None}
    text = "time,东楼,Total,B\n2022-01-01T00:00Z,1,2,3\n"
    assert list(read(text, naming=Naming("{column}/gas_volume", mapping)).columns) == [
        "east/active_energy_import",
        "b/gas_volume",
    ]
    with pytest.raises(CsvError, match="'B' is not in the map"):
        read(text, naming=Naming(None, mapping))


def test_headings_may_be_points() -> None:
    table = read("time,m1/active_energy_import\n2022-01-01T00:00Z,1\n", naming=Naming())
    assert list(table.columns) == ["m1/active_energy_import"]
    with pytest.raises(CsvError, match="'energy' is not a known quantity"):
        read("time,m1/energy\n", naming=Naming())


def test_a_name_of_no_point_in_a_long_file_costs_its_rows() -> None:
    text = "time,point,value\n2022-01-01T00:00Z,?,1\n2022-01-01T00:00Z,b,2\n2022-01-01T00:00Z,,2\n"
    table = read(text, LONG)
    assert (told(table), table.rejected) == ([(2, "point"), (4, "point")], 2)
    assert list(table.columns) == ["b-electricity/active_energy_import"]


# ── batches ──────────────────────────────────────────────────────────────────────────────────────


def a_year(columns: int = 24) -> str:
    start = dt.datetime(2022, 1, 1, tzinfo=dt.UTC)
    lines = ["time," + ",".join(f"b{column}" for column in range(columns))]
    for hour in range(8760):
        cells = ",".join(f"{(hour * 7919 + column * 104_729) % 999_983 / 1000}" for column in range(columns))
        lines.append(f"{(start + dt.timedelta(hours=hour)).isoformat()},{cells}")
    return "\n".join(lines)


def test_a_year_of_hours_is_read_and_cut_into_batches_quickly_and_whole() -> None:
    text = a_year()
    order = Order(Address("p", "s"), Broker("localhost", 1), Path("unused"), Quality.ESTIMATED, HOUR, 1.0)
    begun_s = time.perf_counter()
    merged = merge([read(text)])
    todo = to_drafts(merged, order)
    lasted_s = time.perf_counter() - begun_s
    assert len(merged.readings) == sum(draft.n for draft in todo) == 210_240
    assert all(2000 <= draft.n <= 4000 for draft in todo[:-1])
    assert max(len(draft.body) for draft in todo) <= BODY_MAX_BYTES
    assert all(before.t_max <= after.t_min for before, after in itertools.pairwise(todo))
    body = decode_body(todo[0].body)
    assert (set(body.d.tolist()), set(body.q.tolist()), body.rejects) == ({HOUR}, {Quality.ESTIMATED}, ())
    assert (body.points[body.p[25]], body.t[25], body.x[25]) == (
        "b1-electricity/active_energy_import",
        T0 + HOUR,
        112.648,
    )
    assert to_drafts(merge([read(text)]), order) == todo
    assert lasted_s < 10  # about 0.3 s on an idle machine
