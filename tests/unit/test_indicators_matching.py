"""Hourly matching and the green-power duty, by hand and by law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.catalog.indicators import duty_shares
from parkcarbon.domain.indicators.datasets import duty_share
from parkcarbon.domain.indicators.duty import Duty
from parkcarbon.domain.indicators.matching import HOUR_MS, heat_map, match_hours
from parkcarbon.domain.readings import Int64Array
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import check


def kwh(*values: float) -> Int64Array:
    return np.array([round(value * 1e6) for value in values], dtype=np.int64)


def hours(count: int) -> Int64Array:
    return np.arange(count, dtype=np.int64) * HOUR_MS


@pytest.mark.rule("3.18")
def test_excess_of_one_hour_does_not_lift_another() -> None:
    # Loads 10, 10, 10; clean 30, 5, 0: matched 10 + 5 + 0 = 15 of 30, though 35 kWh were clean.
    matching = match_hours(hours(3), kwh(10, 10, 10), kwh(30, 5, 0))
    assert matching.share_pct == pytest.approx(50.0)
    assert matching.annual_share_pct == pytest.approx(100.0)
    assert matching.excess_micro == 20 * 10**6
    assert check(matching.figure()) == []
    assert matching.figure().value == pytest.approx(50.0)


@pytest.mark.rule("3.18")
def test_sources_of_one_hour_add_up_before_the_cap() -> None:
    matching = match_hours(hours(2), kwh(10, 10), [kwh(4, 4), kwh(4, 8)])
    assert matching.matched_micro.tolist() == [8 * 10**6, 10 * 10**6]


@pytest.mark.rule("3.18")
def test_an_unknown_hour_is_in_neither_sum() -> None:
    known = np.array([True, False, True])
    matching = match_hours(hours(3), kwh(10, 99, 10), kwh(10, 0, 0), known)
    assert matching.share_pct == pytest.approx(50.0)
    assert matching.document()["unknown_hours"] == 1
    assert match_hours(hours(1), kwh(5), kwh(5), np.array([False])).share_pct is None


@pytest.mark.rule("3.17", "3.18")
def test_certificates_without_an_hour_match_nothing() -> None:
    matching = match_hours(hours(2), kwh(10, 10), kwh(3, 1), certified_unstamped_micro=9_000_000)
    assert matching.matched_total_micro == 4_000_000
    assert matching.annual_share_pct == pytest.approx(65.0)
    assert "proposal" in str(matching.document()["status"])


@pytest.mark.rule("3.18")
@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=50))
def test_the_share_is_bounded_and_more_clean_never_lowers_it(pairs: list[tuple[int, int]]) -> None:
    load = np.array([pair[0] for pair in pairs], dtype=np.int64)
    clean = np.array([pair[1] for pair in pairs], dtype=np.int64)
    matching = match_hours(hours(len(pairs)), load, clean)
    more = match_hours(hours(len(pairs)), load, clean + 1000)
    assert bool(np.all(matching.matched_micro <= load))
    assert bool(np.all(matching.matched_micro <= clean))
    if matching.share_pct is not None:
        assert 0 <= matching.share_pct <= 100
        assert more.share_pct is not None
        assert more.share_pct >= matching.share_pct
        assert matching.annual_share_pct is not None
        assert matching.share_pct <= matching.annual_share_pct + 1e-9


@pytest.mark.rule("5.6", "3.18")
def test_negative_and_doubled_hours_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"rule 5\.6: load of hour 0 is -1 kWh"):
        match_hours(hours(1), kwh(-1), kwh(0))
    with pytest.raises(RefusedError, match=r"rule 3\.18"):
        match_hours(np.zeros(2, np.int64), kwh(1, 1), kwh(1, 1))


def test_a_heat_map_has_a_gap_and_a_doubled_hour() -> None:
    # Local hours 0, 1, 1 (clocks went back), then 23 of the day.
    starts = np.array([0, 1, 2, 24], dtype=np.int64) * HOUR_MS
    offsets = np.array([0, 0, -1, -1], dtype=np.int64) * HOUR_MS
    laid = heat_map(starts, np.array([1.0, 2.0, 4.0, 8.0]), offsets, 1, 0)
    assert laid[0, 0] == 1.0
    assert laid[0, 1] == 3.0
    assert laid[0, 23] == 8.0
    assert np.isnan(laid[0, 2:23]).all()


@pytest.mark.rule("4.9")
def test_the_duty_of_a_polysilicon_plant_in_chongqing() -> None:
    share = duty_share(duty_shares(), region="China/CQ", industry="polysilicon", year=2025)
    assert share is not None
    # 10,000,000 kWh × 34.2 % = 3,420,000; 3,000 certificates and 100,000 kWh own: 320,000 short = 320 certificates.
    duty = Duty("melt", "polysilicon", 10**13, 3_000_000 * 10**6, 100_000 * 10**6, share)
    assert duty.required_micro == 3_420_000 * 10**6
    assert duty.short_micro == 320_000 * 10**6
    assert duty.certificates_short == 320
    assert duty.document()["reached"] is False
    assert check(duty.figure()) == []


@pytest.mark.rule("4.9", "4.1")
def test_part_of_a_certificate_takes_a_whole_one() -> None:
    share = duty_share(duty_shares(), region="China/JS", industry="new_hub_data_centre", year=2025)
    assert share is not None  # 80 % in every province
    duty = Duty("halls", "new_hub_data_centre", 1_000_001, 0, 0, share)
    assert (duty.required_micro, duty.certificates_short) == (800_001, 1)


@pytest.mark.rule("4.9")
def test_no_share_is_known_for_another_province_and_none_is_invented() -> None:
    assert duty_share(duty_shares(), region="China/JS", industry="steel", year=2025) is None
    duty = Duty("mill", "steel", 10**12, 0, 0, None, "no share of steel is known for China/JS in 2025")
    assert duty.required_micro is None
    assert duty.document()["reached"] is None
    assert duty.document()["reason"]
    assert duty.figure().value is None
