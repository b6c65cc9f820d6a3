"""`parkcarbon alarm silence`: nobody is told of matching alarms for a time."""

import argparse

from parkcarbon.alarm.silences import silence

from .common import add_author, add_park, now, open_writing, park_of, say, say_json, until


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_park(parser)
    what = "label=pattern, as in device=inv-*; all must fit; rule, kind, subject, priority, device, source, tenant"
    parser.add_argument("--match", action="append", required=True, metavar="LABEL=PATTERN", help=what)
    parser.add_argument("--begin", type=until, help="2h from now, or a time with its zone (default: now)")
    parser.add_argument("--end", type=until, required=True, help="4h from now, or a time with its zone")
    parser.add_argument("--comment", required=True, help="why; kept")
    add_author(parser)


async def run(options: argparse.Namespace) -> int:
    """Silence them.

    Raises:
        ValueError: a match is not LABEL=PATTERN, or says a label twice.
    """
    match: dict[str, str] = {}
    for item in options.match:
        label, equals, pattern = item.partition("=")
        if not equals or label in match:
            raise ValueError(f"--match {item!r}: {f'{label} is there twice' if equals else 'not LABEL=PATTERN'}")
        match[label] = pattern
    async with open_writing() as session:
        await park_of(session, options.park)
        found = await silence(
            session,
            options.park,
            match,
            begin=options.begin,
            end=options.end,
            author=options.author,
            comment=options.comment,
            now=now(),
        )
    if options.json:
        say_json(found)
    else:
        say(f"silence {found['id']} until {found['end'].isoformat()}; alarm unsilence {found['id']} ends it")
    return 0
