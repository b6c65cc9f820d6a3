"""Decisions into messages of the outbox: who, on which way, in which words; alarms of a group in one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from parkcarbon.alarm.kinds.base import Compiled
from parkcarbon.alarm.rules.document import Alarms, Receiver
from parkcarbon.alarm.store import Outgoing, grow_message, put_messages
from parkcarbon.alarm.subjects import subject_name
from parkcarbon.alarm.templates import AlarmFacts, MessageFacts, details_of, link_of, render
from parkcarbon.domain.alarm.group import Bundle, group
from parkcarbon.domain.alarm.types import Labels, Priority, Said, Tell, Why
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel

log = structlog.get_logger(__name__)

RANK: Final[Mapping[Priority, int]] = {"low": 0, "medium": 1, "high": 2}
_FAR_MS: Final = 1 << 60


@dataclass(frozen=True, slots=True)
class Telling:
    """Somebody is to be told of an alarm.

    Attributes:
        rule: that raised it.
        tell: who and why.
        episode_id: its row.
        resolved_ms: since when it is over [ms UTC]; None: it stands.
        labels: of the alarm; None where its rule groups by none.
    """

    rule: Compiled
    tell: Tell
    episode_id: int | None
    resolved_ms: int | None = None
    labels: Labels | None = None


@dataclass(frozen=True, slots=True)
class _Settling:
    """A message that waits for others of its group."""

    message: Outgoing
    facts: MessageFacts


class Composer:
    """Makes messages of one park.

    Args:
        model: the park.
        document: its receivers.
        page_url: address of the page; empty: no links.
    """

    def __init__(self, model: ParkModel, document: Alarms, page_url: str) -> None:
        self._model = model
        self._receivers = {one.receiver: one for one in document.receivers}
        self._page_url = page_url
        self._settling: dict[tuple[str, tuple[tuple[str, str], ...]], _Settling] = {}

    async def put(self, session: Session, tellings: Sequence[Telling], now_ms: int) -> list[Outgoing]:
        """Put what is to be told into the outbox; the caller's transaction holds the decision, too."""
        if not tellings:
            return []
        by_pair = {(one.rule.policy.rule, one.tell.subject, one.tell.why): one for one in tellings}
        grouping = group(
            [(one.rule.policy.rule, one.tell) for one in tellings],
            {(one.rule.policy.rule, one.tell.subject): one.labels for one in tellings if one.labels is not None},
            {one.rule.policy.rule: one.rule.policy for one in tellings},
            _FAR_MS,
        )
        new: list[Outgoing] = []
        for bundle in grouping.ready:
            told = [by_pair[rule, tell.subject, tell.why] for rule, tell in bundle.told]
            message = await self._bundle(session, bundle, told, now_ms)
            if message is not None:
                new.append(message)
        await put_messages(session, self._model.park, new)
        return new

    def forget(self) -> None:
        """What was not committed does not settle."""
        self._settling.clear()

    async def _bundle(self, session: Session, bundle: Bundle, told: Sequence[Telling], now_ms: int) -> Outgoing | None:
        """A message for the outbox; None: nobody wants it, or one that waits took it along."""
        receiver = self._receivers.get(bundle.receiver)
        if receiver is None:
            log.warning("receiver.unknown", park=self._model.park, receiver=bundle.receiver)
            return None
        wanted = [one for one in told if RANK[one.rule.policy.priority] >= RANK[receiver.at_least]]
        if not wanted:
            return None
        alarms = {one.rule.policy.rule + "\n" + one.tell.subject: self._alarm(one) for one in wanted}
        settle_ms = min(one.rule.policy.settle_ms for one in wanted) if bundle.labels else 0
        place = bundle.receiver, bundle.labels
        known = self._settling.get(place)
        if known is not None and known.message.next_ms > now_ms:
            grown = self._grown(receiver, known, list(alarms.values()), bundle)
            if await grow_message(session, grown.message):
                self._settling[place] = grown
                return None
        facts = self._facts(bundle.why, now_ms, list(alarms.values()))
        message = self._message(bundle.key, receiver, bundle.why, facts, wanted)
        message = replace(message, next_ms=now_ms + settle_ms)
        if settle_ms > 0:
            self._settling[place] = _Settling(message, facts)
        return message

    def _grown(self, receiver: Receiver, known: _Settling, alarms: list[AlarmFacts], bundle: Bundle) -> _Settling:
        """The same message with more alarms; one that was in it is as it is now."""
        there = {(one.rule.rule, one.subject): one for one in [*known.facts.alarms, *alarms]}
        why = known.facts.why if known.facts.why is Why.FIRST else bundle.why
        facts = self._facts(why, known.facts.now_ms, list(there.values()))
        before = known.message
        message = self._message(before.key, receiver, why, facts, ())
        return _Settling(replace(message, next_ms=before.next_ms, committed_ms=before.committed_ms), facts)

    def _facts(self, why: Why, now_ms: int, alarms: list[AlarmFacts]) -> MessageFacts:
        model = self._model
        alarms.sort(key=lambda one: -RANK[one.rule.priority])
        name = Said(model.name.zh, model.name.en)
        return MessageFacts(model.park, name, model.zone, why, now_ms, tuple(alarms))

    def _alarm(self, one: Telling) -> AlarmFacts:
        unit = one.rule.limit.unit if one.rule.limit is not None else ""
        return AlarmFacts(
            rule=one.rule.rule,
            episode_id=one.episode_id,
            subject=one.tell.subject,
            subject_name=subject_name(self._model, one.tell.subject),
            unit=unit,
            episode=one.tell.episode,
            resolved_ms=one.resolved_ms,
            link=link_of(self._page_url, one.episode_id),
        )

    def _message(
        self, key: str, receiver: Receiver, why: Why, facts: MessageFacts, told: Sequence[Telling]
    ) -> Outgoing:
        try:
            subject, body = render(facts, receiver)
        except RefusedError as error:  # checked when it was entered; no alarm is lost over a template
            log.warning("template.failed", receiver=receiver.receiver, error=str(error))
            subject, body = render(facts, replace_templates(receiver))
        committed = [
            one.tell.episode.last.committed_ms
            for one in told
            if one.tell.why in (Why.FIRST, Why.RECOVERED)
            and one.tell.episode.last is not None
            and one.tell.episode.last.committed_ms is not None
        ]
        return Outgoing(
            key=key,
            receiver=receiver.receiver,
            channel=receiver.channel,
            why=why.value,
            priority=max((one.rule.priority for one in facts.alarms), key=RANK.__getitem__),
            episodes=tuple(one.episode_id for one in facts.alarms if one.episode_id is not None),
            subject=subject,
            body=body,
            details=details_of(facts),
            committed_ms=max(committed, default=None),
        )


def replace_templates(receiver: Receiver) -> Receiver:
    """The receiver with our own words."""
    return Receiver(receiver.receiver, receiver.channel, receiver.language, receiver.at_least)
