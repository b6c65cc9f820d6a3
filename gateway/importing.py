"""The CSV adapter: files through the custody path, until the cloud has committed every batch."""

import asyncio
import contextlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parkcarbon.kit.clock import Clock
from parkcarbon.kit.log import get
from parkcarbon.kit.mqtt import Mqtt, Will
from parkcarbon.kit.outbox import Outbox
from parkcarbon.wire.body import Row, drafts
from parkcarbon.wire.frame import builder, load_key
from parkcarbon.wire.sender import Sender, SenderSettings, offline_status
from parkcarbon.wire.topics import Address
from parkcarbon.wire.window import WindowSettings

from .config import broker
from .csvfile import Content, Shape, read_files

BATCH_READINGS = 4000
PROBLEMS_SHOWN = 100
OUTBOX_FILE = "outbox.db"

_log = get("import")


class ImportStuckError(RuntimeError):
    """Nothing was committed for a long time."""


@dataclass(frozen=True, slots=True)
class Order:
    """One import.

    Attributes:
        park: organisation.
        source: in whose name.
        files: what to import.
        shape: how to read it.
        kind: `delta` (amounts of intervals) or `counter` (registers).
        period_s: length of a delta; None: the point's declared period [s].
        broker: URL.
        data: folder of the outbox.
        key_file: private key of the source, if it signs.
        patience_s: give up after so long without progress [s]; what was not committed is sent by the next import.
        quality: quality code of all readings.
    """

    park: str
    source: str
    files: tuple[Path, ...]
    shape: Shape
    kind: str
    period_s: float | None
    broker: str
    data: Path
    key_file: Path | None = None
    patience_s: float = 300.0
    quality: int = 0


async def run_import(order: Order, *, clock: Clock, rng: random.Random) -> dict[str, Any]:
    """Import and return the summary.

    Raises:
        CsvError: nothing was sent.
        ImportStuckError: not everything was committed.
        SettingsError: the broker's URL is wrong.
    """
    begun_s = clock.monotonic()
    there = broker(order.broker, "--broker")
    address = Address(order.park, order.source)
    key = None if order.key_file is None else load_key(order.key_file.read_bytes())
    content = read_files(order.files, order.shape)
    outbox = Outbox(order.data / OUTBOX_FILE, clock=clock, max_bytes=4 << 30)
    try:
        refused_before = outbox.stats().refused
        parts = drafts(rows(content, order), most=BATCH_READINGS)
        for part in parts:
            build = builder(part, park=order.park, source=order.source, made=clock.now_ms(), key=key)
            outbox.append(build, live=False)
        mqtt = Mqtt(
            there,
            client_id=f"{order.park}.{order.source}",
            clock=clock,
            rng=rng,
            will=lambda: Will(address.status, offline_status(order.source, clock.now_ms())),
        )
        window = WindowSettings(live_places=0, backlog_per_s=2000.0)
        sender = Sender(
            outbox=outbox,
            publisher=mqtt,
            address=address,
            clock=clock,
            rng=rng,
            settings=SenderSettings(window=window, status_every_s=5.0),
        )
        await _deliver(mqtt, sender, outbox, clock, order.patience_s)
        refused = outbox.stats().refused - refused_before
        return _summary(content, len(parts), refused) | {"seconds": round(clock.monotonic() - begun_s, 2)}
    finally:
        outbox.close()


def rows(content: Content, order: Order) -> list[Row]:
    """Return the readings of an import in order of time."""
    span_ms = round(order.period_s * 1000) if order.kind == "delta" and order.period_s is not None else 0
    return [Row(cell.point, cell.t, cell.x, order.quality, span_ms) for cell in content.cells]


async def _deliver(mqtt: Mqtt, sender: Sender, outbox: Outbox, clock: Clock, patience_s: float) -> None:
    """Send until nothing waits."""
    for topic_filter in sender.filters:
        await mqtt.subscribe(topic_filter)
    answered = asyncio.Event()

    async def listen() -> None:
        async for message in mqtt.messages():
            await sender.handle(message.topic, message.payload)
            answered.set()

    tasks = [asyncio.ensure_future(work) for work in (mqtt.run(), sender.run(), listen())]
    try:
        waiting, since_s = outbox.stats().depth, clock.monotonic()
        while waiting:
            for task in tasks:
                if task.done():
                    task.result()
            answered.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(answered.wait(), 1.0)
            left = outbox.stats().depth
            if left != waiting:
                waiting, since_s = left, clock.monotonic()
            elif clock.monotonic() - since_s > patience_s:
                raise ImportStuckError(f"{left} batches are not committed after {patience_s:g} s without progress")
    finally:
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _summary(content: Content, batches: int, refused: int) -> dict[str, Any]:
    times = [cell.t for cell in content.cells]
    return {
        "readings": len(content.cells),
        "points": len({cell.point for cell in content.cells}),
        "batches": batches,
        "refused": refused,
        "rejected": len(content.problems),
        "repeated": content.repeated,
        "missing": content.missing,
        "from_ms": min(times, default=None),
        "to_ms": max(times, default=None),
        "problems": [problem._asdict() for problem in content.problems[:PROBLEMS_SHOWN]],
    }
