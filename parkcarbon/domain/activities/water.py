"""Enthalpy of water and steam: IAPWS-IF97, regions 1 (liquid), 2 (vapour) and 4 (saturation).

    h = R T tau (d gamma / d tau), gamma the dimensionless Gibbs energy of the region [kJ/kg]

References:
    IAPWS R7-97(2012), Revised release on the industrial formulation 1997 for the thermodynamic properties of water and
    steam: equations 5 (boundary 2/3), 7 (region 1), 15 to 17 (region 2), 30 and 31 (saturation); tables 2, 10, 11, 34;
    the tests hold the verification values of tables 5, 15, 35 and 36.
"""

import math
from typing import Final

GAS_CONSTANT: Final = 0.461526
"""Specific gas constant of water [kJ/(kg K)]."""

ZERO_C: Final = 273.15
"""0 degC [K]."""

_MINIMUM_K: Final = 273.15
_MAXIMUM_K: Final = 1073.15
_SATURATED_MAXIMUM_K: Final = 623.15  # above it saturated states lie in region 3
_MAXIMUM_MPA: Final = 100.0

_REGION_1: Final = (  # (I, J, n), table 2
    (0, -2, 0.14632971213167),
    (0, -1, -0.84548187169114),
    (0, 0, -3.756360367204),
    (0, 1, 3.3855169168385),
    (0, 2, -0.95791963387872),
    (0, 3, 0.15772038513228),
    (0, 4, -0.016616417199501),
    (0, 5, 0.00081214629983568),
    (1, -9, 0.00028319080123804),
    (1, -7, -0.00060706301565874),
    (1, -1, -0.018990068218419),
    (1, 0, -0.032529748770505),
    (1, 1, -0.021841717175414),
    (1, 3, -5.283835796993e-05),
    (2, -3, -0.00047184321073267),
    (2, 0, -0.00030001780793026),
    (2, 1, 4.7661393906987e-05),
    (2, 3, -4.4141845330846e-06),
    (2, 17, -7.2694996297594e-16),
    (3, -4, -3.1679644845054e-05),
    (3, 0, -2.8270797985312e-06),
    (3, 6, -8.5205128120103e-10),
    (4, -5, -2.2425281908e-06),
    (4, -2, -6.5171222895601e-07),
    (4, 10, -1.4341729937924e-13),
    (5, -8, -4.0516996860117e-07),
    (8, -11, -1.2734301741641e-09),
    (8, -6, -1.7424871230634e-10),
    (21, -29, -6.8762131295531e-19),
    (23, -31, 1.4478307828521e-20),
    (29, -38, 2.6335781662795e-23),
    (30, -39, -1.1947622640071e-23),
    (31, -40, 1.8228094581404e-24),
    (32, -41, -9.3537087292458e-26),
)
_REGION_2_IDEAL: Final = (  # (J, n), table 10
    (0, -9.6927686500217),
    (1, 10.086655968018),
    (-5, -0.005608791128302),
    (-4, 0.071452738081455),
    (-3, -0.40710498223928),
    (-2, 1.4240819171444),
    (-1, -4.383951131945),
    (2, -0.28408632460772),
    (3, 0.021268463753307),
)
_REGION_2: Final = (  # (I, J, n), table 11
    (1, 0, -0.0017731742473213),
    (1, 1, -0.017834862292358),
    (1, 2, -0.045996013696365),
    (1, 3, -0.057581259083432),
    (1, 6, -0.05032527872793),
    (2, 1, -3.3032641670203e-05),
    (2, 2, -0.00018948987516315),
    (2, 4, -0.0039392777243355),
    (2, 7, -0.043797295650573),
    (2, 36, -2.6674547914087e-05),
    (3, 0, 2.0481737692309e-08),
    (3, 1, 4.3870667284435e-07),
    (3, 3, -3.227767723857e-05),
    (3, 6, -0.0015033924542148),
    (3, 35, -0.040668253562649),
    (4, 1, -7.8847309559367e-10),
    (4, 2, 1.2790717852285e-08),
    (4, 3, 4.8225372718507e-07),
    (5, 7, 2.2922076337661e-06),
    (6, 3, -1.6714766451061e-11),
    (6, 16, -0.0021171472321355),
    (6, 35, -23.895741934104),
    (7, 0, -5.905956432427e-18),
    (7, 11, -1.2621808899101e-06),
    (7, 25, -0.038946842435739),
    (8, 8, 1.1256211360459e-11),
    (8, 36, -8.2311340897998),
    (9, 13, 1.9809712802088e-08),
    (10, 4, 1.0406965210174e-19),
    (10, 10, -1.0234747095929e-13),
    (10, 14, -1.0018179379511e-09),
    (16, 29, -8.0882908646985e-11),
    (16, 50, 0.10693031879409),
    (18, 57, -0.33662250574171),
    (20, 20, 8.9185845355421e-25),
    (20, 35, 3.0629316876232e-13),
    (20, 48, -4.2002467698208e-06),
    (21, 21, -5.9056029685639e-26),
    (22, 53, 3.7826947613457e-06),
    (23, 39, -1.2768608934681e-15),
    (24, 26, 7.3087610595061e-29),
    (24, 40, 5.5414715350778e-17),
    (24, 58, -9.436970724121e-07),
)
_SATURATION: Final = (  # n1 to n10, table 34
    0.11670521452767e4,
    -0.72421316703206e6,
    -0.17073846940092e2,
    0.12020824702470e5,
    -0.32325550322333e7,
    0.14915108613530e2,
    -0.48232657361591e4,
    0.40511340542057e6,
    -0.23855557567849,
    0.65017534844798e3,
)


