"""PDF, spreadsheet, JSON and CSV of one record say the same, to the last digit printed."""

import csv
import random
import re
from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest
from openpyxl import load_workbook

from parkcarbon.statement.arithmetic import blocks
from parkcarbon.statement.record import Bridge, Cell, Formula, Pairs, Record, Table, Text, decode, encode
from parkcarbon.statement.render.csv import render_csv
from parkcarbon.statement.render.formulas import Address
from parkcarbon.statement.render.pdf import render_pdf
from parkcarbon.statement.render.xlsx import addresses, render_xlsx
from parkcarbon.statement.sheet import UNKNOWN, Sheet, shown
from tests.fakes.libreoffice import HERE, recalculated
from tests.fakes.statement_office import displayed, record_of
from tests.fakes.statement_record import sample_empty, sample_flash, sample_record, sample_reissue

Language = Any
pytestmark = HERE
NUMBER = re.compile(r"(?<![\w.,\-–])-?\d[\d,]*(?:\.\d+)?(?![\w\-]|[.,]\d)")
BREAKS = " -\ufffe\u00ad\u200b"
RECORDS = {"first": sample_record, "again": sample_reissue, "flash": sample_flash, "empty": sample_empty}


def text_of(pdf: bytes) -> str:
    """Text of all pages, white space as one blank."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [page.get_textpage().get_text_range() for page in document]
    return " ".join(" ".join(pages).split())


class Pages:
    """Text of all pages in which words are found however their lines were broken."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._places = [place for place, sign in enumerate(text) if sign not in BREAKS]
        self._tight = "".join(text[place] for place in self._places)

    def behind(self, words: str, at: int) -> int:
        """Place behind the first time that words stand at a place or after it."""
        tight = "".join(sign for sign in words if sign not in BREAKS)
        first = self._tight.find(tight, bisect_left(self._places, at))
        assert first >= 0, f"{words} is not after: {self.text[max(0, at - 80) : at]}"
        return self._places[first + len(tight) - 1] + 1 if tight else at


def rows(record: Record) -> Iterator[tuple[Text, list[Cell]]]:
    """Each row of tables, lists and bridges with its label, in the order of the pages."""
    for block in blocks(record):
        if isinstance(block, Table):
            for line in block.lines:
                assert line.cells[0].text is not None
                yield line.cells[0].text, list(line.cells[1:])
        elif isinstance(block, Pairs):
            yield from ((label, [cell]) for label, cell in block.rows)
        elif isinstance(block, Bridge):
            yield from ((step.label, [Cell(figure=step.figure)]) for step in block.steps)


def said(cell: Cell, record: Record, language: str) -> list[str]:
    """Numbers that a cell prints: of its figure, or in its words."""
    if cell.figure is not None:
        text = record.figures[cell.figure].shown
        return [] if text == UNKNOWN else [text]
    if cell.text is None:
        return []
    texts = {"zh": (cell.text.zh,), "en": (cell.text.en,), "both": (cell.text.zh, cell.text.en)}[language]
    return [number for text in dict.fromkeys(texts) for number in NUMBER.findall(text)]


def row_of(pages: Pages, words: str, at: int, wanted: list[str]) -> tuple[int, list[str]]:
    """The first place, at or after one, where these words are followed by these numbers and no others between."""
    first: list[str] = []
    tried = at
    while True:
        try:
            tried = pages.behind(words, tried)
        except AssertionError:
            raise AssertionError(f"{words}: {first} on the page, {wanted} in the record") from None
        found = list(islice(NUMBER.finditer(pages.text, tried), len(wanted)))
        numbers = [match.group(0) for match in found]
        if numbers == wanted:
            return found[-1].end() if found else tried, numbers
        first = first or numbers


def read_back(record: Record, pdf: bytes, language: str) -> dict[str, str]:
    """What stands on the pages behind each row's label, figure by figure: exactly these numbers, in this order."""
    pages = Pages(text_of(pdf))
    head = record.front.bridge.head
    at = pages.behind(head.en if language == "en" else head.zh, 0)
    found: dict[str, str] = {}
    for label, cells in rows(record):
        words = label.zh if language == "zh" else label.en
        wanted = [number for cell in cells for number in said(cell, record, language)]
        at, numbers = row_of(pages, words, at, wanted)
        taken = iter(numbers)
        for cell in cells:
            values = [next(taken) for _ in said(cell, record, language)]
            if cell.figure is not None:
                found[cell.figure] = values[0] if values else UNKNOWN
    return found


def fifteen(value: object, places: int) -> str:
    """A value of a cell as it is printed: the 15 digits that a spreadsheet tells, halves away from zero."""
    return shown(Decimal(f"{value:.15g}"), places) if isinstance(value, int | float) else str(value)


def in_cells(record: Record, path: Path) -> dict[str, tuple[str, str]]:
    """Each figure as LibreOffice computes it, and as it shows it."""
    book, sheets = recalculated(path), displayed(path)
    found = {}
    for name, cell in addresses(record).items():
        value = book[cell.sheet][cell.local].value
        text = sheets[cell.sheet][cell.row - 1][cell.column - 1]
        found[name] = (fifteen(value, record.figures[name].places), text)
    return found


