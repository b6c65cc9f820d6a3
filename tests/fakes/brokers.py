"""Real brokers for tests: Mosquitto, or amqtt from the wheel, as a child process on a free port that can be killed."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from deploy.local.broker import mosquitto_path
from deploy.local.stack import free_port


class BrokerProcess:
    """A broker that keeps its port over restarts.

    Args:
        kind: `mosquitto` or `amqtt`.
        folder: for its configuration.
        conf: more lines for `mosquitto.conf`.
    """

    def __init__(self, kind: str, folder: Path, *, conf: str = "") -> None:
        self.kind = kind
        self.port = free_port()
        self._folder = folder / f"broker-{self.port}"
        self._folder.mkdir(parents=True)
        self._conf = conf
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it listens."""
        module = [sys.executable, "-m", "deploy.local.broker", "--kind", "amqtt", "--data", str(self._folder)]
        command = [*module, "--port", str(self.port)]
        if self.kind == "mosquitto":
            conf = self._folder / "mosquitto.conf"
            lines = (f"listener {self.port} 127.0.0.1", self._conf or "allow_anonymous true", "set_tcp_nodelay true")
            conf.write_text("\n".join(lines) + "\n")
            command = [str(mosquitto_path()), "-c", str(conf)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if self._process.poll() is not None:
                    raise RuntimeError(f"{self.kind} ended with {self._process.returncode}") from None
                time.sleep(0.05)
            else:
                return
        raise TimeoutError(f"{self.kind} does not listen")

    def kill(self) -> None:
        """SIGKILL: nothing is said, nothing is saved."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> "BrokerProcess":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def broker_kinds() -> tuple[str, ...]:
    """Return the brokers that every behaviour is tested with."""
    return ("mosquitto", "amqtt")


def has_mosquitto() -> bool:
    """Return whether Mosquitto is installed."""
    return mosquitto_path() is not None
