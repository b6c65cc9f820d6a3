"""Gas by a series of calorific values through ingest: intervals, checker, inventory, methods, explanation, the past."""

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from parkcarbon.books.inventory import build_inventory, load_inputs, result_of
from parkcarbon.books.library.factors import decide, propose
from parkcarbon.books.library.series import load_values, read_values
from parkcarbon.books.workbook.workbook import write_workbook
from parkcarbon.books.working.explain import about_of, explain
from parkcarbon.domain.factors import Factor, Match
from parkcarbon.domain.inventory import Inventory
from parkcarbon.domain.methods.result import MethodResult
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import Figure, check
from parkcarbon.kit.db import Database, from_ms
from tests.fakes.ingest_park import NOW_MS, PARK, Ingest, Sender, counter_rows, open_ingest, park_text, utc
from tests.fakes.libreoffice import PROGRAM
from tests.integration.test_derive_reprice import GAS, assert_recomputed_equal, settle
from tests.integration.test_explain_figures import differences

HOUR_MS = 3_600_000
START = utc("2026-10-31T16:00:00+00:00")  # local midnight of the first of November
MONTH = "2026-11"
POINT = "boiler/gas_volume_base"
KG_PER_GJ = 55.5933
"""0.0153 tC/GJ x 99 % x 44/12 x 1000 = 55.539 kg CO2, 0.001 kg CH4 x 27.0, 0.0001 kg N2O x 273."""
METHOD = (
    "method: {electricity_region: China/JS, fuel_region: China, gas_calorific_value: GAS-NCV,"
    " gas_conditions: {temperature_c: 20, pressure_kpa_abs: 300}}"
)
SERIES = """
factor_series:
  - {factor: GAS-NCV, purpose: calorific_value, carrier: gas, region: China, gas: "", unit: GJ/10^4Nm3, basis: NCV,
     file: gas.csv, time_column: t, value_column: x, publisher: gas supplier, edition: certificates}
"""
OWN = Factor(
    factor="GAS-NCV",
    purpose="calorific_value",
    carrier="gas",
    region="China",
    gas="",
    unit="MJ/Nm3",
    value=None,
    series=True,
    basis="NCV",
    publisher="gas supplier",
    edition="certificates",
    source_page="portal",
    title="calorific value of supplied gas",
)
NOW = from_ms(NOW_MS)


def document(*, meter: str = "gas_volume_base", series: str = SERIES) -> str:
    text = park_text(1, more=GAS.replace("gas_volume_base", meter))
    return text.replace("method: {electricity_region: China/JS}", METHOD) + series


def csv_of(hours: dict[int, float]) -> str:
    lines = [f"{from_ms(START + at * HOUR_MS):%Y-%m-%d %H:%M:%S},{value}" for at, value in hours.items()]
    return "t,x\n" + "\n".join(lines) + "\n"


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    yield opened
    await opened.database.close()


async def burn(ingest: Ingest, hours: int, *, per_quarter: float = 100.0, point: str = POINT) -> None:
    values = [per_quarter * at for at in range(4 * hours + 1)]
    await ingest.commit(Sender().batch(counter_rows(point, START, values)))


async def priced(ingest: Ingest) -> list[tuple[object, object, object]]:
    """CO2e [1e-9 kg], id of the factor and match of each interval."""
    return [(row[6], row[7], row[8]) for row in await ingest.intervals(POINT)]


def wanted(values: Sequence[tuple[float, Match]]) -> list[tuple[object, object, object]]:
    """Four quarters of 100 Nm3 an hour: 1e-2 x NCV x 55.5933 kg each."""
    return [(round(value * 1e-2 * KG_PER_GJ * 1e9), "GAS-NCV", int(match)) for value, match in values for _ in range(4)]


async def counted(database: Database) -> tuple[Inventory, MethodResult, MethodResult]:
    async with database.transaction() as session:
        inventory = await build_inventory(session, PARK, MONTH, now=NOW)
        inputs = await load_inputs(session, PARK, MONTH, now=NOW)
    general, park = (result_of(inputs, method, final=False) for method in ("gbt32150", "zcp910"))
    assert isinstance(general, MethodResult)
    assert isinstance(park, MethodResult)
    return inventory, general, park


