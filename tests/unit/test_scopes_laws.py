"""Laws of the inventory that hold whatever the amounts are."""

import datetime as dt
import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkcarbon.domain.activities.activity import Activity, Kind, within
from parkcarbon.domain.activities.fuel import fuel
from parkcarbon.domain.emissions import Basis
from parkcarbon.domain.instruments.cover import NO_COVER, Cover
from parkcarbon.domain.methods.building import times
from parkcarbon.domain.methods.lines import by_gas
from parkcarbon.domain.methods.market import share_out
from parkcarbon.domain.methods.total import total
from tests.fakes.scopes_park import GAS, GATE, HEAT, PV, entry, inventory, point, query

MICRO = st.integers(0, 10**13)
FUELS: tuple[tuple[Kind, str, str], ...] = (
    ("fuel", "diesel", "t"),
    ("fuel", "gas", "Nm3"),
    ("refrigerant", "R-410A", "kg"),
    ("fuel", "wood", "t"),
)


def activity(number: int, what: tuple[Kind, str, str], micro: int) -> Activity:
    kind, subject, unit = what
    return replace(entry(kind, subject, 0, unit, activity=f"entry:{number}"), amount_micro=micro)


@given(MICRO, st.integers(1, 50))
def test_linearity_up_to_one_rounding_each(micro: int, factor: int) -> None:
    diesel = fuel(entry("fuel", "diesel", 1), query())
    whole, once = times(micro * factor, diesel.co2e), times(micro, diesel.co2e)
    assert abs(whole - factor * once) <= factor / 2 + 1 + abs(whole) * 1e-15 * 4


@given(st.lists(MICRO, min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_scopes_are_the_sum_of_their_entries(amounts: list[int]) -> None:
    entries = [activity(n, FUELS[n % len(FUELS)], micro) for n, micro in enumerate(amounts)]
    whole = inventory((), entries)
    parts = [inventory((), [one]) for one in entries]
    assert whole.scope(1).co2e_nano_kg == sum(part.scope(1).co2e_nano_kg or 0 for part in parts)
    assert whole.biogenic_nano_kg == sum(part.biogenic_nano_kg for part in parts)
    assert sum(by_gas(whole.lines("location")).values()) == whole.counted_nano_kg("location")


@given(st.permutations(range(6)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_what_is_counted_changes_no_byte(order: list[int]) -> None:
    entries = [activity(n, FUELS[n % len(FUELS)], 10**9 + n) for n in range(6)]
    points = (GATE, PV, GAS, HEAT, point("a/x", "import", 5.0), point("b/x", "import", 7.0))
    cover = Cover(123_456_789_012)
    shuffled = inventory([points[at] for at in order], [entries[at] for at in order], cover)
    assert shuffled.to_bytes() == inventory(points, entries, cover).to_bytes()


@given(MICRO, MICRO, st.integers(0, 10**12))
@settings(max_examples=40, deadline=None)
@pytest.mark.rule("3.13", "4.3")
def test_certificates_change_the_market_based_figure_alone(covered: int, void: int, bought: int) -> None:
    gate = replace(GATE, amount_micro=bought)
    cover = Cover(min(covered, bought), void)
    plain, found = inventory((gate, GAS)), inventory((gate, GAS), cover=cover)
    assert found.scope(2, "location") == plain.scope(2, "location")
    assert found.scope(1) == plain.scope(1)
    covered_only = inventory((gate, GAS), cover=replace(cover, void_micro_kwh=0)).scope(2, "market")
    before, after = plain.scope(2, "market").co2e_nano_kg, covered_only.co2e_nano_kg
    assert before is not None
    assert after is not None
    assert 0 <= after <= before
    total_nano = found.scope(2, "market").co2e_nano_kg
    assert total_nano is not None
    expected = times(bought - cover.covered_micro_kwh, 0.6096) + times(void, 0.6096)
    assert abs(total_nano - expected) <= 1
    kwh = sum(line.amount_micro for line in covered_only.lines)
    assert kwh == bought


@given(MICRO, MICRO)
@settings(max_examples=30, deadline=None)
@pytest.mark.rule("5.2", "2.8")
def test_exports_and_generation_never_change_a_total(exported: int, generated: int) -> None:
    around = (
        replace(point("gate/out", "export", 1.0), amount_micro=exported),
        replace(PV, amount_micro=generated),
    )
    plain, found = inventory((GATE, GAS, HEAT)), inventory((GATE, GAS, HEAT, *around))
    assert found.scopes == plain.scopes
    assert found.total_nano_kg("market") == plain.total_nano_kg("market")


@given(MICRO, MICRO)
@settings(max_examples=30, deadline=None)
@pytest.mark.rule("3.2")
def test_credits_never_change_an_inventory(retired: int, covered: int) -> None:
    cover = Cover(min(covered, GATE.amount_micro))
    offset = replace(cover, retired_nano_kg=retired, used=({"effect": "offsets", "kg": retired / 1e9},))
    assert inventory((GATE,), cover=offset).to_bytes() == inventory((GATE,), cover=cover).to_bytes()


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**12), min_size=1, max_size=9))
def test_shares_add_up_and_none_is_off_by_a_unit(whole: int, weights: list[int]) -> None:
    parts = share_out(whole, weights)
    if sum(weights):
        assert sum(parts) == whole
        assert all(
            abs(part * sum(weights) - whole * weight) < sum(weights)
            for part, weight in zip(parts, weights, strict=True)
        )
    else:
        assert parts == [0] * len(weights)


@given(MICRO, st.dates(dt.date(2025, 1, 1), dt.date(2026, 6, 1)), st.integers(1, 500))
def test_the_months_of_an_entry_add_up_to_it(micro: int, first: dt.date, days: int) -> None:
    whole = replace(entry("fuel", "diesel", 0), amount_micro=micro, from_day=first, to_day=first + dt.timedelta(days))
    months = [dt.date(2025 + n // 12, n % 12 + 1, 1) for n in range(40)]
    parts = [within(whole, begin, end) for begin, end in itertools.pairwise(months)]
    assert sum(part.amount_micro for part in parts if part is not None) == micro


@given(st.lists(MICRO, min_size=2, max_size=5))
@settings(max_examples=20, deadline=None)
@pytest.mark.rule("2.12", "6.8")
def test_a_window_is_the_exact_sum_of_its_months(amounts: list[int]) -> None:
    months = [f"2026-{number + 1:02}" for number in range(len(amounts))]
    parts = [
        inventory((replace(GATE, amount_micro=micro), GAS), period=month)
        for month, micro in zip(months, amounts, strict=True)
    ]
    window = total(parts)
    kinds: tuple[tuple[int, Basis | None], ...] = ((1, None), (2, "location"), (2, "market"))
    for number, basis in kinds:
        each = [part.scope(number, basis).co2e_nano_kg or 0 for part in parts]
        assert window.scope(number, basis).co2e_nano_kg == sum(each)
    assert total(parts[::-1]).to_bytes() == window.to_bytes()
    assert window.cover == NO_COVER
