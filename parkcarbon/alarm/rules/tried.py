"""One rule of a document against the past, in words: "would have fired 3 times"."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from msgspec import structs

from parkcarbon.alarm.kinds.base import Compiled, Kind
from parkcarbon.alarm.subjects import index_of, subject_name
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Session, from_ms, to_ms
from parkcarbon.live.model import ParkModel

from .check import compile_each
from .document import Alarms
from .dryrun import DryRun, Tried, try_rule
from .load import refuse_all

Json = dict[str, Any]

LONGEST: Final = dt.timedelta(days=100)
"""So much of the past is read in one question; readings of a fast meter are many."""
EPISODES: Final = 1000
MOST: Final = 1_000_000
"""Observations that are held at a time, about 0.6 GB."""
_GAUGE_PER_DAY: Final = 4000
_COUNTER_PER_DAY: Final = 96


async def tried(
    session: Session,
    model: ParkModel,
    kinds: Mapping[str, Kind],
    document: Alarms,
    rule: str,
    *,
    begin: dt.datetime,
    end: dt.datetime,
) -> Json:
    """Hold a rule against `[begin, end)`; only its own problems refuse it, nothing is entered.

    Args:
        session: a connection.
        model: the park.
        kinds: of rules.
        document: where the rule stands.
        rule: its id.
        begin: of the past.
        end: of it, exclusive.

    Raises:
        LookupError: the document has no such rule.
        RefusedError: the rule does not fit the park, its kind cannot be tried, the time is empty or too long.
    """
    if end - begin > LONGEST:
        raise RefusedError("", f"to: {(end - begin).days} days; a rule is tried against {LONGEST.days} at most")
    compiled = _one(document, rule, model, kinds)
    _refuse_much(compiled, model, end - begin)
    found = await try_rule(session, model, compiled, kinds[compiled.rule.kind], to_ms(begin), to_ms(end))
    return {
        "rule": rule,
        "from": begin,
        "to": end,
        "fired": found.times,
        "seen": found.seen,
        "unit": found.unit,
        "longest_s": found.longest_ms / 1000,
        "sentence": _sentence(model, found),
        "episodes": [_episode(model, item) for item in found.episodes[:EPISODES]],
    }


def _one(document: Alarms, rule: str, model: ParkModel, kinds: Mapping[str, Kind]) -> Compiled:
    wanted = next((item for item in document.rules if item.rule == rule), None)
    if wanted is None:
        known = ", ".join(item.rule for item in document.rules[:20])
        raise LookupError(f"the document has no rule {rule}{f'; it has {known}' if known else ''}")
    alone = structs.replace(wanted, receivers=(), escalation=())  # whom it tells is another question
    found, problems = compile_each(Alarms(park=model.park, rules=(alone,)), model, kinds)
    refuse_all(problems)
    return found[0]


def _refuse_much(rule: Compiled, model: ParkModel, span: dt.timedelta) -> None:
    known = index_of(model).points
    points = [known[name] for subject in rule.subjects if (name := subject.removeprefix("point:")) in known]
    each_day = sum(_COUNTER_PER_DAY if point.metered else _GAUGE_PER_DAY for point in points)
    expected = each_day * (span / dt.timedelta(days=1))
    if expected > MOST:
        told = f"{len(points)} points for {span.days} days are about {expected:,.0f} observations; {MOST:,} at most"
        raise RefusedError("", f"to: {told}: a shorter time, or fewer points")


def _sentence(model: ParkModel, found: DryRun) -> Json:
    first, last = (f"{model.local(moment):%Y-%m-%d %H:%M}" for moment in (found.from_ms, found.to_ms))
    if not found.seen:
        return {
            "zh": f"{first} 至 {last} 没有可用于试算的数据",
            "en": f"nothing is known from {first} to {last} that it could be tried against",
        }
    times = {0: "never", 1: "once", 2: "twice"}.get(found.times, f"{found.times} times")
    return {
        "zh": f"{first} 至 {last} 本会触发 {found.times} 次",
        "en": f"would {times} have fired from {first} to {last}"
        if not found.times
        else f"would have fired {times} from {first} to {last}",
    }


def _episode(model: ParkModel, item: Tried) -> Json:
    name = subject_name(model, item.subject)
    return {
        "subject": item.subject,
        "subject_name": {"zh": name.zh, "en": name.en},
        "began_at": from_ms(item.from_ms),
        "fired_at": from_ms(item.fired_ms),
        "resolved_at": None if item.resolved_ms is None else from_ms(item.resolved_ms),
        "worst": item.worst,
        "limit": item.limit,
        "reason": {"zh": item.reason.zh, "en": item.reason.en},
    }
