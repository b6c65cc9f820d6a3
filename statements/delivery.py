"""The mail outbox: one message at a time, held by its row, sent once, tried again later and later."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from parkcarbon.kit.db import Database, Row, Session
from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.lifecycle.issue import file_name
from parkcarbon.statement.lifecycle.store import QUERIES
from parkcarbon.statement.lifecycle.tasks import pause

from .mail import Attachment, Mailer, MailError, Message

ATTACHED: Final = "both.pdf"
"""The archived file that goes with the mail."""


async def deliver_one(database: Database, mailer: Mailer, now: Callable[[], datetime]) -> str | None:
    """Send one message that may go now; None: there is none that another worker does not hold.

    A worker that dies after the server took the message sends it again, with the same Message-ID.

    Returns:
        What became of it.
    """
    async with database.transaction() as session:
        row = await session.fetchrow(QUERIES["delivery_take"], now())
        if row is None:
            return None
        message = await _message(session, row)
        try:
            await mailer.send(message)
        except MailError as error:
            await session.execute(
                QUERIES["delivery_failed"], row["delivery_id"], now() + pause(row["attempts"]), str(error)
            )
            return f"mail to {row['recipient']} failed: {error}"
        await session.execute(QUERIES["delivery_sent"], row["delivery_id"], now())
        return f"mail to {row['recipient']} sent: {row['subject']}"


async def _message(session: Session, row: Row) -> Message:
    files: tuple[Attachment, ...] = ()
    if row["statement_id"] is not None:
        statement = await store.one(session, row["statement_id"])
        filed, body = await store.file_of(session, statement.statement_id, ATTACHED)
        files = (Attachment(file_name(statement, ATTACHED), filed.media, body),)
    return Message(row["key"], row["recipient"], row["subject"], row["body"], files)
