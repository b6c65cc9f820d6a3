"""Sun and clouds: power of a PV plant from place, date and seed.

References:
    [1] J. W. Spencer, "Fourier series representation of the position of the sun", Search 2 (5), 1971.
    [2] F. Kasten and A. T. Young, "Revised optical air mass tables", Applied Optics 28 (22), 1989.
    [3] A. B. Meinel and M. P. Meinel, Applied Solar Energy, 1976 (direct normal irradiance against air mass).
"""

import math
from dataclasses import dataclass

import numpy as np

from .localtime import DAY_MS, MINUTE_MS
from .noise import Floats, Ints, key, smooth, uniform

_J2000_MS = 946_684_800_000  # 2000-01-01T00:00Z
_YEAR_DAYS = 365.2425
_DIFFUSE = 0.1  # of the direct normal irradiance under a clear sky
_START_UP = 0.004  # an inverter stays off below this share of its rating


@dataclass(frozen=True, slots=True)
class Sun:
    """Where the sun stands.

    Attributes:
        sin_elevation: sine of the elevation; negative at night.
        azimuth: clockwise from north [rad].
    """

    sin_elevation: Floats
    azimuth: Floats


def sun_position(time_ms: Ints, latitude: float, longitude: float) -> Sun:
    """Position of the sun after [1]; good to about 0.3 degrees.

    Args:
        time_ms: UTC [ms].
        latitude: north positive [deg].
        longitude: east positive [deg].

    >>> noon = sun_position(np.array([1_782_028_800_000]), 23.44, 60.0)  # 21 June 2026, 08:00 UTC
    >>> round(math.degrees(math.asin(float(noon.sin_elevation[0]))))
    90
    """
    days = (time_ms - _J2000_MS) / DAY_MS
    angle = 2 * math.pi * (days % _YEAR_DAYS) / _YEAR_DAYS
    sin_1, cos_1, sin_2, cos_2 = np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)
    declination = (
        0.006918 - 0.399912 * cos_1 + 0.070257 * sin_1 - 0.006758 * cos_2 + 0.000907 * sin_2
        - 0.002697 * np.cos(3 * angle) + 0.00148 * np.sin(3 * angle)
    )  # fmt: skip
    equation = 0.0000075 + 0.001868 * cos_1 - 0.032077 * sin_1 - 0.014615 * cos_2 - 0.040849 * sin_2
    hour_angle = 2 * math.pi * (days % 1.0 - 0.5) + math.radians(longitude) + equation
    phi = math.radians(latitude)
    sin_elevation = math.sin(phi) * np.sin(declination) + math.cos(phi) * np.cos(declination) * np.cos(hour_angle)
    east = -np.cos(declination) * np.sin(hour_angle)
    north = np.sin(declination) * math.cos(phi) - np.cos(declination) * np.cos(hour_angle) * math.sin(phi)
    return Sun(sin_elevation, np.arctan2(east, north) % (2 * math.pi))


def clear_sky_poa(sun: Sun, tilt_deg: float, azimuth_deg: float) -> Floats:
    """Irradiance on a tilted plane under a clear sky [W/m2]; 0 when the sun is down.

    Direct normal irradiance is 1353 · 0.7^(AM^0.678) [3] with the air mass AM of [2]; a tenth of it is added as
    diffuse light.
    """
    up = np.clip(sun.sin_elevation, 0.0, 1.0)
    elevation_deg = np.degrees(np.arcsin(up))
    air_mass = 1.0 / (up + 0.50572 * (elevation_deg + 6.07995) ** -1.6364)
    direct = np.where(sun.sin_elevation > 0, 1353.0 * 0.7 ** (air_mass**0.678), 0.0)
    tilt = math.radians(tilt_deg)
    cos_elevation = np.sqrt(1.0 - up * up)
    incidence = up * math.cos(tilt) + cos_elevation * math.sin(tilt) * np.cos(sun.azimuth - math.radians(azimuth_deg))
    plane: Floats = direct * (np.clip(incidence, 0.0, 1.0) + _DIFFUSE)
    return plane


def cloud_transmission(seed: int, time_ms: Ints, longitude: float) -> Floats:
    """Share of the clear-sky light that comes through [0.05, 1]: clear, broken and overcast days, moving clouds."""
    local_ms = time_ms + round(longitude / 360 * DAY_MS)
    day = local_ms // DAY_MS
    first = int(day[0])
    days = np.arange(first, int(day[-1]) + 1, dtype=np.int64)
    kind, within = uniform(key(seed, "sky"), days), uniform(key(seed, "sky-depth"), days)
    level = np.select([kind < 0.45, kind < 0.8], [0.88 + 0.1 * within, 0.45 + 0.35 * within], 0.12 + 0.25 * within)
    depth = np.select([kind < 0.45, kind < 0.8], [0.04, 0.35], 0.08)
    moving = 0.6 * smooth(key(seed, "cloud-slow"), time_ms, 45 * MINUTE_MS) + 0.4 * smooth(
        key(seed, "cloud-fast"), time_ms, 6 * MINUTE_MS
    )
    through: Floats = np.clip(level[day - first] + depth[day - first] * moving, 0.05, 1.0)
    return through


def pv_power_kw(irradiance_w_m2: Floats, *, dc_kw: float, ac_kw: float, performance: float) -> Floats:
    """AC power of an inverter [kW]: DC peak power × irradiance / 1000 W/m2 × performance ratio, cut at its rating."""
    power = np.minimum(dc_kw * irradiance_w_m2 / 1000.0 * performance, ac_kw)
    running: Floats = np.where(power >= _START_UP * ac_kw, power, 0.0)
    return running
