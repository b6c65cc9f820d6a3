"""Around the decision: muting, grouping, the dead man's switch, the report."""

import doctest
import importlib
import pkgutil
from dataclasses import replace

import pytest

import parkcarbon.domain.alarm
from parkcarbon.domain.alarm.deadman import Beats, absent_ms, due_ms, is_due
from parkcarbon.domain.alarm.group import Told, group
from parkcarbon.domain.alarm.mute import GATEWAY_DOWN, Inhibition, Silence, Window, matches, muting_of
from parkcarbon.domain.alarm.report import Past, chattering, floods, report, standing
from parkcarbon.domain.alarm.types import MINUTE_MS, Episode, Labels, Muting, Policy, Tell, Why

HOUR_MS = 60 * MINUTE_MS
MODULES = [module.name for module in pkgutil.iter_modules(parkcarbon.domain.alarm.__path__, "parkcarbon.domain.alarm.")]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    assert doctest.testmod(module).failed == 0


def labels(rule: str, subject: str, **more: str) -> Labels:
    return Labels({"rule": rule, "subject": subject, **more})


GATEWAY = labels("silent", "source:edge-1", kind="device_silent", source="edge-1", priority="high")
METER = labels("silent", "device:m-7", kind="device_silent", source="edge-1", device="m-7", priority="medium")
LOAD = labels("load", "point:m-7/active_power", kind="threshold", source="edge-1", device="m-7")
ELSEWHERE = labels("silent", "device:m-9", kind="device_silent", source="edge-2", device="m-9")


# ── muting ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({"device": "m-7"}, True),
        ({"device": "m-*", "kind": "device_silent"}, True),
        ({"device": "M-7"}, False),
        ({"device": "m-7", "priority": "high"}, False),
        ({"tenant": "*"}, False),
        ({}, False),
    ],
)
def test_a_match_fits_when_all_it_names_fits(match: dict[str, str], fits: bool) -> None:
    assert matches(match, METER) is fits


def test_a_gateway_that_is_down_mutes_its_meters_and_only_those() -> None:
    firing = [GATEWAY, METER, ELSEWHERE]

    def muted(one: Labels) -> Muting:
        return muting_of(one, [], [], [GATEWAY_DOWN], firing, 0)

    assert muted(METER) == Muting(Why.INHIBITED, "silent/source:edge-1")
    assert muted(LOAD).why is Why.INHIBITED
    assert muted(GATEWAY) == Muting()
    assert muted(ELSEWHERE) == Muting()
    assert muting_of(METER, [], [], [GATEWAY_DOWN], [METER, ELSEWHERE], 0) == Muting()


def test_two_that_would_mute_each_other_both_go_out() -> None:
    both = Inhibition({"kind": "device_silent"}, {"kind": "device_silent"}, ("source",))
    assert muting_of(METER, [], [], [both], [GATEWAY, METER], 0) == Muting()


def test_an_equal_label_that_neither_has_is_not_equal() -> None:
    tenant = Inhibition({"kind": "device_silent"}, {"kind": "threshold"}, ("tenant",))
    assert muting_of(LOAD, [], [], [tenant], [GATEWAY], 0) == Muting()


@pytest.mark.parametrize(("now_ms", "muted"), [(9, False), (10, True), (19, True), (20, False)])
def test_a_silence_begins_and_expires(now_ms: int, muted: bool) -> None:
    silence = Silence("7", {"device": "m-7"}, 10, 20)
    expected = Muting(Why.SILENCED, "7", 20) if muted else Muting()
    assert muting_of(METER, [silence], [], [], [], now_ms) == expected


def test_a_silence_ended_early_and_the_one_that_lasts_longest() -> None:
    ended = Silence("1", {"device": "*"}, 0, 100, ended_ms=50)
    short, long = Silence("2", {"device": "*"}, 0, 60), Silence("3", {"rule": "silent"}, 0, 80)
    assert muting_of(METER, [ended], [], [], [], 49) == Muting(Why.SILENCED, "1", 50)
    assert muting_of(METER, [ended], [], [], [], 50) == Muting()
    assert muting_of(METER, [long, ended, short], [], [], [], 40) == Muting(Why.SILENCED, "3", 80)


def test_a_silence_is_named_before_a_window_before_an_inhibition() -> None:
    silence, window = Silence("7", {"rule": "*"}, 0, 10), Window("transformer", {"source": "edge-1"}, 0, 20)
    asked = [muting_of(METER, [silence], [window], [GATEWAY_DOWN], [GATEWAY], now_ms).why for now_ms in (5, 15, 25)]
    assert asked == [Why.SILENCED, Why.MAINTENANCE, Why.INHIBITED]


# ── grouping ────────────────────────────────────────────────────────────────────────────────────

