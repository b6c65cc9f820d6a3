"""What an evaluator remembers between looks: what needs a decision, what a restart knows, what nobody watches."""

import itertools
from dataclasses import replace

from alerts.evaluate import Away
from alerts.outbox import GIVE_UP_MS, LONGEST_PAUSE_MS, pause_ms
from alerts.past import LONGEST_MS, SLICE_MS, slices
from alerts.slots import OVERLAP_MS, Slots, gone, significant
from parkcarbon.alarm.kinds.base import Compiled
from parkcarbon.alarm.store import Held, Pair
from parkcarbon.domain.alarm.types import AlarmState, Episode, Level, Observation, Phase
from tests.fakes.alarm_kinds import rule_of

SUBJECT = "point:m1/active_power"
PAIR: Pair = ("r", SUBJECT)
FIRING = AlarmState(SUBJECT, Phase.FIRING, 100, 100, Episode(100, 100, told_ms=100, last_told_ms=100))


def rule(no_data: str = "keep") -> Compiled:
    made = rule_of("threshold", (SUBJECT,), on=100, unit="kW")
    return replace(made, policy=replace(made.policy, no_data=no_data))  # type: ignore[arg-type]


def seen(at_ms: int, level: Level) -> Observation:
    return Observation(SUBJECT, at_ms, level)


def sifted(slots: Slots, watched: Compiled, *observations: Observation) -> list[Observation]:
    into: dict[Pair, list[Observation]] = {}
    slots.sift(watched, list(observations), into)
    return into.get(PAIR, [])


def test_a_quiet_subject_needs_no_decision_and_its_watermark_moves() -> None:
    slots = Slots()
    assert sifted(slots, rule(), seen(5, Level.CLEAR), seen(6, Level.BETWEEN)) == []
    assert slots.by_rule["r"][SUBJECT].seen_ms == 6
    assert sifted(slots, rule(), seen(6, Level.BEYOND)) == [], "seen before"
    assert sifted(slots, rule(), seen(7, Level.BEYOND)) == [seen(7, Level.BEYOND)]


def test_what_stands_is_decided_of_with_each_reading() -> None:
    slots = Slots()
    slots.put(rule(), SUBJECT, Held(FIRING, 7))
    assert len(sifted(slots, rule(), seen(101, Level.CLEAR), seen(102, Level.BETWEEN))) == 2


def test_no_data_moves_nothing_unless_the_rule_says_what_it_means() -> None:
    slots = Slots()
    assert sifted(slots, rule(), seen(9, Level.UNKNOWN)) == []
    assert slots.by_rule["r"][SUBJECT].seen_ms == 0, "a reading that is on its way is not late"
    assert len(sifted(slots, rule("alarm"), seen(9, Level.UNKNOWN))) == 1


def test_what_people_changed_is_taken_from_the_store_and_decided_at_once() -> None:
    before = Slots().put(rule(), SUBJECT, Held(FIRING, 7, 500))
    before.seen_ms = 130
    kept = Slots().put(rule(), SUBJECT, Held(FIRING, 7, 500), before)
    assert (kept.seen_ms, kept.wake_ms) == (130, 500)
    shelved = replace(FIRING, shelved_until_ms=900)
    changed = Slots().put(rule(), SUBJECT, Held(shelved, 7, 500), before)
    assert (changed.state, changed.seen_ms, changed.wake_ms) == (shelved, 130, 0)


def test_an_evaluator_that_takes_over_knows_until_when_the_last_one_looked() -> None:
    away = Away(alive_ms=10 * OVERLAP_MS, now_ms=20 * OVERLAP_MS)
    slots = Slots(away.floor_ms, away.long)
    assert slots.put(rule(), SUBJECT, None).seen_ms == 9 * OVERLAP_MS
    assert slots.put(rule(), SUBJECT, Held(FIRING, 7)).seen_ms == 100, "an alarm has its own watermark"
    assert slots.put(rule(), SUBJECT, None).away
    assert not Away(19 * OVERLAP_MS, 20 * OVERLAP_MS).long
    assert not Away(None, 5).long


def test_a_newer_figure_alone_is_not_worth_a_row() -> None:
    assert FIRING.episode is not None
    newer = replace(FIRING, seen_ms=200, episode=replace(FIRING.episode, worst=3.0, last=seen(200, Level.BEYOND)))
    assert not significant(FIRING, newer)
    assert significant(FIRING, replace(FIRING, phase=Phase.RECOVERING))
    assert significant(FIRING, replace(FIRING, out_of_service=True))


def test_what_nobody_watches_any_more() -> None:
    other = ("r", "point:m2/active_power")
    factor = ("r", "factor:7")
    held = {PAIR: Held(FIRING, 7), other: Held(FIRING, 8), factor: Held(FIRING, 9), ("old", "park"): Held(FIRING, 10)}
    assert gone({"r": rule()}, held) == [other, ("old", "park")]
    assert gone({"r": None}, held) == [("old", "park")], "a rule that does not fit the park now keeps its alarms"


def test_a_long_past_is_read_in_slices_and_none_is_longer_than_a_rule_may_look_back() -> None:
    parts = list(slices(0, 3 * SLICE_MS, rule()))
    assert len(parts) == 3
    assert all(later[0] < earlier[1] for earlier, later in itertools.pairwise(parts)), "they overlap"
    [*_, last] = slices(0, 2 * LONGEST_MS, rule())
    assert sum(1 for _ in slices(0, 2 * LONGEST_MS, rule())) <= LONGEST_MS // SLICE_MS + 1
    assert last[1] >= 2 * LONGEST_MS


def test_pauses_grow_and_end() -> None:
    pauses = [pause_ms(attempt) for attempt in range(1, 400)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_MS
    assert GIVE_UP_MS // LONGEST_PAUSE_MS < 300, "a day of attempts is a bounded number"
