"""The whole park as a newcomer meets it: one command, a page in a browser, Ctrl-C, and on from where it was."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psutil
import pytest

from parkcarbon.kit.db import Database
from tests.e2e import books_checks as books
from tests.e2e import web_checks as checks
from tests.fakes.demo_process import DemoProcess

READY_WITHIN_S = 60.0
PARK = "jiangsu"


def get(demo: DemoProcess, path: str) -> Any:
    headers = {"Authorization": f"Bearer {demo.ready.token}"}
    return httpx.get(f"{demo.ready.url}/api/v1{path}", headers=headers, timeout=30).raise_for_status().json()


def last_month() -> str:
    first = dt.datetime.now(ZoneInfo("Asia/Shanghai")).replace(day=1)
    return f"{first - dt.timedelta(days=1):%Y-%m}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "park"


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[DemoProcess]:
    with DemoProcess(folder) as process:
        yield process


def test_it_is_ready_in_a_minute_with_every_meter_alive(demo: DemoProcess) -> None:
    assert demo.ready.seconds <= READY_WITHIN_S
    devices = get(demo, f"/parks/{PARK}/devices")["devices"]
    assert len(devices) == 31
    assert {device["state"] for device in devices} == {"ok"}


def test_the_page_shows_the_books(demo: DemoProcess) -> None:
    inventory = get(demo, f"/parks/{PARK}/inventory?period={last_month()}")
    with checks.chromium() as browser:
        with checks.open_page(browser, accept_downloads=True) as page:
            books.open_books(page, demo.ready.url, demo.ready.token, last_month())
            books.check_figures(page, inventory)
            books.check_reaches_registers(page)
            books.check_workbook(page)
        assert len(books.take_books(browser, demo.ready.url, demo.ready.token, last_month())) == 8


def test_last_month_closes(demo: DemoProcess) -> None:
    """The energy identity holds to the last digit, losses are what the scenario says, both scope 2 bases are there."""
    inventory = get(demo, f"/parks/{PARK}/inventory?month={last_month()}")
    energy = inventory["energy"]
    sources = energy["grid_import_kwh"] + energy["generation_kwh"] + energy["discharge_kwh"]
    load = sources - energy["charge_kwh"] - energy["grid_export_kwh"]
    assert energy["load_kwh"] == pytest.approx(load, rel=1e-12)
    assert 0.01 <= energy["unmetered_kwh"] / energy["load_kwh"] <= 0.03
    assert {(scope["scope"], scope["basis"]) for scope in inventory["scopes"]} == {
        (1, None),
        (2, "location"),
        (2, "market"),
    }
    assert inventory["completeness_pct"] == pytest.approx(100, abs=0.1)
    assert inventory["not_in_total"] == []
    assert not inventory["suspect_hours"]


def test_intervals_equal_their_recomputation(demo: DemoProcess) -> None:
    answer = demo.command("ingest", "recompute", "--park", PARK, "--check")
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.chromium
def test_the_page_shows_what_the_api_says(demo: DemoProcess) -> None:
    with checks.chromium() as browser, checks.open_page(browser) as page:
        checks.sign_in(page, checks.address(demo.ready.url), demo.ready.token)
        checks.check_tiles(page, checks.now_of(page, PARK))
        checks.check_flow(page, PARK)


async def _count(url: str) -> tuple[int, int]:
    async with await Database.connect(url, min_size=1, max_size=1) as database:
        readings = await database.fetchval("select count(*) from reading")
        conflicts = await database.fetchval("select count(*) from reading_conflict")
    return int(readings), int(conflicts)


def test_stopped_it_leaves_nothing_and_started_again_it_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "park"
    args = ("--scenario", "tiny", "--seed", "5")
    with DemoProcess(folder, *args) as first:
        token = first.ready.token
        before, _ = asyncio.run(_count(first.env["PARKCARBON_DATABASE_URL"]))
        pids = list(first.pids().values())
    assert not any(psutil.pid_exists(pid) for pid in pids)
    with DemoProcess(folder, *args) as second:
        assert second.ready.token == token
        after, conflicts = asyncio.run(_count(second.env["PARKCARBON_DATABASE_URL"]))
        assert after > before
        assert conflicts == 0
        answer = second.command("ingest", "recompute", "--park", "tiny", "--check")
        assert answer.returncode == 0, answer.stdout + answer.stderr
