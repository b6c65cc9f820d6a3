"""Command line of ingest: run the receiver, migrate, and everything that changes facts."""

import argparse
import asyncio
import random
import sys

from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import DatabaseError
from parkcarbon.kit.log import configure
from parkcarbon.kit.service import run_service

from .config import ConfigError, read_config
from .migrate import MigrationError
from .verbs import VERBS, VerbError, add_verbs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ingest", description="Custody receiver of ParkCarbon.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("run", help="receive, commit, answer, until SIGTERM")
    add_verbs(verbs)
    return parser


async def _run() -> None:
    from .agent import Agent

    await Agent(read_config(), SystemClock(), random.Random()).run()  # noqa: S311 - jitter of waiting times


def main() -> int:
    """Run one verb and return the exit code."""
    options = _parser().parse_args()
    configure()
    try:
        if options.verb == "run":
            return run_service(_run)
        return asyncio.run(VERBS[options.verb](options))
    except (ConfigError, VerbError, MigrationError, DatabaseError) as error:
        print(f"ingest {options.verb}: {error}", file=sys.stderr)
        return 1
