"""The separate exports of a statement: RE100 and a group's consolidation."""

import csv
from io import BytesIO, StringIO
from typing import Any, get_args

import msgspec
import pytest
from openpyxl import load_workbook

from parkcarbon.statement.record import Formula, Record, Text, content_digest
from parkcarbon.statement.render.group import EXPORTS, RE100_SHARE, Export, render_export
from parkcarbon.statement.sheet import Sheet
from tests.fakes.statement_record import sample_empty, sample_record


def with_exported_ids(record: Record) -> Record:
    """The sample with the names that compositions use."""
    sheet = Sheet()
    sheet.figures = dict(record.figures)
    sheet.follow("instruments.covered.kwh", Formula("sum", ("instrument.covered.kwh",)), "kWh", 0)
    sheet.follow("total.market", Formula("sum", ("s1.total", "s2.market.total")), "t CO2e", 1)
    return msgspec.structs.replace(record, figures=sheet.figures)


def rows(record: Record, export: Export) -> list[list[str]]:
    data = render_export(record, export, "csv")
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.rule("4.8")
@pytest.mark.parametrize("export", get_args(Export))
def test_an_export_says_what_it_is_and_whose(export: Export) -> None:
    record = with_exported_ids(sample_record())
    lines = rows(record, export)
    first = [line[0] for line in lines[:8]]
    assert first[:2] == [EXPORTS[export].head.zh, EXPORTS[export].head.en]
    assert "单独导出，不是声明的一部分 separate export, no part of the statement" in first
    assert "不可用于CBAM not a CBAM value" in first
    facts = {line[0].split(" ")[-1]: line[1] for line in lines if len(line) == 2}
    assert facts["Number"] == record.number
    assert content_digest(record) in facts.values()
    said = "\n".join(",".join(line) for line in lines)
    assert record.verdict.label.en not in said
    assert "neutral" not in said


def test_the_re100_sheet_has_certificates_and_their_share_of_what_was_bought() -> None:
    record = with_exported_ids(sample_record())
    lines = {line[3]: line for line in rows(record, "re100") if len(line) == 4}
    assert lines["energy.import.kwh"][:3] == ["下网电量 Grid import", "4812345.305", "kWh"]
    assert lines["instruments.covered.kwh"][1] == "1200000"
    assert lines[RE100_SHARE][1].startswith("24.935866")


@pytest.mark.rule("3.2", "3.13")
def test_the_group_sheet_has_both_methods_and_credits_lower_nothing() -> None:
    record = with_exported_ids(sample_record())
    lines = {line[3]: line[1] for line in rows(record, "group") if len(line) == 4}
    figures = record.figures
    assert lines["s2.location.total"] == figures["s2.location.total"].value
    assert lines["s2.market.total"] == figures["s2.market.total"].value
    assert lines["total.market"] == figures["s12.market.total"].value
    assert lines["credits.retired"] == "2900"


@pytest.mark.parametrize("export", get_args(Export))
def test_as_a_spreadsheet_totals_are_live(export: Export) -> None:
    record = with_exported_ids(sample_record())
    data = render_export(record, export, "xlsx")
    assert data == render_export(record, export, "xlsx")
    book: Any = load_workbook(BytesIO(data))
    values: Any = load_workbook(BytesIO(data), data_only=True)
    assert len(book.sheetnames) == 2
    name = "total.market" if export == "group" else RE100_SHARE
    sheet = book.worksheets[0]
    row = next(row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 4).value == name)
    assert sheet.cell(row, 2).data_type == "f"
    assert values.worksheets[0].cell(row, 2).value == pytest.approx(
        3327.3097375206 if export == "group" else 24.9358665
    )


@pytest.mark.parametrize("export", get_args(Export))
def test_nothing_known_is_nothing_said(export: Export) -> None:
    record = sample_empty()
    lines = [line for line in rows(record, export) if len(line) == 4 and line[3] in record.figures]
    assert len(lines) >= 4
    assert {line[1] for line in lines} == {""}
    bare = msgspec.structs.replace(record, figures={}, sections=())
    assert any(line[0] == "无数据 no data" for line in rows(bare, export))


def test_words_of_an_export_are_never_formulas() -> None:
    record = msgspec.structs.replace(sample_record(), entity=Text("=1+1", "=1+1"))
    assert any(line[1:] == ["'=1+1"] for line in rows(record, "group"))
