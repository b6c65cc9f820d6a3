"""Bills, state of charge, and other facts about meters that are entered by hand."""

from typing import Final

from msgspec import Struct

KINDS: Final[dict[str, type[Struct]]] = {}