@pytest.mark.rule("6.8")
@pytest.mark.parametrize("kind", RECORDS)
def test_every_figure_is_the_same_in_json_csv_and_recalculated_sheet(kind: str, tmp_path: Path) -> None:
    record = decode(encode(RECORDS[kind]()))
    path = tmp_path / "statement.xlsx"
    path.write_bytes(render_xlsx(record))
    cells = in_cells(record, path)
    lines = {row["figure"]: row for row in csv.DictReader(StringIO(render_csv(record).decode("utf-8-sig")))}
    assert len(record.figures) >= 250
    assert set(cells) == set(lines) == set(record.figures)
    for name, figure in record.figures.items():
        value = None if figure.value is None else Decimal(figure.value)
        line = lines[name]
        assert (shown(value, figure.places), line["shown"], *cells[name]) == (figure.shown,) * 4, name
        assert line["value"] == (figure.value or "")


@pytest.mark.parametrize("language", ["zh", "en", "both"])
@pytest.mark.parametrize("kind", ["first", "again", "empty"])
def test_figures_are_read_back_from_the_pages(kind: str, language: Language) -> None:
    record = RECORDS[kind]()
    found = read_back(record, render_pdf(record, language=language, attachments={}), language)
    assert len(found) >= 200
    assert found == {name: record.figures[name].shown for name in found}


def test_a_digit_that_differs_on_a_page_is_seen() -> None:
    """The reading back can fail: pages of another record are not taken for these."""
    record = sample_record()
    pdf = render_pdf(sample_reissue(), language="en", attachments={})
    with pytest.raises(AssertionError, match=r"tenant 03: \['1,020,200', .*\] on the page, \['1,021,451'"):
        read_back(record, pdf, "en")


def halves(rng: random.Random) -> Sheet:
    """Figures on and beside half steps: given, cancelled, multiplied back, booked a little off."""
    sheet = Sheet()
    for number in range(400):
        places = rng.randint(0, 4)
        half = (Decimal(rng.randint(0, 10 ** rng.randint(1, 9))) + Decimal("0.5")).scaleb(-places)
        half *= rng.choice([1, 1, -1])
        near = half + rng.choice([0, 0, 1, -1]) * Decimal(1).scaleb(-rng.randint(places + 2, 18))
        big = Decimal(rng.randint(1, 10**12)).scaleb(-rng.randint(0, 6))
        name = f"f{number:03d}"
        sheet.put(f"{name}.near", near, "t", places, basis="registers")
        sheet.put(f"{name}.big", big, "t", places, basis="registers")
        sheet.put(f"{name}.both", big + half, "t", places, basis="registers")
        sheet.follow(f"{name}.left", Formula("difference", (f"{name}.both", f"{name}.big")), "t", places)
        sheet.follow(f"{name}.share", Formula("quotient", (f"{name}.near", f"{name}.big"), "100"), "%", 2)
        parts = (f"{name}.share", f"{name}.big")
        sheet.follow(f"{name}.again", Formula("product", parts, "0.01"), "t", places)
        sheet.follow(f"{name}.gone", Formula("difference", (f"{name}.again", f"{name}.near")), "t", places)
        off = Decimal(rng.randint(-4, 4)).scaleb(-7)
        formula = Formula("sum", (f"{name}.near", f"{name}.left"))
        sheet.put(f"{name}.booked", near + half + off, "t", places, formula=formula, within="0.0000004")
    sheet.total("all", [name for name in sheet.figures if name.endswith("left")], "t", 1)
    sheet.put("unknown", None, "t", 1)
    sheet.total("unknown.all", [name for name in sheet.figures if name.endswith(("near", "unknown"))], "t", 1)
    return sheet


@pytest.mark.rule("6.8")
@pytest.mark.parametrize("seed", [1, 2])
def test_halves_are_rounded_the_same_way_everywhere(seed: int, tmp_path: Path) -> None:
    record = record_of(halves(random.Random(seed)))
    path = tmp_path / "halves.xlsx"
    path.write_bytes(render_xlsx(record))
    cells = in_cells(record, path)
    assert len(cells) > 3000
    wrong = {name: (cells[name], figure) for name, figure in record.figures.items() if cells[name][1] != figure.shown}
    assert wrong == {}
    assert displayed(path)["声明 Statement"][-1][1] == "0"


def test_a_total_follows_a_changed_amount(tmp_path: Path) -> None:
    record = sample_record()
    path = tmp_path / "statement.xlsx"
    path.write_bytes(render_xlsx(record))
    cells = addresses(record)
    book = load_workbook(path)
    gate = cells["energy.g1.kwh"]
    book[gate.sheet][gate.local] = 1_873_204.68 + 1000
    book.save(path)
    again = recalculated(path)

    def value(name: str) -> float:
        cell: Address = cells[name]
        return float(again[cell.sheet][cell.local].value)

    more = {"energy.import.kwh": 1000.0, "s2.location.total": 0.5978, "s12.market.total": 0.6096}
    for name, by in more.items():
        assert value(name) == pytest.approx(float(record.figures[name].value or 0) + by, abs=1e-9), name
    front = again.worksheets[0]
    assert front.cell(front.max_row, 2).value > 10
