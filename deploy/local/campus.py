"""`parkcarbon campus DIR`: a folder of interval data becomes a park, its energy and its emissions.

The folder holds `electricity_kwh.csv` and `gas_kwh.csv` (a time column and one column a building: amounts of the hour
that starts at the stamp) and `grid_intensity.csv` (time, kgCO2/kWh). Which buildings there are is read from the
headers. The data takes the custody path: frozen batches, broker, ingest, receipts.
"""

import argparse
import asyncio
import csv
import datetime as dt
import json
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from parkcarbon.books.workbook.workbook import write_workbook
from parkcarbon.books.working.explain import about_of, explain
from parkcarbon.catalog.park import device_name
from parkcarbon.domain.working import Figure, check
from parkcarbon.kit.db import Database, load_queries
from parkcarbon.kit.log import configure

from .stack import Stack, StackError, make_key, ports_of, run_once, start_servers, wait_for
from .supervisor import Supervisor

INTENSITY_FILE = "grid_intensity.csv"
MICRO = 1_000_000  # stored amounts are integers of 1e-6 kWh; dividing rounds once
NANO = 1_000_000_000
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Carrier:
    """One interval file of the folder and what its columns mean."""

    carrier: str
    file: str
    quantity: str
    flow: str
    zh: str
    en: str


CARRIERS = (
    Carrier("electricity", "electricity_kwh.csv", "active_energy_import", "import", "电", "electricity"),
    Carrier("gas", "gas_kwh.csv", "gas_energy", "fuel", "燃气", "gas"),
)


def _header(path: Path) -> list[str]:
    """Column names of a CSV.

    Raises:
        StackError: the file is missing or has fewer than two columns.
    """
    if not path.is_file():
        raise StackError(f"{path} is missing")
    with path.open(newline="", encoding="utf-8-sig") as file:
        columns = next(csv.reader(file), [])
    if len(columns) < 2:
        raise StackError(f"{path}: a time column and at least one more are needed, found {columns}")
    return columns


def _bounds(path: Path) -> tuple[str, str]:
    """First and last stamp of an interval file, as written."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        stamps = [row[0] for row in csv.reader(file) if row][1:]
    if not stamps:
        raise StackError(f"{path} holds no rows")
    return min(stamps), max(stamps)


def slug(column: str) -> str:
    """A device name from a column's heading."""
    try:
        return device_name(column)
    except ValueError as error:
        raise StackError(str(error)) from None


def park_document(folder: Path, timezone: str, region: str) -> dict[str, Any]:
    """The park document of a folder: one meter per column, one tenant per building, hourly intensity as a factor."""
    buildings: dict[str, None] = {}
    devices = []
    for carrier in CARRIERS:
        for column in _header(folder / carrier.file)[1:]:
            building = slug(column)
            buildings[building] = None
            devices.append(
                {
                    "device": f"{building}-{carrier.carrier}",
                    "name": {"zh": f"{column} {carrier.zh}", "en": f"{column} {carrier.en}"},
                    "profile": "interval-file",
                    "tenant": building,
                    "source": f"import-{carrier.carrier}",
                    "points": [
                        {
                            "quantity": carrier.quantity,
                            "kind": "delta",
                            "period_s": HOUR_S,
                            "flow": carrier.flow,
                        }
                    ],
                }
            )
    first, last = _bounds(folder / CARRIERS[0].file)
    year = int(first[:4])
    intensity = _header(folder / INTENSITY_FILE)
    return {
        "park": "campus",
        "name": {"zh": "校园", "en": "Campus"},
        "timezone": timezone,
        "currency": "GBP",
        "method": {
            "electricity_region": region,
            "fuel_region": region,
            "electricity_factor": "grid-intensity",
        },
        "tenants": [{"tenant": name, "name": {"zh": name, "en": name}} for name in buildings],
        "sources": [
            {
                "source": f"import-{carrier.carrier}",
                "kind": "import",
                "window_from": f"{int(first[:4]) - 1}-12-31T00:00:00Z",
                "window_to": f"{int(last[:4]) + 1}-01-02T00:00:00Z",
            }
            for carrier in CARRIERS
        ],
        "devices": devices,
        "factor_series": [
            {
                "factor": "grid-intensity",
                "purpose": "grid_average",
                "carrier": "electricity",
                "region": region,
                "gas": "CO2",
                "unit": "kgCO2/kWh",
                "file": str((folder / INTENSITY_FILE).resolve()),
                "time_column": intensity[0],
                "value_column": intensity[1],
                "publisher": "as supplied with the data",
                "edition": INTENSITY_FILE,
                "span_s": HOUR_S,
                "data_year": year,
            }
        ],
    }


