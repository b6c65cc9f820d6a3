"""`parkcarbon alarm acknowledge|comment|unshelve|out-of-service|in-service`: what people do with an alarm."""

import argparse
from typing import cast

from parkcarbon.alarm.acts import act
from parkcarbon.alarm.listing import one_alarm
from parkcarbon.domain.alarm.decide import Act

from .common import add_alarm, add_author, now, open_writing, park_of, tell


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_alarm(parser)
    parser.add_argument("--comment", default="", help="why; needed to comment and to take out of service")
    add_author(parser)


async def run(options: argparse.Namespace) -> int:
    """Do it."""
    deed = cast("Act", options.action.replace("-", "_"))
    async with open_writing() as session:
        model = await park_of(session, options.park)
        await act(session, options.park, options.alarm, deed, person=options.author, comment=options.comment, now=now())
        found = await one_alarm(session, model, options.alarm, now=now())
    tell(found, model, as_json=options.json)
    return 0
