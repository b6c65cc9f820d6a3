"""A metric over time: sums from the database turned into values, coverage and data state."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from parkcarbon.domain.reading import Method
from parkcarbon.kit.db import from_ms
from parkcarbon.live.model import HOUR_MS

from .buckets import STEP_MS, Buckets, refuse_too_many
from .plan import METRICS, GroupPlan, Measure
from .schemas import METHOD_NAMES, Metric, Series, SeriesGroup

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MICRO = 1e6
NANO = 1e9
_NO_DATA = int(Method.MISSING)


@dataclass(frozen=True)
class History:
    """Sums by component and bucket; every array has the shape (components, buckets).

    Attributes:
        amount_micro: energy or volume [1e-6 unit of the points]; sums of it are exact.
        rate: what the whole bucket would hold at the mean rate of its known part [unit].
        coverage: known share of the bucket, summed over the points.
        known: number of points that know something of the bucket.
        method: worst data state among those.
        co2e_nano_kg: location-based emissions [1e-9 kgCO2e]; sums of it are exact.
        co2e_rate_kg: the same for the whole bucket at the mean rate of its known part [kgCO2e].
        co2e_coverage: share of the bucket with known emissions, summed over the points.
        measured_ms: measured time, summed over the points [ms].
    """

    amount_micro: Ints
    rate: Floats
    coverage: Floats
    known: Ints
    method: Ints
    co2e_nano_kg: Ints
    co2e_rate_kg: Floats
    co2e_coverage: Floats
    measured_ms: Ints

    def rows(self, which: slice) -> "History":
        """The sums of some components."""
        return History(**{item.name: getattr(self, item.name)[which] for item in fields(self)})


def spread_rows(columns: dict[str, NDArray[np.generic]], components: int, buckets: Buckets) -> History:
    """Put the rows of a `history_*` statement into their places."""
    shape = (components, len(buckets))
    at = np.searchsorted(buckets.keys, columns["start"])
    where = (columns["grp"], at)

    def floats(name: str, unit: float = 1.0) -> Floats:
        values = np.zeros(shape)
        values[where] = columns[name].astype(np.float64) / unit
        return values

    def ints(name: str, absent: int = 0) -> Ints:
        values = np.full(shape, absent, dtype=np.int64)
        values[where] = columns[name]
        return values

    return History(
        amount_micro=ints("amount_micro"),
        rate=floats("rate_micro", MICRO),
        coverage=floats("coverage"),
        known=ints("known"),
        method=ints("method", _NO_DATA),
        co2e_nano_kg=ints("co2e_nano_kg"),
        co2e_rate_kg=floats("co2e_rate_nano", NANO),
        co2e_coverage=floats("co2e_coverage"),
        measured_ms=ints("measured_ms"),
    )


def group_values(
    plan: GroupPlan, history: History, measure: Measure, span_ms: Floats, elapsed_ms: Floats
) -> tuple[Floats, Floats, Ints]:
    """Evaluate one group.

    Args:
        plan: the group.
        history: sums of its components, in their order.
        measure: what to evaluate.
        span_ms: length of each bucket [ms].
        elapsed_ms: how much of each bucket lies in the past [ms].

    Returns:
        Values (NaN: unknown), coverage in [0, 1] and data state, one a bucket.
    """
    count = np.array([len(component.points) for component in plan.components], dtype=np.float64)[:, None]
    scale = np.array([component.scale for component in plan.components])[:, None]
    by_co2e = measure in ("co2e", "co2e_rate")
    coverage = (history.co2e_coverage if by_co2e else history.coverage) / count
    if measure == "completeness":
        expected = np.maximum(elapsed_ms * count[0], 1.0)
        values = np.where(elapsed_ms > 0, 100 * np.minimum(history.measured_ms[0] / expected, 1.0), np.nan)
        return values, (elapsed_ms / span_ms), np.zeros(len(values), np.int64)
    method = np.where(coverage > 0, history.method, -1).max(axis=0)
    if by_co2e:
        # Without a factor an amount stays outside and lowers the coverage; without an amount the sum is unknown.
        sign = np.sign(scale).astype(np.int64)
        by_rate = measure == "co2e_rate"
        total = (
            (history.co2e_rate_kg * sign).sum(axis=0) if by_rate else (history.co2e_nano_kg * sign).sum(axis=0) / NANO
        )
        cover = np.where((history.coverage > 0).all(axis=0), (coverage * count).sum(axis=0) / count.sum(), 0.0)
    else:
        # Whole numbers are summed before the division: a day is that of its roll-up to the last digit.
        exact = measure == "amount"
        total = ((history.amount_micro * scale).sum(axis=0) / MICRO) if exact else (history.rate * scale).sum(axis=0)
        cover = coverage.min(axis=0)
    if measure in ("power", "co2e_rate"):
        total = total * (HOUR_MS / span_ms)
    if measure == "self_consumption":
        total = _self_consumption(plan, history.rate * np.abs(scale))
    values = np.where(cover > 0, total, np.nan)
    known = ~np.isnan(values)
    return values, np.where(known, np.clip(cover, 0.0, 1.0), 0.0), np.where(known, method, _NO_DATA)


def _self_consumption(plan: GroupPlan, energy: Floats) -> Floats:
    """Self-used share of the generation [%]; NaN where nothing was generated."""
    roles = np.array([component.role for component in plan.components])
    generated = energy[roles == "generation"].sum(axis=0)
    exported = energy[roles == "export"].sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 100 * np.clip((generated - exported) / generated, 0.0, 1.0)
    return np.where(generated > 0, share, np.nan)


def assemble(metric: Metric, groups: list[GroupPlan], buckets: Buckets, history: History, now_ms: int) -> Series:
    """Make the answer of `/series`.

    Raises:
        ProblemError: 422, too many values.
    """
    refuse_too_many(len(buckets) * max(len(groups), 1))
    spec = METRICS[metric]
    span_ms = buckets.span_ms.astype(np.float64)
    elapsed_ms = np.clip(now_ms - buckets.edges_ms[:-1].astype(np.float64), 0.0, span_ms)
    answers = []
    first = 0
    for plan in groups:
        rows = slice(first, first + len(plan.components))
        first = rows.stop
        values, coverage, method = group_values(plan, history.rows(rows), spec.measure, span_ms, elapsed_ms)
        answers.append(
            SeriesGroup(
                key=plan.key,
                name=plan.name,
                values=optional(values),
                coverage=np.round(coverage, 6).tolist(),
                method=[METHOD_NAMES[code] for code in method.tolist()],
            )
        )
    return Series(
        metric=metric,
        unit=spec.unit,
        step_s=STEP_MS[buckets.step] // 1000,
        from_=from_ms(int(buckets.edges_ms[0])),
        to=from_ms(int(buckets.edges_ms[-1])),
        starts=[from_ms(int(edge)) for edge in buckets.edges_ms[:-1]],
        groups=answers,
    )


def optional(values: Floats) -> list[float | None]:
    """Floats with None for NaN."""
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124 - NaN differs from itself
