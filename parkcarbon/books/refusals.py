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

_RULE = re.compile(r"rule ([0-9.]+): (.*)", re.DOTALL)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what a trigger refuses into a `RefusedError`; everything else passes as it is."""
    try:
        yield
    except RejectedError as error:
        if error.sqlstate != REFUSED:
            raise
        text = str(error).removeprefix(f"{REFUSED} ")
        found = _RULE.fullmatch(text)
        raise RefusedError(found[1] if found else "", found[2] if found else text) from error
