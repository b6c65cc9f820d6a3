"""A command with actions in modules of their own: only the one that is asked for is loaded."""

import argparse
import asyncio
import importlib
import inspect
import sys
from collections.abc import Mapping

from parkcarbon.kit.log import configure

from .ending import ended


def run_action(package: str, name: str, what: str, actions: Mapping[str, tuple[str, str]]) -> int:
    """Run the action of the command line and return its exit code.

    Args:
        package: where the modules are; each has `describe(parser)` and `run(options)`.
        name: of the command, `parkcarbon alarm`.
        what: it is for.
        actions: module and description of each.
    """
    parser = argparse.ArgumentParser(prog=name, description=what)
    verbs = parser.add_subparsers(dest="action", required=True)
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    modules = {}
    for action, (module, purpose) in actions.items():
        added = verbs.add_parser(action, help=purpose, description=purpose)
        if action == asked:
            modules[action] = importlib.import_module(f".{module}", package)
            modules[action].describe(added)
    options = parser.parse_args()
    configure(level="warning")

    def work() -> int:
        done = modules[asked].run(options)
        return int(asyncio.run(done) if inspect.iscoroutine(done) else done)

    return ended(f"{name} {asked}", work)
