"""`parkcarbon statement list`: every statement with its state."""

import argparse

from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.lifecycle.tasks import settings_of

from .common import add_park, line, open_reading, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_park(parser)
    parser.add_argument("--period", help="of this month or year alone")
    parser.add_argument("--kind", choices=("flash", "statement", "annual"), help="of this kind alone")


async def run(options: argparse.Namespace) -> int:
    """List them, the newest period first.

    Raises:
        LookupError: there is no such park.
    """
    async with open_reading() as session:
        await settings_of(session, options.park)
        found = await store.listed(session, options.park, period=options.period, kind=options.kind)
    if options.json:
        say_json({"statements": [item.document() for item in found]})
        return 0
    for item in found:
        say(line(item))
    return 0
