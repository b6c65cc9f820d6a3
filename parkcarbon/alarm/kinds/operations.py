"""Kinds of rules about plant, devices, sources and records."""

from collections.abc import Mapping
from typing import Final

from .base import Kind
from .device_silent import DEVICE_SILENT

KINDS_2: Final[Mapping[str, Kind]] = {kind.name: kind for kind in (DEVICE_SILENT,)}
