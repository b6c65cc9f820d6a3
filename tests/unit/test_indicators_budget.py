"""Budgets: pace, forecast and band from daily totals."""

import csv
import datetime as dt
import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.indicators.budget import BudgetState, Forecast, forecast_period, pace_line
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import check

DAY = dt.timedelta(days=1)
CAMPUS = Path(__file__).resolve().parents[3] / "shared" / "data" / "campus_2022"
MARCH = (dt.date(2026, 3, 1), dt.date(2026, 4, 1))


def days(first: dt.date, count: int, weekend: float = 40.0) -> dict[dt.date, float | None]:
    """100 a working day, less at the weekend."""
    return {day: weekend if day.weekday() > 4 else 100.0 for day in (first + n * DAY for n in range(count))}


def state(forecast: Forecast, budget: float | None) -> BudgetState:
    return BudgetState("park", "electricity", "kWh", *MARCH, budget, forecast)


def test_a_regular_month_is_forecast_exactly_by_weekday() -> None:
    # March 2026 has 22 working days and 9 weekend days: 22·100 + 9·40 = 2,560; before the 16th 10 and 5: 1,200.
    known = days(dt.date(2026, 1, 1), 74)  # up to 15 March
    forecast = forecast_period(known, *MARCH, dt.date(2026, 3, 16))
    assert forecast.shape == "weekday"
    assert forecast.used == pytest.approx(1200.0)
    assert forecast.expected == pytest.approx(2560.0)
    assert forecast.low == pytest.approx(forecast.high)
    assert forecast.pace == pytest.approx(1200 / 2560)


def test_last_year_gives_the_shape_where_it_is_known() -> None:
    # Last year's second half of March was twice as high; this year runs at 1.1 times last year.
    last = days(dt.date(2025, 1, 1), 365, weekend=100.0)
    for day in last:
        if dt.date(2025, 3, 17) <= day < dt.date(2025, 4, 2):
            last[day] = 200.0
    now = {day + 364 * DAY: (value or 0) * 1.1 for day, value in last.items() if day + 364 * DAY < dt.date(2026, 3, 16)}
    forecast = forecast_period({**last, **now}, *MARCH, dt.date(2026, 3, 16))
    # 1–15 March: 15 × 110; 16–31 March lies on 17 March – 1 April of last year: 16 × 220.
    assert forecast.shape == "last_year"
    assert forecast.expected == pytest.approx(15 * 110 + 16 * 220)


def test_a_day_without_readings_is_forecast_and_not_zero() -> None:
    known = days(dt.date(2026, 1, 1), 74)
    known[dt.date(2026, 3, 10)] = None
    forecast = forecast_period(known, *MARCH, dt.date(2026, 3, 16))
    assert (forecast.known_days, forecast.unknown_days, forecast.days_to_come) == (14, 1, 16)
    assert forecast.used == pytest.approx(1100.0)
    assert forecast.expected == pytest.approx(2560.0)


def test_without_any_history_nothing_is_forecast_and_the_pace_is_even() -> None:
    forecast = forecast_period({}, *MARCH, dt.date(2026, 3, 11))
    assert (forecast.expected, forecast.low, forecast.shape) == (None, None, "even")
    assert forecast.pace == pytest.approx(10 / 31)
    assert state(forecast, 100.0).verdict == "unknown"


@pytest.mark.parametrize("drift", [0.0, 0.05])
def test_the_band_holds_the_truth_at_least_nine_times_of_ten(drift: float) -> None:
    held, trials = 0, 300
    generator = random.Random(7)
    for _ in range(trials):
        truth, level = {}, 1.0
        for day, value in days(dt.date(2026, 1, 1), 90).items():
            level *= math.exp(generator.gauss(0, drift) / math.sqrt(7))  # `drift` of the level a week
            truth[day] = (value or 0) * level + generator.gauss(0, 10)
        seen: dict[dt.date, float | None] = {day: value for day, value in truth.items() if day < dt.date(2026, 3, 16)}
        forecast = forecast_period(seen, *MARCH, dt.date(2026, 3, 16))
        total = sum(value for day, value in truth.items() if MARCH[0] <= day < MARCH[1])
        assert forecast.low is not None
        assert forecast.high is not None
        held += forecast.low <= total <= forecast.high
    assert held / trials >= 0.90


