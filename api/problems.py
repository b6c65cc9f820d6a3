"""Errors as `application/problem+json`: one shape for every refusal, never a stack trace.

References:
    RFC 9457, Problem Details for HTTP APIs.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import DatabaseError, UnavailableError

from .schemas import Problem

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_S = "2"


class ProblemError(Exception):
    """A request that cannot be answered; `status` and `detail` go to the caller."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def problem(
    status: int,
    detail: str | None = None,
    *,
    rule: str | None = None,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the response for an error."""
    title = HTTPStatus(status).phrase
    said = None if detail is None else _printable(detail)
    where = errors and [{name: _printable(text) for name, text in error.items()} for error in errors]
    body = Problem(type="about:blank", title=title, status=status, detail=said, rule=rule, errors=where)
    return Response(
        orjson.dumps(body.model_dump(exclude_none=True)),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def _printable(text: str) -> str:
    """A text without half characters: JSON may name a lone surrogate, UTF-8 cannot."""
    return text.encode("utf-8", "backslashreplace").decode()


def unauthorized(detail: str) -> Response:
    """Return 401 with the scheme that would be accepted."""
    return problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="parkcarbon"'})


def describe(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says about these statuses of a route."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Answer every error of this application as a problem."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(DatabaseError, _on_database)
    app.add_exception_handler(RefusedError, _on_refused)
    app.add_exception_handler(LookupError, _on_absent)
    app.add_exception_handler(Exception, _on_fault)


async def _on_problem(_: Request, error: Exception) -> Response:
    known = cast("ProblemError", error)
    return problem(known.status, known.detail, headers=known.headers)


async def _on_http(_: Request, error: Exception) -> Response:
    known = cast("HTTPException", error)
    detail = None if known.detail == HTTPStatus(known.status_code).phrase else known.detail
    return problem(known.status_code, detail, headers=known.headers)


async def _on_invalid(_: Request, error: Exception) -> Response:
    known = cast("RequestValidationError", error)
    found = [
        {"where": ".".join(str(part) for part in item["loc"]), "message": str(item["msg"])} for item in known.errors()
    ]
    return problem(422, "some parameters are not valid", errors=found)


async def _on_refused(_: Request, error: Exception) -> Response:
    known = cast("RefusedError", error)
    return problem(422, str(known), rule=known.rule or None)


async def _on_absent(request: Request, error: Exception) -> Response:
    if type(error) is not LookupError:  # a KeyError or IndexError is a fault of ours, not an absent thing
        return await _on_fault(request, error)
    return problem(404, str(error))


async def _on_database(request: Request, error: Exception) -> Response:
    if isinstance(error, UnavailableError):
        log.warning("api.database_unavailable", path=request.url.path, error=str(error))
        return problem(503, "the database does not answer in time", headers={"Retry-After": _RETRY_AFTER_S})
    log.error("api.statement_rejected", path=request.url.path, error=str(error))
    return problem(500, "the request could not be answered; the server's log says why")


async def _on_fault(request: Request, error: Exception) -> Response:
    log.error("api.fault", path=request.url.path, error=repr(error))
    return problem(500, "the request could not be answered; the server's log says why")
