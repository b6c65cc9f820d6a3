"""Where amounts come from: stored intervals now; on a past date what was known by then, computed from readings.

One place to ask, so that the balance, both tenant views and reconciliations of a past date rest on the same amounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.reading import INTERVAL_MS, Method
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Session
from parkcarbon.kit.db import from_ms as time_of
from parkcarbon.kit.pgcopy import PgType

from .amounts import Hourly, hourly_amounts, point_amounts
from .facts import QUERIES, Facts

WHOLE: Final = 0.9999
"""An hour or interval is whole from this coverage on: it is stored in single precision."""

COLUMNS: Final[dict[str, PgType]] = {
    "point_id": "int4",
    "start": "timestamptz",
    "amount_micro": "int8",
    "coverage": "float4",
    "method": "int2",
}
"""Result columns of `hourly_amounts` and `quarter_amounts`."""


class SeriesSource(Protocol):
    """Amounts by point over spans of equal length."""

    async def __call__(self, session: Session, facts: Facts, points: Sequence[str], from_ms: int, to_ms: int) -> Hourly:
        """Amounts and where they are known."""


class TotalSource(Protocol):
    """Amounts by point over a period."""

    async def __call__(self, session: Session, facts: Facts, from_ms: int, to_ms: int) -> list[PointAmount]:
        """Amounts with their data states."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The three ways to ask for amounts."""

    totals: TotalSource
    hours: SeriesSource
    quarters: SeriesSource


def sources_of(facts: Facts) -> Sources:
    """The sources that fit a moment of knowledge.

    Raises:
        RefusedError: it is a past one.
    """
    if facts.now is None:
        raise RefusedError("", "amounts as known on a past date cannot be computed yet")
    return Sources(point_amounts, hourly_amounts, quarter_amounts)


async def quarter_amounts(session: Session, facts: Facts, points: Sequence[str], from_ms: int, to_ms: int) -> Hourly:
    """Amounts by the quarter of an hour from stored intervals, in the shape of `Hourly`.

    Args:
        session: a connection.
        facts: the park as known.
        points: names.
        from_ms: start, on an interval boundary [ms UTC].
        to_ms: end, exclusive [ms UTC].
    """
    ids = [facts.point_ids[point] for point in points]
    start = np.arange(from_ms, to_ms - INTERVAL_MS + 1, INTERVAL_MS, dtype=np.int64)
    arguments = (ids, time_of(from_ms), time_of(from_ms + len(start) * INTERVAL_MS))
    rows = await session.fetch_columns(QUERIES["quarter_amounts"], *arguments, types=COLUMNS)
    amount = np.zeros((len(points), len(start)), dtype=np.int64)
    known = np.zeros((len(points), len(start)), dtype=np.bool_)
    lookup = np.zeros(max(ids, default=0) + 1, dtype=np.int64)
    lookup[ids] = np.arange(len(ids))
    line = lookup[rows["point_id"]]
    column = (rows["start"] - from_ms) // INTERVAL_MS
    amount[line, column] = rows["amount_micro"]
    known[line, column] = (rows["coverage"] >= WHOLE) & (rows["method"] != Method.MISSING)
    return Hourly(tuple(points), start, amount, known)
