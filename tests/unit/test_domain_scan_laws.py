"""The laws of the scan, on arbitrary and on truthful histories."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkcarbon.domain import scan as scan_module
from parkcarbon.domain import segments
from parkcarbon.domain.intervals import Intervals
from parkcarbon.domain.reading import DAY_MS, INTERVAL_MS, Method
from parkcarbon.domain.readings import Readings
from parkcarbon.domain.scan import Correction, Episode, Limits, ScanResult, ScanState, scan

MIDNIGHT = 20_000 * DAY_MS
SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class History:
    """Everything a scan takes."""

    readings: Readings
    episodes: tuple[Episode, ...]
    corrections: tuple[Correction, ...]
    limits: Limits

    def scan(self, readings: Readings | None = None, state: ScanState | None = None) -> ScanResult:
        chosen = self.readings if readings is None else readings
        return scan(chosen, self.episodes, self.corrections, self.limits, state)


def messy(seed: int) -> History:
    """A history that need make no sense: rises, drops, spikes, resets, gaps, all qualities, random episodes."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 160))
    period = int(rng.choice([5_000, 60_000, 900_000, 3_600_000]))
    steps = rng.choice([period, period, period, period + 37, period // 7 + 1, 5 * period, DAY_MS], n)
    times = MIDNIGHT - 3 * INTERVAL_MS + np.cumsum(steps)
    if rng.random() < 0.3:
        times = times // INTERVAL_MS * INTERVAL_MS
        times = np.unique(times)
        n = len(times)
    limit = float(rng.choice([10.0, 500.0]))
    hours = np.diff(times, prepend=times[0]) / 3.6e6
    value = np.cumsum(rng.random(n) * limit * hours * 0.9)
    kinds = rng.choice(5, n, p=[1 - (p := float(rng.choice([0.0, 0.02, 0.2]))) * 4, p, p, p, p])
    value = np.where(kinds == 1, value * rng.random(n), value)
    value = np.where(kinds == 2, value + rng.random(n) * 1e5, value)
    value = np.where(kinds == 3, 0.0, value)
    for reset in np.flatnonzero(kinds == 4):
        value[reset:] -= value[reset] * rng.random()
    modulus = float(np.round(value.max() * rng.random() + 10, 1)) if rng.random() < 0.5 else None
    if modulus is not None:
        value = value % modulus
    resolution = float(rng.choice([0.0, 0.01, 1.0]))
    if resolution:
        value = np.round(value / resolution) * resolution
    quality = rng.choice([0, 1, 2, 3, 4, 5, 6, 7], n, p=[0.93, *[0.01] * 7])
    episodes = tuple(
        Episode(
            at_ms=int(rng.choice([int(rng.choice(times)), int(rng.integers(times[0] - DAY_MS, times[-1] + 1))])),
            ratio=float(rng.choice([1.0, 40.0, 0.1])),
            limit_per_h=None if rng.random() < 0.5 else limit * 2,
            end_reading=None if rng.random() < 0.5 else float(value[rng.integers(n)]),
            start_reading=None if rng.random() < 0.5 else float(value[rng.integers(n)]),
        )
        for _ in range(int(rng.integers(0, 4)))
    )
    corrections = tuple(
        Correction(
            kind=("exclude", "boundary")[int(rng.integers(2))],
            from_ms=(at := int(rng.choice(times))),
            to_ms=at + int(rng.integers(0, 10)) * period,
            start_reading=None if rng.random() < 0.5 else 0.0,
        )
        for _ in range(int(rng.integers(0, 3)))
    )
    limits = Limits(period, None if rng.random() < 0.2 else limit, resolution, modulus)
    return History(Readings.of(times, value, quality), episodes, corrections, limits)


def bytes_of(result: ScanResult) -> tuple[object, ...]:
    """A result as bytes; boundaries and questions by their key, as they are stored."""
    return (
        result.intervals.to_bytes(),
        sorted(json.dumps(boundary) for boundary in result.boundaries),
        sorted(json.dumps([q.at_ms, q.kind, q.document]) for q in result.questions),
        result.state.to_bytes(),
        [(at, state.to_bytes()) for at, state in result.checkpoints],
    )


def scanned_in_parts(history: History, cuts: Sequence[int], state: ScanState | None = None) -> ScanResult:
    """Scan batch by batch, storing between them as the database does: later replaces earlier, states as bytes."""
    results: list[ScanResult] = []
    edges = [0, *sorted(cuts), len(history.readings)]
    for low, high in itertools.pairwise(edges):
        result = history.scan(history.readings.take(slice(low, high)), state)
        state = ScanState.from_bytes(result.state.to_bytes())
        results.append(result)
    return stored(results)


def stored(results: Sequence[ScanResult]) -> ScanResult:
    boundaries = {(b.at_ms, b.kind): b for result in results for b in result.boundaries}
    questions = {(q.at_ms, q.kind): q for result in results for q in result.questions}
    return ScanResult(
        Intervals.merge(result.intervals for result in results),
        tuple(boundaries[key] for key in sorted(boundaries)),
        tuple(questions[key] for key in sorted(questions)),
        results[-1].state,
        tuple(checkpoint for result in results for checkpoint in result.checkpoints),
    )


@given(SEEDS, st.data())
@settings(max_examples=150)
def test_any_split_gives_the_same_bytes(seed: int, data: st.DataObject) -> None:
    history = messy(seed)
    whole = history.scan()
    cuts = data.draw(st.lists(st.integers(0, len(history.readings)), max_size=6))
    assert bytes_of(scanned_in_parts(history, cuts)) == bytes_of(stored([whole]))


@given(SEEDS)
@settings(max_examples=60)
def test_reading_by_reading_gives_the_same_bytes(seed: int) -> None:
    history = messy(seed)
    one_by_one = scanned_in_parts(history, range(len(history.readings)))
    assert bytes_of(one_by_one) == bytes_of(stored([history.scan()]))


@given(SEEDS, SEEDS)
@settings(max_examples=60)
def test_any_order_and_any_duplication_give_the_same_bytes(seed: int, shuffle: int) -> None:
    history = messy(seed)
    rng = np.random.default_rng(shuffle)
    n = len(history.readings)
    picked = rng.permutation(np.concatenate([np.arange(n), rng.integers(0, n, n)]))
    loose = Readings.from_unsorted(
        history.readings.time_ms[picked], history.readings.value[picked], history.readings.quality[picked]
    )
    assert bytes_of(history.scan(loose)) == bytes_of(history.scan())


@given(SEEDS)
@settings(max_examples=100)
def test_every_checkpoint_leads_to_the_same_result(seed: int) -> None:
    history = messy(seed)
    whole = history.scan()
    for midnight, state in whole.checkpoints:
        later = history.readings.take(history.readings.time_ms >= midnight)
        again = history.scan(later, state)
        start, opened = state.interval_start_ms, state.open_ms
        assert start is not None
        assert opened is not None
        assert whole.intervals.take(whole.intervals.start_ms >= start).to_bytes() == again.intervals.to_bytes()
        assert [b for b in whole.boundaries if b.at_ms >= opened] == list(again.boundaries)
        assert [q for q in whole.questions if q.at_ms >= opened] == list(again.questions)
        assert [c for c in whole.checkpoints if c[0] >= midnight] == list(again.checkpoints)
        assert again.state == whole.state


@given(SEEDS)
@settings(max_examples=60)
def test_a_checkpoint_is_the_state_after_all_readings_before_midnight(seed: int) -> None:
    history = messy(seed)
    for midnight, state in history.scan().checkpoints:
        earlier = history.readings.take(history.readings.time_ms < midnight)
        assert history.scan(earlier).state == state


@given(SEEDS)
@settings(max_examples=150)
def test_one_by_one_and_in_blocks_are_the_same(seed: int) -> None:
    history = messy(seed)

    def forced(few: int, run: int, parts: int) -> tuple[object, ...]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scan_module, "FEW_READINGS", few)
            patch.setattr(scan_module, "RUN_READINGS", run)
            patch.setattr(segments, "SMALL_PARTS", parts)
            return bytes_of(history.scan())

    assert forced(10**9, 10**9, 10**9) == forced(0, 1, 0)


@given(SEEDS)
@settings(max_examples=100)
def test_a_counter_never_gives_a_negative_interval_and_coverage_is_a_part(seed: int) -> None:
    intervals = messy(seed).scan().intervals
    assert (intervals.amount_micro >= 0).all()
    assert ((intervals.coverage >= 0) & (intervals.coverage <= 1)).all()
    assert ((intervals.measured_ms >= 0) & (intervals.measured_ms <= INTERVAL_MS)).all()
    assert (intervals.start_ms % INTERVAL_MS == 0).all()
    assert (np.diff(intervals.start_ms) == INTERVAL_MS).all()
    assert (intervals.amount_micro[intervals.coverage == 0] == 0).all()


@dataclass(frozen=True)
class Truth:
    """A meter whose energy is known: registers as shown, and what must come out."""

    history: History
    total_micro: int
    begins: int
    ends: int


def truth(seed: int, *, modulus: float | None = None, exchanges: int = 0, n: int = 120) -> Truth:
    """A power profile counted by meters with rollovers and declared exchanges; registers in steps of 0.01."""
    rng = np.random.default_rng(seed)
    period = 900_000
    times = MIDNIGHT + np.cumsum(np.full(n, period) + rng.integers(-20_000, 20_000, n))
    limit = 1000.0
    energy_steps = rng.integers(0, 18_000, n)  # at most 180 kWh in about 15 min: 72 % of the limit
    ratio = float(rng.choice([1.0, 30.0, 1000.0]))
    shown = np.zeros(n)
    modulus_steps = None if modulus is None else round(modulus * 100)
    register, total_steps = int(rng.integers(1_000_000, 9_000_000)) % (modulus_steps or 10**9), 0
    swaps = set((rng.choice(np.arange(2, n - 2), exchanges, replace=False)).tolist()) if exchanges else set()
    episodes = [Episode(int(times[0]) - 1, ratio=ratio)]
    for i in range(n):
        moved = int(energy_steps[i]) if i else 0
        if i in swaps:  # half of the energy before the exchange, half after
            end = register + moved // 2
            start = int(rng.integers(0, 500_000))
            if modulus_steps is not None:
                end, start = end % modulus_steps, start % modulus_steps
            at = int(times[i]) - period // 2
            episodes.append(Episode(at, ratio=ratio, end_reading=end / 100, start_reading=start / 100))
            register = start + moved - moved // 2
        else:
            register += moved
        total_steps += moved
        if modulus_steps is not None:
            register %= modulus_steps
        shown[i] = register / 100
    limits = Limits(period, limit, 0.01, modulus)
    history = History(Readings.of(times, shown), tuple(episodes), (), limits)
    return Truth(history, total_steps * 10_000 * round(ratio), int(times[0]), int(times[-1]))


@given(SEEDS, st.sampled_from([None, 2_000.0, 99_999.99]), st.integers(0, 3))
@settings(max_examples=150)
def test_total_is_the_register_difference_corrected_by_rollovers_and_episodes(
    seed: int, modulus: float | None, exchanges: int
) -> None:
    known = truth(seed, modulus=modulus, exchanges=exchanges)
    result = known.history.scan()
    assert result.intervals.total_micro == known.total_micro
    assert not result.questions
    assert int(result.intervals.measured_ms.sum()) == known.ends - known.begins
    assert (result.intervals.method == Method.MEASURED).all()


@given(SEEDS, SEEDS)
@settings(max_examples=100)
def test_an_outage_loses_no_energy(seed: int, gap: int) -> None:
    known = truth(seed, modulus=50_000.0)
    rng = np.random.default_rng(gap)
    n = len(known.history.readings)
    keep = np.ones(n, np.bool_)
    begin = int(rng.integers(1, n - 2))
    keep[begin : int(rng.integers(begin, n - 1))] = False
    result = known.history.scan(known.history.readings.take(keep))
    assert result.intervals.total_micro == known.total_micro
    assert not result.questions


def glitched(known: Truth, seed: int) -> Readings:
    """Readings with nonsense between them, alone or two in a row, and often an outage after it."""
    rng = np.random.default_rng(seed)
    readings = known.history.readings
    extra_time, extra_value = [], []
    keep = np.ones(len(readings), np.bool_)
    at = 2
    while at < len(readings) - 8:
        at += int(rng.integers(8, 30))
        if at >= len(readings) - 8:
            break
        here, line = int(readings.time_ms[at]), float(readings.value[at])
        nonsense = float(rng.choice([0.0, line * 0.5, line + 5e4, 4e9]))
        for k in range(int(rng.integers(1, 3))):
            extra_time.append(here + 1_000 * (k + 1))
            extra_value.append(nonsense)
        if rng.random() < 0.3:
            keep[at + 1 : at + 1 + int(rng.integers(0, 5))] = False
    kept = readings.take(keep)
    return Readings.concatenate((kept, Readings.of(np.array(extra_time, np.int64), np.array(extra_value))))


@given(SEEDS, SEEDS)
@settings(max_examples=150)
def test_glitches_change_nothing(seed: int, noise: int) -> None:
    known = truth(seed)
    with_noise = glitched(known, noise)
    clean = with_noise.take(np.isin(with_noise.time_ms, known.history.readings.time_ms))
    result, expected = known.history.scan(with_noise), known.history.scan(clean)
    assert result.intervals.to_bytes() == expected.intervals.to_bytes()
    assert result.intervals.total_micro == known.total_micro
    assert result.state == expected.state
    assert {b.kind for b in result.boundaries} <= {"glitch"}
    assert len(result.boundaries) == len(with_noise) - len(clean)


@given(SEEDS, SEEDS, st.lists(st.integers(0, 120), max_size=5))
@settings(max_examples=100)
def test_random_truth_shuffled_repeated_and_batched_is_exact(seed: int, noise: int, cuts: list[int]) -> None:
    known = truth(seed, exchanges=2)
    rng = np.random.default_rng(noise)
    n = len(known.history.readings)
    keep = rng.random(n) < 0.8
    keep[[0, -1]] = True
    kept = known.history.readings.take(keep)
    picked = rng.permutation(np.concatenate([np.arange(len(kept)), rng.integers(0, len(kept), 20)]))
    loose = Readings.from_unsorted(kept.time_ms[picked], kept.value[picked])
    history = History(loose, known.history.episodes, (), known.history.limits)
    result = scanned_in_parts(history, [cut for cut in cuts if cut <= len(loose)])
    assert result.intervals.total_micro == known.total_micro


@given(SEEDS, st.sampled_from([2, 30, 1000]))
@settings(max_examples=60)
def test_ratio_is_linear(seed: int, ratio: int) -> None:
    known = truth(seed, modulus=50_000.0).history
    single = scan(known.readings, (Episode(0),), (), known.limits).intervals
    scaled = scan(known.readings, (Episode(0, ratio=float(ratio)),), (), known.limits).intervals
    assert scaled.total_micro == ratio * single.total_micro
    assert np.abs(scaled.amount_micro - ratio * single.amount_micro).max() <= ratio + 1


@given(SEEDS)
@settings(max_examples=30)
def test_sign_mirrors(seed: int) -> None:
    known = truth(seed).history
    plus = scan(known.readings, (Episode(0),), (), known.limits).intervals
    minus = scan(known.readings, (Episode(0, sign=-1),), (), known.limits).intervals
    assert (minus.amount_micro == -plus.amount_micro).all()
    assert (minus.method == plus.method).all()


@given(SEEDS)
@settings(max_examples=60)
def test_any_closed_span_is_the_difference_of_its_registers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 200
    times = MIDNIGHT + INTERVAL_MS * np.cumsum(rng.integers(1, 4, n))
    value = np.cumsum(rng.random(n) * 100)
    intervals = scan(Readings.of(times, value), (Episode(0, ratio=7.5),), (), Limits(900_000)).intervals
    low, high = sorted(rng.choice(n, 2, replace=False).tolist())
    span = intervals.between(int(times[low]), int(times[high])).total_micro
    assert span == round(7.5e6 * float(value[high])) - round(7.5e6 * float(value[low]))


@pytest.mark.parametrize("few", [0, 10**9])
def test_large_registers_and_ratios_stay_exact_integers(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "FEW_READINGS", few)
    times = MIDNIGHT + np.array([0, 3, 9_000, 9_001]) * INTERVAL_MS
    value = [0.0, 1.5, 99_999_999.99, 1e8]
    result = scan(Readings.of(times, value), (Episode(0, ratio=1000.0),), (), Limits(900_000))
    assert result.intervals.total_micro == 10**17
    assert (result.intervals.amount_micro >= 0).all()
    assert ScanState.from_bytes(result.state.to_bytes()) == result.state


def test_the_laws_meet_every_rule() -> None:
    """The arbitrary histories are worth something: they reach every kind of boundary, question and method."""
    results = [messy(seed).scan() for seed in range(300)]
    assert {b.kind for r in results for b in r.boundaries} == {"declared", "rollover", "inferred", "glitch"}
    assert {q.kind for r in results for q in r.questions} == {
        "inferred_boundary",
        "declared_reading",
        "implausible",
    }
    assert {int(m) for r in results for m in r.intervals.method} == {int(m) for m in Method}
    assert any(r.state.pending for r in results)
    assert any(state.pending for r in results for _, state in r.checkpoints)
    assert any(state.partial.known_ms for r in results for _, state in r.checkpoints)
