"""The emission rate of the park now [kgCO2e/h]: electricity bought, gas and heat by their factors in force."""

from collections.abc import Sequence
from typing import Final

from parkcarbon.alarm.observe.figures import FiguresNow, load_figures
from parkcarbon.domain.alarm.types import Observation
from parkcarbon.kit.db import Session
from parkcarbon.live.figures import FIGURES
from parkcarbon.live.model import ParkModel

from .base import Compiled, Kind, Scene
from .threshold import figure_history, figure_observation

FIGURE: Final = "emission_rate"


async def load(session: Session, model: ParkModel, _rules: Sequence[Compiled], now_ms: int) -> FiguresNow:
    """Read the figures of now."""
    return await load_figures(session, model, now_ms)


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """Judge the rate that the live page shows."""
    figures: FiguresNow | None = scene.read.get("emission_rate")
    return [] if figures is None else [figure_observation(rule, scene, FIGURE, figures)]


async def history(session: Session, model: ParkModel, rule: Compiled, begin_ms: int, end_ms: int) -> list[Observation]:
    """The rate of each interval of `[begin_ms, end_ms)` [ms UTC], from its emissions."""
    return await figure_history(session, model, rule, begin_ms, end_ms, figure=FIGURE)


EMISSION_RATE: Final = Kind(
    name="emission_rate",
    watches="park",
    unit=FIGURES[FIGURE],
    direction="above",
    default_on=None,
    default_off=None,
    every_ms=0,
    observe=observe,
    load=load,
    history=history,
)
