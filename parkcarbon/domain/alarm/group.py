"""Which tellings go out together: alarms with the same group labels that come within `settle` make one message.

A group goes out when the first of its tellings has waited long enough, and takes all the others along. An escalation
never waits, nor does an alarm that belongs to no group.

References:
    prometheus/alertmanager `dispatch` (group_by, group_wait).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from .types import Labels, Policy, Priority, Tell, Why

Told: TypeAlias = tuple[str, Tell]
"""Rule and what is to be told of it."""

_GRAVEST: Final = (Why.FIRST, Why.ESCALATION, Why.REPEAT, Why.RECOVERED)
_PRIORITIES: Final[tuple[Priority, ...]] = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Bundle:
    """One message to one receiver.

    Attributes:
        key: the same tellings to the same receiver make the same: a second message with it is the first again.
        receiver: who.
        labels: of the group, as name and value; empty: an alarm by itself.
        why: of the gravest telling in it: a new alarm, an escalation, a repeat, a recovery.
        priority: highest in it.
        told: rule and telling, in the order in which they came.
    """

    key: str
    receiver: str
    labels: tuple[tuple[str, str], ...]
    why: Why
    priority: Priority
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """What goes out now and what waits.

    Attributes:
        ready: messages.
        waiting: tellings that wait for others of their group.
        wake_ms: when the next group goes out [ms UTC]; None: nothing waits.
    """

    ready: tuple[Bundle, ...]
    waiting: tuple[Told, ...]
    wake_ms: int | None


def group(
    tells: Sequence[Told],
    labels: Mapping[tuple[str, str], Labels],
    policies: Mapping[str, Policy],
    now_ms: int,
) -> Grouping:
    """Put tellings together.

    Args:
        tells: rule and telling, those that waited before the new ones; a telling came at its `episode.last_told_ms`.
        labels: by rule and subject.
        policies: by rule.
        now_ms: time of now [ms UTC].
    """
    groups: dict[tuple[tuple[str, str], ...], list[Told]] = {}
    alone: list[list[Told]] = []
    for one in tells:
        rule, tell = one
        policy = policies[rule]
        if not policy.group_by or tell.why is Why.ESCALATION:
            alone.append([one])
            continue
        values = labels[rule, tell.subject].values
        groups.setdefault(tuple((name, values.get(name, "")) for name in policy.group_by), []).append(one)
    ready = [bundle for told in alone for bundle in _bundles((), told, policies)]
    waiting: list[Told] = []
    deadlines: list[int] = []
    for name, told in groups.items():
        deadline_ms = min(_came(tell) + policies[rule].settle_ms for rule, tell in told)
        if deadline_ms <= now_ms:
            ready += _bundles(name, told, policies)
        else:
            waiting += told
            deadlines.append(deadline_ms)
    return Grouping(tuple(ready), tuple(waiting), min(deadlines, default=None))


def key_of(told: Iterable[Told], receiver: str) -> str:
    """Idempotency key of a message: what is told, how often before, to whom."""
    lines = sorted(
        f"{rule}\n{tell.subject}\n{tell.episode.from_ms}\n{tell.why.value}\n{tell.count}" for rule, tell in told
    )
    return hashlib.sha256("\n".join([receiver, *lines]).encode()).hexdigest()[:32]


def _came(tell: Tell) -> int:
    return tell.episode.last_told_ms or 0


def _bundles(name: tuple[tuple[str, str], ...], told: Sequence[Told], policies: Mapping[str, Policy]) -> list[Bundle]:
    """A message for each receiver, with what is told to that one."""
    receivers = dict.fromkeys(receiver for _, tell in told for receiver in tell.receivers)
    return [
        _bundle(name, receiver, tuple(one for one in told if receiver in one[1].receivers), policies)
        for receiver in receivers
    ]


def _bundle(
    name: tuple[tuple[str, str], ...], receiver: str, told: tuple[Told, ...], policies: Mapping[str, Policy]
) -> Bundle:
    return Bundle(
        key=key_of(told, receiver),
        receiver=receiver,
        labels=name,
        why=min((tell.why for _, tell in told), key=_GRAVEST.index),
        priority=max((policies[rule].priority for rule, _ in told), key=_PRIORITIES.index),
        told=told,
    )
