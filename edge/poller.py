"""Poll the devices of one bus: whoever has waited longest is next, one request at a time.

An outage is told once and its end once. A device that does not answer is left alone for 1, 2, 4 … 60 s and costs the
others one timeout each time; its points stay due, so that a counter is read late rather than never. What was missed
is not made up for: after a stall every point is read once.
"""

from collections import deque
from collections.abc import Callable, Mapping

from parkcarbon.domain.reading import OUTSIDE_ENERGY, Quality
from parkcarbon.domain.readplan import Block
from parkcarbon.domain.registers import decode, decode_serial
from parkcarbon.kit.clock import AnchoredClock, Clock, Stamp
from parkcarbon.kit.log import OutageLog, get
from parkcarbon.wire.body import Row

from .device import BAD_BLOCK, PolledDevice
from .errors import LinkDownError, LostError, MalformedError, ReadError, RefusalError
from .modbus import RegisterReader
from .schedule import backoff_s
from .serials import Serials

Sink = Callable[[Row, Stamp], None]

_SLEEP_MAX_S = 60.0


class BusPoller:
    """One bus.

    Args:
        name: of the bus, for people.
        reader: the way to its devices.
        devices: who is on it.
        clock: for waiting.
        stamps: for time stamps.
        sink: takes each reading.
        serials: remembers serial numbers.
        report: called when the state of a device changes.
    """

    def __init__(
        self,
        name: str,
        *,
        reader: RegisterReader,
        devices: list[PolledDevice],
        clock: Clock,
        stamps: AnchoredClock,
        sink: Sink,
        serials: Serials,
        report: Callable[[], None] = lambda: None,
    ) -> None:
        self._reader = reader
        self._devices = devices
        self._clock = clock
        self._stamps = stamps
        self._sink = sink
        self._serials = serials
        self._report = report
        self._log = get("poller").bind(bus=name)
        self._outage = OutageLog(self._log, "bus", clock)
        self._link_failures = 0

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            wait_s = await self.step()
            if wait_s > 0:
                await self._clock.sleep(wait_s)

    async def step(self) -> float:
        """Poll the device that has waited longest, if any is due; return how long nothing is due then [s]."""
        device = min(self._devices, key=lambda device: device.next_ms)
        wait_ms = device.next_ms - self._stamps.stamp().time_ms
        if wait_ms > 0:
            return min(_SLEEP_MAX_S, wait_ms / 1000)
        before = [device.state for device in self._devices]
        try:
            await self._poll(device)
        except LinkDownError as error:
            self._link_failures += 1
            self._outage.down(error=str(error))
            for each in self._devices:
                each.unreachable(error)
        else:
            self._link_failures = 0
            self._outage.up()
        if before != [device.state for device in self._devices]:
            self._report()
        return backoff_s(self._link_failures) if self._link_failures else 0.0

    # ── one device ───────────────────────────────────────────────────────────────────────────────

    async def _poll(self, device: PolledDevice) -> None:
        begun = self._stamps.stamp()
        if begun.certain:
            device.round_begins(begun.time_ms)
        try:
            await self._read_due(device, begun)
        except LinkDownError:
            raise
        except ReadError as error:
            now_ms = self._stamps.stamp().time_ms
            if isinstance(error, RefusalError):
                device.heard(now_ms)
            if device.failed(error, now_ms):
                self._log.warning("device_lost", device=device.name, unit=device.unit, error=str(error))
            return
        if device.well():
            self._log.info("device_back", device=device.name, unit=device.unit)
        # A change is dated, and what was read at an uncertain time counts nowhere: then nobody looks for one.
        if device.serial_block is not None and begun.certain and device.serial_due_ms <= self._stamps.stamp().time_ms:
            await self._read_serial(device, begun)

    async def _read_due(self, device: PolledDevice, begun: Stamp) -> None:
        """Read what is due; blocks that are refused for their addresses are taken apart on the way."""
        work = deque(device.due(self._stamps.stamp().time_ms))
        found_bad = False
        while work:
            block = work.popleft()
            try:
                words = await self._read(device, block.function, block.address, block.count)
            except RefusalError as error:
                if error.code not in BAD_BLOCK:
                    raise
                halves, bad = device.refused(block, error, self._heard(device).time_ms)
                work.extendleft(reversed(halves))
                found_bad = found_bad or not halves
                if bad is not None:
                    self._log.warning("point_refused", point=bad, address=block.address, error=str(error))
            else:
                self._deliver(device, block, block.registers(words), begun)
        device.round_done(found_bad=found_bad)

    def _deliver(self, device: PolledDevice, block: Block, registers: Mapping[int, int], begun: Stamp) -> None:
        stamp = self._heard(device)
        for point in block.points:
            decoded = decode(point, registers)
            quality = decoded.quality
            if decoded.value is not None and quality not in OUTSIDE_ENERGY and begun.certain:
                device.shows(point, decoded.value, begun.time_ms)
            if not stamp.certain and quality not in OUTSIDE_ENERGY:
                quality = Quality.CLOCK_UNCERTAIN
            self._sink(Row(device.point_name(point), stamp.time_ms, decoded.value, int(quality)), stamp)
        for name in device.served(block, stamp.time_ms):
            self._log.info("point_back", point=name)

    async def _read_serial(self, device: PolledDevice, begun: Stamp) -> None:
        """Ask for the serial number; a device that does not tell it is none the worse for it."""
        definition, block = device.profile.serial, device.serial_block
        if definition is None or block is None:
            return
        function, address, count = block
        try:
            words = await self._read(device, function, address, count)
        except LinkDownError:
            raise
        except ReadError as error:
            final = isinstance(error, RefusalError) and error.code in BAD_BLOCK
            device.serial_done(self._stamps.stamp().time_ms, answered=final)
            return
        since_ms = device.serial_since_ms or begun.time_ms
        device.serial_done(self._heard(device).time_ms, answered=True)
        serial = decode_serial(definition, dict(enumerate(words, address)))
        if serial is None:
            return
        change = self._serials.see(device.name, serial, since_ms)
        device.serial_note = self._serials.note(device.name)
        if change is not None:
            device.exchanged()
            self._log.warning("meter_exchanged", device=device.name, before=change.was, after=change.serial)
            self._report()

    async def _read(self, device: PolledDevice, function: int, address: int, count: int) -> tuple[int, ...]:
        """Read once, and once more where the answer was damaged or the connection had been closed meanwhile."""
        try:
            return await self._reader.read(device.unit, function, address, count, device.timing)
        except (MalformedError, LostError):
            return await self._reader.read(device.unit, function, address, count, device.timing)

    def _heard(self, device: PolledDevice) -> Stamp:
        stamp = self._stamps.stamp()
        device.heard(stamp.time_ms)
        return stamp
