"""What the actions share: which statement, who acts, how one is told."""

import argparse
import datetime as dt
import getpass
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from parkcarbon.books.refusals import refusals
from parkcarbon.cli.accounts.common import add_park, now, open_database, open_reading, say, say_json
from parkcarbon.kit.db import Database, Session
from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.lifecycle.issue import file_name
from parkcarbon.statement.lifecycle.prepare import settle
from parkcarbon.statement.lifecycle.store import Statement

__all__ = [
    "Desk",
    "add_author",
    "add_park",
    "add_statement",
    "line",
    "now",
    "open_desk",
    "open_reading",
    "say",
    "say_json",
    "tell",
]


@dataclass(frozen=True, slots=True)
class Desk:
    """A transaction that may write, the database beside it that snapshots are read from, and the time.

    Attributes:
        session: the transaction.
        database: for connections of their own.
        now: time of now.
        as_of: moment of knowledge; `now` where nothing is to be frozen.
    """

    session: Session
    database: Database
    now: dt.datetime
    as_of: dt.datetime


@asynccontextmanager
async def open_desk(*, settled: bool = False) -> AsyncGenerator[Desk]:
    """Open both; what a trigger refuses by a rule comes out as `RefusedError`.

    Args:
        settled: True where something is to be frozen: the log is sealed first.

    Raises:
        ValueError: PARKCARBON_DATABASE_URL names no database.
    """
    async with open_database() as database:
        moment = now()
        as_of = await settle(database, now=moment) if settled else moment
        with refusals():
            async with database.transaction() as session:
                yield Desk(session, database, moment, as_of)


def add_statement(parser: argparse.ArgumentParser) -> None:
    """`--park`, `--json` and which statement."""
    add_park(parser)
    parser.add_argument("statement", help="its number in the list, or 2026-10, 2026-10/V1, 2026-10-F, PC-park-2026-10")


def add_author(parser: argparse.ArgumentParser) -> None:
    """`--author` of whoever acts."""
    parser.add_argument(
        "--author", "--person", default=getpass.getuser(), help="who acts and is named on it (default: the user)"
    )


def line(statement: Statement) -> str:
    """A statement in one line."""
    count = len(statement.missing)
    pending = f", {count} item{'s' * (count > 1)} missing" if count else ""
    when = f" on {store.iso(statement.issued_at)}" if statement.issued_at else ""
    return (
        f"{statement.statement_id}  {statement.number} V{statement.version}  {statement.kind} of {statement.period}:"
        f" {statement.state}{when}, {statement.verdict.replace('_', ' ')}{pending}"
    )


def tell(statement: Statement, *, as_json: bool) -> None:
    """Print a statement as it stands, and what has to happen next."""
    if as_json:
        say_json(statement.document())
        return
    say(line(statement))
    say(f"  sha256 {statement.digest}, as known on {store.iso(statement.as_of)}")
    if statement.supersedes is not None:
        say(f"  takes the place of statement {statement.supersedes}: {statement.reason}")
    for item in statement.missing:
        say(f"  missing: {item.text.en} ({item.text.zh}), owed by {item.owner}, due {item.due}")
    for act in statement.document()["acts"]:
        comment = f": {act['comment']}" if act["comment"] else ""
        say(f"  {act['at']} {act['act']} by {act['person'] or store.SCHEDULER}{comment}")
    for filed in statement.files:
        say(f"  {file_name(statement, filed.name)}  {filed.bytes:,} bytes, sha256 {filed.digest}")
    if statement.waits_for:
        say(f"  not issued yet: {statement.waits_for}")
