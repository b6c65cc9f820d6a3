"""The inventory of a month or year: amounts, entries and instruments as known, put together by the domain."""

import datetime as dt
import json
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from parkcarbon.books.amounts import Period, parse_period, point_amounts
from parkcarbon.books.derive.as_of import point_amounts_as_of
from parkcarbon.books.facts import QUERIES, Facts, load_current, load_facts
from parkcarbon.books.instruments.load import load_cover
from parkcarbon.catalog.entries.activity import activities_of, screening_of
from parkcarbon.domain.activities.activity import Activity
from parkcarbon.domain.activities.scope3 import Screened
from parkcarbon.domain.emissions import Basis
from parkcarbon.domain.instruments.cover import Cover
from parkcarbon.domain.inventory import Inventory, Json, PointAmount, assemble, electricity_micro_kwh
from parkcarbon.domain.methods.gbt32150 import gbt32150
from parkcarbon.domain.methods.iso14064 import by_category
from parkcarbon.domain.methods.zcp910 import zcp910
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Session, from_ms

SETTLED_AFTER: Final = dt.timedelta(seconds=60)
"""What was recorded longer ago is all there: writing transactions live half as long."""

METHODS: Final = ("ghgp", "iso14064", "gbt32150", "zcp910")
"""Method profiles; statements use `ghgp`, `iso14064` is another order of the same lines."""


class Result(Protocol):
    """What a period comes to on one method profile."""

    def document(self) -> Json:
        """Plain JSON."""

    def to_bytes(self) -> bytes:
        """Canonical JSON."""


@dataclass(frozen=True, slots=True)
class Categories:
    """An inventory by the categories of ISO 14064-1, on both bases of imported electricity."""

    inventory: Inventory

    def document(self) -> Json:
        """Plain JSON, in the shape of the HTTP contract."""
        bases: tuple[Basis, ...] = ("location", "market")
        return {
            "park": self.inventory.park,
            "period": self.inventory.period,
            "method_profile": "iso14064",
            "method_version": self.inventory.method_version,
            "known_on": self.inventory.known_on,
            "from": self.inventory.from_time,
            "to": self.inventory.to_time,
            "final": self.inventory.final,
            **{basis: by_category(self.inventory, basis).document() for basis in bases},
        }

    def to_bytes(self) -> bytes:
        """Canonical JSON: the bytes that are hashed."""
        return canonical(self.document())


@dataclass(frozen=True)
class Inputs:
    """Everything that an inventory follows from.

    Attributes:
        facts: the park as known.
        period: whole local month or year.
        points: amount of each metered point.
        activities: entries that overlap the period; `assemble` takes their days inside it.
        screening: decisions on scope 3.
        cover: what certificates and credits do to it.
    """

    facts: Facts
    period: Period
    points: tuple[PointAmount, ...]
    activities: tuple[Activity, ...]
    screening: tuple[Screened, ...]
    cover: Cover


async def facts_at(session: Session, park: str, *, now: dt.datetime, as_of: dt.datetime | None) -> Facts:
    """A park as known now, or on a past date.

    Args:
        session: a connection.
        park: id.
        now: time of now.
        as_of: moment of knowledge; None: now.

    Raises:
        RefusedError: `as_of` is so new that a fact recorded by then may not be visible yet.
        LookupError: there is no such park, or it was not known by then.
    """
    if as_of is None:
        return await load_current(session, park, now)
    refuse_unsettled(now, as_of)
    return await load_facts(session, park, as_of)


def refuse_unsettled(now: dt.datetime, as_of: dt.datetime) -> None:
    """Refuse a moment of knowledge so new that a fact recorded by then may not be visible yet.

    Raises:
        RefusedError: it is newer than a minute ago.
    """
    if as_of > now - SETTLED_AFTER:
        raise RefusedError(
            "6.9", f"as_of {as_of.isoformat()} is newer than a minute ago: what is known then is not settled yet"
        )


