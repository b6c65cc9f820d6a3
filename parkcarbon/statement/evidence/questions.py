"""What a composition asks: every statement by its name, and whether facts or derived tables answer it."""

import re
from typing import Final

from parkcarbon.kit.db import load_queries

_PACKAGES: Final = ("parkcarbon.books", "parkcarbon.books.derive", "parkcarbon.statement", "parkcarbon.statement.log")
_DERIVED: Final = re.compile(
    r"\b(interval_15min|rollup_hour|rollup_day|rollup_month|boundary|question|point_state|point_checkpoint|recompute"
    r"|reprice|result_waiting)\b"
)
_COMMENT: Final = re.compile(r"--[^\n]*")
_CONSTANT: Final = re.compile(r"'[^']*'")


class UnknownQuestionError(Exception):
    """A composition asked for something that evidence has no answer to; that is never passed over."""


def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in _PACKAGES:
        for name, text in load_queries(package).items():
            found.setdefault(text, name)
    return found


_NAMES: Final = _names()


def name_of(query: str) -> str:
    """Name of a statement.

    Raises:
        UnknownQuestionError: it is none of the project's.
    """
    name = _NAMES.get(query)
    if name is None:
        raise UnknownQuestionError(f"a statement without a name: {query[:100]}")
    return name


def on_derived(query: str) -> bool:
    """True when a statement reads a table that can be computed again from facts."""
    return _DERIVED.search(_CONSTANT.sub("", _COMMENT.sub("", query))) is not None
