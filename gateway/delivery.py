"""What an import has cut into batches, into custody and through to the receiver's word.

Every batch is frozen into an outbox on disk, and together with it how far this import has come. A run that was killed
is taken up by the next one: what is in the outbox is sent first, what was not yet frozen follows.
"""

import asyncio
import hashlib
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parkcarbon.domain.reading import Quality
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.mqtt import Broker, Mqtt, Will
from parkcarbon.kit.outbox import Outbox, OutboxFullError
from parkcarbon.wire.body import Draft
from parkcarbon.wire.errors import RefusedError
from parkcarbon.wire.frame import builder
from parkcarbon.wire.messages import Receipt, decode
from parkcarbon.wire.sender import Sender, SenderSettings, offline_status
from parkcarbon.wire.topics import Address
from parkcarbon.wire.window import WindowSettings

NOTE = "import"


@dataclass(frozen=True, slots=True)
class Order:
    """What an import was told.

    Attributes:
        address: park and source in whose name it sends.
        broker: where to.
        data: folder of the outbox.
        quality: of every reading.
        span_ms: length of a delta [ms]; 0: the point's declared period, or no delta.
        timeout_s: longest wait for the next receipt [s].
        key: signs the batches where given.
    """

    address: Address
    broker: Broker
    data: Path
    quality: Quality
    span_ms: int
    timeout_s: float
    key: Ed25519PrivateKey | None = None


