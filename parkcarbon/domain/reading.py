"""What a meter showed and what is made of it: closed lists of codes shared by every part.

The numbers are stored in the database and sent on the wire: never renumber, only add.
"""

from enum import IntEnum


class Quality(IntEnum):
    """Quality of one reading as its source judged it."""

    GOOD = 0
    SUSPECT = 1
    NOT_AVAILABLE = 2  # the device said "no value": the reading's value is null
    OUT_OF_RANGE = 3
    CLOCK_UNCERTAIN = 4  # time stamp not trusted: outside energy until re-timed
    ESTIMATED = 5
    MANUAL = 6
    SUBSTITUTED = 7


OUTSIDE_ENERGY = frozenset({Quality.NOT_AVAILABLE, Quality.OUT_OF_RANGE, Quality.CLOCK_UNCERTAIN})


class Method(IntEnum):
    """How the amount of an interval is known, from best to worst."""

    MEASURED = 0
    INTERPOLATED = 1
    SUBSTITUTED = 2
    ESTIMATED = 3
    MANUAL = 4
    MISSING = 5


class Kind(IntEnum):
    """What a point's value means."""

    COUNTER = 0  # cumulative register
    GAUGE = 1  # instant value
    DELTA = 2  # amount of [time, time + span)


INTERVAL_MS = 900_000
"""Length of an accounting interval [ms]; intervals are `[start, start + 15 min)` UTC."""

DAY_MS = 86_400_000
