"""The composition root of `python -m statements run`: scheduler, mail, sealer and anchors in one task group.

Nothing is remembered here: what is due follows from the database at each look, so a process that was down has missed
nothing, and of several workers each task is done by one.
"""

import asyncio
import datetime as dt
import random

import structlog

from parkcarbon.books.facts import QUERIES as BOOKS
from parkcarbon.kit.backoff import Backoff
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import Database, from_ms
from parkcarbon.kit.dbwait import connect_when_up, refusal_shown
from parkcarbon.kit.service import Work, serve, within
from parkcarbon.statement.lifecycle import tasks
from parkcarbon.statement.lifecycle.due import Due
from parkcarbon.statement.lifecycle.signer import Signer, load_signer, record_key
from parkcarbon.statement.lifecycle.store import QUERIES, SCHEDULER

from . import metrics
from .anchors.mail import Smtp
from .anchors.run import run_anchors
from .anchors.settings import AnchorSettings
from .config import Config
from .delivery import deliver_one
from .mail import Mailer
from .sealer import run_sealer

log = structlog.get_logger(__name__)

CONNECTIONS = 7  # a task with its snapshot and its seal, mail, the look, sealer, anchors
CHANNEL = "parkcarbon_statement"


class Service:
    """A running statements process.

    Args:
        config: settings.
        clock: time.
        rng: jitter of waiting times.
        anchors: where daily roots go.
    """

    def __init__(self, config: Config, clock: Clock, rng: random.Random, anchors: AnchorSettings | None = None) -> None:
        self._config = config
        self._clock = clock
        self._rng = rng
        self._wake = asyncio.Event()
        self._anchors = anchors
        smtp = config.smtp_url and Smtp.of(config.smtp_url, config.smtp_password, config.mail_from)
        self._mailer = Mailer(smtp) if smtp else None

    async def run(self) -> None:
        """Look, do, send, seal until cancelled."""
        if self._config.statements_metrics_port is not None:
            metrics.serve(self._config.statements_metrics_port)
        signer = await asyncio.to_thread(self._signer)
        async with await self._connect() as database:
            if signer is not None:
                async with database.transaction() as session:
                    await record_key(session, signer, person=SCHEDULER, reason="put into service")
            tools = tasks.Tools(database, signer, self.now)
            services: dict[str, Work] = {
                "look": lambda: self._look(database),
                "tasks": lambda: self._work(database, tools),
                "listen": lambda: self._listen(database),
                "sealer": lambda: run_sealer(database, self._clock),
            }
            if self._anchors is not None:
                settings = self._anchors
                services["anchors"] = lambda: run_anchors(database, self._clock, settings)
            if self._mailer is not None:
                services["mail"] = lambda: self._mail(database)
            else:
                log.warning("mail.waits", reason="PARKCARBON_SMTP_URL is not set")
            await serve(services)

    def now(self) -> dt.datetime:
        """Time of now."""
        return from_ms(self._clock.now_ms())

    async def look(self, database: Database) -> int:
        """Make rows of what is due in every park; return how many are new."""
        added = 0
        async with database.session() as session:
            plans = await tasks.parks(session)
        for plan in plans:
            for told in tasks.warnings_of(plan, self.now().astimezone(plan.zone).date()):
                log.warning("calendar.uncertain", park=plan.park, reason=told)
            try:
                added += await self._look_at(database, plan)
            except (LookupError, ValueError) as error:  # one park does not keep the others waiting
                log.warning("look.failed", park=plan.park, error=str(error))
        metrics.LOOKED.set(self._clock.now_ms() / 1000)
        return added

    async def _look_at(self, database: Database, plan: tasks.ParkPlan) -> int:
        async with database.transaction() as session:
            await session.execute(BOOKS["one_snapshot"])
            found = await tasks.plan_park(session, plan, now=self.now())
        if not found:
            return 0
        async with database.transaction() as session:
            return await tasks.enter(session, plan.park, found, now=self.now())

    async def _look(self, database: Database) -> None:
        while True:
            async with refusal_shown("look"):
                if added := await self.look(database):
                    log.info("look.found", tasks=added)
                    self._wake.set()
            await self._clock.sleep(self._config.statements_look_s)

    async def _work(self, database: Database, tools: tasks.Tools) -> None:
        while True:
            done = None
            async with refusal_shown("tasks"):
                await self._approved(database)
                done = await tasks.take_one(database, tools)
                if done is not None:
                    failed = " failed: " in done
                    metrics.TASKS.labels("failed" if failed else "done").inc()
                    (log.warning if failed else log.info)("task", outcome=done)
                await self._count(database)
            if done is None:
                await within(self._config.statements_tick_s, self._wake.wait())
                self._wake.clear()

    async def _approved(self, database: Database) -> None:
        """What was approved where no key was at hand, and flash reports of people, are issued at once."""
        async with database.transaction() as session:
            for row in await session.fetch(QUERIES["statements_to_issue"]):
                due = Due("issue", row["period"], self.now().date(), str(row["statement_id"]))
                await tasks.enter(session, row["park_id"], [due], now=self.now())

    async def _mail(self, database: Database) -> None:
        while True:
            sent = None
            async with refusal_shown("mail"):
                if self._mailer is not None and (sent := await deliver_one(database, self._mailer, self.now)):
                    failed = " failed: " in sent
                    metrics.MAILS.labels("failed" if failed else "sent").inc()
                    (log.warning if failed else log.info)("mail", outcome=sent)
            if sent is None:
                await self._clock.sleep(self._config.statements_tick_s)

    async def _listen(self, database: Database) -> None:
        async for _ in database.listen(CHANNEL):
            self._wake.set()

    async def _count(self, database: Database) -> None:
        for what in ("tasks", "deliveries"):
            row = await database.fetchrow(QUERIES[f"{what}_waiting"])
            for state in ("waiting", "failing"):
                metrics.WAITING.labels(what, state).set(0 if row is None else row[state])

    def _signer(self) -> Signer | None:
        if self._config.signing_key_file is None:
            log.warning("signing.waits", reason="PARKCARBON_SIGNING_KEY_FILE is not set")
            return None
        return load_signer(self._config.signing_key_file, self._config.tsa_url)

    async def _connect(self) -> Database:
        backoff = Backoff(first_s=0.2, ceiling_s=10.0, rng=self._rng)
        url = self._config.database_url
        return await connect_when_up(url, max_size=CONNECTIONS, clock=self._clock, backoff=backoff)
