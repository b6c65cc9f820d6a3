"""A receiver that keeps what arrives in memory and answers as ingest does: the other end of the custody protocol."""

import random
from collections import Counter

from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.mqtt import Broker, Mqtt, NotConnectedError
from parkcarbon.wire.errors import Reason, RefusedError
from parkcarbon.wire.frame import open_frame
from parkcarbon.wire.messages import encode, receipts
from parkcarbon.wire.topics import filters, parse


class FakeReceiver:
    """Answers `committed` for each new batch and each repetition of it, unless told to keep silent.

    Args:
        url: broker.
        silent: take batches without a word.
    """

    def __init__(self, url: str, *, silent: bool = False) -> None:
        self.mqtt = Mqtt(
            Broker.from_url(url), client_id="receiver", clock=SystemClock(), rng=random.Random(0), keepalive_s=5
        )
        self.silent = silent
        self.frames: dict[str, bytes] = {}
        self.arrivals: Counter[str] = Counter()
        self.refuse: dict[int, Reason] = {}
        self.others: list[tuple[str, bytes]] = []

    async def run(self) -> None:
        """Serve until cancelled, after subscribing."""
        for kind in ("readings", "status", "reply"):
            for topic_filter in filters(kind):
                await self.mqtt.subscribe(topic_filter)
        async for message in self.mqtt.messages():
            await self._take(message.topic, message.payload)

    async def _take(self, name: str, frame: bytes) -> None:
        topic = parse(name)
        assert topic is not None
        if topic.kind != "readings":
            self.others.append((name, frame))
            return
        self.arrivals[name] += 1
        try:
            open_frame(frame, topic=topic)
            reason = self.refuse.get(topic.seq)
        except RefusedError as error:
            reason = error.reason
        if reason is None and self.frames.setdefault(name, frame) != frame:
            reason = Reason.IDENTITY_CONFLICT
        if self.silent:
            return
        done = [topic.seq] if reason is None else []
        for receipt in receipts(topic.boot, committed=done, refused=[(topic.seq, reason)] if reason else []):
            try:
                await self.mqtt.publish(topic.address.receipt, encode(receipt))
            except NotConnectedError:
                return
