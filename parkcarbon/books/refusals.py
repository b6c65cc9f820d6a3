"""Rules that the database itself enforces come out as refusals, like those that Python enforces.

A trigger refuses with `raise exception 'rule 6.9: …' using errcode = 'PR001'`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import RejectedError

REFUSED: Final = "PR001"
"""SQLSTATE of a refusal by a rule."""

_SERIALS = re.compile(r"\[(\d+),(\d+)\)")  # as the database prints a range: the first, and the one after the last
_RULE = re.compile(r"rule ([0-9.]+): (.*)", re.DOTALL)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what a trigger refuses into a `RefusedError`; everything else passes as it is."""
    try:
        yield
    except RejectedError as error:
        if error.sqlstate != REFUSED:
            raise
        text = _SERIALS.sub(_first_to_last, str(error).removeprefix(f"{REFUSED} "))
        found = _RULE.fullmatch(text)
        raise RefusedError(found[1] if found else "", found[2] if found else text) from error


def _first_to_last(found: re.Match[str]) -> str:
    first, last = int(found[1]), int(found[2]) - 1
    return str(first) if first == last else f"{first} to {last}"
