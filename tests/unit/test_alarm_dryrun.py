"""A rule against the past: the same episodes as the alarms process would have had."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.alarm.kinds.base import Compiled, Kind, Limit, Scene
from parkcarbon.alarm.rules.document import Rule
from parkcarbon.alarm.rules.dryrun import MAX_PAST_MS, DryRun, dry_run, try_rule
from parkcarbon.catalog.terms import Name
from parkcarbon.domain.alarm.decide import decide
from parkcarbon.domain.alarm.report import Past, report
from parkcarbon.domain.alarm.types import (
    MINUTE_MS,
    AlarmState,
    Historical,
    Level,
    NoData,
    Observation,
    Opened,
    Policy,
    Resolved,
    Said,
)
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel

START_MS = 1_790_000_000_000
LIMIT = Limit(950, 900, "above", "kW")


def at(minute: float) -> int:
    return START_MS + round(minute * MINUTE_MS)


def compiled(*subjects: str, for_min: int = 0, keep_min: int = 0, no_data: NoData = "keep") -> Compiled:
    rule = Rule(rule="load", kind="threshold", name=Name(zh="负荷", en="load"), of=("load",), on="950 kW")
    policy = Policy(
        "load", "threshold", for_ms=for_min * MINUTE_MS, keep_firing_ms=keep_min * MINUTE_MS, no_data=no_data
    )
    return Compiled(rule, policy, LIMIT, subjects or ("park",))


def seen(minute: float, value: float | None, subject: str = "park") -> Observation:
    return Observation(subject, at(minute), LIMIT.level(value), value, LIMIT.on, Said(f"{value} 千瓦", f"{value} kW"))


def test_how_often_and_how_long_it_would_have_fired() -> None:
    day = [(0, 800), (10, 960), (12, 990), (20, 899), (30, 940), (40, 951), (41, 880), (50, 970)]
    run = dry_run(compiled(), [seen(*one) for one in day], at(0), at(60))
    assert (run.times, run.seen, run.unit) == (3, 8, "kW")
    assert [(one.fired_ms, one.resolved_ms) for one in run.episodes] == [
        (at(10), at(20)),
        (at(40), at(41)),
        (at(50), None),
    ]
    assert run.fired_ms == 21 * MINUTE_MS
    assert run.longest_ms == 10 * MINUTE_MS
    assert [one.worst for one in run.episodes] == [990, 951, 970]
    assert run.episodes[0].reason.en == "990 kW"


def test_a_longer_wait_would_have_spared_them() -> None:
    history = [seen(minute, 960 if minute % 10 < 3 else 800) for minute in range(100)]
    assert [dry_run(compiled(for_min=wait), history).times for wait in (0, 2, 3)] == [10, 10, 0]
    assert dry_run(compiled(keep_min=8), history).times == 1


def test_each_subject_by_itself_the_worst_first() -> None:
    history = [
        *(seen(minute, 960 if minute % 2 else 800, "point:a/p") for minute in range(6)),
        *(seen(minute, 960 if minute > 1 else None, "point:b/p") for minute in range(6)),
    ]
    run = dry_run(compiled("point:a/p", "point:b/p", "point:c/p"), history)
    assert [(one.subject, one.times, one.seen, one.unknown) for one in run.subjects] == [
        ("point:a/p", 3, 6, 0),
        ("point:b/p", 1, 6, 2),
        ("point:c/p", 0, 0, 0),
    ]
    assert [one.subject[6] for one in run.episodes] == ["a", "b", "a", "a"]
    assert (run.from_ms, run.to_ms) == (at(0), at(5))


def test_no_data_counts_as_the_rule_says() -> None:
    history = [seen(0, 800), seen(1, None), seen(2, 800)]
    assert [dry_run(compiled(no_data=no_data), history).times for no_data in ("keep", "ok", "alarm")] == [0, 0, 1]


def test_a_past_of_which_nothing_is_known() -> None:
    run = dry_run(compiled(), [])
    assert (run.times, run.seen, run.longest_ms, run.episodes) == (0, 0, 0, ())


@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from([960.0, 960.0, 920.0, 800.0, None])), max_size=60),
    st.integers(0, 10),
    st.integers(0, 10),
)
def test_the_same_as_the_alarms_process_would_have_had(
    steps: list[tuple[int, float | None]], for_min: int, keep_min: int
) -> None:
    rule = compiled(for_min=for_min, keep_min=keep_min)
    minute, history = 0, []
    for gap, value in steps:
        minute += gap
        history.append(seen(minute, value))
    state, ends = AlarmState("park"), list[tuple[int, int | None]]()
    for one in history:
        decision = decide(rule.policy, state, [one], one.at_ms)
        state = decision.state
        for action in decision.actions:
            if isinstance(action, Opened):
                ends.append((action.episode.fired_ms or 0, None))
            elif isinstance(action, Resolved):
                ends[-1] = (ends[-1][0], action.at_ms)
            elif isinstance(action, Historical):
                ends.append((action.episode.fired_ms or 0, action.resolved_ms))
    run = dry_run(rule, list(reversed(history)))
    assert [(one.fired_ms, one.resolved_ms) for one in run.episodes] == ends


# ── through a kind ──────────────────────────────────────────────────────────────────────────────


def observe(_rule: Compiled, _scene: Scene) -> list[Observation]:
    return []


def kind(*, past: Sequence[Observation] | None, why: str = "") -> Kind:
    async def history(
        _session: Session, _model: ParkModel, _rule: Compiled, from_ms: int, to_ms: int
    ) -> list[Observation]:
        return [one for one in past or () if from_ms <= one.at_ms < to_ms]

    return Kind(
        "threshold",
        "figure",
        "kW",
        "above",
        None,
        None,
        0,
        observe,
        history=history if past is not None else None,
        no_history=why,
    )


def tried(of: Kind, from_ms: int, to_ms: int) -> DryRun:
    nothing = cast("Any", None)  # the kinds here read no database
    return asyncio.run(try_rule(nothing, nothing, compiled(), of, from_ms, to_ms))


def test_the_past_that_is_asked_for() -> None:
    past = [seen(minute, 960 if minute % 10 == 5 else 800) for minute in range(100)]
    run = tried(kind(past=past), at(20), at(50))
    assert (run.times, run.from_ms, run.to_ms, run.seen) == (3, at(20), at(50), 30)


@pytest.mark.parametrize(
    ("of", "length_ms", "message"),
    [
        (
            kind(past=None, why="the state of an outbox is not kept"),
            1,
            "cannot be tried: the state of an outbox is not kept",
        ),
        (kind(past=None), 1, "it knows no past"),
        (kind(past=[]), 0, "from is not before to"),
        (kind(past=[]), 3653 * 24 * 60 * MINUTE_MS, "at most 400 days, not 3653"),
    ],
)
def test_pasts_that_are_refused(of: Kind, length_ms: int, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        tried(of, START_MS, START_MS + length_ms)


def test_four_hundred_days_are_allowed() -> None:
    assert tried(kind(past=[]), START_MS, START_MS + MAX_PAST_MS).times == 0


def test_levels_are_those_of_the_limit() -> None:
    assert [seen(0, value).level for value in (950.0, 950.1, 900.0)] == [Level.BETWEEN, Level.BEYOND, Level.CLEAR]


# ── a month of a noisy load ─────────────────────────────────────────────────────────────────────

MINUTES = 30 * 24 * 60


def month(seed: int) -> tuple[list[float], list[int]]:
    """A load near its limit every working afternoon, with noise, short peaks of starting motors, and true overloads.

    Returns:
        Load by minute [kW]; minutes in which an overload of 30 min begins.
    """
    chance = np.random.default_rng(seed)
    minute = np.arange(MINUTES)
    load = 650 + 260 * np.clip(np.sin((minute / 1440 - 0.25) * 2 * np.pi), 0, 1)
    noise = chance.normal(0, 1, MINUTES)
    for lag in range(1, MINUTES):
        noise[lag] += 0.6 * noise[lag - 1]
    load = load + 12 * noise
    load[chance.integers(0, MINUTES, 60)] += 200
    begins = [day * 1440 + 900 for day in (2, 9, 10, 23)]
    for begin in begins:
        load[begin : begin + 30] = 1040 + 4 * noise[begin : begin + 30]
    return [float(one) for one in load], begins


@pytest.mark.parametrize("seed", range(2))
def test_a_month_of_noise_gives_the_true_alarms_and_no_chatter(seed: int) -> None:
    load, begins = month(seed)
    history = [seen(minute, value) for minute, value in enumerate(load)]
    waits = compiled(for_min=5, keep_min=2)
    run = dry_run(waits, history)
    found = [round((one.from_ms - START_MS) / MINUTE_MS) for one in run.episodes]
    assert found == begins, "every overload, and nothing else"
    pasts = [Past("load", "park", "medium", one.fired_ms, one.resolved_ms) for one in run.episodes]
    told = report(pasts, at(0), at(MINUTES), at(MINUTES))
    assert (told.chattering, told.floods, told.standing) == ((), (), ())

    bare = replace(
        waits, policy=replace(waits.policy, for_ms=0, keep_firing_ms=0), limit=Limit(950, 950, "above", "kW")
    )
    levels = [replace(one, level=Limit(950, 950, "above", "kW").level(one.value)) for one in history]
    assert dry_run(bare, levels).times > 5 * len(begins), "without hysteresis and delay the same month is noise"
