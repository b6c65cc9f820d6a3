"""A park in Jiangsu for the tests of scopes and methods: amounts, entries, and how they are counted."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from parkcarbon.catalog.factors import load_factors
from parkcarbon.domain.activities.activity import Activity, Kind
from parkcarbon.domain.emissions import Query, Settings
from parkcarbon.domain.factors import Factor
from parkcarbon.domain.instruments.cover import NO_COVER, Cover
from parkcarbon.domain.inventory import Inventory, PointAmount, assemble
from parkcarbon.domain.reading import Method

CATALOG = load_factors()
JIANGSU = Settings("China/JS", "China", "China")
KNOWN_ON = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
MICRO = 1_000_000
MONTH_MS = 31 * 24 * 3_600_000
DEFAULT_UNIT = {"fuel": "t", "refrigerant": "kg", "steam": "t", "heat": "GJ", "cooling": "GJ", "electricity": "kWh"}


def point(
    name: str, flow: str, value: float, carrier: str = "electricity", unit: str = "kWh", **more: Any
) -> PointAmount:
    return PointAmount(
        name,
        flow,
        carrier,
        unit,
        round(value * MICRO),
        intervals=2976,
        measured_ms=MONTH_MS,
        expected_ms=MONTH_MS,
        method_ms={Method.MEASURED: MONTH_MS},
        **more,
    )


GATE = point("gate/active_energy_import", "import", 1_000_000.0)
EXPORT = point("gate/active_energy_export", "export", 50_000.0)
PV = point("pv1/active_energy_yield", "generation", 200_000.0)
GAS = point("boiler/gas_volume_base", "fuel", 10_000.0, "gas", "Nm3")
HEAT = point("steam/heat_energy", "heat", 100.0, "heat", "GJ")
METERED = (GATE, EXPORT, PV, GAS, HEAT)


def entry(kind: Kind, subject: str, value: float, unit: str = "", **more: Any) -> Activity:
    """An entry of October 2026 with evidence; `more` are members of `Activity`."""
    members: dict[str, Any] = {
        "activity": f"entry:{kind}-{subject}",
        "from_day": dt.date(2026, 10, 1),
        "to_day": dt.date(2026, 11, 1),
        "evidence": "invoice 4711",
    }
    return Activity(
        kind=kind,
        subject=subject,
        amount_micro=round(value * MICRO),
        unit=unit or DEFAULT_UNIT.get(kind, "t"),
        **(members | more),
    )


def query(settings: Settings = JIANGSU, factors: Sequence[Factor] = CATALOG) -> Query:
    return Query(tuple(factors), settings, "electricity", "kWh", 2026, KNOWN_ON)


def frame(period: str = "2026-10") -> dict[str, Any]:
    year, month = int(period[:4]), int(period[5:] or 1)
    last = year * 12 + month - 1 + (1 if period[5:] else 12)
    begin = dt.datetime(year, month, 1, tzinfo=dt.UTC) - dt.timedelta(hours=8)
    end = dt.datetime(last // 12, last % 12 + 1, 1, tzinfo=dt.UTC) - dt.timedelta(hours=8)
    return {
        "park": "demo",
        "period": period,
        "from_time": begin,
        "to_time": end,
        "known_on": KNOWN_ON,
        "final": True,
    }


def inventory(
    points: Sequence[PointAmount] = METERED,
    activities: Sequence[Activity] = (),
    cover: Cover = NO_COVER,
    *,
    settings: Settings = JIANGSU,
    factors: Sequence[Factor] = CATALOG,
    period: str = "2026-10",
    **more: Any,
) -> Inventory:
    return assemble(points, factors, settings, activities=activities, cover=cover, **frame(period), **more)
