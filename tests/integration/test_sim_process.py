"""The simulator as its own process: prepared, served over TCP and a serial line, logged, stopped, started again."""

import asyncio
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from edge.config import load_config
from edge.errors import NoAnswerError, RefusalError
from edge.modbus import Link, SerialTarget, TcpTarget, Timing
from firmware_sim.answers import AnswerLog, logged_values
from firmware_sim.park import SimulatedPark
from firmware_sim.prepare import Order, prepare
from parkcarbon.catalog.park import load_park
from parkcarbon.catalog.profiles import load_profile
from parkcarbon.domain.readplan import plan_profile
from parkcarbon.domain.registers import decode
from parkcarbon.kit.clock import SystemClock

ROOT = Path(__file__).resolve().parents[2]
TIMING = Timing(timeout_s=2.0)


def prepared(folder: Path, scenario: str = "tiny", **changes: Any) -> dict[str, int]:
    order: dict[str, Any] = {
        "scenario": scenario,
        "seed": 1,
        "folder": folder,
        "now_ms": int(time.time() * 1000),
        "cloud_broker": "mqtt://cloud:1883",
        "park_broker": "mqtt://park:1883",
    }
    return prepare(Order(**(order | changes)))


@contextmanager
def running(folder: Path) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """The simulator as a child; stopped by SIGTERM, which it obeys with exit code 0."""
    command = [sys.executable, "-m", "firmware_sim", "run", "--dir", str(folder)]
    with (folder / "stderr").open("w") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "stderr").read_text()
        yield json.loads(line), process
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0, (folder / "stderr").read_text()
        assert (folder / "stderr").read_text() == ""
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def buses(folder: Path) -> list[dict[str, Any]]:
    return [bus for path in sorted(folder.glob("edge-*.yaml")) for bus in yaml.safe_load(path.read_text())["buses"]]


def link_to(bus: dict[str, Any]) -> Link:
    target = TcpTarget(bus["host"], bus["port"]) if bus["kind"] == "tcp" else SerialTarget(bus["path"], bus["baud"])
    return Link(target, SystemClock())


async def poll(bus: dict[str, Any]) -> dict[str, float | None]:
    """Read every point of a bus as an agent would."""
    link = link_to(bus)
    found: dict[str, float | None] = {}
    try:
        for device in bus["devices"]:
            profile = load_profile(device["profile"])
            quantities = tuple(point["quantity"] for point in device["points"])
            for block in plan_profile(profile, quantities):
                words = await link.read(device["unit"], block.function, block.address, block.count, TIMING)
                registers = block.registers(words)
                found |= {f"{device['device']}/{p.quantity}": decode(p, registers).value for p in block.points}
    finally:
        await link.close()
    return found


async def poll_all(folder: Path) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for values in await asyncio.gather(*(poll(bus) for bus in buses(folder))):
        found |= values
    return found


@pytest.fixture(scope="module")
def jiangsu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jiangsu")
    prepared(folder, "jiangsu", journal=True)
    return folder


# ── prepare ──────────────────────────────────────────────────────────────────────────────────────


def test_the_park_document_is_a_park(jiangsu: Path) -> None:
    park = load_park(jiangsu / "park.yaml")
    flows: dict[str, int] = {}
    for device in park.devices:
        for point in device.points:
            if point.flow:
                flows[point.flow] = flows.get(point.flow, 0) + 1
    assert flows == {
        "import": 1,
        "export": 1,
        "generation": 3,
        "charge": 1,
        "discharge": 1,
        "fuel": 1,
        "heat": 1,
        "sub_meter": 24,
    }
    assert sum(len(device.points) for device in park.devices) <= 150
    assert [source.source for source in park.sources if source.via == "gw-1"] == ["edge-electronics", "edge-moulding"]
    assert all(point.episodes for device in park.devices for point in device.points)


