"""What the API reads: one method a question, rows in, plain values out."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, cast

from parkcarbon.kit.db import Database, Row, UnavailableError, from_ms, load_queries
from parkcarbon.kit.pgcopy import Array, PgType
from parkcarbon.live.load import QUERIES as LIVE
from parkcarbon.live.load import document_of, load_park
from parkcarbon.live.model import ParkModel

from .buckets import Buckets
from .plan import GroupPlan
from .series import History, spread_rows

QUERIES = load_queries(__package__)

_HISTORY: dict[str, LiteralString] = {
    "15m": QUERIES["history_15m"],
    "1h": QUERIES["history_1h"],
    "1d": QUERIES["history_1d"],
    "1mo": QUERIES["history_1mo"],
}
_HISTORY_TYPES: dict[str, PgType] = {
    "amount_micro": "int8",
    "rate_micro": "float8",
    "coverage": "float8",
    "known": "int8",
    "method": "int2",
    "co2e_nano_kg": "int8",
    "co2e_rate_nano": "float8",
    "co2e_coverage": "float8",
    "measured_ms": "int8",
}


@dataclass(frozen=True, slots=True)
class Reach:
    """How much of the database is there."""

    schema_present: bool
    newest_reading: dt.datetime | None


class Store:
    """The database, once it answers."""

    def __init__(self) -> None:
        self._database: Database | None = None
        self._writer: Database | None = None

    def attach(self, database: Database | None, writer: Database | None = None) -> None:
        """Use these pools from now on: one that only reads, one for what is entered."""
        self._database, self._writer = database, writer

    @property
    def database(self) -> Database:
        """The pool.

        Raises:
            UnavailableError: not connected yet.
        """
        if self._database is None:
            raise UnavailableError("not connected to the database yet")
        return self._database

    @property
    def writer(self) -> Database:
        """The pool that may write.

        Raises:
            UnavailableError: not connected yet.
        """
        if self._writer is None:
            raise UnavailableError("not connected to the database yet")
        return self._writer

    async def reach(self) -> Reach:
        """Ask whether the database answers, and what it holds."""
        present = bool(await self.database.fetchval(QUERIES["schema_present"]))
        newest = await self.database.fetchval(QUERIES["newest_reading"]) if present else None
        return Reach(present, newest)

    async def token(self, digest: bytes) -> Row | None:
        """Return the token with this sha256 unless it is revoked."""
        return await self.database.fetchrow(QUERIES["token"], digest)

    async def parks(self) -> list[tuple[str, bool]]:
        """Return every park and whether any reading of it was ever committed."""
        rows = await self.database.fetch(QUERIES["parks"])
        return [(row["park_id"], row["has_data"]) for row in rows]

    async def model(self, park: str, now_ms: int) -> ParkModel | None:
        """Load a park, all tables as of one moment."""
        async with self.database.transaction() as session:
            return await load_park(session, park, now_ms)

    async def factor_value_at(self, factor_id: int, time_ms: int) -> float | None:
        """Return the value of a factor series at a moment."""
        return cast(
            "float | None", await self.database.fetchval(QUERIES["factor_value_at"], factor_id, from_ms(time_ms))
        )

    async def live(self, park: str, day: dt.date, slow_from_ms: int, slow_to_ms: int) -> list[Row]:
        """Return the newest reading, today's sums and the newest finished interval of each point."""
        return await self.database.fetch(LIVE["live"], park, day, from_ms(slow_from_ms), from_ms(slow_to_ms))

    async def sources(self, park: str) -> list[Mapping[str, Any]]:
        """Return each source with its last status message."""
        rows = await self.database.fetch(QUERIES["sources"], park)
        return [{**row, "status": document_of(row["status"])} for row in rows]

    async def history(self, groups: Sequence[GroupPlan], buckets: Buckets) -> History:
        """Return sums over the points of each component and bucket; components run through all groups in order."""
        points: list[int] = []
        numbers: list[int] = []
        components = [component for group in groups for component in group.components]
        for number, component in enumerate(components):
            points += [point.point_id for point in component.points]
            numbers += [number] * len(component.points)
        first: object = from_ms(int(buckets.edges_ms[0]))
        last: object = from_ms(int(buckets.edges_ms[-1]))
        if buckets.local:
            first, last = buckets.days[0], buckets.days[-1]
        types: dict[str, PgType] = {"grp": "int4", "start": "date" if buckets.local else "timestamptz"}
        columns: dict[str, Array] = await self.database.fetch_columns(
            _HISTORY[buckets.step], points, numbers, first, last, types={**types, **_HISTORY_TYPES}
        )
        return spread_rows(columns, len(components), buckets)

    async def registers_at(self, points: Sequence[int], time_ms: int) -> dict[int, Row]:
        """Return the newest reading of each point up to a moment."""
        rows = await self.database.fetch(QUERIES["registers_at"], list(points), from_ms(time_ms))
        return {row["point_id"]: row for row in rows}
