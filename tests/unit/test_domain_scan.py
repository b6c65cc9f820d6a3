"""Each rule of the scan, one by one."""

from collections.abc import Sequence

import numpy as np
import pytest

from parkcarbon.domain.intervals import Intervals
from parkcarbon.domain.reading import DAY_MS, INTERVAL_MS, Method, Quality
from parkcarbon.domain.readings import Readings
from parkcarbon.domain.scan import (
    Boundary,
    Correction,
    Episode,
    LateReadingError,
    Limits,
    ScanResult,
    ScanState,
    scan,
)

T0 = 20_000 * DAY_MS
MINUTE = 60_000
LIMITS = Limits(period_ms=INTERVAL_MS, limit_per_h=400.0, resolution=0.1)  # 100 per quarter of an hour
Row = tuple[float, float | None] | tuple[float, float | None, Quality]


def readings(rows: Sequence[Row]) -> Readings:
    """Rows of minutes after T0, register, and optionally quality."""
    return Readings.of(
        [T0 + round(row[0] * MINUTE) for row in rows],
        [row[1] for row in rows],
        [row[2] if len(row) == 3 else Quality.GOOD for row in rows],
    )


def run(
    rows: Sequence[Row],
    *episodes: Episode,
    limits: Limits = LIMITS,
    corrections: Sequence[Correction] = (),
    state: ScanState | None = None,
) -> ScanResult:
    return scan(readings(rows), episodes, corrections, limits, state)


def at(minute: float) -> int:
    return T0 + round(minute * MINUTE)


def amounts(result: ScanResult) -> list[float]:
    return [amount / 1e6 for amount in result.intervals.amount_micro.tolist()]


def methods(result: ScanResult) -> list[Method]:
    return [Method(code) for code in result.intervals.method.tolist()]


def test_aligned_readings_give_their_differences() -> None:
    result = run([(0, 100.0), (15, 110.0), (30, 130.0)])
    assert result.intervals.start_ms.tolist() == [at(0), at(15)]
    assert amounts(result) == [10.0, 20.0]
    assert result.intervals.coverage.tolist() == [1.0, 1.0]
    assert methods(result) == [Method.MEASURED, Method.MEASURED]
    assert result.intervals.measured_ms.tolist() == [INTERVAL_MS, INTERVAL_MS]
    assert result.state == ScanState(at(30), 130.0)


def test_ratio_applies() -> None:
    assert amounts(run([(0, 100.0), (15, 110.5)], Episode(0, ratio=40.0))) == [420.0]


def test_readings_between_boundaries_are_interpolated_and_the_open_interval_is_given_so_far() -> None:
    result = run([(10, 0.0), (20, 9.0)])
    assert amounts(result) == [4.5, 4.5]
    assert result.intervals.coverage.tolist() == pytest.approx([1 / 3, 1 / 3], rel=1e-6)
    assert result.state.partial == (4_500_000, 5 * MINUTE, 5 * MINUTE, Method.MEASURED, False)
    later = run([(30, 18.0)], state=result.state)
    assert amounts(later) == [13.5]
    assert later.intervals.coverage.tolist() == [1.0]


def test_parts_of_a_gap_sum_exactly() -> None:
    result = run([(0, 0.0), (45, 0.00001)])
    assert result.intervals.amount_micro.tolist() == [3, 4, 3]
    assert result.intervals.total_micro == 10


def test_a_gap_is_interpolated_and_its_energy_kept() -> None:
    result = run([(0, 0.0), (60, 100.0)])
    assert amounts(result) == [25.0] * 4
    assert set(methods(result)) == {Method.INTERPOLATED}
    assert result.intervals.coverage.tolist() == [1.0] * 4
    assert result.intervals.measured_ms.tolist() == [0] * 4


def test_a_poll_half_a_minute_late_is_still_measured() -> None:
    assert set(methods(run([(0, 0.0), (15.5, 10.0)]))) == {Method.MEASURED}
    assert set(methods(run([(0, 0.0), (15.6, 10.0)]))) == {Method.INTERPOLATED}


