"""LibreOffice computes the spreadsheet of a figure again and comes to the same numbers."""

import math
import random
from pathlib import Path

import pytest

from parkcarbon.books.workbook.layout import Layout
from parkcarbon.books.workbook.words import SHEETS, UNKNOWN
from parkcarbon.books.workbook.workbook import About, write_workbook
from parkcarbon.domain.working import Figure, Operation, computed
from tests.fakes.libreoffice import HERE, recalculated

pytestmark = HERE
ABOUT = About("标题", "title")
OPERATIONS: tuple[Operation, ...] = ("sum", "difference", "product", "quotient", "minimum", "maximum")


def differences(path: Path, layout: Layout) -> list[str]:
    """Every cell of a figure that LibreOffice sees otherwise than the engine."""
    sheet = recalculated(path)[SHEETS["working"]]
    found = []
    for figure, cell in layout.cells():
        value = sheet[cell].value
        if figure.value is None:
            if isinstance(value, int | float):
                found.append(f"{figure.name} in {cell}: {value}, not known")
        elif not isinstance(value, int | float):
            found.append(f"{figure.name} in {cell}: {value!r}, not {figure.value}")
        elif not math.isclose(value, figure.value, rel_tol=1e-9, abs_tol=max(figure.within, 1e-12)):
            found.append(f"{figure.name} in {cell}: {value}, not {figure.value}")
    return found


def any_figure(rng: random.Random, depth: int) -> Figure:
    if depth == 0:
        return leaf(rng)
    if rng.random() < 0.2:
        rows = rng.randint(1, 40)
        columns = {
            name: tuple(rng.uniform(0, 5) if rng.random() < 0.9 else None for _ in range(rows)) for name in ("x", "y")
        }
        return computed("hours", "sum_product", "kg", leaf(rng), columns=columns, axis={"row": tuple(range(rows))})
    operation = rng.choice(OPERATIONS)
    count = 2 if operation == "quotient" else rng.randint(1, 5) if rng.random() < 0.95 else 130
    return computed(
        operation, operation, "kWh", *(any_figure(rng, depth - 1 if count < 9 else 0) for _ in range(count))
    )


def leaf(rng: random.Random) -> Figure:
    value = None if rng.random() < 0.02 else rng.choice([rng.uniform(-3, 3), rng.uniform(0.1, 2), 0.5827, 0.0])
    kind = rng.choice(["register", "factor", "setting"])
    source = {"kind": kind, "factor": f"F{rng.randint(0, 9)}", "point": "p/q", "time": str(rng.random())}
    return Figure("leaf", value, "kWh", source=source, label_en="=1+1", label_zh="-1")


@pytest.mark.rule("6.8")
def test_trees_of_every_operation_are_computed_to_the_same_values(tmp_path: Path) -> None:
    rng = random.Random(20261121)
    terms = [any_figure(rng, 4) for _ in range(60)]
    known = [term for term in terms if term.value is not None]
    assert len(known) > 20
    assert len(known) < len(terms)
    root = computed("root", "sum", "kWh", computed("unknown", "sum", "kWh", *terms), value=None)
    layout = write_workbook(root, str(tmp_path / "any.xlsx"), ABOUT)
    assert len(layout.rows) > 1000
    assert differences(tmp_path / "any.xlsx", layout) == []


def test_a_total_follows_a_changed_register(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    source = {"kind": "register", "point": "p/q"}
    end = Figure("end", 250.0, "kWh", source={**source, "time": "b"})
    start = Figure("start", 150.0, "kWh", source={**source, "time": "a"})
    energy = computed("energy", "difference", "kWh", end, start)
    path = tmp_path / "energy.xlsx"
    write_workbook(energy, str(path), ABOUT)
    book = load_workbook(path)
    book[SHEETS["registers"]]["C2"] = 260.5
    book.save(path)
    sheet = recalculated(path)[SHEETS["working"]]
    assert (sheet["D2"].value, sheet["G2"].value, sheet["H2"].value) == (110.5, 100, 10.5)


def test_texts_stay_texts_and_the_unknown_stays_unknown(tmp_path: Path) -> None:
    text = "+cmd|' /C calc'!A0"
    total = computed("total", "sum", "kWh", Figure("a", None, "kWh", label_en=text), Figure("b", 1.0, "kWh"))
    path = tmp_path / "texts.xlsx"
    write_workbook(total, str(path), ABOUT)
    sheet = recalculated(path)[SHEETS["working"]]
    assert [sheet[f"D{row}"].value for row in (2, 3, 4)] == [UNKNOWN, UNKNOWN, 1]
    assert sheet["C3"].value == text