async def load_inputs(
    session: Session, park: str, period: str, *, now: dt.datetime, as_of: dt.datetime | None = None
) -> Inputs:
    """Read what the inventory of a period follows from.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        park: id.
        period: `2026-03` or `2026`.
        now: time of now.
        as_of: moment of knowledge; None: now.

    Raises:
        RefusedError: no such period, one that had not begun, or an `as_of` that is too new.
        LookupError: there is no such park, or it was not known by then.
    """
    facts = await facts_at(session, park, now=now, as_of=as_of)
    span = parse_period(period, facts.zone)
    if from_ms(span.from_ms) > facts.until:
        raise RefusedError("", f"{period} had not begun by {facts.until.isoformat()}")
    points = await _amounts(session, facts, span, past=as_of is not None)
    return await with_entries(session, facts, span, points)


async def _amounts(session: Session, facts: Facts, period: Period, *, past: bool) -> list[PointAmount]:
    read = point_amounts_as_of if past else point_amounts
    return await read(session, facts, period.from_ms, period.to_ms)


async def with_entries(session: Session, facts: Facts, period: Period, points: list[PointAmount]) -> Inputs:
    """Join amounts with the entries and instruments of a period.

    Args:
        session: a connection.
        facts: the park as known.
        period: of the amounts.
        points: the amounts.
    """
    entered = [entry for entry in facts.entries if entry.from_day < period.to_day and entry.to_day > period.from_day]
    activities = activities_of(entered)
    electricity = electricity_micro_kwh(points, activities, period.label)
    cover = await load_cover(
        session,
        facts,
        period,
        purchased_micro_kwh=electricity["import"],
        self_used_micro_kwh=electricity["self_used"],
        exported_micro_kwh=electricity["export"],
    )
    screening = screening_of(facts.entries, period.to_day)
    return Inputs(facts, period, tuple(points), activities, screening, cover)


def inventory_of(inputs: Inputs, *, final: bool) -> Inventory:
    """The inventory on the GHG Protocol profile.

    Args:
        inputs: what it follows from.
        final: True when the period is closed.
    """
    facts, period = inputs.facts, inputs.period
    return assemble(
        inputs.points,
        [factor for _, factor in facts.factors],
        facts.document.method.settings(),
        park=facts.park,
        period=period.label,
        from_time=from_ms(period.from_ms),
        to_time=from_ms(period.to_ms),
        known_on=facts.as_of,
        final=final,
        activities=inputs.activities,
        cover=inputs.cover,
        screening=inputs.screening,
    )


async def build_inventory(
    session: Session,
    park: str,
    period: str,
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
) -> Inventory:
    """The inventory of a period computed from facts, also of a closed one; `periods.answer` gives what was frozen.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        park: id.
        period: `2026-03` or `2026`.
        now: time of now.
        as_of: moment of knowledge; None: now.

    Raises:
        RefusedError: no such period, one that had not begun, or an `as_of` that is too new.
        LookupError: there is no such park, or it was not known by then.
    """
    inputs = await load_inputs(session, park, period, now=now, as_of=as_of)
    closed = await session.fetchval(QUERIES["period_closed"], park, period, inputs.facts.as_of)
    return inventory_of(inputs, final=bool(closed))


def refuse_unknown(method: str) -> None:
    """Refuse a method profile that there is not.

    Raises:
        RefusedError: naming those there are.
    """
    if method not in METHODS:
        raise RefusedError("", f"there is no method {method!r}; there are {', '.join(METHODS)}")


def result_of(inputs: Inputs, method: str, *, final: bool) -> Result:
    """The result of a period on one method profile; profiles are never mixed.

    Args:
        inputs: what it follows from.
        method: one of `METHODS`.
        final: True when the period is closed.

    Raises:
        RefusedError: no such method, or it cannot be computed for this period.
        NoFactorError: a factor that the method prescribes is not known for the year.
    """
    refuse_unknown(method)
    if method == "ghgp":
        return inventory_of(inputs, final=final)
    if method == "iso14064":
        return Categories(inventory_of(inputs, final=final))
    facts, period = inputs.facts, inputs.period
    count = partial(zcp910, cover=inputs.cover) if method == "zcp910" else gbt32150
    return count(
        inputs.points,
        [factor for _, factor in facts.factors],
        facts.document.method.settings(),
        park=facts.park,
        period=period.label,
        from_time=from_ms(period.from_ms),
        to_time=from_ms(period.to_ms),
        known_on=facts.as_of,
        final=final,
        activities=inputs.activities,
    )


def canonical(document: Json) -> bytes:
    """JSON in the one form that is hashed: sorted, without spaces, UTF-8."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
