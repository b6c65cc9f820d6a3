"""What every request and answer passes: security headers, body limit, same-origin rule for cookies.

Plain ASGI, so that live streams are not buffered.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import problem

MAX_BODY_BYTES = 16_384
"""Body of a request outside the books: no more than a token [bytes]."""

MAX_BOOKS_BYTES = 4_194_304
"""Body of a request to the books: a year of hourly values is 0.4 MB [bytes]."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SECURITY = {
    # Own files only, no inline style either: the page is built to do without.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Shield:
    """Middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request, then pass it on with a counted body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        most = MAX_BOOKS_BYTES if scope["path"].startswith("/api/v1/parks/") else MAX_BODY_BYTES
        if length.isdigit() and int(length) > most:
            await problem(413, f"a body has at most {most} bytes")(scope, receive, guarded_send)
            return
        if scope["method"] not in _SAFE and not same_origin(headers):
            await problem(403, "a request from another site is refused")(scope, receive, guarded_send)
            return
        await self._app(scope, _limited(receive, most), guarded_send)


def same_origin(headers: Headers) -> bool:
    """True unless a browser may be sending someone's cookie on behalf of another site.

    A bearer token is never sent by a browser on its own, so such a request passes. `Sec-Fetch-Site` decides where the
    browser sends it, else `Origin`; a cookie without either is refused.
    """
    if "authorization" in headers:
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2] == headers.get("host", "")
    return "cookie" not in headers


def _limited(receive: Receive, most: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413, f"a body has at most {most} bytes")
        return message

    return counted
