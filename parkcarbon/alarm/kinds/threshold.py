"""A limit on points or on a figure of the park.

A gauge is judged by each reading after its ratio, a counter by the power of its newest finished interval, a figure as
the live page shows it. A value that is older than the page would show is no data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from parkcarbon.alarm.observe.figures import NAMES, FiguresNow, load_figures, past_figure
from parkcarbon.alarm.observe.intervals import Newest15, load_grid, load_newest_intervals, within
from parkcarbon.alarm.observe.judge import judge
from parkcarbon.alarm.observe.points import gauge_value, rate_unit, read_gauge, stale_ms, unknown_at_ms
from parkcarbon.alarm.observe.series import observations_of, with_silences
from parkcarbon.alarm.rules.document import Rule
from parkcarbon.alarm.subjects import subject_name
from parkcarbon.domain.alarm.types import Observation
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.kit.db import Session
from parkcarbon.live.figures import FIGURES
from parkcarbon.live.model import ParkModel, PointInfo
from parkcarbon.live.power import Newest

from .base import Compiled, Kind, Scene

POINT: Final = "point:"
_NOTHING: Final = Newest()


@dataclass(frozen=True)
class Read:
    """What thresholds need beside the newest readings.

    Attributes:
        counters: newest finished interval, by point_id.
        figures: of the park; None: no rule asks for one.
    """

    counters: dict[int, Newest15] = field(default_factory=dict)
    figures: FiguresNow | None = None


def figure_of(rule: Rule) -> str | None:
    """The figure that a rule looks at; None: points."""
    return rule.of[0] if rule.of and rule.of[0] in FIGURES else None


def unit_of(rule: Rule, model: ParkModel) -> str | None:
    """Unit of the limit: that of the figure, of the gauge, or what the counter counts in an hour."""
    figure = figure_of(rule)
    if figure is not None:
        return FIGURES[figure]
    return next((rate_unit(model.by_name[name]) for name in rule.of if name in model.by_name), None)


async def load(session: Session, model: ParkModel, rules: Sequence[Compiled], now_ms: int) -> Read:
    """Read the newest intervals of counters, and the figures where a rule asks for one."""
    watched = {subject for rule in rules for subject in rule.subjects}
    counters = [point for point in model.points if point.metered and POINT + point.point in watched]
    wanted = any(figure_of(rule.rule) is not None for rule in rules)
    return Read(
        await load_newest_intervals(session, counters, now_ms),
        await load_figures(session, model, now_ms) if wanted else None,
    )


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """Judge every subject of a rule whose reading is new."""
    read: Read | None = scene.read.get("threshold")
    figure = figure_of(rule.rule)
    if figure is not None:
        return [] if read is None or read.figures is None else [figure_observation(rule, scene, figure, read.figures)]
    found = []
    for subject in rule.subjects:
        point = scene.points.get(subject.removeprefix(POINT))
        if point is None or not (scene.changed is None or point.point_id in scene.changed):
            continue
        judged = _gauge(point, scene) if not point.metered else None if read is None else _counter(point, read, scene)
        if judged is not None:
            at_ms, value = judged
            of_ms = at_ms - (INTERVAL_MS if point.metered else 0)
            what = subject_name(scene.model, subject)
            found.append(
                judge(rule, scene.model, subject, at_ms, value, what=what, committed_ms=scene.committed_ms, of_ms=of_ms)
            )
    return found


def figure_observation(rule: Compiled, scene: Scene, figure: str, figures: FiguresNow) -> Observation:
    """A figure of the park held against the limit of a rule."""
    value = figures.values.get(figure)
    return judge(
        rule, scene.model, rule.subjects[0], figures.at_ms, value, what=NAMES[figure], committed_ms=scene.committed_ms
    )


async def figure_history(
    session: Session, model: ParkModel, rule: Compiled, begin_ms: int, end_ms: int, *, figure: str
) -> list[Observation]:
    """A figure of the past, by intervals."""
    series = await past_figure(session, model, figure, begin_ms, end_ms)
    return observations_of(rule, model, rule.subjects[0], series, NAMES[figure], span_ms=INTERVAL_MS)


async def history(session: Session, model: ParkModel, rule: Compiled, begin_ms: int, end_ms: int) -> list[Observation]:
    """Observations of `[begin_ms, end_ms)`: each reading of a gauge, each interval of a counter or figure [ms UTC]."""
    figure = figure_of(rule.rule)
    if figure is not None:
        return await figure_history(session, model, rule, begin_ms, end_ms, figure=figure)
    points = {point.point: point for point in model.points}
    found: list[Observation] = []
    for subject in rule.subjects:
        point = points.get(subject.removeprefix(POINT))
        if point is not None:
            found += await _past_of(session, model, rule, (begin_ms, end_ms), point=point)
    return found


async def _past_of(
    session: Session, model: ParkModel, rule: Compiled, span: tuple[int, int], *, point: PointInfo
) -> list[Observation]:
    begin_ms, end_ms = span
    if point.metered:
        grid = await load_grid(session, [point], begin_ms - INTERVAL_MS, end_ms)
        times, values = within(grid.ends_ms, grid.per_h(point), begin_ms, end_ms)
    else:
        times, values = await read_gauge(session, point, begin_ms, end_ms)
        times, values = with_silences(times, values, stale_ms(point), end_ms)
    subject, span_ms = POINT + point.point, INTERVAL_MS if point.metered else 0
    return observations_of(rule, model, subject, (times, values), subject_name(model, subject), span_ms=span_ms)


def _gauge(point: PointInfo, scene: Scene) -> tuple[int, float | None]:
    seen = scene.newest.get(point.point_id, _NOTHING)
    value = gauge_value(point, seen, scene.now_ms)
    stale = stale_ms(point)
    if seen.time_ms is not None and scene.now_ms - seen.time_ms <= stale:
        return seen.time_ms, value
    return unknown_at_ms(seen.time_ms, stale, scene.now_ms), value


def _counter(point: PointInfo, read: Read, scene: Scene) -> tuple[int, float | None]:
    newest = read.counters.get(point.point_id)
    if newest is None:
        return unknown_at_ms(None, stale_ms(point), scene.now_ms), None
    return newest.end_ms, newest.per_h


THRESHOLD: Final = Kind(
    name="threshold",
    watches="points",
    unit=None,
    direction="above",
    default_on=None,
    default_off=None,
    every_ms=0,
    observe=observe,
    load=load,
    history=history,
    unit_of=unit_of,
)
