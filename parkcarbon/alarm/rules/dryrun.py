"""A rule against the past, before it goes live: "would have fired 3 times last month".

The past goes through the same steps as the present (`parkcarbon.domain.alarm.steps`), so a dry run and the alarms
process give the same episodes for the same readings.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from parkcarbon.alarm.kinds.base import Compiled, Kind
from parkcarbon.domain.alarm.steps import Event, step
from parkcarbon.domain.alarm.types import MINUTE_MS, AlarmState, Episode, Level, Observation, Said
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel

MAX_PAST_MS: Final = 400 * 24 * 60 * MINUTE_MS
"""Longest past that a rule is tried against."""

_QUIET: Final = frozenset({Level.CLEAR, Level.BETWEEN})


@dataclass(frozen=True, slots=True)
class Tried:
    """An episode that the rule would have had.

    Attributes:
        subject: of it.
        from_ms: first moment beyond the limit [ms UTC].
        fired_ms: when it would have fired [ms UTC].
        resolved_ms: when it would have been over [ms UTC]; None: it stood at the end.
        worst: value farthest beyond the limit.
        limit: held against.
        reason: why, of its newest moment beyond the limit.
    """

    subject: str
    from_ms: int
    fired_ms: int
    resolved_ms: int | None
    worst: float | None
    limit: float | None
    reason: Said


@dataclass(frozen=True, slots=True)
class TriedSubject:
    """What the rule would have done with one subject.

    Attributes:
        subject: watched.
        times: that it would have fired.
        fired_ms: how long in all [ms].
        longest_ms: the longest of them [ms].
        seen: observations there were; 0: the past says nothing of it.
        unknown: of them without data.
    """

    subject: str
    times: int
    fired_ms: int
    longest_ms: int
    seen: int
    unknown: int


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a rule would have done.

    Attributes:
        rule: id.
        kind: of it.
        unit: of values and limit; "" for a kind without a limit.
        from_ms: first moment looked at [ms UTC].
        to_ms: end, exclusive [ms UTC].
        episodes: that it would have had, in the order in which they would have fired.
        subjects: all that it watches, most alarms first.
    """

    rule: str
    kind: str
    unit: str
    from_ms: int
    to_ms: int
    episodes: tuple[Tried, ...]
    subjects: tuple[TriedSubject, ...]

    @property
    def times(self) -> int:
        """How often it would have fired."""
        return len(self.episodes)

    @property
    def seen(self) -> int:
        """Observations there were; 0: nothing is known of that past."""
        return sum(one.seen for one in self.subjects)

    @property
    def fired_ms(self) -> int:
        """How long in all [ms]."""
        return sum(one.fired_ms for one in self.subjects)

    @property
    def longest_ms(self) -> int:
        """The longest of them [ms]."""
        return max((one.longest_ms for one in self.subjects), default=0)


def dry_run(
    rule: Compiled, observations: Sequence[Observation], from_ms: int | None = None, to_ms: int | None = None
) -> DryRun:
    """What a rule would have done with a past.

    Args:
        rule: checked.
        observations: of all its subjects, in any order; of two of one moment the first counts.
        from_ms: begin of the past [ms UTC]; None: the oldest observation.
        to_ms: end of it, exclusive [ms UTC]; what stands then is counted until then; None: the newest one.
    """
    by_subject: dict[str, list[Observation]] = {subject: [] for subject in rule.subjects}
    for one in sorted(observations, key=_moment):
        by_subject.setdefault(one.subject, []).append(one)
    moments = [seen[place].at_ms for seen in by_subject.values() if seen for place in (0, -1)]
    begin_ms = min(moments, default=0) if from_ms is None else from_ms
    end_ms = max(moments, default=begin_ms) if to_ms is None else to_ms
    episodes = {subject: _episodes(rule, subject, seen) for subject, seen in by_subject.items()}
    subjects = [_subject(subject, episodes[subject], by_subject, end_ms) for subject in by_subject]
    return DryRun(
        rule=rule.rule.rule,
        kind=rule.rule.kind,
        unit=rule.limit.unit if rule.limit is not None else "",
        from_ms=begin_ms,
        to_ms=end_ms,
        episodes=tuple(sorted((one for found in episodes.values() for one in found), key=_fired)),
        subjects=tuple(sorted(subjects, key=lambda one: (-one.times, -one.fired_ms, one.subject))),
    )


async def try_rule(  # noqa: PLR0917 - where, what, when
    session: Session, model: ParkModel, compiled: Compiled, kind: Kind, from_ms: int, to_ms: int
) -> DryRun:
    """Try a rule against a park's past.

    Args:
        session: to read with; nothing is written.
        model: the park.
        compiled: the rule, checked; it need not be applied.
        kind: of it.
        from_ms: first moment [ms UTC].
        to_ms: end, exclusive [ms UTC]; at most 400 days later.

    Raises:
        RefusedError: the kind knows no past, or the past asked for is none.
    """
    if kind.history is None:
        raise RefusedError("", f"rule {compiled.rule.rule} cannot be tried: {kind.no_history or 'it knows no past'}")
    if to_ms <= from_ms:
        raise RefusedError("", "a past ends after it begins: from is not before to")
    if to_ms - from_ms > MAX_PAST_MS:
        days = (to_ms - from_ms) / (24 * 60 * MINUTE_MS)
        raise RefusedError("", f"a rule is tried against at most 400 days, not {days:.0f}")
    observations = await kind.history(session, model, compiled, from_ms, to_ms)
    return await asyncio.to_thread(dry_run, compiled, observations, from_ms, to_ms)


def _moment(observation: Observation) -> int:
    return observation.at_ms


def _fired(tried: Tried) -> tuple[int, str]:
    return tried.fired_ms, tried.subject


def _episodes(rule: Compiled, subject: str, seen: Sequence[Observation]) -> list[Tried]:
    """Episodes of one subject; observations ascending."""
    state = AlarmState(subject)
    found = []
    last_ms: int | None = None
    beyond: Observation | None = None
    for one in seen:
        if last_ms is not None and one.at_ms <= last_ms:
            continue
        last_ms = one.at_ms
        if state.episode is None and one.level in _QUIET:
            continue
        state, event, episode = step(rule.policy, state, one)
        if one.level is Level.BEYOND or event is Event.FIRED:
            beyond = one
        if event is Event.RESOLVED and episode is not None and beyond is not None:
            found.append(_tried(subject, episode, beyond, one.at_ms))
    if state.episode is not None and state.episode.fired_ms is not None and beyond is not None:
        found.append(_tried(subject, state.episode, beyond, None))
    return found


def _tried(subject: str, episode: Episode, beyond: Observation, resolved_ms: int | None) -> Tried:
    fired_ms = episode.from_ms if episode.fired_ms is None else episode.fired_ms
    return Tried(subject, episode.from_ms, fired_ms, resolved_ms, episode.worst, beyond.limit, beyond.reason)


def _subject(
    subject: str, episodes: Sequence[Tried], seen: Mapping[str, Sequence[Observation]], end_ms: int
) -> TriedSubject:
    spans = [(end_ms if one.resolved_ms is None else one.resolved_ms) - one.fired_ms for one in episodes]
    return TriedSubject(
        subject=subject,
        times=len(episodes),
        fired_ms=sum(spans),
        longest_ms=max(spans, default=0),
        seen=len(seen[subject]),
        unknown=sum(one.level is Level.UNKNOWN for one in seen[subject]),
    )
