"""Where each alarm stands in the database: states, episodes, messages. Whoever calls holds the transaction."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import msgspec

from parkcarbon.domain.alarm.types import AlarmState, Episode, Level, Observation, Priority
from parkcarbon.kit.db import Row, Session, from_ms, load_queries, to_ms

QUERIES: Final = load_queries("parkcarbon.alarm")

Pair: TypeAlias = tuple[str, str]
"""Rule and subject."""

_DECODER: Final = msgspec.json.Decoder(AlarmState)


@dataclass(frozen=True, slots=True)
class Held:
    """A stored state.

    Attributes:
        state: as decided.
        episode_id: its open alarm, or None.
        wake_ms: when to look again [ms UTC], or None.
    """

    state: AlarmState
    episode_id: int | None = None
    wake_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm as it goes into the list of alarms."""

    rule: str
    revision: int
    kind: str
    priority: Priority
    unit: str
    subject: str
    episode: Episode


@dataclass(frozen=True, slots=True)
class Seen:
    """What changed of an alarm that stands.

    Attributes:
        episode_id: alarm.
        episode: as it stands.
        withheld: why nobody is told now; empty: somebody is.
        resolved_ms: since when it is over [ms UTC]; None: it stands.
    """

    episode_id: int
    episode: Episode
    withheld: str = ""
    resolved_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for the outbox.

    Attributes:
        key: the same decision makes the same.
        receiver: who, by id in the rules.
        channel: the way, by name.
        why: `first`, `repeat`, `escalation`, `recovered`.
        priority: of the gravest alarm in it.
        episodes: alarms in it.
        subject: one line.
        body: text.
        details: what a machine reads.
        next_ms: not before [ms UTC].
        committed_ms: when the newest reading that led to it was committed [ms UTC]; None: none did.
    """

    key: str
    receiver: str
    channel: str
    why: str
    priority: Priority
    episodes: tuple[int, ...]
    subject: str
    body: str
    details: Mapping[str, Any] = field(default_factory=dict)
    next_ms: int = 0
    committed_ms: int | None = None


def state_of(value: object) -> AlarmState:
    """A state from column `alarm_state.state`."""
    return _DECODER.decode(value) if isinstance(value, str | bytes) else msgspec.convert(value, AlarmState)


def state_text(state: AlarmState) -> str:
    """A state for column `alarm_state.state`.

    >>> state_of(state_text(AlarmState("park"))) == AlarmState("park")
    True
    """
    return msgspec.json.encode(state).decode()


async def states(session: Session, park: str) -> dict[Pair, Held]:
    """All states of a park."""
    return _held(await session.fetch(QUERIES["states_of_park"], park))


async def lock_states(session: Session, park: str, pairs: Iterable[Pair]) -> dict[Pair, Held]:
    """States of some rules and subjects, locked until the transaction ends; one that was never stored is absent."""
    rules, subjects = _columns(pairs, 2)
    return _held(await session.fetch(QUERIES["states_lock"], park, rules, subjects))


async def put_states(session: Session, park: str, held: Mapping[Pair, Held]) -> None:
    """Store states."""
    rows = [
        (rule, subject, one.state.phase.value, state_text(one.state), one.episode_id, moment(one.wake_ms))
        for (rule, subject), one in held.items()
    ]
    if rows:
        await session.execute(QUERIES["states_put"], park, *_columns(rows, 6))


async def drop_states(session: Session, park: str, pairs: Iterable[Pair]) -> None:
    """Forget states: their rule or subject is gone."""
    await session.execute(QUERIES["states_drop"], park, *_columns(pairs, 2))


async def open_episodes(session: Session, park: str, raised: Sequence[Raised]) -> dict[Pair, int]:
    """Enter alarms; return their ids."""
    if not raised:
        return {}
    rows = [
        (
            *(one.rule, one.revision, one.kind, one.subject, one.priority),
            *(from_ms(one.episode.from_ms), moment(one.episode.fired_ms) or from_ms(one.episode.from_ms)),
            *_figures(one.episode, one.unit),
        )
        for one in raised
    ]
    found = await session.fetch(QUERIES["episodes_open"], park, *_columns(rows, 13))
    return {(row["rule"], row["subject"]): row["episode_id"] for row in found}


async def see_episodes(session: Session, seen: Sequence[Seen]) -> None:
    """Write what changed of alarms that stand."""
    if not seen:
        return
    rows = []
    for one in seen:
        value, worst, limit, _, zh, en = _figures(one.episode, "")
        rows.append((one.episode_id, value, worst, limit, zh, en, one.withheld, moment(one.resolved_ms)))
    await session.execute(QUERIES["episodes_seen"], *_columns(rows, 8))


async def past_episode(session: Session, park: str, raised: Raised, resolved_ms: int) -> int | None:
    """Enter an alarm that was found in readings that came late.

    What overlaps an alarm that people know of already is that alarm; what overlaps a past one makes it wider.

    Returns:
        Its id; None where it was known.
    """
    episode = raised.episode
    began, resolved = from_ms(episode.from_ms), from_ms(resolved_ms)
    fired = moment(episode.fired_ms) or began
    known = await session.fetchrow(QUERIES["episode_overlapping"], park, raised.rule, raised.subject, began, resolved)
    if known is None:
        value, worst, limit, unit, zh, en = _figures(episode, raised.unit)
        entered: int = await session.fetchval(
            QUERIES["episode_past"],
            *(park, raised.rule, raised.revision, raised.kind, raised.subject, raised.priority),
            *(began, fired, resolved, value, worst, limit, unit, zh, en),
        )
        return entered
    if known["historical"]:
        await session.execute(QUERIES["episode_past_wider"], known["episode_id"], began, fired, resolved, episode.worst)
    return None


async def put_messages(session: Session, park: str, messages: Sequence[Outgoing]) -> int:
    """Put messages into the outbox; one with a known key is there already.

    Returns:
        How many are new.
    """
    if not messages:
        return 0
    rows = [
        (
            *(one.key, one.receiver, one.channel, one.why, one.priority),
            "{" + ",".join(str(number) for number in one.episodes) + "}",
            *(one.subject, one.body, msgspec.json.encode(one.details).decode()),
            *(from_ms(one.next_ms), moment(one.committed_ms)),
        )
        for one in messages
    ]
    return await session.execute(QUERIES["messages_put"], park, *_columns(rows, 11))


async def grow_message(session: Session, message: Outgoing) -> bool:
    """Write a waiting message anew, with others of its group; False: it is on its way already."""
    grown = await session.fetchval(
        QUERIES["message_grow"],
        *(message.key, message.why, message.priority, list(message.episodes), message.subject, message.body),
        msgspec.json.encode(message.details).decode(),
    )
    return grown is not None


def moment(time_ms: int | None) -> dt.datetime | None:
    """A time for the database, or nothing."""
    return None if time_ms is None else from_ms(time_ms)


def _held(rows: Sequence[Row]) -> dict[Pair, Held]:
    return {
        (row["rule"], row["subject"]): Held(
            state_of(row["state"]), row["episode_id"], None if row["wake_at"] is None else to_ms(row["wake_at"])
        )
        for row in rows
    }


def _figures(episode: Episode, unit: str) -> tuple[float | None, float | None, float | None, str, str, str]:
    last = episode.last or Observation("", 0, Level.UNKNOWN)
    return last.value, episode.worst, last.limit, unit, last.reason.zh, last.reason.en


def _columns(rows: Iterable[Sequence[object]], width: int) -> list[list[object]]:
    """Rows as columns, for `unnest`."""
    table = list(rows)
    return [[row[at] for row in table] for at in range(width)]
