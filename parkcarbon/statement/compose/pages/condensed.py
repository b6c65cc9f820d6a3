"""A park with one meter a tenant: sub-meters of one tenant behind one connection are added up by the database.

The views of tenants rest on the sum of each tenant's sub-meters in every quarter of an hour, known where all of them
are known. A month of 1,000 points is 3 million intervals; their sums by tenant are a few thousand. A meter that is more
than its amount (one with others below it, in a formula, giving back, not there all the time) stays by itself.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, LiteralString, cast

import numpy as np

from parkcarbon.books.amounts import Period
from parkcarbon.books.facts import QUERIES, Facts, PointFact
from parkcarbon.domain.reading import Method
from parkcarbon.kit.db import Row, Session, load_queries
from parkcarbon.kit.db import from_ms as time_of
from parkcarbon.kit.pgcopy import Array, PgType

PAGES: Final = load_queries("parkcarbon.statement")
_GROUPS: Final[dict[str, PgType]] = {
    "point_id": "int4",
    "start": "timestamptz",
    "amount_micro": "int8",
    "known": "int8",
}


class Condensed(Session):
    """Asks another session; a meter that stands for several has the amounts of all of them.

    Attributes:
        facts: the park with one meter for each group.
    """

    def __init__(self, session: Session, facts: Facts, period: Period) -> None:
        super().__init__(None)
        self._session = session
        self._groups = _groups(facts, period)
        others = {point_id for group in self._groups.values() for point_id in group[1:]}
        self.facts = replace(facts, points=tuple(point for point in facts.points if point.point_id not in others))
        self._kept: dict[tuple[object, ...], dict[str, Array]] | None = {} if period.is_month else None

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """As the session beneath."""
        return await self._session.fetch(query, *args)

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """As the session beneath."""
        return await self._session.fetchrow(query, *args)

    async def fetchval(self, query: LiteralString, *args: object) -> Any:
        """As the session beneath."""
        return await self._session.fetchval(query, *args)

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        """As the session beneath, but quarters of an hour by group; of a month they are asked for once."""
        if query != QUERIES["quarter_amounts"]:
            return await self._session.fetch_columns(query, *args, types=types)
        ids, begin, end = cast("tuple[list[int], dt.datetime, dt.datetime]", args)
        question = (*sorted(ids), begin, end)
        if self._kept is not None and question in self._kept:
            return self._kept[question]
        found = await self._quarters(ids, begin, end, types)
        if self._kept is not None:
            self._kept[question] = found
        return found

    async def _quarters(
        self, ids: Sequence[int], begin: dt.datetime, end: dt.datetime, types: Mapping[str, PgType]
    ) -> dict[str, Array]:
        alone = [point_id for point_id in ids if point_id not in self._groups]
        groups = {point_id: self._groups[point_id] for point_id in ids if point_id in self._groups}
        by_itself = await self._session.fetch_columns(QUERIES["quarter_amounts"], alone, begin, end, types=types)
        if not groups:
            return by_itself
        together = await self._together(groups, begin, end)
        return {name: np.concatenate([by_itself[name], together[name]]) for name in types}

    async def _together(
        self, groups: Mapping[int, Sequence[int]], begin: dt.datetime, end: dt.datetime
    ) -> dict[str, Array]:
        """Sums of each group's quarters of an hour, known where all of its points are."""
        members = [member for group in groups.values() for member in group]
        owners = [point_id for point_id, group in groups.items() for _ in group]
        rows = await self._session.fetch_columns(PAGES["page_groups"], members, begin, end, owners, types=_GROUPS)
        owned, sizes = np.unique(owners, return_counts=True)
        known = rows["known"] == sizes[np.searchsorted(owned, rows["point_id"])]
        return {
            "point_id": rows["point_id"],
            "start": rows["start"],
            "amount_micro": rows["amount_micro"],
            "coverage": known.astype(np.float32),
            "method": np.where(known, Method.MEASURED, Method.MISSING).astype(np.int16),
        }


def _groups(facts: Facts, period: Period) -> dict[int, list[int]]:
    """Points that are added up, by the one that stands for them."""
    alone = {term.point for formula in facts.document.formulas for term in formula.terms}
    alone |= {point.below for point in facts.points if point.below is not None}
    places = {device.device: device.connection for device in facts.document.devices}
    begin = time_of(period.from_ms)
    members: dict[tuple[str | None, str | None], list[PointFact]] = {}
    for point in facts.metered("sub_meter"):
        simple = point.carrier == "electricity" and point.active and point.below is None and point.point not in alone
        there = facts.installed.get(point.point, begin) <= begin
        if simple and there and point.device in places and not point.quantity.endswith("_export"):
            members.setdefault((point.tenant, places[point.device]), []).append(point)
    return {group[0].point_id: [point.point_id for point in group] for group in members.values() if len(group) > 1}
