"""Roots by e-mail: one message with all that are due, to a mailbox that only its owner empties."""

import asyncio
import email.policy
import hashlib
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from .claim import AnchorError, Answer, Claim

TIMEOUT_S: Final = 20.0
_PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_WORDS: Final = """\
存证根（每行一天）。请保留此邮件：它证明这些批次在该日结束时已提交，之后未被更改。
Roots of the logs of committed batches, one a day and park. Keep this message: with it, `parkcarbon statement verify
--roots FILE` shows that what a statement rests on was there when the day was over and has not been changed since.
"""


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server.

    Attributes:
        host: name or address.
        port: TCP port.
        security: `smtp`, `smtp+starttls` or `smtps`.
        user: empty: no login.
        password: of the user.
        sender: address in `From`.
    """

    host: str
    port: int
    security: str
    user: str
    password: str
    sender: str

    @classmethod
    def of(cls, url: str, password: str, sender: str) -> "Smtp":
        """Read a URL.

        Raises:
            ValueError: it is none of a mail server.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError(f"PARKCARBON_SMTP_URL: {parts.scheme}://… is none of {', '.join(_PORTS)}://host:port")
        user = unquote(parts.username or "")
        secret = password or unquote(parts.password or "")
        return cls(parts.hostname, parts.port or _PORTS[parts.scheme], parts.scheme, user, secret, sender)

    def deliver(self, message: EmailMessage) -> None:
        """Hand a message over; blocks.

        Raises:
            AnchorError: the server did not take it.
        """
        try:
            with self._connected() as server:
                if self.user:
                    server.login(self.user, self.password)
                refused = server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise AnchorError(f"{self.host}:{self.port}: {type(error).__name__}: {error}") from error
        if refused:
            raise AnchorError(f"{self.host}:{self.port}: refused {refused}")

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.security == "smtps":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        if self.security == "smtp+starttls":
            server.starttls(context=context)
        return server


@dataclass(frozen=True, slots=True)
class MailAnchor:
    """A mailbox."""

    smtp: Smtp
    destination: str
    kind: str = "mail"

    async def send(self, claims: Sequence[Claim]) -> list[Answer]:
        """Send all claims in one message; the receipt is its Message-ID, the same when it is sent again.

        Raises:
            AnchorError: the server did not take it.
        """
        message = self.message(claims)
        await asyncio.to_thread(self.smtp.deliver, message)
        receipt = msgspec.json.encode({"message_id": str(message["Message-ID"]), "to": self.destination})
        return [Answer(claim, receipt) for claim in claims]

    def message(self, claims: Sequence[Claim]) -> EmailMessage:
        """The message: the lines in the text, and as a file."""
        lines = b"".join(claim.line() + b"\n" for claim in claims)
        days = sorted({claim.day.isoformat() for claim in claims})
        span = days[0] if len(days) == 1 else f"{days[0]} … {days[-1]}"
        message = EmailMessage(policy=email.policy.SMTP)
        message["From"] = self.smtp.sender
        message["To"] = self.destination
        message["Subject"] = f"ParkCarbon 存证根 roots {span}: {len(claims)}"
        name = hashlib.sha256(lines).hexdigest()[:32]
        message["Message-ID"] = f"<roots-{name}@{self.smtp.sender.rpartition('@')[2] or 'parkcarbon'}>"
        message.set_content(f"{_WORDS}\n{lines.decode()}", cte="base64")
        message.add_attachment(lines, maintype="application", subtype="json", filename=f"roots-{days[-1]}.jsonl")
        return message
