"""`parkcarbon alarm silences`: silences that are on or to come."""

import argparse

from parkcarbon.alarm.silences import silences

from .common import add_park, now, open_reading, park_of, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_park(parser)
    parser.add_argument("--over", action="store_true", help="those that are over too")


async def run(options: argparse.Namespace) -> int:
    """List them, the newest first."""
    async with open_reading() as session:
        model = await park_of(session, options.park)
        found = await silences(session, options.park, now=now(), over=options.over)
    if options.json:
        say_json({"silences": found})
        return 0
    for item in found:
        state = "on" if item["active"] else f"ended by {item['ended_by']}" if item["ended_at"] else "not on"
        first, last = (f"{item[name].astimezone(model.zone):%Y-%m-%d %H:%M}" for name in ("begin", "end"))
        match = ", ".join(f"{name}={pattern}" for name, pattern in item["match"].items())
        say(f"{item['id']}: {state}, {first} to {last}, {match}: {item['comment']} ({item['author']})")
    return 0
