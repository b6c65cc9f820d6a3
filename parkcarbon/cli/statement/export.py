"""`parkcarbon statement export`: write an issued file."""

import argparse
import hashlib
from pathlib import Path

from parkcarbon.statement.lifecycle import store

from .common import add_statement, open_reading, say, say_json

FORMATS = ("pdf", "xlsx", "json", "csv", "sig")


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_statement(parser)
    parser.add_argument("--format", choices=FORMATS, default="pdf", help="which file (default: pdf)")
    parser.add_argument("--language", choices=("zh", "en", "both"), default="both", help="of the PDF (default: both)")
    parser.add_argument("--output", type=Path, required=True, help="file to write; one that is there is left alone")


async def run(options: argparse.Namespace) -> int:
    """Write it.

    Raises:
        FileExistsError: the file is there already.
        LookupError: the statement is not issued, or has no such file.
    """
    name = f"{options.language}.pdf" if options.format == "pdf" else options.format
    async with open_reading() as session:
        found = await store.find(session, options.park, options.statement)
        if not found.files:
            raise LookupError(f"{found.number} V{found.version} is {found.state}, not issued: {found.waits_for}")
        filed, body = await store.file_of(session, found.statement_id, name)
    try:
        with options.output.open("xb") as file:
            file.write(body)
    except FileExistsError:
        raise FileExistsError(f"{options.output} is there already and is not written over") from None
    if options.json:
        told = {"statement_id": found.statement_id, "number": found.number, "version": found.version}
        say_json(told | filed.document() | {"output": str(options.output)})
    else:
        say(f"{options.output}: {filed.bytes:,} bytes, sha256 {hashlib.sha256(body).hexdigest()}")
    return 0
