"""The one door to Modbus: read registers over TCP or a serial line, one request at a time.

Read-only by construction: function codes 3 and 4 are all it can send. Every received byte passes `frames.py` before
pymodbus sees it, so that a late answer is never taken for the answer to the request that waits. After a timeout a TCP
connection is opened anew; on a serial line the bus is listened to until it is quiet, and a unit that owes an answer is
next asked for another number of registers, so that the two cannot be confused.
"""

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from parkcarbon.kit.clock import Clock

from .errors import LinkDownError, LostError, MalformedError, NoAnswerError, ReadError, RefusalError
from .frames import Expected, Flaw, find_rtu, find_tcp

_CONNECT_TIMEOUT_S = 3.0
_NEVER_S = 3600.0
"""pymodbus's own timeout: out of the way, ours comes first."""
_BUFFER_BYTES = 2048
_DEBT_S = 60.0
"""How long a unit may still come with an answer that was given up [s]."""
_QUIET_S = 0.05
_DRAIN_LIMIT_S = 2.0
_BITS_PER_CHARACTER = 11

_Client = AsyncModbusTcpClient | AsyncModbusSerialClient

# Each outage is told once by the poller, with what it means; the library tells every packet.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class TcpTarget:
    """A device or gateway on the network."""

    host: str
    port: int = 502

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SerialTarget:
    """A serial port; speed [bit/s]."""

    path: str
    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1

    def __str__(self) -> str:
        return f"{self.path} {self.baud} 8{self.parity}{self.stop_bits}"

    @property
    def gap_s(self) -> float:
        """Silence between two frames [s]: 3.5 characters, 1.75 ms above 19,200 bit/s (Serial Line 1.02, 2.5.1.1)."""
        return 0.00175 if self.baud > 19_200 else 3.5 * _BITS_PER_CHARACTER / self.baud

    def duration_s(self, count: int) -> float:
        """Return how long request and answer of `count` registers take on the wire [s]."""
        return (8 + 5 + 2 * count) * _BITS_PER_CHARACTER / self.baud + 2 * self.gap_s


Target = TcpTarget | SerialTarget


@dataclass(frozen=True, slots=True)
class Timing:
    """What a device wants.

    Attributes:
        timeout_s: time from the request to its answer, transmission not included [s].
        pause_s: silence before the request [s].
    """

    timeout_s: float = 1.0
    pause_s: float = 0.0


class RegisterReader(Protocol):
    """Whoever can read registers."""

    async def read(self, unit: int, function: int, address: int, count: int, timing: Timing) -> tuple[int, ...]:
        """Return `count` registers from `address`.

        Raises:
            ReadError: one of its kinds.
        """


