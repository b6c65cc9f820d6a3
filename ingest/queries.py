"""The statements of ingest, and those it shares with everyone who derives results from facts."""

from collections.abc import Mapping
from typing import LiteralString

from parkcarbon.books.derive.queries import QUERIES as SHARED
from parkcarbon.kit.db import load_queries

QUERIES: Mapping[str, LiteralString] = {**SHARED, **load_queries(__package__)}