def test_a_slow_meter_is_measured_within_its_own_period() -> None:
    assert set(methods(run([(0, 0.0), (60, 10.0)], limits=Limits(period_ms=60 * MINUTE)))) == {Method.MEASURED}


def test_no_readings_and_one_reading_give_no_interval() -> None:
    assert len(run([]).intervals) == 0
    assert run([]).state == ScanState()
    assert len(run([(0, 5.0)]).intervals) == 0


@pytest.mark.parametrize("quality", [Quality.NOT_AVAILABLE, Quality.OUT_OF_RANGE, Quality.CLOCK_UNCERTAIN])
def test_quality_outside_energy_is_passed_over(quality: Quality) -> None:
    result = run([(0, 0.0), (5, 50.0, quality), (15, 10.0)])
    assert amounts(result) == [10.0]
    assert not result.boundaries


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_values_that_are_no_number_are_passed_over(value: float | None) -> None:
    assert amounts(run([(0, 0.0), (5, value), (15, 10.0)])) == [10.0]


@pytest.mark.parametrize(
    ("quality", "method"),
    [
        (Quality.MANUAL, Method.MANUAL),
        (Quality.ESTIMATED, Method.ESTIMATED),
        (Quality.SUBSTITUTED, Method.SUBSTITUTED),
    ],
)
def test_quality_of_a_reading_marks_both_its_sides(quality: Quality, method: Method) -> None:
    result = run([(0, 0.0), (15, 10.0, quality), (30, 20.0), (45, 30.0)])
    assert methods(result) == [method, method, Method.MEASURED]


def test_suspect_readings_count_and_mark_both_their_sides() -> None:
    result = run([(0, 0.0), (15, 10.0, Quality.SUSPECT), (30, 20.0), (45, 30.0)])
    assert amounts(result) == [10.0, 10.0, 10.0]
    assert result.intervals.suspect.tolist() == [True, True, False]


def test_rollover_is_told_by_the_rate() -> None:
    result = run([(0, 990.0), (15, 5.0)], limits=Limits(INTERVAL_MS, 400.0, 0.1, modulus=1000.0))
    assert amounts(result) == [15.0]
    assert result.boundaries == (Boundary(at(15), "rollover", 990.0, 5.0, 15_000_000),)
    assert not result.questions


def test_a_drop_that_is_too_large_for_a_rollover_is_pending() -> None:
    result = run([(0, 500.0), (15, 5.0)], limits=Limits(INTERVAL_MS, 400.0, 0.1, modulus=1000.0))
    assert len(result.intervals) == 0
    assert [candidate.value for candidate in result.state.pending] == [5.0]


def test_a_register_above_its_modulus_does_not_roll_over() -> None:
    result = run([(0, 1050.0), (15, 60.0)], limits=Limits(INTERVAL_MS, 400.0, 0.1, modulus=1000.0))
    assert result.state.pending


def test_without_a_limit_a_rollover_is_never_guessed() -> None:
    result = run([(0, 990.0), (15, 5.0)], limits=Limits(INTERVAL_MS, None, 0.1, modulus=1000.0))
    assert len(result.intervals) == 0
    assert result.state.pending


def test_without_a_limit_any_rise_is_accepted() -> None:
    assert amounts(run([(0, 0.0), (15, 1e6)], limits=Limits(INTERVAL_MS))) == [1e6]


def test_the_limit_allows_one_register_step_more() -> None:
    assert amounts(run([(0, 0.0), (15, 100.1)])) == [100.1]
    assert run([(0, 0.0), (15, 100.2)]).state.pending


def test_a_drop_of_one_register_step_is_held() -> None:
    result = run([(0, 50.0), (15, 49.95), (30, 50.5)])
    assert amounts(result) == [0.0, 0.5]
    assert not result.boundaries


