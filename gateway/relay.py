"""The relay: from the sources' broker into the durable queue, from there to the cloud, and the answers back.

It judges only what transport needs: a topic within the grammar, from a source it relays, of allowed size, and never
other bytes under a known boot and seq. Whether a batch is what its header says is the receiver's judgement.
"""

import asyncio
import contextlib
import random
from collections import defaultdict
from dataclasses import dataclass

from parkcarbon.kit.clock import Clock
from parkcarbon.kit.log import OutageLog, get
from parkcarbon.kit.mqtt import Message, Mqtt, NotConnectedError
from parkcarbon.wire.errors import Reason, RefusedError
from parkcarbon.wire.frame import FRAME_MAX_BYTES, HEADER_MAX_BYTES, digest, parse_header
from parkcarbon.wire.messages import (
    MESSAGE_MAX_BYTES,
    Command,
    DeviceStatus,
    Receipt,
    Reply,
    Status,
    decode,
    encode,
    receipts,
)
from parkcarbon.wire.pump import Pump, until
from parkcarbon.wire.topics import Address, Topic, parse
from parkcarbon.wire.window import Window, WindowSettings

from .store import Answer, Parcel, QueueFullError, Standing, Store

TAKEN_AT_ONCE = 64
_INTAKE_MAX = 256

_log = get("relay")


@dataclass(slots=True)
class _Seen:
    """What the gateway knows of one source."""

    status: bytes = b""
    online: bool = False
    last_ms: int | None = None


