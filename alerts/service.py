"""The composition root of `python -m alerts run`: lease, evaluator, late readings, outbox, heartbeat in one task group.

Any number may run: one holds the lease and decides, the others wait for it; all of them send.
"""

import asyncio
import contextlib
import random
from typing import Final

import structlog

from parkcarbon.alarm.store import QUERIES
from parkcarbon.kit.backoff import Backoff
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import Database, DatabaseError, from_ms
from parkcarbon.kit.dbwait import connect_when_up, refusal_shown
from parkcarbon.kit.service import Work, serve, within

from . import metrics
from .config import Config
from .deadman import Beating, DeadMan
from .evaluate import Away, ParkEvaluator
from .lease import Lease, LeaseLostError
from .outbox import ChannelsOf, Outbox
from .past import Late

log = structlog.get_logger(__name__)

CONNECTIONS: Final = 10
LIVE: Final = "parkcarbon_live"
CHANGED: Final = ("parkcarbon_alarm", "parkcarbon_config")
MESSAGE: Final = "parkcarbon_alarm_message"
PARKS_MS: Final = 60_000
"""So often parks with rules are looked for [ms]."""
LEAST_S: Final = 0.05
"""Pause between two looks [s]: what came meanwhile is judged together."""
PAST_S: Final = 5.0
COUNT_S: Final = 15.0


