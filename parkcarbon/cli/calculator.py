"""`parkcarbon calc` by itself: it needs no database, no log and no event loop, so it starts in half the time."""

import argparse
import sys

from . import accounts
from .accounts import calc


def main() -> int:
    """Calculate one file and return the exit code."""
    parser = argparse.ArgumentParser(prog="parkcarbon calc", description=accounts.VERBS["calc"])
    calc.describe(parser)
    try:
        return calc.calculate_file(parser.parse_args())
    except (ValueError, OSError) as error:
        sys.stderr.write(f"parkcarbon calc: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
