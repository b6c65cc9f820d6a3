"""When to connect again and with what; broker addresses; the question for the protocol."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.kit.backoff import Backoff
from parkcarbon.kit.mqtt import Broker
from parkcarbon.kit.mqttprobe import bare_connect, understood
from parkcarbon.kit.reconnect import Protocol, Reconnect


def machine() -> Reconnect:
    return Reconnect(Backoff(first_s=1, ceiling_s=16, rng=random.Random(1)), stable_s=5)


@given(st.integers(0, 2**32), st.floats(0.01, 10), st.floats(1, 100), st.floats(1, 4))
def test_waiting_times_grow_to_the_ceiling_and_stay_in_their_step(
    seed: int, first_s: float, times: float, factor: float
) -> None:
    backoff = Backoff(first_s=first_s, ceiling_s=first_s * times, factor=factor, rng=random.Random(seed))
    step_s = first_s
    for _ in range(20):
        assert step_s / 2 <= backoff.next_s() <= step_s
        step_s = min(first_s * times, step_s * factor)
    backoff.reset()
    assert backoff.next_s() <= first_s


@pytest.mark.parametrize("wrong", [{"first_s": 0.0}, {"first_s": 2.0, "ceiling_s": 1.0}, {"factor": 0.5}])
def test_schedules_that_are_none(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no schedule"):
        Backoff(rng=random.Random(1), **wrong)


def test_failures_wait_longer_each_time_and_a_good_connection_begins_anew() -> None:
    reconnect = machine()
    waits = [reconnect.failed() for _ in range(6)]
    assert waits[-1] >= 8
    reconnect.connected(100.0)
    assert reconnect.lost(106.0) <= 1


def test_two_that_throw_each_other_out_slow_down() -> None:
    reconnect = machine()
    waits = []
    now_s = 0.0
    for _ in range(6):
        reconnect.connected(now_s)
        now_s += 1
        waits.append(reconnect.lost(now_s))
    assert waits[-1] >= 8


def test_an_old_broker_is_asked_with_the_old_protocol_at_once_and_from_then_on() -> None:
    reconnect = machine()
    seen = [reconnect.protocol]
    assert reconnect.unsupported() == 0.0
    seen.append(reconnect.protocol)
    assert reconnect.unsupported() > 0  # it speaks neither: no busy loop
    reconnect.connected(0.0)
    reconnect.lost(10.0)
    seen.append(reconnect.protocol)
    assert seen == [Protocol.V5, Protocol.V311, Protocol.V311]


def test_one_that_hangs_up_is_asked_with_the_other_protocol_in_turn() -> None:
    reconnect = machine()
    seen = []
    for _ in range(4):
        seen.append(reconnect.protocol)
        assert reconnect.hung_up() > 0
    assert seen == [Protocol.V5, Protocol.V311, Protocol.V5, Protocol.V311]


def test_what_was_found_out_counts() -> None:
    reconnect = machine()
    seen = []
    for v5 in (None, False, None, True):
        reconnect.learn(v5=v5)
        seen.append(reconnect.protocol)
    assert seen == [Protocol.V5, Protocol.V311, Protocol.V311, Protocol.V5]


def test_the_smallest_connect_is_what_the_standard_says() -> None:
    assert bare_connect("ab").hex() == "100f00044d515454050200" + "0a" + "00" + "0002" + "6162"


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        ("20030000", True),
        ("20060000", True),
        ("20038700", True),  # not authorised, but in version 5
        ("20020001", False),
        ("20020000", False),
        ("30030000", None),
        ("2002", None),
        ("", None),
    ],
)
def test_answers_are_told_apart(answer: str, meaning: bool | None) -> None:
    assert understood(bytes.fromhex(answer)) is meaning


def test_broker_addresses() -> None:
    plain = Broker.from_url("mqtt://localhost")
    assert (plain.host, plain.port, plain.username, plain.password, plain.tls) == ("localhost", 1883, None, None, None)
    full = Broker.from_url("mqtts://edge%2F1:p%40ss@[::1]:9000/")
    assert (full.host, full.port, full.username, full.password) == ("::1", 9000, "edge/1", "p@ss")
    assert full.tls is not None
    assert Broker.from_url("mqtts://x").port == 8883


@pytest.mark.parametrize(
    "url", ["", "localhost:1883", "http://x", "mqtt://", "mqtt://x/topic", "mqtt://user:secret@", "mqtt://x:99999"]
)
def test_other_addresses_are_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is judged below
        Broker.from_url(url)
    assert "secret" not in str(caught.value)