async def explained(database: Database, name: str) -> Figure:
    async with database.transaction() as session:
        found = await explain(session, PARK, name, MONTH, now=NOW)
    assert check(found) == []
    return found


SUBSTITUTED, GIVEN = Match.SUBSTITUTED, Match.SERIES


@pytest.mark.rule("1.12", "6.2", "6.8")
async def test_hours_by_their_own_value_and_gaps_by_rule_6_2(ingest: Ingest, tmp_path: Path) -> None:
    """Eight hours of 400 Nm3: none, 350, 360, none, none, 380, 390, none.

    GJ: 0.04 x (350 + 350 + 360 + 370 + 370 + 380 + 390 + 390) = 118.4; x 55.5933 = 6582.24672 kg CO2e.
    Park indicator: 118.4 x 0.0153 x 44/12 x 1000 = 6642.24 kg CO2.
    """
    (tmp_path / "gas.csv").write_text(csv_of({1: 350, 2: 360, 5: 380, 6: 390}))
    await ingest.apply(document(), tmp_path)
    await burn(ingest, 8)
    values = [
        (350.0, SUBSTITUTED), (350.0, GIVEN), (360.0, GIVEN), (370.0, SUBSTITUTED), (370.0, SUBSTITUTED),
        (380.0, GIVEN), (390.0, GIVEN), (390.0, SUBSTITUTED),
    ]  # fmt: skip
    assert await priced(ingest) == wanted(values)
    await assert_recomputed_equal(ingest)

    inventory, general, park = await counted(ingest.database)
    (line,) = inventory.scope(1).lines
    assert line.co2e_nano_kg == 6_582_246_720_000 == sum(nano for nano, _, _ in wanted(values) if isinstance(nano, int))
    assert [one.nano_kg for one in general.lines if one.part == "combustion"] == [line.co2e_nano_kg]
    assert [one.nano_kg for one in park.lines if one.part == "combustion"] == [6_642_240_000_000]
    assert inventory.energy["gas_gj"] == 118.4
    assert "GAS-NCV: 50 % of the amount by calorific values substituted by rule 6.2" in inventory.warnings

    figure = await explained(ingest.database, f"line:{POINT}")
    assert figure.value == line.co2e_nano_kg / 1e9
    assert figure.operation == "sum_product"
    amount, value, constant = (column[:8] for column in figure.columns.values())
    assert amount == (400.0,) * 8
    assert value == tuple(value for value, _ in values)
    assert constant == pytest.approx((KG_PER_GJ * 1e-4,) * 8)
    assert figure.axis["calorific value by"][:4] == (
        "substituted, rule 6.2",
        "series",
        "series",
        "substituted, rule 6.2",
    )
    assert any(node.name == "carbon_content" for node in figure.walk())
    assert (await explained(ingest.database, "scope1")).value == figure.value


@pytest.mark.libreoffice
@pytest.mark.skipif(PROGRAM is None, reason="soffice (libreoffice-calc-nogui) is not installed")
async def test_libreoffice_gives_the_line_by_the_hour(postgres_url: str, tmp_path: Path) -> None:
    """An odd number of hours, every seventh without a value."""
    (tmp_path / "gas.csv").write_text(csv_of({at: 350.0 + at for at in range(47) if at % 7}))
    opened = await open_ingest(postgres_url)
    async with opened.database as database:
        await opened.apply(document(), tmp_path)
        await burn(opened, 47, per_quarter=7.3)
        figure = await explained(database, "scope1")
    path = tmp_path / "gas.xlsx"
    layout = write_workbook(figure, str(path), about_of(figure))
    assert differences(path, layout.cells()) == []
    assert any(str(row.content).startswith("=SUMPRODUCT") for row in layout.rows)


