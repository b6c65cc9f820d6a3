"""Two records, figure by figure: what is no longer what it was."""

from dataclasses import dataclass
from typing import Any, Literal

from parkcarbon.statement.record import Figure, Record, Text, tables

from .store import Statement

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that differs.

    Attributes:
        figure: id.
        label: row and column where it first stands; empty where it stands in no table.
        before: as printed; None: it was not there.
        after: as printed; None: it is not there any more.
        unit: as printed.
    """

    figure: str
    label: Text
    before: str | None
    after: str | None
    unit: str

    @property
    def what(self) -> Literal["added", "removed", "changed"]:
        """Kind of difference."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"

    def document(self) -> Json:
        """Plain JSON."""
        label = {"zh": self.label.zh, "en": self.label.en}
        return {
            "figure": self.figure,
            "label": label,
            "what": self.what,
            "before": self.before,
            "after": self.after,
            "unit": self.unit,
        }


def differences(before: Record, after: Record) -> list[Difference]:
    """Figures that are not the same, in the order of the later record; those that went come last.

    Exact values are compared, not what is printed of them.
    """
    labels = _labels(before) | _labels(after)
    found = []
    for name, figure in after.figures.items():
        old = before.figures.get(name)
        if old is None or (old.value, old.unit) != (figure.value, figure.unit):
            found.append(_difference(name, labels, old, figure))
    found += [_difference(name, labels, old, None) for name, old in before.figures.items() if name not in after.figures]
    return found


def words_changed(before: Record, after: Record) -> list[str]:
    """Parts without figures that differ: verdict, what is missing, sections that came or went."""
    found = []
    if before.verdict != after.verdict:
        found.append("verdict")
    if before.missing != after.missing:
        found.append("missing")
    left, right = [section.id for section in before.sections], [section.id for section in after.sections]
    found += [f"section {name}" for name in sorted(set(left) ^ set(right))]
    return found


def _difference(name: str, labels: dict[str, Text], before: Figure | None, after: Figure | None) -> Difference:
    some = after or before
    unit = "" if some is None else some.unit
    shown = [None if figure is None else (figure.shown if figure.value is None else figure.value)
             for figure in (before, after)]  # fmt: skip
    return Difference(name, labels.get(name, Text("", "")), shown[0], shown[1], unit)


def _labels(record: Record) -> dict[str, Text]:
    """Row and column of the first place of each figure."""
    found: dict[str, Text] = {}
    for _, table in tables(record):
        for line in table.lines:
            row = next((cell.text for cell in line.cells if cell.text is not None), Text("", ""))
            for column, cell in zip(table.columns, line.cells, strict=False):
                if cell.figure is not None and cell.figure not in found:
                    found[cell.figure] = Text(
                        f"{row.zh} {column.head.zh}".strip(), f"{row.en} {column.head.en}".strip()
                    )
    return found


def compared(before: Statement, left: Record, after: Statement, right: Record) -> Json:
    """Two statements against one another, as JSON."""
    figures = [item.document() for item in differences(left, right)]
    parts = words_changed(left, right)
    return {
        "before": _side(before),
        "after": _side(after),
        "identical": not figures and not parts,
        "figures": figures,
        "parts": parts,
    }


def _side(statement: Statement) -> Json:
    return {
        "statement_id": statement.statement_id,
        "number": statement.number,
        "version": statement.version,
        "state": statement.state,
        "digest": statement.digest,
    }
