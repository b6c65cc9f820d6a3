"""`parkcarbon statement export`: write an issued file, or a separate export of an issued statement."""

import argparse
import hashlib
from pathlib import Path
from typing import Any, Final, get_args

from parkcarbon.kit.db import Session
from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.lifecycle.store import Statement
from parkcarbon.statement.render.group import Export, Format, render_export

from .common import add_statement, open_reading, say, say_json

FILES: Final = ("pdf", "xlsx", "json", "csv", "sig")
"""What is archived with a statement."""

EXPORTS: Final[tuple[Export, ...]] = get_args(Export)
"""What is made from it when it is asked for, and is no part of it."""


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_statement(parser)
    what = "which file, or a separate sheet for RE100 or a group's consolidation (default: pdf)"
    parser.add_argument("--format", choices=(*FILES, *EXPORTS), default="pdf", help=what)
    parser.add_argument("--language", choices=("zh", "en", "both"), default="both", help="of the PDF (default: both)")
    where = "file to write; one that is there is left alone; a separate sheet is .xlsx or .csv, as it is called"
    parser.add_argument("--output", type=Path, required=True, help=where)


async def run(options: argparse.Namespace) -> int:
    """Write it.

    Raises:
        FileExistsError: the file is there already.
        LookupError: the statement is not issued, or has no such file.
        ValueError: a separate sheet that is to be neither a spreadsheet nor CSV.
    """
    async with open_reading() as session:
        found = await store.find(session, options.park, options.statement)
        if not found.files:
            raise LookupError(f"{found.number} V{found.version} is {found.state}, not issued: {found.waits_for}")
        told, body = await _made(session, found, options)
    try:
        with options.output.open("xb") as file:
            file.write(body)
    except FileExistsError:
        raise FileExistsError(f"{options.output} is there already and is not written over") from None
    digest = hashlib.sha256(body).hexdigest()
    if options.json:
        of = {"statement_id": found.statement_id, "number": found.number, "version": found.version}
        say_json(of | told | {"bytes": len(body), "sha256": digest, "output": str(options.output)})
    else:
        say(f"{options.output}: {len(body):,} bytes, sha256 {digest}")
    return 0


async def _made(session: Session, found: Statement, options: argparse.Namespace) -> tuple[dict[str, Any], bytes]:
    """What it is, and its bytes: out of the archive, or a separate sheet made from the record."""
    if options.format in EXPORTS:
        form = _form(options.output)
        record = await store.record_of(session, found)
        return {"name": f"{options.format}.{form}"}, render_export(record, options.format, form)
    name = f"{options.language}.pdf" if options.format == "pdf" else options.format
    filed, body = await store.file_of(session, found.statement_id, name)
    return filed.document(), body


def _form(output: Path) -> Format:
    endings: dict[str, Format] = {".xlsx": "xlsx", ".csv": "csv"}
    form = endings.get(output.suffix.lower())
    if form is None:
        raise ValueError(f"a separate sheet is .xlsx or .csv, not {output.name}")
    return form
