"""SIGTERM in the first moments of every process: exit code 0, whatever was being imported."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from firmware_sim.prepare import Order, prepare

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("edge", "gateway", "ingest", "api", "firmware_sim")
NOWHERE = "mqtt://127.0.0.1:9"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared park, with a configuration for every service."""
    made = tmp_path_factory.mktemp("park")
    order = Order(
        scenario="tiny",
        seed=1,
        folder=made,
        now_ms=1_795_219_200_000,
        cloud_broker=NOWHERE,
        park_broker=NOWHERE,
        history=False,
        journal=False,
    )
    prepare(order)
    (made / "gateway.yaml").write_text(
        f"{{park: p, gateway: g, local_broker: '{NOWHERE}', uplink_broker: '{NOWHERE}', data: g, sources: [a]}}"
    )
    (made / "edge.yaml").write_text(
        f"""
park: p
source: a
broker: {NOWHERE}
data: a
buses:
  - {{bus: b, kind: tcp, host: 127.0.0.1, port: 9, devices: [
      {{device: m, profile: eastron-sdm630, unit: 1, points: [{{quantity: active_power}}]}}]}}
"""
    )
    return made


def start(service: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start `python -m service run …`."""
    more = {
        "edge": [str(folder / "edge.yaml")],
        "gateway": [str(folder / "gateway.yaml")],
        "firmware_sim": ["--dir", str(folder)],
    }
    environment = {
        **os.environ,
        "PARKCARBON_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
        "PARKCARBON_BROKER_URL": NOWHERE,
        "PARKCARBON_API_PORT": "0",
    }
    command = [sys.executable, "-m", service, "run", *more.get(service, [])]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def listens(process: subprocess.Popen[bytes]) -> bool:
    """Return whether SIGTERM is caught by the process by now."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("later_s", [0.0, 0.1, 0.3, 0.6, 1.2])
@pytest.mark.parametrize("service", SERVICES)
def test_a_stop_while_starting_is_a_clean_end(service: str, later_s: float, folder: Path) -> None:
    process = start(service, folder)
    deadline = time.monotonic() + 20
    while not listens(process):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(later_s)
    process.send_signal(signal.SIGTERM)
    try:
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_heavy_is_imported_before_signals_are_caught(service: str) -> None:
    program = f"import sys, {service}.__main__; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"asyncio", "msgspec", "structlog", "numpy", "pymodbus", "aiomqtt", "asyncpg", "uvicorn", "fastapi"}
    assert not heavy & set(done.stdout.split())


def test_other_verbs_are_cut_short_by_a_stop() -> None:
    program = (
        "import os, signal; from parkcarbon.kit.early import end_cleanly; end_cleanly(['ingest', 'recompute', 'run']);"
        " os.kill(os.getpid(), signal.SIGTERM)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == -signal.SIGTERM
