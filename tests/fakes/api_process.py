"""The API as a process of its own, on a free port, with whatever database it is given."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.local.stack import free_port

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def api_process(url: str, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start the API; yields the process and its address, and kills what is left of it.

    Args:
        url: of the database.
        folder: takes the log, as `log`, and stands in for the web page.
    """
    port = free_port()
    env = os.environ | {
        "PARKCARBON_DATABASE_URL": url,
        "PARKCARBON_API_PORT": str(port),
        "PARKCARBON_WEB_DIST": str(folder),
    }
    with (folder / "log").open("wb") as out:
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
        while running.poll() is None and time.perf_counter() - started_s < 90:
            try:
                if client.get(f"{base}/readyz").status_code == 200:
                    return time.perf_counter() - started_s
            except httpx.TransportError:
                time.sleep(0.01)
    raise AssertionError("not ready")
