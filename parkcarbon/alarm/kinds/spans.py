"""Lengths of time and shares as sentences of alarms say them, in both languages."""

from parkcarbon.domain.alarm.types import Said

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
_UNITS = ((DAY_MS, "天", "d"), (HOUR_MS, "小时", "h"), (MINUTE_MS, "分钟", "min"), (SECOND_MS, "秒", "s"))


def span(length_ms: float) -> Said:
    """A length of time in the largest unit that it holds two of, as a number a person reads.

    >>> span(90_000).en, span(7_500_000).en, span(172_800_000).zh
    ('90 s', '2.1 h', '2 天')
    """
    for unit_ms, zh, en in _UNITS:
        if abs(length_ms) >= 2 * unit_ms or unit_ms == SECOND_MS:
            number = f"{length_ms / unit_ms:.1f}".removesuffix(".0")
            return Said(f"{number} {zh}", f"{number} {en}")
    raise AssertionError("the smallest unit takes everything")
