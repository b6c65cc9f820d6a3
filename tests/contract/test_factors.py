"""The factors of the catalog: the filter, the units, and the traps of the list they come from."""

import datetime as dt
from fractions import Fraction
from pathlib import Path

import pytest

from parkcarbon.catalog.factors import UNITS, FactorFileError, fits, load_factors, parse_factors
from parkcarbon.catalog.select_factors import ADDED, COLUMNS, NEEDED_UNVERIFIED, Row, read_list, refusal, select, write
from parkcarbon.domain.factors import GRID_PURPOSES, PURPOSES, Factor, Match, NoFactorError, has_basis, lookup, named
from parkcarbon.domain.refusal import RefusedError

ROOT = Path(__file__).parents[2]
LIST = ROOT.parent / "shared" / "reference" / "factors.csv"
FOLDER = ROOT / "parkcarbon" / "catalog" / "factors"

needs_list = pytest.mark.skipif(not LIST.exists(), reason=f"the list of factors is not there: {LIST}")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return read_list(LIST)


def factor(name: str) -> Factor:
    return next(record for record in load_factors() if record.factor == name)


WITHOUT_VALUE = {"CN-2021-XZ", "CN-2022-XZ", "CN-2023-XZ", "TCE-ELEC-EQUIV"}
ADDED_IDS = {row["factor"] for rows in ADDED.values() for row in rows}


@pytest.mark.shared
@needs_list
def test_every_verified_row_of_the_list_is_in_the_catalog(rows: list[Row]) -> None:
    verified = {row["id"] for row in rows if row["status"] == "verified"}
    assert len(verified) == 542
    assert {record.factor for record in load_factors()} == verified | NEEDED_UNVERIFIED | ADDED_IDS


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
        if record.factor in WITHOUT_VALUE | ADDED_IDS:
            continue
        row = printed[record.factor]
        unit = row["unit"] if row["unit"] in UNITS else record.unit
        assert record.value == float(Fraction(row["value"]) * UNITS[unit][1]), record.factor
        assert record.unverified == (row["status"] == "recalled")


@pytest.mark.shared
@pytest.mark.rule("1.4", "1.9")
@needs_list
def test_a_life_cycle_value_is_under_no_purpose_of_an_inventory(rows: list[Row]) -> None:
    life_cycle = {row["id"] for row in rows if row["category"] == "lifecycle" and row["status"] == "verified"}
    assert len(life_cycle) == 48
    for record in load_factors():
        if record.factor in life_cycle:
            assert record.purpose == ("generation_source" if "-DIR-" in record.factor else "life_cycle")
        else:
            assert "footprint" not in f"{record.title} {record.basis}".lower()


@pytest.mark.shared
@needs_list
def test_what_stays_out_has_a_reason(rows: list[Row]) -> None:
    ids = {record.factor for record in load_factors()}
    assert sum(row["id"] not in ids for row in rows) == 37
    for row in rows:
        assert (refusal(row) is None) == (row["id"] in ids), row["id"]


def test_every_record_is_complete() -> None:
    for record in load_factors():
        assert record.purpose in PURPOSES
        assert fits(record.purpose, record.unit), record.factor
        assert (record.value is None) == (record.factor in WITHOUT_VALUE)
        assert record.value != 0 or record.purpose == "generation_source", record.factor
        assert record.source_page
        assert record.unverified or record.reviewer
        assert record.region
        assert record.publisher
        assert record.edition
        assert record.title
        assert (record.carrier == "") == (record.purpose == "gwp")
        mass = record.unit.partition("/")[0].removeprefix("kg")
        if record.purpose in GRID_PURPOSES | {"fuel_combustion", "fuel_by_amount"}:
            assert mass == record.gas, record.factor