class Service:
    """A running alerts process.

    Args:
        config: settings.
        clock: time.
        rng: jitter of waiting times.
        channels: where messages go.
    """

    def __init__(self, config: Config, clock: Clock, rng: random.Random, channels: ChannelsOf) -> None:
        self._config = config
        self._clock = clock
        self._rng = rng
        self._channels = channels
        self.lease = Lease(config.alerts_lease_s)
        self._away = Away(None, 0)
        self._parks: dict[str, ParkEvaluator] = {}
        self._late: dict[str, Late] = {}
        self._found_ms: int | None = None
        self._looked_ms: int | None = None
        self._dirty: set[str] = set()
        self._wake = asyncio.Event()
        self._outbox: Outbox | None = None

    async def run(self) -> None:
        """Look, decide, tell until cancelled."""
        config = self._config
        if config.alerts_metrics_port is not None:
            metrics.serve(config.alerts_metrics_port)
        async with await self._connect() as database:
            outbox = self._outbox = Outbox(
                database, self._channels, self._clock, self._rng, send_s=config.alerts_send_s
            )
            services: dict[str, Work] = {
                "lease": lambda: self._keep(database),
                "evaluate": lambda: self._evaluate(database),
                "past": lambda: self._judge_past(database),
                "listen": lambda: self._listen(database),
                "outbox": outbox.run,
                "count": lambda: self._count(database),
            }
            if config.alerts_heartbeat_channel:
                readings_s = config.alerts_heartbeat_readings_s
                readings_ms = None if readings_s is None else round(readings_s * 1000)
                beating = Beating(config.alerts_heartbeat_channel, lambda: self._looked_ms, readings_ms)
                dead_man = DeadMan(self.lease, self._clock, beating)
                services["heartbeat"] = lambda: dead_man.run(database)
            try:
                await serve(services)
            finally:
                with contextlib.suppress(DatabaseError):
                    await self.lease.release(database)

    # ── who decides ──────────────────────────────────────────────────────────────────────────────

    async def _keep(self, database: Database) -> None:
        while True:
            async with refusal_shown("lease"):
                await self.take(database)
            await self._clock.sleep(self._config.alerts_lease_s / 3)

    async def take(self, database: Database) -> None:
        """Renew the lease, or take it; what was remembered before it was taken is forgotten."""
        taken = await self.lease.keep(database)
        if taken is not None:
            self._away = Away(taken.alive_ms, taken.now_ms)
            self._late = {}
            self._parks = {}
            self._found_ms = None
            self._wake.set()
        metrics.EPOCH.set(self.lease.epoch or 0)

    # ── what is decided ──────────────────────────────────────────────────────────────────────────

    async def _evaluate(self, database: Database) -> None:
        while True:
            await within(self._config.alerts_tick_s, self._wake.wait())
            self._wake.clear()
            if self.lease.epoch is not None:
                tick_ms = 1000 * self._config.alerts_tick_s
                everyone = self._looked_ms is None or self._clock.now_ms() - self._looked_ms >= tick_ms
                await self.look(database, everyone=everyone)
            await self._clock.sleep(LEAST_S)

    async def look(self, database: Database, *, everyone: bool = True) -> int:
        """Look at parks with news, or at every park; return how many messages were put into the outbox."""
        sent = 0
        async with refusal_shown("parks"):
            everyone = await self._find(database) or everyone
        dirty, self._dirty = self._dirty, set()
        for park, evaluator in list(self._parks.items()):
            if not (everyone or park in dirty or "" in dirty):
                continue
            try:
                async with refusal_shown("look"):
                    sent += await evaluator.look(database)
            except LeaseLostError as error:
                metrics.REFUSED.inc()
                log.warning("look.refused", park=park, reason=str(error))
                return sent
            except Exception:  # one park's fault is not another's
                metrics.FAILED.labels("park").inc()
                log.exception("look.failed", park=park)
        if sent and self._outbox is not None:
            self._outbox.wake("")
        if everyone:
            self._looked_ms = self._clock.now_ms()
            metrics.LOOKED.set(self._looked_ms / 1000)
        return sent

    async def _find(self, database: Database) -> bool:
        """Find parks with rules, now and then and when rules changed; True where it was done."""
        now_ms = self._clock.now_ms()
        if self._found_ms is not None and now_ms - self._found_ms < PARKS_MS:
            return False
        rows = await database.fetch(QUERIES["parks_watched"])
        self._found_ms = now_ms
        for row in rows:
            park = row["park_id"]
            if park not in self._parks:
                self._parks[park] = ParkEvaluator(
                    park, self.lease, self._clock, page_url=self._config.alerts_page_url, away=self._away
                )
        return True

    async def _judge_past(self, database: Database) -> None:
        while True:
            if self.lease.epoch is not None:
                try:
                    async with refusal_shown("past"):
                        await self.judge_past(database)
                except LeaseLostError as error:
                    log.warning("past.refused", reason=str(error))
            await self._clock.sleep(PAST_S)

    async def judge_past(self, database: Database) -> int:
        """Judge what came late, and the time in which nobody looked; return how many alarms were entered."""
        entered = 0
        for park, evaluator in list(self._parks.items()):
            past = evaluator.past
            if past is None:
                continue
            known = self._late.get(park)
            if known is None:
                begin_ms = self._away.now_ms if self._away.alive_ms is None else self._away.floor_ms
                known = self._late[park] = Late(from_ms(begin_ms))
            missed = evaluator.missed()
            async with database.session() as session:
                stretches = await known.find(session, park)
            for stretch in [*([missed] if missed else []), *stretches]:
                entered += await past.judge(database, self.lease, stretch, self._clock.now_ms())
        return entered

    # ── who is heard ─────────────────────────────────────────────────────────────────────────────

    async def _listen(self, database: Database) -> None:
        async for heard in database.listen(LIVE, *CHANGED, MESSAGE):
            self.hear(heard.channel, heard.payload)

    def hear(self, channel: str, payload: str) -> None:
        """Somebody committed something."""
        if channel == MESSAGE:
            if self._outbox is not None:
                self._outbox.wake(payload)
            return
        if channel in CHANGED:
            self._found_ms = None
            for park, evaluator in self._parks.items():
                if payload in ("", park):
                    evaluator.forget(park=channel != CHANGED[0])
        self._dirty.add(payload)
        self._wake.set()

    async def _count(self, database: Database) -> None:
        while True:
            async with refusal_shown("count"):
                messages = await database.fetch(QUERIES["messages_count"])
                alarms = await database.fetch(QUERIES["states_count"])
                metrics.MESSAGES.clear()
                for row in messages:
                    metrics.MESSAGES.labels(row["channel"], row["state"]).set(row["n"])
                metrics.ALARMS.clear()
                for row in alarms:
                    metrics.ALARMS.labels(row["phase"]).set(row["n"])
            await self._clock.sleep(COUNT_S)

    async def _connect(self) -> Database:
        backoff = Backoff(first_s=0.2, ceiling_s=10.0, rng=self._rng)
        url = self._config.database_url
        return await connect_when_up(url, max_size=CONNECTIONS, clock=self._clock, backoff=backoff)
