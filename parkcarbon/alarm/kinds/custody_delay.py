"""From made to recorded: how long batches were on their way into the books.

The value is the longest delay of what came within the window [s]. After an outage the backlog comes with its age, so
the alarm stands until it has all come. Imports bring what is old and are left out; where nothing came, nothing is
known: that is what `device_silent` is for.
"""

from collections.abc import Mapping, Sequence

from parkcarbon.alarm.observe.judge import judge
from parkcarbon.alarm.observe.operations import load_delays, load_past_delays
from parkcarbon.domain.alarm.types import Observation, Said
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel

from .base import Compiled, Kind, Scene
from .spans import MINUTE_MS, span

DEFAULT_WINDOW_MS = 15 * MINUTE_MS


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """Longest delay of each source now."""
    read: Mapping[int, Mapping[str, float]] | None = scene.read.get("custody_delay")
    if read is None:
        return []
    window_ms = _window_ms(rule)
    delays = read.get(window_ms, {})
    return [
        _judged(rule, scene.model, subject, scene.now_ms, delays.get(subject.partition(":")[2]))
        for subject in rule.subjects
    ]


async def load(
    session: Session, model: ParkModel, rules: Sequence[Compiled], now_ms: int
) -> dict[int, dict[str, float]]:
    """Reads the longest delays of each window that a rule looks at."""
    windows = sorted({_window_ms(rule) for rule in rules})
    return {window_ms: await load_delays(session, model, now_ms - window_ms) for window_ms in windows}


async def history(session: Session, model: ParkModel, rule: Compiled, from_ms: int, to_ms: int) -> list[Observation]:
    """Longest delays by the time of recording, as they were then."""
    window_ms = _window_ms(rule)
    step_ms = max(MINUTE_MS, window_ms // 15)
    found: list[Observation] = []
    for subject in rule.subjects:
        past = await load_past_delays(
            session, model, subject.partition(":")[2], (from_ms - window_ms, to_ms), step_ms / 1000
        )
        found += [
            _judged(rule, model, subject, at_ms, worst)
            for at_ms, worst in _held(past, window_ms)
            if from_ms <= at_ms < to_ms
        ]
    return sorted(found, key=lambda observation: observation.at_ms)


def _held(steps: Sequence[tuple[int, float]], window_ms: int) -> list[tuple[int, float]]:
    """The longest of the window that ends at each step.

    >>> _held([(60_000, 9.0), (120_000, 1.0), (180_000, 2.0)], 60_000)
    [(60000, 9.0), (120000, 1.0), (180000, 2.0)]
    """
    first, found = 0, []
    for index, (at_ms, _) in enumerate(steps):
        while steps[first][0] <= at_ms - window_ms:
            first += 1
        found.append((at_ms, max(worst for _, worst in steps[first : index + 1])))
    return found


def _window_ms(rule: Compiled) -> int:
    return rule.window_ms or DEFAULT_WINDOW_MS


def _judged(rule: Compiled, model: ParkModel, subject: str, at_ms: int, worst_s: float | None) -> Observation:
    source, window = subject.partition(":")[2], span(_window_ms(rule))
    what = Said(
        f"{source} 最近 {window.zh} 从采集到入库的最长延迟",
        f"longest time from made to recorded of {source} in the last {window.en}",
    )
    value = None if worst_s is None else max(0.0, worst_s)
    return judge(rule, model, subject, at_ms, value, what=what)


CUSTODY_DELAY = Kind(
    name="custody_delay",
    watches="sources",
    unit="s",
    direction="above",
    default_on=300.0,
    default_off=60.0,
    every_ms=15_000,
    observe=observe,
    load=load,
    history=history,
    late=False,
    default_window_ms=DEFAULT_WINDOW_MS,
)
