"""Facts into words. Templates name fields as `${value}`; nothing in a template can run or reach anything else."""

import datetime as dt
from collections.abc import Iterable, Mapping
from string import Template
from typing import Final, Literal

from parkcarbon.alarm.rules.document import Receiver
from parkcarbon.catalog.terms import Name
from parkcarbon.domain.alarm.types import Priority, Said
from parkcarbon.domain.refusal import RefusedError

from .facts import AlarmFacts, MessageFacts
from .texts import LATE, LINES, MORE, PRIORITY, SUBJECT, SUBJECT_ALONE, UNKNOWN, WHY, Language

FIELDS: Final[Mapping[str, str]] = {
    "action": "what to do, from the rule",
    "began": "first moment beyond the limit, in the park's time zone",
    "cause": "usual cause, from the rule",
    "consequence": "what happens if nobody acts, from the rule",
    "duration": "how long it lasts or lasted",
    "fired": "when it fired, in the park's time zone",
    "kind": "kind of the rule",
    "limit": "limit with its unit",
    "link": "address of the alarm's page",
    "name": "name of the rule",
    "park": "id of the park",
    "park_name": "name of the park",
    "priority": "low, medium or high, in words",
    "reason": "why, with figure and limit",
    "resolved": "when it was over, in the park's time zone; empty while it stands",
    "respond_within": "time to respond, from the rule",
    "rule": "id of the rule",
    "subject": "id of what is watched",
    "subject_name": "name of what is watched",
    "unit": "unit of figure and limit",
    "value": "figure with its unit",
    "why": "alarm, stands, nobody acknowledged, recovered, in words",
    "worst": "figure farthest beyond the limit, with its unit",
}
"""What a template may name."""

RANK: Final[Mapping[Priority, int]] = {"low": 0, "medium": 1, "high": 2}


def check_template(text: str) -> None:
    """Refuse a template that could not be filled in.

    Raises:
        RefusedError: it names fields that a message does not have, or has a `$` that is not one; all are listed.
    """
    wrong: list[str] = []
    for found in Template.pattern.finditer(text):
        if found.group("invalid") is not None:
            line = text.count("\n", 0, found.start()) + 1
            wrong.append(f"a lone $ in line {line} (a dollar sign is written $$, a field ${{value}})")
        name = found.group("named") or found.group("braced")
        if name is not None and name not in FIELDS:
            wrong.append(f"no field ${{{name}}}")
    if wrong:
        raise RefusedError(
            "", f"template: {'; '.join(dict.fromkeys(wrong))}; known fields: {', '.join(sorted(FIELDS))}"
        )


def render(
    facts: MessageFacts, receiver: Receiver, language: Literal["zh", "en", "both"] | None = None
) -> tuple[str, str]:
    """Put a message into words.

    Args:
        facts: what is known.
        receiver: whose templates are used, where it has any.
        language: instead of the receiver's.

    Returns:
        Subject, one line, and body.

    Raises:
        RefusedError: a template of the receiver cannot be filled in.
    """
    chosen = language or receiver.language
    languages: tuple[Language, ...] = ("zh", "en") if chosen == "both" else (chosen,)
    subject = _custom(receiver.subject, facts.alarms[:1], facts, languages) if receiver.subject else ""
    body = _custom(receiver.text, facts.alarms, facts, languages) if receiver.text else ""
    return _one_line(subject or _subject(facts, languages)), body or _body(facts, languages)


def _custom(text: str, alarms: Iterable[AlarmFacts], facts: MessageFacts, languages: tuple[Language, ...]) -> str:
    """A template of the receiver's own says each alarm once; a field of both languages has them side by side."""
    check_template(text)
    said = []
    for alarm in alarms:
        by_language = [_fields(alarm, facts, language) for language in languages]
        fields = {name: " / ".join(dict.fromkeys(each[name] for each in by_language)) for name in FIELDS}
        said.append(Template(text).substitute(fields))
    return "\n\n".join(said)