async def _import(stack: Stack, folder: Path, carrier: Carrier) -> dict[str, Any]:
    """Send one file through the custody path and wait for its last receipt."""
    path = folder / carrier.file
    out = await run_once(
        stack,
        "gateway",
        "import",
        *("--park", "campus", "--source", f"import-{carrier.carrier}", "--file", str(path)),
        *("--layout", "wide", "--time-column", _header(path)[0], "--timezone", "UTC"),
        *(
            "--point",
            f"{{column}}-{carrier.carrier}/{carrier.quantity}",
            "--kind",
            "delta",
            "--period",
            str(HOUR_S),
        ),
        *("--broker", stack.broker_url(), "--data", str(stack.data / f"import-{carrier.carrier}")),
        accept=(0, 3),  # 3: some readings were rejected; told with the answer
    )
    answer: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return answer


async def totals(database: Database, park: str = "campus") -> dict[str, Any]:
    """The figures of an imported park, from its intervals.

    Amounts are exact integers in the database; they become floats here, at the last moment.
    """
    queries = load_queries("deploy.local")
    by_carrier = {row["carrier"]: row for row in await database.fetch(queries["campus_totals"], park)}
    months = await database.fetch(queries["campus_months"], park)
    quarters = await database.fetchval(queries["campus_suspect"], park)
    electricity, gas = by_carrier.get("electricity"), by_carrier.get("gas")
    return {
        "electricity_kwh": int(electricity["amount_micro"]) / MICRO if electricity else None,
        "gas_kwh": int(gas["amount_micro"]) / MICRO if gas else None,
        "location_kgco2": int(electricity["co2e_nano_kg"] or 0) / NANO if electricity else None,
        "months": {
            row["month"]: {
                "kwh": int(row["amount_micro"]) / MICRO,
                "kgco2": int(row["co2e_nano_kg"] or 0) / NANO,
            }
            for row in months
        },
        "suspect_hours": quarters / 4,
    }


async def _nothing_queued(database: Database) -> bool:
    return bool(await database.fetchval(load_queries("deploy.local")["campus_waiting"]) == 0)


async def explained(database: Database, figure: str, period: str, file: Path | None) -> dict[str, Any]:
    """A figure of the imported park down to the readings of its files; with `file` also as a spreadsheet."""
    started = time.monotonic()
    async with database.transaction() as session:
        found = await explain(session, "campus", figure, period, now=dt.datetime.now(dt.UTC))
    seconds = time.monotonic() - started
    answer: dict[str, Any] = {
        "figure": figure,
        "period": period,
        "value": found.value,
        "unit": found.unit,
        "hours": _rows(found, "hour from"),
        "readings": _rows(found, "batch"),
        "batches": len(_digests(found)),
        "problems": check(found),
        "seconds": round(seconds, 1),
    }
    if file is not None:
        write_workbook(found, str(file), about_of(found))
        answer |= {"xlsx": str(file), "xlsx_seconds": round(time.monotonic() - started - seconds, 1)}
    return answer


async def stated(stack: Stack, month: str, pdf: Path | None) -> str:
    """The statement of a month, issued by two persons of the import; with `pdf` also as a file."""
    persons = ["--author", "campus: accountant", "--reviewer", "campus: reviewer"]
    written = [] if pdf is None else ["--pdf", str(pdf.resolve())]
    where = ["--park", "campus", "--keys", str(stack.key_folder), "--month", month]
    return (await run_once(stack, "deploy.local.books.statement", *where, *persons, *written)).strip()


async def _keep(stack: Stack, answer: dict[str, Any]) -> None:
    """Tell the figures and leave the database up until Ctrl-C, for other commands."""
    path = stack.write_env({"PARKCARBON_PARK": "campus"})
    sys.stderr.write(f"  other commands: parkcarbon --env {path} VERB; Ctrl-C stops everything\n")
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    _say(answer)
    await stop.wait()


