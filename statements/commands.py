"""Command line of the statements process: run it."""

import argparse
import os
import random
import sys

from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import DatabaseError
from parkcarbon.kit.log import configure
from parkcarbon.kit.service import run_service
from parkcarbon.kit.settings import from_environment

from .anchors.settings import AnchorSettings
from .config import SettingsError, read_config


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="statements", description="Prepares, signs, delivers and locks statements.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("run", help="look, do, send, seal, until SIGTERM")
    return parser


async def _run() -> None:
    from .service import Service

    anchors = from_environment(AnchorSettings, os.environ)
    rng = random.Random()  # noqa: S311 - jitter of waiting times
    await Service(read_config(), SystemClock(), rng, anchors).run()


def main() -> int:
    """Run one verb and return the exit code."""
    options = _parser().parse_args()
    configure()
    try:
        return run_service(_run)
    except (SettingsError, DatabaseError, ValueError) as error:
        print(f"statements {options.verb}: {error}", file=sys.stderr)
        return 1
