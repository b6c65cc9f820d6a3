"""Each rule of certificates and credits on its own, and the bad inputs it refuses."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from parkcarbon.domain.instruments.allowance import allowance_view, refuse_ccer_above
from parkcarbon.domain.instruments.credits import retired
from parkcarbon.domain.instruments.eligibility import InstrumentSettings, of_certificate
from parkcarbon.domain.instruments.event import stretches
from parkcarbon.domain.instruments.exclusive import refuse_double
from parkcarbon.domain.instruments.issue import Issue, issue_gec
from parkcarbon.domain.instruments.lot import CRITERIA, Lot, Serials, refuse_lot
from parkcarbon.domain.refusal import RefusedError
from tests.fakes.ledger import SETTINGS, credit, event, gec, midnight, own

MARCH = dt.date(2026, 3, 1)
MAY = dt.date(2026, 5, 4)
HOUR = dt.timedelta(hours=1)
A_YEAR_BEFORE = {"generated_from": midnight(dt.date(2025, 3, 1)), "generated_to": midnight(dt.date(2025, 4, 1))}
TWO_YEARS = {
    "kind": "I-REC",
    "granularity": "period",
    "generation_month": None,
    "generated_from": midnight(dt.date(2024, 12, 1)),
    "generated_to": midnight(dt.date(2025, 3, 1)),
}


@pytest.mark.rule("3.4", "3.5", "3.14", "3.18", "4.1", "4.2", "4.3", "4.5", "4.6", "4.7", "5.3")
@pytest.mark.parametrize(
    ("rule", "lot", "members"),
    [
        ("4.7", gec(1, 1), {"kind": "CEA"}),
        ("3.14", gec(1, 1), {"kind": "ticket"}),
        ("3.5", gec(1, 1), {"registry": "GEC CN"}),
        ("3.5", gec(1, 1), {"serials": Serials("GEC-2", 1, 1)}),
        ("3.5", gec(1, 1), {"serials": Serials("gec-", 1, 1)}),
        ("3.5", gec(1, 1), {"serials": Serials("GEC-", 1, 0)}),
        ("3.5", gec(1, 1), {"serials": Serials("GEC-", -1, 1)}),
        ("3.14", gec(1, 1), {"evidence": ""}),
        ("4.1", gec(1, 1), {"unit_micro_kwh": 10**6}),
        ("3.14", gec(1, 1), {"unit_micro_kwh": -1}),
        ("3.14", gec(1, 1), {"unit_cost_micro": -1}),
        ("4.6", gec(1, 1), {"unit_nano_kg": 10**12}),
        ("4.5", credit(1, 1), {"unit_nano_kg": 10**9}),
        ("4.6", credit(1, 1), {"kind": "other_credit", "unit_nano_kg": None}),
        ("4.3", gec(1, 1), {"kind": "GO", "unit_micro_kwh": None}),
        ("3.14", gec(1, 1), {"generated_from": dt.datetime(2026, 3, 1)}),  # noqa: DTZ001 - that is the fault
        ("3.14", gec(1, 1), {"generated_to": midnight(MARCH)}),
        ("3.18", gec(1, 1), {"granularity": "hour"}),
        ("4.2", gec(1, 1), {"generation_month": None}),
        ("4.2", gec(1, 1), {"generation_month": dt.date(2026, 3, 2)}),
        ("4.2", gec(1, 1), {"vintage": 2025}),
        ("4.2", gec(1, 1), A_YEAR_BEFORE),
        ("4.2", gec(1, 1), {"generation_month": dt.date(2026, 5, 1)}),
        ("3.14", gec(1, 1), TWO_YEARS | {"vintage": 2024}),
        ("3.14", gec(1, 1), TWO_YEARS | {"vintage": 2023}),
        ("3.14", credit(1, 1), {"vintage": 2019}),
        ("3.14", credit(1, 1), {"vintage": 2027}),
        ("4.1", gec(1, 1), {"technology": "storage"}),
        ("3.14", gec(1, 1), {"plant": None}),
        ("4.3", gec(1, 1), {"carrier": "heat"}),
        ("4.1", gec(1, 1), {"kind": "I-REC"}),
        ("4.1", gec(1, 1), {"technology": "hydro"}),
        ("4.1", gec(1, 1), {"technology": "hydro", "commissioned": dt.date(2022, 12, 31)}),
        ("3.14", gec(1, 1), {"origin": "found"}),
        ("5.3", gec(1, 1), {"origin": "own_pv"}),
        ("5.3", gec(1, 1), {"issued_for": "exported"}),
        ("4.1", gec(1, 1), {"origin": "own_use", "issued_for": "exported", "tradable": False}),
        ("4.1", gec(1, 1), {"origin": "own_use", "issued_for": "self_used"}),
        ("4.1", gec(1, 1), {"tradable": False}),
        ("3.14", gec(1, 1), {"origin": "green_power_contract"}),
        ("3.4", credit(1, 1), {"criteria": {"lovely": True}}),
        ("5.3", credit(1, 1), {"origin": "own_pv", "issued_for": "self_used", "plant": "roof"}),
    ],
)
def test_a_lot_that_cannot_be_is_refused(rule: str, lot: Lot, members: dict[str, Any]) -> None:
    refuse_lot(lot)
    with pytest.raises(RefusedError) as caught:
        refuse_lot(replace(lot, **members))
    assert caught.value.rule == rule


@pytest.mark.rule("4.1")
def test_what_may_be_entered_all_the_same() -> None:
    refuse_lot(gec(1, 1, kind="I-REC", month="2024-12", generation_month=None))
    refuse_lot(gec(1, 1, kind="I-REC", market="China/TW"))
    refuse_lot(gec(1, 1, kind="I-REC", market="Vietnam"))
    refuse_lot(gec(1, 1, technology="hydro", commissioned=dt.date(2023, 1, 1)))
    refuse_lot(gec(1, 1, origin="own_use", issued_for="self_used", tradable=False))


@pytest.mark.rule("3.14", "4.1", "4.2", "4.3", "4.6")
@pytest.mark.parametrize(
    ("rule", "lot"),
    [
        (None, gec(1, 1)),
        (None, gec(1, 1, month="2026-04")),
        ("3.14", gec(1, 1, month="2026-12")),
        ("3.14", gec(1, 1, month="2025-12")),
        ("3.14", gec(1, 1, market="EU")),
        ("3.14", gec(1, 1, market="China/HK")),
        ("4.2", gec(1, 1, month="2024-05")),
        ("4.3", gec(1, 1, carrier="heat")),
        ("4.1", gec(1, 1, kind="green_power_contract", contract="GP-1")),
        ("4.1", gec(1, 1, kind="I-REC")),
        ("4.1", gec(1, 1, technology="battery")),
        ("4.6", credit(1, 1)),
    ],
)
def test_what_may_cover_a_march_2026_if_cancelled_in_may(rule: str | None, lot: Lot) -> None:
    reason = of_certificate(lot, MARCH, SETTINGS, MAY)
    assert (reason and reason.rule) == rule


@pytest.mark.rule("3.14")
def test_how_years_must_match_is_a_dated_setting() -> None:
    settings = InstrumentSettings(market="China/JS", vintage_match=((dt.date(2026, 1, 1), "within_validity"),))
    older = gec(1, 1, month="2025-12")
    assert of_certificate(older, dt.date(2026, 3, 1), settings, MAY) is None
    assert of_certificate(older, dt.date(2024, 12, 31), settings, MAY) is not None


@pytest.mark.rule("4.2")
@pytest.mark.parametrize(("day", "status"), [(dt.date(2026, 2, 28), "held"), (dt.date(2026, 3, 1), "expired")])
def test_a_gec_is_valid_for_24_months_with_its_own(day: dt.date, status: str) -> None:
    assert [part.status for part in stretches(gec(1, 5, month="2024-03"), [], day)] == [status]


@pytest.mark.rule("3.2", "3.4", "3.5")
@pytest.mark.parametrize(
    ("rule", "lot_members", "event_members"),
    [
        (None, {}, {}),
        ("3.5", {}, {"public_record": None}),
        ("3.4", {}, {"on_day": dt.date(2027, 4, 1)}),
        (None, {}, {"on_day": dt.date(2027, 3, 31)}),
        ("3.4", {}, {"on_day": dt.date(2025, 12, 30)}),
        ("3.2", {"origin": "own_pv", "issued_for": "self_used"}, {}),
        *(("3.4", {"criteria": dict.fromkeys(CRITERIA, True) | {name: False}}, {}) for name in CRITERIA),
        *(("3.4", {"criteria": {other: True for other in CRITERIA if other != name}}, {}) for name in CRITERIA),
    ],
)
def test_when_a_retired_credit_counts(
    rule: str | None, lot_members: dict[str, Any], event_members: dict[str, Any]
) -> None:
    lot = credit(1, 7, **lot_members)
    result = retired(lot, event("retired", lot, **event_members))
    assert (result.reason and result.reason.rule) == rule
    assert result.nano_kg == (7 * 10**12 if rule is None else 0)


@pytest.mark.rule("4.5")
def test_a_ccer_surrendered_for_compliance_serves_no_neutrality() -> None:
    lot = credit(1, 7)
    result = retired(lot, event("surrendered", lot, tenant="mill"))
    assert result.reason is not None
    assert (result.nano_kg, result.reason.rule) == (0, "4.5")


def test_a_retirement_waits_for_a_second_person() -> None:
    lot = credit(1, 7)
    result = retired(lot, event("retired", lot, confirmed_by=None))
    assert (result.nano_kg, result.reason) == (0, None)
    assert result.waiting is not None


@pytest.mark.rule("4.1")
def test_the_rest_below_a_thousand_kwh_goes_into_the_next_month() -> None:
    kwh = 10**6
    issued = issue_gec([999 * kwh, 1 * kwh, 2_500 * kwh, 0, 1_499 * kwh])
    assert [issue.count for issue in issued] == [0, 1, 2, 0, 1]
    assert issued[-1] == Issue(1, 999 * kwh)
    with pytest.raises(RefusedError, match=r"4\.1"):
        issue_gec([-1])


@pytest.mark.rule("3.5", "4.4")
def test_lots_in_no_database_are_not_used_twice_either() -> None:
    one, other = gec(1, 10), gec(11, 10, lot_id=2)
    refuse_double([one, other], [event("cancelled", one), event("cancelled", other)])
    for rule, lots, events in (
        ("3.5", [one, gec(10, 1, lot_id=2)], []),
        ("4.4", [one, credit(1, 1, lot_id=2, plant="plant-1", generated_to=midnight(dt.date(2026, 3, 2)))], []),
        ("3.5", [one], [event("cancelled", one, count=5), event("sold", one, first=5, count=1, event_id=2)]),
        ("3.5", [one], [event("cancelled", one, first=10, count=2)]),
    ):
        with pytest.raises(RefusedError) as caught:
            refuse_double(lots, events)
        assert caught.value.rule == rule
    contract = gec(1, 10, lot_id=2, kind="green_power_contract", registry="exchange", contract="GP-1")
    refuse_double([one, contract], [])


@pytest.mark.rule("4.5", "4.7")
def test_an_allowance_is_an_enterprises() -> None:
    t = 10**12
    view = allowance_view("mill", 2026, allocated=100_000 * t, carried=-500 * t, obligation=103_000 * t, ccer=6_000 * t)
    assert view.balance == -3_500 * t
    assert (view.ccer_limit, view.ccer_counted, view.to_buy) == (5_150 * t, 5_150 * t, 0)
    few = allowance_view("mill", 2026, allocated=100_000 * t, carried=0, obligation=103_000 * t, ccer=1_000 * t)
    assert few.to_buy == 2_000 * t
    unknown = allowance_view("mill", 2026, allocated=100_000 * t, carried=0, obligation=None, ccer=0)
    assert (unknown.balance, unknown.ccer_limit, unknown.to_buy) == (None, None, None)
    with pytest.raises(RefusedError, match=r"4\.7"):
        allowance_view(None, 2026, allocated=t, carried=0, obligation=t, ccer=0)
    with pytest.raises(RefusedError, match=r"4\.7.*negative"):
        allowance_view("mill", 2026, allocated=-t, carried=0, obligation=t, ccer=0)


@pytest.mark.rule("4.5")
def test_ccer_serve_at_most_5_percent_of_the_obligation_to_the_gram() -> None:
    t = 10**12
    refuse_ccer_above(100_000 * t, 4_999 * t, t)
    for obligation, surrendered in ((100_000 * t, 5_000 * t), (100_019 * t, 5_000 * t), (None, 0)):
        with pytest.raises(RefusedError, match=r"4\.5"):
            refuse_ccer_above(obligation, surrendered, t)


def test_serials_of_one_fate_stand_together() -> None:
    lot = own(0, 100, issued_for="exported")
    sold = event("sold", lot, first=10, count=20, event_id=5)
    moved = event("transferred", lot, first=50, count=10, event_id=6, to_park="other")
    parts = [
        (part.serials.first, part.serials.end, part.status, part.holder)
        for part in stretches(lot, [moved, sold, event("expired", gec(0, 1, lot_id=9))], MAY)
    ]
    assert parts == [
        (0, 10, "held", "demo"),
        (10, 30, "sold", "demo"),
        (30, 50, "held", "demo"),
        (50, 60, "held", "other"),
        (60, 100, "held", "demo"),
    ]
