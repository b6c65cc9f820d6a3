"""`parkcarbon alarm list`: alarms that stand, or all of them."""

import argparse

from parkcarbon.alarm.listing import alarms

from .common import add_park, line, now, open_reading, park_of, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_park(parser)
    parser.add_argument("--state", choices=("standing", "all"), default="standing", help="which (default: standing)")
    parser.add_argument("--rule", help="of this rule alone")
    parser.add_argument("--limit", type=int, default=100, help="so many at most (default: 100)")
    parser.add_argument("--cursor", help="`next` of the list before")


async def run(options: argparse.Namespace) -> int:
    """List them, those that fired last first.

    Raises:
        ValueError: nothing is asked for.
    """
    if not 0 < options.limit <= 10_000:
        raise ValueError(f"--limit {options.limit} is not between 1 and 10,000")
    async with open_reading() as session:
        model = await park_of(session, options.park)
        found = await alarms(
            session,
            model,
            now=now(),
            state=options.state,
            rule=options.rule,
            cursor=options.cursor,
            limit=options.limit,
        )
    if options.json:
        say_json(found)
        return 0
    for alarm in found["alarms"]:
        say(line(alarm, model))
    if not found["alarms"]:
        say("no alarm stands" if options.state == "standing" else "there was no alarm")
    if found["next"]:
        say(f"more: --cursor {found['next']}")
    return 0
