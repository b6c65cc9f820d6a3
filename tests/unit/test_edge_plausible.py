"""What the person at the cabinet is told: nothing where all is well, and the right thing where it is not."""

from dataclasses import replace

import pytest

from edge.plausible import Shown, hints
from parkcarbon.catalog.profiles import load_profile
from parkcarbon.domain.profile import WordOrder
from parkcarbon.domain.registers import decode, encode

SDM = load_profile("eastron-sdm630")
WELL: dict[str, float | None] = {
    "voltage_l1n": 231.2,
    "voltage_l2n": 229.8,
    "voltage_l3n": 230.4,
    "active_power_l1": 10.0,
    "active_power_l2": 11.0,
    "active_power_l3": 12.0,
    "active_power": 33.0,
    "reactive_power": 8.0,
    "apparent_power": 33.96,
    "power_factor": 0.97,
    "frequency": 50.01,
    "active_energy_import": 123456.7,
}


def shown(values: dict[str, float | None], word_order: WordOrder = "big", byte_order: WordOrder = "big") -> list[Shown]:
    """What is seen with the declared profile when the device has another order."""
    found = []
    for quantity, value in values.items():
        point = SDM.point(quantity)
        registers = encode(replace(point, word_order=word_order, byte_order=byte_order), value)
        found.append(Shown(point, registers, decode(point, registers)))
    return found


def test_nothing_is_said_where_all_is_well() -> None:
    assert hints(shown(WELL)) == {}


@pytest.mark.parametrize(
    ("changes", "quantity", "hint"),
    [
        ({"voltage_l2n": 0.0}, "voltage_l2n", "no voltage"),
        ({"voltage_l2n": 400.0}, "voltage_l2n", "not a phase voltage"),
        ({"voltage_l2n": None}, "voltage_l2n", "no value"),
        ({"frequency": 5.001}, "frequency", "not a mains frequency"),
        ({"power_factor": 97.0}, "power_factor", "not a power factor"),
        ({"active_power": 3.3}, "active_power", "the phases add up to 33 kW"),
        ({"active_power_l1": -10.0, "active_power": 13.0}, "active_power", "different signs"),
        ({"apparent_power": 60.0}, "apparent_power", "give 33.95"),
        ({"active_energy_import": 5e8}, "active_energy_import", "outside 0 … 1e+08 kWh"),
        ({"active_energy_import": -5.0}, "active_energy_import", "outside 0"),
    ],
)
def test_what_is_said(changes: dict[str, float | None], quantity: str, hint: str) -> None:
    found = hints(shown(WELL | changes))
    assert any(hint in text for text in found[quantity]), found


@pytest.mark.parametrize("byte_order", ["big", "little"])
@pytest.mark.parametrize("word_order", ["big", "little"])
def test_each_wrong_order_is_noticed_and_the_right_one_named(word_order: WordOrder, byte_order: WordOrder) -> None:
    found = hints(shown({"voltage_l1n": 230.2}, word_order, byte_order))
    if (word_order, byte_order) == ("big", "big"):
        assert found == {}
        return
    named = f"230.2 V with word_order: {word_order}" + (", byte_order: little" if byte_order == "little" else ":")
    assert any(named in text for text in found["voltage_l1n"]), found


def test_export_is_asked_about_but_idle_is_not() -> None:
    assert "wrong way round" in hints(shown({"active_power": -3.0}))["active_power"][0]
    assert hints(shown({"active_power": -0.01})) == {}
