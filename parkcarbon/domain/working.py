"""A figure with its working: a tree of named numbers that any reader, person or spreadsheet, can compute again.

Leaves are numbers that were read, entered or published, with where they come from; every other node is one operation
on its terms. The API prints the tree, a workbook turns each node into a cell with a formula, `check` computes it again.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from parkcarbon.domain.figure_names import words

Json = dict[str, object]
Operation = Literal["given", "sum", "difference", "product", "quotient", "minimum", "maximum", "sum_product"]

TOLERANCE: Final = 1e-9
"""A value may differ from its recomputed terms by this share: exact integers were summed before they became floats."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number and how it comes about.

    Attributes:
        name: snake_case, unique among its siblings.
        value: the number; None: not known, and then nothing that rests on it is.
        unit: of the number, as it is printed; `1` for a ratio.
        operation: what is done with the terms; `given` for a leaf. `difference` is the first less all others,
            `quotient` the first by the second, `sum_product` the sum of products of equally long `columns`.
        terms: in the order of the formula; of a `sum_product` what stands behind its columns, no part of the formula.
        label_en: what the figure is called; empty: its name speaks.
        label_zh: the same in Chinese.
        source: where a leaf comes from: {"kind": "register" | "interval" | "factor" | "entry" | "lot" | "setting", …};
            of another node what is behind it as a whole, such as data states or batches.
        columns: of a `sum_product`: parallel columns by name, for example hourly kWh and hourly kg/kWh; a row with an
            unknown counts nothing.
        axis: what the rows of the columns are: parallel columns that are only shown, for example times and batches.
        within: how far the value may be from what the terms give [unit]: half a step for each part that was rounded.
        rule: number of the accounting rule that prescribes the operation.
        notes: sentences a reader should know.
    """

    name: str
    value: float | None
    unit: str
    operation: Operation = "given"
    terms: tuple["Figure", ...] = ()
    label_en: str = ""
    label_zh: str = ""
    source: Mapping[str, object] = field(default_factory=dict)
    columns: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    rule: str = ""
    notes: tuple[str, ...] = ()
    axis: Mapping[str, tuple[str | int | None, ...]] = field(default_factory=dict)
    within: float = 0.0

    def walk(self) -> Iterator["Figure"]:
        """This figure and everything under it, depth first."""
        yield self
        for term in self.terms:
            yield from term.walk()

    @property
    def labels(self) -> tuple[str, str]:
        """What it is called in Chinese and English: its own words, else those of its name; empty for an id."""
        zh, en = words(self.name)
        zh, en = self.label_zh or zh, self.label_en or en
        return zh or en, en or zh

    def document(self, *, columns: bool = True) -> Json:
        """Plain JSON; empty members are left out.

        Args:
            columns: with the columns of sums of products; without them a year of hours stays small.
        """
        members: Json = {"name": self.name, "value": self.value, "unit": self.unit, "operation": self.operation}
        zh, en = self.labels
        if zh:
            members["label"] = {"zh": zh, "en": en}
        optional: Json = {
            "source": dict(self.source),
            "axis": {name: list(values) for name, values in self.axis.items()} if columns else {},
            "columns": {name: list(values) for name, values in self.columns.items()} if columns else {},
            "rule": self.rule,
            "notes": list(self.notes),
            "within": self.within,
            "terms": [term.document(columns=columns) for term in self.terms],
        }
        return members | {name: value for name, value in optional.items() if value}


def recomputed(figure: Figure) -> float | None:
    """What the terms of a figure give; the figure's own value for a leaf, None where a term is not known."""
    if figure.operation == "given":
        return figure.value
    if figure.operation == "sum_product":
        rows = zip(*figure.columns.values(), strict=True)
        return math.fsum(
            math.prod(known) for row in rows if len(known := [x for x in row if x is not None]) == len(row)
        )
    values = [term.value for term in figure.terms]
    known = [value for value in values if value is not None]
    return _apply(figure.operation, known) if len(known) == len(values) else None


def _apply(operation: Operation, values: list[float]) -> float | None:
    if operation == "sum":
        return math.fsum(values)
    if operation == "difference":
        return values[0] - math.fsum(values[1:])
    if operation == "product":
        return math.prod(values)
    if operation == "quotient":
        return values[0] / values[1] if values[1] else None
    return min(values) if operation == "minimum" else max(values)


def computed(
    name: str,
    operation: Operation,
    unit: str,
    *terms: Figure,
    value: float | None = None,
    label_en: str = "",
    label_zh: str = "",
    rule: str = "",
    notes: tuple[str, ...] = (),
    columns: Mapping[str, tuple[float | None, ...]] | None = None,
    axis: Mapping[str, tuple[str | int | None, ...]] | None = None,
    within: float = 0.0,
    source: Mapping[str, object] | None = None,
) -> Figure:
    """A figure from its terms.

    Args:
        name: of the figure.
        operation: what is done.
        unit: of the result.
        *terms: in order.
        value: the exact value where integers behind the terms give it; else the terms' own result is taken.
        label_en: what it is called.
        label_zh: the same in Chinese.
        rule: number of the rule behind it.
        notes: sentences.
        columns: of a `sum_product`.
        axis: what the rows of the columns are.
        within: how far rounded parts may take `value` from what the terms give [unit].
        source: what is behind the terms as a whole: data states, versions, batches.

    Raises:
        ValueError: `value` is not what the terms give.
    """
    figure = Figure(
        name,
        value,
        unit,
        operation,
        terms,
        label_en,
        label_zh,
        source or {},
        columns or {},
        rule=rule,
        notes=notes,
        axis=axis or {},
        within=within,
    )
    result = recomputed(figure)
    if value is None:
        return replace(figure, value=result)
    if not same(value, result, within):
        raise ValueError(f"{name} is said to be {value}, its terms give {result}")
    return figure


def same(left: float | None, right: float | None, within: float = 0.0) -> bool:
    """True when two results are equal up to the rounding of floats, or not farther apart than `within`."""
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, rel_tol=TOLERANCE, abs_tol=max(TOLERANCE, within))


def check(figure: Figure) -> list[str]:
    """Every node whose value is not what its terms give, as one line each; empty: the working holds."""
    return [
        f"{node.name} is {node.value}, its terms give {result}"
        for node in figure.walk()
        if node.value is not None and not same(node.value, result := recomputed(node), node.within)
    ]
