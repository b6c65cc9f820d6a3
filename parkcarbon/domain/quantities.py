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
    Quantity("active_energy_import", "kWh", "electricity", cumulative=True, obis="1.8.0"),
    Quantity("active_energy_export", "kWh", "electricity", cumulative=True, obis="2.8.0"),
    Quantity("active_energy_yield", "kWh", "electricity", cumulative=True),
    Quantity("reactive_energy_import", "kvarh", "electricity", cumulative=True, obis="3.8.0"),
    Quantity("reactive_energy_export", "kvarh", "electricity", cumulative=True, obis="4.8.0"),
    Quantity("active_power", "kW", "electricity", cumulative=False, obis="16.7.0"),
    Quantity("active_power_l1", "kW", "electricity", cumulative=False, obis="36.7.0"),
    Quantity("active_power_l2", "kW", "electricity", cumulative=False, obis="56.7.0"),
    Quantity("active_power_l3", "kW", "electricity", cumulative=False, obis="76.7.0"),
    Quantity("reactive_power", "kvar", "electricity", cumulative=False, obis="131.7.0"),
    Quantity("apparent_power", "kVA", "electricity", cumulative=False, obis="9.7.0"),
    Quantity("power_factor", "1", "electricity", cumulative=False, obis="13.7.0"),
    Quantity("frequency", "Hz", "electricity", cumulative=False, obis="14.7.0"),
    Quantity("voltage_l1n", "V", "electricity", cumulative=False, obis="32.7.0"),
    Quantity("voltage_l2n", "V", "electricity", cumulative=False, obis="52.7.0"),
    Quantity("voltage_l3n", "V", "electricity", cumulative=False, obis="72.7.0"),
    Quantity("current_l1", "A", "electricity", cumulative=False, obis="31.7.0"),
    Quantity("current_l2", "A", "electricity", cumulative=False, obis="51.7.0"),
    Quantity("current_l3", "A", "electricity", cumulative=False, obis="71.7.0"),
    Quantity("state_of_charge", "%", "electricity", cumulative=False),
    Quantity("gas_volume", "m3", "gas", cumulative=True, obis="3.0.0"),
    Quantity("gas_volume_base", "Nm3", "gas", cumulative=True, obis="3.2.0"),
    Quantity(
        "gas_energy", "kWh", "gas", cumulative=True
    ),  # gross calorific value (HHV) unless the point says otherwise
    Quantity("gas_flow_base", "Nm3/h", "gas", cumulative=False),
    Quantity("heat_energy", "GJ", "heat", cumulative=True, obis="1.0.0"),
    Quantity("heat_power", "kW", "heat", cumulative=False, obis="8.0.0"),
    Quantity("temperature", "degC", "none", cumulative=False),
    Quantity("device_state", "1", "none", cumulative=False),
)

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _ALL}