def _rows(figure: Figure, axis: str) -> int:
    """Rows of all columns that have this axis."""
    return sum(len(node.axis[axis]) for node in figure.walk() if axis in node.axis)


def _digests(figure: Figure) -> set[str]:
    """Digests of all batches that a figure names."""
    lists = [node.source.get("batches") for node in figure.walk()]
    return {batch["digest"] for batches in lists if isinstance(batches, list) for batch in batches}


async def run(options: argparse.Namespace, data: Path) -> dict[str, Any]:
    """Bring up a database of its own, import the folder and return its figures."""
    started = time.monotonic()
    folder: Path = options.folder.resolve()
    document = park_document(folder, options.timezone, options.region)
    data.mkdir(parents=True, exist_ok=True)
    park_file = data / "park.yaml"
    park_file.write_bytes(msgspec.yaml.encode(document))
    stack = Stack(data, ports_of(data, {}), options.broker)

    def told(name: str, code: int) -> None:
        sys.stderr.write(f"  {name} ended with {code}; starting it again\n")

    async with Supervisor(data, on_restart=told) as supervisor:
        await start_servers(supervisor, stack)
        await run_once(stack, "ingest", "migrate")
        await make_key(stack, "campus")
        await run_once(stack, "ingest", "park", "apply", str(park_file), "--reason", "campus", "--author", "campus")
        await supervisor.start(stack.module("ingest", "ingest", "run"))
        rejected = quarantined = 0
        for carrier in CARRIERS:
            answer = await _import(stack, folder, carrier)
            rejected += int(answer.get("rejected", 0))
            quarantined += int(answer.get("quarantined", 0))
            sys.stderr.write(f"  {carrier.file}: {json.dumps(answer)}\n")
        database = await Database.connect(stack.database_url, min_size=1, max_size=1)
        try:
            log = partial(supervisor.log_tail, "ingest")
            await wait_for("accounting", partial(_nothing_queued, database), within_s=300, log=log)
            answer = await totals(database)
            if options.statement is not None:
                answer["statement"] = await stated(stack, options.statement, options.pdf)
            if options.explain is not None:
                answer["explained"] = await explained(database, options.figure, options.explain, options.xlsx)
        finally:
            await database.close()
        counted = {"rejected": rejected, "quarantined": quarantined}
        answer |= {name: count for name, count in counted.items() if count}
        answer["seconds"] = round(time.monotonic() - started, 1)
        if options.keep:
            await _keep(stack, answer)
    return answer


def _say(answer: dict[str, Any]) -> None:
    """The one JSON line."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Import a folder and end with one JSON line."""
    parser = argparse.ArgumentParser(prog="parkcarbon campus", description="Account for a folder of real metering.")
    parser.add_argument("folder", type=Path, help="folder with electricity_kwh.csv, gas_kwh.csv, grid_intensity.csv")
    parser.add_argument("--data", type=Path, help="keep the database here (default: a folder that vanishes)")
    parser.add_argument("--timezone", default="Europe/London", help="local months are told in this zone")
    parser.add_argument("--region", default="United Kingdom", help="region of the emission factors")
    parser.add_argument("--broker", choices=("auto", "mosquitto", "amqtt"), default="auto", help="which MQTT broker")
    parser.add_argument("--explain", metavar="PERIOD", help="explain a figure of this month or year (2022-03, 2022)")
    parser.add_argument("--figure", default="scope2_location", help="which, see `parkcarbon explain --help`")
    parser.add_argument("--xlsx", type=Path, metavar="FILE", help="write its working as a spreadsheet with formulas")
    parser.add_argument("--statement", metavar="MONTH", help="issue the statement of this month (2022-03)")
    parser.add_argument("--pdf", type=Path, metavar="FILE", help="write that statement there")
    parser.add_argument("--keep", action="store_true", help="leave the database up until Ctrl-C, for other commands")
    options = parser.parse_args()
    configure(level="warning")
    try:
        if options.data is not None:
            answer = asyncio.run(run(options, options.data.resolve()))
        else:
            with tempfile.TemporaryDirectory(prefix="parkcarbon-campus-") as folder:
                answer = asyncio.run(run(options, Path(folder)))
    except StackError as error:
        raise SystemExit(f"parkcarbon campus: {error}") from None
    if not options.keep:
        _say(answer)


if __name__ == "__main__":
    main()
