"""The nomenclature page and the catalog page say what the code says."""

import re
from enum import IntEnum
from pathlib import Path
from typing import get_args

import pytest

from parkcarbon.catalog.park import Flow
from parkcarbon.catalog.profiles import profile_names
from parkcarbon.catalog.select_factors import PUBLISHED
from parkcarbon.domain.factors import PURPOSES, Match
from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.domain.reading import OUTSIDE_ENERGY, Kind, Method, Quality

DOCS = Path(__file__).parents[2] / "docs"


def tables(page: str) -> dict[str, list[list[str]]]:
    """Rows of the first table under each heading."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in (DOCS / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("|") and not re.fullmatch(r"[|\-: ]+", line):
            found.setdefault(heading, []).append([cell.strip() for cell in line.strip("|").split("|")])
    return {name: rows[1:] for name, rows in found.items()}


NAMES = tables("nomenclature.md")


def test_every_quantity_is_listed_as_it_is() -> None:
    listed = [tuple(row[:5]) for row in NAMES["Quantities"]]
    expected = [
        (f"`{q.name}`", q.unit, q.carrier, "counter" if q.cumulative else "gauge", q.obis or "–")
        for q in QUANTITIES.values()
    ]
    assert listed == expected
    assert all(len(row) == 7 and all(row) for row in NAMES["Quantities"])


@pytest.mark.parametrize(
    ("heading", "codes"),
    [
        ("Kinds of points", Kind),
        ("Quality of a reading", Quality),
        ("Method of an interval", Method),
        ("Match of a factor", Match),
    ],
)
def test_every_code_is_listed(heading: str, codes: type[IntEnum]) -> None:
    assert [(row[0], row[1]) for row in NAMES[heading]] == [(code.name.lower(), str(code.value)) for code in codes]


def test_what_stays_outside_energy_is_said() -> None:
    said = {row[0] for row in NAMES["Quality of a reading"] if row[3] == "no"}
    assert said == {quality.name.lower() for quality in OUTSIDE_ENERGY}


def test_every_flow_is_listed() -> None:
    assert [row[0] for row in NAMES["Flows"]] == list(get_args(Flow))


def test_the_catalog_page_names_every_profile_and_purpose() -> None:
    text = (DOCS / "catalog.md").read_text(encoding="utf-8")
    assert {row[0].strip("`") for row in tables("catalog.md")["What is there"]} == set(profile_names())
    assert all(f"`{purpose}`" in text for purpose in PURPOSES)
    assert all(f"{notice} on {date}" in text for notice, date in PUBLISHED.items())
