"""Real servers on this machine that take alarms: one that speaks HTTP and answers as told, one that takes mail."""

import email
import email.policy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.stack import free_port


@dataclass(frozen=True)
class Taken:
    """A request that came."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class HttpReceiver:
    """What came, and what is answered; `hold` keeps an answer back until the test ends."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    status: int = 200
    answer: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    hold: bool = False
    stopped: Event = field(default_factory=Event)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def http_receiver() -> Iterator[HttpReceiver]:
    """Serve on a free port."""
    state = HttpReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.taken.append(Taken(self.path, headers, json.loads(raw or b"null")))
            if state.hold:
                state.stopped.wait(30)
            self.send_response(state.status)
            for name, value in (state.headers | {"Content-Length": str(len(state.answer))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(state.answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_port
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield state
    finally:
        state.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class MailReceiver:
    """What the mail server took; `full` refuses."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    full: bool = False

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.full:
            return "452 4.2.2 mailbox full"
        content = envelope.content or b""
        data = content if isinstance(content, bytes) else content.encode()
        self.mails.append(email.message_from_bytes(data, policy=email.policy.default))
        return "250 OK"


@contextmanager
def mail_receiver() -> Iterator[MailReceiver]:
    """Take mail on a free port."""
    state = MailReceiver(free_port())
    controller = Controller(state, hostname="127.0.0.1", port=state.port)
    controller.start()
    try:
        yield state
    finally:
        controller.stop()