@pytest.mark.parametrize("nonsense", [[0.0], [0.0, 0.0], [9e9], [9e9, 9e9 + 1], [9e9, 0.0]])
def test_back_on_the_line_makes_the_others_glitches(nonsense: list[float]) -> None:
    rows: list[Row] = [(0, 500.0), *((1.0 + i, value) for i, value in enumerate(nonsense)), (15, 560.0)]
    result = run(rows)
    assert amounts(result) == [60.0]
    assert methods(result) == [Method.MEASURED]
    assert [b.kind for b in result.boundaries] == ["glitch"] * len(nonsense)
    assert [b.amount_micro for b in result.boundaries] == [0] * len(nonsense)


def test_energy_after_the_last_accepted_reading_is_pending() -> None:
    result = run([(0, 500.0), (15, 510.0), (30, 0.0), (45, 5.0)])
    assert amounts(result) == [10.0]
    assert result.state.time_ms == at(15)
    assert result.state.seen_ms == at(45)


def test_three_candidates_infer_a_reset_with_the_new_value_as_estimate() -> None:
    result = run([(0, 5000.0), (15, 30.0), (30, 60.0), (45, 90.0)])
    assert amounts(result) == [30.0, 30.0, 30.0]
    assert methods(result) == [Method.ESTIMATED, Method.MEASURED, Method.MEASURED]
    assert result.boundaries == (Boundary(at(15), "inferred", 5000.0, 30.0, 30_000_000),)
    (question,) = result.questions
    assert (question.at_ms, question.kind) == (at(15), "inferred_boundary")
    assert question.document["energy"] == "estimated"


def test_three_candidates_not_plausible_from_zero_leave_the_step_missing() -> None:
    result = run([(0, 5000.0), (15, 300.0), (30, 360.0), (45, 390.0)])
    assert amounts(result) == [0.0, 60.0, 30.0]
    assert methods(result)[0] is Method.MISSING
    assert result.intervals.coverage.tolist() == [0.0, 1.0, 1.0]
    assert result.boundaries == (Boundary(at(15), "inferred", 5000.0, 300.0, None),)
    assert result.questions[0].document["energy"] == "missing"


def test_a_persistent_jump_upwards_is_a_boundary_with_missing_energy() -> None:
    result = run([(0, 0.0), (15, 5000.0), (30, 5010.0), (45, 5020.0)])
    assert amounts(result) == [0.0, 10.0, 10.0]
    assert result.boundaries[0].amount_micro is None


def test_candidates_must_agree_for_a_minute() -> None:
    quick: list[Row] = [(0, 5000.0), (5, 0.0), (5.1, 0.1), (5.2, 0.2), (5.9, 0.3)]
    assert len(run(quick).state.pending) == 4
    assert not run([*quick, (6, 0.4)]).state.pending


def test_without_a_limit_a_reset_is_missing_because_nothing_tells_what_is_plausible() -> None:
    rows: list[Row] = [(0, 5000.0), (15, 3.0), (30, 6.0), (45, 9.0)]
    result = run(rows, limits=Limits(INTERVAL_MS))
    assert amounts(result) == [0.0, 3.0, 3.0]
    assert result.boundaries[0].amount_micro is None


def test_waiting_never_makes_a_jump_plausible() -> None:
    """A jump of 30 hours' worth of energy stays a jump although the next reading comes 40 hours later."""
    result = run([(0, 0.0), (15, 12_000.0), (40 * 60, 12_010.0)])
    assert len(result.intervals) == 0
    assert [candidate.value for candidate in result.state.pending] == [12_000.0, 12_010.0]


def test_an_outage_after_a_glitch_loses_nothing() -> None:
    result = run([(0, 5000.0), (15, 0.0), (10 * 60, 7000.0)])
    assert result.intervals.total_micro == 2_000_000_000
    assert [b.kind for b in result.boundaries] == ["glitch"]


def test_readings_that_contradict_one_another_raise_a_question() -> None:
    result = run([(0, 0.0), *((15.0 * i, 1000.0 * i) for i in range(1, 6))])
    assert [(q.at_ms, q.kind) for q in result.questions] == [(at(45), "implausible")]
    assert [b.at_ms for b in result.boundaries] == [at(15), at(30), at(45), at(60)]
    assert len(result.intervals) == 0


