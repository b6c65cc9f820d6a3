"""Everything known about a park at one moment: two small statements a change, the rest is kept in memory."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parkcarbon.domain.live import FlowGraph, LiveFigures, LivePower, flow_graph, live_figures
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import to_ms
from parkcarbon.live.model import HOUR_MS, ParkModel, interval_floor_ms
from parkcarbon.live.power import Newest, PointPower, live_powers, newest_of
from parkcarbon.live.today import Today, sum_today

from .buckets import Buckets, make_buckets
from .devicestate import State, device_states
from .history import Past, PastKeeper
from .models import Models
from .plan import Component, GroupPlan
from .problems import ProblemError
from .series import History
from .store import Store

_SLOW_LOOK_BACK_MS = 8 * INTERVAL_MS
_KEEP_MOMENTS = 40


@dataclass(frozen=True)
class Moment:
    """Everything known about a park at one moment; `Now` and each working are made from it.

    Attributes:
        model: the park.
        now_ms: the moment [ms UTC].
        midnight_ms: start of its local day [ms UTC].
        newest: what the database last saw of each point.
        powers: live power of each point with a flow.
        figures: live figures.
        graph: flow picture.
        today: sums of the local day.
        past: the last 24 hours and last week.
        states: devices.
    """

    model: ParkModel
    now_ms: int
    midnight_ms: int
    newest: dict[int, Newest]
    powers: list[PointPower]
    figures: LiveFigures
    graph: FlowGraph
    today: Today
    past: Past
    states: dict[str, State]


class Moments:
    """Reads moments and keeps the last ones, so that the working of a figure is that of the figure shown.

    Args:
        store: the database.
        models: park models.
        clock: time.
    """

    def __init__(self, store: Store, models: Models, clock: Clock) -> None:
        self._store = store
        self._models = models
        self._clock = clock
        self._pasts = PastKeeper(store, clock)
        self._kept: dict[str, OrderedDict[int, Moment]] = {}

    def forget(self, park: str) -> None:
        """The park model, its factors or a correction changed."""
        self._pasts.forget(park)
        for name in [park] if park else list(self._kept):
            self._kept.pop(name, None)

    async def current(self, park: str) -> Moment:
        """Return the state of a park now, and keep it.

        Raises:
            ProblemError: 404, the park is gone.
            DatabaseError: the database does not answer.
        """
        model = await self._models.get(park)
        if model is None:
            raise ProblemError(404, f"there is no park {park}")
        moment = await self.moment(model)
        kept = self._kept.setdefault(park, OrderedDict())
        kept[moment.now_ms] = moment
        while len(kept) > _KEEP_MOMENTS:
            kept.popitem(last=False)
        return moment

    async def moment(self, model: ParkModel) -> Moment:
        """Read what there is to know about this moment."""
        now_ms = self._clock.now_ms()
        past = await self._pasts.get(model, now_ms)
        newest = await self.newest(model, now_ms)
        sources = await self._store.sources(model.park)
        return _moment(model, now_ms, newest, past, device_states(model, newest, sources, now_ms))

    async def moment_at(self, model: ParkModel, at_ms: int | None) -> Moment:
        """Return the state that a page showed at `at_ms`: the very one while it is kept, else as the database tells it.

        Args:
            model: the park.
            at_ms: `at` of a `Now` [ms UTC]; None, or a time ahead: now.
        """
        kept = self._kept.get(model.park, OrderedDict())
        if at_ms is None or at_ms >= self._clock.now_ms():
            return await self.moment(model)
        if at_ms in kept:
            return kept[at_ms]
        past = await self._pasts.read(model, at_ms)
        newest = await newest_at(self._store, model, at_ms)
        return _moment(model, at_ms, newest, past, {})

    async def newest(self, model: ParkModel, now_ms: int) -> dict[int, Newest]:
        """Return what the database last saw of each point."""
        interval_ms = interval_floor_ms(now_ms)
        day = model.local(now_ms).date()
        return newest_of(await self._store.live(model.park, day, interval_ms - _SLOW_LOOK_BACK_MS, interval_ms))

    async def states(self, model: ParkModel) -> tuple[dict[int, Newest], dict[str, State]]:
        """Return the newest readings and the state of every device."""
        now_ms = self._clock.now_ms()
        newest = await self.newest(model, now_ms)
        return newest, device_states(model, newest, await self._store.sources(model.park), now_ms)


def _moment(
    model: ParkModel,
    now_ms: int,
    newest: dict[int, Newest],
    past: Past,
    states: dict[str, State],
) -> Moment:
    powers = live_powers(model, newest, now_ms)
    midnight_ms = model.midnight_ms(model.local(now_ms).date())
    return Moment(
        model=model,
        now_ms=now_ms,
        midnight_ms=midnight_ms,
        newest=newest,
        powers=powers,
        figures=figures_of(model, powers, past, model.local(now_ms).year),
        graph=flow_graph(item.power for item in powers),
        today=sum_today(model, newest, now_ms, midnight_ms),
        past=past,
        states=states,
    )


async def newest_at(store: Store, model: ParkModel, at_ms: int) -> dict[int, Newest]:
    """Return what would have been seen of each point then; sums of the day run to the end of that interval."""
    interval_ms = interval_floor_ms(at_ms)
    midnight_ms = model.midnight_ms(model.local(at_ms).date())
    shown = await store.registers_at([point.point_id for point in model.points], at_ms)
    groups = [GroupPlan(point.point, None, (Component(point.flow or "", (point,), 1.0),)) for point in model.metered()]
    first_ms = min(midnight_ms, interval_ms - _SLOW_LOOK_BACK_MS)
    buckets = make_buckets("15m", first_ms, interval_ms + INTERVAL_MS, model.zone)
    sums = await store.history(groups, buckets)
    found = {}
    rows = {point.point_id: number for number, point in enumerate(model.metered())}
    for point in model.points:
        row = shown.get(point.point_id)
        number = rows.get(point.point_id)
        amounts = {} if number is None else day_and_slow(sums, number, buckets, midnight_ms, interval_ms)
        seen = {} if row is None else {"time_ms": to_ms(row["time"]), "value": row["value"], "quality": row["quality"]}
        found[point.point_id] = Newest(**seen, **amounts)
    return found


def day_and_slow(sums: History, number: int, buckets: Buckets, midnight_ms: int, interval_ms: int) -> dict[str, Any]:
    """Sums of a day up to an interval, and the newest finished interval with an amount, as `Newest` has them."""
    starts = buckets.edges_ms[:-1]
    known = sums.known[number] > 0
    today = known & (starts >= midnight_ms)
    finished = np.flatnonzero(known & (starts < interval_ms))
    found: dict[str, Any] = {}
    if today.any():
        found["day_micro"] = int(sums.amount_micro[number][today].sum())
        found["day_measured_ms"] = int(sums.measured_ms[number][today].sum())
        if (sums.co2e_coverage[number][today] > 0).any():
            found["day_nano_kg"] = int(sums.co2e_nano_kg[number][today].sum())
    if len(finished):
        last = int(finished[-1])
        found["slow_start_ms"] = int(starts[last])
        found["slow_per_h"] = float(sums.rate[number][last]) * (HOUR_MS / INTERVAL_MS)
    return found


def figures_of(model: ParkModel, powers: Sequence[PointPower], past: Past, year: int) -> LiveFigures:
    """Live figures; gas and heat that have no factor stay outside the rate, as they do in the inventory."""
    counted: list[LivePower] = [
        item.power
        for item in powers
        if item.power.carrier == "electricity" or model.factor(item.point.carrier, item.point.unit, year) is not None
    ]
    # Gas and heat powers carry kgCO2e/h already: their meters may count in different units.
    return live_figures(counted, {"electricity": past.grid_kg_per_kwh, "gas": 1.0, "heat": 1.0})
