"""A month composed from a store, read back from pages, recalculated sheet, JSON and CSV."""

import csv
import datetime as dt
import json
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import jsonschema
import pytest

from parkcarbon.statement.arithmetic import check
from parkcarbon.statement.compose import Order, compose
from parkcarbon.statement.record import Record, decode, encode
from parkcarbon.statement.render.csv import render_csv
from parkcarbon.statement.render.group import render_export
from parkcarbon.statement.render.pdf import render_pdf
from parkcarbon.statement.render.schema import schema
from parkcarbon.statement.render.xlsx import render_xlsx
from tests.fakes.ingest_park import PARK, Ingest, open_ingest
from tests.fakes.libreoffice import HERE
from tests.fakes.statement_office import displayed
from tests.fakes.tenancy_park import fill
from tests.integration.test_derive_reprice import settle
from tests.integration.test_statement_formats import in_cells, read_back
from tests.integration.test_statement_pages import MONTH, certificates, entries, faults, substitute

pytestmark = HERE


@pytest.fixture
async def ingest(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ingest]:
    async def at_once(*_: object) -> None:
        """Nothing waits a minute for the sealer."""

    monkeypatch.setattr("parkcarbon.statement.evidence.members.ensure_sealed", at_once)
    opened = await open_ingest(database_url)
    yield opened
    await opened.database.close()


@pytest.fixture
async def record(ingest: Ingest) -> Record:
    """A month with tenants, a roof, a battery, sold steam, certificates, credits, budgets, substitutions and faults."""
    await fill(ingest)
    await settle(ingest)
    async with ingest.database.transaction() as session:
        await certificates(session)
        await entries(session)
    await substitute(ingest)
    await faults(ingest)
    now = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    order = Order(
        park=PARK,
        period=MONTH,
        kind="statement",
        as_of=now - dt.timedelta(hours=1),
        now=now,
        software="parkcarbon test",
    )
    async with ingest.database.transaction() as session:
        return decode(encode(await compose(session, order)))


async def test_a_composed_month_says_the_same_in_every_format(record: Record, tmp_path: Path) -> None:
    assert check(record) == []
    jsonschema.validate(json.loads(encode(record)), schema())
    wanted = {name: figure.shown for name, figure in record.figures.items()}
    assert len(wanted) >= 200
    lines = csv.DictReader(StringIO(render_csv(record).decode("utf-8-sig")))
    assert {line["figure"]: line["shown"] for line in lines} == wanted
    path = tmp_path / "statement.xlsx"
    path.write_bytes(render_xlsx(record))
    assert in_cells(record, path) == {name: (text, text) for name, text in wanted.items()}
    assert displayed(path)["声明 Statement"][-1][1] == "0"
    for language in ("zh", "en", "both"):
        found = read_back(record, render_pdf(record, language=language, attachments={}), language)
        assert len(found) >= 200
        assert found == {name: wanted[name] for name in found}
    for export in ("re100", "group"):
        assert render_export(record, export, "csv").count("不可用于CBAM".encode()) == 1
