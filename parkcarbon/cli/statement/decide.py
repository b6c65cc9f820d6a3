"""`parkcarbon statement comment|review|approve|reject`: what people do with a prepared statement."""

import argparse

from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.lifecycle.acts import act
from parkcarbon.statement.lifecycle.issue import issue
from parkcarbon.statement.lifecycle.signer import signer_at_hand
from parkcarbon.statement.lifecycle.tasks import settings_of

from .common import Desk, add_author, add_statement, open_desk, tell


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_statement(parser)
    parser.add_argument("--comment", default="", help="what is said; needed to comment and to reject")
    parser.add_argument("--digest", default="", help="sha256 of the content that was read: another one is refused")
    add_author(parser)


async def run(options: argparse.Namespace) -> int:
    """Do it; what is approved is issued where the signing key is at hand."""
    signer = signer_at_hand() if options.action == "approve" else None
    async with open_desk() as desk:
        found = await _act(desk, options)
        if signer is not None:
            settings = await settings_of(desk.session, found.park)
            found = await issue(desk.session, found, signer, recipients=settings.recipients, person=options.author)
    tell(found, as_json=options.json)
    return 0


async def _act(desk: Desk, options: argparse.Namespace) -> store.Statement:
    statement = await store.find(desk.session, options.park, options.statement)
    return await act(
        desk.session,
        statement,
        options.action,
        person=options.author,
        comment=options.comment,
        digest=options.digest,
    )
