"""Readings that came late: what they say of the past goes into the list of alarms, and wakes nobody."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from parkcarbon.alarm import store
from parkcarbon.alarm.kinds.base import Compiled, Kind
from parkcarbon.alarm.store import QUERIES
from parkcarbon.domain.alarm.steps import late
from parkcarbon.domain.alarm.types import AlarmState, Historical, Observation
from parkcarbon.kit.db import Database, DatabaseError, Session, to_ms
from parkcarbon.live.model import ParkModel

from . import metrics
from .lease import Lease
from .slots import Slots

log = structlog.get_logger(__name__)

LATE: Final = dt.timedelta(minutes=2)
"""A batch with readings of more than so long before it was committed is looked at as past."""
MARGIN_MS: Final = 900_000
SLICE_MS: Final = 7 * 86_400_000
"""The past is read in slices of so long [ms]."""
LONGEST_MS: Final = 400 * 86_400_000
_OVERLAP: Final = dt.timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A past to be judged again.

    Attributes:
        source: whose readings came late; None: every one's.
        from_ms: begin [ms UTC].
        to_ms: end [ms UTC].
    """

    source: str | None
    from_ms: int
    to_ms: int


@dataclass
class Late:
    """Finds batches that came late; each once.

    Args:
        since: of the database's clock; what was committed before was looked at.
    """

    since: dt.datetime
    _seen: dict[int, dt.datetime] = field(default_factory=dict)

    async def find(self, session: Session, park: str) -> list[Stretch]:
        """What came late since the last look, one stretch a source."""
        found: dict[str, Stretch] = {}
        for row in await session.fetch(QUERIES["late_batches"], park, self.since - _OVERLAP, LATE):
            if row["batch_id"] in self._seen:
                continue
            self._seen[row["batch_id"]] = row["known_at"]
            self.since = max(self.since, row["known_at"])
            source, from_ms, to_ms_ = row["source"], to_ms(row["t_min"]), to_ms(row["t_max"])
            known = found.get(source)
            if known is not None:
                from_ms, to_ms_ = min(known.from_ms, from_ms), max(known.to_ms, to_ms_)
            found[source] = Stretch(source, from_ms, to_ms_)
        floor = self.since - 2 * _OVERLAP
        self._seen = {batch: at for batch, at in self._seen.items() if at > floor}
        return list(found.values())


def touches(rule: Compiled, model: ParkModel, source: str | None) -> Compiled | None:
    """The rule with the subjects that readings of a source say something of; None: none."""
    if source is None:
        return rule
    devices = {device.device for device in model.devices if device.source == source}
    subjects = tuple(
        subject
        for subject in rule.subjects
        if subject.partition(":")[0] not in {"point", "device", "source"}
        or subject.partition(":")[2].partition("/")[0] in devices
        or subject == f"source:{source}"
    )
    return replace(rule, subjects=subjects) if subjects else None


def slices(begin_ms: int, end_ms: int, rule: Compiled) -> Iterator[tuple[int, int]]:
    """Begin and end of the slices in which a past is read for a rule, each with room for a whole alarm [ms UTC]."""
    room_ms = rule.policy.for_ms + rule.policy.keep_firing_ms + MARGIN_MS
    at_ms = max(begin_ms, end_ms - LONGEST_MS)
    while at_ms < end_ms:
        yield at_ms - room_ms, min(at_ms + SLICE_MS, end_ms) + room_ms
        at_ms += SLICE_MS


@dataclass
class Past:
    """Judges the past of one park."""

    model: ParkModel
    revision: int
    rules: tuple[Compiled, ...]
    kinds: Mapping[str, Kind]
    slots: Slots
    epoch: int | None = None

    async def judge(self, database: Database, lease: Lease, stretch: Stretch, now_ms: int) -> int:
        """Enter the alarms of a past that nobody knew of; return how many.

        Raises:
            LeaseLostError: another evaluator decides.
        """
        entered = 0
        for rule in self.rules:
            kind = self.kinds[rule.policy.kind]
            narrowed = touches(rule, self.model, stretch.source)
            if kind.history is None or not kind.late or narrowed is None:
                continue
            for begin_ms, end_ms in slices(stretch.from_ms, stretch.to_ms, rule):
                try:
                    async with database.session() as session:
                        seen = await kind.history(session, self.model, narrowed, begin_ms, min(end_ms, now_ms))
                except DatabaseError:
                    raise
                except Exception:
                    metrics.FAILED.labels(rule.policy.kind).inc()
                    log.exception("past.failed", park=self.model.park, rule=rule.policy.rule)
                    break
                entered += await self._enter(database, lease, rule, self._found(rule, seen, now_ms))
        return entered

    def _found(self, rule: Compiled, seen: list[Observation], now_ms: int) -> list[Historical]:
        by_subject: dict[str, list[Observation]] = {}
        for observation in seen:
            slot = self.slots.get((rule.policy.rule, observation.subject))
            until_ms = slot.seen_ms if slot is not None and slot.seen_ms else now_ms - to_milliseconds(LATE)
            if observation.at_ms < until_ms:
                by_subject.setdefault(observation.subject, []).append(observation)
        found: list[Historical] = []
        for subject, past in by_subject.items():
            slot = self.slots.get((rule.policy.rule, subject))
            found += late(rule.policy, AlarmState(subject) if slot is None else slot.state, past)
        return found

    async def _enter(self, database: Database, lease: Lease, rule: Compiled, found: list[Historical]) -> int:
        if not found:
            return 0
        async with database.transaction() as session:
            await lease.hold(session, self.epoch)
            ids = [
                await store.past_episode(session, self.model.park, raised_of(rule, self.revision, one), end_of(one))
                for one in found
            ]
        new = sum(number is not None for number in ids)
        metrics.DECISIONS.labels("historical").inc(new)
        return new


def raised_of(rule: Compiled, revision: int, one: Historical) -> store.Raised:
    """A past alarm as it goes into the list."""
    policy = rule.policy
    unit = "" if rule.limit is None else rule.limit.unit
    return store.Raised(policy.rule, revision, policy.kind, policy.priority, unit, one.subject, one.episode)


def end_of(one: Historical) -> int:
    """When a past alarm was over [ms UTC]; where nobody knows, its last observation."""
    if one.resolved_ms is not None:
        return one.resolved_ms
    return one.episode.from_ms if one.episode.last is None else one.episode.last.at_ms


def to_milliseconds(span: dt.timedelta) -> int:
    """A span in ms."""
    return span // dt.timedelta(milliseconds=1)