@pytest.mark.rule("1.10")
def test_fuel_numbers_name_their_calorific_basis() -> None:
    for record in load_factors():
        if (
            record.purpose in ("fuel_combustion", "fuel_part", "calorific_value", "carbon_content", "biogenic")
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
        ("GWP-AR6-HFC-134a", "gwp"),
        ("CN-FP-2024", "life_cycle"),
        ("EM-DIR-COAL", "generation_source"),
        ("CN-ETS-2021", "ets"),
        ("UK-2024-CO2ONLY", "reference"),
        ("EEA-2018-EU", "reference"),
        ("CNDRC-EF-diesel", "reference"),
        ("NZ-2026-DIESEL", "fuel_by_amount"),
        ("AU-2025-VIC-S3", "upstream"),
        ("AU-2025-LNG-CH4", "fuel_part"),
        ("IPCC-EF-WOOD-WOOD-WASTE", "biogenic"),
        ("IPCC-NCV-WOOD-WOOD-WASTE", "calorific_value"),
        ("CNALT-OX-power-boiler", "oxidation_equipment"),
        ("TCE-ELEC-DIRECT", "energy_conversion"),
        ("CONST-KGCE", "constant"),
        ("CN-ZCP-ELECTRICITY", "park_indicator"),
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
        ("CN-FP-2023", 0.6205, "kgCO2e/kWh"),
        ("EMBER-2024-CN", 0.5575, "kgCO2e/kWh"),
        ("TCE-HEAT", 34.12, "kgce/GJ"),
        ("TCE-ELEC-DIRECT", 0.1229, "kgce/kWh"),
        ("CNDRC-EF-natural-gas", 2.162189, "kgCO2/Nm3"),
        ("CONST-KGCE", 29307, "kJ/kgce"),
    ],
)
@pytest.mark.rule("1.8")
def test_units_are_converted_by_hand_computed_amounts(name: str, value: float, unit: str) -> None:
    assert factor(name).unit == unit
    assert factor(name).value == pytest.approx(value, rel=2e-6)


@pytest.mark.rule("1.12")
def test_natural_gas_of_china_gives_the_published_product() -> None:
    """389.31 GJ/10^4Nm3 x 0.0153 tC/GJ x 99 % x 44/12 = 21.6219 tCO2/10^4Nm3 (GB/T 32151.34-2024)."""
    parts = [factor(f"CNDRC-{part}-natural-gas").value for part in ("NCV", "CC", "OX")]
    ncv, carbon, oxidation = (part for part in parts if part is not None)
    assert ncv * carbon * oxidation / 100 * 44 / 12 == pytest.approx(21.6219, abs=5e-5)


@pytest.mark.rule("1.11")
def test_the_two_chinese_sets_are_told_apart() -> None:
    diesel = {r.edition: r.value for r in load_factors() if r.carrier == "diesel" and r.purpose == "calorific_value"}
    assert diesel["NDRC 2015"] == 43.33
    assert diesel["MEE sector guidance, older table"] == 42.652


def ask(purpose: str, region: str, year: int, **more: object) -> tuple[str, Match]:
    asked: dict[str, object] = {"gas": "CO2", "carrier": "electricity", "known_on": dt.date(2026, 11, 21), **more}
    found = lookup(load_factors(), purpose=purpose, region=region, data_year=year, **asked)  # type: ignore[arg-type]
    return found.factor.factor, found.match


@pytest.mark.rule("1.1", "1.5")
def test_the_newest_known_set_is_used_and_no_newer_one() -> None:
    def jiangsu(year: int, known_on: dt.date) -> tuple[str, Match]:
        return ask("grid_average", "China/JS", year, known_on=known_on)

    assert jiangsu(2026, dt.date(2026, 11, 21)) == ("CN-2023-JS", Match.NEWEST_PUBLISHED)
    assert jiangsu(2026, dt.date(2025, 12, 30)) == ("CN-2022-JS", Match.NEWEST_PUBLISHED)
    assert jiangsu(2022, dt.date(2025, 1, 1)) == ("CN-2022-JS", Match.EXACT)
    assert jiangsu(2022, dt.date(2024, 12, 25)) == ("CN-2021-JS", Match.NEWEST_PUBLISHED)


