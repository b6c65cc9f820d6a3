"""The newest readings of watched points, kept up to date by what is new in the database."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from parkcarbon.alarm.store import QUERIES
from parkcarbon.kit.db import Session, to_ms
from parkcarbon.live.power import Newest

OVERLAP: Final = dt.timedelta(milliseconds=500)
"""A transaction that began before another may commit after it by so much; a look at everything finds the rest."""
SILENT_MS: Final = 30_000
"""A reading older than this may be no data by now [ms]; rules say when it is."""
_BEGIN: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """What is new.

    Attributes:
        points: with a newer reading than before.
        committed_ms: when the newest of them was committed [ms UTC]; None: nothing is new.
        earliest_ms: when the first of them was committed [ms UTC].
    """

    points: frozenset[int] = frozenset()
    committed_ms: int | None = None
    earliest_ms: int | None = None


@dataclass
class Readings:
    """Newest readings by point.

    Attributes:
        points: watched ones.
        newest: what is known of each.
    """

    points: list[int]
    newest: dict[int, Newest] = field(default_factory=dict)
    _cursor: dt.datetime = _BEGIN

    async def refresh(self, session: Session, *, everything: bool = False) -> Change:
        """Read what is new.

        Args:
            session: a connection.
            everything: look at every point, whenever it was written.
        """
        if not self.points:
            return Change()
        since = _BEGIN if everything else self._cursor - OVERLAP if self._cursor > _BEGIN else _BEGIN
        changed: list[int] = []
        committed: list[dt.datetime] = []
        for row in await session.fetch(QUERIES["newest_readings"], self.points, since):
            point, time_ms = row["point_id"], to_ms(row["last_time"])
            self._cursor = max(self._cursor, row["updated_at"])
            known = self.newest.get(point)
            if known is not None and known.time_ms == time_ms:
                continue
            self.newest[point] = Newest(time_ms, row["last_value"], row["last_quality"])
            changed.append(point)
            committed.append(row["updated_at"])
        if not changed:
            return Change()
        return Change(frozenset(changed), to_ms(max(committed)), to_ms(min(committed)))

    def silent(self, now_ms: int) -> frozenset[int]:
        """Points without a reading of late: time alone may change what is to be said of them."""
        oldest_ms, newest = now_ms - SILENT_MS, self.newest
        return frozenset(
            point
            for point in self.points
            if (seen := newest.get(point)) is None or seen.time_ms is None or seen.time_ms < oldest_ms
        )

    def watch(self, points: Iterable[int]) -> None:
        """Watch other points; what is known stays."""
        self.points = sorted(set(points))
        self._cursor = _BEGIN
