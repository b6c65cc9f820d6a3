"""A whole park in its own processes, to be killed piece by piece."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 180.0


def read_env(path: Path) -> dict[str, str]:
    """`NAME=value` lines of an env file."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if line)


@dataclass(frozen=True, slots=True)
class Ready:
    """What the demo said when it was ready."""

    url: str
    token: str
    seconds: float


class DemoProcess:
    """`parkcarbon demo --json` as a child; a context manager that stops it with SIGTERM and expects exit code 0."""

    def __init__(self, data: Path, *args: str) -> None:
        self.data = data
        self._args = args
        self._process: subprocess.Popen[str] | None = None
        self.ready: Ready

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "deploy.local.demo", "--json", "--data", str(self.data), *self._args]
        self._errors: IO[str] = (self.data.parent / f"{self.data.name}.err").open("w")
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=self._errors, text=True, start_new_session=True
        )
        line = self._first_line()
        answer: dict[str, Any] = json.loads(line) if line else {}
        assert answer.get("ready"), f"the demo did not become ready: {self.errors()}"
        self.ready = Ready(answer["url"], answer["token"], answer["seconds"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        code = self.stop()
        self._errors.close()
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        if kind is None:
            assert code == 0, f"the demo ended with {code}: {self.errors()}"

    def _first_line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(
            target=lambda out: lines.put(out.readline()), args=(self._process.stdout,), daemon=True
        ).start()
        try:
            return lines.get(timeout=READY_WITHIN_S)
        except queue.Empty:
            return ""

    def errors(self) -> str:
        """The end of what it wrote on stderr."""
        return (self.data.parent / f"{self.data.name}.err").read_text()[-4000:]

    @property
    def env(self) -> dict[str, str]:
        """What `parkcarbon.env` says."""
        return read_env(self.data / "parkcarbon.env")

    def pids(self) -> dict[str, int]:
        """Children that run, by name."""
        try:
            found: dict[str, int] = json.loads((self.data / "pids.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):  # being rewritten
            return {}
        return found

    def kill(self, name: str) -> bool:
        """Kill -9 one child; False when it does not run just now."""
        pid = self.pids().get(name)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def command(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run one of our commands against this park."""
        return subprocess.run(
            [sys.executable, "-m", *argv],
            cwd=ROOT,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            check=False,
        )

    def stop(self) -> int:
        """Stop everything; the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            return self._process.wait()
