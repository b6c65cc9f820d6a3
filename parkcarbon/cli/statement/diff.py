"""`parkcarbon statement diff`: figures that differ between two versions."""

import argparse

from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.lifecycle.diff import compared

from .common import add_park, open_reading, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_park(parser)
    parser.add_argument("before", help="a statement: its number in the list, or 2026-10/V1")
    parser.add_argument("statement", help="the other one, the later")


async def run(options: argparse.Namespace) -> int:
    """Compare; exit code 1 where something differs."""
    async with open_reading() as session:
        before = await store.find(session, options.park, options.before)
        after = await store.find(session, options.park, options.statement)
        left = await store.record_of(session, before)
        right = await store.record_of(session, after)
    found = compared(before, left, after, right)
    if options.json:
        say_json(found)
        return 0 if found["identical"] else 1
    say(f"{before.number} V{before.version} against {after.number} V{after.version}")
    for item in found["figures"]:
        label = item["label"]["en"] or item["figure"]
        say(f"  {label}: {item['before'] or '–'} → {item['after'] or '–'} {item['unit']}  [{item['figure']}]")
    for part in found["parts"]:
        say(f"  {part} differs")
    if found["identical"]:
        say("  nothing differs")
    return 0 if found["identical"] else 1
