"""The spreadsheet of a figure: formulas where there are terms, numbers once, texts that are never formulas."""

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from parkcarbon.books.workbook.layout import MOST_ARGUMENTS, lay_out
from parkcarbon.books.workbook.words import SERIES, SHEETS, UNKNOWN, WORKING_HEADERS
from parkcarbon.books.workbook.workbook import About, plain, source_text, write_workbook
from parkcarbon.domain.working import Figure, Operation, check, computed

ABOUT = About("标题", "title", facts=[("park", "campus")], notes=["=1+1"])
FACTOR = {"kind": "factor", "factor": "CN-2023-JS", "value": 0.5827, "unit": "kgCO2/kWh", "publisher": "MEE + NBS"}


def register(time: str, value: float) -> Figure:
    batch = {"source": "edge-1", "boot": "b0", "seq": 7, "digest": "ab" * 32, "recorded_at": "2026-01-01T00:00:05Z"}
    source = {"kind": "register", "point": "gate/active_energy_import", "time": time, "ct": 30.0, "batch": batch}
    return Figure(f"register_{time}", value, "kWh", source=source)


def example() -> Figure:
    """100 kWh on the register x ratio 3 x 0.5827 + three hours with their own factor."""
    moved = computed("moved", "difference", "kWh", register("b", 250.0), register("a", 150.0))
    energy = computed("energy", "product", "kWh", moved, Figure("ratio", 3.0, "1", source={"kind": "setting"}))
    factor = Figure("factor", 0.5827, "kgCO2/kWh", source=FACTOR)
    line = computed("line", "product", "kgCO2e", energy, factor, label_zh="关口", label_en="gate", rule="1.3")
    hours = computed(
        "hours",
        "sum_product",
        "kgCO2e",
        columns={"kWh": (1.0, 2.0, None), "kgCO2/kWh": (0.1, 0.2, 0.3)},
        axis={"hour": ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z")},
    )
    return computed("scope2_location", "sum", "kgCO2e", line, hours)


def written(figure: Figure) -> Any:
    file = io.BytesIO()
    write_workbook(figure, file, ABOUT)
    file.seek(0)
    return load_workbook(file)


def test_the_example_is_right_by_hand() -> None:
    figure = example()
    assert figure.value == pytest.approx(300 * 0.5827 + 1 * 0.1 + 2 * 0.2, abs=1e-12)
    assert check(figure) == []


@pytest.mark.rule("6.8")
def test_what_has_terms_is_a_formula_and_what_has_none_refers_to_its_one_number() -> None:
    figure = example()
    layout = lay_out(figure)
    book = written(figure)
    sheet = book[SHEETS["working"]]
    assert [cell.value for cell in sheet[1]] == list(WORKING_HEADERS)
    by_name = {row.figure.name: sheet[f"D{at}"].value for at, row in enumerate(layout.rows, 2)}
    assert by_name["scope2_location"] == "=SUM(D3,D10)"
    assert by_name["line"] == "=D4*D9"
    assert by_name["energy"] == "=D5*D8"
    assert by_name["factor"] == f"='{SHEETS['factors']}'!B2"
    assert by_name["register_b"] == f"='{SHEETS['registers']}'!C2"
    assert by_name["ratio"] == 3.0
    columns = SHEETS["columns"]
    assert by_name["hours"] == f"=SUMPRODUCT('{columns}'!B4:B6,'{columns}'!C4:C6)"
    for row in layout.rows:
        if row.figure.operation != "given":
            assert str(row.content).startswith("=")
    registers = book[SHEETS["registers"]]
    assert [cell.value for cell in registers[2]][:3] == ["gate/active_energy_import", "b", 250.0]
    assert "ab" * 32 in [cell.value for cell in registers[2]]
    assert [cell.value for cell in book[SHEETS["factors"]][2]][:3] == ["CN-2023-JS", 0.5827, "kgCO2/kWh"]


def test_a_number_in_another_unit_than_its_record_is_not_given_the_unit_of_the_record() -> None:
    figure = Figure("factor", 582.7, "gCO2/kWh", source=FACTOR)
    assert dict(lay_out(figure).factors[0]) | {} == {
        **FACTOR,
        "value": 582.7,
        "unit": "gCO2/kWh",
        "as_published": "0.5827 kgCO2/kWh",
    }


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")'])
def test_a_text_is_never_a_formula(text: str) -> None:
    axis = {text: (text, text)}
    hours = computed("hours", "sum_product", "kWh", columns={"kWh": (1.0, 2.0)}, axis=axis)
    entry = Figure("entry", 1.0, "kWh", label_en=text, label_zh=text, source={"kind": "entry", "evidence": text})
    noted = computed("total", "sum", "kWh", hours, entry, notes=(text,))
    book = written(noted)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and text.strip() in cell.value and not cell.value.startswith("=SUM("):
                    assert cell.data_type == "s", (sheet.title, cell.coordinate)
    found = [cell for cell in book[SHEETS["working"]]["C"] if cell.value and cell.value.strip() == text.strip()]
    assert found
    assert all(cell.quotePrefix for cell in found)


def test_what_is_not_known_is_said_and_makes_nothing_up() -> None:
    total = computed("total", "sum", "kWh", Figure("a", 1.0, "kWh"), Figure("b", None, "kWh"))
    assert total.value is None
    sheet = written(total)[SHEETS["working"]]
    assert sheet["D2"].value == f'=IF(COUNT(D3,D4)=2,SUM(D3,D4),"{UNKNOWN}")'
    assert (sheet["D3"].value, sheet["D4"].value, sheet["G2"].value) == (1, UNKNOWN, UNKNOWN)


def test_the_record_of_a_series_is_listed_without_a_number() -> None:
    series = Figure("factor", None, "kgCO2/kWh", source={**FACTOR, "value": None, "match": "series"})
    book = written(computed("hours", "sum_product", "kg", series, columns={"kWh": (1.0,), "kg/kWh": (2.0,)}))
    assert book[SHEETS["working"]]["D3"].value == SERIES
    assert book[SHEETS["factors"]]["B2"].value == SERIES


def test_many_terms_become_a_column_of_references() -> None:
    terms = [Figure(f"p{n}", float(n), "kWh") for n in range(MOST_ARGUMENTS + 50)]
    cases: tuple[tuple[Operation, str], ...]
    cases = (("sum", "=SUM(D3,"), ("difference", "=D3-SUM("), ("maximum", "=MAX(D3,"))
    for operation, start in cases:
        sheet = written(computed("total", operation, "kWh", *terms))[SHEETS["working"]]
        assert str(sheet["D2"].value).startswith(start)
        assert len(sheet["D2"].value) < 100


def test_small_words() -> None:
    assert plain("a\x00b") == "a b"
    assert source_text({}) == ""
    text = source_text({"kind": "entry", "id": 5, "batch": {"seq": 3, "boot": ""}, "none": None})
    assert text == "录入 entry: id 5, batch seq 3"
