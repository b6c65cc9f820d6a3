"""Entries: what people enter beside the meters, one Struct a kind. A fact once entered is only ever superseded.

`KINDS` maps the kind to its Struct; `decode_entry` checks a document against it and names every problem.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from parkcarbon.catalog.strict import document_problems

from . import activity, allowance, management, metering

KINDS: Final[dict[str, type[Struct]]] = {**activity.KINDS, **management.KINDS, **metering.KINDS, **allowance.KINDS}


class EntryError(ValueError):
    """An entry's document is wrong; `problems` holds one line for each place."""

    def __init__(self, kind: str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{kind}: {problem}" for problem in problems))


def decode_entry(kind: str, document: Any) -> Struct:
    """Check a document against its kind and return it typed.

    Raises:
        EntryError: unknown kind, or any member that does not fit, all at once.
    """
    if kind not in KINDS:
        raise EntryError(kind, [f"no such kind of entry; there are {', '.join(sorted(KINDS))}"])
    if problems := list(document_problems(document, KINDS[kind])):
        raise EntryError(kind, problems)
    return msgspec.convert(document, KINDS[kind])
