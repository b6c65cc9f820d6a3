"""The nomenclature page and the catalog page say what the code says."""

import re
from enum import IntEnum
from pathlib import Path
from typing import get_args

import pytest

from parkcarbon.catalog.factors import load_factors
from parkcarbon.catalog.park import Flow
from parkcarbon.catalog.profiles import profile_names
from parkcarbon.catalog.select_factors import PUBLISHED, read_list, refusal
from parkcarbon.domain.factors import PURPOSES, Match
from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.domain.reading import OUTSIDE_ENERGY, Kind, Method, Quality

DOCS = Path(__file__).parents[2] / "docs"
LIST = Path(__file__).parents[3] / "shared" / "reference" / "factors.csv"


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


def test_the_catalog_page_names_every_profile() -> None:
    assert {row[0].strip("`") for row in tables("catalog.md")["What is there"]} == set(profile_names())


def test_the_factor_page_says_what_each_purpose_is_for_what_is_in_and_what_stays_out() -> None:
    text = (DOCS / "factors.md").read_text(encoding="utf-8")
    listed = [name for row in tables("factors.md")["Purposes"] for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(listed) == sorted(PURPOSES)
    flat = " ".join(text.split())
    assert all(f"{notice} on {date}" in flat for notice, date in PUBLISHED.items())
    assert f"{len(load_factors())} records" in flat


@pytest.mark.shared
@pytest.mark.skipif(not LIST.exists(), reason=f"the list of factors is not there: {LIST}")
def test_every_row_that_stays_out_is_named() -> None:
    text = (DOCS / "factors.md").read_text(encoding="utf-8")
    out = [row["id"] for row in read_list(LIST) if refusal(row) is not None]
    families = ("CN-FP-2024-", "IPCC-CH4-", "IPCC-N2O-", "SG-202", "GWP-R-404A-", "GWP-R-407C-")
    assert all(f"`{name}`" in text for name in out if not name.startswith(families))
    assert f"{len(out)} rows" in text


def test_every_purpose_has_a_name_in_chinese() -> None:
    rows = NAMES["Purposes of a factor"]
    assert sorted(row[0] for row in rows) == sorted(PURPOSES)
    assert all(len(row) == 2 and row[1] for row in rows)
