"""Budgets: what is used, what the pace line says, and where the period will end, with a band.

A shape says how much of a period each day should take, relative to the others: the same weekday of last year (364 days
before) where at least half of the days have one, else the mean of each weekday over the 56 days before. One ratio fits
the shape to the last 28 days, and what is left of the period is ratio × shape:

    r = Σ a_d / Σ s_d,   forecast = used + r·Σ_rest s_d,   σ² = Σ (a_d - r·s_d)² / (n - 1)
    noise = σ²·(m + n·(Σ_rest s / Σ_past s)²)                  n known days of the 28, m days to come
    drift = τ²·s̄²·(m(m + 1)(2m + 1)/42 + 4·m²/3)              τ²: mean square of the step of r from week to week
    band = ±1.96·√(noise + drift)

Use wanders: r is not the same next week. Without the drift the band held the truth of a real year in 60 to 70 % of the
months instead of 95 % (docs/indicators.md). A day that has passed without a reading is not zero: it is forecast too,
and counted. The pace line is the budget spread by the same shape; without any shape both are linear.
"""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from parkcarbon.domain.readings import BoolArray, FloatArray
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import Figure, computed

from .energy import percent

Json = dict[str, object]
Shape = Literal["last_year", "weekday", "even"]

TRAINING_DAYS: Final = 56
LEVEL_DAYS: Final = 28
LAST_YEAR_DAYS: Final = 364
"""52 weeks: the same weekday of last year."""
Z_95: Final = 1.96
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where a period will end [unit of the days].

    Attributes:
        used: known so far.
        expected: at the end of the period; None: too little is known.
        low: lower end of the 95 % band, never below what is used.
        high: upper end.
        shape: what the days to come were modelled by.
        known_days: passed days with a value, in the period.
        unknown_days: passed days without one: forecast, not zero.
        days_to_come: from the day of the question on.
        pace: share of the period that should have passed by its shape, in [0, 1].
    """

    used: float
    expected: float | None
    low: float | None
    high: float | None
    shape: Shape
    known_days: int
    unknown_days: int
    days_to_come: int
    pace: float


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget and where it stands.

    Attributes:
        name: `park` or the tenant.
        what: `co2e_location`, `electricity`, …
        unit: of budget and forecast.
        from_day: first local day.
        to_day: day after the last.
        budget: what may be used; None: no budget was entered.
        forecast: of the period.
    """

    name: str
    what: str
    unit: str
    from_day: dt.date
    to_day: dt.date
    budget: float | None
    forecast: Forecast

    @property
    def pace_line(self) -> float | None:
        """What should be used by now [unit]."""
        return None if self.budget is None else self.budget * self.forecast.pace

    @property
    def verdict(self) -> Literal["no_budget", "over", "will_exceed", "may_exceed", "within", "unknown"]:
        """Over already; or by the forecast surely, possibly, not."""
        if self.budget is None:
            return "no_budget"
        if self.forecast.used > self.budget:
            return "over"
        if self.forecast.low is None or self.forecast.high is None:
            return "unknown"
        if self.forecast.low > self.budget:
            return "will_exceed"
        return "may_exceed" if self.forecast.high > self.budget else "within"

    def document(self) -> Json:
        """As the API gives it."""
        forecast = self.forecast
        return {
            "name": self.name,
            "what": self.what,
            "unit": self.unit,
            "from_day": self.from_day.isoformat(),
            "to_day": self.to_day.isoformat(),
            "budget": self.budget,
            "used": forecast.used,
            "used_pct": percent(forecast.used, self.budget),
            "pace": self.pace_line,
            "pace_pct": 100 * forecast.pace,
            "forecast": forecast.expected,
            "forecast_low": forecast.low,
            "forecast_high": forecast.high,
            "forecast_label": {"zh": "按当前进度", "en": "at today's pace"},
            "shape": forecast.shape,
            "known_days": forecast.known_days,
            "unknown_days": forecast.unknown_days,
            "days_to_come": forecast.days_to_come,
            "verdict": self.verdict,
        }

    def figure(self) -> Figure:
        """Used share of the budget with its working [%]."""
        ratio = computed(
            "ratio",
            "quotient",
            "1",
            Figure("used", self.forecast.used, self.unit, source={"kind": "interval", "text": self.name}),
            Figure("budget", self.budget, self.unit, source={"kind": "entry", "text": "budget"}),
        )
        hundred = Figure("percent", 100.0, "1", source={"kind": "setting", "text": "per cent"})
        return computed(f"budget_{self.name}_{self.what}", "product", "%", ratio, hundred)


