"""Routes that show statements: the list, one, its record, its files, what is missing, what is due."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.accounts.deps import READ_ERRORS, BooksDep
from api.deps import SIGNED_IN, tagged_bytes
from parkcarbon.books.amounts import PERIOD
from parkcarbon.statement.lifecycle import store, tasks
from parkcarbon.statement.lifecycle.diff import compared
from parkcarbon.statement.lifecycle.issue import file_name
from parkcarbon.statement.lifecycle.prepare import missing_now
from parkcarbon.statement.record import encode

from .models import (
    MissingItems,
    Statement,
    StatementDifference,
    StatementId,
    StatementRecord,
    Statements,
    StatementsQuery,
    StatementTasks,
)

router = APIRouter(prefix="/api/v1/parks/{park}/statements", tags=["statements"], dependencies=SIGNED_IN)

_FILES: Final = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


@router.get("", summary="Every statement", responses=READ_ERRORS)
async def statements(books: BooksDep, wanted: Annotated[StatementsQuery, Query()]) -> Statements:
    """Give statements with their state, acts and files, the newest period first."""
    async with books.reading() as session:
        found = await store.listed(session, books.park, period=wanted.period, kind=wanted.kind, limit=wanted.limit)
    return Statements(statements=[Statement.model_validate(item.document()) for item in found])


@router.get("/missing", summary="What a month waits for", responses=READ_ERRORS)
async def missing(
    books: BooksDep, period: Annotated[str, Query(pattern=PERIOD, description="Month or year", examples=["2026-10"])]
) -> MissingItems:
    """Give what is not there yet, who owes it, and until when; as known a minute ago."""
    async with books.reading() as session:
        found = await missing_now(session, books.park, period, now=books.now())
    return MissingItems.model_validate({"period": period, "missing": msgspec.to_builtins(found)})


@router.get("/tasks", summary="What the scheduler has to do", responses=READ_ERRORS)
async def waiting(
    books: BooksDep, *, done: Annotated[bool, Query(description="What was done too")] = False
) -> StatementTasks:
    """Give tasks with the error of their last attempt, and doubts about the working days."""
    async with books.reading() as session:
        found = await tasks.listed(session, books.park, done=done)
        mails = await tasks.mails(session, books.park, sent=done)
        [plan] = await tasks.parks(session, books.park)
    warnings = tasks.warnings_of(plan, books.now().astimezone(plan.zone).date())
    return StatementTasks.model_validate({"tasks": found, "mails": mails, "warnings": warnings})


@router.get("/{statement}", summary="One statement", responses=READ_ERRORS)
async def statement(books: BooksDep, statement: StatementId) -> Statement:
    """Give a statement as it stands."""
    async with books.reading() as session:
        found = await store.one(session, statement, books.park)
    return Statement.model_validate(found.document())


@router.get("/{statement}/record", response_model=StatementRecord, summary="Its record", responses=READ_ERRORS)
async def record(books: BooksDep, statement: StatementId, request: Request) -> Response:
    """Give every figure and page as canonical JSON; of an issued statement these are the signed bytes."""
    async with books.reading() as session:
        found = await store.one(session, statement, books.park)
        if found.issued_at is not None:
            _, body = await store.file_of(session, statement, store.JSON_FILE)
        else:
            body = encode(await store.record_of(session, found))
    return tagged_bytes(request, body, body)


@router.get("/{statement}/difference", summary="Against another version", responses=READ_ERRORS)
async def difference(
    books: BooksDep,
    statement: StatementId,
    before: Annotated[int, Query(ge=1, le=2**63 - 1, description="The other statement, the earlier")],
) -> StatementDifference:
    """Compare two statements of the park figure by figure, exact values."""
    async with books.reading() as session:
        sides = [await store.one(session, number, books.park) for number in (before, statement)]
        left, right = [await store.record_of(session, side) for side in sides]
    return StatementDifference.model_validate(compared(sides[0], left, sides[1], right))


@router.get(
    "/{statement}/files/{name}",
    summary="Download an issued file",
    response_class=Response,
    responses={**READ_ERRORS, 200: _FILES},
)
async def file(
    books: BooksDep,
    statement: StatementId,
    name: Annotated[str, Path(pattern=r"^[a-z][a-z0-9.]{1,40}$", examples=["zh.pdf", "xlsx", "json"])],
    request: Request,
) -> Response:
    """Give the bytes that were archived when it was issued; they never change."""
    async with books.reading() as session:
        found = await store.one(session, statement, books.park)
        filed, body = await store.file_of(session, statement, name)
    etag = f'"{filed.digest}"'
    headers = {"ETag": etag, "Cache-Control": "private, max-age=86400, immutable", "Vary": "Authorization, Cookie"}
    if etag in {item.strip() for item in request.headers.get("if-none-match", "").split(",")}:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{file_name(found, name)}"'
    return Response(body, media_type=filed.media, headers=headers)
