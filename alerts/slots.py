"""What is remembered of each rule and subject between two looks, and where it came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from parkcarbon.alarm.kinds.base import Compiled
from parkcarbon.alarm.store import Held, Pair
from parkcarbon.domain.alarm.types import AlarmState, Labels, Level, Observation, Phase

OVERLAP_MS: Final = 60_000
"""Readings of so long before the last evaluator was last heard of are judged again [ms]: it may not have seen them."""
_QUIET: Final = frozenset({Level.CLEAR, Level.BETWEEN})


@dataclass(slots=True)
class Slot:
    """A rule and a subject.

    Attributes:
        rule: as compiled.
        subject: what is watched.
        state: as last decided.
        stored: as last stored; None: never.
        episode_id: open alarm.
        wake_ms: when to look again although nothing new is seen [ms UTC].
        seen_ms: newest event time that was judged [ms UTC], kept here while nothing else changes; 0: nothing was.
        flushed_ms: when it was last stored [ms UTC].
        away: taken over from an evaluator that was away: what opens first is marked late.
        labels: of its alarms, once they are needed.
    """

    rule: Compiled
    subject: str
    state: AlarmState
    stored: AlarmState | None = None
    episode_id: int | None = None
    wake_ms: int | None = None
    seen_ms: int = 0
    flushed_ms: int = 0
    away: bool = False
    labels: Labels | None = None

    @property
    def pair(self) -> Pair:
        """Rule and subject."""
        return self.rule.policy.rule, self.subject

    def before(self) -> AlarmState:
        """The state to decide from."""
        return self.state if self.state.seen_ms == self.seen_ms else replace(self.state, seen_ms=self.seen_ms)


@dataclass
class Slots:
    """Slots by rule and subject.

    Args:
        floor_ms: watermark of what has none of its own [ms UTC]; 0: none.
        away: see `Slot.away`.
    """

    floor_ms: int = 0
    away: bool = False
    by_rule: dict[str, dict[str, Slot]] = field(default_factory=dict)

    def put(self, rule: Compiled, subject: str, held: Held | None, before: Slot | None = None) -> Slot:
        """Make a slot from what is stored, or keep what is remembered where nobody changed what is stored."""
        if before is not None and before.stored == (None if held is None else held.state):
            slot = replace(before, rule=rule, labels=None)
        else:
            slot = self._fresh(rule, subject, held)
            if before is not None:  # a person changed it: decide at once
                slot.seen_ms, slot.wake_ms = max(slot.seen_ms, before.seen_ms), 0
        self.by_rule.setdefault(rule.policy.rule, {})[subject] = slot
        return slot

    def _fresh(self, rule: Compiled, subject: str, held: Held | None) -> Slot:
        if held is None:
            return Slot(rule, subject, AlarmState(subject), seen_ms=self.floor_ms, away=self.away)
        state = held.state
        seen_ms = state.seen_ms if state.phase is not Phase.NORMAL else max(state.seen_ms, self.floor_ms)
        return Slot(rule, subject, state, state, held.episode_id, held.wake_ms, seen_ms, away=self.away)

    def get(self, pair: Pair) -> Slot | None:
        """The slot of a rule and subject."""
        return self.by_rule.get(pair[0], {}).get(pair[1])

    def all(self) -> Iterator[Slot]:
        """Every slot."""
        for slots in self.by_rule.values():
            yield from slots.values()

    def sift(self, rule: Compiled, seen: list[Observation], into: dict[Pair, list[Observation]]) -> None:
        """Keep what needs a decision; what says that a quiet subject is still quiet only moves its watermark.

        No data says nothing where a rule keeps its phase then, and does not move the watermark: a reading that is on
        its way is not late.
        """
        slots = self.by_rule.setdefault(rule.policy.rule, {})
        keep, name = rule.policy.no_data == "keep", rule.policy.rule
        for observation in seen:
            slot = slots.get(observation.subject)
            if slot is None:
                slot = self.put(rule, observation.subject, None)
            if observation.at_ms <= slot.seen_ms:
                continue
            level = observation.level
            if level is Level.UNKNOWN and keep:
                continue
            if level in _QUIET and slot.state.phase is Phase.NORMAL and (name, observation.subject) not in into:
                slot.seen_ms = observation.at_ms
                slot.away = False
                continue
            into.setdefault((name, observation.subject), []).append(observation)


def significant(before: AlarmState, after: AlarmState) -> bool:
    """Whether a state changed in more than its newest figure and watermark."""
    return _plain(before) != _plain(after)


def _plain(state: AlarmState) -> AlarmState:
    episode = state.episode
    if episode is not None:
        episode = replace(episode, last=None, worst=None)
    return replace(state, seen_ms=0, episode=episode)


def gone(rules: Mapping[str, Compiled | None], held: Mapping[Pair, Held]) -> list[Pair]:
    """Stored rules and subjects that nobody watches any more.

    Args:
        rules: by id, those in force; None: it is in force but does not fit the park now, its alarms wait.
        held: what is stored.
    """
    found = []
    for rule, subject in held:
        if rule not in rules:
            found.append((rule, subject))
            continue
        compiled = rules[rule]
        named = subject.partition(":")[0] in {"point", "device", "tenant", "source"}
        if compiled is not None and named and subject not in compiled.subjects:
            found.append((rule, subject))
    return found
