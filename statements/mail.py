"""Mail: the one door to SMTP servers. A message has the same Message-ID each time it is sent."""

import asyncio
import hashlib
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final
from urllib.parse import unquote, urlsplit

_SCHEMES: Final = ("smtp", "smtp+starttls", "smtps")
_PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_TIMEOUT_S: Final = 30.0


class MailError(OSError):
    """A message was not taken; the message says why."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message."""

    name: str
    media: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to one recipient.

    Attributes:
        key: the same message has the same; its Message-ID follows from it.
        recipient: address.
        subject: one line.
        text: body.
        attachments: files.
    """

    key: str
    recipient: str
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends messages through one server.

    Attributes:
        url: `smtp://user:password@host:port`, `smtp+starttls://…`, `smtps://…`.
        sender: address of the sender.
    """

    url: str
    sender: str

    def __post_init__(self) -> None:
        """Refuse an address that names no server.

        Raises:
            ValueError: it does not; the password is not repeated.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise ValueError(f"PARKCARBON_SMTP_URL is none of {', '.join(f'{name}://host:port' for name in _SCHEMES)}")

    async def send(self, message: Message) -> None:
        """Hand a message to the server.

        Raises:
            MailError: it was not taken.
        """
        await asyncio.to_thread(self._send, message)

    def _send(self, message: Message) -> None:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        try:
            with self._connect(parts.scheme, host, port) as server:
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(envelope(message, self.sender))
        except (OSError, smtplib.SMTPException) as error:
            raise MailError(f"{host}:{port}: {str(error) or type(error).__name__}") from error

    def _connect(self, scheme: str, host: str, port: int) -> smtplib.SMTP:
        if scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_S, context=ssl.create_default_context())
        server = smtplib.SMTP(host, port, timeout=_TIMEOUT_S)
        if scheme == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
        return server


def message_id(key: str, sender: str) -> str:
    """Message-ID of a key: what was sent twice is seen to be the same.

    >>> message_id("statement-1-a@b.example", "park@example.org")
    '<9732035130effc5f.parkcarbon@example.org>'
    """
    domain = sender.rpartition("@")[2] or "localhost"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:16]}.parkcarbon@{domain}>"


def envelope(message: Message, sender: str) -> EmailMessage:
    """The message with its headers."""
    mail = EmailMessage()
    mail["Message-ID"] = message_id(message.key, sender)
    mail["Date"] = formatdate(usegmt=True)
    mail["From"] = sender
    mail["To"] = message.recipient
    mail["Subject"] = " ".join(message.subject.split())
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text + "\n")
    for file in message.attachments:
        main, _, sub = file.media.partition(";")[0].partition("/")
        mail.add_attachment(file.body, maintype=main, subtype=sub, filename=file.name)
    return mail
