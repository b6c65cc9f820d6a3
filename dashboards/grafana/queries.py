"""The statements of panels and rules, and Grafana's macros in them expanded: for tests and for `dashboards queries`."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Final, LiteralString

from parkcarbon.kit.db import load_queries

from .text import Language

QUERIES: Final[Mapping[str, LiteralString]] = load_queries(__package__)

STEPS: Final = ("15min", "hour")
"""Values of the dashboard variable `step`."""

_FILTER: Final = re.compile(r"\$__timeFilter\((\w+)\)")
_LEFT: Final = re.compile(r"\$\{?\w+")


class UnknownMacroError(ValueError):
    """A statement uses a macro or variable that the dashboards do not have."""


def statement(name: str, language: Language = "zh") -> LiteralString:
    """A statement in a language of the dashboards."""
    text = QUERIES[name]
    return text if language == "zh" else text.replace("_zh", "_en")


def expand(
    text: str, *, park: str, begin: dt.datetime, end: dt.datetime, step: str = "15min", interval: str = "1m"
) -> str:
    """Replace macros and variables as Grafana's PostgreSQL data source does.

    Args:
        text: statement with macros.
        park: value of the variable `park`.
        begin: of the dashboard's time range.
        end: of the dashboard's time range.
        step: value of the variable `step`.
        interval: what `$__interval` stands for.

    Raises:
        UnknownMacroError: something is left that no dashboard replaces.
    """
    first, last = (moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") for moment in (begin, end))
    quoted = park.replace("'", "''")
    made = _FILTER.sub(rf"\1 BETWEEN '{first}' AND '{last}'", text)
    for macro, value in (
        ("$__timeFrom()", f"'{first}'"),
        ("$__timeTo()", f"'{last}'"),
        ("$__interval", interval),
        ("${park:sqlstring}", f"'{quoted}'"),
        ("${step:raw}", step),
    ):
        made = made.replace(macro, value)
    if left := _LEFT.search(made.replace(quoted, "")):
        raise UnknownMacroError(f"nothing replaces {left[0]} in: {text}")
    return made


def variants(name: str) -> tuple[str, ...]:
    """The steps that a statement is asked with; one where it does not depend on it."""
    return STEPS if "${step:raw}" in QUERIES[name] else STEPS[:1]
