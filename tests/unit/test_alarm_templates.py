"""What an alarm's message says, in both languages, and which templates are refused."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.alarm.rules.document import Receiver, Rule
from parkcarbon.alarm.templates import (
    FIELDS,
    AlarmFacts,
    MessageFacts,
    check_template,
    details_of,
    link_of,
    render,
)
from parkcarbon.catalog.terms import Name
from parkcarbon.domain.alarm.types import Episode, Level, Observation, Said, Why
from parkcarbon.domain.refusal import RefusedError

T0 = 1_763_735_525_000  # 2025-11-21 22:32:05 in the park
CHINA = dt.timezone(dt.timedelta(hours=8))
RULE = Rule(
    rule="gate-demand",
    kind="threshold",
    name=Name("关口功率过高", "Gate power too high"),
    on="950 kW",
    priority="high",
    cause=Name("冷水机组同时启动", "Chillers started together"),
    action=Name("错峰启动", "Stagger the start"),
    respond_within="15 min",
)
DESK = Receiver("desk", "desk-mail")


def alarm(value: float | None = 962.0, limit: float | None = 950.0, **more: object) -> AlarmFacts:
    seen = Observation(
        "point:gate/active_power",
        T0,
        Level.BEYOND,
        value,
        limit,
        Said("功率 962 kW 超过 950 kW", "962 kW is above 950 kW"),
    )
    episode = Episode(T0 - 300_000, T0 - 60_000, worst=970.5, last=seen, late=bool(more.pop("late", False)))
    facts = AlarmFacts(RULE, 17, seen.subject, Said("关口表有功功率", "Gate meter, active power"), "kW", episode)
    return AlarmFacts(**({name: getattr(facts, name) for name in facts.__slots__} | more))


def message(*alarms: AlarmFacts, why: Why = Why.FIRST) -> MessageFacts:
    return MessageFacts("demo", Said("示范园区", "Demo Park"), CHINA, why, T0, alarms or (alarm(),))


def test_our_message_has_the_figure_the_limit_the_reason_the_link_and_what_to_do() -> None:
    link = link_of("https://park.example.org", 17)
    subject, body = render(message(alarm(link=link)), DESK, "en")
    assert subject == "[high] Alarm: Gate power too high · Gate meter, active power 962 kW (limit 950 kW)"
    assert body.splitlines() == [
        "Alarm: Gate power too high",
        "Park: Demo Park",
        "What: Gate meter, active power",
        "Figure: 962 kW, limit 950 kW, worst 970.5 kW",
        "Reason: 962 kW is above 950 kW",
        "Since: 2025-11-21 22:27:05 +08:00, for 5 min",
        "Usual cause: Chillers started together",
        "What to do: Stagger the start",
        "Time to respond: 15 min",
        "More: https://park.example.org/#alarms/17",
    ]


def test_in_chinese() -> None:
    subject, body = render(message(why=Why.RECOVERED), DESK, "zh")
    assert subject == "【高】告警已恢复：关口功率过高 · 关口表有功功率 962 kW（限值 950 kW）"
    assert "处置：错峰启动" in body
    assert "已持续 5 分钟" in body


def test_both_languages_are_one_message() -> None:
    subject, body = render(message(), DESK)
    assert subject == f"{render(message(), DESK, 'zh')[0]} / {render(message(), DESK, 'en')[0]}"
    assert body == f"{render(message(), DESK, 'zh')[1]}\n\n{render(message(), DESK, 'en')[1]}"


def test_a_group_says_each_alarm() -> None:
    subject, body = render(message(alarm(), alarm(subject_name=Said("二号表", "Meter 2"))), DESK, "en")
    assert subject.endswith("(limit 950 kW) and 1 more")
    assert "What: Meter 2" in body
    assert body.count("Reason:") == 2


def test_what_is_not_known_is_not_made_up() -> None:
    subject, body = render(message(alarm(value=None, limit=None)), DESK, "en")
    assert subject == "[high] Alarm: Gate power too high · Gate meter, active power"
    assert "Figure" not in body
    assert "More:" not in body


def test_an_alarm_found_late_says_so() -> None:
    assert render(message(alarm(late=True)), DESK, "en")[1].endswith(
        "(evaluated late: after a restart, or readings came late)"
    )


def test_a_receivers_own_templates_are_used() -> None:
    receiver = Receiver("sms", "sms", "en", subject="${name}\r\nBcc: x@y.example", text="$value > $limit, costs $$5")
    assert render(message(), receiver) == ("Gate power too high Bcc: x@y.example", "962 kW > 950 kW, costs $5")
    both = Receiver("sms", "sms", "both", text="${action}: ${value}")
    assert render(message(), both)[1] == "错峰启动 / Stagger the start: 962 kW"


def test_a_template_with_a_missing_field_is_refused_with_its_name_and_the_known_ones() -> None:
    with pytest.raises(RefusedError) as refused:
        check_template("${value} of $figure and ${limt}\nfor 5 $ an hour")
    assert str(refused.value).startswith(
        "template: no field ${figure}; no field ${limt}; "
        "a lone $ in line 2 (a dollar sign is written $$, a field ${value}); known fields: action, began, "
    )
    assert all(name in str(refused.value) for name in FIELDS)


@pytest.mark.parametrize("text", ["${__class__}", "${value.real}", "${value[0]}", "${value!r}", "$_", "${}"])
def test_a_template_reaches_nothing_but_its_fields(text: str) -> None:
    with pytest.raises(RefusedError):
        check_template(text)


@given(st.text(alphabet="${}abcvalue限 \n.\\", max_size=60))
def test_what_the_check_lets_through_can_be_filled_in(text: str) -> None:
    try:
        check_template(text)
    except RefusedError:
        return
    render(message(), Receiver("desk", "desk", text=text))


def test_every_field_can_be_filled_in_and_fields_do_not_fill_each_other() -> None:
    text = "\n".join(f"${{{name}}}" for name in FIELDS)
    check_template(text)
    _, body = render(message(alarm(link="https://x.example/${value}")), Receiver("desk", "desk", "zh", text=text))
    assert "https://x.example/${value}" in body
    assert len(body.splitlines()) == len(FIELDS)


def test_a_machine_reads_the_same() -> None:
    details = details_of(message(alarm(resolved_ms=T0, link="https://x.example/#alarms/17")))
    assert details["park"] == "demo"
    (only,) = details["alarms"]
    assert (only["value"], only["limit"], only["worst"], only["unit"]) == (962.0, 950.0, 970.5, "kW")
    assert (only["began_ms"], only["fired_ms"], only["resolved_ms"]) == (T0 - 300_000, T0 - 60_000, T0)
    assert only["link"] == "https://x.example/#alarms/17"
