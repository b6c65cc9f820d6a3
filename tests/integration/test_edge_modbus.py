"""The Modbus door against servers that answer byte by byte as they are told, over TCP and over a pseudo-terminal."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from edge.errors import LinkDownError, LostError, MalformedError, NoAnswerError, RefusalError
from edge.frames import Flaw, checksum
from edge.modbus import Link, SerialTarget, TcpTarget, Timing
from parkcarbon.kit.clock import SystemClock

Send = Callable[[bytes], None]
Behaviour = Callable[[bytes, Send], Awaitable[None]]
QUICK = Timing(timeout_s=0.3)


def registers(address: int, count: int) -> bytes:
    """Every register of these devices shows its own address."""
    return b"".join((address + i).to_bytes(2, "big") for i in range(count))


def answer(body: bytes) -> bytes:
    """Unit, function, byte count, registers for a request `unit, function, address, count`."""
    address, count = int.from_bytes(body[2:4], "big"), int.from_bytes(body[4:6], "big")
    return body[:2] + bytes([2 * count]) + registers(address, count)


class TcpDevice:
    """Listens on a free port; `behaviour` gets each request and a way to send bytes."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.requests: list[bytes] = []
        self.connections = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "TcpDevice":
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang_up()
        self.server.close()
        await self.server.wait_closed()

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                request = await reader.readexactly(12)
                self.requests.append(request)
                await self.behaviour(request, writer.write)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def mbap(request: bytes, body: bytes) -> bytes:
    return request[:4] + len(body).to_bytes(2, "big") + body


async def well(request: bytes, send: Send) -> None:
    send(mbap(request, answer(request[6:])))


async def link_to(device: TcpDevice) -> Link:
    return Link(TcpTarget("127.0.0.1", device.port), SystemClock())


async def test_tcp_reads_both_functions_in_one_connection() -> None:
    async with TcpDevice(well) as device:
        link = await link_to(device)
        assert await link.read(1, 3, 100, 3, QUICK) == (100, 101, 102)
        assert await link.read(1, 4, 65411, 125, QUICK) == tuple(range(65411, 65536))
        await link.close()
        assert device.connections == 1
        assert [request[7] for request in device.requests] == [3, 4]


@pytest.mark.parametrize(
    ("function", "address", "count"), [(6, 0, 1), (3, 0, 126), (3, 0, 0), (3, 65535, 2), (3, -1, 1)]
)
async def test_nothing_but_reads_can_be_asked(function: int, address: int, count: int) -> None:
    link = Link(TcpTarget("127.0.0.1", 1), SystemClock())
    with pytest.raises(ValueError, match="not a read request"):
        await link.read(1, function, address, count, QUICK)


async def test_requests_of_several_tasks_go_out_one_by_one() -> None:
    under_way = 0
    most = 0

    async def slow(request: bytes, send: Send) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        await well(request, send)

    async with TcpDevice(slow) as device:
        link = await link_to(device)
        results = await asyncio.gather(*(link.read(unit, 3, unit, 1, QUICK) for unit in range(1, 9)))
        await link.close()
    assert results == [(unit,) for unit in range(1, 9)]
    assert most == 1


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 8, 10, 11])
async def test_exception_codes_are_told(code: int) -> None:
    async def refuse(request: bytes, send: Send) -> None:
        send(mbap(request, bytes([request[6], request[7] | 0x80, code])))

    async with TcpDevice(refuse) as device:
        link = await link_to(device)
        with pytest.raises(RefusalError) as caught:
            await link.read(1, 3, 0, 2, QUICK)
        assert caught.value.code == code
        with pytest.raises(RefusalError):
            await link.read(1, 3, 0, 2, QUICK)
        await link.close()
        assert device.connections == 1


