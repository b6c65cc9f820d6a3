"""A park whose months can be stated: settings that wait for things, a key, a process without its loop.

desk = await open_desk(url)                    # the park of books_park, March and April 2025
made = await desk.prepare()                    # by the energy manager
done = await desk.approved(made)               # by the reviewer
await desk.issue(done)
"""

import datetime as dt
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from parkcarbon.kit.db import Database, Session
from parkcarbon.statement.lifecycle import store, tasks
from parkcarbon.statement.lifecycle.acts import Verb, act
from parkcarbon.statement.lifecycle.due import Month
from parkcarbon.statement.lifecycle.issue import ATTACHED, Files, issue
from parkcarbon.statement.lifecycle.prepare import Wanted, missing_now, prepare, settle
from parkcarbon.statement.lifecycle.reissue import reissue
from parkcarbon.statement.lifecycle.signer import KeySigner, Signer
from parkcarbon.statement.lifecycle.store import Statement
from parkcarbon.statement.record import Kind, Missing, Record, encode
from parkcarbon.statement.sign.keys import SigningKey, make_key

from .api_park import PARK
from .books_park import RECORDED, write_books_park

MANAGER, REVIEWER, SECOND = "energy manager", "reviewer", "second reviewer"
PERIOD = "2025-03"


@cache
def signing_key() -> SigningKey:
    """One key a session: making one takes a moment."""
    return make_key("test", now=dt.datetime(2025, 1, 1, tzinfo=dt.UTC))


def plain_files(record: Record, signer: Signer, at: dt.datetime) -> Files:
    """Files without drawing a page, for tests that look at the life of a statement and not at its looks."""
    body = encode(record)
    files: Files = {"json": ("application/json", body), "sig": ("application/json", signer.json(body))}
    for language in ("zh", "en", "both"):
        files[f"{language}.pdf"] = ("application/pdf", b"%PDF-1.7 " + language.encode() + b" " + ATTACHED[0].encode())
    return files


@dataclass
class Clock:
    """A time that is moved by hand."""

    at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1))

    def now(self) -> dt.datetime:
        """Where it stands."""
        return self.at


@dataclass
class Desk:
    """The park, what acts on it, and the clock they go by."""

    database: Database
    clock: Clock = field(default_factory=Clock)

    @property
    def tools(self) -> tasks.Tools:
        """What a worker has at hand."""
        return tasks.Tools(self.database, KeySigner(signing_key()), self.clock.now, plain_files)

    async def settings(self, **statement: Any) -> None:
        """Let the park document say something of statements, as it always did."""
        async with self.database.transaction() as session:
            await session.execute("alter table park_revision disable trigger user")
            for table in ("park", "park_revision"):
                await session.execute(
                    f"update {table} set document = document || $1::jsonb",  # noqa: S608 - ours
                    json.dumps({"statement": statement}, default=str),
                )
            await session.execute("alter table park_revision enable trigger user")

    async def known_since(self, moment: dt.datetime) -> None:
        """When the park was entered: the scheduler looks after what ends later."""
        async with self.database.transaction() as session:
            await session.execute("alter table park_revision disable trigger user")
            await session.execute("update park_revision set recorded_at = $1", moment)
            await session.execute("alter table park_revision enable trigger user")

    async def prepare(
        self, period: str = PERIOD, *, kind: Kind = "statement", person: str = MANAGER, reason: str = ""
    ) -> Statement:
        """Freeze one."""
        wanted = Wanted(park=PARK, period=period, kind=kind, person=person, reason=reason)
        as_of = await settle(self.database, now=self.clock.now())
        async with self.database.transaction() as session:
            return await prepare(self.database, session, wanted, as_of=as_of, now=self.clock.now())

    async def act(
        self, statement: Statement, verb: Verb, person: str, comment: str = "", digest: str = ""
    ) -> Statement:
        """Do something with it."""
        async with self.database.transaction() as session:
            return await act(session, statement, verb, person=person, comment=comment, digest=digest)

    async def issue(self, statement: Statement, recipients: tuple[str, ...] = ()) -> Statement:
        """Sign and archive it."""
        async with self.database.transaction() as session:
            signer = KeySigner(signing_key())
            return await issue(session, statement, signer, recipients=recipients, render=plain_files)

    async def issued(self, period: str = PERIOD, **more: Any) -> Statement:
        """Prepared by one, approved by another, issued."""
        made = await self.prepare(period, **more)
        return await self.issue(await self.act(made, "approve", REVIEWER))

    async def reissue(self, before: Statement, reason: str) -> tuple[Statement, list[str]]:
        """The next version, and the figures that are others in it."""
        as_of = await settle(self.database, now=self.clock.now())
        async with self.database.transaction() as session:
            made, changes = await reissue(
                self.database, session, before, person=MANAGER, reason=reason, as_of=as_of, now=self.clock.now()
            )
        return made, [change.figure for change in changes]

    async def record(self, statement: Statement) -> Record:
        """Its record as it stands."""
        async with self.database.session() as session:
            return await store.record_of(session, statement)

    async def all(self, **which: Any) -> list[Statement]:
        """Every statement."""
        async with self.database.session() as session:
            return await store.listed(session, PARK, **which)

    async def months(self, *names: str) -> list[Month]:
        """What the scheduler sees of some months; of `PERIOD` where none is named."""

        async def missing(session: Session, park: str, period: str) -> tuple[Missing, ...]:
            return await missing_now(session, park, period, now=self.clock.now())

        async with self.database.session() as session:
            [plan] = await tasks.parks(session, PARK)
            return await tasks.months_named(session, plan, names or (PERIOD,), self.clock.now().date(), missing)

    async def look(self) -> int:
        """What the scheduler does when it looks: rows of what is due."""
        async with self.database.transaction() as session:
            [plan] = await tasks.parks(session, PARK)
            found = await tasks.plan_park(session, plan, now=self.clock.now())
            return await tasks.enter(session, PARK, found, now=self.clock.now())

    async def work(self) -> list[str]:
        """Everything that may be done now."""
        done = []
        while (outcome := await tasks.take_one(self.database, self.tools)) is not None:
            done.append(outcome)
        return done


@asynccontextmanager
async def open_desk(url: str) -> AsyncIterator[Desk]:
    """The park of `books_park` with a desk on it; its months are settled at once."""
    await write_books_park(url)
    async with await Database.connect(url, max_size=6) as database:
        yield Desk(database)


__all__ = [
    "MANAGER",
    "PARK",
    "PERIOD",
    "RECORDED",
    "REVIEWER",
    "SECOND",
    "Desk",
    "open_desk",
    "plain_files",
    "signing_key",
]
