"""The state of a month or year: open, provisional, closed by a second person, re-opened only with a reason.

What is closed is frozen: the very bytes, with their digest and what they rest on. Whatever comes later makes a
difference that is shown (`books.difference`), and a new version when somebody re-opens and closes again.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from parkcarbon.books import inventory
from parkcarbon.books.amounts import Period, months_of, parse_period, point_amounts
from parkcarbon.books.facts import LATEST, QUERIES, Facts, load_current, load_facts
from parkcarbon.books.inventory import METHODS, Inputs
from parkcarbon.books.periods.obstacles import Obstacle, obstacles_of
from parkcarbon.books.refusals import refusals
from parkcarbon.domain.inventory import days_of
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Row, Session, from_ms

Json = dict[str, Any]
State = Literal["open", "provisional", "closed"]
Event = Literal["provisional", "closed", "reopened"]

_LOCK_AFTER: Final = dt.timedelta(days=39)  # after the day that follows the last (accounting rule 4.10)
_STATES: Final[dict[str | None, State]] = {
    None: "open",
    "reopened": "open",
    "provisional": "provisional",
    "closed": "closed",
}


class NotReadyError(RefusedError):
    """A period cannot be closed yet; `obstacles` lists why, and `hard` is True when no reason overrides it."""

    def __init__(self, period: str, obstacles: Sequence[Obstacle]) -> None:
        self.obstacles = tuple(obstacles)
        self.hard = any(obstacle.hard for obstacle in obstacles)
        told = "; ".join(obstacle.message for obstacle in obstacles)
        super().__init__("3.11", f"{period} cannot be closed: {told}")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a period stands.

    Attributes:
        period: `2026-03` or `2026`.
        state: open, provisional or closed.
        version: times it was closed; the number of the newest version.
        events: its steps, the oldest first.
    """

    period: str
    state: State = "open"
    version: int = 0
    events: tuple[Json, ...] = ()

    def document(self) -> Json:
        """Plain JSON."""
        due = self.lock_by
        return {
            "period": self.period,
            "state": self.state,
            "version": self.version,
            "lock_by": None if due is None else due.isoformat(),
            "events": list(self.events),
        }

    @property
    def lock_by(self) -> dt.date | None:
        """Day by which a month should be closed: 40 days after its last; None for a year."""
        return days_of(self.period)[1] + _LOCK_AFTER if len(self.period) > len("2026") else None


@dataclass(frozen=True, slots=True)
class Frozen:
    """What was frozen when a period was closed.

    Attributes:
        period: of it.
        method: profile.
        version: 1 when it was closed for the first time.
        body: canonical JSON.
        digest: sha256 of it.
        as_of: moment of knowledge.
        closed_by: second person.
        closed_at: when.
        basis: revision, factor ids, entries, ledger, and the version before.
    """

    period: str
    method: str
    version: int
    body: bytes
    digest: bytes
    as_of: dt.datetime
    closed_by: str
    closed_at: dt.datetime
    basis: Json = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """The inventory of a period as it is to be read: frozen where it was closed, else computed.

    Attributes:
        body: canonical JSON.
        frozen: where it comes from; None: computed.
    """

    body: bytes
    frozen: Frozen | None


async def answer(
    session: Session,
    park: str,
    period: str,
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
    method: str = "ghgp",
    version: int | None = None,
) -> Answer:
    """Read the inventory of a period: what was frozen, if it was closed at that moment of knowledge.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        park: id.
        period: `2026-03` or `2026`.
        now: time of now.
        as_of: moment of knowledge; None: now.
        method: one of `METHODS`.
        version: a version that was frozen, whatever became of it since.

    Raises:
        RefusedError: no such period or method, a period that had not begun, an `as_of` that is too new.
        LookupError: there is no such park or version, or the park was not known by then.
    """
    inventory.refuse_unknown(method)
    if as_of is not None:
        inventory.refuse_unsettled(now, as_of)
    moment = as_of or LATEST
    if version is None and not await session.fetchval(QUERIES["period_closed"], park, period, moment):
        inputs = await inventory.load_inputs(session, park, period, now=now, as_of=as_of)
        return Answer(inventory.result_of(inputs, method, final=False).to_bytes(), None)
    found = await frozen(session, park, period, method=method, as_of=moment, version=version)
    if found is None:
        raise LookupError(f"{park} has no frozen {method} version {version or ''} of {period}".replace("  ", " "))
    return Answer(found.body, found)