class Relay:
    """One gateway at work.

    Args:
        address: own name.
        sources: whom it relays.
        store: the durable queue.
        local: connection to the sources' broker.
        uplink: connection to the cloud's broker.
        clock: time.
        rng: jitter.
        status_s: time between two status messages [s].
    """

    def __init__(
        self,
        *,
        address: Address,
        sources: tuple[str, ...],
        store: Store,
        local: Mqtt,
        uplink: Mqtt,
        clock: Clock,
        rng: random.Random,
        status_s: float = 30.0,
    ) -> None:
        self._address = address
        self._sources = {source: _Seen() for source in sources}
        self._store = store
        self._local = local
        self._uplink = uplink
        self._clock = clock
        self._status_s = status_s
        self._window: Window[int] = Window(WindowSettings(size=64, live_places=32), rng)
        self._pump = Pump(
            self._window,
            publisher=uplink,
            clock=clock,
            load=self._load,
            discover=self._discover,
            reconnected=self._reconnected,
            concurrent=8,
        )
        self._known = 0
        self._intake: asyncio.Queue[Parcel] = asyncio.Queue(_INTAKE_MAX)
        self._tell: set[str] = set()
        self._tell_now = asyncio.Event()
        self._told_backlog = False
        self._full = OutageLog(_log, "queue_room", clock)

    async def run(self) -> None:
        """Relay until cancelled."""
        for source in self._sources:
            here = Address(self._address.park, source)
            for topic_filter in (f"{here.prefix}/readings/+/+", here.status, here.reply):
                await self._local.subscribe(topic_filter)
            there = here.relayed_by(self._address.source)
            await self._uplink.subscribe(there.receipt)
            await self._uplink.subscribe(there.command)
        await self._uplink.subscribe(self._address.command)
        self._discover(live=False)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen_below(), name="local")
            tasks.create_task(self._keep(), name="queue")
            tasks.create_task(self._pump.run(), name="uplink")
            tasks.create_task(self._listen_above(), name="answers")
            tasks.create_task(self._report(), name="status")

    # ── up ───────────────────────────────────────────────────────────────────────────────────────

    async def _listen_below(self) -> None:
        async for message in self._local.messages():
            topic = parse(message.topic)
            if topic is None or topic.address.via is not None or topic.address.park != self._address.park:
                continue
            seen = self._sources.get(topic.address.source)
            if seen is None:
                continue
            if topic.kind == "readings":
                seen.last_ms = self._clock.now_ms()
                await self._readings(topic, message.payload)
            elif len(message.payload) <= MESSAGE_MAX_BYTES:
                await self._small(topic, message, seen)

    async def _readings(self, topic: Topic, frame: bytes) -> None:
        address = topic.address
        if len(frame) > FRAME_MAX_BYTES:
            _log.error("batch_refused", source=address.source, seq=topic.seq, reason=Reason.OVERSIZE.value)
            for receipt in receipts(topic.boot, refused=[(topic.seq, Reason.OVERSIZE.value)]):
                await self._send_down(address.receipt, encode(receipt))
            return
        await self._intake.put(Parcel(address.source, topic.boot, topic.seq, digest(frame), _readings_in(frame), frame))

    async def _small(self, topic: Topic, message: Message, seen: _Seen) -> None:
        source = topic.address.source
        if topic.kind == "status":
            seen.status = message.payload
            with contextlib.suppress(RefusedError):
                seen.online = decode(message.payload, Status).online
            self._tell.add(source)
            self._tell_now.set()
        elif topic.kind == "reply":
            relayed = topic.address.relayed_by(self._address.source)
            with contextlib.suppress(NotConnectedError):
                await self._uplink.publish(relayed.reply, message.payload)

    async def _keep(self) -> None:
        """Store what waits in one transaction, then answer `stored`."""
        while True:
            parcels = [await self._intake.get()]
            while len(parcels) < TAKEN_AT_ONCE and not self._intake.empty():
                parcels.append(self._intake.get_nowait())
            try:
                answers = await asyncio.to_thread(self._store.take, parcels)
            except QueueFullError as error:
                self._full.down(error=str(error))  # no answer: the sources keep what they have
                continue
            self._full.up()
            self._pump.wake()
            await self._answer(parcels, answers)

    async def _answer(self, parcels: list[Parcel], answers: list[Answer]) -> None:
        told: dict[tuple[str, str], dict[Standing, list[tuple[int, str]]]] = {}
        for parcel, answer in zip(parcels, answers, strict=True):
            reason = Reason.IDENTITY_CONFLICT.value if answer.standing is Standing.CONFLICT else answer.reason
            if answer.standing is Standing.CONFLICT:
                _log.error("batch_refused", source=parcel.source, boot=parcel.boot, seq=parcel.seq, reason=reason)
            by_standing = told.setdefault((parcel.source, parcel.boot), defaultdict(list))
            by_standing[answer.standing].append((parcel.seq, reason))
        for (source, boot), by in told.items():
            for receipt in receipts(
                boot,
                committed=[seq for seq, _ in by[Standing.COMMITTED]],
                stored=[seq for seq, _ in by[Standing.WAITING]],
                refused=by[Standing.REFUSED] + by[Standing.CONFLICT],
            ):
                await self._send_down(Address(self._address.park, source).receipt, encode(receipt))

    def _discover(self, *, live: bool = True) -> None:
        now_s = self._clock.monotonic()
        for number in self._store.waiting(self._known):
            self._known = number
            self._window.add(number, number, now_s, live=live)

    def _load(self, number: int) -> tuple[str, bytes] | None:
        parcel = self._store.parcel(number)
        if parcel is None:
            return None
        source, boot, seq, frame = parcel
        address = Address(self._address.park, source, via=self._address.source)
        return address.readings(boot, seq), frame

    def _reconnected(self) -> None:
        self._tell.update(source for source, seen in self._sources.items() if seen.status)
        self._tell_now.set()

    # ── down ─────────────────────────────────────────────────────────────────────────────────────

    async def _listen_above(self) -> None:
        async for message in self._uplink.messages():
            topic = parse(message.topic)
            if topic is None or topic.address.park != self._address.park:
                continue
            try:
                if topic.address == self._address and topic.kind == "command":
                    await self._command(decode(message.payload, Command))
                elif topic.address.via == self._address.source and topic.address.source in self._sources:
                    await self._down(topic, message.payload)
            except RefusedError as error:
                _log.warning("message_not_understood", topic=message.topic, reason=str(error))

    async def _down(self, topic: Topic, payload: bytes) -> None:
        below = topic.address.direct()
        if topic.kind == "command":
            command = decode(payload, Command)
            if command.kind == "resend" and command.boot is not None:
                # The cloud lost them: what comes again must travel again, not be answered from memory.
                span = (command.from_seq, command.to_seq)
                await asyncio.to_thread(self._store.forget, below.source, command.boot, *span)
            await self._send_down(below.command, payload)
        if topic.kind != "receipt":
            return
        receipt = decode(payload, Receipt)
        if not await self._send_down(below.receipt, payload):
            return  # the batch is sent up again and answered again
        numbers = await asyncio.to_thread(
            self._store.finish,
            topic.address.source,
            receipt.boot,
            committed=receipt.committed,
            refused=[(entry.seq, entry.reason) for entry in receipt.refused],
        )
        for entry in receipt.refused:
            _log.error("batch_refused", source=below.source, boot=receipt.boot, seq=entry.seq, reason=entry.reason)
        now_s = self._clock.monotonic()
        for number in numbers:
            self._window.acknowledge(number, now_s)
        if self._window.backlog is not self._told_backlog:
            self._tell_now.set()
        self._pump.wake()

    async def _send_down(self, topic: str, payload: bytes) -> bool:
        try:
            await self._local.publish(topic, payload)
        except NotConnectedError:
            return False
        return True

    async def _command(self, command: Command) -> None:
        ping = command.kind == "ping"
        detail = "" if ping else "a gateway keeps nothing that was committed; ask the source"
        with contextlib.suppress(NotConnectedError):
            await self._uplink.publish(self._address.reply, encode(Reply(id=command.id, ok=ping, detail=detail)))

    # ── status ───────────────────────────────────────────────────────────────────────────────────

    def status(self) -> Status:
        """Return the state of now; the sources stand where an agent lists its devices."""
        load = self._store.load()
        self._told_backlog = self._window.backlog
        return Status(
            source=self._address.source,
            at=self._clock.now_ms(),
            online=True,
            depth=load.depth,
            readings=load.items,
            bytes=load.bytes,
            backlog=self._told_backlog,
            devices=tuple(
                DeviceStatus(device=source, state="ok" if seen.online else "silent", last_seen=seen.last_ms)
                for source, seen in self._sources.items()
            ),
        )

    async def _report(self) -> None:
        """Tell the own status regularly and the sources' as they come; what could not be told is told later."""
        due_s = self._clock.monotonic()
        while True:
            await self._uplink.connected()
            self._tell_now.clear()
            try:
                for source in sorted(self._tell):
                    there = Address(self._address.park, source, via=self._address.source)
                    status = self._sources[source].status
                    await self._uplink.publish(there.status, status, retain=True)
                    if self._sources[source].status is status:
                        self._tell.discard(source)
                if self._clock.monotonic() >= due_s or self._window.backlog is not self._told_backlog:
                    await self._uplink.publish(self._address.status, encode(self.status()), retain=True)
                    await asyncio.to_thread(self._store.prune)
                    due_s = self._clock.monotonic() + self._status_s
            except NotConnectedError:
                due_s = self._clock.monotonic()
                await self._clock.sleep(0.1)
                continue
            await until(self._tell_now, self._clock, max(0.0, due_s - self._clock.monotonic()))


def _readings_in(frame: bytes) -> int:
    """Return how many readings the header claims, for the status only."""
    line = frame[: HEADER_MAX_BYTES + 1].partition(b"\n")[0]
    try:
        return parse_header(line).n
    except RefusedError:
        return 0
