"""Registers that follow from power and energy: voltages, currents, phases, frequency, reactive energy.

They make a device's image whole; the balance rests on power and energy alone.
"""

import math

import numpy as np

from .faults import Read
from .ledger import Ledger
from .load import meter_noise
from .noise import Floats, Ints

POWER_FACTOR = 0.95
_TAN_PHI = math.tan(math.acos(POWER_FACTOR))
_PHASE_V = 230.9  # 400 V / sqrt(3)
_SECONDARY_PHASE_V = 57.74  # 100 V / sqrt(3)
_GAS_CONVERSION = 2.4  # base volume over volume at the meter
_ON_GRID, _STANDBY_DARK = 0x0200, 0xA000
_TEMPERATURE_C = 24.0


def derived(quantity: str, device: str, ledger: Ledger, pt: float, ratio: float) -> Read:
    """The register of a quantity that is neither power nor active energy.

    Args:
        quantity: its name.
        device: whose.
        ledger: power and energy.
        pt: voltage transformer ratio; above 1 the primary side is `pt` × 100 V.
        ratio: what the register is multiplied by to be primary-side.
    """
    seed = ledger.park.seed
    phase_v = _PHASE_V if pt == 1 else _SECONDARY_PHASE_V * pt

    def noise(time_ms: Ints) -> Floats:
        return meter_noise(seed, f"{device}/{quantity}", time_ms)

    def power(time_ms: Ints) -> Floats:
        return ledger.power(device, time_ms)

    def share_of_power(share: float) -> Read:
        return lambda time_ms: power(time_ms) * share / ratio

    table: dict[str, Read] = {
        "voltage": lambda t: phase_v * (1 + 0.012 * noise(t)) / ratio,
        "current": lambda t: np.abs(power(t)) * 1000 / 3 / phase_v / POWER_FACTOR / ratio,
        "active_power_l": share_of_power(1 / 3),
        "reactive_power": share_of_power(_TAN_PHI),
        "apparent_power": lambda t: np.abs(power(t)) / POWER_FACTOR / ratio,
        "power_factor": lambda t: np.full(len(t), POWER_FACTOR),
        "frequency": lambda t: 50 + 0.02 * noise(t),
        "reactive_energy_import": lambda t: ledger.energy(device, t) * _TAN_PHI / ratio,
        "reactive_energy_export": lambda t: ledger.energy(device, t, backward=True) * _TAN_PHI / ratio,
        "gas_volume": lambda t: ledger.energy(device, t) / _GAS_CONVERSION,
        "temperature": lambda t: _TEMPERATURE_C + 4 * noise(t),
        "device_state": lambda t: np.where(power(t) > 0, _ON_GRID, _STANDBY_DARK).astype(np.float64),
    }
    for name in sorted(table, key=len, reverse=True):
        if quantity.startswith(name):
            return table[name]
    return lambda time_ms: np.zeros(len(time_ms))
