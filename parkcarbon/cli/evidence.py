"""`parkcarbon evidence`: daily roots of the log, evidence packs of statements, and checking one without a database."""

import argparse
import asyncio
import datetime as dt
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from parkcarbon.kit.log import configure

from .accounts.common import add_park, day
from .ending import ended

if TYPE_CHECKING:
    from parkcarbon.statement.log.roots import Receipt

CLOSING: Final = "仅为完整性校验，不构成核查 integrity only, not an ISO 14064-3 verification"
_EVER: Final = dt.date(1970, 1, 1)


def main() -> int:
    """Run one action and return the exit code: 0 done, 1 refused or different, 2 wrong usage or an unreadable file."""
    options = _parser().parse_args()
    configure(level="warning")
    work = {"roots": _roots, "export": _export, "check": _check}[options.action]
    return ended(f"parkcarbon evidence {options.action}", lambda: asyncio.run(work(options)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="parkcarbon evidence", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    roots = actions.add_parser("roots", help="daily roots of a park's log, a JSON object a line, and where they went")
    add_park(roots)
    roots.add_argument("--from", dest="first", type=day, default=_EVER, help="first day UTC (default: all)")
    roots.add_argument("--to", dest="last", type=day, default=None, help="last day UTC (default: the newest)")
    roots.add_argument("--receipts", type=Path, help="write what the places answered into this folder, with each line")
    export = actions.add_parser("export", help="write the evidence pack of a statement")
    add_park(export)
    export.add_argument("--statement", required=True, help="its number in the database, 2026-10, 2026-10/V2, 2026-10-F")
    export.add_argument("--output", type=Path, required=True, help="zip file; one that is there is left alone")
    check = actions.add_parser("check", help="check a pack and compose its statement again; needs no database")
    check.add_argument("file", type=Path, help="evidence pack")
    check.add_argument("--statement", type=Path, help="PDF or JSON of the statement at hand (default: the pack's own)")
    check.add_argument("--json", action="store_true", help="print JSON")
    return parser


async def _roots(options: argparse.Namespace) -> int:
    from parkcarbon.statement.log.roots import receipts_of, root_line, roots_between

    from .accounts.common import now, open_reading

    after = (now().date() if options.last is None else options.last) + dt.timedelta(days=1)
    async with open_reading() as session:
        found = await roots_between(session, options.park, options.first, after, as_of=now())
        receipts = await receipts_of(session, options.park, options.first, after) if options.receipts else []
    if not found:
        raise LookupError(f"the log of {options.park} has no daily root yet: a day has one once it is over")
    if options.receipts:
        _write_receipts(options.receipts, {root.day: root_line(options.park, root) for root in found}, receipts)
    for root in found:
        if options.json:
            _say_json(json.loads(root_line(options.park, root)) | {"sent": list(root.sent)})
        else:
            sent = ", ".join(root.sent) or "nowhere yet"
            print(f"{root.day}  {root.size:>9} batches  {root.root.hex()}  sent to: {sent}")
    return 0


def _write_receipts(folder: Path, lines: dict[dt.date, bytes], receipts: Sequence["Receipt"]) -> None:
    """Write each line and what was answered to it; files that are there are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {f"{day}.json": line for day, line in lines.items()}
    for number, receipt in enumerate(receipts, 1):
        ending = "tst" if receipt.kind == "rfc3161" else "txt"
        files[f"{receipt.day}.{receipt.kind}.{number}.{ending}"] = receipt.receipt
    for name, body in files.items():
        with (folder / name).open("xb") as file:
            file.write(body)


async def _export(options: argparse.Namespace) -> int:
    from parkcarbon.statement.evidence.export import export_pack
    from parkcarbon.statement.lifecycle import store

    from .accounts.common import open_reading

    async with open_reading() as session:
        found = await store.find(session, options.park, options.statement)
        record = await store.record_of(session, found)
        try:
            done = await export_pack(session, record, options.output)
        except FileExistsError:
            raise FileExistsError(f"{options.output} is there already and is not written over") from None
    manifest = done.manifest
    differences = [str(one) for one in done.differences]
    told: dict[str, Any] = {
        "output": str(options.output),
        "number": manifest.number,
        "version": manifest.version,
        "batches": manifest.batches,
        "readings": manifest.readings,
        "log_size": manifest.log_size,
        "bytes": options.output.stat().st_size,
        "differences": differences,
    }
    if options.json:
        _say_json(told)
    else:
        print(
            f"{options.output}: {manifest.number} V{manifest.version}: {manifest.batches} batches,"
            f" {manifest.readings:,} readings, log of {manifest.log_size}, {told['bytes']:,} bytes"
        )
        for text in differences[:20]:
            print(f"does not come out of this database: {text}")
    return 1 if differences else 0


async def _check(options: argparse.Namespace) -> int:
    from parkcarbon.statement.evidence.check import check_pack
    from parkcarbon.statement.evidence.pack import open_pack
    from parkcarbon.statement.record import decode
    from parkcarbon.statement.verify.verify import json_of

    try:
        options.file.open("rb").close()
        record = None if options.statement is None else decode(json_of(options.statement.read_bytes()))
    except OSError as error:
        sys.stderr.write(f"parkcarbon evidence check: {error.filename}: {error.strerror}\n")
        return 2
    begun = time.monotonic()
    with open_pack(options.file) as pack:
        found = await check_pack(pack, record)
        manifest = pack.manifest
    told: dict[str, Any] = {
        "number": manifest.number,
        "version": manifest.version,
        "ok": not found.differences,
        "differences": [str(one) for one in found.differences],
        "leaves": found.leaves,
        "batches": found.batches,
        "readings": found.readings,
        "figures": found.figures,
        "context": found.context,
        "seconds": round(time.monotonic() - begun, 1),
        "note": CLOSING,
    }
    if options.json:
        _say_json(told)
        return 1 if found.differences else 0
    print(f"{manifest.number} V{manifest.version} of {manifest.park}, as known on {manifest.known_on}")
    print(f"{found.leaves:>10,} leaves of the log, {found.batches:,} batches, {found.readings:,} readings")
    for text in told["differences"][:20]:
        print(f"DIFFERS: {text}")
    if not found.differences:
        print(f"{found.figures:>10,} figures come out of the registers, byte for byte, in {told['seconds']} s")
        for name, count in sorted(found.context.items()):
            print(f"{count:>10,} answers of {name}: about other periods or no sum, taken as carried")
    print(CLOSING)
    return 1 if found.differences else 0


def _say_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, ensure_ascii=False, sort_keys=True))


if __name__ == "__main__":
    sys.exit(main())
