"""`python -m parkcarbon.cli.statement ACTION …`: find the action's module and run it."""

import argparse
import asyncio
import importlib
import inspect
import os
import sys

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.log import configure

from . import ACTIONS


def main() -> int:
    """Run one action and return the exit code."""
    parser = argparse.ArgumentParser(prog="parkcarbon statement", description="Statements of a park.")
    actions = parser.add_subparsers(dest="action", required=True)
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    modules = {}
    for action, (module, what) in ACTIONS.items():
        added = actions.add_parser(action, help=what, description=what)
        if action == asked:
            modules[action] = importlib.import_module(f".{module}", __package__)
            modules[action].describe(added)
    options = parser.parse_args()
    configure(level="warning")
    try:
        done = modules[options.action].run(options)
        return int(asyncio.run(done) if inspect.iscoroutine(done) else done)
    except BrokenPipeError:  # `… | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if not _is_an_answer(error):
            raise
        print(f"parkcarbon statement {options.action}: {error}", file=sys.stderr)
        return 1


def _is_an_answer(error: Exception) -> bool:
    """True for what a person or a server did wrong; everything else is a fault of ours and is shown whole."""
    database = sys.modules.get("parkcarbon.kit.db")  # `verify` runs without a database client
    known = (RefusedError, ValueError, LookupError, OSError) + ((database.DatabaseError,) if database else ())
    return isinstance(error, known) and not isinstance(error, (KeyError, IndexError))


if __name__ == "__main__":
    sys.exit(main())
