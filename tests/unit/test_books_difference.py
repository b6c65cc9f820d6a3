"""What was frozen under a former name of a member is compared under its name of now."""

from typing import Any

from parkcarbon.books.periods.difference import renamed
from parkcarbon.domain.difference import other_changes


def test_another_name_is_no_difference() -> None:
    before: dict[str, Any] = {"totals": {"location": {"by_gas_kg": {"CO2": 1.0}}}, "lines": [{"co2e_by_gas_kg": {}}]}
    after: dict[str, Any] = {
        "totals": {"location": {"by_gas_kg_co2e": {"CO2": 1.0}}},
        "lines": [{"co2e_by_gas_kg": {}}],
    }
    assert renamed(before) == after
    assert other_changes(renamed(before), after) == []
