"""The sending window: live first, backlog in order and paced, at most so many, again later, and nothing forgotten."""

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from parkcarbon.wire.window import Window, WindowSettings

CALM = WindowSettings(size=4, live_places=1, retry_s=10, retry_ceiling_s=40, stored_retry_s=600, backlog_per_s=10)


def window(settings_: WindowSettings = CALM) -> Window[int]:
    return Window(settings_, random.Random(1))


def drain(w: Window[int], now_s: float) -> list[int]:
    sent = []
    while (key := w.next(now_s)) is not None:
        sent.append(key)
    return sent


def test_live_goes_before_backlog_and_keeps_its_places() -> None:
    w = window()
    for seq in range(1, 8):
        w.add(seq, seq, 0.0, live=seq > 5)
    assert w.backlog
    assert [w.next(0.0), w.next(0.0)] == [6, 7]
    assert w.next(0.0) == 1
    assert w.next(0.05) is None  # paced
    assert w.next(0.1) is None  # the last place is kept for what is live
    w.add(8, 8, 0.2, live=True)
    assert w.next(0.2) == 8
    w.add(9, 9, 0.2, live=True)
    assert w.next(0.2) is None  # full


def test_backlog_goes_in_order_whatever_the_order_it_came_in() -> None:
    w = window(WindowSettings(size=100, live_places=0, backlog_per_s=1000))
    for seq in (5, 3, 9, 1, 7):
        w.add(seq, seq, 0.0, live=False)
    sent = []
    for step in range(5):
        sent += drain(w, step * 0.01)
    assert sent == [1, 3, 5, 7, 9]


def test_what_is_not_answered_is_sent_again_later_each_time() -> None:
    w = window()
    w.add(1, 1, 0.0, live=True)
    times = []
    now_s = 0.0
    while now_s < 300:
        if w.next(now_s) is not None:
            times.append(now_s)
        now_s += 0.5
    pauses = [b - a for a, b in itertools.pairwise(times)]
    assert 7 <= pauses[0] <= 10.5
    assert 14 <= pauses[1] <= 20.5
    assert all(29 <= pause <= 40.5 for pause in pauses[2:])


def test_a_reconnect_makes_everything_due_at_once() -> None:
    w = window()
    for seq in (1, 2, 3):
        w.add(seq, seq, 0.0, live=True)
    assert drain(w, 0.0) == [1, 2, 3]
    assert drain(w, 1.0) == []
    w.reconnect(1.0)
    assert sorted(drain(w, 1.0)) == [1, 2, 3]


def test_stored_frees_the_window_and_is_asked_after_much_later() -> None:
    w = window()
    w.add(1, 1, 0.0, live=True)
    assert w.next(0.0) == 1
    w.hold(1, 1, 1.0)
    assert 1 in w
    assert not w.backlog
    assert drain(w, 290.0) == []
    assert drain(w, 602.0) == [1]
    w.hold(1, 1, 603.0)
    w.reconnect(610.0)  # the receipt may have been lost with the connection
    assert drain(w, 671.0) == [1]


def test_an_answer_after_silence_brings_the_others_back_at_once_but_only_once() -> None:
    w = window(WindowSettings(size=40, live_places=0, retry_s=10, retry_ceiling_s=40))
    for seq in range(1, 31):
        w.add(seq, seq, 0.0, live=True)
    assert len(drain(w, 0.0)) == 30
    again = drain(w, 9.0)
    assert 0 < len(again) < 30
    w.acknowledge(again[0], 9.1)  # the receiver is back: whatever was sent before its return is sent again
    due = drain(w, 9.1)
    assert set(due) == set(range(1, 31)) - set(again)
    w.acknowledge(due[0], 9.2)
    assert drain(w, 9.2) == []


def test_what_was_live_too_long_ago_is_backlog() -> None:
    w = window()
    w.add(2, 2, 0.0, live=True)
    w.add(1, 1, 0.0, live=True)
    w.add(9, 9, 59.0, live=True)
    assert w.next(61.0) == 9
    assert w.backlog
    assert w.next(61.0) == 1


def test_waiting_ends_when_something_is_due() -> None:
    w = window()
    assert w.wait_s(5.0) == 60.0
    w.add(1, 1, 5.0, live=False)
    assert w.wait_s(5.0) == 0.0
    assert w.next(5.0) == 1
    assert 7 <= w.wait_s(5.0) <= 10
    w.add(2, 2, 5.0, live=False)
    assert abs(w.wait_s(5.05) - 0.05) < 1e-9
    w.acknowledge(1, 5.0)
    w.acknowledge(2, 5.0)
    assert w.next(60.0) is None
    assert w.wait_s(60.0) == 60.0


@settings(max_examples=60, stateful_step_count=40)
class Machine(RuleBasedStateMachine):
    """Whatever happens, each batch is sent until it is acknowledged, and the window is never larger than allowed."""

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        self.window: Window[int] = Window(CALM, random.Random(seed))
        self.now_s = 0.0
        self.count = 0
        self.open: set[int] = set()

    @rule(live=st.booleans(), how_many=st.integers(1, 5))
    def add(self, live: bool, how_many: int) -> None:
        for _ in range(how_many):
            self.count += 1
            self.open.add(self.count)
            self.window.add(self.count, self.count, self.now_s, live=live)

    @rule(data=st.data(), what=st.sampled_from(["acknowledge", "hold"]))
    def answer(self, data: st.DataObject, what: str) -> None:
        if not self.open:
            return
        key = data.draw(st.sampled_from(sorted(self.open)))
        if what == "hold":
            self.window.hold(key, key, self.now_s)
        else:
            self.window.acknowledge(key, self.now_s)
            self.open.discard(key)

    @rule(seconds=st.floats(0, 100))
    def advance(self, seconds: float) -> None:
        self.now_s += seconds
        drain(self.window, self.now_s)

    @rule()
    def reconnect(self) -> None:
        self.window.reconnect(self.now_s)

    @invariant()
    def nothing_is_forgotten_or_invented(self) -> None:
        if hasattr(self, "window"):
            assert all(key in self.window for key in self.open)
            assert len(self.window._flights) <= CALM.size
            assert all((key in self.window) == (key in self.open) for key in range(1, self.count + 1))

    def teardown(self) -> None:
        """In the end, with a receiver that answers, everything is sent."""
        if not hasattr(self, "window"):
            return
        for _ in range(2000):
            if not self.open:
                return
            key = self.window.next(self.now_s)
            if key is None:
                self.now_s += max(self.window.wait_s(self.now_s), 0.001)
            else:
                assert key in self.open
                self.window.acknowledge(key, self.now_s)
                self.open.discard(key)
        raise AssertionError(f"never sent: {sorted(self.open)}")


TestMachine = Machine.TestCase


@given(st.lists(st.integers(1, 50), unique=True, min_size=1))
def test_adding_twice_is_adding_once(keys: list[int]) -> None:
    w = window(WindowSettings(size=100, live_places=0))
    for key in keys * 2:
        w.add(key, key, 0.0, live=True)
    assert drain(w, 0.0) == keys
