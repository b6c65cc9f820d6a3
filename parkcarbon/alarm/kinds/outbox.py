"""The outbox of a source: hours until it is full, at the rate of its last hours.

A source that is cut off goes on filling it and cannot say so: then the time since it last said something is taken off
what it said. Where it never stated a rate, an empty outbox is clear and another one unknown.
"""

from collections.abc import Mapping, Sequence

from parkcarbon.alarm.observe.judge import judge
from parkcarbon.alarm.observe.operations import SourceSaid, load_sources
from parkcarbon.domain.alarm.types import Level, Observation, Said
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel

from .base import Compiled, Kind, Scene
from .spans import HOUR_MS, MINUTE_MS, span

STALE_MS = 5 * MINUTE_MS
"""A status is written at least so often [ms]."""


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """Hours left of each source's outbox."""
    sources: Mapping[str, SourceSaid] | None = scene.read.get("outbox_filling")
    if sources is None:
        return []
    return [_observe(rule, scene, subject, sources.get(subject.partition(":")[2])) for subject in rule.subjects]


async def load(session: Session, model: ParkModel, _rules: Sequence[Compiled], _now_ms: int) -> dict[str, SourceSaid]:
    """Reads the newest statuses of sources."""
    return await load_sources(session, model)


def hours_left(said: SourceSaid, now_ms: int) -> float | None:
    """Hours until an outbox is full, as far as its source has said; None: it stated no rate."""
    hours = said.status.get("hours_left")
    if said.at_ms is None or isinstance(hours, bool) or not isinstance(hours, int | float):
        return None
    silent_ms = now_ms - said.at_ms
    return max(0.0, float(hours) - (silent_ms / HOUR_MS if silent_ms > STALE_MS else 0.0))


def _observe(rule: Compiled, scene: Scene, subject: str, said: SourceSaid | None) -> Observation:
    source, now_ms = subject.partition(":")[2], scene.now_ms
    what = Said(f"{source} 的发件箱距写满", f"outbox of {source}, time until it is full")
    if said is None or said.at_ms is None:
        return judge(rule, scene.model, subject, now_ms, None, what=what)
    value, depth = hours_left(said, now_ms), int(said.status.get("depth") or 0)
    if value is None and depth == 0:
        limit = None if rule.limit is None else rule.limit.on
        empty = Said(f"{source} 的发件箱为空", f"the outbox of {source} is empty")
        return Observation(subject, now_ms, Level.CLEAR, None, limit, empty)
    ago = span(now_ms - said.at_ms)
    detail = Said(f"{depth} 批待发，{ago.zh}前报告", f"{depth} batches wait, said {ago.en} ago")
    return judge(rule, scene.model, subject, now_ms, value, what=what, detail=detail)


OUTBOX_FILLING = Kind(
    name="outbox_filling",
    watches="sources",
    unit="h",
    direction="below",
    default_on=24.0,
    default_off=48.0,
    every_ms=30_000,
    observe=observe,
    load=load,
    no_history="of a source only the newest status is kept",
)