@pytest.mark.rule("1.2")
def test_tibet_is_listed_without_a_value_and_falls_back_to_the_country() -> None:
    assert factor("CN-2023-XZ").value is None
    assert ask("grid_average", "China/XZ", 2023) == ("CN-2023-NATIONAL", Match.NATIONAL_FALLBACK)
    tibet = [factor("CN-2023-XZ")]
    with pytest.raises(NoFactorError, match="listed without a value: CN-2023-XZ"):
        lookup(
            tibet, purpose="grid_average", region="China/XZ", gas="CO2", carrier="electricity", data_year=2023,
            known_on=dt.date(2026, 11, 21),
        )  # fmt: skip


@pytest.mark.rule("1.2")
def test_thirty_provinces_and_seven_regions_in_each_chinese_set() -> None:
    for year in (2021, 2022, 2023):
        mine = [
            r
            for r in load_factors()
            if r.region.startswith("China/") and r.data_year == year and r.purpose == "grid_average"
        ]
        assert len([r for r in mine if "-REG-" in r.factor]) == 7
        assert len([r for r in mine if "-REG-" not in r.factor and r.value is not None]) == 30
        assert [r.region for r in mine if r.value is None] == ["China/XZ"]


@pytest.mark.rule("1.3")
def test_every_chinese_grid_factor_is_co2_only() -> None:
    mine = [r for r in load_factors() if r.region.partition("/")[0] == "China" and r.purpose in GRID_PURPOSES]
    assert len(mine) == 121
    assert {(r.gas, r.unit) for r in mine} == {("CO2", "kgCO2/kWh")}


@pytest.mark.rule("1.4", "1.9")
@pytest.mark.parametrize("name", ["CN-FP-2023", "CN-FP-2024", "EMBER-2024-CN", "EM-LC-UNKNOWN"])
def test_a_life_cycle_value_is_refused_as_a_grid_factor_even_by_name(name: str) -> None:
    with pytest.raises(RefusedError, match=r"rule 1\.4: .*life_cycle") as caught:
        named(load_factors(), name, dt.date(2027, 1, 1), purposes=GRID_PURPOSES)
    assert caught.value.rule == "1.4"


@pytest.mark.rule("1.6")
@pytest.mark.parametrize("name", ["CN-ETS-2021", "CN-ZCP-ELECTRICITY", "EM-DIR-COAL", "UK-2024-CO2ONLY"])
def test_what_is_prescribed_for_one_purpose_serves_no_other(name: str) -> None:
    with pytest.raises(RefusedError, match=r"rule 1\.6"):
        named(load_factors(), name, dt.date(2026, 11, 21), purposes=GRID_PURPOSES)


@pytest.mark.rule("1.6", "2.6")
def test_the_park_indicator_has_its_own_factor_with_dates() -> None:
    assert ask("park_indicator", "China", 2026) == ("CN-ZCP-ELECTRICITY", Match.NEWEST_PUBLISHED)
    assert factor("CN-ZCP-ELECTRICITY").value == 0.8325
    with pytest.raises(NoFactorError):
        ask("park_indicator", "China", 2024)
    with pytest.raises(NoFactorError):
        ask("park_indicator", "China", 2025, known_on=dt.date(2025, 6, 29))


@pytest.mark.rule("1.7")
def test_the_united_kingdom_takes_the_set_of_the_year_of_consumption() -> None:
    asked = {"gas": ("CO2e", "CO2")}
    assert ask("grid_average", "United Kingdom", 2024, **asked) == ("UK-2024", Match.EXACT)
    assert ask("grid_average", "United Kingdom", 2025, **asked) == ("UK-2025", Match.EXACT)
    assert (factor("UK-2024").value, factor("UK-2025").value) == (0.20705, 0.177)
    with pytest.raises(NoFactorError):
        ask("grid_average", "United Kingdom", 2024, gas="CO2")


