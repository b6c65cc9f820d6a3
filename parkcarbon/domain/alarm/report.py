"""The report on the alarms of a period: are there more of them than people can act upon, and which ones.

An alarm asks for somebody to act in time; one that stands for days, comes in flurries or drowns the others teaches
people to look away. Episodes found in late data woke nobody and do not count.

References:
    IEC 62682 / ISA-18.2 clause 16 (monitoring); EEMUA 191: about one alarm in 10 min for an operator, flood above 10 in
    10 min until below 5, ten most frequent below 5 % of all, priorities about 80 / 15 / 5 %.
"""

import bisect
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .types import MINUTE_MS, Priority

STANDING_MS: Final = 24 * 60 * MINUTE_MS
CHATTER_MS: Final = MINUTE_MS
CHATTER_COUNT: Final = 3
FLOOD_MS: Final = 10 * MINUTE_MS
FLOOD_ABOVE: Final = 10
FLOOD_ENDS_BELOW: Final = 5
TOP: Final = 10


@dataclass(frozen=True, slots=True)
class Past:
    """An alarm as the list has it.

    Attributes:
        rule: that raised it.
        subject: of it.
        priority: of it.
        fired_ms: when it fired [ms UTC].
        resolved_ms: when it was over [ms UTC]; None: it stands.
        acknowledged_ms: when a person took it on [ms UTC]; None: nobody did.
        historical: found in late data.
        shelved: times a person shelved it.
    """

    rule: str
    subject: str
    priority: Priority
    fired_ms: int
    resolved_ms: int | None = None
    acknowledged_ms: int | None = None
    historical: bool = False
    shelved: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm that fires for more than a day."""

    rule: str
    subject: str
    since_ms: int
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Chattering:
    """An alarm that came three times or more within a minute: `times` alarms belong to such flurries."""

    rule: str
    subject: str
    times: int
    first_ms: int


@dataclass(frozen=True, slots=True)
class Frequent:
    """How often one alarm came, and its share of all."""

    rule: str
    subject: str
    times: int
    share: float


@dataclass(frozen=True, slots=True)
class Flood:
    """More alarms than anybody can act upon: [from, to) ms UTC, and how many came."""

    from_ms: int
    to_ms: int
    times: int


@dataclass(frozen=True, slots=True)
class Report:
    """Of [from, to).

    Attributes:
        from_ms: first moment [ms UTC].
        to_ms: end, exclusive [ms UTC].
        times: alarms that fired.
        per_10_min: of them in 10 min, on average; about 1 is acceptable for one person.
        priorities: of them by priority.
        standing: that fire for more than 24 h, longest first.
        chattering: 3 or more within a minute, most first.
        top: ten most frequent.
        floods: more than 10 in 10 min until less than 5.
        flood_share: of the time, in [0, 1].
        acknowledged: how many a person took on.
        mean_acknowledge_ms: from firing to acknowledged, on average [ms]; None: nobody acknowledged any.
        shelved: times that something was shelved.
        historical: found in late data, not counted above.
    """

    from_ms: int
    to_ms: int
    times: int
    per_10_min: float
    priorities: Mapping[Priority, int]
    standing: tuple[Standing, ...]
    chattering: tuple[Chattering, ...]
    top: tuple[Frequent, ...]
    floods: tuple[Flood, ...]
    flood_share: float
    acknowledged: int
    mean_acknowledge_ms: float | None
    shelved: int
    historical: int


def report(episodes: Iterable[Past], from_ms: int, to_ms: int, now_ms: int) -> Report:
    """Report on the alarms of a period.

    Args:
        episodes: those that fired in the period, and those from before that stand in it.
        from_ms: first moment [ms UTC].
        to_ms: end, exclusive [ms UTC].
        now_ms: time of now [ms UTC]; a period that is not over is looked at as far as it has come.

    Returns:
        Everything that is counted; the same episodes in another order give the same.
    """
    end_ms = max(from_ms, min(to_ms, now_ms))
    every = sorted(episodes, key=lambda one: (one.fired_ms, one.rule, one.subject))
    woke = [one for one in every if not one.historical]
    fired = [one for one in woke if from_ms <= one.fired_ms < end_ms]
    moments = [one.fired_ms for one in fired]
    waits = [one.acknowledged_ms - one.fired_ms for one in fired if one.acknowledged_ms is not None]
    found = floods(moments, end_ms)
    length_ms = end_ms - from_ms
    return Report(
        from_ms=from_ms,
        to_ms=to_ms,
        times=len(fired),
        per_10_min=len(fired) * FLOOD_MS / length_ms if length_ms else 0.0,
        priorities={
            "low": sum(one.priority == "low" for one in fired),
            "medium": sum(one.priority == "medium" for one in fired),
            "high": sum(one.priority == "high" for one in fired),
        },
        standing=standing(woke, end_ms),
        chattering=chattering(fired),
        top=_top(fired),
        floods=found,
        flood_share=sum(one.to_ms - one.from_ms for one in found) / length_ms if length_ms else 0.0,
        acknowledged=len(waits),
        mean_acknowledge_ms=sum(waits) / len(waits) if waits else None,
        shelved=sum(one.shelved for one in fired),
        historical=sum(one.historical and from_ms <= one.fired_ms < end_ms for one in every),
    )


def standing(episodes: Iterable[Past], at_ms: int) -> tuple[Standing, ...]:
    """Alarms that have fired for more than 24 h at a moment, longest first."""
    return tuple(
        Standing(one.rule, one.subject, one.fired_ms, one.acknowledged_ms is not None and one.acknowledged_ms <= at_ms)
        for one in sorted(episodes, key=lambda one: (one.fired_ms, one.rule, one.subject))
        if not one.historical
        and at_ms - one.fired_ms > STANDING_MS
        and (one.resolved_ms is None or one.resolved_ms > at_ms)
    )


def chattering(episodes: Iterable[Past]) -> tuple[Chattering, ...]:
    """Alarms that came three times or more within a minute, most first."""
    moments: dict[tuple[str, str], list[int]] = {}
    for one in episodes:
        if not one.historical:
            moments.setdefault((one.rule, one.subject), []).append(one.fired_ms)
    found = []
    for (rule, subject), times in moments.items():
        flurry = _flurries(sorted(times))
        if flurry:
            found.append(Chattering(rule, subject, len(flurry), flurry[0]))
    return tuple(sorted(found, key=lambda one: (-one.times, one.rule, one.subject)))


def _flurries(moments: Sequence[int]) -> list[int]:
    """Moments that are one of three or more within a minute."""
    inside: set[int] = set()
    for first, moment in enumerate(moments):
        end = bisect.bisect_left(moments, moment + CHATTER_MS)
        if end - first >= CHATTER_COUNT:
            inside.update(range(first, end))
    return [moments[index] for index in sorted(inside)]


def floods(moments: Sequence[int], end_ms: int) -> tuple[Flood, ...]:
    """Spans with more than 10 alarms in 10 min, each until less than 5 came in the last 10 min.

    A flood begins with the first of the alarms that made it one.

    Args:
        moments: when alarms fired, ascending [ms UTC].
        end_ms: end of the period [ms UTC].
    """
    found: list[Flood] = []
    first: int | None = None  # index of the alarm that the running flood began with
    for index, moment in enumerate(moments):
        if first is not None:
            calm_ms = _calm(moments, index - 1)
            if calm_ms < moment:
                found.append(Flood(moments[first], calm_ms, index - first))
                first = None
        if first is None and index >= FLOOD_ABOVE and moment - moments[index - FLOOD_ABOVE] < FLOOD_MS:
            first = _not_before(moments, index, found)
    if first is not None:
        last = len(moments) - 1
        found.append(Flood(moments[first], min(end_ms, _calm(moments, last)), len(moments) - first))
    return tuple(found)


def _calm(moments: Sequence[int], last: int) -> int:
    """When less than 5 alarms are in the last 10 min, if none comes after the one at `last`."""
    return moments[max(0, last - FLOOD_ENDS_BELOW + 1)] + FLOOD_MS


def _not_before(moments: Sequence[int], index: int, found: Sequence[Flood]) -> int:
    """Index of the first alarm of a flood: those of the last 10 min that are in no flood already."""
    begin = index - FLOOD_ABOVE
    return bisect.bisect_left(moments, found[-1].to_ms, begin) if found else begin


def _top(fired: Sequence[Past]) -> tuple[Frequent, ...]:
    counts = Counter((one.rule, one.subject) for one in fired)
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    return tuple(Frequent(rule, subject, times, times / len(fired)) for (rule, subject), times in most)
