"""Inverters under the simulator's sun and clouds, with what may befall them: dirt, shade, curtailment, standstill."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firmware_sim.noise import key, smooth, uniform
from firmware_sim.solar import clear_sky_poa, cloud_transmission, pv_power_kw, sun_position
from parkcarbon.domain.pv.performance import Performance, performance
from parkcarbon.domain.readings import FloatArray, Int64Array

LATITUDE, LONGITUDE = 31.3, 120.6
UTC_OFFSET_MS = 8 * 3_600_000
DAY_MS = 86_400_000
_STEP_MIN = 3
_SHAKE = 0.015  # of what one inverter shows beside the others, by the hour and by the day


@dataclass(frozen=True, slots=True)
class Inverter:
    """An inverter with its modules, as the simulator has it."""

    dc_kw: float
    ac_kw: float
    tilt_deg: float
    azimuth_deg: float


@dataclass(frozen=True, slots=True)
class Mishap:
    """What befalls one inverter, or all, from a day on.

    Attributes:
        inverter: row; None: all.
        first_day: number of the first day, from the start.
        last_day: number of the day after the last.
        hours: local hours of the day in which it holds.
        keep: share of the light that is left.
        at_most: share of the rating that is allowed.
        chance: share of the days on which it holds.
    """

    inverter: int | None = None
    first_day: int = 0
    last_day: int = 10_000
    hours: tuple[float, float] = (0, 24)
    keep: float = 1.0
    at_most: float = 1.0
    chance: float = 1.0


ALIKE = (Inverter(380, 300, 10, 180), Inverter(380, 300, 10, 200), Inverter(240, 200, 5, 170))
"""The roofs of the demonstration park."""
ASTRIDE = (
    Inverter(380, 300, 30, 90),
    Inverter(380, 300, 30, 270),
    Inverter(240, 200, 15, 180),
    Inverter(100, 100, 10, 180),
)
"""Roofs to the east, to the west and level ones, with and without spare rating."""


@dataclass(frozen=True, slots=True)
class Produced:
    """Energy of each inverter and interval [kWh]."""

    energy: FloatArray
    start_ms: Int64Array
    day: Int64Array

    def until(self, day: int) -> "Produced":
        """What is known after a day."""
        known = self.day <= day
        return Produced(self.energy[:, known], self.start_ms[known], self.day[known])

    def judged(self) -> Performance:
        """How the inverters do."""
        return performance(self.energy, self.start_ms, self.day, latitude=LATITUDE, longitude=LONGITUDE)


def produce(
    inverters: Sequence[Inverter], days: int, *, seed: int, first_day: int = 20_454, mishaps: Sequence[Mishap] = ()
) -> Produced:
    """Let inverters run under the simulator's sky.

    Args:
        inverters: what there is.
        days: how long.
        seed: of the clouds and of what each inverter shows beside the others.
        first_day: local, since 1970.
        mishaps: what befalls them.
    """
    start = first_day * DAY_MS - UTC_OFFSET_MS
    time_ms = np.arange(start, start + days * DAY_MS, _STEP_MIN * 60_000, dtype=np.int64)
    day = (time_ms - start) // DAY_MS
    hour = (time_ms - start) % DAY_MS / 3_600_000
    sun, through = sun_position(time_ms, LATITUDE, LONGITUDE), cloud_transmission(seed, time_ms, LONGITUDE)
    rows = []
    for row, inverter in enumerate(inverters):
        light = clear_sky_poa(sun, inverter.tilt_deg, inverter.azimuth_deg) * through
        light *= 1 + _SHAKE * smooth(key(seed, f"hour-{row}"), time_ms, 3_600_000)
        light *= 1 + _SHAKE * (2 * uniform(key(seed, f"day-{row}"), day) - 1)
        most = np.full(time_ms.shape, inverter.ac_kw)
        for mishap in mishaps:
            if mishap.inverter in (None, row):
                holds = (day >= mishap.first_day) & (day < mishap.last_day)
                holds &= (hour >= mishap.hours[0]) & (hour < mishap.hours[1])
                holds &= uniform(key(seed, "mishap"), day) < mishap.chance
                light = np.where(holds, light * mishap.keep, light)
                most = np.where(holds, inverter.ac_kw * mishap.at_most, most)
        power = pv_power_kw(light, dc_kw=inverter.dc_kw, ac_kw=inverter.ac_kw, performance=0.84)
        rows.append(np.minimum(power, most).reshape(-1, 15 // _STEP_MIN).mean(axis=1) / 4)
    each = 15 // _STEP_MIN
    return Produced(np.array(rows), time_ms[::each], day[::each])
