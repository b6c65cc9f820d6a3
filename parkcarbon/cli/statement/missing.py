"""`parkcarbon statement missing`: what a month waits for."""

import argparse

import msgspec

from parkcarbon.statement.lifecycle.prepare import missing_now

from .common import add_park, now, open_reading, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_park(parser)
    parser.add_argument("--month", "--period", required=True, help="2026-10, or a year")


async def run(options: argparse.Namespace) -> int:
    """List it; exit code 1 where something is missing."""
    async with open_reading() as session:
        found = await missing_now(session, options.park, options.month, now=now())
    if options.json:
        say_json({"period": options.month, "missing": msgspec.to_builtins(found)})
        return 1 if found else 0
    for item in found:
        say(f"{item.item}: {item.text.en} ({item.text.zh}), owed by {item.owner}, due {item.due}")
    if not found:
        say(f"nothing is missing for {options.month}")
    return 1 if found else 0
