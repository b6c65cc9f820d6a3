"""Emission factors: reviewed CSV files read into domain records.

Each file holds the numbers and units as they were printed. Units are brought to one form per purpose here, by exact
decimal factors, so that the value of a record is the nearest double to the printed number in the project's unit.

References:
    1 lb = 0.45359237 kg (international avoirdupois pound, 1959); 1 Btu (International Table) = 1055.05585262 J.
"""

import csv
import datetime as dt
import io
import re
from fractions import Fraction
from functools import cache
from importlib import resources

from parkcarbon.domain.factors import Factor, FactorRefusedError

from .select_factors import COLUMNS

_POUND = Fraction("0.45359237") / 1000  # lb/MWh to kg/kWh
_RANGE = re.compile(r"[0-9.]+-[0-9.]+")
_MMBTU = 1 / Fraction("0.00105505585262")  # 1/mmBtu to 1/TJ

UNITS: dict[str, tuple[str, Fraction]] = {
    "kgCO2/kWh": ("kgCO2/kWh", Fraction(1)),
    "kgCO2e/kWh": ("kgCO2e/kWh", Fraction(1)),
    "tCO2/MWh": ("kgCO2/kWh", Fraction(1)),
    "gCO2/kWh": ("kgCO2/kWh", Fraction(1, 1000)),
    "lbCO2/MWh": ("kgCO2/kWh", _POUND),
    "lbCH4/MWh": ("kgCH4/kWh", _POUND),
    "lbN2O/MWh": ("kgN2O/kWh", _POUND),
    "kgCO2/TJ (NCV)": ("kgCO2/TJ", Fraction(1)),
    "kgCH4/TJ": ("kgCH4/TJ", Fraction(1)),
    "kgN2O/TJ": ("kgN2O/TJ", Fraction(1)),
    "kgCO2/mmBtu": ("kgCO2/TJ", _MMBTU),
    "kgCH4/mmBtu": ("kgCH4/TJ", _MMBTU),
    "kgN2O/mmBtu": ("kgN2O/TJ", _MMBTU),
    "kgCO2e/GJ": ("kgCO2e/TJ", Fraction(1000)),
    "TJ/Gg (=GJ/t)": ("GJ/t", Fraction(1)),
    "GJ/t": ("GJ/t", Fraction(1)),
    "GJ/kL": ("GJ/kL", Fraction(1)),
    "GJ/10^4Nm3": ("GJ/10^4Nm3", Fraction(1)),
    "kgCO2/kg": ("kgCO2/kg", Fraction(1)),
    "kgCO2e/kg": ("kgCO2e/kg", Fraction(1)),
    "kgCO2e/L": ("kgCO2e/L", Fraction(1)),
    "kgCO2/m3": ("kgCO2/Nm3", Fraction(1)),
    "tCO2/t": ("kgCO2/kg", Fraction(1)),
    "tCO2/10^4Nm3": ("kgCO2/Nm3", Fraction(1, 10)),
    "g/kWh": ("g/kWh", Fraction(1)),
    "gCO2e/kWh": ("kgCO2e/kWh", Fraction(1, 1000)),
    "kgce/kg": ("kgce/kg", Fraction(1)),
    "kgce/kWh": ("kgce/kWh", Fraction(1)),
    "kgce/m3": ("kgce/Nm3", Fraction(1)),
    "kgce/MJ": ("kgce/GJ", Fraction(1000)),
    "kJ": ("kJ/kgce", Fraction(1)),
    "tCO2/tC": ("tCO2/tC", Fraction(1)),
    "GJ": ("GJ/MWh", Fraction(1)),
    "kg": ("kg/lb", Fraction(1)),
    "kgC/GJ (=tC/TJ)": ("tC/GJ", Fraction(1, 1000)),
    "tC/GJ": ("tC/GJ", Fraction(1)),
    "%": ("%", Fraction(1)),
    "tCO2/GJ": ("tCO2/GJ", Fraction(1)),
}
"""Printed unit to the project's unit and the exact factor between them."""

_PER_KWH = frozenset({"kgCO2/kWh", "kgCO2e/kWh"})

