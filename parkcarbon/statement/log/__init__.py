"""The log of committed batches of each park: a Merkle tree that only grows, and its daily roots."""

from typing import Final

from parkcarbon.kit.db import load_queries

QUERIES: Final = load_queries(__package__)
