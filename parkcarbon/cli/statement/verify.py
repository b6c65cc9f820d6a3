"""`parkcarbon statement verify FILE`: check a statement, without database and network unless it is asked to use one."""

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec

from parkcarbon.statement.verify.report import CLOSING, LABELS, Report, lines_of, with_check
from parkcarbon.statement.verify.verify import verify_file

from .rederived import rederived


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("file", type=Path, help="PDF, or JSON with its signature beside it (FILE.sig)")
    parser.add_argument("--signature", type=Path, metavar="FILE", help="signature of a JSON (default: FILE.sig)")
    parser.add_argument(
        "--roots", type=Path, metavar="FILE", help="daily roots from a place the operator does not control"
    )
    parser.add_argument("--key", metavar="FINGERPRINT", help="of the operator's key, got on another way than the file")
    parser.add_argument(
        "--rotation", type=Path, metavar="FILE", action="append", default=[], help="how a key named its follower"
    )
    parser.add_argument(
        "--predecessor", type=Path, metavar="FILE", help="of a re-issue: PDF or JSON of the version before"
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--pack", type=Path, metavar="FILE", help="evidence pack: every figure again from registers")
    again.add_argument(
        "--database", action="store_true", help="the same from the database that PARKCARBON_DATABASE_URL names"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(options: argparse.Namespace) -> int:
    """Check; 0: everything that was checked holds, 1: something differs, 2: a file cannot be read."""
    try:
        data = options.file.read_bytes()
        roots, predecessor = (_bytes(path) for path in (options.roots, options.predecessor))
        rotations = [path.read_bytes() for path in options.rotation]
        signature = _signature(options.file, options.signature)
        if options.pack is not None:
            options.pack.open("rb").close()
    except OSError as error:
        print(f"parkcarbon statement verify: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    report = await asyncio.to_thread(
        verify_file,
        data,
        signature=signature,
        roots=roots,
        fingerprint=options.key,
        rotations=rotations,
        predecessor=predecessor,
    )
    if options.pack is not None or options.database:
        report = with_check(report, await rederived(data, options.pack))
    sys.stdout.write(_json(report) if options.json else "\n".join(lines_of(report)) + "\n")
    return 0 if report.holds else 1


def _bytes(path: Path | None) -> bytes | None:
    return None if path is None else path.read_bytes()


def _signature(file: Path, given: Path | None) -> bytes | None:
    if given is not None:
        return given.read_bytes()
    beside = file.with_name(file.name + ".sig")
    return beside.read_bytes() if beside.is_file() else None


def _json(report: Report) -> str:
    document = msgspec.to_builtins(report)
    document |= {"holds": report.holds, "notice": CLOSING}
    for check in document["checks"]:
        check["label"] = LABELS[check["check"]]
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"
