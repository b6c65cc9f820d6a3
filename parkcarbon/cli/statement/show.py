"""`parkcarbon statement show`: one statement, or its record as JSON."""

import argparse
import sys

from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.record import encode

from .common import add_statement, open_reading, say, tell


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_statement(parser)
    parser.add_argument("--record", action="store_true", help="the record itself, canonical JSON, nothing else")


async def run(options: argparse.Namespace) -> int:
    """Show it."""
    async with open_reading() as session:
        found = await store.find(session, options.park, options.statement)
        record = await store.record_of(session, found)
    if options.record:
        sys.stdout.buffer.write(encode(record))
        return 0
    if not options.json:
        say(record.verdict.sentence.zh)
        say(record.verdict.sentence.en)
    tell(found, as_json=options.json)
    return 0
