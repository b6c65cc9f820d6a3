"""The parts of one running application and how they start and stop."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import Database, DatabaseError, UnavailableError, to_ms
from parkcarbon.kit.log import OutageLog, get

from .auth import Authenticator
from .hub import Hub
from .metrics import Metrics
from .models import Models
from .moment import Moments
from .now import describe
from .schemas import Now
from .settings import Settings
from .store import Store

LIVE_CHANNEL = "parkcarbon_live"
CONFIG_CHANNEL = "parkcarbon_config"
_RETRY_S = 1.0


@dataclass(frozen=True)
class Core:
    """Everything that a route may need."""

    settings: Settings
    clock: Clock
    store: Store
    models: Models
    metrics: Metrics
    authenticator: Authenticator
    moments: Moments
    hub: Hub

    @classmethod
    def build(cls, settings: Settings, clock: Clock) -> "Core":
        """Wire the parts together; nothing is connected yet."""
        store = Store()
        metrics = Metrics()
        models = Models(store, clock)
        moments = Moments(store, models, clock)

        async def compute(park: str) -> Now:
            return describe(await moments.current(park))

        return cls(
            settings=settings,
            clock=clock,
            store=store,
            models=models,
            metrics=metrics,
            authenticator=Authenticator(store, clock),
            moments=moments,
            hub=Hub(compute, clock, metrics, settings.max_streams),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connect in the background and listen until the end; an absent database is waited for."""
        tasks: list[asyncio.Task[None]] = []
        outage = OutageLog(get("api"), "database", self.clock)
        await self._try_connect(outage)
        tasks.append(asyncio.create_task(self._serve_database(outage), name="database"))
        try:
            yield
        finally:
            self.hub.close()
            for task in tasks:
                task.cancel()
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            await self._disconnect()

    async def _try_connect(self, outage: OutageLog) -> Database | None:
        settings = self.settings
        try:
            database = await Database.connect(settings.read_url, min_size=1, max_size=settings.pool_size)
            try:
                writer = await Database.connect(settings.write_url, min_size=0, max_size=settings.write_pool_size)
            except DatabaseError:
                await database.close()
                raise
        except DatabaseError as error:
            outage.down(error=str(error))
            return None
        outage.up()
        self.store.attach(database, writer)
        return database

    async def _disconnect(self) -> None:
        with contextlib.suppress(UnavailableError):
            pools = self.store.database, self.store.writer
            self.store.attach(None)
            for pool in pools:
                await pool.close()

    async def _serve_database(self, outage: OutageLog) -> None:
        while True:
            try:
                database: Database | None = self.store.database
            except UnavailableError:
                database = await self._try_connect(outage)
            if database is None:
                await self.clock.sleep(_RETRY_S)
                continue
            async for notification in database.listen(LIVE_CHANNEL, CONFIG_CHANNEL, retry_s=_RETRY_S):
                if notification.channel == CONFIG_CHANNEL:
                    self.models.forget(notification.payload)
                    self.moments.forget(notification.payload)
                self.hub.notify(notification.payload)

    def age_s(self, newest: dt.datetime | None) -> float | None:
        """Age of a reading [s]; never negative."""
        return None if newest is None else max(0.0, (self.clock.now_ms() - to_ms(newest)) / 1000)
