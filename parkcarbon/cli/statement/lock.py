"""`parkcarbon statement lock`: close the month of an issued statement."""

import argparse

from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.lifecycle.lock import lock

from .common import add_author, add_statement, open_desk, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_statement(parser)
    parser.add_argument("--override", action="store_true", help="close over what is open or missing; needs --reason")
    parser.add_argument("--reason", default="", help="why; kept for the auditor")
    add_author(parser)


async def run(options: argparse.Namespace) -> int:
    """Lock it."""
    async with open_desk(settled=True) as desk:
        statement = await store.find(desk.session, options.park, options.statement)
        done = await lock(
            desk.database,
            desk.session,
            statement,
            as_of=desk.as_of,
            now=desk.now,
            person=options.author,
            reason=options.reason,
            override=options.override,
        )
    if options.json:
        say_json({"period": done.period, "version": done.version, "digest": done.digest.hex(), "as_of": done.as_of})
    else:
        say(f"{done.period} locked, version {done.version}, sha256 {done.digest.hex()}")
    return 0
