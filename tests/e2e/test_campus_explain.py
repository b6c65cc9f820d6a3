"""A year of real metering explained: hourly kWh by hourly factors, down to the readings of the files."""

import argparse
import asyncio
import datetime as dt
import math
from pathlib import Path
from typing import Any

import pytest

from deploy.local import campus
from parkcarbon.books.workbook.words import SHEETS
from parkcarbon.books.workbook.workbook import write_workbook
from parkcarbon.books.working.explain import about_of, explain
from parkcarbon.domain.working import Figure, check
from parkcarbon.kit.db import Database
from tests.fakes.libreoffice import PROGRAM, recalculated

CAMPUS = Path(__file__).resolve().parents[3] / "shared" / "data" / "campus_2022"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CAMPUS.is_dir(), reason="the shared data folder is not beside this checkout"),
]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Figures of the imported campus, explained while its database is up."""
    folder = tmp_path_factory.mktemp("campus")
    found: dict[str, Any] = {"xlsx": folder / "march.xlsx"}

    async def look(database: Database, *_: object) -> dict[str, Any]:
        async with database.transaction() as session:
            now = dt.datetime.now(dt.UTC)
            for period in ("2022", "2022-03"):
                found[period] = await explain(session, "campus", "scope2_location", period, now=now)
            batches = await session.fetch("select seq, boot, encode(digest, 'hex') as digest from batch")
        found["batches"] = {row["digest"] for row in batches}
        return {}

    options = argparse.Namespace(
        folder=CAMPUS,
        timezone="Europe/London",
        region="United Kingdom",
        broker="auto",
        explain="2022-03",
        figure="scope2_location",
        xlsx=None,
        statement=None,
        keep=False,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(campus, "explained", look)
        asyncio.run(campus.run(options, folder / "data"))
    march = found["2022-03"]
    found["layout"] = write_workbook(march, str(found["xlsx"]), about_of(march))
    return found


def node(figure: Figure, name: str) -> Figure:
    return next(item for item in figure.walk() if item.name == name)


@pytest.mark.rule("1.3", "6.8")
@pytest.mark.parametrize(("period", "kg", "hours"), [("2022", 8_543_350.3877, 8760), ("2022-03", 769_039.9816, 743)])
def test_hourly_factors_are_shown_down_to_the_readings(
    imported: dict[str, Any], period: str, kg: float, hours: int
) -> None:
    figure: Figure = imported[period]
    assert figure.value == pytest.approx(kg, rel=1e-9)
    assert check(figure) == []
    assert figure.notes == ()
    assert len(figure.terms) == 12
    for line in figure.terms:
        assert line.operation == "sum_product"
        assert list(line.columns) == ["amount [kWh]", "factor [kgCO2/kWh]"]
        assert {len(column) for column in line.columns.values()} == {hours}
        readings = node(line, "readings")
        assert len(readings.axis["batch"]) == hours
        batches = readings.source["batches"]
        assert isinstance(batches, list)
        assert {batch["digest"] for batch in batches} <= imported["batches"]
        assert {batch["number"] for batch in batches} == set(readings.axis["batch"])
        energy = node(line, "energy")
        assert energy.value == pytest.approx(math.fsum(x or 0.0 for x in line.columns["amount [kWh]"]), rel=1e-12)
        record = node(line, "factor").source
        assert (record["factor"], record["match"]) == ("grid-intensity", "series")


@pytest.mark.libreoffice
@pytest.mark.skipif(PROGRAM is None, reason="soffice (libreoffice-calc-nogui) is not installed")
@pytest.mark.rule("6.8")
def test_a_month_is_recalculated_by_libreoffice(imported: dict[str, Any]) -> None:
    sheet = recalculated(imported["xlsx"])[SHEETS["working"]]
    cells = imported["layout"].cells()
    known = [(figure, sheet[cell].value) for figure, cell in cells if figure.value is not None]
    assert len(known) > 12 * 4
    wrong = [
        f"{figure.name}: {value}, not {figure.value}"
        for figure, value in known
        if not math.isclose(value, figure.value or 0.0, rel_tol=1e-9, abs_tol=max(figure.within, 1e-12))
    ]
    assert wrong == []
    assert sheet["D2"].value == pytest.approx(769_039.9816, rel=1e-9)
