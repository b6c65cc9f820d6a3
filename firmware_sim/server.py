"""The one door to pymodbus: lines of devices behind a TCP port or on a pseudo-terminal.

Each read is answered from the registers as they are at that moment, all of one moment. A unit that is not on the line,
or is silent, does not answer. Writing is not possible.
"""

import asyncio
import logging
import os
import pty
import tty
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.simulator.simcore import SimCore

_BITS_PER_CHARACTER = 11
_SILENCE = 0

# Errors only: a fault of ours in answering must be seen.
logging.getLogger("pymodbus").setLevel(logging.ERROR)


class Unit(Protocol):
    """A device on a line."""

    def read(self, function: int, address: int, count: int) -> list[int] | int:
        """Answer a read with registers or an exception code; 0 = no answer."""


class _Line(SimCore):
    """What pymodbus asks for registers: the units of one line, each asked at the moment of the request."""

    def __init__(self, units: Mapping[int, Unit], baud: int | None) -> None:
        super().__init__(_nothing())
        self._units = units
        self._baud = baud

    def device_ids(self) -> list[int]:
        """Unit identifiers on the line."""
        return list(self._units)

    async def async_getValues(  # noqa: N802 - the library's name
        self, device_id: int, func_code: int, address: int, count: int = 1
    ) -> list[int] | list[bool] | ExcCodes:
        """Answer a read."""
        unit = self._units.get(device_id)
        if unit is None:
            raise NoSuchIdException(f"no unit {device_id}")
        if func_code not in (3, 4):
            return ExcCodes.ILLEGAL_FUNCTION
        if self._baud:
            await asyncio.sleep((8 + 5 + 2 * count) * _BITS_PER_CHARACTER / self._baud)
        answer = unit.read(func_code, address, count)
        if answer == _SILENCE:
            raise NoSuchIdException(f"unit {device_id} is silent")
        return ExcCodes(answer) if isinstance(answer, int) else answer

    async def async_setValues(  # noqa: N802 - the library's name
        self, device_id: int, func_code: int, address: int, values: list[int] | list[bool]
    ) -> ExcCodes | None:
        """Refuse to write."""
        del func_code, address, values
        if device_id not in self._units:
            raise NoSuchIdException(f"no unit {device_id}")
        return ExcCodes.ILLEGAL_FUNCTION


def _nothing() -> SimDevice:
    """A device that pymodbus wants to be given; it is never asked."""
    return SimDevice(id=0, simdata=[SimData(0, values=0, datatype=DataType.REGISTERS)])


class TcpLine:
    """Units behind one TCP port, as behind a serial gateway."""

    def __init__(self, units: Mapping[int, Unit], host: str, port: int) -> None:
        self._units = units
        self._address = (host, port)
        self._server: ModbusTcpServer | None = None

    async def start(self) -> int:
        """Listen; return the port.

        Raises:
            OSError: the port is taken.
        """
        server = ModbusTcpServer(_nothing(), address=self._address, ignore_missing_devices=True)
        server.context = _Line(self._units, None)
        try:
            await server.serve_forever(background=True)
        except RuntimeError as error:
            raise OSError(f"port {self._address[1]} of {self._address[0]} is taken") from error
        self._server = server
        return self._port()

    def _port(self) -> int:
        listener: object = None if self._server is None else self._server.transport
        if not isinstance(listener, asyncio.Server):
            raise OSError("the server does not listen")
        return int(listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and its connections."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
            self._server = None


class SerialLine:
    """Units on a serial line: a pseudo-terminal with a name that stays.

    The line's own end is kept open, so that readers may come and go.
    """

    def __init__(self, units: Mapping[int, Unit], path: Path, baud: int) -> None:
        self._units = units
        self._path = path
        self._baud = baud
        self._transport: _PtyTransport | None = None

    async def start(self) -> Path:
        """Open the line and give it its name; return the path."""
        server = ModbusSerialServer(_nothing(), baudrate=self._baud, ignore_missing_devices=True)
        server.context = _Line(self._units, self._baud)
        self._transport = _PtyTransport()
        temporary = self._path.with_name(f".{self._path.name}")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(self._transport.name)
        temporary.replace(self._path)
        handler = server.callback_new_connection()  # type: ignore[no-untyped-call]
        handler.connection_made(self._transport)
        self._transport.listen(handler)
        return self._path

    async def stop(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._path.unlink(missing_ok=True)
            self._transport.close()
            self._transport = None


class _PtyTransport(asyncio.Transport):
    """Bytes between a protocol and whoever opens the other end of a new pseudo-terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self._loop = asyncio.get_running_loop()
        self.name = os.ttyname(self._theirs)

    def listen(self, protocol: asyncio.Protocol) -> None:
        """Give the protocol what comes in."""
        self._loop.add_reader(self._ours, self._take, protocol)

    def _take(self, protocol: asyncio.Protocol) -> None:
        with suppress(BlockingIOError):
            if data := os.read(self._ours, 1024):
                protocol.data_received(data)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send; what a full line does not take is lost, as on a wire."""
        with suppress(BlockingIOError):
            os.write(self._ours, data)

    def is_closing(self) -> bool:
        """Return whether it was closed."""
        return self._ours < 0

    def close(self) -> None:
        """Hang up."""
        if self._ours >= 0:
            self._loop.remove_reader(self._ours)
            os.close(self._ours)
            os.close(self._theirs)
            self._ours = self._theirs = -1
