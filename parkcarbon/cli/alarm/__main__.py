"""`python -m parkcarbon.cli.alarm ACTION …`: find the action's module and run it."""

import argparse
import asyncio
import importlib
import inspect
import sys

from parkcarbon.cli.ending import ended
from parkcarbon.kit.log import configure

from . import ACTIONS


def main() -> int:
    """Run one action and return the exit code."""
    parser = argparse.ArgumentParser(prog="parkcarbon alarm", description="Alarms of a park and their rules.")
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

    def work() -> int:
        done = modules[options.action].run(options)
        return int(asyncio.run(done) if inspect.iscoroutine(done) else done)

    return ended(f"parkcarbon alarm {options.action}", work)


if __name__ == "__main__":
    sys.exit(main())
