"""Signing in and out: a token buys a cookie, because an EventSource cannot send a header."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from .auth import COOKIE, COOKIE_MAX_AGE_S, COOKIE_PATH, Principal
from .deps import SIGNED_IN, Caller, CoreDep
from .problems import ProblemError, describe
from .schemas import Session, SessionRequest

router = APIRouter(prefix="/api/v1/session", tags=["session"])


def _session(principal: Principal) -> Session:
    return Session(label=principal.label, role=principal.role, person=principal.person, park=principal.park)


@router.post("", summary="Trade a token for the cookie", responses=describe(401, 403, 413, 422, 503))
async def sign_in(wanted: SessionRequest, request: Request, response: Response, core: CoreDep) -> Session:
    """Set `parkcarbon_session`: HttpOnly, SameSite=Strict, Secure over TLS."""
    principal = await core.authenticator.principal(wanted.token)
    if principal is None:
        raise ProblemError(401, "the token is not known or has been revoked")
    response.set_cookie(
        COOKIE,
        principal.token,
        max_age=COOKIE_MAX_AGE_S,
        path=COOKIE_PATH,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return _session(principal)


@router.get("", summary="Who is signed in", dependencies=SIGNED_IN, responses=describe(401, 503))
async def who(principal: Caller) -> Session:
    """Tell the caller what the token allows."""
    return _session(principal)


@router.delete("", status_code=204, summary="Sign out", responses=describe(403))
async def sign_out(request: Request) -> Response:
    """Take the cookie back; the token stays valid until it is revoked."""
    response = Response(status_code=204)
    response.delete_cookie(
        COOKIE, path=COOKIE_PATH, secure=request.url.scheme == "https", httponly=True, samesite="strict"
    )
    return response