@pytest.mark.parametrize(
    ("spoil", "flaw"),
    [
        (lambda r: mbap(r, b"\x09" + answer(r[6:])[1:]), Flaw.UNIT),
        (lambda r: mbap(r, b"\x01\x04" + answer(r[6:])[2:]), Flaw.FUNCTION),
        (lambda r: mbap(r, answer(r[6:])[:-2]), Flaw.BYTE_COUNT),
        (lambda r: r[:2] + b"\0\x01" + mbap(r, answer(r[6:]))[4:], Flaw.PROTOCOL),
        (lambda r: r[:4] + b"\xff\xff" + answer(r[6:]), Flaw.LENGTH),
        (lambda r: mbap(r, answer(r[6:]))[:-1], Flaw.CHECKSUM),
        (lambda r: b"\xff\xff" + mbap(r, answer(r[6:]))[2:], Flaw.CHECKSUM),
    ],
    ids=["unit", "function", "byte count", "protocol", "length", "cut short", "transaction"],
)
async def test_wrong_answers_are_rejected_and_counted(spoil: Callable[[bytes], bytes], flaw: Flaw) -> None:
    async def once_wrong(request: bytes, send: Send) -> None:
        if len(device.requests) == 1:
            send(spoil(request))
        else:
            await well(request, send)

    async with TcpDevice(once_wrong) as device:
        link = await link_to(device)
        with pytest.raises(MalformedError):
            await link.read(1, 3, 5, 2, QUICK)
        assert link.flaws == {flaw: 1}
        assert await link.read(1, 3, 5, 2, QUICK) == (5, 6)
        await link.close()


async def test_a_late_answer_is_never_taken_for_the_next_one() -> None:
    held: list[tuple[bytes, Send]] = []

    async def late(request: bytes, send: Send) -> None:
        if not held:
            held.append((request, send))
            return
        first, send_first = held[0]
        send_first(mbap(first, answer(first[6:])))
        send(mbap(first, answer(first[6:])))  # a gateway that answers old requests on the new connection
        await well(request, send)

    async with TcpDevice(late) as device:
        link = await link_to(device)
        with pytest.raises(NoAnswerError):
            await link.read(1, 3, 1000, 2, QUICK)
        assert await link.read(1, 3, 2000, 2, QUICK) == (2000, 2001)
        await link.close()
        assert device.connections == 2
        assert device.requests[0][:2] != device.requests[1][:2]


async def test_a_closed_connection_is_noticed_at_once_and_opened_again() -> None:
    async def close_first(request: bytes, send: Send) -> None:
        if len(device.requests) == 1:
            device.hang_up()
        else:
            await well(request, send)

    async with TcpDevice(close_first) as device:
        link = await link_to(device)
        started = asyncio.get_running_loop().time()
        with pytest.raises(LostError):
            await link.read(1, 3, 0, 1, Timing(timeout_s=30))
        assert asyncio.get_running_loop().time() - started < 10
        assert await link.read(1, 3, 0, 1, QUICK) == (0,)
        await link.close()


async def test_a_connection_closed_between_requests_is_opened_again() -> None:
    async with TcpDevice(well) as device:
        link = await link_to(device)
        await link.read(1, 3, 0, 1, QUICK)
        device.hang_up()
        await asyncio.sleep(0.05)
        assert await link.read(1, 3, 1, 1, QUICK) == (1,)
        await link.close()


async def test_no_listener_is_a_link_that_is_down() -> None:
    async with TcpDevice(well) as device:
        port = device.port
    link = Link(TcpTarget("127.0.0.1", port), SystemClock())
    with pytest.raises(LinkDownError, match=str(port)):
        await link.read(1, 3, 0, 1, QUICK)


# ── serial ───────────────────────────────────────────────────────────────────────────────────────


