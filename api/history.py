"""The last 24 hours and the same day last week, in 15-minute steps: what a page shows beside the figures of now."""

import datetime as dt
from dataclasses import dataclass, field

import numpy as np

from parkcarbon.domain.emissions import unit_scale
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.kit.clock import Clock
from parkcarbon.live.model import ParkModel, interval_floor_ms, same_time_last_week_ms

from .buckets import Buckets, make_buckets
from .plan import METRICS, GroupPlan, plan_series
from .schemas import QUARTERS_PER_DAY, Metric
from .series import MICRO, Floats, History, group_values
from .store import Store

REFRESH_S = 60.0
"""Late readings change the past: it is read again this often [s], and at each new interval."""

_METRICS: tuple[Metric, ...] = ("load_kw", "co2e_kg", "completeness_pct")
_SHARED: dict[Metric, Metric] = {
    "load_kw": "load_kw",
    "energy_kwh": "load_kw",
    "self_consumption_pct": "load_kw",
    "co2e_kg": "co2e_kg",
    "emission_rate_kgco2e_h": "co2e_kg",
    "completeness_pct": "completeness_pct",
}


@dataclass(frozen=True)
class Span:
    """15-minute history of a park.

    Attributes:
        buckets: the steps.
        sums: what the database said, component by component.
        groups: groups and their first component, by metric, and by tenant as `tenant:…`.
        now_ms: when it was read [ms UTC].
    """

    buckets: Buckets
    sums: History
    groups: dict[str, tuple[GroupPlan, slice]]
    now_ms: int

    def values(self, metric: Metric) -> Floats:
        """Values of a metric; NaN is a gap."""
        return self._values(_SHARED[metric], metric)

    def tenant_kwh(self, tenant: str) -> Floats:
        """Electricity of a tenant by step [kWh]."""
        return self._values(f"tenant:{tenant}", "energy_kwh")

    def _values(self, group: str, metric: Metric) -> Floats:
        if group not in self.groups:
            return np.full(len(self.buckets), np.nan)
        plan, rows = self.groups[group]
        span_ms = self.buckets.span_ms.astype(np.float64)
        elapsed_ms = np.clip(self.now_ms - self.buckets.edges_ms[:-1].astype(np.float64), 0.0, span_ms)
        return group_values(plan, self.sums.rows(rows), METRICS[metric].measure, span_ms, elapsed_ms)[0]


@dataclass(frozen=True)
class Past:
    """What lies behind the figures of now.

    Attributes:
        model: the park it was read for.
        interval_ms: the running interval then [ms UTC].
        read_s: monotonic time of the reading [s].
        recent: 24 hours up to the running interval, or from local midnight if that is longer.
        last_week: the local day seven days ago, up to the same local time.
        last_week_ms: that time [ms UTC].
        grid_kg_per_kwh: location-based factor of electricity now [kgCO2e/kWh], or None.
    """

    model: ParkModel = field(repr=False)
    interval_ms: int
    read_s: float
    recent: Span
    last_week: Span
    last_week_ms: int
    grid_kg_per_kwh: float | None

    def spark(self, metric: Metric) -> list[float | None]:
        """The last 24 hours of a metric."""
        last = self.recent.values(metric)[-QUARTERS_PER_DAY:]
        return [None if np.isnan(value) else float(value) for value in last]

    def peak_today_kw(self, midnight_ms: int) -> float | None:
        """Highest mean load of the finished intervals since local midnight [kW]."""
        starts = self.recent.buckets.edges_ms[:-1]
        load = self.recent.values("load_kw")[(starts >= midnight_ms) & (starts < self.interval_ms)]
        load = load[~np.isnan(load)]
        return float(load.max()) if len(load) else None

    def mean_last_week(self, metric: Metric) -> float | None:
        """A rate in the interval of the same local time last week."""
        value = self.last_week.values(metric)[-1]
        return None if np.isnan(value) else float(value)

    def total_last_week(self, metric: Metric) -> float | None:
        """An amount from local midnight to the same local time last week; None with a gap in it."""
        return self._up_to(self.last_week.values(metric))

    def self_consumption_last_week(self) -> float | None:
        """Self-used share of the generation from local midnight to the same local time last week [%]."""
        generated, exported = (self._flow_last_week_kwh(flow) for flow in ("generation", "export"))
        if generated is None or exported is None or generated <= 0:
            return None
        return 100 * min(max(generated - exported, 0.0) / generated, 1.0)

    def completeness_last_week(self) -> float | None:
        """Measured share of the meter-hours from local midnight to the same local time last week [%]."""
        shares = self.last_week.values("completeness_pct")
        hours = np.clip(self.last_week_ms - self.last_week.buckets.edges_ms[:-1], 0, INTERVAL_MS)
        if not hours.sum() or "completeness_pct" not in self.last_week.groups:
            return None
        return float(np.nansum(shares * hours) / hours.sum())

    def _flow_last_week_kwh(self, flow: str) -> float | None:
        """Energy of a flow from local midnight to the same local time last week [kWh]; 0 where the park has none."""
        plan, rows = self.last_week.groups.get("load_kw", (None, slice(0)))
        if plan is None:
            return None
        total = np.zeros(len(self.last_week.buckets))
        for number, component in enumerate(plan.components):
            if component.role == flow:
                sums = self.last_week.sums.rows(slice(rows.start + number, rows.start + number + 1))
                total += np.where(sums.coverage[0] > 0, sums.amount_micro[0] / MICRO * abs(component.scale), np.nan)
        return self._up_to(total)

    def tenant_last_week_kwh(self, tenant: str) -> float | None:
        """Electricity of a tenant from local midnight to the same local time last week [kWh]."""
        return self._up_to(self.last_week.tenant_kwh(tenant))

    def _up_to(self, amounts: Floats) -> float | None:
        share = (self.last_week_ms - int(self.last_week.buckets.edges_ms[-2])) / INTERVAL_MS
        total = float(amounts[:-1].sum() + (amounts[-1] * share if share > 0 else 0.0))
        return None if np.isnan(total) else total


