"""Start, watch, restart and stop the processes of a one-machine park.

A child that ends is started again after a pause that grows from 0.5 s to 10 s and falls back once it has run for
30 s. Each child writes to `log/<name>.log` below the data folder; `pids.json` tells who runs. Children die with the
supervisor (Linux: parent-death signal), so a killed demo leaves nothing behind.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from parkcarbon.kit.service import within

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
STEADY_AFTER_S = 30.0
STOP_WITHIN_S = 15.0
PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def next_pause_s(previous_s: float, ran_s: float) -> float:
    """Pause before the next start [s], from the pause before this run [s] and how long it ran [s]."""
    if ran_s >= STEADY_AFTER_S:
        return FIRST_PAUSE_S
    return min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, previous_s * 2))


@dataclass(slots=True)
class Child:
    """One supervised process; later children are stopped before earlier ones."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    process: asyncio.subprocess.Process | None = None


class Supervisor:
    """Owns the children; an async context manager that stops them all on leaving."""

    def __init__(self, data: Path, *, on_restart: Callable[[str, int], None]) -> None:
        """Keep logs below `data`; call `on_restart(name, exit code)` whenever a child ended by itself."""
        self._pids = data / "pids.json"
        self._log = data / "log"
        self._log.mkdir(parents=True, exist_ok=True)
        self._children: list[Child] = []
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._on_restart = on_restart

    async def __aenter__(self) -> Self:
        """Nothing is started yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop every child, the newest first."""
        for child in reversed(self._children):
            await self._stop(child)
        self._pids.unlink(missing_ok=True)

    @property
    def children(self) -> Mapping[str, int]:
        """Names and process ids of the children that run."""
        return {c.name: c.process.pid for c in self._children if c.process and c.process.returncode is None}

    async def start(self, child: Child) -> None:
        """Start a child and watch it from now on."""
        self._children.append(child)
        await self._spawn(child)
        self._watchers[child.name] = asyncio.create_task(self._watch(child), name=f"watch {child.name}")

    def log_tail(self, name: str, lines: int = 15) -> str:
        """The last lines that a child wrote."""
        path = self._log / f"{name}.log"
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    async def _spawn(self, child: Child) -> None:
        with (self._log / f"{child.name}.log").open("ab") as log:
            child.process = await asyncio.create_subprocess_exec(
                *child.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **child.env},
                start_new_session=True,  # Ctrl-C reaches the supervisor only, which stops them in order
                preexec_fn=_die_with_parent,
            )
        self._pids.write_text(json.dumps(self.children), encoding="utf-8")

    async def _watch(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        pause_s = 0.0
        while child.process is not None:
            started = loop.time()
            code = await child.process.wait()
            self._on_restart(child.name, code)
            pause_s = next_pause_s(pause_s, loop.time() - started)
            await asyncio.sleep(pause_s)
            await self._spawn(child)

    async def _stop(self, child: Child) -> None:
        watcher = self._watchers.pop(child.name, None)
        if watcher is not None:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
        process = child.process
        if process is None or process.returncode is not None:
            return
        process.send_signal(child.stop_signal)
        if await within(STOP_WITHIN_S, process.wait()) is None:
            process.kill()
            await process.wait()
