"""The factors of the catalog: the filter, the units, and the traps of the list they come from."""

import datetime as dt
from fractions import Fraction
from pathlib import Path

import pytest

from parkcarbon.catalog.factors import UNITS, UNITS_OF_PURPOSE, FactorFileError, load_factors, parse_factors
from parkcarbon.catalog.select_factors import COLUMNS, NEEDED_UNVERIFIED, Row, read_list, refusal, select, write
from parkcarbon.domain.factors import PURPOSES, Factor, Match, has_basis, lookup

ROOT = Path(__file__).parents[2]
LIST = ROOT.parent / "shared" / "reference" / "factors.csv"
FOLDER = ROOT / "parkcarbon" / "catalog" / "factors"

needs_list = pytest.mark.skipif(not LIST.exists(), reason=f"the list of factors is not there: {LIST}")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return read_list(LIST)


def factor(name: str) -> Factor:
    return next(record for record in load_factors() if record.factor == name)


@pytest.mark.shared
@needs_list
def test_ids_are_those_of_the_filter(rows: list[Row]) -> None:
    """The filter stated a second time, in other words than in the script."""
    expected = set()
    for row in rows:
        wanted = row["category"] in ("grid", "fuel", "heat", "gwp") and row["value"]
        trusted = row["status"] == "verified" or row["id"].endswith("-NATURAL-GAS-MANUFACTURING")
        per_energy = not row["unit"].endswith(("/kg", "/t", "/L", "/m3", "/10^4Nm3")) or row["category"] == "gwp"
        value_per_mass = row["unit"] in ("GJ/t", "GJ/10^4Nm3")
        refused = (
            row["id"].endswith(("-S3", "-CO2ONLY"))
            or row["id"].startswith(("CN-ETS", "EEA-", "CNALT-OX-", "CNDRC-EF-", "IPCC-EF-WOOD", "IPCC-CC-WOOD"))
            or "WOOD" in row["id"]
            or " (as CO2e)" in row["gas"]
        )
        if wanted and trusted and (per_energy or value_per_mass) and not refused:
            expected.add(row["id"])
    assert {record.factor for record in load_factors()} == expected


@pytest.mark.shared
@needs_list
def test_files_are_what_the_script_makes(rows: list[Row], tmp_path: Path) -> None:
    write(tmp_path, select(rows))
    made = {path.name: path.read_bytes() for path in tmp_path.glob("*.csv")}
    kept = {path.name: path.read_bytes() for path in FOLDER.glob("*.csv")}
    assert made == kept, "run python -m parkcarbon.catalog.select_factors"


@pytest.mark.shared
@needs_list
def test_no_number_was_changed(rows: list[Row]) -> None:
    printed = {row["id"]: row for row in rows}
    for record in load_factors():
        row = printed[record.factor]
        unit = row["unit"] if row["unit"] in UNITS else record.unit
        assert record.value == float(Fraction(row["value"]) * UNITS[unit][1]), record.factor
        assert record.unverified == (row["status"] == "recalled")


@pytest.mark.shared
@needs_list
def test_nothing_about_life_cycles_or_footprints_came_through(rows: list[Row]) -> None:
    ids = {record.factor for record in load_factors()}
    life_cycle = {row["id"] for row in rows if row["category"] == "lifecycle"}
    assert life_cycle
    assert not ids & life_cycle
    assert not any("footprint" in f"{record.title} {record.basis}".lower() for record in load_factors())


@pytest.mark.shared
@needs_list
def test_what_stays_out_has_a_reason(rows: list[Row]) -> None:
    ids = {record.factor for record in load_factors()}
    for row in rows:
        assert (refusal(row) is None) == (row["id"] in ids), row["id"]


def test_every_record_is_complete() -> None:
    for record in load_factors():
        assert record.purpose in PURPOSES
        assert record.unit in UNITS_OF_PURPOSE[record.purpose], record.factor
        assert record.value is not None
        assert record.value > 0
        assert record.region
        assert record.publisher
        assert record.edition
        assert record.title
        assert (record.carrier == "") == (record.purpose == "gwp")
        mass = record.unit.partition("/")[0].removeprefix("kg")
        if record.purpose.startswith(("grid_", "fuel_")):
            assert mass == record.gas, record.factor


def test_fuel_numbers_name_their_calorific_basis() -> None:
    for record in load_factors():
        if (
            record.purpose in ("fuel_combustion", "calorific_value", "carbon_content")
            and record.region != "New Zealand"
        ):
            assert has_basis(record, "NCV") != has_basis(record, "HHV"), record.factor
    assert has_basis(factor("EPA-NATURAL-GAS-CO2"), "HHV")
    assert has_basis(factor("IPCC-EF-NATURAL-GAS"), "NCV")


