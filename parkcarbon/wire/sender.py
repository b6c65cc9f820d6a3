"""The sending side of the custody protocol: drains an outbox to a broker until everything is committed.

Knows outbox, broker and clock by what it needs of them (the protocols below); used by edge agents and imports.

```python
sender = Sender(outbox=outbox, publisher=mqtt, address=Address(park, source), clock=clock, rng=rng)
for topic_filter in sender.filters:
    await mqtt.subscribe(topic_filter)
tasks.create_task(sender.run())                     # after each outbox.append(...): sender.wake()
async for message in mqtt.messages():
    await sender.handle(message.topic, message.payload)
```
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import structlog
from msgspec import UNSET

from .errors import RefusedError
from .messages import Command, DeviceStatus, Receipt, Reply, Status, decode, encode
from .pump import ClockPort, Publisher, Pump, until
from .topics import SEQ_MAX, Address
from .window import Window, WindowSettings

_log = structlog.get_logger(part="sender")


class StatsPort(Protocol):
    """How full an outbox is."""

    @property
    def depth(self) -> int:
        """Batches waiting."""

    @property
    def items(self) -> int:
        """Readings in them."""

    @property
    def bytes(self) -> int:
        """Size of what waits [B]."""

    @property
    def hours_left(self) -> float | None:
        """Until full [h]."""

    @property
    def alarm(self) -> int:
        """Level that is passed: 0, 70 or 90 [%]."""


class OutboxPort(Protocol):
    """What a sender needs of an outbox; implemented by `parkcarbon.kit.outbox.Outbox`."""

    boot: str

    def waiting(self, *, after: int = 0, limit: int = ...) -> list[tuple[int, bool, bool]]:
        """Return (seq, stored, live) of what is not committed."""

    def frame(self, seq: int) -> bytes | None:
        """Return the bytes of one entry that is not committed."""

    def mark(
        self, *, committed: Sequence[int] = (), stored: Sequence[int] = (), refused: Sequence[tuple[int, str]] = ()
    ) -> list[int]:
        """Take down a receipt; return what was newly refused."""

    def requeue(self, from_seq: int, to_seq: int) -> list[int]:
        """Let kept entries wait again."""

    def prune(self) -> int:
        """Drop what was kept long enough."""

    def stats(self) -> StatsPort:
        """Return how full it is."""


@dataclass(frozen=True, slots=True)
class Description:
    """What the process behind a sender adds to the status."""

    clock: Literal["synced", "uncertain"] = "synced"
    devices: tuple[DeviceStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """Limits of a sender.

    Attributes:
        window: see `WindowSettings`.
        status_every_s: time between two status messages [s].
        concurrent: batches handed to the broker at the same time.
    """

    window: WindowSettings = field(default_factory=WindowSettings)
    status_every_s: float = 30.0
    concurrent: int = 4


def offline_status(source: str, at_ms: int) -> bytes:
    """Return the last will of a source, made when it connects [ms UTC]."""
    return encode(Status(source=source, at=at_ms, online=False))


class Sender:
    """One outbox on its way.

    Args:
        outbox: what to send.
        publisher: where to.
        address: own name.
        clock: time.
        rng: jitter.
        settings: limits.
        describe: called for each status.
    """

    def __init__(
        self,
        *,
        outbox: OutboxPort,
        publisher: Publisher,
        address: Address,
        clock: ClockPort,
        rng: random.Random,
        settings: SenderSettings | None = None,
        describe: Callable[[], Description] = Description,
    ) -> None:
        self._settings = settings or SenderSettings()
        self._outbox = outbox
        self._publisher = publisher
        self._address = address
        self._clock = clock
        self._describe = describe
        self._window: Window[int] = Window(self._settings.window, rng)
        self._known = 0
        self._pump = Pump(
            self._window,
            publisher=publisher,
            clock=clock,
            load=self._load,
            discover=self._discover,
            reconnected=self.report,
            concurrent=self._settings.concurrent,
        )
        self._report_now = asyncio.Event()
        self._alarm = 0
        self._told_backlog = False
        self._quarantined = 0

    @property
    def filters(self) -> tuple[str, ...]:
        """Topics that the process must subscribe to and pass to `handle`."""
        return (self._address.receipt, self._address.command)

    @property
    def backlog(self) -> bool:
        """Whether older batches are still being sent."""
        return self._window.backlog

    def wake(self) -> None:
        """Something was appended to the outbox."""
        self._pump.wake()

    def report(self) -> None:
        """Something worth a status message happened."""
        self._report_now.set()

    async def run(self) -> None:
        """Send until cancelled."""
        self._discover(first=True)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pump.run())
            tasks.create_task(self._report())

    # ── up ───────────────────────────────────────────────────────────────────────────────────────

    def _discover(self, *, first: bool = False) -> None:
        """Learn of entries that are new in the outbox; at the start everything in it is backlog."""
        now_s = self._clock.monotonic()
        for seq, stored, live in self._outbox.waiting(after=self._known):
            self._known = seq
            if stored:
                self._window.hold(seq, seq, now_s, within_s=60.0)
            else:
                self._window.add(seq, seq, now_s, live=live and not first)

    def _load(self, seq: int) -> tuple[str, bytes] | None:
        frame = self._outbox.frame(seq)
        return None if frame is None else (self._address.readings(self._outbox.boot, seq), frame)

    # ── down ─────────────────────────────────────────────────────────────────────────────────────

    async def handle(self, topic: str, payload: bytes) -> None:
        """Take a message from one of `filters`; anything else is ignored."""
        try:
            if topic == self._address.receipt:
                self.on_receipt(payload)
            elif topic == self._address.command:
                reply = self.on_command(decode(payload, Command))
                with contextlib.suppress(ConnectionError):
                    await self._publisher.publish(self._address.reply, encode(reply))
        except RefusedError as error:
            _log.warning("message_not_understood", topic=topic, reason=str(error))

    def on_receipt(self, payload: bytes) -> None:
        """Take a receipt.

        Raises:
            RefusedError: it is none.
        """
        receipt = decode(payload, Receipt)
        if receipt.boot != self._outbox.boot:
            _log.info("receipt_of_another_boot", boot=receipt.boot)
            return
        reasons = {entry.seq: entry.reason for entry in receipt.refused}
        refused = self._outbox.mark(committed=receipt.committed, stored=receipt.stored, refused=tuple(reasons.items()))
        self._note_quarantined(receipt)
        now_s = self._clock.monotonic()
        for seq in receipt.stored:
            if seq in self._window:
                self._window.hold(seq, seq, now_s)
        for seq in (*receipt.committed, *reasons):
            self._window.acknowledge(seq, now_s)
        for seq in refused:
            _log.error("batch_refused", seq=seq, boot=receipt.boot, reason=reasons[seq])
        if self._window.backlog is not self._told_backlog:
            self._report_now.set()  # the receiver holds results back while older batches come
        self._pump.wake()

    def _note_quarantined(self, receipt: Receipt) -> None:
        """Count what the receiver put aside of batches that wait for an answer; logged each time the sum doubles."""
        before = self._quarantined
        for seq, readings in receipt.in_quarantine().items():
            self._quarantined += readings if seq in self._window else 0
        if self._quarantined.bit_length() > before.bit_length():
            _log.warning("readings_quarantined", readings=self._quarantined, boot=receipt.boot)

    def on_command(self, command: Command) -> Reply:
        """Carry out a command and say how it went."""
        if command.kind == "ping":
            return Reply(id=command.id, ok=True, detail=self._outbox.boot)
        if command.boot != self._outbox.boot:
            return Reply(id=command.id, ok=False, detail=f"boot is {self._outbox.boot}")
        seqs = self._outbox.requeue(command.from_seq, min(command.to_seq, SEQ_MAX))
        now_s = self._clock.monotonic()
        for seq in seqs:
            self._window.acknowledge(seq, now_s)
            self._window.add(seq, seq, now_s, live=False)
        self._pump.wake()
        return Reply(id=command.id, ok=True, detail=f"{len(seqs)} batches")

    # ── status ───────────────────────────────────────────────────────────────────────────────────

    def status(self) -> Status:
        """Return the state of now."""
        stats, described = self._outbox.stats(), self._describe()
        self._told_backlog = self._window.backlog
        if stats.alarm != self._alarm:
            self._alarm = stats.alarm
            _log.warning("outbox_level", percent=stats.alarm, depth=stats.depth, hours_left=stats.hours_left)
        return Status(
            source=self._address.source,
            at=self._clock.now_ms(),
            online=True,
            depth=stats.depth,
            readings=stats.items,
            bytes=stats.bytes,
            hours_left=stats.hours_left,
            backlog=self._told_backlog,
            clock=described.clock,
            devices=described.devices,
            quarantined=self._quarantined or UNSET,
        )

    async def _report(self) -> None:
        while True:
            await self._publisher.connected()
            self._report_now.clear()
            with contextlib.suppress(ConnectionError):
                await self._publisher.publish(self._address.status, encode(self.status()), retain=True)
            self._outbox.prune()
            await until(self._report_now, self._clock, self._settings.status_every_s)