class OutsideTablesError(ValueError):
    """The state is not in the regions that are implemented."""


def saturation_pressure_mpa(temperature_k: float) -> float:
    """Pressure at which water boils [MPa], 273.15 K to 647.096 K.

    >>> round(saturation_pressure_mpa(500), 8)
    2.63889776
    """
    if not _MINIMUM_K <= temperature_k <= 647.096:
        raise OutsideTablesError(f"water does not boil at {temperature_k:g} K")
    n = _SATURATION
    theta = temperature_k + n[8] / (temperature_k - n[9])
    a = theta**2 + n[0] * theta + n[1]
    b = n[2] * theta**2 + n[3] * theta + n[4]
    c = n[5] * theta**2 + n[6] * theta + n[7]
    pressure: float = (2 * c / (-b + math.sqrt(b**2 - 4 * a * c))) ** 4
    return pressure


def saturation_temperature_k(pressure_mpa: float) -> float:
    """Temperature at which water boils [K], 611.213 Pa to 22.064 MPa.

    >>> round(saturation_temperature_k(1.0), 6)
    453.035632
    """
    if not 611.213e-6 <= pressure_mpa <= 22.064:
        raise OutsideTablesError(f"water does not boil at {pressure_mpa:g} MPa")
    n = _SATURATION
    beta = pressure_mpa**0.25
    e = beta**2 + n[2] * beta + n[5]
    f = n[0] * beta**2 + n[3] * beta + n[6]
    g = n[1] * beta**2 + n[4] * beta + n[7]
    d = 2 * g / (-f - math.sqrt(f**2 - 4 * e * g))
    temperature: float = (n[9] + d - math.sqrt((n[9] + d) ** 2 - 4 * (n[8] + n[9] * d))) / 2
    return temperature


def liquid_enthalpy(pressure_mpa: float, temperature_k: float) -> float:
    """Enthalpy of liquid water, region 1 [kJ/kg].

    >>> round(liquid_enthalpy(3, 300), 6)
    115.331273

    Raises:
        OutsideTablesError: not region 1.
    """
    if not (_MINIMUM_K <= temperature_k <= _SATURATED_MAXIMUM_K and 0 < pressure_mpa <= _MAXIMUM_MPA):
        raise OutsideTablesError(f"{pressure_mpa:g} MPa and {temperature_k:g} K are outside region 1 of IAPWS-IF97")
    tau, pi = 1386 / temperature_k, pressure_mpa / 16.53
    slope = sum(n * (7.1 - pi) ** i * j * (tau - 1.222) ** (j - 1) for i, j, n in _REGION_1 if j)
    enthalpy: float = GAS_CONSTANT * temperature_k * tau * slope
    return enthalpy


def vapour_enthalpy(pressure_mpa: float, temperature_k: float) -> float:
    """Enthalpy of steam, region 2 [kJ/kg].

    >>> round(vapour_enthalpy(0.0035, 300), 5)
    2549.91145

    Raises:
        OutsideTablesError: not region 2.
    """
    if not (_MINIMUM_K <= temperature_k <= _MAXIMUM_K and 0 < pressure_mpa <= _upper_mpa(temperature_k)):
        raise OutsideTablesError(f"{pressure_mpa:g} MPa and {temperature_k:g} K are outside region 2 of IAPWS-IF97")
    tau, pi = 540 / temperature_k, pressure_mpa
    ideal = sum(n * j * tau ** (j - 1) for j, n in _REGION_2_IDEAL)
    residual = sum(n * pi**i * j * (tau - 0.5) ** (j - 1) for i, j, n in _REGION_2 if j)
    enthalpy: float = GAS_CONSTANT * temperature_k * tau * (ideal + residual)
    return enthalpy


def _upper_mpa(temperature_k: float) -> float:
    """Highest pressure of region 2 at a temperature [MPa]: saturation, then the boundary to region 3."""
    if temperature_k <= _SATURATED_MAXIMUM_K:
        return saturation_pressure_mpa(temperature_k) * (1 + 1e-9)  # the saturated vapour itself belongs to it
    boundary = 0.34805185628969e3 - 0.11671859879975e1 * temperature_k + 0.10192970039326e-2 * temperature_k**2
    return min(boundary, _MAXIMUM_MPA)
