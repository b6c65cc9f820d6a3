"""The dead man's switch: a message that always goes out, so that its absence is the alarm.

The sender lets a heartbeat through the whole path every minute; the receiver, which must not live in the same house,
raises the alarm when none has come for three minutes. Both ends are here, so that they agree.

References:
    Prometheus `Watchdog` alert; reliability notes 5.4.
"""

from dataclasses import dataclass
from typing import Final

from .types import MINUTE_MS

EVERY_MS: Final = MINUTE_MS
ABSENT_AFTER_MS: Final = 3 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Beats:
    """Heartbeats as one end knows them.

    Attributes:
        since_ms: when this end began to look [ms UTC].
        last_ms: newest heartbeat that went through [ms UTC]; None: none did since.
        every_ms: one goes out so often [ms].
        absent_after_ms: absent when none came for so long [ms].
    """

    since_ms: int
    last_ms: int | None = None
    every_ms: int = EVERY_MS
    absent_after_ms: int = ABSENT_AFTER_MS


def due_ms(beats: Beats) -> int:
    """When the next heartbeat goes out [ms UTC]: at once at the start, then on the beat.

    A beat that was late does not shift the ones after it.

    >>> due_ms(Beats(since_ms=0)), due_ms(Beats(since_ms=0, last_ms=60_900))
    (0, 120000)
    """
    if beats.last_ms is None:
        return beats.since_ms
    return beats.since_ms + ((beats.last_ms - beats.since_ms) // beats.every_ms + 1) * beats.every_ms


def is_due(beats: Beats, now_ms: int) -> bool:
    """Whether a heartbeat is to go out now; of several that were missed one is enough."""
    return now_ms >= due_ms(beats)


def absent_ms(beats: Beats, now_ms: int) -> int | None:
    """Since when no heartbeat has come [ms UTC]; None: they come, or it is too early to say.

    >>> absent_ms(Beats(since_ms=0, last_ms=60_000), 240_000) is None
    True
    >>> absent_ms(Beats(since_ms=0, last_ms=60_000), 240_001)
    60000
    """
    last_ms = beats.since_ms if beats.last_ms is None else beats.last_ms
    return last_ms if now_ms - last_ms > beats.absent_after_ms else None
