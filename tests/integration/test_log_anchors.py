"""Daily roots leave the house: by mail, by time stamp, into a folder; nothing is lost while a place is away."""

import asyncio
import datetime as dt
import email
import email.policy
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession

from deploy.local.stack import free_port
from parkcarbon.books import inventory
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import Database, RejectedError
from parkcarbon.statement.log import QUERIES
from parkcarbon.statement.log.roots import roots_between
from parkcarbon.statement.log.seal import seal
from parkcarbon.statement.verify.roots import kept_roots
from statements.anchors.claim import AnchorError, Answer, Claim
from statements.anchors.mail import MailAnchor, Smtp
from statements.anchors.object_lock import FolderAnchor
from statements.anchors.rfc3161 import StampAnchor, check_token
from statements.anchors.run import ATTEMPTS, pause_after, run_anchors, take_out
from statements.anchors.settings import AnchorSettings, anchor_at, anchors_of
from statements.sealer import run_sealer
from tests.fakes.ingest_park import PARK, open_ingest, park_text
from tests.fakes.stamp_authority import Authority, stamp_authority
from tests.integration.test_log_seal import put, sources

DAY = dt.date(2026, 11, 1)
BEGIN = dt.datetime(2026, 11, 1, 8, tzinfo=dt.UTC)
CLAIM = Claim(1, PARK, DAY, 7, b"\x07" * 32)


@dataclass
class Mailbox:
    """What arrived."""

    messages: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: SmtpSession, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        self.messages.append(email.message_from_bytes(content, policy=email.policy.default))
        return "250 kept"


@contextmanager
def mail_server(port: int) -> Iterator[Mailbox]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    folder = tmp_path / "tsa"
    folder.mkdir()
    with stamp_authority(folder) as found:
        yield found


def mail_anchor(port: int, address: str = "auditor@example.com") -> MailAnchor:
    return MailAnchor(Smtp.of(f"smtp://127.0.0.1:{port}", "", "park@example.org"), address)