def test_only_needed_records_are_unverified() -> None:
    assert {record.factor for record in load_factors() if record.unverified} == NEEDED_UNVERIFIED


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("CN-2023-NATIONAL", "grid_average"),
        ("CN-2023-EXMKT", "grid_remainder"),
        ("CN-2023-FOSSIL", "grid_fossil"),
        ("AU-2025-RMF", "grid_remainder"),
        ("CN-HEAT", "heat_purchased"),
        ("CNDRC-NCV-natural-gas", "calorific_value"),
        ("CNDRC-CC-natural-gas", "carbon_content"),
        ("CNDRC-OX-natural-gas", "oxidation"),
        ("IPCC-EF-NATURAL-GAS", "fuel_combustion"),
        ("IPCC-CH4-NATURAL-GAS-MANUFACTURING", "fuel_combustion"),
        ("GWP-AR6-CH4-NONFOSSIL", "gwp"),
    ],
)
def test_purposes(name: str, purpose: str) -> None:
    assert factor(name).purpose == purpose


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("CN-2023-JS", 0.5827, "kgCO2/kWh"),
        ("UK-2024", 0.20705, "kgCO2e/kWh"),
        ("US-EGRID2022-US-CO2", 0.373374, "kgCO2/kWh"),  # 823.149 lb/MWh x 0.45359237 / 1000
        ("IN-FY2024-25-EXCL", 0.7117, "kgCO2/kWh"),
        ("SDES-2020-DE", 0.344, "kgCO2/kWh"),
        ("EPA-NATURAL-GAS-CO2", 50291.1, "kgCO2/TJ"),  # 53.06 kg/mmBtu / 0.00105505585262 TJ
        ("IPCC-CC-NATURAL-GAS", 0.0153, "tC/GJ"),
        ("CNDRC-NCV-natural-gas", 389.31, "GJ/10^4Nm3"),
        ("CNALT-NCV-natural-gas", 389.31, "GJ/10^4Nm3"),
        ("CNALT-NCV-diesel", 42.652, "GJ/t"),
        ("CN-HEAT", 0.11, "tCO2/GJ"),
        ("NZ-2026-NATURAL-GAS", 54207.8, "kgCO2e/TJ"),
    ],
)
def test_units_are_converted_by_hand_computed_amounts(name: str, value: float, unit: str) -> None:
    assert factor(name).unit == unit
    assert factor(name).value == pytest.approx(value, rel=2e-6)


def test_natural_gas_of_china_gives_the_published_product() -> None:
    """389.31 GJ/10^4Nm3 x 0.0153 tC/GJ x 99 % x 44/12 = 21.6219 tCO2/10^4Nm3 (GB/T 32151.34-2024)."""
    parts = [factor(f"CNDRC-{part}-natural-gas").value for part in ("NCV", "CC", "OX")]
    ncv, carbon, oxidation = (part for part in parts if part is not None)
    assert ncv * carbon * oxidation / 100 * 44 / 12 == pytest.approx(21.6219, abs=5e-5)


def test_the_two_chinese_sets_are_told_apart() -> None:
    diesel = {r.edition: r.value for r in load_factors() if r.carrier == "diesel" and r.purpose == "calorific_value"}
    assert diesel["NDRC 2015"] == 43.33
    assert diesel["MEE sector guidance, older table"] == 42.652


def test_the_newest_known_set_is_used_and_no_newer_one() -> None:
    def jiangsu(year: int, known_on: dt.date) -> tuple[str, Match]:
        found = lookup(
            load_factors(), purpose="grid_average", region="China/JS", gas="CO2", carrier="electricity",
            data_year=year, known_on=known_on,
        )  # fmt: skip
        return found.factor.factor, found.match

    assert jiangsu(2026, dt.date(2026, 11, 21)) == ("CN-2023-JS", Match.NEWEST_PUBLISHED)
    assert jiangsu(2026, dt.date(2025, 12, 30)) == ("CN-2022-JS", Match.NEWEST_PUBLISHED)
    assert jiangsu(2022, dt.date(2025, 1, 1)) == ("CN-2022-JS", Match.EXACT)
    assert jiangsu(2022, dt.date(2024, 12, 25)) == ("CN-2021-JS", Match.NEWEST_PUBLISHED)


def test_tibet_falls_back_to_the_country_and_says_so() -> None:
    found = lookup(
        load_factors(), purpose="grid_average", region="China/XZ", gas="CO2", carrier="electricity",
        data_year=2023, known_on=dt.date(2026, 11, 21),
    )  # fmt: skip
    assert (found.factor.factor, found.match) == ("CN-2023-NATIONAL", Match.NATIONAL_FALLBACK)


def test_thirty_provinces_and_seven_regions_in_each_chinese_set() -> None:
    for year in (2021, 2022, 2023):
        mine = [r for r in load_factors() if r.region.startswith("China/") and r.data_year == year]
        assert len([r for r in mine if "-REG-" in r.factor]) == 7
        assert len([r for r in mine if "-REG-" not in r.factor]) == 30


GOOD = "X-1,t,grid_average,electricity,China,CO2,b,0.5,kgCO2/kWh,2023,p,e,2024-01-02,false,d"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (GOOD.replace("0.5", "half"), "factors/x.csv:2: X-1: printed_value: 'half' is not a number"),
        (GOOD.replace("kgCO2/kWh", "kgCO2/MWh"), "printed_unit: 'kgCO2/MWh' has no conversion"),
        (GOOD.replace("kgCO2/kWh", "GJ/t"), "printed_unit: 'GJ/t' does not fit purpose grid_average"),
        (GOOD.replace("grid_average", "grid_mean"), "purpose 'grid_mean' is not one of"),
        (GOOD.replace("2024-01-02", "2024-13-02"), "month must be in 1..12"),
        (GOOD.replace("false", "no"), "unverified: 'no' is not true or false"),
        (GOOD.replace(",b,", ",carbon footprint of electricity,"), "a life-cycle value is no grid_average factor"),
    ],
)
def test_a_wrong_record_is_refused_with_file_line_and_column(line: str, message: str) -> None:
    text = ",".join(COLUMNS) + "\n" + line + "\n"
    with pytest.raises(FactorFileError) as caught:
        parse_factors("x.csv", text)
    assert message in str(caught.value)


def test_a_good_record_reads() -> None:
    (record,) = parse_factors("x.csv", ",".join(COLUMNS) + "\n" + GOOD + "\n")
    assert record.published_on == dt.date(2024, 1, 2)
    assert (record.value, record.unit, record.data_year) == (0.5, "kgCO2/kWh", 2023)


def test_a_missing_column_is_refused() -> None:
    with pytest.raises(FactorFileError, match=r"factors/x\.csv: columns are"):
        parse_factors("x.csv", "factor,value\nX,1\n")
