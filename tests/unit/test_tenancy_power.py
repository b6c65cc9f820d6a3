"""Shared PV, losses and who drew what behind one connection point."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.readings import Int64Array
from parkcarbon.domain.tenancy.power import Behind, Plant, entity_power, power_use
from parkcarbon.domain.tenancy.shared_pv import share_generation
from parkcarbon.domain.tenancy.views import PARK, STORAGE


def row(*values: int) -> Int64Array:
    return np.array(values, dtype=np.int64)


@pytest.mark.rule("5.1", "5.6")
def test_pv_goes_by_simultaneous_net_load_and_never_above_it() -> None:
    load = np.array([[300, 100, 0, 100], [100, 300, 0, 100]])
    pv = np.array([[200, 500, 50, 0]])
    shares = share_generation(load, pv, [None])
    # 200 by 300:100; 500 is more than the 400 of load; nobody uses the third; nothing shines in the fourth
    assert shares.shared.tolist() == [[150, 100, 0, 0], [50, 300, 0, 0]]
    assert shares.surplus.tolist() == [0, 100, 50, 0]


@pytest.mark.rule("5.1")
def test_a_roof_serves_its_own_tenant_first() -> None:
    load = np.array([[300, 300], [100, 500]])
    shares = share_generation(load, np.array([[200, 400]]), [0])
    assert shares.own.tolist() == [[200, 300], [0, 0]]
    assert shares.shared.tolist() == [[0, 0], [0, 100]]  # the rest by net load, which the owner has none of


@pytest.mark.rule("5.2", "5.6")
def test_what_the_gate_saw_leave_was_not_used() -> None:
    load = np.array([[100], [100]])
    # 200 made, 200 used by the sums of the interval, but 30 went out while 30 came in
    shares = share_generation(load, np.array([[100], [100]]), [0, None], export=row(30))
    assert shares.used.sum() == 170
    assert (shares.used <= load).all()
    # more leaves than the sun made: storage is discharging to the grid
    shares = share_generation(load, np.array([[20]]), [0], export=row(90))
    assert shares.used.sum() == 0


def behind(
    *,
    load: list[list[int]],
    pv: list[list[int]],
    imported: list[int],
    exported: list[int] | None = None,
    common: list[int] | None = None,
    charged: list[int] | None = None,
    discharged: list[int] | None = None,
    known: list[bool] | None = None,
    plants: tuple[Plant, ...] | None = None,
) -> Behind:
    n = len(imported)
    tenants = ("a", "b", "c")[: len(load)]
    nothing = np.zeros(n, dtype=np.int64)
    return Behind(
        "grid",
        tenants,
        np.array(load, dtype=np.int64),
        nothing if common is None else row(*common),
        plants or tuple(Plant(f"pv{number}", owner="op") for number in range(len(pv))),
        np.array(pv, dtype=np.int64).reshape(len(pv), n),
        row(*imported),
        None if exported is None else row(*exported),
        nothing if charged is None else row(*charged),
        nothing if discharged is None else row(*discharged),
        np.ones(n, dtype=np.bool_) if known is None else np.array(known),
        "op",
        "op",
    )


@pytest.mark.rule("5.6")
def test_losses_go_by_use_in_each_interval() -> None:
    part = behind(load=[[300, 0], [100, 0]], pv=[], imported=[440, 50])
    use = power_use(part)
    # 40 lost by 300:100; in the second interval nobody used anything: the park's
    assert dict(zip(use.users, use.losses.tolist(), strict=True)) == {"a": 30, "b": 10, PARK: 50, STORAGE: 0}
    assert use.drawn_by() == {"a": 330, "b": 110, PARK: 50}
    kept = power_use(part, losses="park")
    assert kept.drawn_by() == {"a": 300, "b": 100, PARK: 90}


@pytest.mark.rule("5.6", "6.7")
def test_negative_losses_are_reported_and_unknown_intervals_left_out_for_everybody() -> None:
    part = behind(
        load=[[300, 10, 70], [100, 20, 70]],
        pv=[],
        imported=[390, 30, 9_999],
        known=[True, True, False],
        common=[0, 0, 0],
    )
    use = power_use(part)
    assert use.negative == -10
    assert (use.known, use.intervals) == (2, 3)
    assert use.drawn_by() == {"a": 310, "b": 120, PARK: 0}


@pytest.mark.rule("5.1")
def test_the_three_ways_to_share_a_roof() -> None:
    part = behind(load=[[300], [100]], pv=[[200]], imported=[200], plants=(Plant("roof", "b", "op"),))
    assert power_use(part).drawn_by() == {"a": 200, "b": 0, PARK: 0}  # b first: 100; then a: 100
    assert power_use(part, shared_pv="pool").drawn_by() == {"a": 150, "b": 50, PARK: 0}
    assert power_use(part, shared_pv="none").drawn_by() == {"a": 300, "b": 100, PARK: 0}


@pytest.mark.rule("5.6")
def test_storage_takes_its_share_of_the_sun_and_what_it_gives_back_lowers_nobodys_use() -> None:
    part = behind(load=[[100, 100]], pv=[[100, 0]], imported=[50, 60], charged=[50, 0], discharged=[0, 40])
    use = power_use(part)
    assert dict(zip(use.users, use.shared.tolist(), strict=True)) == {"a": 67, PARK: 0, STORAGE: 33}
    power = entity_power(part, use, {"a": "a-co"}, ["op", "a-co"])
    assert power.drawn == {"a-co": 133, "op": -23}  # 50 - 33 charged, 40 given back
    assert sum(power.drawn.values()) == power.imported == 110


amounts = st.lists(st.integers(0, 10**9), min_size=3, max_size=3)


@given(st.tuples(amounts, amounts), st.tuples(amounts, amounts), st.data())
def test_every_kilowatt_hour_is_drawn_once_and_sold_once(
    load: tuple[list[int], list[int]], pv: tuple[list[int], list[int]], data: st.DataObject
) -> None:
    common, charged, discharged, losses, exported = (data.draw(amounts) for _ in range(5))
    supply_needed = [
        sum(part[i] for part in load) + common[i] + charged[i] + exported[i] + losses[i] - discharged[i]
        for i in range(3)
    ]
    generation = [[min(plant[i], max(supply_needed[i] // 2, 0)) for i in range(3)] for plant in pv]
    imported = [max(supply_needed[i] - sum(plant[i] for plant in generation), 0) for i in range(3)]
    plants = (Plant("roof-a", "a", "a-co"), Plant("roof-x", None, "x-co"))
    part = behind(
        load=list(load), pv=generation, imported=imported, exported=exported, common=common, charged=charged,
        discharged=discharged, plants=plants,
    )  # fmt: skip
    use = power_use(part, losses="park")
    entities = ["op", "a-co", "b-co", "x-co"]
    power = entity_power(part, use, {"a": "a-co", "b": "b-co"}, entities)
    assert sum(power.drawn.values()) == sum(imported)
    used = use.own + use.shared
    assert (used <= use.load + use.losses).all()
    assert sum(power.generation.values()) == int(used.sum())
    for buyer, users in {"a-co": ("a",), "b-co": ("b",), "op": (PARK, STORAGE)}.items():
        bought = sum(amount for (_, to), amount in power.generation.items() if to == buyer)
        assert bought == sum(int(used[use.users.index(user)]) for user in users)
    for plant, owner in (("a", "a-co"), ("x", "x-co")):
        row_ = 0 if plant == "a" else 1
        given_away = int(use.shares.own_of[row_].sum() + use.shares.pool_of[row_].sum())
        assert given_away == sum(amount for (seller, _), amount in power.generation.items() if seller == owner)
        assert given_away <= sum(generation[row_])