class Link:
    """One connection with one request at a time, opened when it is first needed and again after a fault.

    Args:
        target: where.
        clock: for pauses.

    Attributes:
        flaws: how often received bytes were no answer, by cause.
    """

    def __init__(self, target: Target, clock: Clock) -> None:
        self.target = target
        self.flaws: dict[Flaw, int] = {}
        self._clock = clock
        self._lock = asyncio.Lock()
        self._client: _Client | None = None
        self._transaction = 0
        self._expected: Expected | None = None
        self._heard = 0
        self._found = False
        self._done_s = clock.monotonic()
        self._debts: dict[int, dict[tuple[int, int], float]] = {}

    async def read(self, unit: int, function: int, address: int, count: int, timing: Timing) -> tuple[int, ...]:
        """Return `count` registers from `address` of `unit`.

        Args:
            unit: unit identifier.
            function: 3 (holding registers) or 4 (input registers).
            address: first wire address.
            count: registers.
            timing: what the device wants.

        Raises:
            LinkDownError: no connection.
            LostError: it ended during the request.
            NoAnswerError: nothing came in time.
            MalformedError: something else came.
            RefusalError: the device answered with an exception code.
            ValueError: not a read request.
        """
        if function not in (3, 4) or not 1 <= count <= 125 or not 0 <= address <= 65536 - count:
            raise ValueError(f"not a read request: function {function}, {count} registers from {address}")
        async with self._lock:
            try:
                if (function, count) in self._owed(unit):
                    await self._settle(unit, function, address, timing)
                return await self._exchange(unit, function, address, count, timing)
            finally:
                self._done_s = self._clock.monotonic()

    async def close(self) -> None:
        """Close the connection; the next read opens it again."""
        async with self._lock:
            self._drop()

    # ── answers that may still come (serial) ─────────────────────────────────────────────────────

    def _owed(self, unit: int) -> dict[tuple[int, int], float]:
        """Return the shapes of the requests that `unit` has not answered and still might."""
        now_s = self._clock.monotonic()
        owed = {shape: until_s for shape, until_s in self._debts.get(unit, {}).items() if until_s > now_s}
        self._debts[unit] = owed
        return owed

    async def _settle(self, unit: int, function: int, address: int, timing: Timing) -> None:
        """Ask for a number of registers that no open request asked for: its answer says that the old ones are gone."""
        owed = self._owed(unit)
        count = next(count for count in range(1, 126) if (function, count) not in owed)
        try:
            await self._exchange(unit, function, address, count, timing)
        except RefusalError:
            # An exception has no length to know it by; what is still to come shall come now.
            await self._listen(timing.timeout_s)
        self._debts.pop(unit, None)

    async def _listen(self, quiet_s: float) -> None:
        """Wait until nothing was heard for a while."""
        for _ in range(max(1, round(_DRAIN_LIMIT_S / quiet_s))):
            heard = self._heard
            await self._clock.sleep(quiet_s)
            if self._heard == heard:
                return

    # ── one request ──────────────────────────────────────────────────────────────────────────────

    async def _exchange(self, unit: int, function: int, address: int, count: int, timing: Timing) -> tuple[int, ...]:
        client = await self._ready()
        await self._pause(timing.pause_s)
        timeout_s = timing.timeout_s
        if isinstance(self.target, SerialTarget):
            timeout_s += self.target.duration_s(count)
        heard = self._heard
        self._expected, self._found = Expected(unit, function, count), False
        try:
            async with asyncio.timeout(timeout_s):
                response = await _request(client, unit, function, address, count)
        except TimeoutError:
            noise = self._heard != heard
            await self._give_up(unit, function, count)
            if noise:
                self._count(Flaw.CHECKSUM)
                raise MalformedError(f"{self.target} unit {unit}: {Flaw.CHECKSUM}") from None
            raise NoAnswerError(f"{self.target} unit {unit}: no answer in {timeout_s:.3g} s") from None
        except ReadError:
            self._drop()
            raise
        except (ModbusException, OSError) as error:
            self._drop()
            raise LostError(f"{self.target}: {error}") from None
        finally:
            self._expected = None
            self._transaction = client.ctx.next_tid
        if response.isError():
            raise RefusalError(response.exception_code)
        return tuple(response.registers)

    async def _ready(self) -> _Client:
        """Return an open connection."""
        if self._client is not None and self._client.connected:
            return self._client
        self._drop()
        client = self._new_client()
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                client.ctx.transport, _ = await client.ctx.call_create()
        except TimeoutError:
            raise LinkDownError(f"{self.target}: no connection in {_CONNECT_TIMEOUT_S:.3g} s") from None
        except (OSError, ValueError) as error:
            raise LinkDownError(f"{self.target}: {error}") from None
        client.ctx.max_buffer_size = _BUFFER_BYTES
        client.ctx.next_tid = self._transaction  # a gateway may answer old requests on the new connection
        self._client = client
        return client

    def _new_client(self) -> _Client:
        target = self.target
        if isinstance(target, TcpTarget):
            return AsyncModbusTcpClient(
                target.host,
                port=target.port,
                timeout=_NEVER_S,
                retries=0,
                reconnect_delay=0,
                trace_packet=self._packet,
                trace_connect=self._connection,
            )
        return AsyncModbusSerialClient(
            target.path,
            baudrate=target.baud,
            parity=target.parity,
            stopbits=target.stop_bits,
            timeout=_NEVER_S,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._packet,
            trace_connect=self._connection,
        )

    async def _pause(self, pause_s: float) -> None:
        """Keep the silence that the line and the device want between two frames."""
        if isinstance(self.target, SerialTarget):
            pause_s = max(pause_s, self.target.gap_s)
        rest_s = self._done_s + pause_s - self._clock.monotonic()
        if rest_s > 0:
            await self._clock.sleep(rest_s)

    async def _give_up(self, unit: int, function: int, count: int) -> None:
        """Make sure that an answer which comes later finds nobody waiting for it."""
        self._expected = None
        if isinstance(self.target, TcpTarget):
            self._drop()
            return
        self._debts.setdefault(unit, {})[function, count] = self._clock.monotonic() + _DEBT_S
        await self._listen(max(_QUIET_S, self.target.gap_s))

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    # ── called by pymodbus ───────────────────────────────────────────────────────────────────────

    def _packet(self, sending: bool, data: bytes) -> bytes:  # noqa: FBT001 - the library's signature
        """Let a request pass; of what was received, let only the answer pass."""
        if sending:
            if self._expected is not None:
                self._expected = replace(self._expected, sent=data)
            return data
        self._heard += 1
        if self._expected is None or self._found:
            return b""
        find = find_tcp if isinstance(self.target, TcpTarget) else find_rtu
        found = find(data, self._expected)
        if isinstance(found, Flaw):
            self._count(found)
            self._fail(MalformedError(f"{self.target} unit {self._expected.unit}: {found}"))
        if not isinstance(found, bytes):
            return b""
        self._found = True
        return found

    def _connection(self, up: bool) -> None:  # noqa: FBT001 - the library's signature
        """Tell the request that waits when the other side has gone."""
        if not up and self._expected is not None:
            self._fail(LostError(f"{self.target}: closed by the other side"))

    def _fail(self, error: ReadError) -> None:
        if self._client is not None and not self._client.ctx.response_future.done():
            self._client.ctx.response_future.set_exception(error)

    def _count(self, flaw: Flaw) -> None:
        self.flaws[flaw] = self.flaws.get(flaw, 0) + 1


async def _request(client: _Client, unit: int, function: int, address: int, count: int) -> ModbusPDU:
    read = client.read_holding_registers if function == 3 else client.read_input_registers
    return await read(address, count=count, device_id=unit)
