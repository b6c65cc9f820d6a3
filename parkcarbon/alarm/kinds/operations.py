"""Kinds of rules about plant, devices, sources and records."""

from collections.abc import Mapping
from typing import Final

from .base import Kind
from .calibration import CALIBRATION_EXPIRING
from .clock import CLOCK
from .completeness import COMPLETENESS
from .custody_delay import CUSTODY_DELAY
from .device_silent import DEVICE_SILENT
from .outbox import OUTBOX_FILLING
from .pv import PV_UNDERPERFORMANCE
from .stale_factor import STALE_FACTOR

_KINDS: Final = (
    PV_UNDERPERFORMANCE,
    DEVICE_SILENT,
    COMPLETENESS,
    CLOCK,
    OUTBOX_FILLING,
    STALE_FACTOR,
    CUSTODY_DELAY,
    CALIBRATION_EXPIRING,
)
KINDS_2: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _KINDS}
