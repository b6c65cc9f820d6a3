"""Command line of the gateway: run the relay, or import files (`gateway.importing` tells how).

Results go to standard output, logs to standard error.
"""

import argparse
import sys
from pathlib import Path

from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.log import configure
from parkcarbon.kit.outbox import OutboxError
from parkcarbon.kit.service import run_service
from parkcarbon.kit.settings import SettingsError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gateway", description="Park gateway of ParkCarbon.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="relay batches of many sources over one uplink, until SIGTERM")
    run.add_argument("config", type=Path, help="YAML file")
    verbs.add_parser("import", add_help=False, help="take interval or register data from CSV through the custody path")
    return parser


def _run(path: Path) -> int:
    from .agent import rng_of, run
    from .config import load_config

    config = load_config(path)

    async def work() -> None:
        await run(config, clock=SystemClock(), rng=rng_of(config))

    return run_service(work)


def main() -> int:
    """Run one verb and return the exit code."""
    options, rest = _parser().parse_known_args()
    configure()
    if options.verb == "import":
        from .importing import main as import_files

        return import_files(rest)
    if rest:
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return _run(options.config)
    except (SettingsError, OutboxError, OSError) as error:
        print(f"gateway {options.verb}: {error}", file=sys.stderr)
        return 1
