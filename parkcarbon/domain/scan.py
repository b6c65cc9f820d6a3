"""Registers to energy: the one scan (types here; the body follows)."""

from collections.abc import Sequence

from .readings import Readings
from .scan_types import (
    Boundary,
    Candidate,
    Correction,
    Episode,
    Limits,
    Partial,
    Question,
    ScanResult,
    ScanState,
)

__all__ = [
    "Boundary",
    "Candidate",
    "Correction",
    "Episode",
    "Limits",
    "Partial",
    "Question",
    "ScanResult",
    "ScanState",
    "scan",
]


def scan(
    readings: Readings,
    episodes: Sequence[Episode],
    corrections: Sequence[Correction],
    limits: Limits,
    state: ScanState | None = None,
) -> ScanResult:
    """Turn registers into intervals."""
    raise NotImplementedError