SILENT = Policy("silent", "device_silent", "high", settle_ms=30_000, group_by=("source",))
ALONE = Policy("peak", "demand_peak", "low", settle_ms=30_000)
POLICIES = {"silent": SILENT, "peak": ALONE, "quick": replace(SILENT, rule="quick", priority="low", settle_ms=5_000)}
LABELS = {
    (rule, f"device:{device}"): labels(rule, f"device:{device}", source=source)
    for rule in POLICIES
    for device, source in (("a", "edge-1"), ("b", "edge-1"), ("c", "edge-2"))
}


def tell(
    device: str, at_ms: int, *, rule: str = "silent", why: Why = Why.FIRST, to: tuple[str, ...] = ("shift",)
) -> Told:
    return rule, Tell(f"device:{device}", why, to, 0, Episode(0, 0, last_told_ms=at_ms))


def test_a_group_waits_for_the_first_of_it_and_takes_the_others_along() -> None:
    tells = [tell("a", 0), tell("b", 29_000), tell("c", 10_000)]
    before = group(tells, LABELS, POLICIES, 29_999)
    assert (before.ready, before.wake_ms) == ((), 30_000)
    assert sorted(before.waiting, key=repr) == sorted(tells, key=repr)
    now = group(tells, LABELS, POLICIES, 30_000)
    assert [(one.receiver, one.labels, one.told) for one in now.ready] == [
        ("shift", (("source", "edge-1"),), (tells[0], tells[1]))
    ]
    assert (now.waiting, now.wake_ms) == ((tells[2],), 40_000)


def test_alarms_of_several_rules_in_one_message_with_the_gravest_of_each() -> None:
    tells = [tell("a", 0, why=Why.RECOVERED), tell("b", 4_000, rule="quick")]
    (one,) = group(tells, LABELS, POLICIES, 9_000).ready
    assert (one.why, one.priority, len(one.told)) == (Why.FIRST, "high", 2)


def test_an_escalation_and_an_alarm_without_a_group_go_at_once() -> None:
    tells = [tell("a", 0, why=Why.ESCALATION, to=("head",)), tell("b", 0, rule="peak"), tell("b", 0)]
    ready = group(tells, LABELS, POLICIES, 0).ready
    assert [(one.receiver, one.why) for one in ready] == [("head", Why.ESCALATION), ("shift", Why.FIRST)]


def test_each_receiver_gets_what_is_for_it() -> None:
    tells = [tell("a", 0, to=("shift", "head")), tell("b", 0, to=("shift",))]
    ready = group(tells, LABELS, POLICIES, 30_000).ready
    assert {one.receiver: len(one.told) for one in ready} == {"shift": 2, "head": 1}


def test_the_key_is_the_same_for_the_same_message_and_differs_else() -> None:
    (one,) = group([tell("a", 0), tell("b", 0)], LABELS, POLICIES, 30_000).ready
    (again,) = group([tell("b", 0), tell("a", 0)], LABELS, POLICIES, 99_000).ready
    assert one.key == again.key
    rule, told = tell("a", 0)
    others = [
        (rule, told),
        (rule, replace(told, why=Why.RECOVERED)),
        (rule, replace(told, count=1)),
        (rule, replace(told, receivers=("head",))),
        (rule, replace(told, episode=replace(told.episode, from_ms=1))),
    ]
    keys = {bundle.key for other in others for bundle in group([other], LABELS, POLICIES, 99_000).ready}
    assert len(keys | {one.key}) == 6


# ── the dead man's switch ───────────────────────────────────────────────────────────────────────


def test_heartbeats_keep_to_the_beat() -> None:
    beats = Beats(since_ms=1_000)
    assert is_due(beats, 1_000)
    beats = replace(beats, last_ms=1_300)
    assert (is_due(beats, 60_999), is_due(beats, 61_000)) == (False, True)
    assert due_ms(replace(beats, last_ms=200_000)) == 241_000


def test_absence_is_noticed_after_three_minutes_and_not_before() -> None:
    beats = Beats(since_ms=0)
    assert absent_ms(beats, 3 * MINUTE_MS) is None
    assert absent_ms(beats, 3 * MINUTE_MS + 1) == 0
    assert absent_ms(replace(beats, last_ms=MINUTE_MS), 4 * MINUTE_MS) is None
    assert absent_ms(replace(beats, last_ms=MINUTE_MS), 4 * MINUTE_MS + 1) == MINUTE_MS


# ── the report ──────────────────────────────────────────────────────────────────────────────────


def past(fired_ms: int, resolved_ms: int | None = None, subject: str = "park") -> Past:
    return Past("load", subject, "low", fired_ms, resolved_ms)


