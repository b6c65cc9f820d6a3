"""`parkcarbon statement issue`: freeze the statement of a period."""

import argparse

from parkcarbon.statement.lifecycle.issue import issue
from parkcarbon.statement.lifecycle.prepare import Wanted, prepare
from parkcarbon.statement.lifecycle.signer import signer_at_hand
from parkcarbon.statement.lifecycle.tasks import settings_of

from .common import add_author, add_park, open_desk, tell


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_park(parser)
    parser.add_argument("--month", "--period", required=True, help="2026-10; with --kind annual a year, 2026")
    parser.add_argument(
        "--kind",
        choices=("flash", "statement", "annual"),
        default="statement",
        help="flash: metered data without verdict, issued at once (default: statement)",
    )
    add_author(parser)


async def run(options: argparse.Namespace) -> int:
    """Prepare it; a flash report is issued too, where the signing key is at hand."""
    signer = signer_at_hand()
    wanted = Wanted(park=options.park, period=options.month, kind=options.kind, person=options.author)
    async with open_desk(settled=True) as desk:
        made = await prepare(desk.database, desk.session, wanted, as_of=desk.as_of, now=desk.now)
        if made.kind == "flash" and signer is not None:
            settings = await settings_of(desk.session, options.park)
            made = await issue(desk.session, made, signer, recipients=settings.recipients, person=options.author)
    tell(made, as_json=options.json)
    return 0
