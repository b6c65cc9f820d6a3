"""`python -m parkcarbon.cli.accounts VERB …`: find the verb's module and run it."""

import argparse
import asyncio
import importlib
import sys

from parkcarbon.cli.ending import ended
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
    return ended(f"parkcarbon {options.verb}", lambda: int(asyncio.run(modules[options.verb].run(options))))


sys.exit(main())
