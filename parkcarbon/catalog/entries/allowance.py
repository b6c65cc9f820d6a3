"""Allowances of obligated enterprises: allocation, carried over, obligation, surrender."""

from typing import Final

from msgspec import Struct

KINDS: Final[dict[str, type[Struct]]] = {}
