"""What an observation does to an alarm: the phases, in event time alone.

The same observations give the same phases whenever they are judged, in one go or one by one, before or after a restart.
An alarm begins to fire with the first observation beyond `on` at least `for_ms` after the first of an unbroken run of
such; it is over with the first observation clear of `off` at least `keep_firing_ms` after the first of an unbroken run
of such. What lies between the limits breaks either run and changes nothing else. No data is no evidence: with `no_data`
at `keep` it neither makes a run longer nor breaks it.

References:
    Prometheus alerting rules, `for` and `keep_firing_for`; Grafana recovery threshold.
"""

import enum
from collections.abc import Sequence
from dataclasses import replace

from .types import AlarmState, Episode, Historical, Level, Observation, Phase, Policy


class Event(enum.Enum):
    """What an observation brought about, beyond a change of phase."""

    NOTHING = enum.auto()
    FIRED = enum.auto()
    RESOLVED = enum.auto()


def step(policy: Policy, state: AlarmState, seen: Observation) -> tuple[AlarmState, Event, Episode | None]:
    """Judge one observation that is newer than the watermark.

    Args:
        policy: of the rule.
        state: before.
        seen: the observation.

    Returns:
        State after, what happened, and the episode it happened to.
    """
    level = _level(policy, seen)
    if level is Level.UNKNOWN:
        return replace(state, seen_ms=seen.at_ms), Event.NOTHING, state.episode
    if state.episode is None:
        return _quiet(policy, state, seen, level)
    if state.phase is Phase.PENDING:
        return _pending(policy, state, state.episode, seen, level)
    return _standing(policy, state, state.episode, seen, level)


def late(
    policy: Policy,
    state: AlarmState,
    seen: Sequence[Observation],
    known: Sequence[tuple[int, int | None]] = (),
) -> tuple[Historical, ...]:
    """Episodes in observations that came late: they go into the list as past, and nobody is told.

    Observations from the begin of the open episode on say nothing new. An episode whose end was not seen ends, as far
    as is known, with the last observation beyond the limit.

    Args:
        policy: of the rule.
        state: as it stands; it does not change.
        seen: observations, in any order; better too many than too few: a run is judged from its begin.
        known: begin and end [ms UTC] of episodes already in the list; what overlaps one is not found again.

    Returns:
        New ones, oldest first.
    """
    before_ms = state.episode.from_ms if state.episode is not None else None
    past = AlarmState(state.subject, seen_ms=-1)
    found: list[Historical] = []
    last_beyond_ms = 0
    for observation in sorted(seen, key=_moment):
        if observation.at_ms <= past.seen_ms or (before_ms is not None and observation.at_ms >= before_ms):
            continue
        past, event, episode = step(policy, past, observation)
        if _level(policy, observation) is Level.BEYOND:
            last_beyond_ms = observation.at_ms
        if event is Event.RESOLVED and episode is not None:
            found.append(_historical(state.subject, episode, observation.at_ms))
    if past.episode is not None and past.episode.fired_ms is not None:
        found.append(_historical(state.subject, past.episode, last_beyond_ms))
    return tuple(one for one in found if not any(_overlap(one, begin, end) for begin, end in known))


def _moment(observation: Observation) -> int:
    return observation.at_ms


def _historical(subject: str, episode: Episode, resolved_ms: int) -> Historical:
    return Historical(subject, replace(episode, late=True), resolved_ms)


def _overlap(one: Historical, begin_ms: int, end_ms: int | None) -> bool:
    resolved_ms = one.resolved_ms
    return (end_ms is None or one.episode.from_ms <= end_ms) and (resolved_ms is None or begin_ms <= resolved_ms)


def _level(policy: Policy, seen: Observation) -> Level:
    """What an observation counts as."""
    if seen.level is not Level.UNKNOWN or policy.no_data == "keep":
        return seen.level
    return Level.BEYOND if policy.no_data == "alarm" else Level.CLEAR


def _quiet(
    policy: Policy, state: AlarmState, seen: Observation, level: Level
) -> tuple[AlarmState, Event, Episode | None]:
    if level is not Level.BEYOND:
        return replace(state, seen_ms=seen.at_ms), Event.NOTHING, None
    episode = Episode(from_ms=seen.at_ms, worst=seen.value, last=seen)
    begun = replace(state, phase=Phase.PENDING, since_ms=seen.at_ms, seen_ms=seen.at_ms, episode=episode)
    return _fire(begun, episode, seen) if policy.for_ms <= 0 else (begun, Event.NOTHING, episode)


def _pending(
    policy: Policy, state: AlarmState, episode: Episode, seen: Observation, level: Level
) -> tuple[AlarmState, Event, Episode | None]:
    if level is not Level.BEYOND:
        over = replace(state, phase=Phase.NORMAL, since_ms=seen.at_ms, seen_ms=seen.at_ms, episode=None)
        return over, Event.NOTHING, None
    episode = _looked_at(episode, seen, level)
    if seen.at_ms - state.since_ms >= policy.for_ms:
        return _fire(state, episode, seen)
    return replace(state, seen_ms=seen.at_ms, episode=episode), Event.NOTHING, episode


def _fire(state: AlarmState, episode: Episode, seen: Observation) -> tuple[AlarmState, Event, Episode | None]:
    episode = replace(episode, fired_ms=seen.at_ms)
    fired = replace(state, phase=Phase.FIRING, since_ms=seen.at_ms, seen_ms=seen.at_ms, episode=episode)
    return fired, Event.FIRED, episode


def _standing(
    policy: Policy, state: AlarmState, episode: Episode, seen: Observation, level: Level
) -> tuple[AlarmState, Event, Episode | None]:
    episode = _looked_at(episode, seen, level)
    phase, since_ms = state.phase, state.since_ms
    if level is not Level.CLEAR:
        if phase is Phase.RECOVERING:
            phase, since_ms = Phase.FIRING, seen.at_ms
        return _moved(state, phase, since_ms, seen, episode), Event.NOTHING, episode
    if phase is not Phase.RECOVERING:
        phase, since_ms = Phase.RECOVERING, seen.at_ms
    if seen.at_ms - since_ms >= policy.keep_firing_ms:
        return _moved(state, Phase.NORMAL, seen.at_ms, seen, None), Event.RESOLVED, episode
    return _moved(state, phase, since_ms, seen, episode), Event.NOTHING, episode


def _moved(state: AlarmState, phase: Phase, since_ms: int, seen: Observation, episode: Episode | None) -> AlarmState:
    return replace(state, phase=phase, since_ms=since_ms, seen_ms=seen.at_ms, episode=episode)


def _looked_at(episode: Episode, seen: Observation, level: Level) -> Episode:
    """The episode after one more observation."""
    worst = _worse(episode.worst, seen) if level is Level.BEYOND else episode.worst
    return replace(episode, last=seen, worst=worst)


def _worse(worst: float | None, seen: Observation) -> float | None:
    """The value farther beyond the limit; without a limit the newer one."""
    if seen.value is None:
        return worst
    if worst is None or seen.limit is None:
        return seen.value
    return seen.value if abs(seen.value - seen.limit) > abs(worst - seen.limit) else worst
