"""`parkcarbon alarm shelve`: nobody is told of an alarm for a while; it ends by itself."""

import argparse

from parkcarbon.alarm.acts import act
from parkcarbon.alarm.listing import one_alarm

from .common import add_alarm, add_author, now, open_writing, park_of, tell, until


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_alarm(parser)
    parser.add_argument("--until", type=until, required=True, help="2h, 30min, or a time with its zone; at most 8 h")
    parser.add_argument("--comment", required=True, help="why; kept")
    add_author(parser)


async def run(options: argparse.Namespace) -> int:
    """Shelve it."""
    async with open_writing() as session:
        model = await park_of(session, options.park)
        await act(
            session,
            options.park,
            options.alarm,
            "shelve",
            person=options.author,
            comment=options.comment,
            until=options.until,
            now=now(),
        )
        found = await one_alarm(session, model, options.alarm, now=now())
    tell(found, model, as_json=options.json)
    return 0
