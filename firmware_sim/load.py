"""Load of tenants: shifts, weekends and noise, made so that the stated load factor and weekend ratio come out.

A tenant's week is one shape with peak 1. Its working day is `base + (1 - base) · shifts`, its weekend day has the
stated share of a working day's energy. From load factor F (mean over peak of the 15-minute means) and weekend ratio
w follows the mean of a working day, `M = F · peak · 7 / (5 + 2 w)`, and from that the base.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .localtime import MINUTE_MS, LocalTime
from .noise import Floats, Ints, key, smooth

MINUTES = 1440
DAY_TO_DAY = 0.03
"""Most that a day of a tenant differs from its usual day [1]."""

_RAMP_MIN = 30
_SLOW_MS = 60 * MINUTE_MS
_FAST_MS = 4 * MINUTE_MS
_DAY_KNOTS_MS = 24 * 60 * MINUTE_MS
_NOISE_PEAK = 0.85  # how far the highest 15-minute mean of several weeks goes into the noise


class LoadError(ValueError):
    """A tenant's stated figures contradict each other."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A part of the day [minutes since local midnight] at a level; it may run over midnight."""

    start_min: int
    end_min: int
    level: float = 1.0


@dataclass(frozen=True, slots=True)
class TenantLoad:
    """What is stated about a tenant's load.

    Attributes:
        name: key of its noise.
        peak_kw: highest 15-minute mean [kW].
        load_factor: mean over peak.
        weekend_ratio: energy of a weekend day over that of a working day.
        shifts: when it works.
        noise: noise of one meter as a share of its power.
        meters: name and share of the load of each meter; shares sum to 1.
        flatness: how much of each meter's variation is taken away (or, negative, added).
    """

    name: str
    peak_kw: float
    load_factor: float
    weekend_ratio: float
    shifts: tuple[Shift, ...]
    noise: float
    meters: tuple[tuple[str, float], ...]
    flatness: tuple[float, ...]


def shape_of_day(shifts: Sequence[Shift], ramp_min: int = _RAMP_MIN) -> Floats:
    """Level of each minute of a local day, shifts joined by ramps centred on their ends."""
    minute = np.arange(MINUTES)
    shape = np.zeros(MINUTES)
    for shift in shifts:
        length = (shift.end_min - shift.start_min) % MINUTES or MINUTES
        middle = shift.start_min + length / 2
        away = np.abs((minute - middle + MINUTES / 2) % MINUTES - MINUTES / 2)
        edge = np.ones(MINUTES) if length == MINUTES else np.clip((length / 2 - away) / ramp_min + 0.5, 0.0, 1.0)
        shape = np.maximum(shape, shift.level * edge)
    return shape


@dataclass(frozen=True, slots=True)
class Week:
    """Shape of a working day and of a weekend day by minute, peak 1, and the mean of the week."""

    working: Floats
    weekend: Floats
    mean: float


def shape_of_week(tenant: TenantLoad) -> Week:
    """Solve for the tenant's base load; see the module's text.

    Raises:
        LoadError: no base load between 0 and 1 gives the stated load factor with these shifts.
    """
    shifts = shape_of_day(tenant.shifts)
    shifts = shifts / np.max(shifts)
    mean_shift = float(np.mean(shifts))
    mean = tenant.load_factor * peak_over_plateau(tenant) * 7 / (5 + 2 * tenant.weekend_ratio)
    base = (mean - mean_shift) / (1 - mean_shift) if mean_shift < 1 else 0.0
    if not 0 <= base < 1:
        raise LoadError(
            f"{tenant.name}: load factor {tenant.load_factor} and weekend ratio {tenant.weekend_ratio} would need a "
            f"base load of {base:.3f} with shifts of mean {mean_shift:.3f}"
        )
    working = base + (1 - base) * shifts
    low = mean * tenant.weekend_ratio
    swing = min((1 - base) * tenant.weekend_ratio, 0.4 * low / mean_shift) if mean_shift else 0.0
    weekend = low + swing * (shifts - mean_shift)
    return Week(working, weekend, mean * (5 + 2 * tenant.weekend_ratio) / 7)


def peak_over_plateau(tenant: TenantLoad) -> float:
    """How much higher than the plateau of the shape the noisy peak of several weeks is."""
    together = tenant.noise * float(np.sqrt(sum(share**2 for _, share in tenant.meters)))
    return 1.0 + _NOISE_PEAK * (DAY_TO_DAY + together)


def tenant_power_kw(tenant: TenantLoad, seed: int, local: LocalTime) -> list[Floats]:
    """Power of each meter of a tenant [kW] at local times."""
    week = shape_of_week(tenant)
    weekend = local.weekend()
    shape = week.working[local.minute] * (1 - weekend) + week.weekend[local.minute] * weekend
    day = 1 + DAY_TO_DAY * smooth(key(seed, f"{tenant.name}/day"), local.time_ms, _DAY_KNOTS_MS)
    plateau_kw = tenant.peak_kw / peak_over_plateau(tenant)
    common = sum(share * flat for (_, share), flat in zip(tenant.meters, tenant.flatness, strict=True))
    powers = []
    for (meter, share), flat in zip(tenant.meters, tenant.flatness, strict=True):
        own = shape + (flat - common) * (week.mean - shape)
        noisy = 1 + tenant.noise * meter_noise(seed, f"{tenant.name}/{meter}", local.time_ms)
        powers.append(plateau_kw * share * day * np.maximum(own, 0.0) * noisy)
    return powers


def meter_noise(seed: int, name: str, time_ms: Ints) -> Floats:
    """Noise of one meter in [-1, 1]: an hour's drift and minutes of switching."""
    slow, fast = key(seed, f"{name}/slow"), key(seed, f"{name}/fast")
    return 0.65 * smooth(slow, time_ms, _SLOW_MS) + 0.35 * smooth(fast, time_ms, _FAST_MS)
