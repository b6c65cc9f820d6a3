"""What somebody may have meant: names near one that is not there."""

import difflib
from collections.abc import Collection
from itertools import islice
from typing import Final

HINTS: Final = 20
"""So many a document; comparing names takes time, and whoever misses more has another park in mind."""
_COMPARED: Final = 500
_SHOWN: Final = 8


class Hints:
    """Hints of one check."""

    def __init__(self) -> None:
        self._left = HINTS

    def near(self, name: str, known: Collection[str], *, shown: bool = False) -> str:
        """`; near it: …`, or what is known where `shown` and nothing is near; empty: no hint."""
        if self._left <= 0 or not known:
            return ""
        self._left -= 1
        head, _, tail = name.rpartition("/")
        alike = [one for one in known if one.startswith(head[:3] or name[:1]) or (tail and one.endswith(tail[-6:]))]
        found = difflib.get_close_matches(name, alike[:_COMPARED] or list(islice(known, _COMPARED)), n=3)
        if found:
            return f"; near it: {', '.join(found)}"
        return f"; known here: {', '.join(sorted(islice(known, _SHOWN)))}" if shown else ""
