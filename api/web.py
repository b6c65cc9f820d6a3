"""The web app's files: hashed assets for ever, the page itself asked for each time, compressed copies where built."""

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from .problems import problem

_FOREVER = "public, max-age=31536000, immutable"
_ASK = "no-cache"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>ParkCarbon</title>
<body style="font:16px/1.6 system-ui;max-width:40em;margin:4em auto;padding:0 1em">
<h1>ParkCarbon</h1>
<p>网页应用尚未构建。请在项目目录中运行 <code>make web</code>。</p>
<p>The web app has not been built. Run <code>make web</code> in the project folder.</p>
<p>HTTP API: <code>/api/v1</code></p>
</body></html>
"""


class WebApp:
    """Serves files below a folder and nothing else.

    Args:
        dist: folder of the built app; it may appear later.
    """

    def __init__(self, dist: Path) -> None:
        self._dist = dist.resolve()

    def answer(self, path: str, accepted: str) -> Response:
        """Return the file of a path; a path without a suffix is a page of the app, which routes it itself.

        Args:
            path: as asked for, without the leading slash.
            accepted: `Accept-Encoding` of the request.
        """
        if not (self._dist / "index.html").is_file():
            return HTMLResponse(_NOT_BUILT, status_code=503, headers={"Cache-Control": "no-store"})
        wanted = path if Path(path).suffix else "index.html"
        file = (self._dist / wanted).resolve()
        if not file.is_relative_to(self._dist) or file.suffix not in _TYPES or not file.is_file():
            return problem(404, "there is no such file")
        caching = _FOREVER if file.is_relative_to(self._dist / "assets") else _ASK
        headers = {"Cache-Control": caching, "Vary": "Accept-Encoding"}
        for name, suffix in _ENCODINGS:
            packed = file.with_name(file.name + suffix)
            if name in _names(accepted) and packed.is_file():
                return FileResponse(
                    packed, media_type=_TYPES[file.suffix], headers={**headers, "Content-Encoding": name}
                )
        return FileResponse(file, media_type=_TYPES[file.suffix], headers=headers)


def _names(accepted: str) -> set[str]:
    """Encodings of an `Accept-Encoding` header that are not switched off with `q=0`."""
    found = set()
    for item in accepted.lower().split(","):
        name, _, weight = item.strip().partition(";")
        if weight.strip().replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            found.add(name.strip())
    return found


def web_router(dist: Path) -> APIRouter:
    """Return the routes of the web app; include them last."""
    app = WebApp(dist)
    router = APIRouter(include_in_schema=False)

    @router.api_route("/{path:path}", methods=["GET", "HEAD"])
    def file(path: str, request: Request) -> Response:
        """A file of the web app."""
        if path.startswith("api/"):
            return problem(404, "there is no such route")
        return app.answer(path, request.headers.get("accept-encoding", ""))

    return router
