"""What of an observation needs a decision, and what only says that a quiet subject is still quiet."""

from alerts.slots import Slots
from parkcarbon.alarm.kinds.base import Compiled, Limit
from parkcarbon.alarm.rules.document import Rule
from parkcarbon.alarm.store import Pair
from parkcarbon.catalog.terms import Name
from parkcarbon.domain.alarm.types import Level, Observation, Policy

RULE = Compiled(
    Rule(rule="load", kind="threshold", name=Name(zh="负荷", en="load"), on="950 kW"),
    Policy("load", "threshold"),
    Limit(950, 900, "above", "kW"),
    ("park",),
)


def seen(at_ms: int, level: Level) -> Observation:
    return Observation("park", at_ms, level)


def test_the_end_of_an_alarm_in_the_same_look_is_not_taken_for_quiet() -> None:
    slots = Slots()
    waiting: dict[Pair, list[Observation]] = {}
    slots.sift(RULE, [seen(1, Level.CLEAR), seen(2, Level.BEYOND), seen(3, Level.CLEAR)], waiting)
    assert [one.at_ms for one in waiting["load", "park"]] == [2, 3]
    slot = slots.get(("load", "park"))
    assert slot is not None
    assert slot.seen_ms == 1, "the watermark waits for the decision"


def test_a_quiet_subject_only_moves_its_watermark() -> None:
    slots = Slots()
    waiting: dict[Pair, list[Observation]] = {}
    slots.sift(RULE, [seen(1, Level.CLEAR), seen(2, Level.BETWEEN), seen(3, Level.UNKNOWN)], waiting)
    slot = slots.get(("load", "park"))
    assert slot is not None
    assert (slot.seen_ms, waiting) == (2, {}), "no data does not make a reading late"
