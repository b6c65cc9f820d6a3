"""`python -m parkcarbon.cli.statement ACTION …`: find the action's module and run it."""

import argparse
import asyncio
import importlib
import os
import sys

from parkcarbon.domain.refusal import RefusedError

from . import ACTIONS


def main() -> int:
    """Run one action and return the exit code: 0 done, 1 refused or different, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="parkcarbon statement", description="The statements of a park.")
    actions = parser.add_subparsers(dest="action", required=True)
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    modules = {}
    for action, what in ACTIONS.items():
        added = actions.add_parser(action, help=what, description=what)
        if action == asked:
            modules[action] = importlib.import_module(f".{action}", __package__)
            modules[action].describe(added)
    options = parser.parse_args()
    try:
        return int(asyncio.run(modules[options.action].run(options)))
    except BrokenPipeError:  # `… | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (RefusedError, ValueError, OSError) as error:
        print(f"parkcarbon statement {options.action}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
