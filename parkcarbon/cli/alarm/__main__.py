"""`python -m parkcarbon.cli.alarm ACTION …`: find the action's module and run it."""

import sys

from parkcarbon.cli.actions import run_action

from . import ACTIONS


def main() -> int:
    """Run one action and return the exit code."""
    return run_action("parkcarbon.cli.alarm", "parkcarbon alarm", "Alarms of a park and their rules.", ACTIONS)


if __name__ == "__main__":
    sys.exit(main())
