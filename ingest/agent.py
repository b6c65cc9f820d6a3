"""The composition root of `python -m ingest run`: everything is built here, inside one task group."""

import asyncio
import random
import secrets
from collections.abc import Sequence

import structlog

from parkcarbon.kit.backoff import Backoff
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import Database, DatabaseError, from_ms
from parkcarbon.kit.dbwait import connect_when_up
from parkcarbon.kit.mqtt import Broker, Mqtt
from parkcarbon.kit.service import serve

from . import metrics
from .config import Config, ConfigError
from .group import Group
from .pool import Batch, Outcome, Writer
from .queries import QUERIES
from .receiver import Backlogs, Receiver
from .recompute import Recomputer
from .release import release

log = structlog.get_logger(__name__)

CONNECTIONS = 6  # pool, recompute, two months priced anew, status and dead letters, release

ANSWERS_WAITING = 8
"""Pools whose receipts are not sent yet; beyond it the next pool waits."""


class Agent:
    """A running ingest worker."""

    def __init__(self, config: Config, clock: Clock, rng: random.Random) -> None:
        if config.broker_url is None:
            raise ConfigError("PARKCARBON_BROKER_URL is not set (mqtt://host:port)")
        self._config = config
        self._broker = Broker.from_url(config.broker_url, ca_file=config.broker_ca)
        self._clock = clock
        self._rng = rng

    async def run(self) -> None:
        """Receive, commit and answer until cancelled."""
        if self._config.metrics_port is not None:
            metrics.serve(self._config.metrics_port)
        async with await self._connect() as database:
            writer = Writer(database)
            mqtt = Mqtt(self._broker, client_id=f"ingest-{secrets.token_hex(4)}", clock=self._clock, rng=self._rng)
            backlogs = Backlogs()
            receiver = Receiver(mqtt, database, self._clock, self._backoff(), backlogs)
            recomputer = Recomputer(writer, self._clock)

            answers: asyncio.Queue[Sequence[tuple[Batch, Outcome]]] = asyncio.Queue(ANSWERS_WAITING)

            async def deliver() -> None:
                while True:
                    await receiver.deliver(await answers.get())
                    recomputer.wake.set()

            group = Group(writer, self._clock, self._backoff(), answers.put, backlogs.of)

            async def receive() -> None:
                await receiver.subscribe()
                await receiver.run(group, recomputer)

            await serve(
                {
                    "mqtt": mqtt.run,
                    "group": group.run,
                    "answers": deliver,
                    "recompute": recomputer.run,
                    "reprice": recomputer.repricer.run,
                    "config": lambda: self._follow_config(writer, recomputer),
                    "receiver": receive,
                }
            )

    def _backoff(self) -> Backoff:
        return Backoff(first_s=0.2, ceiling_s=10.0, rng=self._rng)

    async def _connect(self) -> Database:
        return await connect_when_up(
            self._config.database_url,
            max_size=CONNECTIONS,
            clock=self._clock,
            backoff=self._backoff(),
            setup=QUERIES["make_staging"],
        )

    async def _follow_config(self, writer: Writer, recomputer: Recomputer) -> None:
        """Store what waited for a change of the park model, at start and after each change."""
        async for _ in writer.database.listen("parkcarbon_config"):
            recomputer.wake.set()
            recomputer.repricer.wake.set()
            try:
                async with writer.database.session() as session:
                    parks = [row["park_id"] for row in await session.fetch(QUERIES["model_parks"])]
                for park in parks:
                    await release(writer, park, from_ms(self._clock.now_ms()))
            except DatabaseError as error:
                log.warning("release.failed", error=str(error))
