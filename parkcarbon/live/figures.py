"""The figures of a park by name, as the live page and the API show them: what a rule can be held against."""

from collections.abc import Mapping, Sequence
from typing import Final

from parkcarbon.domain.live import LivePower, live_figures

from .model import ParkModel
from .power import Newest, PointPower, live_powers, not_live
from .today import sum_today

FIGURES: Final[Mapping[str, str]] = {
    "load": "kW",
    "import": "kW",
    "export": "kW",
    "generation": "kW",
    "emission_rate": "kgCO2e/h",
    "self_consumption": "%",
    "self_sufficiency": "%",
    "completeness": "%",
    "energy_today": "kWh",
    "emissions_today": "kgCO2e",
}
"""Figures and their units."""


def grid_factor(model: ParkModel, now_ms: int) -> float | None:
    """Location-based factor of electricity now [kgCO2e/kWh]; None where there is none, or where it is a series."""
    factor = model.factor("electricity", "kWh", model.local(now_ms).year)
    return None if factor is None or factor.is_series else factor.co2e


def figures_at(
    model: ParkModel, newest: Mapping[int, Newest], now_ms: int, *, grid_kg_per_kwh: float | None = None
) -> Mapping[str, float | None]:
    """Work out every figure of `FIGURES`; None is unknown, or a flow that the park does not have.

    Args:
        model: the park.
        newest: newest reading, day and interval of each point.
        now_ms: time of now [ms UTC].
        grid_kg_per_kwh: factor of electricity now where it is a series [kgCO2e/kWh]; None: that of the model.
    """
    powers = live_powers(model, newest, now_ms)
    left = {id(item) for item in not_live(powers)}
    known = [item for item in powers if id(item) not in left]
    grid = grid_factor(model, now_ms) if grid_kg_per_kwh is None else grid_kg_per_kwh
    live = live_figures(_counted(model, powers, now_ms), {"electricity": grid, "gas": 1.0, "heat": 1.0})
    today = sum_today(model, newest, now_ms, model.midnight_ms(model.local(now_ms).date()))
    return {
        "load": live.load_kw,
        "import": _flow_kw(known, "import"),
        "export": _flow_kw(known, "export"),
        "generation": live.generation_kw,
        "emission_rate": live.emission_rate_kgco2e_h,
        "self_consumption": today.self_consumption_pct,
        "self_sufficiency": today.self_sufficiency_pct,
        "completeness": today.completeness_pct,
        "energy_today": today.load_kwh,
        "emissions_today": today.location_kg,
    }


def _counted(model: ParkModel, powers: Sequence[PointPower], now_ms: int) -> list[LivePower]:
    """Gas and heat that have no factor stay outside the emission rate, as they do in the inventory."""
    year = model.local(now_ms).year
    return [
        item.power
        for item in powers
        if item.power.carrier == "electricity" or model.factor(item.point.carrier, item.point.unit, year) is not None
    ]


def _flow_kw(powers: Sequence[PointPower], flow: str) -> float | None:
    """Power of a flow of electricity [kW]; None as soon as one of its meters is unknown."""
    values = [item.power.kw for item in powers if (item.power.carrier, item.power.flow) == ("electricity", flow)]
    known = [value for value in values if value is not None]
    return sum(known) if values and len(known) == len(values) else None
