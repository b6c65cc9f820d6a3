"""The spreadsheet of a record: what is a formula, what is a text, and the same bytes each time."""

import os
import re
import subprocess
import sys
import zipfile
from decimal import Decimal
from io import BytesIO
from typing import Any

import msgspec
import pytest
from openpyxl import load_workbook

from parkcarbon.statement.record import Act, Column, Formula, Line, Record, Section, Table, Text, decode, encode
from parkcarbon.statement.render.formulas import MOST_REFERENCES, letters
from parkcarbon.statement.render.grid import FIGURES, TERMS
from parkcarbon.statement.render.labels import LABELS
from parkcarbon.statement.render.words import WORDS
from parkcarbon.statement.render.xlsx import addresses, render_xlsx
from parkcarbon.statement.sheet import UNKNOWN, Sheet, words
from tests.fakes.statement_office import record_of
from tests.fakes.statement_record import sample_empty, sample_record, sample_reissue

REFERENCE = r"(?:'[^']+'!)?[A-Z]+[0-9]+(?::[A-Z]+[0-9]+)?"


def opened(record: Record, *, values: bool = False) -> Any:
    return load_workbook(BytesIO(render_xlsx(record)), data_only=values)


def formulas(book: Any) -> dict[tuple[str, str], str]:
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }


def test_a_sheet_for_every_page_and_one_that_lists_every_figure() -> None:
    record = sample_record()
    book = opened(record)
    titles = [f"{section.head.zh} {section.head.en}" for section in record.sections]
    assert book.sheetnames == ["声明 Statement", *titles, "证据 Evidence", FIGURES]
    listed = [cell.value for cell in book[FIGURES]["A"][1:]]
    assert sorted(listed) == sorted(record.figures)
    assert [cell.value for cell in book[FIGURES]["G"][1:]] == [record.figures[name].shown for name in listed]
    assert opened(sample_reissue()).sheetnames[-3] == "变更 Changes"


def test_a_figure_that_follows_from_others_is_a_live_formula_and_the_rest_are_numbers() -> None:
    record = sample_record()
    book = opened(record)
    for name, at in addresses(record).items():
        figure, cell = record.figures[name], book[at.sheet][at.local]
        if figure.formula is not None:
            assert cell.data_type == "f", name
        elif figure.value is None:
            assert cell.value == UNKNOWN
        else:
            assert cell.value == float(Decimal(figure.value)), name
    energy = book["能量平衡 Energy balance"]
    at = addresses(record)["energy.import.kwh"]
    assert energy[at.local].value == f"=SUM(B{at.row - 3}:B{at.row - 1})"
    at = addresses(record)["s12.market.total"]
    assert re.fullmatch(r"=SUM\('排放源 Sources'![A-Z]+[0-9]+,[A-Z]+[0-9]+\)", book[at.sheet][at.local].value)


def test_no_amount_stands_in_a_formula() -> None:
    """Numbers in formulas are scales of units, places to round to, and how many parts must be known."""
    record = sample_record()
    book = opened(record)
    allowed = {0, 1, 100, 1000}
    for name, at in addresses(record).items():
        figure, text = record.figures[name], str(book[at.sheet][at.local].value)
        if figure.formula is None or not text.startswith("="):
            continue
        text = re.sub(r"ROUND\((.*),\d+\)", r"\1", text)
        text = re.sub(r"COUNT\(.*?\)=\d+", "", text)
        bare = re.sub(REFERENCE, "", text)
        numbers = {float(number) for number in re.findall(r"[0-9.]+(?:E-?[0-9]+)?", bare)}
        assert numbers <= allowed, f"{name}: {text}"


def test_what_is_not_known_is_never_a_number() -> None:
    record = sample_empty()
    book, seen = opened(record), opened(record, values=True)
    unknown = [name for name, figure in record.figures.items() if figure.value is None]
    assert len(unknown) > 200
    for name in unknown:
        at = addresses(record)[name]
        assert seen[at.sheet][at.local].value == UNKNOWN, name
        if record.figures[name].formula is not None:
            assert "COUNT(" in book[at.sheet][at.local].value


