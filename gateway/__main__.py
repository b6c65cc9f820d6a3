"""Command line of the gateway: run the relay, or import files.

Results go to standard output, logs to standard error. Exit codes: 0 done; 1 the input or a setting is wrong, or a batch
was refused; 3 the import was not committed in time and goes on with the next one.
"""

import argparse
import json
import random
import sys
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.log import configure
from parkcarbon.kit.outbox import OutboxError
from parkcarbon.kit.service import run_service
from parkcarbon.kit.settings import SettingsError
from parkcarbon.wire.errors import WireError

from .csvfile import CsvError, Shape
from .importing import ImportStuckError, Order, run_import


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gateway", description="Park gateway of ParkCarbon.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="relay batches of many sources over one uplink, until SIGTERM")
    run.add_argument("config", type=Path, help="YAML file")
    _add_import(verbs.add_parser("import", help="take interval or register data from CSV through the custody path"))
    return parser


def _add_import(take: argparse.ArgumentParser) -> None:
    add = take.add_argument
    add("--park", required=True)
    add("--source", required=True, help="a source of kind import in the park document")
    add("--file", type=Path, required=True, action="append", help="CSV file; may be given several times")
    add("--layout", choices=("wide", "long"), default="wide", help="one column for each device, or one row for each")
    add("--time-column", default="time", help="stamps; for a delta the start of the interval (default: time)")
    add("--device-column", default="device", help="long layout (default: device)")
    add("--value-column", default="value", help="long layout (default: value)")
    add("--column", action="append", default=[], help="wide layout: take only this column; may be repeated")
    add("--delimiter", default=",", help="between cells (default: a comma)")
    add("--point", help="template of point names, for example '{column}-electricity/active_energy_import'")
    add("--map", action="append", default=[], metavar="COLUMN=DEVICE/QUANTITY", help="point of one column or device")
    add("--kind", choices=("delta", "counter"), default="delta", help="amounts of intervals, or registers")
    add("--period", type=float, metavar="SECONDS", help="length of a delta (default: the point's declared period)")
    add("--timezone", help="zone of stamps without UTC offset, for example Europe/London")
    add("--broker", required=True, help="mqtt://host:port")
    add("--data", type=Path, required=True, help="folder of the outbox")
    add("--key-file", type=Path, help="private key of a source that signs")
    add("--patience", type=float, default=300.0, metavar="SECONDS", help="give up without progress (default: 300)")


def _order(options: argparse.Namespace) -> Order:
    mapping: dict[str, str] = {}
    for entry in options.map:
        column, equals, point = entry.rpartition("=")
        if not equals or not column or column in mapping:
            raise SettingsError(f"--map {entry!r}: want COLUMN=DEVICE/QUANTITY, each column once")
        mapping[column] = point
    if options.period is not None and not 1 <= options.period <= 400 * 86_400:
        raise SettingsError(f"--period {options.period:g}: want 1 to 34,560,000 seconds")
    if len(options.delimiter) != 1:
        raise SettingsError(f"--delimiter {options.delimiter!r}: want one character")
    try:
        timezone = ZoneInfo(options.timezone) if options.timezone else None
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingsError(f"--timezone {options.timezone!r} is no time zone") from None
    shape = Shape(
        layout=options.layout,
        time_column=options.time_column,
        point=options.point,
        mapping=mapping,
        timezone=timezone,
        device_column=options.device_column,
        value_column=options.value_column,
        delimiter=options.delimiter,
        columns=tuple(options.column),
    )
    return Order(
        park=options.park,
        source=options.source,
        files=tuple(options.file),
        shape=shape,
        kind=options.kind,
        period_s=options.period,
        broker=options.broker,
        data=options.data,
        key_file=options.key_file,
        patience_s=options.patience,
    )


def _import(options: argparse.Namespace) -> int:
    order = _order(options)
    summary: dict[str, object] = {}

    async def work() -> None:
        summary.update(await run_import(order, clock=SystemClock(), rng=random.Random()))  # noqa: S311 - jitter

    run_service(work)
    if not summary:
        return 3
    print(json.dumps(summary, ensure_ascii=False))
    return 1 if summary["refused"] else 0


def _run(path: Path) -> int:
    from .agent import rng_of, run
    from .config import load_config

    config = load_config(path)

    async def work() -> None:
        await run(config, clock=SystemClock(), rng=rng_of(config))

    return run_service(work)


def main() -> int:
    """Run one verb and return the exit code."""
    options = _parser().parse_args()
    configure()
    try:
        return _run(options.config) if options.verb == "run" else _import(options)
    except ImportStuckError as error:
        print(f"gateway {options.verb}: {error}", file=sys.stderr)
        return 3
    except (SettingsError, CsvError, WireError, OutboxError, OSError) as error:
        print(f"gateway {options.verb}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
