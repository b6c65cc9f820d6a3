"""`python -m parkcarbon.cli.accounts VERB …`: find the verb's module and run it."""

import sys

from parkcarbon.cli.actions import run_action

from . import VERBS


def main() -> int:
    """Run one verb and return the exit code."""
    actions = {verb: (verb, what) for verb, what in VERBS.items()}
    return run_action("parkcarbon.cli.accounts", "parkcarbon", "The books of a park.", actions)


sys.exit(main())
