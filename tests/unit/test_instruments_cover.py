"""What instruments do to a period, by hand and by law."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkcarbon.catalog.factors import load_factors
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.instruments.cover import Cover, cover_period
from parkcarbon.domain.instruments.event import Event, EventKind
from parkcarbon.domain.instruments.figures import cover_figure, credits_figure, void_figure
from parkcarbon.domain.instruments.hourly import clean_hourly
from parkcarbon.domain.instruments.lot import Lot
from parkcarbon.domain.inventory import Inventory, PointAmount, assemble
from parkcarbon.domain.reading import Method
from parkcarbon.domain.working import Figure, check
from tests.fakes.ledger import KNOWN, SETTINGS, Span, credit, event, gec, midnight, own

MWH = 10**9
CATALOG = load_factors()


def cover(lots: Sequence[Lot], uses: Sequence[Event], label: str = "2026-03", **members: Any) -> Cover:
    amounts: dict[str, Any] = {
        "purchased_micro_kwh": 10_000 * MWH,
        "self_used_micro_kwh": 50 * MWH,
        "exported_micro_kwh": 50 * MWH,
    }
    said: dict[str, Any] = {"settings": SETTINGS, "known_on": KNOWN, "period": Span(label), "park": "demo"}
    return cover_period(lots, uses, **(amounts | said | members))


@pytest.mark.rule("4.1", "4.3", "4.8")
def test_cancelled_certificates_cover_purchases() -> None:
    lot = gec(1, 30)
    result = cover([lot], [event("cancelled", lot, count=20)])
    assert (result.covered_micro_kwh, result.void_micro_kwh, result.retired_nano_kg) == (20 * MWH, 0, 0)
    assert [(use["serials"], use["kwh"], use["effect"]) for use in result.used] == [
        ("GEC-00000001…00000020", 20_000.0, "covers_purchased")
    ]
    assert [(item["serials"], item["reason"]) for item in result.pending] == [
        ("GEC-00000021…00000030", "held, not cancelled for 2026-03")
    ]
    assert any("RE100" in note for note in result.notes)
    assert any("CBAM" in note for note in result.notes)


@pytest.mark.rule("4.3")
def test_never_above_the_purchases_and_what_is_above_is_said() -> None:
    lot = gec(1, 30)
    result = cover([lot], [event("cancelled", lot)], purchased_micro_kwh=12 * MWH + 345)
    assert result.covered_micro_kwh == 12 * MWH + 345
    assert [(item["rule"], item["micro_kwh"]) for item in result.refused] == [("4.3", 18 * MWH - 345)]


def test_unknown_purchases_cover_nothing_yet() -> None:
    lot = gec(1, 30)
    result = cover([lot], [event("cancelled", lot)], purchased_micro_kwh=None)
    assert (result.covered_micro_kwh, len(result.pending)) == (0, 1)


@pytest.mark.rule("4.1")
def test_own_use_certificates_prove_self_use_and_lower_no_purchase() -> None:
    lot = gec(1, 30, origin="own_use", issued_for="self_used", tradable=False, plant="roof")
    result = cover([lot], [event("cancelled", lot)], self_used_micro_kwh=28 * MWH)
    assert (result.covered_micro_kwh, result.proved_micro_kwh) == (0, 28 * MWH)
    assert result.used[0]["effect"] == "proves_self_use"
    assert result.refused[0]["rule"] == "4.3"


@pytest.mark.rule("3.16", "5.3")
def test_sold_certificates_void_exactly_the_kwh_they_were_issued_for() -> None:
    exported, self_used = own(1, 30, issued_for="exported"), own(31, 30, issued_for="self_used", lot_id=2)
    sold = [event("sold", exported), event("sold", self_used, count=12)]
    result = cover([exported, self_used], sold)
    assert (result.void_micro_kwh, result.covered_micro_kwh) == (12 * MWH, 0)
    assert {use["effect"]: use["kwh"] for use in result.used} == {"none": 30_000.0, "void": 12_000.0}
    other_month = cover([exported, self_used], sold, "2026-04")
    assert (other_month.void_micro_kwh, other_month.used) == (0, ())
    assert cover([exported, self_used], sold, "2026").void_micro_kwh == 12 * MWH
    assert cover([self_used], sold[1:], self_used_micro_kwh=5 * MWH).void_micro_kwh == 5 * MWH
    assert cover([self_used], sold[1:], self_used_micro_kwh=None).void_micro_kwh == 12 * MWH


@pytest.mark.rule("5.3")
def test_a_ccer_sold_of_self_used_generation_voids_it_too() -> None:
    lot = credit(
        1, 10, origin="own_pv", issued_for="self_used", plant="roof", technology="solar", unit_micro_kwh=1_600_000_000
    )
    gone: tuple[EventKind, ...] = ("sold", "transferred", "surrendered")
    for kind in gone:
        result = cover([lot], [event(kind, lot, tenant="mill")], "2025", self_used_micro_kwh=1000 * MWH)
        assert result.void_micro_kwh == 16 * MWH
        assert result.retired_nano_kg == 0


@pytest.mark.rule("3.4", "3.5", "4.5", "4.6")
def test_retired_credits_offset_and_lower_no_kwh() -> None:
    lot = credit(1, 30)
    uses = [
        event("retired", lot, count=10, event_id=1),
        event("retired", lot, first=11, count=5, event_id=2, public_record=None),
        event("surrendered", lot, first=16, count=5, event_id=3, tenant="mill"),
        event("retired", lot, first=21, count=5, event_id=4, confirmed_by=None),
    ]
    result = cover([lot], uses)
    assert (result.retired_nano_kg, result.covered_micro_kwh) == (10 * 10**12, 0)
    assert sorted(str(item["rule"]) for item in result.refused) == ["3.5", "4.5"]
    assert len(result.pending) == 2


@pytest.mark.rule("3.14", "4.1", "4.2")
def test_what_fails_a_rule_is_listed_with_it_and_not_used() -> None:
    lots = [
        gec(1, 1, lot_id=1, month="2025-12"),
        gec(2, 1, lot_id=2, market="EU"),
        gec(3, 1, lot_id=3, kind="green_power_contract", contract="GP-1"),
        gec(4, 1, lot_id=4, kind="I-REC"),
    ]
    result = cover(lots, [event("cancelled", lot) for lot in lots])
    assert result.covered_micro_kwh == 0
    assert sorted((str(item["lot"]), item["rule"]) for item in result.refused) == [
        ("1", "3.14"),
        ("2", "3.14"),
        ("3", "4.1"),
        ("4", "4.1"),
    ]


def test_a_claim_of_the_year_counts_in_the_year_and_one_of_a_month_in_both() -> None:
    lot = gec(1, 30)
    year = event("cancelled", lot, count=10, claim_from=dt.date(2026, 1, 1), claim_to=dt.date(2027, 1, 1))
    month = event("cancelled", lot, first=11, count=5, event_id=7)
    assert cover([lot], [year, month]).covered_micro_kwh == 5 * MWH
    assert cover([lot], [year, month], "2026").covered_micro_kwh == 15 * MWH
    assert cover([lot], [year, month], "2026-04").covered_micro_kwh == 0


def test_a_tenants_claims_are_its_own_and_part_of_the_parks() -> None:
    lot = gec(1, 30)
    uses = [event("cancelled", lot, count=10, tenant="mill"), event("cancelled", lot, first=11, count=5, event_id=2)]
    assert cover([lot], uses).covered_micro_kwh == 15 * MWH
    assert cover([lot], uses, tenant="mill").covered_micro_kwh == 10 * MWH
    assert cover([lot], uses, tenant="foundry").covered_micro_kwh == 0
    assert cover([lot], uses, park="other").covered_micro_kwh == 0


@pytest.mark.rule("3.5")
def test_a_credit_serves_one_claim_its_tenants_or_the_parks() -> None:
    lot = credit(1, 30)
    uses = [
        event("retired", lot, count=10, tenant="mill"),
        event("retired", lot, first=11, count=5, event_id=2),
    ]
    park, mill = cover([lot], uses), cover([lot], uses, tenant="mill")
    assert (park.retired_nano_kg, mill.retired_nano_kg) == (5 * 10**12, 10 * 10**12)
    assert park.refused[0]["rule"] == "3.5"


def test_what_was_recorded_later_is_not_seen() -> None:
    later = KNOWN + dt.timedelta(seconds=1)
    lot = gec(1, 30, recorded_at=KNOWN)
    assert cover([lot], [event("cancelled", lot, recorded_at=KNOWN)]).covered_micro_kwh == 30 * MWH
    assert cover([lot], [event("cancelled", lot, recorded_at=later)]).covered_micro_kwh == 0
    assert cover([replace(lot, recorded_at=later)], [event("cancelled", lot)]) == Cover()


@pytest.mark.rule("3.17", "3.18")
def test_only_hour_stamped_certificates_match_an_hour() -> None:
    noon = midnight(dt.date(2026, 3, 1)) + dt.timedelta(hours=12)
    stamp: dict[str, Any] = {
        "kind": "GO",
        "registry": "energytag",
        "market": "China",
        "unit_micro_kwh": 10**6,
        "granularity": "hour",
        "generation_month": None,
    }
    lots = [
        gec(1, 700, lot_id=1, **stamp, generated_from=noon, generated_to=noon + dt.timedelta(hours=1)),
        gec(701, 50, lot_id=2, **stamp, generated_from=noon, generated_to=noon + dt.timedelta(minutes=15)),
        gec(1, 5, lot_id=3),
        gec(801, 9, lot_id=4, **stamp, generated_from=noon, generated_to=noon + dt.timedelta(hours=1)),
    ]
    uses = [event("cancelled", lot) for lot in lots[:3]]
    first = int(noon.timestamp() * 1000) - 3_600_000
    hours = np.arange(first, first + 4 * 3_600_000, 3_600_000, dtype=np.int64)
    assert clean_hourly(lots, uses, hours, settings=SETTINGS).tolist() == [0, 750 * 10**6, 0, 0]
    assert clean_hourly(lots, uses, hours, settings=SETTINGS, tenant="mill").tolist() == [0, 0, 0, 0]


def test_the_figures_recompute_and_name_each_lot() -> None:
    lots = [gec(1, 30), own(31, 30, issued_for="self_used", lot_id=2), credit(1, 10, lot_id=3)]
    uses = [event("cancelled", lots[0]), event("sold", lots[1]), event("retired", lots[2])]
    result = cover(lots, uses)
    uncovered = cover_figure(result, Figure("purchased", 45_000.0, "kWh"))
    void = void_figure(result, Figure("self_used", 50_000.0, "kWh"))
    short = credits_figure(result, Figure("remaining", 12_500.0, "kg CO2e"))
    assert (uncovered.value, short.value) == (15_000.0, 2_500.0)
    assert not check(uncovered)
    assert not check(short)
    leaf = next(node for node in uncovered.walk() if node.source.get("kind") == "lot")
    assert leaf.source["serials"] == "GEC-00000001…00000030"
    assert void.value == 30_000.0
    assert not check(void)
    assert credits_figure(result, Figure("remaining", None, "kg CO2e")).value is None


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[list[Lot], list[Event]]:
    """Lots side by side in one numbering, each with disjoint events on parts of it."""
    lots: list[Lot] = []
    uses: list[Event] = []
    first = 0
    for lot_id in range(1, draw(st.integers(1, 5)) + 1):
        count = draw(st.integers(1, 12))
        month = draw(st.sampled_from(["2026-03", "2026-04", "2025-12"]))
        make = draw(
            st.sampled_from(
                [
                    lambda f, c, m, i: gec(f, c, month=m, lot_id=i),
                    lambda f, c, m, i: own(f, c, issued_for="self_used", month=m, lot_id=i),
                    lambda f, c, m, i: own(f, c, issued_for="exported", month=m, lot_id=i),
                ]
            )
        )
        lot = make(first, count, month, lot_id)
        lots.append(lot)
        at = first
        while at < first + count:
            size = draw(st.integers(1, count))
            size = min(size, first + count - at)
            kinds: list[EventKind | None] = ["cancelled", "sold", None]
            kind = draw(st.sampled_from(kinds))
            if kind is not None:
                day = dt.date(2026, 5, 1) + dt.timedelta(days=draw(st.integers(0, 3)))
                confirmed = draw(st.sampled_from(["reviewer", None]))
                number = len(uses) + 1
                uses.append(event(kind, lot, first=at, count=size, event_id=number, on_day=day, confirmed_by=confirmed))
            at += size
        first += count
    return lots, uses


def split(lots: Sequence[Lot], uses: Sequence[Event], seed: int) -> tuple[list[Lot], list[Event]]:
    """The same serials in smaller lots, and the same events on smaller parts."""
    dice = random.Random(seed)
    parts: list[Lot] = []
    acts: list[Event] = []
    for lot in lots:
        at = lot.serials.first
        while at < lot.serials.end:
            end = min(lot.serials.end, at + dice.randint(1, 4))
            part = replace(lot, lot_id=len(parts) + 1, serials=lot.serials.part(at, end))
            parts.append(part)
            for use in uses:
                low, high = max(use.serials.first, at), min(use.serials.end, end)
                if use.lot_id == lot.lot_id and low < high:
                    acts.append(
                        replace(use, event_id=len(acts) + 1, lot_id=part.lot_id, serials=lot.serials.part(low, high))
                    )
            at = end
    dice.shuffle(acts)
    return parts, acts


@pytest.mark.rule("3.5", "4.3")
@settings(max_examples=150, deadline=None)
@given(ledgers(), st.integers(0, 40), st.integers(0, 40))
def test_laws(ledger: tuple[list[Lot], list[Event]], bought: int, self_used: int) -> None:
    lots, uses = ledger
    amounts: dict[str, Any] = {"purchased_micro_kwh": bought * MWH + 7, "self_used_micro_kwh": self_used * MWH + 3}
    result = cover(lots, uses, **amounts)
    # never above what there is
    assert 0 <= result.covered_micro_kwh <= amounts["purchased_micro_kwh"]
    assert 0 <= result.proved_micro_kwh <= amounts["self_used_micro_kwh"]
    assert 0 <= result.void_micro_kwh <= amounts["self_used_micro_kwh"]
    # what is listed is what is counted, and each serial is listed as used at most once
    assert result.covered_micro_kwh == sum(_kwh(use) for use in result.used if use["effect"] == "covers_purchased")
    serials = [number for use in result.used for number in _numbers(use)]
    assert len(serials) == len(set(serials))
    assert set(serials) <= {n for use in uses for n in range(use.serials.first, use.serials.end)}
    # order does not matter
    assert cover(lots[::-1], uses[::-1], **amounts) == result


@pytest.mark.rule("3.5")
@settings(max_examples=150, deadline=None)
@given(ledgers(), st.integers(0, 40), st.integers(0, 40), st.integers(0, 1000))
def test_splitting_lots_changes_nothing(
    ledger: tuple[list[Lot], list[Event]], bought: int, self_used: int, seed: int
) -> None:
    amounts: dict[str, Any] = {"purchased_micro_kwh": bought * MWH + 7, "self_used_micro_kwh": self_used * MWH + 3}
    lots, uses = ledger
    whole, parts = cover(lots, uses, **amounts), cover(*split(lots, uses, seed), **amounts)
    assert _sums(whole) == _sums(parts)


@pytest.mark.rule("3.15", "3.16", "4.3", "5.1", "5.3")
@settings(max_examples=60, deadline=None)
@given(ledgers(), st.integers(0, 40), st.integers(0, 40))
def test_no_certificate_changes_a_location_based_figure(
    ledger: tuple[list[Lot], list[Event]], bought: int, self_used: int
) -> None:
    """Market-based by hand: (purchased - covered) x 0.6096 + void x 0.6096, the remainder of China for 2023."""
    lots, uses = ledger
    amounts: dict[str, Any] = {"purchased_micro_kwh": bought * MWH, "self_used_micro_kwh": self_used * MWH}
    result = cover(lots, uses, **amounts)
    plain, covered = inventory(bought, self_used, Cover()), inventory(bought, self_used, result)
    assert covered.scope(1) == plain.scope(1)
    assert covered.scope(2, "location") == plain.scope(2, "location")
    assert covered.energy == plain.energy
    at_remainder = bought * MWH - result.covered_micro_kwh + result.void_micro_kwh
    market = covered.scope(2, "market").co2e_nano_kg
    assert market is not None
    assert market / 1e9 == pytest.approx(at_remainder / 1e6 * 0.6096, abs=1e-6)


def inventory(bought: int, self_used: int, result: Cover) -> Inventory:
    """Scope 2 of March 2026 with so many MWh bought and generated."""
    month = 31 * 24 * 3_600_000

    def point(name: str, flow: str, mwh: int) -> PointAmount:
        times: dict[str, Any] = {"measured_ms": month, "expected_ms": month, "method_ms": {Method.MEASURED: month}}
        return PointAmount(name, flow, "electricity", "kWh", mwh * MWH, intervals=2976, **times)

    return assemble(
        [
            point("gate/active_energy_import", "import", bought),
            point("pv/active_energy_yield", "generation", self_used),
        ],
        CATALOG,
        Settings("China/JS", "China", "China"),
        park="demo",
        period="2026-03",
        from_time=midnight(dt.date(2026, 3, 1)),
        to_time=midnight(dt.date(2026, 4, 1)),
        known_on=KNOWN,
        final=False,
        cover=result,
    )


def _sums(result: Cover) -> tuple[object, ...]:
    listed = tuple(
        (name, effect, sum(_kwh(item) for item in items if item.get("effect", item.get("rule")) == effect))
        for name, items in (("used", result.used), ("pending", result.pending), ("refused", result.refused))
        for effect in ("covers_purchased", "proves_self_use", "void", "none", "4.3", "3.14", None)
    )
    return result.covered_micro_kwh, result.proved_micro_kwh, result.void_micro_kwh, listed


def _kwh(item: dict[str, object]) -> int:
    amount = item["micro_kwh"]
    assert isinstance(amount, int)
    return amount


def _numbers(use: dict[str, object]) -> range:
    ends = str(use["serials"]).removeprefix("GEC-").split("…")
    return range(int(ends[0]), int(ends[-1]) + 1)


@pytest.mark.rule("3.14")
@pytest.mark.parametrize(("day", "covered"), [(30, 0), (31, 30 * MWH)])
def test_a_certificate_is_not_cancelled_before_its_kilowatt_hours_are_generated(day: int, covered: int) -> None:
    lot = gec(1, 30)
    result = cover([lot], [event("cancelled", lot, on_day=dt.date(2026, 3, day))])
    assert result.covered_micro_kwh == covered
    assert [item["rule"] for item in result.refused] == ([] if covered else ["3.14"])


@pytest.mark.rule("4.1", "5.3")
def test_a_kilowatt_hour_that_is_proved_and_sold_is_told() -> None:
    """50 MWh self-used: 40 proved and 10 sold are all of it, 40 and 40 are 30 too many."""
    proof = own(1, 40, issued_for="self_used", origin="own_use", tradable=False, lot_id=1)
    for count, told in ((10, False), (40, True)):
        gone = own(101, count, issued_for="self_used", lot_id=2)
        result = cover([proof, gone], [event("cancelled", proof), event("sold", gone)])
        assert (result.proved_micro_kwh, result.void_micro_kwh) == (40 * MWH, count * MWH)
        assert any("some stand for both (rule 5.3)" in note for note in result.notes) is told


@pytest.mark.rule("3.14", "3.18")
def test_an_hour_is_matched_by_no_certificate_that_nobody_can_see_redeemed() -> None:
    begin = midnight(dt.date(2026, 3, 1))
    stamp: dict[str, Any] = {
        "granularity": "hour",
        "generated_from": begin,
        "generated_to": begin + dt.timedelta(hours=1),
    }
    lot = gec(1, 2, **stamp)
    start = np.array([int(begin.timestamp()) * 1000])
    seen, unseen = event("cancelled", lot), event("cancelled", lot, public_record=None, evidence="")
    assert [clean_hourly([lot], [use], start, settings=SETTINGS).tolist() for use in (seen, unseen)] == [[2 * MWH], [0]]
    assert cover([lot], [unseen]).covered_micro_kwh == 0
