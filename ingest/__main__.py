"""Command line of ingest: run the receiver, migrate, and everything that changes facts."""

import argparse
import asyncio
import random
import signal
import sys

from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import DatabaseError
from parkcarbon.kit.log import configure

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

    agent = Agent(read_config(), SystemClock(), random.Random())  # noqa: S311 - jitter of waiting times
    task = asyncio.ensure_future(agent.run())
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return


def main() -> int:
    """Run one verb and return the exit code."""
    options = _parser().parse_args()
    configure()
    try:
        if options.verb == "run":
            asyncio.run(_run())
            return 0
        return asyncio.run(VERBS[options.verb](options))
    except (ConfigError, VerbError, MigrationError, DatabaseError) as error:
        print(f"ingest {options.verb}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
