"""What the derived tables would say, from intervals that were computed again: sums and roll-ups made with numpy.

Only questions about the period itself are answered here. One that reaches outside is answered by whoever holds that
(the database, or the context of a pack); where its rows stand for themselves, those of the period are replaced.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from parkcarbon.books.amounts import HOUR_MS, WHOLE, Period, midnight_ms
from parkcarbon.domain.reading import INTERVAL_MS, Method
from parkcarbon.domain.readings import Int64Array
from parkcarbon.kit.db import Row, from_ms, to_ms
from parkcarbon.kit.pgcopy import Array

from .again import Derived

Columns: TypeAlias = dict[str, Array]
_EPOCH: Final = dt.date(1970, 1, 1)
NULL: Final = np.iinfo(np.int64).min
"""Stands for NULL in a column of amounts."""

AMOUNTS: Final = ("amount_micro", "co2e_nano_kg")
_ROWS_AT_ONCE: Final = 300_000


@dataclass(frozen=True, slots=True)
class Group:
    """Sums of rows that belong together, in the order of point and key."""

    point_id: Int64Array
    key: Int64Array
    n: Int64Array
    amount: Int64Array
    nano: Int64Array
    priced: Int64Array
    known_ms: Int64Array
    measured_ms: Int64Array
    suspect: Int64Array
    method: Int64Array

    @property
    def co2e(self) -> Int64Array:
        """CO2e as a roll-up keeps it: NULL where that of any interval is."""
        return np.where(self.priced == self.n, self.nano, NULL)


@dataclass(frozen=True, slots=True)
class Question:
    """How a query on derived tables is answered.

    Attributes:
        span: begin and end of what it asks about [ms UTC], from its arguments.
        answer: the columns of its result.
        time: column by which rows stand for themselves; empty: sums, all or nothing.
    """

    span: Callable[["Answers", Sequence[Any]], tuple[int, int]]
    answer: Callable[["Answers", Sequence[Any]], Columns]
    time: str = ""


class Answers:
    """Answers about a period.

    Args:
        derived: its intervals.
        period: whole local month or year.
        zone: of the park.
    """

    def __init__(self, derived: Derived, period: Period, zone: ZoneInfo) -> None:
        self.derived = derived
        self.period = period
        self.zone = zone
        days = (period.to_day - period.from_day).days
        self._edges = np.array([midnight_ms(period.from_day + dt.timedelta(days=at), zone) for at in range(days + 1)])
        self.known_ms: Int64Array = np.rint(derived.intervals.coverage.astype(np.float64) * INTERVAL_MS).astype(
            np.int64
        )

    def inside(self, question: Question, args: Sequence[Any]) -> bool:
        """True when a question asks about nothing but the period."""
        low, high = question.span(self, args)
        return self.period.from_ms <= low and high <= self.period.to_ms

    def touches(self, question: Question, args: Sequence[Any]) -> bool:
        """True when it asks about any part of the period."""
        low, high = question.span(self, args)
        return low < self.period.to_ms and high > self.period.from_ms

    def day_ms(self, day: dt.date) -> int:
        """Begin of a local day [ms UTC]."""
        return midnight_ms(day, self.zone)

    def rows_of(self, ids: Sequence[int], low_ms: int, high_ms: int) -> Int64Array:
        """Positions of intervals, cut to the period."""
        return self.derived.select(ids, max(low_ms, self.period.from_ms), min(high_ms, self.period.to_ms))

    def days_of(self, ids: Sequence[int], first: dt.date, after: dt.date) -> Group:
        """Local days of points; the key counts days since 1970."""
        rows = self.rows_of(ids, self.day_ms(first), self.day_ms(after))
        at = np.searchsorted(self._edges, self.derived.intervals.start_ms[rows], side="right") - 1
        return self.group(rows, at + (self.period.from_day - _EPOCH).days)

    def group(self, rows: Int64Array, key: Int64Array) -> Group:
        """Add up rows of the same point and key; rows ascend by point, keys need not. Some points at a time."""
        if len(rows) > _ROWS_AT_ONCE:
            middle = int(np.searchsorted(self.derived.point_id[rows], self.derived.point_id[rows[len(rows) // 2]]))
            if middle:
                parts = self.group(rows[:middle], key[:middle]), self.group(rows[middle:], key[middle:])
                both = (np.concatenate([getattr(part, name) for part in parts]) for name in Group.__slots__)
                return Group(*both)
        owner = self.derived.point_id[rows].astype(np.int64)
        order = np.lexsort((key, owner))
        rows, key, owner = rows[order], key[order], owner[order]
        first = np.ones(len(rows), np.bool_)
        first[1:] = (owner[1:] != owner[:-1]) | (key[1:] != key[:-1])
        starts = np.flatnonzero(first)
        found, priced = self.derived.intervals, self.derived.priced[rows]

        def add(values: Array) -> Int64Array:
            summed: Int64Array = np.add.reduceat(values.astype(np.int64), starts) if len(starts) else _NONE
            return summed

        method = found.method[rows].astype(np.int64)
        return Group(
            owner[starts],
            key[starts],
            add(np.ones(len(rows))),
            add(found.amount_micro[rows]),
            add(np.where(priced, self.derived.nano_kg[rows], 0)),
            add(priced),
            add(self.known_ms[rows]),
            add(found.measured_ms[rows]),
            add(found.suspect[rows]),
            np.maximum.reduceat(method, starts) if len(starts) else _NONE,
        )


_NONE: Final[Int64Array] = np.zeros(0, np.int64)


def as_rows(columns: Columns, kinds: Mapping[str, str]) -> list[Row]:
    """Columns as rows, as the database gives them: moments, days, None for NULL."""
    turned: list[list[Any]] = []
    for name, values in columns.items():
        plain = values.tolist()
        kind = kinds.get(name, "")
        if kind == "time":
            turned.append([from_ms(value) for value in plain])
        elif kind == "day":
            turned.append([_EPOCH + dt.timedelta(days=value) for value in plain])
        elif name in AMOUNTS:
            turned.append([None if value == NULL else value for value in plain])
        else:
            turned.append(plain)
    return [dict(zip(columns, row, strict=True)) for row in zip(*turned, strict=True)]


def _times(answers: Answers, args: Sequence[Any]) -> tuple[int, int]:  # noqa: ARG001 - one shape for all
    return to_ms(args[1]), to_ms(args[2])


def _days(answers: Answers, args: Sequence[Any]) -> tuple[int, int]:
    return answers.day_ms(args[1]), answers.day_ms(args[2])


def _stretches(answers: Answers, args: Sequence[Any]) -> tuple[int, int]:
    if not args[1]:
        return answers.period.from_ms, answers.period.from_ms
    return min(map(to_ms, args[1])), max(map(to_ms, args[2]))


def _ids(value: Any) -> list[int]:
    return [value] if isinstance(value, int) else list(value)


def _rows(answers: Answers, args: Sequence[Any]) -> Int64Array:
    return answers.rows_of(_ids(args[0]), to_ms(args[1]), to_ms(args[2]))


def _by_state(answers: Answers, args: Sequence[Any]) -> Columns:
    return _states(answers, _rows(answers, args))


def _of_stretches(answers: Answers, args: Sequence[Any]) -> Columns:
    parts = [
        answers.rows_of([point_id], to_ms(low), to_ms(high))
        for point_id, low, high in zip(args[0], args[1], args[2], strict=True)
    ]
    return _states(answers, np.concatenate(parts) if parts else _NONE)


def _states(answers: Answers, rows: Int64Array) -> Columns:
    """Sums by point and data state."""
    found = answers.group(rows, answers.derived.intervals.method[rows].astype(np.int64))
    return {
        "point_id": found.point_id,
        "method": found.key,
        "intervals": found.n,
        "amount_micro": found.amount,
        "co2e_nano_kg": np.where(found.priced > 0, found.nano, NULL),
        "with_co2e": found.priced,
        "known_ms": found.known_ms,
        "measured_ms": found.measured_ms,
        "suspect_ms": found.suspect * INTERVAL_MS,
    }


def _measured_days(answers: Answers, args: Sequence[Any]) -> Columns:
    days = answers.days_of(_ids(args[0]), args[1], args[2])
    whole = days.method == 0
    point_id, starts = np.unique(days.point_id[whole], return_index=True)
    quarters = (days.known_ms + INTERVAL_MS - 1) // INTERVAL_MS
    priced = days.priced == days.n

    def add(values: Array) -> Int64Array:
        summed: Int64Array = np.add.reduceat(values[whole].astype(np.int64), starts) if len(starts) else _NONE
        return summed

    return {
        "point_id": point_id,
        "method": np.zeros(len(point_id), np.int64),
        "intervals": add(quarters),
        "amount_micro": add(days.amount),
        "co2e_nano_kg": np.where(add(priced) > 0, add(np.where(priced, days.nano, 0)), NULL),
        "with_co2e": add(np.where(priced, quarters, 0)),
        "known_ms": add(days.known_ms),
        "measured_ms": add(days.measured_ms),
        "suspect_ms": add(days.suspect * INTERVAL_MS),
    }


def _mixed_days(answers: Answers, args: Sequence[Any]) -> Columns:
    days = answers.days_of(_ids(args[0]), args[1], args[2])
    mixed = days.method != 0
    return {"point_id": days.point_id[mixed], "day": days.key[mixed]}


def _daily(answers: Answers, args: Sequence[Any]) -> Columns:
    days = answers.days_of(_ids(args[0]), args[1], args[2])
    return {
        "point_id": days.point_id,
        "day": days.key,
        "amount_micro": days.amount,
        "co2e_nano_kg": days.co2e,
        "known_ms": days.known_ms,
    }


def _page_days(answers: Answers, args: Sequence[Any]) -> Columns:
    days = answers.days_of(_ids(args[0]), args[1], args[2])
    priced = days.priced == days.n
    return {
        "point_id": days.point_id,
        "day": days.key,
        "co2e_nano_kg": np.where(priced, days.nano, 0),
        "priced": priced,
        "known_ms": days.known_ms,
        "measured_ms": days.measured_ms,
    }


def _hours(answers: Answers, args: Sequence[Any], *, origin_ms: int = 0) -> Group:
    rows = _rows(answers, args)
    return answers.group(rows, (answers.derived.intervals.start_ms[rows] - origin_ms) // HOUR_MS)


def _hourly(answers: Answers, args: Sequence[Any]) -> Columns:
    hours = _hours(answers, args)
    return _series(hours.point_id, hours.key * HOUR_MS, hours.amount, hours.known_ms / HOUR_MS, hours.method)


def _hourly_uneven(answers: Answers, args: Sequence[Any]) -> Columns:
    """As `hourly_from_intervals`: coverage is a quarter of the sum, added up in single precision."""
    origin_ms = to_ms(args[1])
    rows = _rows(answers, args)
    hours = answers.group(rows, (answers.derived.intervals.start_ms[rows] - origin_ms) // HOUR_MS)
    ends = np.cumsum(hours.n)
    coverage = answers.derived.intervals.coverage[rows]
    summed = np.add.reduceat(coverage, ends - hours.n) if len(ends) else np.zeros(0, np.float32)
    return _series(hours.point_id, hours.key * HOUR_MS + origin_ms, hours.amount, summed / 4, hours.method)


def _quarters(answers: Answers, args: Sequence[Any]) -> Columns:
    rows = _rows(answers, args)
    found = answers.derived.intervals
    owner = answers.derived.point_id[rows]
    return _series(owner, found.start_ms[rows], found.amount_micro[rows], found.coverage[rows], found.method[rows])


def _page_groups(answers: Answers, args: Sequence[Any]) -> Columns:
    """Sums of each group's points by interval, and of how many each interval is wholly known and not negative."""
    rows = _rows(answers, args)
    found = answers.derived.intervals
    members, owners = np.asarray(args[0], np.int64), np.asarray(args[3], np.int64)
    order = np.argsort(members)
    owner = owners[order][np.searchsorted(members[order], answers.derived.point_id[rows])]
    begin_ms = to_ms(args[1])
    n = max(0, -(-(to_ms(args[2]) - begin_ms) // INTERVAL_MS))
    keys, at = np.unique(owner * n + (found.start_ms[rows] - begin_ms) // INTERVAL_MS, return_inverse=True)
    amount, known = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
    np.add.at(amount, at, found.amount_micro[rows])
    whole = (found.coverage[rows] >= WHOLE) & (found.method[rows] != Method.MISSING) & (found.amount_micro[rows] >= 0)
    np.add.at(known, at, whole)
    start_ms = begin_ms + keys % max(n, 1) * INTERVAL_MS
    return {"point_id": (keys // max(n, 1)).astype(np.int32), "start": start_ms, "amount_micro": amount, "known": known}


def _series(point_id: Array, start_ms: Array, amount: Array, coverage: Array, method: Array) -> Columns:
    return {
        "point_id": point_id.astype(np.int32),
        "start": start_ms.astype(np.int64),
        "amount_micro": amount,
        "coverage": coverage.astype(np.float32),
        "method": method.astype(np.int16),
    }


def _gas(answers: Answers, args: Sequence[Any]) -> Columns:
    quarters = _quarters(answers, args)
    return {name: quarters[name] for name in ("point_id", "start", "amount_micro")}


def _explained(answers: Answers, args: Sequence[Any]) -> Columns:
    quarters = _quarters(answers, args)
    return {name: quarters[name] for name in ("start", "amount_micro", "coverage", "method")}


def _past(answers: Answers, args: Sequence[Any]) -> Columns:
    rows = _rows(answers, args)
    found = answers.derived.intervals
    measured = {"measured_ms": found.measured_ms[rows].astype(np.int32), "suspect": found.suspect[rows]}
    return _quarters(answers, args) | measured


QUESTIONS: Final[Mapping[str, Question]] = {
    "amounts_by_state": Question(_times, _by_state),
    "amounts_of_stretches": Question(_stretches, _of_stretches),
    "amounts_of_measured_days": Question(_days, _measured_days),
    "mixed_days": Question(_days, _mixed_days, "day"),
    "daily_amounts": Question(_days, _daily, "day"),
    "page_days": Question(_days, _page_days, "day"),
    "page_groups": Question(_times, _page_groups),
    "gas_intervals": Question(_times, _gas, "start"),
    "hourly_amounts": Question(_times, _hourly, "start"),
    "hourly_from_intervals": Question(_times, _hourly_uneven, "start"),
    "quarter_amounts": Question(_times, _quarters, "start"),
    "explain_intervals": Question(_times, _explained, "start"),
    "past_intervals": Question(_times, _past, "start"),
}
"""Statements on intervals and roll-ups that a composition may ask, by name."""

CONTEXT: Final = frozenset(
    {
        "first_day",  # first local day of which anything is known
        "first_intervals",  # since when a meter counts
        "questions_between",  # what the scan asked a person to look at
        "recompute_waits",  # what waited to be computed again when it was frozen
        "past_checkpoints",
        "past_delta_states",
        "past_stale",
        "past_state",
        "checkpoint_before",
    }
)
"""Statements on derived tables whose answers are carried as they were: no sum rests on them."""
