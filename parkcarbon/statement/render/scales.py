"""Where bars, lines and cells of a chart stand: numbers to draw with, from decimals that are printed elsewhere."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

TICKS: Final = 4
MANY: Final = 62
"""Labels from which on a chart is drawn without borders of its bars: two months of days."""
LEVELS: Final = 12
"""Shades of a heat map; more cannot be told apart on paper."""


def nice_step(span: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that divides a span into about `TICKS` parts.

    >>> nice_step(120.0), nice_step(0.7), nice_step(0.0)
    (50.0, 0.2, 1.0)
    """
    if span <= 0 or not math.isfinite(span):
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / TICKS))
    return next((power * times for times in (1, 2, 5) if span / (power * times) <= TICKS), power * 10)


def axis(values: Iterable[float]) -> tuple[float, float, list[tuple[float, str]]]:
    """Lowest and highest end of an axis that holds 0 and all values, and its ticks with their words.

    >>> axis([3.0, 118.0])
    (0.0, 150.0, [(0.0, '0'), (50.0, '50'), (100.0, '100'), (150.0, '150')])
    """
    known = [0.0, *values]
    step = nice_step(max(known) - min(known))
    first, last = math.floor(min(known) / step), max(1, math.ceil(max(known) / step))
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = [(number * step, f"{number * step + 0.0:,.{places}f}") for number in range(first, last + 1)]
    return ticks[0][0], ticks[-1][0], ticks


def numbers(values: Sequence[str | None]) -> list[float | None]:
    """Values for drawing; None stays None."""
    return [None if value is None else float(value) for value in values]


def stacked(series: Sequence[list[float | None]]) -> list[list[tuple[float, float] | None]]:
    """Begin and end of each bar on top of the ones before; below 0 downwards.

    >>> stacked([[2.0, -1.0, None], [1.0, -2.0, 3.0]])
    [[(0.0, 2.0), (0.0, -1.0), None], [(2.0, 3.0), (-1.0, -3.0), (0.0, 3.0)]]
    """
    width = max((len(values) for values in series), default=0)
    tops, feet = [0.0] * width, [0.0] * width
    placed: list[list[tuple[float, float] | None]] = []
    for values in series:
        row: list[tuple[float, float] | None] = []
        for place, value in enumerate(values):
            pile = tops if value is None or value >= 0 else feet
            row.append(None if value is None else (pile[place], pile[place] + value))
            pile[place] += value or 0.0
        placed.append(row)
    return placed


def waterfall(steps: Sequence[tuple[str, float | None]]) -> list[tuple[float, float] | None]:
    """Begin and end of each bar of a bridge, from kinds (`total`, `change`) and values; None: not known.

    A change is drawn in the direction that leads to the total behind it, whichever sign it is written with.

    >>> waterfall([("total", 10.0), ("change", 3.0), ("total", 7.0)])
    [(0.0, 10.0), (10.0, 7.0), (0.0, 7.0)]
    """
    bars: list[tuple[float, float] | None] = []
    level: float | None = None
    for place, (kind, value) in enumerate(steps):
        if value is None:
            bars.append(None)
            level = None
        elif kind == "total" or level is None:
            bars.append((0.0, value))
            level = value
        else:
            bars.append((level, level + _direction(level, value, _next_total(steps, place)) * value))
            level = bars[-1][1] if bars[-1] else None
    return bars


def _next_total(steps: Sequence[tuple[str, float | None]], place: int) -> float | None:
    """The total right behind a change; None where another change comes first."""
    behind = steps[place + 1] if place + 1 < len(steps) else ("change", None)
    return behind[1] if behind[0] == "total" else None


def _direction(level: float, value: float, target: float | None) -> int:
    if target is None:
        return 1
    return -1 if abs(level - value - target) < abs(level + value - target) else 1


def shades(rows: Sequence[Sequence[str | None]]) -> tuple[list[tuple[int, int, int, int]], float, float]:
    """Cells of a heat map as runs (row, column, length, level), and the lowest and highest value.

    Level -1 is missing. Cells that a shorter day does not have are in no run.

    >>> shades([["0", "0", None], ["12"]])
    ([(0, 0, 2, 0), (0, 2, 1, -1), (1, 0, 1, 11)], 0.0, 12.0)
    """
    known = [float(value) for row in rows for value in row if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    span = high - low

    def level(value: str | None) -> int:
        if value is None:
            return -1
        share = (float(value) - low) / span if span else 0.5
        return min(LEVELS - 1, int(share * LEVELS))

    runs: list[tuple[int, int, int, int]] = []
    for number, row in enumerate(rows):
        column = 0
        for shade, cells in groupby(map(level, row)):
            length = len(list(cells))
            runs.append((number, column, length, shade))
            column += length
    return runs, low, high


def brief(value: float) -> str:
    """A number for a legend, with three digits where that is enough.

    >>> brief(7299.0), brief(0.0421), brief(-12.5), brief(0.0)
    ('7,299', '0.0421', '-12.5', '0')
    """
    if value == 0:
        return "0"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def short_labels(labels: Sequence[str]) -> tuple[str, list[str]]:
    """The month or the year that all days have in common, and what is left of each label.

    >>> short_labels(["2026-10-01", "2026-10-02"])
    ('2026-10', ['01', '02'])
    >>> short_labels(["2026-10-31", "2026-11-01"])
    ('2026', ['10-31', '11-01'])
    """
    parts = [label.split("-") for label in labels]
    for common in (2, 1):
        heads = {"-".join(part[:common]) for part in parts}
        if len(parts) > 1 and len(heads) == 1 and all(len(part) > common for part in parts):
            return heads.pop(), ["-".join(part[common:]) for part in parts]
    return "", list(labels)


def marked(labels: Sequence[str]) -> list[int]:
    """Places whose labels are worth printing: first days of months where there are many days, else all.

    >>> marked(["01", "02"]), marked([f"{month:02d}-{day:02d}" for month in (1, 2, 3) for day in range(1, 29)])
    ([0, 1], [0, 28, 56])
    """
    firsts = [place for place, label in enumerate(labels) if label.endswith("-01")]
    return firsts if len(labels) > MANY and firsts else list(range(len(labels)))
