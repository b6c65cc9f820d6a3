"""The sun over a place, and what it gives under a clear sky.

Only shapes matter here: how strong the light on a plane is and what the sky takes of it is learnt from what inverters
produced.

References:
    [1] Astronomical Almanac, "low precision formulas for the Sun's coordinates"; 0.01 degrees from 1950 to 2050.
    [2] F. Kasten and A. T. Young, "Revised optical air mass tables", Applied Optics 28 (22), 1989.
    [3] F. Kasten, "A simple parameterization of two pyrheliometric formulae for determining the Linke turbidity
        factor", Meteorologische Rundschau 33, 1980.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from parkcarbon.domain.readings import FloatArray, Int64Array

_J2000_MS: Final = 946_728_000_000  # 2000-01-01T12:00Z
_DAY_MS: Final = 86_400_000
_SOLAR_CONSTANT: Final = 1361.0
_LINKE: Final = 4.0  # turbidity of an industrial plain
_DIFFUSE: Final = 0.3  # of the light that the direct beam lost, from the sky


@dataclass(frozen=True, slots=True)
class Sky:
    """Direction of the sun and its light under a clear sky.

    Attributes:
        up: upward component of the unit vector to the sun, the sine of its elevation.
        north: northward component.
        east: eastward component.
        direct: on a plane that faces the sun [W/m2]; 0 when it is down.
        diffuse: from the whole sky on a level plane [W/m2].
        solar_h: solar time of the day [h]; 12 is when the sun stands highest.
    """

    up: FloatArray
    north: FloatArray
    east: FloatArray
    direct: FloatArray
    diffuse: FloatArray
    solar_h: FloatArray


def clear_sky(time_ms: Int64Array, latitude: float, longitude: float) -> Sky:
    """The sun at some moments after [1] and its light after [2] and [3].

    Args:
        time_ms: UTC [ms].
        latitude: north positive [deg].
        longitude: east positive [deg].

    >>> sky = clear_sky(np.array([1_782_028_800_000]), 23.44, 60.0)  # 21 June 2026, 08:00 UTC
    >>> round(float(sky.up[0]), 3), round(float(sky.solar_h[0]), 1), round(float(sky.direct[0]), -1)
    (1.0, 12.0, 920.0)
    """
    days = (time_ms - _J2000_MS) / _DAY_MS
    mean = np.radians((280.460 + 0.9856474 * days) % 360)
    anomaly = np.radians((357.528 + 0.9856003 * days) % 360)
    ecliptic = mean + np.radians(1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 0.0000004 * days)
    ascension = np.arctan2(np.cos(tilt) * np.sin(ecliptic), np.cos(ecliptic))
    declination = np.arcsin(np.sin(tilt) * np.sin(ecliptic))
    sidereal = np.radians((280.46062 + 360.985647 * days + longitude) % 360)
    hour_angle = (sidereal - ascension + np.pi) % (2 * np.pi) - np.pi
    phi = np.radians(latitude)
    up = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour_angle)
    north = np.cos(phi) * np.sin(declination) - np.sin(phi) * np.cos(declination) * np.cos(hour_angle)
    east = -np.cos(declination) * np.sin(hour_angle)
    direct, diffuse = _light(up)
    return Sky(up, north, east, direct, diffuse, 12 + np.degrees(hour_angle) / 15)


def _light(up: FloatArray) -> tuple[FloatArray, FloatArray]:
    above = np.clip(up, 0.0, 1.0)
    elevation_deg = np.degrees(np.arcsin(above))
    air_mass = 1.0 / (above + 0.50572 * (elevation_deg + 6.07995) ** -1.6364)
    through = np.exp(-_LINKE * air_mass / (9.4 + 0.9 * air_mass))
    direct = np.where(up > 0, _SOLAR_CONSTANT * through, 0.0)
    diffuse = np.where(up > 0, _DIFFUSE * _SOLAR_CONSTANT * above * (1.0 - through), 0.0)
    return direct, diffuse
