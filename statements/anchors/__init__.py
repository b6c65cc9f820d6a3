"""Takes daily roots to places that the operator does not control."""

from .run import run_anchors
from .settings import AnchorSettings

__all__ = ["AnchorSettings", "run_anchors"]
