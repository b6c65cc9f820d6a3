"""Entries of activity data: what they become, and what is refused as it is read."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from parkcarbon.catalog.check import check_park
from parkcarbon.catalog.entries import KINDS, EntryError, decode_entry
from parkcarbon.catalog.entries.activity import activities_of, screening_of
from parkcarbon.catalog.entries.activity_base import micro
from parkcarbon.catalog.park import decode_park
from parkcarbon.domain.activities.activity import SteamState
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.reading import Method
from parkcarbon.domain.refusal import RefusedError
from tests.fakes.scopes_park import inventory

FACTOR = {"value": 0.05, "unit": "tCO2/GJ", "publisher": "works", "document": "certificate 3"}
GOOD: dict[str, dict[str, Any]] = {
    "electricity": {"amount": 1000.5, "unit": "MWh", "direction": "received"},
    "fuel": {"fuel": "diesel", "amount": 2.5, "unit": "t", "source": "generator set", "state": "measured"},
    "feedstock": {"fuel": "naphtha", "amount": 3, "unit": "t"},
    "refrigerant": {"substance": "R-410A", "refilled_kg": 5},
    "process": {"product": "clinker", "amount": 10, "supplier": {**FACTOR, "unit": "tCO2/t"}},
    "heat": {"amount": 100, "origin": "fossil", "supplier": FACTOR},
    "steam": {
        "amount_t": 12,
        "pressure_mpa_abs": 1.0,
        "temperature_c": 300,
        "condensate_return_pct": 60,
        "condensate_temperature_c": 80,
        "origin": "fossil",
    },
    "cooling": {"amount": 7, "cop": 5},
    "scope3": {"category": 4, "subject": "haulage", "amount": 1000, "unit": "t-km", "factor": "X"},
    "removal": {"subject": "plots", "removed_t": 3, "method": "AR-ACM0003, plots measured"},
}


@dataclass(frozen=True)
class Written:
    entry_id: int
    content: Struct
    tenant: str | None = "t1"
    from_day: dt.date = dt.date(2026, 10, 1)
    to_day: dt.date = dt.date(2026, 11, 1)
    evidence: str = "invoice 1"
    simulated: bool = True


def refusal(kind: str, document: dict[str, Any]) -> RefusedError:
    with pytest.raises(msgspec.ValidationError) as caught:
        decode_entry(kind, document)
    assert isinstance(caught.value.__cause__, RefusedError)
    return caught.value.__cause__


@pytest.mark.parametrize("kind", sorted(GOOD))
def test_every_kind_becomes_an_activity_with_its_frame(kind: str) -> None:
    (activity,) = activities_of([Written(7, decode_entry(kind, GOOD[kind]))])
    assert (activity.activity, activity.tenant, activity.evidence) == ("entry:7", "t1", "invoice 1")
    assert (activity.kind, activity.simulated) == (kind, True)
    assert (activity.from_day, activity.to_day) == (dt.date(2026, 10, 1), dt.date(2026, 11, 1))


def test_amounts_states_and_conditions_arrive() -> None:
    entries = [Written(number, decode_entry(kind, GOOD[kind])) for number, kind in enumerate(sorted(GOOD))]
    by_kind = {activity.kind: activity for activity in activities_of(entries)}
    assert by_kind["electricity"].amount_micro == 1_000_500_000
    assert (by_kind["fuel"].name, by_kind["fuel"].state) == ("generator set", Method.MEASURED)
    assert by_kind["steam"].steam == SteamState(
        pressure_mpa_abs=1.0, temperature_c=300.0, condensate_return_pct=60.0, condensate_temperature_c=80.0
    )
    assert by_kind["heat"].factor is not None
    assert by_kind["heat"].factor.document == "certificate 3"
    counted = inventory((), list(activities_of(entries)))
    assert [item["carrier"] for item in counted.not_in_total] == ["haulage"]  # its factor is not in the library
    assert len(counted.lines("location")) == 7


def test_decimals_are_taken_as_they_were_written() -> None:
    assert micro(0.1) + micro(0.2) == micro(0.3)
    assert micro(123456789.123456) == 123456789123456
    with pytest.raises(RefusedError):
        micro(float("nan"))


@pytest.mark.rule("1.17")
def test_a_refrigerant_balance() -> None:
    document = {"opening_kg": 10.1, "bought_kg": 4.2, "given_back_kg": 1, "closing_kg": 8.3}
    (activity,) = activities_of([Written(1, decode_entry("refrigerant", {"substance": "R-32", "balance": document}))])
    assert activity.amount_micro == 5_000_000
    grown = refusal("refrigerant", {"substance": "R-32", "balance": {**document, "closing_kg": 20}})
    assert grown.rule == "1.17"
    assert refusal("refrigerant", {"substance": "R-32"}).rule == "1.17"


@pytest.mark.rule("1.10", "1.12", "1.13", "1.4", "3.4", "6.10")
@pytest.mark.parametrize(
    ("kind", "changes", "rule", "word"),
    [
        ("fuel", {"fuel": "gas", "unit": "m3"}, "1.12", "2.5 m3"),
        ("fuel", {"fuel": "gas", "unit": "GJ"}, "1.10", "NCV or HHV"),
        ("fuel", {"amount": -1}, "6.10", "-1 t"),
        ("fuel", {"unit": "L"}, "6.10", "density"),
        ("electricity", {"amount": -0.5}, "6.10", "negative"),
        ("steam", {"pressure_mpa_abs": None}, "1.13", "pressure"),
        ("steam", {"condensate_return_pct": None}, "1.13", "condensate"),
        ("cooling", {"cop": None}, "3.15", "no default"),
        ("removal", {"method": ""}, "3.4", "named, measured method"),
        ("heat", {"supplier": {**FACTOR, "life_cycle": True}}, "1.4", "life-cycle"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_number(
    kind: str, changes: dict[str, Any], rule: str, word: str
) -> None:
    error = refusal(kind, GOOD[kind] | changes)
    assert (error.rule, word in error.reason) == (rule, True)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(EntryError, match="category: 16"):
        decode_entry("scope3", GOOD["scope3"] | {"category": 16})
    with pytest.raises(EntryError, match="fuels: unknown"):
        decode_entry("fuel", GOOD["fuel"] | {"fuels": "x"})
    with pytest.raises(EntryError, match="unit"):
        decode_entry("electricity", GOOD["electricity"] | {"unit": "GJ"})


@pytest.mark.rule("3.8")
def test_the_newest_decision_on_a_category_counts() -> None:
    first = Written(1, decode_entry("scope3_screening", {"category": 4, "status": "not_significant", "why": "small"}))
    later = {"category": 4, "status": "included", "why": "a haulier was found"}
    second = Written(2, decode_entry("scope3_screening", later), from_day=dt.date(2026, 10, 5))
    third = Written(3, decode_entry("scope3_screening", later), from_day=dt.date(2027, 1, 1))
    found = inventory((), screening=screening_of([second, third, first], dt.date(2026, 11, 1)))
    assert found.screening[3]["status"] == "included"
    assert len(screening_of([first, second, third], dt.date(2026, 11, 1))) == 2


def test_kinds_that_need_a_second_person() -> None:
    assert {kind for kind in GOOD if getattr(KINDS[kind], "needs_review", False)} == {"process", "removal"}


PARK = """
park: demo
name: {zh: 示范, en: demo}
timezone: Asia/Shanghai
method:
  electricity_region: China/JS
