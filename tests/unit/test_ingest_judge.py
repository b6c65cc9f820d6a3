"""Amounts below zero: put aside with a reason, unless their point says that they may occur."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.judge import Lookup, judge
from parkcarbon.books.derive.model import Point, Source
from parkcarbon.domain.lifelines import lifelines
from parkcarbon.domain.reading import Kind, Quality
from parkcarbon.domain.scan_types import Episode, Limits
from parkcarbon.wire.body import Row, decode_body, draft

HOUR = 3_600_000
NOW_MS = 1_795_219_200_000
SOURCE = Source(1, "p", "files", "import", None, None, 0, NOW_MS, active=True)
TURNED_MS = NOW_MS - 10 * HOUR


def point(number: int, kind: Kind = Kind.DELTA, episodes: tuple[Episode, ...] = ()) -> Point:
    limits = Limits(HOUR)
    lives = lifelines(episodes, (), limits)
    return Point(number, "p", f"m{number}/q", kind, "kWh", "electricity", "import", limits, episodes, (), lives)


POINTS = [
    point(1),
    point(2, Kind.GAUGE),
    point(3, Kind.COUNTER),
    point(4),  # declared: may be negative
    point(5, episodes=(Episode(TURNED_MS, 40.0, -1),)),
]
LOOKUP = Lookup({item.name: item for item in POINTS}, {4})


def judged(*rows: Row) -> tuple[list[tuple[int, float]], list[tuple[int, str, str]]]:
    stored, aside = judge(decode_body(draft(rows).body), SOURCE, LOOKUP, 9, NOW_MS)
    kept = list(zip(stored.point_id.tolist(), stored.value.tolist(), strict=True))
    return kept, [(item.row, item.value_text, item.reason.value) for item in aside]


@pytest.mark.rule("6.10")
def test_an_amount_below_zero_is_put_aside_and_its_batch_is_not() -> None:
    kept, aside = judged(
        Row("m1/q", 1, 5.0, 0, HOUR),
        Row("m1/q", 2, -5.0, 0, HOUR),
        Row("m1/q", 3, 0.0),
        Row("m1/q", 4, -0.0),
        Row("m1/q", 5, -1e-9, int(Quality.MANUAL)),
    )
    assert kept == [(1, 5.0), (1, 0.0), (1, 0.0)]
    assert aside == [(1, "-5.0", "negative-amount"), (4, "-1e-09", "negative-amount")]


def test_what_is_no_amount_or_stays_outside_energy_may_be_below_zero() -> None:
    kept, aside = judged(
        Row("m2/q", 1, -5.0), Row("m3/q", 2, -5.0), Row("m1/q", 3, -5.0, 3), Row("m1/q", 4, None, 2), Row("m4/q", 5, -5)
    )
    assert [number for number, _ in kept] == [2, 3, 1, 1, 4]
    assert aside == []


def test_the_sign_in_force_decides_what_is_below_zero() -> None:
    kept, aside = judged(
        Row("m5/q", TURNED_MS - 1, -1.0),
        Row("m5/q", TURNED_MS - 2, 1.0),
        Row("m5/q", TURNED_MS, 2.0),
        Row("m5/q", TURNED_MS + 1, -2.0),
    )
    assert kept == [(5, 1.0), (5, -2.0)]
    assert [(row, reason) for row, _, reason in aside] == [(0, "negative-amount"), (2, "negative-amount")]


def test_a_worse_flaw_is_told_first() -> None:
    _, aside = judged(Row("m9/q", 1, -5.0), Row("m1/q", NOW_MS + 1, -5.0))
    assert [reason for _, _, reason in aside] == ["unknown-point", "future"]


@given(st.lists(st.tuples(st.sampled_from([1, 4, 5]), st.integers(-20, 0), st.floats(-1e6, 1e6)), max_size=30))
def test_nothing_stored_lowers_a_total_unless_it_was_declared(rows: list[tuple[int, int, float]]) -> None:
    sent = [Row(f"m{number}/q", NOW_MS + hour * HOUR, value) for number, hour, value in rows]
    stored, aside = judge(decode_body(draft(sent).body), SOURCE, LOOKUP, 9, NOW_MS)
    assert len(stored) + len(aside) == len(rows)
    for number, time_ms, value in zip(stored.point_id, stored.time_ms, stored.value, strict=True):
        assert number == 4 or value * (-1 if number == 5 and time_ms >= TURNED_MS else 1) >= 0
