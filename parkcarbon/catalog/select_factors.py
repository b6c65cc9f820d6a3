"""Make the factor files of the catalog from a reviewed list, by the filter stated here.

    python -m parkcarbon.catalog.select_factors ../shared/reference/factors.csv

The list has one row per published number. What stays in:

- categories `grid`, `fuel`, `heat` and `gwp` (scope 1 fuels and scope 2; refrigerants come with fugitive emissions,
  life-cycle factors never),
- rows marked `verified`, and the `recalled` rows of `NEEDED_UNVERIFIED`, which carry `unverified: true`,
- minus the rows that `refusal` gives a reason for: each could be mistaken for what it is not.

Running it prints how many rows stay out for which reason.

Values and units are written as they were printed; `factors.py` converts.
"""

import argparse
import csv
import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

CATEGORIES = frozenset({"grid", "fuel", "heat", "gwp"})

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
)

Row = dict[str, str]

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
}

_REGIONS = {  # a slash separates country and part of it
    "USA/US": "USA",
    "Australia/RMF": "Australia",
    "Germany (IEA/SDES)": "Germany",
    "Poland (IEA/SDES)": "Poland",
}

_EDITIONS = (
    ("CNDRC-", "NDRC 2015"),
    ("CNALT-", "MEE sector guidance, older table"),
    ("GWP-AR4-", "AR4"),
    ("GWP-AR5-", "AR5"),
    ("GWP-AR6-", "AR6"),
    ("IPCC-", "IPCC 2006"),
)


def refusal(row: Row) -> str | None:
    """Say why a row stays out, or None when it belongs in the catalog."""
    if row["category"] not in CATEGORIES:
        return f"category {row['category']}"
    if row["status"] != "verified" and row["id"] not in NEEDED_UNVERIFIED:
        return f"status {row['status']}"
    if not row["value"]:
        return "no value was published: the lookup falls back and says so"
    return _trap(row)


def _trap(row: Row) -> str | None:
    words = f"{row['name']} {row['basis']}".lower()
    rules = (
        ("ETS" in row["basis"], "prescribed by an emission-trading guideline, not an average of the grid"),
        ("component of" in words, "part of another factor: the whole would be understated"),
        (row["basis"].startswith("scope 3"), "scope 3"),
        ("biogenic" in words, "biogenic CO2 is a memo item"),
        ("not confirmed" in row["gas"], "the gas is not stated"),
        ("(as CO2e)" in row["gas"], "multiplied by a warming potential that the row does not name"),
        ("derived here" in words, "a product of other rows, which the calculation makes itself"),
        (row["id"].startswith("CNALT-OX-"), "by equipment, not by fuel"),
        (row["category"] == "fuel" and _per_mass(row["unit"]), "per mass or volume, not per energy"),
    )
    return next((reason for applies, reason in rules if applies), None)


def _per_mass(unit: str) -> bool:
    return unit.startswith(("kgCO2", "tCO2")) and unit.partition("/")[2] in {"kg", "t", "L", "m3", "10^4Nm3"}


def purpose(row: Row) -> str:
    """Name what a row may be used for."""
    kind = row["id"].split("-")[1]
    if row["category"] == "grid":
        remainder = kind == "RMF" or "-RMF" in row["id"] or row["id"].endswith("-EXMKT")
        return "grid_remainder" if remainder else "grid_fossil" if row["id"].endswith("-FOSSIL") else "grid_average"
    if row["category"] == "heat":
        return "heat_purchased"
    if row["category"] == "gwp":
        return "gwp"
    if row["unit"] == "%":
        return "oxidation"
    if row["gas"] == "C":
        return "carbon_content"
    return "fuel_combustion" if row["gas"] else "calorific_value"


def carrier(row: Row) -> str:
    """Name the carrier: electricity, heat, gas (natural gas), another fuel, or empty for a warming potential."""
    if row["category"] in ("grid", "heat", "gwp"):
        return {"grid": "electricity", "heat": "heat", "gwp": ""}[row["category"]]
    name = row["id"].lower()
    name = re.sub(r"^(ipcc|cndrc|cnalt)-(ef|ncv|cc|ox|ch4|n2o)-|^(epa|au-2025|nz-2026)-", "", name)
    name = re.sub(r"-(co2|ch4|n2o|ec|stat)$", "", name)
    return _FUELS.get(name, name)


def record(row: Row) -> Row:
    """Write a row of the list as a record of the catalog."""
    document, identity = row["source_title"], row["id"]
    notice = re.search(r"公告\d{4}年第\d+号", document)
    edition = next((name for prefix, name in _EDITIONS if identity.startswith(prefix)), "")
    edition = edition or (notice.group() if notice else document)
    return {
        "factor": identity,
        "title": row["name"],
        "purpose": purpose(row),
        "carrier": carrier(row),
        "region": _REGIONS.get(row["region"], row["region"]),
        "gas": row["gas"],
        "basis": row["basis"].replace("GCV", "HHV (GCV)"),
        "printed_value": row["value"],
        "printed_unit": _printed_unit(row),
        "data_year": row["year"].removeprefix("FY")[:4],
        "publisher": row["source_body"],
        "edition": edition,
        "published": PUBLISHED.get(edition, row["source_year"]),
        "unverified": "true" if row["status"] != "verified" else "false",
        "document": document,
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
    return files


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
    for reason, count in Counter(reason for row in rows if (reason := refusal(row))).most_common():
        sys.stdout.write(f"{count:4} stay out: {reason}\n")


if __name__ == "__main__":
    main()
