"""Silences: for a time nobody is told of matching alarms. They stay in the list, and every silence ends by itself."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Row, Session, load_queries

from .rules.check_others import label_problems
from .rules.hints import Hints
from .rules.load import refuse_all

QUERIES: Final = load_queries("parkcarbon.alarm")
LONGEST: Final = dt.timedelta(days=31)
"""What is to be quiet for longer is a maintenance window of the rules, or no alarm at all."""

Json = dict[str, Any]


async def silence(
    session: Session,
    park: str,
    match: Mapping[str, str],
    *,
    end: dt.datetime,
    author: str,
    comment: str,
    now: dt.datetime,
    begin: dt.datetime | None = None,
) -> Json:
    """Silence matching alarms.

    Args:
        session: a connection inside a transaction that may write.
        park: id.
        match: patterns by label; all must fit.
        end: when it ends.
        author: who.
        comment: why.
        now: time of now.
        begin: when it begins; None: now.

    Raises:
        RefusedError: it would match nothing or everything, it is over already or too long, nobody says who or why.
    """
    first = now if begin is None else begin
    problems = list(label_problems("match", match, Hints()))
    problems += ["somebody must do it: who?"] if not author.strip() else []
    problems += ["a silence wants a reason"] if not comment.strip() else []
    if end <= max(first, now):
        problems.append(f"end: {end.isoformat()} is not after {max(first, now).isoformat()}")
    elif end - first > LONGEST:
        problems.append(f"end: {(end - first).days} days; {LONGEST.days} are the most")
    refuse_all(problems)
    number = await session.fetchval(
        QUERIES["silence_enter"],
        park,
        msgspec.json.encode(match).decode(),
        first,
        end,
        author.strip(),
        comment.strip(),
        now,
    )
    return await one_silence(session, park, int(number), now=now)


async def end_silence(session: Session, park: str, number: int, person: str, *, now: dt.datetime) -> Json:
    """End a silence before its time.

    Raises:
        LookupError: the park has no such silence.
        RefusedError: it is over already, or nobody says who.
    """
    before = await one_silence(session, park, number, now=now)
    if not person.strip():
        raise RefusedError("", "somebody must do it: who?")
    if await session.fetchval(QUERIES["silence_end"], park, number, now, person.strip()) is None:
        over = before["ended_at"] or before["end"]
        raise RefusedError("", f"silence {number} is over since {over:%Y-%m-%d %H:%M:%S} UTC")
    return await one_silence(session, park, number, now=now)


async def one_silence(session: Session, park: str, number: int, *, now: dt.datetime) -> Json:
    """A silence.

    Raises:
        LookupError: the park has no such silence.
    """
    row = await session.fetchrow(QUERIES["silence_list"], park, number, None)
    if row is None:
        raise LookupError(f"{park} has no silence {number}")
    return _silence(row, now)


async def silences(session: Session, park: str, *, now: dt.datetime, over: bool = False) -> list[Json]:
    """Silences of a park, the newest first; those that are over too where `over`."""
    rows = await session.fetch(QUERIES["silence_list"], park, None, None if over else now)
    return [_silence(row, now) for row in rows]


def _silence(row: Row, now: dt.datetime) -> Json:
    match = row["match"]
    return {
        "id": row["silence_id"],
        "match": msgspec.json.decode(match) if isinstance(match, str | bytes) else match,
        "begin": row["begin_at"],
        "end": row["end_at"],
        "author": row["author"],
        "comment": row["comment"],
        "recorded_at": row["recorded_at"],
        "ended_at": row["ended_at"],
        "ended_by": row["ended_by"],
        "active": row["ended_at"] is None and row["begin_at"] <= now < row["end_at"],
    }
