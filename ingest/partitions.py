"""Monthly partitions of readings, intervals and hours on plain PostgreSQL; TimescaleDB makes its own chunks.

A partition is made before the transaction that needs it: CREATE LIKE and ATTACH take a weak lock on the parent, so
readers and other writers go on. There is no default partition: a row without a home is an error, not a hiding place.
"""

import datetime as dt
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from parkcarbon.kit.db import Database, load_queries

Month = tuple[str, int]  # table, months since 1970

READING = "reading"
INTERVAL = "interval_15min"
HOUR = "rollup_hour"
_LOCK = 0x70617274  # "part"
_QUERIES = load_queries(__package__)


class PartitionsMissingError(Exception):
    """Rows fall into months that have no partition yet: make them, then run the transaction again."""

    def __init__(self, months: set[Month]) -> None:
        super().__init__(f"no partitions for {sorted(months)}")
        self.months = months


def months_of(table: str, times_ms: npt.NDArray[np.int64]) -> set[Month]:
    """Return the months that these times [ms UTC] fall into."""
    if not len(times_ms):
        return set()
    months = times_ms.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    low = int(months.min())
    present = np.flatnonzero(np.bincount(months - low)) + low
    return {(table, int(month)) for month in present}


def result_months(start_ms: npt.NDArray[np.int64]) -> set[Month]:
    """Return the months that intervals with these starts [ms UTC] and their hours fall into."""
    return {(table, month) for _, month in months_of(INTERVAL, start_ms) for table in (INTERVAL, HOUR)}


def first_day(month: int) -> dt.datetime:
    """Begin of a month UTC; months since 1970."""
    return dt.datetime(1970 + month // 12, month % 12 + 1, 1, tzinfo=dt.UTC)


class Partitions:
    """Which partitions exist, as far as this process knows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: set[Month] = set()

    def require(self, months: set[Month]) -> None:
        """Check that all months have a home.

        Raises:
            PartitionsMissingError: some are not known to have one.
        """
        if not self._database.timescale and (missing := months - self._known):
            raise PartitionsMissingError(missing)

    async def ensure(self, months: Iterable[Month]) -> None:
        """Make the partitions that are missing; must run outside the transaction that needs them."""
        missing = set(months) - self._known
        if self._database.timescale or not missing:
            return
        async with self._database.transaction() as session:
            await session.execute("select pg_advisory_xact_lock($1)", _LOCK)
            for table, month in sorted(missing):
                await session.fetchval(
                    _QUERIES["ensure_partition"],
                    table,
                    partition_name(table, month),
                    first_day(month),
                    first_day(month + 1),
                )
        self._known |= missing


def partition_name(table: str, month: int) -> str:
    """Name of the partition that holds a month."""
    return f"{table}_{first_day(month):%Y_%m}"
