"""Runs services of `deploy/compose.yaml` without a container engine: their commands, environments and health checks.

Paths of a container become folders of the test, names of services become this machine, ports become free ones.
Everything else is as the file says. What only an engine can do (images, capabilities, read-only roots) is not run here.
"""

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from deploy.local.stack import free_port

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "deploy/compose.yaml"
PORTS = ("9101", "9103", "9104", "8080", "8883", "1883")


def compose_file() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return loaded


class ComposeRun:
    """Services as processes of this machine.

    Args:
        folder: of the test; `secrets` in it is what `deploy.prepare` wrote.
        database_url: an empty database in place of the service `database`.
    """

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.secrets = folder / "secrets"
        self.file = compose_file()
        self.ports = {port: str(free_port()) for port in PORTS}
        self._database_url = database_url
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._running.values()):
            process.terminate()
        for process in reversed(self._running.values()):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def native(self, text: str, service: str) -> str:
        """A text of the file, or of what it mounts, as it is on this machine."""
        text = re.sub(r"postgresql://parkcarbon:[^@\s]+@database:5432/parkcarbon", self._database_url, text)
        text = (
            text.replace("0.0.0.0", "127.0.0.1").replace("@broker:", "@localhost:").replace("//broker:", "//localhost:")
        )
        text = text.replace("park-broker:", "localhost:").replace("/tmp/answers", f"{self.folder}/answers")  # noqa: S108
        text = text.replace("/var/lib/parkcarbon", str(self._data(service)))
        for port, mine in self.ports.items():
            text = re.sub(rf"\b{port}\b", mine, text)
        text = re.sub(r"/run/secrets/(\w+)", lambda found: str(self._secret(found[1], service)), text)
        return re.sub(r"(?<![\w/])/park/([\w.-]+)", lambda found: str(self._park(found[1], service)), text)

    def _data(self, service: str) -> Path:
        """The named volume of a service, which others may share."""
        for volume in self.file["services"][service].get("volumes", []):
            name, there = volume.split(":")[:2]
            if there == "/var/lib/parkcarbon":
                folder = self.folder / f"volume-{name}"
                folder.mkdir(exist_ok=True)
                return folder
        return self.folder / "no-volume"

    def _secret(self, name: str, service: str) -> Path:
        given = self.file["services"][service]["secrets"]
        if name not in given:
            raise KeyError(f"{service} has no secret {name}")
        there = self.secrets / Path(self.file["secrets"][name]["file"]).name
        return self._translated(there, service) if name.endswith("_env") else there

    def _park(self, name: str, service: str) -> Path:
        mounts = [volume.split(":")[:2] for volume in self.file["services"][service]["volumes"]]
        if ["./secrets/park", "/park"] not in mounts:
            raise KeyError(f"{service} has no /park")
        there = self.secrets / "park" / name
        return self._translated(there, service) if there.suffix == ".yaml" else there

    def _translated(self, path: Path, service: str) -> Path:
        copy = path.with_name(f"{service}.{path.name}")
        copy.write_text(self.native(path.read_text(encoding="utf-8"), service), encoding="utf-8")
        return copy

    def argv(self, service: str) -> list[str]:
        given = [word.replace("$$", "$") for word in self.file["services"][service]["command"]]
        if self.file["services"][service].get("entrypoint") == ["sh", "-c"]:
            return ["sh", "-c", *given]
        words = [str(self.secrets / "park") if word == "/park" else self.native(word, service) for word in given]
        return [sys.executable, "-m", "parkcarbon", *words]

    def environment(self, service: str) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PARKCARBON_")}
        given = self.file["services"][service].get("environment", {})
        plain = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value)) for name, value in given.items()}
        clean["PATH"] = f"{Path(sys.executable).parent}:{clean['PATH']}"
        return clean | {name: self.native(value, service) for name, value in plain.items()}

    def once(self, service: str) -> None:
        """Run a service that ends."""
        done = subprocess.run(
            self.argv(service), cwd=ROOT, env=self.environment(service), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{service}: {done.stdout}{done.stderr}"

    def start(self, service: str, argv: list[str] | None = None) -> None:
        """Start a service."""
        with (self.folder / f"{service}.log").open("wb") as log:
            self._running[service] = subprocess.Popen(
                argv or self.argv(service), cwd=ROOT, env=self.environment(service), stdout=log, stderr=log
            )

    def start_broker(self, service: str) -> None:
        """Start a broker with the configuration and the secrets that the file mounts into it."""
        given = self.file["services"][service]
        conf = (COMPOSE.parent / given["volumes"][0].split(":")[0]).read_text(encoding="utf-8")
        for secret in given["secrets"]:
            if isinstance(secret, str):
                continue
            there = self.secrets / Path(self.file["secrets"][secret["source"]]["file"]).name
            mine = self.folder / f"{service}-{there.name}"
            shutil.copy(there, mine)
            mine.chmod(0o600)
            assert secret["target"] in conf, f"{service}: nothing reads {secret['target']}"
            conf = conf.replace(secret["target"], str(mine))
        path = self.folder / f"{service}.conf"
        path.write_text(self.native(conf, service) + ("user root\n" if os.geteuid() == 0 else ""))
        self.start(service, ["mosquitto", "-c", str(path)])

    def healthy(self, service: str, within_s: float = 60.0) -> float:
        """Ask a service's own health check until it says yes; seconds it took."""
        test = self.file["services"][service]["healthcheck"]["test"]
        words = [self.native(word, service) for word in test[1:]]
        argv = ["sh", "-c", words[0]] if test[0] == "CMD-SHELL" else [sys.executable, *words[1:]]
        begun = time.monotonic()
        while time.monotonic() - begun < within_s:
            if self._running[service].poll() is not None:
                break
            if subprocess.run(argv, cwd=ROOT, capture_output=True, check=False).returncode == 0:
                return time.monotonic() - begun
            time.sleep(0.2)
        raise AssertionError(f"{service} is not healthy:\n{self.log(service)}")

    def refuses_strangers(self, service: str, port: str, within_s: float = 30.0) -> float:
        """Wait until a broker answers a client without an account, as it should; seconds it took.

        The health check of the file asks the same by `mosquitto_pub`, which is in the broker's image and not here.
        """
        ca = None if port == "1883" else self.secrets / "broker_ca.crt"
        begun = time.monotonic()
        while time.monotonic() - begun < within_s:
            try:
                answer = _connack(int(self.ports[port]), ca)
            except ConnectionRefusedError:
                time.sleep(0.05)
                continue
            assert answer == b"\x20\x02\x00\x05", f"{service}: {answer!r} is no refusal"
            return time.monotonic() - begun
        raise AssertionError(f"{service} does not listen:\n{self.log(service)}")

    def log(self, service: str) -> str:
        """The end of a service's log."""
        return (self.folder / f"{service}.log").read_text(errors="replace")[-3000:]

    def stop(self, service: str) -> int:
        """SIGTERM; return the exit code."""
        process = self._running.pop(service)
        process.terminate()
        return process.wait(30)


def _connack(port: int, ca: Path | None) -> bytes:
    """What a broker answers to an MQTT 3.1.1 CONNECT without an account."""
    with socket.create_connection(("localhost", port), timeout=5) as plain:
        secured = (
            plain
            if ca is None
            else ssl.create_default_context(cafile=ca).wrap_socket(plain, server_hostname="localhost")
        )
        with secured:
            secured.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01x")
            return secured.recv(4)