def test_declared_exchange_with_both_registers_is_exact() -> None:
    exchange = Episode(at(20), ratio=2.0, end_reading=112.0, start_reading=7.0)
    result = run([(0, 100.0), (15, 110.0), (30, 15.0)], exchange)
    assert amounts(result) == [10.0, 2.0 + 16.0]
    assert methods(result) == [Method.MEASURED, Method.MEASURED]
    assert result.boundaries == (Boundary(at(20), "declared", 112.0, 7.0, 2_000_000),)
    assert not result.questions


def test_exchange_without_registers_is_missing_between_the_readings_around_it() -> None:
    result = run([(0, 100.0), (15, 110.0), (30, 5.0), (45, 15.0)], Episode(at(20)))
    assert amounts(result) == [10.0, 0.0, 10.0]
    assert methods(result) == [Method.MEASURED, Method.MISSING, Method.MEASURED]
    assert result.intervals.coverage.tolist() == [1.0, 0.0, 1.0]
    assert result.boundaries == (Boundary(at(20), "declared", 110.0, 5.0, None),)


def test_exchange_with_the_end_reading_only_is_missing_after_it() -> None:
    result = run([(0, 100.0), (15, 110.0), (30, 5.0)], Episode(at(20), end_reading=113.0))
    assert amounts(result) == [10.0, 3.0]
    assert result.intervals.coverage.tolist() == pytest.approx([1.0, 1 / 3], rel=1e-6)


def test_exchange_with_the_start_reading_only_is_missing_before_it() -> None:
    result = run([(0, 100.0), (15, 110.0), (30, 5.0)], Episode(at(20), start_reading=1.0))
    assert amounts(result) == [10.0, 4.0]
    assert result.intervals.coverage.tolist() == pytest.approx([1.0, 2 / 3], rel=1e-6)


def test_a_changed_ratio_goes_on_with_the_register() -> None:
    result = run([(0, 100.0), (15, 130.0), (30, 160.0)], Episode(0, ratio=1.0), Episode(at(20), ratio=10.0))
    assert amounts(result) == [30.0, 10.0 + 200.0]
    assert methods(result)[1] is Method.INTERPOLATED
    assert result.boundaries == (Boundary(at(20), "declared", 140.0, 140.0, 10_000_000),)


def test_a_ratio_changed_at_a_reading_stays_measured() -> None:
    result = run([(0, 100.0), (15, 130.0), (30, 160.0)], Episode(at(15), ratio=10.0))
    assert amounts(result) == [30.0, 300.0]
    assert methods(result) == [Method.MEASURED, Method.MEASURED]


def test_a_reading_at_the_time_of_an_episode_belongs_to_it() -> None:
    result = run([(0, 100.0), (15, 7.0), (30, 17.0)], Episode(at(15), end_reading=120.0, start_reading=7.0))
    assert amounts(result) == [20.0, 10.0]


def test_a_declared_end_reading_that_does_not_fit_is_left_out_and_asked_about() -> None:
    result = run([(0, 100.0), (15, 5.0)], Episode(at(10), end_reading=9_000.0, start_reading=0.0))
    assert amounts(result) == [5.0]
    assert result.intervals.coverage.tolist() == pytest.approx([1 / 3], rel=1e-6)
    assert [(q.at_ms, q.kind) for q in result.questions] == [(at(10), "declared_reading")]
    assert [b.kind for b in result.boundaries] == ["declared"]


def test_a_reading_that_contradicts_the_register_declared_for_its_time_is_ignored() -> None:
    result = run([(0, 100.0), (15, 900.0), (30, 17.0)], Episode(at(15), end_reading=120.0, start_reading=7.0))
    assert amounts(result) == [20.0, 10.0]
    assert [b.kind for b in result.boundaries] == ["declared", "glitch"]
    assert [q.kind for q in result.questions] == ["declared_reading"]


