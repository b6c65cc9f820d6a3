"""Noise as a pure function of seed, name and time: no state, so that any moment can be asked for in any order.

References:
    [1] S. Vigna, SplitMix64, public domain, 2015 (the mixing function).
    [2] K. Perlin, "An Image Synthesizer", SIGGRAPH 1985 (value noise: random knots, interpolated).
"""

import hashlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53


def key(seed: int, name: str) -> int:
    """Key of one noise source, stable over versions and machines."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def uniform(source: int, index: Ints) -> Floats:
    """Give one number in [0, 1) for each integer index.

    >>> float(uniform(key(1, "x"), np.array([7]))[0]) == float(uniform(key(1, "x"), np.arange(10))[7])
    True
    """
    with np.errstate(over="ignore"):
        z = index.astype(np.uint64) * _GAMMA + np.uint64(source)
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * _TO_UNIT


def smooth(source: int, time_ms: Ints, period_ms: int) -> Floats:
    """Value noise in [-1, 1]: random knots every `period_ms`, linear between them.

    Args:
        source: noise key.
        time_ms: times [ms], ascending.
        period_ms: distance of the knots [ms].
    """
    index = time_ms // period_ms
    first = int(index[0])
    knots = 2.0 * uniform(source, np.arange(first, int(index[-1]) + 2, dtype=np.int64)) - 1.0
    share = (time_ms - index * period_ms) / period_ms
    left = knots[index - first]
    return left + (knots[index - first + 1] - left) * share
