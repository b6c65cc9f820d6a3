"""`parkcarbon statement key new|show`: the key that signs statements."""

import argparse
import datetime as dt
import sys
from pathlib import Path

from parkcarbon.statement.sign.documents import encode
from parkcarbon.statement.sign.json import rotate
from parkcarbon.statement.sign.keys import PUBLIC_FILE, ROTATION_FILE, load_key, make_key, write_key


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    does = parser.add_subparsers(dest="does", required=True)
    new = does.add_parser("new", help="make a key; none is ever overwritten")
    new.add_argument("--dir", type=Path, required=True, help="folder for the secret (mode 0400) and what is published")
    new.add_argument("--entity", required=True, help="organisation that signs, as PDF readers show it")
    new.add_argument("--replaces", type=Path, metavar="FILE", help="the key it comes after, which says so")
    new.add_argument("--reason", default="", help="why; with --replaces")
    show = does.add_parser("show", help="fingerprint and public halves of a key")
    show.add_argument("file", type=Path, help="secret file, or its folder")
    show.add_argument("--json", action="store_true", help="print what is published")


async def run(options: argparse.Namespace) -> int:
    """Make or show a key."""
    if options.does == "show":
        key = load_key(options.file)
        sys.stdout.write(encode(key.public()).decode() + "\n" if options.json else f"{key.fingerprint}\n")
        return 0
    now = dt.datetime.now(dt.UTC)
    old = None if options.replaces is None else load_key(options.replaces)
    if old is not None and not options.reason:
        print("parkcarbon statement key new: --replaces needs --reason", file=sys.stderr)
        return 2
    key = make_key(options.entity, now=now)
    path = write_key(key, options.dir)
    print(f"secret:       {path} (mode 0400; back it up where nobody else reads it)")
    print(f"to publish:   {options.dir / PUBLIC_FILE}")
    if old is not None:
        record = options.dir / ROTATION_FILE
        record.write_bytes(rotate(old, key, at=now, reason=options.reason))
        print(f"rotation:     {record} (signed by {old.fingerprint[:16]}…; publish it too)")
    print(f"fingerprint:  {key.fingerprint}")
    print("Give the fingerprint to auditors on another way than the statements.")
    return 0
