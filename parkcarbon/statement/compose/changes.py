"""What a re-issue changed: every figure of two records that differs, with what it comes from."""

from collections.abc import Iterator, Mapping
from typing import Final

from parkcarbon.statement.record import Basis, Box, Change, Figure, Record, Section, Table, Text

from .wording.words import join

_CAUSES: Final[dict[Basis, Text]] = {
    "registers": Text("读数或其更正", "readings or their corrections"),
    "entered": Text("录入", "entries"),
    "ledger": Text("绿证与减排量台账", "ledger of certificates and credits"),
    "factor": Text("排放因子", "emission factors"),
    "setting": Text("园区设置", "settings of the park"),
    "context": Text("以前期间", "earlier periods"),
    "computed": Text("计算", "calculation"),
}
_ADDED: Final = Text("新增行", "a new line")
_DROPPED: Final = Text("不再列示", "no longer there")


def changes_of(before: Record, figures: Mapping[str, Figure], labels: Mapping[str, Text]) -> tuple[Change, ...]:
    """Every figure that is another one, that is new, or that is gone; in the order of ids.

    Args:
        before: the record that is taken the place of.
        figures: of the new one.
        labels: what a figure is called, of the new record; those of the old one are read from it.
    """
    old = before.figures
    names = sorted({*old, *figures})
    changed = {name for name in names if _value(old, name) != _value(figures, name)}
    called = {**labels_of(before.sections), **labels}
    roots = _Causes(figures, changed)
    return tuple(
        Change(
            figure=name,
            label=called.get(name, Text(name, name)),
            before=_value(old, name),
            after=_value(figures, name),
            unit=(figures.get(name) or old[name]).unit,
            cause=_cause(name, old, roots),
        )
        for name in names
        if name in changed
    )


def _value(figures: Mapping[str, Figure], name: str) -> str | None:
    return figures[name].value if name in figures else None


def _cause(name: str, old: Mapping[str, Figure], roots: "_Causes") -> Text:
    if name not in roots.figures:
        return _DROPPED
    found = join((_CAUSES[basis] for basis in roots.of(name)), "、", ", ")
    return found if name in old else join((_ADDED, found), "：", ": ")


class _Causes:
    """On what the changed parts of each figure rest."""

    def __init__(self, figures: Mapping[str, Figure], changed: set[str]) -> None:
        self.figures = figures
        self._changed = changed
        self._found: dict[str, tuple[Basis, ...]] = {}

    def of(self, name: str) -> tuple[Basis, ...]:
        """Bases of the changed figures that it follows from; of a figure without a formula its own."""
        if name not in self._found:
            formula = self.figures[name].formula
            parts = () if formula is None else formula.of
            behind = [basis for part in parts if part in self._changed for basis in self.of(part)]
            self._found[name] = tuple(dict.fromkeys(behind)) or (self.figures[name].basis,)
        return self._found[name]


def labels_of(sections: tuple[Section, ...]) -> dict[str, Text]:
    """What the figures of tables are called: the words of the row, then the head of the column.

    A row is called by its first words, or by all of them where another row of the table begins with the same.
    """
    found: dict[str, Text] = {}
    for table in tables_of(sections):
        names = [next((cell.text for cell in row.cells if cell.text is not None), table.head) for row in table.lines]
        for row, short in zip(table.lines, names, strict=True):
            name = short if names.count(short) == 1 else join((c.text for c in row.cells if c.text), " ", " ")
            for cell, column in zip(row.cells, table.columns, strict=False):
                if cell.figure is not None:
                    label = Text(f"{name.zh}，{column.head.zh}", f"{name.en}, {column.head.en}")
                    found.setdefault(cell.figure, label)
    return found


def tables_of(sections: tuple[Section, ...]) -> Iterator[Table]:
    """Every table, those in boxes too."""
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Table):
                yield block
            elif isinstance(block, Box):
                yield from (inner for inner in block.blocks if isinstance(inner, Table))
