"""Differences of two inventories: every line that changed, and nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.difference import line_changes, other_changes, total_changes

Lines = dict[str, int]


def line(scope: int, basis: str | None, source: str, nano: int, *, covered: bool = False) -> dict[str, Any]:
    return {
        "scope": scope,
        "basis": basis,
        "source": source,
        "entry": "",
        "activity": nano / 1e9,
        "activity_unit": "kWh",
        "co2e_kg": nano / 1e9,
        "biogenic_co2_kg": 0.0,
        "factors": [{"factor": "CN-2023-JS", "value": 1.0}],
        "states": {"measured": 1.0},
        "instruments": [{"lot": 1}] if covered else [],
        "note": "",
    }


def document(location: Lines, market: Lines, **more: Any) -> dict[str, Any]:
    def scope(number: int, basis: str | None, lines: Lines) -> dict[str, Any]:
        return {
            "scope": number,
            "basis": basis,
            "lines": [line(number, basis, source, nano) for source, nano in lines.items()],
        }

    def total(lines: Lines) -> dict[str, Any]:
        return {"co2e_kg": sum(lines.values()) / 1e9 if lines else None}

    return {
        "known_on": "2026-01-01T00:00:00Z",
        "scopes": [scope(1, None, {}), scope(2, "location", location), scope(2, "market", market)],
        "scope3": scope(3, None, {}),
        "totals": {"location": total(location), "market": total(market)},
        **more,
    }


LINES = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10**14), max_size=5)


@pytest.mark.rule("6.9")
@given(LINES, LINES)
def test_the_changes_add_up_to_the_change_of_the_total(before: Lines, after: Lines) -> None:
    changes = line_changes(document(before, {}), document(after, {}))
    assert sum(change.change_nano_kg for change in changes) == sum(after.values()) - sum(before.values())
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {change.source for change in changes} == changed


@given(LINES, LINES)
def test_a_document_does_not_differ_from_itself(location: Lines, market: Lines) -> None:
    same = document(location, market, energy={"load_kwh": 1.0})
    assert line_changes(same, same) == []
    assert other_changes(same, same) == []


@given(LINES, LINES)
def test_swapping_the_two_turns_every_change_round(before: Lines, after: Lines) -> None:
    forth = line_changes(document({}, before), document({}, after))
    back = line_changes(document({}, after), document({}, before))
    assert [change.change_nano_kg for change in forth] == [-change.change_nano_kg for change in back]
    assert [(change.before, change.after) for change in forth] == [(change.after, change.before) for change in back]


def test_what_tells_two_lines_apart() -> None:
    before = document({"gate": 582_700_000}, {})
    after = document({"gate": 582_700_000}, {})
    after["scopes"][1]["lines"][0]["factors"] = [{"factor": "CN-2024-JS", "value": 1.0}]
    (change,) = line_changes(before, after)
    assert (change.what, change.change_nano_kg) == (("factors",), 0)
    assert change.document()["after"]["factors"] == ["CN-2024-JS"]


def test_a_covered_part_is_a_line_of_its_own() -> None:
    before, after = document({}, {"gate": 1000}), document({}, {"gate": 600})
    after["scopes"][2]["lines"].append(line(2, "market", "gate", 0, covered=True))
    changes = line_changes(before, after)
    assert [(change.before is None, change.change_nano_kg) for change in changes] == [(False, -400), (True, 0)]


def test_totals_and_other_members() -> None:
    before = document({"a": 10**12}, {}, energy={"load_kwh": 1.0}, final=True)
    after = document({"a": 3 * 10**12}, {}, energy={"load_kwh": 2.0}, final=True) | {"known_on": "2026-02-01T00:00:00Z"}
    changed = total_changes(before, after)
    assert changed["location"] == {"before_kg": 1000.0, "after_kg": 3000.0, "change_kg": 2000.0}
    assert changed["market"]["change_kg"] is None
    assert other_changes(before, after) == ["energy"]