def test_a_level_that_wanders_widens_the_band() -> None:
    steady = days(dt.date(2026, 1, 1), 74)
    wandering = {day: (value or 0) * (1.1 if (day.toordinal() // 7) % 2 else 0.9) for day, value in steady.items()}
    narrow = forecast_period(steady, *MARCH, dt.date(2026, 3, 16))
    wide = forecast_period(wandering, *MARCH, dt.date(2026, 3, 16))
    assert narrow.high == pytest.approx(narrow.expected)
    assert (wide.high or 0) - (wide.expected or 0) > 0.1 * (wide.expected or 0)


def test_the_pace_line_ends_at_the_budget_and_rises() -> None:
    line = pace_line(days(dt.date(2026, 1, 1), 74), *MARCH, dt.date(2026, 3, 16), 2560.0)
    values = [value for _, value in line]
    assert values[-1] == pytest.approx(2560.0)
    assert values == sorted(values)
    assert values[14] == pytest.approx(1200.0)


@pytest.mark.parametrize(
    ("budget", "verdict"),
    [(None, "no_budget"), (1000.0, "over"), (2000.0, "will_exceed"), (2500.0, "may_exceed"), (4000.0, "within")],
)
def test_verdicts(budget: float | None, verdict: str) -> None:
    forecast = Forecast(1200.0, 2480.0, 2400.0, 2560.0, "weekday", 15, 0, 16, 0.5)
    assert state(forecast, budget).verdict == verdict


def test_a_budget_shows_its_working_and_a_backward_period_is_refused() -> None:
    forecast = Forecast(1200.0, 2480.0, 2400.0, 2560.0, "weekday", 15, 0, 16, 0.5)
    figure = state(forecast, 2400.0).figure()
    assert check(figure) == []
    assert figure.value == pytest.approx(50.0)
    with pytest.raises(RefusedError, match="has no days"):
        forecast_period({}, MARCH[1], MARCH[0], MARCH[0])


@given(st.floats(0.01, 1e6), st.integers(2, 30))
def test_scaling_every_day_scales_the_forecast(scale: float, day: int) -> None:
    generator = random.Random(day)
    base = {date: (value or 0) + generator.random() for date, value in days(dt.date(2026, 1, 1), 58 + day).items()}
    today = dt.date(2026, 3, day)
    one = forecast_period(base, *MARCH, today)
    many = forecast_period({date: value * scale for date, value in base.items()}, *MARCH, today)
    assert one.expected is not None
    assert many.expected == pytest.approx(one.expected * scale, rel=1e-9)
    assert many.high == pytest.approx((one.high or 0) * scale, rel=1e-9)
    assert many.pace == pytest.approx(one.pace)


@pytest.mark.shared
@pytest.mark.skipif(not CAMPUS.is_dir(), reason="the shared data folder is not beside the checkout")
@pytest.mark.parametrize("known_days", [5, 10, 15, 20])
def test_months_of_a_real_year(known_days: int) -> None:
    with (CAMPUS / "electricity_kwh.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        totals: dict[dt.date, float] = {}
        for time, *values in rows:
            day = dt.datetime.fromisoformat(time).date()
            totals[day] = totals.get(day, 0.0) + sum(float(value) for value in values if value)
    errors, inside = [], 0
    for month in range(3, 13):
        first, end = dt.date(2022, month, 1), dt.date(2022 + month // 12, month % 12 + 1, 1)
        today = first + known_days * DAY
        truth = sum(value for day, value in totals.items() if first <= day < end)
        forecast = forecast_period({day: kwh for day, kwh in totals.items() if day < today}, first, end, today)
        assert forecast.expected is not None
        errors.append(abs(forecast.expected / truth - 1))
        inside += (forecast.low or 0) <= truth <= (forecast.high or 0)
    assert sum(errors) / len(errors) < 0.03
    assert inside >= 9
