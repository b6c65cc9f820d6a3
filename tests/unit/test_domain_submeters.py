"""Meters below meters: nothing is counted twice, and the parts of owners add up to the whole."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.submeters import circle, nearest_upstream, outermost, weights


@dataclass(frozen=True)
class Meter:
    point: str
    below: str | None = None
    owner: str = "park"
    kwh: int = 0


# hall 100 of the park; below it press 40 (a) with its pump 10 (a) and a lamp 5 (b); office 30 (b) stands alone
HALL = [
    Meter("hall", None, "park", 100),
    Meter("press", "hall", "a", 40),
    Meter("pump", "press", "a", 10),
    Meter("lamp", "press", "b", 5),
    Meter("office", None, "b", 30),
]


def use(owner: str) -> int:
    entering = weights(HALL, lambda meter: meter.owner == owner)
    return sum(entering.get(meter.point, 0) * meter.kwh for meter in HALL)


def test_the_outermost_meters_hold_the_others() -> None:
    assert [meter.point for meter in outermost(HALL)] == ["hall", "office"]
    assert sum(meter.kwh for meter in outermost(HALL)) == 130


def test_each_owner_has_what_his_meters_count_less_what_others_count_below_them() -> None:
    assert (use("park"), use("a"), use("b")) == (60, 35, 35)
    assert weights(HALL, lambda meter: meter.owner == "a") == {"press": 1, "lamp": -1}


def test_a_meter_below_one_that_is_gone_stands_below_the_next() -> None:
    declared = {meter.point: meter.below for meter in HALL}
    assert nearest_upstream(declared, {"hall", "pump", "office"}) == {"pump": "hall"}


def test_a_circle_is_refused_and_never_silently_nothing() -> None:
    ring = [Meter("x", "z"), Meter("y", "x"), Meter("z", "y"), Meter("other")]
    assert circle({meter.point: meter.below for meter in ring}) == ["x", "z", "y"]
    for work in (outermost, lambda meters: weights(meters, lambda _: True)):
        with pytest.raises(ValueError, match="x below z below y below x: meters stand below one another"):
            work(ring)
    with pytest.raises(ValueError, match="m below m"):
        nearest_upstream({"m": "m"}, {"m"})


@st.composite
def trees(draw: st.DrawFn) -> list[Meter]:
    meters: list[Meter] = []
    for number in range(draw(st.integers(0, 15))):
        below = draw(st.sampled_from([None, *(meter.point for meter in meters)]))
        owner = draw(st.sampled_from(["park", "a", "b"]))
        meters.append(Meter(f"m{number}", below, owner, draw(st.integers(-5, 100))))
    return draw(st.permutations(meters))


@given(trees())
def test_the_parts_of_owners_add_up_to_the_outermost_meters(meters: list[Meter]) -> None:
    total = dict.fromkeys((meter.point for meter in meters), 0)
    for owner in ("park", "a", "b"):
        for name, weight in weights(meters, lambda meter, owner=owner: meter.owner == owner).items():  # type: ignore[misc]
            assert weight in (1, -1)
            total[name] += weight
    roots = {meter.point for meter in outermost(meters)}
    assert total == {name: int(name in roots) for name in total}


@given(trees(), st.data())
def test_a_chain_through_meters_that_are_gone_leads_to_the_next_one(meters: list[Meter], data: st.DataObject) -> None:
    names = [meter.point for meter in meters]
    present = set(data.draw(st.lists(st.sampled_from(names), unique=True))) if names else set()
    declared = {meter.point: meter.below for meter in meters}
    found = nearest_upstream(declared, present)
    for name in present:
        walked = declared[name]
        while walked is not None and walked not in present:
            walked = declared[walked]
        assert found.get(name) == walked
