"""The API as a process: settings by environment, quick start, clean end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.local.stack import free_port

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def process(url: str, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    env = os.environ | {
        "PARKCARBON_DATABASE_URL": url,
        "PARKCARBON_API_PORT": str(port),
        "PARKCARBON_WEB_DIST": str(tmp_path),
    }
    with (tmp_path / "log").open("wb") as out:
        running = subprocess.Popen([sys.executable, "-m", "api", "run"], cwd=ROOT, env=env, stdout=out, stderr=out)
    try:
        yield running, f"http://127.0.0.1:{port}"
    finally:
        running.kill()
        running.wait(10)


def until_ready(base: str, running: subprocess.Popen[bytes]) -> float:
    """Wait for `/readyz`; seconds it took."""
    started_s = time.perf_counter()
    with httpx.Client(trust_env=False) as client:
        while running.poll() is None and time.perf_counter() - started_s < 30:
            try:
                if client.get(f"{base}/readyz").status_code == 200:
                    return time.perf_counter() - started_s
            except httpx.TransportError:
                time.sleep(0.01)
    raise AssertionError("not ready")


def test_starts_serves_and_stops_cleanly(park_url: str, tmp_path: Path) -> None:
    with process(park_url, tmp_path) as (running, base):
        seconds = until_ready(base, running)
        memory_mb = psutil.Process(running.pid).memory_info().rss / 1e6
        print(f"api ready in {seconds:.2f} s with {memory_mb:.0f} MB")
        assert seconds < 15  # the bar of 1.5 s is measured by the benchmark, on a quiet machine
        assert memory_mb < 250
        headers = {"Authorization": "Bearer viewer-token-01"}
        with (
            httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=10) as client,
            client.stream("GET", "/api/v1/parks/demo/live") as response,
        ):
            lines = response.iter_lines()
            assert next(lines) == "retry: 2000"
            running.send_signal(signal.SIGTERM)
            for _ in lines:
                pass
        assert running.wait(10) == 0
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert "viewer-token-01" not in log
    assert "api.stopped" in log


def test_bad_settings_end_with_2(tmp_path: Path) -> None:
    env = os.environ | {"PARKCARBON_DATABASE_URL": "postgresql://x", "PARKCARBON_API_PORT": "many"}
    done = subprocess.run(
        [sys.executable, "-m", "api", "run"], cwd=ROOT, env=env, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert b"PARKCARBON_API_PORT" in done.stderr
    assert b"Traceback" not in done.stderr
