"""The cloud half of a one-machine park: database, broker, ingest and, where wanted, the API, statements and alarms."""

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from signal import SIGINT

from .postgres import binary, database_url
from .supervisor import Child, Supervisor

PYTHON = sys.executable
KEY_FILE = "statement-key.pem"  # as parkcarbon.statement.sign.keys has it, which is slow to load
PORT_NAMES = ("postgres", "broker", "park_broker", "api", "inbox")


class StackError(Exception):
    """Something of the stack did not come up; the message says what and shows the end of its log."""


def free_port() -> int:
    """A TCP port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def ports_of(data: Path, wanted: Mapping[str, int]) -> dict[str, int]:
    """Ports of a data folder: the ones used before where they are still free, `wanted` ones always."""
    path = data / "ports.json"
    before: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    ports: dict[str, int] = {}
    for name in PORT_NAMES:
        port = wanted.get(name) or before.get(name, 0)
        if name in wanted and not _is_free(port):
            raise StackError(f"port {port} for {name} is taken; choose another")
        ports[name] = port if port and _is_free(port) else free_port()
    path.write_text(json.dumps(ports))
    return ports


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the parts of one data folder are."""

    data: Path
    ports: Mapping[str, int]
    broker_kind: str = "auto"

    @property
    def database_url(self) -> str:
        """URL of the database."""
        return database_url(self.ports["postgres"])

    @property
    def key_folder(self) -> Path:
        """Folder of the key that signs statements."""
        return self.data / "keys"

    def broker_url(self, name: str = "broker") -> str:
        """URL of the cloud broker, or of the broker on the park's side."""
        return f"mqtt://127.0.0.1:{self.ports[name]}"

    @property
    def api_url(self) -> str:
        """URL of API and web page."""
        return f"http://127.0.0.1:{self.ports['api']}"

    @property
    def env(self) -> dict[str, str]:
        """What the processes and other commands need to know."""
        return {
            "PARKCARBON_DATABASE_URL": self.database_url,
            "PARKCARBON_BROKER_URL": self.broker_url(),
            "PARKCARBON_API_URL": self.api_url,
            "PARKCARBON_API_HOST": "127.0.0.1",
            "PARKCARBON_API_PORT": str(self.ports["api"]),
            "PARKCARBON_SIGNING_KEY_FILE": str(self.key_folder / KEY_FILE),
        }

    def write_env(self, more: Mapping[str, str]) -> Path:
        """Write what other commands need to know, readable by its owner alone, and return the path."""
        path = self.data / "parkcarbon.env"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in (self.env | dict(more)).items())
        return path

    def postgres(self) -> Child:
        """The database server."""
        folder = self.data / "postgres"
        argv = [
            PYTHON,
            "-m",
            "deploy.local.postgres",
            "--data",
            str(folder),
            "--port",
            str(self.ports["postgres"]),
        ]
        return Child("postgres", argv, stop_signal=SIGINT)

    def broker(self, name: str = "broker") -> Child:
        """A broker; `park_broker` is the one on the park's side of the gateway."""
        argv = [
            PYTHON,
            "-m",
            "deploy.local.broker",
            "--port",
            str(self.ports[name]),
            "--data",
            str(self.data / name),
        ]
        return Child(name, [*argv, "--kind", self.broker_kind])

    def module(self, name: str, module: str, *args: str) -> Child:
        """One of our processes."""
        return Child(name, [PYTHON, "-m", module, *args], env=self.env)

    def inbox(self) -> Child:
        """Where alarms are told: it writes each message down."""
        argv = ["--port", str(self.ports["inbox"]), "--file", str(self.data / "alarms.jsonl")]
        return self.module("inbox", "deploy.local.alarms.inbox", *argv)

    def alerts(self) -> Child:
        """The evaluator of alarms, which alone knows the address of the inbox."""
        channel = {"PARKCARBON_ALARM_CHANNEL_INBOX": f"json://127.0.0.1:{self.ports['inbox']}/"}
        page = {"PARKCARBON_ALERTS_PAGE_URL": self.api_url}
        return Child("alerts", [PYTHON, "-m", "alerts", "run"], env=self.env | channel | page)


async def run_once(stack: Stack, *argv: str, accept: Collection[int] = (0,)) -> str:
    """Run one of our commands to its end and return what it printed.

    Args:
        stack: where.
        argv: module and arguments.
        accept: exit codes that are no failure.

    Raises:
        StackError: it exited with another code.
    """
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        "-m",
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **stack.env},
    )
    out, err = await process.communicate()
    if process.returncode not in accept:
        raise StackError(f"{' '.join(argv)} ended with {process.returncode}:\n{err.decode(errors='replace')[-3000:]}")
    return out.decode()


async def make_key(stack: Stack, entity: str) -> None:
    """Make the key that signs statements, where there is none yet.

    Raises:
        StackError: it could not be made.
    """
    if not (stack.key_folder / KEY_FILE).exists():
        arguments = ["new", "--dir", str(stack.key_folder), "--entity", entity]
        await run_once(stack, "parkcarbon.cli.statement", "key", *arguments)


async def wait_for(
    what: str,
    check: Callable[[], Awaitable[bool]],
    *,
    within_s: float,
    every_s: float = 0.1,
    log: Callable[[], str],
) -> None:
    """Wait until `check` says True.

    Raises:
        StackError: not within `within_s` seconds; shows the end of the log.
    """
    deadline = time.monotonic() + within_s
    while not await check():
        if time.monotonic() > deadline:
            raise StackError(f"{what} did not come up within {within_s:.0f} s. The end of its log:\n{log()}")
        await asyncio.sleep(every_s)


async def listening(port: int) -> bool:
    """Does somebody accept connections on this loopback port?"""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def accepts_queries(port: int) -> bool:
    """Is the database past its recovery?"""
    process = await asyncio.create_subprocess_exec(
        str(binary("pg_isready")), "-q", "-U", "postgres", "-h", "127.0.0.1", "-p", str(port)
    )
    return await process.wait() == 0


async def start_servers(supervisor: Supervisor, stack: Stack, brokers: Sequence[str] = ("broker",)) -> None:
    """Start database and brokers and wait until they accept connections."""
    await supervisor.start(stack.postgres())
    for name in brokers:
        await supervisor.start(stack.broker(name))
    checks = {"postgres": accepts_queries} | dict.fromkeys(brokers, listening)
    for name, check in checks.items():
        ready = partial(check, stack.ports[name])
        await wait_for(name, ready, within_s=120, log=partial(supervisor.log_tail, name))