@pytest.mark.rule("1.13")
def test_purchased_heat_has_one_default() -> None:
    assert ask("heat_purchased", "China", 2026, carrier="heat") == ("CN-HEAT", Match.NEWEST_PUBLISHED)


@pytest.mark.rule("1.15", "1.16")
def test_warming_potentials_name_their_set_and_sf6_is_there_twice() -> None:
    records = [r for r in load_factors() if r.purpose == "gwp"]
    assert {r.edition for r in records} == {"AR4", "AR5", "AR6"}
    assert all(f"-{r.edition}" in r.factor for r in records)
    sf6 = {r.publisher: r.value for r in records if (r.gas, r.edition) == ("SF6", "AR6")}
    assert sf6 == {"IPCC": 25200, "GHG Protocol": 24300}
    methane = {r.factor: r.value for r in records if (r.gas, r.edition) == ("CH4", "AR6")}
    assert methane == {"GWP-AR6-CH4": 27.9, "GWP-AR6-CH4-FOSSIL": 29.8, "GWP-AR6-CH4-NONFOSSIL": 27.0}


@pytest.mark.rule("1.17")
@pytest.mark.parametrize(("edition", "value"), [("AR4", 2087.5), ("AR5", 1923.5), ("AR6", 2255.5)])
def test_a_blend_is_the_mass_weighted_sum_of_its_parts(edition: str, value: float) -> None:
    """R-410A is HFC-32 and HFC-125, half and half."""
    parts = {r.gas: r.value for r in load_factors() if r.purpose == "gwp" and r.edition == edition}
    first, second = parts["HFC-32"], parts["HFC-125"]
    assert first is not None
    assert second is not None
    assert parts["R-410A"] == value == 0.5 * first + 0.5 * second


@pytest.mark.rule("1.19")
def test_biogenic_carbon_is_under_a_purpose_of_its_own() -> None:
    wood = {r.purpose for r in load_factors() if r.carrier == "wood"}
    assert wood == {"biogenic", "calorific_value"}


def test_only_the_year_of_publication_counts_as_its_last_day() -> None:
    record = factor("UK-2024")
    assert (record.published_on, record.published_year, record.known_from) == (None, 2024, dt.date(2024, 12, 31))
    assert factor("CN-2022-JS").publication == "2024-12-26"
    assert record.publication == "2024, day not known: counted from 2024-12-31"
    assert factor("SDES-2020-DE").publication == "not known: counted as always known"
    with pytest.raises(NoFactorError):
        named(load_factors(), "UK-2024", dt.date(2024, 12, 30))
    assert ask("grid_average", "Germany", 2020)[1] is Match.EXACT


GOOD = "X-1,t,grid_average,electricity,China,CO2,b,0.5,kgCO2/kWh,2023,p,e,2024-01-02,false,d,l,,"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (GOOD.replace("0.5", "half"), "factors/x.csv:2: X-1: printed_value: 'half' is not a number"),
        (GOOD.replace("kgCO2/kWh", "kgCO2/MWh"), "printed_unit: 'kgCO2/MWh' has no conversion"),
        (GOOD.replace("kgCO2/kWh", "GJ/t"), "printed_unit: 'GJ/t' does not fit purpose grid_average"),
        (GOOD.replace("grid_average", "grid_mean"), "purpose 'grid_mean' is not one of"),
        (GOOD.replace("2024-01-02", "2024-13-02"), "month must be in 1..12"),
        (GOOD.replace("false", "no"), "unverified: 'no' is not true or false"),
        (GOOD.replace("0.5", "-0.5"), "-0.5 kgCO2/kWh is not a number from 0 up"),
        (GOOD.replace(",l,,", ",l,2025-01-02,2025-01-02"), "valid_to 2025-01-02 is not after 2025-01-02"),
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
    assert (record.licence, record.source_page, record.valid_from) == ("l", "d", None)


def test_a_missing_column_is_refused() -> None:
    with pytest.raises(FactorFileError, match=r"factors/x\.csv: columns are"):
        parse_factors("x.csv", "factor,value\nX,1\n")