def test_the_configurations_name_brokers_lines_and_points(jiangsu: Path) -> None:
    configs = {path.stem: yaml.safe_load(path.read_text()) for path in jiangsu.glob("edge-*.yaml")}
    brokers = {name: config["broker"] for name, config in configs.items()}
    assert brokers == {
        "edge-park": "mqtt://cloud:1883",
        "edge-machining": "mqtt://cloud:1883",
        "edge-electronics": "mqtt://park:1883",
        "edge-moulding": "mqtt://park:1883",
    }
    assert all(config["source"] == name for name, config in configs.items())
    assert all(load_config(jiangsu / f"{name}.yaml").source == name for name in configs)
    assert all(Path(config["journal"]).parent == jiangsu for config in configs.values())
    (serial,) = configs["edge-machining"]["buses"]
    assert serial["kind"] == "rtu"
    assert len(serial["devices"]) == 8
    gateway = yaml.safe_load((jiangsu / "gateway-gw-1.yaml").read_text())
    assert gateway["sources"] == ["edge-electronics", "edge-moulding"]
    assert (gateway["local_broker"], gateway["uplink_broker"]) == ("mqtt://park:1883", "mqtt://cloud:1883")
    in_park = {f"{d.device}/{p.quantity}" for d in load_park(jiangsu / "park.yaml").devices for p in d.points}
    polled = {f"{d['device']}/{p['quantity']}" for bus in buses(jiangsu) for d in bus["devices"] for p in d["points"]}
    assert polled == in_park


def test_the_history_is_sorted_whole_and_what_the_registers_show(jiangsu: Path) -> None:
    park = SimulatedPark.load(jiangsu)
    start, end = park.state.history_start_ms, park.state.prepared_ms
    quarters = (end - start) // 900_000 + 1
    seen: set[str] = set()
    for path in jiangsu.glob("history-*.npz"):
        with np.load(path) as file:
            points, p, t, x, q = (file[name] for name in ("points", "p", "t", "x", "q"))
        assert (p.dtype, t.dtype, x.dtype, q.dtype) == (np.int32, np.int64, np.float64, np.int8)
        assert np.all(np.diff(t) >= 0)
        assert np.bincount(p).tolist() == [quarters] * len(points)
        assert (t[0], t[-1]) == (start, start + (quarters - 1) * 900_000)
        assert not q.any()
        seen |= set(points.tolist())
        for row in range(0, len(t), 4_999):
            device, quantity = points[p[row]].split("/")
            meter = next(m for m in park.meters if m.plan.device == device)
            point = meter.profile.point(quantity)
            answer = meter.answer(point.function, point.first, point.end - point.first, int(t[row]))
            assert not isinstance(answer, int)
            assert answer[1][quantity] == x[row]
    assert len(seen) == sum(len(meter.plan.quantities) for meter in park.meters)
    local = dt.datetime.fromtimestamp(start / 1000, dt.timezone(dt.timedelta(hours=8)))
    assert (local.hour, local.minute) == (0, 0)
    assert (local + dt.timedelta(days=1)).day == 1


def test_preparing_again_goes_on_with_the_same_park(tmp_path: Path) -> None:
    assert prepared(tmp_path, seed=5) == {"edge-tiny": 7 * _quarters(tmp_path)}
    kept = {
        path.name: path.read_bytes() for path in tmp_path.glob("*") if path.name.startswith(("park", "hist", "sim.j"))
    }
    assert prepared(tmp_path, seed=6, cloud_broker="mqtt://elsewhere:1") == {}
    assert {name: (tmp_path / name).read_bytes() for name in kept} == kept
    assert yaml.safe_load((tmp_path / "edge-tiny.yaml").read_text())["broker"] == "mqtt://elsewhere:1"


def _quarters(folder: Path) -> int:
    state = SimulatedPark.load(folder).state
    return (state.prepared_ms - state.history_start_ms) // 900_000 + 1


def test_without_history_there_is_nothing_to_send(tmp_path: Path) -> None:
    assert prepared(tmp_path, history=False) == {}
    assert not list(tmp_path.glob("history-*"))
    assert yaml.safe_load((tmp_path / "edge-tiny.yaml").read_text())["backfill"] is None


