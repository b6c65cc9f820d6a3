"""What is known of a park on a date: the document, factors, entries and instruments that a result may rest on."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from parkcarbon.catalog.entries import KINDS
from parkcarbon.catalog.park import Park
from parkcarbon.domain.factors import Factor, FactorSeries
from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.domain.submeters import nearest_upstream
from parkcarbon.kit.db import Row, Session, load_queries

QUERIES: Final = load_queries("parkcarbon.books")
EntryState = Literal["in_force", "pending", "rejected", "superseded", "withdrawn", "withdrawal"]
"""`pending` waits for a second person; a `withdrawal` is the row that took another out."""

LATEST: Final = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
"""A moment of knowledge after every fact."""

METERED: Final = frozenset({"counter", "delta"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry in force: neither superseded nor withdrawn nor refused by its reviewer.

    Attributes:
        entry_id: row of `entry`.
        kind: one of `parkcarbon.catalog.entries.KINDS`.
        tenant: whose; None: the park's.
        from_day: first local day it speaks of.
        to_day: day after the last.
        content: the document, typed by its kind.
        evidence: what proves it: number of an invoice, file digest, …
        author: who entered it.
        reviewer: the second person; None: not reviewed yet.
        recorded_at: when.
        simulated: True for entries of a demonstration; every figure resting on it says so.
    """

    entry_id: int
    kind: str
    tenant: str | None
    from_day: dt.date
    to_day: dt.date
    content: Struct
    evidence: str
    author: str
    reviewer: str | None
    recorded_at: dt.datetime
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class PointFact:
    """One point as the park document had it.

    Attributes:
        point_id: key in the database.
        point: `device/quantity`.
        device: its device.
        quantity: name from the closed list.
        kind: `counter`, `gauge` or `delta`.
        unit: of the amount.
        carrier: `electricity`, `gas`, `heat` or `none`.
        flow: meaning in the balance, or None.
        tenant: whose, or None: the park's.
        active: False once the document dropped or switched it off: what it counted before still counts.
        below: of a sub-meter, the nearest one upstream that there is; None: none.
    """

    point_id: int
    point: str
    device: str
    quantity: str
    kind: str
    unit: str
    carrier: str
    flow: str | None
    tenant: str | None
    active: bool
    below: str | None = None

    @property
    def metered(self) -> bool:
        """True when intervals come from it."""
        return self.kind in METERED


@dataclass(frozen=True)
class Facts:
    """A park as known on a date.

    Attributes:
        park: id.
        as_of: moment of knowledge: nothing recorded later is in here.
        revision: of the park document.
        document: the park document as it was.
        zone: the park's time zone.
        factors: (database id, record) in force: the catalog's, and the park's own once approved.
        series: values of the factors that are series, by database id.
        entries: in force, by from_day, kind and id.
        point_ids: database id by point name.
        points: every point known by then, by name; retired ones are there and not active.
        now: time of asking, by the clock of the process; None: `as_of`.
    """

    park: str
    as_of: dt.datetime
    revision: int
    document: Park
    zone: ZoneInfo
    factors: tuple[tuple[int, Factor], ...]
    series: Mapping[int, FactorSeries] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    point_ids: Mapping[str, int] = field(default_factory=dict)
    points: tuple[PointFact, ...] = ()
    now: dt.datetime | None = None

    @property
    def until(self) -> dt.datetime:
        """Readings are expected up to here."""
        return self.as_of if self.now is None else self.now

    @cached_property
    def installed(self) -> Mapping[str, dt.datetime]:
        """When each point got its first meter; points without any episode are absent: always there."""
        return {
            f"{device.device}/{point.quantity}": min(episode.at for episode in point.episodes)
            for device in self.document.devices
            for point in device.points
            if point.episodes
        }

    def entries_of(self, *kinds: str, from_day: dt.date, to_day: dt.date) -> list[Entry]:
        """Entries of these kinds that begin in `[from_day, to_day)`."""
        return [entry for entry in self.entries if entry.kind in kinds and from_day <= entry.from_day < to_day]

    def metered(self, *flows: str) -> list[PointFact]:
        """Points that intervals come from, narrowed to some flows."""
        return [point for point in self.points if point.metered and (not flows or point.flow in flows)]


async def load_facts(session: Session, park: str, as_of: dt.datetime) -> Facts:
    """Read what was known of a park at a past moment; `load_current` reads what is known now.

    Args:
        session: a connection, best in one transaction that sees one moment of the database.
        park: id.
        as_of: moment of knowledge, by the database's clock.

    Raises:
        LookupError: there is no such park, or nothing of it was known by then.
    """
    row = await session.fetchrow(QUERIES["revision_at"], park, as_of)
    if row is None:
        known = await session.fetchval(QUERIES["park_known"], park)
        raise LookupError(f"{park} was not known by {as_of.isoformat()}" if known else f"there is no park {park}")
    document = msgspec.json.decode(row["document"], type=Park)
    points = await _points(session, document, as_of)
    factors, series = await _factors(session, park, as_of)
    return Facts(
        park=park,
        as_of=as_of,
        revision=row["revision"],
        document=document,
        zone=ZoneInfo(document.timezone),
        factors=factors,
        series=series,
        entries=entries_in_force(await session.fetch(QUERIES["entries_at"], park, as_of)),
        point_ids={point.point: point.point_id for point in points},
        points=points,
    )


