"""Make the factor files of the catalog from a reviewed list, by the filter stated here.

    python -m parkcarbon.catalog.select_factors ../shared/reference/factors.csv

The list has one row per published number. Every row marked `verified` goes in, each under a purpose in which it cannot
be taken for something else (`purpose`); rows listed without one number (Tibet, 等价值) go in without a value, so
that a lookup can say so. Rows marked `recalled` stay out, except those of `NEEDED_UNVERIFIED`, which carry
`unverified: true`.
`ADDED` are records that a rule of accounting states and the list does not have.

Running it prints how many rows went under which purpose and which stay out.

Values and units are written as they were printed; `factors.py` converts.
"""

import argparse
import csv
import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

NEEDED_UNVERIFIED = frozenset({"IPCC-CH4-NATURAL-GAS-MANUFACTURING", "IPCC-N2O-NATURAL-GAS-MANUFACTURING"})
"""Recalled rows that scope 1 of natural gas cannot do without."""

PUBLISHED: dict[str, str] = {
    # Date of posting by the Ministry of Ecology and Environment; file names there carry it.
    "公告2024年第12号": "2024-04-12",  # W020240412827267102800.pdf
    "公告2024年第33号": "2024-12-26",  # signed 2024-12-20; t20241226_1099413.html
    "公告2025年第47号": "2025-12-31",  # t20251231_1139517.html
}
"""Full dates that were seen; everywhere else only the year is known."""

COLUMNS = (
    "factor",
    "title",
    "purpose",
    "carrier",
    "region",
    "gas",
    "basis",
    "printed_value",
    "printed_unit",
    "data_year",
    "publisher",
    "edition",
    "published",
    "unverified",
    "document",
    "licence",
    "valid_from",
    "valid_to",
)

Row = dict[str, str]

LICENCES: dict[str, str] = {
    "DESNZ/Defra (BEIS before 2023)": "Open Government Licence v3.0",
    "DESNZ/Defra": "Open Government Licence v3.0",
    "US EPA": "work of the US Government (17 USC 105)",
    "Australian DCCEEW": "CC BY 4.0",
    "NZ Ministry for the Environment": "CC BY 4.0",
    "Ember": "CC BY 4.0",
    "MEE + NBS (China)": "official notice (Copyright Law of the PRC, art. 5)",
    "MEE + NBS + NEA": "official notice (Copyright Law of the PRC, art. 5)",
}
"""Terms as the publisher states them for its publications; everywhere else they are not stated."""

ADDED: dict[str, list[Row]] = {
    "china-park-programme": [
        {
            "factor": "CN-ZCP-ELECTRICITY",
            "title": "零碳园区核算用电排放因子 electricity of the zero-carbon park indicator (national fossil, 2022)",
            "purpose": "park_indicator",
            "carrier": "electricity",
            "region": "China",
            "gas": "CO2",
            "basis": "fixed; every kWh that is neither direct non-fossil supply nor bought green power",
            "printed_value": "0.8325",
            "printed_unit": "kgCO2/kWh",
            "data_year": "2022",
            "publisher": "NDRC, MIIT, NEA",
            "edition": "发改环资〔2025〕910号",
            "published": "2025-06-30",
            "unverified": "false",
            "document": "《关于开展零碳园区建设的通知》附件4",
            "licence": "official notice (Copyright Law of the PRC, art. 5)",
            "valid_from": "2025-01-01",
            "valid_to": "",
        },
    ],
}
"""Rules 2.1 and 2.6: the fixed factor of the programme, from the base year 2025 on, until another edition is out."""

_FUELS = {
    "natural-gas": "gas",
    "natgas": "gas",
    "gas-diesel-oil": "diesel",
    "motor-gasoline": "gasoline",
    "other-kerosene": "kerosene",
    "residual-fuel-oil": "fuel-oil",
    "other-bituminous-coal": "bituminous",
    "coke-oven-coke": "coke",
    "blast-furnace-gas": "bfg",
    "natural-gas-manufacturing": "gas",
    "sub-bituminous": "sub-bituminous-coal",
    "wood-wood-waste": "wood",
    "natgas-oil": "gas-oilfield",
    "natgas-gas": "gas-gasfield",
}

