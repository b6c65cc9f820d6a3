"""A statement in the making without a database: amounts, entries, certificates and a park document as given."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, LiteralString
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from parkcarbon.books.amounts import parse_period
from parkcarbon.books.facts import Entry, Facts
from parkcarbon.books.inventory import Inputs
from parkcarbon.catalog.park import Park
from parkcarbon.domain.activities.activity import Activity
from parkcarbon.domain.instruments.cover import NO_COVER, Cover
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.kit.db import Row, Session
from parkcarbon.kit.pgcopy import Array, PgType
from parkcarbon.statement.compose import Context, Order
from parkcarbon.statement.record import Kind

from .scopes_park import CATALOG, METERED

NOW = dt.datetime(2027, 2, 1, tzinfo=dt.UTC)
AS_OF = NOW - dt.timedelta(minutes=2)
METHOD: dict[str, Any] = {
    "electricity_region": "China/JS",
    "fuel_region": "China",
    "heat_region": "China",
    "reporting_entity": {"zh": "园区运营有限公司", "en": "Park Operating Co."},
    "boundary": {"zh": "全园区", "en": "the whole park"},
}


class Silent(Session):
    """A session of a database in which nothing is."""

    def __init__(self) -> None:
        super().__init__(None)

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """Nothing."""
        return []

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        """Columns without rows."""
        return {name: np.zeros(0, dtype=np.int64) for name in types}


def facts(entries: Sequence[Entry] = (), *, timezone: str = "Asia/Shanghai", **method: Any) -> Facts:
    """A park without devices; `method` are members of its settings, `statement` of those of its statements."""
    statement = method.pop("statement", {})
    document = {
        "park": "demo",
        "name": {"zh": "示范园区", "en": "Demonstration park"},
        "timezone": timezone,
        "method": METHOD | method,
        "statement": statement,
    }
    return Facts(
        park="demo",
        as_of=AS_OF,
        revision=1,
        document=msgspec.convert(document, Park),
        zone=ZoneInfo(timezone),
        factors=tuple(enumerate(CATALOG)),
        entries=tuple(entries),
        now=AS_OF,
    )


def case(
    points: Sequence[PointAmount] = METERED,
    activities: Sequence[Activity] = (),
    cover: Cover = NO_COVER,
    *,
    kind: Kind = "statement",
    period: str = "2026-10",
    closed: bool = False,
    known: Facts | None = None,
) -> Context:
    """A context of the demonstration park."""
    park = known or facts()
    span = parse_period(period, park.zone)
    inputs = Inputs(park, span, tuple(points), tuple(activities), (), cover)
    order = Order(park="demo", period=period, kind=kind, as_of=AS_OF, now=NOW)
    return Context(Silent(), order, inputs, closed=closed)


def entry(kind: str, content: msgspec.Struct, period: str = "2026-10", **members: Any) -> Entry:
    """An entry of the whole period."""
    span = parse_period(period, ZoneInfo("Asia/Shanghai"))
    said: dict[str, Any] = {"tenant": None, "evidence": "file", "author": "energy manager", "reviewer": "reviewer"}
    made = Entry(1, kind, None, span.from_day, span.to_day, content, "file", "energy manager", "reviewer", AS_OF)
    return replace(made, **(said | members))