async def load_current(session: Session, park: str, now: dt.datetime) -> Facts:
    """Read all that is known of a park: `as_of` is now by whichever clock is ahead, the database's or the caller's.

    Args:
        session: a connection.
        park: id.
        now: time of now.

    Raises:
        LookupError: there is no such park.
    """
    facts = await load_facts(session, park, max(now, await session.fetchval(QUERIES["clock"])))
    return replace(facts, now=now)


async def _points(session: Session, document: Park, as_of: dt.datetime) -> tuple[PointFact, ...]:
    rows = await session.fetch(QUERIES["points_of_park"], document.park)
    flows: dict[str, tuple[str | None, str | None, bool]] = {
        f"{device.device}/{point.quantity}": (point.flow, device.tenant, device.active)
        for device in document.devices
        for point in device.points
    }
    others = [row["point"] for row in rows if row["point"] not in flows]
    if others:
        for old in await session.fetch(QUERIES["retired_points"], document.park, as_of, others):
            flows[f"{old['device']}/{old['quantity']}"] = (old["flow"], old["tenant"], False)
    points = [_point(row, *flows[row["point"]]) for row in rows if row["point"] in flows]
    declared = {
        f"{device.device}/{point.quantity}": point.below for device in document.devices for point in device.points
    }
    above = nearest_upstream(declared, {point.point for point in points if point.flow == "sub_meter"})
    return tuple(replace(point, below=above.get(point.point)) for point in points)


def _point(row: Row, flow: str | None, tenant: str | None, active: bool) -> PointFact:  # noqa: FBT001 - unpacked
    device, _, name = row["point"].partition("/")
    quantity = QUANTITIES[name]
    unit, carrier = quantity.unit, quantity.carrier
    return PointFact(row["point_id"], row["point"], device, name, row["kind"], unit, carrier, flow, tenant, active)


async def _factors(
    session: Session, park: str, as_of: dt.datetime
) -> tuple[tuple[tuple[int, Factor], ...], dict[int, FactorSeries]]:
    factors: list[tuple[int, Factor]] = []
    series: dict[int, FactorSeries] = {}
    types: dict[str, Any] = {"start": "timestamptz", "span_ms": "int4", "value": "float8"}
    for row in await session.fetch(QUERIES["factors_at"], park, as_of):
        factor_id, factor = row["factor_id"], decode_factor(row["document"], row["recorded_at"])
        factors.append((factor_id, factor))
        if factor.series:
            found = await session.fetch_columns(QUERIES["factor_values_at"], factor_id, as_of, types=types)
            series[factor_id] = FactorSeries(factor, found["start"], found["span_ms"].astype("int64"), found["value"])
    return tuple(factors), series


def decode_factor(document: str, recorded_at: dt.datetime) -> Factor:
    """Build a factor record from what the database keeps."""
    members: dict[str, Any] = msgspec.json.decode(document)
    for name in ("published_on", "valid_from", "valid_to"):
        if members.get(name) is not None:
            members[name] = dt.date.fromisoformat(members[name])
    return Factor(**(members | {"recorded_at": recorded_at}))


def entries_in_force(rows: Sequence[Row]) -> tuple[Entry, ...]:
    """The entries that count, of all that were known, by first day, kind and id.

    Args:
        rows: of the query `entries_at`, by id.
    """
    states = entry_states(rows)
    found = [_entry(row) for row in rows if states[row["entry_id"]] == "in_force"]
    return tuple(sorted(found, key=lambda entry: (entry.from_day, entry.kind, entry.entry_id)))


def entry_states(rows: Sequence[Row]) -> dict[int, EntryState]:
    """What became of each entry, of all that were known.

    An entry counts no longer once any later one of its chain counts, a withdrawal too; until that one is approved the
    older goes on counting.

    Args:
        rows: of the query `entries_at`, by id.
    """
    before = {row["entry_id"]: row["supersedes"] for row in rows}
    withdrawn = {row["entry_id"] for row in rows if row["withdrawn"]}
    after: dict[int, int] = {}
    for row in rows:
        newest = row["entry_id"]
        older = row["supersedes"] if counts(row) else None
        while older is not None:
            after[older] = newest
            older = before[older]
    states: dict[int, EntryState] = {}
    for row in rows:
        entry_id = row["entry_id"]
        if row["decision"] == "rejected":
            states[entry_id] = "rejected"
        elif entry_id in after:
            states[entry_id] = "withdrawn" if after[entry_id] in withdrawn else "superseded"
        elif not counts(row):
            states[entry_id] = "pending"
        else:
            states[entry_id] = "withdrawal" if row["withdrawn"] else "in_force"
    return states


def counts(row: Row) -> bool:
    """True when an entry needs no second person any more."""
    if row["decision"] is None:
        return not row["needs_review"]
    return bool(row["decision"] == "approved")


def _entry(row: Row) -> Entry:
    return Entry(
        entry_id=row["entry_id"],
        kind=row["kind"],
        tenant=row["tenant"],
        from_day=row["from_day"],
        to_day=row["to_day"],
        content=msgspec.json.decode(row["document"], type=KINDS[row["kind"]]),
        evidence=row["evidence"],
        author=row["author"],
        reviewer=row["reviewer"],
        recorded_at=row["recorded_at"],
        simulated=row["simulated"],
    )
