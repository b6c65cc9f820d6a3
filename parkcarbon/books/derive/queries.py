"""The statements of this package."""

from parkcarbon.kit.db import load_queries

QUERIES = load_queries(__package__)
