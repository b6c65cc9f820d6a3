"""When to read: a fixed grid per point with a stable stagger per device; patience with what is silent. Pure."""

import zlib

STAGGER_MAX_MS = 5000
BACKOFF_CEILING_S = 60.0


def stagger_ms(name: str, shortest_period_ms: int) -> int:
    """Return by how much a device's grid is shifted, so that not all are read at the same moment [ms].

    It depends on the name alone: adding a device moves no other. All points of a device share it, so that they can be
    read in one request.

    >>> stagger_ms("sdm-1", 5000), stagger_ms("sdm-2", 5000)
    (2832, 4018)
    """
    return zlib.crc32(name.encode()) % max(1, min(STAGGER_MAX_MS, shortest_period_ms))


def next_slot_ms(after_ms: int, period_ms: int, shift_ms: int) -> int:
    """Return the first time of the grid after `after_ms`; what was missed is never made up for [ms UTC].

    >>> next_slot_ms(10_000, 5000, 300), next_slot_ms(10_300, 5000, 300), next_slot_ms(99_999, 5000, 300)
    (10300, 15300, 100300)
    """
    return after_ms + period_ms - (after_ms - shift_ms) % period_ms


def backoff_s(failures: int) -> float:
    """Return how long to leave a device alone after so many failures in a row [s]: 1, 2, 4 … 60.

    >>> [backoff_s(n) for n in (1, 2, 3, 6, 7, 1000)]
    [1.0, 2.0, 4.0, 32.0, 60.0, 60.0]
    """
    return min(BACKOFF_CEILING_S, 2.0 ** min(failures - 1, 10))
