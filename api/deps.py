"""What routes ask for: the core, the caller, the park in the path."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, cast

from fastapi import Depends, Path, Request
from fastapi.security import APIKeyCookie, HTTPBearer
from pydantic import BaseModel
from starlette.responses import Response

from parkcarbon.live.model import ParkModel

from .auth import COOKIE, Principal
from .core import Core
from .problems import ProblemError

SLUG = r"^[a-z0-9][a-z0-9_-]{0,62}$"


def core_of(request: Request) -> Core:
    """The parts of this application."""
    return cast("Core", request.app.state.core)


def caller(request: Request) -> Principal:
    """Who is asking; the middleware has let nobody else through.

    Raises:
        ProblemError: 401, a route was reached without signing in.
    """
    principal = getattr(request.state, "principal", None)
    if not isinstance(principal, Principal):
        raise ProblemError(401, "a bearer token or the session cookie is needed")
    return principal


SIGNED_IN = [
    Depends(HTTPBearer(auto_error=False, description="A token made by `python -m ingest token create`")),
    Depends(APIKeyCookie(name=COOKIE, auto_error=False, description="Bought with POST /api/v1/session")),
]
"""What OpenAPI says of a closed route; the middleware has decided before."""

CoreDep = Annotated[Core, Depends(core_of)]
Caller = Annotated[Principal, Depends(caller)]


async def park_of(
    core: CoreDep,
    principal: Caller,
    park: Annotated[str, Path(pattern=SLUG, description="Park, as `/parks` lists it", examples=["demo"])],
) -> ParkModel:
    """The park of the path.

    Raises:
        ProblemError: 403 outside the token's scope, whether it exists or not; 404 when there is no such park.
    """
    if not principal.may_see(park):
        raise ProblemError(403, f"this token does not open the park {park}")
    model = await core.models.get(park)
    if model is None:
        raise ProblemError(404, f"there is no park {park}")
    return model


ParkDep = Annotated[ParkModel, Depends(park_of)]


def tagged(request: Request, answer: BaseModel, *, ignoring: set[str] | None = None) -> Response:
    """Return an answer with its ETag, or 304 when the caller has it already.

    Args:
        request: for `If-None-Match`.
        answer: the model.
        ignoring: top-level members that do not make the answer another one.
    """
    body = answer.model_dump_json(by_alias=True).encode()
    marked = answer.model_dump_json(by_alias=True, exclude=ignoring).encode() if ignoring else body
    return tagged_bytes(request, body, marked)


def tagged_bytes(request: Request, body: bytes, marked: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """Return JSON with its ETag, or 304 when the caller has it already.

    Args:
        request: for `If-None-Match`.
        body: the answer.
        marked: the part of it that makes it another one.
        headers: more of them.
    """
    etag = f'W/"{hashlib.sha256(marked).hexdigest()[:32]}"'
    common = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie", **(headers or {})}
    known = {item.strip() for item in request.headers.get("if-none-match", "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=common)
    return Response(body, media_type="application/json", headers=common)
