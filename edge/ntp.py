"""Ask Linux whether its clock is synchronised."""

import ctypes
import sys
from functools import cache

_TIME_ERROR = 5
"""What adjtimex(2) returns while the clock is not synchronised."""


def synchronised() -> bool:
    """Return whether the kernel says that the clock is synchronised; True where it cannot be asked."""
    adjtimex = _adjtimex()
    if adjtimex is None:
        return True
    timex = ctypes.create_string_buffer(512)  # struct timex with modes = 0: only ask
    return bool(adjtimex(timex) != _TIME_ERROR)


@cache
def _adjtimex() -> "ctypes._NamedFuncPointer | None":
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "adjtimex", None)
