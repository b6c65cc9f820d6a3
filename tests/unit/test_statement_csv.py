"""CSV and JSON schema of a record."""

import copy
import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from parkcarbon.statement.record import Text, encode
from parkcarbon.statement.render.csv import COLUMNS, formula_text, render_csv, safe
from parkcarbon.statement.render.schema import schema, schema_text
from parkcarbon.statement.sheet import Sheet
from tests.fakes.statement_office import record_of
from tests.fakes.statement_record import sample_empty, sample_flash, sample_record, sample_reissue

PUBLISHED = Path(__file__).parents[2] / "docs" / "schema" / "statement-1.json"


def lines(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_row_for_each_figure_in_the_order_of_the_pages() -> None:
    record = sample_record()
    data = render_csv(record)
    assert data.startswith(b"\xef\xbb\xbfstatement,version,section")
    assert data.count(b"\r\n") == len(record.figures) + 1
    rows = lines(data)
    assert tuple(rows[0]) == COLUMNS
    assert sorted(row["figure"] for row in rows) == sorted(record.figures)
    pages = list(dict.fromkeys(row["section"] for row in rows))
    assert pages == [*(section.id for section in record.sections if section.id in pages), "front"]
    row = next(row for row in rows if row["figure"] == "energy.import.kwh")
    assert row["table"] == "energy.balance"
    assert (row["row_zh"], row["row_en"], row["column_zh"], row["column_en"]) == (
        "下网电量",
        "grid import",
        "电量",
        "electricity",
    )
    assert (row["value"], row["shown"], row["unit"]) == ("4812345.305", "4,812,345", "kWh")
    assert row["formula"] == "energy.g1.kwh + energy.g2.kwh + energy.g3.kwh"
    assert data == render_csv(msgspec.json.decode(encode(record), type=type(record)))


def test_the_unknown_has_no_value() -> None:
    rows = {row["figure"]: row for row in lines(render_csv(sample_empty()))}
    assert (rows["energy.import.kwh"]["value"], rows["energy.import.kwh"]["shown"]) == ("", "–")


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@A1", "\t=1", "\r=1", "|calc", "%x", "  =1", "\x00=1"])
def test_no_text_is_taken_for_a_formula(text: str) -> None:
    sheet = Sheet()
    sheet.put("a", "-1.5", text, 1, explain=text)
    record = record_of(sheet)
    section = msgspec.structs.replace(record.sections[0], id=text, head=Text(text, text))
    row = lines(render_csv(msgspec.structs.replace(record, number=text, sections=(section,))))[0]
    for name in ("statement", "section", "unit", "explain"):
        assert row[name].startswith("'"), name
    assert row["value"] == "-1.5"


@pytest.mark.parametrize("text", ["-12.5", "-1,234.5", "0", "grid import", "", "–", "2026-10"])
def test_numbers_and_plain_words_stay_as_they_are(text: str) -> None:
    assert safe(text) == text


def test_formulas_are_readable() -> None:
    figures = sample_record().figures
    assert formula_text(figures["energy.storage_loss.kwh"].formula) == "energy.charge.kwh - energy.discharge.kwh"
    assert formula_text(figures["bridge.credits"].formula) == "credits.retired * -1"
    assert formula_text(None) == ""


def test_the_published_schema_is_the_schema() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text()
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("made", [sample_record, sample_reissue, sample_empty, sample_flash])
def test_records_are_as_the_schema_says(made: Any) -> None:
    jsonschema.validate(json.loads(encode(made())), schema())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "parkcarbon.statement/2"),
        (("kind",), "weekly"),
        (("version",), 0),
        (("more",), 1),
        (("figures", "energy.import.kwh", "value"), 4812345.305),
        (("figures", "energy.import.kwh", "value"), "4.8e6"),
        (("figures", "energy.import.kwh", "value"), "NaN"),
        (("figures", "energy.import.kwh", "value"), "007"),
        (("figures", "energy.import.kwh", "places"), -1),
        (("figures", "energy.import.kwh", "more"), "x"),
        (("figures", "energy.import.kwh", "formula", "op"), "power"),
        (("figures", "no such id"), {"value": "1", "unit": "t", "places": 0, "shown": "1"}),
        (("evidence", "log_root"), "xyz"),
        (("sections", 0, "blocks", 0, "block"), "picture"),
        (("verdict", "word"), "climate_positive"),
    ],
)
def test_the_schema_refuses(path: tuple[str | int, ...], value: object) -> None:
    data: Any = copy.deepcopy(json.loads(encode(sample_record())))
    target = data
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema())