def test_standing_is_longer_than_a_day() -> None:
    episodes = [past(0, subject="a"), past(1, subject="b"), past(0, 24 * HOUR_MS, "c"), past(0, 24 * HOUR_MS + 2, "d")]
    assert [one.subject for one in standing(episodes, 24 * HOUR_MS + 1)] == ["a", "d"]


@pytest.mark.parametrize(
    ("seconds", "times"),
    [
        ([0, 30, 59.9], 3),
        ([0, 30, 60], 0),
        ([0, 40, 70, 99], 3),
        ([0, 20, 40, 60, 80], 5),
        ([0, 20, 40, 500, 510, 520, 900], 6),
        ([0, 1], 0),
    ],
)
def test_chattering_is_three_within_a_minute(seconds: list[float], times: int) -> None:
    found = chattering([past(round(second * 1_000)) for second in seconds] + [past(1_000, subject="other")])
    assert [one.times for one in found] == ([times] if times else [])


def test_a_flood_is_more_than_ten_in_ten_minutes_until_less_than_five() -> None:
    quick = [second * 1_000 for second in range(0, 110, 10)]  # 11 alarms in 100 s
    assert floods(quick[:10], HOUR_MS) == ()
    (one,) = floods(quick, HOUR_MS)
    assert (one.from_ms, one.to_ms, one.times) == (0, 60_000 + 10 * MINUTE_MS, 11)
    on_and_on = quick + [100_000 + minute * MINUTE_MS for minute in range(2, 21, 2)]  # five in ten minutes: it goes on
    (one,) = floods(on_and_on, 2 * HOUR_MS)
    assert (one.to_ms, one.times) == (on_and_on[-5] + 10 * MINUTE_MS, 21)
    assert floods([minute * MINUTE_MS for minute in range(100)], 2 * HOUR_MS) == ()  # ten in ten minutes
    twice = quick + [2 * HOUR_MS + moment for moment in quick]
    assert [one.from_ms for one in floods(twice, 3 * HOUR_MS)] == [0, 2 * HOUR_MS]
    assert floods(quick, 200_000)[0].to_ms == 200_000


def test_the_report_of_a_month() -> None:
    day_ms = 24 * HOUR_MS
    episodes = [
        *(Past("load", "park", "low", day * day_ms, day * day_ms + HOUR_MS) for day in range(8)),
        Past("peak", "park", "high", 9 * day_ms, 9 * day_ms + 1, acknowledged_ms=9 * day_ms + 4 * MINUTE_MS),
        Past(
            "silent", "device:m-7", "medium", 10 * day_ms, None, acknowledged_ms=10 * day_ms + 8 * MINUTE_MS, shelved=2
        ),
        Past("silent", "device:m-8", "medium", -1, None),
        Past("load", "park", "low", 11 * day_ms, 12 * day_ms, historical=True),
        Past("load", "park", "low", 30 * day_ms),
    ]
    found = report(episodes, 0, 30 * day_ms, 31 * day_ms)
    assert (found.times, found.historical, found.shelved) == (10, 1, 2)
    assert found.priorities == {"low": 8, "medium": 1, "high": 1}
    assert (found.acknowledged, found.mean_acknowledge_ms) == (2, 6 * MINUTE_MS)
    assert [(one.rule, one.times, one.share) for one in found.top] == [
        ("load", 8, 0.8),
        ("peak", 1, 0.1),
        ("silent", 1, 0.1),
    ]
    assert [(one.subject, one.acknowledged) for one in found.standing] == [("device:m-8", False), ("device:m-7", True)]
    assert found.per_10_min == pytest.approx(10 / (30 * 144))
    assert (found.floods, found.flood_share, found.chattering) == ((), 0, ())
    assert report(reversed(episodes), 0, 30 * day_ms, 31 * day_ms) == found


def test_the_report_of_a_period_that_is_not_over_or_not_begun() -> None:
    quick = [past(second * 1_000, second * 1_000 + 1) for second in range(0, 110, 10)]
    running = report(quick, 0, HOUR_MS, 1_320_000)
    assert running.flood_share == pytest.approx(0.5)
    assert running.per_10_min == pytest.approx(5)
    empty = report(quick, HOUR_MS, 2 * HOUR_MS, 0)
    assert (empty.times, empty.per_10_min, empty.mean_acknowledge_ms) == (0, 0, None)


def test_only_the_ten_most_frequent() -> None:
    many = [past(n * HOUR_MS, subject=f"device:{n:02d}") for n in range(12)] + [past(HOUR_MS, subject="device:11")]
    top = report(many, 0, 24 * HOUR_MS, 24 * HOUR_MS).top
    assert len(top) == 10
    assert (top[0].subject, top[0].times) == ("device:11", 2)