@dataclass(slots=True)
class Outcome:
    """What became of the batches of one run.

    Attributes:
        resumed: batches that were in the outbox when it began.
        batches: those and the ones of this import.
        committed: how many of them the receiver has for good.
        refused: number and reason of each that it will never take.
        quarantined: readings that it keeps in quarantine, by number of the batch, as far as its receipts told this run.
        trouble: why it ended early, None where it did not.
    """

    resumed: int = 0
    batches: int = 0
    committed: int = 0
    refused: dict[int, str] = field(default_factory=dict)
    quarantined: dict[int, int] = field(default_factory=dict)
    trouble: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every batch is committed."""
        return self.committed == self.batches and self.trouble is None


def _fingerprint(todo: Sequence[Draft]) -> str:
    """Tell one import from another: a hash of everything that it sends."""
    digest = hashlib.sha256()
    for draft in todo:
        digest.update(hashlib.sha256(draft.body).digest())
    return digest.hexdigest()


class Delivery:
    """Takes batches into custody and stays until the receiver has them.

    Args:
        outbox: where they are kept.
        order: what was asked.
        todo: batches of this import.
        clock: time.
        rng: jitter of waiting times.
    """

    def __init__(
        self, outbox: Outbox, order: Order, todo: Sequence[Draft], *, clock: Clock, rng: random.Random
    ) -> None:
        self._outbox = outbox
        self._order = order
        self._todo = todo
        self._clock = clock
        self._fingerprint = _fingerprint(todo)
        waiting = [seq for seq, _, _ in outbox.waiting()]
        self._resumed = len(waiting)
        self._mine = set(waiting)
        self._refused: dict[int, str] = {}
        self._quarantined: dict[int, int] = {}
        self._done = self._done_before(unsent=bool(waiting))
        self._answered = asyncio.Event()
        address = order.address
        self._mqtt = Mqtt(
            order.broker,
            client_id=f"{address.park}.{address.source}.{outbox.boot}",
            clock=clock,
            rng=rng,
            will=lambda: Will(address.status, offline_status(address.source, clock.now_ms())),
        )
        window = WindowSettings(live_places=0, backlog_per_s=2000.0)  # nothing here is live; the window is the brake
        self._sender = Sender(
            outbox=outbox,
            publisher=self._mqtt,
            address=address,
            clock=clock,
            rng=rng,
            settings=SenderSettings(window=window, status_every_s=5.0),
        )

    def _done_before(self, *, unsent: bool) -> int:
        """Return how many batches of this very import a killed run had frozen; 0 where the last run had ended."""
        fingerprint, _, count = (self._outbox.note(NOTE) or "").partition(" ")
        if fingerprint != self._fingerprint:
            return 0
        return int(count) if unsent or int(count) < len(self._todo) else 0

    async def run(self) -> Outcome:
        """Deliver everything, or tell what is left."""
        trouble = None
        if self._mine or self._done < len(self._todo):
            try:
                await self._deliver()
            except TimeoutError:
                trouble = f"no receipt for {self._order.timeout_s:g} s"
            except OutboxFullError as error:
                trouble = str(error)
            except asyncio.CancelledError:
                trouble = "interrupted"
        return self._outcome(trouble)

    async def _deliver(self) -> None:
        for topic_filter in self._sender.filters:
            await self._mqtt.subscribe(topic_filter)
        jobs = [asyncio.ensure_future(job) for job in (self._mqtt.run(), self._sender.run(), self._listen())]
        main = asyncio.ensure_future(self._fill_and_wait())
        try:
            await asyncio.wait((main, *jobs), return_when=asyncio.FIRST_COMPLETED)
            for job in (main, *jobs):
                if job.done():
                    job.result()
        finally:
            for job in (main, *jobs):
                job.cancel()
            await asyncio.gather(main, *jobs, return_exceptions=True)

    async def _fill_and_wait(self) -> None:
        while self._done < len(self._todo):
            try:
                self._append()
            except OutboxFullError:
                if not self._outbox.waiting(limit=1):
                    raise
                await self._next_answer()
            self._sender.wake()
            await asyncio.sleep(0)  # let what is frozen be sent
        while self._outbox.waiting(limit=1):
            await self._next_answer()

    def _append(self) -> None:
        """Freeze the next batch; how far the import has come is remembered in the same transaction."""
        address = self._order.address
        build = builder(
            self._todo[self._done],
            park=address.park,
            source=address.source,
            made=self._clock.now_ms(),
            key=self._order.key,
        )
        note = (NOTE, f"{self._fingerprint} {self._done + 1}")
        self._mine.add(self._outbox.append(build, live=False, note=note))
        self._done += 1

    async def _next_answer(self) -> None:
        self._answered.clear()
        if self._outbox.waiting(limit=1):
            async with asyncio.timeout(self._order.timeout_s):
                await self._answered.wait()

    async def _listen(self) -> None:
        async for message in self._mqtt.messages():
            await self._sender.handle(message.topic, message.payload)
            if message.topic == self._order.address.receipt:
                self._hear(message.payload)

    def _hear(self, payload: bytes) -> None:
        try:
            receipt = decode(payload, Receipt)
        except RefusedError:
            return  # the sender has told
        if receipt.boot == self._outbox.boot:
            self._refused |= {entry.seq: entry.reason for entry in receipt.refused}
            self._quarantined |= receipt.in_quarantine()
            self._answered.set()

    def _outcome(self, trouble: str | None) -> Outcome:
        waiting = {seq for seq, _, _ in self._outbox.waiting()}
        unfrozen = len(self._todo) - self._done
        refused = {seq: reason for seq, reason in sorted(self._refused.items()) if seq in self._mine - waiting}
        return Outcome(
            resumed=self._resumed,
            batches=len(self._mine) + unfrozen,
            committed=len(self._mine - waiting - refused.keys()),
            refused=refused,
            quarantined={seq: n for seq, n in sorted(self._quarantined.items()) if seq in self._mine - waiting},
            trouble=trouble,
        )


async def deliver(order: Order, todo: Sequence[Draft], *, clock: Clock, rng: random.Random) -> Outcome:
    """Send batches in the name of one source; SIGTERM and SIGINT end it early and in order.

    Raises:
        OutboxError: the outbox cannot be opened, for instance because another import uses it.
    """
    outbox = Outbox(order.data / f"{order.address.park}.{order.address.source}.db", clock=clock)
    try:
        task = asyncio.ensure_future(Delivery(outbox, order, todo, clock=clock, rng=rng).run())
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, task.cancel)
        return await task
    finally:
        outbox.close()
