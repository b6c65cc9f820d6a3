"""`python -m gateway import`: interval or register data from CSV, through the custody path like any meter's.

The files are read as a whole first; what cannot be read as CSV at all ends the import before anything is sent. Then
readings are frozen into batches in an outbox on disk, sent, and counted as delivered when a receipt says `committed`.
An import that was killed goes on where it was when it is called again: what is in the outbox is sent first, and what
was not yet frozen follows. An import that had ended is sent anew, as new batches; what is the same changes nothing.

Ends with one JSON line: `readings` (taken from the files), `missing` (empty cells), `duplicates`, `rejected` (readings
refused here) and `rejected_in` (how many of them, by file and column), `resumed` (batches found in the outbox),
`batches` (those and the new ones), `committed`, `refused` (batches refused by the receiver), `quarantined` (readings
that the receiver said it could not store), `seconds`, `problems` (the first 20).

Exit codes: 0 every reading is in the database; 1 not all batches are committed; 2 nothing was sent because what was
asked cannot be done; 3 all batches are committed, but readings were rejected here or are in quarantine there.
"""

import argparse
import asyncio
import json
import os
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from parkcarbon.domain.reading import OUTSIDE_ENERGY, Quality
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.mqtt import Broker
from parkcarbon.kit.outbox import OutboxError
from parkcarbon.wire.body import SPAN_MAX_MS, Draft, Row, drafts
from parkcarbon.wire.errors import WireError
from parkcarbon.wire.frame import load_key
from parkcarbon.wire.topics import Address

from .csvcells import CsvError, Naming, heading_of
from .csvfile import Layout, Merged, merge, read_table
from .delivery import Order, Outcome, deliver

READINGS_PER_BATCH = 4000
PROBLEMS_TOLD = 20


class ImportRefusedError(Exception):
    """What was asked cannot be done; nothing was sent."""


# ── from files to batches ────────────────────────────────────────────────────────────────────────


def _read(options: argparse.Namespace) -> Merged:
    """Read all files.

    Raises:
        ImportRefusedError: one of them, or the map, cannot be read.
    """
    layout = Layout(
        long=options.layout == "long",
        time=options.time_column or ("time" if options.layout == "long" else None),
        point=options.point_column,
        value=options.value_column,
        delimiter=options.delimiter,
    )
    mapping: dict[str, str | None] = {}
    for entry in options.map:
        mapping |= _read_map(entry)
    naming = Naming(options.point, mapping)
    zone = None if options.timezone is None else _zone(options.timezone)
    tables = []
    for path in options.file:
        try:
            text = path.read_text(encoding=options.encoding)
        except (OSError, LookupError) as error:
            raise ImportRefusedError(f"{path}: {error}") from None
        except UnicodeError:
            raise ImportRefusedError(f"{path} is not {options.encoding}; name its --encoding") from None
        try:
            tables.append(read_table(text, file=path.name, layout=layout, naming=naming, zone=zone))
        except CsvError as error:
            raise ImportRefusedError(str(error)) from None
    return merge(tables)


def _read_map(entry: str) -> Mapping[str, str | None]:
    """Read a map: one entry `heading=point` (no point: left out), or the path of a YAML file of such entries."""
    path = Path(entry)
    if "=" in entry and not path.exists():
        heading, _, point = entry.rpartition("=")
        return {heading_of(heading): point or None}
    try:
        mapping = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise ImportRefusedError(f"{path}: {error}") from None
    if not isinstance(mapping, dict) or not all(isinstance(point, str | None) for point in mapping.values()):
        raise ImportRefusedError(f"{path}: want one `heading: device/quantity` a line (null leaves a column out)")
    return {heading_of(str(heading)): point for heading, point in mapping.items()}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ImportRefusedError(f"no time zone {name!r}; want a name like Asia/Shanghai, or UTC") from None


def to_drafts(merged: Merged, order: Order) -> list[Draft]:
    """Cut readings into batches: the same readings always into the same ones."""
    points, quality, span_ms = merged.points, int(order.quality), order.span_ms
    rows = [Row(points[index], time_ms, value, quality, span_ms) for time_ms, index, value in merged.readings]
    return drafts(rows, most=READINGS_PER_BATCH)


