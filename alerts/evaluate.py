"""One park: what is seen of it, what follows, and the one transaction that writes it all.

States are remembered between looks; the database has the truth. A decision is made from what is remembered, and again
from what is stored where a person changed that meanwhile. States, alarms and messages are written together, in a
transaction that holds the lease: a crash at any moment leaves all of it or none, and the next look decides the same.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import structlog

from parkcarbon.alarm import store
from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.kinds.base import Compiled, Kind, Scene
from parkcarbon.alarm.rules.check import compile_each
from parkcarbon.alarm.rules.document import Alarms
from parkcarbon.alarm.rules.store import rules_of
from parkcarbon.alarm.store import QUERIES, Held, Pair
from parkcarbon.domain.alarm.decide import decide
from parkcarbon.domain.alarm.types import Decision, Observation, Phase
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import Database, Session, UnavailableError, from_ms
from parkcarbon.live.load import load_park
from parkcarbon.live.model import ParkModel

from . import metrics
from .compose import Composer
from .lease import Lease
from .muting import Mutes, silences_of
from .past import Past, Stretch
from .readings import Change, Readings
from .slots import OVERLAP_MS, Slot, Slots, gone, significant
from .write import Made, Writing, retire

log = structlog.get_logger(__name__)

EVERYTHING_MS: Final = 60_000
"""So often everything is judged, whether or not anything is new [ms]."""
SILENT_MS: Final = 10_000
"""So often those are judged that have no new reading: what is missing is not new [ms]."""
MODEL_MS: Final = 900_000
"""So often the park is read again although nobody changed it: factors and meters have dates [ms]."""
LOAD_MS: Final = 500
"""What a kind reads beside the readings is read again at most so often [ms], and for a tenth of the time at most."""
FLUSH_MS: Final = 10_000
"""The newest figure of an alarm that stands is stored so often [ms]."""
GAP_MS: Final = 120_000
"""Readings that jump ahead by more bring what lies between with them [ms]."""
LONGEST_GAP_MS: Final = 86_400_000


@dataclass(frozen=True)
class Away:
    """What an evaluator that takes over knows of the time before.

    Attributes:
        alive_ms: when the last one was last heard of [ms UTC]; None: there was none, or it is this one.
        now_ms: when it took over [ms UTC].
    """

    alive_ms: int | None
    now_ms: int

    @property
    def floor_ms(self) -> int:
        """Watermark of what has none of its own [ms UTC]."""
        return 0 if self.alive_ms is None else max(0, self.alive_ms - OVERLAP_MS)

    @property
    def long(self) -> bool:
        """Whether nobody decided for so long that what opens now is late."""
        return self.alive_ms is not None and self.now_ms - self.alive_ms > GAP_MS


@dataclass
class Loaded:
    """What a park's evaluation rests on, until somebody changes it."""

    model: ParkModel
    document: Alarms
    revision: int
    rules: tuple[Compiled, ...]
    by_kind: dict[str, list[Compiled]]
    slots: Slots
    mutes: Mutes
    composer: Composer
    loaded_ms: int


@dataclass
class _Read:
    """What a kind's `load` returned."""

    value: Any
    at_ms: int
    took_ms: float


@dataclass
class _Plan:
    """What is judged in this look."""

    now_ms: int
    change: Change
    everything: bool
    silent: frozenset[int] | None = None
    due: list[str] = field(default_factory=list)


