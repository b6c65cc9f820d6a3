"""How each inverter does against the sun and against its neighbours, day by day.

*Against the sun*: the light on a plane of any direction is a sum of four shapes (the three components of the direct
beam and the diffuse light). Their weights for one inverter, its plane and size together, are fitted to the upper
envelope of what it produced: nothing need be known of tilt, azimuth or rating. What it produced over that model is
its *clearness*.

*Against neighbours*: the median clearness of the others that run says what the sky did; model × that median is what
the inverter should have produced. What is left is its own pattern by solar time of the day (shade of a chimney, a
plane that the model does not fit), learnt as the median of its own sunny days before. A day on which it did badly is
learnt from as if it had done as expected, so that dirt does not become normal and the seasons are followed.

Only sunny days are judged. Left out are intervals at a constant power (cut at the rating, or curtailed) with one on
each side, unknown ones, and neighbours that stand still.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from parkcarbon.domain.readings import BoolArray, FloatArray, Int64Array

from .sun import clear_sky

INTERVAL_MS: Final = 900_000
LEARN_DAYS: Final = 45
LEAST_DAYS: Final = 5  # sunny ones to learn from
JUDGED_DAYS: Final = 3  # sunny ones that a verdict rests on
RECENT_DAYS: Final = 30  # none of them is older
FIT_DAYS: Final = 15  # the model of the sun wants so many
FIT_FROM_DAYS: Final = 90  # and takes no more
BLOCK_DAYS: Final = 10  # it is fitted so often

_SLOTS: Final = 48
_LOW_SUN: Final = 0.14  # sine of 8 degrees
_QUANTILE: Final = 0.97  # of the envelope
_FIT_ROUNDS: Final = 20
_RIDGE: Final = 1e-3  # shapes are alike within a season: what cannot be told apart is shared out
_LEAST_INTERVALS: Final = 100
_FLAT: Final = 0.004  # of the highest power: change between two intervals that counts as none
_FLAT_ABOVE: Final = 0.15
_MANY: Final = 9
_STILL: Final = 0.5  # of the median clearness: below it a neighbour stands still
_SUNNY: Final = 0.7  # of the clearness of clear days
_LAST_GOOD: Final = 10  # sunny days, however old, where an inverter did badly for long
_KNOWN: Final = 0.5  # of a day's light that must be judged
_EVEN: Final = 0.06  # spread within a day that is sunny by itself
_DOUBT: Final = 0.95  # below it, it did badly
_DOUBT_SUN: Final = 0.97
_DOUBT_ALONE: Final = 0.88  # where nothing runs beside it: what the seasons take of the model is less
_OFF: Final = 0.3  # below it, it stood still


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an inverter does, by its last sunny days.

    Attributes:
        index: median of produced over expected, by the neighbours where there are any, else by the sun [1].
        low: it lies below the limit, and whatever else can be asked agrees.
        sun: what the sun says of the days that are low [1]; None: it cannot be asked.
        days: on which the verdict rests, as numbers.
        by_neighbours: False: nothing ran beside it.
    """

    index: float
    low: bool
    sun: float | None
    days: tuple[int, ...]
    by_neighbours: bool


@dataclass(frozen=True, slots=True)
class Performance:
    """What is known of inverters (rows) on days (columns).

    Attributes:
        days: numbers of the days, ascending.
        neighbours: produced over what neighbours let expect [1]; NaN: not judged.
        sun: produced over what the sun let expect, on days without clouds [1]; NaN: not judged.
    """

    days: Int64Array
    neighbours: FloatArray
    sun: FloatArray

    def verdict(self, inverter: int, column: int, limit: float) -> Verdict | None:
        """How an inverter does at the end of a day; None: too few sunny days of late.

        A neighbour that was cleaned, or a cloud over one hall, is not the inverter's fault: where the sun can be asked
        of the low days it must agree by half; where it cannot, two neighbours at least must have been there.

        Args:
            inverter: row.
            column: of the day.
            limit: index below which it does badly [1].
        """
        recent = self.days[: column + 1] > self.days[column] - RECENT_DAYS
        beside = np.flatnonzero(np.isfinite(self.neighbours[inverter, : column + 1]) & recent)[-JUDGED_DAYS:]
        alone = np.flatnonzero(np.isfinite(self.sun[inverter, : column + 1]) & recent)[-JUDGED_DAYS:]
        by_neighbours = beside.size == JUDGED_DAYS
        judged = beside if by_neighbours else alone
        if judged.size < JUDGED_DAYS:
            return None
        indices = (self.neighbours if by_neighbours else self.sun)[inverter, judged]
        index = float(np.median(indices))
        suns = self.sun[inverter, judged[indices < limit]]
        suns = suns[np.isfinite(suns)]
        sun = float(np.median(suns)) if suns.size else None
        agrees = self.neighbours.shape[0] > 2 if sun is None else sun < (1 + limit) / 2
        days = tuple(int(self.days[one]) for one in judged)
        return Verdict(index, index < limit and agrees, sun, days, by_neighbours)