# ── command line ─────────────────────────────────────────────────────────────────────────────────


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="parkcarbon import",
        description="Take interval (delta) or register (counter) data from CSV through the custody path.",
        epilog="Exit codes: 0 every reading is in, 1 not all batches are committed (call it again), 2 nothing was sent,"
        " 3 all is committed but what was rejected here (`rejected_in`, `problems`) or is in quarantine there"
        " (`parkcarbon quarantine list`). docs/operators.md tells how to declare a source.",
    )
    who = parser.add_argument_group("who sends, and where to")
    who.add_argument("--park", required=True, help="as the park document calls it")
    who.add_argument("--source", required=True, help="a source of kind `import` in the park document")
    who.add_argument(
        "--broker", default=os.environ.get("PARKCARBON_BROKER_URL"), help="mqtt://host:port (or PARKCARBON_BROKER_URL)"
    )
    who.add_argument("--data", type=Path, required=True, help="folder of the outbox, kept until all is committed")
    who.add_argument("--key-file", type=Path, help="private key of a source that signs")
    who.add_argument("--timeout", type=_positive, default=120.0, help="longest wait for the next receipt [s] (120)")
    what = parser.add_argument_group("what is sent")
    what.add_argument("--file", type=Path, action="append", required=True, help="a CSV file; may be given repeatedly")
    what.add_argument("--layout", choices=("wide", "long"), default="wide", help="one column a point, or one line each")
    what.add_argument("--time-column", help="heading of the times (wide: the first column; long: `time`)")
    what.add_argument("--point-column", default="point", help="long: heading of the names")
    what.add_argument("--value-column", default="value", help="long: heading of the values")
    what.add_argument(
        "--point", metavar="TEMPLATE", help="point of a column, as in {column}-electricity/active_energy_import"
    )
    what.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FILE|HEADING=POINT",
        help="point of single columns, before the template: a YAML file of `heading: device/quantity`, or one entry; "
        "without a point the column is left out",
    )
    what.add_argument(
        "--kind", choices=("delta", "counter"), default="delta", help="amounts of intervals, or registers"
    )
    what.add_argument("--period", type=_positive, help="length of a delta [s] (otherwise the point's own period)")
    what.add_argument("--timezone", help="zone of times without an offset; they are refused without it")
    what.add_argument("--quality", choices=_qualities(), default="good", help="quality of every reading")
    what.add_argument("--delimiter", type=_delimiter, help="otherwise found out: comma, semicolon or tab")
    what.add_argument("--encoding", default="utf-8-sig", help="of the files (UTF-8)")
    return parser


def _qualities() -> tuple[str, ...]:
    return tuple(quality.name.lower() for quality in Quality if quality not in OUTSIDE_ENERGY)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return number


def _delimiter(text: str) -> str:
    character = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(character) != 1 or character in '"\r\n':
        raise argparse.ArgumentTypeError(f"{text!r} is not one character")
    return character


def _order(options: argparse.Namespace) -> Order:
    """Check what was asked.

    Raises:
        ImportRefusedError: naming the option.
    """
    if options.broker is None:
        raise ImportRefusedError("--broker or PARKCARBON_BROKER_URL is needed")
    if options.period is not None and options.kind != "delta":
        raise ImportRefusedError("--period: only a delta has a length")
    span_ms = round((options.period or 0.0) * 1000)
    if span_ms > SPAN_MAX_MS or (options.period is not None and span_ms < 1):
        raise ImportRefusedError(f"--period: want 0.001 … {SPAN_MAX_MS // 1000} s, not {options.period:g}")
    try:
        address = Address(options.park, options.source)
        broker = Broker.from_url(options.broker)
        key = None if options.key_file is None else load_key(options.key_file.read_bytes())
    except (WireError, ValueError, OSError) as error:
        raise ImportRefusedError(str(error)) from None
    quality = Quality[options.quality.upper()]
    return Order(address, broker, options.data, quality, span_ms, options.timeout, key)


def _summary(merged: Merged, outcome: Outcome, seconds: float) -> dict[str, Any]:
    problems = [f"batch {seq} was refused: {reason}{_hint(reason)}" for seq, reason in outcome.refused.items()]
    if outcome.trouble is not None:
        problems.insert(0, outcome.trouble)
    problems += [
        f"batch {seq}: {n} readings are in quarantine (parkcarbon quarantine list says why)"
        for seq, n in outcome.quarantined.items()
    ]
    problems += map(str, merged.problems[:PROBLEMS_TOLD])
    return {
        "readings": len(merged.readings),
        "missing": merged.missing,
        "duplicates": merged.duplicates,
        "rejected": merged.rejected,
        "rejected_in": dict(merged.places),
        "resumed": outcome.resumed,
        "batches": outcome.batches,
        "committed": outcome.committed,
        "refused": len(outcome.refused),
        "quarantined": sum(outcome.quarantined.values()),
        "seconds": round(seconds, 3),
        "problems": problems[:PROBLEMS_TOLD],
    }


_HINTS = {
    "identity": "the park document applied there has no such source",
    "signature": "the park document has another public key for this source, or --key-file is missing",
    "version": "the receiver is older than this program",
}


def _hint(reason: str) -> str:
    return f" ({_HINTS[reason]})" if reason in _HINTS else ""


def main(argv: Sequence[str] | None = None) -> int:
    """Import files and return the exit code."""
    options = _parser().parse_args(argv)
    clock = SystemClock()
    begun_s = clock.monotonic()
    try:
        order = _order(options)
        merged = _read(options)
        todo = to_drafts(merged, order)
        rng = random.Random()  # noqa: S311 - jitter of waiting times
        outcome = asyncio.run(deliver(order, todo, clock=clock, rng=rng))
    except ImportRefusedError as error:
        sys.stderr.write(f"import: {error}\n")
        return 2
    except (OutboxError, OSError) as error:
        sys.stderr.write(f"import: {error}\n")
        return 1
    summary = _summary(merged, outcome, clock.monotonic() - begun_s)
    sys.stderr.writelines(f"import: {problem}\n" for problem in summary["problems"])
    lost = merged.rejected + summary["quarantined"]
    if lost:
        where = ", ".join(f"{place} ({count})" for place, count in merged.places.items())
        aside = f"{merged.rejected} readings were rejected{f' in {where}' if where else ''}"
        sys.stderr.write(f"import: {aside}; {summary['quarantined']} are in quarantine\n")
    sys.stdout.write(json.dumps(summary, ensure_ascii=False) + "\n")
    if not outcome.complete:
        return 1
    return 3 if lost else 0