class ParkEvaluator:
    """Evaluates the rules of one park.

    Args:
        park: id.
        lease: the right to decide.
        clock: time.
        page_url: address of the page, for links; empty: none.
        away: what it takes over.
        kinds: of rules.
    """

    def __init__(
        self,
        park: str,
        lease: Lease,
        clock: Clock,
        *,
        page_url: str = "",
        away: Away = Away(None, 0),
        kinds: Mapping[str, Kind] = KINDS,
    ) -> None:
        self.park = park
        self._lease = lease
        self._clock = clock
        self._page_url = page_url
        self._away = away
        self._kinds = kinds
        self._loaded: Loaded | None = None
        self._readings = Readings([])
        self._reads: dict[str, _Read] = {}
        self._next_ms: dict[str, int] = {}
        self._everything_ms = 0
        self._silent_ms = 0
        self._stale = True
        self._old_model = True
        self._gone: Mapping[Pair, Held] = {}
        self._epoch = lease.epoch

    def forget(self, *, park: bool = False) -> None:
        """Somebody changed rules, silences or an alarm: read them again.

        Args:
            park: the park itself was changed.
        """
        self._stale = True
        self._old_model = self._old_model or park

    @property
    def past(self) -> Past | None:
        """Judges what came late; None: there is nothing to judge."""
        loaded = self._loaded
        if loaded is None:
            return None
        return Past(loaded.model, loaded.revision, loaded.rules, self._kinds, loaded.slots, self._epoch)

    def missed(self) -> Stretch | None:
        """The time in which nobody looked, once; None: none."""
        away, self._away = self._away, Away(None, self._away.now_ms)
        return Stretch(None, away.floor_ms, away.now_ms) if away.long else None

    async def look(self, database: Database, *, everything: bool = False) -> int:
        """See, decide, write.

        Args:
            database: pool.
            everything: judge every rule, whether or not something is new.

        Returns:
            How many messages were put into the outbox.

        Raises:
            LeaseLostError: another evaluator decides; nothing was written.
            DatabaseError: nothing was written; the next look sees the same.
        """
        begun_s = time.perf_counter()
        now_ms = self._clock.now_ms()
        try:
            async with database.session() as session:
                await self._refresh(session, now_ms)
                loaded = self._loaded
                if loaded is None:
                    return 0
                plan = await self._plan(session, loaded, now_ms, everything=everything)
                waiting = await self._see(session, loaded, plan)
            made = self._decide(loaded, waiting, plan)
            sent = await self._write(database, loaded, made, now_ms)
        except BaseException:
            self._everything_ms = 0  # what was seen and not written is seen again
            self._stale = self._old_model = True
            raise
        if plan.change.earliest_ms is not None:
            metrics.LAG.observe(max(0, self._clock.now_ms() - plan.change.earliest_ms) / 1000)
        metrics.LOOK.observe(time.perf_counter() - begun_s)
        return sent

    # ── what it rests on ─────────────────────────────────────────────────────────────────────────

    async def _refresh(self, session: Session, now_ms: int) -> None:
        """Read what somebody changed: the park, its rules, silences, what people did with alarms."""
        loaded = self._loaded
        old = self._old_model or loaded is None or now_ms - loaded.loaded_ms >= MODEL_MS
        if not (self._stale or old):
            return
        self._stale = self._old_model = False
        async with session.transaction():
            model = await load_park(session, self.park, now_ms) if old or loaded is None else loaded.model
            if model is None:
                self._loaded = None
                return
            rules = await rules_of(session, self.park)
            held = await store.states(session, self.park)
            silences = await session.fetch(QUERIES["silences_now"], self.park, from_ms(now_ms))
        if old or loaded is None or loaded.revision != rules.revision:
            active = await asyncio.to_thread(self._compile, rules.document, model)
        else:
            active = loaded.rules
        mutes = Mutes.of(model, rules.document)
        mutes.silences = silences_of(silences)
        slots = self._slots(rules.document, active, held)
        for slot in slots.all():
            mutes.note(slot, slot.state.phase)
        same = loaded is not None and loaded.revision == rules.revision and loaded.model is model
        self._loaded = Loaded(
            model=model,
            document=rules.document,
            revision=rules.revision,
            rules=active,
            by_kind=_by_kind(active),
            slots=slots,
            mutes=mutes,
            composer=loaded.composer if same and loaded else Composer(model, rules.document, self._page_url),
            loaded_ms=loaded.loaded_ms if same and loaded else now_ms,
        )
        if not same:
            self._readings.watch(watched(active, model, self._kinds))
            self._everything_ms = 0

    def _compile(self, document: Alarms, model: ParkModel) -> tuple[Compiled, ...]:
        """Rules that fit the park now; runs in a thread."""
        compiled, problems = compile_each(document, model, self._kinds)
        for problem in problems:
            log.warning("rule.does_not_fit", park=self.park, problem=problem)
        active = tuple(rule for rule in compiled if rule.rule.enabled)
        metrics.RULES.labels(self.park, "judged").set(len(active))
        metrics.RULES.labels(self.park, "does not fit").set(sum(rule.enabled for rule in document.rules) - len(active))
        metrics.WATCHED.labels(self.park).set(sum(len(rule.subjects) for rule in active))
        return active

    def _slots(self, document: Alarms, rules: Sequence[Compiled], held: Mapping[Pair, Held]) -> Slots:
        before = None if self._loaded is None else self._loaded.slots
        away = self._away if before is None else Away(None, 0)
        slots = Slots(away.floor_ms, away.long)
        by_rule = {rule.policy.rule: rule for rule in rules}
        pairs: dict[Pair, None] = dict.fromkeys(pair for pair in held if pair[0] in by_rule)
        pairs |= dict.fromkeys((rule.policy.rule, subject) for rule in rules for subject in rule.subjects)
        if before is not None:
            pairs |= dict.fromkeys(slot.pair for slot in before.all() if slot.rule.policy.rule in by_rule)
        for rule, subject in pairs:
            known = None if before is None else before.get((rule, subject))
            slots.put(by_rule[rule], subject, held.get((rule, subject)), known)
        fitting = {rule.rule: by_rule.get(rule.rule) for rule in document.rules if rule.enabled}
        self._gone = {pair: held[pair] for pair in gone(fitting, held)}
        for rule, subject in self._gone:
            slots.by_rule.get(rule, {}).pop(subject, None)
        return slots

    # ── what is seen ─────────────────────────────────────────────────────────────────────────────

    async def _plan(self, session: Session, loaded: Loaded, now_ms: int, *, everything: bool) -> _Plan:
        everything = everything or now_ms - self._everything_ms >= EVERYTHING_MS
        change = await self._readings.refresh(session, everything=everything)
        plan = _Plan(now_ms, change, everything)
        if everything:
            self._everything_ms = now_ms
        elif now_ms - self._silent_ms >= SILENT_MS:
            plan.silent = self._readings.silent(now_ms)
        if everything or plan.silent is not None:
            self._silent_ms = now_ms
        for name, rules in loaded.by_kind.items():
            kind = self._kinds[name]
            if kind.every_ms and now_ms < self._next_ms.get(name, 0):
                continue
            if kind.every_ms:
                self._next_ms[name] = now_ms + kind.every_ms
            if kind.load is not None:
                await self._load(session, loaded.model, kind, rules, plan)
            plan.due.append(name)
        return plan

    async def _load(
        self, session: Session, model: ParkModel, kind: Kind, rules: Sequence[Compiled], plan: _Plan
    ) -> None:
        known = self._reads.get(kind.name)
        if kind.every_ms == 0 and known is not None:
            pause_ms = max(LOAD_MS, 10 * known.took_ms)
            news = plan.everything or bool(plan.change.points) or plan.now_ms - known.at_ms >= SILENT_MS
            if plan.now_ms - known.at_ms < pause_ms or not news:
                return
        begun_s = time.perf_counter()
        value = None
        try:
            if kind.load is not None:
                value = await kind.load(session, model, rules, plan.now_ms)
        except UnavailableError:
            raise
        except Exception:  # one kind's fault is not another's
            metrics.FAILED.labels(kind.name).inc()
            log.exception("kind.failed", park=self.park, kind=kind.name)
        self._reads[kind.name] = _Read(value, plan.now_ms, 1000 * (time.perf_counter() - begun_s))

    async def _see(self, session: Session, loaded: Loaded, plan: _Plan) -> dict[Pair, list[Observation]]:
        """What was observed and needs a decision, and who is to be looked at by time."""
        read = {name: one.value for name, one in self._reads.items() if one.value is not None}
        changed = plan.change.points | (plan.silent or frozenset())
        scene = Scene(loaded.model, plan.now_ms, self._readings.newest, plan.change.committed_ms, read, changed)
        whole = replace(scene, changed=None)
        waiting: dict[Pair, list[Observation]] = {}
        for name in plan.due:
            kind = self._kinds[name]
            seen_by = whole if plan.everything or kind.every_ms else scene
            for rule in loaded.by_kind[name]:
                try:
                    seen = kind.observe(rule, seen_by)
                except Exception:  # one rule's fault is not another's
                    metrics.FAILED.labels(name).inc()
                    log.exception("rule.failed", park=self.park, rule=rule.policy.rule)
                    continue
                loaded.slots.sift(rule, seen, waiting)
        await self._fill_gaps(session, loaded, waiting)
        again = plan.everything or plan.silent is not None
        for slot in loaded.slots.all():
            due = slot.wake_ms is not None and slot.wake_ms <= plan.now_ms
            held_back = again and slot.state.episode is not None and slot.state.episode.withheld is not None
            if due or held_back:
                waiting.setdefault(slot.pair, [])
        return waiting

    async def _fill_gaps(self, session: Session, loaded: Loaded, waiting: dict[Pair, list[Observation]]) -> None:
        """Where readings jump ahead, what lies between belongs to the same decision, in order of its time."""
        for pair, seen in waiting.items():
            slot = loaded.slots.get(pair)
            if slot is None or not seen or slot.seen_ms == 0:
                continue
            kind, first_ms = self._kinds[slot.rule.policy.kind], min(one.at_ms for one in seen)
            if kind.history is None or first_ms - slot.seen_ms <= max(GAP_MS, 3 * kind.every_ms):
                continue
            begin_ms = max(slot.seen_ms + 1, first_ms - LONGEST_GAP_MS)
            narrowed = replace(slot.rule, subjects=(slot.subject,))
            try:
                between = await kind.history(session, loaded.model, narrowed, begin_ms, first_ms)
            except UnavailableError:
                raise
            except Exception:  # what is newest is judged all the same
                metrics.FAILED.labels(kind.name).inc()
                log.exception("gap.failed", park=self.park, rule=slot.rule.policy.rule)
                continue
            seen[:0] = [one for one in between if one.subject == slot.subject]

    # ── what follows ─────────────────────────────────────────────────────────────────────────────

    def _decide(self, loaded: Loaded, waiting: Mapping[Pair, list[Observation]], plan: _Plan) -> list[Made]:
        """Decide of each; what may mute others first. What changed only a figure is stored now and then."""
        slots = [slot for pair in waiting if (slot := loaded.slots.get(pair)) is not None]
        slots.sort(key=lambda slot: not loaded.mutes.may_mute(slot))
        made = []
        for slot in slots:
            one = Made(slot, waiting[slot.pair], self._one(loaded, slot, waiting[slot.pair], plan.now_ms))
            state = one.decision.state
            loaded.mutes.note(slot, state.phase)
            changed = bool(one.decision.actions) or slot.stored is None or significant(slot.state, state)
            standing = state.phase is not Phase.NORMAL and plan.now_ms - slot.flushed_ms >= FLUSH_MS
            if changed or standing:
                made.append(one)
            else:
                one.keep(plan.now_ms)
        return made

    def _one(self, loaded: Loaded, slot: Slot, seen: Sequence[Observation], now_ms: int) -> Decision:
        muting = loaded.mutes.muting(slot, now_ms)
        return decide(slot.rule.policy, slot.before(), seen, now_ms, muting, restarted=slot.away)

    async def _write(self, database: Database, loaded: Loaded, made: Sequence[Made], now_ms: int) -> int:
        if not made and not self._gone:
            return 0
        writing = Writing(self.park, loaded.revision, loaded.composer, loaded.mutes)
        try:
            async with database.transaction() as session:
                await self._lease.hold(session, self._epoch)
                if self._gone:
                    await retire(session, self.park, self._gone, now_ms)
                locked = await store.lock_states(session, self.park, [one.slot.pair for one in made])
                final = [self._again(loaded, one, locked.get(one.slot.pair), now_ms) for one in made]
                messages = await writing.write(session, final, now_ms)
        except BaseException:
            loaded.composer.forget()
            raise
        self._gone = {}
        for one in final:
            one.keep(now_ms, stored=True)
        for name, count in writing.counted.items():
            metrics.DECISIONS.labels(name).inc(count)
        return messages

    def _again(self, loaded: Loaded, one: Made, held: Held | None, now_ms: int) -> Made:
        """Decide again where a person changed what is stored."""
        slot = one.slot
        if (None if held is None else held.state) == slot.stored or held is None:
            return one
        slot.state, slot.stored, slot.episode_id = held.state, held.state, held.episode_id
        slot.seen_ms = held.state.seen_ms
        return Made(slot, one.seen, self._one(loaded, slot, one.seen, now_ms))


def _by_kind(rules: Sequence[Compiled]) -> dict[str, list[Compiled]]:
    found: dict[str, list[Compiled]] = {}
    for rule in rules:
        found.setdefault(rule.policy.kind, []).append(rule)
    return found


def watched(rules: Sequence[Compiled], model: ParkModel, kinds: Mapping[str, Kind]) -> set[int]:
    """Points whose newest readings the rules look at: those they name, those of devices they name, or all."""
    by_name = {point.point: point.point_id for point in model.points}
    by_device: dict[str, list[int]] = {}
    for point in model.points:
        by_device.setdefault(point.point.partition("/")[0], []).append(point.point_id)
    found: set[int] = set()
    for rule in rules:
        for subject in rule.subjects:
            what, _, name = subject.partition(":")
            if what == "point":
                found |= {by_name[name]} if name in by_name else set()
            elif what == "device":
                found |= set(by_device.get(name, ()))
            elif kinds[rule.policy.kind].every_ms == 0:
                return set(by_name.values())
    return found
