"""The supervisor's pauses, the campus park document, the command line's env file."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import msgspec
import pytest

from deploy.local.campus import park_document, slug
from deploy.local.stack import StackError, free_port, ports_of
from deploy.local.supervisor import FIRST_PAUSE_S, LONGEST_PAUSE_S, Child, Supervisor, next_pause_s
from parkcarbon.catalog.park import decode_park
from parkcarbon.cli import load_env_file


def test_pause_grows_to_its_ceiling_and_falls_back_after_a_steady_run() -> None:
    pauses = [0.0]
    for _ in range(8):
        pauses.append(next_pause_s(pauses[-1], ran_s=0.1))
    assert pauses[1] == FIRST_PAUSE_S
    assert pauses[-1] == LONGEST_PAUSE_S
    assert pauses == sorted(pauses)
    assert next_pause_s(LONGEST_PAUSE_S, ran_s=60) == FIRST_PAUSE_S


async def test_killed_child_is_started_again_and_stopped_on_leaving(tmp_path: Path) -> None:
    ended: list[tuple[str, int]] = []
    async with Supervisor(tmp_path, on_restart=lambda name, code: ended.append((name, code))) as supervisor:
        child = Child("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"])
        await supervisor.start(child)
        first = supervisor.children["sleeper"]
        os.kill(first, signal.SIGKILL)
        while supervisor.children.get("sleeper", first) == first:  # the runner's timeout bounds this
            await asyncio.sleep(0.02)
        second = supervisor.children["sleeper"]
        assert json.loads((tmp_path / "pids.json").read_text()) == {"sleeper": second}
    assert ended == [("sleeper", -signal.SIGKILL)]
    assert not (tmp_path / "pids.json").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def test_ports_are_kept_and_a_taken_wanted_port_is_refused(tmp_path: Path) -> None:
    ports = ports_of(tmp_path, {})
    assert len(set(ports.values())) == len(ports)
    assert ports_of(tmp_path, {}) == ports
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StackError, match="is taken"):
            ports_of(tmp_path, {"api": taken.getsockname()[1]})
    assert free_port() > 0


def _campus_folder(folder: Path, columns: str = "b2,Block 7") -> Path:
    rows = "\n2023-01-01T00:00:00Z,1,2\n2023-01-01T01:00:00Z,3,4\n"
    for name in ("electricity_kwh.csv", "gas_kwh.csv"):
        (folder / name).write_text(f"hour_start_utc,{columns}{rows}")
    (folder / "grid_intensity.csv").write_text("datetime,intensity\n2023-01-01 00:00:00,0.2\n")
    return folder


def test_campus_document_reads_buildings_from_the_header(tmp_path: Path) -> None:
    document = park_document(_campus_folder(tmp_path), "Europe/London", "GB")
    park = decode_park(msgspec.yaml.encode(document))
    assert [d.device for d in park.devices] == ["b2-electricity", "block-7-electricity", "b2-gas", "block-7-gas"]
    assert {d.points[0].flow for d in park.devices} == {"import", "fuel"}
    assert [t.tenant for t in park.tenants] == ["b2", "block-7"]
    assert park.factor_series[0].value_column == "intensity"


def test_campus_says_what_is_missing_or_unusable(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"electricity_kwh\.csv is missing"):
        park_document(tmp_path, "Europe/London", "GB")
    with pytest.raises(StackError, match="gives no usable device name"):
        slug(" ?? ")


def test_env_file_fills_gaps_and_names_the_bad_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARKCARBON_SET", "kept")
    monkeypatch.delenv("PARKCARBON_NEW", raising=False)
    path = tmp_path / "parkcarbon.env"
    path.write_text("# comment\nPARKCARBON_SET=other\nPARKCARBON_NEW=a=b\n")
    load_env_file(path)
    assert (os.environ["PARKCARBON_SET"], os.environ["PARKCARBON_NEW"]) == ("kept", "a=b")
    monkeypatch.delenv("PARKCARBON_NEW")
    path.write_text("no separator\n")
    with pytest.raises(SystemExit, match=":1: not NAME=value"):
        load_env_file(path)