async def frozen(
    session: Session,
    park: str,
    period: str,
    *,
    method: str = "ghgp",
    as_of: dt.datetime = LATEST,
    version: int | None = None,
) -> Frozen | None:
    """What was frozen of a period: the newest version known at a moment, or the one asked for; None: nothing."""
    row = await session.fetchrow(QUERIES["period_frozen"], park, period, method, as_of, version)
    if row is None:
        return None
    return Frozen(
        period=period,
        method=row["method"],
        version=row["version"],
        body=bytes(row["body"]),
        digest=bytes(row["digest"]),
        as_of=row["as_of"],
        closed_by=row["person"],
        closed_at=row["recorded_at"],
        basis=msgspec.json.decode(row["basis"]),
    )


async def standing(session: Session, park: str, period: str, as_of: dt.datetime = LATEST) -> Standing:
    """Where a period stands, or stood."""
    return _standing(period, await session.fetch(QUERIES["period_events"], park, period, as_of))


async def list_periods(session: Session, park: str, *, now: dt.datetime) -> list[Standing]:
    """Every month and year of which something is known, and every one with a step, the newest first.

    Raises:
        LookupError: there is no such park.
    """
    facts = await load_current(session, park, now)
    rows = await session.fetch(QUERIES["period_events"], park, None, LATEST)
    names = {row["period"] for row in rows}
    first = await session.fetchval(QUERIES["first_day"], park)
    today = now.astimezone(facts.zone).date()
    while first is not None and first <= today:
        names |= {f"{first:%Y-%m}", f"{first:%Y}"}
        first = (first.replace(day=1) + dt.timedelta(days=31)).replace(day=1)
    return [
        _standing(name, [row for row in rows if row["period"] == name])
        for name in sorted(names, key=lambda name: (name[:4], len(name) == 4, name), reverse=True)
    ]


async def versions(session: Session, park: str, period: str) -> list[Json]:
    """What was frozen of a period, every version and method, without the bytes."""
    return [
        {
            "version": row["version"],
            "method": row["method"],
            "digest": bytes(row["digest"]).hex(),
            "as_of": _time(row["as_of"]),
            "bytes": row["bytes"],
        }
        for row in await session.fetch(QUERIES["period_versions"], park, period)
    ]


async def make_provisional(
    session: Session, park: str, period: str, *, person: str, reason: str, now: dt.datetime
) -> Standing:
    """Say that a period that is over is complete for all one knows; another person may close it then.

    Raises:
        RefusedError: it is not over, or not open.
        LookupError: there is no such park.
    """
    facts = await load_current(session, park, now)
    span = parse_period(period, facts.zone)
    if from_ms(span.to_ms) > now:
        raise RefusedError("3.9", _running(span, facts))
    await _step(session, park, period, "provisional", person=person, reason=reason)
    return await standing(session, park, period)


async def reopen(session: Session, park: str, period: str, *, person: str, reason: str) -> Standing:
    """Open a provisional or closed period again; what was frozen stays and can be read by its version.

    Raises:
        RefusedError: no reason, it is open, or the year that rests on it is closed.
    """
    await _step(session, park, period, "reopened", person=person, reason=reason)
    return await standing(session, park, period)


async def obstacles(session: Session, park: str, period: str, *, now: dt.datetime) -> list[Obstacle]:
    """What stands against closing a period now.

    Raises:
        RefusedError: no such period.
        LookupError: there is no such park.
    """
    _, found = await _prepared(session, park, period, now=now)
    return found


async def close(
    session: Session,
    park: str,
    period: str,
    *,
    person: str,
    reason: str,
    now: dt.datetime,
    override: bool = False,
) -> Frozen:
    """Close a provisional period and freeze its inventory on every method, as known a minute ago.

    Args:
        session: a connection inside a transaction that may write, not one of an older snapshot.
        park: id.
        period: `2026-03` or `2026`; a year needs its twelve months closed.
        person: second person: not the one who made it provisional.
        reason: why; needed to override.
        now: time of now.
        override: True closes over open questions, gaps, missing and unapproved entries; they are kept with the reason.

    Raises:
        NotReadyError: obstacles that are not overridden, or that nothing overrides.
        RefusedError: the period is not provisional, the same person, no reason for the override.
        LookupError: there is no such park.
    """
    before = await standing(session, park, period)
    if before.state == "closed":  # the database says so of any other state, after what stands against closing
        raise RefusedError("6.9", f"{period} is closed already, version {before.version}")
    inputs, found = await _prepared(session, park, period, now=now)
    if inputs is None or any(obstacle.hard for obstacle in found) or (found and not override):
        raise NotReadyError(period, found)
    event_id = await _step(session, park, period, "closed", person=person, reason=reason, over=found)
    predecessor = await frozen(session, park, period) if before.version else None
    await _freeze(session, event_id, inputs, predecessor)
    done = await frozen(session, park, period)
    if done is None:
        raise LookupError(f"{period} was not frozen")
    return done


