"""What the intervals of a month are priced with: rows for the temporary tables that the pricing statements join."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from parkcarbon.books.derive.announce import MonthSpan
from parkcarbon.books.derive.carbon import CarbonBook, Price
from parkcarbon.domain.factors import FactorSeries
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.kit.db import Session
from parkcarbon.kit.pgcopy import Array, Column

_NONE = -1


@dataclass(frozen=True)
class Prices:
    """Prices of stretches of points, as columns of `reprice_point` and `reprice_grid`."""

    point: tuple[Array, ...]
    grid: tuple[Array, ...]

    def same(self, other: "Prices") -> bool:
        """True when both price every row alike."""
        mine, its = (*self.point, *self.grid), (*other.point, *other.grid)
        return all(
            np.array_equal(left, right, equal_nan=left.dtype.kind == "f") for left, right in zip(mine, its, strict=True)
        )

    async def fill(self, session: Session) -> None:
        """Put the prices into the temporary tables of this transaction."""
        point_id, low, high, group, per_unit, factor_id, match = self.point
        await session.copy(
            "reprice_point",
            [
                Column("point_id", "int4", point_id),
                Column("low", "timestamptz", low),
                Column("high", "timestamptz", high),
                Column("grp", "int4", group, group == _NONE),
                *_price_columns(per_unit, factor_id, match),
            ],
        )
        if len(self.grid[0]):
            group, start, per_unit, factor_id, match = self.grid
            await session.copy(
                "reprice_grid",
                [
                    Column("grp", "int4", group),
                    Column("start", "timestamptz", start),
                    *_price_columns(per_unit, factor_id, match),
                ],
            )


def _price_columns(per_unit: Array, factor_id: Array, match: Array) -> list[Column]:
    unknown = np.isnan(per_unit)
    return [
        Column("per_unit", "float8", per_unit, unknown),
        Column("factor_id", "int4", factor_id, factor_id == _NONE),
        Column("match", "int2", match, match == _NONE),
    ]


def prices_of(spans: Sequence[MonthSpan], book: CarbonBook) -> Prices:
    """Look up the prices of stretches.

    Args:
        spans: of one month, by point.
        book: factors of the configuration.
    """
    builder = _Builder()
    for span in spans:
        point = book.model.by_id[span.point_id]
        for part in book.priced_spans(point, span.from_ms, span.to_ms):
            builder.add(span.point_id, part.from_ms, part.to_ms, part.price)
    return builder.prices()


class _Builder:
    def __init__(self) -> None:
        self._rows: list[tuple[int, int, int, int, float, int, int]] = []
        self._groups: dict[tuple[int, str, int], tuple[int, Price, FactorSeries]] = {}
        self._bounds: dict[int, tuple[int, int]] = {}

    def add(self, point_id: int, low_ms: int, high_ms: int, price: Price | None) -> None:
        if price is None:
            self._rows.append((point_id, low_ms, high_ms, _NONE, np.nan, _NONE, _NONE))
        elif price.series is None:
            row = (point_id, low_ms, high_ms, _NONE, price.factor.co2e, price.factor_id, price.match)
            self._rows.append(row)
        else:
            key = price.factor_id, price.factor.unit, id(price.series)
            group = self._groups.setdefault(key, (len(self._groups), price, price.series))[0]
            known = self._bounds.get(group, (low_ms, high_ms))
            self._bounds[group] = min(known[0], low_ms), max(known[1], high_ms)
            self._rows.append((point_id, low_ms, high_ms, group, np.nan, _NONE, _NONE))

    def prices(self) -> Prices:
        kinds = (np.int32, np.int64, np.int64, np.int32, np.float64, np.int32, np.int16)
        columns = zip(*self._rows, strict=True) if self._rows else ((),) * len(kinds)
        point = tuple(np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True))
        grids = [self._grid(*group) for group in self._groups.values()]
        empty = [np.zeros(0, kind) for kind in (np.int32, np.int64, np.float64, np.int32, np.int16)]
        grid = tuple(np.concatenate(parts) for parts in zip(*grids, strict=True)) if grids else tuple(empty)
        return Prices(point, grid)

    def _grid(self, group: int, price: Price, series: FactorSeries) -> tuple[Array, ...]:
        low, high = self._bounds[group]
        start = np.arange(-(-low // INTERVAL_MS) * INTERVAL_MS, high, INTERVAL_MS, dtype=np.int64)
        per_unit = series.at(start) * price.scale
        known = np.isfinite(per_unit)
        return (
            np.full(len(start), group, np.int32),
            start,
            np.where(known, per_unit, np.nan),
            np.where(known, price.factor_id, _NONE).astype(np.int32),
            np.where(known, price.match_at(start), _NONE).astype(np.int16),
        )
