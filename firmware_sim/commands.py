"""`python -m firmware_sim prepare | run`: a park without hardware."""

import argparse
import asyncio
import csv
import datetime as dt
import json
import sys
from pathlib import Path


def _moment_ms(text: str) -> int:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no offset from UTC")
    return int(moment.timestamp() * 1000)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="firmware_sim", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    prepare = verbs.add_parser("prepare", help="write the files of a simulated park")
    prepare.add_argument("--scenario", default="jiangsu", help="one of ours, or the path of a .yaml file")
    prepare.add_argument("--seed", type=int, default=1, help="seed of loads, clouds and noise")
    prepare.add_argument("--dir", type=Path, required=True, help="folder of the park's files")
    prepare.add_argument("--now", type=_moment_ms, required=True, help="where the history ends (ISO 8601 with offset)")
    prepare.add_argument("--cloud-broker", required=True, help="URL of the broker on the cloud's side")
    prepare.add_argument("--park-broker", required=True, help="URL of the broker behind the gateway")
    prepare.add_argument("--history", action=argparse.BooleanOptionalAction, default=True, help="write the history")
    prepare.add_argument("--journal", action="store_true", help="let the agents journal what they kept")
    run = verbs.add_parser("run", help="serve the registers until SIGTERM")
    run.add_argument("--dir", type=Path, required=True, help="folder that prepare wrote")
    run.add_argument("--log", type=Path, help="where each answer is logged (default: DIR/answers.jsonl)")
    months = verbs.add_parser("months", help="print the energy of each month as CSV, for years before the history")
    months.add_argument("--scenario", default="jiangsu", help="one of ours, or the path of a .yaml file")
    months.add_argument("--seed", type=int, default=1, help="seed of loads, clouds and noise")
    months.add_argument("--from", dest="first", required=True, help="first month, YYYY-MM")
    months.add_argument("--to", dest="last", required=True, help="last month, YYYY-MM")
    return parser


def _months(options: argparse.Namespace) -> int:
    from .monthly import COLUMNS, months
    from .scenario import load_scenario, scenario_text

    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(months(load_scenario(scenario_text(options.scenario)), options.seed, options.first, options.last))
    return 0


def main() -> int:
    """Prepare or run a simulated park; return the exit code."""
    options = _parser().parse_args()
    if options.verb == "run":
        from .agent import serve

        asyncio.run(serve(options.dir, options.log))
        return 0
    if options.verb == "months":
        return _months(options)
    from .prepare import Order, prepare
    from .scenario import ScenarioError

    order = Order(
        scenario=options.scenario,
        seed=options.seed,
        folder=options.dir,
        now_ms=options.now,
        cloud_broker=options.cloud_broker,
        park_broker=options.park_broker,
        history=options.history,
        journal=options.journal,
    )
    try:
        counts = prepare(order)
    except ScenarioError as error:
        raise SystemExit(f"firmware_sim prepare: {error}") from None
    print(json.dumps({"readings": counts}))
    return 0
