"""A folder of interval data through the real path: right figures, and the same ones however it arrives."""

import asyncio
import csv
import datetime as dt
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.local.campus import CARRIERS, park_document, totals
from deploy.local.stack import Stack, ports_of, run_once, start_servers
from deploy.local.supervisor import Supervisor
from parkcarbon.kit.db import Database

ROOT = Path(__file__).resolve().parents[2]
CAMPUS = ROOT.parent / "shared" / "data" / "campus_2022"
HOUR = dt.timedelta(hours=1)
FIRST = dt.datetime(2023, 1, 30, tzinfo=dt.UTC)
LAST = dt.datetime(2023, 4, 3, tzinfo=dt.UTC)  # three turns of a month, one change of clock
BUILDINGS = ("north", "south")
EVERYTHING = """
    select point_id, start, amount_micro, coverage, method, suspect, co2e_nano_kg, factor_id, match
    from interval_15min order by 1, 2
"""

Table = dict[dt.datetime, list[str]]


def run_campus(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "deploy.local.campus", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


@pytest.mark.shared
@pytest.mark.skipif(not CAMPUS.is_dir(), reason="the shared data folder is not beside this checkout")
def test_a_year_of_twelve_buildings_comes_out_to_the_last_digit() -> None:
    answer = run_campus(CAMPUS)
    assert answer["electricity_kwh"] == pytest.approx(46_473_894.4, rel=1e-9)
    assert answer["gas_kwh"] == pytest.approx(1_798_443.7, rel=1e-9)
    assert answer["location_kgco2"] == pytest.approx(8_543_350.3877, rel=1e-9)
    assert answer["months"]["2022-03"]["kwh"] == pytest.approx(4_100_399.7, rel=1e-9)
    assert answer["months"]["2022-03"]["kgco2"] == pytest.approx(769_039.9816, rel=1e-9)
    assert answer["months"]["2022-10"]["kwh"] == pytest.approx(3_761_693.0, rel=1e-9)
    assert answer["months"]["2022-10"]["kgco2"] == pytest.approx(590_659.4911, rel=1e-9)
    assert len(answer["months"]) == 12
    assert answer["suspect_hours"] == 23 + 22 + 503  # b58; b64
    assert answer["seconds"] <= 60


def hours() -> Iterator[dt.datetime]:
    at = FIRST
    while at < LAST:
        yield at
        at += HOUR


def stamp(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def make_table(seed: int) -> Table:
    rng = random.Random(seed)
    return {at: [f"{rng.uniform(1, 900):.1f}" for _ in BUILDINGS] for at in hours()}


def write(path: Path, table: Table) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["hour_start_utc", *BUILDINGS])
        writer.writerows([stamp(at), *values] for at, values in sorted(table.items()))
    return path


def month_of(table: Table, month: int) -> Table:
    return {at: values for at, values in table.items() if at.month == month}


def spoiled(table: Table) -> Table:
    """An earlier, wrong version of the same hours."""
    return {
        at: [f"{float(value) + 7:.1f}", "0"] if at.hour % 5 == 0 else [value, other]
        for at, (value, other) in table.items()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small campus of two buildings."""
    for number, carrier in enumerate(CARRIERS):
        write(tmp_path / carrier.file, make_table(number))
    rng = random.Random(9)
    with (tmp_path / "grid_intensity.csv").open("w", newline="") as file:
        file.write("datetime,Carbon Intensity [kg_CO2/kWh]\n")
        file.writelines(f"{at:%Y-%m-%d %H:%M:%S},{rng.uniform(0.02, 0.4):.3f}\n" for at in hours())
    return tmp_path


async def imported(data: Path, folder: Path, orders: Sequence[tuple[str, Path]]) -> tuple[list[Any], dict[str, Any]]:
    """Every interval and the totals after importing files one after the other."""
    data.mkdir()
    (data / "park.yaml").write_bytes(msgspec.yaml.encode(park_document(folder, "Europe/London", "United Kingdom")))
    stack = Stack(data, ports_of(data, {}))
    by_name = {carrier.carrier: carrier for carrier in CARRIERS}
    async with Supervisor(data, on_restart=lambda name, code: pytest.fail(f"{name} ended with {code}")) as supervisor:
        await start_servers(supervisor, stack)
        await run_once(stack, "ingest", "migrate")
        await run_once(
            stack, "ingest", "park", "apply", str(data / "park.yaml"), "--reason", "test", "--author", "test"
        )
        await supervisor.start(stack.module("ingest", "ingest", "run"))
        for name, path in orders:
            carrier = by_name[name]
            await run_once(
                stack,
                "gateway",
                "import",
                "--park",
                "campus",
                "--source",
                f"import-{name}",
                "--file",
                str(path),
                "--layout",
                "wide",
                "--time-column",
                "hour_start_utc",
                "--kind",
                "delta",
                "--period",
                "3600",
                "--point",
                f"{{column}}-{name}/{carrier.quantity}",
                "--broker",
                stack.broker_url(),
                "--data",
                str(data / f"import-{name}"),
            )
        async with await Database.connect(stack.database_url, min_size=1, max_size=1) as database:
            while await database.fetchval("select count(*) from recompute"):
                await asyncio.sleep(0.1)
            rows = [tuple(row.values()) for row in await database.fetch(EVERYTHING)]
            return rows, await totals(database)


async def test_order_repetition_and_corrections_do_not_matter(folder: Path, tmp_path: Path) -> None:
    once = [(carrier.carrier, folder / carrier.file) for carrier in CARRIERS]
    wanted, wanted_totals = await imported(tmp_path / "once", folder, once)
    assert len(wanted) == 2 * 2 * 4 * len(list(hours()))
    pieces: list[tuple[str, Path]] = []
    for number, carrier in enumerate(CARRIERS):
        table = make_table(number)
        for month in (4, 2, 1, 3, 2):  # out of order, February twice
            good = write(tmp_path / f"{carrier.carrier}-{month}.csv", month_of(table, month))
            if month == 3:  # a wrong file first, then the right one, the wrong one again, the right one
                bad = write(tmp_path / f"{carrier.carrier}-wrong.csv", spoiled(month_of(table, month)))
                pieces += [(carrier.carrier, path) for path in (bad, good, bad)]
            pieces.append((carrier.carrier, good))
    found, found_totals = await imported(tmp_path / "pieces", folder, pieces)
    assert found == wanted
    assert found_totals == wanted_totals
    energy = sum(float(value) for values in make_table(0).values() for value in values)
    assert wanted_totals["electricity_kwh"] == pytest.approx(energy, rel=1e-12)


def test_figures_are_told_before_the_database_is_kept(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-m", "deploy.local.campus", str(folder), "--data", str(data), "--keep"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as kept:
        assert kept.stdout is not None
        answer = json.loads(kept.stdout.readline())
        assert kept.poll() is None
        kept.terminate()
        rest = kept.stdout.read()
    assert (kept.returncode, rest) == (0, "")
    assert set(answer["months"]) >= {"2023-02", "2023-03"}
    assert (data / "parkcarbon.env").is_file()


def test_a_folder_that_is_not_one_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.local.campus", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 1
    assert "electricity_kwh.csv is missing" in done.stderr
