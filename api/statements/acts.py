"""Routes that do something with statements: prepare, comment, review, approve, reject, issue again, lock.

What is approved is signed and issued by the statements process: the key is not here.
"""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.accounts.deps import WRITE_ERRORS, Approver, BooksDep, Editor, approver
from api.deps import SIGNED_IN
from api.problems import problem
from parkcarbon.books.periods.closing import NotReadyError
from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.lifecycle.acts import act
from parkcarbon.statement.lifecycle.lock import lock
from parkcarbon.statement.lifecycle.prepare import Wanted, prepare, settle
from parkcarbon.statement.lifecycle.reissue import reissue

from .models import LockedMonth, Locking, NewAct, NewStatement, NewVersion, Reissued, Statement, StatementId

router = APIRouter(prefix="/api/v1/parks/{park}/statements", tags=["statements"], dependencies=SIGNED_IN)

_BY_APPROVERS = ("review", "approve")


@router.post("", status_code=201, summary="Prepare a statement", response_model=Statement, responses=WRITE_ERRORS)
async def prepared(books: BooksDep, editor: Editor, wanted: NewStatement) -> Any:
    """Freeze the statement of a period that is over; another person approves it."""
    order = Wanted(park=books.park, period=wanted.period, kind=wanted.kind, person=editor.person)
    as_of = await settle(books.core.store.writer, now=books.now())
    async with books.writing() as session:
        made = await prepare(books.core.store.database, session, order, as_of=as_of, now=books.now())
    return made.document()


@router.post("/{statement}/acts", summary="Comment, review, approve, reject", responses=WRITE_ERRORS)
async def acted(books: BooksDep, editor: Editor, statement: StatementId, wanted: NewAct) -> Statement:
    """Put a name to the content that was read; whoever prepared it neither reviews nor approves it."""
    if wanted.act in _BY_APPROVERS:
        approver(editor)
    async with books.writing() as session:
        found = await store.one(session, statement, books.park)
        done = await act(session, found, wanted.act, person=editor.person, comment=wanted.comment, digest=wanted.digest)
    return Statement.model_validate(done.document())


@router.post(
    "/{statement}/reissue", status_code=201, summary="Issue it again", response_model=Reissued, responses=WRITE_ERRORS
)
async def reissued(books: BooksDep, editor: Editor, statement: StatementId, wanted: NewVersion) -> Any:
    """Freeze the next version; it names this one, the reason, and every line that changed."""
    as_of = await settle(books.core.store.writer, now=books.now())
    async with books.writing() as session:
        before = await store.one(session, statement, books.park)
        made, changes = await reissue(
            books.core.store.database,
            session,
            before,
            person=editor.person,
            reason=wanted.reason,
            as_of=as_of,
            now=books.now(),
        )
    return made.document() | {"changes": [change.document() for change in changes]}


@router.post("/{statement}/lock", summary="Close its month", response_model=LockedMonth, responses=WRITE_ERRORS)
async def locked(books: BooksDep, approver: Approver, statement: StatementId, wanted: Locking) -> Any | Response:
    """Close the period of an issued statement, on the word of those who answer for it."""
    as_of = await settle(books.core.store.writer, now=books.now())
    try:
        async with books.writing() as session:
            found = await store.one(session, statement, books.park)
            done = await lock(
                books.core.store.database,
                session,
                found,
                as_of=as_of,
                now=books.now(),
                person=approver.person,
                reason=wanted.reason,
                override=wanted.override,
            )
    except NotReadyError as error:
        errors = [
            {"where": item.what, "message": item.message, "override": "no" if item.hard else "with a reason"}
            for item in error.obstacles
        ]
        return problem(422, str(error), rule=error.rule, errors=errors)
    return LockedMonth(period=done.period, version=done.version, digest=done.digest.hex(), as_of=done.as_of)