class Bus:
    """The far end of a pseudo-terminal."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(self.master)
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave
        self.requests: list[bytes] = []
        self.behaviour: Behaviour = self.well
        self._received = b""
        self._tasks: set[asyncio.Task[None]] = set()
        asyncio.get_running_loop().add_reader(self.master, self._ready)

    def _ready(self) -> None:
        self._received += os.read(self.master, 1024)
        while len(self._received) >= 8:
            request, self._received = self._received[:8], self._received[8:]
            self.requests.append(request)
            task = asyncio.ensure_future(self.behaviour(request, self.send))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def send(self, data: bytes) -> None:
        os.write(self.master, data)

    async def well(self, request: bytes, send: Send) -> None:
        send(frame(answer(request)))

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.master)
        await asyncio.gather(*self._tasks)
        os.close(self.master)
        os.close(self._slave)


def frame(body: bytes) -> bytes:
    return body + checksum(body)


@pytest.fixture
async def bus() -> AsyncIterator[Bus]:
    bus = Bus()
    yield bus
    await bus.close()


@pytest.fixture
async def serial(bus: Bus) -> AsyncIterator[Link]:
    link = Link(SerialTarget(bus.path, baud=115_200), SystemClock())
    yield link
    await link.close()


async def test_serial_reads(bus: Bus, serial: Link) -> None:
    assert await serial.read(1, 4, 0, 2, QUICK) == (0, 1)
    assert await serial.read(2, 3, 342, 80, QUICK) == tuple(range(342, 422))
    assert bus.requests[0].hex() == "01040000000271cb"


async def test_serial_passes_over_echo_noise_and_other_units(bus: Bus, serial: Link) -> None:
    async def noisy(request: bytes, send: Send) -> None:
        send(request)
        send(b"\x00\xff")
        send(frame(b"\x07" + answer(request)[1:]))
        whole = frame(answer(request))
        send(whole[:4])
        await asyncio.sleep(0.02)
        send(whole[4:] + b"\x00")

    bus.behaviour = noisy
    assert await serial.read(1, 3, 10, 2, QUICK) == (10, 11)
    assert await serial.read(1, 3, 20, 2, QUICK) == (20, 21)


@pytest.mark.parametrize("cut", [0, 1], ids=["bit error", "cut short"])
async def test_serial_damaged_frame_is_malformed_and_the_next_read_is_right(bus: Bus, serial: Link, cut: int) -> None:
    async def damage_first(request: bytes, send: Send) -> None:
        whole = frame(answer(request))
        spoiled = whole[:-1] if cut else whole[:-1] + bytes([whole[-1] ^ 1])
        send(spoiled if len(bus.requests) == 1 else whole)

    bus.behaviour = damage_first
    with pytest.raises(MalformedError):
        await serial.read(1, 3, 10, 2, QUICK)
    assert serial.flaws == {Flaw.CHECKSUM: 1}
    assert await serial.read(1, 3, 20, 2, QUICK) == (20, 21)


async def test_serial_late_answer_of_the_same_length_is_not_taken(bus: Bus, serial: Link) -> None:
    """The answer to the first read arrives while the second one waits; only its place in time tells them apart."""
    late: list[bytes] = []

    async def late_once(request: bytes, send: Send) -> None:
        if not late:
            late.append(frame(answer(request)))
            return
        if len(late) == 1:
            send(late[0])
            late.append(b"")
            await asyncio.sleep(0.02)
        send(frame(answer(request)))

    bus.behaviour = late_once
    with pytest.raises(NoAnswerError):
        await serial.read(1, 3, 1000, 2, QUICK)
    assert await serial.read(1, 3, 2000, 2, QUICK) == (2000, 2001)
    assert [int.from_bytes(request[4:6], "big") for request in bus.requests] == [2, 1, 2]
    assert await serial.read(1, 3, 3000, 2, QUICK) == (3000, 3001)
    assert len(bus.requests) == 4


async def test_serial_silent_unit_does_not_confuse_another(bus: Bus, serial: Link) -> None:
    async def only_two(request: bytes, send: Send) -> None:
        if request[0] == 2:
            send(frame(answer(request)))

    bus.behaviour = only_two
    for start in (10, 20, 30):
        with pytest.raises(NoAnswerError):
            await serial.read(1, 3, start, 2, QUICK)
        assert await serial.read(2, 3, start, 2, QUICK) == (start, start + 1)


async def test_serial_port_that_is_missing(tmp_path: Path) -> None:
    link = Link(SerialTarget(str(tmp_path / "no-such-port")), SystemClock())
    with pytest.raises(LinkDownError, match="no-such-port"):
        await link.read(1, 3, 0, 1, QUICK)


async def test_serial_port_that_goes_away_and_comes_back_as_another(bus: Bus, tmp_path: Path) -> None:
    name = tmp_path / "port"
    name.symlink_to(bus.path)
    link = Link(SerialTarget(str(name), baud=115_200), SystemClock())
    assert await link.read(1, 3, 0, 1, QUICK) == (0,)
    other = Bus()
    name.unlink()
    name.symlink_to(other.path)
    asyncio.get_running_loop().remove_reader(bus.master)
    os.close(bus.master)
    with pytest.raises(LostError):
        await link.read(1, 3, 1, 1, QUICK)
    bus.master = os.dup(other.master)
    assert await link.read(1, 3, 2, 1, QUICK) == (2,)
    await link.close()
    await other.close()
