"""What a statement rests on, and how its figures come out again from registers without trusting the operator."""

from typing import Final

from parkcarbon.kit.db import load_queries

QUERIES: Final = load_queries(__package__)