@pytest.mark.rule("6.2", "6.9")
async def test_new_values_mark_their_hours_and_the_gaps_beside_them(ingest: Ingest, tmp_path: Path) -> None:
    """A value that only confirms what was substituted changes the match, and is marked too."""
    file = tmp_path / "gas.csv"
    file.write_text(csv_of({0: 350, 3: 360, 5: 360}))
    await ingest.apply(document(), tmp_path)
    await burn(ingest, 6)
    before = [(350.0, GIVEN), (355.0, SUBSTITUTED), (355.0, SUBSTITUTED), (360.0, GIVEN), (360.0, SUBSTITUTED)]
    assert await priced(ingest) == wanted([*before, (360.0, GIVEN)])
    for more, hours, after in (
        ({4: 360.0}, [4], (360.0, GIVEN)),  # as was substituted
        ({1: 380.0}, [1, 2], (380.0, GIVEN)),
    ):
        known = {0: 350.0, 3: 360.0, 5: 360.0, 4: 360.0} | more
        file.write_text(csv_of(dict(sorted(known.items()))))
        assert (await ingest.apply(document(), tmp_path)).queued == 1
        spans = await ingest.database.fetch("select from_time, to_time from reprice")
        found = [((row["from_time"] - from_ms(START)) / dt.timedelta(hours=1), row["to_time"]) for row in spans]
        assert found == [(hours[0], from_ms(START + (hours[-1] + 1) * HOUR_MS))]
        await settle(ingest)
        await assert_recomputed_equal(ingest)
        assert (await priced(ingest))[4 * hours[0]] == wanted([after])[0]
    assert await priced(ingest) == wanted(
        [(350.0, GIVEN), (380.0, GIVEN), (370.0, SUBSTITUTED), (360.0, GIVEN), (360.0, GIVEN), (360.0, GIVEN)]
    )


@pytest.mark.rule("1.12")
async def test_a_constant_series_is_the_constant_record_in_the_books_too(ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "gas.csv").write_text(csv_of({0: 389.31}))
    await ingest.apply(document().replace("gas_calorific_value: GAS-NCV, ", ""), tmp_path)
    await burn(ingest, 30, per_quarter=1.2345)
    plain, *others = await counted(ingest.database)
    rows = [row[6] for row in await ingest.intervals(POINT)]
    await ingest.apply(document(), tmp_path)
    await settle(ingest)
    await assert_recomputed_equal(ingest)
    assert [row[6] for row in await ingest.intervals(POINT)] == rows
    by_series, *same = await counted(ingest.database)
    assert by_series.scope(1).co2e_nano_kg == plain.scope(1).co2e_nano_kg
    assert by_series.scope(1).lines[0].gas_nano_kg == plain.scope(1).lines[0].gas_nano_kg
    assert by_series.energy == plain.energy
    assert [[line.nano_kg for line in one.lines] for one in same] == [
        [line.nano_kg for line in one.lines] for one in others
    ]


@pytest.mark.rule("1.12")
async def test_raw_cubic_metres_in_the_declared_state(ingest: Ingest, tmp_path: Path) -> None:
    """100 m3 at 20 degC and 3 bar: 275.877 Nm3; by 350 GJ/1e4 Nm3 and 55.5933 kg/GJ 536.79 kg a quarter."""
    (tmp_path / "gas.csv").write_text(csv_of({0: 350}))
    await ingest.apply(document(meter="gas_volume"), tmp_path)
    await burn(ingest, 4, point="boiler/gas_volume")
    inventory, general, park = await counted(ingest.database)
    one = 100 * 300 / 101.325 * 273.15 / 293.15 * 0.035
    (line,) = inventory.scope(1).lines
    assert line.co2e_nano_kg / 1e9 == pytest.approx(16 * one * KG_PER_GJ)
    assert inventory.energy["gas_gj"] == pytest.approx(16 * one, abs=1e-6)
    assert general.lines[0].nano_kg == line.co2e_nano_kg
    assert park.lines[0].nano_kg / 1e9 == pytest.approx(16 * one * 0.0153 * 44 / 12 * 1000)
    assert (await explained(ingest.database, "line:boiler/gas_volume")).value == line.co2e_nano_kg / 1e9
    await assert_recomputed_equal(ingest)
    undeclared = document(meter="gas_volume").replace(METHOD.rpartition(", gas_conditions")[2], "}")
    undeclared = undeclared.replace(", gas_conditions}", "}")
    await ingest.apply(undeclared, tmp_path)
    await settle(ingest)
    inventory, _, _ = await counted(ingest.database)
    assert "rule 1.12" in str(inventory.not_in_total[0]["reason"])
    assert {row[6] for row in await ingest.intervals("boiler/gas_volume")} == {None}


