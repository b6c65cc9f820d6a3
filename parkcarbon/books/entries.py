"""Entering what meters do not say: dated entries with evidence, superseded or withdrawn but never changed.

A kind whose Struct says `needs_review: ClassVar[bool] = True` counts only once a second person approved the entry.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from parkcarbon.books.amounts import parse_period
from parkcarbon.books.facts import LATEST, QUERIES, EntryState, Facts, entry_states, load_facts
from parkcarbon.books.refusals import refusals
from parkcarbon.catalog.entries import KINDS, EntryError, activity, decode_entry
from parkcarbon.catalog.entries.activity_base import ActivityEntry, Frame
from parkcarbon.catalog.strict import document_problems
from parkcarbon.domain.activities.counting import refuse
from parkcarbon.domain.emissions import Query
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Row, Session

Json = dict[str, Any]
Decision = Literal["approved", "rejected"]

_BELOW_ZERO: Final = re.compile(r"Expected `(?:float|int)` >=? 0")
_AHEAD: Final = dt.timedelta(days=2 * 365)
MEASURED: Final = frozenset({*activity.KINDS, "bill", "soc"})
"""Kinds of what was used or measured: nothing of it lies years ahead, as a budget or a measure may."""
DECISIONS: Final[tuple[Decision, ...]] = ("approved", "rejected")
_encode = msgspec.json.Encoder(order="sorted").encode


class NewEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry as a person gives it.

    Attributes:
        kind: one of `parkcarbon.catalog.entries.KINDS`.
        document: what it says, in the shape of its kind.
        evidence: what proves it: number of an invoice, digest of a file; without it the entry is refused.
        period: month or year it speaks of, instead of the days.
        from_day: first local day.
        to_day: day after the last.
        tenant: whose; None: the park's.
        reason: why; needed with `supersedes`.
        supersedes: the entry that it replaces.
        simulated: True for a demonstration; every figure resting on it says so.
    """

    kind: str
    document: dict[str, Any]
    evidence: str = ""
    period: str | None = None
    from_day: dt.date | None = None
    to_day: dt.date | None = None
    tenant: str | None = None
    reason: str = ""
    supersedes: int | None = None
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one of many entries.

    Attributes:
        where: which one, for example `entries[2]`.
        rule: number of the rule that refuses it, or empty.
        message: what is wrong.
    """

    where: str
    rule: str
    message: str

    def __str__(self) -> str:
        """As the command line prints it."""
        return f"{self.where}: {f'rule {self.rule}: ' if self.rule else ''}{self.message}"


class EntriesError(ValueError):
    """None of many entries was entered; `problems` names everything that is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


def needs_review(kind: str) -> bool:
    """True when entries of a kind count only after a second person approved them."""
    return bool(getattr(KINDS[kind], "needs_review", False))


async def enter(
    session: Session,
    park: str,
    kind: str,
    document: Mapping[str, Any],
    *,
    tenant: str | None,
    from_day: dt.date,
    to_day: dt.date,
    evidence: str,
    author: str,
    reason: str,
    supersedes: int | None = None,
    simulated: bool = False,
) -> int:
    """Enter one entry and return its id.

    Args:
        session: a connection inside a transaction.
        park: whose books.
        kind: of the entry.
        document: what it says.
        tenant: a tenant of the park document; None: the park itself.
        from_day: first local day.
        to_day: day after the last.
        evidence: what proves it.
        author: who enters it.
        reason: why; needed with `supersedes`.
        supersedes: the entry it replaces.
        simulated: True for a demonstration.

    Raises:
        EntryError: the document does not fit its kind.
        RefusedError: a rule forbids it.
        LookupError: there is no such park.
    """
    content = check_document(kind, document)
    if await session.fetchval(QUERIES["lock_entries"], park) is None:
        raise LookupError(f"there is no park {park}")
    _check_frame(from_day, to_day, evidence)
    if kind in MEASURED:
        _check_ahead(kind, from_day, (await session.fetchval(QUERIES["clock"])).date())
    if tenant is not None and not await session.fetchval(QUERIES["tenant_known"], park, tenant):
        raise LookupError(f"there is no tenant {tenant} in {park}")
    if tenant is None and (rule := getattr(content, "tenant_by_rule", "")):
        raise RefusedError(rule, f"{kind} belongs to a tenant, an enterprise on its own boundary, never to the park")
    text = _encode(msgspec.to_builtins(content)).decode()
    span = (park, kind, tenant, from_day, to_day, text, evidence)
    if (same := await session.fetchval(QUERIES["same_entry"], *span)) is not None:
        raise RefusedError("6.10", f"entry {same} says exactly this already; the same amount is never counted twice")
    with refusals():
        number = await session.fetchval(
            QUERIES["insert_entry"], *span, author, reason, needs_review(kind), supersedes, simulated
        )
    return int(number)


