"""A stop in the first moments of a process: before its services run, there is nothing to clean up.

Imports nothing heavy: a process calls it before its other imports. `kit.service` takes over when the services start.
"""

import os
import signal
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn


def end_cleanly(arguments: Sequence[str]) -> None:
    """Let SIGTERM and SIGINT end a service (`… run …`) with exit code 0 from now on; other verbs were cut short.

    Args:
        arguments: command line, the program first.
    """
    if "run" in arguments[1:2]:
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGINT, _end)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    # No exception: raised in a callback, as imports and the garbage collector have them, it would be lost.
    os._exit(0)
