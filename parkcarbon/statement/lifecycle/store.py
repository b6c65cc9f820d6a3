"""What is stored of statements: frozen contents, acts, issued files; rows in, plain values out."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import msgspec

from parkcarbon.kit.db import Row, Session, load_queries
from parkcarbon.statement.record import Act, Kind, Missing, Record, decode, encode

QUERIES: Final = load_queries("parkcarbon.statement")

SCHEDULER: Final = "scheduler"
"""Who prepared what no person did."""

State = Literal["prepared", "reviewed", "approved", "rejected", "issued", "locked", "superseded"]
Deed = Literal["prepared", "reviewed", "approved", "rejected", "comment", "issued"]
Json = dict[str, Any]

JSON_FILE: Final = "json"
SIGNATURE_FILE: Final = "sig"


@dataclass(frozen=True, slots=True)
class Done:
    """An act on a statement.

    Attributes:
        act: what was done.
        person: who; empty: nobody, the process did.
        at: when.
        comment: what was said.
    """

    act: Deed
    person: str
    at: dt.datetime
    comment: str

    def document(self) -> Json:
        """Plain JSON."""
        return {"act": self.act, "person": self.person, "at": iso(self.at), "comment": self.comment}


@dataclass(frozen=True, slots=True)
class Filed:
    """An issued file, without its bytes."""

    name: str
    media: str
    bytes: int
    digest: str

    def document(self) -> Json:
        """Plain JSON."""
        return {"name": self.name, "media": self.media, "bytes": self.bytes, "sha256": self.digest}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it stands.

    Attributes:
        statement_id: row of `statement`.
        park: id.
        kind: flash report, statement of a month, annual statement.
        period: `2026-10` or `2026`.
        number: as printed.
        version: as printed.
        state: where it stands.
        digest: of the frozen content, hex.
        as_of: moment of knowledge.
        verdict: its word.
        missing: what was not there when it was frozen.
        prepared_by: who; empty: the scheduler.
        prepared_at: when it was frozen.
        issued_at: when; None: not yet.
        supersedes: the statement before it; None: the first.
        reason: why it was issued again.
        acts: in their order.
        files: what was issued.
    """

    statement_id: int
    park: str
    kind: Kind
    period: str
    number: str
    version: int
    state: State
    digest: str
    as_of: dt.datetime
    verdict: str
    missing: tuple[Missing, ...]
    prepared_by: str
    prepared_at: dt.datetime
    issued_at: dt.datetime | None
    supersedes: int | None
    reason: str
    acts: tuple[Done, ...] = ()
    files: tuple[Filed, ...] = ()

    def document(self) -> Json:
        """Plain JSON."""
        return {
            "statement_id": self.statement_id,
            "park": self.park,
            "kind": self.kind,
            "period": self.period,
            "number": self.number,
            "version": self.version,
            "state": self.state,
            "digest": self.digest,
            "as_of": iso(self.as_of),
            "verdict": self.verdict,
            "missing": msgspec.to_builtins(self.missing),
            "prepared_by": self.prepared_by or SCHEDULER,
            "prepared_at": iso(self.prepared_at),
            "issued_at": None if self.issued_at is None else iso(self.issued_at),
            "supersedes": self.supersedes,
            "reason": self.reason,
            "acts": [self._prepared.document(), *(done.document() for done in self.acts)],
            "files": [filed.document() for filed in self.files],
            "waits_for": self.waits_for,
        }

    @property
    def _prepared(self) -> Done:
        return Done("prepared", self.prepared_by or SCHEDULER, self.prepared_at, "")

    @property
    def waits_for(self) -> str:
        """What has to happen next; empty: nothing."""
        if self.state == "prepared" and not self.prepared_by and self.kind != "flash":
            return "a person reviews it, then another one approves it"
        if self.state in ("prepared", "reviewed") and self.kind != "flash":
            names = [self.prepared_by] if self.prepared_by else [done.person for done in self.of("reviewed")[:1]]
            return f"another person than {names[0]} approves it"
        if self.state in ("prepared", "reviewed", "approved"):
            return "the statements process signs and issues it"
        return ""

    def of(self, *acts: Deed) -> list[Done]:
        """Its acts of some kinds, in their order."""
        return [done for done in self.acts if done.act in acts]

    def people(self) -> tuple[Act, ...]:
        """Who put a name to it, as a record says it."""
        prepared = Act("prepared", self.prepared_by or SCHEDULER, iso(self.prepared_at))
        said = [
            (done, "reviewed" if done.act == "reviewed" else "approved") for done in self.of("reviewed", "approved")
        ]
        return (prepared, *(Act(role, done.person, iso(done.at), done.comment) for done, role in said))  # type: ignore[arg-type]