_FILES = {
    "MEE + NBS (China)": "china-grid",
    "NDRC (China)": "china-fuels-ndrc-2015",
    "MEE/NDRC": "china-fuels-older-guidance",
    "SAMR/SAC; NDRC": "china-heat",
    "IPCC": "ipcc",
    "IPCC; GHG Protocol": "ipcc",
    "GHG Protocol": "ipcc",
    "DESNZ/Defra (BEIS before 2023)": "united-kingdom",
    "US EPA": "united-states",
    "Central Electricity Authority": "india",
    "Energy Market Authority": "singapore",
    "Australian DCCEEW": "australia",
    "NZ Ministry for the Environment": "new-zealand",
    "SDES France": "europe",
    "Umweltbundesamt": "europe",
    "European Environment Agency": "europe",
    "DESNZ/Defra": "united-kingdom",
    "MEE": "china-ets",
    "MEE + NBS + NEA": "china-footprint",
    "Ember": "ember",
    "IPCC / Electricity Maps": "electricity-maps",
    "NBS/NDRC compilation": "china-fuels-general",
    "AQSIQ/SAC": "china-energy-conversion",
    "SAMR/SAC": "china-energy-conversion",
    "SAC": "china-energy-conversion",
    "SAC; NEA": "china-energy-conversion",
    "BIPM": "constants",
    "NIST": "constants",
}

_REGIONS = {  # a slash separates country and part of it
    "USA/US": "USA",
    "Australia/RMF": "Australia",
    "Germany (IEA/SDES)": "Germany",
    "Poland (IEA/SDES)": "Poland",
    "CN": "China",
    "DE": "Germany",
    "FR": "France",
    "PL": "Poland",
    "ES": "Spain",
    "IT": "Italy",
    "NL": "Netherlands",
    "SE": "Sweden",
    "NO": "Norway",
    "GB": "United Kingdom",
    "US": "USA",
    "IN": "India",
    "SG": "Singapore",
    "JP": "Japan",
    "KR": "South Korea",
    "AU": "Australia",
    "CA": "Canada",
    "BR": "Brazil",
    "ZA": "South Africa",
    "VN": "Vietnam",
    "TH": "Thailand",
    "ID": "Indonesia",
    "MY": "Malaysia",
}

_EDITIONS = (
    ("CNDRC-", "NDRC 2015"),
    ("CNALT-", "MEE sector guidance, older table"),
    ("IPCC-", "IPCC 2006"),
)


def refusal(row: Row) -> str | None:
    """Say why a row stays out, or None when it belongs in the catalog."""
    if row["status"] != "verified" and row["id"] not in NEEDED_UNVERIFIED:
        return f"{row['category']}: {row['status']}, not seen in its source"
    return None


def purpose(row: Row) -> str:
    """Name what a row may be used for."""
    category, identity = row["category"], row["id"]
    if category == "lifecycle":
        return "generation_source" if identity.startswith("EM-DIR-") else "life_cycle"
    if category == "energy_conversion":
        return "constant" if identity.startswith("CONST-") else "energy_conversion"
    if category in ("grid", "fuel"):
        return _grid(row) if category == "grid" else _fuel(row)
    return {"heat": "heat_purchased", "gwp": "gwp", "refrigerant": "gwp"}[category]


def _grid(row: Row) -> str:
    identity, basis = row["id"], row["basis"]
    special = (
        ("ETS" in basis, "ets"),  # prescribed by a guideline, not an average of the grid
        ("component of" in basis, "reference"),  # the whole would be understated
        ("not confirmed" in row["gas"], "reference"),  # the gas is not stated
        (basis.startswith("scope 3"), "upstream"),
        (identity.endswith("-EXMKT") or "-RMF" in identity, "grid_remainder"),
        (identity.endswith("-FOSSIL"), "grid_fossil"),
    )
    return next((purpose for applies, purpose in special if applies), "grid_average")


def _fuel(row: Row) -> str:
    identity, words = row["id"], f"{row['name']} {row['basis']}".lower()
    special = (
        ("biogenic" in words and row["gas"] != "", "biogenic"),  # a memo item
        ("(as CO2e)" in row["gas"], "fuel_part"),  # multiplied by a warming potential that the row does not name
        (
            "derived here" in words,
            "reference",
        ),  # a product of other rows, which the calculation makes itself, unrounded
        (identity.startswith("CNALT-OX-"), "oxidation_equipment"),
        (_per_amount(row["unit"]), "fuel_by_amount"),
        (row["unit"] == "%", "oxidation"),
        (row["gas"] == "C", "carbon_content"),
        (row["gas"] == "", "calorific_value"),
    )
    return next((purpose for applies, purpose in special if applies), "fuel_combustion")


