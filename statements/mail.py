"""Mail with statements and reminders. A message has the same Message-ID each time it is sent."""

import asyncio
import hashlib
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

from .anchors.claim import AnchorError
from .anchors.mail import Smtp


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
    """Sends messages through one server."""

    smtp: Smtp

    async def send(self, message: Message) -> None:
        """Hand a message to the server.

        Raises:
            MailError: it was not taken.
        """
        try:
            await asyncio.to_thread(self.smtp.deliver, envelope(message, self.smtp.sender))
        except AnchorError as error:
            raise MailError(str(error)) from error


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
