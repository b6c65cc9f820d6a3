"""A real HTTP server on this machine that answers what a test has put under a path, and the documents it may send."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from parkcarbon.kit.db import from_ms

ANSWERS: dict[str, tuple[int, str, bytes]] = {}
"""Path to status, content type and body; `text/slow` holds the body back, 302 points elsewhere."""


class _Server(ThreadingHTTPServer):
    stopped: Event


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        status, kind, body = ANSWERS.get(self.path, (404, "text/plain", b"nothing here"))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kind == "text/slow":
            self.server.stopped.wait(20)
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Say nothing."""


@contextmanager
def values_server() -> Iterator[str]:
    """Serve `ANSWERS` on a free port; yields the address."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.stopped = Event()
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()
        ANSWERS.clear()


def hours_csv(first_ms: int, values: list[float]) -> bytes:
    """Hourly values as a CSV."""
    lines = [f"{from_ms(first_ms + at * 3_600_000).isoformat()},{value}" for at, value in enumerate(values)]
    return ("start,value\n" + "\n".join(lines) + "\n").encode()
