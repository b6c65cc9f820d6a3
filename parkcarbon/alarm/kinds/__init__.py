"""Kinds of alarm rules: what each looks at and when it is beyond its limit. One file a kind."""

from collections.abc import Mapping
from typing import Final

from .base import Kind
from .budget_pace import EMISSION_BUDGET, ENERGY_BUDGET
from .carbon_price import CARBON_PRICE
from .demand import DEMAND_PEAK
from .emission_rate import EMISSION_RATE
from .intensity import INTENSITY
from .night import NIGHT_CONSUMPTION
from .operations import KINDS_2
from .power_factor import POWER_FACTOR
from .threshold import THRESHOLD

_FIGURES = (
    THRESHOLD,
    EMISSION_RATE,
    ENERGY_BUDGET,
    EMISSION_BUDGET,
    INTENSITY,
    NIGHT_CONSUMPTION,
    POWER_FACTOR,
    DEMAND_PEAK,
    CARBON_PRICE,
)
KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in (*_FIGURES, *KINDS_2.values())}
"""Kinds by name, as the document has it."""
