"""`run`: the register servers of a prepared park, in one process."""

import asyncio
import json
import signal
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from parkcarbon.kit.clock import Clock, SystemClock

from .answers import LOG_FILE, AnswerLog
from .documents import HOST, line_path
from .localtime import DAY_MS
from .meters import Meter
from .park import FAULTS_FILE, SimulatedPark, faults_of
from .scenario import FaultSpec
from .server import SerialLine, TcpLine, Unit

_LOOK_S = 0.5


class LoggedUnit:
    """A device of the park on a line: answers by the clock and logs each answer before it leaves."""

    def __init__(self, meter: Meter, clock: Clock, log: AnswerLog) -> None:
        self._meter = meter
        self._clock = clock
        self._log = log

    def read(self, function: int, address: int, count: int) -> list[int] | int:
        """Answer a read with registers or an exception code; 0 = no answer."""
        now_ms = self._clock.now_ms()
        answer = self._meter.answer(function, address, count, now_ms)
        plan = self._meter.plan
        entry: dict[str, object] = {"t": now_ms, "device": plan.device, "bus": plan.bus, "unit": plan.unit}
        entry |= {"fc": function, "address": address, "count": count}
        if isinstance(answer, int):
            if answer:
                self._log.write(entry | {"exception": answer})
            return answer
        registers, values = answer
        raw = b"".join(word.to_bytes(2, "big") for word in registers)
        self._log.write(entry | {"hex": raw.hex(), "values": values})
        return registers


class Simulator:
    """The lines of a park; an async context manager."""

    def __init__(self, folder: Path, clock: Clock, log: AnswerLog) -> None:
        self.park = SimulatedPark.load(folder)
        self.places: dict[str, str | int] = {}
        self._folder = folder
        self._clock = clock
        self._log = log
        self._stack = AsyncExitStack()
        self._faults_at_ns = 0

    async def __aenter__(self) -> "Simulator":
        self.reload_faults()
        self.park.ledger.block((self._clock.now_ms() - self.park.state.epoch_ms) // DAY_MS)
        try:
            for bus in self.park.scenario.buses:
                units: dict[int, Unit] = {
                    meter.plan.unit: LoggedUnit(meter, self._clock, self._log) for meter in self.park.on_bus(bus.bus)
                }
                if bus.kind == "rtu":
                    line = SerialLine(units, line_path(self._folder, bus.bus), bus.baud)
                    self.places[bus.bus] = str(await line.start())
                    self._stack.push_async_callback(line.stop)
                else:
                    port = TcpLine(units, HOST, self.park.state.ports.get(bus.bus, 0))
                    self.places[bus.bus] = await port.start()
                    self._stack.push_async_callback(port.stop)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def reload_faults(self) -> bool:
        """Take `faults.yaml` if it changed: its times count from the moment it was written."""
        path = self._folder / FAULTS_FILE
        try:
            written_ns = path.stat().st_mtime_ns
            if written_ns == self._faults_at_ns:
                return False
            specs = msgspec.yaml.decode(path.read_bytes() or b"[]", type=tuple[FaultSpec, ...])
        except FileNotFoundError:
            written_ns, specs = 0, ()
            if not self._faults_at_ns:
                return False
        self._faults_at_ns = written_ns
        self.park.set_faults(faults_of(specs, written_ns // 1_000_000))
        return True

    async def watch(self, stop: asyncio.Event) -> None:
        """Follow `faults.yaml` until `stop`."""
        while not stop.is_set():
            try:
                self.reload_faults()
            except msgspec.MsgspecError as error:
                sys.stderr.write(f"{FAULTS_FILE} is not followed: {error}\n")
                self._faults_at_ns = (self._folder / FAULTS_FILE).stat().st_mtime_ns
            await self._clock.sleep(_LOOK_S)


async def serve(folder: Path, log_path: Path | None) -> None:
    """Serve the park of a folder until SIGTERM or SIGINT; say on stdout when everything listens."""
    started = time.monotonic()
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    with AnswerLog(log_path or folder / LOG_FILE) as log:
        async with Simulator(folder.resolve(), SystemClock(), log) as simulator:
            ready = {"ready": True, "lines": simulator.places, "seconds": round(time.monotonic() - started, 3)}
            sys.stdout.write(json.dumps(ready) + "\n")
            sys.stdout.flush()
            watching = asyncio.create_task(simulator.watch(stop))
            await stop.wait()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
