"""Alarms as timelines on virtual time: at t = …, this is seen, and this must follow."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from parkcarbon.domain.alarm.decide import NOT_MUTED, Act, apply_act, decide, due
from parkcarbon.domain.alarm.group import group
from parkcarbon.domain.alarm.mute import GATEWAY_DOWN, muting_of
from parkcarbon.domain.alarm.steps import late
from parkcarbon.domain.alarm.types import (
    MINUTE_MS,
    AlarmState,
    Historical,
    Labels,
    Level,
    Muting,
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
from parkcarbon.domain.refusal import RefusedError

START_MS = 1_790_000_000_000
ON, OFF = 950.0, 900.0
RULE = Policy(
    "load",
    "threshold",
    for_ms=5 * MINUTE_MS,
    keep_firing_ms=3 * MINUTE_MS,
    receivers=("shift",),
    repeat_ms=60 * MINUTE_MS,
    steps=(Step(15 * MINUTE_MS, ("head",)), Step(30 * MINUTE_MS, ("director",))),
)
AT_ONCE = replace(RULE, for_ms=0, keep_firing_ms=0, steps=())
SILENCED = Muting(Why.SILENCED, "7")


def at(minute: float) -> int:
    return START_MS + round(minute * MINUTE_MS)


def seen(minute: float, value: float | None) -> Observation:
    """A load in kW against 950 kW, clear below 900 kW."""
    level = Level.BETWEEN
    if value is None:
        level = Level.UNKNOWN
    elif value > ON:
        level = Level.BEYOND
    elif value <= OFF:
        level = Level.CLEAR
    return Observation("park", at(minute), level, value, ON)


@dataclass
class Timeline:
    """One alarm; `actions` are written as a person would say them."""

    policy: Policy = RULE
    state: AlarmState = field(default_factory=lambda: AlarmState("park"))
    wake_ms: int | None = None

    def look(
        self,
        minute: float,
        *values: tuple[float, float | None] | float | None,
        muting: Muting = NOT_MUTED,
        restarted: bool = False,
    ) -> list[str]:
        """What a look at `minute` does, after values seen now or at `(minute, value)`."""
        pairs = [one if isinstance(one, tuple) else (minute, one) for one in values]
        observations = [seen(*pair) for pair in pairs]
        decision = decide(self.policy, self.state, observations, at(minute), muting, restarted=restarted)
        self.state, self.wake_ms = decision.state, decision.wake_ms
        return [said(action) for action in decision.actions]

    def person(self, minute: float, act: Act, until: float | None = None, comment: str = "") -> None:
        until_ms = at(until) if until is not None else None
        self.state = apply_act(self.state, act, "operator on shift", at(minute), until_ms, comment=comment)


def said(action: object) -> str:
    match action:
        case Opened(episode=episode):
            return "opened, late" if episode.late else "opened"
        case Resolved():
            return "resolved"
        case Historical(episode=episode, resolved_ms=end):
            assert episode.late
            assert end is not None
            return f"historical {(episode.from_ms - START_MS) / MINUTE_MS:g}-{(end - START_MS) / MINUTE_MS:g}"
        case Tell(why=why, receivers=receivers, count=count):
            return f"{why.value} -> {','.join(receivers)} #{count}"
        case Withheld(why=why, detail=detail):
            return f"withheld: {why.value} {detail}".strip()
    raise AssertionError(action)


Row = tuple[float, Sequence[tuple[float, float | None] | float | None], list[str], Phase]
FIRST = ["opened", "first -> shift #0"]
P = Phase

TIMELINES: dict[str, tuple[Policy, list[Row]]] = {
    "it fires after `for` of unbroken truth, once": (
        RULE,
        [
            (0, [800], [], P.NORMAL),
            (1, [960], [], P.PENDING),
            (5.9, [990], [], P.PENDING),
            (6, [955], FIRST, P.FIRING),
            (7, [980], [], P.FIRING),
        ],
    ),
    "a look without anything new fires nothing: time passes in the readings": (
        RULE,
        [(1, [960], [], P.PENDING), (20, [], [], P.PENDING), (20, [(6, 960)], FIRST, P.FIRING)],
    ),
    "a dip ends the wait, even one between the limits": (
        RULE,
        [(1, [960], [], P.PENDING), (5, [940], [], P.NORMAL), (6, [960], [], P.PENDING), (10, [960], [], P.PENDING)],
    ),
    "hysteresis: between the limits it goes on firing": (
        RULE,
        [(0, [960], [], P.PENDING), (5, [960], FIRST, P.FIRING), (9, [910], [], P.FIRING), (14, [910], [], P.FIRING)],
    ),
    "it is over after `keep_firing` of unbroken calm": (
        RULE,
        [
            (0, [960], [], P.PENDING),
            (5, [960], FIRST, P.FIRING),
            (6, [880], [], P.RECOVERING),
            (8, [910], [], P.FIRING),
            (9, [880], [], P.RECOVERING),
            (11, [960], [], P.FIRING),
            (12, [880], [], P.RECOVERING),
            (14.9, [880], [], P.RECOVERING),
            (15, [880], ["resolved", "recovered -> shift #1"], P.NORMAL),
        ],
    ),
    "no data is no evidence": (
        RULE,
        [
            (0, [960], [], P.PENDING),
            (3, [None], [], P.PENDING),
            (5, [None], [], P.PENDING),
            (6, [960], FIRST, P.FIRING),
            (7, [880], [], P.RECOVERING),
            (30, [None], [], P.RECOVERING),
        ],
    ),
    "no data as an alarm": (
        replace(RULE, no_data="alarm"),
        [(0, [None], [], P.PENDING), (5, [None], FIRST, P.FIRING), (6, [800], [], P.RECOVERING)],
    ),
    "no data as calm": (
        replace(AT_ONCE, no_data="ok"),
        [(0, [960], FIRST, P.FIRING), (1, [None], ["resolved", "recovered -> shift #1"], P.NORMAL)],
    ),
    "the same reading seen again is no news": (
        AT_ONCE,
        [(0, [960], FIRST, P.FIRING), (1, [(0, 960), (0, 960)], [], P.FIRING), (2, [(0, 800)], [], P.FIRING)],
    ),
    "repeat, escalation in order, and everybody who was told hears of the end": (
        RULE,
        [
            (0, [960], [], P.PENDING),
            (5, [960], FIRST, P.FIRING),
            (19.9, [], [], P.FIRING),
            (20, [], ["escalation -> head #1"], P.FIRING),
            (35, [], ["escalation -> director #2"], P.FIRING),
            (94, [], [], P.FIRING),
            (95, [], ["repeat -> shift,head,director #3"], P.FIRING),
            (96, [880], [], P.RECOVERING),
            (300, [], [], P.RECOVERING),
            (301, [880], ["resolved", "recovered -> shift,head,director #4"], P.NORMAL),
        ],
    ),
    "steps that came due while nobody looked go out together": (
        RULE,
        [
            (0, [960], [], P.PENDING),
            (5, [960], FIRST, P.FIRING),
            (50, [], ["escalation -> head,director #1"], P.FIRING),
        ],
    ),
    "it ended before anybody looked: into the list, nobody is woken": (
        AT_ONCE,
        [
            (0, [800], [], P.NORMAL),
            (9, [(1, 960), (2, 970), (4, 800)], ["historical 1-4"], P.NORMAL),
            (20, [(11, 960), (12, 800), (13, 960)], ["historical 11-12", *FIRST], P.FIRING),
            (21, [(20, 800), (21, 990)], ["resolved", "recovered -> shift #1", *FIRST], P.FIRING),
        ],
    ),
    "late data never tell, and leave what stands alone": (
        AT_ONCE,
        [
            (60, [800], [], P.NORMAL),
            (61, [(10, 960), (12, 970), (14, 800)], ["historical 10-14"], P.NORMAL),
            (62, [960], FIRST, P.FIRING),
            (63, [(20, 960), (30, 990)], ["historical 20-30"], P.FIRING),
            (64, [(61.5, 960)], ["historical 61.5-61.5"], P.FIRING),
            (65, [800], ["resolved", "recovered -> shift #1"], P.NORMAL),
        ],
    ),
    "late data inside the open episode say nothing new": (
        AT_ONCE,
        [(0, [960], FIRST, P.FIRING), (9, [990], [], P.FIRING), (10, [(3, 800), (4, 999)], [], P.FIRING)],
    ),
    "late data shorter than `for` are no episode": (RULE, [(60, [800], [], P.NORMAL), (61, [(10, 960)], [], P.NORMAL)]),
}


@pytest.mark.parametrize("name", TIMELINES)
def test_timeline(name: str) -> None:
    policy, rows = TIMELINES[name]
    line = Timeline(policy)
    for minute, values, expected, phase in rows:
        assert line.look(minute, *values) == expected, f"at {minute} min"
        assert line.state.phase is phase, f"at {minute} min"


def firing(policy: Policy = AT_ONCE) -> Timeline:
    line = Timeline(policy)
    assert line.look(0, 960) == FIRST
    return line


def test_an_episode_knows_its_moments_and_its_worst_value() -> None:
    line = Timeline(RULE)
    for minute, value in ((1, 960), (3, 1010), (6, 970), (8, 910), (9, 955)):
        line.look(minute + 0.5, (minute, value))
    episode = line.state.episode
    assert episode is not None
    assert (episode.from_ms, episode.fired_ms, episode.told_ms) == (at(1), at(6), at(6.5))
    assert (episode.worst, episode.times_told) == (1010, 1)
    assert episode.last is not None
    assert episode.last.value == 955


def test_worst_below_a_limit_is_the_lowest() -> None:
    low = replace(AT_ONCE, rule="power-factor")
    state = AlarmState("park")
    for minute, value in ((0, 0.85), (1, 0.71), (2, 0.8)):
        observation = Observation("park", at(minute), Level.BEYOND, value, 0.9)
        state = decide(low, state, [observation], at(minute)).state
    assert state.episode is not None
    assert state.episode.worst == 0.71


def test_acknowledging_ends_repeats_and_escalation_but_not_the_episode() -> None:
    line = firing(replace(RULE, for_ms=0))
    line.person(1, "acknowledge", comment="on my way")
    line.person(2, "acknowledge", comment="me too")
    assert line.look(500) == []
    assert line.wake_ms is None
    assert line.state.episode is not None
    assert line.state.episode.acknowledged_ms == at(1)
    assert line.look(501, 960) == []
    assert line.look(502, 880) == []
    assert line.look(505, 880) == ["resolved", "recovered -> shift #1"]


def test_acknowledged_before_it_went_out_nobody_is_told() -> None:
    line = Timeline(AT_ONCE)
    line.look(0, 960, muting=SILENCED)
    line.person(1, "acknowledge")
    assert line.look(2, 960) == []
    assert line.look(3, 800) == ["resolved", "withheld: never went out"]


def test_a_silence_holds_it_back_says_so_once_and_expires() -> None:
    line = Timeline(AT_ONCE)
    assert line.look(0, 960, muting=SILENCED) == ["opened", "withheld: silenced 7"]
    assert line.look(1, 970, muting=SILENCED) == []
    assert line.look(2, muting=Muting(Why.INHIBITED, "device_silent/source:edge-1")) == [
        "withheld: inhibited device_silent/source:edge-1"
    ]
    assert line.state.episode is not None
    assert line.state.episode.withheld is Why.INHIBITED
    assert line.look(3) == ["first -> shift #0"]
    assert line.state.episode.withheld is None


def test_a_decision_asks_to_be_woken_when_the_silence_ends() -> None:
    line = Timeline(AT_ONCE)
    line.look(0, 960, muting=Muting(Why.SILENCED, "7", until_ms=at(40)))
    assert line.wake_ms == at(40)


def test_a_step_without_delay_is_asked_for_at_once() -> None:
    line = firing(replace(AT_ONCE, steps=(Step(0, ("head",)),)))
    assert line.wake_ms == at(0)
    assert line.look(0) == ["escalation -> head #1"]


def test_no_recovery_of_what_never_went_out() -> None:
    line = Timeline(AT_ONCE)
    line.look(0, 960, muting=SILENCED)
    assert line.look(1, 800, muting=SILENCED) == ["resolved", "withheld: never went out"]


def test_a_recovery_goes_out_though_muted_by_then() -> None:
    line = firing()
    assert line.look(1, 800, muting=SILENCED) == ["resolved", "recovered -> shift #1"]


def test_shelving_ends_by_itself() -> None:
    line = firing()
    line.person(1, "shelve", until=121, comment="crane works until noon")
    assert line.look(60) == ["withheld: shelved"]
    assert line.wake_ms == at(121)
    assert line.look(120.9) == []
    assert line.look(121) == ["repeat -> shift #1"]


def test_shelved_before_it_fires() -> None:
    line = Timeline(AT_ONCE)
    line.person(0, "shelve", until=480, comment="known")
    assert line.look(1, 960) == ["opened", "withheld: shelved"]
    line.person(2, "unshelve")
    assert line.look(2) == ["first -> shift #0"]


def test_out_of_service_until_a_person_ends_it() -> None:
    line = Timeline(AT_ONCE)
    line.person(0, "out_of_service", comment="meter in repair")
    assert line.look(1, 960) == ["opened", "withheld: out of service"]
    assert line.look(10_000) == []
    line.person(10_001, "in_service")
    assert line.look(10_001) == ["first -> shift #0"]


def test_what_opens_after_a_restart_is_marked() -> None:
    assert Timeline(AT_ONCE).look(0, 960, restarted=True) == ["opened, late", "first -> shift #0"]


def test_nothing_changes_for_what_stands_when_the_evaluator_restarts() -> None:
    line = firing(RULE if RULE.for_ms == 0 else replace(RULE, for_ms=0))
    assert line.look(1, 970, restarted=True) == []
    assert line.wake_ms == at(15)


@pytest.mark.parametrize(
    ("act", "minutes", "comment", "message"),
    [
        ("shelve", 481, "known", "8.0 h, at most 8 h"),
        ("shelve", 0, "known", "after now"),
        ("shelve", None, "known", "wants an end"),
        ("shelve", 60, " ", "wants a reason"),
        ("out_of_service", None, "", "wants a reason"),
        ("acknowledge", 60, "", "has no end"),
    ],
)
def test_acts_that_are_refused(act: Act, minutes: float | None, comment: str, message: str) -> None:
    state = firing().state
    until_ms = at(minutes) if minutes is not None else None
    with pytest.raises(RefusedError, match=message):
        apply_act(state, act, "operator on shift", START_MS, until_ms, comment=comment)


def test_everything_wrong_with_an_act_is_said_at_once() -> None:
    with pytest.raises(RefusedError, match=r"who\?.*reason.*end"):
        apply_act(AlarmState("park"), "shelve", " ", START_MS)


def test_there_must_be_an_alarm_to_acknowledge() -> None:
    pending = Timeline(RULE)
    pending.look(0, 960)
    for state in (AlarmState("park"), pending.state):
        with pytest.raises(RefusedError, match="nothing to acknowledge"):
            apply_act(state, "acknowledge", "operator on shift", START_MS)


def test_a_comment_changes_nothing() -> None:
    state = firing().state
    assert apply_act(state, "comment", "operator on shift", START_MS, comment="seen") == state


def test_late_does_not_find_again_what_is_in_the_list() -> None:
    state = AlarmState("park", seen_ms=at(60))
    history = [seen(minute, 960 if 10 <= minute < 14 or 30 <= minute < 33 else 800) for minute in range(60)]
    assert [said(one) for one in late(AT_ONCE, state, history)] == ["historical 10-14", "historical 30-33"]
    assert [said(one) for one in late(AT_ONCE, state, history, [(at(10), at(14))])] == ["historical 30-33"]
    assert late(AT_ONCE, state, history, [(at(0), at(20)), (at(32), None)]) == ()


WHY: list[tuple[str, Timeline, float, Muting, Why]] = [
    ("it does not fire", Timeline(), 0, NOT_MUTED, Why.NOT_YET),
    ("new", firing(), 0, NOT_MUTED, Why.NOT_YET),
    ("repeat", firing(), 60, NOT_MUTED, Why.REPEAT),
    ("repeat, silenced", firing(), 60, SILENCED, Why.SILENCED),
    ("never again", firing(replace(AT_ONCE, repeat_ms=0)), 1e6, NOT_MUTED, Why.NOT_YET),
    ("not due, so nothing keeps it back", firing(), 59, SILENCED, Why.NOT_YET),
]


@pytest.mark.parametrize(("name", "line", "minute", "muting", "why"), WHY)
def test_the_table_of_why(name: str, line: Timeline, minute: float, muting: Muting, why: Why) -> None:
    assert due(line.policy, line.state, at(minute), muting).why is why


# ── a park: many alarms, few messages ───────────────────────────────────────────────────────────

SILENT = Policy("silent", "device_silent", receivers=("shift",), settle_ms=30_000, group_by=("source",))
METERS = [f"device:m-{number}" for number in range(30)]


@dataclass
class Park:
    """A gateway and its thirty meters; each look tells which are silent, and gives the messages that go out."""

    states: dict[str, AlarmState] = field(
        default_factory=lambda: {subject: AlarmState(subject) for subject in ("source:edge-1", *METERS)}
    )
    waiting: list[tuple[str, Tell]] = field(default_factory=list)
    withheld: list[Why] = field(default_factory=list)

    @property
    def labels(self) -> dict[tuple[str, str], Labels]:
        return {
            ("silent", subject): Labels(
                {"rule": "silent", "subject": subject, "kind": "device_silent", "source": "edge-1"}
            )
            for subject in self.states
        }

    def look(self, minute: float, silent: Sequence[str]) -> list[tuple[Why, int]]:
        for subject, state in self.states.items():
            fires = [one.subject for one in self.states.values() if one.phase is Phase.FIRING]
            firing = [self.labels["silent", name] for name in fires]
            muting = muting_of(self.labels["silent", subject], [], [], [GATEWAY_DOWN], firing, at(minute))
            level = Level.BEYOND if subject in silent else Level.CLEAR
            decision = decide(SILENT, state, [Observation(subject, at(minute), level)], at(minute), muting)
            self.states[subject] = decision.state
            self.waiting += [("silent", action) for action in decision.actions if isinstance(action, Tell)]
            self.withheld += [action.why for action in decision.actions if isinstance(action, Withheld)]
        grouping = group(self.waiting, self.labels, {"silent": SILENT}, at(minute))
        self.waiting = list(grouping.waiting)
        return [(bundle.why, len(bundle.told)) for bundle in grouping.ready]


def test_a_gateway_that_is_down_is_one_message_and_its_meters_none() -> None:
    park = Park()
    assert park.look(0, ["source:edge-1", *METERS]) == []
    assert park.withheld == [Why.INHIBITED] * 30
    assert park.look(0.5, ["source:edge-1", *METERS]) == [(Why.FIRST, 1)]
    assert park.look(9, ["source:edge-1", *METERS]) == []
    assert park.look(10, METERS[:2]) == [], "the gateway is back, two of its meters are not"
    assert park.look(10.5, METERS[:2]) == [(Why.FIRST, 3)], "its recovery, and the two"
    assert park.look(11, []) == []
    assert park.look(11.5, []) == [(Why.RECOVERED, 2)]
    assert park.withheld.count(Why.NEVER_WENT_OUT) == 28


def test_thirty_meters_silent_by_themselves_are_one_message() -> None:
    park = Park()
    assert park.look(0, METERS[:10]) == []
    assert park.look(0.4, METERS) == []
    assert park.look(0.5, METERS) == [(Why.FIRST, 30)]
