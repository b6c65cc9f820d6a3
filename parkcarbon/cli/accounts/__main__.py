"""`python -m parkcarbon.cli.accounts VERB …`: find the verb's module and run it."""

import argparse
import asyncio
import importlib
import os
import sys

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.log import configure

from . import VERBS


def main() -> int:
    """Run one verb and return the exit code."""
    parser = argparse.ArgumentParser(prog="parkcarbon", description="The books of a park.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    modules = {}
    for verb, what in VERBS.items():
        added = verbs.add_parser(verb, help=what, description=what)
        if verb == asked:
            modules[verb] = importlib.import_module(f".{verb}", __package__)
            modules[verb].describe(added)
    options = parser.parse_args()
    configure(level="warning")
    try:
        return int(asyncio.run(modules[options.verb].run(options)))
    except BrokenPipeError:  # `… | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if not _is_an_answer(error):
            raise
        print(f"parkcarbon {options.verb}: {error}", file=sys.stderr)
        return 1


def _is_an_answer(error: Exception) -> bool:
    """True for what a person or a server did wrong; everything else is a fault of ours and is shown whole."""
    database = sys.modules.get("parkcarbon.kit.db")  # `calc` runs without a database client
    known = (RefusedError, ValueError, LookupError, OSError) + ((database.DatabaseError,) if database else ())
    return isinstance(error, known) and not isinstance(error, (KeyError, IndexError))


sys.exit(main())