def check_document(kind: str, document: Mapping[str, Any]) -> Struct:
    """Check what an entry says against its kind.

    Raises:
        EntryError: members that do not fit, all at once.
        RefusedError: members that fit but break a rule together.
    """
    try:
        return decode_entry(kind, document)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, RefusedError):
            raise error.__cause__ from None
        raise EntryError(kind, [str(error)]) from error


def _check_frame(from_day: dt.date, to_day: dt.date, evidence: str) -> None:
    if not from_day < to_day:
        raise RefusedError("6.10", f"the entry ends on {to_day}, not after its first day {from_day}")
    if not evidence.strip():
        raise RefusedError("6.5", "an entry needs evidence: the number of an invoice or protocol, or a file's digest")


def _check_ahead(kind: str, from_day: dt.date, today: dt.date) -> None:
    if from_day > today + _AHEAD:
        raise RefusedError(
            "", f"the entry begins on {from_day}, today is {today}: {kind} is entered once it was used, check the year"
        )


async def enter_many(session: Session, park: str, documents: Sequence[Any], *, author: str) -> list[int]:
    """Enter all of some entries or none, and name every problem of all of them.

    Args:
        session: a connection inside a transaction.
        park: whose books.
        documents: plain data in the shape of `NewEntry`.
        author: who enters them.

    Raises:
        EntriesError: with every problem.
        LookupError: there is no such park.
    """
    facts = await load_facts(session, park, LATEST)
    async with session.transaction():
        return await _enter_all(session, facts, documents, author)


async def _enter_all(session: Session, facts: Facts, documents: Sequence[Any], author: str) -> list[int]:
    problems: list[Problem] = []
    numbers: list[int] = []
    for position, document in enumerate(documents):
        where = f"entries[{position}]"
        try:
            async with session.transaction():
                numbers.append(await _enter_one(session, facts, document, author))
        except EntryError as error:
            problems += [Problem(where, _rule_of(line), line) for line in error.problems]
        except RefusedError as error:
            problems.append(Problem(where, error.rule, error.reason))
        except LookupError as error:
            problems.append(Problem(where, "", str(error)))
    if problems or not documents:
        raise EntriesError(problems or [Problem("entries", "", "there is none")])
    return numbers


async def _enter_one(session: Session, facts: Facts, document: Any, author: str) -> int:
    if found := list(document_problems(document, NewEntry)):
        raise EntryError("entry", found)
    new = msgspec.convert(document, NewEntry)
    from_day, to_day = _days(new, facts)
    _refuse_by_park(new, from_day, to_day, facts)
    return await enter(
        session,
        facts.park,
        new.kind,
        new.document,
        tenant=new.tenant,
        from_day=from_day,
        to_day=to_day,
        evidence=new.evidence,
        author=author,
        reason=new.reason,
        supersedes=new.supersedes,
        simulated=new.simulated,
    )


def _refuse_by_park(new: NewEntry, from_day: dt.date, to_day: dt.date, facts: Facts) -> None:
    """Refuse what breaks a rule together with the settings and factors of the park, such as another GWP set."""
    content = check_document(new.kind, new.document)
    if isinstance(content, ActivityEntry) and from_day < to_day:
        frame = Frame("entry", from_day, to_day, tenant=new.tenant, evidence=new.evidence.strip())
        records = tuple(factor for _, factor in facts.factors)
        settings = facts.document.method.settings()
        query = Query(records, settings, "electricity", "kWh", from_day.year, facts.as_of)
        refuse(content.activity(frame), query)


def _rule_of(line: str) -> str:
    """Rule behind a member that does not fit: another dimension or a negative amount is more than a matter of shape."""
    member, _, said = line.partition(": ")
    wrong_dimension = member.rpartition(".")[2] == "unit" and said != "missing"
    return "6.10" if wrong_dimension or _BELOW_ZERO.search(said) else ""


def _days(new: NewEntry, facts: Facts) -> tuple[dt.date, dt.date]:
    days = (new.from_day, new.to_day)
    if new.period is not None and days == (None, None):
        period = parse_period(new.period, facts.zone)
        return period.from_day, period.to_day
    if new.period is not None or new.from_day is None or new.to_day is None:
        raise EntryError("entry", ["give either period, or from_day and to_day (the day after the last)"])
    return new.from_day, new.to_day


