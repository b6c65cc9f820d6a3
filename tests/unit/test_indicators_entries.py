"""Entries of indicators and the dated data sets: what is refused, by rule, and that every number has a source."""

from typing import Any

import pytest

from parkcarbon.books.entries import check_document, needs_review
from parkcarbon.catalog.entries import EntryError, management
from parkcarbon.catalog.indicators import (
    DataSetError,
    EnergyFile,
    duty_industries,
    duty_shares,
    energy_conversion,
    error_limits,
    park_schemes,
    parse,
)
from parkcarbon.domain.refusal import RefusedError

BASE: dict[str, Any] = {
    "year": 2025,
    "months": [{"month": 1, "scope1_t": 1.0}],
    "boundary": "the whole zone",
    "same_boundary": True,
    "recalculation_policy": "above 5 %",
}


@pytest.mark.parametrize(
    ("kind", "document", "rule"),
    [
        pytest.param(
            "equal_value",
            {"year": 2026, "kgce_per_kwh": 0.1229, "document": "x"},
            "1.18",
            marks=pytest.mark.rule("1.18"),
        ),
        pytest.param("guiding_indicator", {"indicator": "water_reuse"}, "2.3", marks=pytest.mark.rule("2.3")),
        pytest.param(
            "guiding_indicator",
            {"indicator": "water_reuse", "value_pct": 80.0, "excluded_because": "no water"},
            "2.3",
            marks=pytest.mark.rule("2.3"),
        ),
        pytest.param(
            "green_power_duty", {"industry": "steel", "share_pct": 30.0}, "4.9", marks=pytest.mark.rule("4.9")
        ),
        ("budget", {"what": "gas", "amount": 5.0, "unit": "kWh"}, "6.10"),
        ("base_year", BASE | {"months": BASE["months"] * 2}, "6.10"),
        ("base_year", BASE | {"months": []}, "6.10"),
    ],
)
def test_entries_that_a_rule_refuses(kind: str, document: dict[str, Any], rule: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_document(kind, document)
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("production", {"product": "parts", "amount": -1, "unit": "t"}),
        ("area", {"m2": 0}),
        ("measure_saving", {"measure": "x", "co2e_t": -1.0, "how": "metered"}),
        ("uncertainty_assumption", {"subject": "factor", "name": "x", "half_width_pct": -5, "source": "x"}),
        ("verification", {"body": "x", "level": "absolute", "standard": "x", "opinion": "unmodified", "scope": "x"}),
        ("budget", {"what": "co2e_market", "amount": 1.0, "unit": "t"}),
    ],
)
def test_entries_that_do_not_fit(kind: str, document: dict[str, Any]) -> None:
    with pytest.raises(EntryError):
        check_document(kind, document)


def test_what_decides_a_figure_needs_a_second_person() -> None:
    reviewed = {kind for kind in management.KINDS if needs_review(kind)}
    assert reviewed == {
        "base_year",
        "measure_saving",
        "guiding_indicator",
        "equal_value",
        "green_power_duty",
        "green_direct_supply",
        "uncertainty_assumption",
        "verification",
    }


@pytest.mark.rule("1.18", "2.2", "4.9", "6.4")
def test_every_number_of_the_data_sets_has_a_source() -> None:
    limits = error_limits()
    every = [*limits.classes.values(), *limits.defaults.values(), *limits.factors.values()]
    every += [limit for _, limit in limits.states.values()]
    assert all(limit.source for limit in every)
    assert {name for device, carrier, name in limits.classes if (device, carrier) == ("meter", "electricity")} == {
        "0.2S",
        "0.5S",
        "0.5",
        "1",
        "2",
        "A",
        "B",
        "C",
    }
    assert all(scheme.source and scheme.seen for scheme in park_schemes())
    assert all(share.source and share.industry in duty_industries() for share in duty_shares())
    assert all(value.year is None for value in energy_conversion().equal)  # none of a year was read in its source


def test_a_data_set_is_read_strictly() -> None:
    with pytest.raises(DataSetError, match=r"indicators/energy\.yaml: colour: unknown"):
        parse("energy", "colour: green", EnergyFile)
    with pytest.raises(DataSetError, match="not YAML"):
        parse("energy", "a: [", EnergyFile)
