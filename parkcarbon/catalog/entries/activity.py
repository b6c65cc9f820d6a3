"""Activity data that is entered: fuel, refrigerant, process, steam, cooling, scope 3."""

from typing import Final

from msgspec import Struct

KINDS: Final[dict[str, type[Struct]]] = {}
