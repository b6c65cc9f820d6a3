"""The curve that raised an alarm: what its rule looked at, a while before it and after."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from msgspec import structs

from parkcarbon.domain.alarm.types import MINUTE_MS
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Session, to_ms
from parkcarbon.live.model import ParkModel

from .kinds.base import Compiled, Kind
from .listing import rule_of
from .rules.check import compile_each
from .rules.document import Alarms

Json = dict[str, Any]

LEAST_MS: Final = 30 * MINUTE_MS
"""So much is shown before and after at least."""
MOST_MS: Final = 48 * 60 * MINUTE_MS
"""Of an alarm that stands for long, so much from its begin."""
POINTS: Final = 600


async def curve_of(
    session: Session, model: ParkModel, kinds: Mapping[str, Kind], alarm: Json, *, now: dt.datetime
) -> Json | None:
    """What the rule of an alarm looked at; None where the kind has no curve or the rule no longer fits the park.

    Args:
        session: a connection.
        model: the park.
        kinds: of rules.
        alarm: as `one_alarm` gives it.
        now: time of now.
    """
    rule = await _compiled(session, model, kinds, alarm)
    history = None if rule is None else kinds[rule.rule.kind].history
    if rule is None or history is None:
        return None
    began_ms, now_ms = to_ms(alarm["began_at"]), to_ms(now)
    over_ms = now_ms if alarm["resolved_at"] is None else to_ms(alarm["resolved_at"])
    lasted_ms = min(max(over_ms - began_ms, 0), MOST_MS)
    beside_ms = max(LEAST_MS, rule.policy.for_ms, lasted_ms // 4)
    first_ms, last_ms = began_ms - beside_ms, min(now_ms, began_ms + lasted_ms + beside_ms)
    try:
        seen = await history(session, model, rule, first_ms, last_ms)
    except RefusedError:
        return None
    points = [(one.at_ms, one.value) for one in seen if one.subject == alarm["subject"]]
    above = rule.limit is None or rule.limit.direction == "above"
    return {
        "unit": alarm["unit"],
        "points": thinned(points, first_ms, last_ms, above=above),
        "limit": alarm["limit"] if rule.limit is None else rule.limit.on,
        "from": first_ms,
        "to": last_ms,
    }


def thinned(
    points: Sequence[tuple[int, float | None]], from_ms: int, to_ms: int, *, above: bool
) -> list[tuple[int, float | None]]:
    """At most `POINTS` of them; of those that fall together the one farthest out is kept, so no peak is lost.

    Args:
        points: time [ms UTC] and value, ascending.
        from_ms: begin of the picture [ms UTC].
        to_ms: its end [ms UTC].
        above: which side is out.
    """
    if len(points) <= POINTS:
        return list(points)
    width_ms = max(1, -(-(to_ms - from_ms) // POINTS))
    sign = 1.0 if above else -1.0
    kept: dict[int, tuple[int, float | None]] = {}
    for time_ms, value in points:
        place = (time_ms - from_ms) // width_ms
        before = kept.get(place)
        if before is None or before[1] is None or (value is not None and sign * value > sign * before[1]):
            kept[place] = (time_ms, value)
    return [kept[place] for place in sorted(kept)]


async def _compiled(session: Session, model: ParkModel, kinds: Mapping[str, Kind], alarm: Json) -> Compiled | None:
    rule = await rule_of(session, model.park, alarm["rule"], alarm["revision"])
    if rule is None:
        return None
    alone = structs.replace(rule, receivers=(), escalation=())  # receivers stand elsewhere in the document
    found, _ = compile_each(Alarms(park=model.park, rules=(alone,)), model, kinds)
    return replace(found[0], subjects=(alarm["subject"],)) if found else None
