"""The readings of a pack as the scan asks for them, in place of a database."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, LiteralString

import numpy as np

from parkcarbon.books.derive.queries import QUERIES
from parkcarbon.domain.readings import Int64Array
from parkcarbon.kit.db import Row, Session, from_ms, to_ms
from parkcarbon.kit.pgcopy import Array, PgType

from .pack import Reach, StartsFile
from .questions import UnknownQuestionError
from .tables import ReadingRows

_BETWEEN: Final = QUERIES["readings_between"]
_BOUNDS: Final = QUERIES["delta_bounds"]
_IN_FORCE: Final = QUERIES["deltas_in_force"]


class PackReadings(Session):
    """Answers questions about readings from arrays.

    Args:
        rows: readings of the pack.
        ids: point id by name.
        order: of each batch by (made, source, boot, seq): of two values of a delta the later one is in force.
        starts: how far readings reach.
    """

    def __init__(self, rows: ReadingRows, ids: Mapping[str, int], order: Int64Array, starts: StartsFile) -> None:
        super().__init__(None)
        self._rows = rows
        self._order = order
        self._base = _parts(rows, ids, ~rows.correction)
        self._later = _parts(rows, ids, rows.correction)
        self._reach = {(one.point, one.from_ms, one.to_ms, one.neighbours): one for one in starts.reach}

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        """Readings of a point by time: `readings_between`."""
        if query != _BETWEEN:
            raise UnknownQuestionError(f"readings are asked for in a way a pack does not know: {query[:60]}")
        given: Sequence[Any] = args
        mine = self._base.get(given[0], _NONE)
        times = self._rows.time_ms[mine]
        low, high = np.searchsorted(times, (to_ms(given[1]), to_ms(given[2])))
        if given[3] is not None:
            high = min(high, low + given[3])
        chosen = mine[low:high]
        found = (self._rows.time_ms, self._rows.value, self._rows.quality, self._rows.span_ms)
        return dict(zip(types, (values[chosen] for values in found), strict=True))

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """How far neighbours reach: `delta_bounds`, as it was when the pack was made."""
        given: Sequence[Any] = args
        reach: Reach | None = None
        if query == _BOUNDS:
            reach = self._reach.get((given[0], to_ms(given[1]), to_ms(given[2]), given[3]))
        if reach is None:
            raise UnknownQuestionError(f"a pack has no answer to {query[:60]}")
        low, high = (None if at is None else from_ms(at) for at in (reach.low_ms, reach.high_ms))
        return {"low": low, "high": high, "before": reach.before, "after": reach.after}

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """Values that were given anew and are in force: `deltas_in_force`."""
        if query != _IN_FORCE:
            raise UnknownQuestionError(f"a pack has no answer to {query[:60]}")
        given: Sequence[Any] = args
        base, later = (side.get(given[0], _NONE) for side in (self._base, self._later))
        rows, times = self._rows, self._rows.time_ms
        later = later[(times[later] >= to_ms(given[1])) & (times[later] <= to_ms(given[2]))]
        newest: dict[int, int] = {}
        for at in later.tolist():
            known = newest.get(int(times[at]))
            if known is None or self._order[rows.batch[at]] > self._order[rows.batch[known]]:
                newest[int(times[at])] = at
        found = []
        for time_ms, at in sorted(newest.items()):
            place = base[np.searchsorted(times[base], time_ms)]
            if self._order[rows.batch[at]] > self._order[rows.batch[place]]:
                found.append(
                    {
                        "time": from_ms(time_ms),
                        "value": None if np.isnan(rows.value[at]) else float(rows.value[at]),
                        "quality": int(rows.quality[at]),
                        "span_ms": int(rows.span_ms[at]),
                    }
                )
        return found  # type: ignore[return-value]  # a dict is such a mapping


_NONE: Final[Int64Array] = np.zeros(0, np.int64)


def _parts(rows: ReadingRows, ids: Mapping[str, int], which: Any) -> dict[int, Int64Array]:
    """Positions of the rows of each point, by time."""
    chosen = np.flatnonzero(which)
    point, time_ms = rows.point[chosen], rows.time_ms[chosen]
    step, rise = np.diff(point), np.diff(time_ms)
    if bool(((step < 0) | ((step == 0) & (rise < 0))).any()):
        order = np.lexsort((time_ms, point))
        chosen, point = chosen[order], point[order]
    edges = np.searchsorted(point, np.arange(len(rows.names) + 1))
    return {
        ids[name]: chosen[edges[at] : edges[at + 1]]
        for at, name in enumerate(rows.names)
        if name in ids and edges[at] < edges[at + 1]
    }
