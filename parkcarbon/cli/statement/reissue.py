"""`parkcarbon statement reissue`: a new version in the place of an issued one."""

import argparse

from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.lifecycle.reissue import reissue

from .common import add_author, add_statement, open_desk, say, say_json, tell


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_statement(parser)
    parser.add_argument("--reason", required=True, help="why; printed on every page")
    add_author(parser)


async def run(options: argparse.Namespace) -> int:
    """Prepare the new version and tell what changed."""
    async with open_desk(settled=True) as desk:
        before = await store.find(desk.session, options.park, options.statement)
        made, changes = await reissue(
            desk.database,
            desk.session,
            before,
            person=options.author,
            reason=options.reason,
            as_of=desk.as_of,
            now=desk.now,
        )
    if options.json:
        say_json(made.document() | {"changes": [change.document() for change in changes]})
        return 0
    tell(made, as_json=False)
    for change in changes:
        say(f"  {change.figure}: {change.before or '–'} → {change.after or '–'} {change.unit}")
    return 0
