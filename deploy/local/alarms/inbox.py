"""`python -m deploy.local.alarms.inbox`: takes what the demonstration's alarms tell, writes it down, a JSON line each.

It stands where mail, a chat group or a duty phone would: the alerts process reaches it through a web hook.
"""

import argparse
import json
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

_MOST_BYTES: Final = 1_000_000


class Inbox(ThreadingHTTPServer):
    """The server; messages are appended to `path`."""

    daemon_threads = True

    def __init__(self, port: int, path: Path) -> None:
        """Listen on the loopback interface."""
        super().__init__(("127.0.0.1", port), _Handler)
        self._path = path
        self._lock = threading.Lock()

    def take(self, body: bytes) -> None:
        """Write one message down.

        Raises:
            ValueError: it is no JSON.
        """
        line = json.dumps(json.loads(body), ensure_ascii=False)
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


class _Handler(BaseHTTPRequestHandler):
    server: Inbox

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """What came is in the file."""

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        code = 413
        if length <= _MOST_BYTES:
            try:
                self.server.take(self.rfile.read(length))
                code = 204
            except ValueError:
                code = 400
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main() -> None:
    """Take messages until SIGTERM."""
    parser = argparse.ArgumentParser(prog="deploy.local.alarms.inbox", description="An inbox for alarms.")
    parser.add_argument("--port", type=int, required=True, help="where to listen on 127.0.0.1")
    parser.add_argument("--file", type=Path, required=True, help="where to write messages")
    options = parser.parse_args()
    server = Inbox(options.port, options.file)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    with server:
        server.serve_forever()


if __name__ == "__main__":
    main()
