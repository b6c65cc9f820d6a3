"""Issue what was approved: names and time into the record, signatures, every format, the archive, the mail.

All of it in one transaction: a statement is issued with its files, or not at all.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from parkcarbon.books.refusals import refusals
from parkcarbon.kit.db import Session
from parkcarbon.statement.record import Record, encode

from . import store
from .signer import Signer, record_key
from .store import QUERIES, Statement, iso

Files: TypeAlias = dict[str, tuple[str, bytes]]
Language = Literal["zh", "en", "both"]
Render: TypeAlias = Callable[[Record, Signer, dt.datetime], Files]

LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en", "both")
ATTACHED: Final = ("statement.json", "statement.json.sig")
"""Names of record and signature inside the PDF, and of the files when they are handed out."""

MEDIA: Final[Mapping[str, str]] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "sig": "application/json",
}


def file_name(statement: Statement, name: str) -> str:
    """Name of an archived file when it is handed out: `PC-park-2026-10-V1-zh.pdf`."""
    dotted = f".{name}" if "." not in name else f"-{name}"
    return f"{statement.number}-V{statement.version}{'.json.sig' if name == 'sig' else dotted}"


def render_all(record: Record, signer: Signer, at: dt.datetime) -> Files:
    """Every format of a record, signed; takes seconds, so it is called in a thread."""
    from parkcarbon.statement.render.csv import render_csv
    from parkcarbon.statement.render.pdf import render_pdfs
    from parkcarbon.statement.render.xlsx import render_xlsx

    body = encode(record)
    signature = signer.json(body)
    attached = dict(zip(ATTACHED, (body, signature), strict=True))
    files: Files = {"json": (MEDIA["json"], body), "sig": (MEDIA["sig"], signature)}
    reason = f"{record.number} V{record.version}"
    for language, drawn in render_pdfs(record, languages=LANGUAGES, attachments=attached).items():
        files[f"{language}.pdf"] = (MEDIA["pdf"], signer.pdf(drawn, at=at, reason=reason))
    files["xlsx"] = (MEDIA["xlsx"], render_xlsx(record))
    files["csv"] = (MEDIA["csv"], render_csv(record))
    return files


async def issue(
    session: Session,
    statement: Statement,
    signer: Signer,
    *,
    recipients: tuple[str, ...] = (),
    person: str = "",
    render: Render = render_all,
) -> Statement:
    """Issue a statement that was approved, or a flash report.

    Args:
        session: a connection inside a transaction that may write; what is issued is there once it commits.
        statement: which.
        signer: the key at hand.
        recipients: mail addresses that get the PDF.
        person: who had it issued; empty: the process, once it found it approved.
        render: makes the files.

    Raises:
        RefusedError: it was not approved, was rejected, or is issued already.
    """
    with refusals():
        await store.add_act(session, statement, "issued", person=person)
    at = await session.fetchval(QUERIES["statement_now"])
    record = msgspec.structs.replace(
        await store.frozen(session, statement.statement_id), acts=statement.people(), issued_at=iso(at)
    )
    await record_key(session, signer, person=person or store.SCHEDULER, reason="signs statements")
    files = await asyncio.to_thread(render, record, signer, at)
    with refusals():
        await store.archive(session, statement.statement_id, files)
    for recipient in dict.fromkeys(recipients):
        await queue_statement(session, statement, record, recipient)
    return await store.one(session, statement.statement_id)


async def queue_statement(session: Session, statement: Statement, record: Record, recipient: str) -> bool:
    """Queue a mail with the PDF; False where it was queued before."""
    title = record.front.title
    subject = f"{statement.number} V{statement.version} {record.park_name.zh} {record.park_name.en}"
    lines = [title.zh, title.en, "", record.verdict.sentence.zh, record.verdict.sentence.en, ""]
    lines += [f"{item.text.zh} {item.text.en}: {item.owner}, {item.due}" for item in record.missing]
    lines += ["", f"sha256 {statement.digest}", "parkcarbon statement verify FILE"]
    key = f"statement-{statement.statement_id}-{recipient}"
    values = statement.park, statement.statement_id, recipient, key, subject, "\n".join(lines)
    return await session.fetchval(QUERIES["delivery_insert"], *values) is not None
