"""The factor library in the database: records as facts, proposals, and a second person's decision on them.

A record of the organisation counts from the moment of its approval and until it is withdrawn; both are rows of their
own, so a result as known on an earlier date uses what was in force then. What the database refuses by a rule (the same
person twice, two approved records for the same days) comes out as `RefusedError`.
"""

import dataclasses
import datetime as dt
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from parkcarbon.books.derive.announce import announce
from parkcarbon.books.derive.model import load_model
from parkcarbon.books.derive.queries import QUERIES as DERIVE
from parkcarbon.books.refusals import refusals
from parkcarbon.catalog.factors import fits
from parkcarbon.domain.factor_rules import BASIS_PURPOSES, calorific_basis
from parkcarbon.domain.factors import GRID_PURPOSES, Factor
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Row, Session, load_queries

QUERIES: Final = load_queries("parkcarbon.books")

Decision = Literal["approved", "rejected", "withdrawn"]
State = Literal["approved", "rejected", "withdrawn", "proposed"]

_LATER: Final = {"published_year": None, "licence": "", "source_page": "", "reviewer": ""}
"""Members that records got later, with what stands for nothing: left out of the bytes that identify a record."""

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LONGEST: Final = 1000  # of a text [characters]
_RAW_VOLUME: Final = re.compile(r"/(10\^4)?m3\b")
_COAL_BASES: Final = ("当量值", "等价值")

_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the library with what was decided on it.

    Attributes:
        factor_id: row of `factor`.
        factor: the record.
        state: catalog and park document count as approved.
        recorded_at: when it was entered.
        author: who proposed it; None: it came with the catalog or the park document.
        reason: why it was proposed.
        evidence: what proves it.
        person: who decided last.
        decision_reason: why.
        decided_at: when.
    """

    factor_id: int
    factor: Factor
    state: State
    recorded_at: dt.datetime
    author: str | None = None
    reason: str = ""
    evidence: str = ""
    person: str | None = None
    decision_reason: str = ""
    decided_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list of records is narrowed to; None: all.

    Attributes:
        purpose: one of `PURPOSES`.
        region: exactly this one.
        carrier: exactly this one.
        data_year: exactly this one.
        known_on: in force at this moment.
        state: what was decided last.
    """

    purpose: str | None = None
    region: str | None = None
    carrier: str | None = None
    data_year: int | None = None
    known_on: dt.datetime | None = None
    state: State | None = None


def factor_document(factor: Factor) -> bytes:
    """The record as canonical JSON, without what depends on when and by whom it was approved."""
    members = dataclasses.asdict(factor)
    del members["recorded_at"], members["own"]
    return _encode({name: value for name, value in members.items() if name not in _LATER or value != _LATER[name]})


def factor_digest(park: str | None, document: bytes, attempt: int = 0) -> bytes:
    """What tells records apart; `attempt` counts earlier proposals of the same record that were not kept."""
    again = b"" if attempt == 0 else f"\n{attempt}".encode()
    return hashlib.sha256((park or "").encode() + b"\n" + document + again).digest()


def decode_factor(document: str | bytes | Mapping[str, Any], recorded_at: dt.datetime | None) -> Factor:
    """Build a record from what the database keeps; members it does not have yet take their defaults."""
    members = dict(document) if isinstance(document, Mapping) else msgspec.json.decode(document)
    for name in ("published_on", "valid_from", "valid_to"):
        if members.get(name) is not None:
            members[name] = dt.date.fromisoformat(members[name])
    return Factor(**(members | {"recorded_at": recorded_at}))


async def enter_factor(
    session: Session,
    factor: Factor,
    park: str | None,
    *,
    author: str | None = None,
    reason: str = "",
    evidence: str = "",
    attempt: int = 0,
) -> int | None:
    """Enter a record; None: the very same one is there already."""
    document = factor_document(factor)
    factor_id = await session.fetchval(
        QUERIES["factor_enter"],
        factor.factor,
        park,
        factor.purpose,
        factor.carrier,
        factor.region,
        factor.gas,
        factor.basis,
        factor.unit,
        factor.value,
        factor.data_year,
        factor.publisher,
        factor.edition,
        factor.published_on,
        factor.unverified,
        factor_digest(park, document, attempt),
        document.decode(),
        factor.published_year,
        factor.valid_from,
        factor.valid_to,
        factor.licence,
        factor.source_page,
        factor.reviewer,
        author,
        reason,
        evidence,
    )
    return None if factor_id is None else int(factor_id)


