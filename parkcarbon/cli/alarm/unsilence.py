"""`parkcarbon alarm unsilence`: end a silence before its time."""

import argparse

from parkcarbon.alarm.silences import end_silence

from .common import add_author, add_park, now, open_writing, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_park(parser)
    parser.add_argument("silence", type=int, help="its number, as `alarm silences` lists it")
    add_author(parser)


async def run(options: argparse.Namespace) -> int:
    """End it."""
    async with open_writing() as session:
        found = await end_silence(session, options.park, options.silence, options.author, now=now())
    if options.json:
        say_json(found)
    else:
        say(f"silence {found['id']} ended by {found['ended_by']}")
    return 0
