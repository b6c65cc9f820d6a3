"""A device, or a whole source, that was not heard for several of its periods.

The value is the silence in periods of the device's most recently heard point, so that one rule fits meters read every
five seconds and every quarter of an hour; a period counts as ten seconds at least, as on the live page, where a value
is fresh for thirty. A source is silent when none of its devices was heard for so many periods of the median device,
or when the broker says that it is gone and nothing came for more than one: its alarm inhibits those of its devices,
which carry its name in the label `source`.
"""

from collections.abc import Sequence
from statistics import median_high

from parkcarbon.alarm.observe.judge import counts
from parkcarbon.alarm.observe.operations import Heard, Pauses, Silence, load_pauses, load_silence
from parkcarbon.domain.alarm.types import Level, Observation, Said
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel, PointInfo

from .base import Compiled, Kind, Limit, Scene
from .spans import span

LEAST_PERIOD_MS = 10_000
DEFAULT = Limit(3.0, 1.5, "above", "1")
_OUTSIDE = Said("不在计入时段", "outside the hours in which it counts")
_NEVER = Said("从未收到读数", "no reading was ever received")


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """What is known of each subject now."""
    silence: Silence | None = scene.read.get("device_silent")
    if silence is None:
        return []
    limit = rule.limit or DEFAULT
    if not counts(rule.hours, scene.model, scene.now_ms):
        return [Observation(subject, scene.now_ms, Level.CLEAR, None, limit.on, _OUTSIDE) for subject in rule.subjects]
    found = [_observe(subject, limit, scene, silence) for subject in rule.subjects]
    return [observation for observation in found if observation is not None]


async def load(session: Session, model: ParkModel, _rules: Sequence[Compiled], _now_ms: int) -> Silence:
    """Reads when each device was last heard."""
    return await load_silence(session, model)


async def history(session: Session, model: ParkModel, rule: Compiled, from_ms: int, to_ms: int) -> list[Observation]:
    """Silences of [from, to) by the times of readings; what came late counts as heard."""
    limit = rule.limit or DEFAULT
    found: list[Observation] = []
    for subject in rule.subjects:
        points = _quickest(model, subject)
        if not points:
            continue
        period_ms = max(LEAST_PERIOD_MS, median_high([point.period_ms for point in points]))
        heard = [await load_pauses(session, point.point_id, from_ms, to_ms, limit.on * period_ms) for point in points]
        moments = _moments(all_silent(heard, from_ms, to_ms), limit.on * period_ms, to_ms, rule.policy.for_ms)
        found += [
            _observation(subject, at_ms, limit, max(0, at_ms - heard_ms) / period_ms, period_ms)
            for at_ms, heard_ms in moments
        ]
    return sorted(found, key=lambda observation: observation.at_ms)


def all_silent(heard: Sequence[Pauses], from_ms: int, to_ms: int) -> Pauses:
    """Pauses in which none of some points was heard.

    >>> all_silent([Pauses(0, 90, ((10, 50),)), Pauses(0, 60, ((20, 60),))], 0, 100)
    Pauses(first_ms=0, last_ms=90, pauses=((20, 50),))
    """
    known = [one for one in heard if one.first_ms is not None and one.last_ms is not None]
    firsts, lasts = [one.first_ms or 0 for one in known], [one.last_ms or 0 for one in known]
    if not known:
        return Pauses(None, None, ())
    common = [(from_ms, to_ms)]
    for one, first, last in zip(known, firsts, lasts, strict=True):
        quiet = [(from_ms, first), *one.pauses, (last, to_ms)]
        common = [
            (max(low, begin), min(high, end))
            for low, high in common
            for begin, end in quiet
            if low < end and begin < high
        ]
    inner = [pair for pair in common if pair[0] >= min(firsts) and pair[1] <= max(lasts)]
    return Pauses(min(firsts), max(lasts), tuple(sorted(pair for pair in inner if pair[0] < pair[1])))


def silent_periods(heard: Sequence[Heard], now_ms: int) -> tuple[float, Heard] | None:
    """Silence in periods of the point that was heard most recently in its own periods; None: never heard.

    >>> silent_periods((Heard(5_000, 0), Heard(900_000, 0)), 900_000)
    (1.0, Heard(period_ms=900000, last_ms=0))
    """
    known = [
        (max(0, now_ms - one.last_ms) / max(one.period_ms, LEAST_PERIOD_MS), one)
        for one in heard
        if one.last_ms is not None
    ]
    return min(known, key=lambda pair: pair[0], default=None)