async def load_known(session: Session, park: str, as_of: dt.datetime) -> tuple[tuple[int, Factor], ...]:
    """Records that could be used at a moment: (database id, record), the catalog's and the park's own in force."""
    rows = await session.fetch(QUERIES["factor_known"], park, as_of)
    return tuple((row["factor_id"], decode_factor(row["document"], row["recorded_at"])) for row in rows)


async def show(session: Session, park: str, factor_id: int) -> Record:
    """One record.

    Raises:
        LookupError: it is not there for this park.
    """
    row = await session.fetchrow(QUERIES["factor_record"], park, factor_id)
    if row is None:
        raise LookupError(f"there is no factor {factor_id} in {park}")
    return _record(row)


async def list_records(
    session: Session, park: str, wanted: Wanted, *, after: tuple[str, int] = ("", 0), limit: int = 100
) -> list[Record]:
    """Records in the order of their ids, `limit` of them after a position (id, row)."""
    rows = await session.fetch(
        QUERIES["factor_list"],
        park,
        wanted.purpose,
        wanted.region,
        wanted.carrier,
        wanted.data_year,
        wanted.known_on,
        wanted.state,
        *after,
        limit,
    )
    return [_record(row) for row in rows]


def _record(row: Row) -> Record:
    state: State = row["decision"] or ("approved" if row["author"] is None else "proposed")
    factor = decode_factor(row["document"], row["decided_at"] if state == "approved" else row["recorded_at"])
    if row["author"] is not None:
        factor = dataclasses.replace(factor, own=True, reviewer=(row["person"] or "") if state == "approved" else "")
    elif row["decided_at"] is None:
        factor = dataclasses.replace(factor, recorded_at=row["recorded_at"])
    return Record(
        row["factor_id"],
        factor,
        state,
        row["recorded_at"],
        row["author"],
        row["reason"],
        row["evidence"],
        row["person"],
        row["decision_reason"] or "",
        row["decided_at"],
    )


async def propose(
    session: Session, park: str, factor: Factor, *, author: str, reason: str, evidence: str, now: dt.datetime
) -> int:
    """Enter an organisation's own record; it counts once another person approved it.

    Args:
        session: inside a transaction.
        park: whose.
        factor: the record, complete: publisher, edition, source page; a value or `series`.
        author: who proposes it.
        reason: why.
        evidence: what proves it: a document's number, a file's digest, …
        now: nothing published after this day is taken.

    Returns:
        Its row of `factor`.

    Raises:
        LookupError: there is no such park.
        RefusedError: it breaks a rule, is not complete, or was proposed already.
    """
    check_own(factor, now)
    given = {"author": author, "reason": reason, "evidence": evidence}
    if missing := [name for name, text in given.items() if not text.strip()]:
        raise RefusedError("", f"{factor.factor}: {', '.join(missing)} must be told")
    if not await session.fetchval(QUERIES["factor_park_exists"], park):
        raise LookupError(f"there is no park {park}")
    if await session.fetchval(QUERIES["factor_id_taken"], park, factor.factor):
        raise RefusedError("", f"{factor.factor} is the id of a record of the catalog or of the park document")
    factor = dataclasses.replace(factor, reviewer="", own=True)
    row = await session.fetchrow(
        QUERIES["factor_same_proposals"], park, factor.factor, factor_document(factor).decode()
    )
    if row is not None and row["open"] is not None:
        raise RefusedError("", f"{factor.factor} was proposed already, as number {row['open']}")
    factor_id = await enter_factor(
        session,
        factor,
        park,
        author=author.strip(),
        reason=reason,
        evidence=evidence,
        attempt=0 if row is None else row["n"],
    )
    if factor_id is None:
        raise RefusedError("", f"{factor.factor} was proposed already")
    return factor_id


