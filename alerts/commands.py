"""Command line of the alerts process: run it."""

import argparse
import os
import random
import sys

from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import DatabaseError
from parkcarbon.kit.log import configure
from parkcarbon.kit.service import run_service

from .config import SettingsError, read_config


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="alerts", description="Evaluates alarm rules and tells people.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("run", help="look, decide, tell, until SIGTERM")
    return parser


async def _run() -> None:
    from .channels.settings import Channels
    from .service import Service

    clock = SystemClock()
    rng = random.Random()  # noqa: S311 - jitter of waiting times
    await Service(read_config(), clock, rng, Channels(os.environ, clock)).run()


def main() -> int:
    """Run one verb and return the exit code."""
    options = _parser().parse_args()
    configure()
    try:
        return run_service(_run)
    except (SettingsError, DatabaseError, ValueError) as error:
        print(f"alerts {options.verb}: {error}", file=sys.stderr)
        return 1
