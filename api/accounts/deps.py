"""What the routes of the books ask for: a park that the caller may read, a transaction, a person who may write.

    @router.get("/things")
    async def things(books: BooksDep) -> list[Thing]:
        async with books.reading() as session:
            ...

    @router.post("/things", status_code=201)
    async def enter(books: BooksDep, editor: Editor, wanted: NewThing) -> Thing:
        async with books.writing() as session:
            ... author=editor.person

`books.park` is the park of the path. A `RefusedError` becomes 422 with the rule's number, a plain `LookupError` 404. A
token of role `wall` opens no route of the books; an auditor reads all of them and writes nothing.
"""

import datetime as dt
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Final

import structlog
from fastapi import Depends, Request

from api.auth import Principal, Role
from api.core import Core
from api.deps import Caller, CoreDep, ParkDep
from api.problems import ProblemError, describe
from api.store import QUERIES
from parkcarbon.books.inventory import refuse_unsettled
from parkcarbon.books.refusals import refusals
from parkcarbon.kit.db import RejectedError, Session, from_ms

log = structlog.get_logger(__name__)

EDITORS: Final[frozenset[Role]] = frozenset({"admin", "editor", "approver"})
APPROVERS: Final[frozenset[Role]] = frozenset({"admin", "approver"})

READ_ERRORS: Final = describe(401, 403, 404, 422, 500, 503)
"""What OpenAPI says of a route that reads the books."""

WRITE_ERRORS: Final = describe(401, 403, 404, 413, 422, 500, 503)
"""What OpenAPI says of a route that enters something."""


@dataclass(frozen=True, slots=True)
class Books:
    """The books of one park, for one request."""

    park: str
    core: Core
    principal: Principal

    def now(self) -> dt.datetime:
        """Time of now by the clock of the process, aware."""
        return from_ms(self.core.clock.now_ms())

    def known_by(self, as_of: dt.datetime | None, always: dt.datetime) -> dt.datetime:
        """The moment of knowledge that was asked for, `always` where none was.

        Raises:
            RefusedError: it is newer than a minute ago.
        """
        if as_of is None:
            return always
        refuse_unsettled(self.now(), as_of)
        return as_of

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Session]:
        """A read-only transaction that sees one moment of the database throughout."""
        async with self.core.store.database.transaction() as session:
            await session.execute(QUERIES["one_snapshot"])
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Session]:
        """A transaction that may write; what a trigger refuses by a rule comes out as `RefusedError`.

        Raises:
            ProblemError: 422, a value cannot be kept as it is: a text with NUL, a number out of range.
        """
        try:
            with refusals():
                async with self.core.store.writer.transaction() as session:
                    yield session
        except RejectedError as error:
            if error.sqlstate and not error.by_data:
                raise
            log.warning("api.value_rejected", park=self.park, error=str(error))
            raise ProblemError(422, f"a value of the request cannot be kept: {error}") from error


async def books_of(core: CoreDep, park: ParkDep, principal: Caller, request: Request) -> Books:
    """The books of the park in the path.

    Raises:
        ProblemError: 403, a wall display may not read the books; 422, the body holds what is no text.
    """
    if principal.role == "wall":
        raise ProblemError(403, "a token for wall displays does not open the books")
    if request.method != "GET":
        refuse_no_text(await request.body())
    return Books(park.park, core, principal)


def refuse_no_text(body: bytes) -> None:
    """Refuse what JSON can write and neither UTF-8 nor the database can keep: NUL, and half a character.

    Raises:
        ProblemError: 422.
    """
    if b"\\u" not in body:
        return
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError as error:
        raise ProblemError(422, "a text of the body holds half a character (a lone surrogate)") from error
    except ValueError:
        return  # no JSON: the route says so itself
    if "\\u0000" in text:
        raise ProblemError(422, "a text of the body holds the character NUL")


def editor(principal: Caller) -> Principal:
    """Who may enter.

    Raises:
        ProblemError: 403, the role does not allow it or the token names no person.
    """
    return _allowed(principal, EDITORS, "enter")


def approver(principal: Caller) -> Principal:
    """Who may approve what another person entered.

    Raises:
        ProblemError: 403, the role does not allow it or the token names no person.
    """
    return _allowed(principal, APPROVERS, "approve")


def _allowed(principal: Principal, roles: frozenset[Role], what: str) -> Principal:
    if principal.role not in roles:
        raise ProblemError(403, f"a token of role {principal.role} may not {what}; {', '.join(sorted(roles))} may")
    if not principal.person:
        raise ProblemError(403, f"this token names no person, so nobody could be told from the one who may {what}")
    return principal


BooksDep = Annotated[Books, Depends(books_of)]
Editor = Annotated[Principal, Depends(editor)]
Approver = Annotated[Principal, Depends(approver)]
