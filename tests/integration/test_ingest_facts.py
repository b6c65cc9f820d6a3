"""Dated facts through the command line: park documents, corrections, factor series, tokens, quarantine."""

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from parkcarbon.kit.db import from_ms
from tests.fakes.ingest_park import (
    METER,
    NOW_MS,
    PARK,
    QUARTER_MS,
    Ingest,
    Sender,
    counter_rows,
    open_ingest,
    park_text,
    utc,
)

Cli = Callable[..., str]
ROOT = Path(__file__).resolve().parents[2]
M0 = f"m0/{METER}"
START = NOW_MS - 20 * 86_400_000


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    yield opened
    await opened.database.close()


@pytest.fixture
def cli(database_url: str) -> Cli:
    def run(*arguments: str, code: int = 0) -> str:
        environment = {**os.environ, "PARKCARBON_DATABASE_URL": database_url}
        command = [sys.executable, "-m", "ingest", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + (done.stderr if code else "")

    return run


def write(folder: Path, text: str) -> str:
    path = folder / "park.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def amounts(rows: list[tuple[object, ...]]) -> list[int]:
    return [int(str(row[1])) for row in rows]


async def test_a_document_is_checked_compared_and_applied_once(ingest: Ingest, cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path, park_text().replace("generic-delta", "eastron-sdm630"))
    assert "no problems" in cli("park", "check", path)
    assert cli("park", "diff", path).strip() == f"park {PARK} is new"
    assert "revision 1" in cli("park", "apply", path, "--author", "zhang", "--reason", "commissioning")
    again = cli("park", "apply", path)
    assert "revision 1, 0 new factors, 0 series changed, 0 points" in again
    changed = write(tmp_path, park_text(1).replace("generic-delta", "eastron-sdm630").replace("Meter 0", "Main"))
    assert "Main" in cli("park", "diff", changed)
    assert "revision 2" in cli("park", "apply", changed)
    facts = await ingest.database.fetch("select revision, author, reason from park_revision order by revision")
    assert [tuple(row.values())[:2] for row in facts] == [(1, "zhang"), (2, facts[1]["author"])]
    active = await ingest.database.fetch("select device, active, name_en from device order by device")
    assert [tuple(row.values()) for row in active] == [("m0", True, "Main"), ("m1", False, "Meter 1")]
    bad = write(tmp_path, park_text().replace("Asia/Shanghai", "Asia/Nowhere"))
    assert "Asia/Nowhere" in cli("park", "check", bad, code=1)


async def test_a_ratio_entered_later_changes_the_past_from_its_date(ingest: Ingest, cli: Cli, tmp_path: Path) -> None:
    await ingest.apply(park_text(1))
    await ingest.commit(Sender().batch(counter_rows(M0, START, [float(value) for value in range(97)])))
    before = await ingest.intervals()
    episode = ", episodes: [{at: 2026-11-01T06:00:00Z, ct: 40}]"
    applied = await ingest.apply(park_text(1, point=episode))
    assert applied.queued == 1
    cli("recompute", "--park", PARK, "--from", "2027-01-01T00:00:00Z")
    assert cli("recompute", "--park", PARK, "--check").endswith(" intervals checked, 0 differ\n")
    after = await ingest.intervals()
    assert after[:24] == before[:24]
    assert set(amounts(after[24:])) == {40_000_000}


async def test_corrections_exclude_retime_and_declare(ingest: Ingest, cli: Cli) -> None:
    await ingest.apply(park_text(1, point=", limit_per_h: 100"))
    values = [float(value) for value in range(60)]
    rows = counter_rows(M0, START, values)
    rows[20:30] = counter_rows(M0, START + 20 * QUARTER_MS - 3_000, values[20:30], quality=4)
    await ingest.commit(Sender().batch(rows))
    assert {row[3] for row in await ingest.intervals()} == {0, 1}
    when = ["--from", "2026-11-01T04:55:00Z", "--to", "2026-11-01T07:20:00Z"]
    cli("correct", "retime", "--park", PARK, "--point", M0, *when, "--offset-ms", "3000", "--reason", "clock")
    cli("recompute", "--park", PARK, "--from", "2027-01-01T00:00:00Z")
    assert {row[3] for row in await ingest.intervals()} == {0}
    assert set(amounts(await ingest.intervals())) == {1_000_000}
    assert cli("recompute", "--park", PARK, "--check").endswith(" intervals checked, 0 differ\n")
    when = ["--from", "2026-11-01T10:00:00Z", "--to", "2026-11-01T11:00:00Z"]
    cli("correct", "exclude", "--park", PARK, "--point", M0, *when, "--reason", "jumped")
    cli("recompute", "--park", PARK, "--from", "2027-01-01T00:00:00Z")
    rows_after = await ingest.intervals()
    assert {row[3] for row in rows_after} == {0, 1}
    assert sum(amounts(rows_after)) == 59_000_000
    assert cli("recompute", "--park", PARK, "--check").endswith(" intervals checked, 0 differ\n")
    begin = ["--from", "2026-11-01T00:00:00Z", "--reason", "test"]
    assert "there is no point" in cli("correct", "exclude", "--park", PARK, "--point", "m9/x", *begin, code=1)
    without = ["--from", "2026-10-01T00:00:00Z", "--to", "2026-10-02T00:00:00Z", "--reason", "test"]
    assert "has no reading" in cli("correct", "exclude", "--park", PARK, "--point", M0, *without, code=1)
    assert "--reason" in cli("correct", "exclude", "--park", PARK, "--point", M0, *begin[:2], code=2)
    told = cli("review", "--park", PARK).splitlines()
    assert [line.split()[0] for line in told] == ["correction", "correction"]
    assert "offset_ms 3000" in told[0]
    assert told[1].endswith(": jumped; 6 kWh before, 6 after)")


async def test_a_review_tells_what_a_person_is_asked(ingest: Ingest, cli: Cli) -> None:
    await ingest.apply(park_text(1, point=", limit_per_h: 100"))
    sender = Sender()
    values = [500.0 + value for value in range(10)] + [float(value) for value in range(10)]
    await ingest.commit(sender.batch(counter_rows(M0, START, values)))
    await ingest.commit(sender.batch(counter_rows(M0, START, [501.0])))
    told = cli("review", "--park", PARK).splitlines()
    assert [line.split()[0] for line in told] == ["question", "boundary", "conflict"]
    assert told[0].split()[2:4] == [M0, "inferred_boundary:"]
    assert "register 509.0 to 0.0" in told[1]
    assert told[2].endswith("500.0 kept, 501.0 came later")
    assert cli("review", "--park", PARK, "--to", "2026-10-01T00:00:00Z") == ""
    assert "there is no park" in cli("review", "--park", "nowhere", code=1)


async def test_a_recompute_backwards_in_time_is_refused(ingest: Ingest, cli: Cli) -> None:
    await ingest.apply(park_text(1))
    span = ["--from", "2026-11-02T00:00:00Z", "--to", "2026-11-01T00:00:00Z"]
    assert "is before" in cli("recompute", "--park", PARK, *span, code=1)
    assert "is no time like" in cli("recompute", "--park", PARK, "--from", "yesterday", code=2)


async def test_a_check_finds_what_somebody_changed(ingest: Ingest, cli: Cli) -> None:
    await ingest.apply(park_text(1))
    await ingest.commit(Sender().batch(counter_rows(M0, START, [float(value) for value in range(20)])))
    assert cli("recompute", "--park", PARK, "--check") == f"{PARK}: 1 points, 19 intervals checked, 0 differ\n"
    await ingest.database.execute(
        "update interval_15min set amount_micro = amount_micro + 1 where start = $1", _start(3)
    )
    found = cli("recompute", "--park", PARK, "--check", code=1)
    assert "amount_micro is 1000001, recomputed 1000000" in found
    assert "roll-up hour" in found
    assert f"\n{PARK}: 1 points, 19 intervals checked, 1 differ\n" in found
    cli("recompute", "--park", PARK)
    assert cli("recompute", "--park", PARK, "--check").endswith(" intervals checked, 0 differ\n")
    await ingest.database.execute("delete from interval_15min where start = $1", _start(5))
    assert "is missing" in cli("recompute", "--park", PARK, "--check", code=1)


def _start(at: int) -> dt.datetime:
    return from_ms(START + at * QUARTER_MS)


SERIES = """
factor_series:
  - {factor: grid-hourly, purpose: grid_average, carrier: electricity, region: China/JS, gas: CO2, unit: kgCO2/kWh,
     file: grid.csv, time_column: t, value_column: x, publisher: Grid, edition: test}
"""


async def test_an_hourly_factor_prices_its_hours_and_a_new_value_wins(ingest: Ingest, cli: Cli, tmp_path: Path) -> None:
    hours = [START + at * 3_600_000 for at in range(48)]
    lines = [f"{_iso(hour)},{0.5 + at / 1000}" for at, hour in enumerate(hours)]
    (tmp_path / "grid.csv").write_text("t,x\n" + "\n".join(lines) + "\n")
    method = "method: {electricity_region: China/JS, electricity_factor: grid-hourly}"
    text = park_text(1).replace("method: {electricity_region: China/JS}", method) + SERIES
    applied = await ingest.apply(text, tmp_path)
    assert applied.series == {"grid-hourly": (hours[0], hours[-1] + 3_600_000)}
    await ingest.commit(Sender().batch(counter_rows(M0, START, [float(value) for value in range(193)])))
    rows = await ingest.intervals()
    assert [row[6] for row in rows] == [round((0.5 + at // 4 / 1000) * 1e9) for at in range(192)]
    assert (await ingest.apply(text, tmp_path)).series == {}
    lines[10] = f"{_iso(hours[10])},0.9"
    (tmp_path / "grid.csv").write_text("t,x\n" + "\n".join(lines) + "\n")
    applied = await ingest.apply(text, tmp_path)
    assert (applied.series, applied.queued) == ({"grid-hourly": (hours[10], hours[10] + 3_600_000)}, 1)
    cli("recompute", "--park", PARK, "--from", "2027-01-01T00:00:00Z")
    assert [row[6] for row in await ingest.intervals()][40:44] == [900_000_000] * 4
    assert cli("recompute", "--park", PARK, "--check").endswith(" intervals checked, 0 differ\n")
    assert await ingest.database.fetchval("select count(*) from factor_value") == 49


def _iso(time_ms: int) -> str:
    return from_ms(time_ms).strftime("%Y-%m-%d %H:%M:%S")


async def test_a_token_is_told_once_and_kept_as_its_hash(ingest: Ingest, cli: Cli) -> None:
    made = json.loads(cli("token", "create", "--label", "wall-1", "--role", "wall", "--json"))
    row = await ingest.database.fetchrow("select digest, role, revoked_at from api_token")
    assert row is not None
    assert bytes(row["digest"]) == hashlib.sha256(made["token"].encode()).digest()
    assert (row["role"], row["revoked_at"]) == ("wall", None)
    cli("token", "revoke", "--label", "wall-1")
    assert await ingest.database.fetchval("select revoked_at is not null from api_token")
    assert "no token" in cli("token", "revoke", "--label", "wall-1", code=1)
    (line,) = cli("token", "list").splitlines()
    assert line.startswith("wall-1: wall, every park, made ")
    assert "revoked 2" in line
    assert made["token"] not in line
    assert "there is no park" in cli("token", "create", "--label", "x", "--park", "nowhere", code=1)


async def test_who_enters_or_approves_is_a_named_person(ingest: Ingest, cli: Cli) -> None:
    assert "needs --person" in cli("token", "create", "--label", "desk", "--role", "approver", code=1)
    made = json.loads(cli("token", "create", "--label", "desk", "--role", "approver", "--person", "reviewer", "--json"))
    assert made["person"] == "reviewer"
    assert cli("token", "list").startswith("desk: approver reviewer, every park, made ")
    assert "needs --label" in cli("token", "create", "--label", " ", code=1)


async def test_the_quarantine_is_listed_and_released_by_a_new_document(
    ingest: Ingest, cli: Cli, tmp_path: Path
) -> None:
    await ingest.apply(park_text(1))
    rows = counter_rows(f"m1/{METER}", START, [0.1, 0.30000000000000004, None, 1e-300])
    await ingest.commit(Sender().batch(rows))
    listed = cli("quarantine", "list", "--park", PARK)
    assert listed.count("unknown-point") == 4
    assert "0.30000000000000004" in listed
    path = write(tmp_path, park_text(2).replace("generic-delta", "eastron-sdm630"))
    assert "4 readings released" in cli("park", "apply", path)
    stored = await ingest.database.fetch("select value from reading order by time")
    assert [row["value"] for row in stored] == [0.1, 0.30000000000000004, None, 1e-300]
    assert cli("quarantine", "list") == ""
    assert cli("recompute", "--park", PARK, "--check").endswith(" intervals checked, 0 differ\n")


async def test_a_changed_time_zone_moves_the_local_days(ingest: Ingest, cli: Cli) -> None:
    await ingest.apply(park_text(1))
    await ingest.commit(
        Sender().batch(counter_rows(M0, utc("2026-11-01T00:00:00+00:00"), [float(v) for v in range(97)]))
    )
    days = "select r.day::text, r.amount_micro from rollup_day r order by 1"
    assert [tuple(row.values()) for row in await ingest.database.fetch(days)] == [
        ("2026-11-01", 64_000_000),
        ("2026-11-02", 32_000_000),
    ]
    await ingest.apply(park_text(1, timezone="Asia/Kolkata"))
    cli("recompute", "--park", PARK, "--from", "2027-01-01T00:00:00Z")
    assert [tuple(row.values()) for row in await ingest.database.fetch(days)] == [
        ("2026-11-01", 74_000_000),
        ("2026-11-02", 22_000_000),
    ]
    assert cli("recompute", "--park", PARK, "--check").endswith(" intervals checked, 0 differ\n")


async def test_the_readings_can_be_made_again_from_the_raw_batches(ingest: Ingest, cli: Cli) -> None:
    await ingest.apply(park_text(2))
    sender = Sender()
    for point in (M0, f"m1/{METER}"):
        for part in range(3):
            values = [part * 50 + float(value) for value in range(50)]
            await ingest.commit(sender.batch(counter_rows(point, START + part * 50 * QUARTER_MS, values)))
    await ingest.commit(sender.batch(counter_rows(M0, START, [7.5])))
    facts = "select point_id, time, value, quality, span_ms, batch_id from reading order by 1, 2"
    before = [tuple(row.values()) for row in await ingest.database.fetch(facts)]
    results = await ingest.everything()
    assert "0 readings entered" in cli("replay", "--park", PARK)
    await ingest.database.execute("delete from reading where value between 20 and 120")
    assert "202 readings entered" in cli("replay", "--park", PARK)
    assert [tuple(row.values()) for row in await ingest.database.fetch(facts)] == before
    assert await ingest.everything() == results
    assert cli("recompute", "--park", PARK, "--check").endswith(" intervals checked, 0 differ\n")
