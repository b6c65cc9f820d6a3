"""Kinds of alarm rules: what each looks at and when it is beyond its limit. One file a kind."""

from collections.abc import Mapping
from typing import Final

from .base import Kind
from .emission_rate import EMISSION_RATE
from .operations import KINDS_2
from .threshold import THRESHOLD

KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in (THRESHOLD, EMISSION_RATE, *KINDS_2.values())}
"""Kinds by name, as the document has it."""
