"""Who is asking: bearer token or the cookie it buys. Every path is closed unless it is on the open list.

Tokens are stored as their sha256; a revoked token is refused after at most `CACHE_S`.
"""

import hashlib
import hmac
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, cast

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import DatabaseError

from .problems import problem, unauthorized
from .store import Store

COOKIE = "parkcarbon_session"
COOKIE_PATH = "/api"
COOKIE_MAX_AGE_S = 400 * 86_400  # a wall display stays signed in until its token is revoked
CACHE_S = 2.0
_CACHE_SIZE = 1024
_TOKEN = re.compile(r"[\x21-\x7e]{8,200}")

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
OPEN_ROUTES = frozenset({("POST", "/api/v1/session"), ("DELETE", "/api/v1/session")})
METRICS_PATH = "/metrics"
API_PREFIX = "/api/"

Role = Literal["admin", "editor", "approver", "auditor", "viewer", "wall"]


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of a token.

    Attributes:
        token_id: row of `api_token`.
        label: what the token is called.
        role: what it allows.
        park: the one park it opens; None: every park.
        token: the token itself, to look at again while a stream is open.
        person: who acts with it; empty: nobody in particular, and then nothing can be entered with it.
    """

    token_id: int
    label: str
    role: Role
    park: str | None
    token: str
    person: str = ""

    def may_see(self, park: str) -> bool:
        """True when the token opens this park."""
        return self.park is None or self.park == park


class Authenticator:
    """Looks tokens up, remembering the good ones for `CACHE_S`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    async def principal(self, token: str) -> Principal | None:
        """Return who holds this token, or None when nobody does (any more).

        Raises:
            DatabaseError: the database could not be asked.
        """
        if _TOKEN.fullmatch(token) is None:
            return None
        digest = hashlib.sha256(token.encode()).digest()
        now = self._clock.monotonic()
        cached = self._known.get(digest)
        if cached is not None and now < cached[0]:
            return cached[1]
        self._known.pop(digest, None)
        row = await self._store.token(digest)
        if row is None or not hmac.compare_digest(bytes(row["digest"]), digest):
            return None
        role = cast("Role", row["role"])
        found = Principal(row["token_id"], row["label"], role, row["park_id"], token, row["person"])
        self._known[digest] = (now + CACHE_S, found)
        while len(self._known) > _CACHE_SIZE:
            self._known.popitem(last=False)
        return found


def presented(connection: HTTPConnection) -> str | None:
    """Return the token of a request: the `Authorization` header counts before the cookie."""
    header = connection.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    return connection.cookies.get(COOKIE)


def is_open(method: str, path: str) -> bool:
    """True for what anybody may ask for: health, signing in and out, and the files of the web app."""
    if path in OPEN_PATHS or (method, path) in OPEN_ROUTES:
        return True
    is_file = not path.startswith(API_PREFIX) and path not in (METRICS_PATH, API_PREFIX.rstrip("/"))
    return is_file and method in ("GET", "HEAD")


def is_local(connection: HTTPConnection) -> bool:
    """True for a client on this machine that came directly, not through a proxy."""
    host = connection.client.host if connection.client else ""
    forwarded = {"x-forwarded-for", "forwarded", "x-real-ip"} & set(connection.headers.keys())
    return host in ("127.0.0.1", "::1") and not forwarded


class AuthMiddleware:
    """Refuses every request that is neither open nor signed in; puts the `Principal` into `scope["state"]`."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        self._app = app
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at the request before any route does."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        if is_open(scope["method"], scope["path"]) or (scope["path"] == METRICS_PATH and is_local(connection)):
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(connection)
        await (self._app if refusal is None else refusal)(scope, receive, send)

    async def _refusal(self, connection: HTTPConnection) -> Response | None:
        token = presented(connection)
        if token is None:
            return unauthorized("a bearer token or the session cookie is needed")
        try:
            principal = await self._authenticator.principal(token)
        except DatabaseError:
            return problem(503, "the database does not answer", headers={"Retry-After": "2"})
        if principal is None:
            return unauthorized("the token is not known or has been revoked")
        connection.state.principal = principal
        return None
