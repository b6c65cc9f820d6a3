"""Runs of zeros and of one and the same value, found among hourly amounts. Found and proposed, never replaced.

An electricity meter of a building never shows exactly nothing for hours, nor exactly the same for many: such runs stand
for missing readings or a frozen display. Only hours that were measured count; what was interpolated is even by its
making. A meter that rests often (a machine, a roof at night) is left alone: its habit is no fault.

References:
    docs/adr/0008 (three zeros); accounting rules 6.1 (whoever closes a gap says so), 6.10 (sanity of readings).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from parkcarbon.domain.readings import BoolArray, Int64Array

HOUR_MS: Final = 3_600_000
_DAY_H: Final = 24


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What counts as a run.

    Attributes:
        zero_hours: zeros in a row from which a run is suspect.
        stuck_hours: equal values in a row from which a run is suspect.
        stuck_steps: register steps an hourly value must have for its repetition to be suspect.
        habit_per_30_days: with more runs than this a meter is taken to rest by habit.
        quiet_flows: flows that stand still in the ordinary course of things.
        carriers: where a standstill is suspect at all.
    """

    zero_hours: int = 3
    stuck_hours: int = 6
    stuck_steps: int = 20
    habit_per_30_days: float = 4.0
    quiet_flows: frozenset[str] = frozenset({"export", "generation", "charge", "discharge"})
    carriers: frozenset[str] = frozenset({"electricity"})


@dataclass(frozen=True, slots=True)
class Run:
    """A suspect run of one point.

    Attributes:
        point: name.
        kind: `zero` or `stuck`.
        from_ms: start [ms UTC].
        to_ms: end, exclusive [ms UTC].
        hours: how many.
        value_micro: what every hour shows [1e-6 unit].
    """

    point: str
    kind: Literal["zero", "stuck"]
    from_ms: int
    to_ms: int
    hours: int
    value_micro: int


@dataclass(frozen=True, slots=True)
class Watched:
    """A point and what decides whether its standstill is suspect."""

    point: str
    carrier: str
    flow: str | None = None
    step_micro: int = 0


def find_runs(
    points: Sequence[Watched],
    start_ms: Int64Array,
    amount_micro: Int64Array,
    measured: BoolArray,
    *,
    settings: RunSettings | None = None,
) -> list[Run]:
    """Find suspect runs, by point and time.

    Args:
        points: rows of the arrays.
        start_ms: start of each hour [ms UTC], ascending, without holes.
        amount_micro: amount by point and hour [1e-6 unit].
        measured: True where the whole hour was measured.
        settings: what counts as a run.
    """
    rules = settings or RunSettings()
    found: list[Run] = []
    for row, point in enumerate(points):
        if point.carrier not in rules.carriers or point.flow in rules.quiet_flows:
            continue
        found += _runs_of(point, start_ms, amount_micro[row], measured[row], rules)
    return found


def _runs_of(
    point: Watched, start_ms: Int64Array, amount: Int64Array, measured: BoolArray, rules: RunSettings
) -> Iterable[Run]:
    first, last = _equal_stretches(amount, measured)
    hours = last - first
    value = amount[first]
    zero = (value == 0) & (hours >= rules.zero_hours)
    stuck = (value != 0) & (hours >= rules.stuck_hours) & (np.abs(value) >= rules.stuck_steps * point.step_micro)
    months = max(int(measured.sum()) / (30 * _DAY_H), 1.0)
    for kind, mask in (("zero", zero), ("stuck", stuck)):
        if 0 < int(mask.sum()) <= rules.habit_per_30_days * months:
            for at in np.flatnonzero(mask).tolist():
                begin, end = int(start_ms[first[at]]), int(start_ms[last[at] - 1]) + HOUR_MS
                yield Run(
                    point.point, "zero" if kind == "zero" else "stuck", begin, end, int(hours[at]), int(value[at])
                )


def _equal_stretches(amount: Int64Array, measured: BoolArray) -> tuple[Int64Array, Int64Array]:
    """First and one past the last hour of every stretch of measured hours with one value."""
    if not len(amount):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    changes = np.ones(len(amount) + 1, dtype=np.bool_)
    changes[1:-1] = (amount[1:] != amount[:-1]) | (measured[1:] != measured[:-1])
    edges = np.flatnonzero(changes)
    first, last = edges[:-1], edges[1:]
    keep = measured[first]
    return first[keep], last[keep]
