"""The dead man's switch: every minute a message goes the way that alarms go, so that its absence is the alarm.

It rests on what an alarm needs: this evaluator holds the lease, has looked at its parks within a minute and, where
asked for, readings arrive. It is written into the outbox in the transaction that checks the lease, and sent by the
channel's task. Whoever receives it raises the alarm when none has come for three minutes; that must be another house
than this: a monitoring service that waits for a web hook, or an Alertmanager that inverts it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import Gauge

from parkcarbon.alarm.store import QUERIES, Outgoing, put_messages
from parkcarbon.domain.alarm.deadman import ABSENT_AFTER_MS, EVERY_MS
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import Database, DatabaseError, Row, from_ms, to_ms

from .channels.base import HEARTBEAT
from .lease import Lease, LeaseLostError
from .metrics import REGISTRY

log = structlog.get_logger(__name__)

LOOKED_MS: Final = 60_000
"""An evaluation older than this is none [ms]."""
SENT: Final = Gauge("parkcarbon_alerts_heartbeat_seconds", "When the last heartbeat was handed over", registry=REGISTRY)


@dataclass(frozen=True, slots=True)
class Beating:
    """What a heartbeat needs.

    Attributes:
        channel: where it goes, as in `PARKCARBON_ALARM_CHANNEL_<NAME>`.
        looked_ms: when parks were last looked at and decided [ms UTC]; None: not yet.
        readings_ms: no heartbeat when no reading was committed for so long [ms]; None: it tells of the evaluator alone.
    """

    channel: str
    looked_ms: Callable[[], int | None]
    readings_ms: int | None = None


class DeadMan:
    """Lets heartbeats through.

    Args:
        lease: of this evaluator.
        clock: time.
        beating: what a heartbeat needs.
    """

    def __init__(self, lease: Lease, clock: Clock, beating: Beating) -> None:
        self._lease = lease
        self._clock = clock
        self._beating = beating

    async def run(self, database: Database) -> None:
        """A heartbeat at each full minute, until cancelled."""
        while True:
            try:
                missing = await self.beat(database)
            except DatabaseError as error:
                missing = str(error)
            if missing and self._lease.epoch is not None:
                log.warning("heartbeat.missing", reason=missing)
            await self._clock.sleep((EVERY_MS - self._clock.now_ms() % EVERY_MS) / 1000)

    async def beat(self, database: Database) -> str:
        """Put the heartbeat of this minute into the outbox.

        Returns:
            Why there is none; empty: it is there.
        """
        now_ms = self._clock.now_ms()
        looked_ms = self._beating.looked_ms()
        if looked_ms is None or now_ms - looked_ms > LOOKED_MS:
            return "no park was looked at within a minute"
        try:
            async with database.transaction() as session:
                await self._lease.hold(session)
                ground = await session.fetchrow(QUERIES["heartbeat_ground"])
                if ground is None or ground["park_id"] is None:
                    return "there is no park"
                if ground["sent_at"] is not None:
                    SENT.set(to_ms(ground["sent_at"]) / 1000)
                if missing := self._no_readings(ground, now_ms):
                    return missing
                message = heartbeat(self._beating.channel, ground, now_ms)
                await session.execute(QUERIES["heartbeat_clear"], message.key)
                await put_messages(session, ground["park_id"], [message])
        except LeaseLostError:
            return "another evaluator decides"
        return ""

    def _no_readings(self, ground: Row, now_ms: int) -> str:
        longest_ms, at = self._beating.readings_ms, ground["committed_at"]
        if longest_ms is None or (at is not None and now_ms - to_ms(at) <= longest_ms):
            return ""
        return f"no reading was committed for {longest_ms / 1000:g} s"


def heartbeat(channel: str, ground: Row, now_ms: int) -> Outgoing:
    """The heartbeat of a minute; its key is the minute, so that two evaluators make the same."""
    minute_ms = now_ms - now_ms % EVERY_MS
    committed = ground["committed_at"]
    newest = "–" if committed is None else f"{committed:%Y-%m-%d %H:%M:%S} UTC"
    at = f"{from_ms(minute_ms):%Y-%m-%d %H:%M} UTC"
    body = (
        f"告警系统运行正常。最新入库：{newest}。未送达消息：{ground['waiting']}，已放弃：{ground['dead']}。"
        f"超过 {ABSENT_AFTER_MS // 60_000} 分钟收不到本消息即为故障。\n"
        f"Alarms are being evaluated. Newest commit: {newest}. Messages waiting: {ground['waiting']}, given up: "
        f"{ground['dead']}. No such message for {ABSENT_AFTER_MS // 60_000} minutes is a failure."
    )
    details = {
        "v": 1,
        "why": HEARTBEAT,
        "at_ms": minute_ms,
        "absent_after_ms": ABSENT_AFTER_MS,
        "committed_ms": None if committed is None else to_ms(committed),
        "waiting": ground["waiting"],
        "dead": ground["dead"],
    }
    subject = f"ParkCarbon 心跳 heartbeat {at}"
    return Outgoing(
        f"heartbeat-{minute_ms}", "heartbeat", channel, HEARTBEAT, "low", (), subject, body, details, now_ms
    )