async def withdraw(session: Session, entry_id: int, *, author: str, reason: str, park: str | None = None) -> int:
    """Take an entry out, nothing replacing it; return the id of the withdrawal, which is reviewed like an entry.

    Raises:
        LookupError: there is no such entry (of this park).
        RefusedError: no reason, or it was superseded already.
    """
    await _known(session, entry_id, park)
    if not reason.strip():
        raise RefusedError("6.9", f"entry {entry_id} is withdrawn without a reason")
    with refusals():
        return int(await session.fetchval(QUERIES["insert_withdrawal"], entry_id, author, reason))


async def review(
    session: Session, entry_id: int, *, person: str, decision: str, reason: str, park: str | None = None
) -> None:
    """Approve or reject an entry; the database refuses its author, and a second review.

    Args:
        session: a connection inside a transaction.
        entry_id: of the entry.
        person: who decides.
        decision: `approved` or `rejected`.
        reason: why; needed to reject.
        park: if given, the entry must be of this park.

    Raises:
        LookupError: there is no such entry (of this park).
        RefusedError: the reviewer entered it, it was reviewed before, or it was superseded.
    """
    if decision not in DECISIONS:
        raise RefusedError("", f"{decision!r} is neither approved nor rejected")
    if decision == "rejected" and not reason.strip():
        raise RefusedError("6.9", f"entry {entry_id} is rejected without a reason")
    await _known(session, entry_id, park)
    with refusals():
        await session.fetchval(QUERIES["insert_entry_review"], entry_id, person, decision, reason)


async def _known(session: Session, entry_id: int, park: str | None) -> None:
    owner = await session.fetchval(QUERIES["entry_park"], entry_id)
    if owner is None or (park is not None and owner != park):
        raise LookupError(f"there is no entry {entry_id}" + (f" in {park}" if park else ""))


async def list_entries(
    session: Session,
    park: str,
    as_of: dt.datetime,
    *,
    kind: str | None = None,
    state: EntryState | None = None,
    from_day: dt.date | None = None,
    to_day: dt.date | None = None,
) -> list[Json]:
    """Every entry known at a moment with its state, by id.

    Args:
        session: a connection.
        park: whose.
        as_of: moment of knowledge.
        kind: only this kind.
        state: only those in this state.
        from_day: only those that end after it.
        to_day: only those that begin before it.
    """
    rows = await session.fetch(QUERIES["entries_at"], park, as_of)
    states = entry_states(rows)
    return [
        entry_document(row, states[row["entry_id"]])
        for row in rows
        if (kind is None or row["kind"] == kind)
        and (state is None or states[row["entry_id"]] == state)
        and (from_day is None or row["to_day"] > from_day)
        and (to_day is None or row["from_day"] < to_day)
    ]


async def one_entry(session: Session, park: str, entry_id: int, as_of: dt.datetime) -> Json:
    """One entry with its state.

    Raises:
        LookupError: there is no such entry in this park.
    """
    for found in await list_entries(session, park, as_of):
        if found["entry"] == entry_id:
            return found
    raise LookupError(f"there is no entry {entry_id} in {park}")


def entry_document(row: Row, state: EntryState) -> Json:
    """An entry as API and command line show it."""
    review_of = {"person": row["reviewer"], "decision": row["decision"], "reason": row["review_reason"]}
    return {
        "entry": row["entry_id"],
        "state": state,
        "kind": row["kind"],
        "tenant": row["tenant"],
        "from_day": row["from_day"].isoformat(),
        "to_day": row["to_day"].isoformat(),
        "document": msgspec.json.decode(row["document"]),
        "evidence": row["evidence"],
        "author": row["author"],
        "reason": row["reason"],
        "needs_review": row["needs_review"],
        "review": None if row["decision"] is None else review_of | {"recorded_at": _time(row["reviewed_at"])},
        "supersedes": row["supersedes"],
        "withdrawal": row["withdrawn"],
        "simulated": row["simulated"],
        "recorded_at": _time(row["recorded_at"]),
    }


def kinds() -> list[Json]:
    """Every kind of entry: what it is, whether it needs a second person, and the JSON schema of its document."""
    return [
        {
            "kind": name,
            "about": " ".join((kind.__doc__ or "").partition("\n\n")[0].split()),
            "needs_review": needs_review(name),
            "schema": msgspec.json.schema(kind),
        }
        for name, kind in sorted(KINDS.items())
    ]


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