def test_values_stand_beside_formulas_for_readers_that_do_not_compute() -> None:
    record = sample_record()
    seen = opened(record, values=True)
    for name, at in addresses(record).items():
        value = record.figures[name].value
        if value is not None:
            assert seen[at.sheet][at.local].value == pytest.approx(float(value), rel=1e-12, abs=1e-12), name
    every = formulas(opened(record))
    assert [place for place in every if seen[place[0]][place[1]].value is None] == []


NASTY = (
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "#N/A",
    '=HYPERLINK("http://x","y")',
    "a\x00b\x1fc\ufffe",
    "x" * 40_000,
    "{=1}",
    "TRUE",
)


@pytest.mark.parametrize("text", NASTY)
def test_words_are_never_formulas(text: str) -> None:
    both = Text(text, text)
    sheet = Sheet()
    sheet.put("a", 1, text, 0, basis="registers", explain=text, rule=text)
    sheet.total("b", ["a"], text, 0)
    record = record_of(sheet)
    table = Table("t", both, (Column(both, text),) * 2, (Line((words(text, text), words(text, text))),), both)
    record = msgspec.structs.replace(
        record,
        park_name=both,
        entity=both,
        number=text,
        sections=(*record.sections, Section("x", both, (table,)), Section("y", both, ())),
        acts=(Act("prepared", text, text, text),),
        notes=(both,),
    )
    book = opened(record)
    ours = re.compile(rf"=(SUM|IF|ROUND|{REFERENCE})")
    assert all(ours.match(formula) and text not in formula for formula in formulas(book).values())
    assert {cell.data_type for sheet in book.worksheets for row in sheet.iter_rows() for cell in row} <= {"s", "n", "f"}
    assert all(len(name) <= 31 for name in book.sheetnames)
    assert len({name.lower() for name in book.sheetnames}) == len(book.sheetnames)


def test_the_same_record_gives_the_same_bytes() -> None:
    record = sample_record()
    data = render_xlsx(record)
    assert render_xlsx(decode(encode(record))) == data
    code = (
        "import hashlib; from tests.fakes.statement_record import sample_record as s;"
        "from parkcarbon.statement.render.xlsx import render_xlsx as r; print(hashlib.sha256(r(s())).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Shanghai"))
    }
    assert len(digests) == 1
    with zipfile.ZipFile(BytesIO(data)) as package:
        assert {info.date_time for info in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert record.known_on in package.read("docProps/core.xml").decode()


def test_a_formula_with_very_many_parts_has_them_in_a_column() -> None:
    sheet = Sheet()
    names = []
    for number in range(1500):
        sheet.put(f"n{number:04d}", number, "t", 0, basis="registers")
        names.append(f"n{number:04d}")
    mixed = names[::2] + names[1::2]
    sheet.total("sum", mixed, "t", 0)
    sheet.follow("difference", Formula("difference", tuple(mixed)), "t", 0)
    sheet.put("none", None, "t", 0)
    sheet.total("unknown", [*mixed, "none"], "t", 0)
    record = record_of(sheet)
    book = opened(record)
    cells = addresses(record)
    terms = f"'{TERMS}'!"
    texts = [book[cells[name].sheet][cells[name].local].value for name in ("sum", "difference", "unknown")]
    assert texts[0] == f"=SUM({terms}A2:A1501)"
    assert texts[1].endswith(f"-SUM({terms}B3:B1501)")
    assert texts[2] == f'=IF(COUNT({terms}C2:C1502)=1501,SUM({terms}C2:C1502),"{UNKNOWN}")'
    assert len(names) > MOST_REFERENCES


def test_figures_that_no_page_shows_stand_in_the_list() -> None:
    record = sample_record()
    sheet = Sheet()
    sheet.put("hidden", "1.5", "t", 1, basis="registers")
    record = msgspec.structs.replace(record, figures={**record.figures, **sheet.figures})
    at = addresses(record)["hidden"]
    assert at.sheet == FIGURES
    assert opened(record)[FIGURES][at.local].value == 1.5


def test_a_thing_has_one_name_on_pages_and_sheets() -> None:
    shared = LABELS.keys() & WORDS.keys()
    assert len(shared) > 15
    assert {key: LABELS[key] for key in shared} == {key: WORDS[key] for key in shared}


def test_columns_are_named_as_spreadsheets_name_them() -> None:
    from openpyxl.utils import get_column_letter

    assert [letters(number) for number in range(1, 2000)] == [get_column_letter(number) for number in range(1, 2000)]
