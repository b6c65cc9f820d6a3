"""The closed list of quantities: one name, one unit, one carrier, and the OBIS code where one exists.

References:
    IEC 62056-6-1 (OBIS); EN 13757-1 for gas (medium 7) and heat (medium 6).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """A physical quantity that a point can carry.

    Attributes:
        name: identifier, unique in the project.
        unit: unit of the decoded value.
        carrier: `electricity`, `gas`, `heat` or `none`.
        cumulative: True for registers that only rise.
        obis: reduced OBIS code `C.D.E`, or None where the standard has none.
    """

    name: str
    unit: str
    carrier: str
    cumulative: bool
    obis: str | None = None


_ALL = (
    Quantity("active_energy_import", "kWh", "electricity", True, "1.8.0"),
    Quantity("active_energy_export", "kWh", "electricity", True, "2.8.0"),
    Quantity("active_energy_yield", "kWh", "electricity", True),
    Quantity("reactive_energy_import", "kvarh", "electricity", True, "3.8.0"),
    Quantity("reactive_energy_export", "kvarh", "electricity", True, "4.8.0"),
    Quantity("active_power", "kW", "electricity", False, "16.7.0"),
    Quantity("active_power_l1", "kW", "electricity", False, "36.7.0"),
    Quantity("active_power_l2", "kW", "electricity", False, "56.7.0"),
    Quantity("active_power_l3", "kW", "electricity", False, "76.7.0"),
    Quantity("reactive_power", "kvar", "electricity", False, "131.7.0"),
    Quantity("apparent_power", "kVA", "electricity", False, "9.7.0"),
    Quantity("power_factor", "1", "electricity", False, "13.7.0"),
    Quantity("frequency", "Hz", "electricity", False, "14.7.0"),
    Quantity("voltage_l1n", "V", "electricity", False, "32.7.0"),
    Quantity("voltage_l2n", "V", "electricity", False, "52.7.0"),
    Quantity("voltage_l3n", "V", "electricity", False, "72.7.0"),
    Quantity("current_l1", "A", "electricity", False, "31.7.0"),
    Quantity("current_l2", "A", "electricity", False, "51.7.0"),
    Quantity("current_l3", "A", "electricity", False, "71.7.0"),
    Quantity("state_of_charge", "%", "electricity", False),
    Quantity("gas_volume", "m3", "gas", True, "3.0.0"),
    Quantity("gas_volume_base", "Nm3", "gas", True, "3.2.0"),
    Quantity("gas_energy", "kWh", "gas", True),  # gross calorific value (HHV) unless the point says otherwise
    Quantity("gas_flow_base", "Nm3/h", "gas", False),
    Quantity("heat_energy", "GJ", "heat", True, "1.0.0"),
    Quantity("heat_power", "kW", "heat", False, "8.0.0"),
    Quantity("temperature", "degC", "none", False),
    Quantity("device_state", "1", "none", False),
)

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _ALL}