def _per_amount(unit: str) -> bool:
    return unit.startswith(("kgCO2", "tCO2")) and unit.partition("/")[2] in {"kg", "t", "L", "m3", "10^4Nm3"}


def carrier(row: Row) -> str:
    """Name the carrier: electricity, heat, gas (natural gas), another fuel, or empty for a warming potential."""
    fixed = {"grid": "electricity", "heat": "heat", "gwp": "", "refrigerant": ""}
    if row["category"] in fixed:
        return fixed[row["category"]]
    name = row["id"].lower()
    if name.startswith(("cn-fp-20", "ember-", "tce-elec-")):
        return "electricity"
    if name.startswith("const-"):
        return name.removeprefix("const-")
    name = re.sub(r"^(em-(lc|dir)|gp-ef|tce|(ipcc|cndrc|cnalt)-(ef|ncv|cc|ox|ch4|n2o)|epa|au-2025|nz-2026)-", "", name)
    name = re.sub(r"-(co2|ch4|n2o|ec)$", "", name).removesuffix("-stat")
    return _FUELS.get(name, name)


def gas(row: Row) -> str:
    """Name the gas; of a blend its refrigerant number."""
    blend = re.match(r"GWP-(R-\w+)-AR\d", row["id"])
    return blend[1] if blend else row["gas"]


def record(row: Row) -> Row:
    """Write a row of the list as a record of the catalog."""
    document, identity = row["source_title"], row["id"]
    notice = re.search(r"公告\d{4}年第\d+号", document)
    assessment = re.fullmatch(r"GWP-.*(AR\d).*", identity)
    edition = assessment[1] if assessment else ""
    edition = edition or next((name for prefix, name in _EDITIONS if identity.startswith(prefix)), "")
    edition = edition or (notice.group() if notice else document)
    return {
        "factor": identity,
        "title": row["name"],
        "purpose": purpose(row),
        "carrier": carrier(row),
        "region": _REGIONS.get(row["region"], row["region"]),
        "gas": gas(row),
        "basis": row["basis"].replace("GCV", "HHV (GCV)"),
        "printed_value": row["value"],
        "printed_unit": _printed_unit(row),
        "data_year": row["year"].removeprefix("FY")[:4],
        "publisher": row["source_body"],
        "edition": edition,
        "published": PUBLISHED.get(edition, row["source_year"]),
        "unverified": "true" if row["status"] != "verified" else "false",
        "document": document,
        "licence": LICENCES.get(row["source_body"], ""),
        "valid_from": "",
        "valid_to": "",
    }


def _printed_unit(row: Row) -> str:
    if row["unit"] == "GJ/t (gas: GJ/10^4Nm3)":
        return "GJ/10^4Nm3" if carrier(row) == "gas" else "GJ/t"
    return row["unit"]


def select(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Give the records of each file of the catalog, in the order of the list."""
    files: dict[str, list[Row]] = {}
    for row in rows:
        if refusal(row) is None:
            files.setdefault(_FILES[row["source_body"]], []).append(record(row))
    return files | ADDED


def read_list(path: Path) -> list[Row]:
    """Read the reviewed list."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(folder: Path, files: dict[str, list[Row]]) -> None:
    """Write one CSV per publisher or country."""
    for name, records in files.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(records)


def main() -> None:
    """Write the files and say what stayed out and why."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("list", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "factors")
    arguments = parser.parse_args()
    rows = read_list(arguments.list)
    files = select(rows)
    write(arguments.folder, files)
    for name, records in sorted(files.items()):
        sys.stdout.write(f"{len(records):4} {name}.csv\n")
    for use, count in Counter(purpose(row) for row in rows if refusal(row) is None).most_common():
        sys.stdout.write(f"{count:4} {use}\n")
    verified = [row for row in rows if row["status"] == "verified"]
    sys.stdout.write(f"{sum(refusal(row) is None for row in verified)} of {len(verified)} verified rows are in\n")
    for row in rows:
        if reason := refusal(row):
            sys.stdout.write(f"stays out: {row['id']}: {reason}\n")


if __name__ == "__main__":
    main()
