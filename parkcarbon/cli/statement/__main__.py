"""`python -m parkcarbon.cli.statement ACTION …`: find the action's module and run it."""

import sys

from parkcarbon.cli.actions import run_action

from . import ACTIONS


def main() -> int:
    """Run one action and return the exit code."""
    return run_action("parkcarbon.cli.statement", "parkcarbon statement", "Statements of a park.", ACTIONS)


if __name__ == "__main__":
    sys.exit(main())
