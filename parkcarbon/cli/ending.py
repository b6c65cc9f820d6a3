"""How a command ends: with its exit code, or with one line for what a person or a server did wrong."""

import os
import sys
from collections.abc import Callable

from parkcarbon.domain.refusal import RefusedError


def ended(name: str, work: Callable[[], int]) -> int:
    """Do the work of a command and return its exit code; 1 with one line on standard error where it was refused.

    Args:
        name: what the line begins with.
        work: does it.
    """
    try:
        return work()
    except BrokenPipeError:  # `… | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if not _is_an_answer(error):
            raise
        print(f"{name}: {error}", file=sys.stderr)
        return 1


def _is_an_answer(error: Exception) -> bool:
    """True for what a person or a server did wrong; everything else is a fault of ours and is shown whole."""
    database = sys.modules.get("parkcarbon.kit.db")  # `calc` and `verify` run without a database client
    known = (RefusedError, ValueError, LookupError, OSError) + ((database.DatabaseError,) if database else ())
    return isinstance(error, known) and not isinstance(error, (KeyError, IndexError))
