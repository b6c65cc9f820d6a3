"""What is known when a message is made."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parkcarbon.alarm.rules.document import Rule
from parkcarbon.domain.alarm.types import Episode, Said, Why


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """One alarm of a message.

    Attributes:
        rule: that raised it.
        episode_id: key in the database; None: not stored.
        subject: what is watched, `point:gate/active_power`.
        subject_name: as people call it.
        unit: of value and limit.
        episode: as it stands.
        resolved_ms: when it was over [ms UTC]; None: it stands.
        link: page of the alarm; empty: the process does not know the address of the page.
    """

    rule: Rule
    episode_id: int | None
    subject: str
    subject_name: Said
    unit: str
    episode: Episode
    resolved_ms: int | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """A message, before it is put into words.

    Attributes:
        park: id.
        park_name: as people call it.
        zone: time zone of the park.
        why: FIRST, REPEAT, ESCALATION or RECOVERED.
        now_ms: time of now [ms UTC].
        alarms: gravest first; at least one.
    """

    park: str
    park_name: Said
    zone: dt.tzinfo
    why: Why
    now_ms: int
    alarms: tuple[AlarmFacts, ...]


def link_of(base_url: str, episode_id: int | None) -> str:
    """Page of an alarm; empty where the address of the page is not known.

    >>> link_of("https://park.example.org/", 17)
    'https://park.example.org/#alarms/17'
    """
    if not base_url:
        return ""
    return f"{base_url.rstrip('/')}/#alarms" + ("" if episode_id is None else f"/{episode_id}")


def details_of(facts: MessageFacts) -> dict[str, Any]:
    """What a machine reads of a message; times in ms UTC, `resolved_ms` null while the alarm stands."""
    return {
        "v": 1,
        "park": facts.park,
        "why": facts.why.value,
        "at_ms": facts.now_ms,
        "alarms": [_alarm(alarm) for alarm in facts.alarms],
    }


def over(details: Mapping[str, Any], episode_id: int, at_ms: int) -> dict[str, Any]:
    """What a machine reads of an alarm that ends without its rule: what it was told of it, with its end.

    Args:
        details: of the message that told of it.
        episode_id: alarm.
        at_ms: its end [ms UTC].

    >>> over({"v": 1, "why": "first", "alarms": [{"episode": 7, "rule": "r"}, {"episode": 8}]}, 7, 5)
    {'v': 1, 'why': 'recovered', 'alarms': [{'episode': 7, 'rule': 'r', 'resolved_ms': 5}], 'at_ms': 5}
    """
    alarms = [{**alarm, "resolved_ms": at_ms} for alarm in details.get("alarms", ()) if alarm["episode"] == episode_id]
    return {**details, "why": Why.RECOVERED.value, "alarms": alarms, "at_ms": at_ms}


def _alarm(alarm: AlarmFacts) -> dict[str, Any]:
    episode, last = alarm.episode, alarm.episode.last
    return {
        "episode": alarm.episode_id,
        "rule": alarm.rule.rule,
        "name": {"zh": alarm.rule.name.zh, "en": alarm.rule.name.en},
        "kind": alarm.rule.kind,
        "priority": alarm.rule.priority,
        "subject": alarm.subject,
        "subject_name": {"zh": alarm.subject_name.zh, "en": alarm.subject_name.en},
        "value": None if last is None else last.value,
        "worst": episode.worst,
        "limit": None if last is None else last.limit,
        "unit": alarm.unit,
        "reason": {"zh": "", "en": ""} if last is None else {"zh": last.reason.zh, "en": last.reason.en},
        "began_ms": episode.from_ms,
        "fired_ms": episode.from_ms if episode.fired_ms is None else episode.fired_ms,
        "resolved_ms": alarm.resolved_ms,
        "late": episode.late,
        "link": alarm.link,
    }
