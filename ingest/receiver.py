"""From broker to group and back: batches decoded, statuses kept, receipts sent after the commit.

A message is refused for good only after its dead-letter row is committed. A receipt that gets lost costs nothing: the
sender sends again and is told again.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import structlog

from parkcarbon.books.derive.stored import moment
from parkcarbon.kit.backoff import Backoff
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import Database, DatabaseError
from parkcarbon.kit.mqtt import Mqtt, NotConnectedError
from parkcarbon.wire.errors import Reason, RefusedError
from parkcarbon.wire.frame import digest, open_frame, split
from parkcarbon.wire.messages import Status, decode, encode, receipts
from parkcarbon.wire.topics import Address, Topic, filters, parse

from . import metrics
from .group import Group
from .pool import Batch, Outcome, Verdict
from .queries import QUERIES
from .recompute import Recomputer

log = structlog.get_logger(__name__)

PROBE_TOPIC = "parkcarbon/v1-probe/ingest"
SHARE = "$share/parkcarbon-ingest/"
_LETTER_BYTES = 1024 * 1024


class Backlogs:
    """Which sources say that they are sending older batches."""

    def __init__(self) -> None:
        self._behind: dict[str, set[str]] = defaultdict(set)

    def note(self, address: Address, status: Status) -> bool:
        """Remember a status; return True when it says so and no source of its park is behind.

        Also when none was known to be: what a process before this one held back is waiting for that word.
        """
        behind = self._behind[address.park]
        if status.backlog and status.online:
            behind.add(address.source)
            return False
        behind.discard(address.source)
        return not behind

    def of(self, batch: Batch) -> bool:
        """True when the source of a batch, or the gateway that relays it, is behind."""
        address = batch.topic.address
        behind = self._behind[address.park]
        return address.source in behind or address.via in behind


class Receiver:
    """Reads the broker and answers.

    Args:
        mqtt: connection to the broker.
        database: for statuses and dead letters.
        clock: pauses.
        backoff: pauses while the database is away.
        backlogs: shared with the group.
    """

    def __init__(self, mqtt: Mqtt, database: Database, clock: Clock, backoff: Backoff, backlogs: Backlogs) -> None:
        self._mqtt = mqtt
        self._database = database
        self._clock = clock
        self._backoff = backoff
        self._backlogs = backlogs

    async def subscribe(self) -> bool:
        """Subscribe to everything sources say; return whether the readings are shared among workers."""
        shared = await self._mqtt.probe_shared(PROBE_TOPIC)
        for name in filters("readings"):
            await self._mqtt.subscribe(SHARE + name if shared else name)
        for name in filters("status"):
            await self._mqtt.subscribe(name)
        log.info("receiver.subscribed", shared=shared)
        return shared

    async def run(self, group: Group, recomputer: Recomputer) -> None:
        """Take messages until cancelled."""
        async for message in self._mqtt.messages():
            topic = parse(message.topic)
            if topic is None:
                await self._bury(message.topic, message.payload, Reason.IDENTITY, "the topic is outside the grammar")
            elif topic.kind == "status":
                await self._status(topic, message.payload, recomputer)
            elif topic.kind == "readings":
                await self._readings(topic, message.payload, group)

    async def _readings(self, topic: Topic, payload: bytes, group: Group) -> None:
        try:
            header, body = open_frame(payload, topic=topic)
            line, _ = split(payload)
        except RefusedError as error:
            await self._bury(self._name(topic), payload, error.reason, error.detail)
            await self._answer(topic.address, topic.boot, [], [(topic.seq, error.reason.value)])
            return
        await group.put(Batch(topic, header, line, body, payload, digest(payload)))

    async def _status(self, topic: Topic, payload: bytes, recomputer: Recomputer) -> None:
        address = topic.address
        try:
            status = decode(payload, Status)
        except RefusedError as error:
            log.warning("status.refused", source=address.source, detail=error.detail)
            return
        if self._backlogs.note(address, status):
            await self._persist("release_recompute", address.park)
            recomputer.wake.set()
        text = payload.decode("utf-8", "replace")
        await self._persist("store_status", address.park, address.source, text, moment(status.at))

    async def deliver(self, outcomes: Sequence[tuple[Batch, Outcome]]) -> None:
        """Tell each source what became of its batches."""
        answers: dict[tuple[Address, str], tuple[list[int], list[tuple[int, str]]]] = {}
        aside: dict[tuple[Address, str], dict[int, int]] = defaultdict(dict)
        for batch, outcome in outcomes:
            topic = batch.topic
            committed, refused = answers.setdefault((topic.address, topic.boot), ([], []))
            if outcome.verdict is Verdict.REFUSED and outcome.reason is not None:
                await self._bury(self._name(topic), batch.frame, outcome.reason, outcome.detail)
                refused.append((topic.seq, outcome.reason.value))
            else:
                committed.append(topic.seq)
                if outcome.quarantined:
                    aside[topic.address, topic.boot][topic.seq] = outcome.quarantined
        for (address, boot), (committed, refused) in answers.items():
            await self._answer(address, boot, committed, refused, aside.get((address, boot)))

    async def _answer(
        self,
        address: Address,
        boot: str,
        committed: Sequence[int],
        refused: Sequence[tuple[int, str]],
        quarantined: Mapping[int, int] | None = None,
    ) -> None:
        for receipt in receipts(boot, committed=committed, refused=refused, quarantined=quarantined):
            try:
                await self._mqtt.publish(address.receipt, encode(receipt))
            except NotConnectedError as error:
                log.info("receipt.lost", source=address.source, error=str(error))

    async def _bury(self, topic: str, payload: bytes, reason: Reason, detail: str) -> None:
        metrics.REFUSED.labels(reason=reason.value).inc()
        log.warning("message.refused", topic=topic, reason=reason.value, detail=detail)
        printable = detail.replace("\0", "?")
        await self._persist(
            "insert_dead_letter",
            topic.replace("\0", "?"),
            payload[:_LETTER_BYTES],
            len(payload),
            reason.value,
            printable,
        )

    async def _persist(self, query: str, *values: object) -> None:
        """Run a statement however often it takes; one that the database rejects is told and let go."""
        while True:
            try:
                await self._database.execute(QUERIES[query], *values)
            except DatabaseError as error:
                if not error.retryable:
                    log.exception("statement.rejected", query=query)
                    return
                log.warning("statement.retried", query=query, error=str(error))
                await self._clock.sleep(self._backoff.next_s())
            else:
                self._backoff.reset()
                return

    def _name(self, topic: Topic) -> str:
        return topic.address.readings(topic.boot, topic.seq)
