"""The park's balance: the gate shows what everything behind it adds up to.

import - export = loads + losses + charge - discharge - generation

Powers are given on knots one minute apart and are straight lines between them, so that sums, and the energy of the
positive and of the negative part, are exact on this grid and the identity closes by construction.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from .battery import battery_power_kw
from .load import meter_noise, shape_of_day, tenant_power_kw
from .localtime import MINUTE_MS, LocalTime
from .noise import Floats, Ints
from .scenario import Boiler, Scenario, shifts_of
from .solar import clear_sky_poa, cloud_transmission, pv_power_kw, sun_position

STEP_MS = MINUTE_MS
HOURS_PER_STEP = STEP_MS / 3_600_000


@dataclass(frozen=True, slots=True)
class Park:
    """Powers of a park's devices as functions of time.

    Attributes:
        scenario: what is stated.
        seed: of noise and clouds.
        devices: the order of the rows of `powers`: gate, inverters, battery, gas, heat, then the tenants' meters.
    """

    scenario: Scenario
    seed: int
    devices: tuple[str, ...]

    @classmethod
    def of(cls, scenario: Scenario, seed: int) -> "Park":
        """The park of a scenario."""
        others = [device.device for device in scenario.others()]
        meters = [meter.device for tenant in scenario.tenants for meter in tenant.meters]
        return cls(scenario, seed, (*others, *meters))

    def powers(self, time_ms: Ints) -> Floats:
        """Power of each device at ascending knots: [kW], gas [Nm3/h].

        The gate is positive when the park imports, the battery when it charges, inverters when they generate.
        """
        park = self.scenario
        local = LocalTime.of(ZoneInfo(park.timezone), time_ms)
        loads = [power for tenant in park.tenants for power in tenant_power_kw(tenant.load(), self.seed, local)]
        solar = self._solar(time_ms)
        storage = self._battery(local)
        heat = [self._boiler(device, local) for device in (park.gas, park.heat) if device is not None]
        total = np.sum(loads, axis=0)
        net = total + self._losses(total) + np.sum(storage, axis=0) - np.sum(solar, axis=0)
        return np.stack([net, *solar, *storage, *heat, *loads])

    def losses(self, powers: Floats) -> Floats:
        """Losses [kW] that belong to the powers of all devices."""
        first = len(self.scenario.others())
        return self._losses(np.sum(powers[first:], axis=0))

    def _losses(self, total_kw: Floats) -> Floats:
        peak_kw = sum(tenant.peak_kw for tenant in self.scenario.tenants)
        share: Floats = self.scenario.losses.fixed + self.scenario.losses.at_peak * total_kw / peak_kw
        return share * total_kw

    def _solar(self, time_ms: Ints) -> list[Floats]:
        park = self.scenario
        if not park.inverters:
            return []
        sun = sun_position(time_ms, park.latitude, park.longitude)
        through = cloud_transmission(self.seed, time_ms, park.longitude)
        return [
            pv_power_kw(
                clear_sky_poa(sun, inverter.tilt_deg, inverter.azimuth_deg) * through,
                dc_kw=inverter.dc_kw,
                ac_kw=inverter.ac_kw,
                performance=inverter.performance,
            )
            for inverter in park.inverters
        ]

    def _battery(self, local: LocalTime) -> list[Floats]:
        battery = self.scenario.battery
        if battery is None:
            return []
        return [
            battery_power_kw(
                local,
                charge=shifts_of(battery.charge),
                discharge=shifts_of(battery.discharge),
                charge_kw=battery.charge_kw,
                round_trip=battery.round_trip,
            )
        ]

    def _boiler(self, boiler: Boiler, local: LocalTime) -> Floats:
        shape = shape_of_day(shifts_of(boiler.shifts))
        weekend = local.weekend()
        level = (boiler.base + (1 - boiler.base) * shape)[local.minute] * (1 - weekend + boiler.weekend * weekend)
        noisy = 1 + boiler.noise * meter_noise(self.seed, boiler.device, local.time_ms)
        power: Floats = boiler.peak * level * noisy
        return power


def positive_energy(left: Floats, right: Floats, hours: float | Floats) -> Floats:
    """Integral of the positive part of straight lines from `left` to `right` over `hours`.

    >>> float(positive_energy(np.array(-1.0), np.array(3.0), 1.0))  # above zero for 3/4 of an hour, 3 kW at its end
    1.125
    """
    high, low = np.maximum(left, right), np.minimum(left, right)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.where(high > low, high * high / (2 * (high - low)), 0.0)
    whole = (left + right) / 2
    energy: Floats = np.where(low >= 0, whole, np.where(high <= 0, 0.0, crossing)) * hours
    return energy
