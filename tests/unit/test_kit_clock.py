"""Clocks: stamps that never run back, steps that are noticed, sleepers that are woken in order."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.kit.clock import AnchoredClock, ManualClock, SystemClock

START_MS = 1_762_000_000_000


def test_stamps_follow_the_wall_clock_while_it_runs_evenly() -> None:
    clock = ManualClock(START_MS)
    anchored = AnchoredClock(clock)
    for _ in range(100):
        clock.advance(5)
        clock.step(3)  # a drift that the system corrects slowly
        stamp = anchored.stamp()
        assert (stamp.time_ms, stamp.certain, stamp.offset_ms) == (clock.now_ms(), True, 0)


def test_a_step_makes_stamps_uncertain_and_tells_the_offset() -> None:
    for step_ms in (-7_200_000, 7_200_000, 2001, -2001):
        clock = ManualClock(START_MS)
        anchored = AnchoredClock(clock)
        clock.advance(5)
        anchored.stamp()
        clock.step(step_ms)
        clock.advance(5)
        stamp = anchored.stamp()
        assert (stamp.time_ms, stamp.certain, stamp.offset_ms) == (START_MS + 10_000, False, step_ms)


def test_a_small_step_back_does_not_turn_time_around() -> None:
    clock = ManualClock(START_MS)
    anchored = AnchoredClock(clock)
    clock.advance(5)
    before = anchored.stamp()
    clock.step(-1500)
    after = anchored.stamp()
    assert (after.time_ms, after.certain) == (before.time_ms, True)


def test_a_clock_that_keeps_its_new_course_is_trusted_again() -> None:
    clock = ManualClock(START_MS)
    anchored = AnchoredClock(clock, settle_s=60)
    clock.step(3_600_000)
    assert not anchored.stamp().certain
    clock.advance(59)
    assert not anchored.stamp().certain
    clock.advance(1)
    stamp = anchored.stamp()
    assert (stamp.time_ms, stamp.certain, stamp.offset_ms) == (clock.now_ms(), True, 0)


def test_after_a_step_back_time_is_uncertain_until_the_wall_has_caught_up() -> None:
    clock = ManualClock(START_MS)
    anchored = AnchoredClock(clock, settle_s=60)
    anchored.stamp()
    clock.step(-600_000)
    for _ in range(20):
        clock.advance(60)
        assert not anchored.stamp().certain  # stamps go on by the monotonic clock and stay ahead


def test_a_board_that_starts_in_1970_is_uncertain_until_the_time_is_set() -> None:
    clock = ManualClock(1000)
    anchored = AnchoredClock(clock, settle_s=10)
    clock.advance(100)
    assert not anchored.stamp().certain
    clock.step(START_MS)
    stamp = anchored.stamp()
    assert (stamp.certain, stamp.offset_ms) == (False, START_MS)
    clock.advance(10)
    assert anchored.stamp().certain


def test_whoever_knows_better_is_asked() -> None:
    clock, synced = ManualClock(START_MS), False
    anchored = AnchoredClock(clock, synced=lambda: synced, settle_s=10)
    clock.advance(100)
    assert not anchored.stamp().certain
    synced = True
    assert anchored.stamp().certain


@given(st.lists(st.tuples(st.floats(0, 1000), st.integers(-(10**7), 10**7)), max_size=50))
def test_stamps_never_decrease(moves: list[tuple[float, int]]) -> None:
    clock = ManualClock(START_MS)
    anchored = AnchoredClock(clock)
    last = anchored.stamp().time_ms
    for seconds, step_ms in moves:
        clock.advance(seconds)
        clock.step(step_ms)
        now = anchored.stamp().time_ms
        assert now >= last
        last = now


async def test_sleepers_wake_when_the_clock_was_moved_far_enough() -> None:
    clock = ManualClock()
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.ensure_future(sleeper(seconds)) for seconds in (3, 1, 2, 0)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert woken == [0]
    tasks[1].cancel()
    clock.advance(2.5)
    await asyncio.gather(*tasks[1:], return_exceptions=True)
    assert woken == [0, 2]
    clock.advance(1)
    await tasks[0]
    assert woken == [0, 2, 3]


async def test_the_system_clock_tells_milliseconds_and_runs_on() -> None:
    clock = SystemClock()
    before, begun = clock.now_ms(), clock.monotonic()
    await clock.sleep(0)
    assert before > START_MS
    assert clock.monotonic() >= begun
