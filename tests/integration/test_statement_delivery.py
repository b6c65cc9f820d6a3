"""Mail with statements through a real SMTP server: once to each, later when the server is away, the same Message-ID."""

import datetime as dt
import email
import email.policy
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession

from deploy.local.stack import free_port
from parkcarbon.statement.lifecycle import tasks
from statements.anchors.mail import Smtp
from statements.delivery import deliver_one
from statements.mail import Mailer, message_id
from tests.fakes.statement_desk import PARK, PERIOD, Desk, open_desk

SENDER = "statements@park.example"
OWNER, AUDITOR = "owner@park.example", "auditor@firm.example"


class Box:
    """What the server took; `full` refuses."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.full = False

    async def handle_DATA(self, _server: SMTP, _session: SmtpSession, envelope: Envelope) -> str:  # noqa: N802
        if self.full:
            return "452 4.2.2 mailbox full"
        content = envelope.content or b""
        data = content if isinstance(content, bytes) else content.encode()
        self.mails.append(email.message_from_bytes(data, policy=email.policy.default))
        return "250 OK"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def box(port: int) -> Iterator[Box]:
    box = Box()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@pytest.fixture
def mailer(port: int) -> Mailer:
    return Mailer(Smtp.of(f"smtp://127.0.0.1:{port}", "", SENDER))


@pytest.fixture
async def desk(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr("parkcarbon.books.inventory.SETTLED_AFTER", dt.timedelta(0))
    async with open_desk(database_url) as desk:
        made = await desk.act(await desk.prepare(), "approve", "reviewer")
        await desk.issue(made, recipients=(OWNER, AUDITOR, OWNER))
        yield desk


async def deliver(desk: Desk, mailer: Mailer) -> list[str]:
    done = []
    while (outcome := await deliver_one(desk.database, mailer, desk.clock.now)) is not None:
        done.append(outcome)
    return done


async def test_each_recipient_gets_the_pdf_once(desk: Desk, mailer: Mailer, box: Box) -> None:
    assert len(await deliver(desk, mailer)) == 2
    assert await deliver(desk, mailer) == []
    assert sorted(mail["To"] for mail in box.mails) == [AUDITOR, OWNER]
    for mail in box.mails:
        assert mail["From"] == SENDER
        assert f"PC-{PARK}-{PERIOD} V1" in mail["Subject"]
        body = mail.get_body()
        assert body is not None
        assert "parkcarbon statement verify FILE" in body.get_content()
        [attached] = mail.iter_attachments()
        assert attached.get_filename() == f"PC-{PARK}-{PERIOD}-V1-both.pdf"
        assert attached.get_content_type() == "application/pdf"
        assert attached.get_content().startswith(b"%PDF-")
    assert len({mail["Message-ID"] for mail in box.mails}) == 2


async def test_a_server_that_refuses_is_tried_again_with_the_same_message_id(
    desk: Desk, mailer: Mailer, box: Box
) -> None:
    box.full = True
    assert all("failed: " in told and "452" in told for told in await deliver(desk, mailer))
    rows = await desk.database.fetch("select attempts, error, sent_at from statement_delivery")
    assert [(row["attempts"], "mailbox full" in row["error"], row["sent_at"]) for row in rows] == [(1, True, None)] * 2
    async with desk.database.session() as session:
        waiting = await tasks.mails(session, PARK)
    assert [(mail["recipient"], "mailbox full" in mail["error"]) for mail in waiting] == [
        (OWNER, True),
        (AUDITOR, True),
    ]
    box.full = False
    assert await deliver(desk, mailer) == []  # not at once
    desk.clock.at += dt.timedelta(minutes=1)
    assert len(await deliver(desk, mailer)) == 2
    assert {mail["Message-ID"] for mail in box.mails} == {
        message_id(f"statement-1-{recipient}", SENDER) for recipient in (OWNER, AUDITOR)
    }


async def test_a_server_that_is_away_is_told(desk: Desk, mailer: Mailer) -> None:
    outcomes = await deliver(desk, mailer)
    assert len(outcomes) == 2
    assert all("failed: 127.0.0.1" in told for told in outcomes)