def forecast_period(
    days: Mapping[dt.date, float | None], from_day: dt.date, to_day: dt.date, today: dt.date
) -> Forecast:
    """Forecast a period from daily totals.

    Args:
        days: total of each local day; None or absent: not known. Days of the last 56 and of last year give the shape.
        from_day: first day of the period.
        to_day: day after its last.
        today: the running day: its total is not complete, so it is one of the days to come.

    Raises:
        RefusedError: the period is empty.
    """
    if to_day <= from_day:
        raise RefusedError("", f"a budget from {from_day} to {to_day} has no days")
    period = _days(from_day, to_day)
    passed = np.array([day < today for day in period], dtype=np.bool_)
    values = _values(days, period)
    known = passed & np.isfinite(values)
    training = _days(today - TRAINING_DAYS * _DAY, today)
    shape, kind = _shape(days, [*training, *period])
    past, whole = shape[: len(training)], shape[len(training) :]
    rest = float(whole[~known].sum())
    expected, half = _project(_values(days, training), past, rest, int((~known).sum()))
    used = float(values[known].sum())
    total = float(whole.sum())
    return Forecast(
        used=used,
        expected=None if expected is None else used + expected,
        low=None if expected is None else used + max(expected - half, 0.0),
        high=None if expected is None else used + expected + half,
        shape=kind,
        known_days=int(known.sum()),
        unknown_days=int((passed & ~known).sum()),
        days_to_come=int((~passed).sum()),
        pace=float(whole[passed].sum()) / total if total else float(passed.mean()),
    )


def pace_line(
    days: Mapping[dt.date, float | None], from_day: dt.date, to_day: dt.date, today: dt.date, budget: float
) -> list[tuple[dt.date, float]]:
    """The budget as it should be used up, cumulated to the end of each day."""
    training = _days(today - TRAINING_DAYS * _DAY, today)
    period = _days(from_day, to_day)
    shape, _ = _shape(days, [*training, *period])
    whole = shape[len(training) :]
    cumulated = np.cumsum(whole) / whole.sum()
    return [(day, budget * float(share)) for day, share in zip(period, cumulated, strict=True)]


def _days(from_day: dt.date, to_day: dt.date) -> list[dt.date]:
    return [from_day + number * _DAY for number in range((to_day - from_day).days)]


def _values(days: Mapping[dt.date, float | None], wanted: list[dt.date]) -> FloatArray:
    return np.array([math.nan if (value := days.get(day)) is None else value for day in wanted], dtype=np.float64)


def _shape(days: Mapping[dt.date, float | None], wanted: list[dt.date]) -> tuple[FloatArray, Shape]:
    """Relative weight of each wanted day; the days of the training come first among them."""
    last_year = _values(days, [day - LAST_YEAR_DAYS * _DAY for day in wanted])
    found = np.isfinite(last_year)
    if found.mean() >= 0.5 and last_year[found].sum() > 0:
        return np.where(found, last_year, last_year[found].mean()), "last_year"
    training = wanted[:TRAINING_DAYS]
    values = _values(days, training)
    weekday = np.array([day.weekday() for day in training])
    seen: BoolArray = np.isfinite(values)
    if not seen.any() or values[seen].sum() <= 0:
        return np.ones(len(wanted)), "even"
    mean = float(values[seen].mean())
    profile = np.array(
        [
            values[seen & (weekday == number)].mean() if np.any(seen & (weekday == number)) else mean
            for number in range(7)
        ]
    )
    return profile[[day.weekday() for day in wanted]], "weekday"


def _project(values: FloatArray, shape: FloatArray, rest: float, to_come: int) -> tuple[float | None, float]:
    """Expected total of the days to come and half of its 95 % band; the values are those of the training days."""
    known = np.isfinite(values)
    recent = known & (np.arange(len(values)) >= len(values) - LEVEL_DAYS)
    fitted = recent if int(recent.sum()) >= 2 else known
    count, weight = int(fitted.sum()), float(shape[fitted].sum())
    if not to_come:
        return 0.0, 0.0
    if count < 2 or weight <= 0:
        return None, 0.0
    ratio = float(values[fitted].sum()) / weight
    residual = values[fitted] - ratio * shape[fitted]
    noise = float((residual**2).sum()) / (count - 1) * (to_come + count * (rest / weight) ** 2)
    steps = to_come * (to_come + 1) * (2 * to_come + 1) / 42 + LEVEL_DAYS / 7 / 3 * to_come**2
    drift = _weekly_step(values, shape) * (rest / to_come) ** 2 * steps
    return ratio * rest, Z_95 * math.sqrt(noise + drift)


def _weekly_step(values: FloatArray, shape: FloatArray) -> float:
    """Mean square of the change of the ratio from one week to the next; 0 where no two weeks are known."""
    known = np.isfinite(values)
    ratios = []
    for start in range(len(values) % 7, len(values), 7):
        week = slice(start, start + 7)
        mine = known[week]
        weight = float(shape[week][mine].sum())
        ratios.append(float(values[week][mine].sum()) / weight if mine.sum() >= 4 and weight > 0 else math.nan)
    steps = np.diff(np.array(ratios))
    found = steps[np.isfinite(steps)]
    return float((found**2).mean()) if len(found) else 0.0
