"""A small server that shows the web page one `Scene`: the built app, the API's answers, a live stream.

A fixture for tests of the page alone; the page against the real API is tested elsewhere. Run by hand to look
at a state: `python -m tests.fakes.api_fixture --port 8010 --sun 4`.
"""

import argparse
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import api_scene as scenes
from .api_scene import Scene

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dashboards/web/dist"
EXAMPLES = ROOT / "tests/contract/api_examples"
TOKEN = "fixture-token"
COOKIE = "parkcarbon_session=fixture"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


class ApiFixture(ThreadingHTTPServer):
    """The server; `scene` may be changed while it runs."""

    daemon_threads = True

    def __init__(self, scene: Scene, port: int = 0, dist: Path = DIST) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.scene = scene
        self.dist = dist
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: ApiFixture
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Tests read `scene.requests` instead."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        if body.get("token") != TOKEN:
            return self._problem(401, "unknown token")
        session = {"label": "fixture", "role": "viewer", "person": "", "park": None}
        return self._json(session, {"Set-Cookie": f"{COOKIE}; HttpOnly; SameSite=Strict; Path=/"})

    def do_DELETE(self) -> None:
        self.send_response(204)
        self.send_header("Set-Cookie", "parkcarbon_session=; Max-Age=0; Path=/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        scene = self.server.scene
        scene.requests.append(self.path)
        if not url.path.startswith("/api/"):
            self._file(url.path)
        elif scene.down:
            self._problem(503, "down")
        elif COOKIE not in self.headers.get("cookie", ""):
            self._problem(401, "sign in")
        elif url.path == "/api/v1/parks":
            self._json(scenes.parks(scene))
        else:
            _, _, _, _, park, what = url.path.split("/", 5)
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            self._of_park(park, what, query)

    def _of_park(self, park: str, what: str, query: dict[str, str]) -> None:
        scene = self.server.scene
        if what == "live":
            return self._live(park)
        answers = {
            "now": lambda: scenes.now(scene, park),
            "devices": lambda: scenes.devices(scene),
            "series": lambda: scenes.series(
                scene, query["metric"], _ms(query["from"]), _ms(query["to"]), query.get("group_by", "none")
            ),
            "working": lambda: self._working(query["figure"]),
        }
        if what not in answers:
            return self._problem(404, "no such route")
        return self._json(answers[what]())

    def _working(self, figure: str) -> scenes.Json:
        example: scenes.Json = json.loads((EXAMPLES / "working.json").read_text(encoding="utf-8"))
        shown = scenes.figures(self.server.scene)[figure]
        example["factors"][-1]["unverified"] = True
        return example | {"figure": figure, "value": shown["value"], "unit": shown["unit"]}

    def _live(self, park: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        scene = self.server.scene
        while not (self.server.stopping.is_set() or scene.down):
            event = f"event: now\ndata: {json.dumps(scenes.now(scene, park))}\n\nevent: ping\ndata: {{}}\n\n"
            self.wfile.write(event.encode())
            self.wfile.flush()
            self.server.stopping.wait(scene.event_s)

    def _file(self, path: str) -> None:
        target = self.server.dist / (path.lstrip("/") or "index.html")
        if not target.is_file():
            return self._problem(404, "no such file")
        kind, packed = TYPES.get(target.suffix, "application/octet-stream"), target.with_name(target.name + ".gz")
        if packed.is_file() and "gzip" in self.headers.get("accept-encoding", ""):
            return self._answer(200, kind, packed.read_bytes(), {"Content-Encoding": "gzip"})
        return self._answer(200, kind, target.read_bytes(), {})

    def _json(self, body: object, headers: dict[str, str] | None = None) -> None:
        self._answer(200, "application/json", json.dumps(body).encode(), headers or {})

    def _problem(self, status: int, detail: str) -> None:
        body = json.dumps({"type": "about:blank", "title": detail, "status": status, "detail": detail}).encode()
        self._answer(status, "application/problem+json", body, {})

    def _answer(self, status: int, kind: str, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)


def clock_from(text: str) -> Any:
    """A clock that starts at an instant and runs with the machine's."""
    offset = _ms(text) - time.monotonic_ns() // 1_000_000
    return lambda: offset + time.monotonic_ns() // 1_000_000


@contextmanager
def serve(scene: Scene, port: int = 0) -> Iterator[ApiFixture]:
    """The fixture, running in a thread until the block ends."""
    server = ApiFixture(scene, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Show one scene until interrupted."""
    parser = argparse.ArgumentParser(description="Show the web page a pretended park.")
    parser.add_argument("--port", type=int, default=8010)
    parser.add_argument("--at", default="2026-11-18T14:32:05+08:00")
    parser.add_argument("--sun", type=float, default=1.0)
    parser.add_argument("--empty", action="store_true")
    args = parser.parse_args()
    scene = Scene(clock_from(args.at), sun=args.sun, empty=args.empty)
    with serve(scene, args.port) as server:
        print(f"{server.url}  token: {TOKEN}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
