"""The scan of many points at once is the scan, bit for bit."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from parkcarbon.domain.intervals import Intervals
from parkcarbon.domain.lifelines import lifelines
from parkcarbon.domain.readings import Readings
from parkcarbon.domain.scan import Episode, Limits, ScanState, scan
from parkcarbon.domain.scan_many import ManyReadings, Track, scan_many

DAY_MS = 86_400_000
START = 1_795_000_000_000


@dataclass(frozen=True)
class Case:
    """A point with what was scanned before and what comes now."""

    episodes: tuple[Episode, ...]
    limits: Limits
    before: Readings
    now: Readings


@st.composite
def cases(draw: st.DrawFn) -> Case:
    step_ms = draw(st.sampled_from([15_000, 60_000, 900_000, 1_000_003, 3_600_000, 40_000_000]))
    n, m = draw(st.integers(0, 12)), draw(st.integers(0, 40))
    start = START + draw(st.sampled_from([0, 1, 450_000, DAY_MS - 60_000, -(START % 900_000)]))
    jumps = draw(
        st.lists(st.sampled_from([0.0, 0.0, 0.5, 1.25, 3.0, 7.75, -0.01, -4.0, 500.0]), min_size=60, max_size=60)
    )
    rare = draw(st.booleans())
    value = 100 + np.cumsum([jump if rare or 0 <= jump < 100 else 0.25 for jump in jumps[: n + m]])
    quality = np.array(draw(st.lists(st.sampled_from([0, 0, 0, 0, 1, 4, 5, 6]), min_size=60, max_size=60)), np.int8)
    quality = quality[: n + m] if draw(st.booleans()) else np.zeros(n + m, np.int8)
    times = start + np.arange(n + m) * step_ms
    everything = Readings.of(times, value, quality)
    ratio = draw(st.sampled_from([1.0, 40.0, 1.0 / 3]))
    episodes = [Episode(0, ratio, draw(st.sampled_from([1, -1])))]
    if draw(st.booleans()):
        episodes.append(Episode(int(start + draw(st.integers(0, 50)) * step_ms), 2.0))
    limits = Limits(step_ms, draw(st.sampled_from([None, 40.0, 4000.0])), draw(st.sampled_from([0.0, 0.01])))
    return Case(tuple(episodes), limits, everything.take(slice(0, n)), everything.take(slice(n, n + m)))


@settings(max_examples=300, deadline=None)
@given(st.lists(cases(), min_size=1, max_size=5))
def test_many_points_at_once_give_what_each_gives_alone(points: list[Case]) -> None:
    states = [scan(case.before, case.episodes, (), case.limits).state for case in points]
    tracks = [
        Track(lifelines(case.episodes, (), case.limits), case.limits, state)
        for case, state in zip(points, states, strict=True)
    ]
    together = ManyReadings(
        np.concatenate([np.full(len(case.now), at, np.int64) for at, case in enumerate(points)]),
        np.concatenate([case.now.time_ms for case in points]),
        np.concatenate([case.now.value for case in points]),
        np.concatenate([case.now.quality for case in points]),
    )
    result = scan_many(tracks, together)
    assert (np.diff(result.owner) >= 0).all()
    for at, (case, state) in enumerate(zip(points, states, strict=True)):
        if not result.taken[at]:
            continue
        alone = scan(case.now, case.episodes, (), case.limits, state)
        assert not alone.boundaries
        assert not alone.questions
        if not case.now.in_energy.any():
            assert at not in result.states
            continue
        assert result.intervals.take(result.owner == at).to_bytes() == alone.intervals.to_bytes()
        assert result.states[at].to_bytes() == alone.state.to_bytes()
        marks = [(midnight, mark.to_bytes()) for owner, midnight, mark in result.checkpoints if owner == at]
        assert marks == [(midnight, mark.to_bytes()) for midnight, mark in alone.checkpoints]


def test_plausible_points_are_taken_and_doubtful_ones_left() -> None:
    limits = Limits(900_000, 40.0)
    state = ScanState(START, 10.0)
    tracks = [Track(lifelines((), (), limits), limits, state)] * 3
    times = np.array([START + 900_000, START + 900_000, START + 900_000])
    readings = ManyReadings(np.arange(3), times, np.array([12.0, 9.0, 400.0]), np.zeros(3, np.int8))
    result = scan_many(tracks, readings)
    assert result.taken.tolist() == [True, False, False]
    assert isinstance(result.intervals, Intervals)
    assert result.intervals.total_micro == 2_000_000