async def decide(
    session: Session,
    park: str,
    factor_id: int,
    decision: Decision,
    *,
    person: str,
    reason: str,
    load_id: int | None = None,
) -> int:
    """Approve, reject or withdraw a record, or one load of values of a series.

    Approving a series approves the values that others loaded for it before.

    Args:
        session: inside a transaction; `config_version` is locked in it.
        park: whose.
        factor_id: row of `factor`.
        decision: `withdrawn` only after `approved`.
        person: who decides; not who proposed or loaded it.
        reason: why.
        load_id: row of `factor_load`; None: the record itself.

    Returns:
        Number of points whose results are computed again.

    Raises:
        LookupError: there is no such record of this park.
        RefusedError: the same person, decided already, or it overlaps an approved record.
    """
    record = await show(session, park, factor_id)
    if not person.strip() or not reason.strip():
        raise RefusedError("", f"{record.factor.factor}: person and reason must be told")
    if load_id is not None and await session.fetchrow(QUERIES["factor_load_span"], factor_id, load_id) is None:
        raise LookupError(f"there is no load {load_id} of {record.factor.factor}")

    async def enter() -> None:
        with refusals():
            await session.fetchval(QUERIES["factor_decide"], factor_id, load_id, person.strip(), decision, reason)
            if decision == "approved" and load_id is None:
                await session.execute(QUERIES["factor_decide_loads"], factor_id, person.strip(), reason)

    if decision == "rejected":
        await enter()
        return 0
    return await changing(session, park, enter)


async def changing(session: Session, park: str, change: Callable[[], Awaitable[None]]) -> int:
    """Make a change of factors and mark what it touches."""
    await session.fetchval(DERIVE["version_for_update"])
    before = await load_model(session)
    await change()
    return await announce(session, before, park)


def check_own(factor: Factor, now: dt.datetime) -> None:
    """Refuse an organisation's own record that could be mistaken or lacks what an auditor needs.

    Raises:
        RefusedError: with the rule and the offending value.
    """
    for check in (_complete, _dimension, _basis):
        check(factor)
    published = factor.published_on
    if published is not None and published > now.date():
        raise RefusedError("1.1", f"{factor.factor}: published_on {published} is after today, {now.date()}")


def _complete(factor: Factor) -> None:
    name = factor.factor
    if not _ID.fullmatch(name):
        raise RefusedError("", f"{name!r} is no id: letters, digits, '.', '_', '-' only")
    needed = {
        "region": factor.region,
        "publisher": factor.publisher,
        "edition": factor.edition,
        "source_page": factor.source_page,
        "carrier": factor.carrier or factor.purpose == "gwp",
    }
    if missing := [member for member, value in needed.items() if not value or not str(value).strip()]:
        raise RefusedError("", f"{name}: {', '.join(missing)} must be told")
    texts = {member: value for member, value in dataclasses.asdict(factor).items() if isinstance(value, str)}
    if long := [member for member, value in texts.items() if len(value) > _LONGEST]:
        raise RefusedError("", f"{name}: {', '.join(long)}: longer than {_LONGEST} characters")
    if (factor.value is None) != factor.series:
        raise RefusedError("", f"{name}: value {factor.value}: a record has one value, or is a series without one")
    if factor.data_year is None and not factor.series:
        raise RefusedError("1.1", f"{name}: data_year must be told: it is not the year of publication")


def _dimension(factor: Factor) -> None:
    name, unit = factor.factor, factor.unit
    if _RAW_VOLUME.search(unit):
        raise RefusedError("1.12", f"{name}: {unit!r}: volumes at standard conditions only, Nm3")
    if not fits(factor.purpose, unit):
        raise RefusedError("1.8", f"{name}: unit {unit!r} does not fit {factor.purpose}")
    mass = re.match(r"(?:kg|t)(C[^/]*|N2O|SF6|NF3)/", unit)
    if mass and factor.purpose not in ("gwp", "fuel_part") and mass[1] != factor.gas:
        raise RefusedError("1.3", f"{name}: gas {factor.gas!r} does not fit unit {unit!r}")


def _basis(factor: Factor) -> None:
    name, basis = factor.factor, factor.basis
    if factor.purpose in BASIS_PURPOSES and calorific_basis(factor) is None:
        raise RefusedError("1.10", f"{name}: basis {basis!r} names neither NCV nor HHV")
    if factor.purpose == "gwp" and factor.edition not in ("AR4", "AR5", "AR6"):
        raise RefusedError("1.15", f"{name}: edition {factor.edition!r} is not AR4, AR5 or AR6")
    coal = factor.purpose == "energy_conversion" and factor.carrier == "electricity"
    if coal and not basis.startswith(_COAL_BASES):
        raise RefusedError("1.18", f"{name}: basis {basis!r} says neither 当量值 nor 等价值")
    if factor.purpose in GRID_PURPOSES and factor.carrier != "electricity":
        raise RefusedError("1.6", f"{name}: carrier {factor.carrier!r} of a {factor.purpose} factor")