def test_a_reading_that_agrees_with_the_register_declared_for_its_time_still_qualifies_it() -> None:
    rows: list[Row] = [(0, 100.0), (15, 7.0, Quality.MANUAL), (30, 17.0)]
    result = run(rows, Episode(at(15), end_reading=120.0, start_reading=7.0))
    assert methods(result) == [Method.MEASURED, Method.MANUAL]


def test_a_pending_reading_before_a_declared_exchange_was_a_glitch() -> None:
    exchange = Episode(at(30), end_reading=130.0, start_reading=0.0)
    result = run([(0, 100.0), (20, 0.0), (45, 10.0)], exchange)
    assert result.intervals.total_micro == 40_000_000
    assert [b.kind for b in result.boundaries] == ["glitch", "declared"]


def test_before_the_first_episode_ratio_one_counts() -> None:
    result = run([(0, 0.0), (15, 10.0), (30, 20.0)], Episode(at(15), ratio=40.0, end_reading=10.0, start_reading=10.0))
    assert amounts(result) == [10.0, 400.0]


def test_a_start_reading_counts_from_installation() -> None:
    result = run([(15, 10.0), (30, 20.0)], Episode(at(0), start_reading=4.0))
    assert amounts(result) == [6.0, 10.0]
    assert not result.boundaries


def test_an_old_start_reading_is_not_spread_over_years() -> None:
    result = run([(15, 10.0), (30, 20.0)], Episode(at(0) - 500 * DAY_MS, start_reading=4.0))
    assert amounts(result) == [10.0]


def test_limits_change_with_the_episode() -> None:
    rows: list[Row] = [(0, 0.0), (15, 50.0), (30, 850.0), (45, 1650.0)]
    assert run(rows).state.pending
    assert amounts(run(rows, Episode(at(15), limit_per_h=4000.0))) == [50.0, 800.0, 800.0]


def test_two_boundaries_between_two_readings() -> None:
    first = Episode(at(5), end_reading=105.0, start_reading=0.0)
    second = Episode(at(10), end_reading=7.0, start_reading=1000.0)
    result = run([(0, 100.0), (15, 1004.0)], first, second)
    assert amounts(result) == [5.0 + 7.0 + 4.0]


def test_excluded_readings_are_dropped_with_both_ends() -> None:
    rows: list[Row] = [(0, 0.0), (15, 90.0), (30, 20.0), (45, 30.0)]
    result = run(rows, corrections=[Correction("exclude", at(15), at(15))])
    assert amounts(result) == [10.0, 10.0, 10.0]
    assert not result.boundaries


def test_a_boundary_correction_acts_like_an_episode_of_the_same_ratio() -> None:
    rows: list[Row] = [(0, 100.0), (15, 110.0), (30, 5.0), (45, 15.0)]
    correction = Correction("boundary", at(20), at(20), end_reading=112.0, start_reading=0.0)
    result = run(rows, Episode(0, ratio=3.0), corrections=[correction])
    assert amounts(result) == [30.0, 6.0 + 15.0, 30.0]
    assert [b.kind for b in result.boundaries] == ["declared"]


def test_a_boundary_correction_does_not_repeat_the_registers_of_the_episode_before() -> None:
    rows: list[Row] = [(0, 100.0), (15, 7.0), (30, 17.0), (45, 3.0)]
    exchange = Episode(at(15), ratio=2.0, end_reading=120.0, start_reading=7.0)
    result = run(rows, exchange, corrections=[Correction("boundary", at(30.5), at(30.5), start_reading=1.0)])
    assert amounts(result) == [20.0, 20.0, 4.0]
    assert not result.questions
    assert result.boundaries[-1].amount_micro is None


def test_a_boundary_correction_completes_the_episode_at_its_time() -> None:
    rows: list[Row] = [(0, 100.0), (15, 110.0), (30, 5.0)]
    exchange = Episode(at(20), ratio=2.0, end_reading=112.0)
    result = run(rows, exchange, corrections=[Correction("boundary", at(20), at(20), start_reading=1.0)])
    assert amounts(result) == [10.0, 2.0 + 8.0]


