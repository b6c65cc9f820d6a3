"""One polled device: what is due, how it is doing, what was learned about it. Decisions only; no I/O, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from parkcarbon.domain.profile import DeviceProfile, PointDef
from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.domain.readplan import Block
from parkcarbon.wire.messages import DeviceStatus

from .blocks import Holes
from .config import Device
from .errors import LinkDownError, LostError, NoAnswerError, ReadError, RefusalError
from .modbus import Timing
from .schedule import backoff_s, next_slot_ms, stagger_ms

HOUR_MS = 3_600_000
_SERIAL_RETRY_MS = 300_000
_TELL_AFTER = 2
"""Failures in a row until a device counts as gone: one lost frame is no outage."""

BAD_BLOCK = frozenset({1, 2, 3})
BUSY = frozenset({5, 6})
_GATEWAY_SILENT = 11

State = Literal["ok", "silent", "error"]


@dataclass(slots=True)
class Slot:
    """One point on its grid."""

    point: PointDef
    name: str
    period_ms: int
    due_ms: int


class PolledDevice:
    """State of one device.

    Args:
        config: how it is connected and what is wanted of it.
        profile: how its registers read.
        now_ms: time of start [ms UTC].

    Attributes:
        name: as in the park.
        unit: Modbus unit identifier.
        timing: what it wants.
        profile: how its registers read.
        state: `ok`, `silent` (no answer) or `error` (answers, but not as it should).
        last_seen_ms: last answer [ms UTC].
        serial_due_ms: when its serial number is to be read [ms UTC].
        serial_since_ms: readings from here on may be of another meter, None: the serial number is known [ms UTC].
        serial_note: what is known about its serial number, for people.
    """

    def __init__(self, config: Device, profile: DeviceProfile, now_ms: int) -> None:
        defaults = profile.defaults
        self.name = config.device
        self.unit = defaults.unit if config.unit is None else config.unit
        self.profile = profile
        self.timing = Timing(
            timeout_s=config.timeout_s or defaults.timeout_s,
            pause_s=defaults.pause_s if config.pause_s is None else config.pause_s,
        )
        self.state: State = "silent"
        self.last_seen_ms: int | None = None
        self.serial_due_ms = 0
        self.serial_since_ms: int | None = None
        self.serial_note = ""
        periods_ms = [round(point.period_s * 1000) for point in config.points]
        self._shift_ms = stagger_ms(config.device, min(periods_ms))
        first_ms = next_slot_ms(now_ms, min(periods_ms), self._shift_ms)
        self._slots = [
            Slot(profile.point(point.quantity), f"{config.device}/{point.quantity}", period_ms, first_ms)
            for point, period_ms in zip(config.points, periods_ms, strict=True)
        ]
        self._by_point = {slot.point: slot for slot in self._slots}
        self._registers: dict[PointDef, float] = {}
        self._holes = Holes()
        self._bad: dict[PointDef, str] = {}
        self._retry_ms = 0
        self._failures = 0
        self._trouble = "not reached yet"

    # ── what to read ─────────────────────────────────────────────────────────────────────────────

    @property
    def next_ms(self) -> int:
        """When something is to be read [ms UTC]."""
        return max(self._retry_ms, min(slot.due_ms for slot in self._slots))

    def due(self, now_ms: int) -> list[Block]:
        """Return the reads that bring every point that is due."""
        self._holes.settle(found_bad=True)  # what a round that was broken off believed is not known
        points = [slot.point for slot in self._slots if slot.due_ms <= now_ms]
        fine = [point for point in points if point not in self._bad]
        blocks = self._plan(fine)
        # A point that was refused is tried again by itself, so that it cannot spoil a block.
        return blocks + [block for point in points if point in self._bad for block in self._plan([point])]

    def _plan(self, points: Iterable[PointDef]) -> list[Block]:
        return self._holes.plan(points, self.profile.max_registers_per_read, self.profile.max_gap)

    def point_name(self, point: PointDef) -> str:
        """Return the name of a point in the park."""
        return self._by_point[point].name

    @property
    def serial_block(self) -> tuple[int, int, int] | None:
        """Function, address and count of the serial-number register, None where there is none."""
        serial = self.profile.serial
        return None if serial is None else (serial.function, serial.address, serial.registers)

    # ── what came of it ──────────────────────────────────────────────────────────────────────────

    def served(self, block: Block, now_ms: int) -> list[str]:
        """A block was answered; return the names of points that were bad until now."""
        back = [point for point in block.points if point in self._bad]
        if back:
            self._holes.pardon(block)
        for point in block.points:
            self._bad.pop(point, None)
            slot = self._by_point[point]
            slot.due_ms = next_slot_ms(now_ms, slot.period_ms, self._shift_ms)
        return [self.point_name(point) for point in back]

    def refused(self, block: Block, error: RefusalError, now_ms: int) -> tuple[list[Block], str | None]:
        """A block was refused for its addresses; return what to try instead, and a point newly found to be bad."""
        halves = self._holes.halve(block)
        if halves:
            return halves, None
        point = block.points[0]
        new = point not in self._bad
        self._holes.condemn(block)
        self._bad[point] = str(error)
        slot = self._by_point[point]
        slot.due_ms = next_slot_ms(now_ms + HOUR_MS, slot.period_ms, self._shift_ms)
        return [], self.point_name(point) if new else None

    def round_done(self, *, found_bad: bool) -> None:
        """All that was due has been tried."""
        self._holes.settle(found_bad=found_bad)

    def heard(self, now_ms: int) -> None:
        """Something came from it, be it a refusal."""
        self.last_seen_ms = now_ms

    def well(self) -> bool:
        """It answered as it should; return whether that ends an outage that was told."""
        told = self._failures >= _TELL_AFTER
        self._failures, self._retry_ms, self._trouble = 0, 0, ""
        self.state = "error" if self._bad else "ok"
        return told

    def failed(self, error: ReadError, now_ms: int) -> bool:
        """It did not answer, or only to complain; return whether this is the moment to tell."""
        self._failures += 1
        self._retry_ms = now_ms + round(1000 * backoff_s(self._failures))
        if self._failures >= _TELL_AFTER or self.last_seen_ms is None:
            self._trouble = str(error)
            self.state = "silent" if _is_silence(error) else "error"
        if self._failures >= _TELL_AFTER:
            self.serial_due_ms = 0
        return self._failures == _TELL_AFTER

    def unreachable(self, error: LinkDownError) -> None:
        """The way to it is down; that is told for the bus, not for each device."""
        self._trouble, self.state = str(error), "silent"
        self._retry_ms = self.serial_due_ms = 0

    def round_begins(self, now_ms: int) -> None:
        """It is about to be read: where its serial number is in doubt, this may be another meter from here on."""
        if self.serial_since_ms is None and self.serial_due_ms <= now_ms:
            self.serial_since_ms = now_ms

    def shows(self, point: PointDef, value: float, begun_ms: int) -> None:
        """A point was read in the round that began at `begun_ms`: a register that went back may be another meter's."""
        quantity = QUANTITIES.get(point.quantity)
        if quantity is None or not quantity.cumulative:
            return
        if value < self._registers.get(point, value):
            self.serial_due_ms = 0
            self.round_begins(begun_ms)
        self._registers[point] = value

    def serial_done(self, now_ms: int, *, answered: bool) -> None:
        """The serial number was asked for."""
        self.serial_due_ms = now_ms + (HOUR_MS if answered else _SERIAL_RETRY_MS)
        if answered:
            self.serial_since_ms = None

    def exchanged(self) -> None:
        """Another meter is in its place: what was learned does not hold any more."""
        self._holes.forget()

    def status(self) -> DeviceStatus:
        """Return the state for the status message."""
        bad = [f"{point.quantity}: {reason}" for point, reason in self._bad.items()]
        notes = [note for note in (self._trouble, *bad, self.serial_note) if note]
        return DeviceStatus(
            device=self.name, state=self.state, last_seen=self.last_seen_ms, detail="; ".join(notes)[:4000]
        )


def _is_silence(error: ReadError) -> bool:
    if isinstance(error, RefusalError):
        return error.code == _GATEWAY_SILENT
    return isinstance(error, NoAnswerError | LinkDownError | LostError)