def test_the_command_line_prepares(tmp_path: Path) -> None:
    arguments = ["--scenario", "tiny", "--seed", "3", "--dir", str(tmp_path), "--now", "2026-11-21T08:00:00+08:00"]
    brokers = ["--cloud-broker", "mqtt://a:1", "--park-broker", "mqtt://b:1"]
    command = [sys.executable, "-m", "firmware_sim", "prepare", *arguments, *brokers, "--no-history", "--journal"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"readings": {}}
    assert SimulatedPark.load(tmp_path).state.prepared_ms == 1_795_219_200_000
    naive = [word.replace("+08:00", "") for word in command]
    refused = subprocess.run(naive, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "has no offset from UTC" in refused.stderr


# ── run ──────────────────────────────────────────────────────────────────────────────────────────


async def test_each_point_is_read_over_its_line_and_logged_bit_equal(jiangsu: Path) -> None:
    with running(jiangsu) as (ready, process):
        assert ready["ready"]
        found = await poll_all(jiangsu)
        assert process.poll() is None
        lines = [json.loads(line) for line in (jiangsu / "answers.jsonl").read_text().splitlines()]
    logged = {f"{line['device']}/{name}": value for line in lines for name, value in line["values"].items()}
    assert len(found) == 64
    assert {point: logged[point] for point in found} == found
    everything = logged_values(jiangsu)
    assert all(value in everything[point] for point, value in found.items())
    for line in lines:
        assert len(line["hex"]) == 4 * line["count"]
    _agrees_with_the_history(jiangsu, found)


def _agrees_with_the_history(folder: Path, found: dict[str, float | None]) -> None:
    """Live registers go on where the history ended."""
    for path in folder.glob("history-*.npz"):
        with np.load(path) as file:
            points, p, x = file["points"], file["p"], file["x"]
        for number, point in enumerate(points.tolist()):
            if "energy" in point or "volume" in point:
                last, live = x[p == number][-1], found[point]
                assert live is not None
                assert last <= live <= last + 400


async def test_a_wrong_unit_and_a_wrong_address(tmp_path: Path) -> None:
    prepared(tmp_path, history=False)
    with running(tmp_path):
        bus = next(bus for bus in buses(tmp_path) if bus["bus"] == "workshop")
        link = link_to(bus)
        with pytest.raises(NoAnswerError):
            await link.read(9, 3, 10, 2, Timing(timeout_s=0.3))
        with pytest.raises(RefusalError, match="2"):
            await link.read(1, 3, 6000, 2, TIMING)
        assert len(await link.read(1, 3, 10, 2, TIMING)) == 2
        await link.close()
    codes = [json.loads(line).get("exception") for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert codes == [2, None]


async def test_faults_come_and_go_while_it_runs(tmp_path: Path) -> None:
    prepared(tmp_path, history=False)
    with running(tmp_path):
        bus = next(bus for bus in buses(tmp_path) if bus["bus"] == "workshop")
        link = link_to(bus)
        (tmp_path / "faults.yaml").write_text("- {device: workshop-1, kind: exception, code: 6, after_s: 0}\n")
        assert await _becomes(link, refused=True)
        assert len(await link.read(2, 4, 72, 2, TIMING)) == 2
        (tmp_path / "faults.yaml").unlink()
        assert await _becomes(link, refused=False)
        await link.close()


async def _becomes(link: Link, *, refused: bool) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            await link.read(1, 3, 10, 2, TIMING)
            now = False
        except RefusalError:
            now = True
        if now == refused:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_the_serial_line_outlives_its_readers_and_a_restart(jiangsu: Path) -> None:
    bus = next(bus for bus in buses(jiangsu) if bus["kind"] == "rtu")
    counters = []
    for _ in range(2):
        with running(jiangsu):
            first, second = await poll(bus), await poll(bus)
            counters += [first, second]
            assert Path(bus["path"]).is_symlink()
        assert not os.path.lexists(bus["path"])
    energies = [[values[f"machining-{n}/active_energy_import"] for n in range(1, 9)] for values in counters]
    assert all(None not in row for row in energies)
    assert np.all(np.diff(np.array(energies, dtype=np.float64), axis=0) >= 0)


def test_a_taken_port_is_said_and_renewed_by_prepare(tmp_path: Path) -> None:
    prepared(tmp_path, history=False)
    with running(tmp_path):
        command = [sys.executable, "-m", "firmware_sim", "run", "--dir", str(tmp_path)]
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
        assert second.returncode != 0
        assert "is taken" in second.stderr
        before = SimulatedPark.load(tmp_path).state.ports
        prepared(tmp_path, history=False)
        after = SimulatedPark.load(tmp_path).state.ports
        assert not set(before.values()) & set(after.values())


def test_the_log_moves_on_and_keeps_the_file_before(tmp_path: Path) -> None:
    with AnswerLog(tmp_path / "answers.jsonl", max_bytes=200) as log:
        for number in range(7):
            log.write({"t": number, "device": "d", "values": {"active_power": number / 3}})
    assert (tmp_path / "answers.jsonl.1").exists()
    assert 6 / 3 in logged_values(tmp_path)["d/active_power"]
    assert (tmp_path / "answers.jsonl").stat().st_size <= 200