def _subject(facts: MessageFacts, languages: tuple[Language, ...]) -> str:
    said = []
    for language in languages:
        fields = _fields(facts.alarms[0], facts, language)
        template = SUBJECT_ALONE if fields["value"] == UNKNOWN else SUBJECT
        text = Template(template[language]).substitute(fields)
        if len(facts.alarms) > 1:
            text += MORE[language].format(count=len(facts.alarms), more=len(facts.alarms) - 1)
        said.append(text)
    return " / ".join(said)


def _body(facts: MessageFacts, languages: tuple[Language, ...]) -> str:
    said = []
    for language in languages:
        for alarm in facts.alarms:
            fields = _fields(alarm, facts, language)
            kept = [line for needs, line in LINES[language] if not needs or fields[needs] not in {"", UNKNOWN}]
            kept += [LATE[language]] if alarm.episode.late else []
            said.append("\n".join(Template(line).substitute(fields) for line in kept))
    return "\n\n".join(said)


def _fields(alarm: AlarmFacts, facts: MessageFacts, language: Language) -> dict[str, str]:
    rule, episode, last = alarm.rule, alarm.episode, alarm.episode.last
    until_ms = facts.now_ms if alarm.resolved_ms is None else alarm.resolved_ms
    return {
        "action": _said(rule.action, language),
        "began": local(episode.from_ms, facts.zone),
        "cause": _said(rule.cause, language),
        "consequence": _said(rule.consequence, language),
        "duration": duration(until_ms - episode.from_ms, language),
        "fired": local(episode.fired_ms, facts.zone),
        "kind": rule.kind,
        "limit": figure(None if last is None else last.limit, alarm.unit),
        "link": alarm.link,
        "name": _said(rule.name, language),
        "park": facts.park,
        "park_name": _said(facts.park_name, language),
        "priority": PRIORITY[language][rule.priority],
        "reason": "" if last is None else _said(last.reason, language),
        "resolved": local(alarm.resolved_ms, facts.zone),
        "respond_within": rule.respond_within or "",
        "rule": rule.rule,
        "subject": alarm.subject,
        "subject_name": _said(alarm.subject_name, language),
        "unit": alarm.unit,
        "value": figure(None if last is None else last.value, alarm.unit),
        "why": WHY[language].get(facts.why.value, facts.why.value),
        "worst": figure(episode.worst, alarm.unit),
    }


def _said(words: Name | Said | None, language: Language) -> str:
    return "" if words is None else (words.zh if language == "zh" else words.en)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def figure(value: float | None, unit: str) -> str:
    """A figure with its unit; an unknown one is a dash.

    >>> figure(12345.678, "kW"), figure(0.00042, "t"), figure(None, "kW"), figure(0.9, "1")
    ('12,345.678 kW', '0.00042 t', '–', '0.9')
    """
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return UNKNOWN
    shown = f"{value:,.3f}".rstrip("0").rstrip(".") if abs(value) >= 0.1 or value == 0 else f"{value:.3g}"
    return shown if unit in {"", "1"} else f"{shown} {unit}"


def local(time_ms: int | None, zone: dt.tzinfo) -> str:
    """A moment in the park's time zone; empty: none.

    >>> local(1_763_735_525_000, dt.timezone(dt.timedelta(hours=8)))
    '2025-11-21 22:32:05 +08:00'
    """
    if time_ms is None:
        return ""
    moment = dt.datetime.fromtimestamp(time_ms / 1000, zone)
    return f"{moment:%Y-%m-%d %H:%M:%S} {moment.isoformat()[-6:]}"


def duration(ms: int, language: Language) -> str:
    """A length of time in its two largest units.

    >>> duration(45_000, "en"), duration(3_900_000, "en"), duration(180_000_000, "zh")
    ('45 s', '1 h 5 min', '2 天 2 小时')
    """
    names = (("d", "天"), ("h", "小时"), ("min", "分钟"), ("s", "秒"))
    rest, parts = max(0, ms) // 1000, []
    for (en, zh), seconds in zip(names, (86_400, 3_600, 60, 1), strict=True):
        count, rest = divmod(rest, seconds)
        parts.append((count, zh if language == "zh" else en))
    first = next((at for at, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [f"{count} {unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(shown) or f"0 {parts[-1][1]}"