def _observe(subject: str, limit: Limit, scene: Scene, silence: Silence) -> Observation | None:
    kind, _, name = subject.partition(":")
    if kind == "source":
        return _of_source(name, limit, scene, silence)
    if any(device.device == name and device.from_files for device in scene.model.devices):
        return None  # an import brings its readings, when it does
    return _of(subject, limit, scene.now_ms, silence.devices.get(name, ()))


def _of_source(name: str, limit: Limit, scene: Scene, silence: Silence) -> Observation:
    devices = [one.device for one in scene.model.devices if one.source == name and not one.from_files]
    heard = [one for device in devices for one in silence.devices.get(device, ())]
    quickest = [
        min(one.period_ms for one in silence.devices[device]) for device in devices if device in silence.devices
    ]
    lasts = [one.last_ms for one in heard if one.last_ms is not None]
    together = [Heard(median_high(quickest), max(lasts))] if lasts else []
    seen = _of(f"source:{name}", limit, scene.now_ms, together)
    said = silence.sources.get(name)
    gone = said is not None and said.online is False
    if gone and seen.level is not Level.BEYOND and (seen.value is None or seen.value > 1):
        reason = Said(f"{name} 已断开与代理的连接", f"{name} is disconnected from the broker")
        return Observation(seen.subject, seen.at_ms, Level.BEYOND, seen.value, limit.on, reason)
    return seen


def _of(subject: str, limit: Limit, now_ms: int, heard: Sequence[Heard]) -> Observation:
    newest = silent_periods(heard, now_ms)
    if newest is None:
        return Observation(subject, now_ms, Level.UNKNOWN, None, limit.on, _NEVER)
    periods, one = newest
    return _observation(subject, now_ms, limit, periods, max(one.period_ms, LEAST_PERIOD_MS))


def _observation(subject: str, at_ms: int, limit: Limit, periods: float, period_ms: int) -> Observation:
    silent, period = span(periods * period_ms), span(period_ms)
    reason = Said(
        f"已 {silent.zh} 无读数：{periods:.1f} 个周期（每 {period.zh}），限值 {limit.on:g} 个周期",
        f"no reading for {silent.en}: {periods:.1f} periods of {period.en}, the limit is {limit.on:g}",
    )
    return Observation(subject, at_ms, limit.level(periods), round(periods, 3), limit.on, reason)


def _quickest(model: ParkModel, subject: str) -> list[PointInfo]:
    """The points whose readings tell most closely whether a subject was heard, one a device; none of imports."""
    kind, _, name = subject.partition(":")
    found: dict[int, PointInfo] = {}
    for device in model.devices:
        if (device.source if kind == "source" else device.device) == name and not device.from_files:
            points = [point for point in model.points if point.device_id == device.device_id]
            if points:
                found[device.device_id] = min(points, key=lambda point: (point.period_ms, point.point_id))
    return list(found.values())


def _moments(found: Pauses, silent_ms: float, to_ms: int, for_ms: int) -> list[tuple[int, int]]:
    """When something changes, each with the last reading then: heard, silent, silent for `for_ms`, heard again."""
    if found.first_ms is None or found.last_ms is None:
        return []
    moments = [(found.first_ms, found.first_ms)]
    after_last = () if to_ms - found.last_ms <= silent_ms else ((found.last_ms, to_ms),)
    for before_ms, after_ms in (*found.pauses, *after_last):
        raised_ms = round(before_ms + silent_ms) + 1
        moments += [(at_ms, before_ms) for at_ms in (raised_ms, raised_ms + for_ms) if at_ms < after_ms]
        moments.append((after_ms, after_ms if after_ms < to_ms else before_ms))
    return list(dict.fromkeys(moments))


DEVICE_SILENT = Kind(
    name="device_silent",
    watches="devices",
    unit=DEFAULT.unit,
    direction=DEFAULT.direction,
    default_on=DEFAULT.on,
    default_off=DEFAULT.off,
    every_ms=5_000,
    observe=observe,
    load=load,
    history=history,
    late=False,
)