async def _prepared(
    session: Session, park: str, period: str, *, now: dt.datetime
) -> tuple[Inputs | None, list[Obstacle]]:
    """What would be frozen, and what stands against it; stored amounts are read before it is looked what came late."""
    current = await load_current(session, park, now)
    span = parse_period(period, current.zone)
    if from_ms(span.to_ms) > now:
        return None, [Obstacle("running", _running(span, current), hard=True)]
    clock = await session.fetchval(QUERIES["clock"])
    try:
        facts = await load_facts(session, park, min(now, clock) - inventory.SETTLED_AFTER)
    except LookupError:  # the park itself is newer
        told = "within the last minute came the park itself: try again in a minute"
        return None, [Obstacle("unsettled", told, hard=True)]
    points = await point_amounts(session, facts, span.from_ms, span.to_ms)
    inputs = await inventory.with_entries(session, facts, span, points)
    live = await inventory.with_entries(session, current, span, points)
    found = await obstacles_of(session, inputs, live)
    return inputs, [*await _open_months(session, current, span), *found]


def _running(period: Period, facts: Facts) -> str:
    end = from_ms(period.to_ms).astimezone(facts.zone)
    return f"{period.label} is not over: it ends {end.isoformat(timespec='minutes')}"


async def _open_months(session: Session, facts: Facts, period: Period) -> list[Obstacle]:
    if period.is_month:
        return []
    rows = await session.fetch(QUERIES["period_events"], facts.park, None, LATEST)
    found = []
    for month in months_of(period, facts.zone):
        state = _standing(month.label, [row for row in rows if row["period"] == month.label]).state
        if state != "closed":
            found.append(month.label)
    if not found:
        return []
    return [Obstacle("open_months", f"a year is closed after its months: {', '.join(found)} not closed", hard=True)]


async def _step(
    session: Session,
    park: str,
    period: str,
    event: Event,
    *,
    person: str,
    reason: str,
    over: Sequence[Obstacle] = (),
) -> int:
    overridden = msgspec.json.encode([obstacle.document() for obstacle in over]).decode()
    with refusals():
        row = await session.fetchrow(QUERIES["insert_period_event"], park, period, event, person, reason, overridden)
    if row is None:
        raise LookupError(f"there is no park {park}")
    return int(row["event_id"])


async def _freeze(session: Session, event_id: int, inputs: Inputs, predecessor: Frozen | None) -> None:
    not_frozen: dict[str, str] = {}
    bodies: dict[str, bytes] = {}
    for method in METHODS:
        try:
            bodies[method] = inventory.result_of(inputs, method, final=True).to_bytes()
        except (RefusedError, LookupError) as reason:
            if method == "ghgp":
                raise
            not_frozen[method] = str(reason)
    basis = msgspec.json.encode(_basis(inputs, not_frozen, predecessor)).decode()
    with refusals():
        for method, body in bodies.items():
            await session.fetchval(QUERIES["insert_period_frozen"], event_id, method, body, inputs.facts.as_of, basis)


def _basis(inputs: Inputs, not_frozen: dict[str, str], predecessor: Frozen | None) -> Json:
    facts = inputs.facts
    result = inventory.inventory_of(inputs, final=True)
    used = {match.factor for scope in (*result.scopes, result.scope3) for line in scope.lines for match in line.factors}
    return {
        "revision": facts.revision,
        "method_version": result.method_version,
        "factors": [
            {"id": factor_id, "factor": factor.factor} for factor_id, factor in facts.factors if factor in used
        ],
        "entries": [activity.activity for activity in inputs.activities],
        "ledger": inputs.cover.document(),
        "not_frozen": not_frozen,
        "predecessor": None
        if predecessor is None
        else {"version": predecessor.version, "digest": predecessor.digest.hex()},
    }


def _standing(period: str, rows: Sequence[Row]) -> Standing:
    if not rows:
        return Standing(period)
    return Standing(period, _STATES[rows[-1]["event"]], rows[-1]["version"], tuple(_event(row) for row in rows))


def _event(row: Row) -> Json:
    return {
        "event": row["event"],
        "version": row["version"],
        "person": row["person"],
        "reason": row["reason"],
        "override": msgspec.json.decode(row["override"]),
        "recorded_at": _time(row["recorded_at"]),
    }


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