def test_retimed_readings_enter_energy_at_their_true_time() -> None:
    uncertain: list[Row] = [(0, 0.0), (315, 10.0, Quality.CLOCK_UNCERTAIN), (30, 20.0)]
    in_order = sorted(uncertain, key=lambda row: row[0])
    correction = Correction("retime", at(300), at(330), offset_ms=-300 * MINUTE)
    result = run(in_order, corrections=[correction])
    assert amounts(result) == [10.0, 10.0]
    assert methods(result) == [Method.MEASURED, Method.MEASURED]


def test_a_late_reading_is_refused_with_its_time() -> None:
    state = run([(0, 0.0), (15, 10.0)]).state
    with pytest.raises(LateReadingError, match=str(at(15))):
        run([(15, 10.0)], state=state)


def test_a_pending_state_refuses_readings_before_its_candidates() -> None:
    state = run([(0, 500.0), (15, 0.0)]).state
    with pytest.raises(LateReadingError):
        run([(10, 505.0)], state=state)


def test_checkpoints_stand_at_the_first_midnight_after_readings() -> None:
    limits = Limits(period_ms=INTERVAL_MS)
    result = run([(24 * 60 - 5, 1.0), (24 * 60 + 5, 2.0), (5 * 24 * 60, 3.0)], limits=limits)
    assert [midnight for midnight, _ in result.checkpoints] == [T0 + DAY_MS, T0 + 2 * DAY_MS]
    assert result.checkpoints[0][1].value == 1.0
    assert result.checkpoints[1][1].value == 2.0


def test_the_interval_that_is_open_at_a_state_is_given_again() -> None:
    state = run([(0, 0.0), (5, 3.0)]).state
    nothing = run([], state=state)
    assert amounts(nothing) == [3.0]
    assert amounts(run([(20, 99_999.0)], state=state)) == [3.0]


def test_state_bytes_are_canonical_and_read_back_equal() -> None:
    state = run([(0, 500.1), (7, 510.7, Quality.SUSPECT), (20, 0.1)]).state
    data = state.to_bytes()
    assert ScanState.from_bytes(data) == state
    assert ScanState.from_bytes(data).to_bytes() == data
    assert data == (
        b'{"d":0,"i":[10600000,420000,420000,0,1],"m":0,"p":[[1728001200000,0.1,0,0]],"s":1,'
        b'"t":1728000420000,"v":1,"x":510.7}'
    )


def test_state_bytes_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="version 2"):
        ScanState.from_bytes(ScanState().to_bytes().replace(b'"v":1', b'"v":2'))


def test_a_state_without_readings_can_be_stored() -> None:
    assert ScanState.from_bytes(ScanState().to_bytes()) == ScanState()
    assert ScanState().interval_start_ms is None
    assert ScanState().open_ms is None


def test_years_before_1970_work() -> None:
    times = -10 * DAY_MS + INTERVAL_MS * np.arange(3)
    result = scan(Readings.of(times, [1.0, 2.0, 3.0]), (), (), LIMITS)
    assert result.intervals.start_ms.tolist() == times[:2].tolist()


def test_merge_lets_the_later_result_win() -> None:
    first, second = run([(0, 0.0), (20, 20.0)]).intervals, run([(15, 0.0), (30, 7.0)]).intervals
    merged = first.replaced_by(second)
    assert (merged.amount_micro / 1e6).tolist() == [15.0, 7.0]
    assert len(Intervals.merge(())) == 0


def test_readings_refuse_disorder() -> None:
    with pytest.raises(ValueError, match="ascend"):
        Readings.of([2, 1], [0.0, 0.0])
    with pytest.raises(ValueError, match="ascend"):
        Readings.of([1, 2, 2], [0.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="length"):
        Readings.of([1, 2], [0.0])


def test_of_two_readings_at_one_time_the_better_one_is_kept() -> None:
    both = Readings.from_unsorted([5, 5, 1], [7.0, 9.0, 1.0], [Quality.SUSPECT, Quality.GOOD, Quality.GOOD])
    assert both.value.tolist() == [1.0, 9.0]
