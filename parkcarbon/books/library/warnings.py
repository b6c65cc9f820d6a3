"""What a person should know of the factors a park uses: overtaken, old, unverified, waiting for a second person."""

import dataclasses
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Literal

from parkcarbon.books.facts import Facts, load_current
from parkcarbon.books.library.factors import QUERIES, Wanted, list_records
from parkcarbon.domain.emissions import Basis, resolve
from parkcarbon.domain.factor_rules import newer_available, stale
from parkcarbon.domain.factors import Factor, NoFactorError
from parkcarbon.kit.db import Session

Kind = Literal["newer", "stale", "unverified", "proposed", "load_waiting"]

_EMITTING: Final = frozenset({"import", "fuel", "heat", "sub_meter", "process"})
_BASES: Final[tuple[Basis, ...]] = ("location", "market")


@dataclass(frozen=True, slots=True)
class Warned:
    """One warning.

    Attributes:
        kind: what it is about.
        text: a sentence.
        factor: id of the record it is about.
        newer: id of the record that has overtaken it.
    """

    kind: Kind
    text: str
    factor: str
    newer: str | None = None


async def factor_warnings(
    session: Session, park: str, *, now: dt.datetime, since: dt.date | None = None
) -> list[Warned]:
    """Warnings of the factors in use for the year of `now`.

    Args:
        session: a connection.
        park: id.
        now: time of now.
        since: the choice frozen on this day is compared with today's; None: 1 January of the local year (rule 1.5:
            chosen for the year, restated on publication).

    Raises:
        LookupError: there is no such park.
    """
    facts = await load_current(session, park, now)
    today = now.astimezone(facts.zone).date()
    frozen_on = since or dt.date(today.year, 1, 1)
    frozen, current = used_factors(facts, today.year, frozen_on), used_factors(facts, today.year, today)
    records = [_timeless(factor) for _, factor in facts.factors]
    found = [
        Warned("newer", str(newer), newer.used.factor, newer.newer.factor)
        for newer in newer_available(records, {**frozen, **current}.values(), today, up_to_year=today.year)
    ]
    by_id = sorted(current.values(), key=lambda factor: factor.factor)
    for factor in by_id:
        found += [Warned("stale", text, factor.factor) for text in stale([factor], today)]
        if factor.unverified:
            found.append(Warned("unverified", f"{factor.factor} was not seen in its source", factor.factor))
    return [*found, *[warned async for warned in _waiting(session, park)]]


def used_factors(facts: Facts, year: int, known_on: dt.date) -> dict[str, Factor]:
    """Records that price the metered flows of a park in a year, as published by a day; by id."""
    records = [_timeless(factor) for _, factor in facts.factors]
    settings = facts.document.method.settings()
    flows = {(point.carrier, point.unit) for point in facts.metered(*_EMITTING) if point.carrier != "none"}
    found: dict[str, Factor] = {}
    for carrier, unit in sorted(flows):
        for basis in _BASES if carrier == "electricity" else _BASES[:1]:
            try:
                resolved = resolve(
                    records, settings, carrier=carrier, unit=unit, data_year=year, known_on=known_on, basis=basis
                )
            except NoFactorError:
                continue
            found |= {match.factor.factor: match.factor for match in resolved.matches}
    return found


def _timeless(factor: Factor) -> Factor:
    """A record of the catalog as if it had always been on this server: only its publication counts here."""
    return factor if factor.own else dataclasses.replace(factor, recorded_at=None)


async def _waiting(session: Session, park: str) -> AsyncIterator[Warned]:
    for record in await list_records(session, park, Wanted(state="proposed"), limit=1000):
        name = record.factor.factor
        yield Warned("proposed", f"{name}, proposed by {record.author}, waits for a second person", name)
    for row in await session.fetch(QUERIES["factor_loads_waiting"], park):
        text = f"{row['n']} values of {row['factor']} from {row['source']} wait for a second person"
        yield Warned("load_waiting", text, row["factor"])
