"""What a document comes to before it is applied: problems, remarks, every rule in numbers, what would change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from parkcarbon.alarm.kinds.base import Compiled, Kind
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel

from .check import compile_each
from .document import Alarms, Rule
from .load import plain, refuse_all
from .quantity import span_ms
from .store import RulesOf, apply_rules, rules_of

Json = dict[str, Any]

HIGH_SHARE: Final = 0.2
"""More than this share of high alarms, and high means nothing; ISA-18.2 has 5 %."""
_MANY: Final = 10
_RANK: Final = {"low": 0, "medium": 1, "high": 2}


async def checked(session: Session, model: ParkModel, kinds: Mapping[str, Kind], document: Alarms) -> Json:
    """Hold a document against its park and against the rules in force; nothing is entered."""
    found, problems = compile_each(document, model, kinds)
    before = (await rules_of(session, model.park)).document
    return {
        "ok": not problems,
        "problems": list(problems),
        "remarks": list(remarks(document)),
        "rules": [*(_line(rule, before) for rule in found), *_removed(document, before)],
    }


async def applied(
    session: Session,
    model: ParkModel,
    kinds: Mapping[str, Kind],
    document: Alarms,
    *,
    author: str,
    reason: str,
    read: int | None = None,
) -> Json:
    """Check a document and put it in force.

    Raises:
        RefusedError: something does not fit, all of it is listed; or as `apply_rules`.
    """
    refuse_all(compile_each(document, model, kinds)[1])
    return in_force(await apply_rules(session, document, author, reason, read=read), ())


async def current(session: Session, model: ParkModel, kinds: Mapping[str, Kind]) -> Json:
    """The rules in force, and what of them no longer fits the park."""
    rules = await rules_of(session, model.park)
    return in_force(rules, compile_each(rules.document, model, kinds)[1])


def in_force(rules: RulesOf, problems: Sequence[str]) -> Json:
    """Rules of a park as plain data."""
    return {
        "park": rules.park,
        "revision": rules.revision,
        "document": plain(rules.document),
        "author": rules.author,
        "reason": rules.reason,
        "recorded_at": rules.recorded_at,
        "problems": list(problems),
    }


def remarks(document: Alarms) -> Iterator[str]:
    """Yield what is allowed and rarely meant."""
    told: set[str] = set()
    for rule in document.rules:
        told |= {*rule.receivers, *(name for step in rule.escalation for name in step.receivers)}
        if rule.enabled:
            yield from _rule_remarks(rule, document)
    for receiver in document.receivers:
        if receiver.receiver not in told:
            yield f"receivers[{receiver.receiver}]: no rule tells it anything"
    high = sum(rule.priority == "high" for rule in document.rules)
    if len(document.rules) >= _MANY and high > HIGH_SHARE * len(document.rules):
        yield f"{high} of {len(document.rules)} rules are high; where much is urgent nothing is (about 5 % should be)"


def _rule_remarks(rule: Rule, document: Alarms) -> Iterator[str]:
    place = f"rules[{rule.rule}]"
    if not rule.receivers and not rule.escalation:
        yield f"{place}.receivers: nobody is told; the alarm stands in the list alone"
    elif rule.action is None:
        yield f"{place}.action: does not say what to do; what asks for nothing is no alarm (ISA-18.2)"
    if rule.priority == "high" and not rule.escalation:
        yield f"{place}.escalation: nobody else is told when nobody acknowledges a high alarm"
    least = {item.receiver: item.at_least for item in document.receivers}
    for name in rule.receivers:
        if _RANK[least.get(name, "low")] > _RANK[rule.priority]:
            yield f"{place}.receivers: {name} takes {least[name]} alarms only, this one is {rule.priority}"
    if rule.kind == "threshold" and span_ms(rule.after) == 0:
        yield f"{place}.after: rings at the first reading beyond the limit"


def _line(found: Compiled, before: Alarms) -> Json:
    rule, limit, policy = found.rule, found.limit, found.policy
    old = next((item for item in before.rules if item.rule == rule.rule), None)
    change = "added" if old is None else "same" if old == rule else "changed"
    return {
        "rule": rule.rule,
        "kind": rule.kind,
        "enabled": rule.enabled,
        "subjects": list(found.subjects),
        "on": limit.on if limit else None,
        "off": limit.off if limit else None,
        "direction": limit.direction if limit else None,
        "unit": limit.unit if limit else "",
        "for_s": policy.for_ms / 1000,
        "keep_firing_s": policy.keep_firing_ms / 1000,
        "change": change,
    }


def _removed(document: Alarms, before: Alarms) -> Iterator[Json]:
    kept = {rule.rule for rule in document.rules}
    for rule in before.rules:
        if rule.rule not in kept:
            yield {
                "rule": rule.rule,
                "kind": rule.kind,
                "enabled": rule.enabled,
                "subjects": [],
                **dict.fromkeys(("on", "off", "direction")),
                "unit": "",
                "for_s": 0.0,
                "keep_firing_s": 0.0,
                "change": "removed",
            }
