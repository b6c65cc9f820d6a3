"""Blocks of a record as the template draws them: words in the languages asked for, columns with room for decimals."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from parkcarbon.statement.record import (
    Block,
    Box,
    Bridge,
    Cell,
    Chart,
    Column,
    Figure,
    HeatMap,
    Line,
    Pairs,
    Paragraph,
    Table,
    Text,
)

from . import scales

Language = Literal["zh", "en", "both"]
Json = dict[str, Any]
Clean = Callable[[str], str]
Ems = Callable[[str], float]

_LIKE_A_NUMBER: Final = re.compile(r"[-+±~≈]?[\d,. ]+%?|–|-|")
_WIDE: Final = 0x2E80
"""Letters from here on are Chinese: twice as wide, and a line may break beside each."""

_SMALL_LINES: Final = 12
_SMALL_MM: Final = 90.0
_LINE_EMS: Final = 68.0
"""Across a page go about 52 em; columns with words get more of them than those with numbers."""
_ROW_MM: Final = 4.9
_INSET_MM: Final = 2.5


class Blocks:
    """Turns blocks into what the template draws.

    Args:
        figures: of the record.
        language: `zh`, `en`, or `both` with Chinese above English.
        clean: makes any text one that can be set.
        ems: how wide a text is [em].
    """

    def __init__(
        self, figures: Mapping[str, Figure], language: Language, clean: Clean = str, ems: Ems | None = None
    ) -> None:
        self.figures = figures
        self.language = language
        self.clean = clean
        self.ems = ems or _ems

    def text(self, text: Text) -> list[list[str]]:
        """Words with their language; once where both languages say the same."""
        if self.language != "both":
            return [[self.language, self.clean(getattr(text, self.language))]]
        if text.zh == text.en:
            return [["en" if text.zh.isascii() else "zh", self.clean(text.zh)]]
        return [["zh", self.clean(text.zh)], ["en", self.clean(text.en)]]

    def block(self, block: Block) -> Json:
        """Any block."""
        return _DRAWN[type(block)](self, block)

    def paragraph(self, block: Paragraph) -> Json:
        """Words."""
        return {"block": "paragraph", "style": block.style, "text": self.text(block.text)}

    def pairs(self, block: Pairs) -> Json:
        """Names with what belongs to them."""
        rows = [[self.text(name), self._cell(cell, unit="", places=None)] for name, cell in block.rows]
        return {"block": "pairs", "rows": rows}

    def box(self, box: Box) -> Json:
        """What is outside the sum, or on a different method."""
        inner = [self.block(block) for block in box.blocks]
        return {"block": "box", "kind": box.kind, "head": self.text(box.head), "blocks": inner}

    def table(self, table: Table) -> Json:
        """Rows of cells under heads with units."""
        columns = range(len(table.columns))
        units = [[self._told_unit(table, line, at) for at in range(len(line.cells))] for line in table.lines]
        places = [self._places(table, units, at) for at in columns]
        lines = [
            {
                "style": line.style,
                "indent": line.indent,
                "cells": [
                    self._cell(cell, unit=units[row][at], places=places[at]) for at, cell in enumerate(line.cells)
                ],
            }
            for row, line in enumerate(table.lines)
        ]
        return {
            "block": "table",
            "id": table.id,
            "head": self.text(table.head),
            "columns": [self._column(column, at, lines) for at, column in enumerate(table.columns)],
            "lines": lines,
            "torn": _is_tall(lines, len(table.columns)),
            "note": None if table.note is None else self.text(table.note),
        }

    def bridge(self, bridge: Bridge) -> Json:
        """Bars from a total to another."""
        figures = [self.figures[step.figure] for step in bridge.steps]
        values = scales.numbers([figure.value for figure in figures])
        bars = scales.waterfall([(step.kind, value) for step, value in zip(bridge.steps, values, strict=True)])
        ends = [0.0, *(end for bar in bars if bar is not None for end in bar)]
        units = {figure.unit for figure in figures}
        unit = units.pop() if len(units) == 1 else ""
        places = max((_decimals(figure.shown) for figure in figures), default=0)
        return {
            "block": "bridge",
            "id": bridge.id,
            "head": self.text(bridge.head),
            "unit": self.clean(unit),
            "low": min(ends),
            "high": max(ends),
            "steps": [
                {
                    "label": self.text(step.label),
                    "kind": step.kind,
                    "shown": figure.shown,
                    "pad": _pad(figure.shown, places),
                    "unit": "" if unit else self.clean(figure.unit),
                    "bar": bar,
                }
                for step, figure, bar in zip(bridge.steps, figures, bars, strict=True)
            ],
        }

    def chart(self, chart: Chart) -> Json:
        """Bars or lines over labels."""
        values = [scales.numbers(series.values) for series in chart.series]
        bars = [at for at, series in enumerate(chart.series) if series.style in ("bar", "hatched")]
        placed = dict(zip(bars, scales.stacked([values[at] for at in bars]), strict=True))
        ends = [end for row in placed.values() for bar in row if bar is not None for end in bar]
        ends += [value for at, row in enumerate(values) if at not in placed for value in row if value is not None]
        low, high, ticks = scales.axis(ends)
        common, labels = scales.short_labels(chart.labels)
        return {
            "block": "chart",
            "id": chart.id,
            "head": self.text(chart.head),
            "unit": self.clean(chart.unit),
            "common": self.clean(common),
            "labels": [self.clean(label) for label in labels],
            "marked": scales.marked(labels),
            "many": len(labels) > scales.MANY,
            "low": low,
            "high": high,
            "ticks": ticks if ends else [],
            "series": [
                {"name": self.text(series.name), "style": series.style, "values": values[at], "bars": placed.get(at)}
                for at, series in enumerate(chart.series)
            ],
            "completeness": scales.numbers(chart.completeness_pct),
        }

    def heat_map(self, heat: HeatMap) -> Json:
        """A cell each hour of each day."""
        runs, low, high = scales.shades(heat.values)
        common, labels = scales.short_labels(heat.days)
        hours = max((len(row) for row in heat.values), default=0)
        return {
            "block": "heat_map",
            "id": heat.id,
            "head": self.text(heat.head),
            "unit": self.clean(heat.unit),
            "common": self.clean(common),
            "days": [self.clean(label) for label in labels],
            "marked": scales.marked(labels),
            "hours": hours,
            "short": [(place, len(row)) for place, row in enumerate(heat.values) if len(row) < hours],
            "runs": [run for run in runs if run[3] >= 0],
            "low": scales.brief(low),
            "high": scales.brief(high),
            "known": any(level >= 0 for *_, level in runs),
            "gaps": any(level < 0 for *_, level in runs),
        }

    def _cell(self, cell: Cell, *, unit: str, places: int | None) -> Json:
        """What stands in a cell.

        The unit is printed where the reader is not told it already; a number without one has `pad` behind it, room for
        the decimals that others in its column have.
        """
        if cell.figure is not None:
            figure = self.figures[cell.figure]
            told = figure.unit in (unit, "", "1") or (figure.value is None and places is not None)
            own = "" if told else self.clean(figure.unit)
            pad = "" if places is None or own else _pad(figure.shown, places)
            return {"shown": figure.shown, "pad": pad, "unit": own, "known": figure.value is not None}
        return {} if cell.text is None else {"text": self.text(cell.text)}

    def _told_unit(self, table: Table, line: Line, at: int) -> str:
        """The unit that the reader is told already: by the head, or by words in the same row."""
        name = line.cells[at].figure
        unit = "" if name is None else self.figures[name].unit
        head = table.columns[at].unit if at < len(table.columns) else ""
        told = [part.strip() for part in head.split(",")]
        told += [word for cell in line.cells if cell.text is not None for word in (cell.text.zh, cell.text.en)]
        of_what = "/" not in unit and any(part and unit.startswith(f"{part} ") for part in told)
        return unit if unit in told or of_what else head

    def _places(self, table: Table, units: Sequence[Sequence[str]], at: int) -> int:
        """Most decimals in a column, of numbers that carry no unit of their own."""
        names = [
            (line.cells[at].figure, units[row][at]) for row, line in enumerate(table.lines) if at < len(line.cells)
        ]
        plain = [
            self.figures[name].shown for name, told in names if name and self.figures[name].unit in (told, "", "1")
        ]
        return max(map(_decimals, plain), default=0)

    def _column(self, column: Column, at: int, lines: Sequence[Json]) -> Json:
        """Head, and how wide the widest of what stands below it is: to measure them took a seventh of a document."""
        cells = [line["cells"][at] for line in lines if at < len(line["cells"])]
        numbers = [f"{cell['shown']}{cell['pad']} {cell['unit']}".rstrip() for cell in cells if "shown" in cell]
        texts = [text for cell in cells for _, text in cell.get("text", ())]
        head, unit = self.text(column.head), self.clean(column.unit)
        all_texts = [*texts, *(text for _, text in head)]
        only_words = not numbers and any(not _LIKE_A_NUMBER.fullmatch(text) for text in texts)
        return {
            "head": head,
            "unit": unit,
            "align": "left" if only_words else column.align,
            "weight": column.weight,
            "ems": {
                "number": self._widest(numbers),
                "text": self._widest(all_texts),
                "word": self._widest(word for text in all_texts for word in _unbroken(text)),
                "unit": self._widest([f"[{unit}]"] if unit else []),
                "units": self._widest(f"[{unit}]".split(", ") if unit else []),
            },
        }

    def _widest(self, texts: Iterable[str]) -> float:
        return round(max(map(self.ems, texts), default=0.0), 3)


_DRAWN: Final[Mapping[type, Callable[[Blocks, Any], Json]]] = {
    Paragraph: Blocks.paragraph,
    Pairs: Blocks.pairs,
    Table: Blocks.table,
    Bridge: Blocks.bridge,
    Chart: Blocks.chart,
    HeatMap: Blocks.heat_map,
    Box: Blocks.box,
}


def _is_tall(lines: Sequence[Json], columns: int) -> bool:
    """Whether a table may be torn apart at the foot of a page; a small one is not.

    Guessed from its texts: to have it set twice, once to be measured, took a fifth of the time of a document.
    """
    wide = max(8.0, _LINE_EMS / max(columns, 1))
    rows = [
        max(
            (sum(math.ceil(_ems(text) / wide) for _, text in cell.get("text", ())) for cell in line["cells"]), default=1
        )
        for line in lines
    ]
    return len(lines) > _SMALL_LINES or sum(max(row, 1) * _ROW_MM + _INSET_MM for row in rows) > _SMALL_MM


def _decimals(shown: str) -> int:
    return len(shown.partition(".")[2])


def _pad(shown: str, places: int) -> str:
    """What is set invisibly behind a number so that its decimal point stands under the others."""
    own = _decimals(shown)
    if own >= places:
        return ""
    return "0" * (places - own) if own else "." + "0" * places


def _ems(text: str) -> float:
    """About how wide a text is [em]."""
    return sum(1.0 if ord(letter) >= _WIDE else 0.55 for letter in text)


def _unbroken(text: str) -> Iterable[str]:
    """Parts of a text that a line break may not split: Latin words; Chinese breaks anywhere."""
    return (
        word
        for part in re.split(f"[ \u200b{chr(_WIDE)}-\U0010ffff]+", text)
        for word in re.findall("[^-/…]+[-/…]*", part)
    )
