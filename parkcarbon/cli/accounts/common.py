"""What the verbs of the books share: the database, the arguments that say who decides, and how answers are printed."""

import argparse
import datetime as dt
import getpass
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from parkcarbon.books.facts import QUERIES
from parkcarbon.books.inventory import refuse_unsettled
from parkcarbon.books.refusals import refusals
from parkcarbon.catalog.strict import load_yaml
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import Database, Session, from_ms


@asynccontextmanager
async def open_database() -> AsyncGenerator[Database]:
    """Connect to the database that PARKCARBON_DATABASE_URL names.

    Raises:
        ValueError: it names none.
    """
    url = os.environ.get("PARKCARBON_DATABASE_URL")
    if not url:
        raise ValueError("PARKCARBON_DATABASE_URL is not set; with the demo: parkcarbon --env DIR/parkcarbon.env …")
    async with await Database.connect(url, max_size=2) as database:
        yield database


@asynccontextmanager
async def open_reading() -> AsyncGenerator[Session]:
    """A transaction that sees one moment of the database throughout.

    Raises:
        ValueError: PARKCARBON_DATABASE_URL names no database.
    """
    async with open_database() as database, database.transaction() as session:
        await session.execute(QUERIES["one_snapshot"])
        yield session


@asynccontextmanager
async def open_writing() -> AsyncGenerator[Session]:
    """A transaction that enters something; what a trigger refuses by a rule comes out as `RefusedError`.

    Raises:
        ValueError: PARKCARBON_DATABASE_URL names no database.
    """
    async with open_database() as database:
        with refusals():
            async with database.transaction() as session:
                yield session


def now() -> dt.datetime:
    """Time of now."""
    return from_ms(SystemClock().now_ms())


def add_park(parser: argparse.ArgumentParser) -> None:
    """`--park` and `--json`."""
    parser.add_argument("--park", required=True, help="park id")
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_decision(parser: argparse.ArgumentParser, *, reason_needed: bool = True) -> None:
    """`--author` and `--reason` of whoever decides."""
    parser.add_argument("--author", default=getpass.getuser(), help="who decides (default: the user)")
    parser.add_argument("--reason", default="", required=reason_needed, help="why; kept for the auditor")


def moment(text: str) -> dt.datetime:
    """Parse a moment of an argument; one without a zone is refused."""
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 2026-10-05T14:00:00+08:00") from None
    if value.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no time zone; add Z or an offset")
    return value


def day(text: str) -> dt.date:
    """Parse a day of an argument."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day like 2026-10-05") from None


def known_by(as_of: dt.datetime | None, always: dt.datetime) -> dt.datetime:
    """The moment of knowledge that was asked for, `always` where none was.

    Raises:
        RefusedError: it is newer than a minute ago.
    """
    if as_of is None:
        return always
    refuse_unsettled(now(), as_of)
    return as_of


def read_document(name: str) -> Any:
    """Parse a file of YAML or JSON; `-` is standard input.

    Raises:
        ValueError: it is neither, or says a member twice.
    """
    text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    try:
        return load_yaml(text)
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise ValueError(f"{where}: not YAML or JSON: {problem or error}") from error


def say(text: str) -> None:
    """Print a line of the answer."""
    sys.stdout.write(f"{text}\n")


def say_json(document: object) -> None:
    """Print an answer as JSON."""
    say(json.dumps(document, ensure_ascii=False, indent=1, default=str))