def iso(moment: dt.datetime) -> str:
    """A moment as a record says it [ISO 8601 UTC, whole seconds].

    >>> iso(dt.datetime(2026, 11, 4, 9, 0, 0, 250, tzinfo=dt.timezone(dt.timedelta(hours=8))))
    '2026-11-04T01:00:00Z'
    """
    return moment.astimezone(dt.UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


async def insert(session: Session, record: Record, *, as_of: dt.datetime, person: str, supersedes: int | None) -> int:
    """Store a frozen record and return its number; what a trigger refuses comes out as `RejectedError`."""
    if record.acts or record.issued_at:
        raise ValueError("a record is frozen without acts and time of issue")
    return int(
        await session.fetchval(
            QUERIES["statement_insert"],
            record.park,
            record.kind,
            record.period,
            record.number,
            record.version,
            encode(record),
            as_of,
            record.verdict.word,
            msgspec.json.encode(record.missing).decode(),
            person or None,
            supersedes,
            record.supersedes.reason if record.supersedes else "",
        )
    )


async def listed(
    session: Session, park: str | None, *, period: str | None = None, kind: Kind | None = None, limit: int = 500
) -> list[Statement]:
    """Statements with their acts and files, the newest period and version first."""
    return await _completed(session, await session.fetch(QUERIES["statement_list"], park, period, kind, limit))


async def one(session: Session, statement_id: int, park: str | None = None) -> Statement:
    """A statement.

    Raises:
        LookupError: there is none of this number, or not in this park.
    """
    row = await session.fetchrow(QUERIES["statement_one"], statement_id, park)
    if row is None:
        raise LookupError(f"there is no statement {statement_id}" + (f" of {park}" if park else ""))
    return (await _completed(session, [row]))[0]


async def frozen(session: Session, statement_id: int) -> Record:
    """The record as it was frozen, without acts.

    Raises:
        LookupError: there is none of this number.
    """
    content = await session.fetchval(QUERIES["statement_content"], statement_id)
    if content is None:
        raise LookupError(f"there is no statement {statement_id}")
    return decode(bytes(content))


async def record_of(session: Session, statement: Statement) -> Record:
    """The record as it stands: with everybody who put a name to it, and the time of issue where it was issued."""
    record = await frozen(session, statement.statement_id)
    return msgspec.structs.replace(
        record, acts=statement.people(), issued_at="" if statement.issued_at is None else iso(statement.issued_at)
    )


async def last_issued(session: Session, park: str, kind: Kind, period: str) -> tuple[int, Record, int] | None:
    """Number and record of what was issued last of a kind and period, and how many were; None: nothing."""
    row = await session.fetchrow(QUERIES["statement_last_issued"], park, kind, period)
    return None if row is None else (row["statement_id"], decode(bytes(row["content"])), row["issued"])


async def find(session: Session, park: str, name: str) -> Statement:
    """A statement by its number in the database, or as `2026-10`, `2026-10/V2`, `2026-10-F`, `PC-park-2026-10/V2`.

    Without a version it is the newest that is not rejected.

    Raises:
        LookupError: there is none.
    """
    if name.isascii() and name.isdigit() and len(name) != len("2026"):
        return await one(session, int(name), park)
    period, _, version = name.removeprefix(f"PC-{park}-").partition("/V")
    kind: Kind = "flash" if period.endswith("-F") else "annual" if len(period) == len("2026") else "statement"
    period = period.removesuffix("-F")
    found = await listed(session, park, period=period, kind=kind)
    wanted = [item for item in found if not version or str(item.version) == version]
    best = sorted(wanted, key=lambda item: (item.state != "rejected", item.statement_id), reverse=True)
    if best:
        return best[0]
    if name.isascii() and name.isdigit():
        return await one(session, int(name), park)
    raise LookupError(f"there is no statement {name} of {park}")


async def add_act(session: Session, statement: Statement, act: Deed, *, person: str | None, comment: str = "") -> int:
    """Store an act on the content that is stored; the database refuses what must not be."""
    digest = bytes.fromhex(statement.digest)
    return int(
        await session.fetchval(
            QUERIES["statement_act_insert"], statement.statement_id, act, person or None, digest, comment
        )
    )


async def archive(session: Session, statement_id: int, files: Mapping[str, tuple[str, bytes]]) -> None:
    """Keep issued files: name to media type and bytes. None is ever written over."""
    for name, (media, body) in files.items():
        await session.execute(QUERIES["statement_file_insert"], statement_id, name, media, body)


async def file_of(session: Session, statement_id: int, name: str) -> tuple[Filed, bytes]:
    """An issued file; its digest is checked.

    Raises:
        LookupError: there is none of this name.
        ValueError: what is kept is not what was issued.
    """
    row = await session.fetchrow(QUERIES["statement_file"], statement_id, name)
    if row is None:
        raise LookupError(f"statement {statement_id} has no file {name}")
    body = bytes(row["body"])
    if hashlib.sha256(body).digest() != bytes(row["digest"]):
        raise ValueError(f"{name} of statement {statement_id} is not what was archived")
    return Filed(row["name"], row["media"], len(body), bytes(row["digest"]).hex()), body


async def _completed(session: Session, rows: Sequence[Row]) -> list[Statement]:
    found = [_statement(row) for row in rows]
    ids = [item.statement_id for item in found]
    acts = await session.fetch(QUERIES["statement_acts"], ids)
    files = await session.fetch(QUERIES["statement_files"], ids)
    return [
        replace(
            item,
            acts=tuple(
                Done(row["act"], row["person"] or "", row["recorded_at"], row["comment"])
                for row in acts
                if row["statement_id"] == item.statement_id
            ),
            files=tuple(
                Filed(row["name"], row["media"], row["bytes"], bytes(row["digest"]).hex())
                for row in files
                if row["statement_id"] == item.statement_id
            ),
        )
        for item in found
    ]


def _statement(row: Row) -> Statement:
    return Statement(
        statement_id=row["statement_id"],
        park=row["park_id"],
        kind=row["kind"],
        period=row["period"],
        number=row["number"],
        version=row["version"],
        state=row["state"],
        digest=bytes(row["digest"]).hex(),
        as_of=row["as_of"],
        verdict=row["verdict"],
        missing=msgspec.json.decode(row["missing"], type=tuple[Missing, ...]),
        prepared_by=row["prepared_by"] or "",
        prepared_at=row["recorded_at"],
        issued_at=row["issued_at"],
        supersedes=row["supersedes"],
        reason=row["reason"],
    )
