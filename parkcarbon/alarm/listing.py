"""Alarms as people see them: the list, one with what was done and sent, the curve that raised it, the report."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any, Final

from parkcarbon.domain.alarm.report import Past, report
from parkcarbon.domain.alarm.types import Said
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Row, Session, from_ms, load_queries, to_ms
from parkcarbon.live.model import ParkModel

from .rules.document import Rule
from .rules.store import rules_by_revision
from .subjects import subject_name

QUERIES: Final = load_queries("parkcarbon.alarm")
LONGEST: Final = dt.timedelta(days=400)
"""No report is about more."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_CURSOR: Final = re.compile(r"(\d{1,17})\.(\d{1,18})")
_MANY: Final = 100_000

Json = dict[str, Any]


async def alarms(
    session: Session,
    model: ParkModel,
    *,
    now: dt.datetime,
    state: str = "standing",
    rule: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Json:
    """Alarms of a park, the newest first.

    Args:
        session: a connection.
        model: the park.
        now: time of now.
        state: `standing` or `all`.
        rule: of this one alone.
        cursor: `next` of the page before.
        limit: how many.

    Raises:
        RefusedError: the cursor is none of ours.
    """
    after, after_id = _after(cursor)
    found = await session.fetch(QUERIES["alarm_list"], model.park, state, rule, after, after_id, None, limit + 1)
    rows = found[:limit]
    return {
        "alarms": await _alarms(session, model, rows, now),
        "standing": await session.fetchval(QUERIES["alarm_standing_count"], model.park),
        "next": _cursor(rows[-1]) if len(found) > limit else None,
    }


async def one_alarm(session: Session, model: ParkModel, episode_id: int, *, now: dt.datetime) -> Json:
    """An alarm with its acts and messages, and with what its rule says; without the curve.

    Raises:
        LookupError: the park has no such alarm.
    """
    rows = await session.fetch(QUERIES["alarm_list"], model.park, "all", None, None, None, [episode_id], 1)
    if not rows:
        raise LookupError(f"{model.park} has no alarm {episode_id}")
    rule = await rule_of(session, model.park, rows[0]["rule"], rows[0]["revision"])
    [alarm] = await _alarms(session, model, rows, now)
    acts = await session.fetch(QUERIES["alarm_acts"], episode_id)
    messages = await session.fetch(QUERIES["alarm_messages"], model.park, episode_id)
    return alarm | {
        "revision": rows[0]["revision"],
        "cause": _name(rule.cause if rule else None),
        "consequence": _name(rule.consequence if rule else None),
        "acts": [
            {
                "act": row["act"],
                "person": row["person"],
                "at": row["recorded_at"],
                "comment": row["comment"],
                "until": row["until"],
            }
            for row in acts
        ],
        "messages": [
            {
                "receiver": row["receiver"],
                "why": row["why"],
                "state": row["state"],
                "sent_at": row["sent_at"],
                "error": row["last_error"],
            }
            for row in messages
        ],
    }


async def rule_of(session: Session, park: str, rule: str, revision: int) -> Rule | None:
    """A rule as it was when it raised an alarm."""
    return (await rules_by_revision(session, park, [revision])).get(revision, {}).get(rule)


async def report_of(
    session: Session, model: ParkModel, begin: dt.datetime, end: dt.datetime, *, now: dt.datetime
) -> Json:
    """How the alarms of `[begin, end)` behaved.

    Raises:
        RefusedError: the time is empty or too long.
    """
    refuse_span(begin, end)
    rows = await session.fetch(QUERIES["report_episodes"], model.park, begin, end)
    found = report([_past(row) for row in rows], to_ms(begin), to_ms(end), to_ms(now))
    open_ids = {(row["rule"], row["subject"], to_ms(row["fired_at"])): row["episode_id"] for row in rows}
    wanted = [open_ids[item.rule, item.subject, item.since_ms] for item in found.standing]
    listed = await session.fetch(QUERIES["alarm_list"], model.park, "all", None, None, None, wanted, _MANY)

    def named(rule: str, subject: str) -> Json:
        return {"rule": rule, "subject": subject, "subject_name": _said(subject_name(model, subject))}

    return {
        "from": begin,
        "to": end,
        "alarms": found.times,
        "per_10_min": found.per_10_min,
        "by_priority": dict(found.priorities),
        "standing": list(reversed(await _alarms(session, model, listed, now))),
        "chattering": [
            named(item.rule, item.subject) | {"times": item.times, "at": from_ms(item.first_ms)}
            for item in found.chattering
        ],
        "top": [named(item.rule, item.subject) | {"alarms": item.times, "share": item.share} for item in found.top],
        "floods": [
            {"begin": from_ms(item.from_ms), "end": from_ms(item.to_ms), "alarms": item.times} for item in found.floods
        ],
        "flood_share": found.flood_share,
        "acknowledge_mean_s": None if found.mean_acknowledge_ms is None else found.mean_acknowledge_ms / 1000,
        "never_acknowledged": found.times - found.acknowledged,
        "shelved": found.shelved,
        "historical": found.historical,
    }


def refuse_span(begin: dt.datetime, end: dt.datetime) -> None:
    """Refuse a time that is empty, or longer than anything here is asked for.

    Raises:
        RefusedError: it is.
    """
    if end <= begin:
        raise RefusedError("", f"to: {end.isoformat()} is not after {begin.isoformat()}")
    if end - begin > LONGEST:
        raise RefusedError("", f"to: {(end - begin).days} days; {LONGEST.days} are the most")


async def _alarms(session: Session, model: ParkModel, rows: Sequence[Row], now: dt.datetime) -> list[Json]:
    rules = await rules_by_revision(session, model.park, {row["revision"] for row in rows}) if rows else {}
    return [_alarm(model, row, rules.get(row["revision"], {}).get(row["rule"]), to_ms(now)) for row in rows]


def _alarm(model: ParkModel, row: Row, rule: Rule | None, now_ms: int) -> Json:
    shelved_ms = row["shelved_until_ms"] or 0
    taken = row["acknowledged_by"]
    return {
        "id": row["episode_id"],
        "rule": row["rule"],
        "name": _name(rule.name) if rule else {"zh": row["rule"], "en": row["rule"]},
        "kind": row["kind"],
        "subject": row["subject"],
        "subject_name": _said(subject_name(model, row["subject"])),
        "priority": row["priority"],
        "phase": "resolved" if row["resolved_at"] is not None else row["phase"] or "firing",
        "began_at": row["began_at"],
        "fired_at": row["fired_at"],
        "resolved_at": row["resolved_at"],
        "value": row["value"],
        "worst": row["worst"],
        "limit": row["limit_value"],
        "unit": row["unit"],
        "reason": {"zh": row["reason_zh"], "en": row["reason_en"]},
        "acknowledged": None
        if taken is None
        else {"by": taken, "at": row["acknowledged_at"], "comment": row["acknowledged_comment"]},
        "shelved_until": from_ms(shelved_ms) if shelved_ms > now_ms else None,
        "out_of_service": row["out_of_service"],
        "withheld": row["withheld"] if row["resolved_at"] is None else "",
        "historical": row["historical"],
        "action": _name(rule.action if rule else None),
    }


def _past(row: Row) -> Past:
    return Past(
        rule=row["rule"],
        subject=row["subject"],
        priority=row["priority"],
        fired_ms=to_ms(row["fired_at"]),
        resolved_ms=None if row["resolved_at"] is None else to_ms(row["resolved_at"]),
        acknowledged_ms=None if row["acknowledged_at"] is None else to_ms(row["acknowledged_at"]),
        historical=row["historical"],
        shelved=row["shelved"],
    )


def _name(name: Any) -> Json | None:
    return None if name is None else {"zh": name.zh, "en": name.en}


def _said(words: Said) -> Json:
    return {"zh": words.zh, "en": words.en}


def _cursor(row: Row) -> str:
    return f"{(row['fired_at'] - _EPOCH) // _MICROSECOND}.{row['episode_id']}"


def _after(cursor: str | None) -> tuple[dt.datetime | None, int | None]:
    if cursor is None:
        return None, None
    found = _CURSOR.fullmatch(cursor)
    try:
        if found is not None:
            return _EPOCH + int(found[1]) * _MICROSECOND, int(found[2])
    except OverflowError:
        pass
    raise RefusedError("", f"cursor: {cursor!r} is not the `next` of a page")