def performance(
    energy: FloatArray, start_ms: Int64Array, day: Int64Array, *, latitude: float, longitude: float
) -> Performance:
    """Judge inverters.

    Args:
        energy: produced in each interval [any unit of energy], a row an inverter; NaN: unknown.
        start_ms: starts of the intervals, ascending [ms UTC].
        day: number of the local day of each interval, ascending.
        latitude: of the park [deg].
        longitude: of the park [deg].
    """
    days, column = np.unique(day, return_inverse=True)
    sky = clear_sky(start_ms + INTERVAL_MS // 2, latitude, longitude)
    light = sky.up > _LOW_SUN
    shapes = np.stack([sky.direct * sky.up, sky.direct * sky.north, sky.direct * sky.east, sky.diffuse], axis=1)
    slot = np.clip(sky.solar_h * 2, 0, _SLOTS - 1).astype(np.int64)
    seen = _Seen(energy, shapes, light, light & np.isfinite(energy) & ~_flat(energy), column, slot, days)
    learnt = [_Learnt(days, many=energy.shape[0] > 2) for _ in energy]
    for begin in range(FIT_DAYS, days.size, BLOCK_DAYS):
        first, end = 0 if begin == FIT_DAYS else begin, min(begin + BLOCK_DAYS, days.size)
        _judge(seen, learnt, begin, (first, end))
    return Performance(days, np.stack([one.neighbours for one in learnt]), np.stack([one.sun for one in learnt]))


@dataclass(frozen=True, slots=True)
class _Seen:
    """All there is to judge by: rows are inverters, columns intervals."""

    energy: FloatArray
    shapes: FloatArray
    light: BoolArray
    usable: BoolArray
    column: Int64Array
    slot: Int64Array
    days: Int64Array


class _Learnt:
    """What is known of one inverter, day by day: how it did, and the days to learn from."""

    def __init__(self, days: Int64Array, *, many: bool) -> None:
        self.days = days
        self.many = many
        self.neighbours = np.full(days.size, np.nan)
        self.sun = np.full(days.size, np.nan)
        self.good: list[int] = []  # sunny
        self.even: list[int] = []  # without clouds
        self.scale = np.ones(days.size)  # what makes a bad day one to learn from; NaN: nothing does

    def before(self, column: int, which: list[int]) -> list[int]:
        """Those of late, or where they are too few the last there were; empty before there are enough."""
        found = [one for one in which if self.days[one] >= self.days[column] - LEARN_DAYS]
        found = found if len(found) >= LEAST_DAYS else which[-_LAST_GOOD:]
        return found if len(found) >= LEAST_DAYS else []

    def first_of(self, column: int) -> int:
        """The first column that may be learnt from at this one or later."""
        return min([max(0, column - LEARN_DAYS), *self.good[-_LAST_GOOD:], *self.even[-_LAST_GOOD:]])

    def add(self, column: int, *, even: bool) -> None:
        """Learn from a day; from one on which the inverter did badly as if it had done as expected.

        So its plane goes on being learnt through the seasons, and dirt does not become normal.
        """
        beside, sun = self.neighbours[column], self.sun[column]
        alone = bool(np.isnan(beside))
        agrees = self.many if np.isnan(sun) else bool(sun < _DOUBT_SUN)
        if (sun < _DOUBT_ALONE) if alone else (beside < _DOUBT and agrees):
            index = sun if alone else beside
            self.scale[column] = 1.0 / index if index > _OFF else np.nan
        if np.isfinite(self.scale[column]):
            self.good.append(column)
            if even:
                self.even.append(column)


def _judge(seen: _Seen, learnt: list[_Learnt], known: int, judged: tuple[int, int]) -> None:
    """Judge some days by a model of the days before.

    Args:
        seen: everything.
        learnt: what is known of each inverter; added to.
        known: the model is fitted to days before this column.
        judged: first column to judge, and the one after the last.
    """
    low = min(one.first_of(judged[0]) for one in learnt)
    part = slice(*np.searchsorted(seen.column, [low, judged[1]]))
    fit = slice(*np.searchsorted(seen.column, [max(0, known - FIT_FROM_DAYS), known]))
    models = []
    for row, one in enumerate(learnt):
        as_expected = seen.energy[row, fit] * one.scale[seen.column[fit]]
        good = seen.usable[row, fit] & np.isfinite(as_expected)
        weights = _envelope(seen.shapes[fit][good], as_expected[good])
        models.append(_model(seen.shapes[part], seen.light[part], weights))
    model = np.stack(models)
    energy, usable = seen.energy[:, part], seen.usable[:, part] & (model > 0)
    clearness = np.where(usable, energy / np.where(model > 0, model, 1.0), np.nan)
    cells = _Cells((seen.column[part] - low) * _SLOTS + seen.slot[part], judged[1] - low)
    sums = _sums(energy, model, model * _of_neighbours(clearness), usable, cells)
    clear = _clear_days(sums, cells.sum(model, np.broadcast_to(seen.light[part], model.shape)).sum(axis=2))
    for row, one in enumerate(learnt):
        for column in range(*judged):
            if clear[row, column - low]:
                _judge_day(sums, row, column, one, low)


def _judge_day(sums: "_Sums", row: int, column: int, learnt: _Learnt, low: int) -> None:
    even = False
    if learn := learnt.before(column, learnt.good):
        days = _Days(np.array(learn) - low, learnt.scale[learn], column - low)
        learnt.neighbours[column], _ = _against(sums.beside[row], sums.expected[row], days)
        _, uneven = _against(sums.produced[row], sums.model[row], days)
        even = uneven < _EVEN
    if even and (learn := learnt.before(column, learnt.even)):
        days = _Days(np.array(learn) - low, learnt.scale[learn], column - low)
        learnt.sun[column], _ = _against(sums.produced[row], sums.model[row], days)
    learnt.add(column, even=even)


@dataclass(frozen=True, slots=True)
class _Days:
    """Days to learn a pattern from, what each is multiplied by, and the day that is judged by it."""

    learn: Int64Array
    scale: FloatArray
    judged: int


@dataclass(frozen=True, slots=True)
class _Cells:
    """Day and slot of the day of each interval, as one number."""

    cell: Int64Array
    n_days: int

    def sum(self, values: FloatArray, where: BoolArray) -> FloatArray:
        """Sums of each row by day and slot, of the intervals that count."""
        size = self.n_days * _SLOTS
        rows = [np.bincount(self.cell[keep], row[keep], size) for row, keep in zip(values, where, strict=True)]
        found: FloatArray = np.stack(rows).astype(np.float64).reshape(len(rows), self.n_days, _SLOTS)
        return found


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums by inverter, day and slot of the day.

    Attributes:
        produced: where the model can be held against it.
        model: under a clear sky, likewise.
        beside: produced where neighbours ran.
        expected: by the neighbours, likewise.
    """

    produced: FloatArray
    model: FloatArray
    beside: FloatArray
    expected: FloatArray


def _sums(energy: FloatArray, model: FloatArray, expected: FloatArray, usable: BoolArray, cell: _Cells) -> _Sums:
    beside = usable & np.isfinite(expected)
    return _Sums(
        cell.sum(energy, usable), cell.sum(model, usable), cell.sum(energy, beside), cell.sum(expected, beside)
    )


def _envelope(shapes: FloatArray, energy: FloatArray) -> FloatArray:
    """Weights of the shapes of light that lie above nearly all that was produced: an expectile regression."""
    if energy.size < _LEAST_INTERVALS or not energy.any():
        return np.zeros(shapes.shape[1])
    scale = np.linalg.norm(shapes, axis=0)
    x = shapes / scale
    weight, ridge = np.ones(energy.size), _RIDGE * np.eye(x.shape[1])
    fitted = np.zeros(x.shape[1])
    for _ in range(_FIT_ROUNDS):
        weighted = x * weight[:, None]
        fitted = np.linalg.solve(weighted.T @ x + ridge, weighted.T @ energy)
        weight = np.where(energy > x @ fitted, _QUANTILE, 1 - _QUANTILE)
    found: FloatArray = fitted / scale
    return found


def _model(shapes: FloatArray, light: BoolArray, weights: FloatArray) -> FloatArray:
    """What an inverter produces under a clear sky; 0 where that is next to nothing."""
    model = shapes @ weights
    top = float(np.max(model, initial=0.0, where=light))
    return np.where(light & (model > 0.05 * top), model, 0.0)


def _flat(energy: FloatArray) -> BoolArray:
    """Intervals of constant power, three or more in a row, with one on each side."""
    top = np.nanquantile(np.where(energy > 0, energy, np.nan), 0.995, axis=1, keepdims=True)
    same = np.abs(np.diff(energy, axis=1)) <= _FLAT * top
    same &= energy[:, 1:] > _FLAT_ABOVE * top
    middle = same[:, :-1] & same[:, 1:]
    flat = np.zeros(energy.shape, dtype=np.bool_)
    for shift in range(-2, 3):
        begin, end = 1 + shift, energy.shape[1] - 1 + shift
        flat[:, max(0, begin) : end] |= middle[:, max(0, -begin) : middle.shape[1] - max(0, end - energy.shape[1])]
    return flat


def _of_neighbours(clearness: FloatArray) -> FloatArray:
    """Median clearness of the others that run; NaN where there are none."""
    running = np.where(clearness >= _STILL * _median(clearness), clearness, np.nan)
    if clearness.shape[0] > _MANY:  # one's own share in the median is nothing
        return np.broadcast_to(_median(running), clearness.shape)
    return np.stack([_median(np.delete(running, row, axis=0)) for row in range(clearness.shape[0])])


def _median(values: FloatArray) -> FloatArray:
    """Median of each column of what is known; NaN where nothing is."""
    found = np.full(values.shape[1], np.nan)
    some = np.isfinite(values).any(axis=0)
    if some.any():
        found[some] = np.nanmedian(values[:, some], axis=0)
    return found


def _clear_days(sums: _Sums, light_sum: FloatArray) -> BoolArray:
    """Days that are sunny over the park and known well enough of an inverter."""
    model = sums.model.sum(axis=2)
    share = np.where(model > _KNOWN * light_sum, sums.produced.sum(axis=2) / np.where(model > 0, model, 1.0), np.nan)
    known = np.isfinite(share) & (light_sum > 0)
    of_park = _median(share)
    if not known.any():
        return known
    clear: BoolArray = known & (of_park >= _SUNNY * np.nanquantile(of_park, 0.9))
    return clear


def _against(produced: FloatArray, expected: FloatArray, days: _Days) -> tuple[float, float]:
    """A day's production over what is expected after the pattern of other days, and its spread within the day.

    Args:
        produced: of one inverter, by day and slot.
        expected: likewise.
        days: which ones.
    """
    before = expected[days.learn] > 0
    ratio = np.where(before, produced[days.learn] / np.where(before, expected[days.learn], 1.0), np.nan)
    usable = (np.count_nonzero(before, axis=0) >= LEAST_DAYS) & (expected[days.judged] > 0)
    if not usable.any():
        return np.nan, np.nan
    pattern = np.nanmedian((ratio * days.scale[:, None])[:, usable], axis=0)
    wanted, got = expected[days.judged, usable] * pattern, produced[days.judged, usable]
    total = float(wanted.sum())
    if total <= 0:
        return np.nan, np.nan
    index = float(got.sum()) / total
    ratios = got / np.where(wanted > 0, wanted, np.nan)
    spread = float(np.sqrt(np.nansum(wanted * (ratios - index) ** 2) / total)) / max(index, 1e-9)
    return index, spread