class PastKeeper:
    """Reads and remembers the past of each park.

    Args:
        store: the database.
        clock: time.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, Past] = {}

    def forget(self, park: str) -> None:
        """Read a park's past again; an empty name means every park."""
        if park == "":
            self._known.clear()
        else:
            self._known.pop(park, None)

    async def get(self, model: ParkModel, now_ms: int) -> Past:
        """Return the past as of now, read at most `REFRESH_S` ago and never before the running interval began."""
        known = self._known.get(model.park)
        if (
            known is not None
            and known.model is model
            and known.interval_ms == interval_floor_ms(now_ms)
            and self._clock.monotonic() - known.read_s < REFRESH_S
        ):
            return known
        past = await self.read(model, now_ms)
        self._known[model.park] = past
        return past

    async def read(self, model: ParkModel, now_ms: int) -> Past:
        """Read the past of a moment."""
        read_s = self._clock.monotonic()
        interval_ms = interval_floor_ms(now_ms)
        midnight_ms = model.midnight_ms(model.local(now_ms).date())
        first_ms = min(interval_ms - (QUARTERS_PER_DAY - 1) * INTERVAL_MS, interval_floor_ms(midnight_ms))
        week_ms = same_time_last_week_ms(model, now_ms)
        week_midnight_ms = model.midnight_ms(model.local(now_ms).date() - dt.timedelta(days=7))
        return Past(
            model=model,
            interval_ms=interval_ms,
            read_s=read_s,
            recent=await self._span(model, first_ms, interval_ms + INTERVAL_MS, now_ms),
            last_week=await self._span(model, week_midnight_ms, week_ms + 1, week_ms),
            last_week_ms=week_ms,
            grid_kg_per_kwh=await self._grid_factor(model, now_ms),
        )

    async def _span(self, model: ParkModel, from_ms: int, to_ms: int, now_ms: int) -> Span:
        buckets = make_buckets("15m", from_ms, to_ms, model.zone)
        plans = {str(metric): plan for metric in _METRICS for plan in plan_series(model, metric, "none")}
        plans |= {f"tenant:{plan.key}": plan for plan in plan_series(model, "energy_kwh", "tenant")}
        groups: dict[str, tuple[GroupPlan, slice]] = {}
        first = 0
        for name, plan in plans.items():
            groups[name] = (plan, slice(first, first + len(plan.components)))
            first += len(plan.components)
        return Span(buckets, await self._store.history(list(plans.values()), buckets), groups, now_ms)

    async def _grid_factor(self, model: ParkModel, now_ms: int) -> float | None:
        factor = model.factor("electricity", "kWh", model.local(now_ms).year)
        if factor is None:
            return None
        if not factor.is_series:
            return factor.co2e
        value = await self._store.factor_value_at(model.factor_id(factor.leading.factor), now_ms)
        return None if value is None else value * unit_scale(factor.leading.factor, factor.unit)
