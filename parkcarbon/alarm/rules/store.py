"""Where the rules of a park are kept: every revision whole, who changed them and why; the newest is in force."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Row, Session, load_queries

from .document import Alarms, Rule
from .load import canonical, digest_of

QUERIES: Final = load_queries("parkcarbon.alarm")


@dataclass(frozen=True, slots=True)
class RulesOf:
    """The rules of a park.

    Attributes:
        park: id.
        revision: 0: none was ever applied.
        document: as applied.
        author: who applied it.
        reason: why.
        recorded_at: when; None: never.
    """

    park: str
    revision: int
    document: Alarms
    author: str = ""
    reason: str = ""
    recorded_at: dt.datetime | None = None


async def rules_of(session: Session, park: str) -> RulesOf:
    """The rules in force; an empty document of revision 0 where none was ever applied."""
    row = await session.fetchrow(QUERIES["rules_newest"], park)
    if row is None:
        return RulesOf(park, 0, Alarms(park=park))
    return RulesOf(park, row["revision"], _document(row), row["author"], row["reason"], row["recorded_at"])


async def rules_by_revision(
    session: Session, park: str, revisions: Collection[int]
) -> Mapping[int, Mapping[str, Rule]]:
    """Rules of some revisions by id: an alarm is called what its rule was called when it was raised."""
    rows = await session.fetch(QUERIES["rules_revisions"], park, sorted(set(revisions)))
    return {row["revision"]: {rule.rule: rule for rule in _document(row).rules} for row in rows}


async def apply_rules(
    session: Session, document: Alarms, author: str, reason: str, *, read: int | None = None
) -> RulesOf:
    """Put a checked document in force; the one in force already makes no new revision.

    Args:
        session: a connection inside a transaction that may write.
        document: checked against its park, see `compile_rules`.
        author: who answers for it.
        reason: why.
        read: revision that the author had read; None: whichever.

    Raises:
        LookupError: there is no such park.
        RefusedError: nobody is named, no reason is given, or another revision came in between.
    """
    if not author.strip():
        raise RefusedError("", "nobody is named who would answer for the rules")
    if not reason.strip():
        raise RefusedError("", "say why the rules change: it is kept")
    park = document.park
    if await session.fetchrow(QUERIES["rules_lock"], park) is None:
        raise LookupError(f"there is no park {park}")
    before = await rules_of(session, park)
    if read is not None and read != before.revision:
        raise RefusedError(
            "",
            f"revision {before.revision} by {before.author} is in force, not {read} that was read: read it again",
        )
    if before.revision and digest_of(before.document) == digest_of(document):
        return before
    revision = before.revision + 1
    body, digest = canonical(document).decode(), digest_of(document)
    recorded_at = await session.fetchval(
        QUERIES["rules_insert"], park, revision, body, digest, author.strip(), reason.strip()
    )
    return RulesOf(park, revision, document, author.strip(), reason.strip(), recorded_at)


def _document(row: Row) -> Alarms:
    value = row["document"]
    if isinstance(value, str | bytes):
        value = msgspec.json.decode(value)
    return msgspec.convert(value, Alarms)
