"""The verb `evidence`: roots, export, check, as an auditor runs it."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest

from parkcarbon.books import inventory
from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.log.seal import seal
from parkcarbon.statement.record import encode
from parkcarbon.statement.verify.roots import kept_roots
from tests.fakes.evidence_park import evidence_park
from tests.fakes.ingest_park import PARK
from tests.integration.test_log_seal import put, sources

ROOT = Path(__file__).resolve().parents[2]


def run(url: str, *arguments: str) -> tuple[int, str, str]:
    """The command with a database, or with none: an empty URL."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    if url:
        environment["PARKCARBON_DATABASE_URL"] = url
    command = [sys.executable, "-m", "parkcarbon", "evidence", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, env=environment, cwd=ROOT)
    return done.returncode, done.stdout, done.stderr


async def test_an_auditor_exports_and_checks(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "SETTLED_AFTER", dt.timedelta(0))
    park = await evidence_park(postgres_url, counters=1)
    async with park.database as database, database.transaction() as session:
        as_of = dt.datetime.fromisoformat(park.record.known_on)
        number = await store.insert(session, park.record, as_of=as_of, person="first", supersedes=None)
    target, at_hand = tmp_path / "pack.zip", tmp_path / "statement.json"
    at_hand.write_bytes(encode(park.record))
    wanted = ("export", "--park", PARK, "--statement", str(number), "--output", str(target))

    code, out, err = run(postgres_url, *wanted, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["number"] == park.record.number
    assert "is there already" in run(postgres_url, *wanted)[2]

    code, out, err = run("", "check", str(target), "--statement", str(at_hand))
    assert (code, err) == (0, "")
    assert f"{len(park.record.figures)} figures come out of the registers" in out
    assert out.splitlines()[-1] == "仅为完整性校验，不构成核查 integrity only, not an ISO 14064-3 verification"

    code, out, err = run("", "check", str(target), "--statement", str(tmp_path / "none.json"))
    assert (code, out) == (2, "")
    assert err.endswith("none.json: No such file or directory\n")
    code, out, err = run("", "check", str(tmp_path / "none.zip"))
    assert (code, out) == (2, "")
    assert err.endswith("none.zip: No such file or directory\n")

    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(data)
    code, out, err = run("", "check", str(target), "--json")
    assert code == 1
    assert json.loads(out)["differences"][0].startswith("member ")
    code, out, err = run("", "check", str(at_hand))
    assert (code, out) == (1, "")
    assert "is no evidence pack" in err


async def test_roots_can_be_kept_and_compared(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "SETTLED_AFTER", dt.timedelta(0))
    park = await evidence_park(postgres_url, counters=1)
    async with park.database as database:
        source = (await sources(database))["agent"]
        code, out, err = run(postgres_url, "roots", "--park", PARK, "--json")
        assert (code, out) == (1, "")
        assert "no daily root yet" in err
        begun = dt.datetime.now(dt.UTC) - dt.timedelta(days=3)
        await database.execute("alter table log_leaf disable trigger user")
        await database.execute("alter table log_root disable trigger user")
        await database.execute("alter table batch disable trigger user")
        for table in ("log_leaf", "log_root", "log_head"):
            await database.execute(f"delete from {table}")  # noqa: S608 - names of this test
        await database.execute("update log_state set sealed_until = 'epoch'")
        await put(database, source, "before", 1, begun)
        await seal(database)
    code, out, err = run(postgres_url, "roots", "--park", PARK, "--json")
    assert (code, err) == (0, "")
    kept = kept_roots(out.encode(), PARK)
    assert len(kept) == 3
    assert {root.size for root in kept.values()} == {1}
    assert "sent to: nowhere yet" in run(postgres_url, "roots", "--park", PARK)[1]
