"""Alarms under random histories: readings in and out of order, silences, people, restarts; and what must always hold.

The invariants: at most one open episode; firing only after `for` of unbroken truth; no flutter faster than
`keep_firing`; whoever can be told is told, and of the end too; silences expire; late data tell nobody; a restart at any
point is as if there had been none.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from parkcarbon.domain.alarm.decide import MAX_SHELVE_MS, Act, apply_act, decide
from parkcarbon.domain.alarm.group import key_of
from parkcarbon.domain.alarm.mute import Silence, muting_of
from parkcarbon.domain.alarm.steps import late, step
from parkcarbon.domain.alarm.types import (
    MINUTE_MS,
    Action,
    AlarmState,
    Decision,
    Episode,
    Historical,
    Labels,
    Level,
    Muting,
    NoData,
    Observation,
    Opened,
    Phase,
    Policy,
    Resolved,
    Step,
    Tell,
    Why,
    Withheld,
)

START_MS = 1_790_000_000_000
FAR_MS = 400 * 24 * 60 * MINUTE_MS
LABELS = Labels({"rule": "load", "subject": "park"})
LEVELS = st.sampled_from([Level.BEYOND, Level.BEYOND, Level.CLEAR, Level.CLEAR, Level.BETWEEN, Level.UNKNOWN])
SPANS = st.sampled_from([0, 1, 30_000, MINUTE_MS, 5 * MINUTE_MS])
GAPS = st.sampled_from([1, 30_000, MINUTE_MS, MINUTE_MS, 7 * MINUTE_MS])
RUNS = st.tuples(LEVELS, GAPS, st.sampled_from([1, 1, 2, 3, 6]))
NO_DATA: st.SearchStrategy[NoData] = st.sampled_from(["keep", "alarm", "ok"])
POLICIES = st.builds(
    Policy,
    rule=st.just("load"),
    kind=st.just("threshold"),
    for_ms=SPANS,
    keep_firing_ms=SPANS,
    no_data=NO_DATA,
    receivers=st.just(("shift",)),
    repeat_ms=st.sampled_from([0, 10 * MINUTE_MS, 60 * MINUTE_MS]),
    steps=st.sampled_from(
        [(), (Step(0, ("head",)),), (Step(5 * MINUTE_MS, ("head",)), Step(15 * MINUTE_MS, ("director", "head")))]
    ),
)


@dataclass
class Line:
    """One evaluator: its state, what it did, whether it forgets everything but the state."""

    state: AlarmState = field(default_factory=lambda: AlarmState("park"))
    done: list[Action] = field(default_factory=list)
    forgetful: bool = False
    restarted: bool = False

    def look(self, policy: Policy, seen: Sequence[Observation], now_ms: int, muting: Muting) -> Decision:
        if self.forgetful:
            self.state = msgspec.json.decode(msgspec.json.encode(self.state), type=AlarmState)
        decision = decide(policy, self.state, seen, now_ms, muting, restarted=self.forgetful and self.restarted)
        self.state = decision.state
        self.done += decision.actions
        return decision


def level_of(policy: Policy, observation: Observation) -> Level:
    if observation.level is not Level.UNKNOWN or policy.no_data == "keep":
        return observation.level
    return Level.BEYOND if policy.no_data == "alarm" else Level.CLEAR


def run_ms(policy: Policy, seen: Sequence[Observation], until_ms: int, level: Level) -> int:
    """How long all that is known had been of that level, up to and with the observation at `until_ms`; -1: it was not.

    Written over the whole history, unlike the machine, which remembers one moment.
    """
    known = [one for one in seen if one.at_ms <= until_ms and level_of(policy, one) is not Level.UNKNOWN]
    begin_ms = None
    for one in reversed(known):
        if level_of(policy, one) is not level:
            break
        begin_ms = one.at_ms
    return -1 if begin_ms is None else until_ms - begin_ms


def forget_late(action: Action) -> Action:
    if isinstance(action, Historical | Withheld):
        return action
    return replace(action, episode=replace(action.episode, late=False))


def forget_late_in(state: AlarmState) -> AlarmState:
    return state if state.episode is None else replace(state, episode=replace(state.episode, late=False))


class AlarmMachine(RuleBasedStateMachine):
    """Readings, people, silences and time against two evaluators: one that runs on, one that restarts at will."""

    @initialize(policy=POLICIES)
    def begin(self, policy: Policy) -> None:
        self.policy = policy
        self.now_ms = START_MS
        self.event_ms = START_MS
        self.judged: list[Observation] = []
        self.silences: list[Silence] = []
        self.steady = Line()
        self.restarting = Line(forgetful=True)
        self.open: Episode | None = None
        self.told = 0
        self.keys: set[str] = set()
        self.last_told = (0, 0)  # when [ms UTC], steps taken
        self.last_resolved_ms = 0
        self.judging = False  # newer readings, not late ones
        self.last = Decision(self.steady.state)

    # ── what happens ────────────────────────────────────────────────────────────────────────────

    @rule(runs=st.lists(RUNS, min_size=1, max_size=3), lag_ms=st.sampled_from([0, 900, 90_000]))
    def readings_come(self, runs: list[tuple[Level, int, int]], lag_ms: int) -> None:
        seen = []
        for level, gap_ms in [(level, gap_ms) for level, gap_ms, count in runs for _ in range(count)]:
            self.event_ms += gap_ms
            value = {Level.BEYOND: 960.0 + self.event_ms % 7, Level.CLEAR: 800.0, Level.BETWEEN: 920.0}.get(level)
            seen.append(Observation("park", self.event_ms, level, value, 950.0))
        self.now_ms = max(self.now_ms, self.event_ms + lag_ms)
        self.judged += seen
        self.judging = True
        self.look(seen)
        self.judging = False

    @rule(
        steps=st.lists(st.tuples(LEVELS, st.integers(0, 30 * MINUTE_MS)), min_size=1, max_size=4),
    )
    def readings_come_late(self, steps: list[tuple[Level, int]]) -> None:
        newest_ms = self.steady.state.seen_ms
        seen = [Observation("park", newest_ms - ago_ms, level, None, 950.0) for level, ago_ms in steps]
        without = decide(self.policy, self.steady.state, [], self.now_ms, self.muting())
        found = decide(self.policy, self.steady.state, seen, self.now_ms, self.muting())
        assert found.state == without.state
        assert [one for one in found.actions if not isinstance(one, Historical)] == list(without.actions)
        begun_ms = self.open.from_ms if self.open is not None else newest_ms
        for one in found.actions:
            if isinstance(one, Historical):
                assert one.episode.late
                assert one.episode.told_ms is None
                assert one.resolved_ms is not None
                assert one.episode.from_ms <= one.resolved_ms < max(begun_ms, one.episode.from_ms + 1)
        self.look(seen)

    @rule(minutes=st.sampled_from([0, 1, 5, 10, 15, 60, 600]))
    def time_passes(self, minutes: int) -> None:
        self.now_ms += minutes * MINUTE_MS
        self.look([])

    @rule(minutes=st.sampled_from([1, 20, 90]), delay=st.sampled_from([0, 3]))
    def somebody_silences(self, minutes: int, delay: int) -> None:
        begin_ms = self.now_ms + delay * MINUTE_MS
        self.silences.append(
            Silence(str(len(self.silences)), {"rule": "load"}, begin_ms, begin_ms + minutes * MINUTE_MS)
        )

    @precondition(lambda self: self.open is not None)
    @rule()
    def somebody_acknowledges(self) -> None:
        self.act(lambda state: apply_act(state, "acknowledge", "shift", self.now_ms))

    @rule(share=st.sampled_from([0.01, 0.5, 1]))
    def somebody_shelves(self, share: float) -> None:
        until_ms = self.now_ms + round(MAX_SHELVE_MS * share)
        self.act(lambda state: apply_act(state, "shelve", "shift", self.now_ms, until_ms, comment="known"))

    @rule()
    def somebody_unshelves(self) -> None:
        self.act(lambda state: apply_act(state, "unshelve", "shift", self.now_ms))

    @rule(out=st.booleans())
    def somebody_takes_it_out_of_service(self, out: bool) -> None:
        act: Act = "out_of_service" if out else "in_service"
        self.act(lambda state: apply_act(state, act, "shift", self.now_ms, comment="in repair"))

    @rule(restarted=st.booleans())
    def the_evaluator_restarts(self, restarted: bool) -> None:
        self.restarting.restarted = restarted

    # ── how it is looked at ─────────────────────────────────────────────────────────────────────

    def act(self, do: Callable[[AlarmState], AlarmState]) -> None:
        self.steady.state = do(self.steady.state)
        self.restarting.state = do(self.restarting.state)
        self.look([])

    def muting(self, at_ms: int | None = None) -> Muting:
        return muting_of(LABELS, self.silences, [], [], [], self.now_ms if at_ms is None else at_ms)

    def look(self, seen: Sequence[Observation]) -> None:
        muting = self.muting()
        self.restarting.look(self.policy, seen, self.now_ms, muting)
        self.last = self.steady.look(self.policy, seen, self.now_ms, muting)
        for action in self.last.actions:
            self.follow(action)

    def follow(self, action: Action) -> None:
        """Hold each action against what came before it."""
        if isinstance(action, Opened):
            assert self.open is None, "a second episode while one is open"
            self.check_fired(action.episode)
            self.open, self.told, self.last_told = action.episode, 0, (0, 0)
        elif isinstance(action, Resolved):
            assert self.open is not None
            assert action.episode.from_ms == self.open.from_ms
            assert run_ms(self.policy, self.judged, action.at_ms, Level.CLEAR) >= self.policy.keep_firing_ms
            self.last_resolved_ms = action.at_ms
            self.open = None
            after = self.last.actions[self.last.actions.index(action) + 1]
            recovered = isinstance(after, Tell) and after.why is Why.RECOVERED
            assert recovered == (self.told > 0), "a recovery if and only if the alarm went out"
        elif isinstance(action, Tell):
            self.check_told(action)
        elif isinstance(action, Historical) and action.resolved_ms is not None and self.judging:
            self.check_fired(action.episode)
            self.last_resolved_ms = action.resolved_ms

    def check_fired(self, episode: Episode) -> None:
        assert episode.fired_ms is not None
        lasted_ms = run_ms(self.policy, self.judged, episode.fired_ms, Level.BEYOND)
        assert lasted_ms >= self.policy.for_ms
        assert episode.from_ms == episode.fired_ms - lasted_ms
        assert episode.from_ms > self.last_resolved_ms

    def check_told(self, tell: Tell) -> None:
        key = key_of([("load", tell)], tell.receivers[0])
        assert key not in self.keys, "two messages with one key"
        self.keys.add(key)
        assert tell.receivers
        assert tell.count == self.told
        self.told += 1
        assert (tell.why is Why.FIRST) == (tell.count == 0)
        before_ms, taken = self.last_told
        if tell.why is Why.REPEAT:
            assert self.now_ms - before_ms >= self.policy.repeat_ms
        if tell.why is Why.ESCALATION:
            assert tell.episode.steps_taken > taken
            newest = self.policy.steps[tell.episode.steps_taken - 1]
            assert self.now_ms - (tell.episode.told_ms or 0) >= newest.after_ms
            assert set(newest.receivers) <= set(tell.receivers)
        self.last_told = self.now_ms, tell.episode.steps_taken
        if tell.why is not Why.RECOVERED:
            assert self.muting().why is None
            assert self.steady.state.shelved_until_ms <= self.now_ms
            assert not self.steady.state.out_of_service
            assert tell.episode.acknowledged_ms is None

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    @invariant()
    def the_phase_is_that_of_the_readings_one_by_one(self) -> None:
        state = AlarmState("park")
        for one in self.judged:
            state, _, _ = step(self.policy, state, one)
        now = self.steady.state
        assert (state.phase, state.since_ms, state.seen_ms) == (now.phase, now.since_ms, now.seen_ms)

    @invariant()
    def what_should_fire_fires(self) -> None:
        if self.judged and self.steady.state.phase in (Phase.NORMAL, Phase.PENDING):
            newest = self.judged[-1].at_ms
            if level_of(self.policy, self.judged[-1]) is not Level.UNKNOWN:
                lasted_ms = run_ms(self.policy, self.judged, newest, Level.BEYOND)
                assert lasted_ms == -1 or lasted_ms < self.policy.for_ms

    @invariant()
    def whoever_can_be_told_is_told(self) -> None:
        state = self.steady.state
        if state.phase is Phase.FIRING:
            assert state.episode is not None
            told = state.episode.told_ms is not None
            kept_back = self.muting().why or state.shelved_until_ms > self.now_ms or state.out_of_service
            looked = self.last.state == state
            assert told or kept_back or state.episode.acknowledged_ms is not None or not looked
            if looked and not told and state.episode.acknowledged_ms is None:
                assert state.episode.withheld is not None

    @invariant()
    def the_open_episode_is_the_one_in_the_state(self) -> None:
        episode = self.steady.state.episode
        fires = self.steady.state.phase in (Phase.FIRING, Phase.RECOVERING)
        assert fires == (self.open is not None)
        assert (episode is None) == (self.steady.state.phase is Phase.NORMAL)
        if fires:
            assert episode is not None
            assert episode.times_told == self.told

    @invariant()
    def nothing_comes_due_before_it_asks_to_be_woken(self) -> None:
        wake_ms, state = self.last.wake_ms, self.last.state
        if state != self.steady.state:
            return
        if wake_ms is not None:
            assert wake_ms > self.now_ms or self.policy.steps[0].after_ms == 0
        silence_begins = min((one.begin_ms for one in self.silences if one.begin_ms > self.now_ms), default=None)
        until_ms = (wake_ms or self.now_ms + FAR_MS) - 1
        if silence_begins is None and until_ms > self.now_ms:
            quiet = decide(self.policy, state, [], until_ms, self.muting(until_ms))
            assert not [one for one in quiet.actions if isinstance(one, Tell)]

    @invariant()
    def a_restart_is_as_if_there_had_been_none(self) -> None:
        assert forget_late_in(self.restarting.state) == forget_late_in(self.steady.state)
        assert list(map(forget_late, self.restarting.done)) == list(map(forget_late, self.steady.done))


TestAlarmMachine = AlarmMachine.TestCase
TestAlarmMachine.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


HISTORIES = st.lists(st.tuples(LEVELS, GAPS), max_size=40)


def observations(history: Sequence[tuple[Level, int]]) -> list[Observation]:
    at_ms, seen = START_MS, []
    for level, gap_ms in history:
        at_ms += gap_ms
        seen.append(Observation("park", at_ms, level, None, None))
    return seen


@given(POLICIES, HISTORIES, st.randoms(use_true_random=False))
def test_late_finds_what_a_look_in_time_would_have_found(
    policy: Policy, history: list[tuple[Level, int]], chance: random.Random
) -> None:
    seen = observations(history)
    state, fired = AlarmState("park"), []
    for one in seen:
        decision = decide(policy, state, [one], one.at_ms)
        state = decision.state
        fired += [action.episode.from_ms for action in decision.actions if isinstance(action, Opened | Historical)]
    chance.shuffle(seen)
    past = late(policy, AlarmState("park", seen_ms=START_MS + FAR_MS), seen)
    assert [one.episode.from_ms for one in past] == fired


@given(POLICIES, HISTORIES)
def test_everything_that_fired_ends_once_the_readings_are_calm(
    policy: Policy, history: list[tuple[Level, int]]
) -> None:
    seen = observations(history)
    end_ms = seen[-1].at_ms if seen else START_MS
    calm = [Observation("park", end_ms + minute * MINUTE_MS, Level.CLEAR) for minute in range(1, 8)]
    state, balance = AlarmState("park"), 0
    for one in [*seen, *calm]:
        decision = decide(policy, state, [one], one.at_ms)
        state = decision.state
        told = [action.why for action in decision.actions if isinstance(action, Tell)]
        balance += told.count(Why.FIRST) - told.count(Why.RECOVERED)
        assert balance in (0, 1)
    assert (state.phase, balance) == (Phase.NORMAL, 0)
