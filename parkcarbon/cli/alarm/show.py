"""`parkcarbon alarm show`: one alarm with what people did and what was sent; its curve with `--json`."""

import argparse

from parkcarbon.alarm.curve import curve_of
from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.listing import one_alarm

from .common import add_alarm, now, open_reading, park_of, tell


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_alarm(parser)


async def run(options: argparse.Namespace) -> int:
    """Show it."""
    async with open_reading() as session:
        model = await park_of(session, options.park)
        found = await one_alarm(session, model, options.alarm, now=now())
        if options.json:
            found |= {"curve": await curve_of(session, model, KINDS, found, now=now())}
    tell(found, model, as_json=options.json)
    return 0