"""


def test_method_settings_have_sane_defaults() -> None:
    method = decode_park(PARK).method
    assert method.settings() == Settings("China/JS")
    assert (method.neutrality_basis, method.materiality_pct) == ("market", 5.0)
    assert check_park(decode_park(PARK)) == []


@pytest.mark.rule("1.11", "1.15", "1.16", "3.8")
def test_method_settings_are_checked() -> None:
    text = PARK + "\n".join(
        f"  {line}"
        for line in (
            "fuel_set: a made-up set",
            "sf6_factor: GWP-AR5-SF6",
            "heat_factor: CN-2023-JS",
            "exclusions: [{what: canteen, reason: ''}]",
            "absent_scopes: [{scope: 1, reason: no fuel}, {scope: 1, reason: ''}]",
        )
    )
    problems = check_park(decode_park(text))
    for word in ("rule 1.11", "rule 1.15", "rule 1.6", "rule 3.8", "scope 1 appears 2 times", "for no reason"):
        assert any(word in problem for problem in problems), word
    wrong = check_park(decode_park(PARK + "  sf6_factor: CN-HEAT\n"))
    assert any("rule 1.16" in problem for problem in wrong)


def test_declared_settings_reach_the_calculation() -> None:
    text = (
        PARK + "  fuel_set: IPCC 2006\n  standard_temperature_c: 20\n  absent_scopes: [{scope: 1, reason: no fuel}]\n"
    )
    found = decode_park(text).method.settings()
    assert (found.fuel_set, found.standard_temperature_c, found.absent) == ("IPCC 2006", 20.0, frozenset({1}))
