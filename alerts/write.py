"""Decisions into the tables: states, alarms and messages, in the order in which they may exist."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from parkcarbon.alarm import store
from parkcarbon.alarm.store import QUERIES, Held, Outgoing, Pair, Raised, Seen
from parkcarbon.alarm.templates import over
from parkcarbon.domain.alarm.types import (
    Decision,
    Episode,
    Historical,
    Observation,
    Opened,
    Phase,
    Resolved,
    Tell,
    Why,
    Withheld,
)
from parkcarbon.kit.db import Session

from .compose import Composer, Telling
from .muting import Mutes
from .past import end_of, raised_of
from .slots import Slot

_WITHDRAWN: Final = "规则已撤销或停用，或监视对象已不存在。\nIts rule was withdrawn, or what it watched is gone."


@dataclass(slots=True)
class Made:
    """A decision about a slot.

    Attributes:
        slot: what it is about.
        seen: what it rests on.
        decision: what follows.
        episode_id: open alarm after it, once it is written.
    """

    slot: Slot
    seen: Sequence[Observation]
    decision: Decision
    episode_id: int | None = None

    def keep(self, now_ms: int, *, stored: bool = False) -> None:
        """Remember the decision.

        Args:
            now_ms: time of now [ms UTC].
            stored: it was committed.
        """
        slot, state = self.slot, self.decision.state
        slot.state = state
        slot.seen_ms = max(slot.seen_ms, state.seen_ms)
        slot.wake_ms = self.decision.wake_ms
        slot.away = slot.away and not self.seen
        if stored:
            slot.stored = state
            slot.episode_id = self.episode_id
            slot.flushed_ms = now_ms


@dataclass
class Writing:
    """Writes the decisions of one look at a park."""

    park: str
    revision: int
    composer: Composer
    mutes: Mutes
    counted: Counter[str] = field(default_factory=Counter)

    async def write(self, session: Session, made: Sequence[Made], now_ms: int) -> int:
        """Write decisions; return how many messages are new."""
        await store.see_episodes(session, [one for each in made if (one := _over(each)) is not None])
        opened = [raised for each in made for raised in self._raised(each)]
        ids = await store.open_episodes(session, self.park, opened)
        for each in made:
            each.episode_id = self._open_id(each, ids)
            for action in each.decision.actions:
                self.counted[type(action).__name__.lower()] += 1
                if isinstance(action, Historical):
                    raised = raised_of(each.slot.rule, self.revision, action)
                    await store.past_episode(session, self.park, raised, end_of(action))
        await store.see_episodes(session, [one for each in made if (one := _standing(each)) is not None])
        held = {each.slot.pair: Held(each.decision.state, each.episode_id, each.decision.wake_ms) for each in made}
        await store.put_states(session, self.park, held)
        tellings = [telling for each in made for telling in self._tellings(each)]
        return len(await self.composer.put(session, tellings, now_ms))

    def _raised(self, each: Made) -> list[Raised]:
        policy, limit = each.slot.rule.policy, each.slot.rule.limit
        unit = "" if limit is None else limit.unit
        return [
            Raised(policy.rule, self.revision, policy.kind, policy.priority, unit, action.subject, action.episode)
            for action in each.decision.actions
            if isinstance(action, Opened)
        ]

    def _open_id(self, each: Made, ids: Mapping[Pair, int]) -> int | None:
        if each.slot.pair in ids:
            return ids[each.slot.pair]
        over = any(isinstance(action, Resolved) for action in each.decision.actions)
        return None if over or each.decision.state.phase is Phase.NORMAL else each.slot.episode_id

    def _tellings(self, each: Made) -> list[Telling]:
        resolved = {
            action.episode.from_ms: action.at_ms for action in each.decision.actions if isinstance(action, Resolved)
        }
        rule = each.slot.rule
        labels = self.mutes.labels(each.slot) if rule.policy.group_by else None
        return [
            Telling(
                rule,
                action,
                each.slot.episode_id if action.why is Why.RECOVERED else each.episode_id,
                resolved.get(action.episode.from_ms) if action.why is Why.RECOVERED else None,
                labels,
            )
            for action in each.decision.actions
            if isinstance(action, Tell)
        ]


def _over(each: Made) -> Seen | None:
    """The alarm that stood before and is over."""
    number = each.slot.episode_id
    resolved = next((action for action in each.decision.actions if isinstance(action, Resolved)), None)
    if number is None or resolved is None:
        return None
    return Seen(number, resolved.episode, _withheld(each, resolved.episode), resolved.at_ms)


def _standing(each: Made) -> Seen | None:
    """The alarm that stands."""
    episode = each.decision.state.episode
    if each.episode_id is None or episode is None:
        return None
    return Seen(each.episode_id, episode, _withheld(each, episode))


def _withheld(each: Made, episode: Episode) -> str:
    if episode.withheld is not None:
        return episode.withheld.value
    never = any(isinstance(action, Withheld) and action.why is Why.NEVER_WENT_OUT for action in each.decision.actions)
    return Why.NEVER_WENT_OUT.value if never else ""


async def retire(session: Session, park: str, held: Mapping[Pair, Held], now_ms: int) -> None:
    """End alarms whose rule or subject nobody watches any more; those who were told of them are told."""
    standing = {one.episode_id: one.state for one in held.values() if one.episode_id is not None}
    seen = [
        Seen(number, state.episode, "", max(state.episode.from_ms, state.seen_ms, state.episode.fired_ms or 0))
        for number, state in standing.items()
        if state.episode is not None
    ]
    await store.see_episodes(session, seen)
    told = await session.fetch(QUERIES["episodes_told"], sorted(standing))
    messages = [
        Outgoing(
            key=f"{row['episode_id']}-withdrawn-{row['receiver']}",
            receiver=row["receiver"],
            channel=row["channel"],
            why=Why.RECOVERED.value,
            priority=row["priority"],
            episodes=(row["episode_id"],),
            subject=f"不再监视 / no longer watched: {row['subject']}",
            body=f"{_WITHDRAWN}\n\n{row['subject']}",
            details=over(msgspec.json.decode(row["details"]), row["episode_id"], now_ms),
            next_ms=now_ms,
        )
        for row in told
    ]
    await store.put_messages(session, park, messages)
    await store.drop_states(session, park, held)