async def park_with_days(url: str, days: int, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A log whose last daily root is that of `DAY + days - 1`, or of yesterday."""
    monkeypatch.setattr(inventory, "SETTLED_AFTER", dt.timedelta(0))
    ingest = await open_ingest(url)
    await ingest.apply(park_text())
    source = (await sources(ingest.database))["agent"]
    for day in range(days):
        await put(ingest.database, source, "b", day + 1, BEGIN + dt.timedelta(days=day))
    await seal(ingest.database)
    return ingest.database


async def states(database: Database) -> list[tuple[dt.date, str, int]]:
    rows = await database.fetch("select day, state, attempts from log_anchor order by day")
    return [(row["day"], row["state"], row["attempts"]) for row in rows]


def attachment(message: EmailMessage) -> bytes:
    (part,) = message.iter_attachments()
    content = part.get_content()
    assert isinstance(content, bytes)
    return content


async def test_roots_arrive_in_a_mailbox_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    anchor = mail_anchor(port := free_port())
    async with await park_with_days(database_url, 3, monkeypatch) as database:
        with mail_server(port) as box:
            assert await take_out(database, anchor) == 1
            assert await take_out(database, anchor) == 0
        async with database.session() as session:
            now = await session.fetchval("select clock_timestamp()")
            roots = await roots_between(session, PARK, DAY, now.date(), as_of=now)
        receipt = await database.fetchval("select receipt from log_anchor")
        with pytest.raises(RejectedError, match="kept as it is"):
            await database.execute("update log_anchor set receipt = ''")
        with pytest.raises(RejectedError, match="kept as it is"):
            await database.execute("delete from log_anchor")
    (message,) = box.messages
    newest = roots[-1]
    kept = kept_roots(attachment(message), PARK)
    assert message["To"] == "auditor@example.com"
    assert msgspec.json.decode(receipt)["message_id"] == message["Message-ID"]
    assert kept[newest.day.isoformat()].root == newest.root.hex()
    assert newest.sent == ("mail:auditor@example.com",)
    body = message.get_body()
    assert body is not None
    assert newest.root.hex() in body.get_content()


async def test_nothing_is_lost_while_the_mailbox_is_away(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour of attempts by their own schedule, a day more meanwhile; then all arrive in one message."""
    anchor = mail_anchor(port := free_port())
    async with await park_with_days(postgres_url, 3, monkeypatch) as database:
        away, attempts = dt.timedelta(0), 0
        while away < dt.timedelta(hours=1):
            attempts += 1
            assert await take_out(database, anchor) == 0
            assert await take_out(database, anchor) == 0, "it is not due again yet"
            away += pause_after(attempts)
            waits = await database.fetchval("select max(next_at) - now() from log_anchor")
            assert pause_after(attempts) - dt.timedelta(seconds=5) < waits <= pause_after(attempts)
            await database.execute("update log_anchor set next_at = now()")
        await next_day(database)
        with mail_server(port) as box:
            assert await take_out(database, anchor) == 2
        errors = await database.fetch("select error from log_anchor_attempt order by anchor_id, attempt")
        told = await states(database)
    assert [state for _, state, _ in told] == ["sent", "sent"]
    assert told[0][2] == attempts + 1
    assert sum("refused" in row["error"].lower() for row in errors) == attempts
    assert len(attachment(box.messages[0]).splitlines()) == 2


async def next_day(database: Database) -> None:
    """What the sealer does at midnight."""
    await database.execute(
        "insert into log_root select park_id, day + 1, size, root, peaks, now() from log_root order by day desc limit 1"
    )


async def test_a_mailbox_that_refuses_is_told_and_given_up_at_the_end(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refuses:
        kind, destination = "mail", "nobody@example.com"

        async def send(self, claims: Sequence[Claim]) -> list[Answer]:
            raise AnchorError("no such mailbox")

    async with await park_with_days(postgres_url, 1, monkeypatch) as database:
        await take_out(database, Refuses())
        await database.execute("update log_anchor set attempts = $1, next_at = now()", ATTEMPTS - 1)
        await take_out(database, Refuses())
        told = await states(database)
        errors = await database.fetch("select attempt, error from log_anchor_attempt order by attempt")
    assert [state for _, state, _ in told] == ["given_up"]
    assert [(row["attempt"], row["error"]) for row in errors] == [(1, "no such mailbox"), (ATTEMPTS, "no such mailbox")]


async def test_a_worker_that_dies_gives_its_roots_back(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dies:
        kind, destination = "object_lock", "/somewhere"

        async def send(self, claims: Sequence[Claim]) -> list[Answer]:
            raise asyncio.CancelledError

    async with await park_with_days(postgres_url, 1, monkeypatch) as database:
        with pytest.raises(asyncio.CancelledError):
            await take_out(database, Dies())
        waits = await database.fetchval("select next_at - now() from log_anchor where state = 'waiting'")
    assert dt.timedelta(minutes=4) < waits <= dt.timedelta(minutes=5)


async def test_a_time_stamp_is_checked_before_it_counts(
    database_url: str, monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    anchor = StampAnchor(authority.url, trusted=authority.ca)
    async with await park_with_days(database_url, 2, monkeypatch) as database:
        authority.down = True
        assert await take_out(database, anchor) == 0
        error = await database.fetchval("select error from log_anchor_attempt")
        await database.execute("update log_anchor set next_at = now()")
        authority.down = False
        assert await take_out(database, anchor) == 1
        row = await database.fetchrow(
            "select a.*, r.size, r.root from log_anchor a join log_root r using (park_id, day)"
        )
    assert row is not None
    assert "503" in error
    claim = Claim(row["anchor_id"], row["park_id"], row["day"], row["size"], row["root"])
    status = await check_token(row["receipt"], claim.digest(), trusted=authority.ca)
    assert abs((status.timestamp - dt.datetime.now(dt.UTC)).total_seconds()) < 60
    with pytest.raises(ValueError, match="stamps something else"):
        await check_token(row["receipt"], CLAIM.digest(), trusted=authority.ca)


async def test_receipts_are_handed_out_and_openssl_holds_them(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, authority: Authority, tmp_path: Path
) -> None:
    async with await park_with_days(postgres_url, 1, monkeypatch) as database:
        assert await take_out(database, StampAnchor(authority.url, trusted=authority.ca)) == 1
    folder = tmp_path / "receipts"
    roots = ("-m", "parkcarbon", "evidence", "roots", "--park", PARK, "--receipts", str(folder))
    assert ran(sys.executable, *roots, PARKCARBON_DATABASE_URL=postgres_url) == 0
    (token,) = folder.glob("*.rfc3161.1.tst")
    line = folder / f"{token.name.partition('.')[0]}.json"
    check = (
        "openssl",
        "ts",
        "-verify",
        "-data",
        str(line),
        "-in",
        str(token),
        "-token_in",
        "-CAfile",
        str(authority.ca),
    )
    assert ran(*check) == 0
    line.write_bytes(line.read_bytes().replace(b'"size":1', b'"size":2'))
    assert ran(*check) == 1


def ran(*command: str, **environment: str) -> int:
    """Exit code of a command."""
    return subprocess.run(
        command, check=False, capture_output=True, timeout=60, env=os.environ | environment
    ).returncode


async def test_a_stamp_by_somebody_else_is_refused(tmp_path: Path, authority: Authority) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with stamp_authority(other) as stranger:
        (answer,) = await StampAnchor(stranger.url, trusted=authority.ca).send([CLAIM])
        (taken,) = await StampAnchor(stranger.url).send([CLAIM])
    assert "is not by an authority of ca.pem" in answer.error
    assert taken.receipt
    broken = bytearray(taken.receipt)
    broken[-1] ^= 1
    with pytest.raises(ValueError, match="signature of the token"):
        await check_token(bytes(broken), CLAIM.digest())


async def test_a_folder_is_never_overwritten(tmp_path: Path) -> None:
    anchor = FolderAnchor(tmp_path)
    (first,) = await anchor.send([CLAIM])
    (again,) = await anchor.send([CLAIM])
    (other,) = await anchor.send([Claim(2, PARK, DAY, 8, b"\x08" * 32)])
    written = tmp_path / PARK / "2026-11-01.json"
    assert (first.error, again.error) == ("", "")
    assert "not overwritten" in other.error
    assert kept_roots(written.read_bytes(), PARK)["2026-11-01"].size == 7
    assert written.stat().st_mode & 0o222 == 0
    with pytest.raises(AnchorError, match="no such folder"):
        await FolderAnchor(tmp_path / "away").send([CLAIM])


async def test_a_park_names_places_of_its_own(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its roots go there, those of another park do not; without a mail server each attempt says so."""
    port = free_port()
    async with await park_with_days(database_url, 1, monkeypatch) as database:
        await database.execute(
            """update park set document = jsonb_set(document, '{statement}',
               '{"anchors": [{"kind": "mail", "to": "auditor@example.com"}]}')"""
        )
        await database.execute(
            "insert into park select 'other', name_zh, name_en, timezone, '{}', 1, recorded_at from park"
        )
        await database.execute("insert into log_root select 'other', day, size, root, peaks, recorded_at from log_root")
        [row] = await database.fetch(QUERIES["anchor_places"])
        assert (row["kind"], row["destination"], row["parks"]) == ("mail", "auditor@example.com", [PARK])
        silent = anchor_at(row["kind"], row["destination"], AnchorSettings())
        assert await take_out(database, silent, row["parks"]) == 0
        assert "SMTP_URL is not set" in await database.fetchval("select error from log_anchor_attempt")
        await database.execute("update log_anchor set next_at = now()")
        settings = AnchorSettings(smtp_url=f"smtp://127.0.0.1:{port}", mail_from="park@example.org")
        with mail_server(port) as box:
            assert await take_out(database, anchor_at("mail", "auditor@example.com", settings), row["parks"]) == 1
        assert [row["park_id"] for row in await database.fetch("select park_id from log_anchor")] == [PARK]
    assert list(kept_roots(attachment(box.messages[0]), PARK))


def test_settings_name_the_places() -> None:
    places = anchors_of(
        AnchorSettings(
            anchor_mail="a@example.com, b@example.com",
            anchor_rfc3161="http://tsa.example/",
            anchor_folder="/srv/roots",
            smtp_url="smtp+starttls://me@mail.example",
        )
    )
    assert [(place.kind, place.destination) for place in places] == [
        ("mail", "a@example.com"),
        ("mail", "b@example.com"),
        ("rfc3161", "http://tsa.example/"),
        ("object_lock", "/srv/roots"),
    ]
    with pytest.raises(ValueError, match="SMTP_URL is not"):
        anchors_of(AnchorSettings(anchor_mail="a@example.com"))
    with pytest.raises(ValueError, match="none of smtp"):
        Smtp.of("http://mail.example", "", "")


async def test_the_loops_seal_and_take_out_by_themselves(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with await park_with_days(postgres_url, 1, monkeypatch) as database:
        settings = AnchorSettings(anchor_folder=str(tmp_path))
        source = (await sources(database))["agent"]
        tasks = [
            asyncio.create_task(run_sealer(database, SystemClock(), every_s=0.01)),
            asyncio.create_task(run_anchors(database, SystemClock(), settings, every_s=0.01)),
        ]
        await put(database, source, "c", 1)
        while not list(tmp_path.glob("*/*.json")) or await database.fetchval("select count(*) from log_leaf") < 2:
            await asyncio.sleep(0.01)
            assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
