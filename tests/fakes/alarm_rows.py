"""Alarms of the park of `api_park`, as the alerts process writes them: four that stand, one that is over."""

import math
from typing import Final

from parkcarbon.alarm import store
from parkcarbon.alarm.rules.load import load_rules
from parkcarbon.alarm.rules.store import apply_rules
from parkcarbon.domain.alarm.types import AlarmState, Episode, Level, Observation, Phase, Priority, Said
from parkcarbon.kit.db import Database, Session, from_ms

from .api_park import NOW_MS, PARK

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE

RULES: Final = """
park: demo
receivers: [{receiver: desk, channel: desk}]
rules:
  - rule: machine-load
    kind: threshold
    name: {zh: 机床负荷偏高, en: Machine load high}
    of: [m1/active_power]
    on: 100 kW
    after: 5 min
    priority: high
    receivers: [desk]
    cause: {zh: 多台设备同时启动, en: Several machines start at once}
    consequence: {zh: 需量上升, en: Demand rises}
    action: {zh: 错开启动, en: Stagger the starts}
  - rule: cold-load
    kind: threshold
    name: {zh: 冷库功率偏高, en: Cold store takes much power}
    of: [c1/active_power]
    on: 80 kW
    priority: medium
    receivers: [desk]
  - {rule: lathe-load, kind: threshold, name: {zh: 二号机负荷, en: Load of machine 2}, of: [m2/active_power], on: 50 kW,
     priority: low}
  - {rule: solar, kind: threshold, name: {zh: 光伏出力高, en: PV output high}, of: [pv-1/active_power], on: 60 kW,
     priority: low}
  - {rule: park-load, kind: threshold, name: {zh: 园区负荷, en: Load of the park}, of: [load], on: 200 kW,
     priority: low}
"""
POINTS: Final = {
    "machine-load": ("point:m1/active_power", "high"),
    "cold-load": ("point:c1/active_power", "medium"),
    "lathe-load": ("point:m2/active_power", "low"),
    "solar": ("point:pv-1/active_power", "low"),
    "park-load": ("park", "low"),
}
FIRED_BEFORE_MS: Final = {
    "machine-load": 12 * MINUTE,
    "cold-load": 3 * HOUR,
    "lathe-load": 26 * HOUR,
    "solar": 50 * HOUR,
    "park-load": 2 * HOUR,
}
"""How long ago each fired [ms]."""


async def write_alarms(url: str) -> dict[str, int]:
    """Write rules, alarms, states and messages; return the alarms' ids by rule; `park-load` is over."""
    async with await Database.connect(url, max_size=1) as database, database.transaction() as session:
        rules = await apply_rules(session, load_rules(RULES), "energy manager", "first rules")
        raised = [_raised(rule, rules.revision) for rule in POINTS]
        found = await store.open_episodes(session, PARK, raised)
        ids = {rule: found[rule, subject] for rule, (subject, _) in POINTS.items()}
        held = {
            (one.rule, one.subject): store.Held(_state(one), ids[one.rule]) for one in raised if one.rule != "park-load"
        }
        await store.put_states(session, PARK, held)
        over = store.Seen(ids["park-load"], raised[-1].episode, resolved_ms=NOW_MS - HOUR)
        await store.see_episodes(session, [over])
        first = store.Outgoing(
            "k1", "desk", "desk", "first", "high", (ids["machine-load"],), "Machine load high", "…", next_ms=NOW_MS
        )
        await store.put_messages(session, PARK, [first])
        await _write_readings(session)
    return ids


async def _write_readings(session: Session) -> None:
    """Readings each 10 s of the two hours before: below the limit, then above; ten minutes are missing."""
    seconds = [ago for ago in range(7200, 0, -10) if not 1800 <= ago < 2400]
    await session.execute(
        "insert into reading (point_id, time, value, quality, batch_id)"
        " select p.point_id, r.time, r.kw, 0, 1 from point p,"
        " unnest($2::timestamptz[], $3::double precision[]) as r (time, kw)"
        " where (p.park_id, p.point) = ($1, 'm1/active_power')",
        PARK,
        [from_ms(NOW_MS - ago * 1000) for ago in seconds],
        [(92.0 if ago > 1020 else 128.0) + 4 * math.sin(ago / 120) + ago % 7 for ago in seconds],
    )


def _raised(rule: str, revision: int) -> store.Raised:
    subject, priority = POINTS[rule]
    fired_ms = NOW_MS - FIRED_BEFORE_MS[rule]
    seen = Observation(
        subject,
        NOW_MS - MINUTE,
        Level.BEYOND,
        value=128.0,
        limit=100.0,
        reason=Said("128 kW，高于限值 100 kW", "128 kW is above the limit of 100 kW"),
    )
    began_ms = fired_ms - 5 * MINUTE
    episode = Episode(began_ms, fired_ms=fired_ms, told_ms=fired_ms, last_told_ms=fired_ms, worst=136.0, last=seen)
    return store.Raised(rule, revision, "threshold", _priority(priority), "kW", subject, episode)


def _priority(text: str) -> Priority:
    return "high" if text == "high" else "medium" if text == "medium" else "low"


def _state(one: store.Raised) -> AlarmState:
    fired_ms = one.episode.fired_ms or 0
    return AlarmState(one.subject, Phase.FIRING, since_ms=fired_ms, seen_ms=NOW_MS - MINUTE, episode=one.episode)
