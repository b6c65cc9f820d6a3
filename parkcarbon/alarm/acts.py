"""What people do with an alarm: take it on, say something, shelve it, take it out of service."""

import datetime as dt
from dataclasses import replace
from typing import Final

from parkcarbon.domain.alarm.decide import Act, apply_act
from parkcarbon.domain.alarm.types import AlarmState
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Session, load_queries, to_ms

from .store import Held, Pair, lock_states, put_states

QUERIES: Final = load_queries("parkcarbon.alarm")


async def act(
    session: Session,
    park: str,
    episode_id: int,
    act: Act,
    *,
    person: str,
    comment: str = "",
    until: dt.datetime | None = None,
    now: dt.datetime,
) -> None:
    """Do something with an alarm: the act is kept, and the evaluator is told by the database.

    Shelving and service are of the rule and subject, so an alarm that is over can be shelved too: it may chatter.

    Args:
        session: a connection inside a transaction that may write.
        park: id.
        episode_id: alarm.
        act: what.
        person: who.
        comment: why; needed to comment, to shelve and to take out of service.
        until: end of shelving, at most 8 h from now.
        now: time of now.

    Raises:
        LookupError: the park has no such alarm.
        RefusedError: the act does not fit the alarm, or nobody says who or why.
    """
    row = await session.fetchrow(QUERIES["alarm_of_act"], park, episode_id)
    if row is None:
        raise LookupError(f"{park} has no alarm {episode_id}")
    if act == "comment" and not comment.strip():
        raise RefusedError("", "a comment says something")
    if act == "acknowledge" and row["resolved_at"] is not None:
        raise RefusedError(
            "", f"alarm {episode_id} is over since {row['resolved_at']:%Y-%m-%d %H:%M:%S} UTC: comment it"
        )
    pair = (row["rule"], row["subject"])
    held = await _locked(session, park, pair)
    taken = held.state.episode
    if act == "acknowledge" and taken is not None and taken.acknowledged_ms is not None:
        raise RefusedError("", f"{taken.acknowledged_by} has taken alarm {episode_id} on already")
    until_ms = None if until is None else to_ms(until)
    state = apply_act(held.state, act, person.strip(), to_ms(now), until_ms, comment=comment)
    await session.execute(QUERIES["alarm_act_enter"], episode_id, act, person.strip(), comment.strip(), until, now)
    if state != held.state:
        await put_states(session, park, {pair: replace(held, state=state)})


async def _locked(session: Session, park: str, pair: Pair) -> Held:
    """The state, locked; one that was never stored keeps decisions out until this transaction ends."""
    found = (await lock_states(session, park, [pair])).get(pair)
    if found is not None:
        return found
    await session.fetchrow(QUERIES["act_alone"])
    return (await lock_states(session, park, [pair])).get(pair) or Held(AlarmState(pair[1]))