UNITS_OF_PURPOSE: dict[str, frozenset[str]] = {
    "grid_average": _PER_KWH | {"kgCH4/kWh", "kgN2O/kWh"},
    "grid_remainder": _PER_KWH,
    "grid_fossil": frozenset({"kgCO2/kWh"}),
    "fuel_combustion": frozenset({"kgCO2/TJ", "kgCO2e/TJ", "kgCH4/TJ", "kgN2O/TJ"}),
    "fuel_by_amount": frozenset({"kgCO2/kg", "kgCO2/Nm3", "kgCO2e/kg", "kgCO2e/L"}),
    "fuel_part": frozenset({"kgCO2e/TJ"}),
    "calorific_value": frozenset({"GJ/t", "GJ/kL", "GJ/10^4Nm3", "MJ/Nm3"}),
    "carbon_content": frozenset({"tC/GJ"}),
    "oxidation": frozenset({"%"}),
    "oxidation_equipment": frozenset({"%"}),
    "biogenic": frozenset({"kgCO2/TJ", "tC/GJ"}),
    "heat_purchased": frozenset({"tCO2/GJ", "tCO2e/GJ"}),
    "cooling_purchased": frozenset({"tCO2/GJ", "tCO2e/GJ"}) | _PER_KWH,
    "gwp": frozenset({"kgCO2e/kg"}),
    "energy_conversion": frozenset({"kgce/kg", "kgce/kWh", "kgce/Nm3", "kgce/GJ"}),
    "constant": frozenset({"kJ/kgce", "tCO2/tC", "GJ/MWh", "kg/lb"}),
    "park_indicator": frozenset({"kgCO2/kWh", "tCO2/GJ"}),
    "ets": frozenset({"kgCO2/kWh", "tCO2/GJ", "tC/GJ"}),
    "avoided_margin": _PER_KWH,
    "upstream": _PER_KWH | {"kgCO2e/GJ", "kgCO2e/kg", "kgCO2e/L", "kgCO2e/Nm3"},
    "life_cycle": frozenset({"kgCO2e/kWh", "kgCO2e/kg"}),
    "generation_source": frozenset({"kgCO2e/kWh"}),
    "reference": frozenset({"kgCO2/kWh", "g/kWh", "kgCO2/kg", "kgCO2/Nm3"}),
}
"""What a record of each purpose may be measured in; `process` and `scope3` are per unit of whatever is counted."""

_PER_ACTIVITY = re.compile(r"(kg|t)(CO2e?|CH4|N2O|SF6|CF4|C2F6|NF3)/\S+")


def fits(purpose: str, unit: str) -> bool:
    """True when a factor of this purpose may be measured in this unit.

    >>> fits("grid_average", "kgCO2/kWh"), fits("grid_average", "kgCO2/kg"), fits("process", "tCO2/t")
    (True, False, True)
    """
    if purpose in ("process", "scope3"):
        return _PER_ACTIVITY.fullmatch(unit) is not None
    return unit in UNITS_OF_PURPOSE.get(purpose, frozenset())


class FactorFileError(ValueError):
    """A factor file is wrong; the message names file, line and column."""


@cache
def load_factors() -> tuple[Factor, ...]:
    """Load all factors of the catalog, sorted by id.

    Raises:
        FactorFileError: a record is wrong, or an id appears twice.
    """
    folder = resources.files("parkcarbon.catalog") / "factors"
    factors: dict[str, Factor] = {}
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if not file.name.endswith(".csv"):
            continue
        for factor in parse_factors(file.name, file.read_text(encoding="utf-8")):
            if factor.factor in factors:
                raise FactorFileError(f"factors/{file.name}: {factor.factor} appears twice")
            factors[factor.factor] = factor
    return tuple(factors[name] for name in sorted(factors))


def parse_factors(name: str, text: str) -> tuple[Factor, ...]:
    """Read the text of one factor file.

    Raises:
        FactorFileError: with file, line, column and value.
    """
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise FactorFileError(f"factors/{name}: columns are {reader.fieldnames}, not {list(COLUMNS)}")
    factors = []
    for row in reader:
        try:
            factors.append(_factor(row))
        except (ValueError, FactorRefusedError) as error:
            raise FactorFileError(f"factors/{name}:{reader.line_num}: {row['factor']}: {error}") from error
    return tuple(factors)


def _factor(row: dict[str, str]) -> Factor:
    unit, scale = _unit(row)
    if row["unverified"] not in ("true", "false"):
        raise ValueError(f"unverified: {row['unverified']!r} is not true or false")
    published_on, published_year = _published(row["published"])
    return Factor(
        factor=row["factor"],
        purpose=row["purpose"],
        carrier=row["carrier"],
        region=row["region"],
        gas=row["gas"],
        unit=unit,
        value=_value(row["printed_value"], scale),
        basis=row["basis"],
        data_year=int(row["data_year"]) if row["data_year"] else None,
        publisher=row["publisher"],
        edition=row["edition"],
        published_on=published_on,
        published_year=published_year,
        unverified=row["unverified"] == "true",
        title=row["title"],
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        licence=row["licence"],
        source_page=row["document"],
        reviewer="" if row["unverified"] == "true" else "catalog review",
    )


def _value(text: str, scale: Fraction) -> float | None:
    """The number in the project's unit; None where none was printed, or a range."""
    if not text or _RANGE.fullmatch(text):
        return None
    try:
        return float(Fraction(text) * scale)
    except ValueError:
        raise ValueError(f"printed_value: {text!r} is not a number") from None


def _unit(row: dict[str, str]) -> tuple[str, Fraction]:
    if row["printed_unit"] not in UNITS:
        raise ValueError(f"printed_unit: {row['printed_unit']!r} has no conversion")
    unit, scale = UNITS[row["printed_unit"]]
    if row["purpose"] in UNITS_OF_PURPOSE and not fits(row["purpose"], unit):
        raise ValueError(f"printed_unit: {row['printed_unit']!r} does not fit purpose {row['purpose']}")
    return unit, scale


def _published(text: str) -> tuple[dt.date | None, int | None]:
    """A full date, or only the year of publication, or neither."""
    if len(text) == 4 and text.isdigit():
        return None, int(text)
    return _day(text), None


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