async def own_series(database: Database, hours: dict[int, float], *, factor: Factor | None = None) -> None:
    """Propose a series with values, and approve both; or load further values and approve these."""
    async with database.transaction() as session:
        number = await session.fetchval(
            "select factor_id from factor where factor = $1 and author is not null", "GAS-NCV"
        )
        if factor is not None:
            number = await propose(
                session, PARK, factor, author="energy manager", reason="certificates", evidence="portal", now=NOW
            )
        text = csv_of(hours).replace("t,x", "start,value").encode()
        values = read_values(text, "gas.csv", "csv", now=NOW)
        done = await load_values(session, PARK, number, values, author="energy manager", reason="values")
        load_id = None if factor is not None else done.load_id
        await decide(session, PARK, number, "approved", load_id=load_id, person="reviewer", reason="compared")


@pytest.mark.rule("6.2", "6.9")
async def test_what_was_known_before_a_value_was_loaded(ingest: Ingest) -> None:
    """An approved series of MJ/Nm3; a value that is loaded later leaves the past as it was, byte for byte."""
    await ingest.apply(document(series=""))
    await burn(ingest, 6)
    assert {row[6] for row in await ingest.intervals(POINT)} == {None}
    inventory, _, _ = await counted(ingest.database)
    assert "no factor 'GAS-NCV'" in str(inventory.not_in_total[0]["reason"])
    await own_series(ingest.database, {0: 35.0, 4: 36.0}, factor=OWN)
    await settle(ingest)
    assert await priced(ingest) == wanted(
        [(350.0, GIVEN), *[(355.0, SUBSTITUTED)] * 3, (360.0, GIVEN), (360.0, SUBSTITUTED)]
    )
    async with ingest.database.transaction() as session:
        moment = await session.fetchval("select clock_timestamp()")
    then = await known_at(ingest.database, moment)
    await own_series(ingest.database, {2: 40.0})
    await settle(ingest)
    await assert_recomputed_equal(ingest)
    assert (await priced(ingest))[8] == wanted([(400.0, GIVEN)])[0]
    again = await known_at(ingest.database, moment)
    assert again.to_bytes() == then.to_bytes()
    later, _, _ = await counted(ingest.database)
    hours = np.array([350.0, 355.0, 355.0, 355.0, 360.0, 360.0])
    assert then.scope(1).co2e_nano_kg == round(hours.sum() * 0.04 * KG_PER_GJ * 1e9)
    assert later.scope(1).co2e_nano_kg == round((350 + 375 + 400 + 380 + 360 + 360) * 0.04 * KG_PER_GJ * 1e9)


async def known_at(database: Database, moment: dt.datetime) -> Inventory:
    async with database.transaction() as session:
        return await build_inventory(session, PARK, MONTH, now=moment + dt.timedelta(hours=1), as_of=moment)


@pytest.mark.rule("1.10")
async def test_a_gross_series_is_refused(ingest: Ingest, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"rule 1\.10"):
        await own_series(ingest.database, {0: 39.0}, factor=replace(OWN, basis=""))
    (tmp_path / "gas.csv").write_text(csv_of({0: 390}))
    await ingest.apply(document().replace("basis: NCV", "basis: HHV"), tmp_path)
    await burn(ingest, 2)
    inventory, _, park = await counted(ingest.database)
    assert "rule 1.10" in str(inventory.not_in_total[0]["reason"])
    assert "rule 1.10" in str(park.not_in_total[0]["reason"])
    assert inventory.scope(1).co2e_nano_kg is None
