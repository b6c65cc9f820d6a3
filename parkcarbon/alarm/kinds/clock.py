"""The clock of a source: times that it does not trust itself, and readings from the future.

What a source says (`clock: uncertain` after a start without time, or a step) and readings of quality `clock_uncertain`
are beyond any limit: they stay outside energy until re-timed. Where it trusts its clock, the value is how far its
newest reading lies ahead of the database [s]; a clock that is behind looks like a delay, see `custody_delay`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from parkcarbon.alarm.observe.judge import judge
from parkcarbon.alarm.observe.operations import ClockSeen, SourceSaid, load_clocks, load_sources
from parkcarbon.domain.alarm.types import Level, Observation, Said
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel

from .base import Compiled, Kind, Scene


@dataclass(frozen=True, slots=True)
class Clocks:
    """What is known of the clocks of sources, by source."""

    seen: Mapping[str, ClockSeen]
    said: Mapping[str, SourceSaid]


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """What is known of each source's clock now."""
    clocks: Clocks | None = scene.read.get("clock")
    return [] if clocks is None else [_observe(rule, scene, subject, clocks) for subject in rule.subjects]


async def load(session: Session, model: ParkModel, _rules: Sequence[Compiled], _now_ms: int) -> Clocks:
    """Reads the newest readings and statuses of sources."""
    return Clocks(await load_clocks(session, model), await load_sources(session, model))


def _observe(rule: Compiled, scene: Scene, subject: str, clocks: Clocks) -> Observation:
    source = subject.partition(":")[2]
    seen, said = clocks.seen.get(source, ClockSeen(0, None)), clocks.said.get(source)
    ahead_s = None if seen.last_ms is None else max(0, seen.last_ms - scene.now_ms) / 1000
    what = Said(f"{source} 的时钟超前", f"clock of {source} ahead by")
    judged = judge(rule, scene.model, subject, scene.now_ms, ahead_s, what=what)
    says_so = said is not None and said.online is not False and said.status.get("clock") == "uncertain"
    if not (says_so or seen.uncertain):
        return judged
    own = Said("；该数据源自报时钟不可信", "; the source itself says so") if says_so else Said("", "")
    reason = Said(
        f"{source} 的时间不可信：{seen.uncertain} 个测点的最新读数待校时{own.zh}",
        f"{source} has no trusted time: the newest reading of {seen.uncertain} points waits for it{own.en}",
    )
    return replace(judged, level=Level.BEYOND, reason=reason)


CLOCK = Kind(
    name="clock",
    watches="sources",
    unit="s",
    direction="above",
    default_on=5.0,
    default_off=2.0,
    every_ms=15_000,
    observe=observe,
    load=load,
    no_history="of a source only the newest status and readings are kept by what they say of its clock",
)
