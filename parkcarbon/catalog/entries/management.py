"""Production, area, output value, base year, measures, budgets, guiding indicators."""

from typing import Final

from msgspec import Struct

KINDS: Final[dict[str, type[Struct]]] = {}
