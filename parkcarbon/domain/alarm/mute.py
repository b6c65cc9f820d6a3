"""What keeps an alarm from going out: silences, maintenance windows, and other alarms that say the same.

A match names labels; a pattern may hold `*`. All that it names must fit, and a label that the alarm has not never fits.
A match that names nothing fits nothing: nobody silences a park by leaving out a line.

References:
    prometheus/alertmanager `inhibit/inhibit.go:InhibitRule` (source, target, equal labels).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from .types import Labels, Muting, Why

NOTHING: Final = Muting()


@dataclass(frozen=True, slots=True)
class Silence:
    """A person wants to hear nothing of some alarms for a time.

    Attributes:
        silence: id.
        match: patterns by label.
        begin_ms: from [ms UTC].
        end_ms: until, exclusive [ms UTC].
        ended_ms: ended by a person before its time [ms UTC]; None: it was not.
    """

    silence: str
    match: Mapping[str, str]
    begin_ms: int
    end_ms: int
    ended_ms: int | None = None

    @property
    def over_ms(self) -> int:
        """When it is over [ms UTC]."""
        return self.end_ms if self.ended_ms is None else min(self.end_ms, self.ended_ms)


@dataclass(frozen=True, slots=True)
class Window:
    """Planned work.

    Attributes:
        window: id.
        match: patterns by label.
        begin_ms: from [ms UTC].
        end_ms: until, exclusive [ms UTC].
    """

    window: str
    match: Mapping[str, str]
    begin_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alarm of `source` fires, alarms of `target` with the same `equal` labels do not go out.

    Attributes:
        source: patterns by label.
        target: patterns by label.
        equal: labels that both must have, with the same value.
    """

    source: Mapping[str, str]
    target: Mapping[str, str]
    equal: tuple[str, ...] = ()


GATEWAY_DOWN: Final = Inhibition({"kind": "device_silent", "subject": "source:*"}, {"source": "*"}, ("source",))
"""A source that is silent mutes every alarm of what it carries: its meters are not silent, they are not heard."""


def matches(match: Mapping[str, str], labels: Labels) -> bool:
    """Whether labels fit all patterns of a match.

    >>> matches({"device": "inv-*"}, Labels({"device": "inv-3", "rule": "soiling"}))
    True
    >>> matches({}, Labels({"device": "inv-3"}))
    False
    """
    values = labels.values
    return bool(match) and all(name in values and fnmatchcase(values[name], pattern) for name, pattern in match.items())


def muting_of(  # noqa: PLR0917 - one of each, in the order in which they are asked
    labels: Labels,
    silences: Sequence[Silence],
    windows: Sequence[Window],
    inhibitions: Sequence[Inhibition],
    firing: Iterable[Labels],
    now_ms: int,
) -> Muting:
    """What keeps an alarm from going out now: a silence before a window before another alarm.

    Args:
        labels: of the alarm, with `rule` and `subject`.
        silences: of the park.
        windows: of the park.
        inhibitions: of the park, `GATEWAY_DOWN` among them if wanted.
        firing: labels of the alarms that fire now, this one may be among them.
        now_ms: time of now [ms UTC].

    Returns:
        Of several silences or windows the one that ends last.
    """
    silent = [
        (one.over_ms, one.silence)
        for one in silences
        if one.begin_ms <= now_ms < one.over_ms and matches(one.match, labels)
    ]
    if silent:
        over_ms, silence = max(silent)
        return Muting(Why.SILENCED, silence, over_ms)
    planned = [
        (one.end_ms, one.window)
        for one in windows
        if one.begin_ms <= now_ms < one.end_ms and matches(one.match, labels)
    ]
    if planned:
        end_ms, window = max(planned)
        return Muting(Why.MAINTENANCE, window, end_ms)
    return _inhibited(labels, inhibitions, firing)


def _inhibited(labels: Labels, inhibitions: Sequence[Inhibition], firing: Iterable[Labels]) -> Muting:
    could = [one for one in inhibitions if matches(one.target, labels)]
    if not could:
        return NOTHING
    for other in firing:
        if _same(other, labels):
            continue
        for one in could:
            if _mutes(one, other, labels):
                return Muting(Why.INHIBITED, f"{other.values.get('rule', '')}/{other.values.get('subject', '')}")
    return NOTHING


def _same(one: Labels, other: Labels) -> bool:
    return all(one.values.get(name) == other.values.get(name) for name in ("rule", "subject"))


def _mutes(one: Inhibition, source: Labels, target: Labels) -> bool:
    """Whether one firing alarm mutes another; of two that would mute each other neither does."""
    if not matches(one.source, source) or (matches(one.source, target) and matches(one.target, source)):
        return False
    return all(name in source.values and source.values[name] == target.values.get(name) for name in one.equal)
